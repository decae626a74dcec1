/* The one table of stages, services and the commands that stages bring along. */
#include "pipeline/command.h"
#include "pipeline/services.h"
#include "pipeline/stage.h"
#ifdef HAVE_stage_ingest
#include "stages/ingest/ingest.h"
#endif
#ifdef HAVE_stage_convert
#include "stages/convert/convert.h"
#endif
#ifdef HAVE_stage_sign
#include "stages/sign/sign.h"
#endif
#ifdef HAVE_stage_augment
#include "stages/augment/augment.h"
#endif
#ifdef HAVE_stage_bundle
#include "stages/bundle/bundle.h"
#endif
#ifdef HAVE_stage_validate
#include "stages/validate/validate.h"
#endif

const struct stage *const stages[] = {
#ifdef HAVE_stage_ingest
    &ingest_stage,
#endif
#ifdef HAVE_stage_convert
    &convert_stage,
#endif
#ifdef HAVE_stage_sign
    &sign_stage,
#endif
#ifdef HAVE_stage_augment
    &augment_stage,
#endif
#ifdef HAVE_stage_bundle
    &bundle_stage,
#endif
#ifdef HAVE_stage_validate
    &validate_stage,
#endif
    NULL,
};

const struct service *const services[] = {
#ifdef HAVE_trust
    &key_service,
    &fetch_service,
#endif
    NULL,
};

const struct command *const stage_commands[] = {
#ifdef HAVE_trust
    &key_command,
#endif
#ifdef HAVE_stage_validate
    &validate_command,
#endif
    NULL,
};
