/* The stage that reads back from disk what was made, and the command that re-checks archives. */
#ifndef ARKSEAL_VALIDATE_VALIDATE_H
#define ARKSEAL_VALIDATE_VALIDATE_H

#include "pipeline/command.h"
#include "pipeline/stage.h"

/* Reads the artefact, a PDF or a package with its companions. What is not valid is ST_ITEM "validate-invalid". */
extern const struct stage validate_stage;

/* arkseal validate PATH… (design: docs/architecture.md section 2) */
extern const struct command validate_command;

#endif
