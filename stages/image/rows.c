/* Decoded rows of each coding. */
#include <stdlib.h>
#include <string.h>

#include <libdeflate.h>
#include <zlib.h>

#include "stages/image/internal.h"

bool inflate_exactly(struct bytes data, uint8_t *to, size_t n, size_t *ret_used)
{
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	if (d == NULL)
		return false;
	size_t got = 0;
	enum libdeflate_result r = libdeflate_zlib_decompress_ex(d, data.p, data.n, to, n, ret_used, &got);
	libdeflate_free_decompressor(d);
	return r == LIBDEFLATE_SUCCESS && got == n;
}

static uint8_t paeth(unsigned left, unsigned up, unsigned corner)
{
	int p = (int)left + (int)up - (int)corner;
	int a = abs(p - (int)left), b = abs(p - (int)up), c = abs(p - (int)corner);
	return (uint8_t)(a <= b && a <= c ? left : b <= c ? up : corner);
}

static bool unfilter_row(uint8_t filter, uint8_t *row, const uint8_t *above, size_t n, size_t bpp)
{
	switch (filter) {
	case 0:
		return true;
	case 1:
		for (size_t i = bpp; i < n; i++)
			row[i] = (uint8_t)(row[i] + row[i - bpp]);
		return true;
	case 2:
		for (size_t i = 0; i < n; i++)
			row[i] = (uint8_t)(row[i] + above[i]);
		return true;
	case 3:
		for (size_t i = 0; i < n; i++)
			row[i] = (uint8_t)(row[i] + ((i < bpp ? 0u : row[i - bpp]) + above[i]) / 2);
		return true;
	case 4:
		for (size_t i = 0; i < n; i++)
			row[i] = (uint8_t)(row[i] + (i < bpp ? above[i] : paeth(row[i - bpp], above[i], above[i - bpp])));
		return true;
	default:
		return false;
	}
}

bool png_unfilter(uint8_t *rows, uint32_t height, size_t row_bytes, size_t pixel_bytes)
{
	uint8_t *zero = calloc(1, row_bytes);
	if (zero == NULL)
		return false;
	const uint8_t *above = zero;
	bool ok = true;
	for (uint32_t y = 0; y < height && ok; y++) {
		uint8_t *row = rows + (size_t)y * (row_bytes + 1);
		ok = unfilter_row(row[0], row + 1, above, row_bytes, pixel_bytes);
		above = row + 1;
	}
	free(zero);
	return ok;
}

/* Rows that lie `stride` bytes apart. */
static enum status each_row(const uint8_t *rows, size_t stride, uint32_t height, picture_row *each, void *arg, struct err *e)
{
	enum status st = ST_OK;
	for (uint32_t y = 0; y < height && st == ST_OK; y++)
		st = each(arg, y, rows + y * stride, e);
	return st;
}

/* Inflates one row after the other. lines: two rows with their filters. */
static enum status inflate_rows(z_stream *z, const struct picture *p, size_t row, uint8_t *lines, picture_row *each, void *arg,
                                struct err *e)
{
	size_t pixel = (size_t)p->components * p->bits / 8, at = 0;
	uint8_t *above = lines, *line = lines + row + 1;
	enum status st = ST_OK;
	int state = Z_OK;
	memset(above, 0, row + 1);
	for (uint32_t y = 0; st == ST_OK && y < p->height; y++) {
		z->next_out = line;
		z->avail_out = (uInt)(row + 1);
		while (state == Z_OK && z->avail_out > 0) {
			if (z->avail_in == 0) {
				size_t left = p->data.n - at, step = left < (1u << 30) ? left : 1u << 30;
				z->next_in = (Bytef *)(uintptr_t)(p->data.p + at);
				z->avail_in = (uInt)step;
				at += step;
			}
			state = inflate(z, Z_NO_FLUSH);
		}
		if (z->avail_out > 0 || !unfilter_row(line[0], line + 1, above + 1, row, pixel == 0 ? 1 : pixel))
			st = err_set(e, ST_ITEM, "png-corrupt", "the compressed data is broken or too short");
		else
			st = each(arg, y, line + 1, e);
		uint8_t *free_line = above;
		above = line;
		line = free_line;
	}
	/* The stream ends with the last row. */
	z->next_out = line;
	z->avail_out = 1;
	if (st == ST_OK && state == Z_OK)
		state = inflate(z, Z_FINISH);
	if (st == ST_OK && (state != Z_STREAM_END || z->avail_out != 1))
		st = err_set(e, ST_ITEM, "png-corrupt", "the compressed data is broken or too long");
	return st;
}

static enum status streamed_rows(const struct picture *p, size_t row, picture_row *each, void *arg, struct err *e)
{
	z_stream z = {0};
	uint8_t *lines = row < UINT32_MAX / 2 ? malloc(2 * (row + 1)) : NULL;
	enum status st = lines == NULL || inflateInit(&z) != Z_OK ? picture_no_memory(e) : ST_OK;
	if (st == ST_OK) {
		st = inflate_rows(&z, p, row, lines, each, arg, e);
		inflateEnd(&z);
	}
	free(lines);
	return st;
}

static enum status flate_rows(const struct picture *p, size_t row, picture_row *each, void *arg, struct err *e)
{
	size_t n = (row + 1) * p->height, used, pixel = (size_t)p->components * p->bits / 8;
	if (n > PICTURE_STREAMED)
		return streamed_rows(p, row, each, arg, e);
	uint8_t *to = malloc(n);
	if (to == NULL)
		return picture_no_memory(e);
	enum status st;
	if (!inflate_exactly(p->data, to, n, &used) || !png_unfilter(to, p->height, row, pixel == 0 ? 1 : pixel))
		st = err_set(e, ST_ITEM, "png-corrupt", "the compressed data is broken or too short");
	else
		st = each_row(to + 1, row + 1, p->height, each, arg, e);
	free(to);
	return st;
}

static enum status ccitt_rows(const struct picture *p, size_t row, picture_row *each, void *arg, struct err *e)
{
	uint8_t *to = malloc(row * p->height);
	if (to == NULL)
		return picture_no_memory(e);
	enum status st = ccitt_decode(p, to, e);
	if (st == ST_OK)
		st = each_row(to, row, p->height, each, arg, e);
	free(to);
	return st;
}

enum status picture_rows(const struct picture *p, picture_row *each, void *arg, struct err *e)
{
	uint64_t row = picture_row_bytes(p->width, p->components, p->bits);
	enum status st = picture_check_size("picture", p->width, p->height, e);
	if (st != ST_OK)
		return st;
	if (p->decode != NULL)
		return p->decode(p, each, arg, e);
	if (p->coding == PICTURE_DCT)
		return jpeg_rows(p, JPEG_ROWS, each, arg, e);
	if (p->coding == PICTURE_JPX)
		return jpeg2000_rows(p, each, arg, e);
	if (p->coding == PICTURE_JBIG2)
		return jbig2_rows(p, each, arg, e);
	if ((row + 1) * p->height > PICTURE_MAX_BYTES)
		return err_set(e, ST_ITEM, "picture-too-large", "%llu bytes of samples", (unsigned long long)(row * p->height));
	if (p->coding == PICTURE_FLATE)
		return flate_rows(p, (size_t)row, each, arg, e);
	if (p->coding == PICTURE_CCITT)
		return ccitt_rows(p, (size_t)row, each, arg, e);
	if (p->data.n < row * p->height)
		return err_set(e, ST_ITEM, "picture-syntax", "%zu bytes of samples are too few", p->data.n);
	return each_row(p->data.p, (size_t)row, p->height, each, arg, e);
}
