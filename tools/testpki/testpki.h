/*
 * The local test PKI: certificates (make.c), what its services answer (answers.c), and the HTTP server (server.c).
 * For tests only: its keys protect nothing.
 */
#ifndef ARKSEAL_TESTPKI_H
#define ARKSEAL_TESTPKI_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "stages/base/buf.h"

#define PKI_HOST "http://pki.arkseal.test/"

/* Makes the keys and certificates of one side as NAME.key and NAME.pem in a folder. false (and a line on stderr): failed. */
bool pki_make(const char *folder);        /* the organisation's side: root, issuing, seal-rsa, seal-ec, person, tsa … */
bool pki_make_people(const char *folder); /* the side of persons who signed received documents; kept in fixtures/pki */

/* A certificate with its key. */
struct pair {
	char name[64];
	X509 *certificate;
	EVP_PKEY *key;
};
/* Loads every NAME.pem with NAME.key of a folder into the table that pair_find reads. */
bool pairs_load(const char *folder);
/* NULL where there is none. */
const struct pair *pair_find(const char *name);

/*
 * Answers. `mode` is how the service behaves: "ok" or a misbehaviour of the list in server.c; what the HTTP layer does alone
 * (down, slow, http500, garbage, truncated) does not come here. false: the request cannot be read.
 */
bool answer_tsa(const char *mode, const char *signer, bool with_chain, struct bytes request, struct buf *ret);
bool answer_ocsp(const char *mode, const char *ca, const char *responder, struct bytes request, struct buf *ret);
bool answer_crl(const char *mode, const char *ca, struct buf *ret);
bool answer_certificate(const char *name, struct buf *ret);

#endif
