/* What ingest tells: new documents, known ones, and what is still being written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/filter.h"
#include "pipeline/run.h"
#include "stages/base/digest.h"
#include "stages/base/text.h"

/* The digest by which files are found again, wherever they lie: of their contents, in order. "" where they were not read. */
static void digest_sources(const struct item *it, char ret[65])
{
	BUF_AUTO struct buf b = BUF_INIT(WIRE_LINE_MAX);
	bool read = it->n_sources > 0;
	for (size_t i = 0; i < it->n_sources; i++) {
		read = read && it->sources[i].sha256[0] != '\0';
		buf_format(&b, "%s %lld\n", it->sources[i].sha256, (long long)it->sources[i].size);
	}
	ret[0] = '\0';
	if (read && !b.failed)
		sha256_hex(b.data, b.len, ret);
}

/* What ingest tells of one document. */
struct told {
	struct item *it;
	bool partial;     /* `it` is what a glance gives: enough for a document that is new, or as it was */
	const char *line; /* its record with the newline */
	char *key;        /* of its dossier */
	char intake[65];
};

/* From now on `it` is whole. */
static enum status take_apart(struct told *t, struct err *e)
{
	struct item *it;
	if (!t->partial)
		return ST_OK;
	enum status st = item_parse(t->line, strlen(t->line), &it, e);
	if (st != ST_OK)
		return st;
	item_free(t->it);
	t->it = it;
	t->partial = false;
	return ST_OK;
}

/* The digest by which a record is known again: of all of it but the times in its events, and the size of its dossier, which grows. g: where
 * it tells at a glance. */
static bool digest_intake(struct told *t, const struct glance *g)
{
	BUF_AUTO struct buf b = BUF_INIT(WIRE_LINE_MAX);
	if (g != NULL) {
		const struct bytes left_out[] = {g->size_member, g->events_member};
		const char *from = t->line;
		for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++) {
			if (left_out[i].p == NULL)
				continue;
			buf_add(&b, from, (size_t)((const char *)left_out[i].p - from));
			from = (const char *)left_out[i].p + left_out[i].n;
		}
		buf_str(&b, from);
	} else {
		struct item timeless = *t->it;
		timeless.events = json_array();
		timeless.dossier_size = 0;
		item_print(&timeless, &b);
		json_decref(timeless.events);
	}
	if (b.failed)
		return false;
	sha256_hex(b.data, b.len, t->intake);
	return true;
}

static enum status enter_document(struct run *r, const struct told *t, const char *sources, int64_t *ret_serial, struct err *e)
{
	BUF_AUTO struct buf changed = BUF_INIT(WIRE_LINE_MAX);
	struct lane *first = &r->lanes[0];
	struct item *it = t->it;
	const char *line = t->line;
	if (it->n_sources == 0) /* nothing else tells where it was */
		json_object_set_new(it->other, "backlog", json_string(r->backlog));
	if (it->n_sources == 0 || it->state != ITEM_OK)
		line = item_text(it, &changed);
	const char *next = it->state == ITEM_OK ? first->name : r->ingest_stage->name;
	enum status st = line == NULL           ? record_no_memory(e)
	                 : it->state == ITEM_OK ? ST_OK
	                                        : record_set_aside(r, it, r->ingest_stage->name, e);
	if (st == ST_OK)
		st = record_enter(r, it, line, t->key, r->ingest_stage->name, next, sources[0] != '\0' ? sources : NULL,
		                  t->intake, ret_serial, e);
	if (st != ST_OK)
		return st;
	r->progress.documents++;
	if (it->state == ITEM_OK)
		show_expect(r, first, record_pages(it), 1);
	if (st == ST_OK && it->state == ITEM_OK && r->gather != 0)
		return record_push(r, first, *ret_serial, it, line, 0, e);
	return st == ST_OK && r->gather < r->n_lanes ? record_check_dossier(r, t->key, e) : st;
}

