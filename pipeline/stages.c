/* The one table of stages, services and the commands that stages bring along. */
#include "pipeline/command.h"
#include "pipeline/services.h"
#include "pipeline/stage.h"
#include "stages/augment/augment.h"
#include "stages/bundle/bundle.h"
#include "stages/convert/convert.h"
#include "stages/ingest/ingest.h"
#include "stages/sign/sign.h"
#include "stages/validate/validate.h"

const struct stage *const stages[] = {
    &ingest_stage, &convert_stage, &sign_stage, &augment_stage, &bundle_stage, &validate_stage, NULL,
};

const struct service *const services[] = {
    &key_service,
    &fetch_service,
    NULL,
};

const struct command *const stage_commands[] = {
    &key_command,
    &validate_command,
    NULL,
};
