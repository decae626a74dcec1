/* The ledger: what is entered is found again, also after it was closed; steps, dossiers, batches, versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pipeline/ledger.h"
#include "stages/base/file.h"

static char base[] = "/tmp/arkseal_ledger_XXXXXX";
static char path[64];
static struct err e;

#define OK(call) assert_int_equal((call), ST_OK)

static struct ledger *fresh(void)
{
	struct ledger *l;
	static const char *const extension[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < 3; i++) {
		char name[80];
		snprintf(name, sizeof name, "%s%s", path, extension[i]);
		unlink(name);
	}
	OK(ledger_open(path, true, &l, &e));
	return l;
}

static struct ledger *again(struct ledger *l)
{
	ledger_close(l);
	OK(ledger_open(path, true, &l, &e));
	return l;
}

static int64_t enter(struct ledger *l, const char *id, const char *dossier, const char *next)
{
	int64_t serial = 0;
	struct ledger_row row = {.id = id, .dossier = dossier, .next = next, .intake = "i", .sources = "s", .record = "{}"};
	OK(ledger_enter(l, &row, "ingest", 1000, &serial, &e));
	assert_true(serial > 0);
	return serial;
}

static enum status collect(void *to, const struct ledger_row *row, struct err *fault)
{
	char *text = to;
	(void)fault;
	snprintf(text + strlen(text), 400 - strlen(text), "%s:%s:%s:%s ", row->id, row->next, ledger_state_name(row->state),
	         row->record);
	return ST_OK;
}

static void test_items(void **state)
{
	struct ledger *l = fresh();
	char text[400] = "";
	size_t n;
	(void)state;
	int64_t a = enter(l, "a", NULL, "convert"), b = enter(l, "b", NULL, "convert");
	assert_true(b > a);
	OK(ledger_step(l, a, "convert", "sign", "{1}", 2000, &e));
	OK(ledger_step(l, a, "sign", "publish", "{2}", 3000, &e));
	OK(ledger_settle(l, b, LEDGER_QUARANTINE, "convert", "{bad}", 2, 3000, &e));
	l = again(l);
	OK(ledger_find(l, false, "a", collect, text, &n, &e));
	assert_int_equal(n, 1);
	assert_string_equal(text, "a:publish:ok:{2} ");
	OK(ledger_find(l, true, "a", collect, text, &n, &e));
	assert_int_equal(n, 0);
	text[0] = '\0';
	OK(ledger_steps(l, a, collect, text, &e));
	assert_string_equal(text, "a:sign:ok:{2} a:convert:ok:{1} a:ingest:ok:{} ");
	OK(ledger_drop_steps(l, a, "convert", &e));
	text[0] = '\0';
	OK(ledger_steps(l, a, collect, text, &e));
	assert_string_equal(text, "a:convert:ok:{1} a:ingest:ok:{} ");
	text[0] = '\0';
	OK(ledger_waiting(l, "publish", 0, b, 10, collect, text, &n, &e));
	assert_int_equal(n, 1);
	OK(ledger_waiting(l, "publish", a, b, 10, collect, text, &n, &e));
	assert_int_equal(n, 0);
	text[0] = '\0';
	OK(ledger_in_state(l, LEDGER_QUARANTINE, 0, 0, collect, text, &e));
	assert_string_equal(text, "b:convert:quarantine:{bad} ");
	/* Entered anew: the same serial, its steps gone. */
	assert_true(enter(l, "b", NULL, "convert") == b);
	text[0] = '\0';
	OK(ledger_steps(l, b, collect, text, &e));
	assert_string_equal(text, "b:ingest:ok:{} ");
	struct ledger_counts c;
	OK(ledger_count(l, &c, NULL, NULL, &e));
	assert_int_equal(c.documents[LEDGER_OK], 2);
	assert_int_equal(c.last_serial, b);
	ledger_close(l);
}

