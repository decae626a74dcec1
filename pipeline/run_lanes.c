#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pipeline/run.h"

#define START_MS 120000    /* a worker that has not opened its stage by then is killed */
#define FIRST_WAIT_MS 1000 /* of a fault that passes */
#define LONGEST_WAIT_MS 60000
#define FAILED_STARTS_MOST 3

void job_free(struct job *j)
{
	if (j == NULL)
		return;
	for (size_t i = 0; i < j->n_parts; i++) {
		free(j->parts[i].path);
		free(j->parts[i].format);
	}
	free(j->parts);
	ranges_free(j->ranges);
	free(j->id);
	free(j->line);
	free(j);
}

struct job *job_new(int64_t serial, const char *id, const char *line, bool package, unsigned pages)
{
	struct job *j = calloc(1, sizeof *j);
	if (j == NULL)
		return NULL;
	*j = (struct job){.serial = serial, .id = strdup(id), .n_items = 1, .package = package, .pages = pages};
	if (line != NULL)
		j->line = strdup(line);
	if (j->id == NULL || (line != NULL && j->line == NULL)) {
		job_free(j);
		return NULL;
	}
	return j;
}

void lane_push(struct lane *l, struct job *j)
{
	j->next = NULL;
	if (l->tail != NULL) {
		l->tail->next = j;
	} else {
		l->head = j;
		l->since_ms = process_clock_ms();
	}
	l->tail = j;
	l->n++;
}

void lane_push_first(struct lane *l, struct job *j)
{
	j->next = l->head;
	l->head = j;
	if (l->tail == NULL) {
		l->tail = j;
		l->since_ms = process_clock_ms();
	}
	l->n++;
}

bool lane_remove(struct lane *l, struct job *j)
{
	struct job *before = NULL;
	for (struct job *at = l->head; at != NULL; before = at, at = at->next) {
		if (at != j)
			continue;
		*(before != NULL ? &before->next : &l->head) = j->next;
		if (l->tail == j)
			l->tail = before;
		l->n--;
		j->next = NULL;
		return true;
	}
	return false;
}

static struct job *lane_pop(struct lane *l)
{
	struct job *j = l->head;
	l->head = j->next;
	if (l->head == NULL)
		l->tail = NULL;
	l->n--;
	j->next = NULL;
	return j;
}

bool lane_full(const struct lane *l)
{
	return l->n >= LANE_MOST;
}

struct lane *lane_find(struct run *r, const char *name)
{
	for (size_t i = 0; i < r->n_lanes; i++)
		if (strcmp(r->lanes[i].name, name) == 0)
			return &r->lanes[i];
	return NULL;
}

/* Workers that wait for the network or a token cost no core, so there are more of them. A dossier is big: fewer at a time. */
static size_t workers_for(const struct stage *stage, unsigned jobs)
{
	size_t n = stage->gather != NULL ? (jobs + 1) / 2 : stage->needs != 0 ? jobs + 2 : jobs;
	return n < 1 ? 1 : n > WORKERS_MOST ? WORKERS_MOST : n;
}

