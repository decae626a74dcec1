/*
 * What is needed to verify a signature when its authorities are gone: who made it, and the certificates and revocation data of those.
 */
#ifndef ARKSEAL_SIGN_PROOF_H
#define ARKSEAL_SIGN_PROOF_H

#include "stages/sign/session.h"

/* Who made a CMS structure (a signature or a token), and who the timestamps in it. */
struct proof {
	STACK_OF(X509) * signer;      /* of the structure itself */
	STACK_OF(X509) * authorities; /* of the timestamps in its unsigned attributes */
	int64_t stamped_ms;           /* genTime of the token itself or of the earliest timestamp; 0: there is none */
};
/* Reads them. Nothing is verified here. Errors: ST_ITEM "cms-syntax", "cms-signer" (its certificate is not there). */
enum status proof_read(struct bytes cms, bool token, struct proof *ret_proof, struct err *e);
void proof_free(struct proof *p);

/* What goes into a DSS, or into a CAdES signature. The anchors are there for readers that look for the issuer of a CRL in the file only. */
struct material {
	struct revocation_set set;
	STACK_OF(X509) * anchors; /* each once */
};
void material_free(struct material *m);

/* Adds to the material what the makers of a CMS structure need: for the signer answers from after its timestamp, for the authorities any
 * that are not older than the profile allows before signing. */
enum status proof_collect(const struct session *s, const struct proof *p, bool token, struct material *m, struct err *e);

/* Both for a signature or timestamp; the certificates in it are learnt first. Errors: of both. */
enum status proof_of(const struct session *s, struct bytes cms, bool token, struct material *m, struct err *e);

/* A detached CAdES signature carried to level B-LT (EN 319 122-1, 6.3); appends the new DER. Errors: as proof_of, cades_add_values. */
enum status proof_extend(const struct session *s, struct bytes cms, struct buf *ret_cms, struct err *e);

#endif
