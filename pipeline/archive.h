/*
 * The folder that a run fills: published results, quarantine/, and .arkseal/ with the ledger, the lock and the work folder.
 */
#ifndef ARKSEAL_PIPELINE_ARCHIVE_H
#define ARKSEAL_PIPELINE_ARCHIVE_H

#include "pipeline/item.h"
#include "pipeline/shard.h"
#include "stages/base/err.h"

struct archive {
	char *root;       /* absolute */
	char *work;       /* <root>/.arkseal/work */
	char *quarantine; /* <root>/quarantine */
	char *ledger;     /* <root>/.arkseal/ledger.sqlite */
	char *lock;       /* <root>/.arkseal/lock */
	int lock_fd;      /* -1: not locked */
};

/* Finds the paths; with `make` the folders are made where they are not there. Errors: "archive-missing", file-… */
enum status archive_open(const char *root, bool make, struct archive *ret_archive, struct err *e);
/* The same for a shard (of 0: the whole), with ledger, lock and work folder in .arkseal/shard-I-of-N/. With `make`, an archive that has been
 * worked on in other parts is refused. Errors as above, and ST_RUN "archive-shards" with the part that is there. */
enum status archive_open_shard(const char *root, struct shard shard, bool make, struct archive *ret_archive, struct err *e);
/* The parts of an archive that have been worked on, in the order of their numbers; the whole is {0, 0}. The caller frees. */
enum status archive_shards(const char *root, struct shard **ret_shards, size_t *ret_n, struct err *e);
void archive_close(struct archive *a);

/* Takes the archive for this process and its workers (flock). Where the holder is dead and only its workers are left, waits a
 * moment for their end. Errors: ST_RETRY "archive-taken" with who holds it. */
enum status archive_lock(struct archive *a, struct err *e);
/* The process id of the holder, or 0. */
long archive_holder(const struct archive *a);

/* Removes the temporary files that dead workers have left in the work folder: those of one item, or with NULL all. */
enum status archive_sweep(const struct archive *a, const char *id, struct err *e);

/* Whether a file of a record is there with its size and digest; a folder is only looked for. */
bool archive_file_intact(const struct item_file *f);
/* The same for the artefact and the companions; true where there is no artefact yet. */
bool archive_item_intact(const struct item *it);
/* Whether the path lies in the work folder. */
bool archive_in_work(const struct archive *a, const char *path);

/* Moves the artefact and its companions to their place under the root, companions first. A document comes to <path>.<extension>, a
 * package under the name that it has in the work folder. It is no fault when (after a stop) they are there already. Then the item's files name their new places,
 * relative to the root. Errors: ST_ITEM "publish-exists" (another file is there), "publish-path"; "publish-gone"; ST_RETRY file-… */
enum status archive_publish(const struct archive *a, struct item *it, struct err *e);
/* Removes from the work folder what a record names there. */
void archive_discard(const struct archive *a, const struct item *it);

/* Writes the notice of a document that was set aside, and its record beside: quarantine/<safe name of the id>.txt and .json. */
enum status archive_set_aside(const struct archive *a, const struct item *it, struct err *e);
/* Removes them again. */
void archive_put_back(const struct archive *a, const char *id);

#endif
