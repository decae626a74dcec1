/* Asking OCSP responders and CRL servers, and keeping what they said. */
#include "stages/trust/revocation.h"

#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "stages/trust/asked.h"
#include "stages/trust/status.h"

#define SKEW_MS INT64_C(300000)
#define DAY_MS INT64_C(86400000)
#define ADDRESSES_MAX 4
#define OCSP_TIMEOUT_MS 15000u
#define CRL_TIMEOUT_MS 60000u
#define ISSUER_TIMEOUT_MS 15000u

struct revocation *revocation_new(struct fetch *fetch, struct trust_store *store, int64_t (*now_ms)(void))
{
	struct revocation *r = calloc(1, sizeof *r);
	if (r != NULL)
		*r = (struct revocation){.fetch = fetch, .store = store, .now_ms = now_ms};
	return r;
}

void revocation_free(struct revocation *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n_kept; i++) {
		free(r->kept[i].url);
		buf_free(&r->kept[i].der);
		X509_free(r->kept[i].signer);
	}
	for (size_t i = 0; i < RETIRED_MAX; i++)
		buf_free(&r->retired[i]);
	for (size_t i = 0; i < r->n_certs; i++)
		OPENSSL_free((void *)(uintptr_t)r->certs[i].p);
	for (size_t i = 0; i < r->n_tried; i++)
		free(r->tried[i]);
	free(r->kept);
	free(r->certs);
	free(r->tried);
	free(r);
}

static bool is_http(const char *url)
{
	return strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
}

/* The place for an answer; made where there is none. url NULL: the OCSP answer of a certificate; else a CRL of an issuer. */
static struct kept *slot(struct revocation *r, const uint8_t id[32], const char *url)
{
	for (size_t i = 0; i < r->n_kept; i++) {
		struct kept *k = &r->kept[i];
		if (memcmp(k->id, id, 32) == 0 && (k->url == NULL) == (url == NULL) && (url == NULL || strcmp(k->url, url) == 0))
			return k;
	}
	char *copy = url == NULL ? NULL : strdup(url);
	struct kept *more = reallocarray(r->kept, r->n_kept + 1, sizeof *more);
	if (more != NULL)
		r->kept = more;
	if (more == NULL || (url != NULL && copy == NULL)) {
		free(copy);
		return NULL;
	}
	struct kept *k = &r->kept[r->n_kept++];
	*k = (struct kept){.url = copy, .der = BUF_INIT(TRUST_CRL_MAX)};
	memcpy(k->id, id, 32);
	return k;
}

/* Puts a checked answer into its place. What lay there stays valid for a while, as a revocation_set may refer to it. */
static void keep(struct revocation *r, struct kept *k, struct buf *der, const struct cert_status *s, int64_t now_ms)
{
	struct bytes old = {k->der.data, k->der.len};
	bool same = bytes_equal(old, (struct bytes){der->data, der->len});
	X509_up_ref(s->signer);
	X509_free(k->signer);
	k->signer = s->signer;
	k->this_ms = s->this_ms;
	k->next_ms = s->next_ms;
	k->got_ms = now_ms;
	if (same)
		return;
	if (old.n > 0) {
		if (k->url == NULL)
			trust_store_drop_ocsp(r->store, old);
		else
			trust_store_drop_crl(r->store, old);
		struct buf *place = &r->retired[r->next_retired++ % RETIRED_MAX];
		buf_free(place);
		*place = k->der;
	}
	k->der = *der;
	*der = BUF_INIT(der->max);
}

static bool usable(const struct kept *k, int64_t not_before_ms, int64_t now_ms)
{
	if (k->der.len == 0 || (k->next_ms != 0 && k->next_ms < now_ms))
		return false;
	/* Got since then: it is the newest that the server had. A CRL is as new as its thisUpdate; an OCSP answer that was got earlier
	 * may have come from a cache, whatever it says. */
	return k->got_ms >= not_before_ms || (k->url != NULL && k->this_ms >= not_before_ms);
}

