#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/pdf/signatures.h"
#include "stages/trust/cades.h"
#include "stages/validate/check.h"

/* What is known while a document's signatures are judged from the newest to the oldest. */
struct judge {
	const struct check_policy *policy;
	const struct pdfdoc *doc;
	struct trust_store *store;
	struct trust_store *shared;    /* or NULL */
	struct revocation *revocation; /* online only */
	int64_t existed_ms;            /* what lies in the revisions still to be judged existed then */
	bool stamped;                  /* a document timestamp came after them, valid or not */
	bool dss;                      /* the document has one */
};

static void add(struct trust_store *store, enum pdfdss_kind kind, struct bytes der)
{
	if (kind == PDFDSS_CERT)
		trust_store_add_certificate(store, der);
	else if (kind == PDFDSS_OCSP)
		trust_store_add_ocsp(store, der);
	else
		trust_store_add_crl(store, der);
}

static void learn(void *arg, enum pdfdss_kind kind, struct bytes der)
{
	struct judge *j = arg;
	j->dss = true;
	add(j->store, kind, der);
	if (j->shared != NULL)
		add(j->shared, kind, der);
}

/* Online: what the file lacks is asked for and goes into the store; what cannot be had is for the verdict to tell. */
static void ask(struct judge *j, struct bytes cms)
{
	STACK_OF(X509) *all = sk_X509_new_null();
	struct revocation_set set = {0};
	if (all != NULL && cades_certificates(cms, all, NULL) == ST_OK) {
		for (int i = 0; i < sk_X509_num(all); i++) {
			if (revocation_collect(j->revocation, sk_X509_value(all, i), 0, &set, NULL) != ST_OK)
				continue;
		}
	}
	revocation_set_free(&set);
	sk_X509_pop_free(all, X509_free);
}

/* The baseline level that the file shows (EN 319 142-1, 6.2), whatever the validity. */
static const char *format_of(const struct judge *j, const struct pdfsig *s, const struct verdict *v)
{
	if (s->timestamp)
		return "RFC3161";
	if (strcmp(s->sub_filter, "ETSI.CAdES.detached") != 0)
		return "PKCS7";
	if (!v->has_signing_certificate || v->has_signing_time)
		return "PAdES";
	bool time = v->timestamps_there > 0 || j->stamped;
	bool material = j->dss && v->revocation_embedded;
	return time && material && j->stamped ? "PAdES-BASELINE-LTA"
	       : time && material             ? "PAdES-BASELINE-LT"
	       : time                         ? "PAdES-BASELINE-T"
	                                      : "PAdES-BASELINE-B";
}

static void fail(struct verdict *v, enum indication indication, const char *subindication, const char *reason)
{
	v->indication = indication;
	v->subindication = subindication;
	snprintf(v->reason, sizeof v->reason, "%.*s", (int)sizeof v->reason - 1, reason);
}

/* The cryptographic and trust side of one signature. */
static enum status judge_cms(struct judge *j, const struct pdfsig *s, struct report_signature *out, struct err *e)
{
	const struct verdict_policy policy = {.store = j->store,
	                                      .now_ms = j->policy->at_ms,
	                                      .existed_ms = j->existed_ms,
	                                      .min_rsa_bits = j->policy->min_rsa_bits,
	                                      .unknown_passes = j->policy->unknown_passes};
	const struct bytes cms = {s->contents.data, s->contents.len};
	struct verdict_run *run;
	struct err fault;
	uint8_t digest[EVP_MAX_MD_SIZE];
	size_t n;
	enum status st = s->timestamp ? verdict_token_begin(cms, &run, &fault) : verdict_begin(cms, &run, &fault);
	if (st == ST_ITEM) {
		fail(&out->verdict, TOTAL_FAILED, "FORMAT_FAILURE", fault.detail);
		return ST_OK;
	}
	if (st != ST_OK) {
		*e = fault;
		return st;
	}
	st = pdfsig_digest(j->doc, s, verdict_digest_name(run), digest, &n, &fault);
	if (st != ST_OK)
		n = 0; /* an unusable digest fails the comparison; the run must still be ended */
	if (s->timestamp)
		verdict_token_end(run, &policy, (struct bytes){digest, n}, &out->verdict, &out->time_ms);
	else
		verdict_end(run, &policy, (struct bytes){digest, n}, &out->verdict);
	return ST_OK;
}

static enum status judge_one(struct judge *j, const struct pdfsig *s, struct report *r, struct err *e)
{
	struct report_signature out = {.timestamp = s->timestamp,
	                               .verdict = {.subindication = ""},
	                               .has_time = s->timestamp || s->has_time,
	                               .time_ms = s->time_ms,
	                               .covers = s->whole_file ? COVERS_WHOLE_FILE : COVERS_EARLIER_REVISION,
	                               .changes = s->changes == PDFSIG_NONE      ? CHANGES_NONE
	                                          : s->changes == PDFSIG_ALLOWED ? CHANGES_ALLOWED
	                                                                         : CHANGES_FORBIDDEN};
	snprintf(out.field, sizeof out.field, "%s", s->field);
	if (j->revocation != NULL)
		ask(j, (struct bytes){s->contents.data, s->contents.len});
	enum status st = judge_cms(j, s, &out, e);
	if (st != ST_OK)
		return st;
	if (!s->range_ok && out.verdict.indication != TOTAL_FAILED)
		fail(&out.verdict, TOTAL_FAILED, "FORMAT_FAILURE",
		     "the byte range does not cover a whole revision but its own value");
	out.format = format_of(j, s, &out.verdict);
	report_signature(r, &out);
	if (s->changes == PDFSIG_FORBIDDEN)
		report_problem(r, REPORT_INVALID, "changed-after-signing", "%s: %s", s->field, s->change_reason);
	/* What a good timestamp covers existed when it was made. */
	if (s->timestamp && out.verdict.indication == TOTAL_PASSED && s->range_ok && s->changes != PDFSIG_FORBIDDEN &&
	    out.time_ms < j->existed_ms)
		j->existed_ms = out.time_ms;
	j->stamped = j->stamped || s->timestamp;
	return ST_OK;
}

