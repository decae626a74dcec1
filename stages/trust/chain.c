#include "stages/trust/chain.h"

#include <openssl/crypto.h>
#include <openssl/ocsp.h>
#include <string.h>

#include "stages/trust/algorithm.h"
#include "stages/trust/status.h"

#define SKEW_MS INT64_C(300000)
#define DAY_MS INT64_C(86400000)
#define RESPONDERS_MAX 3 /* responders whose state hangs on responders */
#define HOLD 6           /* CRLReason certificateHold */

enum known { KNOWN_NOTHING, KNOWN_STALE, KNOWN_GOOD, KNOWN_HELD, KNOWN_REVOKED };

static enum known certificate_known(const struct chain_question *q, X509 *x, X509 *issuer, X509 *not_by, int depth);

/* The one who said it may say it only while not revoked itself. */
static bool signer_counts(const struct chain_question *q, const struct cert_status *s, X509 *issuer, int depth)
{
	if (X509_cmp(s->signer, issuer) == 0 || status_not_needed_responder(s->signer))
		return true;
	if (depth >= RESPONDERS_MAX)
		return false;
	X509 *above = cert_issued_by(s->signer, issuer) ? issuer : store_issuer(q->store, s->signer);
	return above != NULL && certificate_known(q, s->signer, above, s->signer, depth + 1) == KNOWN_GOOD;
}

/* What one answer is worth for this certificate. */
static enum known weigh(const struct chain_question *q, X509 *x, X509 *issuer, const struct cert_status *s, X509 *not_by,
                        int depth)
{
	int64_t from, to;
	if (s->word == STATUS_UNKNOWN || s->this_ms > q->now_ms + SKEW_MS || !cert_validity(x, &from, &to) ||
	    (not_by != NULL && X509_cmp(s->signer, not_by) == 0))
		return KNOWN_NOTHING;
	if (s->word == STATUS_REVOKED && s->revoked_ms <= q->best_ms)
		return !signer_counts(q, s, issuer, depth) ? KNOWN_NOTHING : s->reason == HOLD ? KNOWN_HELD : KNOWN_REVOKED;
	/* Revoked later is: good until then. A certificate that had expired may have been dropped from the list (RFC 5280, 3.3). */
	if (s->word == STATUS_GOOD && s->this_ms > to && (s->expired_from_ms == 0 || s->expired_from_ms > to))
		return KNOWN_NOTHING;
	/* Revocation freshness (EN 319 102-1, 5.2.5): issued since then, or still valid then. */
	int64_t reaches = s->next_ms != 0 ? s->next_ms : s->this_ms + DAY_MS;
	if (s->word == STATUS_GOOD && reaches < q->fresh_ms)
		return KNOWN_STALE;
	return signer_counts(q, s, issuer, depth) ? KNOWN_GOOD : KNOWN_NOTHING;
}

/* The gravest thing that any answer in the store says; good before stale. */
static enum known certificate_known(const struct chain_question *q, X509 *x, X509 *issuer, X509 *not_by, int depth)
{
	enum known gravest = KNOWN_NOTHING;
	struct cert_status s;
	for (const struct trust_store *t = q->store; t != NULL; t = t->below) {
		for (size_t i = 0; i < t->n_ocsps; i++) {
			enum known k = ocsp_read(q->store, t->ocsps[i].basic, x, issuer, &s) != NULL
			                   ? KNOWN_NOTHING
			                   : weigh(q, x, issuer, &s, not_by, depth);
			gravest = k > gravest ? k : gravest;
		}
		for (size_t i = 0; i < t->n_crls; i++) {
			enum known k = crl_read(q->store, t->crls[i].crl, x, issuer, &s) != NULL
			                   ? KNOWN_NOTHING
			                   : weigh(q, x, issuer, &s, not_by, depth);
			gravest = k > gravest ? k : gravest;
		}
	}
	return gravest;
}

/* What is wrong with one certificate of the path. Static strings; false: nothing. */
struct wrong {
	const char *subindication, *reason;
	bool failed;
};

