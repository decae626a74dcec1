/*
 * The ledger of an archive: which document is where, with the record of its last step. SQLite in .arkseal/ledger.sqlite.
 *
 * Only the supervisor writes. Writes gather in a transaction that ledger_tick commits after a second or some hundred documents, so what was
 * written last may be lost to a crash; it was made from what is still there, and is made again. Everybody may read at any time.
 *
 * Tables (version LEDGER_VERSION):
 *   items     a document or package: serial, package (0/1), id, dossier (key), next (stage to come, "publish", or ""), state, intake
 *             (digest of the record that ingest made), sources (digest of its files), attempts, entered, changed (ms)
 *   steps     the record (JSON) that each finished stage made: at (256 × item + number), stage, record. The newest is the item's; when the item is
 *             done, it is the only one left. Number 255, stage "": what the item was set aside with.
 *   dossiers  key, size (documents), state ("open", "packaged", "failed")
 *   notes     remarks about items: item, code, detail, at (ms)
 *   counts, dossier_counts   how many items there are by package, state and next, and documents by dossier, state and next
 */
#ifndef ARKSEAL_PIPELINE_LEDGER_H
#define ARKSEAL_PIPELINE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "stages/base/err.h"

#define LEDGER_VERSION 2

/* States of items: "ok" is under way. */
enum ledger_state { LEDGER_OK, LEDGER_DONE, LEDGER_QUARANTINE, LEDGER_REFUSED, LEDGER_STATES };
const char *ledger_state_name(enum ledger_state state);
enum ledger_state ledger_state_of(const char *name);

struct ledger;

struct ledger_row {
	int64_t serial;
	bool package;
	enum ledger_state state;
	unsigned attempts;
	const char *id;
	const char *dossier; /* key; of a package: the dossier that it was made of */
	const char *next;
	const char *intake;
	const char *sources;
	const char *record;
};

/* Opens, and makes it where `write` is true and it is not there. Errors: ST_RETRY and ST_RUN "ledger", "ledger-version", and for
 * reading "ledger-missing" and "ledger-old". Reading makes and changes no file; writing brings an older ledger to LEDGER_VERSION. */
enum status ledger_open(const char *path, bool write, struct ledger **ret_ledger, struct err *e);
/* Commits and closes. */
void ledger_close(struct ledger *l);

/* Commits when it is time to; ledger_commit at once. */
enum status ledger_tick(struct ledger *l, int64_t now_ms, struct err *e);
enum status ledger_commit(struct ledger *l, struct err *e);

/* A function that is handed rows, whose texts live until it returns. A status other than ST_OK ends the reading with it. It must not
 * write to the ledger. */
typedef enum status ledger_reader(void *arg, const struct ledger_row *row, struct err *e);

/* Each hands rows over; *ret_n (may be NULL) gets how many. */
enum status ledger_find(struct ledger *l, bool package, const char *id, ledger_reader *reader, void *arg, size_t *ret_n,
                        struct err *e);
enum status ledger_get(struct ledger *l, int64_t serial, ledger_reader *reader, void *arg, struct err *e);
/* Items under way that wait for `next`, with after < serial ≤ last, in order, at most `most`. */
enum status ledger_waiting(struct ledger *l, const char *next, int64_t after, int64_t last, size_t most, ledger_reader *reader,
                           void *arg, size_t *ret_n, struct err *e);
/* The documents of a dossier, in the order of their ids. */
enum status ledger_dossier(struct ledger *l, const char *key, ledger_reader *reader, void *arg, size_t *ret_n, struct err *e);
/* Items in a state (documents and packages) with after < serial, in order, at most `most` (0: all). */
enum status ledger_in_state(struct ledger *l, enum ledger_state state, int64_t after, size_t most, ledger_reader *reader,
                            void *arg, struct err *e);
/* Ids of the items that are neither done nor forgotten. */
enum status ledger_unfinished(struct ledger *l, enum status (*each)(void *arg, const char *id, struct err *e), void *arg,
                              struct err *e);
/* Items whose files have this digest, in order. */
enum status ledger_by_sources(struct ledger *l, const char *digest, ledger_reader *reader, void *arg, size_t *ret_n,
                              struct err *e);
