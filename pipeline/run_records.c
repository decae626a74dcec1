/* What records mean: a document on its way, a stage's answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/filter.h"
#include "pipeline/notice.h"
#include "pipeline/run.h"
#include "stages/base/text.h"

enum status record_no_memory(struct err *e)
{
	return err_set(e, ST_RETRY, "memory", "no memory for a record");
}

/* Pages, as far as they can be told: a stage may count them in the member "pages". */
static unsigned pages_of(int64_t told, size_t n_sources)
{
	return told > 0 && told < 1000000 ? (unsigned)told : n_sources > 0 ? (unsigned)n_sources : 1;
}

unsigned record_pages(const struct item *it)
{
	return pages_of(json_integer_value(json_object_get(it->other, "pages")), it->n_sources);
}

static enum status push(const struct run *r, struct lane *l, const struct job *like, const char *line, struct err *e)
{
	/* An item of an earlier run that refilling has not come to yet: it will find it. */
	if (!l->loaded && like->serial <= r->last_serial && like->serial > l->cursor)
		return ST_OK;
	struct job *j = job_new(like->serial, like->id, line, like->package, like->pages);
	if (j == NULL)
		return record_no_memory(e);
	j->attempts = like->attempts;
	j->members = like->members;
	lane_push(l, j);
	return ST_OK;
}

enum status record_push(const struct run *r, struct lane *l, int64_t serial, const struct item *it, const char *line,
                        unsigned attempts, struct err *e)
{
	const struct job like = {.serial = serial,
	                         .id = it->id,
	                         .package = it->kind == ITEM_PACKAGE,
	                         .pages = record_pages(it),
	                         .attempts = attempts,
	                         .members = (unsigned)json_array_size(it->members)};
	return push(r, l, &like, line, e);
}

/* Queues a dossier when all of its documents have come. */
enum status record_check_dossier(struct run *r, const char *key, struct err *e)
{
	struct lane *l = &r->lanes[r->gather];
	struct ledger_dossier d;
	enum status st = ledger_count_dossier(r->ledger, key, l->name, &d, e);
	if (st != ST_OK || intake_waits(r, key) || !d.open || d.ready == 0 || d.ready + d.aside < d.size ||
	    d.ready + d.aside < d.entered || (d.aside > 0 && !r->profile->bundle.without_quarantined))
		return st;
	for (const struct job *waits = l->head; waits != NULL; waits = waits->next)
		if (waits->line == NULL && strcmp(waits->id, key) == 0)
			return ST_OK;
	struct job *j = job_new(0, key, NULL, false, 0);
	if (j == NULL)
		return record_no_memory(e);
	lane_push(l, j);
	return ST_OK;
}

enum status record_dossier_closed(const struct run *r, const char *key, enum closed *ret, struct err *e)
{
	struct ledger_dossier d;
	*ret = DOSSIER_OPEN;
	if (r->gather >= r->n_lanes)
		return ST_OK;
	const struct lane *l = &r->lanes[r->gather];
	enum status st = ledger_count_dossier(r->ledger, key, "", &d, e);
	for (size_t i = 0; i < l->n_workers; i++)
		if (l->workers[i].job != NULL && strcmp(((const struct job *)l->workers[i].job)->id, key) == 0)
			*ret = DOSSIER_IN_HAND;
	if (d.packaged)
		*ret = DOSSIER_PACKAGED;
	return st;
}

void record_too_late(struct item *it, const char *key)
{
	struct err why;
	err_set(&why, ST_ITEM, "dossier-packaged", "%s came after dossier %s had been packaged", it->id, key);
	err_arg(&why, "%s", it->dossier != NULL ? it->dossier : it->id);
	item_fail(it, &why);
}

/* Comes before the ledger is told: what that says is set aside has its notice. */
enum status record_set_aside(struct run *r, const struct item *it, const char *stage, struct err *e)
{
	enum status st = archive_set_aside(&r->archive, it, e);
	if (st == ST_OK)
		show_aside(r, it, stage);
	return st;
}

