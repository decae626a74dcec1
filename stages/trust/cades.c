#include "stages/trust/cades.h"

#include <openssl/err.h>
#include <string.h>
#include <time.h>

#include "stages/base/digest.h"
#include "stages/trust/cms.h"
#include "stages/trust/der.h"
#include "stages/trust/internal.h"

#define ATTRIBUTES_MAX (16u << 10)
#define SIGNATURE_MAX 4096u

/* What follows from the digest. */
static const struct digest_row {
	enum key_digest digest;
	int nid, rsa_nid, ecdsa_nid;
	size_t size;
} digests[] = {
    {KEY_SHA256, NID_sha256, NID_sha256WithRSAEncryption, NID_ecdsa_with_SHA256, 32},
    {KEY_SHA384, NID_sha384, NID_sha384WithRSAEncryption, NID_ecdsa_with_SHA384, 48},
    {KEY_SHA512, NID_sha512, NID_sha512WithRSAEncryption, NID_ecdsa_with_SHA512, 64},
    {KEY_SHA3_256, NID_sha3_256, NID_RSA_SHA3_256, NID_ecdsa_with_SHA3_256, 32},
    {KEY_SHA3_384, NID_sha3_384, NID_RSA_SHA3_384, NID_ecdsa_with_SHA3_384, 48},
    {KEY_SHA3_512, NID_sha3_512, NID_RSA_SHA3_512, NID_ecdsa_with_SHA3_512, 64},
};

static const struct digest_row *digest_row(enum key_digest digest)
{
	for (size_t i = 0; i < sizeof digests / sizeof *digests; i++)
		if (digests[i].digest == digest)
			return &digests[i];
	return NULL;
}

/* RFC 5280, 4.1.2.5: UTCTime through 2049. */
static void put_time(struct buf *b, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm t;
	char text[20];
	gmtime_r(&seconds, &t);
	bool general = t.tm_year < 50 || t.tm_year >= 150;
	strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &t);
	const char *from = general ? text : text + 2;
	der_put(b, general ? DER_GENERAL_TIME : DER_UTC_TIME, from, strlen(from));
}

/* An attribute: what is written between begin and end is its value. */
struct attribute {
	size_t sequence, set;
};

static struct attribute attribute_begin(struct buf *b, int nid)
{
	struct attribute a = {.sequence = der_begin(b, DER_SEQUENCE)};
	der_put_nid(b, nid);
	a.set = der_begin(b, DER_SET);
	return a;
}

static void attribute_end(struct buf *b, struct attribute a)
{
	der_end(b, a.set);
	der_end(b, a.sequence);
}

/* SigningCertificateV2 of one ESSCertIDv2: SHA-256 is the default and so left out; no issuerSerial (EN 319 142-1, 6.3: should not
 * be included; the hash already names one certificate). */
static void put_signing_certificate(struct buf *b, X509 *certificate)
{
	uint8_t id[32];
	cert_sha256(certificate, id);
	size_t attribute = der_begin(b, DER_SEQUENCE);
	size_t list = der_begin(b, DER_SEQUENCE);
	size_t one = der_begin(b, DER_SEQUENCE);
	der_put(b, DER_OCTETS, id, sizeof id);
	der_end(b, one);
	der_end(b, list);
	der_end(b, attribute);
}

/* The DER SET OF signed attributes (tag 0x31), which is what gets signed. */
static void put_signed_attributes(const struct cades_request *r, struct buf *to)
{
	BUF_AUTO struct buf b = BUF_INIT(ATTRIBUTES_MAX);
	size_t end[4];
	size_t n = 0;
	struct attribute a = attribute_begin(&b, NID_pkcs9_contentType);
	der_put_nid(&b, NID_pkcs7_data);
	attribute_end(&b, a);
	end[n++] = b.len;
	a = attribute_begin(&b, NID_pkcs9_messageDigest);
	der_put(&b, DER_OCTETS, r->content_digest.p, r->content_digest.n);
	attribute_end(&b, a);
	end[n++] = b.len;
	a = attribute_begin(&b, NID_id_smime_aa_signingCertificateV2);
	put_signing_certificate(&b, keyholder_certificate(r->key));
	attribute_end(&b, a);
	end[n++] = b.len;
	if (!r->pades) {
		a = attribute_begin(&b, NID_pkcs9_signingTime);
		put_time(&b, r->signing_time_ms);
		attribute_end(&b, a);
		end[n++] = b.len;
	}
	if (b.failed) {
		to->failed = true;
		return;
	}
	struct bytes elements[4];
	for (size_t i = 0, from = 0; i < n; from = end[i++])
		elements[i] = (struct bytes){b.data + from, end[i] - from};
	der_put_set(to, DER_SET, elements, n);
}

