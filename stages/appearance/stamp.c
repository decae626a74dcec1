#include "stages/appearance/stamp.h"

#include <libdeflate.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/file.h"
#include "stages/image/picture.h"
#include "stages/pdfa/icc.h"

#define FILE_MAX (32u << 20)

struct stamp {
	uint32_t width, height; /* pixels */
	double dpi_x, dpi_y;
	uint8_t *rgb, *alpha; /* 8 bit, without gaps */
};

static enum status unfit(struct err *e, const char *path, const char *why)
{
	err_set(e, ST_RUN, "stamp-picture", "%s: %s", path, why);
	err_arg(e, "%s", path);
	return err_where(e, "%s", path);
}

/* The resolution, by the reader of pictures, which checks the file as well. */
static enum status read_resolution(struct bytes in, struct stamp *s, struct err *e)
{
	struct picture_file *f = NULL;
	struct picture p;
	enum status st = picture_open_bytes(in, &f, e);
	if (st == ST_OK)
		st = picture_page(f, 0, &p, e);
	if (st == ST_OK) {
		s->dpi_x = p.dpi_x;
		s->dpi_y = p.dpi_y;
		picture_drop(&p);
	}
	picture_close(f);
	return st;
}

static bool split(struct stamp *s, const uint8_t *rgba)
{
	size_t n = (size_t)s->width * s->height;
	s->rgb = malloc(3 * n);
	s->alpha = malloc(n);
	if (s->rgb == NULL || s->alpha == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		s->alpha[i] = rgba[4 * i + 3];
		/* What nobody sees is white, for readers that know no masks. */
		for (size_t k = 0; k < 3; k++)
			s->rgb[3 * i + k] = s->alpha[i] == 0 ? 0xFF : rgba[4 * i + k];
	}
	return true;
}

static enum status read_pixels(struct bytes in, const char *path, struct stamp *s, struct err *e)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	uint8_t *rgba = NULL;
	enum status st = ST_OK;
	if (png_image_begin_read_from_memory(&image, in.p, in.n) == 0)
		return unfit(e, path, image.message);
	image.format = PNG_FORMAT_RGBA;
	s->width = image.width;
	s->height = image.height;
	if (image.width > STAMP_MAX_PIXELS || image.height > STAMP_MAX_PIXELS)
		st = unfit(e, path, "too many pixels");
	else if ((rgba = malloc(PNG_IMAGE_SIZE(image))) == NULL)
		st = err_set(e, ST_RETRY, "memory", "no memory for a picture");
	else if (png_image_finish_read(&image, NULL, rgba, 0, NULL) == 0)
		st = unfit(e, path, image.message);
	else if (!split(s, rgba))
		st = err_set(e, ST_RETRY, "memory", "no memory for a picture");
	png_image_free(&image);
	free(rgba);
	return st;
}

