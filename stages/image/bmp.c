/* BMP, all kinds that MuPDF reads. It hands out RGB; pictures without colour become grey or bilevel again, which says the same in fewer bytes. */
#include <stdlib.h>
#include <string.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#pragma GCC diagnostic ignored "-Wundef"
#include <mupdf/fitz.h>
#pragma GCC diagnostic pop

#include "stages/image/internal.h"

enum { STORE = 1 << 20 };

static bool bmp_is(struct bytes in)
{
	return in.n >= 26 && memcmp(in.p, "BM", 2) == 0;
}

/* A sum of what a picture's colours are like: 0 bilevel, 1 grey, 2 colour. */
static int colours_of(const uint8_t *rgb, size_t area)
{
	int kind = 0;
	for (size_t i = 0; i < area; i++, rgb += 3) {
		if (rgb[0] != rgb[1] || rgb[1] != rgb[2])
			return 2;
		if (rgb[0] != 0 && rgb[0] != 255)
			kind = 1;
	}
	return kind;
}

/* In place: each row's result is shorter than the row. */
static void narrow(struct picture *to)
{
	uint8_t *rows = (uint8_t *)(uintptr_t)to->data.p;
	size_t area = (size_t)to->width * to->height, row;
	int kind = colours_of(rows, area);
	if (kind == 2)
		return;
	to->components = 1;
	to->colour = PICTURE_GREY;
	to->bits = kind == 0 ? 1 : 8;
	row = (size_t)picture_row_bytes(to->width, 1, to->bits);
	for (size_t y = 0; y < to->height; y++) {
		const uint8_t *from = rows + 3 * y * to->width;
		uint8_t *out = rows + y * row;
		for (size_t x = 0; x < to->width; x++) {
			uint8_t v = from[3 * x];
			if (kind == 1)
				out[x] = v;
			else if (x % 8 == 0)
				out[x / 8] = v & 0x80;
			else
				out[x / 8] = (uint8_t)(out[x / 8] | (v & 0x80) >> x % 8);
		}
	}
	to->data.n = row * to->height;
}

/* The first thing that MuPDF says of a picture that it reads only in part. */
struct reading {
	fz_context *ctx;
	char text[160];
};

static void on_message(void *arg, const char *text)
{
	struct reading *r = arg;
	if (r->text[0] == '\0')
		snprintf(r->text, sizeof r->text, "%s", text);
}

/* The pixels as RGB, laid over white. */
static void take_pixels(fz_context *ctx, fz_pixmap *pixmap, struct picture *to, uint8_t *rows)
{
	unsigned n = (unsigned)fz_pixmap_components(ctx, pixmap), colours = (unsigned)fz_pixmap_colorants(ctx, pixmap);
	const uint8_t *from = fz_pixmap_samples(ctx, pixmap);
	ptrdiff_t stride = fz_pixmap_stride(ctx, pixmap);
	for (size_t y = 0; y < to->height; y++) {
		const uint8_t *in = from + (ptrdiff_t)y * stride;
		for (size_t x = 0; x < to->width; x++, in += n) {
			/* What MuPDF hands out is multiplied by its opacity. */
			unsigned alpha = n > colours ? in[colours] : 255;
			to->flattened = to->flattened || alpha != 255;
			for (unsigned k = 0; k < 3; k++)
				*rows++ = (uint8_t)(in[colours == 3 ? k : 0] + (255 - alpha));
		}
	}
}

static enum status decode(struct reading *r, struct bytes in, struct picture *to, struct err *e)
{
	fz_context *ctx = r->ctx;
	fz_buffer *buffer = NULL;
	fz_image *image = NULL;
	fz_pixmap *pixmap = NULL;
	enum status st = ST_OK;
	fz_var(buffer);
	fz_var(image);
	fz_var(pixmap);
	fz_var(st);
	fz_try(ctx)
	{
		buffer = fz_new_buffer_from_shared_data(ctx, in.p, in.n);
		image = fz_new_image_from_buffer(ctx, buffer);
		pixmap = fz_get_unscaled_pixmap_from_image(ctx, image);
		to->width = (uint32_t)fz_pixmap_width(ctx, pixmap);
		to->height = (uint32_t)fz_pixmap_height(ctx, pixmap);
		int x = 0, y = 0;
		fz_image_resolution(image, &x, &y);
		picture_set_dpi(to, x, y);
		size_t n = 3 * (size_t)to->width * to->height;
		uint8_t *rows = picture_alloc(to, n);
		to->data = (struct bytes){rows, n};
		if (rows == NULL)
			st = picture_no_memory(e);
		else
			take_pixels(ctx, pixmap, to, rows);
	}
	fz_always(ctx)
	{
		fz_drop_pixmap(ctx, pixmap);
		fz_drop_image(ctx, image);
		fz_drop_buffer(ctx, buffer);
	}
	fz_catch(ctx) st = fz_caught(ctx) == FZ_ERROR_MEMORY ? picture_no_memory(e) : ST_ITEM;
	if (st == ST_ITEM || (st == ST_OK && r->text[0] != '\0'))
		st = err_set(e, ST_ITEM, "bmp-corrupt", "MuPDF: %s", r->text[0] == '\0' ? fz_caught_message(ctx) : r->text);
	return st;
}

/* The size that the header gives, before anything is made of it. */
static enum status check_header(struct bytes in, struct err *e)
{
	struct rd r = RD_INIT(in.p, in.n);
	rd_skip(&r, 14);
	bool old = rd_u32le(&r) == 12;
	uint32_t width = old ? rd_u16le(&r) : rd_u32le(&r), height = old ? rd_u16le(&r) : rd_u32le(&r);
	if (height > INT32_MAX) /* rows from the top */
		height = 0 - height;
	return picture_check_size("bmp", width, height, e);
}

static enum status bmp_page(const struct picture_file *f, size_t i, struct picture *to, struct err *e)
{
	(void)i;
	struct reading r = {0};
	enum status st = check_header(f->in, e);
	if (st != ST_OK)
		return st;
	r.ctx = fz_new_context(NULL, NULL, STORE);
	if (r.ctx == NULL)
		return picture_no_memory(e);
	fz_set_warning_callback(r.ctx, on_message, &r);
	fz_set_error_callback(r.ctx, on_message, &r);
	st = decode(&r, f->in, to, e);
	fz_drop_context(r.ctx);
	if (st != ST_OK)
		return st;
	to->coding = PICTURE_SAMPLES;
	to->bits = 8;
	to->components = 3;
	to->colour = PICTURE_RGB;
	to->orientation = 1;
	narrow(to);
	return ST_OK;
}

const struct picture_kind picture_bmp = {"BMP", bmp_is, picture_open_one, NULL, bmp_page};
