/* The verdict: EN 319 102-1 case by case, over material made in the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/cms.h>
#include <openssl/ocsp.h>

#include "stages/base/digest.h"
#include "stages/trust/cades.h"
#include "stages/trust/cms.h"
#include "stages/trust/der.h"
#include "stages/trust/internal.h"
#include "stages/trust/verdict.h"
#include "tests/unit/trust_pki.h"

static struct party root, ca, person, brief, small, tsa, brief_tsa, both, responder, plain_responder;
static uint8_t content[32], other[32];

static int set_up(void **state)
{
	(void)state;
	root = party_make((struct party_spec){.name = "Root", .ca = true, .from_ms = NOW - 9 * YEAR, .to_ms = NOW + 9 * YEAR});
	ca = party_make((struct party_spec){
	    .name = "CA", .issuer = &root, .ca = true, .usage = "critical,keyCertSign,cRLSign", .to_ms = NOW + 9 * YEAR});
	struct party_spec end = {
	    .name = "Person", .issuer = &ca, .usage = "critical,digitalSignature", .crl = "http://pki/ca.crl"};
	person = party_make(end);
	end.to_ms = NOW + DAY;
	brief = party_make(end);
	end.to_ms = 0, end.rsa_bits = 1024;
	small = party_make(end);
	end = (struct party_spec){.name = "TSA", .issuer = &ca, .extended = "critical,timeStamping", .to_ms = NOW + 5 * YEAR};
	tsa = party_make(end);
	end.to_ms = NOW + DAY;
	brief_tsa = party_make(end);
	end.extended = "critical,timeStamping,clientAuth";
	both = party_make(end);
	end = (struct party_spec){.name = "Responder", .issuer = &ca, .extended = "OCSPSigning", .no_check = true};
	responder = party_make(end);
	end.no_check = false, end.crl = "http://pki/ca.crl";
	plain_responder = party_make(end);
	sha256_bytes("content", 7, content);
	sha256_bytes("other", 5, other);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	struct party *all[] = {&root, &ca, &person, &brief, &small, &tsa, &brief_tsa, &both, &responder, &plain_responder};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		party_free(all[i]);
	return 0;
}

static void add_crl(struct trust_store *s, const struct party *issuer, const struct party *revoked, int64_t revoked_ms,
                    int64_t this_ms)
{
	BUF_AUTO struct buf b = BUF_INIT(1 << 16);
	crl_make(
	    &(struct crl_spec){
	        .issuer = issuer, .revoked = revoked, .revoked_ms = revoked_ms, .this_ms = this_ms, .next_ms = this_ms + DAY},
	    &b);
	assert_true(trust_store_add_crl(s, (struct bytes){b.data, b.len}));
}

static void add_ocsp(struct trust_store *s, const struct party *by, const struct party *about, int word, int64_t revoked_ms,
                     int64_t this_ms)
{
	BUF_AUTO struct buf b = BUF_INIT(1 << 16);
	ocsp_make(&(struct ocsp_spec){.responder = by,
	                              .certificate = about,
	                              .issuer = &ca,
	                              .status = word,
	                              .revoked_ms = revoked_ms,
	                              .this_ms = this_ms,
	                              .next_ms = this_ms + HOUR},
	          &b);
	assert_true(trust_store_add_ocsp(s, (struct bytes){b.data, b.len}));
}

static struct trust_store *anchored(void)
{
	struct trust_store *s = trust_store_new();
	trust_store_add_certificate(s, party_der(&root));
	s->certs[0].anchor = true;
	return s;
}

static void sign(const struct party *who, struct buf *to)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	sk_X509_push(chain, ca.cert);
	struct cades_request r = {.key = pki_keyholder(who, chain),
	                          .algorithm = EVP_PKEY_is_a(who->key, "RSA") ? KEY_RSA_PKCS1 : KEY_ECDSA,
	                          .digest = KEY_SHA256,
	                          .content_digest = {content, 32},
	                          .pades = true};
	struct err e = {0};
	assert_int_equal(cades_sign(&r, to, &e), ST_OK);
	sk_X509_free(chain);
}

/* A signature with a timestamp; of another value where `foreign`. */
static void sign_stamped(const struct party *who, int64_t gen_ms, bool foreign, struct buf *to)
{
	BUF_AUTO struct buf plain = BUF_INIT(1 << 16);
	BUF_AUTO struct buf token = BUF_INIT(1 << 16);
	uint8_t digest[32];
	struct err e = {0};
	sign(who, &plain);
	struct bytes cms = {plain.data, plain.len};
	assert_int_equal(cades_signature_digest(cms, digest, &e), ST_OK);
	token_make(&tsa, &ca, foreign ? other : digest, 32, (struct bytes){NULL, 0}, gen_ms, 0, &token);
	assert_int_equal(cades_add_timestamp(cms, (struct bytes){token.data, token.len}, to, &e), ST_OK);
}

