/* The client of a time-stamping authority (RFC 3161). */
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/digest.h"
#include "stages/trust/asked.h"
#include "stages/trust/cades.h"
#include "stages/trust/cms.h"
#include "stages/trust/der.h"
#include "stages/trust/internal.h"

#define REQUEST_MAX 256u
#define TSA_TIMEOUT_MS 20000u
#define NONCE_BYTES 16

static enum status fault(struct err *e, const char *code, const char *url, const char *detail)
{
	err_set(e, ST_RETRY, code, "%s: %s", url, detail);
	err_arg(e, "%s", url);
	return ST_RETRY;
}

/* TimeStampReq ::= SEQUENCE { version 1, messageImprint { SHA-256, digest }, nonce, certReq TRUE } */
static bool put_request(struct buf *b, const uint8_t digest[32], uint8_t nonce[NONCE_BYTES])
{
	if (RAND_bytes(nonce, NONCE_BYTES) != 1) {
		trust_drain();
		return false;
	}
	/* Positive and of the same length whatever the chance. */
	nonce[0] = (uint8_t)((nonce[0] & 0x3f) | 0x40);
	size_t s = der_begin(b, DER_SEQUENCE);
	der_put_number(b, 1);
	size_t imprint = der_begin(b, DER_SEQUENCE);
	der_put_algorithm(b, NID_sha256, true);
	der_put(b, DER_OCTETS, digest, 32);
	der_end(b, imprint);
	der_put(b, DER_INTEGER, nonce, NONCE_BYTES);
	der_put(b, 0x01, "\xff", 1);
	der_end(b, s);
	return !b->failed;
}

/* TimeStampResp ::= SEQUENCE { status PKIStatusInfo, timeStampToken OPTIONAL }; PKIStatusInfo ::= SEQUENCE { status INTEGER, … }.
 * The token's own bytes are taken, not a re-encoding. */
static const char *read_response(struct bytes in, struct bytes *ret_token, int *ret_status)
{
	struct bytes response, info, status;
	uint8_t tag = 0;
	*ret_status = -1;
	if (!der_next(&in, &tag, &response, NULL) || tag != DER_SEQUENCE || in.n != 0)
		return "tsa-answer";
	if (!der_next(&response, &tag, &info, NULL) || tag != DER_SEQUENCE || !der_next(&info, &tag, &status, NULL) ||
	    tag != DER_INTEGER || status.n != 1)
		return "tsa-answer";
	*ret_status = status.p[0];
	if (*ret_status > 1)
		return "tsa-refused";
	if (!der_next(&response, &tag, NULL, ret_token) || tag != DER_SEQUENCE || response.n != 0)
		return "tsa-answer";
	return NULL;
}

static bool nonce_right(const struct cms *c, const uint8_t nonce[NONCE_BYTES])
{
	const ASN1_INTEGER *has = TS_TST_INFO_get_nonce(c->tst);
	return has != NULL && ASN1_STRING_type(has) == V_ASN1_INTEGER &&
	       bytes_equal((struct bytes){ASN1_STRING_get0_data(has), (size_t)ASN1_STRING_length(has)},
	                   (struct bytes){nonce, NONCE_BYTES});
}

/* The authority's path to an anchor, over the certificates in the token; in time, and nothing forbidden on it. */
static const char *tsa_path_fault(const struct tsa *t, const struct cms *c, X509 *signer, int64_t now_ms)
{
	struct trust_store *with = trust_store_over(t->anchors);
	if (with == NULL)
		return "no memory";
	for (int i = 0; i < sk_X509_num(c->certs); i++) {
		unsigned char *der = NULL;
		int n = i2d_X509(sk_X509_value(c->certs, i), &der);
		if (n > 0)
			trust_store_add_certificate(with, (struct bytes){der, (size_t)n});
		OPENSSL_free(der);
	}
	const char *why = NULL;
	STACK_OF(X509) *path = trust_store_path(with, signer);
	struct err ignored;
	if (path == NULL && t->issuers != NULL && revocation_complete_path(t->issuers, signer, &ignored) == ST_OK)
		path = trust_store_path(with, signer);
	if (path == NULL)
		why = "no path to a trust anchor";
	else if (!path_constraints(path, &why))
		why = why != NULL ? why : "the path breaks a constraint";
	else
		why = NULL;
	for (int i = 0; why == NULL && i < sk_X509_num(path); i++) {
		int64_t from, to;
		X509 *x = sk_X509_value(path, i);
		if (!trust_store_is_anchor(with, x) && (!cert_validity(x, &from, &to) || now_ms < from || now_ms > to))
			why = "a certificate of the authority is not in time";
	}
	sk_X509_pop_free(path, X509_free);
	trust_store_free(with);
	return why;
}