static void test_dossiers(void **state)
{
	struct ledger *l = fresh();
	struct ledger_dossier d;
	(void)state;
	OK(ledger_set_dossier(l, "D", 3, &e));
	int64_t a = enter(l, "a", "D", "bundle"), b = enter(l, "b", "D", "convert");
	OK(ledger_count_dossier(l, "D", "bundle", &d, &e));
	assert_true(d.open);
	assert_int_equal(d.size, 3);
	assert_int_equal(d.entered, 2);
	assert_int_equal(d.ready, 1);
	assert_int_equal(d.aside, 0);
	OK(ledger_settle(l, b, LEDGER_REFUSED, "ingest", NULL, 0, 1, &e));
	OK(ledger_set_dossier(l, "D", 2, &e));
	OK(ledger_count_dossier(l, "D", "bundle", &d, &e));
	assert_int_equal(d.size, 2);
	assert_int_equal(d.aside, 1);
	int64_t package;
	struct ledger_row row = {.package = true, .id = "a", .dossier = "D", .next = "validate", .record = "{p}"};
	OK(ledger_enter(l, &row, "bundle", 1, &package, &e));
	assert_true(package != a);
	OK(ledger_set_dossier_state(l, "D", "packaged", &e));
	OK(ledger_count_dossier(l, "D", "bundle", &d, &e));
	assert_false(d.open);
	assert_int_equal(d.entered, 2);
	OK(ledger_unpackage(l, package, "D", &e));
	OK(ledger_count_dossier(l, "D", "bundle", &d, &e));
	assert_true(d.open);
	OK(ledger_count_dossier(l, "none", "bundle", &d, &e));
	assert_false(d.open);
	ledger_close(l);
}

/* A reader sees what is committed: after so many rows or a second, not before. */
static void test_batches(void **state)
{
	struct ledger *l = fresh(), *reader;
	char text[400] = "";
	size_t n;
	(void)state;
	OK(ledger_open(path, false, &reader, &e));
	enter(l, "a", NULL, "convert");
	OK(ledger_tick(l, 10000, &e));
	OK(ledger_find(reader, false, "a", collect, text, &n, &e));
	assert_int_equal(n, 0);
	OK(ledger_tick(l, 10999, &e));
	OK(ledger_find(reader, false, "a", collect, text, &n, &e));
	assert_int_equal(n, 0);
	OK(ledger_tick(l, 11000, &e));
	OK(ledger_find(reader, false, "a", collect, text, &n, &e));
	assert_int_equal(n, 1);
	for (int i = 0; i < 7000; i++) {
		char id[20];
		snprintf(id, sizeof id, "n%d", i);
		enter(l, id, NULL, "convert");
	}
	OK(ledger_tick(l, 11001, &e));
	OK(ledger_find(reader, false, "n6999", collect, text, &n, &e));
	assert_int_equal(n, 1);
	ledger_close(reader);
	ledger_close(l);
}

static void test_wrong_files(void **state)
{
	struct ledger *l = fresh();
	sqlite3 *db;
	(void)state;
	ledger_close(l);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(ledger_open(path, true, &l, &e), ST_RUN);
	assert_string_equal(e.code, "ledger-version");
	unlink(path);
	assert_int_equal(ledger_open(path, false, &l, &e), ST_RUN);
	assert_string_equal(e.code, "ledger-missing");
	OK(file_write(path, "this is no database, but long enough to be taken for one by its size alone", 74, &e));
	assert_int_equal(ledger_open(path, true, &l, &e), ST_RUN);
	assert_string_equal(e.code, "ledger");
}

static enum status collect_note(void *to, const struct ledger_note *note, struct err *fault)
{
	char *text = to;
	(void)fault;
	snprintf(text + strlen(text), 400 - strlen(text), "%s:%s:%s:%lld ", note->id, note->code, note->detail,
	         (long long)note->at_ms);
	return ST_OK;
}

