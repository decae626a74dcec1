/* What a person sees of a run: one line that is drawn anew on a terminal, else a line a minute. */
#ifndef ARKSEAL_PIPELINE_PROGRESS_H
#define ARKSEAL_PIPELINE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/say.h"

struct progress {
	uint64_t documents;       /* known so far */
	bool all_known;           /* ingest has ended */
	uint64_t done;            /* documents published or set aside */
	uint64_t quarantined;     /* set aside, the refused ones among them */
	uint64_t pages;           /* that have passed all stages, in this run */
	uint64_t work, work_done; /* pages times stages: known, and done in this run */

	/* Of the drawing itself. */
	bool terminal;
	bool drawn; /* the line is on the screen */
	int64_t began_ms, next_ms;
};

void progress_begin(struct progress *p, int64_t now_ms);
/* Draws where it is time to. `where` is a short text of what waits for which stage. */
void progress_tick(struct progress *p, int64_t now_ms, const char *where);
/* A line for good, above the progress line. The values are texts. */
void progress_say(struct progress *p, enum say_text text, ...);
void progress_end(struct progress *p);

#endif
