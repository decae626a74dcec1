/* What the files of the stage share. */
#ifndef ARKSEAL_AUGMENT_INTERNAL_H
#define ARKSEAL_AUGMENT_INTERNAL_H

#include "stages/pdf/update.h"
#include "stages/sign/proof.h"

/* Puts the DSS into the update: what the document's own holds stays, what is in the material and not there yet is added; and the
 * extension entry (EN 319 142-1, 5.4.1) in the catalog. */
enum status dss_extend(struct pdfupd *u, const struct pdfdoc *d, const struct material *m, struct err *e);

#endif
