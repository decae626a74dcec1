/* The services of arkseal: adapters from profile and site file to the processes of stages/trust. */
#ifndef ARKSEAL_PIPELINE_SERVICES_H
#define ARKSEAL_PIPELINE_SERVICES_H

#include "pipeline/stage.h"

extern const struct service key_service, fetch_service;

#endif