enum status lanes_open(struct run *r, unsigned jobs, struct err *e)
{
	const struct profile *p = r->profile;
	r->lanes = calloc(p->stages_count + 1, sizeof *r->lanes);
	if (r->lanes == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for the stages");
	r->gather = p->stages_count + 1;
	for (unsigned i = 0; i < p->stages_count; i++) {
		const struct stage *stage = stage_find(p->stages[i]);
		bool fits = stage != NULL && (stage->produce != NULL) == (i == 0) &&
		            (stage->gather == NULL || r->gather > p->stages_count);
		if (!fits) {
			err_set(e, ST_RUN, "profile-stage", "stage %u of the profile: %s", i + 1, p->stages[i]);
			err_arg(e, "%s", p->stages[i]);
			return err_where(e, "%s", p->name);
		}
		if (i == 0) {
			r->ingest_stage = stage;
			continue;
		}
		struct lane *l = &r->lanes[r->n_lanes];
		*l = (struct lane){.name = stage->name, .stage = stage, .n_workers = workers_for(stage, jobs)};
		l->workers = calloc(l->n_workers, sizeof *l->workers);
		if (l->workers == NULL)
			return err_set(e, ST_RETRY, "memory", "no memory for workers");
		if (stage->gather != NULL)
			r->gather = r->n_lanes;
		r->n_lanes++;
	}
	if (r->ingest_stage == NULL) {
		err_set(e, ST_RUN, "profile-stage", "the profile has no stages");
		return err_where(e, "%s", p->name);
	}
	r->lanes[r->n_lanes++] = (struct lane){.name = LANE_PUBLISH};
	return ST_OK;
}

void lanes_drop_workers(struct run *r)
{
	for (size_t i = 0; i < r->n_lanes; i++) {
		for (size_t k = 0; k < r->lanes[i].n_workers; k++) {
			struct worker *w = &r->lanes[i].workers[k];
			job_free(w->job);
			if (w->pid != 0 && w->job == NULL)
				worker_dismiss(w);
			else if (w->pid != 0)
				worker_kill(w);
		}
		r->lanes[i].busy = 0;
	}
	if (r->ingest.pid != 0)
		worker_kill(&r->ingest);
}

void lanes_clear(struct run *r)
{
	for (struct lane *l = r->lanes; l < r->lanes + r->n_lanes; l++) {
		while (l->head != NULL)
			job_free(lane_pop(l));
		while (l->parked != NULL) {
			struct job *j = l->parked;
			l->parked = j->next;
			job_free(j);
		}
		l->cursor = 0;
		free(l->key_cursor);
		l->key_cursor = NULL;
		l->loaded = false;
		l->count.units_left = 0;
		lane_works(l);
	}
}

void lanes_close(struct run *r)
{
	lanes_clear(r);
	for (size_t i = 0; i < r->n_lanes; i++)
		free(r->lanes[i].workers);
	free(r->lanes);
	r->lanes = NULL;
	r->n_lanes = 0;
}

bool lanes_idle(const struct run *r)
{
	for (size_t i = 0; i < r->n_lanes; i++)
		if (r->lanes[i].n > 0 || r->lanes[i].busy > 0)
			return false;
	return true;
}

void lane_works(struct lane *l)
{
	l->faulty_since_ms = l->resume_ms = l->wait_ms = 0;
	l->failed_starts = 0;
	l->unserved = false;
}

void lane_pause(struct run *r, struct lane *l, struct job *j, const struct err *e)
{
	int64_t now = process_clock_ms();
	if (j != NULL)
		lane_push(l, j);
	if (l->faulty_since_ms == 0)
		l->faulty_since_ms = now;
	if (now < l->resume_ms)
		return; /* another worker has said so already */
	l->fault = *e;
	l->wait_ms = l->wait_ms == 0 ? FIRST_WAIT_MS : l->wait_ms * 2 > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : l->wait_ms * 2;
	l->resume_ms = now + l->wait_ms;
	if (now - l->faulty_since_ms >= (int64_t)r->profile->limits.pause_limit_s * 1000) {
		run_give_up(r, e);
		return;
	}
	show_paused(r, l, e);
}

/* Takes the job out of a worker's hand. */
static struct job *take_job(struct lane *l, struct worker *w)
{
	struct job *j = w->job;
	w->job = NULL;
	if (j != NULL)
		l->busy--;
	return j;
}

/* What a dead worker died of, as the fault of its item. */
static void cause(const struct run *r, const struct lane *l, const struct worker *w, int status, struct err *ret)
{
	char said[256];
	size_t n;
	unsigned allowed_s = w->ready ? r->profile->limits.item_seconds : START_MS / 1000;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) {
		err_set(ret, ST_ITEM, "worker-cpu", "stage %s used more than %u s of CPU time", l->name,
		        r->profile->limits.item_cpu_seconds);
		err_arg(ret, "%s", l->name);
		err_arg(ret, "%u", r->profile->limits.item_cpu_seconds);
	} else if (w->overdue && l->stage->needs != 0) {
		/* No document makes a token or the network slow. One that keeps a worker computing runs into its CPU time. */
		err_set(ret, ST_RETRY, "worker-wait", "stage %s waited longer than %u s", l->name, allowed_s);
		err_arg(ret, "%s", l->name);
		err_arg(ret, "%u", allowed_s);
	} else if (w->overdue) {
		err_set(ret, ST_ITEM, "worker-time", "stage %s took longer than %u s", l->name, allowed_s);
		err_arg(ret, "%s", l->name);
		err_arg(ret, "%u", allowed_s);
	} else if (WIFSIGNALED(status)) {
		err_set(ret, ST_ITEM, "worker-crash", "stage %s died of signal %d (%s)", l->name, WTERMSIG(status),
		        strsignal(WTERMSIG(status)));
		err_arg(ret, "%s", l->name);
		err_arg(ret, "%s", strsignal(WTERMSIG(status)));
	} else {
		err_set(ret, ST_ITEM, "worker-exit", "stage %s ended with exit status %d", l->name, WEXITSTATUS(status));
		err_arg(ret, "%s", l->name);
		err_arg(ret, "%d", WEXITSTATUS(status));
	}
	worker_last_words(w, said, sizeof said);
	n = strlen(ret->detail);
	if (said[0] != '\0')
		snprintf(ret->detail + n, sizeof ret->detail - n, "; its last message: %s", said);
}

