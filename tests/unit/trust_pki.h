/*
 * A PKI in memory for the tests of stages/trust: certificates, timestamp tokens, OCSP answers and CRLs by OpenSSL, and stand-ins for
 * the key holder and the network process.
 */
#ifndef ARKSEAL_TESTS_TRUST_PKI_H
#define ARKSEAL_TESTS_TRUST_PKI_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "stages/base/buf.h"
#include "stages/trust/fetch.h"
#include "stages/trust/keyholder.h"

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
#define YEAR (365 * DAY)
#define NOW INT64_C(1790000000000) /* the tests' moment */
int64_t pki_now(void);             /* NOW + pki_clock_ms */
extern int64_t pki_clock_ms;

struct party {
	X509 *cert;
	EVP_PKEY *key;
};

struct party_spec {
	const char *name;           /* CN */
	const struct party *issuer; /* NULL: self-signed */
	bool ca;
	int rsa_bits;                        /* 0: P-256 */
	int64_t from_ms, to_ms;              /* 0: NOW − 1 year, NOW + 1 year */
	const char *usage;                   /* keyUsage in OpenSSL's words, or NULL */
	const char *extended;                /* extendedKeyUsage */
	const char *ocsp, *crl, *ca_issuers; /* addresses */
	int path_length;                     /* of a CA: limit + 1; 0: none */
	bool no_check;                       /* id-pkix-ocsp-nocheck */
	bool version1;                       /* no extensions at all */
	const EVP_PKEY *key;                 /* to be used again, or NULL */
};
struct party party_make(struct party_spec spec);
void party_free(struct party *p);
struct bytes party_der(const struct party *p); /* kept by the certificate; do not free */

/* A token over a digest; flags choose what is wrong with it. */
enum {
	TOKEN_NO_SIGNING_CERTIFICATE = 1,
	TOKEN_NO_CERTIFICATES = 2,
	TOKEN_WRONG_TYPE = 4,  /* id-data instead of TSTInfo */
	TOKEN_BAD_VALUE = 8,   /* the signature's last byte is another */
	TOKEN_BAD_VERSION = 16 /* TSTInfo version 2 */
};
void token_make(const struct party *tsa, const struct party *ca, const uint8_t *digest, size_t n, struct bytes nonce,
                int64_t gen_ms, unsigned flags, struct buf *to);

enum { OCSP_BAD_VALUE = 1, OCSP_OTHER_NONCE = 2, OCSP_NO_NONCE = 4, OCSP_NO_CERTIFICATE = 8, OCSP_TRY_LATER = 16 };
struct ocsp_spec {
	const struct party *responder, *certificate, *issuer;
	int status;                                    /* V_OCSP_CERTSTATUS_… */
	int64_t revoked_ms, this_ms, next_ms, made_ms; /* next 0: none; made 0: this */
	struct bytes request;                          /* for the nonce; may be empty */
	unsigned flags;
};
void ocsp_make(const struct ocsp_spec *spec, struct buf *to);

struct crl_spec {
	const struct party *issuer;
	const struct party *revoked; /* or NULL */
	int64_t revoked_ms, this_ms, next_ms;
	const char *extension_oid; /* an issuing distribution point or delta indicator with this DER, or NULL */
	const char *extension_der;
	size_t extension_n;
	bool bad_value;
};
void crl_make(const struct crl_spec *spec, struct buf *to);

/* The stand-in of the key holder: signs with a party's key. */
struct keyholder *pki_keyholder(const struct party *signer, STACK_OF(X509) * chain);

/* The stand-in of the network: every request comes here. Returns false where the address does not answer. */
typedef bool pki_server(void *arg, const struct fetch_request *r, struct buf *answer);
struct fetch *pki_fetch(pki_server *server, void *arg);

#endif
