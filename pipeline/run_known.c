/* Documents of earlier runs whose files, rows or places are not what they were. What was taken stays what it was; people are told. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/filter.h"
#include "pipeline/run.h"
#include "stages/base/text.h"

#define LOOKED_AT_MOST 8 /* documents with the same files; more are no help */

/* What the ledger knows */

static enum status read_known(void *arg, const struct ledger_row *row, struct err *e)
{
	struct known *k = arg;
	k->found = true;
	k->serial = row->serial;
	k->state = row->state;
	k->attempts = row->attempts;
	k->same = row->intake != NULL && strcmp(row->intake, k->intake) == 0;
	if (k->same)
		return ST_OK;
	k->next = strdup(row->next);
	k->record = strdup(row->record);
	return k->next != NULL && k->record != NULL ? ST_OK : record_no_memory(e);
}

/* A bit for each item of earlier runs: what ingest does not name any more is gone. */
static enum status hear(struct run *r, int64_t serial, struct err *e)
{
	struct left *l = &r->left;
	if (serial > r->last_serial)
		return ST_OK;
	if (l->heard == NULL && (l->heard = calloc((size_t)r->last_serial / 8 + 1, 1)) == NULL)
		return record_no_memory(e);
	l->heard[serial / 8] |= (uint8_t)(1u << serial % 8);
	return ST_OK;
}

bool known_heard(const struct run *r, int64_t serial)
{
	return r->ingest_done || serial > r->last_serial ||
	       (r->left.heard != NULL && (r->left.heard[serial / 8] >> serial % 8 & 1) != 0);
}

enum status known_find(struct run *r, const char *id, struct known *k, struct err *e)
{
	enum status st = ledger_find(r->ledger, false, id, read_known, k, NULL, e);
	return st == ST_OK && k->found ? hear(r, k->serial, e) : st;
}

void known_free(struct known *k)
{
	free(k->next);
	free(k->record);
}

/* Remarks */

struct remark {
	const char *code;
	char *detail; /* NULL: there is none */
};

static enum status read_remark(void *arg, const struct ledger_note *note, struct err *e)
{
	struct remark *m = arg;
	if (strcmp(note->code, m->code) != 0)
		return ST_OK;
	m->detail = strdup(note->detail);
	return m->detail != NULL ? ST_OK : record_no_memory(e);
}

enum status known_remark(struct run *r, int64_t serial, const char *id, const char *code, const char *detail, struct err *e)
{
	struct remark was = {.code = code};
	enum status st = ledger_notes(r->ledger, serial, 0, read_remark, &was, e);
	if (st == ST_OK && (was.detail == NULL || strcmp(was.detail, detail) != 0)) {
		struct err text;
		err_set(&text, ST_ITEM, code, "%s", detail);
		err_arg(&text, "%s", detail);
		st = ledger_note(r->ledger, serial, code, detail, time_now_ms(), e);
		show_remark(r, id, &text);
	}
	free(was.detail);
	return st;
}

/* What a remark told of is over. */
static enum status take_back(struct run *r, int64_t serial, const char *code, struct err *e)
{
	struct remark was = {.code = code};
	enum status st = ledger_notes(r->ledger, serial, 0, read_remark, &was, e);
	if (st == ST_OK && was.detail != NULL)
		st = ledger_unnote(r->ledger, serial, code, e);
	free(was.detail);
	return st;
}

/* Sources that changed or were moved */

/* The first file that is not what it was; NULL: all are. */
static const struct item_file *changed_file(const struct item *was, const struct item *is)
{
	size_t i = 0;
	for (; i < was->n_sources && i < is->n_sources; i++)
		if (was->sources[i].size != is->sources[i].size || strcmp(was->sources[i].sha256, is->sources[i].sha256) != 0)
			return &is->sources[i];
	return i < is->n_sources ? &is->sources[i] : i < was->n_sources ? &was->sources[i] : NULL;
}

static bool at_another_place(const struct item *was, const struct item *is)
{
	for (size_t i = 0; i < is->n_sources; i++)
		if (strcmp(was->sources[i].path, is->sources[i].path) != 0)
			return true;
	return false;
}