static enum status deliver(const struct kept *k, struct asked *ret)
{
	ret->answer = (struct revocation_answer){.kind = k->url == NULL ? REVOCATION_OCSP : REVOCATION_CRL,
	                                         .der = {k->der.data, k->der.len},
	                                         .this_update_ms = k->this_ms,
	                                         .next_update_ms = k->next_ms};
	ret->signer = k->signer;
	return ST_OK;
}

static enum status fault(struct err *e, const char *code, const char *url, const char *detail)
{
	err_set(e, ST_RETRY, code, "%s: %s", url, detail);
	err_arg(e, "%s", url);
	return ST_RETRY;
}

static enum status revoked(struct err *e, X509 *certificate, const struct cert_status *s)
{
	char subject[200], when[TIME_TEXT];
	name_text(X509_get_subject_name(certificate), subject, sizeof subject);
	time_iso8601(s->revoked_ms, 0, false, when);
	const char *reason = s->reason < 0 ? "no reason given" : OCSP_crl_reason_str(s->reason);
	err_set(e, ST_ITEM, "cert-revoked", "%s was revoked at %s (%s)", subject, when, reason);
	err_arg(e, "%s", subject);
	err_arg(e, "%s", when);
	err_arg(e, "%s", reason);
	return ST_ITEM;
}

/* Plausible now: not from the future, not past its end, and without an end not older than a day. */
static bool fresh(const struct cert_status *s, int64_t now_ms)
{
	if (s->this_ms > now_ms + SKEW_MS || s->made_ms > now_ms + SKEW_MS)
		return false;
	return s->next_ms != 0 ? s->next_ms >= now_ms - SKEW_MS : s->this_ms >= now_ms - DAY_MS;
}

static OCSP_REQUEST *make_request(X509 *certificate, X509 *issuer, struct buf *to)
{
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	/* SHA-1 here names an issuer and protects nothing; many responders know nothing else (RFC 5019, 2.1.1). */
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), certificate, issuer);
	unsigned char *der = NULL;
	int n = -1;
	if (request != NULL && id != NULL && OCSP_request_add0_id(request, id) != NULL) {
		id = NULL;
		if (OCSP_request_add1_nonce(request, NULL, 16) == 1)
			n = i2d_OCSP_REQUEST(request, &der);
	}
	if (n > 0)
		buf_add(to, der, (size_t)n);
	OPENSSL_free(der);
	OCSP_CERTID_free(id);
	if (n <= 0 || to->failed) {
		OCSP_REQUEST_free(request);
		request = NULL;
	}
	trust_drain();
	return request;
}

/* Judges the answer's bytes; on success they are in the store and *s is filled. */
static enum status read_ocsp(struct revocation *r, const char *url, const struct buf *answer, OCSP_REQUEST *request,
                             X509 *certificate, X509 *issuer, struct cert_status *s, struct err *e)
{
	const unsigned char *at = answer->data;
	OCSP_RESPONSE *response = answer->len == 0 ? NULL : d2i_OCSP_RESPONSE(NULL, &at, (long)answer->len);
	int word = response == NULL ? -1 : OCSP_response_status(response);
	OCSP_BASICRESP *basic = word == OCSP_RESPONSE_STATUS_SUCCESSFUL ? OCSP_response_get1_basic(response) : NULL;
	const char *code = NULL;
	int64_t now_ms = r->now_ms();
	if (response == NULL || (basic == NULL && word == OCSP_RESPONSE_STATUS_SUCCESSFUL))
		code = "ocsp-answer";
	else if (basic == NULL)
		code = "ocsp-refused";
	else if (OCSP_check_nonce(request, basic) == 0)
		code = "ocsp-nonce";
	else if ((code = ocsp_read(r->store, basic, certificate, issuer, s)) != NULL)
		;
	else if (!fresh(s, now_ms))
		code = "ocsp-times";
	else if (s->word == STATUS_UNKNOWN)
		code = "ocsp-unknown";
	else if (X509_cmp(s->signer, certificate) == 0)
		code = "ocsp-self"; /* a responder that vouches for itself vouches for nobody */
	enum status st = ST_OK;
	if (code != NULL)
		st = fault(e, code, url, word > 0 ? OCSP_response_status_str(word) : "the answer does not count");
	else if (s->word == STATUS_REVOKED)
		st = revoked(e, certificate, s);
	else
		X509_up_ref(s->signer); /* which may live in the response only */
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	trust_drain();
	return st;
}

