/* ICC profiles for pictures that bring none, made by Little CMS: the same bytes at every call, version 4.2 (ICC.1:2004-10). */
#ifndef ARKSEAL_PDFA_ICC_H
#define ARKSEAL_PDFA_ICC_H

#include "stages/base/buf.h"
#include "stages/base/err.h"

enum icc_kind {
	ICC_SRGB, /* IEC 61966-2-1 */
	ICC_GREY, /* sRGB's tone curve, D50 white */
	/* What readers show for DeviceCMYK where no profile is given: the additive conversion of ISO 32000-1, 10.3.5. It says how
	 * the samples have been looked at, not how they were printed. */
	ICC_CMYK,
};

/* Appends the profile. Errors: ST_RETRY "memory". */
enum status icc_make(enum icc_kind kind, struct buf *to, struct err *e);

#endif