static void test_notes(void **state)
{
	struct ledger *l = fresh();
	char text[400] = "";
	size_t n;
	(void)state;
	int64_t a = enter(l, "a", NULL, "convert"), b = enter(l, "b", NULL, "convert");
	OK(ledger_note(l, b, "source-moved", "x", 5, &e));
	OK(ledger_note(l, a, "source-changed", NULL, 6, &e));
	OK(ledger_note(l, a, "source-changed", "again", 7, &e));
	l = again(l);
	OK(ledger_notes(l, 0, 0, collect_note, text, &e));
	assert_string_equal(text, "a:source-changed:again:7 b:source-moved:x:5 ");
	text[0] = '\0';
	OK(ledger_notes(l, b, 0, collect_note, text, &e));
	assert_string_equal(text, "b:source-moved:x:5 ");
	text[0] = '\0';
	OK(ledger_by_sources(l, "s", collect, text, &n, &e));
	assert_int_equal(n, 2);
	OK(ledger_by_sources(l, "t", collect, text, &n, &e));
	assert_int_equal(n, 0);
	assert_true(enter(l, "b", NULL, "convert") == b);
	text[0] = '\0';
	OK(ledger_notes(l, b, 0, collect_note, text, &e));
	assert_string_equal(text, "");
	ledger_close(l);
}

/* The schema of version 1, as it was made. */
static const char version_1[] =
    "CREATE TABLE items (serial INTEGER PRIMARY KEY, package INTEGER NOT NULL, id TEXT NOT NULL, dossier TEXT, next TEXT NOT "
    "NULL, state TEXT NOT NULL, intake TEXT, sources TEXT, record TEXT NOT NULL, attempts INTEGER NOT NULL, entered INTEGER NOT "
    "NULL, changed INTEGER NOT NULL, UNIQUE (package, id));"
    "CREATE INDEX items_by_state ON items (state, next, package, serial);"
    "CREATE INDEX items_by_dossier ON items (dossier);"
    "CREATE TABLE steps (item INTEGER NOT NULL, number INTEGER NOT NULL, stage TEXT NOT NULL, record TEXT NOT NULL, "
    "PRIMARY KEY (item, number)) WITHOUT ROWID;"
    "CREATE TABLE dossiers (key TEXT PRIMARY KEY, size INTEGER NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;"
    "INSERT INTO items VALUES (1, 0, 'a', 'D', 'sign', 'ok', 'i', 's', '{a}', 1, 5, 6);"
    "INSERT INTO items VALUES (2, 0, 'b', 'D', 'convert', 'quarantine', 'i', 't', '{b}', 2, 5, 6);"
    "INSERT INTO items VALUES (3, 1, 'p', 'E', '', 'done', NULL, NULL, '{p}', 0, 5, 6);"
    "INSERT INTO steps VALUES (1, 1, 'ingest', '{0}'), (1, 2, 'convert', '{a}'), (2, 1, 'ingest', '{1}');"
    "INSERT INTO dossiers VALUES ('D', 2, 'open'), ('E', 1, 'packaged');"
    "PRAGMA user_version = 1;";

