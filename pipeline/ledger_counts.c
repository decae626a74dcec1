#include "pipeline/ledger_counts.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_MOST 64 /* stages, and what else an item may wait for */
#define SLOTS 1024    /* dossiers in memory; two that fall into one slot take turns */

enum statement { LOAD_DOSSIER, LOAD_CELLS, ADD_TOTAL, CLEAR_CELLS, WRITE_CELL, WRITE_DOSSIER, N_STATEMENTS };

static const char *const sql[N_STATEMENTS] = {
    [LOAD_DOSSIER] = "SELECT size, state FROM dossiers WHERE key = ?1",
    [LOAD_CELLS] = "SELECT state, next, n FROM dossier_counts WHERE dossier = ?1",
    [ADD_TOTAL] = "INSERT INTO counts VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET n = n + ?4",
    [CLEAR_CELLS] = "DELETE FROM dossier_counts WHERE dossier = ?1",
    [WRITE_CELL] = "INSERT INTO dossier_counts VALUES (?1, ?2, ?3, ?4)",
    [WRITE_DOSSIER] =
        "INSERT INTO dossiers (key, size, state) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET size = ?2, state = ?3",
};

/* A state of documents of a dossier. */
struct cell {
	enum ledger_state state;
	unsigned next; /* a name */
	int64_t n;
};

struct dossier {
	char *key; /* NULL: the slot is empty */
	uint32_t size;
	char state[12]; /* "": it is in no table */
	struct cell *cell;
	size_t n;
	bool row_changed, cells_changed;
};

struct ledger_counter {
	sqlite3 *db;
	sqlite3_stmt *prepared[N_STATEMENTS];
	char *name[NAMES_MOST];
	unsigned n_names;
	int64_t total[2][LEDGER_STATES][NAMES_MOST]; /* what has come since the last commit */
	struct dossier slot[SLOTS];
};

struct ledger_counter *ledger_counter_new(sqlite3 *db)
{
	struct ledger_counter *c = calloc(1, sizeof *c);
	if (c != NULL)
		c->db = db;
	return c;
}

static void empty(struct dossier *d)
{
	free(d->key);
	free(d->cell);
	*d = (struct dossier){0};
}

void ledger_counter_free(struct ledger_counter *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < N_STATEMENTS; i++)
		sqlite3_finalize(c->prepared[i]);
	for (size_t i = 0; i < SLOTS; i++)
		empty(&c->slot[i]);
	for (unsigned i = 0; i < c->n_names; i++)
		free(c->name[i]);
	free(c);
}

static sqlite3_stmt *prepare(struct ledger_counter *c, enum statement s)
{
	if (c->prepared[s] == NULL)
		sqlite3_prepare_v3(c->db, sql[s], -1, SQLITE_PREPARE_PERSISTENT, &c->prepared[s], NULL);
	return c->prepared[s];
}

static void text(sqlite3_stmt *q, int at, const char *value)
{
	sqlite3_bind_text(q, at, value, -1, SQLITE_STATIC);
}

/* Steps a statement that writes. */
static int run(sqlite3_stmt *q)
{
	int got = q == NULL ? SQLITE_ERROR : sqlite3_step(q);
	sqlite3_reset(q);
	return got == SQLITE_DONE ? SQLITE_OK : got;
}

static int name_of(struct ledger_counter *c, const char *name, unsigned *ret)
{
	unsigned i = 0;
	while (i < c->n_names && strcmp(c->name[i], name) != 0)
		i++;
	if (i == NAMES_MOST)
		return SQLITE_FULL;
	if (i == c->n_names) {
		c->name[i] = strdup(name);
		if (c->name[i] == NULL)
			return SQLITE_NOMEM;
		c->n_names++;
	}
	*ret = i;
	return SQLITE_OK;
}

static int cell_add(struct dossier *d, enum ledger_state state, unsigned next, int64_t by)
{
	size_t i = 0;
	while (i < d->n && (d->cell[i].state != state || d->cell[i].next != next))
		i++;
	if (i == d->n) {
		struct cell *more = realloc(d->cell, (d->n + 1) * sizeof *more);
		if (more == NULL)
			return SQLITE_NOMEM;
		d->cell = more;
		d->cell[d->n++] = (struct cell){state, next, 0};
	}
	d->cell[i].n += by;
	return SQLITE_OK;
}

static int dossier_write(struct ledger_counter *c, struct dossier *d)
{
	int got = SQLITE_OK;
	if (d->row_changed) {
		sqlite3_stmt *q = prepare(c, WRITE_DOSSIER);
		text(q, 1, d->key);
		sqlite3_bind_int64(q, 2, d->size);
		text(q, 3, d->state);
		got = run(q);
		d->row_changed = got != SQLITE_OK;
	}
	if (got == SQLITE_OK && d->cells_changed) {
		sqlite3_stmt *q = prepare(c, CLEAR_CELLS);
		text(q, 1, d->key);
		got = run(q);
		q = prepare(c, WRITE_CELL);
		for (size_t i = 0; i < d->n && got == SQLITE_OK; i++) {
			if (d->cell[i].n == 0)
				continue;
			text(q, 1, d->key);
			text(q, 2, ledger_state_name(d->cell[i].state));
			text(q, 3, c->name[d->cell[i].next]);
			sqlite3_bind_int64(q, 4, d->cell[i].n);
			got = run(q);
		}
		d->cells_changed = got != SQLITE_OK;
	}
	return got;
}

