#include "pipeline/ledger.h"
#include "pipeline/ledger_counts.h"
#include "pipeline/ledger_schema.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MOST 10000 /* written before a commit; what a crash loses of a second is not much more */
#define OF_ITEM "at BETWEEN ?1 * 256 AND ?1 * 256 + 255" /* of table steps */
#define NEWEST "(SELECT max(at) FROM steps WHERE " OF_ITEM ")"
#define ROW                                                                                                                      \
	"i.serial, i.package, i.state, i.attempts, i.id, i.dossier, i.next, i.intake, i.sources, "                               \
	"(SELECT s.record FROM steps s WHERE s.at BETWEEN i.serial * 256 AND i.serial * 256 + 255 ORDER BY s.at DESC LIMIT 1)"

enum statement {
	BEGIN,
	COMMIT,
	FIND,
	GET,
	WAITING,
	DOSSIER,
	IN_STATE,
	ASIDE,
	BY_SOURCES,
	NOTE,
	NOTES,
	UNNOTE,
	CLEAR_NOTES,
	STEPS,
	PLACE,
	PLACE_OF_ID,
	ENTER,
	ENTER_AGAIN,
	CLEAR_STEPS,
	ADD_STEP,
	SET_ASIDE,
	TAKE_UP,
	NEW_RECORD,
	LAST_STEP,
	STEP,
	SETTLE,
	DROP_STEPS,
	FORGET,
	OPEN_DOSSIERS,
	UNFINISHED,
	COUNT,
	LAST,
	SUMS,
	N_STATEMENTS
};

