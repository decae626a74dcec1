#include "pipeline/ledger_schema.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "pipeline/ledger.h"
#include "stages/base/buf.h"

/* What leads to each version from the one before it. A step is never changed again: ledgers are out there that were made by it. */
static const char *const version[LEDGER_VERSION] = {
    "CREATE TABLE items (serial INTEGER PRIMARY KEY, package INTEGER NOT NULL, id TEXT NOT NULL, dossier TEXT, next TEXT NOT "
    "NULL, state TEXT NOT NULL, intake TEXT, sources TEXT, record TEXT NOT NULL, attempts INTEGER NOT NULL, entered INTEGER NOT "
    "NULL, changed INTEGER NOT NULL, UNIQUE (package, id));"
    "CREATE INDEX items_by_state ON items (state, next, package, serial);"
    "CREATE INDEX items_by_dossier ON items (dossier);"
    "CREATE TABLE steps (item INTEGER NOT NULL, number INTEGER NOT NULL, stage TEXT NOT NULL, record TEXT NOT NULL, "
    "PRIMARY KEY (item, number)) WITHOUT ROWID;"
    "CREATE TABLE dossiers (key TEXT PRIMARY KEY, size INTEGER NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;",

    /* Counts are kept, not counted; what is done leaves the index of what waits. Records lie with the steps, and these in a table by
     * number: without one each record has a page of its own, for an index holds short rows only. */
    "DROP INDEX items_by_state;"
    "CREATE INDEX items_waiting ON items (next, serial) WHERE state = 'ok';"
    "CREATE INDEX items_aside ON items (state, serial) WHERE state IN ('quarantine', 'refused');"
    "CREATE INDEX items_by_sources ON items (sources) WHERE sources IS NOT NULL;"
    "CREATE INDEX dossiers_open ON dossiers (key) WHERE state = 'open';"
    "CREATE TABLE notes (item INTEGER NOT NULL, code TEXT NOT NULL, detail TEXT NOT NULL, at INTEGER NOT NULL, "
    "PRIMARY KEY (item, code)) WITHOUT ROWID;"
    "CREATE TABLE counts (package INTEGER NOT NULL, state TEXT NOT NULL, next TEXT NOT NULL, n INTEGER NOT NULL, "
    "PRIMARY KEY (package, state, next)) WITHOUT ROWID;"
    "CREATE TABLE dossier_counts (dossier TEXT NOT NULL, state TEXT NOT NULL, next TEXT NOT NULL, n INTEGER NOT NULL, "
    "PRIMARY KEY (dossier, state, next)) WITHOUT ROWID;"
    "INSERT INTO counts SELECT package, state, next, count(*) FROM items GROUP BY 1, 2, 3;"
    "INSERT INTO dossier_counts SELECT dossier, state, next, count(*) FROM items WHERE package = 0 AND dossier IS NOT NULL "
    "GROUP BY 1, 2, 3;"
    "CREATE TABLE steps_by_number (at INTEGER PRIMARY KEY, stage TEXT NOT NULL, record TEXT NOT NULL);"
    "INSERT INTO steps_by_number SELECT item * 256 + number, stage, record FROM steps;"
    "INSERT INTO steps_by_number SELECT serial * 256 + 255, '', record FROM items WHERE state <> 'ok';"
    "DROP TABLE steps;"
    "ALTER TABLE steps_by_number RENAME TO steps;"
    "ALTER TABLE items DROP COLUMN record;",
};

int ledger_version(sqlite3 *db, int *ret_version)
{
	sqlite3_stmt *q = NULL;
	int got = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &q, NULL);
	if (got == SQLITE_OK && (got = sqlite3_step(q)) == SQLITE_ROW)
		*ret_version = sqlite3_column_int(q, 0);
	sqlite3_finalize(q);
	return got == SQLITE_ROW ? SQLITE_OK : got;
}

int ledger_migrate(sqlite3 *db, int from)
{
	char last[64];
	snprintf(last, sizeof last, "PRAGMA user_version = %d; COMMIT;", LEDGER_VERSION);
	int got = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	for (int i = from; i < LEDGER_VERSION && got == SQLITE_OK; i++)
		got = sqlite3_exec(db, version[i], NULL, NULL, NULL);
	/* A commit that fails leaves the transaction open; closing the file takes it back. */
	return got == SQLITE_OK ? sqlite3_exec(db, last, NULL, NULL, NULL) : got;
}

int ledger_file_write(const char *path, sqlite3 **ret_db)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* nobody asks; too late if a ledger is open already, which does no harm */
	int got = sqlite3_open_v2(path, ret_db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (got != SQLITE_OK)
		return got;
	sqlite3_busy_timeout(*ret_db, 5000);
	/* The write-ahead log grows while somebody reads for long; afterwards it is cut again. What is deleted need not be overwritten:
	 * it was no secret. What a statement might have to take back is a few pages: no files for them. Records are about 1 kB, so pages of
	 * a new ledger are larger than by default. */
	return sqlite3_exec(*ret_db,
	                    "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA "
	                    "journal_size_limit = 67108864; "
	                    "PRAGMA cache_size = -16000; PRAGMA secure_delete = OFF; PRAGMA temp_store = MEMORY;",
	                    NULL, NULL, NULL);
}

static off_t size_of(const char *path, const char *extension)
{
	BUF_AUTO struct buf name = BUF_INIT(1 << 16);
	struct stat st;
	buf_format(&name, "%s%s", path, extension);
	return !name.failed && stat((const char *)name.data, &st) == 0 ? st.st_size : -1;
}

static int try_read(const char *path, const char *options, const char *vfs, const char *pragma, sqlite3 **ret_db)
{
	BUF_AUTO struct buf uri = BUF_INIT(1 << 16);
	int version_there;
	buf_str(&uri, path[0] == '/' ? "file://" : "file:");
	for (const char *c = path; *c != '\0'; c++)
		buf_format(&uri, strchr("%?#", *c) != NULL ? "%%%02X" : "%c", (unsigned char)*c);
	buf_str(&uri, options);
	if (uri.failed)
		return SQLITE_NOMEM;
	sqlite3_close(*ret_db);
	int got =
	    sqlite3_open_v2((const char *)uri.data, ret_db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, vfs);
	if (got == SQLITE_OK) {
		sqlite3_busy_timeout(*ret_db, 5000);
		sqlite3_db_config(*ret_db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		got = sqlite3_exec(*ret_db, pragma, NULL, NULL, NULL);
	}
	return got == SQLITE_OK ? ledger_version(*ret_db, &version_there) : got;
}

/*
 * With a write-ahead log SQLite makes files even to read, unless it is told how things are. No log: the file is all there is. A log with
 * its index: a run is at work, or was killed. A log that cannot be read with an index (a copy, a medium that cannot be written): the
 * index is made in memory, without locks, as nobody can be writing.
 */
int ledger_file_read(const char *path, sqlite3 **ret_db, bool *ret_still)
{
	*ret_db = NULL;
	*ret_still = false;
	if (size_of(path, "") < 0)
		return SQLITE_CANTOPEN;
	if (size_of(path, "-wal") <= 0) {
		*ret_still = true;
		return try_read(path, "?immutable=1", NULL, "", ret_db);
	}
	int got = size_of(path, "-shm") < 0 ? SQLITE_CANTOPEN : try_read(path, "", NULL, "", ret_db);
	if (got == SQLITE_OK || (got & 0xff) == SQLITE_BUSY)
		return got;
	*ret_still = true;
	return try_read(path, "", "unix-none", "PRAGMA locking_mode = EXCLUSIVE", ret_db);
}
