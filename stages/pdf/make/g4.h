/* CCITT T.6 (G4) by libtiff. */
#ifndef ARKSEAL_PDF_MAKE_G4_H
#define ARKSEAL_PDF_MAKE_G4_H

#include "stages/image/picture.h"

/* One strip of G4 of a grey picture of 1-bit samples. Runs are black where the picture is black, so a reader that decodes it with
 * /BlackIs1 as p->inverted gets the samples back. The result is malloc'ed; p NULL when it could not be made. */
struct bytes g4_encode(const struct picture *p);

#endif