static const char *const sql[N_STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [FIND] = "SELECT " ROW " FROM items i WHERE package = ?1 AND id = ?2",
    [GET] = "SELECT " ROW " FROM items i WHERE serial = ?1",
    [WAITING] = "SELECT " ROW " FROM items i WHERE state = 'ok' AND next = ?1 AND serial > ?2 AND serial <= ?3 "
                "ORDER BY serial LIMIT ?4",
    /* By itself SQLite would walk through all documents, for the sake of their order. */
    [DOSSIER] = "SELECT " ROW " FROM items i INDEXED BY items_by_dossier WHERE dossier = ?1 AND package = 0 ORDER BY id",
    [IN_STATE] = "SELECT " ROW " FROM items i WHERE state = ?1 AND serial > ?2 ORDER BY serial LIMIT ?3",
    [ASIDE] = "SELECT " ROW " FROM items i WHERE state = ?1 AND state IN ('quarantine', 'refused') AND serial > ?2 "
              "ORDER BY serial LIMIT ?3",
    [BY_SOURCES] = "SELECT " ROW " FROM items i WHERE sources = ?1 ORDER BY serial",
    [NOTE] = "INSERT INTO notes VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET detail = ?3, at = ?4",
    [NOTES] = "SELECT n.item, i.package, i.id, n.code, n.detail, n.at FROM notes n JOIN items i ON i.serial = n.item "
              "WHERE n.item >= ?1 AND n.item <= ?2 ORDER BY n.item, n.code LIMIT ?3",
    [UNNOTE] = "DELETE FROM notes WHERE item = ?1 AND code = ?2",
    [CLEAR_NOTES] = "DELETE FROM notes WHERE item = ?1",
    [STEPS] = "SELECT i.serial, i.package, i.state, i.attempts, i.id, i.dossier, s.stage, i.intake, i.sources, s.record "
              "FROM steps s JOIN items i ON i.serial = ?1 WHERE s." OF_ITEM " AND s.stage <> '' ORDER BY s.at DESC",
    [PLACE] = "SELECT package, state, next, dossier FROM items WHERE serial = ?1",
    [PLACE_OF_ID] = "SELECT package, state, next, dossier, serial FROM items WHERE package = ?1 AND id = ?2",
    [ENTER] = "INSERT INTO items (package, id, dossier, next, state, intake, sources, attempts, entered, changed) "
              "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?8) RETURNING serial",
    [ENTER_AGAIN] = "UPDATE items SET dossier = ?3, next = ?4, state = ?5, intake = ?6, sources = ?7, attempts = 0, changed = ?8 "
                    "WHERE package = ?1 AND id = ?2 RETURNING serial",
    [CLEAR_STEPS] = "DELETE FROM steps WHERE " OF_ITEM,
    [ADD_STEP] = "INSERT INTO steps (at, stage, record) VALUES (ifnull(" NEWEST ", ?1 * 256) + 1, ?2, ?3)",
    [SET_ASIDE] = "INSERT OR REPLACE INTO steps (at, stage, record) VALUES (?1 * 256 + 255, '', ?2)",
    [TAKE_UP] = "DELETE FROM steps WHERE at = ?1 * 256 + 255",
    [NEW_RECORD] = "UPDATE steps SET record = ?2 WHERE at = " NEWEST,
    [LAST_STEP] = "DELETE FROM steps WHERE " OF_ITEM " AND at < " NEWEST,
    [STEP] = "UPDATE items SET next = ?2, changed = ?3 WHERE serial = ?1",
    [SETTLE] = "UPDATE items SET state = ?2, next = ?3, attempts = ?4, changed = ?5 WHERE serial = ?1",
    [DROP_STEPS] = "DELETE FROM steps WHERE " OF_ITEM " AND at > (SELECT ifnull(max(at), 0) FROM steps WHERE " OF_ITEM
                   " AND stage = ?2)",
    [FORGET] = "DELETE FROM items WHERE serial = ?1",
    [OPEN_DOSSIERS] = "SELECT key FROM dossiers WHERE state = 'open' AND key > ?1 ORDER BY key LIMIT ?2",
    [UNFINISHED] =
        "SELECT id FROM items WHERE state = 'ok' UNION ALL SELECT id FROM items WHERE state IN ('quarantine', 'refused')",
    [COUNT] = "SELECT package, state, next, n FROM counts WHERE n > 0 ORDER BY state, next, package",
    [SUMS] =
        "SELECT ifnull(json_extract(record, '$.fonds'), ''), CASE WHEN ?1 THEN ifnull(json_extract(record, '$.dossier'), '') "
        "ELSE '' END, package, state, next, strftime('%Y-%m', changed / 1000, 'unixepoch', 'localtime'), count(*), "
        "sum(CASE WHEN package THEN 0 ELSE max(1, ifnull(json_extract(record, '$.pages'), "
        "ifnull(json_array_length(record, '$.sources'), 1))) END) FROM (SELECT i.package, i.state, i.next, i.changed, s.record "
        "FROM items i JOIN steps s ON s.at = (SELECT max(at) FROM steps WHERE at BETWEEN i.serial * 256 AND i.serial * 256 + "
        "255)) GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 6, 3, 4, 5",
    [LAST] = "SELECT ifnull(max(serial), 0) FROM items",
};

struct ledger {
	sqlite3 *db;
	bool still; /* read as a file that nobody writes */
	sqlite3_stmt *prepared[N_STATEMENTS];
	struct ledger_counter *counter;
	bool open;        /* in a transaction */
	unsigned written; /* rows in it */
	int64_t began_ms; /* 0: not known yet */
};

const char *ledger_state_name(enum ledger_state state)
{
	static const char *const name[] = {"ok", "done", "quarantine", "refused"};
	return name[state];
}

enum ledger_state ledger_state_of(const char *name)
{
	for (unsigned i = 0; name != NULL && i < LEDGER_STATES; i++)
		if (strcmp(name, ledger_state_name(i)) == 0)
			return i;
	return LEDGER_OK;
}

static enum status fault(const struct ledger *l, struct err *e)
{
	int code = l->db == NULL ? SQLITE_NOMEM : sqlite3_errcode(l->db);
	if (l->still && (code & 0xff) == SQLITE_CORRUPT)
		code = SQLITE_BUSY; /* a run has begun to write meanwhile */
	switch (code & 0xff) {
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_NOMEM:
		err_set(e, ST_RETRY, "ledger-busy", "%s", l->db == NULL ? "no memory" : sqlite3_errmsg(l->db));
		break;
	default:
		err_set(e, ST_RUN, "ledger", "%s", sqlite3_errmsg(l->db));
		break;
	}
	err_arg(e, "%s", l->db == NULL ? "" : sqlite3_errmsg(l->db));
	return e->status;
}

