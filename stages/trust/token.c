/* What a timestamp token is by itself (RFC 3161, updated by RFC 5816). */
#include <openssl/x509v3.h>

#include "stages/trust/cms.h"
#include "stages/trust/internal.h"

bool tsa_usage(X509 *certificate)
{
	int critical = -1;
	EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(certificate, NID_ext_key_usage, &critical, NULL);
	bool ok = usages != NULL && critical == 1 && sk_ASN1_OBJECT_num(usages) == 1 &&
	          OBJ_obj2nid(sk_ASN1_OBJECT_value(usages, 0)) == NID_time_stamp;
	EXTENDED_KEY_USAGE_free(usages);
	trust_drain();
	return ok;
}

int token_imprint_nid(const struct cms *c)
{
	const ASN1_OBJECT *oid = NULL;
	X509_ALGOR_get0(&oid, NULL, NULL, TS_MSG_IMPRINT_get_algo(TS_TST_INFO_get_msg_imprint(c->tst)));
	return OBJ_obj2nid(oid);
}

bool token_over(const struct cms *c, struct bytes digest)
{
	const ASN1_OCTET_STRING *imprint = TS_MSG_IMPRINT_get_msg(TS_TST_INFO_get_msg_imprint(c->tst));
	struct bytes has = {ASN1_STRING_get0_data(imprint), (size_t)ASN1_STRING_length(imprint)};
	return has.n > 0 && bytes_equal(has, digest);
}

bool token_sound(const struct cms *c, STACK_OF(X509) * among, X509 **ret_signer, const char **ret_fault)
{
	uint8_t digest[64];
	size_t n = cms_digest(c->digest_nid, c->content, digest);
	X509 *signer = cms_find_signer(c, c->certs);
	if (signer == NULL && among != NULL)
		signer = cms_find_signer(c, among);
	*ret_signer = signer;
	*ret_fault = "";
	if (TS_TST_INFO_get_version(c->tst) != 1)
		*ret_fault = "version";
	else if (signer == NULL || cms_names_signer(c, signer) != CMS_NAMED_MATCHES)
		*ret_fault = "signer";
	else if (!cms_has_signed_attributes(c) || !cms_content_type_right(c) || n == 0 ||
	         !bytes_equal(cms_message_digest(c), (struct bytes){digest, n}) ||
	         !cms_signature_right(c, signer, (struct bytes){NULL, 0}))
		*ret_fault = "signature";
	else if (!tsa_usage(signer))
		*ret_fault = "usage";
	return **ret_fault == 0;
}
