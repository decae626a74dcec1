/*
 * What is trusted and what is known: anchors, other certificates, CRLs and OCSP answers.
 */
#ifndef ARKSEAL_TRUST_STORE_H
#define ARKSEAL_TRUST_STORE_H

#include <openssl/x509.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

struct trust_store;

struct trust_store *trust_store_new(void);
/* A store that sees everything of another one, which it borrows, and keeps what is added to itself. */
struct trust_store *trust_store_over(const struct trust_store *below);
void trust_store_free(struct trust_store *s);

/* Adds the certificates (PEM, any number, or one DER) of a file, or of all files of a folder, as trust anchors.
 * Errors: ST_RUN "trust-file". */
enum status trust_store_add_anchors(struct trust_store *s, const char *path, struct err *e);

/* Untrusted material, each one DER; what does not parse is ignored and returns false. Kept once however often it is added.
 * Validation takes what it needs from here and from nowhere else. */
bool trust_store_add_certificate(struct trust_store *s, struct bytes der);
bool trust_store_add_crl(struct trust_store *s, struct bytes der);
bool trust_store_add_ocsp(struct trust_store *s, struct bytes der); /* OCSPResponse or BasicOCSPResponse */

bool trust_store_is_anchor(const struct trust_store *s, X509 *certificate);

/* The path from a certificate up to an anchor, leaf first, anchor last; NULL where there is none. By names, key identifiers and
 * signatures only; times and usages are judged by trust/verdict.h. The caller frees with sk_X509_pop_free(…, X509_free). */
STACK_OF(X509) * trust_store_path(const struct trust_store *s, X509 *leaf);

#endif
