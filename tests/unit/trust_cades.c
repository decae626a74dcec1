/* Making signatures: what comes out is read by OpenSSL's own CMS; timestamps: every fault of an authority is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/cms.h>
#include <openssl/ts.h>

#include "stages/base/digest.h"
#include "stages/trust/cades.h"
#include "stages/trust/cms.h"
#include "stages/trust/der.h"
#include "stages/trust/embedded.h"
#include "stages/trust/internal.h"
#include "tests/unit/trust_pki.h"

static struct party root, ca, person, rsa_person, tsa, tsa_old, tsa_usage_wrong, stranger_ca, stranger;
static struct trust_store *anchors;

static int set_up(void **state)
{
	(void)state;
	root = party_make((struct party_spec){.name = "Root", .ca = true});
	ca = party_make((struct party_spec){.name = "CA", .issuer = &root, .ca = true, .usage = "critical,keyCertSign,cRLSign"});
	person = party_make((struct party_spec){.name = "Lưu trữ", .issuer = &ca, .usage = "critical,digitalSignature"});
	rsa_person = party_make((struct party_spec){.name = "RSA", .issuer = &ca, .rsa_bits = 2048});
	tsa = party_make((struct party_spec){.name = "TSA", .issuer = &ca, .extended = "critical,timeStamping"});
	tsa_old = party_make((struct party_spec){
	    .name = "Old TSA", .issuer = &ca, .extended = "critical,timeStamping", .from_ms = NOW - YEAR, .to_ms = NOW - DAY});
	tsa_usage_wrong =
	    party_make((struct party_spec){.name = "Both", .issuer = &ca, .extended = "critical,timeStamping,clientAuth"});
	stranger_ca = party_make((struct party_spec){.name = "Stranger CA", .ca = true});
	stranger =
	    party_make((struct party_spec){.name = "Stranger", .issuer = &stranger_ca, .extended = "critical,timeStamping"});
	anchors = trust_store_new();
	trust_store_add_certificate(anchors, party_der(&root));
	anchors->certs[0].anchor = true;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	struct party *all[] = {&root, &ca, &person, &rsa_person, &tsa, &tsa_old, &tsa_usage_wrong, &stranger_ca, &stranger};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		party_free(all[i]);
	trust_store_free(anchors);
	return 0;
}

static void sign(const struct party *signer, enum key_algorithm algorithm, enum key_digest digest, bool pades, struct buf *cms)
{
	static const uint8_t content[] = "content";
	uint8_t hash[64];
	size_t n = cms_digest(digest == KEY_SHA256   ? NID_sha256
	                      : digest == KEY_SHA384 ? NID_sha384
	                                             : NID_sha512,
	                      (struct bytes){content, 7}, hash);
	STACK_OF(X509) *chain = sk_X509_new_null();
	sk_X509_push(chain, ca.cert);
	struct cades_request r = {.key = pki_keyholder(signer, chain),
	                          .algorithm = algorithm,
	                          .digest = digest,
	                          .content_digest = {hash, n},
	                          .pades = pades,
	                          .signing_time_ms = NOW};
	struct err e = {0};
	assert_int_equal(cades_sign(&r, cms, &e), ST_OK);
	sk_X509_free(chain);
}

/* OpenSSL's whole CMS verification, with the CAdES check of the signing-certificate attribute. */
static int openssl_verifies(struct bytes der, const char *content)
{
	const unsigned char *at = der.p;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.n);
	assert_non_null(cms);
	X509_STORE *store = X509_STORE_new();
	X509_STORE_add_cert(store, root.cert);
	X509_VERIFY_PARAM *param = X509_STORE_get0_param(store);
	X509_VERIFY_PARAM_set_time(param, (time_t)(NOW / 1000));
	X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY);
	BIO *in = BIO_new_mem_buf(content, (int)strlen(content));
	int ok = CMS_verify(cms, NULL, store, in, NULL, CMS_BINARY | CMS_CADES);
	BIO_free(in);
	X509_STORE_free(store);
	CMS_ContentInfo_free(cms);
	trust_drain();
	return ok;
}

