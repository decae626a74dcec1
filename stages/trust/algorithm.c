#include "stages/trust/algorithm.h"

#include <openssl/evp.h>
#include <openssl/objects.h>

#include "stages/trust/internal.h"

#define ALWAYS INT64_MAX

static const struct {
	int nid;
	int64_t until_ms;
	const char *why;
} digests[] = {
    {NID_sha256, ALWAYS, ""},
    {NID_sha384, ALWAYS, ""},
    {NID_sha512, ALWAYS, ""},
    {NID_sha512_256, ALWAYS, ""},
    {NID_sha3_256, ALWAYS, ""},
    {NID_sha3_384, ALWAYS, ""},
    {NID_sha3_512, ALWAYS, ""},
    {NID_sha224, INT64_C(1767225600000), "SHA-224 ended with 2025"},            /* 2026-01-01 */
    {NID_sha1, INT64_C(1343779200000), "SHA-1 ended in August 2012"},           /* 2012-08-01 */
    {NID_ripemd160, INT64_C(1406851200000), "RIPEMD-160 ended in August 2014"}, /* 2014-08-01 */
    {NID_md5, INT64_C(1091318400000), "MD5 ended in August 2004"},              /* 2004-08-01 */
};

const char *algorithm_digest_weak(int digest_nid, int64_t at_ms)
{
	for (size_t i = 0; i < sizeof digests / sizeof *digests; i++)
		if (digests[i].nid == digest_nid)
			return at_ms < digests[i].until_ms ? NULL : digests[i].why;
	return "the digest algorithm is not known";
}

const char *algorithm_key_weak(X509 *certificate, unsigned min_rsa_bits)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	trust_drain();
	if (key == NULL)
		return "the key cannot be read";
	int bits = EVP_PKEY_get_bits(key);
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		return bits >= (int)min_rsa_bits ? NULL : "the RSA key is too short";
	case EVP_PKEY_EC:
		return bits >= 224 ? NULL : "the elliptic curve is too small";
	case EVP_PKEY_ED25519:
	case EVP_PKEY_ED448:
		return NULL;
	case EVP_PKEY_DSA:
		return bits >= 2048 ? NULL : "the DSA key is too short";
	default:
		return "the key is of an unknown kind";
	}
}

int algorithm_certificate_digest(X509 *certificate)
{
	int digest = NID_undef;
	if (X509_get_signature_info(certificate, &digest, NULL, NULL, NULL) != 1)
		digest = NID_undef;
	trust_drain();
	/* EdDSA hashes inside. */
	int whole = X509_get_signature_nid(certificate);
	return whole == NID_ED25519 || whole == NID_ED448 ? NID_sha512 : digest;
}
