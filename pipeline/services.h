/* The services of arkseal: adapters from profile and site file to the processes of stages/trust. */
#ifndef ARKSEAL_PIPELINE_SERVICES_H
#define ARKSEAL_PIPELINE_SERVICES_H

#include "pipeline/command.h"
#include "pipeline/stage.h"
#include "stages/trust/keyholder.h"

extern const struct service key_service, fetch_service;
extern const struct command key_command;

/* What the site file says about the key; borrowed from it. */
struct key_config service_key_config(const struct site *site);

#endif