static enum status ask_ocsp(struct revocation *r, const char *url, X509 *certificate, X509 *issuer, struct kept *k, struct err *e)
{
	BUF_AUTO struct buf body = BUF_INIT(4096);
	BUF_AUTO struct buf answer = BUF_INIT(TRUST_OCSP_MAX);
	OCSP_REQUEST *request = make_request(certificate, issuer, &body);
	if (request == NULL)
		return err_set(e, ST_RETRY, "memory", "OCSP request");
	struct fetch_request ask = {.url = url,
	                            .content_type = "application/ocsp-request",
	                            .accept = "application/ocsp-response",
	                            .body = {body.data, body.len},
	                            .max_bytes = TRUST_OCSP_MAX,
	                            .timeout_ms = OCSP_TIMEOUT_MS};
	struct err why = {0};
	enum status st;
	if (fetch_do(r->fetch, &ask, &answer, &why) != ST_OK) {
		st = fault(e, "revocation-unreachable", url, why.detail);
	} else {
		struct cert_status s = {0};
		st = read_ocsp(r, url, &answer, request, certificate, issuer, &s, e);
		if (st == ST_OK) {
			trust_store_add_ocsp(r->store, (struct bytes){answer.data, answer.len});
			unsigned char *der = NULL;
			int n = i2d_X509(s.signer, &der);
			if (n > 0)
				trust_store_add_certificate(r->store, (struct bytes){der, (size_t)n});
			OPENSSL_free(der);
			keep(r, k, &answer, &s, r->now_ms());
			X509_free(s.signer);
		}
	}
	OCSP_REQUEST_free(request);
	return st;
}

/* A kept CRL of this address, or a new one; what it says of this certificate. */
static enum status ask_crl(struct revocation *r, const char *url, X509 *certificate, X509 *issuer, struct kept *k,
                           int64_t not_before_ms, struct err *e)
{
	int64_t now_ms = r->now_ms();
	BUF_AUTO struct buf answer = BUF_INIT(TRUST_CRL_MAX);
	bool kept = usable(k, not_before_ms, now_ms);
	struct bytes der = {k->der.data, k->der.len};
	if (!kept) {
		struct fetch_request ask = {.url = url, .max_bytes = TRUST_CRL_MAX, .timeout_ms = CRL_TIMEOUT_MS};
		struct err why = {0};
		if (fetch_do(r->fetch, &ask, &answer, &why) != ST_OK)
			return fault(e, "revocation-unreachable", url, why.detail);
		der = (struct bytes){answer.data, answer.len};
	}
	struct cert_status s = {0};
	if (!trust_store_add_crl(r->store, der))
		return fault(e, "crl-answer", url, "not a CRL");
	X509_CRL *crl = trust_store_find_crl(r->store, der);
	const char *code = crl == NULL ? "crl-answer" : crl_read(r->store, crl, certificate, issuer, &s);
	if (code == NULL && !fresh(&s, now_ms))
		code = "crl-times";
	if (code != NULL) {
		if (!kept && crl != NULL && !bytes_equal(der, (struct bytes){k->der.data, k->der.len}))
			trust_store_drop_crl(r->store, der);
		return fault(e, code, url, "the CRL does not count");
	}
	if (!kept)
		keep(r, k, &answer, &s, now_ms);
	return s.word == STATUS_REVOKED ? revoked(e, certificate, &s) : ST_OK;
}

/* The http addresses of the certificate's CRL distribution points that hold all reasons; the caller frees each and the list. */
static size_t crl_addresses(X509 *certificate, char *to[ADDRESSES_MAX])
{
	size_t n = 0;
	STACK_OF(DIST_POINT) *points = X509_get_ext_d2i(certificate, NID_crl_distribution_points, NULL, NULL);
	for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT *p = sk_DIST_POINT_value(points, i);
		if (p->reasons != NULL || p->CRLissuer != NULL || p->distpoint == NULL || p->distpoint->type != 0)
			continue;
		for (int k = 0; k < sk_GENERAL_NAME_num(p->distpoint->name.fullname) && n < ADDRESSES_MAX; k++) {
			const GENERAL_NAME *name = sk_GENERAL_NAME_value(p->distpoint->name.fullname, k);
			if (name->type != GEN_URI)
				continue;
			const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;
			char *url = strndup((const char *)ASN1_STRING_get0_data(uri), (size_t)ASN1_STRING_length(uri));
			if (url != NULL && is_http(url))
				to[n++] = url;
			else
				free(url);
		}
	}
	sk_DIST_POINT_pop_free(points, DIST_POINT_free);
	trust_drain();
	return n;
}