enum status record_enter(struct run *r, const struct item *it, const char *line, const char *key, const char *stage,
                         const char *next, const char *sources, const char *intake, int64_t *ret_serial, struct err *e)
{
	struct ledger_row row = {
	    .package = it->kind == ITEM_PACKAGE,
	    .state = it->state == ITEM_OK        ? LEDGER_OK
	             : it->state == ITEM_REFUSED ? LEDGER_REFUSED
	                                         : LEDGER_QUARANTINE,
	    .id = it->id,
	    .dossier = key,
	    .next = next,
	    .intake = intake,
	    .sources = sources,
	    .record = line,
	};
	enum status st = ST_OK;
	if (!row.package && r->gather < r->n_lanes)
		st = ledger_set_dossier(r->ledger, key, it->dossier_size > 0 ? it->dossier_size : 1, e);
	return st == ST_OK ? ledger_enter(r->ledger, &row, stage, time_now_ms(), ret_serial, e) : st;
}

/* Answers */

struct item *records_failed(const struct job *j, const struct err *why)
{
	struct item *it = NULL;
	struct err e;
	if (j->line != NULL) {
		if (item_parse(j->line, strlen(j->line), &it, &e) != ST_OK)
			return NULL;
	} else if ((it = item_new()) != NULL) {
		it->kind = ITEM_PACKAGE;
		item_set(&it->id, j->id);
		item_set(&it->dossier, j->id);
	}
	if (it != NULL)
		item_fail(it, why);
	return it;
}

/* What a stage made lies in the work folder, or is a source that stayed as it was; anything else is a lie or a fault. */
static bool plausible(const struct run *r, const struct item *it)
{
	bool ok = it->artefact.path == NULL || archive_in_work(&r->archive, it->artefact.path);
	for (size_t i = 0; !ok && i < it->n_sources; i++)
		ok = strcmp(it->artefact.path, it->sources[i].path) == 0;
	for (size_t i = 0; ok && i < it->n_companions; i++)
		ok = archive_in_work(&r->archive, it->companions[i].path);
	return ok;
}

static enum status package_answer(struct run *r, struct lane *l, struct item *it, const char *key, struct err *e)
{
	BUF_AUTO struct buf line = BUF_INIT(WIRE_LINE_MAX);
	int64_t serial;
	bool good = it->state == ITEM_OK;
	struct lane *next = l + 1;
	const char *record = item_text(it, &line);
	enum status st = record == NULL ? record_no_memory(e) : good ? ST_OK : record_set_aside(r, it, l->name, e);
	if (st == ST_OK)
		st = record_enter(r, it, record, key, l->name, good ? next->name : l->name, NULL, NULL, &serial, e);
	if (st == ST_OK)
		st = ledger_set_dossier_state(r->ledger, key, good ? "packaged" : "failed", e);
	return st == ST_OK && good ? record_push(r, next, serial, it, record, 0, e) : st;
}

/* Whether documents of the job's kind are gathered, and `next` is where they wait for each other. */
static bool gathers(const struct run *r, const struct job *j)
{
	return r->gather < r->n_lanes && !j->package;
}

static bool waits(const struct run *r, const struct job *j, const struct lane *next)
{
	return gathers(r, j) && next == &r->lanes[r->gather];
}

/* The stage has made `line` of the job's item, which is `like` now; it goes on. */
static enum status goes_on(struct run *r, struct lane *l, const struct job *like, const char *line, const char *key,
                           struct err *e)
{
	struct lane *next = l + 1;
	enum status st = ledger_step(r->ledger, like->serial, l->name, next->name, line, time_now_ms(), e);
	if (st == ST_OK && !waits(r, like, next))
		return push(r, next, like, line, e);
	return st == ST_OK && known_heard(r, like->serial) ? record_check_dossier(r, key, e) : st;
}

static enum status is_set_aside(struct run *r, struct lane *l, const struct job *j, const struct item *it, const char *line,
                                const char *key, struct err *e)
{
	enum ledger_state state = it->state == ITEM_REFUSED ? LEDGER_REFUSED : LEDGER_QUARANTINE;
	enum status st = record_set_aside(r, it, l->name, e);
	if (st == ST_OK)
		st = ledger_settle(r->ledger, j->serial, state, l->name, line, j->attempts, time_now_ms(), e);
	return st == ST_OK && gathers(r, j) && known_heard(r, j->serial) ? record_check_dossier(r, key, e) : st;
}

