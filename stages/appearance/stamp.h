/*
 * A picture in a signature's appearance, as a seal or a handwritten signature: a PNG with a transparent background, placed in real size.
 *
 * Its colours are sRGB of its own, whatever the document's output intent is. What is transparent becomes a soft mask; where
 * no transparency is permitted (ISO 19005-1, 6.4) an explicit mask of one bit: what is more than half opaque is painted.
 */
#ifndef ARKSEAL_APPEARANCE_STAMP_H
#define ARKSEAL_APPEARANCE_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "stages/base/err.h"
#include "stages/pdf/update.h"

struct stamp;

/* Reads a PNG file. Errors: ST_RUN "stamp-picture": it is none, says no resolution (so its size on paper is not known), or has more than
 * STAMP_MAX_PIXELS in a side. */
#define STAMP_MAX_PIXELS 4096
enum status stamp_read(const char *path, struct stamp **ret_stamp, struct err *e);
void stamp_free(struct stamp *s);

double stamp_width(const struct stamp *s); /* points */
double stamp_height(const struct stamp *s);

/* Adds the image XObject with its mask and profile. soft: a soft mask is permitted. Returns its object number. Errors: ST_RETRY. */
enum status stamp_write(const struct stamp *s, bool soft, struct pdfupd *u, uint32_t *ret_image, struct err *e);

#endif