/* An item that has cost a worker: once more in a fresh one, then quarantine. */
static void job_costly(struct run *r, struct lane *l, struct job *j, const struct err *why)
{
	struct err e;
	j->attempts++;
	if (j->attempts <= r->profile->limits.retries) {
		lane_push(l, j);
		return;
	}
	struct item *it = records_failed(j, why);
	if (it == NULL)
		err_set(&e, ST_RETRY, "memory", "no memory for a record");
	if (it == NULL || records_answer(r, l, j, it, &e) != ST_OK)
		run_stop(r, &e);
}

static void worker_died(struct run *r, struct lane *l, struct worker *w)
{
	struct job *j = take_job(l, w);
	bool ready = w->ready;
	worker_listen(w);
	struct worker was = *w;
	int status = worker_kill(w);
	struct err why;
	r->show.workers_restarted++;
	cause(r, l, &was, status, &why);
	show_died(r, l, &why, was.said, was.said_n);
	if (j != NULL && j->line != NULL)
		archive_sweep(&r->archive, j->whole != NULL ? j->whole->id : j->id, NULL);
	if (why.status == ST_RETRY) {
		lane_pause(r, l, j, &why);
	} else if (ready && j != NULL) {
		job_costly(r, l, j, &why);
	} else if (!ready) {
		if (j != NULL)
			lane_push(l, j);
		if (++l->failed_starts >= FAILED_STARTS_MOST) {
			why.status = ST_RUN;
			run_stop(r, &why);
		}
	}
}

/* Time for a job: a dossier or package of many documents takes longer, though not as long as each of them by itself. */
static int64_t allowance_ms(const struct run *r, const struct job *j)
{
	uint32_t n = j->package ? j->members : j->n_items;
	return (int64_t)r->profile->limits.item_seconds * 1000 * (1 + n / 100);
}

/* "!" and a record: the worker cannot go on. */
static void worker_complains(struct run *r, struct lane *l, struct worker *w, struct bytes line)
{
	struct item *it;
	struct err e;
	if (item_parse((const char *)line.p + 1, line.n - 1, &it, &e) != ST_OK) {
		worker_died(r, l, w);
		return;
	}
	e = it->notice;
	bool passes = it->state == ITEM_RETRY;
	item_free(it);
	struct job *j = take_job(l, w);
	worker_kill(w);
	if (passes) {
		lane_pause(r, l, j, &e);
		return;
	}
	if (j != NULL)
		lane_push(l, j);
	run_stop(r, &e);
}

static void answered(struct run *r, struct lane *l, struct worker *w, struct bytes line)
{
	struct item *it;
	struct err e;
	struct glance g;
	struct job *j = w->job;
	struct bytes whole = {line.p, line.n + 1}; /* the newline stands behind it */
	if (j != NULL && l->stage->gather == NULL && records_plain(r, j, whole, &g)) {
		take_job(l, w);
		if (records_pass(r, l, j, whole, &g, &e) != ST_OK)
			run_stop(r, &e);
		return;
	}
	if (j == NULL || item_parse((const char *)line.p, line.n, &it, &e) != ST_OK) {
		worker_died(r, l, w);
		return;
	}
	/* A dossier's documents that were set aside come back as they went. */
	if (l->stage->gather != NULL && it->kind != ITEM_PACKAGE) {
		item_free(it);
		return;
	}
	/* An answer for another item: the worker is not itself any more. */
	if (l->stage->gather == NULL &&
	    (strcmp(it->id, j->id) != 0 || (j->whole == NULL) != (it->range.of == 0 || it->state == ITEM_PARTS))) {
		item_free(it);
		worker_died(r, l, w);
		return;
	}
	take_job(l, w);
	bool passes = it->state == ITEM_RETRY, memory = passes && strcmp(it->notice.code, "memory") == 0;
	if (memory) {
		/* Its address space is full, with this item in it. */
		err_set(&e, ST_ITEM, "worker-memory", "stage %s: %.300s", l->name, it->notice.detail);
		err_arg(&e, "%s", l->name);
		err_arg(&e, "%u", r->profile->limits.item_memory_mib);
		item_free(it);
		worker_kill(w);
		job_costly(r, l, j, &e);
		return;
	}
	/* Its connections, or its view of a share, may be of no use any more; a fresh one gets new ones. */
	if (passes)
		worker_kill(w);
	if (records_answer(r, l, j, it, &e) != ST_OK)
		run_stop(r, &e);
}