/* A document that is entered for the first time, or (k->found) anew because somebody has mended what was wrong with it. */
static enum status new_document(struct run *r, struct told *t, const struct known *k, struct err *e)
{
	char sources[65];
	struct elsewhere other = {0};
	int64_t serial;
	bool moved = false;
	enum closed closed = DOSSIER_OPEN;
	enum status st = t->it->state == ITEM_OK ? record_dossier_closed(r, t->key, &closed, e) : ST_OK;
	if (st == ST_OK && closed != DOSSIER_OPEN)
		st = take_apart(t, e);
	if (st != ST_OK)
		return st;
	struct item *it = t->it;
	digest_sources(it, sources);
	if (closed != DOSSIER_OPEN)
		record_too_late(it, t->key);
	if (st == ST_OK && it->state == ITEM_OK && sources[0] != '\0')
		st = known_elsewhere(r, it, sources, k, &other, &moved, e);
	if (st == ST_OK && !moved) {
		st = enter_document(r, t, sources, &serial, e);
		if (st == ST_OK && other.id != NULL)
			st = known_remark(r, serial, it->id, "same-sources-as", other.id, e);
	}
	free(other.id);
	return st;
}

/* This run's ingest says how many documents the dossier has; so it may be whole now. */
static enum status check_size(struct run *r, const struct item *it, const char *key, struct err *e)
{
	struct ledger_dossier d;
	uint32_t size = it->dossier_size > 0 ? it->dossier_size : 1;
	if (r->gather >= r->n_lanes)
		return ST_OK;
	enum status st = ledger_count_dossier(r->ledger, key, "", &d, e);
	if (st == ST_OK && d.open && d.size != size && d.entered > 0)
		st = ledger_set_dossier(r->ledger, key, size, e);
	return st == ST_OK && d.open ? record_check_dossier(r, key, e) : st;
}

static enum status refuse_later(struct run *r, const char *line, struct err *e)
{
	struct left *l = &r->left;
	char *copy = strdup(line), **more = realloc(l->refused, (l->n_refused + 1) * sizeof *more);
	if (more != NULL)
		l->refused = more;
	if (copy == NULL || more == NULL) {
		free(copy);
		return record_no_memory(e);
	}
	more[l->n_refused++] = copy;
	return ST_OK;
}

enum status intake_refuse(struct run *r, struct err *e)
{
	enum status st = ST_OK;
	char **line = r->left.refused;
	size_t n = r->left.n_refused;
	r->left.refused = NULL;
	r->left.n_refused = 0;
	for (size_t i = 0; i < n; i++) {
		if (st == ST_OK)
			st = records_intake(r, (struct bytes){(const uint8_t *)line[i], strlen(line[i]) - 1}, e);
		free(line[i]);
	}
	free(line);
	return st;
}

/* A document that is under way or done. */
static enum status known_good(struct run *r, const struct told *t, struct known *k, struct err *e)
{
	enum refusal refusal = REFUSAL_LATE;
	enum status st = t->it->state == ITEM_REFUSED ? known_refused(r, t->it, t->key, k, &refusal, e)
	                 : t->it->state == ITEM_OK    ? known_compare(r, t->it, k, e)
	                                              : ST_OK; /* what was taken may be taken away */
	if (st == ST_OK && refusal == REFUSAL_WAITS)
		return refuse_later(r, t->line, e);
	if (st == ST_OK && refusal == REFUSAL_STOPPED) {
		int64_t serial;
		r->progress.documents--;
		return enter_document(r, t, "", &serial, e);
	}
	return st == ST_OK && k->state == LEDGER_OK ? check_size(r, t->it, t->key, e) : st;
}

