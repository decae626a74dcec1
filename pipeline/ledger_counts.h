/*
 * How many items are where, while a ledger is being written. Each change is counted in memory and goes into the tables counts and dossier_counts
 * with the next commit: many documents of a dossier pass a stage between two of them.
 */
#ifndef ARKSEAL_PIPELINE_LEDGER_COUNTS_H
#define ARKSEAL_PIPELINE_LEDGER_COUNTS_H

#include <sqlite3.h>

#include "pipeline/ledger.h"

struct ledger_counter;

/* Where an item is. */
struct ledger_place {
	bool package;
	enum ledger_state state;
	const char *next;
	const char *dossier; /* key, or NULL */
};

/* NULL without memory. db is borrowed. */
struct ledger_counter *ledger_counter_new(sqlite3 *db);
void ledger_counter_free(struct ledger_counter *c);

/* The others give an SQLite code. */

/* One item more (1) or less (-1) is at this place. */
int ledger_counter_add(struct ledger_counter *c, const struct ledger_place *place, int by);
/* The size of an open or new dossier, or its state ("open", "packaged", "failed"). */
int ledger_counter_size(struct ledger_counter *c, const char *key, uint32_t size);
int ledger_counter_state(struct ledger_counter *c, const char *key, const char *state);
/* How a dossier stands; all 0 where there is none. ready: documents that wait for `next`. */
int ledger_counter_dossier(struct ledger_counter *c, const char *key, const char *next, struct ledger_dossier *ret);
/* Writes what has been counted; to be called before each commit and before the tables are read. */
int ledger_counter_write(struct ledger_counter *c);

#endif
