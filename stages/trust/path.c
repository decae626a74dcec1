/* From a certificate to an anchor: candidates by name, ordered by key identifiers, decided by signatures. */
#include <openssl/x509v3.h>
#include <string.h>

#include "stages/trust/internal.h"

/* Signatures that one search checks at most: same-name and cross certificates could make it exponential otherwise. */
#define TRIES_MAX 256

bool cert_self_issued(X509 *certificate)
{
	return X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
}

static bool signed_by(X509 *certificate, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	bool ok = key != NULL && X509_verify(certificate, key) == 1;
	trust_drain();
	return ok;
}

bool cert_issued_by(X509 *certificate, X509 *issuer)
{
	return X509_NAME_cmp(X509_get_issuer_name(certificate), X509_get_subject_name(issuer)) == 0 &&
	       signed_by(certificate, issuer);
}

/* 0: the key identifiers agree; 1: at least one is missing; 2: they differ. They order the tries and decide nothing: certificates
 * of one key with identifiers by different methods exist. */
static int identifiers_differ(X509 *certificate, X509 *issuer)
{
	const ASN1_OCTET_STRING *wanted = X509_get0_authority_key_id(certificate);
	const ASN1_OCTET_STRING *has = X509_get0_subject_key_id(issuer);
	if (wanted == NULL || has == NULL)
		return 1;
	return ASN1_OCTET_STRING_cmp(wanted, has) == 0 ? 0 : 2;
}

/* Basic constraints and key usage as RFC 5280, 6.1.4 (k) and (n) want them; an anchor may be of version 1. */
static bool may_issue(const struct trust_cert *c)
{
	if (c->anchor)
		return true;
	uint32_t flags = X509_get_extension_flags(c->x509);
	if ((flags & EXFLAG_INVALID) != 0 || (flags & EXFLAG_CA) == 0)
		return false;
	return (flags & EXFLAG_KUSAGE) == 0 || (X509_get_key_usage(c->x509) & KU_KEY_CERT_SIGN) != 0;
}

struct search {
	const struct trust_store *store;
	path_accept *accept;
	void *arg;
	STACK_OF(X509) * path;
	unsigned tries;
};

static bool on_path(const struct search *s, X509 *x)
{
	for (int i = 0; i < sk_X509_num(s->path); i++)
		if (X509_cmp(sk_X509_value(s->path, i), x) == 0)
			return true;
	return false;
}

static bool climb(struct search *s);

static bool try_issuer(struct search *s, X509 *of, const struct trust_cert *candidate)
{
	if (on_path(s, candidate->x509) || s->tries >= TRIES_MAX)
		return false;
	s->tries++;
	if (!signed_by(of, candidate->x509) || sk_X509_push(s->path, candidate->x509) == 0)
		return false;
	bool found = climb(s);
	(void)sk_X509_pop(s->path);
	return found;
}

/* Anchors first, then the others; in each, the ones with agreeing key identifiers first. */
static bool climb(struct search *s)
{
	X509 *top = sk_X509_value(s->path, sk_X509_num(s->path) - 1);
	if (trust_store_is_anchor(s->store, top))
		return s->accept(s->arg, s->path);
	/* What issued a self-signed certificate has its name and key, so it was a candidate one step below already. */
	if (sk_X509_num(s->path) >= TRUST_PATH_MAX || (X509_get_extension_flags(top) & EXFLAG_SS) != 0)
		return false;
	const X509_NAME *wanted = X509_get_issuer_name(top);
	for (int round = 0; round < 6; round++) {
		for (const struct trust_store *t = s->store; t != NULL; t = t->below) {
			for (size_t i = 0; i < t->n_certs; i++) {
				const struct trust_cert *c = &t->certs[i];
				if (c->anchor == (round < 3) && X509_NAME_cmp(X509_get_subject_name(c->x509), wanted) == 0 &&
				    may_issue(c) && identifiers_differ(top, c->x509) == round % 3 && try_issuer(s, top, c))
					return true;
			}
		}
	}
	return false;
}

bool path_each(const struct trust_store *store, X509 *leaf, path_accept *accept, void *arg)
{
	struct search s = {.store = store, .accept = accept, .arg = arg, .path = sk_X509_new_null()};
	bool found = s.path != NULL && sk_X509_push(s.path, leaf) > 0 && climb(&s);
	sk_X509_free(s.path);
	return found;
}

static bool copy_path(void *arg, STACK_OF(X509) * path)
{
	STACK_OF(X509) **to = arg;
	*to = X509_chain_up_ref(path);
	return true;
}

STACK_OF(X509) * trust_store_path(const struct trust_store *s, X509 *leaf)
{
	STACK_OF(X509) *path = NULL;
	path_each(s, leaf, copy_path, &path);
	return path;
}

X509 *store_issuer(const struct trust_store *store, X509 *certificate)
{
	const X509_NAME *wanted = X509_get_issuer_name(certificate);
	for (int round = 0; round < 3; round++) {
		for (const struct trust_store *t = store; t != NULL; t = t->below) {
			for (size_t i = 0; i < t->n_certs; i++) {
				const struct trust_cert *c = &t->certs[i];
				if (X509_NAME_cmp(X509_get_subject_name(c->x509), wanted) == 0 && may_issue(c) &&
				    identifiers_differ(certificate, c->x509) == round && signed_by(certificate, c->x509))
					return c->x509;
			}
		}
	}
	return NULL;
}

/* The anchor is a name and a key (RFC 5280, 6.1.1 (d)): whether its own certificate says that it is a CA matters to nobody. */
static int excuse_anchor(int ok, X509_STORE_CTX *ctx)
{
	int last = sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) - 1;
	if (ok == 1 || X509_STORE_CTX_get_error(ctx) != X509_V_ERR_INVALID_CA || X509_STORE_CTX_get_error_depth(ctx) != last)
		return ok;
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

bool path_constraints(STACK_OF(X509) * path, const char **ret_why)
{
	int n = sk_X509_num(path);
	if (n == 1)
		return true;
	bool ok = false;
	X509_STORE *anchors = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *rest = sk_X509_dup(path);
	*ret_why = "no memory";
	if (anchors == NULL || ctx == NULL || rest == NULL || X509_STORE_add_cert(anchors, sk_X509_value(path, n - 1)) != 1 ||
	    X509_STORE_CTX_init(ctx, anchors, sk_X509_value(path, 0), rest) != 1)
		goto out;
	/* Times and strength are judged elsewhere, at other moments than OpenSSL would take. */
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
	X509_VERIFY_PARAM_set_auth_level(param, 0);
	X509_VERIFY_PARAM_set_depth(param, TRUST_PATH_MAX);
	X509_STORE_CTX_set_verify_cb(ctx, excuse_anchor);
	ok = X509_verify_cert(ctx) == 1;
	*ret_why = ok ? "" : X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
out:
	sk_X509_free(rest);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(anchors);
	trust_drain();
	return ok;
}