enum status stamp_read(const char *path, struct stamp **ret_stamp, struct err *e)
{
	BUF_AUTO struct buf file = BUF_INIT(FILE_MAX);
	struct err why;
	struct stamp *s = calloc(1, sizeof *s);
	if (s == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for a picture");
	enum status st = file_read(path, &file, &why);
	struct bytes in = {file.data, file.len};
	bool png = st == ST_OK && in.n >= 8 && memcmp(in.p, "\x89PNG\r\n\x1A\n", 8) == 0;
	if (png)
		st = read_resolution(in, s, &why);
	if (st != ST_OK || !png)
		st = unfit(e, path, st != ST_OK ? why.detail : "it is no PNG");
	else if (s->dpi_x <= 0 || s->dpi_y <= 0)
		st = unfit(e, path, "it does not say its resolution (pHYs), so its real size is not known");
	else
		st = read_pixels(in, path, s, e);
	if (st != ST_OK) {
		stamp_free(s);
		return st;
	}
	*ret_stamp = s;
	return ST_OK;
}

void stamp_free(struct stamp *s)
{
	if (s == NULL)
		return;
	free(s->rgb);
	free(s->alpha);
	free(s);
}

double stamp_width(const struct stamp *s)
{
	return s->width / s->dpi_x * 72;
}

double stamp_height(const struct stamp *s)
{
	return s->height / s->dpi_y * 72;
}

/* A stream by Flate; dict is the inside of its dictionary without Filter and Length. 0: no memory. */
static uint32_t put_stream(struct pdfupd *u, const char *dict, const uint8_t *p, size_t n)
{
	BUF_AUTO struct buf whole = BUF_INIT(4096);
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(9);
	size_t room = c == NULL ? 0 : libdeflate_zlib_compress_bound(c, n), made = 0;
	uint8_t *to = c == NULL ? NULL : malloc(room);
	if (to != NULL)
		made = libdeflate_zlib_compress(c, p, n, to, room);
	libdeflate_free_compressor(c);
	uint32_t number = made == 0 ? 0 : pdfupd_allocate(u);
	buf_format(&whole, "%s/Filter/FlateDecode", dict);
	if (number != 0)
		pdfupd_set_stream(u, number, (const char *)whole.data, to, made);
	free(to);
	return number;
}

/* 1 is what is not painted (ISO 32000-1, 8.9.6.3). */
static uint32_t put_explicit_mask(const struct stamp *s, const char *size, struct pdfupd *u)
{
	size_t row = (s->width + 7) / 8;
	uint8_t *bits = calloc(s->height, row);
	char dict[160];
	for (size_t y = 0; bits != NULL && y < s->height; y++)
		for (size_t x = 0; x < s->width; x++)
			if (s->alpha[y * s->width + x] < 128)
				bits[y * row + x / 8] |= (uint8_t)(0x80 >> x % 8);
	snprintf(dict, sizeof dict, "/Type/XObject/Subtype/Image%s/ImageMask true/BitsPerComponent 1", size);
	uint32_t mask = bits == NULL ? 0 : put_stream(u, dict, bits, row * s->height);
	free(bits);
	return mask;
}

/* sRGB: by a profile; where only PDF 1.4 is permitted, which has none of version 4 (ISO 19005-1, 6.2.3.2), by its primaries and a gamma. */
static enum status put_space(bool profiled, struct pdfupd *u, char *to, size_t room, struct err *e)
{
	BUF_AUTO struct buf profile = BUF_INIT(1u << 20);
	if (!profiled) {
		snprintf(to, room,
		         "[/CalRGB<</WhitePoint[0.9505 1 1.089]/Gamma[2.2 2.2 2.2]"
		         "/Matrix[0.4124 0.2126 0.0193 0.3576 0.7152 0.1192 0.1805 0.0722 0.9505]>>]");
		return ST_OK;
	}
	enum status st = icc_make(ICC_SRGB, &profile, e);
	uint32_t number = st == ST_OK ? put_stream(u, "/N 3", profile.data, profile.len) : 0;
	snprintf(to, room, "[/ICCBased %u 0 R]", number);
	return st != ST_OK || number != 0 ? st : err_set(e, ST_RETRY, "memory", "no memory for a profile");
}

enum status stamp_write(const struct stamp *s, bool soft, struct pdfupd *u, uint32_t *ret_image, struct err *e)
{
	size_t n = (size_t)s->width * s->height;
	char size[64], space[200], dict[400];
	enum status st = put_space(soft, u, space, sizeof space, e);
	if (st != ST_OK)
		return st;
	snprintf(size, sizeof size, "/Width %u/Height %u", s->width, s->height);
	snprintf(dict, sizeof dict, "/Type/XObject/Subtype/Image%s/ColorSpace/DeviceGray/BitsPerComponent 8", size);
	uint32_t mask = soft ? put_stream(u, dict, s->alpha, n) : put_explicit_mask(s, size, u);
	snprintf(dict, sizeof dict, "/Type/XObject/Subtype/Image%s/ColorSpace%s/BitsPerComponent 8/%s %u 0 R", size, space,
	         soft ? "SMask" : "Mask", mask);
	*ret_image = mask == 0 ? 0 : put_stream(u, dict, s->rgb, 3 * n);
	return *ret_image != 0 ? ST_OK : err_set(e, ST_RETRY, "memory", "no memory for a picture");
}
