/* What the commands of the engine share. */
#ifndef ARKSEAL_PIPELINE_COMMANDS_H
#define ARKSEAL_PIPELINE_COMMANDS_H

#include "pipeline/command.h"
#include "pipeline/options.h"
#include "pipeline/profile.h"
#include "pipeline/site.h"
#include "pipeline/stage.h"

extern const struct command run_command, status_command, report_command, retry_command, profile_command;

/* Says that something is missing on the command line; EXIT_WRONG_USE. */
int command_needs(const char *what);
/* Says that the value of an option is wrong; EXIT_WRONG_USE. */
int command_wrong(const char *option);

/* Runs one stage as a filter; argv[0] is its name. */
int filter_main(const struct stage *stage, int argc, char **argv);

/* Loads profile and site. The site file may be absent where nobody named one and nobody needs one: neither `only` nor, where that is
 * NULL, any stage of the profile. *ret_site is NULL then. */
enum status command_load(const char *profile, const struct option_list *set, const char *site, const struct stage *only,
                         struct profile **ret_profile, struct site **ret_site, struct err *e);
/* The needs (bits of enum stage_needs) of all stages of a profile. */
unsigned command_profile_needs(const struct profile *p);

#endif