static bool in_hand(const struct run *r, int64_t serial)
{
	for (size_t i = 0; i < r->n_lanes; i++) {
		for (size_t k = 0; k < r->lanes[i].n_workers; k++) {
			const struct job *j = r->lanes[i].workers[k].job;
			if (j != NULL && (j->serial == serial || (j->whole != NULL && j->whole->serial == serial)))
				return true;
		}
		for (const struct job *j = r->lanes[i].parked; j != NULL; j = j->next)
			if (j->serial == serial)
				return true;
	}
	return false;
}

/* The job of an item that waits in a lane; NULL where none does. */
static struct job *queued(struct run *r, int64_t serial, struct lane **ret_lane)
{
	for (size_t i = 0; i < r->n_lanes; i++) {
		for (struct job *j = r->lanes[i].head; j != NULL; j = j->next) {
			if (j->serial == serial) {
				*ret_lane = &r->lanes[i];
				return j;
			}
		}
	}
	return NULL;
}

/* The files of a document under way lie elsewhere now. Its earlier steps keep the old paths: who goes back to them finds no file, and
 * the next run takes it anew. */
static enum status move_sources(struct run *r, const struct known *k, struct item *was, const struct item *is, struct err *e)
{
	BUF_AUTO struct buf line = BUF_INIT(WIRE_LINE_MAX);
	struct lane *lane;
	for (size_t i = 0; was->artefact.path != NULL && i < was->n_sources; i++) {
		if (strcmp(was->artefact.path, was->sources[i].path) == 0) {
			item_set(&was->artefact.path, is->sources[i].path);
			break;
		}
	}
	for (size_t i = 0; i < was->n_sources; i++)
		item_set(&was->sources[i].path, is->sources[i].path);
	item_print(was, &line);
	if (line.failed)
		return record_no_memory(e);
	enum status st =
	    ledger_settle(r->ledger, k->serial, LEDGER_OK, k->next, (const char *)line.data, k->attempts, time_now_ms(), e);
	struct job *j = st == ST_OK ? queued(r, k->serial, &lane) : NULL;
	char *copy = j != NULL && j->ranges == NULL && j->n_parts == 0 ? strdup((const char *)line.data) : NULL;
	if (copy != NULL) {
		free(j->line);
		j->line = copy;
	}
	return st;
}

/* What a row says differently: the name of the first field. NULL: nothing. */
static const char *changed_field(json_t *was, json_t *is)
{
	const char *name;
	json_t *value;
	json_object_foreach (is, name, value)
		if (!json_equal(value, json_object_get(was, name)))
			return name;
	json_object_foreach (was, name, value)
		if (json_object_get(is, name) == NULL)
			return name;
	return NULL;
}

static enum status compare(struct run *r, const struct item *it, const struct known *k, struct item *was, struct err *e)
{
	const struct item_file *file = changed_file(was, it);
	if (file != NULL) {
		char detail[300];
		const char *tail = file->path;
		while (strlen(tail) > 200 || ((unsigned char)*tail & 0xC0) == 0x80)
			tail++;
		snprintf(detail, sizeof detail, "%s%s (SHA-256 %.16s…)", tail > file->path ? "…" : "", tail, file->sha256);
		return known_remark(r, k->serial, it->id, "source-changed", detail, e);
	}
	enum status st = take_back(r, k->serial, "source-changed", e);
	if (st == ST_OK && at_another_place(was, it) && k->state == LEDGER_OK) {
		st = move_sources(r, k, was, it, e);
		if (st == ST_OK)
			st = known_remark(r, k->serial, it->id, "source-moved", it->sources[0].path, e);
	}
	const char *field = changed_field(was->description, it->description);
	if (field == NULL)
		field = changed_field(was->dossier_description, it->dossier_description);
	if (st == ST_OK)
		st = field != NULL ? known_remark(r, k->serial, it->id, "row-changed", field, e)
		                   : take_back(r, k->serial, "row-changed", e);
	return st;
}

