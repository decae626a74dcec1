#include "tools/testpki/testpki.h"

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY (24 * 60 * 60)
#define PAIRS_MAX 32

/* Filled once before the first request; only read after that. */
static struct pair pairs[PAIRS_MAX];
static size_t n_pairs;

static bool pair_load(const char *folder, const char *name, struct pair *ret)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s.pem", folder, name);
	FILE *f = fopen(path, "re");
	ret->certificate = f == NULL ? NULL : PEM_read_X509(f, NULL, NULL, NULL);
	if (f != NULL)
		fclose(f);
	snprintf(path, sizeof path, "%s/%s.key", folder, name);
	f = fopen(path, "re");
	ret->key = f == NULL ? NULL : PEM_read_PrivateKey(f, NULL, NULL, NULL);
	if (f != NULL)
		fclose(f);
	snprintf(ret->name, sizeof ret->name, "%s", name);
	return ret->certificate != NULL && ret->key != NULL;
}

bool pairs_load(const char *folder)
{
	DIR *d = opendir(folder);
	if (d == NULL)
		return false;
	bool ok = true;
	for (const struct dirent *entry; ok && (entry = readdir(d)) != NULL;) {
		size_t n = strlen(entry->d_name);
		if (n <= 4 || n >= sizeof pairs[0].name || strcmp(entry->d_name + n - 4, ".key") != 0 || n_pairs == PAIRS_MAX)
			continue;
		char name[sizeof pairs[0].name];
		snprintf(name, sizeof name, "%.*s", (int)(n - 4), entry->d_name);
		/* The organisation's folder comes first: its person is "person"; the people's is reached by its CA's serials. */
		ok = pair_load(folder, name, &pairs[n_pairs]);
		n_pairs += ok;
	}
	closedir(d);
	return ok;
}

const struct pair *pair_find(const char *name)
{
	for (size_t i = 0; i < n_pairs; i++)
		if (strcmp(pairs[i].name, name) == 0)
			return &pairs[i];
	return NULL;
}

/* Whether a serial number of a CA is that of `name`: in either folder. */
static bool serial_is(const ASN1_INTEGER *serial, const char *name)
{
	for (size_t i = 0; i < n_pairs; i++)
		if (strcmp(pairs[i].name, name) == 0 &&
		    ASN1_INTEGER_cmp(X509_get0_serialNumber(pairs[i].certificate), serial) == 0)
			return true;
	return false;
}

/* The certificate `revoked` was revoked a day after it was made; one that a switch revokes, this moment. */
static ASN1_TIME *revocation_time(const ASN1_INTEGER *serial, time_t now)
{
	for (size_t i = 0; i < n_pairs; i++) {
		struct tm made;
		if (strcmp(pairs[i].name, "revoked") == 0 &&
		    ASN1_INTEGER_cmp(X509_get0_serialNumber(pairs[i].certificate), serial) == 0 &&
		    ASN1_TIME_to_tm(X509_get0_notBefore(pairs[i].certificate), &made) == 1)
			return ASN1_GENERALIZEDTIME_adj(NULL, timegm(&made), 1, 0);
	}
	return ASN1_GENERALIZEDTIME_set(NULL, now);
}

/* What stands behind a prefix of a mode, "revoked:seal-rsa" → "seal-rsa"; NULL where it is another mode. */
static const char *mode_value(const char *mode, const char *prefix)
{
	size_t n = strlen(prefix);
	return strncmp(mode, prefix, n) == 0 ? mode + n : NULL;
}

/* Appends the DER that i2d has made; frees it. */
static bool put_der(struct buf *ret, unsigned char *der, int n)
{
	if (n > 0)
		buf_add(ret, der, (size_t)n);
	OPENSSL_free(der);
	return n > 0;
}

/* ---- timestamps (RFC 3161) ---- */