void lanes_read(struct run *r, struct lane *l, struct worker *w)
{
	pid_t pid = w->pid;
	struct bytes line;
	while (w->pid == pid) {
		enum wire_got got = wire_next(&w->wire, &line);
		if (got == WIRE_WAIT)
			return;
		if (got != WIRE_LINE) {
			worker_died(r, l, w);
			return;
		}
		if (line.n == 2 && line.p[0] == '+' && !w->ready) {
			unsigned lacks = (unsigned)(line.p[1] - '0') & ~r->lacks_told;
			w->ready = true;
			w->due_ms = process_clock_ms() + allowance_ms(r, w->job);
			r->lacks_told |= lacks;
			if (lacks != 0)
				progress_say(&r->progress, SAY_SANDBOX, lacks & SANDBOX_NO_LANDLOCK ? "Landlock" : "seccomp");
		} else if (line.n > 1 && line.p[0] == '!') {
			worker_complains(r, l, w, line);
		} else if (line.n > 0) {
			answered(r, l, w, line);
		}
	}
}

void lanes_check_time(struct run *r)
{
	int64_t now = process_clock_ms();
	for (size_t i = 0; i < r->n_lanes; i++) {
		for (size_t k = 0; k < r->lanes[i].n_workers; k++) {
			struct worker *w = &r->lanes[i].workers[k];
			if (w->job == NULL || now < w->due_ms)
				continue;
			w->overdue = true;
			worker_died(r, &r->lanes[i], w);
		}
	}
}

/* An idle worker, or a place for one. */
static struct worker *idle_worker(struct lane *l)
{
	struct worker *place = NULL;
	for (size_t i = 0; i < l->n_workers; i++) {
		struct worker *w = &l->workers[i];
		if (w->pid != 0 && w->job == NULL && w->ready)
			return w;
		if (w->pid == 0 && place == NULL)
			place = w;
	}
	return place;
}

/* Hands the first job of a lane to a worker. False where none can be handed out now. */
static bool hand_one(struct run *r, struct lane *l)
{
	struct worker *w = idle_worker(l);
	struct err e;
	if (w == NULL)
		return false;
	struct job *j = lane_pop(l);
	BUF_AUTO struct buf dossier = BUF_INIT(SIZE_MAX / 2);
	if (ranges_left(j)) {
		j = ranges_next(l, j);
		if (j == NULL) {
			record_no_memory(&e);
			run_stop(r, &e);
			return false;
		}
	} else if (j->line == NULL) {
		bool ready;
		if (records_dossier(r, l, j, &dossier, &ready, &e) != ST_OK) {
			job_free(j);
			run_stop(r, &e);
			return false;
		}
		if (!ready) {
			job_free(j);
			return true;
		}
	}
	if (w->pid == 0) {
		enum status st = worker_start(w, &r->common, l->stage, &e);
		if (st == ST_RUN) {
			lane_push(l, j);
			run_stop(r, &e);
			return false;
		}
		if (st != ST_OK) {
			lane_pause(r, l, j, &e);
			return false;
		}
	}
	w->due_ms = process_clock_ms() + (w->ready ? allowance_ms(r, j) : START_MS);
	w->overdue = false;
	w->job = j;
	j->began_ms = process_clock_ms();
	l->busy++;
	const char *lines = j->line != NULL ? j->line : (const char *)dossier.data;
	if (!worker_give(w, lines, j->line != NULL ? strlen(j->line) : dossier.len))
		worker_died(r, l, w);
	return true;
}

/* Whether the services that a lane needs are there; they are started where they are not. */
static bool lane_served(struct run *r, struct lane *l)
{
	struct err e;
	if (l->stage->needs == 0)
		return true;
	enum serve_state state = serve_poll(&r->serve, l->stage->needs, &e);
	if (state == SERVE_READY && l->unserved) {
		show_works(r, l);
		lane_works(l);
	} else if (state == SERVE_FAILED && e.status == ST_RETRY) {
		lane_pause(r, l, NULL, &e);
		l->unserved = true;
	} else if (state == SERVE_FAILED) {
		run_stop(r, &e);
	}
	return state == SERVE_READY;
}

/* The cores go to what is nearly done first: a stage whose documents wait takes them from the stages before it. What waits for a token or
 * the network takes none. */
static bool core_free(const struct run *r, const struct lane *l)
{
	size_t busy = 0;
	if (l->stage->needs != 0)
		return true;
	for (size_t i = 0; i < r->n_lanes; i++)
		if (r->lanes[i].stage != NULL && r->lanes[i].stage->needs == 0)
			busy += r->lanes[i].busy;
	return busy < r->jobs;
}

void lanes_hand_out(struct run *r)
{
	int64_t now = process_clock_ms();
	for (size_t i = r->n_lanes - 1; i-- > 0;) {
		struct lane *l = &r->lanes[i], *behind = &r->lanes[i + 1];
		if (r->stopping || r->again || now < l->resume_ms || !lane_served(r, l))
			continue;
		while (!r->stopping && !r->again && l->n > 0 && now >= l->resume_ms && !lane_full(behind) && core_free(r, l)) {
			if (l->faulty_since_ms != 0 && l->busy > 0)
				break; /* one tries whether the fault is over */
			if (!hand_one(r, l))
				break;
		}
	}
}