static void put_signature_algorithm(struct buf *b, enum key_algorithm algorithm, const struct digest_row *d)
{
	/* RFC 4055, 5, and RFC 9688, 3: NULL parameters with RSA; RFC 5758, 3.2, and RFC 8419, 2: none with ECDSA and EdDSA. */
	static const bool null_with[] = {[KEY_RSA_PKCS1] = true, [KEY_ECDSA] = false, [KEY_EDDSA] = false};
	/* RFC 9688, 2: none with SHA-3. */
	bool null_hash = d->digest <= KEY_SHA512;
	if (algorithm != KEY_RSA_PSS) {
		der_put_algorithm(b,
		                  algorithm == KEY_EDDSA   ? NID_ED25519
		                  : algorithm == KEY_ECDSA ? d->ecdsa_nid
		                                           : d->rsa_nid,
		                  null_with[algorithm]);
		return;
	}
	size_t s = der_begin(b, DER_SEQUENCE);
	der_put_nid(b, NID_rsassaPss);
	size_t params = der_begin(b, DER_SEQUENCE);
	size_t hash = der_begin(b, DER_CONTEXT + 0);
	der_put_algorithm(b, d->nid, null_hash);
	der_end(b, hash);
	size_t mask = der_begin(b, DER_CONTEXT + 1);
	size_t mgf = der_begin(b, DER_SEQUENCE);
	der_put_nid(b, NID_mgf1);
	der_put_algorithm(b, d->nid, null_hash);
	der_end(b, mgf);
	der_end(b, mask);
	size_t salt = der_begin(b, DER_CONTEXT + 2);
	der_put_number(b, (uint32_t)d->size);
	der_end(b, salt);
	der_end(b, params);
	der_end(b, s);
}

/* The signer's certificate and the chain, each once. */
static bool put_certificates(struct buf *b, X509 *signer, STACK_OF(X509) * chain)
{
	struct bytes ders[TRUST_PATH_MAX + 1];
	size_t n = 0;
	bool ok = true;
	for (int i = -1; ok && i < sk_X509_num(chain) && n < TRUST_PATH_MAX + 1; i++) {
		X509 *x = i < 0 ? signer : sk_X509_value(chain, i);
		if (i >= 0 && X509_cmp(x, signer) == 0)
			continue;
		unsigned char *der = NULL;
		int length = i2d_X509(x, &der);
		ok = length > 0;
		if (ok)
			ders[n++] = (struct bytes){der, (size_t)length};
	}
	if (ok)
		der_put_set(b, DER_CONTEXT + 0, ders, n);
	for (size_t i = 0; i < n; i++)
		OPENSSL_free((void *)(uintptr_t)ders[i].p);
	trust_drain();
	return ok;
}

static bool put_issuer_serial(struct buf *b, X509 *certificate)
{
	unsigned char *name = NULL, *serial = NULL;
	int n_name = i2d_X509_NAME(X509_get_issuer_name(certificate), &name);
	int n_serial = i2d_ASN1_INTEGER(X509_get0_serialNumber(certificate), &serial);
	bool ok = n_name > 0 && n_serial > 0;
	if (ok) {
		size_t s = der_begin(b, DER_SEQUENCE);
		buf_add(b, name, (size_t)n_name);
		buf_add(b, serial, (size_t)n_serial);
		der_end(b, s);
	}
	OPENSSL_free(name);
	OPENSSL_free(serial);
	trust_drain();
	return ok;
}

/* SignerInfo (RFC 5652, 5.3); `attributes` is the SET OF, which becomes [0] IMPLICIT. */
static bool put_signer(struct buf *b, const struct cades_request *r, const struct digest_row *d, const struct buf *attributes,
                       const struct buf *signature)
{
	size_t set = der_begin(b, DER_SET);
	size_t s = der_begin(b, DER_SEQUENCE);
	der_put_number(b, 1);
	bool ok = put_issuer_serial(b, keyholder_certificate(r->key));
	der_put_algorithm(b, d->nid, false);
	buf_byte(b, DER_CONTEXT + 0);
	buf_add(b, attributes->data + 1, attributes->len - 1);
	put_signature_algorithm(b, r->algorithm, d);
	der_put(b, DER_OCTETS, signature->data, signature->len);
	der_end(b, s);
	der_end(b, set);
	return ok;
}

