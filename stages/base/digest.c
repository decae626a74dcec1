#include "stages/base/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

struct sha256 *sha256_new(void)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	if (c != NULL && EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(c);
		c = NULL;
	}
	return (struct sha256 *)c;
}

void sha256_add(struct sha256 *h, const void *p, size_t n)
{
	if (h != NULL)
		EVP_DigestUpdate((EVP_MD_CTX *)h, p, n);
}

void sha256_so_far(const struct sha256 *h, uint8_t ret_digest[32])
{
	EVP_MD_CTX *copy = h == NULL ? NULL : EVP_MD_CTX_new();
	if (copy != NULL && EVP_MD_CTX_copy_ex(copy, (const EVP_MD_CTX *)h) != 1) {
		EVP_MD_CTX_free(copy);
		copy = NULL;
	}
	sha256_end((struct sha256 *)copy, ret_digest);
}

void sha256_end(struct sha256 *h, uint8_t ret_digest[32])
{
	memset(ret_digest, 0, 32);
	if (h == NULL)
		return;
	EVP_DigestFinal_ex((EVP_MD_CTX *)h, ret_digest, NULL);
	EVP_MD_CTX_free((EVP_MD_CTX *)h);
}

void sha256_bytes(const void *p, size_t n, uint8_t ret_digest[32])
{
	struct sha256 *h = sha256_new();
	sha256_add(h, p, n);
	sha256_end(h, ret_digest);
}

void sha256_hex(const void *p, size_t n, char ret_hex[65])
{
	uint8_t digest[32];
	sha256_bytes(p, n, digest);
	hex_lower(digest, sizeof digest, ret_hex);
}

static void hex(const uint8_t *p, size_t n, char *to, const char *digits)
{
	for (size_t i = 0; i < n; i++) {
		*to++ = digits[p[i] >> 4];
		*to++ = digits[p[i] & 15];
	}
	*to = '\0';
}

void hex_lower(const uint8_t *p, size_t n, char *to)
{
	hex(p, n, to, "0123456789abcdef");
}

void hex_upper(const uint8_t *p, size_t n, char *to)
{
	hex(p, n, to, "0123456789ABCDEF");
}

void uuid_from_name(const char *name, char ret_uuid[37])
{
	uint8_t d[32];
	char h[33];
	sha256_bytes(name, strlen(name), d);
	d[6] = (uint8_t)((d[6] & 0x0F) | 0x80); /* version 8 */
	d[8] = (uint8_t)((d[8] & 0x3F) | 0x80); /* variant */
	hex_upper(d, 16, h);
	snprintf(ret_uuid, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", h, h + 8, h + 12, h + 16, h + 20);
}
