#include "tests/unit/image_samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jpeglib.h>
#include <png.h>
#include <tiffio.h>

#include "stages/base/file.h"

unsigned sample_at(uint32_t x, uint32_t y, unsigned k, unsigned bits)
{
	unsigned v = (x * 37 + y * 101 + k * 59 + (x * y) % 13 * 1009) & 0xFFFF;
	return bits == 1 ? (x / 3 + y / 5) % 2 : v & ((1u << bits) - 1);
}

void sample_rows(uint32_t width, uint32_t height, unsigned components, unsigned bits, struct buf *to)
{
	size_t row = ((size_t)width * components * bits + 7) / 8;
	uint8_t *p = buf_reserve(to, row * height);
	memset(p, 0, row * height);
	for (uint32_t y = 0; y < height; y++) {
		for (uint32_t i = 0; i < width * components; i++) {
			unsigned v = sample_at(i / components, y, i % components, bits);
			for (unsigned b = 0; b < bits; b++) {
				size_t at = (size_t)i * bits + b;
				p[y * row + at / 8] = (uint8_t)(p[y * row + at / 8] | (v >> (bits - 1 - b) & 1) << (7 - at % 8));
			}
		}
	}
	to->len += row * height;
}

void make_jpeg(uint32_t width, uint32_t height, int components, bool progressive, struct buf *to)
{
	struct jpeg_compress_struct c;
	struct jpeg_error_mgr err;
	BUF_AUTO struct buf rows = BUF_INIT(16u << 20);
	unsigned char *out = NULL;
	unsigned long n = 0;
	sample_rows(width, height, (unsigned)components, 8, &rows);
	c.err = jpeg_std_error(&err);
	jpeg_create_compress(&c);
	jpeg_mem_dest(&c, &out, &n);
	c.image_width = width;
	c.image_height = height;
	c.input_components = components;
	c.in_color_space = components == 1 ? JCS_GRAYSCALE : components == 3 ? JCS_RGB : JCS_CMYK;
	jpeg_set_defaults(&c);
	c.density_unit = 1;
	c.X_density = c.Y_density = 200;
	if (progressive)
		jpeg_simple_progression(&c);
	jpeg_start_compress(&c, TRUE);
	for (uint32_t y = 0; y < height; y++) {
		JSAMPROW row = rows.data + (size_t)y * width * (size_t)components;
		jpeg_write_scanlines(&c, &row, 1);
	}
	jpeg_finish_compress(&c);
	jpeg_destroy_compress(&c);
	buf_add(to, out, n);
	free(out);
}

static void png_put(png_structp png, png_bytep p, size_t n)
{
	buf_add(png_get_io_ptr(png), p, n);
}

static void png_flush_nothing(png_structp png)
{
	(void)png;
}

void make_png(uint32_t width, uint32_t height, int bits, int colour_type, bool interlaced, struct buf *to)
{
	static const unsigned components[] = {1, 0, 3, 1, 2, 0, 4};
	BUF_AUTO struct buf rows = BUF_INIT(16u << 20);
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	png_color palette[256];
	png_bytep index[1024];
	sample_rows(width, height, components[colour_type], (unsigned)bits, &rows);
	for (unsigned i = 0; i < 256; i++)
		palette[i] = (png_color){(png_byte)i, (png_byte)(255 - i), (png_byte)(i * 7)};
	for (uint32_t y = 0; y < height; y++)
		index[y] = rows.data + y * (rows.len / height);
	png_set_write_fn(png, to, png_put, png_flush_nothing);
	png_set_IHDR(png, info, width, height, bits, colour_type, interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, 0, 0);
	if (colour_type == PNG_COLOR_TYPE_PALETTE)
		png_set_PLTE(png, info, palette, 1 << bits);
	png_set_pHYs(png, info, 11811, 11811, PNG_RESOLUTION_METER);
	png_set_filter(png, 0, PNG_ALL_FILTERS);
	png_write_info(png, info);
	png_write_image(png, index);
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
}