static void execute(const char *text)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void test_migration(void **state)
{
	struct ledger *l = fresh();
	struct ledger_counts c;
	struct ledger_dossier d;
	char text[400] = "";
	size_t n;
	(void)state;
	ledger_close(l);
	assert_int_equal(unlink(path), 0);
	execute(version_1);
	/* Who only reads changes nothing. */
	assert_int_equal(ledger_open(path, false, &l, &e), ST_RUN);
	assert_string_equal(e.code, "ledger-old");
	/* What cannot be done wholly is not done at all. */
	execute("CREATE TABLE counts (x)");
	assert_int_equal(ledger_open(path, true, &l, &e), ST_RUN);
	execute("DROP TABLE counts");
	assert_int_equal(ledger_open(path, false, &l, &e), ST_RUN);
	assert_string_equal(e.code, "ledger-old");
	OK(ledger_open(path, true, &l, &e));
	OK(ledger_count(l, &c, NULL, NULL, &e));
	assert_int_equal(c.documents[LEDGER_OK], 1);
	assert_int_equal(c.documents[LEDGER_QUARANTINE], 1);
	assert_int_equal(c.packages[LEDGER_DONE], 1);
	assert_int_equal(c.last_serial, 3);
	OK(ledger_count_dossier(l, "D", "sign", &d, &e));
	assert_true(d.size == 2 && d.entered == 2 && d.ready == 1 && d.aside == 1 && d.open);
	OK(ledger_waiting(l, "sign", 0, 9, 9, collect, text, &n, &e));
	OK(ledger_steps(l, 1, collect, text, &e));
	assert_string_equal(text, "a:sign:ok:{a} a:convert:ok:{a} a:ingest:ok:{0} ");
	text[0] = '\0';
	OK(ledger_get(l, 2, collect, text, &e));
	OK(ledger_get(l, 3, collect, text, &e));
	OK(ledger_steps(l, 2, collect, text, &e));
	assert_string_equal(text, "b:convert:quarantine:{b} p::done:{p} b:ingest:quarantine:{1} ");
	OK(ledger_settle(l, 2, LEDGER_OK, "convert", NULL, 0, 7, &e));
	text[0] = '\0';
	OK(ledger_get(l, 2, collect, text, &e));
	assert_string_equal(text, "b:convert:ok:{1} ");
	OK(ledger_count_dossier(l, "D", "sign", &d, &e));
	assert_true(d.entered == 2 && d.ready == 1 && d.aside == 0);
	ledger_close(l);
	OK(ledger_open(path, false, &l, &e));
	OK(ledger_count(l, &c, NULL, NULL, &e));
	assert_int_equal(c.documents[LEDGER_OK], 2);
	ledger_close(l);
}

static bool there(const char *extension)
{
	char name[80];
	snprintf(name, sizeof name, "%s%s", path, extension);
	return access(name, F_OK) == 0;
}

/* Reading makes no file, also where a log was left behind. */
static void test_reading(void **state)
{
	struct ledger *l = fresh(), *reader;
	struct ledger_counts c;
	char copy[128], to[96];
	struct buf log = BUF_INIT(1 << 24);
	(void)state;
	enter(l, "a", NULL, "convert");
	ledger_close(l);
	OK(ledger_open(path, false, &reader, &e));
	OK(ledger_count(reader, &c, NULL, NULL, &e));
	assert_int_equal(c.documents[LEDGER_OK], 1);
	assert_false(there("-wal") || there("-shm"));
	ledger_close(reader);
	assert_false(there("-wal") || there("-shm"));
	/* A copy of a ledger that is being written: its log without the index. */
	OK(ledger_open(path, true, &l, &e));
	enter(l, "b", NULL, "convert");
	OK(ledger_commit(l, &e));
	snprintf(copy, sizeof copy, "%s-wal", path);
	OK(file_read(copy, &log, &e));
	ledger_close(l);
	snprintf(to, sizeof to, "%s/copy?%%#.sqlite", base);
	snprintf(copy, sizeof copy, "%s-wal", to);
	OK(file_write(copy, log.data, log.len, &e));
	buf_reset(&log);
	OK(file_read(path, &log, &e));
	OK(file_write(to, log.data, log.len, &e));
	buf_free(&log);
	OK(ledger_open(to, false, &reader, &e));
	OK(ledger_count(reader, &c, NULL, NULL, &e));
	assert_int_equal(c.documents[LEDGER_OK], 2);
	ledger_close(reader);
	assert_int_equal(access(copy, F_OK), 0);
	snprintf(copy, sizeof copy, "%s-shm", to);
	assert_int_not_equal(access(copy, F_OK), 0);
}

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(base) == NULL)
		return 1;
	snprintf(path, sizeof path, "%s/ledger.sqlite", base);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return file_remove_tree(base, &e) != ST_OK;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_items),       cmocka_unit_test(test_dossiers),  cmocka_unit_test(test_batches),
	    cmocka_unit_test(test_notes),       cmocka_unit_test(test_migration), cmocka_unit_test(test_reading),
	    cmocka_unit_test(test_wrong_files),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