/* Keeps the first fault: the responder's, as it is the usual way. */
static void note(struct err *first, const struct err *why)
{
	if (first->code[0] == 0)
		*first = *why;
}

static enum status ask_responders(struct revocation *r, X509 *certificate, X509 *issuer, int64_t not_before_ms, struct asked *ret,
                                  struct err *first, size_t *ret_addresses)
{
	uint8_t id[32];
	cert_sha256(certificate, id);
	STACK_OF(OPENSSL_STRING) *urls = X509_get1_ocsp(certificate);
	enum status st = ST_RETRY;
	for (int i = 0; i < sk_OPENSSL_STRING_num(urls) && i < ADDRESSES_MAX && st == ST_RETRY; i++) {
		const char *url = sk_OPENSSL_STRING_value(urls, i);
		struct kept *k = is_http(url) ? slot(r, id, NULL) : NULL;
		if (k == NULL)
			continue;
		(*ret_addresses)++;
		struct err why = {0};
		st = usable(k, not_before_ms, r->now_ms()) ? ST_OK : ask_ocsp(r, url, certificate, issuer, k, &why);
		if (st == ST_OK)
			deliver(k, ret);
		else if (st == ST_ITEM)
			*first = why;
		else
			note(first, &why);
	}
	X509_email_free(urls);
	return st;
}

static enum status ask_lists(struct revocation *r, X509 *certificate, X509 *issuer, int64_t not_before_ms, struct asked *ret,
                             struct err *first, size_t *ret_addresses)
{
	uint8_t id[32];
	cert_sha256(issuer, id);
	char *urls[ADDRESSES_MAX];
	size_t n = crl_addresses(certificate, urls);
	enum status st = ST_RETRY;
	for (size_t i = 0; i < n && st == ST_RETRY; i++) {
		struct kept *k = slot(r, id, urls[i]);
		if (k == NULL)
			continue;
		(*ret_addresses)++;
		struct err why = {0};
		st = ask_crl(r, urls[i], certificate, issuer, k, not_before_ms, &why);
		if (st == ST_OK)
			deliver(k, ret);
		else if (st == ST_ITEM)
			*first = why;
		else
			note(first, &why);
	}
	for (size_t i = 0; i < n; i++)
		free(urls[i]);
	return st;
}

enum status revocation_asked(struct revocation *r, X509 *certificate, X509 *issuer, int64_t not_before_ms, struct asked *ret,
                             struct err *e)
{
	struct err first = {0};
	size_t addresses = 0;
	enum status st = ask_responders(r, certificate, issuer, not_before_ms, ret, &first, &addresses);
	if (st == ST_RETRY)
		st = ask_lists(r, certificate, issuer, not_before_ms, ret, &first, &addresses);
	if (st == ST_OK)
		return ST_OK;
	if (st == ST_RETRY && addresses == 0) {
		char subject[200];
		name_text(X509_get_subject_name(certificate), subject, sizeof subject);
		err_set(e, ST_ITEM, "revocation-none", "%s names no OCSP responder and no CRL", subject);
		err_arg(e, "%s", subject);
		return ST_ITEM;
	}
	if (e != NULL)
		*e = first;
	return st;
}

enum status revocation_ask(struct revocation *r, X509 *certificate, X509 *issuer, int64_t not_before_ms,
                           struct revocation_answer *ret_answer, struct err *e)
{
	struct asked a = {0};
	enum status st = revocation_asked(r, certificate, issuer, not_before_ms, &a, e);
	if (st == ST_OK)
		*ret_answer = a.answer;
	return st;
}

