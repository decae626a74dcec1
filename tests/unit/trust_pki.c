#include "tests/unit/trust_pki.h"

#include <openssl/asn1.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/trust/der.h"

int64_t pki_clock_ms;

int64_t pki_now(void)
{
	return NOW + pki_clock_ms;
}

/* Making must not fail: a test over half-made material would say nothing. */
#define MUST(x)                                                                                                                  \
	do {                                                                                                                     \
		if (!(x)) {                                                                                                      \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                                                  \
			ERR_print_errors_fp(stderr);                                                                             \
			abort();                                                                                                 \
		}                                                                                                                \
	} while (0)

static void add_extension(X509 *x, const struct party *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer == NULL ? x : issuer->cert, x, NULL, NULL, 0);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	MUST(ext != NULL && X509_add_ext(x, ext, -1) == 1);
	X509_EXTENSION_free(ext);
}

static void add_addresses(X509 *x, const struct party_spec *s)
{
	char text[512];
	if (s->ocsp != NULL || s->ca_issuers != NULL) {
		snprintf(text, sizeof text, "%s%s%s%s%s", s->ocsp != NULL ? "OCSP;URI:" : "", s->ocsp != NULL ? s->ocsp : "",
		         s->ocsp != NULL && s->ca_issuers != NULL ? "," : "", s->ca_issuers != NULL ? "caIssuers;URI:" : "",
		         s->ca_issuers != NULL ? s->ca_issuers : "");
		add_extension(x, s->issuer, NID_info_access, text);
	}
	if (s->crl != NULL) {
		snprintf(text, sizeof text, "URI:%s", s->crl);
		add_extension(x, s->issuer, NID_crl_distribution_points, text);
	}
}

static void add_extensions(X509 *x, const struct party_spec *s)
{
	char basic[48];
	snprintf(basic, sizeof basic, "critical,CA:TRUE,pathlen:%d", s->path_length - 1);
	if (s->path_length == 0)
		snprintf(basic, sizeof basic, "%s", s->ca ? "critical,CA:TRUE" : "CA:FALSE");
	add_extension(x, s->issuer, NID_basic_constraints, basic);
	add_extension(x, s->issuer, NID_subject_key_identifier, "hash");
	add_extension(x, s->issuer, NID_authority_key_identifier, "keyid");
	if (s->usage != NULL)
		add_extension(x, s->issuer, NID_key_usage, s->usage);
	if (s->extended != NULL)
		add_extension(x, s->issuer, NID_ext_key_usage, s->extended);
	if (s->no_check)
		add_extension(x, s->issuer, NID_id_pkix_OCSP_noCheck, "NULL");
	add_addresses(x, s);
}

struct party party_make(struct party_spec s)
{
	static long serial = 1000;
	struct party p;
	if (s.key != NULL)
		p.key = EVP_PKEY_dup((EVP_PKEY *)(uintptr_t)s.key);
	else
		p.key = s.rsa_bits > 0 ? EVP_RSA_gen((unsigned)s.rsa_bits) : EVP_EC_gen("P-256");
	p.cert = X509_new();
	MUST(p.key != NULL && p.cert != NULL);
	X509_set_version(p.cert, s.version1 ? X509_VERSION_1 : X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(p.cert), serial++);
	X509_NAME *name = X509_get_subject_name(p.cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)s.name, -1, -1, 0);
	X509_set_issuer_name(p.cert, s.issuer == NULL ? name : X509_get_subject_name(s.issuer->cert));
	ASN1_TIME_set(X509_getm_notBefore(p.cert), (time_t)((s.from_ms != 0 ? s.from_ms : NOW - YEAR) / 1000));
	ASN1_TIME_set(X509_getm_notAfter(p.cert), (time_t)((s.to_ms != 0 ? s.to_ms : NOW + YEAR) / 1000));
	X509_set_pubkey(p.cert, p.key);
	if (!s.version1)
		add_extensions(p.cert, &s);
	MUST(X509_sign(p.cert, s.issuer == NULL ? p.key : s.issuer->key, EVP_sha256()) > 0);
	/* As parsed from outside, so that everything cached is there. */
	unsigned char *der = NULL;
	int n = i2d_X509(p.cert, &der);
	const unsigned char *at = der;
	X509_free(p.cert);
	p.cert = d2i_X509(NULL, &at, n);
	OPENSSL_free(der);
	MUST(p.cert != NULL);
	return p;
}

void party_free(struct party *p)
{
	X509_free(p->cert);
	EVP_PKEY_free(p->key);
	*p = (struct party){0};
}

struct bytes party_der(const struct party *p)
{
	static unsigned char *kept[16];
	static size_t next;
	unsigned char **slot = &kept[next++ % 16];
	OPENSSL_free(*slot);
	*slot = NULL;
	int n = i2d_X509(p->cert, slot);
	MUST(n > 0);
	return (struct bytes){*slot, (size_t)n};
}