static sqlite3_stmt *prepare(struct ledger *l, enum statement s)
{
	if (l->prepared[s] == NULL)
		sqlite3_prepare_v3(l->db, sql[s], -1, SQLITE_PREPARE_PERSISTENT, &l->prepared[s], NULL);
	return l->prepared[s];
}

static void text(sqlite3_stmt *q, int at, const char *value)
{
	sqlite3_bind_text(q, at, value, -1, SQLITE_STATIC);
}

static const char *column(sqlite3_stmt *q, int at)
{
	return (const char *)sqlite3_column_text(q, at);
}

/* Runs a statement that writes, inside a transaction. */
static enum status run(struct ledger *l, sqlite3_stmt *q, int64_t *ret_value, struct err *e)
{
	int got = q == NULL ? SQLITE_ERROR : sqlite3_step(q);
	if (got == SQLITE_ROW) {
		if (ret_value != NULL)
			*ret_value = sqlite3_column_int64(q, 0);
		got = sqlite3_step(q);
	}
	enum status st = got == SQLITE_DONE ? ST_OK : fault(l, e);
	sqlite3_reset(q);
	l->written++;
	return st;
}

static enum status begin(struct ledger *l, struct err *e)
{
	if (l->open)
		return ST_OK;
	enum status st = run(l, prepare(l, BEGIN), NULL, e);
	l->open = st == ST_OK;
	l->written = 0;
	l->began_ms = 0;
	return st;
}

enum status ledger_commit(struct ledger *l, struct err *e)
{
	if (!l->open)
		return ST_OK;
	enum status st = ledger_counter_write(l->counter) == SQLITE_OK ? run(l, prepare(l, COMMIT), NULL, e) : fault(l, e);
	if (st == ST_OK)
		l->open = false;
	return st;
}

enum status ledger_tick(struct ledger *l, int64_t now_ms, struct err *e)
{
	if (!l->open)
		return ST_OK;
	if (l->began_ms == 0)
		l->began_ms = now_ms;
	return l->written >= ROWS_MOST || now_ms - l->began_ms >= 1000 ? ledger_commit(l, e) : ST_OK;
}

static enum status set_up(struct ledger *l, bool write, const char *path, struct err *e)
{
	int version = -1;
	if (ledger_version(l->db, &version) != SQLITE_OK)
		return fault(l, e);
	if (write && version >= 0 && version < LEDGER_VERSION)
		return ledger_migrate(l->db, version) == SQLITE_OK ? ST_OK : fault(l, e);
	if (version == LEDGER_VERSION)
		return ST_OK;
	err_set(e, ST_RUN, version < LEDGER_VERSION ? "ledger-old" : "ledger-version", "version %d, known is %d", version,
	        LEDGER_VERSION);
	err_arg(e, "%d", version);
	return err_where(e, "%s", path);
}

