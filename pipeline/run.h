/*
 * The supervisor of a run. It owns the ledger and the archive; it opens no input file and holds no key.
 *
 * Each stage of the profile has a lane: a bounded queue of jobs and the workers that do them. A job is a document or package with its
 * record, or (before a stage that gathers) the key of a dossier whose documents have all come. After the last stage stands the lane
 * without a stage, "publish", which the supervisor works itself. A lane is handed nothing while the lane behind it is full, so memory
 * stays flat and a slow stage slows the others.
 *
 *   run.c          the command: starts, loops, ends
 *   run_lanes.c    queues, workers, crashes, limits, pauses
 *   run_ranges.c   long documents, done in ranges of pages
 *   run_show.c     what people and monitors see of it
 *   run_intake.c   what ingest tells: new documents, known ones, and what is still being written
 *   run_known.c    documents of earlier runs whose files, rows or places are not what they were
 *   run_records.c  what records mean: a document on its way, a stage's answer
 *   run_resume.c   going on after a stop
 *   run_publish.c  dossiers, and what is done
 *   run_strays.c   what is left in the work folder
 */
#ifndef ARKSEAL_PIPELINE_RUN_H
#define ARKSEAL_PIPELINE_RUN_H

#include "pipeline/archive.h"
#include "pipeline/glance.h"
#include "pipeline/ledger.h"
#include "pipeline/notify.h"
#include "pipeline/process.h"
#include "pipeline/progress.h"
#include "pipeline/serve.h"
#include "pipeline/worker.h"

#define LANE_PUBLISH "publish"
#define LANE_MOST 64 /* jobs that may wait in a lane */
#define WORKERS_MOST 256

struct job {
	struct job *next;
	int64_t serial;    /* in the ledger; 0: a dossier */
	char *id;          /* of the item, or the dossier's key */
	char *line;        /* its record with the newline; NULL: a dossier */
	uint32_t n_items;  /* 1, or the documents of the dossier once it is handed out */
	unsigned attempts; /* workers that died of it */
	unsigned pages;
	unsigned members; /* documents of a package */
	int64_t began_ms; /* when it was handed out; 0: not yet */
	bool package;

	/* A long document (run_ranges.c). */
	struct ranges *ranges;   /* of the whole document, while its ranges are done */
	struct job *whole;       /* of a range: its document */
	struct item_range range; /* of a range */
	struct item_file *parts; /* of a document whose ranges are done: to be removed after it has passed */
	size_t n_parts;
	double seconds; /* that its ranges have taken */
};

/* What a lane has done in this run. Units are pages, after the gathering documents. */
struct lane_count {
	double seconds; /* that workers have spent on items */
	uint64_t done, failed, pauses;
	uint64_t units_done;
	int64_t units_left; /* of what is known */
};

/* What ingest has said of the backlog in this run. */
struct left {
	uint64_t named;     /* documents that are there */
	uint64_t documents; /* still being written: left for the next run, as if they were not there */
	char **fonds;       /* whose spreadsheet is */
	size_t n_fonds;
	uint8_t *heard; /* a bit for each serial of earlier runs: ingest has named it */
	char **refused; /* records of documents that must not be processed, but were in a worker's hand when that was heard */
	size_t n_refused;
};

/* Where a run is shown besides the terminal. */
struct show {
	struct notify notify;
	const char *metrics; /* file, or NULL */
	bool metrics_failed; /* and the user has been told */
	int64_t metrics_next_ms, status_next_ms;
	int64_t start_s, last_success_s;
	uint64_t workers_restarted;
};

