/* What the files of the stage share. */
#ifndef ARKSEAL_AUGMENT_INTERNAL_H
#define ARKSEAL_AUGMENT_INTERNAL_H

#include "stages/pdf/update.h"
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

/* What goes into a DSS. The anchors are there for readers that look for the issuer of a CRL in the file only. */
struct material {
	struct revocation_set set;
	STACK_OF(X509) * anchors; /* each once */
};
void material_free(struct material *m);

/* Adds to the material what the makers of a CMS structure need: for the signer answers from after its timestamp, for the authorities any
 * that are not older than the profile allows before signing. */
enum status proof_collect(const struct session *s, const struct proof *p, bool token, struct material *m, struct err *e);

/* Puts the DSS into the update: what the document's own holds stays, what is in the material and not there yet is added; and the
 * extension entry (EN 319 142-1, 5.4.1) in the catalog. */
enum status dss_extend(struct pdfupd *u, const struct pdfdoc *d, const struct material *m, struct err *e);

#endif
