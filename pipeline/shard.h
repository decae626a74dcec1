/*
 * A shard: a stable part of the dossiers of a backlog, worked on by a run of its own with a ledger, a lock and a work folder of its
 * own in .arkseal/shard-I-of-N/. All shards publish into the same archive and set aside into the same quarantine/.
 */
#ifndef ARKSEAL_PIPELINE_SHARD_H
#define ARKSEAL_PIPELINE_SHARD_H

#include <stdbool.h>

#define SHARDS_MOST 1000
#define SHARD_NAME 32

struct shard {
	unsigned number; /* from 1 */
	unsigned of;     /* 0: the whole backlog */
};

/* "I/N" with 1 ≤ I ≤ N ≤ SHARDS_MOST. */
bool shard_parse(const char *text, struct shard *ret_shard);
/* Whether a document belongs to the shard: by its fonds (may be NULL) and dossier, or by its id where it has no dossier. Depends on these
 * texts alone, so all documents of a dossier fall into one shard, in every run and on every machine. */
bool shard_has(struct shard s, const char *fonds, const char *dossier, const char *id);
/* "shard-I-of-N", the name of its folder in .arkseal. */
void shard_name(struct shard s, char ret_name[SHARD_NAME]);
/* The reverse; false for any other name. */
bool shard_parse_name(const char *name, struct shard *ret_shard);

#endif
