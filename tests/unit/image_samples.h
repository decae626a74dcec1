/* Pictures made in memory for tests. Each picture has a pattern, so that a wrong place or a lost row shows. */
#ifndef ARKSEAL_TESTS_IMAGE_SAMPLES_H
#define ARKSEAL_TESTS_IMAGE_SAMPLES_H

#include "stages/base/buf.h"

/* The pattern's sample k at (x, y), `bits` wide. */
unsigned sample_at(uint32_t x, uint32_t y, unsigned k, unsigned bits);
/* Its rows, packed as PICTURE_SAMPLES. */
void sample_rows(uint32_t width, uint32_t height, unsigned components, unsigned bits, struct buf *to);

/* Components 1, 3 or 4 (Adobe CMYK). */
void make_jpeg(uint32_t width, uint32_t height, int components, bool progressive, struct buf *to);
/* colour_type as in PNG. */
void make_png(uint32_t width, uint32_t height, int bits, int colour_type, bool interlaced, struct buf *to);

struct tiff_recipe {
	uint32_t width, height, rows_per_strip; /* rows_per_strip 0: tiles of 32 x 32 */
	uint16_t bits, samples, photometric, compression, planar, orientation;
	bool alpha, reversed; /* reversed: FillOrder 2 */
	const char *mode;     /* "w", "w8" (BigTIFF), "wb" (big-endian) */
	unsigned pages;       /* 0 counts as 1; page 2 is a thumbnail where there are 3 */
};
void make_tiff(const struct tiff_recipe *r, struct buf *to);

#endif
