/*
 * Boxes, as JPEG 2000 (ISO/IEC 15444-1, Annex I) and the ISO base media file format (ISO/IEC 14496-12, 4.2) have them.
 */
#ifndef ARKSEAL_BASE_BOX_H
#define ARKSEAL_BASE_BOX_H

#include "stages/base/buf.h"

struct box {
	char type[5];
	struct bytes body; /* lies in what was read */
};

/* The next box. Its length never reaches beyond what holds it; a length of 0 reaches to its end. False: there is none, or none that
 * fits. */
bool box_next(struct rd *r, struct box *ret_box);

#endif