struct lane {
	const char *name;          /* of the stage, or LANE_PUBLISH */
	const struct stage *stage; /* NULL: publish */
	struct job *head, *tail;
	size_t n;
	struct job *parked; /* documents whose last ranges are in hand */
	int64_t since_ms;   /* when the first of them came */
	struct worker *workers;
	size_t n_workers;
	size_t busy;
	char *key_cursor;       /* of the lane that gathers: dossiers up to this one have been looked at; NULL: none */
	int64_t cursor;         /* items of earlier runs up to this serial have been queued */
	bool loaded;            /* all of them */
	unsigned failed_starts; /* workers in a row that died before they were ready */
	struct lane_count count;

	/* A fault that passes: nothing is handed out before resume_ms, then one job, until one succeeds. */
	int64_t faulty_since_ms; /* 0: no fault */
	int64_t resume_ms;
	int64_t wait_ms;
	bool unserved; /* the fault is a service that does not start */
	struct err fault;
};

struct run {
	const struct profile *profile;
	const struct site *site;
	const char *backlog;
	struct shard shard;
	struct archive archive;
	struct ledger *ledger;
	struct serve serve;
	struct worker_common common;

	struct worker ingest;
	const struct stage *ingest_stage;
	bool ingest_done;
	struct lane *lanes; /* in the order of the profile; the last is publish */
	size_t n_lanes;
	size_t gather;       /* index of the lane that gathers; n_lanes: none */
	int64_t last_serial; /* of the items of earlier runs */

	unsigned jobs;          /* cores */
	unsigned ingest_deaths; /* in a row */
	bool urgent;            /* what has been entered must not be lost: a key or an authority was used for it */

	/* A fault of the supervisor's own that passes (ledger, notices, memory): all is dropped and begun again. */
	bool again;
	int64_t trouble_since_ms; /* 0: none */
	int64_t trouble_wait_ms;

	bool stopping;       /* nothing is handed out any more */
	int64_t stop_due_ms; /* then the items in hand are dropped */
	bool has_fault;      /* why the run stops */
	struct err fault;
	struct left left;
	bool held;           /* something was left for the next run (a fault that passes in ingest) */
	unsigned lacks_told; /* sandbox_lack bits that the user has been told of */
	struct progress progress;
	struct show show;
};

/* What is at hand cannot go on. A fault that passes (ST_RETRY): all is begun again after a while, as if the run had been stopped and started; any
 * other ends the run. */
void run_stop(struct run *r, const struct err *why);
/* Ends the run for this reason, whatever it is. */
void run_give_up(struct run *r, const struct err *why);

/* run_lanes.c */
enum status lanes_open(struct run *r, unsigned jobs, struct err *e);
void lanes_close(struct run *r);
/* Forgets the jobs. No worker may run. */
void lanes_clear(struct run *r);
struct lane *lane_find(struct run *r, const char *name);
void job_free(struct job *j);
struct job *job_new(int64_t serial, const char *id, const char *line, bool package, unsigned pages);
void lane_push(struct lane *l, struct job *j);
void lane_push_first(struct lane *l, struct job *j);
/* Takes a job that waits out of its lane; false where it does not wait there. */
bool lane_remove(struct lane *l, struct job *j);
/* Whether a lane takes no more from the one before it. */
bool lane_full(const struct lane *l);
bool lanes_idle(const struct run *r); /* nothing waits and nothing is in hand */
void lanes_hand_out(struct run *r);
/* A worker's socket is readable. */
void lanes_read(struct run *r, struct lane *l, struct worker *w);
/* Kills what has taken too long. */
void lanes_check_time(struct run *r);
/* Puts a job back and lets the lane wait; stops the run when that has gone on too long. */
void lane_pause(struct run *r, struct lane *l, struct job *j, const struct err *e);
void lane_works(struct lane *l); /* an item has passed: the fault is over */
void lanes_drop_workers(struct run *r);