static int dossier_load(struct ledger_counter *c, struct dossier *d)
{
	sqlite3_stmt *q = prepare(c, LOAD_DOSSIER);
	text(q, 1, d->key);
	int got = q == NULL ? SQLITE_ERROR : sqlite3_step(q);
	if (got == SQLITE_ROW) {
		d->size = (uint32_t)sqlite3_column_int64(q, 0);
		sqlite3_snprintf(sizeof d->state, d->state, "%s", (const char *)sqlite3_column_text(q, 1));
		got = SQLITE_DONE;
	}
	sqlite3_reset(q);
	if (got != SQLITE_DONE)
		return got;
	q = prepare(c, LOAD_CELLS);
	text(q, 1, d->key);
	while (q != NULL && (got = sqlite3_step(q)) == SQLITE_ROW) {
		unsigned next;
		got = name_of(c, (const char *)sqlite3_column_text(q, 1), &next);
		if (got == SQLITE_OK)
			got = cell_add(d, ledger_state_of((const char *)sqlite3_column_text(q, 0)), next,
			               sqlite3_column_int64(q, 2));
		if (got != SQLITE_OK)
			break;
	}
	sqlite3_reset(q);
	return got == SQLITE_DONE ? SQLITE_OK : got;
}

static int dossier_of(struct ledger_counter *c, const char *key, struct dossier **ret)
{
	uint32_t hash = 2166136261u;
	for (const char *at = key; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * 16777619u;
	struct dossier *d = &c->slot[hash % SLOTS];
	int got = SQLITE_OK;
	*ret = d;
	if (d->key != NULL && strcmp(d->key, key) == 0)
		return SQLITE_OK;
	if (d->key != NULL)
		got = dossier_write(c, d);
	if (got != SQLITE_OK)
		return got;
	empty(d);
	d->key = strdup(key);
	got = d->key == NULL ? SQLITE_NOMEM : dossier_load(c, d);
	if (got != SQLITE_OK)
		empty(d);
	return got;
}

int ledger_counter_add(struct ledger_counter *c, const struct ledger_place *place, int by)
{
	unsigned next;
	struct dossier *d;
	int got = name_of(c, place->next, &next);
	if (got == SQLITE_OK && !place->package && place->dossier != NULL) {
		got = dossier_of(c, place->dossier, &d);
		if (got == SQLITE_OK)
			got = cell_add(d, place->state, next, by);
		if (got == SQLITE_OK)
			d->cells_changed = true;
	}
	if (got == SQLITE_OK)
		c->total[place->package][place->state][next] += by;
	return got;
}

int ledger_counter_size(struct ledger_counter *c, const char *key, uint32_t size)
{
	struct dossier *d;
	int got = dossier_of(c, key, &d);
	if (got != SQLITE_OK || (d->state[0] != '\0' && d->size == size))
		return got;
	d->size = size;
	if (d->state[0] == '\0')
		strcpy(d->state, "open");
	d->row_changed = true;
	return SQLITE_OK;
}

int ledger_counter_state(struct ledger_counter *c, const char *key, const char *state)
{
	struct dossier *d;
	int got = dossier_of(c, key, &d);
	if (got != SQLITE_OK || d->state[0] == '\0')
		return got;
	sqlite3_snprintf(sizeof d->state, d->state, "%s", state);
	d->row_changed = true;
	return SQLITE_OK;
}

int ledger_counter_dossier(struct ledger_counter *c, const char *key, const char *next, struct ledger_dossier *ret)
{
	struct dossier *d;
	int got = dossier_of(c, key, &d);
	*ret = (struct ledger_dossier){0};
	if (got != SQLITE_OK || d->state[0] == '\0')
		return got;
	*ret = (struct ledger_dossier){
	    .size = d->size, .open = strcmp(d->state, "open") == 0, .packaged = strcmp(d->state, "packaged") == 0};
	for (size_t i = 0; i < d->n; i++) {
		const struct cell *k = &d->cell[i];
		ret->entered += (uint32_t)k->n;
		if (k->state == LEDGER_OK && strcmp(c->name[k->next], next) == 0)
			ret->ready += (uint32_t)k->n;
		if (k->state == LEDGER_QUARANTINE || k->state == LEDGER_REFUSED)
			ret->aside += (uint32_t)k->n;
	}
	return SQLITE_OK;
}

int ledger_counter_write(struct ledger_counter *c)
{
	int got = SQLITE_OK;
	for (size_t i = 0; i < SLOTS && got == SQLITE_OK; i++)
		if (c->slot[i].key != NULL)
			got = dossier_write(c, &c->slot[i]);
	for (unsigned package = 0; package < 2; package++) {
		for (unsigned state = 0; state < LEDGER_STATES; state++) {
			for (unsigned next = 0; next < c->n_names && got == SQLITE_OK; next++) {
				int64_t *by = &c->total[package][state][next];
				if (*by == 0)
					continue;
				sqlite3_stmt *q = prepare(c, ADD_TOTAL);
				sqlite3_bind_int64(q, 1, package);
				text(q, 2, ledger_state_name(state));
				text(q, 3, c->name[next]);
				sqlite3_bind_int64(q, 4, *by);
				got = run(q);
				if (got == SQLITE_OK)
					*by = 0;
			}
		}
	}
	return got;
}
