/* What people, log readers and monitors are shown of a run. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/commands.h"
#include "pipeline/log.h"
#include "pipeline/metrics.h"
#include "pipeline/notice.h"
#include "pipeline/run.h"
#include "stages/base/text.h"

#define METRICS_MS 10000
#define STATUS_MS 5000
#define HANDS_MOST 64
#define QUEUES_TEXT 256

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* "code" and "text" of a fault, added to the values of an event. */
static json_t *with_fault(json_t *values, const struct err *e)
{
	BUF_AUTO struct buf why = BUF_INIT(8192);
	notice_sentence(e, say_english(), &why);
	json_object_set_new(values, "code", log_text(e->code));
	json_object_set_new(values, "text", log_text(why.failed || why.len == 0 ? e->code : (const char *)why.data));
	json_object_set_new(values, "detail", log_text(e->detail));
	return values;
}

static void shard_text(const struct run *r, char ret[SHARD_NAME])
{
	ret[0] = '\0';
	if (r->shard.of > 0)
		snprintf(ret, SHARD_NAME, "%u/%u", r->shard.number, r->shard.of);
}

/* Units: what the cost of a stage is counted in. Pages, but after the gathering documents. */
static unsigned units_of(const struct run *r, const struct lane *l, unsigned pages, unsigned documents)
{
	return (size_t)(l - r->lanes) < r->gather ? pages : documents;
}

void show_expect(struct run *r, const struct lane *from, unsigned pages, int sign)
{
	for (struct lane *l = &r->lanes[from - r->lanes]; l < r->lanes + r->n_lanes; l++)
		l->count.units_left += sign * (int64_t)units_of(r, l, pages, 1);
}

/* Metrics */

static void write_metrics(struct run *r, int exit_code)
{
	struct show *s = &r->show;
	struct metrics_stage row[32];
	char shard[SHARD_NAME];
	struct err e;
	if (s->metrics == NULL)
		return;
	shard_text(r, shard);
	const struct progress *p = &r->progress;
	struct metrics m = {.archive = r->archive.root,
	                    .shard = shard,
	                    .ok = p->documents - p->done,
	                    .finished = p->done - p->quarantined,
	                    .quarantine = p->quarantined - p->refused,
	                    .refused = p->refused,
	                    .pages = p->pages,
	                    .workers_restarted = s->workers_restarted,
	                    .start_s = s->start_s,
	                    .written_s = time_now_ms() / 1000,
	                    .last_success_s = s->last_success_s,
	                    .running = exit_code < 0,
	                    .exit_code = exit_code,
	                    .stages = row};
	for (size_t i = 0; i < r->n_lanes && i < sizeof row / sizeof row[0]; i++) {
		const struct lane *l = &r->lanes[i];
		row[m.n_stages++] = (struct metrics_stage){
		    l->name, l->count.seconds, l->count.done, l->count.failed, l->count.pauses, l->n, l->faulty_since_ms != 0};
	}
	if (metrics_write(&m, s->metrics, &e) != ST_OK && !s->metrics_failed) {
		s->metrics_failed = true; /* nobody's run ends because of that */
		progress_say(&r->progress, SAY_METRICS, e.detail);
	}
}

/* Drawing */

static void queues(const struct run *r, char to[QUEUES_TEXT])
{
	size_t n = 0;
	to[0] = '\0';
	for (size_t i = 0; i < r->n_lanes && n < QUEUES_TEXT; i++) {
		const struct lane *l = &r->lanes[i];
		if (l->n + l->busy > 0) {
			int put = snprintf(to + n, QUEUES_TEXT - n, "%s%s %zu", n > 0 ? " · " : "", l->name, l->n + l->busy);
			n += put > 0 ? (size_t)put : 0;
		}
	}
}

/* The work that is left, weighed by what each stage has cost so far, against the work that was done in the time since the start. */
static void forecast(const struct run *r, int64_t now_ms, struct progress_view *view)
{
	double done = 0, rest = 0, elapsed = (double)(now_ms - r->progress.began_ms) / 1000;
	view->at_least = !r->progress.all_known;
	for (size_t i = 0; i < r->n_lanes; i++) {
		const struct lane *l = &r->lanes[i];
		done += l->count.seconds;
		view->at_least |= !l->loaded;
		if (l->stage == NULL || l->count.units_left <= 0)
			continue;
		if (l->count.units_done > 0)
			rest += l->count.seconds / (double)l->count.units_done * (double)l->count.units_left;
		else
			view->at_least = true;
	}
	view->left_s = done > 0 && elapsed >= 2 ? elapsed * rest / done : -1;
}

