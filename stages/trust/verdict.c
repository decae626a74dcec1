#include "stages/trust/verdict.h"

#include <openssl/crypto.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/trust/algorithm.h"
#include "stages/trust/chain.h"
#include "stages/trust/cms.h"
#include "stages/trust/embedded.h"
#include "stages/trust/internal.h"

#define TIMESTAMPS_MAX 16
#define SHA1_SIZE 20

struct verdict_run {
	struct cms c;
	bool token;
	bool sha1_inside; /* adbe.pkcs7.sha1 (ISO 32000-1, 12.8.3.3.1): the content is the SHA-1 of the bytes */
};

const char *indication_name(enum indication i)
{
	static const char *const names[] = {"TOTAL-PASSED", "INDETERMINATE", "TOTAL-FAILED"};
	return names[i];
}

static enum status begin(struct bytes der, bool token, struct verdict_run **ret_run, struct err *e)
{
	struct cms c;
	enum status st = cms_open(der, token, &c, e);
	if (st != ST_OK)
		return st;
	bool inside = !token && c.content.p != NULL;
	if (inside && c.content.n != SHA1_SIZE) {
		cms_close(&c);
		return err_set(e, ST_ITEM, "cms-content", "%zu bytes of encapsulated content", c.content.n);
	}
	struct verdict_run *run = malloc(sizeof *run);
	if (run == NULL) {
		cms_close(&c);
		return err_set(e, ST_RETRY, "memory", "verdict");
	}
	*run = (struct verdict_run){.c = c, .token = token, .sha1_inside = inside};
	*ret_run = run;
	return ST_OK;
}

enum status verdict_begin(struct bytes cms, struct verdict_run **ret_run, struct err *e)
{
	return begin(cms, false, ret_run, e);
}

enum status verdict_token_begin(struct bytes token, struct verdict_run **ret_run, struct err *e)
{
	return begin(token, true, ret_run, e);
}

const char *verdict_digest_name(const struct verdict_run *run)
{
	int nid = run->token ? token_imprint_nid(&run->c) : run->sha1_inside ? NID_sha1 : run->c.digest_nid;
	const EVP_MD *md = EVP_get_digestbynid(nid);
	trust_drain();
	return md == NULL ? "" : OBJ_nid2sn(nid);
}

static void say(struct verdict *v, enum indication i, const char *subindication, const char *reason, const char *of)
{
	v->indication = i;
	v->subindication = subindication;
	snprintf(v->reason, sizeof v->reason, "%s%s%s%s", reason, of[0] != 0 ? " (" : "", of, of[0] != 0 ? ")" : "");
}

static void describe(struct verdict *v, const struct cms *c, X509 *signer)
{
	v->has_signing_certificate = cms_has_signing_certificate(c);
	int count = 0;
	struct bytes time = cms_attribute(c, true, OID_SIGNING_TIME, 0, &count);
	v->has_signing_time = count > 0;
	int stamps = 0;
	cms_attribute(c, false, OID_SIGNATURE_TIMESTAMP, -1, &stamps);
	v->timestamps_there = (unsigned)stamps;
	ASN1_TIME *t = time.n == 0 || time.n > 32 ? NULL : ASN1_TIME_new();
	/* The attribute's value is kept without its tag: UTCTime has 13 characters, GeneralizedTime more. */
	char text[33] = "";
	if (t != NULL)
		memcpy(text, time.p, time.n);
	if (t != NULL && ASN1_TIME_set_string(t, text) == 1)
		v->claimed_time = asn1_ms(t, &v->claimed_time_ms);
	ASN1_TIME_free(t);
	if (signer != NULL) {
		name_text(X509_get_subject_name(signer), v->signer, sizeof v->signer);
		name_text(X509_get_issuer_name(signer), v->issuer, sizeof v->issuer);
		serial_text(X509_get0_serialNumber(signer), v->serial, sizeof v->serial);
	}
	trust_drain();
}