static enum status check_token(const struct tsa *t, const char *url, const struct cms *c, const uint8_t digest[32],
                               const uint8_t nonce[NONCE_BYTES], int64_t *ret_gen_ms, struct err *e)
{
	X509 *signer = NULL;
	const char *word = "", *why;
	char text[96];
	int64_t now_ms = t->now_ms();
	if (!token_over(c, (struct bytes){digest, 32}) || token_imprint_nid(c) != NID_sha256)
		return fault(e, "tsa-imprint", url, "the token is over another digest");
	if (!nonce_right(c, nonce))
		return fault(e, "tsa-nonce", url, "the token does not bear our nonce");
	if (!token_sound(c, NULL, &signer, &word)) {
		snprintf(text, sizeof text, "tsa-%s", word);
		return fault(e, text, url, "the token is not sound");
	}
	if ((why = tsa_path_fault(t, c, signer, now_ms)) != NULL)
		return fault(e, "tsa-path", url, why);
	if (!asn1_ms(TS_TST_INFO_get_time(c->tst), ret_gen_ms))
		return fault(e, "tsa-answer", url, "genTime is malformed");
	int64_t apart = *ret_gen_ms - now_ms;
	if (apart > t->tolerance_ms || apart < -t->tolerance_ms) {
		snprintf(text, sizeof text, "genTime is %lld ms from our clock", (long long)apart);
		fault(e, "tsa-clock", url, text);
		err_arg(e, "%lld", (long long)(apart / 1000));
		return ST_RETRY;
	}
	return ST_OK;
}

static enum status ask_one(const struct tsa *t, const char *url, const uint8_t digest[32], struct buf *ret_token,
                           int64_t *ret_gen_ms, struct err *e)
{
	BUF_AUTO struct buf request = BUF_INIT(REQUEST_MAX);
	BUF_AUTO struct buf answer = BUF_INIT(TRUST_TOKEN_MAX);
	uint8_t nonce[NONCE_BYTES];
	if (!put_request(&request, digest, nonce))
		return err_set(e, ST_RETRY, "memory", "timestamp request");
	struct fetch_request ask = {.url = url,
	                            .content_type = "application/timestamp-query",
	                            .accept = "application/timestamp-reply",
	                            .body = {request.data, request.len},
	                            .max_bytes = TRUST_TOKEN_MAX,
	                            .timeout_ms = TSA_TIMEOUT_MS};
	struct err why = {0};
	if (fetch_do(t->fetch, &ask, &answer, &why) != ST_OK)
		return fault(e, "tsa-unreachable", url, why.detail);
	struct bytes token = {NULL, 0};
	int status = -1;
	const char *code = read_response((struct bytes){answer.data, answer.len}, &token, &status);
	if (code != NULL) {
		char text[64];
		snprintf(text, sizeof text, status >= 0 ? "status %d" : "not a TimeStampResp", status);
		return fault(e, code, url, text);
	}
	struct cms c;
	if (cms_open(token, true, &c, &why) != ST_OK)
		return fault(e, "tsa-answer", url, why.detail);
	int64_t gen_ms = 0;
	enum status st = check_token(t, url, &c, digest, nonce, &gen_ms, e);
	cms_close(&c);
	if (st != ST_OK)
		return st;
	size_t before = ret_token->len;
	buf_add(ret_token, token.p, token.n);
	if (ret_token->failed) {
		ret_token->len = before;
		return err_set(e, ST_RETRY, "memory", "timestamp token");
	}
	*ret_gen_ms = gen_ms;
	return ST_OK;
}

enum status tsa_stamp(const struct tsa *t, const uint8_t digest[32], struct buf *ret_token, int64_t *ret_gen_time_ms,
                      size_t *ret_which, struct err *e)
{
	if (t->n == 0)
		return err_set(e, ST_RUN, "tsa-none", "no timestamp authority is configured");
	/* Of several faults the first authority's is told: it is the one that should have worked. A wrong clock goes first of all, as
	 * it is most likely ours. */
	struct err first = {0};
	for (size_t i = 0; i < t->n; i++) {
		struct err why = {0};
		int64_t gen_ms = 0;
		if (ask_one(t, t->urls[i], digest, ret_token, &gen_ms, &why) == ST_OK) {
			if (ret_gen_time_ms != NULL)
				*ret_gen_time_ms = gen_ms;
			if (ret_which != NULL)
				*ret_which = i;
			return ST_OK;
		}
		if (i == 0 || (strcmp(why.code, "tsa-clock") == 0 && strcmp(first.code, "tsa-clock") != 0))
			first = why;
	}
	if (e != NULL)
		*e = first;
	return ST_RETRY;
}