static void put_general_time(struct buf *b, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm t;
	char text[24];
	gmtime_r(&seconds, &t);
	strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &t);
	der_put(b, DER_GENERAL_TIME, text, strlen(text));
}

/* The last byte of the DER is the last of the signature value where nothing follows it. */
static void spoil_last(struct buf *b)
{
	b->data[b->len - 1] ^= 1;
}

void token_make(const struct party *tsa, const struct party *ca, const uint8_t *digest, size_t n, struct bytes nonce,
                int64_t gen_ms, unsigned flags, struct buf *to)
{
	BUF_AUTO struct buf tst = BUF_INIT(4096);
	size_t s = der_begin(&tst, DER_SEQUENCE);
	der_put_number(&tst, (flags & TOKEN_BAD_VERSION) != 0 ? 2 : 1);
	der_put(&tst, DER_OID, "\x2a\x03\x04", 3);
	size_t imprint = der_begin(&tst, DER_SEQUENCE);
	der_put_algorithm(&tst, n == 20 ? NID_sha1 : n == 64 ? NID_sha512 : NID_sha256, false);
	der_put(&tst, DER_OCTETS, digest, n);
	der_end(&tst, imprint);
	der_put_number(&tst, 77);
	put_general_time(&tst, gen_ms);
	if (nonce.n > 0)
		der_put(&tst, DER_INTEGER, nonce.p, nonce.n);
	der_end(&tst, s);

	unsigned cms_flags = CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP;
	if ((flags & TOKEN_NO_CERTIFICATES) != 0)
		cms_flags |= CMS_NOCERTS;
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, cms_flags);
	MUST(cms != NULL);
	if ((flags & TOKEN_WRONG_TYPE) == 0)
		MUST(CMS_set1_eContentType(cms, OBJ_nid2obj(NID_id_smime_ct_TSTInfo)) == 1);
	unsigned cades = (flags & TOKEN_NO_SIGNING_CERTIFICATE) == 0 ? CMS_CADES : 0;
	MUST(CMS_add1_signer(cms, tsa->cert, tsa->key, EVP_sha256(), cms_flags | cades) != NULL);
	if (ca != NULL && (flags & TOKEN_NO_CERTIFICATES) == 0)
		MUST(CMS_add1_cert(cms, ca->cert) == 1);
	BIO *content = BIO_new_mem_buf(tst.data, (int)tst.len);
	MUST(CMS_final(cms, content, NULL, cms_flags) == 1);
	BIO_free(content);
	unsigned char *der = NULL;
	int length = i2d_CMS_ContentInfo(cms, &der);
	MUST(length > 0);
	buf_add(to, der, (size_t)length);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	if ((flags & TOKEN_BAD_VALUE) != 0)
		spoil_last(to);
}

static ASN1_GENERALIZEDTIME *general(int64_t ms)
{
	return ms == 0 ? NULL : ASN1_GENERALIZEDTIME_set(NULL, (time_t)(ms / 1000));
}

void ocsp_make(const struct ocsp_spec *s, struct buf *to)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), s->certificate->cert, s->issuer->cert);
	ASN1_GENERALIZEDTIME *revoked = general(s->revoked_ms), *this = general(s->this_ms), *next = general(s->next_ms);
	MUST(basic != NULL && id != NULL && this != NULL);
	MUST(OCSP_basic_add1_status(basic, id, s->status, OCSP_REVOKED_STATUS_NOSTATUS, revoked, this, next) != NULL);
	const unsigned char *at = s->request.p;
	OCSP_REQUEST *request = s->request.n == 0 ? NULL : d2i_OCSP_REQUEST(NULL, &at, (long)s->request.n);
	if ((s->flags & OCSP_OTHER_NONCE) != 0)
		OCSP_basic_add1_nonce(basic, (unsigned char *)(uintptr_t) "0123456789abcdef", 16);
	else if (request != NULL && (s->flags & OCSP_NO_NONCE) == 0)
		OCSP_copy_nonce(basic, request);
	unsigned long flags = OCSP_NOTIME | ((s->flags & OCSP_NO_CERTIFICATE) != 0 ? OCSP_NOCERTS : 0);
	/* producedAt has no setter but the present moment: set it before signing, through the accessor of the same field. */
	const ASN1_GENERALIZEDTIME *made = OCSP_resp_get0_produced_at(basic);
	MUST(ASN1_GENERALIZEDTIME_set((ASN1_GENERALIZEDTIME *)(uintptr_t)made,
	                              (time_t)((s->made_ms != 0 ? s->made_ms : s->this_ms) / 1000)) != NULL);
	MUST(OCSP_basic_sign(basic, s->responder->cert, s->responder->key, EVP_sha256(), NULL, flags) == 1);
	if ((s->flags & OCSP_BAD_VALUE) != 0) {
		const ASN1_OCTET_STRING *value = OCSP_resp_get0_signature(basic);
		((unsigned char *)(uintptr_t)ASN1_STRING_get0_data(value))[ASN1_STRING_length(value) - 1] ^= 1;
	}
	bool later = (s->flags & OCSP_TRY_LATER) != 0;
	OCSP_RESPONSE *response =
	    OCSP_response_create(later ? OCSP_RESPONSE_STATUS_TRYLATER : OCSP_RESPONSE_STATUS_SUCCESSFUL, later ? NULL : basic);
	unsigned char *der = NULL;
	int n = i2d_OCSP_RESPONSE(response, &der);
	MUST(n > 0);
	buf_add(to, der, (size_t)n);
	OPENSSL_free(der);
	OCSP_RESPONSE_free(response);
	OCSP_REQUEST_free(request);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_GENERALIZEDTIME_free(revoked);
	ASN1_GENERALIZEDTIME_free(this);
	ASN1_GENERALIZEDTIME_free(next);
}