static void write_planes(TIFF *t, const struct tiff_recipe *r)
{
	bool separate = r->planar == PLANARCONFIG_SEPARATE;
	unsigned planes = separate ? r->samples : 1, samples = separate ? 1 : r->samples;
	size_t row = ((size_t)r->width * samples * r->bits + 7) / 8;
	uint8_t *line = calloc(1, row + 16), *tile = calloc(32 * 32 * 16, 1);
	for (unsigned plane = 0; plane < planes; plane++) {
		for (uint32_t ty = 0; r->rows_per_strip == 0 && ty < r->height; ty += 32) {
			for (uint32_t tx = 0; tx < r->width; tx += 32) {
				size_t n = (size_t)TIFFTileSize(t);
				for (size_t i = 0; i < (size_t)32 * 32 * samples; i++)
					tile[i] = (uint8_t)sample_at(tx + (uint32_t)(i / samples % 32),
					                             ty + (uint32_t)(i / samples / 32),
					                             plane + (unsigned)(i % samples), 8);
				TIFFWriteEncodedTile(t, TIFFComputeTile(t, tx, ty, 0, (uint16_t)plane), tile, (tmsize_t)n);
			}
		}
		for (uint32_t y = 0; r->rows_per_strip != 0 && y < r->height; y++) {
			memset(line, 0, row);
			for (uint32_t i = 0; i < r->width * samples; i++) {
				unsigned v = sample_at(i / samples, y, plane + i % samples, r->bits);
				if (r->bits == 16) {
					uint16_t v16 = (uint16_t)v;
					memcpy(line + 2 * i, &v16, 2);
					continue;
				}
				for (unsigned b = 0; b < r->bits; b++) {
					size_t at = (size_t)i * r->bits + b;
					line[at / 8] = (uint8_t)(line[at / 8] | (v >> (r->bits - 1 - b) & 1) << (7 - at % 8));
				}
			}
			TIFFWriteScanline(t, line, y, (uint16_t)plane);
		}
	}
	free(line);
	free(tile);
}

static void write_directory(TIFF *t, const struct tiff_recipe *r, bool thumbnail)
{
	TIFFSetField(t, TIFFTAG_IMAGEWIDTH, r->width);
	TIFFSetField(t, TIFFTAG_IMAGELENGTH, r->height);
	TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, r->bits);
	TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, r->samples);
	TIFFSetField(t, TIFFTAG_PHOTOMETRIC, r->photometric);
	TIFFSetField(t, TIFFTAG_COMPRESSION, r->compression);
	TIFFSetField(t, TIFFTAG_PLANARCONFIG, r->planar == 0 ? PLANARCONFIG_CONTIG : r->planar);
	if (r->photometric == PHOTOMETRIC_YCBCR)
		TIFFSetField(t, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
	if (r->reversed)
		TIFFSetField(t, TIFFTAG_FILLORDER, FILLORDER_LSB2MSB);
	if (r->orientation != 0)
		TIFFSetField(t, TIFFTAG_ORIENTATION, r->orientation);
	if (r->alpha)
		TIFFSetField(t, TIFFTAG_EXTRASAMPLES, 1, (uint16_t[]){EXTRASAMPLE_UNASSALPHA});
	if (r->photometric == PHOTOMETRIC_PALETTE) {
		uint16_t c[3][256];
		for (unsigned i = 0; i < 256; i++) {
			c[0][i] = (uint16_t)(i << 8);
			c[1][i] = (uint16_t)((255 - i) << 8);
			c[2][i] = (uint16_t)(i * 3 << 8);
		}
		TIFFSetField(t, TIFFTAG_COLORMAP, c[0], c[1], c[2]);
	}
	if (thumbnail)
		TIFFSetField(t, TIFFTAG_SUBFILETYPE, FILETYPE_REDUCEDIMAGE);
	TIFFSetField(t, TIFFTAG_XRESOLUTION, 300.0);
	TIFFSetField(t, TIFFTAG_YRESOLUTION, 200.0);
	TIFFSetField(t, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
	if (r->rows_per_strip == 0) {
		TIFFSetField(t, TIFFTAG_TILEWIDTH, 32);
		TIFFSetField(t, TIFFTAG_TILELENGTH, 32);
	} else {
		TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, r->rows_per_strip);
	}
}

void make_tiff(const struct tiff_recipe *r, struct buf *to)
{
	char path[] = "/tmp/arkseal-test-XXXXXX";
	int fd = mkstemp(path);
	TIFF *t = fd < 0 ? NULL : TIFFFdOpen(fd, path, r->mode == NULL ? "w" : r->mode);
	for (unsigned i = 0; t != NULL && i < (r->pages == 0 ? 1 : r->pages); i++) {
		write_directory(t, r, r->pages == 3 && i == 1);
		write_planes(t, r);
		TIFFWriteDirectory(t);
	}
	if (t != NULL)
		TIFFClose(t);
	file_read(path, to, NULL);
	unlink(path);
}
