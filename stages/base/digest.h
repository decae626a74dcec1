/* SHA-256 (FIPS 180-4) by OpenSSL, hexadecimal, and identifiers that follow from content. */
#ifndef ARKSEAL_BASE_DIGEST_H
#define ARKSEAL_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

struct sha256;

struct sha256 *sha256_new(void); /* NULL when memory runs out; the other calls then do nothing */
void sha256_add(struct sha256 *h, const void *p, size_t n);
/* The digest of what was added so far; more may follow. */
void sha256_so_far(const struct sha256 *h, uint8_t ret_digest[32]);
/* Writes the digest and frees h. */
void sha256_end(struct sha256 *h, uint8_t ret_digest[32]);

/* A file as it was written. */
struct written {
	uint8_t sha256[32];
	uint64_t size; /* bytes */
};

void sha256_bytes(const void *p, size_t n, uint8_t ret_digest[32]);
void sha256_hex(const void *p, size_t n, char ret_hex[65]);

/* 2 n digits and a zero. */
void hex_lower(const uint8_t *p, size_t n, char *to);
void hex_upper(const uint8_t *p, size_t n, char *to);

/* A UUID of version 8 (RFC 9562) from a name: the same name gives the same UUID. Upper-case letters, 36 characters and a zero. */
void uuid_from_name(const char *name, char ret_uuid[37]);

#endif