static void draw(struct run *r, int64_t now_ms)
{
	struct progress_hand hands[HANDS_MOST];
	char text[QUEUES_TEXT];
	struct progress_view view = {.queues = text, .hands = hands};
	queues(r, text);
	forecast(r, now_ms, &view);
	for (size_t i = 0; i < r->n_lanes; i++) {
		for (size_t k = 0; k < r->lanes[i].n_workers && view.n_hands < HANDS_MOST; k++) {
			const struct job *j = r->lanes[i].workers[k].job;
			if (j != NULL)
				hands[view.n_hands++] = (struct progress_hand){r->lanes[i].name, j->id, j->package ? 0 : j->pages,
				                                               now_ms - j->began_ms};
		}
	}
	progress_draw(&r->progress, now_ms, &view);
}

void show_tick(struct run *r)
{
	int64_t now_ms = process_clock_ms();
	struct show *s = &r->show;
	notify_tick(&s->notify, now_ms);
	if (progress_due(&r->progress, now_ms))
		draw(r, now_ms);
	if (s->notify.fd >= 0 && now_ms >= s->status_next_ms) {
		char text[256], done[SAY_NUMBER], known[SAY_NUMBER], aside[SAY_NUMBER];
		int n = snprintf(text, sizeof text, "STATUS=");
		s->status_next_ms = now_ms + STATUS_MS;
		snprintf(text + n, sizeof text - (size_t)n, say(SAY_STATUS), say_number((long long)r->progress.done, done),
		         say_number((long long)r->progress.documents, known),
		         say_number((long long)r->progress.quarantined, aside));
		notify_send(&s->notify, text);
	}
	if (s->metrics != NULL && now_ms >= s->metrics_next_ms) {
		s->metrics_next_ms = now_ms + METRICS_MS;
		write_metrics(r, -1);
	}
}

/* Events */

void show_open(struct run *r, bool json, const char *metrics)
{
	r->show.metrics = metrics;
	r->show.start_s = time_now_ms() / 1000;
	r->show.last_success_s = metrics != NULL ? metrics_last_success(metrics) : 0;
	notify_open(&r->show.notify);
	progress_begin(&r->progress, json, process_clock_ms());
}

void show_started(struct run *r)
{
	char shard[SHARD_NAME];
	notify_send(&r->show.notify, "READY=1");
	if (!r->progress.json)
		return;
	shard_text(r, shard);
	json_t *values = json_pack("{s:o,s:o,s:o,s:i}", "archive", log_text(r->archive.root), "backlog", log_text(r->backlog),
	                           "profile", log_text(r->profile->name), "process", (int)getpid());
	if (shard[0] != '\0')
		json_object_set_new(values, "shard", json_string(shard));
	log_event("started", values);
}

void show_answer(struct run *r, struct lane *l, const struct job *j, const char *id, enum item_state state)
{
	bool good = state == ITEM_OK;
	/* A job that was never handed out (another has failed for it) took no time. */
	double seconds = j->seconds + (j->began_ms > 0 ? (double)(process_clock_ms() - j->began_ms) / 1000 : 0);
	unsigned documents = j->line == NULL ? j->n_items : j->package ? j->members : 1;
	unsigned units = units_of(r, l, j->pages, documents);
	size_t at = (size_t)(l - r->lanes);
	l->count.seconds += seconds;
	l->count.units_done += units;
	*(good ? &l->count.done : &l->count.failed) += 1;
	if (good)
		l->count.units_left -= units;
	else
		for (struct lane *rest = l; rest < r->lanes + r->n_lanes; rest++)
			rest->count.units_left -= units_of(r, rest, j->pages, documents);
	bool last = at + 1 == (r->gather < r->n_lanes ? r->gather : r->n_lanes - 1);
	if (good && last && !j->package)
		r->progress.pages += j->pages;
	if (r->progress.json)
		log_event("stage", json_pack("{s:s,s:o,s:f,s:i,s:s}", "stage", l->name, "id", log_text(id), "seconds", seconds,
		                             "pages", (int)j->pages, "outcome", item_state_name(state)));
}

void show_published(struct run *r, struct lane *l, const struct job *j)
{
	l->count.done++;
	l->count.units_left -= units_of(r, l, j->pages, j->package ? j->members : 1);
	if (r->progress.json)
		log_event("stage", json_pack("{s:s,s:o,s:f,s:i,s:s}", "stage", l->name, "id", log_text(j->id), "seconds", 0.0,
		                             "pages", (int)j->pages, "outcome", "ok"));
}

void show_aside(struct run *r, const struct item *it, const char *stage)
{
	bool refused = it->state == ITEM_REFUSED;
	r->progress.quarantined += it->kind != ITEM_PACKAGE;
	r->progress.refused += refused;
	r->progress.done += it->kind != ITEM_PACKAGE;
	if (r->progress.json) {
		log_event(refused ? "refused" : "quarantined",
		          with_fault(json_pack("{s:o,s:s}", "id", log_text(it->id), "stage", stage), &it->notice));
		return;
	}
	BUF_AUTO struct buf why = BUF_INIT(8192);
	notice_sentence(&it->notice, say_english(), &why);
	progress_say(&r->progress, refused ? SAY_REFUSED : SAY_SET_ASIDE, it->id,
	             why.failed || why.len == 0 ? it->notice.code : (const char *)why.data);
}

