/* PNG (ISO/IEC 15948). Chunks by our own reader; pixels that PDF cannot take as they are (interlaced, alpha) by libpng. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <libdeflate.h>
#include <png.h>

#include "stages/image/internal.h"

struct chunks {
	uint32_t width, height;
	unsigned bits, type;
	bool interlaced;
	struct bytes palette;
	bool transparent; /* tRNS */
	struct bytes iccp;
	double dpi_x, dpi_y;
	struct exif exif;
	size_t idat_first, idat_bytes, idat_chunks;
	bool ended;
	size_t end; /* after IEND */
};

enum { TYPE_GREY = 0, TYPE_RGB = 2, TYPE_PALETTE = 3, TYPE_GREY_ALPHA = 4, TYPE_RGBA = 6 };

static bool png_is(struct bytes in)
{
	return in.n >= 8 && memcmp(in.p, "\x89PNG\r\n\x1A\n", 8) == 0;
}

static enum status corrupt(struct err *e, size_t at, const char *what)
{
	enum status st = err_set(e, ST_ITEM, "png-corrupt", "%s", what);
	err_where(e, "byte %zu", at);
	return st;
}

static enum status read_header(struct chunks *c, struct bytes b, struct err *e)
{
	static const uint8_t depths[] = {[TYPE_GREY] = 31,
	                                 [TYPE_RGB] = 24,
	                                 [TYPE_PALETTE] = 15,
	                                 [TYPE_GREY_ALPHA] = 24,
	                                 [TYPE_RGBA] = 24}; /* bit i: depth 2^i */
	struct rd r = RD_INIT(b.p, b.n);
	c->width = rd_u32be(&r);
	c->height = rd_u32be(&r);
	c->bits = rd_u8(&r);
	c->type = rd_u8(&r);
	unsigned compression = rd_u8(&r), filter = rd_u8(&r), interlace = rd_u8(&r);
	unsigned depth = c->bits == 1 ? 1 : c->bits == 2 ? 2 : c->bits == 4 ? 4 : c->bits == 8 ? 8 : c->bits == 16 ? 16 : 32;
	if (r.failed || c->type >= sizeof depths || (depths[c->type] & depth) == 0 || compression != 0 || filter != 0 ||
	    interlace > 1)
		return err_set(e, ST_ITEM, "png-syntax", "IHDR: depth %u, colour type %u", c->bits, c->type);
	c->interlaced = interlace == 1;
	return picture_check_size("png", c->width, c->height, e);
}

static void read_metadata(struct chunks *c, const uint8_t *name, struct bytes b)
{
	struct rd r = RD_INIT(b.p, b.n);
	if (memcmp(name, "pHYs", 4) == 0 && b.n == 9 && b.p[8] == 1) {
		c->dpi_x = rd_u32be(&r) * 0.0254;
		c->dpi_y = rd_u32be(&r) * 0.0254;
	} else if (memcmp(name, "iCCP", 4) == 0) {
		c->iccp = b;
	} else if (memcmp(name, "eXIf", 4) == 0) {
		exif_read(b, &c->exif);
	} else if (memcmp(name, "tRNS", 4) == 0) {
		c->transparent = true;
	} else if (memcmp(name, "PLTE", 4) == 0 && c->type == TYPE_PALETTE) {
		c->palette = b;
	}
}

static enum status read_chunk(struct chunks *c, struct rd *r, struct err *e)
{
	size_t at = r->at;
	uint32_t length = rd_u32be(r);
	const uint8_t *name = r->in.p + r->at;
	struct bytes tagged = rd_take(r, (size_t)length + 4);
	uint32_t crc = rd_u32be(r);
	if (r->failed)
		return err_set(e, ST_ITEM, "png-truncated", "the file ends within the chunk at byte %zu", at);
	if (libdeflate_crc32(0, tagged.p, tagged.n) != crc) {
		/* A broken chunk that is no part of the picture is as if it were not there; transparency is a part of it. */
		if ((name[0] & 0x20) != 0 && memcmp(name, "tRNS", 4) != 0 && c->width != 0)
			return ST_OK;
		return corrupt(e, at, "the chunk's CRC is wrong");
	}
	struct bytes b = {tagged.p + 4, length};
	bool header = memcmp(name, "IHDR", 4) == 0;
	if (header != (c->width == 0))
		return corrupt(e, at, "IHDR is not the first chunk, or not the only one of its kind");
	if (header)
		return read_header(c, b, e);
	if (memcmp(name, "IDAT", 4) == 0) {
		if (c->idat_chunks++ == 0)
			c->idat_first = at;
		c->idat_bytes += length;
	} else if (memcmp(name, "IEND", 4) == 0) {
		c->ended = true;
	} else if ((name[0] & 0x20) == 0 && memcmp(name, "PLTE", 4) != 0) {
		return err_set(e, ST_ITEM, "png-syntax", "unknown critical chunk at byte %zu", at);
	} else {
		read_metadata(c, name, b);
	}
	return ST_OK;
}

