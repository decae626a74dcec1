#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/ts.h>
#include <string.h>
#include <time.h>

#include "stages/sign/proof.h"

static bool generalized_time_ms(const ASN1_GENERALIZEDTIME *t, int64_t *ret_ms)
{
	struct tm tm;
	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*ret_ms = (int64_t)timegm(&tm) * 1000;
	return true;
}

/* genTime of a TimeStampToken. */
static bool token_time(struct bytes der, int64_t *ret_ms)
{
	const uint8_t *p = der.p;
	PKCS7 *token = d2i_PKCS7(NULL, &p, (long)der.n);
	TS_TST_INFO *info = token != NULL ? PKCS7_to_TS_TST_INFO(token) : NULL;
	bool ok = info != NULL && generalized_time_ms(TS_TST_INFO_get_time(info), ret_ms);
	TS_TST_INFO_free(info);
	PKCS7_free(token);
	return ok;
}

/* Appends the certificate, out of those in the structure, that the one SignerInfo names. */
static bool add_signer(CMS_ContentInfo *cms, STACK_OF(X509) * to)
{
	CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
	STACK_OF(X509) *there = CMS_get1_certs(cms);
	bool found = false;
	for (int i = 0; signer != NULL && !found && i < sk_X509_num(there); i++) {
		X509 *certificate = sk_X509_value(there, i);
		if (CMS_SignerInfo_cert_cmp(signer, certificate) == 0 && X509_up_ref(certificate))
			found = sk_X509_push(to, certificate) > 0;
	}
	sk_X509_pop_free(there, X509_free);
	return found;
}

static CMS_ContentInfo *parse(struct bytes der)
{
	const uint8_t *p = der.p;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)der.n);
	if (cms != NULL &&
	    (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed || sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)) != 1)) {
		CMS_ContentInfo_free(cms);
		cms = NULL;
	}
	return cms;
}

/* The signature timestamps: their authorities and the earliest time. */
static bool read_stamps(CMS_SignerInfo *signer, struct proof *to)
{
	for (int at = -1; (at = CMS_unsigned_get_attr_by_NID(signer, NID_id_smime_aa_timeStampToken, at)) >= 0;) {
		X509_ATTRIBUTE *attribute = CMS_unsigned_get_attr(signer, at);
		for (int i = 0; i < X509_ATTRIBUTE_count(attribute); i++) {
			ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(attribute, i);
			if (value == NULL || value->type != V_ASN1_SEQUENCE)
				return false;
			struct bytes der = {value->value.sequence->data, (size_t)value->value.sequence->length};
			CMS_ContentInfo *token = parse(der);
			int64_t ms;
			bool ok = token != NULL && add_signer(token, to->authorities) && token_time(der, &ms);
			CMS_ContentInfo_free(token);
			if (!ok)
				return false;
			if (to->stamped_ms == 0 || ms < to->stamped_ms)
				to->stamped_ms = ms;
		}
	}
	return true;
}

enum status proof_read(struct bytes der, bool token, struct proof *ret_proof, struct err *e)
{
	CMS_ContentInfo *cms = parse(der);
	if (cms == NULL) {
		ERR_clear_error();
		return err_set(e, ST_ITEM, "cms-syntax", "no SignedData with one signer");
	}
	struct proof p = {.signer = sk_X509_new_null(), .authorities = sk_X509_new_null()};
	bool ok = p.signer != NULL && p.authorities != NULL && add_signer(cms, p.signer);
	if (ok && token)
		ok = token_time(der, &p.stamped_ms);
	else if (ok)
		ok = read_stamps(sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0), &p);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	if (!ok) {
		proof_free(&p);
		return err_set(e, ST_ITEM, "cms-signer",
		               "a signature or timestamp does not hold its signer's certificate or its time");
	}
	*ret_proof = p;
	return ST_OK;
}

void proof_free(struct proof *p)
{
	sk_X509_pop_free(p->signer, X509_free);
	sk_X509_pop_free(p->authorities, X509_free);
	*p = (struct proof){0};
}

void material_free(struct material *m)
{
	revocation_set_free(&m->set);
	sk_X509_pop_free(m->anchors, X509_free);
	*m = (struct material){0};
}

/* The anchor that a certificate's path ends at. */
static enum status add_anchor(const struct session *s, X509 *certificate, struct material *m, struct err *e)
{
	STACK_OF(X509) *path = trust_store_path(s->store, certificate);
	X509 *anchor = sk_X509_num(path) > 0 ? sk_X509_value(path, sk_X509_num(path) - 1) : NULL;
	bool there = anchor == NULL;
	for (int i = 0; !there && i < sk_X509_num(m->anchors); i++)
		there = X509_cmp(sk_X509_value(m->anchors, i), anchor) == 0;
	bool ok = true;
	if (!there) {
		if (m->anchors == NULL)
			m->anchors = sk_X509_new_null();
		ok = m->anchors != NULL && sk_X509_push(m->anchors, anchor) > 0 && X509_up_ref(anchor);
	}
	sk_X509_pop_free(path, X509_free);
	return ok ? ST_OK : err_set(e, ST_RETRY, "memory", "anchors");
}

static enum status collect(const struct session *s, STACK_OF(X509) * from, int64_t not_before_ms, struct material *m,
                           struct err *e)
{
	enum status st = ST_OK;
	for (int i = 0; st == ST_OK && i < sk_X509_num(from); i++) {
		st = revocation_collect(s->revocation, sk_X509_value(from, i), not_before_ms, &m->set, e);
		if (st == ST_OK)
			st = add_anchor(s, sk_X509_value(from, i), m, e);
	}
	return st;
}

enum status proof_collect(const struct session *s, const struct proof *p, bool token, struct material *m, struct err *e)
{
	int64_t fresh = s->env->now_ms() - (int64_t)s->env->profile->sign.revocation_max_age_s * 1000;
	enum status st = collect(s, p->signer, token || p->stamped_ms == 0 ? fresh : p->stamped_ms, m, e);
	return st == ST_OK ? collect(s, p->authorities, fresh, m, e) : st;
}

enum status proof_of(const struct session *s, struct bytes cms, bool token, struct material *m, struct err *e)
{
	struct proof p;
	STACK_OF(X509) *certificates = sk_X509_new_null();
	enum status st = certificates == NULL ? err_set(e, ST_RETRY, "memory", "certificates")
	                                      : cades_certificates(cms, certificates, e);
	for (int k = 0; st == ST_OK && k < sk_X509_num(certificates); k++)
		session_learn(s, sk_X509_value(certificates, k));
	sk_X509_pop_free(certificates, X509_free);
	if (st == ST_OK)
		st = proof_read(cms, token, &p, e);
	if (st != ST_OK)
		return st;
	st = proof_collect(s, &p, token, m, e);
	proof_free(&p);
	return st;
}

enum status proof_extend(const struct session *s, struct bytes cms, struct buf *ret_cms, struct err *e)
{
	struct material m = {0};
	enum status st = proof_of(s, cms, false, &m, e);
	if (st == ST_OK)
		st = cades_add_values(cms,
		                      &(struct cades_values){m.set.certificates, m.set.ocsps, m.set.crls, m.set.n_certificates,
		                                             m.set.n_ocsps, m.set.n_crls},
		                      ret_cms, e);
	material_free(&m);
	return st;
}
