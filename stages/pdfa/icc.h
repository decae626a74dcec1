/* ICC profiles for pictures that bring none, made by Little CMS: the same bytes at every call, version 4.2 (ICC.1:2004-10). */
#ifndef ARKSEAL_PDFA_ICC_H
#define ARKSEAL_PDFA_ICC_H

#include "stages/base/buf.h"
#include "stages/base/err.h"

enum icc_kind {
	ICC_SRGB, /* IEC 61966-2-1 */
	ICC_GREY, /* sRGB's tone curve, D50 white */
	/* For CMYK that comes without a profile: each ink takes away its part of the light, (1 - c)(1 - k). It says how such samples
	 * are looked at on a screen, not how they were printed. */
	ICC_CMYK,
};

/* Appends the profile. Errors: ST_RETRY "memory". */
enum status icc_make(enum icc_kind kind, struct buf *to, struct err *e);

#endif