/* The signer among the certificates inside, else among all that are known. */
static X509 *find_signer(const struct cms *c, const struct trust_store *store)
{
	X509 *signer = cms_find_signer(c, c->certs);
	for (const struct trust_store *t = store; t != NULL && signer == NULL; t = t->below)
		for (size_t i = 0; i < t->n_certs && signer == NULL; i++)
			if (cms_is_signer(c, t->certs[i].x509) && cms_names_signer(c, t->certs[i].x509) <= CMS_NAMED_MATCHES)
				signer = t->certs[i].x509;
	return signer;
}

/* Cryptographic verification (EN 319 102-1, 5.2.7) and the parts of format checking and signature acceptance that hang on
 * nothing else. content_digest: by the signer's digest over what message-digest is about. False: *v says why. */
static bool verify(const struct cms *c, X509 *signer, struct bytes content_digest, struct verdict *v)
{
	bool attributes = cms_has_signed_attributes(c);
	if (attributes && !cms_content_type_right(c)) {
		say(v, TOTAL_FAILED, "FORMAT_FAILURE", "the content-type attribute is missing or another (RFC 5652, 11.1)", "");
		return false;
	}
	if (attributes && !bytes_equal(cms_message_digest(c), content_digest)) {
		say(v, TOTAL_FAILED, "HASH_FAILURE", "the signed bytes were changed: message-digest is another", "");
		return false;
	}
	if (signer == NULL) {
		say(v, INDETERMINATE, "NO_SIGNING_CERTIFICATE_FOUND", "the signer's certificate is not there", "");
		return false;
	}
	if (!cms_signature_right(c, signer, content_digest)) {
		say(v, TOTAL_FAILED, "SIG_CRYPTO_FAILURE", "the signature value is wrong for the signer's key", "");
		return false;
	}
	switch (cms_names_signer(c, signer)) {
	case CMS_NAMED_MATCHES:
		return true;
	case CMS_NAMED_NONE:
		/* RFC 3161, 2.4.1 requires it of tokens, ETSI of every baseline signature; the older adbe.pkcs7.detached does not:
		 * 5.2.3.4 then takes the certificate that the signer identifier names. */
		return true;
	case CMS_NAMED_DIFFERS:
		say(v, INDETERMINATE, "NO_SIGNING_CERTIFICATE_FOUND",
		    "the signing-certificate attribute names another certificate", "");
		return false;
	case CMS_NAMED_MALFORMED:
		break;
	}
	say(v, INDETERMINATE, "SIG_CONSTRAINTS_FAILURE", "the signing-certificate attribute is malformed", "");
	return false;
}

