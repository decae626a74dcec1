#include "stages/trust/cms.h"

#include <openssl/ess.h>
#include <string.h>

#include "stages/trust/der.h"
#include "stages/trust/internal.h"

static enum status syntax(bool token, struct err *e, const char *what)
{
	trust_drain();
	return err_set(e, ST_ITEM, token ? "token-syntax" : "cms-syntax", "%s", what);
}

static int algorithm_nid(const X509_ALGOR *a)
{
	const ASN1_OBJECT *oid = NULL;
	X509_ALGOR_get0(&oid, NULL, NULL, a);
	return OBJ_obj2nid(oid);
}

static const char *open_content(struct cms *c, bool token)
{
	ASN1_OCTET_STRING **content = CMS_get0_content(c->info);
	if (content != NULL && *content != NULL)
		c->content = (struct bytes){ASN1_STRING_get0_data(*content), (size_t)ASN1_STRING_length(*content)};
	if (!token)
		return NULL;
	if (OBJ_obj2nid(CMS_get0_eContentType(c->info)) != NID_id_smime_ct_TSTInfo)
		return "the content is not TSTInfo";
	const unsigned char *at = c->content.p;
	c->tst = at == NULL ? NULL : d2i_TS_TST_INFO(NULL, &at, (long)c->content.n);
	if (c->tst == NULL || at != c->content.p + c->content.n)
		return "TSTInfo is malformed";
	return NULL;
}

enum status cms_open(struct bytes der, bool token, struct cms *ret_cms, struct err *e)
{
	struct cms c = {0};
	if (der.n == 0 || der.n > TRUST_CMS_MAX)
		return syntax(token, e, der.n == 0 ? "empty" : "too large");
	const unsigned char *at = der.p;
	c.info = d2i_CMS_ContentInfo(NULL, &at, (long)der.n);
	const char *fault = NULL;
	STACK_OF(CMS_SignerInfo) *signers = NULL;
	if (c.info == NULL)
		fault = "not a ContentInfo";
	else if (OBJ_obj2nid(CMS_get0_type(c.info)) != NID_pkcs7_signed)
		fault = "not a SignedData";
	else if ((signers = CMS_get0_SignerInfos(c.info)) == NULL || sk_CMS_SignerInfo_num(signers) != 1)
		fault = "there must be exactly one signer";
	else
		fault = open_content(&c, token);
	if (fault != NULL) {
		cms_close(&c);
		return syntax(token, e, fault);
	}
	c.signer = sk_CMS_SignerInfo_value(signers, 0);
	c.certs = CMS_get1_certs(c.info);
	if (c.certs == NULL)
		c.certs = sk_X509_new_null();
	X509_ALGOR *digest = NULL, *signature = NULL;
	CMS_SignerInfo_get0_algs(c.signer, NULL, NULL, &digest, &signature);
	c.digest_nid = algorithm_nid(digest);
	c.signature_nid = algorithm_nid(signature);
	trust_drain();
	*ret_cms = c;
	return ST_OK;
}

void cms_close(struct cms *c)
{
	TS_TST_INFO_free(c->tst);
	sk_X509_pop_free(c->certs, X509_free);
	CMS_ContentInfo_free(c->info);
	*c = (struct cms){0};
}

bool cms_has_signed_attributes(const struct cms *c)
{
	return CMS_signed_get_attr_count(c->signer) >= 0;
}

struct bytes cms_attribute(const struct cms *c, bool is_signed, const char *oid, int index, int *ret_count)
{
	struct bytes found = {NULL, 0};
	int seen = 0;
	ASN1_OBJECT *wanted = OBJ_txt2obj(oid, 1);
	int n = is_signed ? CMS_signed_get_attr_count(c->signer) : CMS_unsigned_get_attr_count(c->signer);
	for (int i = 0; wanted != NULL && i < n; i++) {
		X509_ATTRIBUTE *a = is_signed ? CMS_signed_get_attr(c->signer, i) : CMS_unsigned_get_attr(c->signer, i);
		if (OBJ_cmp(X509_ATTRIBUTE_get0_object(a), wanted) != 0)
			continue;
		for (int k = 0; k < X509_ATTRIBUTE_count(a); k++) {
			const ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(a, k);
			/* The attributes asked for are strings, times and sequences: all of them are kept as an ASN1_STRING. A sequence is
			 * kept with its header, the others without. */
			if (seen++ == index && value != NULL && value->type != V_ASN1_BOOLEAN && value->type != V_ASN1_NULL &&
			    value->type != V_ASN1_OBJECT)
				found = (struct bytes){ASN1_STRING_get0_data(value->value.asn1_string),
				                       (size_t)ASN1_STRING_length(value->value.asn1_string)};
		}
	}
	ASN1_OBJECT_free(wanted);
	trust_drain();
	if (ret_count != NULL)
		*ret_count = seen;
	return found;
}

