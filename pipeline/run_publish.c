/* Dossiers that are handed out, and what is done: published and entered as such. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/run.h"
#include "stages/base/text.h"

struct dossier_lines {
	const struct run *run;
	struct buf *lines;
	struct serials broken;
	uint32_t n;
};

static enum status dossier_item(void *arg, const struct ledger_row *row, struct err *e)
{
	struct dossier_lines *d = arg;
	struct item *it;
	struct glance g;
	if (row->serial > d->run->last_serial && item_glance(text_bytes(row->record), &g) && g.size_member.p != NULL) {
		size_t n = (size_t)(g.size_member.p - (const uint8_t *)row->record);
		buf_add(d->lines, row->record, n);
		buf_format(d->lines, "\"dossier_size\":%u,", d->n);
		buf_str(d->lines, row->record + n + g.size_member.n);
		return ST_OK;
	}
	enum status st = item_parse(row->record, strlen(row->record), &it, e);
	if (st != ST_OK)
		return st;
	it->dossier_size = d->n; /* the ledger knows better than a record of an earlier run */
	if (row->state == LEDGER_OK && row->serial <= d->run->last_serial && !archive_item_intact(it))
		st = serials_add(&d->broken, row->serial) ? ST_OK : record_no_memory(e);
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
	st = record_regress_all(r, &d.broken, st, e);
	if (st == ST_OK && ret_lines->failed)
		st = record_no_memory(e);
	return st;
}

static enum status discard_step(void *arg, const struct ledger_row *row, struct err *e)
{
	struct item *it, made = {0};
	struct glance g;
	if (item_glance(text_bytes(row->record), &g)) {
		if (g.artefact.p == NULL)
			return ST_OK;
		made.artefact.path = strndup((const char *)g.artefact.p, g.artefact.n);
		archive_discard(arg, &made);
		free(made.artefact.path);
		return made.artefact.path != NULL ? ST_OK : record_no_memory(e);
	}
	enum status st = item_parse(row->record, strlen(row->record), &it, e);
	if (st == ST_OK) {
		archive_discard(arg, it);
		item_free(it);
	}
	return st;
}

enum status records_discard(struct run *r, int64_t serial, struct err *e)
{
	return ledger_steps(r->ledger, serial, discard_step, &r->archive, e);
}

struct members {
	const json_t *ids;
	struct serials serials;
};

/* A document of the dossier that came too late for the package is none of its members. */
static enum status member_row(void *arg, const struct ledger_row *row, struct err *e)
{
	struct members *m = arg;
	const json_t *id;
	size_t i;
	if (row->state != LEDGER_OK)
		return ST_OK;
	json_array_foreach (m->ids, i, id)
		if (strcmp(json_string_value(id) != NULL ? json_string_value(id) : "", row->id) == 0)
			return serials_add(&m->serials, row->serial) ? ST_OK : record_no_memory(e);
	return ST_OK;
}

/* Removes what an item's steps left in the work folder and enters it as done. */
static enum status finish(struct run *r, int64_t serial, const char *record, struct err *e)
{
	enum status st = records_discard(r, serial, e);
	return st == ST_OK ? ledger_settle(r->ledger, serial, LEDGER_DONE, "", record, 0, time_now_ms(), e) : st;
}

static enum status package_row(void *arg, const struct ledger_row *row, struct err *e)
{
	item_set(arg, row->dossier);
	return *(char **)arg != NULL ? ST_OK : record_no_memory(e);
}

/* The documents that a package was made of. */
static enum status finish_members(struct run *r, int64_t serial, const struct item *package, struct err *e)
{
	struct members m = {.ids = package->members};
	char *key = NULL; /* what it was gathered by */
	enum status st = ledger_get(r->ledger, serial, package_row, &key, e);
	if (st == ST_OK && key != NULL)
		st = ledger_dossier(r->ledger, key, member_row, &m, NULL, e);
	for (size_t i = 0; i < m.serials.n && st == ST_OK; i++) {
		st = finish(r, m.serials.serial[i], NULL, e);
		r->progress.done++;
	}
	free(m.serials.serial);
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
			st = finish_members(r, j->serial, it, e);
		if (st == ST_OK)
			st = line.failed ? record_no_memory(e) : finish(r, j->serial, (const char *)line.data, e);
		r->progress.done += !j->package;
		show_published(r, l, j);
		show_works(r, l);
		lane_works(l);
	} else if (put == ST_RETRY && strcmp(fault.code, "publish-gone") == 0) {
		st = record_regress(r, j->serial, e);
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
	for (size_t n = l->n; st == ST_OK && n > 0 && process_clock_ms() >= l->resume_ms; n--) {
		struct job *j = l->head;
		l->head = j->next;
		l->tail = l->head == NULL ? NULL : l->tail;
		l->n--;
		st = publish_one(r, l, j, e);
	}
	return st;
}
