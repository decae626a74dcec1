/*
 * The stage that puts the organisation's signature on a document: the certificate checked first, signatures that are there
 * verified and kept byte for byte, the appearance placed, PAdES B-B or B-T by one incremental update (ETSI EN 319 142-1). What is
 * added for long keeping is the augment stage's.
 * What is no PDF (a photograph, sound, video that convert has kept) is signed by detached CAdES B-B or B-T in a file beside it (EN 319 122-1).
 */
#ifndef ARKSEAL_SIGN_SIGN_H
#define ARKSEAL_SIGN_SIGN_H

#include "pipeline/stage.h"

extern const struct stage sign_stage;

#endif
