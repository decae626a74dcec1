/* Reading OCSP answers (RFC 6960). */
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "stages/trust/status.h"

/* Clocks of responders and their front servers differ by that much. */
#define SKEW_MS INT64_C(300000)

/* The answer about our certificate; the CertID is made anew with the answer's own hash. */
static OCSP_SINGLERESP *find_single(OCSP_BASICRESP *basic, X509 *certificate, X509 *issuer)
{
	for (int i = 0; i < OCSP_resp_count(basic) && i < 64; i++) {
		OCSP_SINGLERESP *one = OCSP_resp_get0(basic, i);
		const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(one);
		ASN1_OBJECT *hash = NULL;
		if (OCSP_id_get0_info(NULL, &hash, NULL, NULL, (OCSP_CERTID *)(uintptr_t)id) != 1)
			continue;
		const EVP_MD *md = EVP_get_digestbyobj(hash);
		OCSP_CERTID *ours = md == NULL ? NULL : OCSP_cert_to_id(md, certificate, issuer);
		bool same = ours != NULL && OCSP_id_cmp(ours, id) == 0;
		OCSP_CERTID_free(ours);
		if (same)
			return one;
	}
	return NULL;
}

/* The certificate fits the responder identifier, by name or by the SHA-1 of its key. */
static bool fits(OCSP_BASICRESP *basic, X509 *x)
{
	const ASN1_OCTET_STRING *hash = NULL;
	const X509_NAME *name = NULL;
	if (OCSP_resp_get0_id(basic, &hash, &name) != 1)
		return false;
	if (name != NULL)
		return X509_NAME_cmp(name, X509_get_subject_name(x)) == 0;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	return hash != NULL && X509_pubkey_digest(x, EVP_sha1(), digest, &n) == 1 &&
	       bytes_equal((struct bytes){digest, n},
	                   (struct bytes){ASN1_STRING_get0_data(hash), (size_t)ASN1_STRING_length(hash)});
}

/* RFC 6960, 4.2.2.2: the CA itself, or whom that CA (not another) made a responder, in time when it answered. */
static bool may_answer(X509 *x, X509 *issuer, int64_t made_ms)
{
	if (X509_cmp(x, issuer) == 0)
		return true;
	int64_t from, to;
	return (X509_get_extension_flags(x) & (EXFLAG_XKUSAGE | EXFLAG_INVALID)) == EXFLAG_XKUSAGE &&
	       (X509_get_extended_key_usage(x) & XKU_OCSP_SIGN) != 0 &&
	       (X509_get_key_usage(x) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) != 0 && cert_validity(x, &from, &to) &&
	       made_ms >= from - SKEW_MS && made_ms <= to && cert_issued_by(x, issuer);
}

static bool signature_right(OCSP_BASICRESP *basic, X509 *signer)
{
	STACK_OF(X509) *only = sk_X509_new_null();
	/* Who signs was decided above; OpenSSL checks the value against that certificate and no other. */
	bool right = only != NULL && sk_X509_push(only, signer) > 0 &&
	             OCSP_basic_verify(basic, only, NULL, OCSP_NOINTERN | OCSP_NOVERIFY) == 1;
	sk_X509_free(only);
	trust_drain();
	return right;
}

struct judging {
	OCSP_BASICRESP *basic;
	X509 *issuer;
	int64_t made_ms;
	const char *fault;
	X509 *signer;
};

static bool judge(struct judging *j, X509 *x)
{
	if (!fits(j->basic, x) || !may_answer(x, j->issuer, j->made_ms))
		return false;
	if (!signature_right(j->basic, x)) {
		j->fault = "ocsp-signature";
		return false;
	}
	j->signer = x;
	return true;
}

static bool find_signer(struct judging *j, const struct trust_store *store)
{
	if (judge(j, j->issuer))
		return true;
	const STACK_OF(X509) *inside = OCSP_resp_get0_certs(j->basic);
	for (int i = 0; i < sk_X509_num(inside) && i < 16; i++)
		if (judge(j, sk_X509_value(inside, i)))
			return true;
	for (const struct trust_store *t = store; t != NULL; t = t->below)
		for (size_t i = 0; i < t->n_certs; i++)
			if (judge(j, t->certs[i].x509))
				return true;
	return false;
}

static const char *read_times(OCSP_SINGLERESP *one, struct cert_status *s)
{
	int reason = -1;
	ASN1_GENERALIZEDTIME *revoked = NULL, *this = NULL, *next = NULL;
	int word = OCSP_single_get0_status(one, &reason, &revoked, &this, &next);
	s->word = word == V_OCSP_CERTSTATUS_GOOD      ? STATUS_GOOD
	          : word == V_OCSP_CERTSTATUS_REVOKED ? STATUS_REVOKED
	                                              : STATUS_UNKNOWN;
	s->reason = reason;
	if (!asn1_ms(this, &s->this_ms) || (next != NULL && (!asn1_ms(next, &s->next_ms) || s->next_ms < s->this_ms)) ||
	    (s->word == STATUS_REVOKED && !asn1_ms(revoked, &s->revoked_ms)) || s->this_ms > s->made_ms + SKEW_MS)
		return "ocsp-times";
	ASN1_GENERALIZEDTIME *cutoff = OCSP_SINGLERESP_get1_ext_d2i(one, NID_id_pkix_OCSP_archiveCutoff, NULL, NULL);
	if (cutoff != NULL && !asn1_ms(cutoff, &s->expired_from_ms))
		s->expired_from_ms = 0;
	ASN1_GENERALIZEDTIME_free(cutoff);
	return NULL;
}

const char *ocsp_read(const struct trust_store *store, OCSP_BASICRESP *basic, X509 *certificate, X509 *issuer,
                      struct cert_status *ret)
{
	struct cert_status s = {0};
	OCSP_SINGLERESP *one = find_single(basic, certificate, issuer);
	trust_drain();
	if (one == NULL)
		return "ocsp-other";
	if (!asn1_ms(OCSP_resp_get0_produced_at(basic), &s.made_ms))
		return "ocsp-times";
	const char *fault = read_times(one, &s);
	trust_drain();
	if (fault != NULL)
		return fault;
	struct judging j = {.basic = basic, .issuer = issuer, .made_ms = s.made_ms, .fault = "ocsp-signer"};
	bool found = find_signer(&j, store);
	trust_drain();
	if (!found)
		return j.fault;
	s.signer = j.signer;
	*ret = s;
	return NULL;
}

bool status_not_needed(X509 *certificate)
{
	return X509_get_ext_by_NID(certificate, NID_id_pkix_OCSP_noCheck, -1) >= 0 ||
	       cert_has_extension(certificate, "0.4.0.194121.2.1");
}

bool status_has_address(X509 *certificate)
{
	STACK_OF(OPENSSL_STRING) *ocsp = X509_get1_ocsp(certificate);
	bool has = ocsp != NULL || X509_get_ext_by_NID(certificate, NID_crl_distribution_points, -1) >= 0;
	X509_email_free(ocsp);
	trust_drain();
	return has;
}

bool status_not_needed_responder(X509 *certificate)
{
	return status_not_needed(certificate) || !status_has_address(certificate);
}