static enum status read_chunks(struct bytes in, struct chunks *c, struct err *e)
{
	struct rd r = RD_INIT(in.p, in.n);
	rd_skip(&r, 8);
	while (!c->ended) {
		if (rd_left(&r) == 0)
			return err_set(e, ST_ITEM, "png-truncated", "no IEND chunk: the file ends early");
		enum status st = read_chunk(c, &r, e);
		if (st != ST_OK)
			return st;
	}
	c->end = r.at;
	if (c->idat_chunks == 0)
		return err_set(e, ST_ITEM, "png-truncated", "no picture data");
	if (c->type == TYPE_PALETTE && (c->palette.n < 3 || c->palette.n % 3 != 0 || c->palette.n / 3 > (1u << c->bits)))
		return err_set(e, ST_ITEM, "png-syntax", "palette of %zu bytes", c->palette.n);
	return ST_OK;
}

/* The IDATs' contents in one piece; CRCs were checked. NULL: no memory. */
static const uint8_t *join_idat(struct bytes in, const struct chunks *c, struct picture *to)
{
	struct rd r = {.in = in, .at = c->idat_first};
	if (c->idat_chunks == 1)
		return in.p + c->idat_first + 8;
	uint8_t *whole = picture_alloc(to, c->idat_bytes);
	for (size_t n = 0; whole != NULL && n < c->idat_bytes;) {
		uint32_t length = rd_u32be(&r);
		struct bytes b = rd_take(&r, (size_t)length + 4);
		rd_skip(&r, 4);
		if (r.failed)
			return NULL;
		if (memcmp(b.p, "IDAT", 4) == 0) {
			memcpy(whole + n, b.p + 4, length);
			n += length;
		}
	}
	return whole;
}

/* The data as it lies there, after a look that it is whole. */
static enum status take_flate(struct bytes in, const struct chunks *c, struct picture *to, struct err *e)
{
	size_t row = (size_t)picture_row_bytes(c->width, to->components, c->bits), n = (row + 1) * c->height, used = 0;
	if (n > PICTURE_MAX_BYTES)
		return err_set(e, ST_ITEM, "picture-too-large", "%zu bytes of samples", n);
	struct bytes data = {join_idat(in, c, to), c->idat_bytes};
	uint8_t *rows = malloc(n);
	enum status st = ST_OK;
	if (data.p == NULL || rows == NULL)
		st = picture_no_memory(e);
	else if (!inflate_exactly(data, rows, n, &used))
		st = err_set(e, ST_ITEM, "png-corrupt", "the compressed data is broken, or is not %zu bytes", n);
	for (uint32_t y = 0; st == ST_OK && y < c->height; y++) {
		if (rows[y * (row + 1)] > 4)
			st = err_set(e, ST_ITEM, "png-corrupt", "row %u has the unknown filter %u", y, rows[y * (row + 1)]);
	}
	free(rows);
	to->coding = PICTURE_FLATE;
	to->data = (struct bytes){data.p, used};
	return st;
}

struct reading {
	struct rd in;
	jmp_buf jump;
	struct err *e;
};

static void on_read(png_structp png, png_bytep to, size_t n)
{
	struct reading *r = png_get_io_ptr(png);
	struct bytes b = rd_take(&r->in, n);
	if (r->in.failed)
		png_error(png, "the data ends early");
	memcpy(to, b.p, n);
}