static void made_signatures(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const struct party *signer;
		enum key_algorithm algorithm;
		enum key_digest digest;
		bool pades;
	} cases[] = {
	    {"ECDSA PAdES", &person, KEY_ECDSA, KEY_SHA256, true},
	    {"ECDSA CAdES", &person, KEY_ECDSA, KEY_SHA384, false},
	    {"RSA PAdES", &rsa_person, KEY_RSA_PKCS1, KEY_SHA256, true},
	    {"RSA CAdES", &rsa_person, KEY_RSA_PKCS1, KEY_SHA512, false},
	    {"PSS PAdES", &rsa_person, KEY_RSA_PSS, KEY_SHA256, true},
	    {"PSS CAdES", &rsa_person, KEY_RSA_PSS, KEY_SHA512, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_message("%s\n", cases[i].name);
		BUF_AUTO struct buf cms = BUF_INIT(1 << 16);
		sign(cases[i].signer, cases[i].algorithm, cases[i].digest, cases[i].pades, &cms);
		struct bytes der = {cms.data, cms.len};
		assert_int_equal(openssl_verifies(der, "content"), 1);
		assert_int_equal(openssl_verifies(der, "Content"), 0);
		struct cms c;
		struct err e = {0};
		assert_int_equal(cms_open(der, false, &c, &e), ST_OK);
		int times = 0;
		cms_attribute(&c, true, OID_SIGNING_TIME, 0, &times);
		assert_int_equal(times, cases[i].pades ? 0 : 1);
		assert_int_equal(cms_names_signer(&c, cases[i].signer->cert), CMS_NAMED_MATCHES);
		assert_int_equal(cms_names_signer(&c, ca.cert), CMS_NAMED_DIFFERS);
		assert_true(cms_content_type_right(&c));
		assert_int_equal(sk_X509_num(c.certs), 2);
		/* DER: encoding again gives the same bytes. */
		unsigned char *again = NULL;
		int n = i2d_CMS_ContentInfo(c.info, &again);
		assert_true(bytes_equal(der, (struct bytes){again, (size_t)n}));
		OPENSSL_free(again);
		cms_close(&c);
	}
}

enum wrong {
	NOTHING,
	DOWN,
	REJECTED,
	NONSENSE,
	NONCE,
	NO_NONCE,
	IMPRINT,
	CLOCK,
	VALUE,
	VERSION,
	TYPE,
	UNNAMED,
	NO_CERTS,
	EXPIRED,
	USAGE,
	UNKNOWN,
	TRAILING,
};

/* The request as OpenSSL reads it; the answer with one fault. */
static bool authority(void *arg, const struct fetch_request *r, struct buf *answer)
{
	enum wrong wrong = *(enum wrong *)arg;
	if (strcmp(r->url, "http://good/") == 0)
		wrong = NOTHING;
	if (wrong == DOWN)
		return false;
	const unsigned char *at = r->body.p;
	TS_REQ *request = d2i_TS_REQ(NULL, &at, (long)r->body.n);
	assert_non_null(request);
	assert_int_equal(TS_REQ_get_cert_req(request), 1);
	assert_string_equal(r->content_type, "application/timestamp-query");
	ASN1_OCTET_STRING *imprint = TS_MSG_IMPRINT_get_msg(TS_REQ_get_msg_imprint(request));
	const ASN1_INTEGER *asked = TS_REQ_get_nonce(request);
	assert_true(ASN1_STRING_length(asked) >= 8);
	uint8_t nonce[32], digest[32];
	memcpy(nonce, ASN1_STRING_get0_data(asked), (size_t)ASN1_STRING_length(asked));
	memcpy(digest, ASN1_STRING_get0_data(imprint), 32);
	digest[0] ^= wrong == IMPRINT;
	nonce[3] ^= wrong == NONCE;
	unsigned flags = wrong == VALUE      ? TOKEN_BAD_VALUE
	                 : wrong == VERSION  ? TOKEN_BAD_VERSION
	                 : wrong == TYPE     ? TOKEN_WRONG_TYPE
	                 : wrong == UNNAMED  ? TOKEN_NO_SIGNING_CERTIFICATE
	                 : wrong == NO_CERTS ? TOKEN_NO_CERTIFICATES
	                                     : 0;
	const struct party *who = wrong == EXPIRED   ? &tsa_old
	                          : wrong == USAGE   ? &tsa_usage_wrong
	                          : wrong == UNKNOWN ? &stranger
	                                             : &tsa;
	size_t s = der_begin(answer, DER_SEQUENCE);
	size_t info = der_begin(answer, DER_SEQUENCE);
	der_put_number(answer, wrong == REJECTED ? 2 : 0);
	der_end(answer, info);
	if (wrong == NONSENSE)
		der_put_number(answer, 5);
	else if (wrong != REJECTED)
		token_make(who, wrong == UNKNOWN ? &stranger_ca : &ca, digest, 32,
		           (struct bytes){nonce, wrong == NO_NONCE ? 0 : (size_t)ASN1_STRING_length(asked)},
		           NOW + (wrong == CLOCK ? 61000 : 0), flags, answer);
	der_end(answer, s);
	if (wrong == TRAILING)
		buf_byte(answer, 0);
	TS_REQ_free(request);
	return true;
}