void crl_make(const struct crl_spec *s, struct buf *to)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *this = ASN1_TIME_set(NULL, (time_t)(s->this_ms / 1000));
	ASN1_TIME *next = ASN1_TIME_set(NULL, (time_t)(s->next_ms / 1000));
	MUST(crl != NULL && this != NULL && next != NULL);
	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(s->issuer->cert));
	X509_CRL_set1_lastUpdate(crl, this);
	if (s->next_ms != 0)
		X509_CRL_set1_nextUpdate(crl, next);
	if (s->revoked != NULL) {
		X509_REVOKED *entry = X509_REVOKED_new();
		ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)(s->revoked_ms / 1000));
		X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(s->revoked->cert));
		X509_REVOKED_set_revocationDate(entry, when);
		MUST(X509_CRL_add0_revoked(crl, entry) == 1);
		ASN1_TIME_free(when);
	}
	if (s->extension_oid != NULL) {
		ASN1_OBJECT *oid = OBJ_txt2obj(s->extension_oid, 1);
		ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
		ASN1_OCTET_STRING_set(value, (const unsigned char *)s->extension_der, (int)s->extension_n);
		X509_EXTENSION *ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, value);
		MUST(ext != NULL && X509_CRL_add_ext(crl, ext, -1) == 1);
		X509_EXTENSION_free(ext);
		ASN1_OCTET_STRING_free(value);
		ASN1_OBJECT_free(oid);
	}
	X509_CRL_sort(crl);
	MUST(X509_CRL_sign(crl, s->issuer->key, EVP_sha256()) > 0);
	unsigned char *der = NULL;
	int n = i2d_X509_CRL(crl, &der);
	buf_add(to, der, (size_t)n);
	if (s->bad_value)
		spoil_last(to);
	OPENSSL_free(der);
	X509_CRL_free(crl);
	ASN1_TIME_free(this);
	ASN1_TIME_free(next);
}

struct keyholder {
	const struct party *signer;
	STACK_OF(X509) * chain;
};

struct keyholder *pki_keyholder(const struct party *signer, STACK_OF(X509) * chain)
{
	static struct keyholder k;
	k = (struct keyholder){signer, chain};
	return &k;
}

X509 *keyholder_certificate(const struct keyholder *k)
{
	return k->signer->cert;
}

STACK_OF(X509) * keyholder_chain(const struct keyholder *k)
{
	return k->chain;
}

enum status keyholder_sign(struct keyholder *k, enum key_algorithm algorithm, enum key_digest digest, const uint8_t *attributes,
                           size_t n, struct buf *ret_signature, struct err *e)
{
	(void)e;
	const EVP_MD *md = digest == KEY_SHA256 ? EVP_sha256() : digest == KEY_SHA384 ? EVP_sha384() : EVP_sha512();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key = NULL;
	uint8_t value[1024];
	size_t length = sizeof value;
	MUST(EVP_DigestSignInit(ctx, &key, md, NULL, k->signer->key) == 1);
	if (algorithm == KEY_RSA_PSS)
		MUST(EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING) == 1 &&
		     EVP_PKEY_CTX_set_rsa_pss_saltlen(key, RSA_PSS_SALTLEN_DIGEST) == 1);
	MUST(EVP_DigestSign(ctx, value, &length, attributes, n) == 1);
	buf_add(ret_signature, value, length);
	EVP_MD_CTX_free(ctx);
	return ST_OK;
}

struct fetch {
	pki_server *server;
	void *arg;
};

struct fetch *pki_fetch(pki_server *server, void *arg)
{
	static struct fetch f;
	f = (struct fetch){server, arg};
	return &f;
}

enum status fetch_do(struct fetch *f, const struct fetch_request *r, struct buf *ret_body, struct err *e)
{
	if (!f->server(f->arg, r, ret_body))
		return err_set(e, ST_RETRY, "net-connect", "%s does not answer", r->url);
	return ST_OK;
}