void show_paused(struct run *r, struct lane *l, const struct err *e)
{
	l->count.pauses++;
	if (r->progress.json) {
		log_event("paused", with_fault(json_pack("{s:s,s:f}", "stage", l->name, "wait_s", (double)l->wait_ms / 1000), e));
		return;
	}
	BUF_AUTO struct buf why = BUF_INIT(4096);
	notice_sentence(e, say_english(), &why);
	progress_say(&r->progress, SAY_PAUSED, l->name, why.failed || why.len == 0 ? e->code : (const char *)why.data);
}

void show_died(struct run *r, const struct lane *l, const struct err *why, const char *said, size_t n)
{
	if (!r->progress.json) {
		progress_say(&r->progress, SAY_WORKER_DIED, l->name, why->detail);
		return;
	}
	char text[WORKER_SAID + 1];
	memcpy(text, said, n);
	text[n] = '\0';
	log_event("worker-died", with_fault(json_pack("{s:s,s:o,s:o}", "stage", l->name, "detail", log_text(why->detail), "said",
	                                              log_text(text)),
	                                    why));
}

void show_again(struct run *r, const struct err *e)
{
	if (r->progress.json) {
		log_event("paused",
		          with_fault(json_pack("{s:s,s:f}", "stage", "run", "wait_s", (double)r->trouble_wait_ms / 1000), e));
		return;
	}
	BUF_AUTO struct buf why = BUF_INIT(4096);
	notice_sentence(e, say_english(), &why);
	progress_say(&r->progress, SAY_PAUSED, "arkseal", why.failed || why.len == 0 ? e->code : (const char *)why.data);
}

void show_works(struct run *r, const struct lane *l)
{
	if (l->faulty_since_ms == 0)
		return;
	if (r->progress.json)
		log_event("resumed", json_pack("{s:s}", "stage", l->name));
	else
		progress_say(&r->progress, SAY_RESUMED, l->name);
}

void show_stopping(struct run *r)
{
	notify_send(&r->show.notify, "STOPPING=1");
	if (r->progress.json)
		log_event("stopping", NULL);
	else
		progress_say(&r->progress, SAY_STOPPING);
}

void show_remark(struct run *r, const char *id, const struct err *remark)
{
	if (r->progress.json) {
		log_event("remark", with_fault(json_pack("{s:o}", "id", log_text(id)), remark));
		return;
	}
	BUF_AUTO struct buf text = BUF_INIT(8192);
	notice_sentence(remark, say_english(), &text);
	progress_say(&r->progress, SAY_REMARK, id, text.failed || text.len == 0 ? remark->code : (const char *)text.data);
}

void show_sheet_waits(struct run *r, const struct item *it)
{
	if (r->progress.json)
		log_event("sheet-waits", json_pack("{s:o,s:o}", "id", log_text(it->id), "fonds", log_text(it->fonds)));
	else
		progress_say(&r->progress, SAY_SHEET_WAITS, it->id);
}

void show_withdrawn(struct run *r, const char *id)
{
	if (r->progress.json)
		log_event("withdrawn", json_pack("{s:o}", "id", log_text(id)));
	else
		progress_say(&r->progress, SAY_WITHDRAWN, id);
}

void show_left(struct run *r)
{
	char n[SAY_NUMBER];
	if (r->left.documents == 0)
		return;
	if (r->progress.json)
		log_event("unsettled", json_pack("{s:o}", "documents", number(r->left.documents)));
	else
		progress_say(&r->progress, SAY_UNSETTLED, say_number((long long)r->left.documents, n));
}

int show_fault(struct run *r, const struct err *e)
{
	if (!r->progress.json)
		return command_fault(e);
	log_event("fault", with_fault(json_pack("{s:o,s:o}", "where", log_text(e->where), "detail", log_text(e->detail)), e));
	return e->status == ST_RUN ? EXIT_WRONG_USE : EXIT_RESUMABLE;
}

void show_end(struct run *r, int exit_code, const struct err *why)
{
	struct progress *p = &r->progress;
	progress_end(p);
	if (exit_code == EXIT_DONE)
		r->show.last_success_s = time_now_ms() / 1000;
	write_metrics(r, exit_code);
	notify_send(&r->show.notify, "STOPPING=1");
	notify_close(&r->show.notify);
	if (!p->json)
		return;
	json_t *values = json_pack("{s:o,s:o,s:o,s:o,s:o,s:i}", "documents", number(p->documents), "done", number(p->done),
	                           "quarantined", number(p->quarantined - p->refused), "refused", number(p->refused), "pages",
	                           number(p->pages), "exit", exit_code);
	bool stopped = exit_code != EXIT_DONE && exit_code != EXIT_UNSOUND;
	log_event(stopped ? "stopped" : "finished", stopped && why != NULL ? with_fault(values, why) : values);
}
