/* The tables of a ledger, and the file that they are in. */
#ifndef ARKSEAL_PIPELINE_LEDGER_SCHEMA_H
#define ARKSEAL_PIPELINE_LEDGER_SCHEMA_H

#include <sqlite3.h>
#include <stdbool.h>

/* Opens the file for writing, and makes it where it is not there. An SQLite code; *ret_db is to be closed whatever it is. */
int ledger_file_write(const char *path, sqlite3 **ret_db);
/* Opens it for reading, also on a medium that cannot be written. Makes and changes no file. *ret_still: it is read as a file that nobody
 * writes. */
int ledger_file_read(const char *path, sqlite3 **ret_db, bool *ret_still);

/* The version of the schema, 0: no tables yet. */
int ledger_version(sqlite3 *db, int *ret_version);
/* From an earlier version, or from nothing, to LEDGER_VERSION, wholly or not at all. */
int ledger_migrate(sqlite3 *db, int from);

#endif
