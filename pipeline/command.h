/*
 * A command of arkseal, and the exit codes that they all keep. Commands of the engine are listed in pipeline/commands.c, commands
 * that a stage brings along in pipeline/stages.c.
 */
#ifndef ARKSEAL_PIPELINE_COMMAND_H
#define ARKSEAL_PIPELINE_COMMAND_H

#include "stages/base/err.h"

enum exit_code {
	EXIT_DONE = 0,      /* everything done and valid */
	EXIT_UNSOUND = 1,   /* finished, but something is quarantined or not valid */
	EXIT_WRONG_USE = 2, /* wrong usage, profile or site file */
	EXIT_RESUMABLE = 3, /* stopped: the same command goes on where it stopped */
};

struct command {
	const char *name;
	const char *summary;                /* one line for the help */
	int (*main)(int argc, char **argv); /* argv[0] is the command's name; returns an exit code */
};

/* Commands that stages bring along, ended by NULL (pipeline/stages.c). */
extern const struct command *const stage_commands[];

/* Runs the command that argv[1] names: the whole program but for its tables. */
int commands_main(int argc, char **argv);

/* Tells a fault on standard error in the user's language, by the notice table. Returns the exit code for it when it happens
 * before the work begins: EXIT_WRONG_USE for ST_RUN, else EXIT_RESUMABLE. */
int command_fault(const struct err *e);

#endif
