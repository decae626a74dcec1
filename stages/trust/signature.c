/* The signature value of a SignerInfo against a key (RFC 5652, 5.4). */
#include <openssl/rsa.h>

#include "stages/trust/cms.h"
#include "stages/trust/der.h"
#include "stages/trust/internal.h"

#define ATTRIBUTES_MAX (16u << 20)
#define ATTRIBUTE_COUNT_MAX 64

static struct bytes signature_value(const struct cms *c)
{
	const ASN1_OCTET_STRING *value = CMS_SignerInfo_get0_signature(c->signer);
	return (struct bytes){ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)};
}

/* The hash that RSASSA-PSS-params name; SHA-1 is their default (RFC 4055, 3.1). NID_undef: malformed. */
static int pss_digest(const X509_ALGOR *algorithm)
{
	int type = 0, nid = NID_undef;
	const void *value = NULL;
	X509_ALGOR_get0(NULL, &type, &value, algorithm);
	if (type != V_ASN1_SEQUENCE)
		return NID_undef;
	RSA_PSS_PARAMS *params = ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
	if (params != NULL && params->hashAlgorithm == NULL)
		nid = NID_sha1;
	else if (params != NULL)
		nid = OBJ_obj2nid(params->hashAlgorithm->algorithm);
	RSA_PSS_PARAMS_free(params);
	return nid;
}

/* The digest and the kind of key that a signature algorithm names; false: it names no digest. OpenSSL 3.0 does not know those of ECDSA with SHA-3. */
static bool parts_of(int signature_nid, int *ret_digest, int *ret_kind)
{
	static const int sha3[][2] = {{NID_ecdsa_with_SHA3_256, NID_sha3_256},
	                              {NID_ecdsa_with_SHA3_384, NID_sha3_384},
	                              {NID_ecdsa_with_SHA3_512, NID_sha3_512}};
	if (OBJ_find_sigid_algs(signature_nid, ret_digest, ret_kind) == 1)
		return true;
	for (size_t i = 0; i < sizeof sha3 / sizeof sha3[0]; i++) {
		if (sha3[i][0] == signature_nid) {
			*ret_digest = sha3[i][1];
			*ret_kind = EVP_PKEY_EC;
			return true;
		}
	}
	return false;
}

/* The signature algorithm hashes by digestAlgorithm and by nothing else: otherwise the strength of one of them would be judged and
 * the other used (RFC 8933, 3). */
static bool digests_agree(const struct cms *c, const X509_ALGOR *algorithm)
{
	int digest = NID_undef, key = NID_undef;
	if (c->signature_nid == NID_rsassaPss)
		return pss_digest(algorithm) == c->digest_nid;
	if (c->signature_nid == NID_ED25519 || c->signature_nid == NID_ED448)
		return true;
	return !parts_of(c->signature_nid, &digest, &key) || digest == c->digest_nid;
}

/* The SET OF signed attributes in DER, sorted, however they stand in the file: that is what is signed (RFC 5652, 5.4). */
static bool put_attributes(const struct cms *c, struct buf *to)
{
	struct bytes elements[ATTRIBUTE_COUNT_MAX];
	size_t n = 0;
	int count = CMS_signed_get_attr_count(c->signer);
	bool ok = count > 0 && count <= ATTRIBUTE_COUNT_MAX;
	for (int i = 0; ok && i < count; i++) {
		unsigned char *der = NULL;
		int length = i2d_X509_ATTRIBUTE(CMS_signed_get_attr(c->signer, i), &der);
		ok = length > 0;
		if (ok)
			elements[n++] = (struct bytes){der, (size_t)length};
	}
	if (ok)
		der_put_set(to, DER_SET, elements, n);
	for (size_t i = 0; i < n; i++)
		OPENSSL_free((void *)(uintptr_t)elements[i].p);
	return ok && !to->failed;
}

/* By the whole signature algorithm with its parameters, as of a certificate. */
static bool verify_item(const struct cms *c, const X509_ALGOR *algorithm, EVP_PKEY *key, struct bytes signed_bytes)
{
	struct bytes value = signature_value(c);
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
	const unsigned char *at = signed_bytes.p;
	ASN1_TYPE *whole = d2i_ASN1_TYPE(NULL, &at, (long)signed_bytes.n);
	bool ok = bits != NULL && whole != NULL &&
	          ASN1_BIT_STRING_set(bits, (unsigned char *)(uintptr_t)value.p, (int)value.n) == 1;
	if (ok) {
		bits->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
		bits->flags |= ASN1_STRING_FLAG_BITS_LEFT;
		ok = ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), algorithm, bits, whole, key) == 1;
	}
	ASN1_TYPE_free(whole);
	ASN1_BIT_STRING_free(bits);
	return ok;
}

/* The hash is digestAlgorithm: the signature algorithm names it too, or the kind of key only (rsaEncryption). */
static bool verify_plain(const struct cms *c, EVP_PKEY *key, int kind, struct bytes signed_bytes)
{
	struct bytes value = signature_value(c);
	const EVP_MD *md = EVP_get_digestbynid(c->digest_nid);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = EVP_PKEY_get_base_id(key) == kind && ctx != NULL && md != NULL &&
	          EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
	          EVP_DigestVerify(ctx, value.p, value.n, signed_bytes.p, signed_bytes.n) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

/* Without signed attributes the signature is over the content itself, of which we have the digest. */
static bool verify_digest(const struct cms *c, EVP_PKEY *key, struct bytes digest)
{
	const EVP_MD *md = EVP_get_digestbynid(c->digest_nid);
	struct bytes value = signature_value(c);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	bool pss = c->signature_nid == NID_rsassaPss;
	bool ok = ctx != NULL && md != NULL && digest.n == (size_t)EVP_MD_get_size(md) && EVP_PKEY_verify_init(ctx) == 1 &&
	          (!pss || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1) &&
	          EVP_PKEY_CTX_set_signature_md(ctx, md) == 1 && EVP_PKEY_verify(ctx, value.p, value.n, digest.p, digest.n) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

bool cms_signature_right(const struct cms *c, X509 *certificate, struct bytes content_digest)
{
	X509_ALGOR *algorithm = NULL;
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	CMS_SignerInfo_get0_algs(c->signer, NULL, NULL, NULL, &algorithm);
	int digest = NID_undef, kind = c->signature_nid;
	parts_of(c->signature_nid, &digest, &kind);
	bool whole = OBJ_find_sigid_algs(c->signature_nid, NULL, NULL) == 1;
	bool ok = false;
	BUF_AUTO struct buf attributes = BUF_INIT(ATTRIBUTES_MAX);
	if (key == NULL || !digests_agree(c, algorithm))
		ok = false;
	else if (!cms_has_signed_attributes(c))
		ok = verify_digest(c, key, content_digest);
	else if (put_attributes(c, &attributes) && whole)
		ok = verify_item(c, algorithm, key, (struct bytes){attributes.data, attributes.len});
	else if (!attributes.failed && attributes.len > 0)
		ok = verify_plain(c, key, kind, (struct bytes){attributes.data, attributes.len});
	trust_drain();
	return ok;
}