static ASN1_INTEGER *stamp_serial(struct TS_resp_ctx *context, void *unused)
{
	(void)context;
	(void)unused;
	uint8_t random[9];
	if (RAND_bytes(random, sizeof random) != 1)
		return NULL;
	random[0] = 1;
	BIGNUM *bn = BN_bin2bn(random, sizeof random, NULL);
	ASN1_INTEGER *serial = BN_to_ASN1_INTEGER(bn, NULL);
	BN_free(bn);
	return serial;
}

static int stamp_time(struct TS_resp_ctx *context, void *offset, long *ret_seconds, long *ret_microseconds)
{
	(void)context;
	*ret_seconds = (long)time(NULL) + *(const long *)offset;
	*ret_microseconds = 0;
	return 1;
}

/* Makes the request ask for something else, so that the answer is well-formed and wrong. */
static void request_spoil(TS_REQ *r, const char *mode)
{
	if (strcmp(mode, "wrong-nonce") == 0 && TS_REQ_get_nonce(r) != NULL) {
		ASN1_INTEGER *other = ASN1_INTEGER_new();
		ASN1_INTEGER_set(other, 4711);
		TS_REQ_set_nonce(r, other);
		ASN1_INTEGER_free(other);
	} else if (strcmp(mode, "wrong-imprint") == 0) {
		TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_dup(TS_REQ_get_msg_imprint(r));
		ASN1_OCTET_STRING *digest = TS_MSG_IMPRINT_get_msg(imprint);
		uint8_t other[64] = {0};
		TS_MSG_IMPRINT_set_msg(imprint, other, ASN1_STRING_length(digest) < 64 ? ASN1_STRING_length(digest) : 64);
		TS_REQ_set_msg_imprint(r, imprint);
		TS_MSG_IMPRINT_free(imprint);
	}
}

bool answer_tsa(const char *mode, const char *signer, bool with_chain, struct bytes request, struct buf *ret)
{
	const unsigned char *p = request.p;
	TS_REQ *r = d2i_TS_REQ(NULL, &p, (long)request.n);
	if (r == NULL)
		return false;
	request_spoil(r, mode);
	unsigned char *der = NULL;
	int n = i2d_TS_REQ(r, &der);
	TS_REQ_free(r);
	BIO *in = BIO_new_mem_buf(der, n);

	const struct pair *by = pair_find(strcmp(mode, "wrong-signer") == 0 ? "rogue-tsa"
	                                  : strcmp(mode, "expired") == 0    ? "tsa-expired"
	                                                                    : signer);
	const char *clock = mode_value(mode, "clock:");
	long offset = clock == NULL ? 0 : strtol(clock, NULL, 10);
	STACK_OF(X509) *chain = sk_X509_new_null();
	if (with_chain)
		sk_X509_push(chain, pair_find("issuing")->certificate);
	TS_RESP_CTX *context = TS_RESP_CTX_new();
	ASN1_OBJECT *policy = OBJ_txt2obj("1.3.6.1.4.1.13762.3", 1);
	bool ok = by != NULL && TS_RESP_CTX_set_signer_cert(context, by->certificate) == 1 &&
	          TS_RESP_CTX_set_signer_key(context, by->key) == 1 && TS_RESP_CTX_set_certs(context, chain) == 1 &&
	          TS_RESP_CTX_set_def_policy(context, policy) == 1 &&
	          TS_RESP_CTX_add_md(context, strcmp(mode, "rejected") == 0 ? EVP_sha1() : EVP_sha256()) == 1 &&
	          TS_RESP_CTX_add_md(context, EVP_sha384()) == 1 && TS_RESP_CTX_add_md(context, EVP_sha512()) == 1 &&
	          TS_RESP_CTX_set_signer_digest(context, EVP_sha256()) == 1 &&
	          TS_RESP_CTX_set_ess_cert_id_digest(context, EVP_sha256()) == 1 &&
	          TS_RESP_CTX_set_accuracy(context, 1, 0, 0) == 1;
	TS_RESP_CTX_set_serial_cb(context, stamp_serial, NULL);
	TS_RESP_CTX_set_time_cb(context, stamp_time, &offset);
	TS_RESP *answer = ok ? TS_RESP_create_response(context, in) : NULL;
	unsigned char *out = NULL;
	int out_n = answer == NULL ? 0 : i2d_TS_RESP(answer, &out);
	ok = put_der(ret, out, out_n);
	TS_RESP_free(answer);
	ASN1_OBJECT_free(policy);
	TS_RESP_CTX_free(context);
	sk_X509_free(chain);
	BIO_free(in);
	OPENSSL_free(der);
	ERR_clear_error();
	return ok;
}

