/* BMP, the uncompressed kinds that Leptonica reads: palettes stay palettes. */
#include <stdlib.h>
#include <string.h>

#include <leptonica/allheaders.h>

#include "stages/base/library.h"
#include "stages/image/internal.h"

/* clang-format off */
#define BMP_FUNCTIONS(X) \
	X(pixDestroy) \
	X(pixGetColormap) \
	X(pixGetData) \
	X(pixGetDepth) \
	X(pixGetHeight) \
	X(pixGetWidth) \
	X(pixGetWpl) \
	X(pixGetXRes) \
	X(pixGetYRes) \
	X(pixReadMemBmp) \
	X(pixcmapGetColor) \
	X(pixcmapGetCount) \
	X(setMsgSeverity)
/* clang-format on */

static struct {
#define MEMBER(name) __typeof__(&name) name;
	BMP_FUNCTIONS(MEMBER)
#undef MEMBER
} lept;

void picture_bmp_load(void)
{
#define NAME(name) #name,
	static const char *const names[] = {BMP_FUNCTIONS(NAME)};
#undef NAME
	struct err ignored;
	if (lept.pixReadMemBmp == NULL &&
	    library_load("liblept.so.5", names, sizeof names / sizeof *names, &lept, &ignored) != ST_OK)
		memset(&lept, 0, sizeof lept);
	if (lept.setMsgSeverity != NULL)
		lept.setMsgSeverity(L_SEVERITY_NONE);
}

static bool bmp_is(struct bytes in)
{
	return lept.pixReadMemBmp != NULL && in.n >= 26 && memcmp(in.p, "BM", 2) == 0;
}

/* The size that the header gives, before anything is made of it; the samples must be there. */
static enum status check_header(struct bytes in, struct err *e)
{
	struct rd r = RD_INIT(in.p, in.n);
	rd_skip(&r, 10);
	uint32_t offset = rd_u32le(&r), size = rd_u32le(&r), compression = 0;
	bool old = size == 12;
	uint32_t width = old ? rd_u16le(&r) : rd_u32le(&r), height = old ? rd_u16le(&r) : rd_u32le(&r);
	rd_skip(&r, 2);
	unsigned bits = rd_u16le(&r);
	if (!old)
		compression = rd_u32le(&r);
	if (height > INT32_MAX) /* rows from the top */
		height = 0 - height;
	enum status st = picture_check_size("bmp", width, height, e);
	if (st != ST_OK)
		return st;
	if (r.failed || old || compression != 0 || bits == 16) {
		st = err_set(e, ST_ITEM, "bmp-coding", "%u bit, compression %u", bits, compression);
		err_arg(e, "%u bit, compression %u", bits, compression);
		return st;
	}
	uint64_t row = ((uint64_t)width * bits + 31) / 32 * 4;
	if (offset > in.n || row * height > in.n - offset)
		return err_set(e, ST_ITEM, "bmp-truncated", "%zu bytes are too few for %u x %u pixels", in.n, width, height);
	return ST_OK;
}

static enum status take_palette(const PIX *pix, struct picture *to, struct err *e)
{
	PIXCMAP *map = lept.pixGetColormap((PIX *)(uintptr_t)pix);
	int n = map == NULL ? 0 : lept.pixcmapGetCount(map);
	if (n <= 0)
		return ST_OK;
	uint8_t *palette = picture_alloc(to, 3 * (size_t)n);
	if (palette == NULL)
		return picture_no_memory(e);
	bool grey = true;
	for (int i = 0; i < n; i++) {
		l_int32 c[3];
		lept.pixcmapGetColor(map, i, &c[0], &c[1], &c[2]);
		for (size_t k = 0; k < 3; k++) {
			palette[3 * (size_t)i + k] = (uint8_t)c[k];
			grey = grey && c[k] * (n - 1) == 255 * i && n == 1 << to->bits;
		}
	}
	/* From black to white in even steps: a palette that says nothing. */
	to->colour = grey ? PICTURE_GREY : PICTURE_INDEXED;
	to->palette = (struct bytes){palette, 3 * (size_t)n};
	return ST_OK;
}

/* Leptonica's words have their first pixel in the highest bits; those of colour are red, green, blue and a byte that BMP does not use. */
static void take_rows(const l_uint32 *words, size_t per_row, bool colour, struct picture *to, uint8_t *rows, size_t row)
{
	for (size_t y = 0; y < to->height; y++, words += per_row, rows += row)
		for (size_t i = 0; i < row; i++) {
			size_t word = colour ? i / 3 : i / 4, byte = colour ? i % 3 : i % 4;
			rows[i] = (uint8_t)(words[word] >> (24 - 8 * byte));
		}
}

static enum status take(PIX *pix, struct picture *to, struct err *e)
{
	unsigned depth = (unsigned)lept.pixGetDepth(pix);
	to->width = (uint32_t)lept.pixGetWidth(pix);
	to->height = (uint32_t)lept.pixGetHeight(pix);
	to->bits = depth == 32 ? 8 : depth;
	to->components = depth == 32 ? 3 : 1;
	to->colour = depth == 32 ? PICTURE_RGB : PICTURE_GREY;
	picture_set_dpi(to, lept.pixGetXRes(pix), lept.pixGetYRes(pix));
	size_t row = (size_t)picture_row_bytes(to->width, to->components, to->bits);
	uint8_t *rows = picture_alloc(to, row * to->height);
	if (rows == NULL)
		return picture_no_memory(e);
	take_rows(lept.pixGetData(pix), (size_t)lept.pixGetWpl(pix), depth == 32, to, rows, row);
	to->data = (struct bytes){rows, row * to->height};
	/* Without a palette 1 bit is black in Leptonica. */
	to->inverted = depth == 1 && lept.pixGetColormap(pix) == NULL;
	return depth == 32 ? ST_OK : take_palette(pix, to, e);
}

static enum status bmp_page(const struct picture_file *f, size_t i, struct picture *to, struct err *e)
{
	(void)i;
	enum status st = check_header(f->in, e);
	if (st != ST_OK)
		return st;
	PIX *pix = lept.pixReadMemBmp(f->in.p, f->in.n);
	if (pix == NULL)
		return err_set(e, ST_ITEM, "bmp-corrupt", "Leptonica cannot read it");
	to->coding = PICTURE_SAMPLES;
	to->orientation = 1;
	st = take(pix, to, e);
	lept.pixDestroy(&pix);
	return st;
}

const struct picture_kind picture_bmp = {"BMP", bmp_is, picture_open_one, NULL, bmp_page};
