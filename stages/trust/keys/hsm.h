/*
 * One key on one token, through a PKCS#11 module (libp11). Only the key holder uses this.
 *
 * libp11 0.4.12 must never run in two threads at once: everything here is for one thread of one process.
 */
#ifndef ARKSEAL_TRUST_KEYS_HSM_H
#define ARKSEAL_TRUST_KEYS_HSM_H

#include "stages/trust/keyholder.h"
#include "stages/trust/keys/uri.h"

struct hsm;

/* Opens the module, logs in to the token and finds the key and its certificate. attended: a person stands by, who may try a PIN that
 * was refused before, and the last tries of a token. Errors: ST_RETRY "key-gone" (no such token now), ST_RUN "key-none", "key-pin",
 * "key-pin-locked", "key-pin-source", "key-state", "key-module", "key-algorithm". */
enum status hsm_open(const struct key_config *config, const struct key_uri *uri, bool attended, struct hsm **ret_hsm,
                     struct err *e);
void hsm_close(struct hsm *h);

X509 *hsm_certificate(const struct hsm *h);      /* borrowed */
STACK_OF(X509) * hsm_chain(const struct hsm *h); /* borrowed */

/* Signs a message, and verifies what came out with the certificate. A key that wants the PIN for each use gets it by the same rules as the
 * login, where `attended` was said or the PIN has a source. Errors: ST_RETRY "key-gone"; ST_RUN "key-algorithm" (another kind
 * than the key's, or one that the token has not), "key-signature" (the token has made a wrong one), and those of the login. */
enum status hsm_sign(struct hsm *h, enum key_algorithm algorithm, enum key_digest digest, struct bytes message,
                     struct buf *ret_signature, struct err *e);

/* The digest's OpenSSL name and size. */
const EVP_MD *key_digest_md(enum key_digest digest);

#endif
