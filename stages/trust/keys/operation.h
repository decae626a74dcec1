/*
 * A private key on a token, found and used by the module's own calls: libp11 0.4.12 passes keys by that are neither RSA nor EC, has no
 * RSASSA-PSS but with the raw operation, which tokens refuse, and knows no login for one use.
 */
#ifndef ARKSEAL_TRUST_KEYS_OPERATION_H
#define ARKSEAL_TRUST_KEYS_OPERATION_H

#include <openssl/evp.h>
#include <stdbool.h>

#include "stages/trust/keyholder.h"

struct operation;

/* Where the key is; the texts and bytes are used by operation_open alone. libp11 holds the module, has initialised it and is logged in. */
struct operation_place {
	const char *module; /* path */
	unsigned long slot;
	const char *label; /* "": any */
	struct bytes id;   /* CKA_ID; n 0: any */
};

/* Opens a session of its own and finds the one key that fits. Errors: ST_RUN "key-none" (none, or several); ST_RETRY "key-gone". */
enum status operation_open(const struct operation_place *p, struct operation **ret_operation, struct err *e);
void operation_close(struct operation *o); /* also in the midst of an operation */

struct bytes operation_id(const struct operation *o); /* CKA_ID of the key */
/* The public half as far as the token tells it; the caller frees. NULL: it does not. */
EVP_PKEY *operation_public(const struct operation *o);
/* CKA_ALWAYS_AUTHENTICATE: between begin and end, operation_login. */
bool operation_wants_login(const struct operation *o);

/* C_SignInit. Errors: ST_RUN "key-algorithm" where the token has not what is wanted; ST_RETRY "key-gone". */
enum status operation_begin(struct operation *o, enum key_algorithm algorithm, const EVP_MD *md, struct err *e);
/* C_Login for this use (CKU_CONTEXT_SPECIFIC); the value of CKR_…, 0 for success. pin NULL: it is entered on the token. */
unsigned long operation_login(struct operation *o, const char *pin);
/* C_Sign over a message and what `md` makes of it. Appends the signature as CMS has it: with ECDSA the DER Ecdsa-Sig-Value (RFC 5753, 7.2), with
 * EdDSA its 64 bytes (RFC 8419). Errors: as operation_begin. */
enum status operation_end(struct operation *o, enum key_algorithm algorithm, const EVP_MD *md, struct bytes message,
                          struct bytes hashed, struct buf *ret_signature, struct err *e);

#endif
