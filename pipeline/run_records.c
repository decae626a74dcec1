#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/filter.h"
#include "pipeline/notice.h"
#include "pipeline/run.h"
#include "stages/base/digest.h"
#include "stages/base/text.h"

static enum status no_memory(struct err *e)
{
	return err_set(e, ST_RETRY, "memory", "no memory for a record");
}

/* Pages, as far as they can be told: a stage may count them in the member "pages". */
static unsigned pages_of(const struct item *it)
{
	json_int_t told = json_integer_value(json_object_get(it->other, "pages"));
	return told > 0 && told < 1000000 ? (unsigned)told : it->n_sources > 0 ? (unsigned)it->n_sources : 1;
}

static enum status push_item(const struct run *r, struct lane *l, int64_t serial, const struct item *it, unsigned attempts,
                             struct err *e)
{
	/* An item of an earlier run that refilling has not come to yet: it will find it. */
	if (!l->loaded && serial <= r->last_serial && serial > l->cursor)
		return ST_OK;
	BUF_AUTO struct buf line = BUF_INIT(WIRE_LINE_MAX);
	item_print(it, &line);
	struct job *j = line.failed
	                    ? NULL
	                    : job_new(serial, it->id, (const char *)line.data, line.len, it->kind == ITEM_PACKAGE, pages_of(it));
	if (j == NULL)
		return no_memory(e);
	j->attempts = attempts;
	j->members = (unsigned)json_array_size(it->members);
	lane_push(l, j);
	return ST_OK;
}

/* Queues a dossier when all of its documents have come. */
static enum status check_dossier(struct run *r, const char *key, struct err *e)
{
	struct lane *l = &r->lanes[r->gather];
	struct ledger_dossier d;
	enum status st = ledger_count_dossier(r->ledger, key, l->name, &d, e);
	if (st != ST_OK || !d.open || d.ready == 0 || d.ready + d.aside < d.size || d.ready + d.aside < d.entered ||
	    (d.aside > 0 && !r->profile->bundle.without_quarantined))
		return st;
	struct job *j = job_new(0, key, NULL, 0, false, 0);
	if (j == NULL)
		return no_memory(e);
	lane_push(l, j);
	return ST_OK;
}

static enum status set_aside(struct run *r, const struct item *it, const char *stage, struct err *e)
{
	enum status st = archive_set_aside(&r->archive, it, e);
	show_aside(r, it, stage);
	return st;
}

/* Intake */

struct known {
	bool found;
	int64_t serial;
	enum ledger_state state;
	char intake[65], sources[65];
};

static enum status read_known(void *arg, const struct ledger_row *row, struct err *e)
{
	struct known *k = arg;
	(void)e;
	k->found = true;
	k->serial = row->serial;
	k->state = row->state;
	snprintf(k->intake, sizeof k->intake, "%s", row->intake ? row->intake : "");
	snprintf(k->sources, sizeof k->sources, "%s", row->sources ? row->sources : "");
	return ST_OK;
}

/* The digests by which a record is known again: of its files, and of all of it but the times in its events. */
static bool digests(const struct item *it, char ret_sources[65], char ret_intake[65])
{
	BUF_AUTO struct buf b = BUF_INIT(WIRE_LINE_MAX);
	for (size_t i = 0; i < it->n_sources; i++)
		buf_format(&b, "%s %lld %s\n", it->sources[i].sha256, (long long)it->sources[i].size, it->sources[i].path);
	if (b.failed)
		return false;
	sha256_hex(b.data != NULL ? b.data : (const uint8_t *)"", b.len, ret_sources);
	struct item timeless = *it;
	timeless.events = json_array();
	buf_reset(&b);
	item_print(&timeless, &b);
	json_decref(timeless.events);
	if (b.failed)
		return false;
	sha256_hex(b.data, b.len, ret_intake);
	return true;
}