static void judge_chain(const struct chain_question *q, const struct cms *c, X509 *signer, struct verdict *v)
{
	struct chain_answer a;
	chain_judge(q, signer, &a);
	if (a.subindication[0] != 0) {
		say(v, a.failed ? TOTAL_FAILED : INDETERMINATE, a.subindication, a.reason, a.of);
		return;
	}
	const char *weak = algorithm_digest_weak(c->digest_nid, q->best_ms);
	if (weak == NULL)
		weak = algorithm_key_weak(signer, q->min_rsa_bits);
	if (weak != NULL) {
		say(v, INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE", weak, "");
		return;
	}
	v->revocation_embedded = true;
	say(v, TOTAL_PASSED, "", "", "");
}

static int64_t existed(const struct verdict_policy *p)
{
	return p->existed_ms > 0 && p->existed_ms < p->now_ms ? p->existed_ms : p->now_ms;
}

/* The content digest as the signer's message-digest has it; for adbe.pkcs7.sha1 that of the SHA-1 inside. False: HASH_FAILURE. */
static bool inner_digest(const struct verdict_run *run, struct bytes content_digest, uint8_t place[64], struct bytes *ret)
{
	*ret = content_digest;
	if (!run->sha1_inside)
		return true;
	if (!bytes_equal(run->c.content, content_digest))
		return false;
	*ret = (struct bytes){place, cms_digest(run->c.digest_nid, run->c.content, place)};
	return ret->n > 0;
}

/* A token over bytes whose digest by the imprint's algorithm is `digest` (EN 319 102-1, 5.4). */
static void judge_token(const struct cms *c, const struct trust_store *store, const struct verdict_policy *p, struct bytes digest,
                        struct verdict *v, int64_t *ret_gen_ms)
{
	X509 *signer = find_signer(c, store);
	describe(v, c, signer);
	v->best_time_ms = existed(p);
	int64_t gen_ms = 0;
	uint8_t inner[64];
	struct bytes content = {inner, cms_digest(c->digest_nid, c->content, inner)};
	if (!asn1_ms(TS_TST_INFO_get_time(c->tst), &gen_ms) || TS_TST_INFO_get_version(c->tst) != 1) {
		say(v, TOTAL_FAILED, "FORMAT_FAILURE", "TSTInfo is malformed or of another version", "");
		return;
	}
	*ret_gen_ms = gen_ms;
	v->claimed_time = true;
	v->claimed_time_ms = gen_ms;
	if (!token_over(c, digest)) {
		say(v, TOTAL_FAILED, "HASH_FAILURE", "the stamped bytes were changed: the imprint is another", "");
		return;
	}
	if (!cms_has_signed_attributes(c)) {
		say(v, TOTAL_FAILED, "FORMAT_FAILURE", "a token needs signed attributes (RFC 3161, 2.4.2)", "");
		return;
	}
	if (!verify(c, signer, content, v))
		return;
	if (!v->has_signing_certificate) {
		say(v, INDETERMINATE, "SIG_CONSTRAINTS_FAILURE", "the token does not name its certificate (RFC 3161, 2.4.2)", "");
		return;
	}
	if (!tsa_usage(signer)) {
		say(v, INDETERMINATE, "CHAIN_CONSTRAINTS_FAILURE", "the certificate is not for timestamps alone (RFC 3161, 2.3)",
		    "");
		return;
	}
	if (gen_ms > existed(p)) {
		say(v, INDETERMINATE, "TIMESTAMP_ORDER_FAILURE", "genTime is later than the token is proven to have existed", "");
		return;
	}
	/* How old revocation data of an authority may be is local policy (5.2.5). Ours: it must reach to genTime. To ask for data of today
	 * would make every archive indeterminate whose last timestamp is older than a CRL's life, as nobody has added newer. */
	struct chain_question q = {.store = store,
	                           .now_ms = p->now_ms,
	                           .best_ms = existed(p),
	                           .fresh_ms = gen_ms,
	                           .min_rsa_bits = p->min_rsa_bits,
	                           .unknown_passes = p->unknown_passes};
	judge_chain(&q, c, signer, v);
	const char *weak = algorithm_digest_weak(token_imprint_nid(c), q.best_ms);
	if (v->indication == TOTAL_PASSED && weak != NULL)
		say(v, INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE", weak, "");
}

/* The store and what the signature itself brings. */
static struct trust_store *with_embedded(const struct cms *c, const struct trust_store *below)
{
	struct trust_store *s = trust_store_over(below);
	if (s != NULL)
		embedded_add(s, c);
	return s;
}

void verdict_token_end(struct verdict_run *run, const struct verdict_policy *policy, struct bytes content_digest,
                       struct verdict *ret_verdict, int64_t *ret_gen_time_ms)
{
	struct verdict v = {.indication = INDETERMINATE, .subindication = "", .best_time_ms = existed(policy)};
	int64_t gen_ms = 0;
	struct trust_store *store = with_embedded(&run->c, policy->store);
	if (store == NULL)
		say(&v, INDETERMINATE, "TRY_LATER", "no memory", "");
	else
		judge_token(&run->c, store, policy, content_digest, &v, &gen_ms);
	trust_store_free(store);
	cms_close(&run->c);
	free(run);
	*ret_verdict = v;
	if (ret_gen_time_ms != NULL)
		*ret_gen_time_ms = gen_ms;
}

/* One signature timestamp: true where it is valid; then its time. */
static bool stamp_valid(const struct cms *c, struct bytes token, const struct trust_store *store, const struct verdict_policy *p,
                        int64_t *ret_gen_ms)
{
	struct cms t;
	if (token.n > TRUST_TOKEN_MAX || cms_open(token, true, &t, NULL) != ST_OK)
		return false;
	const ASN1_OCTET_STRING *value = CMS_SignerInfo_get0_signature(c->signer);
	uint8_t digest[64];
	size_t n = cms_digest(token_imprint_nid(&t),
	                      (struct bytes){ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)}, digest);
	struct verdict v = {0};
	struct trust_store *with = with_embedded(&t, store);
	if (with != NULL)
		judge_token(&t, with, p, (struct bytes){digest, n}, &v, ret_gen_ms);
	bool valid = with != NULL && n > 0 && v.indication == TOTAL_PASSED;
	trust_store_free(with);
	cms_close(&t);
	return valid;
}

/* The earliest proven existence (EN 319 102-1, 5.5): a valid signature timestamp moves best_time_ms back. */
static void judge_stamps(const struct cms *c, const struct trust_store *store, const struct verdict_policy *p, struct verdict *v)
{
	int count = 0;
	cms_attribute(c, false, OID_SIGNATURE_TIMESTAMP, -1, &count);
	for (int i = 0; i < count && i < TIMESTAMPS_MAX; i++) {
		int64_t gen_ms = 0;
		if (!stamp_valid(c, cms_attribute(c, false, OID_SIGNATURE_TIMESTAMP, i, NULL), store, p, &gen_ms))
			continue;
		v->timestamps++;
		if (gen_ms < v->best_time_ms)
			v->best_time_ms = gen_ms;
	}
}

static void judge_signature(const struct verdict_run *run, const struct trust_store *store, const struct verdict_policy *p,
                            struct bytes content_digest, struct verdict *v)
{
	const struct cms *c = &run->c;
	X509 *signer = find_signer(c, store);
	uint8_t place[64];
	struct bytes digest;
	describe(v, c, signer);
	v->best_time_ms = existed(p);
	if (content_digest.p == NULL) {
		say(v, INDETERMINATE, "SIGNED_DATA_NOT_FOUND", "the signed bytes are not there", "");
		return;
	}
	if (!inner_digest(run, content_digest, place, &digest)) {
		say(v, TOTAL_FAILED, "HASH_FAILURE", "the signed bytes were changed: the SHA-1 inside is another", "");
		return;
	}
	if (!verify(c, signer, digest, v))
		return;
	judge_stamps(c, store, p, v);
	const char *weak = run->sha1_inside ? algorithm_digest_weak(NID_sha1, v->best_time_ms) : NULL;
	if (weak != NULL) {
		say(v, INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE", weak, "");
		return;
	}
	struct chain_question q = {.store = store,
	                           .now_ms = p->now_ms,
	                           .best_ms = v->best_time_ms,
	                           .fresh_ms = v->best_time_ms,
	                           .min_rsa_bits = p->min_rsa_bits,
	                           .unknown_passes = p->unknown_passes};
	judge_chain(&q, c, signer, v);
}

void verdict_end(struct verdict_run *run, const struct verdict_policy *policy, struct bytes content_digest,
                 struct verdict *ret_verdict)
{
	struct verdict v = {.indication = INDETERMINATE, .subindication = "", .best_time_ms = existed(policy)};
	struct trust_store *store = with_embedded(&run->c, policy->store);
	if (store == NULL)
		say(&v, INDETERMINATE, "TRY_LATER", "no memory", "");
	else
		judge_signature(run, store, policy, content_digest, &v);
	v.carries_revocation = embedded_revocation(&run->c);
	trust_store_free(store);
	cms_close(&run->c);
	free(run);
	*ret_verdict = v;
}
