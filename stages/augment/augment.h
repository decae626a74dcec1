/*
 * The stage that makes signatures last (ETSI EN 319 142-1, levels B-LT and B-LTA): a DSS with the certificates and the revocation
 * data of every signature and timestamp in the file and of the authority that stamps it, then a document timestamp over everything.
 * At the profile's levels B-B and B-T it does nothing.
 */
#ifndef ARKSEAL_AUGMENT_AUGMENT_H
#define ARKSEAL_AUGMENT_AUGMENT_H

#include "pipeline/stage.h"

extern const struct stage augment_stage;

#endif
