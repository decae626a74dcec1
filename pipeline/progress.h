/*
 * What a person sees of a run: on a terminal some lines that are drawn anew (the state, then what each worker does), else a line a
 * minute. With events as JSON (pipeline/log.h) there is nothing but those.
 */
#ifndef ARKSEAL_PIPELINE_PROGRESS_H
#define ARKSEAL_PIPELINE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/say.h"
#include "stages/base/buf.h"

struct progress {
	uint64_t documents;   /* known so far */
	bool all_known;       /* ingest has ended */
	uint64_t done;        /* documents published or set aside */
	uint64_t quarantined; /* set aside, the refused ones among them */
	uint64_t refused;
	uint64_t pages; /* of documents that have passed all stages for documents, in this run */

	/* Of the drawing itself. */
	bool json; /* events as JSON instead */
	bool terminal;
	size_t drawn; /* lines on the screen */
	int64_t began_ms, next_ms;
};

/* What one worker does now. */
struct progress_hand {
	const char *stage, *id;
	unsigned pages;
	int64_t took_ms;
};

struct progress_view {
	double left_s;      /* seconds until all is done; below 0: cannot be told yet */
	bool at_least;      /* not all of the work is known, or not every stage has been measured */
	const char *queues; /* what waits for which stage */
	const struct progress_hand *hands;
	size_t n_hands;
};

void progress_begin(struct progress *p, bool json, int64_t now_ms);
/* Whether it is time to draw. */
bool progress_due(const struct progress *p, int64_t now_ms);
void progress_draw(struct progress *p, int64_t now_ms, const struct progress_view *view);
/* A line for good, above the others. The values are texts. */
void progress_say(struct progress *p, enum say_text text, ...);
void progress_end(struct progress *p);

/* The lines that would be drawn on `columns` × `rows`, each with its newline; columns 0: one line of any length. For tests. */
size_t progress_print(const struct progress *p, int64_t now_ms, const struct progress_view *view, size_t columns, size_t rows,
                      struct buf *to);

#endif
