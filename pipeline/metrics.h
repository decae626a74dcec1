/* What a monitor wants to know of a run, in the Prometheus text format, for the textfile collector of node_exporter. */
#ifndef ARKSEAL_PIPELINE_METRICS_H
#define ARKSEAL_PIPELINE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

struct metrics_stage {
	const char *name;
	double seconds;  /* that workers have spent on items */
	uint64_t done;   /* items that have passed */
	uint64_t failed; /* items that were set aside */
	uint64_t pauses;
	uint64_t waiting; /* items in the queue */
	uint64_t paused;  /* 1: waits for a fault to pass */
};

struct metrics {
	const char *archive;                        /* the label of every value */
	const char *shard;                          /* "1/4", or "" */
	uint64_t ok, finished, quarantine, refused; /* documents: under way, done, set aside */
	uint64_t pages;                             /* converted in this run */
	uint64_t workers_restarted;
	int64_t start_s;        /* of the run; seconds since 1970 */
	int64_t written_s;      /* now */
	int64_t last_success_s; /* end of the last run that did everything; 0: none yet */
	int running;            /* 1; 0 at the end */
	int exit_code;          /* of the run; -1: not ended */
	const struct metrics_stage *stages;
	size_t n_stages;
};

void metrics_print(const struct metrics *m, struct buf *to);
/* Replaces a file whole, readable for all. Errors: file-… */
enum status metrics_write(const struct metrics *m, const char *path, struct err *e);
/* The end of the last good run that a file of an earlier run tells; 0 where there is none. */
int64_t metrics_last_success(const char *path);

#endif