/* One certificate (DER or PEM), or a PKCS #7 of certificates (RFC 5280, 4.2.2.1). */
static void add_fetched(struct trust_store *store, struct bytes in)
{
	if (trust_store_add_certificate(store, in))
		return;
	const unsigned char *at = in.p;
	PKCS7 *p7 = d2i_PKCS7(NULL, &at, (long)in.n);
	STACK_OF(X509) *certs = p7 != NULL && PKCS7_type_is_signed(p7) && p7->d.sign != NULL ? p7->d.sign->cert : NULL;
	BIO *bio = BIO_new_mem_buf(in.p, (int)in.n);
	X509 *pem = bio == NULL || p7 != NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
	for (int i = 0; i < sk_X509_num(certs) || (i == 0 && pem != NULL); i++) {
		unsigned char *der = NULL;
		int n = i2d_X509(pem != NULL ? pem : sk_X509_value(certs, i), &der);
		if (n > 0)
			trust_store_add_certificate(store, (struct bytes){der, (size_t)n});
		OPENSSL_free(der);
	}
	X509_free(pem);
	BIO_free(bio);
	PKCS7_free(p7);
	trust_drain();
}

/* An address that has answered is not asked again: it would say the same. */
static bool is_answered(const struct revocation *r, const char *url)
{
	for (size_t i = 0; i < r->n_tried; i++)
		if (strcmp(r->tried[i], url) == 0)
			return true;
	return false;
}

static void note_answered(struct revocation *r, const char *url)
{
	char **more = reallocarray(r->tried, r->n_tried + 1, sizeof *more);
	char *copy = strdup(url);
	if (more != NULL)
		r->tried = more;
	if (more == NULL || copy == NULL) {
		free(copy);
		return;
	}
	r->tried[r->n_tried++] = copy;
}

/* One address: false where it did not answer. */
static bool fetch_certificates(struct revocation *r, const char *url, struct err *e)
{
	BUF_AUTO struct buf answer = BUF_INIT(TRUST_CERT_MAX);
	struct fetch_request ask = {.url = url, .max_bytes = TRUST_CERT_MAX, .timeout_ms = ISSUER_TIMEOUT_MS};
	struct err why = {0};
	if (!is_http(url) || is_answered(r, url))
		return true;
	if (fetch_do(r->fetch, &ask, &answer, &why) != ST_OK) {
		fault(e, "revocation-unreachable", url, why.detail);
		return false;
	}
	note_answered(r, url);
	if (answer.len > 0)
		add_fetched(r->store, (struct bytes){answer.data, answer.len});
	return true;
}

static bool fetch_issuer(struct revocation *r, X509 *certificate, struct err *e)
{
	bool answered = true;
	AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(certificate, NID_info_access, NULL, NULL);
	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(access) && i < 2 * ADDRESSES_MAX; i++) {
		const ACCESS_DESCRIPTION *a = sk_ACCESS_DESCRIPTION_value(access, i);
		if (OBJ_obj2nid(a->method) != NID_ad_ca_issuers || a->location->type != GEN_URI)
			continue;
		const ASN1_IA5STRING *uri = a->location->d.uniformResourceIdentifier;
		char *url = strndup((const char *)ASN1_STRING_get0_data(uri), (size_t)ASN1_STRING_length(uri));
		if (url != NULL && !fetch_certificates(r, url, e))
			answered = false;
		free(url);
	}
	AUTHORITY_INFO_ACCESS_free(access);
	trust_drain();
	return answered;
}

enum status revocation_complete_path(struct revocation *r, X509 *certificate, struct err *e)
{
	X509 *at = certificate;
	bool answered = true;
	STACK_OF(X509) *path = trust_store_path(r->store, certificate);
	for (int i = 0; path == NULL && at != NULL && i < TRUST_PATH_MAX; i++) {
		X509 *issuer = store_issuer(r->store, at);
		if (issuer == NULL) {
			answered = fetch_issuer(r, at, e) && answered;
			issuer = store_issuer(r->store, at);
		}
		at = issuer == NULL || X509_cmp(issuer, at) == 0 ? NULL : issuer;
		path = trust_store_path(r->store, certificate);
	}
	bool found = path != NULL;
	sk_X509_pop_free(path, X509_free);
	return found || answered ? ST_OK : ST_RETRY;
}