enum status ledger_open(const char *path, bool write, struct ledger **ret_ledger, struct err *e)
{
	struct ledger *l = calloc(1, sizeof *l);
	if (l == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for the ledger");
	enum status st = ST_OK;
	int got = write ? ledger_file_write(path, &l->db) : ledger_file_read(path, &l->db, &l->still);
	if (got == SQLITE_CANTOPEN && !write) {
		st = err_set(e, ST_RUN, "ledger-missing", "%s", sqlite3_errstr(got));
		err_where(e, "%s", path);
	} else {
		st = got == SQLITE_OK ? set_up(l, write, path, e) : fault(l, e);
	}
	if (st == ST_OK && (l->counter = ledger_counter_new(l->db)) == NULL)
		st = err_set(e, ST_RETRY, "memory", "no memory for the ledger");
	if (st != ST_OK) {
		ledger_close(l);
		return st;
	}
	*ret_ledger = l;
	return ST_OK;
}

void ledger_close(struct ledger *l)
{
	if (l == NULL)
		return;
	struct err e;
	ledger_commit(l, &e);
	for (size_t i = 0; i < N_STATEMENTS; i++)
		sqlite3_finalize(l->prepared[i]);
	ledger_counter_free(l->counter);
	sqlite3_close(l->db);
	free(l);
}

static enum status read_rows(struct ledger *l, sqlite3_stmt *q, ledger_reader *reader, void *arg, size_t *ret_n, struct err *e)
{
	enum status st = ST_OK;
	size_t n = 0;
	int got = SQLITE_ERROR;
	while (q != NULL && st == ST_OK && (got = sqlite3_step(q)) == SQLITE_ROW) {
		struct ledger_row row = {
		    .serial = sqlite3_column_int64(q, 0),
		    .package = sqlite3_column_int(q, 1) != 0,
		    .state = ledger_state_of(column(q, 2)),
		    .attempts = (unsigned)sqlite3_column_int(q, 3),
		    .id = column(q, 4),
		    .dossier = column(q, 5),
		    .next = column(q, 6),
		    .intake = column(q, 7),
		    .sources = column(q, 8),
		    .record = column(q, 9),
		};
		st = reader != NULL ? reader(arg, &row, e) : ST_OK;
		n++;
	}
	if (st == ST_OK && got != SQLITE_DONE)
		st = fault(l, e);
	sqlite3_reset(q);
	if (ret_n != NULL)
		*ret_n = n;
	return st;
}

enum status ledger_find(struct ledger *l, bool package, const char *id, ledger_reader *reader, void *arg, size_t *ret_n,
                        struct err *e)
{
	sqlite3_stmt *q = prepare(l, FIND);
	sqlite3_bind_int(q, 1, package);
	text(q, 2, id);
	return read_rows(l, q, reader, arg, ret_n, e);
}

enum status ledger_get(struct ledger *l, int64_t serial, ledger_reader *reader, void *arg, struct err *e)
{
	sqlite3_stmt *q = prepare(l, GET);
	sqlite3_bind_int64(q, 1, serial);
	return read_rows(l, q, reader, arg, NULL, e);
}

enum status ledger_waiting(struct ledger *l, const char *next, int64_t after, int64_t last, size_t most, ledger_reader *reader,
                           void *arg, size_t *ret_n, struct err *e)
{
	sqlite3_stmt *q = prepare(l, WAITING);
	text(q, 1, next);
	sqlite3_bind_int64(q, 2, after);
	sqlite3_bind_int64(q, 3, last);
	sqlite3_bind_int64(q, 4, (int64_t)most);
	return read_rows(l, q, reader, arg, ret_n, e);
}

enum status ledger_dossier(struct ledger *l, const char *key, ledger_reader *reader, void *arg, size_t *ret_n, struct err *e)
{
	sqlite3_stmt *q = prepare(l, DOSSIER);
	text(q, 1, key);
	return read_rows(l, q, reader, arg, ret_n, e);
}

enum status ledger_in_state(struct ledger *l, enum ledger_state state, int64_t after, size_t most, ledger_reader *reader,
                            void *arg, struct err *e)
{
	sqlite3_stmt *q = prepare(l, state == LEDGER_QUARANTINE || state == LEDGER_REFUSED ? ASIDE : IN_STATE);
	text(q, 1, ledger_state_name(state));
	sqlite3_bind_int64(q, 2, after);
	sqlite3_bind_int64(q, 3, most == 0 ? -1 : (int64_t)most);
	return read_rows(l, q, reader, arg, NULL, e);
}

enum status ledger_by_sources(struct ledger *l, const char *digest, ledger_reader *reader, void *arg, size_t *ret_n,
                              struct err *e)
{
	sqlite3_stmt *q = prepare(l, BY_SOURCES);
	text(q, 1, digest);
	return read_rows(l, q, reader, arg, ret_n, e);
}

enum status ledger_note(struct ledger *l, int64_t serial, const char *code, const char *detail, int64_t now_ms, struct err *e)
{
	enum status st = begin(l, e);
	if (st != ST_OK)
		return st;
	sqlite3_stmt *q = prepare(l, NOTE);
	sqlite3_bind_int64(q, 1, serial);
	text(q, 2, code);
	text(q, 3, detail != NULL ? detail : "");
	sqlite3_bind_int64(q, 4, now_ms);
	return run(l, q, NULL, e);
}

enum status ledger_unnote(struct ledger *l, int64_t serial, const char *code, struct err *e)
{
	enum status st = begin(l, e);
	if (st != ST_OK)
		return st;
	sqlite3_stmt *q = prepare(l, UNNOTE);
	sqlite3_bind_int64(q, 1, serial);
	text(q, 2, code);
	return run(l, q, NULL, e);
}

enum status ledger_notes(struct ledger *l, int64_t serial, size_t most,
                         enum status (*each)(void *arg, const struct ledger_note *note, struct err *e), void *arg, struct err *e)
{
	sqlite3_stmt *q = prepare(l, NOTES);
	enum status st = ST_OK;
	int got = SQLITE_ERROR;
	sqlite3_bind_int64(q, 1, serial);
	sqlite3_bind_int64(q, 2, serial == 0 ? INT64_MAX : serial);
	sqlite3_bind_int64(q, 3, most == 0 ? -1 : (int64_t)most);
	while (q != NULL && st == ST_OK && (got = sqlite3_step(q)) == SQLITE_ROW) {
		struct ledger_note note = {
		    sqlite3_column_int64(q, 0), sqlite3_column_int(q, 1) != 0, column(q, 2), column(q, 3), column(q, 4),
		    sqlite3_column_int64(q, 5)};
		st = each(arg, &note, e);
	}
	if (st == ST_OK && got != SQLITE_DONE)
		st = fault(l, e);
	sqlite3_reset(q);
	return st;
}

enum status ledger_steps(struct ledger *l, int64_t serial, ledger_reader *reader, void *arg, struct err *e)
{
	sqlite3_stmt *q = prepare(l, STEPS);
	sqlite3_bind_int64(q, 1, serial);
	return read_rows(l, q, reader, arg, NULL, e);
}

static enum status add_step(struct ledger *l, int64_t serial, const char *stage, const char *record, struct err *e)
{
	sqlite3_stmt *q = prepare(l, ADD_STEP);
	sqlite3_bind_int64(q, 1, serial);
	text(q, 2, stage);
	text(q, 3, record);
	return run(l, q, NULL, e);
}

/* Where an item is; the texts live until the statement is reset. False: there is none. */
static bool read_place(sqlite3_stmt *q, struct ledger_place *ret)
{
	if (q == NULL || sqlite3_step(q) != SQLITE_ROW)
		return false;
	*ret = (struct ledger_place){sqlite3_column_int(q, 0) != 0, ledger_state_of(column(q, 1)), column(q, 2), column(q, 3)};
	return true;
}

/* Counts an item from where it is to another place; NULL: away. To be called before the item is changed. */
static enum status move(struct ledger *l, int64_t serial, const enum ledger_state *state, const char *next, struct err *e)
{
	struct ledger_place from;
	sqlite3_stmt *q = prepare(l, PLACE);
	sqlite3_bind_int64(q, 1, serial);
	int got = SQLITE_OK;
	if (read_place(q, &from)) {
		struct ledger_place to = {from.package, state != NULL ? *state : from.state, next, from.dossier};
		got = ledger_counter_add(l->counter, &from, -1);
		if (got == SQLITE_OK && next != NULL)
			got = ledger_counter_add(l->counter, &to, 1);
	}
	sqlite3_reset(q);
	return got == SQLITE_OK ? ST_OK : fault(l, e);
}

static enum status of_item(struct ledger *l, enum statement s, int64_t serial, const char *record, struct err *e)
{
	sqlite3_stmt *q = prepare(l, s);
	sqlite3_bind_int64(q, 1, serial);
	if (record != NULL)
		text(q, 2, record);
	return run(l, q, NULL, e);
}

enum status ledger_enter(struct ledger *l, const struct ledger_row *row, const char *stage, int64_t now_ms, int64_t *ret_serial,
                         struct err *e)
{
	const struct ledger_place to = {row->package, row->state, row->next, row->dossier};
	struct ledger_place was;
	enum status st = begin(l, e);
	if (st != ST_OK)
		return st;
	sqlite3_stmt *q = prepare(l, PLACE_OF_ID);
	sqlite3_bind_int(q, 1, row->package);
	text(q, 2, row->id);
	bool again = read_place(q, &was);
	int got = again ? ledger_counter_add(l->counter, &was, -1) : SQLITE_OK;
	sqlite3_reset(q);
	if (got == SQLITE_OK)
		got = ledger_counter_add(l->counter, &to, 1);
	if (got != SQLITE_OK)
		return fault(l, e);
	q = prepare(l, again ? ENTER_AGAIN : ENTER);
	sqlite3_bind_int(q, 1, row->package);
	text(q, 2, row->id);
	text(q, 3, row->dossier);
	text(q, 4, row->next);
	text(q, 5, ledger_state_name(row->state));
	text(q, 6, row->intake);
	text(q, 7, row->sources);
	sqlite3_bind_int64(q, 8, now_ms);
	st = run(l, q, ret_serial, e);
	if (st == ST_OK && again)
		st = of_item(l, CLEAR_STEPS, *ret_serial, NULL, e);
	if (st == ST_OK && again)
		st = of_item(l, CLEAR_NOTES, *ret_serial, NULL, e);
	return st == ST_OK ? add_step(l, *ret_serial, stage, row->record, e) : st;
}

enum status ledger_step(struct ledger *l, int64_t serial, const char *stage, const char *next, const char *record, int64_t now_ms,
                        struct err *e)
{
	enum status st = begin(l, e);
	if (st == ST_OK)
		st = move(l, serial, NULL, next, e);
	if (st != ST_OK)
		return st;
	sqlite3_stmt *q = prepare(l, STEP);
	sqlite3_bind_int64(q, 1, serial);
	text(q, 2, next);
	sqlite3_bind_int64(q, 3, now_ms);
	st = run(l, q, NULL, e);
	return st == ST_OK ? add_step(l, serial, stage, record, e) : st;
}

enum status ledger_settle(struct ledger *l, int64_t serial, enum ledger_state state, const char *next, const char *record,
                          unsigned attempts, int64_t now_ms, struct err *e)
{
	bool aside = state == LEDGER_QUARANTINE || state == LEDGER_REFUSED;
	enum status st = begin(l, e);
	if (st == ST_OK)
		st = move(l, serial, &state, next, e);
	if (st != ST_OK)
		return st;
	sqlite3_stmt *q = prepare(l, SETTLE);
	sqlite3_bind_int64(q, 1, serial);
	text(q, 2, ledger_state_name(state));
	text(q, 3, next);
	sqlite3_bind_int(q, 4, (int)attempts);
	sqlite3_bind_int64(q, 5, now_ms);
	st = run(l, q, NULL, e);
	if (st == ST_OK && !aside)
		st = of_item(l, TAKE_UP, serial, NULL, e);
	if (st == ST_OK && record != NULL)
		st = of_item(l, aside ? SET_ASIDE : NEW_RECORD, serial, record, e);
	return st == ST_OK && state == LEDGER_DONE ? of_item(l, LAST_STEP, serial, NULL, e) : st;
}

enum status ledger_drop_steps(struct ledger *l, int64_t serial, const char *keep_stage, struct err *e)
{
	enum status st = begin(l, e);
	return st == ST_OK ? of_item(l, keep_stage != NULL ? DROP_STEPS : CLEAR_STEPS, serial, keep_stage, e) : st;
}

enum status ledger_forget(struct ledger *l, int64_t serial, struct err *e)
{
	enum status st = begin(l, e);
	if (st == ST_OK)
		st = move(l, serial, NULL, NULL, e);
	if (st == ST_OK)
		st = of_item(l, CLEAR_STEPS, serial, NULL, e);
	if (st == ST_OK)
		st = of_item(l, CLEAR_NOTES, serial, NULL, e);
	return st == ST_OK ? of_item(l, FORGET, serial, NULL, e) : st;
}

enum status ledger_unpackage(struct ledger *l, int64_t serial, const char *dossier, struct err *e)
{
	enum status st = ledger_forget(l, serial, e);
	return st == ST_OK ? ledger_set_dossier_state(l, dossier, "open", e) : st;
}

enum status ledger_set_dossier(struct ledger *l, const char *key, uint32_t size, struct err *e)
{
	enum status st = begin(l, e);
	return st != ST_OK || ledger_counter_size(l->counter, key, size) == SQLITE_OK ? st : fault(l, e);
}

enum status ledger_set_dossier_state(struct ledger *l, const char *key, const char *state, struct err *e)
{
	enum status st = begin(l, e);
	return st != ST_OK || ledger_counter_state(l->counter, key, state) == SQLITE_OK ? st : fault(l, e);
}

enum status ledger_count_dossier(struct ledger *l, const char *key, const char *next, struct ledger_dossier *ret, struct err *e)
{
	return ledger_counter_dossier(l->counter, key, next, ret) == SQLITE_OK ? ST_OK : fault(l, e);
}

static enum status each_text(struct ledger *l, sqlite3_stmt *q, enum status (*each)(void *arg, const char *text, struct err *e),
                             void *arg, struct err *e)
{
	enum status st = ST_OK;
	int got = SQLITE_ERROR;
	while (q != NULL && st == ST_OK && (got = sqlite3_step(q)) == SQLITE_ROW)
		st = each(arg, column(q, 0), e);
	if (st == ST_OK && got != SQLITE_DONE)
		st = fault(l, e);
	sqlite3_reset(q);
	return st;
}

enum status ledger_open_dossiers(struct ledger *l, const char *after, size_t most,
                                 enum status (*each)(void *arg, const char *key, struct err *e), void *arg, struct err *e)
{
	if (ledger_counter_write(l->counter) != SQLITE_OK)
		return fault(l, e);
	sqlite3_stmt *q = prepare(l, OPEN_DOSSIERS);
	text(q, 1, after);
	sqlite3_bind_int64(q, 2, most == 0 ? -1 : (int64_t)most);
	return each_text(l, q, each, arg, e);
}

enum status ledger_unfinished(struct ledger *l, enum status (*each)(void *arg, const char *id, struct err *e), void *arg,
                              struct err *e)
{
	return each_text(l, prepare(l, UNFINISHED), each, arg, e);
}

enum status ledger_count(struct ledger *l, struct ledger_counts *ret, void (*each)(void *arg, const char *next, uint64_t n),
                         void *arg, struct err *e)
{
	struct ledger_counts c = {0};
	sqlite3_stmt *q = prepare(l, COUNT), *last = prepare(l, LAST);
	int got = ledger_counter_write(l->counter);
	if (got != SQLITE_OK)
		return fault(l, e);
	got = SQLITE_ERROR;
	while (q != NULL && (got = sqlite3_step(q)) == SQLITE_ROW) {
		uint64_t n = (uint64_t)sqlite3_column_int64(q, 3);
		enum ledger_state state = ledger_state_of(column(q, 1));
		(sqlite3_column_int(q, 0) != 0 ? c.packages : c.documents)[state] += n;
		if (state == LEDGER_OK && each != NULL)
			each(arg, column(q, 2), n);
	}
	enum status st = got == SQLITE_DONE ? ST_OK : fault(l, e);
	if (st == ST_OK && last != NULL && sqlite3_step(last) == SQLITE_ROW)
		c.last_serial = sqlite3_column_int64(last, 0);
	sqlite3_reset(q);
	sqlite3_reset(last);
	if (st == ST_OK)
		*ret = c;
	return st;
}

enum status ledger_sums(struct ledger *l, bool by_dossier,
                        enum status (*each)(void *arg, const struct ledger_sum *sum, struct err *e), void *arg, struct err *e)
{
	sqlite3_stmt *q = prepare(l, SUMS);
	enum status st = ST_OK;
	int got = SQLITE_ERROR;
	sqlite3_bind_int(q, 1, by_dossier);
	while (q != NULL && st == ST_OK && (got = sqlite3_step(q)) == SQLITE_ROW) {
		struct ledger_sum sum = {
		    .fonds = column(q, 0),
		    .dossier = column(q, 1),
		    .package = sqlite3_column_int(q, 2) != 0,
		    .state = ledger_state_of(column(q, 3)),
		    .next = column(q, 4),
		    .month = column(q, 5),
		    .items = (uint64_t)sqlite3_column_int64(q, 6),
		    .pages = (uint64_t)sqlite3_column_int64(q, 7),
		};
		st = each(arg, &sum, e);
	}
	if (st == ST_OK && got != SQLITE_DONE)
		st = fault(l, e);
	sqlite3_reset(q);
	return st;
}
