/* What is in an archive, told from its ledger. */
#ifndef ARKSEAL_PIPELINE_REPORT_H
#define ARKSEAL_PIPELINE_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "pipeline/archive.h"
#include "pipeline/ledger.h"

/* The ledgers of all parts of an archive (pipeline/shard.h), or the one of a run. */
struct report {
	struct ledger *const *ledger;
	size_t n;
	const struct archive *archive;
};

/* What was made, where, and what was not and why (at most `most` of those; 0: all); `dossiers`: also which dossiers wait. */
enum status report_text(const struct report *r, size_t most, bool dossiers, FILE *to, struct err *e);
/* A row a document and package: kind, id, dossier, state, stage, file, code, where, problem, remedy, remarks (RFC 4180, with a head
 * row). */
enum status report_csv(const struct report *r, FILE *to, struct err *e);
/* For periodic reports: a row for each fonds, dossier, month of the last change, kind (document, package), state and stage to come, with
 * how many items and pages (RFC 4180, with a head row). */
enum status report_statistics(const struct report *r, FILE *to, struct err *e);
/* One page of HTML that needs nothing else: totals, sums by fonds and month, what is not done and why, remarks. */
enum status report_html(const struct report *r, FILE *to, struct err *e);
/* Whether nothing is left: set aside or still under way. waits: documents under way wait for others that are still being written, which is
 * no fault. */
enum status report_sound(const struct report *r, bool waits, bool *ret_sound, struct err *e);
/* The sums of all parts. */
enum status report_count(const struct report *r, struct ledger_counts *ret, struct err *e);

#endif
