/* What a DSS needs, and what a signer must be. */
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "stages/trust/algorithm.h"
#include "stages/trust/asked.h"
#include "stages/trust/status.h"

/* Responders of responders: each has its CA's data, which is one level up at most in practice. */
#define DEPTH_MAX 6

struct choice {
	int64_t now_ms;
	const char *why;        /* of the last path refused */
	STACK_OF(X509) * first; /* the first path that is whole, whatever its times; owned */
	STACK_OF(X509) * good;  /* owned */
};

static bool in_time(STACK_OF(X509) * path, int64_t now_ms)
{
	for (int i = 0; i + 1 < sk_X509_num(path); i++) {
		int64_t from, to;
		if (!cert_validity(sk_X509_value(path, i), &from, &to) || now_ms < from || now_ms > to)
			return false;
	}
	return true;
}

static bool choose(void *arg, STACK_OF(X509) * path)
{
	struct choice *c = arg;
	if (!path_constraints(path, &c->why))
		return false;
	if (in_time(path, c->now_ms)) {
		c->good = X509_chain_up_ref(path);
		return true;
	}
	if (c->first == NULL)
		c->first = X509_chain_up_ref(path);
	return false;
}

static enum status refuse(struct err *e, enum status st, const char *code, X509 *certificate, const char *detail)
{
	char subject[200];
	name_text(X509_get_subject_name(certificate), subject, sizeof subject);
	err_set(e, st, code, "%s: %s", subject, detail);
	err_arg(e, "%s", subject);
	err_arg(e, "%s", detail);
	return st;
}

/* A path whose certificates are all in time, else one that is whole; the caller frees. Where there is none: ST_RETRY where an issuer
 * could not be fetched, else `st` "cert-path". */
static enum status find_path(struct revocation *r, X509 *certificate, enum status st, STACK_OF(X509) * *ret_path, struct err *e)
{
	struct choice c = {.now_ms = r->now_ms(), .why = "no path to a trust anchor"};
	if (revocation_complete_path(r, certificate, e) != ST_OK)
		return ST_RETRY;
	path_each(r->store, certificate, choose, &c);
	if (c.good != NULL)
		sk_X509_pop_free(c.first, X509_free);
	*ret_path = c.good != NULL ? c.good : c.first;
	return *ret_path != NULL ? ST_OK : refuse(e, st, "cert-path", certificate, c.why);
}

static enum status check_times(X509 *certificate, int64_t now_ms, struct err *e)
{
	int64_t from = 0, to = 0;
	char text[TIME_TEXT];
	bool read = cert_validity(certificate, &from, &to);
	if (!read || now_ms > to) {
		time_iso8601(to, 0, false, text);
		return refuse(e, ST_RUN, "cert-expired", certificate, text);
	}
	if (now_ms < from) {
		time_iso8601(from, 0, false, text);
		return refuse(e, ST_RUN, "cert-not-yet", certificate, text);
	}
	return ST_OK;
}

static enum status check_one(X509 *certificate, int64_t now_ms, unsigned min_rsa_bits, struct err *e)
{
	enum status st = check_times(certificate, now_ms, e);
	if (st != ST_OK)
		return st;
	const char *weak = algorithm_key_weak(certificate, min_rsa_bits);
	if (weak == NULL)
		weak = algorithm_digest_weak(algorithm_certificate_digest(certificate), now_ms);
	return weak == NULL ? ST_OK : refuse(e, ST_RUN, "cert-weak", certificate, weak);
}