/* run_ranges.c */
/* The stage asks for j in ranges (it->state is ITEM_PARTS). Takes j over. */
enum status ranges_begin(struct run *r, struct lane *l, struct job *j, const struct item *it, struct err *e);
/* Takes the next range of a document that has been popped; the document waits on, in the lane or parked. NULL: no memory. */
struct job *ranges_next(struct lane *l, struct job *whole);
/* Whether a popped job is a document with ranges that are still to be handed out. */
bool ranges_left(const struct job *j);
/* The answer for a range, which is freed. When it is the last one, the document is queued to be joined, or fails. */
enum status ranges_answer(struct run *r, struct lane *l, struct job *range, struct item *it, struct err *e);
/* Removes the part files of a document that has passed the stage or failed in it. */
void ranges_discard(const struct run *r, struct job *j);
void ranges_free(struct ranges *g);

/* run_show.c */
void show_open(struct run *r, bool json, const char *metrics);
void show_started(struct run *r);
void show_tick(struct run *r);
/* A document of so many pages has come (1) to a lane and will go the rest of the way, or has been taken out (-1). */
void show_expect(struct run *r, const struct lane *from, unsigned pages, int sign);
/* A stage has answered, well or not, for the item of this id; publishing has done. */
void show_answer(struct run *r, struct lane *l, const struct job *j, const char *id, enum item_state state);
void show_published(struct run *r, struct lane *l, const struct job *j);
void show_aside(struct run *r, const struct item *it, const char *stage);
void show_paused(struct run *r, struct lane *l, const struct err *e);
/* A worker has died; said: what it wrote last. */
void show_died(struct run *r, const struct lane *l, const struct err *why, const char *said, size_t n);
/* The run begins again after wait_ms. */
void show_again(struct run *r, const struct err *why);
/* To be called before lane_works. */
void show_works(struct run *r, const struct lane *l);
void show_stopping(struct run *r);
/* A remark about a document; a spreadsheet that is being written; a document that was set aside and is gone; what is left for the next run. */
void show_remark(struct run *r, const char *id, const struct err *remark);
void show_sheet_waits(struct run *r, const struct item *it);
void show_withdrawn(struct run *r, const char *id);
void show_left(struct run *r);
/* Tells a fault; its exit code as command_fault. */
int show_fault(struct run *r, const struct err *e);
/* The last word. why: what stopped it, or NULL. */
void show_end(struct run *r, int exit_code, const struct err *why);

/* run_intake.c */
/* A line that ingest made. */
enum status records_intake(struct run *r, struct bytes line, struct err *e);
/* Refuses what could not be refused when ingest told of it, as far as it is in nobody's hand now. */
enum status intake_refuse(struct run *r, struct err *e);
/* Whether a dossier must wait because the spreadsheet of its fonds is being written. */
bool intake_waits(const struct run *r, const char *key);
void intake_forget(struct run *r);

/* run_known.c */
/* What the ledger knows of a document that ingest names. */
struct known {
	const char *intake; /* digest of the record at hand: given */
	bool found, same;   /* same: its record was like this one; then the texts below are NULL */
	int64_t serial;
	enum ledger_state state;
	unsigned attempts;
	char *next, *record;
};
enum status known_find(struct run *r, const char *id, struct known *k, struct err *e);
void known_free(struct known *k);
/* Whether ingest has named it in this run, or will name nothing more: only then is the size of its dossier known. */
bool known_heard(const struct run *r, int64_t serial);
/* Notes something about a document, and says it unless that was noted before. The code names the sentence, the detail is its {0}. */
enum status known_remark(struct run *r, int64_t serial, const char *id, const char *code, const char *detail, struct err *e);
/* A document under way or done, as ingest finds it now: what is different is noted; where it is under way and lies elsewhere, its record
 * follows. */
enum status known_compare(struct run *r, const struct item *it, const struct known *k, struct err *e);
/* A document that was taken and must not be processed, as is known now. */
enum refusal {
	REFUSAL_STOPPED, /* no job of it is left */
	REFUSAL_WAITS,   /* a worker has it in hand, or its dossier */
	REFUSAL_LATE,    /* it is done or in a package; that has been noted */
};
enum status known_refused(struct run *r, const struct item *it, const char *key, const struct known *k, enum refusal *ret,
                          struct err *e);
