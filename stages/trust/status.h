/*
 * What an OCSP answer or a CRL says of one certificate. Private to this folder. Who may say so is checked here (RFC 6960, 4.2.2.2;
 * RFC 5280, 6.3); whether it is new enough for a moment is the caller's matter.
 */
#ifndef ARKSEAL_TRUST_STATUS_H
#define ARKSEAL_TRUST_STATUS_H

#include "stages/trust/internal.h"

enum status_word { STATUS_GOOD, STATUS_REVOKED, STATUS_UNKNOWN };

struct cert_status {
	enum status_word word;
	int64_t this_ms, next_ms; /* next 0: not said */
	int64_t made_ms;          /* producedAt; of a CRL thisUpdate */
	int64_t revoked_ms;       /* where revoked */
	int reason;               /* CRLReason, -1: not said */
	int64_t expired_from_ms;  /* says something of certificates that expired since then (archiveCutoff, expiredCertsOnCRL); 0:
	                           * of none that had expired at thisUpdate */
	X509 *signer;             /* the responder's or the CRL issuer's certificate, borrowed */
};

/* NULL, or why the answer says nothing that counts: "ocsp-other" (of another certificate), "ocsp-signer", "ocsp-signature",
 * "ocsp-times"; "crl-other", "crl-scope", "crl-extension", "crl-signature", "crl-times". Static. */
const char *ocsp_read(const struct trust_store *s, OCSP_BASICRESP *basic, X509 *certificate, X509 *issuer,
                      struct cert_status *ret);
const char *crl_read(const struct trust_store *s, X509_CRL *crl, X509 *certificate, X509 *issuer, struct cert_status *ret);

/* Whether nobody needs to ask for a certificate's state: id-pkix-ocsp-nocheck (RFC 6960, 4.2.2.2.1), ETSI's short-term validity
 * assurance (EN 319 412-1, 5.2). */
bool status_not_needed(X509 *certificate);
/* The same, or a responder that its CA gave no address for it (RFC 6960, 4.2.2.2.1, third case: the client's own policy). */
bool status_not_needed_responder(X509 *certificate);
/* Whether a certificate names a place to ask for its state. */
bool status_has_address(X509 *certificate);

#endif
