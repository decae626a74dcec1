/* Small readings of certificates: names, times, extensions. */
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "stages/base/digest.h"
#include "stages/trust/internal.h"

bool asn1_ms(const ASN1_TIME *t, int64_t *ret_ms)
{
	struct tm parts;
	if (t == NULL || ASN1_TIME_to_tm(t, &parts) != 1) {
		trust_drain();
		return false;
	}
	int64_t ms = (int64_t)timegm(&parts) * 1000;
	const unsigned char *p = ASN1_STRING_get0_data(t);
	int n = ASN1_STRING_length(t);
	const unsigned char *dot = memchr(p, '.', (size_t)n);
	int scale = 100;
	for (const unsigned char *d = dot == NULL ? p + n : dot + 1; d < p + n && *d >= '0' && *d <= '9' && scale > 0; d++) {
		ms += (*d - '0') * scale;
		scale /= 10;
	}
	*ret_ms = ms;
	return true;
}

bool cert_validity(X509 *certificate, int64_t *ret_from_ms, int64_t *ret_to_ms)
{
	return asn1_ms(X509_get0_notBefore(certificate), ret_from_ms) && asn1_ms(X509_get0_notAfter(certificate), ret_to_ms);
}

void cert_sha256(X509 *certificate, uint8_t ret_id[32])
{
	unsigned int n = 0;
	memset(ret_id, 0, 32);
	X509_digest(certificate, EVP_sha256(), ret_id, &n);
}

void name_text(const X509_NAME *name, char *to, size_t size)
{
	to[0] = 0;
	BIO *bio = BIO_new(BIO_s_mem());
	if (bio == NULL)
		return;
	/* UTF-8 as it is: no escapes of bytes above 127. */
	if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0) {
		char *text = NULL;
		long n = BIO_get_mem_data(bio, &text);
		size_t take = n < 0 ? 0 : (size_t)n < size - 1 ? (size_t)n : size - 1;
		/* Cut at a character. */
		while (take > 0 && take < (size_t)n && ((unsigned char)text[take] & 0xc0) == 0x80)
			take--;
		if (take > 0)
			memcpy(to, text, take);
		to[take] = 0;
	}
	BIO_free(bio);
	trust_drain();
}

void serial_text(const ASN1_INTEGER *serial, char *to, size_t size)
{
	to[0] = 0;
	BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
	char *hex = number == NULL ? NULL : BN_bn2hex(number);
	if (hex != NULL)
		snprintf(to, size, "%s", hex);
	OPENSSL_free(hex);
	BN_free(number);
	trust_drain();
}

bool cert_has_extension(X509 *certificate, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	bool has = object != NULL && X509_get_ext_by_OBJ(certificate, object, -1) >= 0;
	ASN1_OBJECT_free(object);
	trust_drain();
	return has;
}