/* Looks for a document with the same files as `it`, which is new (or comes anew: `self`). *ret_moved: that one lay where nothing lies any more, so
 * `it` is that one, and this has been noted. Else ret->id is a document of which `it` is a copy; NULL: there is none. */
struct elsewhere {
	char *id;
};
enum status known_elsewhere(struct run *r, const struct item *it, const char *sources, const struct known *self,
                            struct elsewhere *ret, bool *ret_moved, struct err *e);
/* Ingest has named all that there is: documents that were set aside and are no longer in the backlog are forgotten, unless it is empty. */
enum status known_withdraw(struct run *r, struct err *e);

/* run_records.c */
enum status record_no_memory(struct err *e);
/* Pages, as far as they can be told: a stage may count them in the member "pages". */
unsigned record_pages(const struct item *it);
/* Queues an item; line is its record with the newline. */
enum status record_push(const struct run *r, struct lane *l, int64_t serial, const struct item *it, const char *line,
                        unsigned attempts, struct err *e);
/* Whether a dossier is in a package already, or being put into one. */
enum closed { DOSSIER_OPEN, DOSSIER_IN_HAND, DOSSIER_PACKAGED };
enum status record_dossier_closed(const struct run *r, const char *key, enum closed *ret, struct err *e);
/* Queues a dossier when all of its documents have come. */
enum status record_check_dossier(struct run *r, const char *key, struct err *e);
enum status record_set_aside(struct run *r, const struct item *it, const char *stage, struct err *e);
/* Enters an item that `stage` made and that goes to `next`; line is its record. sources and intake: digests, or NULL. */
enum status record_enter(struct run *r, const struct item *it, const char *line, const char *key, const char *stage,
                         const char *next, const char *sources, const char *intake, int64_t *ret_serial, struct err *e);
/* A worker's answer for the job in its hand; the job is freed or queued. Takes `it` over. */
enum status records_answer(struct run *r, struct lane *l, struct job *j, struct item *it, struct err *e);
/* The same for an answer that tells at a glance that all went well. False: it does not; records_answer must look at it. */
bool records_plain(const struct run *r, const struct job *j, struct bytes line, struct glance *ret);
enum status records_pass(struct run *r, struct lane *l, struct job *j, struct bytes line, const struct glance *g, struct err *e);
/* Fails a document that comes when its dossier is closed. */
void record_too_late(struct item *it, const char *key);
/* The item of a job that fails for this reason; NULL: no memory. */
struct item *records_failed(const struct job *j, const struct err *why);

/* run_resume.c */
enum status records_begin(struct run *r, struct err *e);
/* Queues what earlier runs left, as far as there is room. */
enum status records_refill(struct run *r, struct err *e);
struct serials {
	int64_t *serial;
	size_t n;
};
bool serials_add(struct serials *list, int64_t serial);
/* An item whose artefact is gone or changed: it goes on from the last one that is whole. */
enum status record_regress(struct run *r, int64_t serial, struct err *e);
/* Each of the list where st is ST_OK; frees the list. */
enum status record_regress_all(struct run *r, struct serials *list, enum status st, struct err *e);

/* run_publish.c */
/* What goes to the worker for a dossier: its records. false in *ret_ready: it is not ready any more. */
enum status records_dossier(struct run *r, const struct lane *l, struct job *j, struct buf *ret_lines, bool *ret_ready,
                            struct err *e);
/* Removes what an item's steps left in the work folder. */
enum status records_discard(struct run *r, int64_t serial, struct err *e);
/* Publishes what waits for it. */
enum status records_publish(struct run *r, struct err *e);

/* run_strays.c */
/* Removes files of the work folder that belong to no unfinished item. Nothing may be in hand. */
enum status records_remove_strays(struct run *r, struct err *e);

#endif
