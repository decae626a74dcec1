/* What the TIFF files of this folder share. */
#ifndef ARKSEAL_IMAGE_TIFF_H
#define ARKSEAL_IMAGE_TIFF_H

#include <tiffio.h>

#include "stages/image/internal.h"

/* A TIFF handle over bytes in memory, with its messages. */
struct tiff {
	TIFF *t;
	struct bytes in;
	size_t at;
	bool decoding;  /* from here on a warning means pixels that libtiff made up */
	bool failed;    /* an error, or a warning while decoding */
	char text[200]; /* the first of them */
};

/* Opens; the first directory is the current one. Errors: ST_ITEM "tiff-syntax". tiff_close in any case. */
enum status tiff_begin(struct tiff *f, struct bytes in, struct err *e);
void tiff_close(struct tiff *f);

/* What the current directory says of its picture. */
struct tiff_page {
	uint32_t width, height;
	uint16_t bits, samples, photometric, planar, compression, format;
	uint16_t colours; /* samples that are colour */
	bool alpha;       /* the first extra sample is opacity */
	bool associated;  /* and the colours are multiplied by it */
};

/* Decodes all of the current directory's picture into *to: data, bits, components, flattened. Errors: ST_ITEM "tiff-corrupt",
 * "tiff-samples", "picture-too-large". */
enum status tiff_samples(struct tiff *f, const struct tiff_page *page, struct picture *to, struct err *e);

/* Takes a JPEG picture over without decoding it; strip: where there is but one. False: it is to be decoded. */
bool tiff_jpeg(struct tiff *f, const struct tiff_page *page, struct bytes strip, struct picture *to);

enum status tiff_corrupt(const struct tiff *f, const char *what, struct err *e);
/* A picture that follows TIFF but not what we can place: "tiff-samples". */
enum status tiff_unfit(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