static void authorities(void **state)
{
	(void)state;
	static const struct {
		enum wrong wrong;
		const char *code;
	} cases[] = {
	    {NOTHING, ""},
	    {DOWN, "tsa-unreachable"},
	    {REJECTED, "tsa-refused"},
	    {NONSENSE, "tsa-answer"},
	    {NONCE, "tsa-nonce"},
	    {NO_NONCE, "tsa-nonce"},
	    {IMPRINT, "tsa-imprint"},
	    {CLOCK, "tsa-clock"},
	    {VALUE, "tsa-signature"},
	    {VERSION, "tsa-version"},
	    {TYPE, "tsa-answer"},
	    {UNNAMED, "tsa-signer"},
	    {NO_CERTS, "tsa-signer"},
	    {EXPIRED, "tsa-path"},
	    {USAGE, "tsa-usage"},
	    {UNKNOWN, "tsa-path"},
	    {TRAILING, "tsa-answer"},
	};
	uint8_t digest[32];
	sha256_bytes("x", 1, digest);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_message("%d %s\n", (int)cases[i].wrong, cases[i].code);
		enum wrong wrong = cases[i].wrong;
		const char *const urls[] = {"http://bad/", "http://good/"};
		struct tsa t = {.urls = urls,
		                .n = 1,
		                .fetch = pki_fetch(authority, &wrong),
		                .anchors = anchors,
		                .now_ms = pki_now,
		                .tolerance_ms = 60000};
		BUF_AUTO struct buf token = BUF_INIT(1 << 16);
		struct err e = {0};
		int64_t gen_ms = 0;
		size_t which = 9;
		enum status st = tsa_stamp(&t, digest, &token, &gen_ms, &which, &e);
		assert_string_equal(e.code, cases[i].code);
		assert_int_equal(st, wrong == NOTHING ? ST_OK : ST_RETRY);
		if (wrong == NOTHING)
			assert_int_equal(gen_ms, NOW);
		else
			assert_int_equal(token.len, 0);
		/* The next authority helps. */
		buf_reset(&token);
		t.n = 2;
		assert_int_equal(tsa_stamp(&t, digest, &token, &gen_ms, &which, &e), ST_OK);
		assert_int_equal(which, wrong == NOTHING ? 0 : 1);
	}
}

static void level_t(void **state)
{
	(void)state;
	BUF_AUTO struct buf cms = BUF_INIT(1 << 16);
	BUF_AUTO struct buf token = BUF_INIT(1 << 16);
	BUF_AUTO struct buf stamped = BUF_INIT(1 << 17);
	uint8_t digest[32];
	struct err e = {0};
	sign(&person, KEY_ECDSA, KEY_SHA256, true, &cms);
	assert_int_equal(cades_signature_digest((struct bytes){cms.data, cms.len}, digest, &e), ST_OK);
	token_make(&tsa, &ca, digest, 32, (struct bytes){NULL, 0}, NOW, 0, &token);
	struct bytes t = {token.data, token.len};
	assert_int_equal(cades_add_timestamp((struct bytes){cms.data, cms.len}, t, &stamped, &e), ST_OK);
	struct bytes all = {stamped.data, stamped.len};
	assert_int_equal(openssl_verifies(all, "content"), 1);
	/* The token lies in it as it came. */
	assert_non_null(memmem(all.p, all.n, t.p, t.n));
	STACK_OF(X509) *certs = sk_X509_new_null();
	assert_int_equal(cades_certificates(all, certs, &e), ST_OK);
	assert_int_equal(sk_X509_num(certs), 4);
	sk_X509_pop_free(certs, X509_free);
}

