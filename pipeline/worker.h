/*
 * A worker: a process that runs the filter loop of one stage, as the supervisor sees it.
 *
 * To the worker go lines of records. From it come lines: "+" and a digit (what its sandbox lacks) when it has started, then a record
 * for each item, then "." when all is done, or "!" and a record whose notice says why it cannot go on.
 */
#ifndef ARKSEAL_PIPELINE_WORKER_H
#define ARKSEAL_PIPELINE_WORKER_H

#include <sys/types.h>

#include "pipeline/sandbox.h"
#include "pipeline/serve.h"
#include "pipeline/stage.h"
#include "pipeline/wire.h"

#define WORKER_SAID 4096

struct worker {
	pid_t pid;        /* 0: not running */
	struct wire wire; /* its descriptor does not block */
	struct buf out;   /* still to be written */
	size_t out_at;
	bool ready;     /* "+" has come */
	void *job;      /* of the supervisor: the item in hand, or NULL */
	int64_t due_ms; /* when the item in hand, or the start, has taken too long; by the monotonic clock */
	bool overdue;   /* killed for that */

	int said_fd; /* its standard error, read without blocking; -1: closed */
	char said[WORKER_SAID];
	size_t said_n; /* the end of what it said, no more than there is room */
};

/* What all workers of a run share. */
struct worker_common {
	const struct profile *profile;
	const struct site *site;
	const char *work_folder;
	const char *backlog;
	struct serve *serve;
	struct shard shard;
	int lock_fd; /* kept open by workers, so that nobody takes the archive while one lives; or -1 */
};

/* Starts one for a stage; it goes on with an environment in which only names of places, languages and libraries' settings are left. Errors: ST_RETRY "file-fork", "service-gone" … */
enum status worker_start(struct worker *w, const struct worker_common *c, const struct stage *stage, struct err *e);
/* Hands it lines; they go out as the socket takes them. False without memory. */
bool worker_give(struct worker *w, const char *lines, size_t n);
/* Writes what the socket takes now. False where the worker does not read any more. */
bool worker_flush(struct worker *w);
bool worker_flushed(const struct worker *w);
/* Takes what it has said on standard error. */
void worker_listen(struct worker *w);
/* Copies the last line of that, cut at a character; "" where it has said nothing. */
void worker_last_words(const struct worker *w, char *to, size_t room);
/* Closes its socket, kills it and reaps it; its wait status. */
int worker_kill(struct worker *w);
/* Closes its socket, so that an idle worker ends by itself; waits for it for a moment. */
void worker_dismiss(struct worker *w);

#endif
