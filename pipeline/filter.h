/*
 * The loop that every stage runs in, whether alone in a shell pipeline or as a worker: one record in, one record out, written at
 * once. What goes wrong with an item becomes the item's state; a record whose state is not ok passes through untouched.
 */
#ifndef ARKSEAL_PIPELINE_FILTER_H
#define ARKSEAL_PIPELINE_FILTER_H

#include "pipeline/stage.h"

struct filter {
	const struct stage *stage;
	const struct stage_env *env;
	void *state;          /* from stage->open */
	int in;               /* records come from here; not used by a stage that produces */
	int out;              /* records go here */
	const char *backlog;  /* where the sources lie; NULL: not known, only for a stage that does not produce */
	unsigned cpu_seconds; /* that an item may take before SIGXCPU ends the process; 0: no limit */

	/* Results, for the exit code of a command. */
	uint64_t n_failed;  /* records that are quarantined or refused */
	uint64_t n_stopped; /* records that are to be tried again, or that stop the run */
};

/* Works until the end of the input. A stage that gathers takes the dossier_size records of a dossier that come in a row; where one
 * of them is not ok and the profile does not go on without it, or the dossier is cut short, its records are passed on as they are.
 * Errors: ST_RUN "record-…" for a line that is no record, and those of produce and of writing ("file-write"). */
enum status filter_run(struct filter *f, struct err *e);

/* The name under which documents are gathered: fonds and dossier, or the id of a document without a dossier. The caller frees. */
char *filter_dossier_key(const struct item *it);
/* The same of these texts; absent: p is NULL. */
char *filter_key(struct bytes fonds, struct bytes dossier, struct bytes id);

#endif