enum status known_compare(struct run *r, const struct item *it, const struct known *k, struct err *e)
{
	static const char *const over[] = {"source-changed", "source-moved", "row-changed", "refused-since"};
	struct item *was;
	enum status st = ST_OK;
	if (k->same) {
		for (size_t i = 0; i < sizeof over / sizeof over[0] && st == ST_OK; i++)
			st = take_back(r, k->serial, over[i], e);
		return st;
	}
	st = item_parse(k->record, strlen(k->record), &was, e);
	if (st == ST_OK) {
		st = compare(r, it, k, was, e);
		item_free(was);
	}
	return st;
}

enum status known_refused(struct run *r, const struct item *it, const char *key, const struct known *k, enum refusal *ret,
                          struct err *e)
{
	const struct err *why = &it->notice;
	char detail[800];
	struct lane *lane;
	enum closed closed;
	enum status st = record_dossier_closed(r, key, &closed, e);
	*ret = k->state != LEDGER_OK || closed == DOSSIER_PACKAGED  ? REFUSAL_LATE
	       : in_hand(r, k->serial) || closed == DOSSIER_IN_HAND ? REFUSAL_WAITS
	                                                            : REFUSAL_STOPPED;
	if (st != ST_OK || *ret == REFUSAL_WAITS)
		return st;
	if (*ret == REFUSAL_LATE) {
		snprintf(detail, sizeof detail, "%s «%s» (%s)", why->arg[0], why->arg[1], why->arg[2]);
		return known_remark(r, k->serial, it->id, "refused-since", detail, e);
	}
	struct job *j = queued(r, k->serial, &lane);
	if (j != NULL) {
		lane_remove(lane, j);
		ranges_discard(r, j);
		job_free(j);
	}
	lane = k->next != NULL ? lane_find(r, k->next) : NULL;
	if (lane != NULL)
		show_expect(r, lane, record_pages(it), -1);
	return records_discard(r, k->serial, e);
}

/* The same files elsewhere */

struct look {
	struct run *run;
	const struct item *it;
	int64_t self;
	struct elsewhere *found;
	bool moved;
	struct known known; /* the document that was moved */
	unsigned looked;
};