static bool judge_revocation(const struct chain_question *q, X509 *x, X509 *issuer, bool leaf, struct wrong *w)
{
	if (status_not_needed(x))
		return false;
	switch (certificate_known(q, x, issuer, NULL, 0)) {
	case KNOWN_GOOD:
		return false;
	case KNOWN_REVOKED:
		*w = (struct wrong){leaf ? "REVOKED_NO_POE" : "REVOKED_CA_NO_POE",
		                    "the certificate was revoked, and nothing proves that the signature is older", false};
		return true;
	case KNOWN_HELD:
		*w = (struct wrong){"TRY_LATER", "the certificate is on hold", false};
		return true;
	case KNOWN_STALE:
		*w = (struct wrong){"TRY_LATER", "what is known of the certificate's revocation is too old", false};
		return true;
	case KNOWN_NOTHING:
		if (q->unknown_passes)
			return false;
		break;
	}
	*w = (struct wrong){"TRY_LATER", "nothing is known of the certificate's revocation", false};
	return true;
}

static bool judge_one(const struct chain_question *q, X509 *x, X509 *issuer, bool leaf, struct wrong *w)
{
	int64_t from = 0, to = 0;
	if (!cert_validity(x, &from, &to)) {
		*w = (struct wrong){"CHAIN_CONSTRAINTS_FAILURE", "the certificate's validity is malformed", false};
		return true;
	}
	if (q->best_ms < from) {
		*w = (struct wrong){"NOT_YET_VALID", "the signature is proven to be older than the certificate", true};
		return true;
	}
	if (judge_revocation(q, x, issuer, leaf, w) && strncmp(w->subindication, "REVOKED", 7) == 0)
		return true;
	if (q->best_ms > to) {
		*w = (struct wrong){"OUT_OF_BOUNDS_NO_POE",
		                    "the certificate expired, and nothing proves that the signature is older", false};
		return true;
	}
	if (w->subindication != NULL)
		return true;
	const char *weak = algorithm_key_weak(x, q->min_rsa_bits);
	if (weak == NULL)
		weak = algorithm_digest_weak(algorithm_certificate_digest(x), q->best_ms);
	*w = (struct wrong){weak == NULL ? NULL : "CRYPTO_CONSTRAINTS_FAILURE", weak, false};
	return weak != NULL;
}

struct judging {
	const struct chain_question *q;
	struct chain_answer *ret;
	bool any;
};

static bool judge_path(void *arg, STACK_OF(X509) * path)
{
	struct judging *j = arg;
	const char *why = "";
	struct wrong w = {0};
	int at = 0;
	if (!path_constraints(path, &why)) {
		w = (struct wrong){"CHAIN_CONSTRAINTS_FAILURE", why, false};
	} else {
		/* The anchor itself is trusted as it is (RFC 5280, 6.1.1 (d)). */
		for (; at + 1 < sk_X509_num(path); at++)
			if (judge_one(j->q, sk_X509_value(path, at), sk_X509_value(path, at + 1), at == 0, &w))
				break;
	}
	if (w.subindication != NULL && j->any)
		return false;
	j->any = true;
	*j->ret = (struct chain_answer){.subindication = w.subindication == NULL ? "" : w.subindication,
	                                .reason = w.subindication == NULL ? "" : w.reason,
	                                .failed = w.failed};
	if (w.subindication == NULL)
		return true;
	name_text(X509_get_subject_name(sk_X509_value(path, at)), j->ret->of, sizeof j->ret->of);
	return false;
}

void chain_judge(const struct chain_question *q, X509 *leaf, struct chain_answer *ret)
{
	struct judging j = {.q = q, .ret = ret};
	*ret = (struct chain_answer){.subindication = "NO_CERTIFICATE_CHAIN_FOUND", .reason = "no path leads to a trust anchor"};
	path_each(q->store, leaf, judge_path, &j);
	if (!j.any)
		name_text(X509_get_subject_name(leaf), ret->of, sizeof ret->of);
	trust_drain();
}