static struct verdict judge(const struct buf *cms, const struct trust_store *s, int64_t now_ms, int64_t existed_ms,
                            const uint8_t *digest)
{
	struct verdict v = {0};
	struct verdict_run *run = NULL;
	struct err e = {0};
	assert_int_equal(verdict_begin((struct bytes){cms->data, cms->len}, &run, &e), ST_OK);
	verdict_end(run, &(struct verdict_policy){.store = s, .now_ms = now_ms, .existed_ms = existed_ms, .min_rsa_bits = 2048},
	            (struct bytes){digest, digest == NULL ? 0 : 32}, &v);
	return v;
}

#define GIVES(v, i, sub)                                                                                                         \
	do {                                                                                                                     \
		struct verdict got = (v);                                                                                        \
		if (strcmp(got.subindication, sub) != 0)                                                                         \
			print_message("%s\n", got.reason);                                                                       \
		assert_string_equal(got.subindication, sub);                                                                     \
		assert_int_equal(got.indication, i);                                                                             \
	} while (0)

static void basic(void **state)
{
	(void)state;
	BUF_AUTO struct buf cms = BUF_INIT(1 << 16);
	sign(&person, &cms);
	struct trust_store *s = anchored();
	GIVES(judge(&cms, s, NOW, NOW, content), INDETERMINATE, "TRY_LATER");
	add_ocsp(s, &responder, &person, V_OCSP_CERTSTATUS_GOOD, 0, NOW - 60000);
	/* The issuing CA's state is asked for too. */
	GIVES(judge(&cms, s, NOW, NOW, content), INDETERMINATE, "TRY_LATER");
	add_crl(s, &root, NULL, 0, NOW - HOUR);
	struct verdict v = judge(&cms, s, NOW, NOW, content);
	GIVES(v, TOTAL_PASSED, "");
	assert_string_equal(v.signer, "CN=Person");
	assert_string_equal(v.issuer, "CN=CA");
	assert_true(v.has_signing_certificate && v.revocation_embedded && !v.has_signing_time && !v.claimed_time);
	assert_true(v.best_time_ms == NOW && v.timestamps == 0);
	GIVES(judge(&cms, s, NOW, NOW, other), TOTAL_FAILED, "HASH_FAILURE");
	GIVES(judge(&cms, s, NOW, NOW, NULL), INDETERMINATE, "SIGNED_DATA_NOT_FOUND");
	/* Data that ended; data of the future. */
	GIVES(judge(&cms, s, NOW + 2 * DAY, NOW + 2 * DAY, content), INDETERMINATE, "TRY_LATER");
	GIVES(judge(&cms, s, NOW - 2 * DAY, NOW - 2 * DAY, content), INDETERMINATE, "TRY_LATER");
	/* Existence proven from outside at the time of the data. */
	GIVES(judge(&cms, s, NOW + 2 * YEAR, NOW, content), TOTAL_PASSED, "");
	GIVES(judge(&cms, s, NOW + 2 * YEAR, 0, content), INDETERMINATE, "OUT_OF_BOUNDS_NO_POE");
	GIVES(judge(&cms, s, NOW, NOW - 2 * YEAR, content), TOTAL_FAILED, "NOT_YET_VALID");
	trust_store_free(s);
	s = trust_store_new();
	GIVES(judge(&cms, s, NOW, NOW, content), INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND");
	trust_store_free(s);
}

static void responders(void **state)
{
	(void)state;
	BUF_AUTO struct buf cms = BUF_INIT(1 << 16);
	sign(&person, &cms);
	struct trust_store *s = anchored();
	add_crl(s, &root, NULL, 0, NOW - HOUR);
	add_ocsp(s, &plain_responder, &person, V_OCSP_CERTSTATUS_GOOD, 0, NOW - 60000);
	GIVES(judge(&cms, s, NOW, NOW, content), INDETERMINATE, "TRY_LATER");
	/* It may not vouch for itself. */
	add_ocsp(s, &plain_responder, &plain_responder, V_OCSP_CERTSTATUS_GOOD, 0, NOW - 60000);
	GIVES(judge(&cms, s, NOW, NOW, content), INDETERMINATE, "TRY_LATER");
	add_ocsp(s, &responder, &plain_responder, V_OCSP_CERTSTATUS_GOOD, 0, NOW - 60000);
	GIVES(judge(&cms, s, NOW, NOW, content), TOTAL_PASSED, "");
	trust_store_free(s);
	/* Somebody whom the CA did not name. */
	s = anchored();
	add_crl(s, &root, NULL, 0, NOW - HOUR);
	add_ocsp(s, &person, &person, V_OCSP_CERTSTATUS_GOOD, 0, NOW - 60000);
	GIVES(judge(&cms, s, NOW, NOW, content), INDETERMINATE, "TRY_LATER");
	trust_store_free(s);
}

static void revoked(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool stamped;
		int64_t revoked_ms;
		enum indication indication;
		const char *sub;
	} cases[] = {
	    {"now", false, NOW - HOUR, INDETERMINATE, "REVOKED_NO_POE"},
	    {"before the timestamp", true, NOW - 2 * HOUR, INDETERMINATE, "REVOKED_NO_POE"},
	    {"after the timestamp", true, NOW - HOUR / 2, TOTAL_PASSED, ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_message("%s\n", cases[i].name);
		BUF_AUTO struct buf cms = BUF_INIT(1 << 16);
		if (cases[i].stamped)
			sign_stamped(&person, NOW - HOUR, false, &cms);
		else
			sign(&person, &cms);
		struct trust_store *s = anchored();
		add_crl(s, &root, NULL, 0, NOW - 2 * HOUR);
		/* An older good answer does not help against a revocation. */
		add_ocsp(s, &responder, &person, V_OCSP_CERTSTATUS_GOOD, 0, NOW - 3 * HOUR);
		add_crl(s, &ca, &person, cases[i].revoked_ms, NOW - 60000);
		struct verdict v = judge(&cms, s, NOW, NOW, content);
		GIVES(v, cases[i].indication, cases[i].sub);
		assert_int_equal(v.timestamps, cases[i].stamped);
		trust_store_free(s);
	}
	BUF_AUTO struct buf cms = BUF_INIT(1 << 16);
	sign(&person, &cms);
	struct trust_store *s = anchored();
	add_crl(s, &root, &ca, NOW - HOUR, NOW - 60000);
	add_crl(s, &ca, NULL, 0, NOW - 60000);
	GIVES(judge(&cms, s, NOW, NOW, content), INDETERMINATE, "REVOKED_CA_NO_POE");
	trust_store_free(s);
}

/* Judged years later: what counts is what is proven of the signing time. */
static void years_later(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool stamped, foreign;
		enum indication indication;
		const char *sub;
	} cases[] = {
	    {"no timestamp", false, false, INDETERMINATE, "OUT_OF_BOUNDS_NO_POE"},
	    {"timestamp", true, false, TOTAL_PASSED, ""},
	    {"another's timestamp", true, true, INDETERMINATE, "OUT_OF_BOUNDS_NO_POE"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_message("%s\n", cases[i].name);
		BUF_AUTO struct buf cms = BUF_INIT(1 << 16);
		if (cases[i].stamped)
			sign_stamped(&brief, NOW, cases[i].foreign, &cms);
		else
			sign(&brief, &cms);
		struct trust_store *s = anchored();
		add_crl(s, &root, NULL, 0, NOW);
		add_crl(s, &ca, NULL, 0, NOW);
		struct verdict v = judge(&cms, s, NOW + 3 * YEAR, NOW + 3 * YEAR, content);
		GIVES(v, cases[i].indication, cases[i].sub);
		assert_int_equal(v.timestamps, cases[i].stamped && !cases[i].foreign);
		if (v.indication == TOTAL_PASSED)
			assert_true(v.best_time_ms == NOW);
		trust_store_free(s);
	}
}

static void weak(void **state)
{
	(void)state;
	struct trust_store *s = anchored();
	add_crl(s, &root, NULL, 0, NOW - HOUR);
	add_crl(s, &ca, NULL, 0, NOW - HOUR);
	BUF_AUTO struct buf cms = BUF_INIT(1 << 16);
	sign(&small, &cms);
	GIVES(judge(&cms, s, NOW, NOW, content), INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE");
	/* SHA-1 inside, as adbe.pkcs7.sha1 has it; and the same with the wrong digest. */
	uint8_t sha1[64];
	assert_int_equal(cms_digest(NID_sha1, (struct bytes){(const uint8_t *)"content", 7}, sha1), 20);
	BIO *inside = BIO_new_mem_buf(sha1, 20);
	CMS_ContentInfo *made = CMS_sign(person.cert, person.key, NULL, inside, CMS_BINARY);
	assert_non_null(made);
	CMS_add1_cert(made, ca.cert);
	unsigned char *der = NULL;
	int n = i2d_CMS_ContentInfo(made, &der);
	struct verdict_run *run = NULL;
	struct verdict v;
	struct verdict_policy p = {.store = s, .now_ms = NOW, .existed_ms = NOW, .min_rsa_bits = 2048};
	for (int wrong = 0; wrong <= 1; wrong++) {
		assert_int_equal(verdict_begin((struct bytes){der, (size_t)n}, &run, NULL), ST_OK);
		assert_string_equal(verdict_digest_name(run), "SHA1");
		sha1[0] ^= (uint8_t)wrong;
		verdict_end(run, &p, (struct bytes){sha1, 20}, &v);
		GIVES(v, wrong ? TOTAL_FAILED : INDETERMINATE, wrong ? "HASH_FAILURE" : "CRYPTO_CONSTRAINTS_FAILURE");
	}
	OPENSSL_free(der);
	CMS_ContentInfo_free(made);
	BIO_free(inside);
	trust_store_free(s);
}

/* Encapsulated content of any other size is no detached signature. */
static void attached(void **state)
{
	(void)state;
	BIO *inside = BIO_new_mem_buf("content", 7);
	CMS_ContentInfo *made = CMS_sign(person.cert, person.key, NULL, inside, CMS_BINARY);
	unsigned char *der = NULL;
	int n = i2d_CMS_ContentInfo(made, &der);
	struct verdict_run *run = NULL;
	struct err e = {0};
	assert_int_equal(verdict_begin((struct bytes){der, (size_t)n}, &run, &e), ST_ITEM);
	assert_string_equal(e.code, "cms-content");
	OPENSSL_free(der);
	CMS_ContentInfo_free(made);
	BIO_free(inside);
}

/* No flipped bit in what the signer signed, or in the signature, leaves it valid. */
static void flips(void **state)
{
	(void)state;
	struct trust_store *s = anchored();
	add_crl(s, &root, NULL, 0, NOW - HOUR);
	add_crl(s, &ca, NULL, 0, NOW - HOUR);
	BUF_AUTO struct buf cms = BUF_INIT(1 << 16);
	sign(&person, &cms);
	GIVES(judge(&cms, s, NOW, NOW, content), TOTAL_PASSED, "");
	static const uint8_t content_type[] = {0x30, 0x18, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03};
	const uint8_t *from = memmem(cms.data, cms.len, content_type, sizeof content_type);
	assert_non_null(from);
	size_t tried = 0;
	for (size_t at = (size_t)(from - cms.data); at < cms.len; at++) {
		for (int bit = 0; bit < 8; bit += 3) {
			struct verdict_run *run = NULL;
			struct verdict v = {.indication = TOTAL_FAILED};
			cms.data[at] ^= (uint8_t)(1 << bit);
			if (verdict_begin((struct bytes){cms.data, cms.len}, &run, NULL) == ST_OK)
				verdict_end(
				    run,
				    &(struct verdict_policy){.store = s, .now_ms = NOW, .existed_ms = NOW, .min_rsa_bits = 2048},
				    (struct bytes){content, 32}, &v);
			cms.data[at] ^= (uint8_t)(1 << bit);
			if (v.indication == TOTAL_PASSED)
				print_message("byte %zu bit %d\n", at, bit);
			assert_int_not_equal(v.indication, TOTAL_PASSED);
			tried++;
		}
	}
	assert_true(tried > 500);
	trust_store_free(s);
}

static void tokens(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const struct party *by;
		unsigned flags;
		int64_t now_ms, existed_ms;
		bool foreign;
		enum indication indication;
		const char *sub;
	} cases[] = {
	    {"good", &tsa, 0, NOW, NOW, false, TOTAL_PASSED, ""},
	    {"years later", &tsa, 0, NOW + 3 * YEAR, NOW + 3 * YEAR, false, TOTAL_PASSED, ""},
	    {"over other bytes", &tsa, 0, NOW, NOW, true, TOTAL_FAILED, "HASH_FAILURE"},
	    {"wrong signature", &tsa, TOKEN_BAD_VALUE, NOW, NOW, false, TOTAL_FAILED, "SIG_CRYPTO_FAILURE"},
	    {"another version", &tsa, TOKEN_BAD_VERSION, NOW, NOW, false, TOTAL_FAILED, "FORMAT_FAILURE"},
	    {"certificate not named", &tsa, TOKEN_NO_SIGNING_CERTIFICATE, NOW, NOW, false, INDETERMINATE,
	     "SIG_CONSTRAINTS_FAILURE"},
	    {"certificate not there", &tsa, TOKEN_NO_CERTIFICATES, NOW, NOW, false, INDETERMINATE,
	     "NO_SIGNING_CERTIFICATE_FOUND"},
	    {"not for timestamps alone", &both, 0, NOW, NOW, false, INDETERMINATE, "CHAIN_CONSTRAINTS_FAILURE"},
	    {"expired since", &brief_tsa, 0, NOW + YEAR, NOW + YEAR, false, INDETERMINATE, "OUT_OF_BOUNDS_NO_POE"},
	    {"expired since, known before", &brief_tsa, 0, NOW + YEAR, NOW + HOUR, false, TOTAL_PASSED, ""},
	    {"from after it existed", &tsa, 0, NOW + YEAR, NOW - HOUR, false, INDETERMINATE, "TIMESTAMP_ORDER_FAILURE"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_message("%s\n", cases[i].name);
		BUF_AUTO struct buf token = BUF_INIT(1 << 16);
		token_make(cases[i].by, &ca, content, 32, (struct bytes){NULL, 0}, NOW, cases[i].flags, &token);
		struct trust_store *s = anchored();
		add_crl(s, &root, NULL, 0, NOW - HOUR);
		add_crl(s, &ca, NULL, 0, NOW - HOUR);
		struct verdict_run *run = NULL;
		struct verdict v = {0};
		int64_t gen_ms = 0;
		assert_int_equal(verdict_token_begin((struct bytes){token.data, token.len}, &run, NULL), ST_OK);
		assert_string_equal(verdict_digest_name(run), "SHA256");
		verdict_token_end(
		    run,
		    &(struct verdict_policy){
		        .store = s, .now_ms = cases[i].now_ms, .existed_ms = cases[i].existed_ms, .min_rsa_bits = 2048},
		    (struct bytes){cases[i].foreign ? other : content, 32}, &v, &gen_ms);
		GIVES(v, cases[i].indication, cases[i].sub);
		if (v.indication == TOTAL_PASSED)
			assert_true(gen_ms == NOW);
		trust_store_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(basic), cmocka_unit_test(responders), cmocka_unit_test(revoked), cmocka_unit_test(years_later),
	    cmocka_unit_test(weak),  cmocka_unit_test(attached),   cmocka_unit_test(flips),   cmocka_unit_test(tokens),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