static bool absent(const char *path)
{
	struct stat s;
	return lstat(path, &s) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

static bool below(const char *folder, const char *path)
{
	size_t n = strlen(folder);
	return strncmp(path, folder, n) == 0 && (path[n] == '/' || (n > 0 && folder[n - 1] == '/'));
}

/* Whether `it` is what lay at the place of a known document. */
static enum status was_moved(const struct look *l, int64_t serial, const struct item *known, bool *ret_moved, struct err *e)
{
	struct remark to = {.code = "source-moved"};
	enum status st = ledger_notes(l->run->ledger, serial, 0, read_remark, &to, e);
	const char *place = to.detail != NULL ? to.detail : known->n_sources > 0 ? known->sources[0].path : "";
	*ret_moved = strcmp(place, l->it->sources[0].path) == 0 || (below(l->run->backlog, place) && absent(place));
	free(to.detail);
	return st;
}

static enum status look_at(void *arg, const struct ledger_row *row, struct err *e)
{
	struct look *l = arg;
	struct item *known;
	if (l->moved || l->looked >= LOOKED_AT_MOST)
		return ST_ITEM; /* enough */
	l->looked++;
	if (row->package || row->serial == l->self || row->state == LEDGER_QUARANTINE || row->state == LEDGER_REFUSED)
		return ST_OK;
	if (l->found->id == NULL && (l->found->id = strdup(row->id)) == NULL)
		return record_no_memory(e);
	if (l->it->dossier != NULL)
		return ST_ITEM; /* its code says that it is another document */
	enum status st = item_parse(row->record, strlen(row->record), &known, e);
	if (st != ST_OK)
		return st;
	st = was_moved(l, row->serial, known, &l->moved, e);
	item_free(known);
	if (st == ST_OK && l->moved) {
		item_set(&l->found->id, row->id);
		l->known.intake = "";
		st = read_known(&l->known, row, e);
	}
	return st;
}

enum status known_elsewhere(struct run *r, const struct item *it, const char *sources, const struct known *self,
                            struct elsewhere *ret, bool *ret_moved, struct err *e)
{
	struct look l = {.run = r, .it = it, .self = self->found ? self->serial : 0, .found = ret};
	struct item *was;
	enum status st = ledger_by_sources(r->ledger, sources, look_at, &l, NULL, e);
	st = st == ST_ITEM ? ST_OK : st;
	*ret_moved = l.moved && !self->found;
	if (st == ST_OK && *ret_moved) {
		st = hear(r, l.known.serial, e);
		if (st == ST_OK && l.known.state == LEDGER_OK) {
			st = item_parse(l.known.record, strlen(l.known.record), &was, e);
			if (st == ST_OK) {
				st = at_another_place(was, it) ? move_sources(r, &l.known, was, it, e) : ST_OK;
				item_free(was);
			}
		}
		if (st == ST_OK)
			st = known_remark(r, l.known.serial, ret->id, "source-moved", it->sources[0].path, e);
	}
	known_free(&l.known);
	return st;
}

/* Documents set aside that are no longer in the backlog */

struct gone {
	struct run *run;
	struct serials serials;
};

/* Whether ingest would have named it again if it were still the same document: it is of this backlog, what lay there has been
 * taken away or could be read (and goes by another id now). */
static bool withdrawn(const struct run *r, const struct item *it)
{
	const char *backlog = json_string_value(json_object_get(it->other, "backlog"));
	bool ours = backlog != NULL && strcmp(backlog, r->backlog) == 0;
	char *key = filter_dossier_key(it);
	bool waits = key == NULL || intake_waits(r, key);
	free(key);
	for (size_t i = 0; i < it->n_sources; i++) {
		const char *path = it->sources[i].path;
		ours = ours || below(r->backlog, path);
		waits = waits || !(absent(path) || access(path, R_OK) == 0);
	}
	return ours && !waits;
}

static enum status gone_row(void *arg, const struct ledger_row *row, struct err *e)
{
	struct gone *g = arg;
	struct item *it;
	if (row->package || known_heard(g->run, row->serial))
		return ST_OK;
	enum status st = item_parse(row->record, strlen(row->record), &it, e);
	if (st != ST_OK)
		return st;
	if (withdrawn(g->run, it))
		st = serials_add(&g->serials, row->serial) ? ST_OK : record_no_memory(e);
	item_free(it);
	return st;
}

struct leaving {
	char *id, *dossier;
	bool refused;
};

static enum status leaving_row(void *arg, const struct ledger_row *row, struct err *e)
{
	struct leaving *l = arg;
	l->id = strdup(row->id);
	l->dossier = row->dossier != NULL ? strdup(row->dossier) : NULL;
	l->refused = row->state == LEDGER_REFUSED;
	return l->id != NULL ? ST_OK : record_no_memory(e);
}

static enum status withdraw(struct run *r, int64_t serial, struct err *e)
{
	struct leaving l = {0};
	enum status st = ledger_get(r->ledger, serial, leaving_row, &l, e);
	if (st == ST_OK)
		st = records_discard(r, serial, e);
	if (st == ST_OK)
		st = ledger_forget(r->ledger, serial, e);
	if (st == ST_OK) {
		archive_put_back(&r->archive, l.id);
		r->progress.documents--;
		r->progress.done--;
		r->progress.quarantined--;
		r->progress.refused -= l.refused;
		show_withdrawn(r, l.id);
	}
	if (st == ST_OK && l.dossier != NULL && r->gather < r->n_lanes)
		st = record_check_dossier(r, l.dossier, e);
	free(l.id);
	free(l.dossier);
	return st;
}

enum status known_withdraw(struct run *r, struct err *e)
{
	struct gone g = {.run = r};
	if (r->left.named == 0)
		return ST_OK; /* more likely a share that is not mounted than a backlog without a document */
	enum status st = ledger_in_state(r->ledger, LEDGER_QUARANTINE, 0, 0, gone_row, &g, e);
	if (st == ST_OK)
		st = ledger_in_state(r->ledger, LEDGER_REFUSED, 0, 0, gone_row, &g, e);
	for (size_t i = 0; i < g.serials.n && st == ST_OK; i++)
		st = withdraw(r, g.serials.serial[i], e);
	free(g.serials.serial);
	return st;
}
