/*
 * Which algorithms are strong enough, and until when (ETSI TS 119 312; the dates at which they ended are those of its editions and of
 * the SOG-IS list). Private to this folder.
 */
#ifndef ARKSEAL_TRUST_ALGORITHM_H
#define ARKSEAL_TRUST_ALGORITHM_H

#include <openssl/x509.h>
#include <stdint.h>

/* NULL where a digest may be relied on at that time, else why not. Static text. */
const char *algorithm_digest_weak(int digest_nid, int64_t at_ms);
/* The same of a certificate's key, whatever the time. */
const char *algorithm_key_weak(X509 *certificate, unsigned min_rsa_bits);
/* The digest that a certificate's signature uses; NID_undef: unknown. */
int algorithm_certificate_digest(X509 *certificate);

#endif