static enum status document(struct run *r, struct told *t, const struct glance *g, struct err *e)
{
	struct known k = {.intake = t->intake};
	r->left.named++;
	t->key = filter_dossier_key(t->it);
	enum status st = t->key != NULL && digest_intake(t, g) ? known_find(r, t->it->id, &k, e) : record_no_memory(e);
	bool aside = k.found && (k.state == LEDGER_QUARANTINE || k.state == LEDGER_REFUSED);
	if (st == ST_OK && k.found && !k.same)
		st = take_apart(t, e);
	if (st == ST_OK && aside && !k.same) {
		/* Somebody has mended it: it begins anew. */
		archive_put_back(&r->archive, t->it->id);
		r->progress.documents--;
		r->progress.done--;
		r->progress.quarantined--;
		r->progress.refused -= k.state == LEDGER_REFUSED;
	}
	if (st == ST_OK && (!k.found || (aside && !k.same)))
		st = new_document(r, t, &k, e);
	else if (st == ST_OK && aside)
		st = check_size(r, t->it, t->key, e);
	else if (st == ST_OK)
		st = known_good(r, t, &k, e);
	known_free(&k);
	free(t->key);
	return st;
}

/* What is still being written is the next run's, and so is its dossier; a spreadsheet's whole fonds. */
static enum status unsettled(struct run *r, const struct item *it, struct err *e)
{
	struct left *l = &r->left;
	struct ledger_dossier d;
	struct known k = {.intake = ""};
	bool sheet = it->fonds != NULL && it->dossier == NULL;
	if (sheet) {
		char **more = realloc(l->fonds, (l->n_fonds + 1) * sizeof *more);
		if (more == NULL)
			return record_no_memory(e);
		l->fonds = more;
		more[l->n_fonds] = strdup(it->fonds);
		if (more[l->n_fonds++] == NULL)
			return record_no_memory(e);
		show_sheet_waits(r, it);
		return ST_OK;
	}
	if (!shard_has(r->shard, it->fonds, it->dossier, it->id))
		return ST_OK;
	l->documents++;
	enum status st = known_find(r, it->id, &k, e);
	known_free(&k);
	if (st != ST_OK || r->gather >= r->n_lanes)
		return st;
	char *key = filter_dossier_key(it);
	st = key == NULL ? record_no_memory(e) : ledger_count_dossier(r->ledger, key, "", &d, e);
	if (st == ST_OK && d.open && d.entered > 0 && d.size != it->dossier_size)
		st = ledger_set_dossier(r->ledger, key, it->dossier_size, e);
	free(key);
	return st;
}

bool intake_waits(const struct run *r, const char *key)
{
	for (size_t i = 0; i < r->left.n_fonds; i++) {
		size_t n = strlen(r->left.fonds[i]);
		if (strncmp(key, r->left.fonds[i], n) == 0 && key[n] == '/')
			return true;
	}
	return false;
}

void intake_forget(struct run *r)
{
	for (size_t i = 0; i < r->left.n_fonds; i++)
		free(r->left.fonds[i]);
	for (size_t i = 0; i < r->left.n_refused; i++)
		free(r->left.refused[i]);
	free(r->left.fonds);
	free(r->left.heard);
	free(r->left.refused);
	r->left = (struct left){0};
}

enum status records_intake(struct run *r, struct bytes line, struct err *e)
{
	struct glance g;
	struct told t = {0};
	char *text = strndup((const char *)line.p, line.n + 1); /* with the newline that stands behind it */
	enum status st = text != NULL ? ST_OK : record_no_memory(e);
	t.line = text;
	t.partial = st == ST_OK && item_glance(text_bytes(text), &g) && g.n_sources > 0;
	if (t.partial)
		st = (t.it = glance_item(&g)) != NULL ? ST_OK : record_no_memory(e);
	else if (st == ST_OK)
		st = item_parse(text, line.n, &t.it, e);
	if (st != ST_OK) {
		free(text);
		return st;
	}
	const struct item *it = t.it;
	if (it->state == ITEM_RETRY && strcmp(it->notice.code, "not-settled") == 0) {
		st = unsettled(r, it, e);
	} else if (it->state == ITEM_RETRY) {
		r->held = true; /* the next run sees it again */
		r->fault = it->notice;
	} else if (it->state == ITEM_STOP) {
		*e = it->notice;
		st = ST_RUN;
	} else if (shard_has(r->shard, it->fonds, it->dossier, it->id)) {
		st = document(r, &t, t.partial ? &g : NULL, e);
	}
	free(text);
	item_free(t.it);
	return st;
}
