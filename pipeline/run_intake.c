/* What ingest tells: new documents, known ones, changed ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/filter.h"
#include "pipeline/run.h"
#include "stages/base/digest.h"
#include "stages/base/text.h"

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

static enum status enter_document(struct run *r, struct item *it, const char *sources, const char *intake, struct err *e)
{
	int64_t serial;
	struct lane *first = &r->lanes[0];
	const char *next = it->state == ITEM_OK ? first->name : r->ingest_stage->name;
	char *key = filter_dossier_key(it);
	enum status st = key == NULL ? record_no_memory(e)
	                             : record_enter(r, it, key, r->ingest_stage->name, next, sources, intake, &serial, e);
	if (st == ST_OK) {
		r->progress.documents++;
		if (it->state != ITEM_OK)
			st = record_set_aside(r, it, r->ingest_stage->name, e);
	}
	if (st == ST_OK && it->state == ITEM_OK)
		show_expect(r, first, record_pages(it), 1);
	if (st == ST_OK && it->state == ITEM_OK && r->gather != 0) {
		st = record_push(r, first, serial, it, 0, e);
	} else if (st == ST_OK && r->gather < r->n_lanes) {
		st = record_check_dossier(r, key, e);
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
		st = key == NULL ? record_no_memory(e) : ledger_count_dossier(r->ledger, key, "", &d, e);
		if (st == ST_OK && d.size != size) {
			st = ledger_set_dossier(r->ledger, key, size, e);
			if (st == ST_OK)
				st = record_check_dossier(r, key, e);
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
		st = record_no_memory(e);
	} else {
		st = ledger_find(r->ledger, false, it->id, read_known, &k, NULL, e);
		if (st == ST_OK)
			st = k.found ? known_again(r, it, &k, sources, intake, e) : enter_document(r, it, sources, intake, e);
	}
	item_free(it);
	return st;
}
