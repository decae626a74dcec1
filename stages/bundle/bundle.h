/* The stage that makes a package of the documents of a dossier, and its seal. */
#ifndef ARKSEAL_BUNDLE_BUNDLE_H
#define ARKSEAL_BUNDLE_BUNDLE_H

#include "pipeline/stage.h"

/* Gathers a dossier. The package's artefact is a folder (size 0, no digest) or a ZIP; the seal over METS.xml is a companion,
 * "<folder>.METS.p7s": detached CAdES B-T (ETSI EN 319 122-1). Errors: "package-…" of stages/package, "bundle-documents"
 * (a document of the dossier is missing), those of keyholder_sign and tsa_stamp. */
extern const struct stage bundle_stage;

#endif
