/* Reading CRLs (RFC 5280, sections 5 and 6.3). Complete and direct ones only. */
#include <openssl/x509v3.h>

#include "stages/trust/status.h"

static bool same_point(const DIST_POINT_NAME *point, const GENERAL_NAME *name)
{
	if (point == NULL || point->type != 0)
		return false;
	for (int i = 0; i < sk_GENERAL_NAME_num(point->name.fullname); i++)
		if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(point->name.fullname, i), (GENERAL_NAME *)(uintptr_t)name) == 0)
			return true;
	return false;
}

/* One of the names in the CRL's distribution point stands in the certificate as well (6.3.3 (b) (2) (i)). */
static bool point_fits(const DIST_POINT_NAME *crl_point, X509 *certificate)
{
	if (crl_point->type != 0)
		return false;
	STACK_OF(DIST_POINT) *points = X509_get_ext_d2i(certificate, NID_crl_distribution_points, NULL, NULL);
	bool fits = false;
	for (int i = 0; i < sk_DIST_POINT_num(points) && !fits; i++)
		for (int k = 0; k < sk_GENERAL_NAME_num(crl_point->name.fullname) && !fits; k++)
			fits = same_point(sk_DIST_POINT_value(points, i)->distpoint,
			                  sk_GENERAL_NAME_value(crl_point->name.fullname, k));
	sk_DIST_POINT_pop_free(points, DIST_POINT_free);
	return fits;
}

static bool in_scope(X509_CRL *crl, X509 *certificate)
{
	int critical = -1;
	ISSUING_DIST_POINT *idp = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &critical, NULL);
	if (idp == NULL)
		return critical == -1; /* else malformed, or there twice */
	bool ca = (X509_get_extension_flags(certificate) & EXFLAG_CA) != 0;
	bool fits = idp->indirectCRL <= 0 && idp->onlyattr <= 0 && idp->onlysomereasons == NULL && !(idp->onlyuser > 0 && ca) &&
	            !(idp->onlyCA > 0 && !ca) && (idp->distpoint == NULL || point_fits(idp->distpoint, certificate));
	ISSUING_DIST_POINT_free(idp);
	return fits;
}

/* A CRL with a critical extension that we do not know says nothing to us (5.2); a delta CRL needs its base. */
static bool extensions_known(X509_CRL *crl)
{
	if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0)
		return false;
	for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
		X509_EXTENSION *ext = X509_CRL_get_ext(crl, i);
		if (X509_EXTENSION_get_critical(ext) == 1 &&
		    OBJ_obj2nid(X509_EXTENSION_get_object(ext)) != NID_issuing_distribution_point)
			return false;
	}
	return true;
}

static bool may_sign(X509 *x)
{
	return (X509_get_extension_flags(x) & EXFLAG_KUSAGE) == 0 || (X509_get_key_usage(x) & KU_CRL_SIGN) != 0;
}

static bool signed_by(X509_CRL *crl, X509 *x)
{
	EVP_PKEY *key = X509_get0_pubkey(x);
	return may_sign(x) && key != NULL && X509_CRL_verify(crl, key) == 1;
}

/* The CA by the key that issued the certificate, or by another of its keys that the first one vouches for, or that one CA above
 * vouches for both. */
static X509 *find_signer(const struct trust_store *store, X509_CRL *crl, X509 *issuer)
{
	if (signed_by(crl, issuer))
		return issuer;
	X509 *above = store_issuer(store, issuer);
	for (const struct trust_store *t = store; t != NULL; t = t->below) {
		for (size_t i = 0; i < t->n_certs; i++) {
			X509 *x = t->certs[i].x509;
			if (X509_NAME_cmp(X509_get_subject_name(x), X509_get_subject_name(issuer)) == 0 && signed_by(crl, x) &&
			    (cert_issued_by(x, issuer) || (above != NULL && cert_issued_by(x, above))))
				return x;
		}
	}
	return NULL;
}

/* expiredCertsOnCRL (X.509, 9.5.2.8). */
static int64_t expired_from(X509_CRL *crl)
{
	ASN1_OBJECT *oid = OBJ_txt2obj("2.5.29.60", 1);
	int at = X509_CRL_get_ext_by_OBJ(crl, oid, -1);
	ASN1_OBJECT_free(oid);
	if (at < 0)
		return 0;
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(X509_CRL_get_ext(crl, at));
	const unsigned char *p = ASN1_STRING_get0_data(value);
	ASN1_GENERALIZEDTIME *t = d2i_ASN1_GENERALIZEDTIME(NULL, &p, ASN1_STRING_length(value));
	int64_t ms = 0;
	if (t == NULL || !asn1_ms(t, &ms))
		ms = 0;
	ASN1_GENERALIZEDTIME_free(t);
	return ms;
}

static const char *read_entry(X509_CRL *crl, X509 *certificate, struct cert_status *s)
{
	X509_REVOKED *entry = NULL;
	s->word = STATUS_GOOD;
	s->reason = -1;
	/* 2: removeFromCRL, which only a delta CRL has; in a complete one it means that nothing is revoked. */
	if (X509_CRL_get0_by_cert(crl, &entry, certificate) != 1)
		return NULL;
	s->word = STATUS_REVOKED;
	ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
	if (reason != NULL)
		s->reason = (int)ASN1_ENUMERATED_get(reason);
	ASN1_ENUMERATED_free(reason);
	return asn1_ms(X509_REVOKED_get0_revocationDate(entry), &s->revoked_ms) ? NULL : "crl-times";
}

static const char *read_crl(const struct trust_store *store, X509_CRL *crl, X509 *certificate, X509 *issuer,
                            struct cert_status *s)
{
	if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(certificate)) != 0)
		return "crl-other";
	if (!extensions_known(crl))
		return "crl-extension";
	if (!in_scope(crl, certificate))
		return "crl-scope";
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
	if (!asn1_ms(X509_CRL_get0_lastUpdate(crl), &s->this_ms) ||
	    (next != NULL && (!asn1_ms(next, &s->next_ms) || s->next_ms < s->this_ms)))
		return "crl-times";
	s->made_ms = s->this_ms;
	s->signer = find_signer(store, crl, issuer);
	if (s->signer == NULL)
		return "crl-signature";
	s->expired_from_ms = expired_from(crl);
	return read_entry(crl, certificate, s);
}

const char *crl_read(const struct trust_store *store, X509_CRL *crl, X509 *certificate, X509 *issuer, struct cert_status *ret)
{
	struct cert_status s = {0};
	const char *fault = read_crl(store, crl, certificate, issuer, &s);
	trust_drain();
	if (fault == NULL)
		*ret = s;
	return fault;
}
