/* A detached signature over a file (ETSI EN 319 122-1): the seal of a package, and what lies beside photographs, sound and video. */
#include <openssl/evp.h>
#include <stdio.h>

#include "stages/trust/cades.h"
#include "stages/validate/check.h"

static const char *format_of(const struct verdict *v)
{
	if (!v->has_signing_certificate || !v->has_signing_time)
		return "CAdES";
	return v->timestamps_there == 0                          ? "CAdES-BASELINE-B"
	       : v->carries_revocation && v->revocation_embedded ? "CAdES-BASELINE-LT"
	                                                         : "CAdES-BASELINE-T";
}

/* Online: what the signature lacks is asked for and goes into the store; what cannot be had is for the verdict to tell. */
static enum status ask(const struct check_policy *policy, struct bytes cms, struct trust_store *store, struct err *e)
{
	struct revocation *r = revocation_new(policy->fetch, store, policy->now_ms);
	STACK_OF(X509) *all = sk_X509_new_null();
	struct revocation_set set = {0};
	enum status st = r == NULL || all == NULL ? err_set(e, ST_RETRY, "memory", "no memory for certificates") : ST_OK;
	if (st == ST_OK && cades_certificates(cms, all, NULL) == ST_OK) {
		for (int i = 0; i < sk_X509_num(all); i++) {
			if (revocation_collect(r, sk_X509_value(all, i), 0, &set, NULL) != ST_OK)
				continue;
		}
	}
	revocation_set_free(&set);
	sk_X509_pop_free(all, X509_free);
	revocation_free(r);
	return st;
}

enum status check_detached(const struct check_policy *policy, const char *field, struct bytes cms, struct bytes content,
                           struct trust_store *store, struct report *r, struct err *e)
{
	struct report_signature out = {.verdict = {.subindication = ""}};
	struct verdict_run *run;
	struct err fault;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	enum status st = policy->fetch != NULL ? ask(policy, cms, store, e) : ST_OK;
	if (st != ST_OK)
		return st;
	st = verdict_begin(cms, &run, &fault);
	if (st == ST_ITEM) {
		report_problem(r, REPORT_INVALID, "seal-syntax", "%s: %s", field, fault.detail);
		return ST_OK;
	}
	if (st != ST_OK) {
		*e = fault;
		return st;
	}
	const struct verdict_policy rules = {.store = store,
	                                     .now_ms = policy->at_ms,
	                                     .existed_ms = policy->at_ms,
	                                     .min_rsa_bits = policy->min_rsa_bits,
	                                     .unknown_passes = policy->unknown_passes};
	const EVP_MD *md = EVP_get_digestbyname(verdict_digest_name(run));
	if (md == NULL || EVP_Digest(content.p, content.n, digest, &n, md, NULL) != 1)
		n = 0; /* fails the comparison */
	verdict_end(run, &rules, (struct bytes){digest, n}, &out.verdict);
	snprintf(out.field, sizeof out.field, "%.*s", (int)sizeof out.field - 1, field);
	out.has_time = out.verdict.claimed_time;
	out.time_ms = out.verdict.claimed_time_ms;
	out.format = format_of(&out.verdict);
	report_signature(r, &out);
	return ST_OK;
}
