/* RSASSA-PSS by the module's own C_Sign: libp11 0.4.12 offers it only with the raw operation, which tokens refuse. */
#ifndef ARKSEAL_TRUST_KEYS_PSS_H
#define ARKSEAL_TRUST_KEYS_PSS_H

#include <openssl/evp.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

/* The key, on a token that is logged in to already by this process. */
struct pss_key {
	const char *module; /* path */
	unsigned long slot;
	const char *label; /* NULL or "": not asked for */
	struct bytes id;   /* the same */
};

/* Appends a signature over a digest: MGF1 with the same hash, salt as long as the hash (RFC 4056). Errors: ST_RETRY "key-gone", ST_RUN
 * "key-algorithm" where the token has no PSS. */
enum status pss_sign(const struct pss_key *key, const EVP_MD *md, struct bytes hashed, struct buf *ret_signature, struct err *e);

#endif
