/* What the files of this folder share. Not for others. */
#ifndef ARKSEAL_IMAGE_INTERNAL_H
#define ARKSEAL_IMAGE_INTERNAL_H

#include "stages/base/file.h"
#include "stages/image/picture.h"

struct picture_file {
	struct bytes in;
	struct file_map map; /* in.p NULL where the bytes belong to the caller */
	const struct picture_kind *kind;
	size_t pages;
	bool leave_coded; /* picture_leave_coded */
	void *state;      /* belongs to the kind */
};

/* A file format: one row of the table in picture.c. */
struct picture_kind {
	const char *name;
	bool (*is)(struct bytes in);
	enum status (*open)(struct picture_file *f, struct err *e); /* fills pages and state */
	void (*close)(struct picture_file *f);                      /* NULL: nothing to do */
	enum status (*page)(const struct picture_file *f, size_t i, struct picture *to, struct err *e);
};

extern const struct picture_kind picture_bmp, picture_heif, picture_jbig2, picture_jpeg, picture_jpeg2000, picture_png,
    picture_pnm, picture_tiff, picture_webp;

/* What picture_load does for these kinds. */
void picture_bmp_load(void);
void picture_heif_load(void);

/* The open of a kind that holds one picture and keeps nothing. */
enum status picture_open_one(struct picture_file *f, struct err *e);
/* "picture-too-large" */
enum status picture_too_large(uint64_t width, uint64_t height, struct err *e);
/* Lays alpha over white, in place: pixels of n + 1 samples of 8 or 16 bit (big-endian) become pixels of n. True where one was not opaque. */
bool picture_over_white(uint8_t *rows, size_t pixels, unsigned n, unsigned bits);

/* Memory that lives as long as the picture; NULL when there is none left. */
uint8_t *picture_alloc(struct picture *p, size_t n);
enum status picture_no_memory(struct err *e);
/* Checks sides and area; ST_ITEM "picture-too-large", or <format>-size where a side is 0. */
enum status picture_check_size(const char *format, uint64_t width, uint64_t height, struct err *e);
/* Bytes of a row of packed samples. */
uint64_t picture_row_bytes(uint32_t width, unsigned components, unsigned bits);
/* Sets the resolution, or 0 0 where it is nonsense. */
void picture_set_dpi(struct picture *p, double x, double y);
/* Takes a profile over if it fits the picture's colour (set before), else icc_ignored. The bytes live as long as the picture. */
void picture_set_icc(struct picture *p, struct bytes icc);

enum jpeg_rows {
	JPEG_ROWS,      /* grey, RGB or CMYK as the picture's colour says */
	JPEG_ROWS_GREY, /* 8-bit grey; not for CMYK */
	JPEG_ROWS_NONE, /* only checks that all is there; `each` is not called */
};
enum status jpeg_rows(const struct picture *p, enum jpeg_rows as, picture_row *each, void *arg, struct err *e);
/* Fills in a picture of a whole JPEG stream at the start of `in`, by its markers, to its end; the picture points into it. Then jpeg_rows with
 * JPEG_ROWS_NONE shows that its data is whole. ret_marks may be NULL. */
struct jpeg_marks {
	bool jfif, adobe;
};
enum status jpeg_picture(struct bytes in, struct picture *to, struct jpeg_marks *ret_marks, struct err *e);

/* The rows of a JPEG 2000 file, 8 or 16 bit as the picture says. */
enum status jpeg2000_rows(const struct picture *p, picture_row *each, void *arg, struct err *e);
/* The rows of a JBIG2 page, as a PDF reader sees them. */
enum status jbig2_rows(const struct picture *p, picture_row *each, void *arg, struct err *e);

/* Exif (a TIFF structure): what a picture needs of it. Members stay as they are where it says nothing. */
struct exif {
	unsigned orientation;
	double dpi_x, dpi_y;
};
void exif_read(struct bytes in, struct exif *to);

/* The rows of one strip of G3 or G4, packed 1-bit samples as a PDF reader sees them. *to has room for all. */
enum status ccitt_decode(const struct picture *p, uint8_t *to, struct err *e);

/* zlib data into exactly n bytes. *ret_used: how many bytes of data it took. False where it does not fit. */
bool inflate_exactly(struct bytes data, uint8_t *to, size_t n, size_t *ret_used);
/* Undoes PNG's row filters in place: rows of 1 + row_bytes bytes. False for a filter that does not exist. */
bool png_unfilter(uint8_t *rows, uint32_t height, size_t row_bytes, size_t pixel_bytes);

#endif