static enum status enter(struct run *r, const struct item *it, const char *key, const char *stage, const char *next,
                         const char *sources, const char *intake, int64_t *ret_serial, struct err *e)
{
	BUF_AUTO struct buf line = BUF_INIT(WIRE_LINE_MAX);
	item_print(it, &line);
	enum status st = line.failed ? no_memory(e) : ST_OK;
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

static enum status enter_document(struct run *r, struct item *it, const char *sources, const char *intake, struct err *e)
{
	int64_t serial;
	struct lane *first = &r->lanes[0];
	const char *next = it->state == ITEM_OK ? first->name : r->ingest_stage->name;
	char *key = filter_dossier_key(it);
	enum status st = key == NULL ? no_memory(e) : enter(r, it, key, r->ingest_stage->name, next, sources, intake, &serial, e);
	if (st == ST_OK) {
		r->progress.documents++;
		if (it->state != ITEM_OK)
			st = set_aside(r, it, r->ingest_stage->name, e);
	}
	if (st == ST_OK && it->state == ITEM_OK)
		show_expect(r, first, pages_of(it), 1);
	if (st == ST_OK && it->state == ITEM_OK && r->gather != 0) {
		st = push_item(r, first, serial, it, 0, e);
	} else if (st == ST_OK && r->gather < r->n_lanes) {
		st = check_dossier(r, key, e);
	}
	free(key);
	return st;
}

/* A document that an earlier run has entered. */
static enum status known_again(struct run *r, struct item *it, const struct known *k, const char *sources, const char *intake,
                               struct err *e)
{
	bool aside = k->state == LEDGER_QUARANTINE || k->state == LEDGER_REFUSED;
	enum status st = ST_OK;
	if (aside && strcmp(k->intake, intake) != 0) {
		/* Somebody has mended it: it begins anew. */
		archive_put_back(&r->archive, it->id);
		r->progress.documents--;
		r->progress.done--;
		r->progress.quarantined--;
		r->progress.refused -= k->state == LEDGER_REFUSED;
		return enter_document(r, it, sources, intake, e);
	}
	if (!aside && strcmp(k->sources, sources) != 0)
		progress_say(&r->progress, SAY_CHANGED, it->id);
	if (r->gather < r->n_lanes) {
		char *key = filter_dossier_key(it);
		struct ledger_dossier d;
		uint32_t size = it->dossier_size > 0 ? it->dossier_size : 1;
		st = key == NULL ? no_memory(e) : ledger_count_dossier(r->ledger, key, "", &d, e);
		if (st == ST_OK && d.size != size) {
			st = ledger_set_dossier(r->ledger, key, size, e);
			if (st == ST_OK)
				st = check_dossier(r, key, e);
		}
		free(key);
	}
	return st;
}

enum status records_intake(struct run *r, struct bytes line, struct err *e)
{
	struct item *it;
	enum status st = item_parse((const char *)line.p, line.n, &it, e);
	if (st != ST_OK)
		return st;
	struct known k = {0};
	char sources[65], intake[65];
	if (it->state != ITEM_RETRY && it->state != ITEM_STOP && !shard_has(r->shard, it->fonds, it->dossier, it->id)) {
		st = ST_OK; /* another shard's */
	} else if (it->state == ITEM_RETRY) {
		r->held = true; /* the next run sees it again */
		r->fault = it->notice;
	} else if (it->state == ITEM_STOP) {
		*e = it->notice;
		st = ST_RUN;
	} else if (!digests(it, sources, intake)) {
		st = no_memory(e);
	} else {
		st = ledger_find(r->ledger, false, it->id, read_known, &k, NULL, e);
		if (st == ST_OK)
			st = k.found ? known_again(r, it, &k, sources, intake, e) : enter_document(r, it, sources, intake, e);
	}
	item_free(it);
	return st;
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
	enum status st = enter(r, it, key, l->name, good ? next->name : l->name, NULL, NULL, &serial, e);
	if (st == ST_OK)
		st = ledger_set_dossier_state(r->ledger, key, good ? "packaged" : "failed", e);
	if (st == ST_OK)
		st = good ? push_item(r, next, serial, it, 0, e) : set_aside(r, it, l->name, e);
	return st;
}

static enum status document_answer(struct run *r, struct lane *l, struct job *j, struct item *it, struct err *e)
{
	BUF_AUTO struct buf line = BUF_INIT(WIRE_LINE_MAX);
	bool good = it->state == ITEM_OK;
	struct lane *next = l + 1;
	item_print(it, &line);
	if (line.failed)
		return no_memory(e);
	const char *record = (const char *)line.data;
	enum status st = good
	                     ? ledger_step(r->ledger, j->serial, l->name, next->name, record, time_now_ms(), e)
	                     : ledger_settle(r->ledger, j->serial, it->state == ITEM_REFUSED ? LEDGER_REFUSED : LEDGER_QUARANTINE,
	                                     l->name, record, j->attempts, time_now_ms(), e);
	if (st != ST_OK)
		return st;
	if (!good)
		st = set_aside(r, it, l->name, e);
	bool gathers = r->gather < r->n_lanes && !j->package;
	if (st == ST_OK && good && !(gathers && next == &r->lanes[r->gather]))
		return push_item(r, next, j->serial, it, 0, e);
	if (st == ST_OK && gathers) {
		char *key = filter_dossier_key(it);
		st = key == NULL ? no_memory(e) : check_dossier(r, key, e);
		free(key);
	}
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
	item_free(it);
	job_free(j);
	return st;
}

/* Going on after a stop */

struct list {
	int64_t *serial;
	size_t n;
};

static bool list_add(struct list *list, int64_t serial)
{
	int64_t *more = realloc(list->serial, (list->n + 1) * sizeof *more);
	if (more == NULL)
		return false;
	list->serial = more;
	more[list->n++] = serial;
	return true;
}

struct regress {
	char *stage; /* that made the newest artefact that is still there */
	char *record, *id, *dossier;
	bool package;
};

static enum status read_step(void *arg, const struct ledger_row *row, struct err *e)
{
	struct regress *g = arg;
	struct item *it;
	if (g->stage != NULL)
		return ST_OK;
	item_set(&g->id, row->id);
	item_set(&g->dossier, row->dossier);
	g->package = row->package;
	enum status st = item_parse(row->record, strlen(row->record), &it, e);
	if (st != ST_OK)
		return st;
	if (archive_item_intact(it)) {
		item_set(&g->stage, row->next);
		item_set(&g->record, row->record);
	}
	item_free(it);
	return ST_OK;
}

/* An item whose artefact is gone or changed: it goes on from the last one that is whole. */
static enum status regress(struct run *r, int64_t serial, struct err *e)
{
	struct regress g = {0};
	enum status st = ledger_steps(r->ledger, serial, read_step, &g, e);
	if (st == ST_OK && g.stage == NULL && g.package) {
		st = ledger_unpackage(r->ledger, serial, g.dossier, e);
		if (st == ST_OK)
			st = check_dossier(r, g.dossier, e);
	} else if (st == ST_OK && g.stage == NULL) {
		st = err_set(e, ST_BUG, "ledger", "item %lld has no step to go back to", (long long)serial);
	} else if (st == ST_OK) {
		struct lane *made = lane_find(r, g.stage), *next = made != NULL ? made + 1 : r->lanes;
		struct item *it = NULL;
		st = ledger_drop_steps(r->ledger, serial, g.stage, e);
		if (st == ST_OK)
			st = ledger_settle(r->ledger, serial, LEDGER_OK, next->name, g.record, 0, time_now_ms(), e);
		if (st == ST_OK)
			st = item_parse(g.record, strlen(g.record), &it, e);
		if (st == ST_OK && !(r->gather < r->n_lanes && next == &r->lanes[r->gather] && !g.package))
			st = push_item(r, next, serial, it, 0, e);
		item_free(it);
	}
	free(g.stage);
	free(g.record);
	free(g.id);
	free(g.dossier);
	return st;
}

static enum status regress_all(struct run *r, struct list *list, enum status st, struct err *e)
{
	for (size_t i = 0; i < list->n && st == ST_OK; i++)
		st = regress(r, list->serial[i], e);
	free(list->serial);
	return st;
}

struct refill {
	struct run *run;
	struct lane *lane;
	struct list broken;
};

static enum status refill_row(void *arg, const struct ledger_row *row, struct err *e)
{
	struct refill *f = arg;
	struct item *it;
	f->lane->cursor = row->serial;
	enum status st = item_parse(row->record, strlen(row->record), &it, e);
	if (st != ST_OK)
		return st;
	/* What is to be published may be in its place already: publishing looks. */
	if (f->lane->stage != NULL && !archive_item_intact(it)) {
		st = list_add(&f->broken, row->serial) ? ST_OK : no_memory(e);
	} else {
		st = push_item(f->run, f->lane, row->serial, it, row->attempts, e);
		if (!row->package)
			show_expect(f->run, f->lane, pages_of(it), 1);
	}
	item_free(it);
	return st;
}

enum status records_refill(struct run *r, struct err *e)
{
	enum status st = ST_OK;
	for (size_t i = 0; st == ST_OK && i < r->n_lanes; i++) {
		struct lane *l = &r->lanes[i];
		if (l->loaded || l->n > LANE_MOST / 2)
			continue;
		struct refill f = {r, l, {0}};
		size_t n;
		st = ledger_waiting(r->ledger, l->name, l->cursor, r->last_serial, LANE_MOST / 2, refill_row, &f, &n, e);
		l->loaded = n == 0;
		st = regress_all(r, &f.broken, st, e);
	}
	return st;
}

struct keys {
	char **key;
	size_t n;
};

static enum status read_key(void *arg, const char *key, struct err *e)
{
	struct keys *k = arg;
	char **more = realloc(k->key, (k->n + 1) * sizeof *more);
	if (more == NULL)
		return no_memory(e);
	k->key = more;
	more[k->n] = strdup(key);
	return more[k->n++] != NULL ? ST_OK : no_memory(e);
}

enum status records_begin(struct run *r, struct err *e)
{
	struct ledger_counts c;
	enum status st = ledger_count(r->ledger, &c, NULL, NULL, e);
	if (st != ST_OK)
		return st;
	uint64_t aside = c.documents[LEDGER_QUARANTINE] + c.documents[LEDGER_REFUSED];
	r->last_serial = c.last_serial;
	r->progress.documents = c.documents[LEDGER_OK] + c.documents[LEDGER_DONE] + aside;
	r->progress.done = c.documents[LEDGER_DONE] + aside;
	r->progress.quarantined = aside;
	r->progress.refused = c.documents[LEDGER_REFUSED];
	if (r->gather >= r->n_lanes)
		return ST_OK;
	r->lanes[r->gather].loaded = true; /* documents before it are not queued; their dossiers are */
	struct keys k = {0};
	st = ledger_open_dossiers(r->ledger, read_key, &k, e);
	for (size_t i = 0; i < k.n; i++) {
		if (st == ST_OK)
			st = check_dossier(r, k.key[i], e);
		free(k.key[i]);
	}
	free(k.key);
	return st;
}

/* Dossiers and publishing */

struct dossier_lines {
	const struct run *run;
	struct buf *lines;
	struct list broken;
	uint32_t n;
};

static enum status dossier_item(void *arg, const struct ledger_row *row, struct err *e)
{
	struct dossier_lines *d = arg;
	struct item *it;
	enum status st = item_parse(row->record, strlen(row->record), &it, e);
	if (st != ST_OK)
		return st;
	it->dossier_size = d->n; /* the ledger knows better than a record of an earlier run */
	if (row->state == LEDGER_OK && row->serial <= d->run->last_serial && !archive_item_intact(it))
		st = list_add(&d->broken, row->serial) ? ST_OK : no_memory(e);
	item_print(it, d->lines);
	item_free(it);
	return st;
}

enum status records_dossier(struct run *r, const struct lane *l, struct job *j, struct buf *ret_lines, bool *ret_ready,
                            struct err *e)
{
	struct dossier_lines d = {.run = r, .lines = ret_lines};
	struct ledger_dossier count;
	*ret_ready = false;
	enum status st = ledger_count_dossier(r->ledger, j->id, l->name, &count, e);
	for (size_t i = 0; i < l->n_workers; i++)
		if (l->workers[i].job != NULL && strcmp(((struct job *)l->workers[i].job)->id, j->id) == 0)
			count.open = false; /* queued twice */
	if (st != ST_OK || !count.open || count.ready + count.aside != count.entered)
		return st;
	d.n = j->n_items = count.entered;
	st = ledger_dossier(r->ledger, j->id, dossier_item, &d, NULL, e);
	*ret_ready = st == ST_OK && d.broken.n == 0;
	st = regress_all(r, &d.broken, st, e);
	if (st == ST_OK && ret_lines->failed)
		st = no_memory(e);
	return st;
}

static enum status discard_step(void *arg, const struct ledger_row *row, struct err *e)
{
	struct item *it;
	enum status st = item_parse(row->record, strlen(row->record), &it, e);
	if (st == ST_OK) {
		archive_discard(arg, it);
		item_free(it);
	}
	return st;
}

static enum status member_row(void *arg, const struct ledger_row *row, struct err *e)
{
	return row->state != LEDGER_OK || list_add(arg, row->serial) ? ST_OK : no_memory(e);
}

/* Removes what an item's steps left in the work folder and enters it as done. */
static enum status finish(struct run *r, int64_t serial, const char *record, struct err *e)
{
	enum status st = ledger_steps(r->ledger, serial, discard_step, &r->archive, e);
	if (st == ST_OK)
		st = ledger_drop_steps(r->ledger, serial, NULL, e);
	return st == ST_OK ? ledger_settle(r->ledger, serial, LEDGER_DONE, "", record, 0, time_now_ms(), e) : st;
}

static enum status package_row(void *arg, const struct ledger_row *row, struct err *e)
{
	item_set(arg, row->dossier);
	return *(char **)arg != NULL ? ST_OK : no_memory(e);
}

/* The documents that a package was made of. */
static enum status finish_members(struct run *r, int64_t serial, struct err *e)
{
	struct list members = {0};
	char *key = NULL; /* what it was gathered by */
	enum status st = ledger_get(r->ledger, serial, package_row, &key, e);
	if (st == ST_OK && key != NULL)
		st = ledger_dossier(r->ledger, key, member_row, &members, NULL, e);
	for (size_t i = 0; i < members.n && st == ST_OK; i++) {
		st = finish(r, members.serial[i], NULL, e);
		r->progress.done++;
	}
	free(members.serial);
	free(key);
	return st;
}

/* One job; it is freed or queued again. */
static enum status publish_one(struct run *r, struct lane *l, struct job *j, struct err *e)
{
	struct item *it;
	struct err fault = {0};
	enum status st = item_parse(j->line, strlen(j->line), &it, e);
	if (st != ST_OK) {
		job_free(j);
		return st;
	}
	enum status put = archive_publish(&r->archive, it, &fault);
	if (put == ST_OK) {
		BUF_AUTO struct buf line = BUF_INIT(WIRE_LINE_MAX);
		item_print(it, &line);
		if (j->package)
			st = finish_members(r, j->serial, e);
		if (st == ST_OK)
			st = line.failed ? no_memory(e) : finish(r, j->serial, (const char *)line.data, e);
		r->progress.done += !j->package;
		show_published(r, l, j);
		show_works(r, l);
		lane_works(l);
	} else if (put == ST_RETRY && strcmp(fault.code, "publish-gone") == 0) {
		st = regress(r, j->serial, e);
	} else if (put == ST_RETRY) {
		lane_pause(r, l, j, &fault);
		item_free(it);
		return ST_OK;
	} else {
		item_fail(it, &fault);
		return records_answer(r, l, j, it, e);
	}
	item_free(it);
	job_free(j);
	return st;
}

enum status records_publish(struct run *r, struct err *e)
{
	struct lane *l = &r->lanes[r->n_lanes - 1];
	/* First what is published must be entered for good: a crash in between must find it waiting for this. */
	enum status st = ledger_commit(r->ledger, e);
	for (size_t n = l->n; st == ST_OK && n > 0 && run_clock_ms() >= l->resume_ms; n--) {
		struct job *j = l->head;
		l->head = j->next;
		l->tail = l->head == NULL ? NULL : l->tail;
		l->n--;
		st = publish_one(r, l, j, e);
	}
	return st;
}
