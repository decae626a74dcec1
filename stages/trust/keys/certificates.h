/* Certificates in files, and which of them belong to a key. */
#ifndef ARKSEAL_TRUST_KEYS_CERTIFICATES_H
#define ARKSEAL_TRUST_KEYS_CERTIFICATES_H

#include <openssl/x509.h>

#include "stages/base/err.h"

/* Appends the certificates of files (PEM, any number, or one DER). ST_RUN "key-certificate". */
enum status certificates_read(const char *const *paths, size_t n, STACK_OF(X509) * to, struct err *e);
/* The one for a key by its public half; of several the one that is valid longest. Borrowed; NULL: none. */
X509 *certificates_find(STACK_OF(X509) * among, EVP_PKEY *key);
/* What issued `leaf`, what issued that, and so on, as far as they are there. The caller frees with sk_X509_pop_free; NULL: no memory. */
STACK_OF(X509) * certificates_chain(STACK_OF(X509) * among, X509 *leaf);

#endif
