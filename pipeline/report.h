/* What is in an archive, told from its ledger. */
#ifndef ARKSEAL_PIPELINE_REPORT_H
#define ARKSEAL_PIPELINE_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "pipeline/archive.h"
#include "pipeline/ledger.h"

/* What was made, where, and what was not and why (at most `most` of those; 0: all). */
enum status report_text(struct ledger *l, const struct archive *a, size_t most, FILE *to, struct err *e);
/* A row a document and package: kind, id, dossier, state, stage, file, code, where, problem, remedy (RFC 4180, with a head row). */
enum status report_csv(struct ledger *l, FILE *to, struct err *e);
/* Whether something is not done: set aside or still under way. */
enum status report_sound(struct ledger *l, bool *ret_sound, struct err *e);

#endif
