/*
 * Scanned pages and photographs: what a file holds, ready to be placed into a PDF without loss, and its pixels.
 *
 * Coded data that PDF knows (JPEG, JPEG 2000, JBIG2, CCITT G3/G4, Flate of PNG) is handed on as it lies in the file; everything else is
 * decoded, and coded again without loss by the PDF writer. Nothing is resampled; ICC profile, resolution and orientation are kept.
 */
#ifndef ARKSEAL_IMAGE_PICTURE_H
#define ARKSEAL_IMAGE_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

enum picture_coding {
	PICTURE_SAMPLES, /* rows of packed samples, each row filled to a whole byte, 16 bit big-endian */
	PICTURE_DCT,     /* a JPEG file or one of its kind from a TIFF (tables joined) */
	PICTURE_CCITT,   /* one strip of G3 or G4 */
	PICTURE_FLATE,   /* zlib data with PNG predictors (non-interlaced PNG: its IDATs joined) */
	PICTURE_JPX,     /* a JP2 file */
	PICTURE_JBIG2,   /* the segments of a page, without those around it */
};

enum picture_colour { PICTURE_GREY, PICTURE_RGB, PICTURE_CMYK, PICTURE_INDEXED, PICTURE_LAB };

struct picture;
/* Gets each decoded row from top to bottom. */
typedef enum status picture_row(void *arg, uint32_t y, const uint8_t *row, struct err *e);

struct picture {
	enum picture_coding coding;
	struct bytes data; /* belongs to the picture (or to the open file); p NULL where decode is set */
	/* Of many samples: decodes them anew whenever they are wanted (picture_rows); else NULL. */
	enum status (*decode)(const struct picture *p, picture_row *each, void *arg, struct err *e);
	const void *decoded_from; /* for decode; owned */
	uint32_t width, height;   /* pixels, before orientation */
	unsigned bits;            /* of a component: 1, 2, 4, 8, 16 */
	unsigned components;      /* 1, 3, 4; 1 for an indexed picture */
	enum picture_colour colour;
	struct bytes palette; /* RGB triples where indexed */
	bool inverted;        /* 0 is white (min-is-white, Adobe's inverted CMYK): Decode [1 0 …] */
	bool joined;          /* a JPEG of several strips or tiles, put together by their coefficients: the caller notes it */
	bool dct_rgb;         /* a JPEG of three components that are not YCbCr though no marker says so: ColorTransform 0 */
	int ccitt_k;          /* as /K of CCITTFaxDecode: -1 G4, 0 G3 1-D, > 0 G3 2-D */
	bool ccitt_black_is_1;
	bool ccitt_byte_align;
	bool ccitt_end_of_line;
	struct bytes jbig2_globals; /* segments that belong to no page */
	struct bytes icc; /* profile as embedded, or n 0; it fits the components and the rules of PDF/A (ISO 19005-2, 6.2.4.2) */
	bool icc_ignored; /* a profile was there that does not fit: the caller notes an event */
	double dpi_x, dpi_y;  /* of columns and rows as stored; 0 where the file does not say, or says nonsense (below 10) */
	unsigned orientation; /* 1 … 8 as in TIFF 6.0 */
	bool flattened;       /* pixels that were not opaque were laid over white: the caller notes an event */
	void *owned;          /* memory behind the members; only for picture_drop. NULL is fine for a picture made by hand */
};

struct picture_file;

/* Loads Leptonica and libheif, where they are installed, for as long as the process lives; to be called before the sandbox closes. Without them
 * BMP and HEIF are unknown. */
void picture_load(void);

/* A picture has at most as many pixels, and as many bytes of decoded samples where it must be decoded: "picture-too-large". */
#define PICTURE_MAX_PIXELS (UINT64_C(1) << 31)
#define PICTURE_MAX_BYTES (UINT64_C(1) << 31)

/* Opens by content, never by name: JPEG, TIFF, PNG, JPEG 2000, JBIG2, WebP, PNM; after picture_load BMP and HEIF. The file is mapped. Reads
 * what is needed to know the number of pages. Errors: ST_ITEM "picture-empty", "picture-unknown", and those of a format:
 * "jpeg-…", "tiff-…", "png-…", "jp2-…", "jbig2-…", "bmp-…", "webp-…", "pnm-…", "heif-…". */
enum status picture_open(const char *path, struct picture_file **ret_file, struct err *e);
/* The same over bytes that live as long as the file is open. */
enum status picture_open_bytes(struct bytes in, struct picture_file **ret_file, struct err *e);
void picture_close(struct picture_file *f);
const char *picture_format(const struct picture_file *f); /* "JPEG", "TIFF", … */
size_t picture_pages(const struct picture_file *f);
struct bytes picture_bytes(const struct picture_file *f); /* the whole file, as long as it is open */

/* From then on JPEG, JPEG 2000 and JBIG2 that can be placed as they are are not decoded to see that they are whole: their markers, boxes and segments
 * are read, to their end. */
void picture_leave_coded(struct picture_file *f);

/* Samples of more bytes are not held in memory where the file can be decoded row by row (TIFF in strips, PNG). What is broken in such a picture is
 * found when its rows are read. */
#define PICTURE_STREAMED (UINT64_C(32) << 20)

/* Page i from 0. Checks that the coded data is whole (a cut-off JPEG or strip is an error, never a half-blank page). The file must
 * stay open as long as the picture. */
enum status picture_page(const struct picture_file *f, size_t i, struct picture *ret_picture, struct err *e);
void picture_drop(struct picture *p);

/* Decodes as stored. each gets rows as PICTURE_SAMPLES has them; a status other than ST_OK ends it. Errors: those of a format; of each. */
enum status picture_rows(const struct picture *p, picture_row *each, void *arg, struct err *e);

/* The pixels, upright (orientation applied), as 8-bit rows without gaps: 1 component grey or 3 RGB (by `components`), for OCR and for
 * looking. *ret_pixels is malloc'ed. A picture of more than max_pixels is ST_ITEM "picture-too-large". */
enum status picture_pixels(const struct picture *p, unsigned components, uint64_t max_pixels, uint8_t **ret_pixels,
                           uint32_t *ret_width, uint32_t *ret_height, struct err *e);

/* SHA-256 over the decoded samples as they are (before orientation, no colour conversion), row by row, packed as PICTURE_SAMPLES.
 * Two pictures with equal digests and equal geometry show the same pixels. For the proof of conversion: the source's picture against
 * the picture that was read back from the PDF. */
enum status picture_digest(const struct picture *p, uint8_t ret_digest[32], struct err *e);

#endif
