/*
 * The key holder: the only process that opens a PKCS#11 module. Here is its service and its client.
 *
 * It reads no document. A client asks for the certificate of the key, or for a signature over signed attributes (RFC 5652, 5.4:
 * the DER of the SET OF Attribute that is to be signed). The holder checks that the bytes are that (content-type, message-digest,
 * signing-certificate-v2 naming its own certificate), hashes them, signs, and answers.
 *
 * Wire format (stream socket, both ways): 4 bytes big-endian length of what follows, 1 byte kind, body. A message is at most
 * KEY_MESSAGE_MAX bytes; a longer or unknown one ends the connection.
 */
#ifndef ARKSEAL_TRUST_KEYHOLDER_H
#define ARKSEAL_TRUST_KEYHOLDER_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

#define KEY_MESSAGE_MAX (256u * 1024u)
#define KEY_ANSWER_S 100 /* less than a client waits */

/* What a key is used with. */
enum key_algorithm {
	KEY_RSA_PKCS1, /* RSASSA-PKCS1-v1_5 */
	KEY_RSA_PSS,   /* RSASSA-PSS, MGF1 with the same hash, salt as long as the hash (RFC 4056) */
	KEY_ECDSA,     /* answers with the DER Ecdsa-Sig-Value */
	KEY_EDDSA,     /* Ed25519, with KEY_SHA512 alone (RFC 8419, 3.1) */
};

enum key_digest { KEY_SHA256, KEY_SHA384, KEY_SHA512, KEY_SHA3_256, KEY_SHA3_384, KEY_SHA3_512 };

/* How to reach the token; strings are borrowed. */
struct key_config {
	const char *uri;                 /* RFC 7512, with module-path or module-name and pin-source */
	const char *const *certificates; /* files with further certificates (PEM or DER): issuing CAs */
	size_t n_certificates;
	const char *state_folder; /* where a wrong PIN is noted durably and the host-wide lock lies; NULL: /var/lib/arkseal
	                                   * where writable, else $XDG_STATE_HOME/arkseal */
	/* Seconds for one request, opening the token included; 0: KEY_ANSWER_S. A module that hangs longer ends the service, since
	 * nothing else ends it; clients hear "key-gone". */
	unsigned answer_s;
};

/* Runs the service until control_fd is closed and no client is left; see struct service in pipeline/stage.h for the descriptors.
 * Returns an exit status: 0, or 3 where the token could not be opened (ready_fd says why). Locks its memory, dumps no core. */
int keyholder_main(const struct key_config *config, int control_fd, int ready_fd);

/* Opens the token in the process that calls, finds the key and its certificate, and closes it again (`arkseal key check`). attended:
 * a person stands by, so that the PIN is tried once even where the token has refused it before or has few tries left; success
 * clears the note of a refused PIN. *ret_certificate is the caller's. Errors: as keyholder_open, and ST_RUN "key-uri", "key-module",
 * "key-state", "key-pin-source", "key-pin-locked", "key-certificate". */
enum status keyholder_check(const struct key_config *config, bool attended, X509 **ret_certificate, struct err *e);

struct keyholder;

/* Takes fd over. Asks for the certificate at once. Errors: ST_RETRY "key-gone", ST_RUN "key-none", "key-pin" … */
enum status keyholder_open(int fd, struct keyholder **ret_key, struct err *e);
void keyholder_close(struct keyholder *k);

/* The certificate of the key, and the chain above it as far as configured (without the self-signed root unless configured).
 * Borrowed. */
X509 *keyholder_certificate(const struct keyholder *k);
STACK_OF(X509) * keyholder_chain(const struct keyholder *k);
/* The first of these words that fits the key ("rsa-pkcs1", "rsa-pss", "ecdsa", "ed25519"). Errors: ST_RUN "key-algorithm-refused": none does, or it is an
 * elliptic curve of less than 256 bits. */
enum status keyholder_algorithm(const struct keyholder *k, char *const *words, size_t n, enum key_algorithm *ret_algorithm,
                                struct err *e);

/* Signs n bytes of DER signed attributes. Appends the signature value to *ret_signature.
 * Errors: ST_RETRY "key-gone" (token removed, session lost), ST_RUN "key-pin", ST_BUG "key-attributes". */
enum status keyholder_sign(struct keyholder *k, enum key_algorithm algorithm, enum key_digest digest, const uint8_t *attributes,
                           size_t n, struct buf *ret_signature, struct err *e);
/* Whether the last call of keyholder_sign used the key, or may have: it was asked for a signature, and did not answer that there is none. */
bool keyholder_used(const struct keyholder *k);

#endif