/* The values lie in the SignedData, each once; OpenSSL still verifies it, and a store that knows nothing else learns them. */
static void level_lt(void **state)
{
	(void)state;
	BUF_AUTO struct buf cms = BUF_INIT(1 << 16);
	BUF_AUTO struct buf whole = BUF_INIT(1 << 18);
	BUF_AUTO struct buf again = BUF_INIT(1 << 18);
	BUF_AUTO struct buf ocsp = BUF_INIT(1 << 16);
	BUF_AUTO struct buf crl = BUF_INIT(1 << 16);
	struct err e = {0};
	sign(&person, KEY_ECDSA, KEY_SHA256, false, &cms);
	ocsp_make(&(struct ocsp_spec){.responder = &ca, .certificate = &person, .issuer = &ca, .this_ms = NOW}, &ocsp);
	crl_make(&(struct crl_spec){.issuer = &root, .this_ms = NOW, .next_ms = NOW + DAY}, &crl);
	const struct bytes certificates[] = {party_der(&ca), party_der(&root), party_der(&ca)}, ocsps[] = {{ocsp.data, ocsp.len}},
	                   crls[] = {{crl.data, crl.len}};
	const struct cades_values values = {certificates, ocsps, crls, 3, 1, 1};
	assert_int_equal(cades_add_values((struct bytes){cms.data, cms.len}, &values, &whole, &e), ST_OK);
	struct bytes all = {whole.data, whole.len};
	assert_int_equal(openssl_verifies(all, "content"), 1);
	STACK_OF(X509) *certs = sk_X509_new_null();
	assert_int_equal(cades_certificates(all, certs, &e), ST_OK);
	assert_int_equal(sk_X509_num(certs), 3);
	sk_X509_pop_free(certs, X509_free);
	struct cms c;
	struct trust_store *store = trust_store_new();
	assert_int_equal(cms_open(all, false, &c, &e), ST_OK);
	assert_true(embedded_revocation(&c));
	embedded_add(store, &c);
	cms_close(&c);
	assert_int_equal(store->n_certs, 3);
	assert_int_equal(store->n_crls, 1);
	assert_int_equal(store->n_ocsps, 1);
	trust_store_free(store);
	/* Nothing is there twice. */
	assert_int_equal(cades_add_values(all, &values, &again, &e), ST_OK);
	assert_int_equal(again.len, whole.len);
	assert_memory_equal(again.data, whole.data, whole.len);
	for (size_t n = 0; n < whole.len; n += 7) {
		buf_reset(&again);
		assert_int_equal(cades_add_values((struct bytes){whole.data, n}, &values, &again, &e), ST_ITEM);
		assert_string_equal(e.code, "cms-syntax");
		assert_int_equal(again.len, 0);
	}
}

static void bad_cms(void **state)
{
	(void)state;
	BUF_AUTO struct buf good = BUF_INIT(1 << 16);
	sign(&person, KEY_ECDSA, KEY_SHA256, true, &good);
	static const struct {
		const char *name, *bytes;
		size_t n;
	} cases[] = {
	    {"nothing", "", 0},
	    {"one byte", "0", 1},
	    {"endless", "0\x80", 2},
	    {"too long", "0\x84\xff\xff\xff\xff", 6},
	    {"another type", "0\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", 13},
	    {"no signers",
	     "0\x26\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x19\x30\x17\x02\x01\x01\x31\x00\x30\x0b\x06\x09\x2a\x86"
	     "\x48\x86\xf7\x0d\x01\x07\x01\xa0\x00\x31\x00",
	     40},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err e = {0};
		struct cms c;
		struct bytes der = {(const uint8_t *)cases[i].bytes, cases[i].n};
		assert_int_equal(cms_open(der, false, &c, &e), ST_ITEM);
		assert_string_equal(e.code, "cms-syntax");
		assert_int_equal(cms_open(der, true, &c, &e), ST_ITEM);
		assert_string_equal(e.code, "token-syntax");
	}
	/* Every truncation. */
	for (size_t n = 0; n < good.len; n++) {
		struct cms c;
		assert_int_equal(cms_open((struct bytes){good.data, n}, false, &c, NULL), ST_ITEM);
	}
	/* A token is not a signature's CMS. */
	struct cms c;
	assert_int_equal(cms_open((struct bytes){good.data, good.len}, true, &c, NULL), ST_ITEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(made_signatures), cmocka_unit_test(authorities), cmocka_unit_test(level_t),
	    cmocka_unit_test(level_lt),        cmocka_unit_test(bad_cms),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
