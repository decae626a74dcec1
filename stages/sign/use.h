/*
 * A use of the key, noted in the work folder before it happens: what is signed, when, and, when it has happened, the signature without
 * its timestamp. A try that ends before the document is signed (a crash, an authority that is away) leaves the note behind. The next
 * try goes on with that signature as long as it is young; else the use is registered as discarded, with an event in the document's record,
 * and the key is used anew. So no use of the key is forgotten.
 */
#ifndef ARKSEAL_SIGN_USE_H
#define ARKSEAL_SIGN_USE_H

#include "pipeline/item.h"
#include "stages/base/buf.h"

#define USE_CMS_MAX (1u << 20)

struct key_use {
	char *path;       /* of the note */
	char input[65];   /* SHA-256 of the PDF */
	char digest[129]; /* of the bytes that the signature covers, hexadecimal */
	char serial[80];  /* of the certificate */
	int64_t used_ms;  /* 0: the key has not been used */
	int64_t time_ms;  /* that M and the appearance show */
	size_t room;      /* bytes for Contents */
	struct buf cms;   /* empty: the result was lost */
	json_t *discarded;
};

/* Reads the note of an earlier try, where there is one. path is taken over. A note that cannot be read counts as a use whose result was lost.
 * Errors: ST_RETRY. */
enum status use_open(char *path, struct key_use *ret_use, struct err *e);
void use_free(struct key_use *u);
/* Writes the note, synced. Errors: ST_RETRY file-…; ST_ITEM. */
enum status use_save(const struct key_use *u, struct err *e);
/* The use is of no use; reason in English. Nothing where the key has not been used. */
void use_discard(struct key_use *u, const char *reason);
/* It did not happen after all. */
void use_undo(struct key_use *u);
/* An event for each discarded use. */
void use_tell(const struct key_use *u, struct item *it, int64_t now_ms);

#endif
