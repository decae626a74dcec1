/* Going on after a stop: what earlier runs left is queued again, from the last artefact that is whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/run.h"
#include "stages/base/text.h"

bool serials_add(struct serials *list, int64_t serial)
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
enum status record_regress(struct run *r, int64_t serial, struct err *e)
{
	struct regress g = {0};
	enum status st = ledger_steps(r->ledger, serial, read_step, &g, e);
	if (st == ST_OK && g.stage == NULL && g.package) {
		st = ledger_unpackage(r->ledger, serial, g.dossier, e);
		if (st == ST_OK && r->ingest_done)
			st = record_check_dossier(r, g.dossier, e);
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
			st = record_push(r, next, serial, it, g.record, 0, e);
		item_free(it);
	}
	free(g.stage);
	free(g.record);
	free(g.id);
	free(g.dossier);
	return st;
}

enum status record_regress_all(struct run *r, struct serials *list, enum status st, struct err *e)
{
	for (size_t i = 0; i < list->n && st == ST_OK; i++)
		st = record_regress(r, list->serial[i], e);
	free(list->serial);
	return st;
}

struct refill {
	struct run *run;
	struct lane *lane;
	struct serials broken;
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
		st = serials_add(&f->broken, row->serial) ? ST_OK : record_no_memory(e);
	} else {
		st = record_push(f->run, f->lane, row->serial, it, row->record, row->attempts, e);
		if (!row->package)
			show_expect(f->run, f->lane, record_pages(it), 1);
	}
	item_free(it);
	return st;
}

struct keys {
	char *key[LANE_MOST / 2];
	size_t n;
};

static enum status read_key(void *arg, const char *key, struct err *e)
{
	struct keys *k = arg;
	k->key[k->n] = strdup(key);
	return k->key[k->n++] != NULL ? ST_OK : record_no_memory(e);
}

/* Documents before the stage that gathers are not queued; their dossiers are. One that becomes ready in this run is queued by its last
 * document too: handing out looks whether it still is. Ingest must have said first what has come to them since. */
static enum status refill_dossiers(struct run *r, struct lane *l, struct err *e)
{
	enum status st = ST_OK;
	if (!r->ingest_done)
		return ST_OK;
	for (unsigned batch = 0; batch < 16 && st == ST_OK && !l->loaded && l->n <= LANE_MOST / 2; batch++) {
		struct keys k = {.n = 0};
		st = ledger_open_dossiers(r->ledger, l->key_cursor != NULL ? l->key_cursor : "", LANE_MOST / 2, read_key, &k, e);
		for (size_t i = 0; i < k.n; i++) {
			if (st == ST_OK)
				st = record_check_dossier(r, k.key[i], e);
			free(l->key_cursor);
			l->key_cursor = k.key[i];
		}
		l->loaded = st == ST_OK && k.n < LANE_MOST / 2;
	}
	return st;
}

enum status records_refill(struct run *r, struct err *e)
{
	enum status st = ST_OK;
	for (size_t i = 0; st == ST_OK && i < r->n_lanes; i++) {
		struct lane *l = &r->lanes[i];
		if (l->loaded || l->n > LANE_MOST / 2)
			continue;
		if (i == r->gather) {
			st = refill_dossiers(r, l, e);
			continue;
		}
		struct refill f = {r, l, {0}};
		size_t n;
		st = ledger_waiting(r->ledger, l->name, l->cursor, r->last_serial, LANE_MOST / 2, refill_row, &f, &n, e);
		l->loaded = n == 0;
		st = record_regress_all(r, &f.broken, st, e);
	}
	return st;
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
	return ST_OK;
}