/* The records of an item's steps, the newest first: next holds the stage that made the record. */
enum status ledger_steps(struct ledger *l, int64_t serial, ledger_reader *reader, void *arg, struct err *e);

/* Enters an item, or replaces it and its steps; its record is its first step, made by `stage`. */
enum status ledger_enter(struct ledger *l, const struct ledger_row *row, const char *stage, int64_t now_ms, int64_t *ret_serial,
                         struct err *e);
/* A stage has made `record` of it. */
enum status ledger_step(struct ledger *l, int64_t serial, const char *stage, const char *next, const char *record, int64_t now_ms,
                        struct err *e);
/* It is set aside (with this record, until it goes on), done (its earlier steps are forgotten), or goes on from another stage; record
 * NULL: stays. */
enum status ledger_settle(struct ledger *l, int64_t serial, enum ledger_state state, const char *next, const char *record,
                          unsigned attempts, int64_t now_ms, struct err *e);
/* Forgets steps: all that were made by stages after the one that made the newest record kept; keep_stage NULL: all. */
enum status ledger_drop_steps(struct ledger *l, int64_t serial, const char *keep_stage, struct err *e);
/* Forgets a document and all that is said of it. */
enum status ledger_forget(struct ledger *l, int64_t serial, struct err *e);
/* Removes a package again; its dossier is open. */
enum status ledger_unpackage(struct ledger *l, int64_t serial, const char *dossier, struct err *e);

/* Remarks about items, at most one of a code each; the newest stays. Entering an item anew forgets its notes. detail may be NULL. */
struct ledger_note {
	int64_t serial;
	bool package;
	const char *id, *code, *detail;
	int64_t at_ms;
};
enum status ledger_note(struct ledger *l, int64_t serial, const char *code, const char *detail, int64_t now_ms, struct err *e);
enum status ledger_unnote(struct ledger *l, int64_t serial, const char *code, struct err *e);
/* Notes of one item (0: of all), at most `most` (0: all). The texts live until `each` returns. */
enum status ledger_notes(struct ledger *l, int64_t serial, size_t most,
                         enum status (*each)(void *arg, const struct ledger_note *note, struct err *e), void *arg, struct err *e);

/* Dossiers. */
enum status ledger_set_dossier(struct ledger *l, const char *key, uint32_t size, struct err *e);
enum status ledger_set_dossier_state(struct ledger *l, const char *key, const char *state, struct err *e);
struct ledger_dossier {
	uint32_t size;
	uint32_t entered; /* documents in the ledger */
	uint32_t ready;   /* wait for `next` */
	uint32_t aside;   /* quarantined or refused */
	bool open;
	bool packaged;
};
enum status ledger_count_dossier(struct ledger *l, const char *key, const char *next, struct ledger_dossier *ret, struct err *e);
/* Keys of open dossiers after `after`, in order, at most `most` (0: all). */
enum status ledger_open_dossiers(struct ledger *l, const char *after, size_t most,
                                 enum status (*each)(void *arg, const char *key, struct err *e), void *arg, struct err *e);

/* How many items are in each state; how many wait for each stage is told to `each` (may be NULL). */
struct ledger_counts {
	uint64_t documents[LEDGER_STATES];
	uint64_t packages[LEDGER_STATES];
	int64_t last_serial;
};
/* How many items there are by fonds, dossier, state, stage to come, and the month of the last change. The texts live until `each` returns. */
struct ledger_sum {
	const char *fonds,
	    *dossier; /* codes, "" where there is none; dossier is "" for all of a fonds where `by_dossier` is false */
	bool package;
	enum ledger_state state;
	const char *next;
	const char *month; /* "2026-11", local time */
	uint64_t items, pages;
};
enum status ledger_sums(struct ledger *l, bool by_dossier,
                        enum status (*each)(void *arg, const struct ledger_sum *sum, struct err *e), void *arg, struct err *e);

enum status ledger_count(struct ledger *l, struct ledger_counts *ret, void (*each)(void *arg, const char *next, uint64_t n),
                         void *arg, struct err *e);

#endif