/* ---- OCSP (RFC 6960) ---- */

/* Adds the state of one certificate asked for. */
static bool status_add(OCSP_BASICRESP *basic, OCSP_CERTID *id, const char *mode, const struct pair *ca)
{
	time_t now = time(NULL), this_update = now;
	long next = 60 * 60;
	const char *next_text = mode_value(mode, "next:"), *revoked = mode_value(mode, "revoked:");
	if (next_text != NULL)
		next = strtol(next_text, NULL, 10);
	if (strcmp(mode, "stale") == 0) {
		this_update = now - 10L * DAY;
		next = DAY;
	}
	ASN1_OBJECT *algorithm = NULL;
	ASN1_INTEGER *serial = NULL;
	OCSP_id_get0_info(NULL, &algorithm, NULL, &serial, id);
	OCSP_CERTID *ours = OCSP_cert_to_id(EVP_get_digestbyobj(algorithm), NULL, ca->certificate);
	/* OCSP_cert_to_id(NULL subject) takes the issuer itself, which is the CA here. */
	bool known = ours != NULL && OCSP_id_issuer_cmp(ours, id) == 0 && strcmp(mode, "unknown") != 0;
	OCSP_CERTID_free(ours);
	int state = V_OCSP_CERTSTATUS_GOOD;
	if (!known)
		state = V_OCSP_CERTSTATUS_UNKNOWN;
	else if (serial_is(serial, "revoked") || (revoked != NULL && serial_is(serial, revoked)))
		state = V_OCSP_CERTSTATUS_REVOKED;

	ASN1_TIME *when = revocation_time(serial, now), *from = ASN1_GENERALIZEDTIME_set(NULL, this_update),
	          *to = next == 0 ? NULL : ASN1_GENERALIZEDTIME_adj(NULL, this_update, 0, next);
	OCSP_SINGLERESP *single = OCSP_basic_add1_status(basic, id, state, OCSP_REVOKED_STATUS_KEYCOMPROMISE, when, from, to);
	ASN1_TIME_free(when);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return single != NULL;
}

bool answer_ocsp(const char *mode, const char *ca, const char *responder, struct bytes request, struct buf *ret)
{
	const unsigned char *p = request.p;
	OCSP_REQUEST *r = d2i_OCSP_REQUEST(NULL, &p, (long)request.n);
	if (r == NULL)
		return false;
	const struct pair *by = pair_find(strcmp(mode, "wrong-signer") == 0 ? "rogue-ocsp" : responder), *above = pair_find(ca);
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	bool ok = basic != NULL && by != NULL && above != NULL;
	for (int i = 0; ok && i < OCSP_request_onereq_count(r); i++)
		ok = status_add(basic, OCSP_onereq_get0_id(OCSP_request_onereq_get0(r, i)), mode, above);
	if (ok && strcmp(mode, "wrong-nonce") == 0)
		OCSP_basic_add1_nonce(basic, NULL, 16);
	else if (ok && strcmp(mode, "no-nonce") != 0)
		OCSP_copy_nonce(basic, r);
	ok = ok && OCSP_basic_sign(basic, by->certificate, by->key, EVP_sha256(), NULL, OCSP_RESPID_KEY) == 1;
	OCSP_RESPONSE *answer = ok ? OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic) : NULL;
	unsigned char *der = NULL;
	int n = answer == NULL ? 0 : i2d_OCSP_RESPONSE(answer, &der);
	ok = put_der(ret, der, n);
	OCSP_RESPONSE_free(answer);
	OCSP_BASICRESP_free(basic);
	OCSP_REQUEST_free(r);
	ERR_clear_error();
	return ok;
}

