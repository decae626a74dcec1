#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "stages/base/text.h"
#include "stages/pdf/signatures.h"
#include "stages/sign/internal.h"
#include "stages/trust/verdict.h"

/* What a document holds itself. Certificates are few and serve to find issuers, so the session keeps them; answers and lists go with the
 * document, or a night of signed documents would fill the memory. */
struct own {
	const struct session *session;
	struct trust_store *store; /* over the session's */
};

static void learn_dss(void *arg, enum pdfdss_kind kind, struct bytes der)
{
	const struct own *own = arg;
	switch (kind) {
	case PDFDSS_CERT:
		trust_store_add_certificate(own->session->store, der);
		break;
	case PDFDSS_OCSP:
		trust_store_add_ocsp(own->store, der);
		break;
	case PDFDSS_CRL:
		trust_store_add_crl(own->store, der);
		break;
	}
}

/* Asks for the state of every certificate in a signature. What cannot be had is no fault yet: the verdict knows what it lacks, and
 * `late` keeps the first fault that passes. */
static void ask_revocation(const struct session *s, const struct pdfsig *sig, struct err *late)
{
	STACK_OF(X509) *certificates = sk_X509_new_null();
	struct err ignored = {0};
	struct bytes cms = {sig->contents.data, sig->contents.len};
	if (certificates != NULL && cades_certificates(cms, certificates, &ignored) == ST_OK) {
		int64_t fresh = s->env->now_ms() - (int64_t)s->env->profile->sign.revocation_max_age_s * 1000;
		for (int i = 0; i < sk_X509_num(certificates); i++)
			session_learn(s, sk_X509_value(certificates, i));
		for (int i = 0; i < sk_X509_num(certificates); i++) {
			struct revocation_set set = {0};
			X509 *certificate = sk_X509_value(certificates, i);
			if (X509_check_ca(certificate) == 0 &&
			    revocation_collect(s->revocation, certificate, fresh, &set, &ignored) == ST_RETRY &&
			    late->status == ST_OK)
				*late = ignored;
			revocation_set_free(&set);
		}
	}
	sk_X509_pop_free(certificates, X509_free);
}

static enum status judge(const struct own *own, const struct pdfdoc *d, const struct pdfsig *sig, int64_t existed_ms,
                         struct verdict *ret_verdict, int64_t *ret_gen_time_ms, struct err *e)
{
	const struct session *s = own->session;
	struct bytes cms = {sig->contents.data, sig->contents.len};
	struct verdict_run *run;
	enum status st = sig->timestamp ? verdict_token_begin(cms, &run, e) : verdict_begin(cms, &run, e);
	if (st != ST_OK)
		return st;
	uint8_t digest[64];
	size_t n = 0;
	st = pdfsig_digest(d, sig, verdict_digest_name(run), digest, &n, e);
	const struct verdict_policy policy = {.store = own->store,
	                                      .now_ms = s->env->now_ms(),
	                                      .existed_ms = existed_ms,
	                                      .min_rsa_bits = s->env->profile->sign.min_rsa_bits};
	/* Ends the run in any case; where there is no digest its verdict is not used. */
	if (sig->timestamp)
		verdict_token_end(run, &policy, (struct bytes){digest, n}, ret_verdict, ret_gen_time_ms);
	else
		verdict_end(run, &policy, (struct bytes){digest, n}, ret_verdict);
	return st;
}

static enum status refuse(struct err *e, const char *code, const struct pdfsig *sig, const char *signer, const char *reason)
{
	err_set(e, ST_ITEM, code, "field %s, signer %s: %s", sig->field, signer, reason);
	err_arg(e, "%s", sig->field);
	err_arg(e, "%s", signer);
	err_arg(e, "%s", reason);
	return ST_ITEM;
}

static enum status check_one(const struct own *own, const struct pdfdoc *d, const struct pdfsig *sig, int64_t *existed_ms,
                             struct item *it, struct err *e)
{
	const struct session *s = own->session;
	if (!sig->range_ok)
		return refuse(e, "earlier-signature-invalid", sig, "?", "its ByteRange does not cover a whole revision");
	if (sig->changes == PDFSIG_FORBIDDEN)
		return refuse(e, "earlier-signature-changes", sig, "?", sig->change_reason);
	struct err late = {0}, broken = {0};
	ask_revocation(s, sig, &late);
	struct verdict v = {0};
	int64_t gen_time_ms = 0;
	enum status st = judge(own, d, sig, *existed_ms, &v, &gen_time_ms, &broken);
	if (st == ST_ITEM)
		return refuse(e, "earlier-signature-invalid", sig, "?", broken.detail);
	if (st != ST_OK) {
		*e = broken;
		return st;
	}
	/* A broken signature stays broken whatever a server would have said. */
	if (v.indication == INDETERMINATE && late.status == ST_RETRY) {
		*e = late;
		return ST_RETRY;
	}
	if (v.indication != TOTAL_PASSED) {
		char reason[sizeof v.reason + 64];
		snprintf(reason, sizeof reason, "%s %s: %s", indication_name(v.indication), v.subindication, v.reason);
		return refuse(e, "earlier-signature-invalid", sig, v.signer, reason);
	}
	if (sig->timestamp && gen_time_ms < *existed_ms)
		*existed_ms = gen_time_ms;
	item_add_event(it, s->env->now_ms(), "digital signature validation", "success",
	               "field %s, %s, TOTAL-PASSED, signer %s, serial %s", sig->field, sig->sub_filter, v.signer, v.serial);
	return ST_OK;
}

enum status earlier_check(const struct session *s, const struct pdfdoc *d, struct item *it, struct err *e)
{
	struct pdfsig *list;
	size_t n;
	enum status st = pdfsig_list(d, &list, &n, e);
	if (st != ST_OK)
		return st;
	struct own own = {s, trust_store_over(s->store)};
	if (own.store == NULL)
		st = err_set(e, ST_RETRY, "memory", "trust store");
	if (st == ST_OK && n > 0)
		st = pdfdss_each(d, learn_dss, &own, e);
	for (size_t i = 0; st == ST_OK && i < n; i++) {
		if (list[i].doc_mdp == 1) {
			err_set(e, ST_ITEM, "docmdp-forbids", "the certification signature in field %s permits no change",
			        list[i].field);
			err_arg(e, "%s", list[i].field);
			st = ST_ITEM;
		}
	}
	/* From the last to the first: a valid document timestamp proves that what it covers existed. */
	int64_t existed_ms = s->env->now_ms();
	for (size_t i = n; st == ST_OK && i-- > 0;)
		st = check_one(&own, d, &list[i], &existed_ms, it, e);
	trust_store_free(own.store);
	pdfsig_free(list, n);
	return st;
}
