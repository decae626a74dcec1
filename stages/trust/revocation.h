/*
 * Asking for revocation data: OCSP (RFC 6960) and CRLs (RFC 5280), each answer checked before it is used.
 */
#ifndef ARKSEAL_TRUST_REVOCATION_H
#define ARKSEAL_TRUST_REVOCATION_H

#include <openssl/x509.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"
#include "stages/trust/fetch.h"
#include "stages/trust/store.h"

struct revocation;

/* Keeps answers for the life of the process. fetch and store are borrowed; checked answers and the certificates in them are
 * added to the store. */
struct revocation *revocation_new(struct fetch *fetch, struct trust_store *store, int64_t (*now_ms)(void));
void revocation_free(struct revocation *r);

enum revocation_kind { REVOCATION_OCSP, REVOCATION_CRL };
struct revocation_answer {
	enum revocation_kind kind;
	struct bytes der; /* OCSPResponse or CertificateList; borrowed from the struct revocation */
	int64_t this_update_ms;
	int64_t next_update_ms; /* 0: not said */
};

/* Revocation state of a certificate by its issuer: OCSP first, then CRL, from the addresses in the certificate. Takes a kept
 * answer only where its thisUpdate (and for OCSP the moment it was got) is at or after not_before_ms; where the servers have
 * nothing newer than not_before_ms, a fresh answer is taken all the same and ret->this_update_ms tells.
 * ST_OK: good. ST_ITEM "cert-revoked" (with time and reason). ST_RETRY "revocation-unreachable", "ocsp-…", "crl-…".
 * ST_ITEM "revocation-none": the certificate names no address. */
enum status revocation_ask(struct revocation *r, X509 *certificate, X509 *issuer, int64_t not_before_ms,
                           struct revocation_answer *ret_answer, struct err *e);

/* Before signing (EN 319 102-1, 4.2): certificate in time, key usage digitalSignature or nonRepudiation, path to an anchor, nothing
 * on the path revoked, by answers not older than max_age_ms. ST_ITEM never happens: a certificate of ours that may not sign stops the
 * run: ST_RUN "cert-expired", "cert-not-yet", "cert-usage", "cert-path", "cert-revoked", "cert-weak". ST_RETRY as above. */
enum status revocation_check_signer(struct revocation *r, X509 *certificate, int64_t max_age_ms, unsigned min_rsa_bits,
                                    struct err *e);

/* What a DSS needs for a certificate (design.md section 7, issue's augment): every certificate on its path below the anchor, and
 * for each a revocation answer, and the same for every responder that needs one, until nothing is missing. Certificates and answers
 * are appended to the lists without repetition, as DER that belongs to r: an answer stays valid until 256 later ones have been
 * replaced, so a set is used for one document and freed. Errors: as revocation_ask; ST_ITEM "cert-path" (no path to an anchor),
 * "revocation-loop"; ST_RETRY "revocation-unreachable" where a missing issuer could not be fetched. */
struct revocation_set {
	struct bytes *certificates, *ocsps, *crls;
	size_t n_certificates, n_ocsps, n_crls;
};
enum status revocation_collect(struct revocation *r, X509 *certificate, int64_t not_before_ms, struct revocation_set *set,
                               struct err *e);
void revocation_set_free(struct revocation_set *set);

#endif
