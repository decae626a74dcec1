/*
 * Certificates, CRLs and OCSP answers that a CMS signature carries itself. Private to this folder.
 */
#ifndef ARKSEAL_TRUST_EMBEDDED_H
#define ARKSEAL_TRUST_EMBEDDED_H

#include "stages/trust/cms.h"
#include "stages/trust/store.h"

/* Adds: SignedData.certificates and crls (OCSP answers among them: RFC 5940), adbe-revocationInfoArchival (ISO 32000-1, 12.8.3.3.2), certificate-values and
 * revocation-values (EN 319 122-1, A.1.1). */
void embedded_add(struct trust_store *s, const struct cms *c);
/* Whether SignedData.crls holds anything. */
bool embedded_revocation(const struct cms *c);

#endif
