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
unsigned record_pages(const struct item *it)
{
	json_int_t told = json_integer_value(json_object_get(it->other, "pages"));
	return told > 0 && told < 1000000 ? (unsigned)told : it->n_sources > 0 ? (unsigned)it->n_sources : 1;
}

enum status record_push(const struct run *r, struct lane *l, int64_t serial, const struct item *it, unsigned attempts,
                        struct err *e)
{
	/* An item of an earlier run that refilling has not come to yet: it will find it. */
	if (!l->loaded && serial <= r->last_serial && serial > l->cursor)
		return ST_OK;
	BUF_AUTO struct buf line = BUF_INIT(WIRE_LINE_MAX);
	item_print(it, &line);
	struct job *j =
	    line.failed ? NULL
	                : job_new(serial, it->id, (const char *)line.data, line.len, it->kind == ITEM_PACKAGE, record_pages(it));
	if (j == NULL)
		return record_no_memory(e);
	j->attempts = attempts;
	j->members = (unsigned)json_array_size(it->members);
	lane_push(l, j);
	return ST_OK;
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
	struct job *j = job_new(0, key, NULL, 0, false, 0);
	if (j == NULL)
		return record_no_memory(e);
	lane_push(l, j);
	return ST_OK;
}

enum status record_too_late(const struct run *r, struct item *it, const char *key, struct err *e)
{
	struct ledger_dossier d;
	struct err why;
	if (r->gather >= r->n_lanes)
		return ST_OK;
	const struct lane *l = &r->lanes[r->gather];
	enum status st = ledger_count_dossier(r->ledger, key, "", &d, e);
	for (size_t i = 0; i < l->n_workers; i++)
		if (l->workers[i].job != NULL && strcmp(((const struct job *)l->workers[i].job)->id, key) == 0)
			d.packaged = true; /* being done */
	if (st != ST_OK || !d.packaged)
		return st;
	err_set(&why, ST_ITEM, "dossier-packaged", "%s came after dossier %s had been packaged", it->id, key);
	err_arg(&why, "%s", it->dossier != NULL ? it->dossier : it->id);
	item_fail(it, &why);
	return ST_OK;
}

enum status record_set_aside(struct run *r, const struct item *it, const char *stage, struct err *e)
{
	enum status st = archive_set_aside(&r->archive, it, e);
	show_aside(r, it, stage);
	return st;
}

enum status record_enter(struct run *r, const struct item *it, const char *key, const char *stage, const char *next,
                         const char *sources, const char *intake, int64_t *ret_serial, struct err *e)
{
	BUF_AUTO struct buf line = BUF_INIT(WIRE_LINE_MAX);
	item_print(it, &line);
	enum status st = line.failed ? record_no_memory(e) : ST_OK;
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
	    .record = (const char *)line.data,
	};
	if (st == ST_OK && !row.package && r->gather < r->n_lanes)
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
	int64_t serial;
	bool good = it->state == ITEM_OK;
	struct lane *next = l + 1;
	enum status st = record_enter(r, it, key, l->name, good ? next->name : l->name, NULL, NULL, &serial, e);
	if (st == ST_OK)
		st = ledger_set_dossier_state(r->ledger, key, good ? "packaged" : "failed", e);
	if (st == ST_OK)
		st = good ? record_push(r, next, serial, it, 0, e) : record_set_aside(r, it, l->name, e);
	return st;
}

static enum status document_answer(struct run *r, struct lane *l, struct job *j, struct item *it, struct err *e)
{
	BUF_AUTO struct buf line = BUF_INIT(WIRE_LINE_MAX);
	struct lane *next = l + 1;
	bool gathers = r->gather < r->n_lanes && !j->package;
	char *key = gathers ? filter_dossier_key(it) : NULL;
	enum status st = gathers && key == NULL ? record_no_memory(e) : ST_OK;
	if (st == ST_OK && it->state == ITEM_OK && gathers && next == &r->lanes[r->gather])
		st = record_too_late(r, it, key, e); /* one that was put back by hand */
	bool good = it->state == ITEM_OK;
	item_print(it, &line);
	if (st == ST_OK && line.failed)
		st = record_no_memory(e);
	const char *record = (const char *)line.data;
	if (st == ST_OK)
		st = good ? ledger_step(r->ledger, j->serial, l->name, next->name, record, time_now_ms(), e)
		          : ledger_settle(r->ledger, j->serial, it->state == ITEM_REFUSED ? LEDGER_REFUSED : LEDGER_QUARANTINE,
		                          l->name, record, j->attempts, time_now_ms(), e);
	if (st == ST_OK && !good)
		st = record_set_aside(r, it, l->name, e);
	if (st == ST_OK && good && !(gathers && next == &r->lanes[r->gather]))
		st = record_push(r, next, j->serial, it, 0, e);
	else if (st == ST_OK && gathers && known_heard(r, j->serial))
		st = record_check_dossier(r, key, e);
	free(key);
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
	show_answer(r, l, j, it);
	if (l->stage != NULL && l->stage->gather != NULL)
		st = package_answer(r, l, it, j->id, e);
	else
		st = document_answer(r, l, j, it, e);
	r->urgent |= l->stage != NULL && l->stage->needs != 0;
	if (st == ST_OK)
		ranges_discard(r, j);
	item_free(it);
	job_free(j);
	return st;
}
