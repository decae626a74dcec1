/*
 * What a stage that signs or stamps keeps open as long as its process lives: key holder, network, trust, authorities.
 */
#ifndef ARKSEAL_SIGN_SESSION_H
#define ARKSEAL_SIGN_SESSION_H

#include "pipeline/stage.h"
#include "stages/base/file.h"
#include "stages/trust/cades.h"
#include "stages/trust/revocation.h"

struct session {
	const struct stage_env *env;
	struct keyholder *key;        /* NULL where it was not asked for */
	enum key_algorithm algorithm; /* how the key is used, by the profile and its kind */
	enum key_digest digest;       /* of the profile */
	const EVP_MD *md;             /* the same */
	struct fetch *fetch;
	struct trust_store *store; /* the site's anchors, the key's chain, what has been learnt since */
	struct revocation *revocation;
	struct tsa tsa; /* the site's authorities in their order */
};

/* Takes env's descriptors over. Errors: ST_RUN "profile-value"; with_key "key-algorithm-refused"; those of keyholder_open, fetch_open, trust_store_add_anchors; ST_RUN "tsa-none" where with_tsa
 * and the site names no authority. */
enum status session_open(const struct stage_env *env, bool with_key, bool with_tsa, struct session *ret_session, struct err *e);
void session_close(struct session *s);

/* DER of a certificate into the store. */
void session_learn(const struct session *s, X509 *certificate);

/* "CN=…,O=…" (RFC 2253, UTF-8) and the serial number in hexadecimal, cut to the room that there is. */
void certificate_subject(X509 *certificate, char *to, size_t room);
void certificate_serial(X509 *certificate, char *to, size_t room);
/* The one organisationName of the subject in NFC; the caller frees. NULL where there is none. */
char *certificate_organisation(X509 *certificate);

/* Opens the PDF that is the item's artefact or, where no stage has made one, its only source, and proves that it is the one that the record
 * names: whoever changed it in between does not get it signed. Errors: ST_ITEM "sign-no-pdf", "artefact-changed", "source-changed". */
enum status session_input(const struct item *it, struct file_map *ret_map, char ret_sha256[65], struct err *e);

/* Writes the original bytes and the update to `path` and makes that the item's artefact, of the format that it had. */
enum status session_publish(struct item *it, const char *path, struct bytes original, const struct buf *update, struct err *e);

#endif