static enum status document_answer(struct run *r, struct lane *l, struct job *j, struct item *it, struct err *e)
{
	BUF_AUTO struct buf line = BUF_INIT(WIRE_LINE_MAX);
	char *key = gathers(r, j) ? filter_dossier_key(it) : NULL;
	enum status st = gathers(r, j) && key == NULL ? record_no_memory(e) : ST_OK;
	enum closed closed = DOSSIER_OPEN;
	if (st == ST_OK && it->state == ITEM_OK && waits(r, j, l + 1))
		st = record_dossier_closed(r, key, &closed, e);
	if (closed != DOSSIER_OPEN)
		record_too_late(it, key); /* one that was put back by hand */
	const char *record = item_text(it, &line);
	if (st == ST_OK && record == NULL)
		st = record_no_memory(e);
	if (st == ST_OK && it->state == ITEM_OK) {
		const struct job like = {.serial = j->serial,
		                         .id = it->id,
		                         .package = j->package,
		                         .pages = record_pages(it),
		                         .members = (unsigned)json_array_size(it->members)};
		st = goes_on(r, l, &like, record, key, e);
	} else if (st == ST_OK) {
		st = is_set_aside(r, l, j, it, record, key, e);
	}
	free(key);
	return st;
}

/* The answer for a job has been entered, or (st) could not be. */
static enum status answer_entered(struct run *r, const struct lane *l, struct job *j, enum status st)
{
	r->urgent |= l->stage != NULL && l->stage->needs != 0;
	if (st == ST_OK)
		ranges_discard(r, j);
	job_free(j);
	return st;
}

enum status records_answer(struct run *r, struct lane *l, struct job *j, struct item *it, struct err *e)
{
	enum status st = ST_OK;
	if (it->state == ITEM_RETRY) {
		lane_pause(r, l, j, &it->notice);
		item_free(it);
		return ST_OK;
	}
	if (it->state == ITEM_STOP) {
		lane_push(l, j);
		run_stop(r, &it->notice);
		item_free(it);
		return ST_OK;
	}
	show_works(r, l);
	lane_works(l);
	if (it->state == ITEM_PARTS) {
		st = ranges_begin(r, l, j, it, e);
		item_free(it);
		return st;
	}
	if (j->whole != NULL)
		return ranges_answer(r, l, j, it, e);
	item_clear_parts(it);
	if (it->state == ITEM_OK && !plausible(r, it)) {
		struct err lie;
		err_set(&lie, ST_ITEM, "worker-answer", "stage %s names a file outside the work folder", l->name);
		err_arg(&lie, "%s", l->name);
		item_fail(it, &lie);
	}
	show_answer(r, l, j, it->id, it->state);
	if (l->stage != NULL && l->stage->gather != NULL)
		st = package_answer(r, l, it, j->id, e);
	else
		st = document_answer(r, l, j, it, e);
	item_free(it);
	return answer_entered(r, l, j, st);
}

/* Answers that tell at a glance */

static bool path_in_work(const struct run *r, struct bytes path)
{
	char text[4096];
	if (path.p == NULL)
		return true;
	if (path.n >= sizeof text)
		return false;
	memcpy(text, path.p, path.n);
	text[path.n] = '\0';
	return archive_in_work(&r->archive, text);
}

bool records_plain(const struct run *r, const struct job *j, struct bytes line, struct glance *ret)
{
	return !j->package && j->line != NULL && j->whole == NULL && item_glance(line, ret) &&
	       glance_same_head(ret, text_bytes(j->line)) && path_in_work(r, ret->artefact);
}

enum status records_pass(struct run *r, struct lane *l, struct job *j, struct bytes line, const struct glance *g, struct err *e)
{
	const struct job like = {.serial = j->serial, .id = j->id, .pages = pages_of(g->pages, g->n_sources)};
	char *key = waits(r, j, l + 1) ? filter_key(g->fonds, g->dossier, g->id) : NULL;
	char *text = strndup((const char *)line.p, line.n);
	enum closed closed = DOSSIER_OPEN;
	enum status st = text == NULL || (key == NULL && waits(r, j, l + 1)) ? record_no_memory(e) : ST_OK;
	if (st == ST_OK && key != NULL)
		st = record_dossier_closed(r, key, &closed, e);
	if (st == ST_OK && closed == DOSSIER_OPEN) {
		show_works(r, l);
		lane_works(l);
		show_answer(r, l, j, j->id, ITEM_OK);
		st = goes_on(r, l, &like, text, key, e);
	}
	free(key);
	free(text);
	if (closed == DOSSIER_OPEN || st != ST_OK)
		return answer_entered(r, l, j, st);
	struct item *it;
	st = item_parse((const char *)line.p, line.n, &it, e);
	return st == ST_OK ? records_answer(r, l, j, it, e) : answer_entered(r, l, j, st);
}