/* Reports stand in the order in which the signatures were made, but judging goes the other way. */
static void reverse(struct report *r)
{
	for (size_t i = 0, k = r->n_signatures; i + 1 < k; i++) {
		struct report_signature kept = r->signatures[i];
		r->signatures[i] = r->signatures[--k];
		r->signatures[k] = kept;
	}
}

static enum status judge_all(struct judge *j, struct report *r, struct err *e)
{
	struct pdfsig *list;
	size_t n;
	struct err fault;
	enum status st = pdfsig_list(j->doc, &list, &n, &fault);
	if (st == ST_ITEM) {
		report_problem(r, REPORT_INVALID, fault.code, "%s %s", fault.where, fault.detail);
		return ST_OK;
	}
	if (st != ST_OK) {
		*e = fault;
		return st;
	}
	if (n == 0)
		report_problem(r, REPORT_INDETERMINATE, "not-signed",
		               "the document has no signature, so nothing shows that it is unchanged");
	for (size_t i = n; i-- > 0 && st == ST_OK;)
		st = judge_one(j, &list[i], r, e);
	reverse(r);
	if (st == ST_OK && n > 0 && !list[n - 1].whole_file && list[n - 1].range_ok)
		report_problem(r, list[n - 1].changes == PDFSIG_ALLOWED ? REPORT_VALID : REPORT_INVALID, "added-after-signing",
		               "bytes were added after the last signature");
	pdfsig_free(list, n);
	return st;
}

/* What the checker of PDF/A says. It reads more leniently than signatures allow, so it may judge a file that nothing else can be said of. */
static enum status judge_pdfa(const struct check_policy *policy, struct bytes content, struct report *r, struct err *e)
{
	struct pdfa_result found;
	enum status st = policy->pdfa ? pdfa_check(content, policy->flavour, &found, e) : ST_OK;
	if (!policy->pdfa)
		return ST_OK;
	if (st != ST_OK && st != ST_ITEM)
		return st;
	report_pdfa(r, policy->flavour, &found, st == ST_OK ? NULL : e, policy->pdfa_counts ? REPORT_INVALID : REPORT_VALID);
	return ST_OK;
}

enum status check_anchors(const char *const *paths, size_t n, struct trust_store **ret_anchors, struct err *e)
{
	struct trust_store *anchors = trust_store_new();
	enum status st = anchors == NULL ? err_set(e, ST_RETRY, "memory", "no memory for certificates") : ST_OK;
	for (size_t i = 0; i < n && st == ST_OK; i++)
		st = trust_store_add_anchors(anchors, paths[i], e);
	if (st != ST_OK) {
		trust_store_free(anchors);
		return st;
	}
	*ret_anchors = anchors;
	return ST_OK;
}

enum status check_store(const struct check_policy *policy, struct trust_store **ret_store, struct err *e)
{
	*ret_store = trust_store_over(policy->anchors);
	return *ret_store == NULL ? err_set(e, ST_RETRY, "memory", "no memory for certificates") : ST_OK;
}

enum status check_pdf(const struct check_policy *policy, const char *path, struct bytes content, struct trust_store *shared,
                      struct report *ret_report, struct err *e)
{
	struct judge j = {.policy = policy, .existed_ms = policy->at_ms, .shared = shared};
	struct pdfdoc *doc = NULL;
	struct err fault;
	enum status st = check_store(policy, &j.store, e);
	if (st == ST_OK && policy->fetch != NULL) {
		j.revocation = revocation_new(policy->fetch, j.store, policy->now_ms);
		st = j.revocation == NULL ? err_set(e, ST_RETRY, "memory", "no memory for %s", path) : ST_OK;
	}
	if (st != ST_OK) {
		trust_store_free(j.store);
		return st;
	}
	report_init(ret_report, REPORT_PDF, path);
	st = pdfdoc_open(content, &doc, &fault);
	if (st == ST_OK) {
		j.doc = doc;
		if (pdfdss_each(doc, learn, &j, &fault) == ST_ITEM)
			report_problem(ret_report, REPORT_INVALID, fault.code, "%s %s", fault.where, fault.detail);
		st = judge_all(&j, ret_report, &fault);
	}
	if (st == ST_ITEM) {
		report_problem(ret_report, REPORT_INVALID, fault.code, "%s %s", fault.where, fault.detail);
		st = ST_OK;
	}
	if (st == ST_OK)
		st = judge_pdfa(policy, content, ret_report, &fault);
	pdfdoc_close(doc);
	revocation_free(j.revocation);
	trust_store_free(j.store);
	if (st != ST_OK) {
		report_free(ret_report);
		*e = fault;
	}
	return st;
}