static void on_error(png_structp png, png_const_charp text)
{
	struct reading *r = png_get_error_ptr(png);
	err_set(r->e, ST_ITEM, "png-corrupt", "libpng: %s", text);
	longjmp(r->jump, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

/* setjmp's own frame: what changes lives in *to. */
static bool decode(png_structp png, png_infop info, struct reading *r, const struct chunks *c, struct picture *to)
{
	if (setjmp(r->jump) != 0)
		return false;
	png_set_read_fn(png, r, on_read);
	png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_QUIET_USE);
	png_set_user_limits(png, 0x7FFFFFFF, 0x7FFFFFFF);
	png_read_info(png, info);
	if (c->transparent) {
		if (c->type == TYPE_PALETTE)
			png_set_palette_to_rgb(png);
		if (c->type == TYPE_GREY)
			png_set_expand_gray_1_2_4_to_8(png);
		png_set_tRNS_to_alpha(png);
	}
	png_set_interlace_handling(png);
	png_read_update_info(png, info);
	unsigned channels = png_get_channels(png, info), bits = png_get_bit_depth(png, info);
	size_t row = png_get_rowbytes(png, info);
	if ((uint64_t)row * c->height > PICTURE_MAX_BYTES)
		png_error(png, "too large");
	uint8_t *rows = picture_alloc(to, row * c->height);
	png_bytep *index = (png_bytep *)(void *)picture_alloc(to, c->height * sizeof *index);
	if (rows == NULL || index == NULL)
		png_error(png, "no memory");
	for (uint32_t y = 0; y < c->height; y++)
		index[y] = rows + y * row;
	png_read_image(png, index);
	png_read_end(png, NULL);
	to->bits = bits;
	if (channels == 2 || channels == 4) {
		to->flattened = picture_over_white(rows, (size_t)c->width * c->height, channels - 1, bits);
		channels--;
		row = (size_t)picture_row_bytes(c->width, channels, bits);
	}
	to->components = channels;
	to->coding = PICTURE_SAMPLES;
	to->data = (struct bytes){rows, row * c->height};
	return true;
}

static enum status take_samples(struct bytes in, const struct chunks *c, struct picture *to, struct err *e)
{
	struct reading r = {.in = RD_INIT(in.p, c->end), .e = e};
	png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning);
	png_infop info = png == NULL ? NULL : png_create_info_struct(png);
	if (info == NULL) {
		png_destroy_read_struct(&png, NULL, NULL);
		return picture_no_memory(e);
	}
	bool ok = decode(png, info, &r, c, to);
	png_destroy_read_struct(&png, &info, NULL);
	if (!ok)
		return ST_ITEM;
	if (to->components == 3)
		to->colour = PICTURE_RGB;
	return ST_OK;
}

/* iCCP: a name, a zero, compression method 0, zlib data. */
static void take_icc(const struct chunks *c, struct picture *to)
{
	const uint8_t *zero = c->iccp.n == 0 ? NULL : memchr(c->iccp.p, 0, c->iccp.n > 80 ? 80 : c->iccp.n);
	if (zero == NULL || (size_t)(zero - c->iccp.p) + 2 >= c->iccp.n) {
		to->icc_ignored = c->iccp.n != 0;
		return;
	}
	struct bytes data = {zero + 2, c->iccp.n - (size_t)(zero + 2 - c->iccp.p)};
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	size_t room = 4u << 20, got = 0;
	uint8_t *icc = picture_alloc(to, room);
	to->icc_ignored = true;
	if (d != NULL && icc != NULL && libdeflate_zlib_decompress(d, data.p, data.n, icc, room, &got) == LIBDEFLATE_SUCCESS)
		picture_set_icc(to, (struct bytes){icc, got});
	if (d != NULL)
		libdeflate_free_decompressor(d);
}

static enum status png_page(const struct picture_file *f, size_t i, struct picture *to, struct err *e)
{
	struct chunks c = {0};
	enum status st = read_chunks(f->in, &c, e);
	(void)i;
	if (st != ST_OK)
		return st;
	to->width = c.width;
	to->height = c.height;
	to->bits = c.bits;
	to->components = c.type == TYPE_RGB || c.type == TYPE_RGBA ? 3 : 1;
	to->colour = c.type == TYPE_PALETTE ? PICTURE_INDEXED : to->components == 3 ? PICTURE_RGB : PICTURE_GREY;
	to->palette = c.palette;
	to->orientation = c.exif.orientation == 0 ? 1 : c.exif.orientation;
	picture_set_dpi(to, c.dpi_x, c.dpi_y);
	bool as_is = !c.interlaced && !c.transparent && c.type != TYPE_GREY_ALPHA && c.type != TYPE_RGBA;
	st = as_is ? take_flate(f->in, &c, to, e) : take_samples(f->in, &c, to, e);
	if (st == ST_OK && c.iccp.n != 0)
		take_icc(&c, to);
	return st;
}

const struct picture_kind picture_png = {"PNG", png_is, picture_open_one, NULL, png_page};