bool cms_content_type_right(const struct cms *c)
{
	X509_ATTRIBUTE *a = NULL;
	int at = CMS_signed_get_attr_by_NID(c->signer, NID_pkcs9_contentType, -1);
	if (at >= 0 && CMS_signed_get_attr_by_NID(c->signer, NID_pkcs9_contentType, at) < 0)
		a = CMS_signed_get_attr(c->signer, at);
	const ASN1_OBJECT *type = a == NULL || X509_ATTRIBUTE_count(a) != 1 ? NULL
	                                                                    : X509_ATTRIBUTE_get0_data(a, 0, V_ASN1_OBJECT, NULL);
	bool right = type != NULL && OBJ_cmp(type, CMS_get0_eContentType(c->info)) == 0;
	trust_drain();
	return right;
}

/* The first ESSCertID(v2) of the attribute's value:
 *   SigningCertificate   ::= SEQUENCE { certs SEQUENCE OF ESSCertID, … }   ESSCertID   ::= SEQUENCE { certHash OCTET STRING, … }
 *   SigningCertificateV2 ::= SEQUENCE { certs SEQUENCE OF ESSCertIDv2, … } ESSCertIDv2 ::= SEQUENCE { hashAlgorithm DEFAULT
 *                                                                              SHA-256, certHash OCTET STRING, … } */
static enum cms_named names(struct bytes value, bool v2, X509 *certificate)
{
	struct bytes attribute, list, id, hash;
	uint8_t tag = 0;
	int nid = v2 ? NID_sha256 : NID_sha1;
	if (!der_next(&value, &tag, &attribute, NULL) || tag != DER_SEQUENCE || !der_next(&attribute, &tag, &list, NULL) ||
	    tag != DER_SEQUENCE || !der_next(&list, &tag, &id, NULL) || tag != DER_SEQUENCE)
		return CMS_NAMED_MALFORMED;
	struct bytes whole;
	if (!der_next(&id, &tag, &hash, &whole))
		return CMS_NAMED_MALFORMED;
	if (v2 && tag == DER_SEQUENCE) {
		const unsigned char *at = whole.p;
		X509_ALGOR *algorithm = d2i_X509_ALGOR(NULL, &at, (long)whole.n);
		nid = algorithm == NULL ? NID_undef : algorithm_nid(algorithm);
		X509_ALGOR_free(algorithm);
		trust_drain();
		if (!der_next(&id, &tag, &hash, NULL))
			return CMS_NAMED_MALFORMED;
	}
	const EVP_MD *md = EVP_get_digestbynid(nid);
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	if (tag != DER_OCTETS || md == NULL || X509_digest(certificate, md, digest, &n) != 1) {
		trust_drain();
		return CMS_NAMED_MALFORMED;
	}
	return bytes_equal(hash, (struct bytes){digest, n}) ? CMS_NAMED_MATCHES : CMS_NAMED_DIFFERS;
}

enum cms_named cms_names_signer(const struct cms *c, X509 *certificate)
{
	enum cms_named result = CMS_NAMED_NONE;
	for (int v2 = 0; v2 <= 1; v2++) {
		int count = 0;
		struct bytes value =
		    cms_attribute(c, true, v2 == 1 ? OID_SIGNING_CERTIFICATE_V2 : OID_SIGNING_CERTIFICATE, 0, &count);
		if (count == 0)
			continue;
		enum cms_named one = count > 1 ? CMS_NAMED_MALFORMED : names(value, v2 == 1, certificate);
		if (one > result)
			result = one;
	}
	return result;
}

bool cms_has_signing_certificate(const struct cms *c)
{
	int v1 = 0, v2 = 0;
	cms_attribute(c, true, OID_SIGNING_CERTIFICATE, 0, &v1);
	cms_attribute(c, true, OID_SIGNING_CERTIFICATE_V2, 0, &v2);
	return v1 + v2 > 0;
}

bool cms_is_signer(const struct cms *c, X509 *certificate)
{
	bool is = CMS_SignerInfo_cert_cmp(c->signer, certificate) == 0;
	trust_drain();
	return is;
}

X509 *cms_find_signer(const struct cms *c, STACK_OF(X509) * among)
{
	X509 *fits = NULL;
	for (int i = 0; i < sk_X509_num(among); i++) {
		X509 *x = sk_X509_value(among, i);
		if (!cms_is_signer(c, x))
			continue;
		enum cms_named named = cms_names_signer(c, x);
		if (named == CMS_NAMED_MATCHES || named == CMS_NAMED_NONE)
			return x;
		fits = x;
	}
	return fits;
}

struct bytes cms_message_digest(const struct cms *c)
{
	int count = 0;
	struct bytes digest = cms_attribute(c, true, OID_MESSAGE_DIGEST, 0, &count);
	return count == 1 ? digest : (struct bytes){NULL, 0};
}

size_t cms_digest(int digest_nid, struct bytes of, uint8_t ret_digest[64])
{
	const EVP_MD *md = EVP_get_digestbynid(digest_nid);
	unsigned int n = 0;
	if (md == NULL || EVP_MD_get_size(md) > 64 || EVP_Digest(of.p, of.n, ret_digest, &n, md, NULL) != 1)
		n = 0;
	trust_drain();
	return n;
}
