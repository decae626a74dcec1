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
	OK(ledger_in_state(l, LEDGER_QUARANTINE, collect, text, &e));
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

/* A reader sees what is committed: after a hundred rows or a second, not before. */
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
	for (int i = 0; i < 60; i++) {
		char id[20];
		snprintf(id, sizeof id, "n%d", i);
		enter(l, id, NULL, "convert");
	}
	OK(ledger_tick(l, 11001, &e));
	OK(ledger_find(reader, false, "n59", collect, text, &n, &e));
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
	    cmocka_unit_test(test_items),
	    cmocka_unit_test(test_dossiers),
	    cmocka_unit_test(test_batches),
	    cmocka_unit_test(test_wrong_files),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