enum status revocation_check_signer(struct revocation *r, X509 *certificate, int64_t max_age_ms, unsigned min_rsa_bits,
                                    struct err *e)
{
	int64_t now_ms = r->now_ms();
	enum status st = check_one(certificate, now_ms, min_rsa_bits, e);
	if (st != ST_OK)
		return st;
	/* Without the extension X509_get_key_usage has every bit. */
	if ((X509_get_key_usage(certificate) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0)
		return refuse(e, ST_RUN, "cert-usage", certificate, "keyUsage has neither digitalSignature nor nonRepudiation");
	STACK_OF(X509) *path = NULL;
	st = find_path(r, certificate, ST_RUN, &path, e);
	for (int i = 0; st == ST_OK && i + 1 < sk_X509_num(path); i++) {
		X509 *x = sk_X509_value(path, i);
		struct asked a;
		st = check_one(x, now_ms, min_rsa_bits, e);
		if (st == ST_OK && !status_not_needed(x))
			st = revocation_asked(r, x, sk_X509_value(path, i + 1), now_ms - max_age_ms, &a, e);
	}
	sk_X509_pop_free(path, X509_free);
	/* Nothing of this is a document's fault. */
	if (st == ST_ITEM) {
		st = ST_RUN;
		if (e != NULL)
			e->status = ST_RUN;
	}
	return st;
}

static bool append(struct bytes **list, size_t *n, struct bytes one)
{
	for (size_t i = 0; i < *n; i++)
		if (bytes_equal((*list)[i], one))
			return true;
	struct bytes *more = reallocarray(*list, *n + 1, sizeof *more);
	if (more == NULL)
		return false;
	*list = more;
	more[(*n)++] = one;
	return true;
}

/* The certificate's DER, kept once in r. */
static bool append_certificate(struct revocation *r, struct revocation_set *set, X509 *x)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);
	if (n <= 0) {
		trust_drain();
		return false;
	}
	struct bytes one = {der, (size_t)n};
	for (size_t i = 0; i < r->n_certs; i++) {
		if (bytes_equal(r->certs[i], one)) {
			OPENSSL_free(der);
			return append(&set->certificates, &set->n_certificates, r->certs[i]);
		}
	}
	struct bytes *more = reallocarray(r->certs, r->n_certs + 1, sizeof *more);
	if (more == NULL) {
		OPENSSL_free(der);
		return false;
	}
	r->certs = more;
	more[r->n_certs++] = one;
	return append(&set->certificates, &set->n_certificates, one);
}

/* One walk of the closure: which certificates it has been at. */
struct walk {
	struct revocation *r;
	struct revocation_set *set;
	int64_t not_before_ms;
	STACK_OF(X509) * seen; /* borrowed */
};

static bool seen(const struct walk *w, X509 *x)
{
	for (int i = 0; i < sk_X509_num(w->seen); i++)
		if (X509_cmp(sk_X509_value(w->seen, i), x) == 0)
			return true;
	return false;
}

static enum status collect(struct walk *w, X509 *certificate, int depth, struct err *e);

static enum status collect_one(struct walk *w, X509 *x, X509 *issuer, int depth, struct err *e)
{
	if (seen(w, x))
		return ST_OK;
	X509_up_ref(x);
	if (sk_X509_push(w->seen, x) == 0) {
		X509_free(x);
		return err_set(e, ST_RETRY, "memory", "collecting certificates");
	}
	if (!append_certificate(w->r, w->set, x))
		return err_set(e, ST_RETRY, "memory", "collecting certificates");
	if (status_not_needed(x))
		return ST_OK;
	struct asked a;
	enum status st = revocation_asked(w->r, x, issuer, w->not_before_ms, &a, e);
	if (st != ST_OK)
		return st;
	bool ok = a.answer.kind == REVOCATION_OCSP ? append(&w->set->ocsps, &w->set->n_ocsps, a.answer.der)
	                                           : append(&w->set->crls, &w->set->n_crls, a.answer.der);
	if (!ok)
		return err_set(e, ST_RETRY, "memory", "collecting answers");
	/* The CA itself is on the path; a responder of its own is not. */
	if (X509_cmp(a.signer, issuer) == 0)
		return ST_OK;
	if (status_not_needed_responder(a.signer))
		return append_certificate(w->r, w->set, a.signer) ? ST_OK
		                                                  : err_set(e, ST_RETRY, "memory", "collecting certificates");
	return collect(w, a.signer, depth + 1, e);
}

static enum status collect(struct walk *w, X509 *certificate, int depth, struct err *e)
{
	if (depth > DEPTH_MAX)
		return refuse(e, ST_ITEM, "revocation-loop", certificate, "responders answer for each other without end");
	STACK_OF(X509) *path = NULL;
	enum status st = find_path(w->r, certificate, ST_ITEM, &path, e);
	for (int i = 0; st == ST_OK && i + 1 < sk_X509_num(path); i++)
		st = collect_one(w, sk_X509_value(path, i), sk_X509_value(path, i + 1), depth, e);
	sk_X509_pop_free(path, X509_free);
	return st;
}

enum status revocation_collect(struct revocation *r, X509 *certificate, int64_t not_before_ms, struct revocation_set *set,
                               struct err *e)
{
	struct walk w = {.r = r, .set = set, .not_before_ms = not_before_ms, .seen = sk_X509_new_null()};
	if (w.seen == NULL)
		return err_set(e, ST_RETRY, "memory", "collecting certificates");
	enum status st = collect(&w, certificate, 0, e);
	sk_X509_pop_free(w.seen, X509_free);
	return st;
}

void revocation_set_free(struct revocation_set *set)
{
	free(set->certificates);
	free(set->ocsps);
	free(set->crls);
	*set = (struct revocation_set){0};
}
