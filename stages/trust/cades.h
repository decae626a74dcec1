/*
 * Making CMS signatures: CAdES and PAdES baseline (ETSI EN 319 122-1, EN 319 142-1), and timestamps (RFC 3161).
 */
#ifndef ARKSEAL_TRUST_CADES_H
#define ARKSEAL_TRUST_CADES_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"
#include "stages/trust/fetch.h"
#include "stages/trust/keyholder.h"
#include "stages/trust/store.h"

struct cades_request {
	struct keyholder *key;
	enum key_algorithm algorithm;
	enum key_digest digest;
	struct bytes content_digest; /* of the detached content, by `digest` */
	bool pades;                  /* no signing-time attribute (EN 319 142-1, 6.3); else signing-time is present */
	int64_t signing_time_ms;     /* used where pades is false */
};

/* Makes a detached SignedData of level B-B: content-type id-data, message-digest, signing-certificate-v2; certificates: the
 * signer's and the chain. Appends the DER to *ret_cms. Errors: those of keyholder_sign. */
enum status cades_sign(const struct cades_request *r, struct buf *ret_cms, struct err *e);

struct tsa {
	const char *const *urls; /* in order of preference */
	size_t n;
	struct fetch *fetch;
	const struct trust_store *anchors; /* the TSA's path must end here */
	struct revocation
	    *issuers; /* over the same store: fetches issuers that are not in a token (RFC 5280, 4.2.2.1); or NULL */
	int64_t (*now_ms)(void);
	int64_t tolerance_ms; /* of genTime against now_ms; outside: ST_RETRY "tsa-clock" */
};

/* Asks the authorities in order for a timestamp over a digest by SHA-256 (RFC 3161, with nonce and certReq) and checks the answer:
 * status, nonce, imprint, signature, signing certificate and its path, extended key usage, genTime. Appends the TimeStampToken's
 * DER. ret_gen_time_ms and ret_which (index of the authority) may be NULL. Errors: ST_RETRY "tsa-…". */
enum status tsa_stamp(const struct tsa *t, const uint8_t digest[32], struct buf *ret_token, int64_t *ret_gen_time_ms,
                      size_t *ret_which, struct err *e);

/* Level B-T: adds signature-time-stamp over the signature value of a SignedData with one signer. Appends the new DER to *ret_cms.
 * `token` comes from tsa_stamp over cades_signature_digest. */
enum status cades_add_timestamp(struct bytes cms, struct bytes token, struct buf *ret_cms, struct err *e);
enum status cades_signature_digest(struct bytes cms, uint8_t ret_digest[32], struct err *e);

/* Level B-LT: what is needed to verify the signature later goes into SignedData.certificates and .crls (EN 319 122-1, 6.3; OCSP answers as
 * RFC 5940 has them), besides what is there. Each one is DER: Certificate, OCSPResponse, CertificateList. Appends the new DER to *ret_cms.
 * Errors: ST_ITEM "cms-syntax"; ST_RETRY "memory". */
struct cades_values {
	const struct bytes *certificates, *ocsps, *crls;
	size_t n_certificates, n_ocsps, n_crls;
};
enum status cades_add_values(struct bytes cms, const struct cades_values *v, struct buf *ret_cms, struct err *e);

/* All certificates inside a SignedData or TimeStampToken, and those inside timestamps in its unsigned attributes; appended to
 * the stack, which the caller frees with sk_X509_pop_free. */
enum status cades_certificates(struct bytes cms, STACK_OF(X509) * to, struct err *e);

#endif