enum status cades_sign(const struct cades_request *r, struct buf *ret_cms, struct err *e)
{
	const struct digest_row *d = digest_row(r->digest);
	if (d == NULL || r->content_digest.n != d->size)
		return err_set(e, ST_BUG, "cades-digest", "%zu bytes of content digest", r->content_digest.n);
	BUF_AUTO struct buf attributes = BUF_INIT(ATTRIBUTES_MAX);
	BUF_AUTO struct buf signature = BUF_INIT(SIGNATURE_MAX);
	put_signed_attributes(r, &attributes);
	if (attributes.failed)
		return err_set(e, ST_RETRY, "memory", "signed attributes");
	enum status st = keyholder_sign(r->key, r->algorithm, r->digest, attributes.data, attributes.len, &signature, e);
	if (st != ST_OK)
		return st;

	size_t before = ret_cms->len;
	size_t info = der_begin(ret_cms, DER_SEQUENCE);
	der_put_nid(ret_cms, NID_pkcs7_signed);
	size_t explicit = der_begin(ret_cms, DER_CONTEXT + 0);
	size_t data = der_begin(ret_cms, DER_SEQUENCE);
	der_put_number(ret_cms, 1);
	size_t algorithms = der_begin(ret_cms, DER_SET);
	der_put_algorithm(ret_cms, d->nid, false);
	der_end(ret_cms, algorithms);
	size_t content = der_begin(ret_cms, DER_SEQUENCE);
	der_put_nid(ret_cms, NID_pkcs7_data);
	der_end(ret_cms, content);
	bool ok = put_certificates(ret_cms, keyholder_certificate(r->key), keyholder_chain(r->key));
	ok = put_signer(ret_cms, r, d, &attributes, &signature) && ok;
	der_end(ret_cms, data);
	der_end(ret_cms, explicit);
	der_end(ret_cms, info);
	if (!ok || ret_cms->failed) {
		ret_cms->len = before;
		return err_set(e, ST_RETRY, "memory", "SignedData");
	}
	return ST_OK;
}

enum status cades_signature_digest(struct bytes cms, uint8_t ret_digest[32], struct err *e)
{
	struct cms c;
	enum status st = cms_open(cms, false, &c, e);
	if (st != ST_OK)
		return st;
	const ASN1_OCTET_STRING *value = CMS_SignerInfo_get0_signature(c.signer);
	sha256_bytes(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value), ret_digest);
	cms_close(&c);
	return ST_OK;
}

enum status cades_add_timestamp(struct bytes cms, struct bytes token, struct buf *ret_cms, struct err *e)
{
	struct cms c;
	enum status st = cms_open(cms, false, &c, e);
	if (st != ST_OK)
		return st;
	unsigned char *der = NULL;
	int n = -1;
	if (token.n <= TRUST_TOKEN_MAX &&
	    CMS_unsigned_add1_attr_by_NID(c.signer, NID_id_smime_aa_timeStampToken, V_ASN1_SEQUENCE, token.p, (int)token.n) == 1)
		n = i2d_CMS_ContentInfo(c.info, &der);
	if (n > 0)
		buf_add(ret_cms, der, (size_t)n);
	if (n <= 0 || ret_cms->failed)
		st = err_set(e, ST_RETRY, "memory", "unsigned attribute");
	OPENSSL_free(der);
	cms_close(&c);
	trust_drain();
	return st;
}

/* Tokens hold tokens only by intent to exhaust us: two levels are what CAdES has. */
static enum status certificates_of(struct bytes der, int depth, STACK_OF(X509) * to, struct err *e)
{
	struct cms c;
	enum status st = cms_open(der, false, &c, e);
	if (st != ST_OK)
		return st;
	for (int i = 0; i < sk_X509_num(c.certs) && st == ST_OK; i++) {
		X509 *x = sk_X509_value(c.certs, i);
		if (sk_X509_push(to, x) == 0)
			st = err_set(e, ST_RETRY, "memory", "certificates");
		else
			X509_up_ref(x);
	}
	int count = 0;
	cms_attribute(&c, false, OID_SIGNATURE_TIMESTAMP, -1, &count);
	for (int i = 0; i < count && i < 32 && depth > 0 && st == ST_OK; i++) {
		/* A token that cannot be read holds no certificates; whether it is right is the verdict's matter. */
		struct err ignored = {0};
		enum status inner =
		    certificates_of(cms_attribute(&c, false, OID_SIGNATURE_TIMESTAMP, i, NULL), depth - 1, to, &ignored);
		if (inner != ST_OK && inner != ST_ITEM)
			st = err_set(e, inner, ignored.code, "%s", ignored.detail);
	}
	cms_close(&c);
	return st;
}

enum status cades_certificates(struct bytes cms, STACK_OF(X509) * to, struct err *e)
{
	return certificates_of(cms, 1, to, e);
}
