/*
 * What the files of this folder share. Nobody else includes it.
 *
 * Foreign DER is read by OpenSSL's parsers only, after a look at its size; whoever calls one that can fail drains OpenSSL's error
 * queue with trust_drain, so that no fault is told twice.
 */
#ifndef ARKSEAL_TRUST_INTERNAL_H
#define ARKSEAL_TRUST_INTERNAL_H

#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"
#include "stages/trust/store.h"

/* Sizes above which foreign DER is not even looked at, in bytes. */
#define TRUST_CERT_MAX (256u << 10)
#define TRUST_OCSP_MAX (4u << 20)
#define TRUST_CRL_MAX (64u << 20)
#define TRUST_CMS_MAX (64u << 20)
#define TRUST_TOKEN_MAX (1u << 20)

/* A path is at most that long, anchor and leaf counted; more is an attack on our time. */
#define TRUST_PATH_MAX 12

struct trust_cert {
	X509 *x509;
	uint8_t id[32]; /* SHA-256 of the DER */
	bool anchor;
};

struct trust_crl {
	X509_CRL *crl;
	uint8_t id[32];
};

struct trust_ocsp {
	OCSP_BASICRESP *basic;
	uint8_t id[32]; /* of the BasicOCSPResponse */
};

struct trust_store {
	const struct trust_store *below; /* looked at after this one; borrowed, or NULL */
	struct trust_cert *certs;
	size_t n_certs, cap_certs;
	struct trust_crl *crls;
	size_t n_crls, cap_crls;
	struct trust_ocsp *ocsps;
	size_t n_ocsps, cap_ocsps;
};

/* Takes an answer out again that a newer one replaced. */
void trust_store_drop_ocsp(struct trust_store *s, struct bytes der);
void trust_store_drop_crl(struct trust_store *s, struct bytes der);
/* The parsed form of an answer that was added; NULL where it is not there. Borrowed. */
OCSP_BASICRESP *trust_store_find_ocsp(const struct trust_store *s, struct bytes der);
X509_CRL *trust_store_find_crl(const struct trust_store *s, struct bytes der);

/* Calls accept for one path after the other (leaf first, anchor last; the stack is the callee's only during the call, its
 * certificates are borrowed) until it says true. Returns whether it did. The number of tries is bounded. */
typedef bool path_accept(void *arg, STACK_OF(X509) * path);
bool path_each(const struct trust_store *s, X509 *leaf, path_accept *accept, void *arg);

/* The limits of RFC 5280, section 6 that do not hang on time: basic constraints, path length, key usage of the CAs, name
 * constraints, unknown critical extensions. ret_why gets a static sentence where it is false. */
bool path_constraints(STACK_OF(X509) * path, const char **ret_why);

/* Whether issuer's name and key signed it. No limits are looked at. */
bool cert_issued_by(X509 *certificate, X509 *issuer);
bool cert_self_issued(X509 *certificate);
/* The first certificate of the store that issued this one, by name, key identifiers and signature; borrowed, NULL: none. */
X509 *store_issuer(const struct trust_store *s, X509 *certificate);

/* Milliseconds since 1970, fractions of GeneralizedTime kept; false for a malformed time. */
bool asn1_ms(const ASN1_TIME *t, int64_t *ret_ms);
/* Validity of a certificate; false where it is malformed. */
bool cert_validity(X509 *certificate, int64_t *ret_from_ms, int64_t *ret_to_ms);
void cert_sha256(X509 *certificate, uint8_t ret_id[32]);
/* The subject (or issuer) as RFC 2253 in UTF-8, cut to size. */
void name_text(const X509_NAME *name, char *to, size_t size);
void serial_text(const ASN1_INTEGER *serial, char *to, size_t size);
/* Whether the certificate carries an extension with this OID (dotted). */
bool cert_has_extension(X509 *certificate, const char *oid);

void trust_drain(void);
/* OpenSSL's oldest reason, drained; static text. */
const char *trust_reason(void);

#endif
