/* Signed attributes for tests, right ones and wrong ones. */
#ifndef ARKSEAL_TESTS_KEYS_MAKE_H
#define ARKSEAL_TESTS_KEYS_MAKE_H

#include <openssl/x509.h>

#include "stages/base/buf.h"

/* Wraps `content` into one DER element. */
void make_element(struct buf *to, uint8_t tag, struct bytes content);
/* An attribute: OBJECT IDENTIFIER as text ("1.2.840…") and the DER of its one value. */
void make_attribute(struct buf *to, const char *oid, struct bytes value);
void make_content_type(struct buf *to, const char *oid);
void make_message_digest(struct buf *to, size_t n);
void make_signing_certificate(struct buf *to, X509 *c, bool sha512);
void make_signing_time(struct buf *to);
/* The whole set for a PAdES signature with a digest of n bytes. */
void make_attributes(struct buf *to, X509 *c, size_t n);

#endif
