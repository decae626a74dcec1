#include "stages/trust/embedded.h"

#include "stages/trust/der.h"
#include "stages/trust/internal.h"

#define OID_CERTIFICATE_VALUES "1.2.840.113549.1.9.16.2.23"
#define OID_REVOCATION_VALUES "1.2.840.113549.1.9.16.2.24"
#define VALUES_MAX 256

typedef bool adder(struct trust_store *s, struct bytes der);

/* SEQUENCE OF something. */
static void add_list(struct trust_store *s, struct bytes list, adder *add)
{
	struct bytes whole;
	for (int i = 0; i < VALUES_MAX && der_next(&list, NULL, NULL, &whole); i++)
		add(s, whole);
}

/* Both attributes are SEQUENCE { [0] EXPLICIT SEQUENCE OF CertificateList OPTIONAL, [1] EXPLICIT SEQUENCE OF the OCSP kind OPTIONAL, … } */
static void add_revocation(struct trust_store *s, struct bytes value)
{
	struct bytes fields, field, list;
	uint8_t tag = 0;
	if (!der_next(&value, &tag, &fields, NULL) || tag != DER_SEQUENCE)
		return;
	while (der_next(&fields, &tag, &field, NULL)) {
		uint8_t inner = 0;
		if ((tag != DER_CONTEXT + 0 && tag != DER_CONTEXT + 1) || !der_next(&field, &inner, &list, NULL) ||
		    inner != DER_SEQUENCE)
			continue;
		add_list(s, list, tag == DER_CONTEXT + 0 ? trust_store_add_crl : trust_store_add_ocsp);
	}
}

static void add_certificates(struct trust_store *s, const struct cms *c)
{
	for (int i = 0; i < sk_X509_num(c->certs); i++) {
		unsigned char *der = NULL;
		int n = i2d_X509(sk_X509_value(c->certs, i), &der);
		if (n > 0)
			trust_store_add_certificate(s, (struct bytes){der, (size_t)n});
		OPENSSL_free(der);
	}
}

static void add_crls(struct trust_store *s, const struct cms *c)
{
	STACK_OF(X509_CRL) *crls = CMS_get1_crls(c->info);
	for (int i = 0; i < sk_X509_CRL_num(crls); i++) {
		unsigned char *der = NULL;
		int n = i2d_X509_CRL(sk_X509_CRL_value(crls, i), &der);
		if (n > 0)
			trust_store_add_crl(s, (struct bytes){der, (size_t)n});
		OPENSSL_free(der);
	}
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	trust_drain();
}

/* SignedData.crls of the encoding: OpenSSL hands out the CRLs alone. */
static struct bytes crls_of(struct bytes der)
{
	struct bytes info, explicit, data, one;
	uint8_t tag = 0;
	if (!der_next(&der, NULL, &info, NULL) || !der_next(&info, NULL, NULL, NULL) || !der_next(&info, NULL, &explicit, NULL) ||
	    !der_next(&explicit, NULL, &data, NULL))
		return (struct bytes){0};
	while (der_next(&data, &tag, &one, NULL))
		if (tag == DER_CONTEXT + 1)
			return one;
	return (struct bytes){0};
}

/* RevocationInfoChoice [1] { id-ri-ocsp-response, OCSPResponse }. */
static void add_ocsps(struct trust_store *s, const struct cms *c)
{
	unsigned char *der = NULL;
	int n = i2d_CMS_ContentInfo(c->info, &der);
	struct bytes all = n > 0 ? crls_of((struct bytes){der, (size_t)n}) : (struct bytes){0}, one, response;
	uint8_t tag = 0;
	for (int i = 0; i < VALUES_MAX && der_next(&all, &tag, &one, NULL); i++)
		if (tag == DER_CONTEXT + 1 && der_next(&one, NULL, NULL, NULL) && der_next(&one, NULL, NULL, &response))
			trust_store_add_ocsp(s, response);
	OPENSSL_free(der);
	trust_drain();
}

bool embedded_revocation(const struct cms *c)
{
	unsigned char *der = NULL;
	int n = i2d_CMS_ContentInfo(c->info, &der);
	bool any = n > 0 && crls_of((struct bytes){der, (size_t)n}).n > 0;
	OPENSSL_free(der);
	trust_drain();
	return any;
}

void embedded_add(struct trust_store *s, const struct cms *c)
{
	add_certificates(s, c);
	add_crls(s, c);
	add_ocsps(s, c);
	add_revocation(s, cms_attribute(c, true, OID_ADBE_REVOCATION, 0, NULL));
	add_revocation(s, cms_attribute(c, false, OID_ADBE_REVOCATION, 0, NULL));
	add_revocation(s, cms_attribute(c, false, OID_REVOCATION_VALUES, 0, NULL));
	struct bytes value = cms_attribute(c, false, OID_CERTIFICATE_VALUES, 0, NULL), list;
	uint8_t tag = 0;
	if (der_next(&value, &tag, &list, NULL) && tag == DER_SEQUENCE)
		add_list(s, list, trust_store_add_certificate);
}
