/*
 * A SignedData with one signer (RFC 5652), or a TimeStampToken (RFC 3161), opened for reading. Private to this folder.
 */
#ifndef ARKSEAL_TRUST_CMS_H
#define ARKSEAL_TRUST_CMS_H

#include <openssl/cms.h>
#include <openssl/ts.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

struct cms {
	CMS_ContentInfo *info;
	CMS_SignerInfo *signer; /* the only one; inside info */
	STACK_OF(X509) * certs; /* those in the SignedData; owned; may be empty, never NULL */
	TS_TST_INFO *tst;       /* of a token, else NULL */
	struct bytes content;   /* eContent, inside info; p NULL where the signature is detached */
	int digest_nid;         /* digestAlgorithm of the signer */
	int signature_nid;      /* signatureAlgorithm of the signer */
};

/* Errors: ST_ITEM "cms-syntax" (not a SignedData, or one with other than one signer), of a token "token-syntax". */
enum status cms_open(struct bytes der, bool token, struct cms *ret_cms, struct err *e);
void cms_close(struct cms *c);

/* The signed or unsigned attribute's one value as DER (a slice of what c holds); {NULL, 0} where there is none; *ret_count
 * says how many attributes and values of that kind there are. oid is dotted. */
struct bytes cms_attribute(const struct cms *c, bool is_signed, const char *oid, int index, int *ret_count);
bool cms_has_signed_attributes(const struct cms *c);
/* The content-type attribute (exactly one) is the type of the encapsulated content (RFC 5652, 11.1). */
bool cms_content_type_right(const struct cms *c);

enum cms_named { CMS_NAMED_NONE, CMS_NAMED_MATCHES, CMS_NAMED_DIFFERS, CMS_NAMED_MALFORMED };
/* What the attributes signing-certificate and signing-certificate-v2 (RFC 5035) say of a certificate. */
enum cms_named cms_names_signer(const struct cms *c, X509 *certificate);
bool cms_has_signing_certificate(const struct cms *c);

/* A certificate fits the signer identifier. */
bool cms_is_signer(const struct cms *c, X509 *certificate);
/* Among the certificates inside: fits the signer identifier and, where there is such, the signing-certificate attribute.
 * Borrowed; NULL: none. */
X509 *cms_find_signer(const struct cms *c, STACK_OF(X509) * among);

/* message-digest of the signed attributes; {NULL, 0} where there is none or more than one. */
struct bytes cms_message_digest(const struct cms *c);
/* Digest over the encapsulated content (or other bytes) by an algorithm; 0 where it is unknown. */
size_t cms_digest(int digest_nid, struct bytes of, uint8_t ret_digest[64]);

/* Whether the signature value is right by this certificate's key: over the signed attributes, or where there are none over
 * content_digest. It says nothing about message-digest. */
bool cms_signature_right(const struct cms *c, X509 *certificate, struct bytes content_digest);

#define OID_CONTENT_TIMESTAMP "1.2.840.113549.1.9.16.2.20"
#define OID_SIGNATURE_TIMESTAMP "1.2.840.113549.1.9.16.2.14"
#define OID_SIGNING_CERTIFICATE "1.2.840.113549.1.9.16.2.12"
#define OID_SIGNING_CERTIFICATE_V2 "1.2.840.113549.1.9.16.2.47"
#define OID_MESSAGE_DIGEST "1.2.840.113549.1.9.4"
#define OID_SIGNING_TIME "1.2.840.113549.1.9.5"
#define OID_CONTENT_TYPE "1.2.840.113549.1.9.3"
#define OID_ADBE_REVOCATION "1.2.840.113583.1.1.8"

/* What every timestamp token must be, whoever asked for it: TSTInfo version 1, content type, signing certificate named, signature and
 * message-digest right, extended key usage timeStamping alone and critical (RFC 3161, 2.3 and 2.4.2). ret_fault gets one word:
 * "version", "signer", "signature", "usage"; "" where it returns true. ret_signer is borrowed from c or among. */
bool token_sound(const struct cms *c, STACK_OF(X509) * among, X509 **ret_signer, const char **ret_fault);
bool tsa_usage(X509 *certificate);
/* The imprint is that digest. */
bool token_over(const struct cms *c, struct bytes digest);
int token_imprint_nid(const struct cms *c);

#endif