/* ---- CRLs (RFC 5280) ---- */

static bool crl_revoke(X509_CRL *crl, const struct pair *p, time_t now)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_TIME *when = revocation_time(X509_get0_serialNumber(p->certificate), now);
	when = when == NULL || ASN1_TIME_normalize(when) != 1 ? NULL : when;
	ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
	ASN1_ENUMERATED_set(reason, CRL_REASON_KEY_COMPROMISE);
	bool ok = X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(p->certificate)) == 1 &&
	          X509_REVOKED_set_revocationDate(entry, when) == 1 &&
	          X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, reason, 0, 0) == 1 && X509_CRL_add0_revoked(crl, entry) == 1;
	if (!ok)
		X509_REVOKED_free(entry);
	ASN1_TIME_free(when);
	ASN1_ENUMERATED_free(reason);
	return ok;
}

static bool crl_number(X509_CRL *crl, X509 *issuer)
{
	/* Rises with every list, also after the server has started again. */
	static atomic_int count;
	char number[64];
	snprintf(number, sizeof number, "%lld%04d", (long long)time(NULL), atomic_fetch_add(&count, 1) % 10000);
	ASN1_INTEGER *n = s2i_ASN1_INTEGER(NULL, number);
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, NULL, NULL, crl, 0);
	X509_EXTENSION *aki = X509V3_EXT_nconf(NULL, &context, "authorityKeyIdentifier", "keyid:always");
	bool ok = n != NULL && aki != NULL && X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0) == 1 &&
	          X509_CRL_add_ext(crl, aki, -1) == 1;
	ASN1_INTEGER_free(n);
	X509_EXTENSION_free(aki);
	return ok;
}

bool answer_crl(const char *mode, const char *ca, struct buf *ret)
{
	const struct pair *by = pair_find(ca);
	const char *named = mode_value(mode, "revoked:");
	if (by == NULL)
		return false;
	time_t now = time(NULL), from = strcmp(mode, "stale") == 0 ? now - 10L * DAY : now;
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *begin = ASN1_TIME_set(NULL, from), *end = ASN1_TIME_adj(NULL, from, 1, 0);
	bool ok = X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
	          X509_CRL_set_issuer_name(crl, X509_get_subject_name(by->certificate)) == 1 &&
	          X509_CRL_set1_lastUpdate(crl, begin) == 1 && X509_CRL_set1_nextUpdate(crl, end) == 1;
	for (size_t i = 0; ok && i < n_pairs; i++) {
		bool gone = strcmp(pairs[i].name, "revoked") == 0 || (named != NULL && strcmp(pairs[i].name, named) == 0);
		if (gone && X509_check_issued(by->certificate, pairs[i].certificate) == X509_V_OK)
			ok = crl_revoke(crl, &pairs[i], now);
	}
	ok = ok && crl_number(crl, by->certificate);
	/* A list in the right name by the wrong key. */
	EVP_PKEY *key = strcmp(mode, "wrong-signer") == 0 ? pair_find("rogue")->key : by->key;
	X509_CRL_sort(crl);
	ok = ok && X509_CRL_sign(crl, key, EVP_sha256()) > 0;
	unsigned char *der = NULL;
	int n = ok ? i2d_X509_CRL(crl, &der) : 0;
	ok = put_der(ret, der, n);
	ASN1_TIME_free(begin);
	ASN1_TIME_free(end);
	X509_CRL_free(crl);
	ERR_clear_error();
	return ok;
}

bool answer_certificate(const char *name, struct buf *ret)
{
	const struct pair *p = pair_find(name);
	unsigned char *der = NULL;
	int n = p == NULL ? 0 : i2d_X509(p->certificate, &der);
	return put_der(ret, der, n);
}
