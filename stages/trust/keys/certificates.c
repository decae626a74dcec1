#include "stages/trust/keys/certificates.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "stages/base/file.h"

#define FILE_MAX (1u << 20)
#define CHAIN_MAX 10

static enum status file_certificates(const char *path, STACK_OF(X509) * to, struct err *e)
{
	BUF_AUTO struct buf b = BUF_INIT(FILE_MAX);
	if (file_read(path, &b, e) != ST_OK) {
		err_set(e, ST_RUN, "key-certificate", "the certificate's file cannot be read");
		return err_where(e, "%s", path);
	}
	int before = sk_X509_num(to);
	const unsigned char *p = b.data;
	X509 *c = b.len == 0 ? NULL : d2i_X509(NULL, &p, (long)b.len);
	if (c != NULL) {
		sk_X509_push(to, c);
	} else {
		BIO *in = BIO_new_mem_buf(b.data, (int)b.len);
		while (in != NULL && (c = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL)
			sk_X509_push(to, c);
		BIO_free(in);
	}
	ERR_clear_error();
	if (sk_X509_num(to) == before) {
		err_set(e, ST_RUN, "key-certificate", "no certificate in PEM or DER in this file");
		return err_where(e, "%s", path);
	}
	return ST_OK;
}

enum status certificates_read(const char *const *paths, size_t n, STACK_OF(X509) * to, struct err *e)
{
	enum status st = ST_OK;
	for (size_t i = 0; st == ST_OK && i < n; i++)
		st = file_certificates(paths[i], to, e);
	return st;
}

/* By its encoding: EVP_PKEY_eq does not compare a key on a token with one in memory. */
static bool same_key(EVP_PKEY *a, EVP_PKEY *b)
{
	unsigned char *x = NULL, *y = NULL;
	int n = i2d_PUBKEY(a, &x), m = i2d_PUBKEY(b, &y);
	bool same = n > 0 && n == m && memcmp(x, y, (size_t)n) == 0;
	OPENSSL_free(x);
	OPENSSL_free(y);
	ERR_clear_error();
	return same;
}

X509 *certificates_find(STACK_OF(X509) * among, EVP_PKEY *key)
{
	X509 *best = NULL;
	for (int i = 0; i < sk_X509_num(among); i++) {
		X509 *c = sk_X509_value(among, i);
		EVP_PKEY *public = X509_get0_pubkey(c);
		if (public != NULL && same_key(public, key) &&
		    (best == NULL || ASN1_TIME_compare(X509_get0_notAfter(c), X509_get0_notAfter(best)) > 0))
			best = c;
	}
	return best;
}

STACK_OF(X509) * certificates_chain(STACK_OF(X509) * among, X509 *leaf)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509 *at = leaf;
	while (chain != NULL && at != NULL && sk_X509_num(chain) < CHAIN_MAX && X509_check_issued(at, at) != X509_V_OK) {
		X509 *above = NULL;
		for (int i = 0; above == NULL && i < sk_X509_num(among); i++) {
			X509 *c = sk_X509_value(among, i);
			if (X509_check_issued(c, at) == X509_V_OK && X509_verify(at, X509_get0_pubkey(c)) == 1)
				above = c;
		}
		if (above != NULL && X509_up_ref(above) == 1 && sk_X509_push(chain, above) == 0) {
			X509_free(above);
			above = NULL;
		}
		at = above;
	}
	ERR_clear_error();
	return chain;
}
