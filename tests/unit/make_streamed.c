/* Pictures of many samples are decoded and coded row by row: the pixels are those of the file, in whatever way they are read; what is broken is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <tiffio.h>

#include "stages/base/digest.h"
#include "stages/base/file.h"
#include "stages/image/picture.h"
#include "stages/pdf/doc.h"
#include "stages/pdf/make/make.h"

static char folder[] = "/tmp/streamed-XXXXXX", tiff[64], pdf[64];

static int start(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(tiff, sizeof tiff, "%s/a.tif", folder);
	snprintf(pdf, sizeof pdf, "%s/a.pdf", folder);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	return file_remove_tree(folder, NULL) != ST_OK;
}

/* Writes a picture in strips; the digest is that of its samples as PDF has them: 16 bit big-endian. */
static void write_tiff(uint32_t width, uint32_t height, uint16_t bits, uint16_t samples, uint16_t compression,
                       uint8_t ret_digest[32])
{
	TIFF *t = TIFFOpen(tiff, "w");
	size_t n = (size_t)width * samples * bits / 8;
	uint8_t *row = malloc(n), *swapped = malloc(n);
	struct sha256 *h = sha256_new();
	TIFFSetField(t, TIFFTAG_IMAGEWIDTH, width);
	TIFFSetField(t, TIFFTAG_IMAGELENGTH, height);
	TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, bits);
	TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, samples);
	TIFFSetField(t, TIFFTAG_PHOTOMETRIC, samples == 1 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB);
	TIFFSetField(t, TIFFTAG_COMPRESSION, compression);
	TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, 16);
	for (uint32_t y = 0; y < height; y++) {
		for (size_t i = 0; i < n; i++)
			row[i] = (uint8_t)(i / 64 * 7 + y / 3 + (i % 97 == y % 97));
		for (size_t i = 0; i < n; i++)
			swapped[i] = bits == 16 ? row[i ^ 1] : row[i];
		sha256_add(h, swapped, n);
		assert_int_equal(TIFFWriteScanline(t, row, y, 0), 1);
	}
	TIFFClose(t);
	sha256_end(h, ret_digest);
	free(row);
	free(swapped);
}

static void write_pdf(const struct picture *p)
{
	static const struct pdfmake_meta meta = {
	    .title = "a", .created = "2026-01-02T03:04:05+07:00", .part = 2, .conformance = 'B'};
	FILE *f = fopen(pdf, "wb");
	struct pdfmake *m;
	struct err e;
	assert_int_equal(pdfmake_open(f, &meta, &m, &e), ST_OK);
	assert_int_equal(pdfmake_page(m, p, NULL, NULL, &e), ST_OK);
	assert_int_equal(pdfmake_finish(m, NULL, &e), ST_OK);
	pdfmake_free(m);
	fclose(f);
}

/* The page's picture: by the reader of PDF, all at once, and row by row. */
static void read_back(const struct picture *p, bool predicts, const uint8_t digest[32])
{
	struct file_map m;
	struct pdfdoc *d;
	struct err e;
	uint32_t page;
	uint8_t found[32];
	assert_int_equal(file_map_open(pdf, &m, &e), ST_OK);
	assert_int_equal(pdfdoc_open(m.in, &d, &e), ST_OK);
	assert_int_equal(pdfdoc_page(d, 0, &page, &e), ST_OK);
	const struct pdfobj *image = pdfobj_value(pdfobj_get(pdfdoc_page_attribute(d, page, "Resources"), "XObject"), 0);
	BUF_AUTO struct buf samples = BUF_INIT((size_t)1 << 28);
	assert_int_equal(pdfobj_stream(image, &samples, &e), ST_OK);
	sha256_bytes(samples.data, samples.len, found);
	assert_memory_equal(found, digest, 32);
	struct picture coded = {.coding = PICTURE_FLATE,
	                        .data = pdfobj_stream_raw(image),
	                        .width = p->width,
	                        .height = p->height,
	                        .bits = p->bits,
	                        .components = p->components,
	                        .colour = p->colour,
	                        .orientation = 1};
	if (predicts) {
		assert_int_equal(picture_digest(&coded, found, &e), ST_OK);
		assert_memory_equal(found, digest, 32);
		struct bytes whole = coded.data;
		coded.data.n = whole.n / 2;
		assert_int_equal(picture_digest(&coded, found, &e), ST_ITEM);
		assert_string_equal(e.code, "png-corrupt");
		coded.data = whole;
		coded.height -= 1;
		assert_int_equal(picture_digest(&coded, found, &e), ST_ITEM);
		assert_string_equal(e.code, "png-corrupt");
	}
	pdfdoc_close(d);
	file_map_close(&m);
}

static void pixels_are_kept(void **state)
{
	(void)state;
	static const struct {
		uint32_t width, height;
		uint16_t bits, samples, compression;
	} rows[] = {
	    {3600, 3200, 8, 3, COMPRESSION_LZW},
	    {3600, 1600, 16, 3, COMPRESSION_ADOBE_DEFLATE},
	    {20000, 16000, 1, 1, COMPRESSION_PACKBITS},
	    {6000, 6000, 8, 1, COMPRESSION_NONE},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t digest[32], found[32];
		struct picture_file *f;
		struct picture p;
		struct err e = {0};
		write_tiff(rows[i].width, rows[i].height, rows[i].bits, rows[i].samples, rows[i].compression, digest);
		assert_int_equal(picture_open(tiff, &f, &e), ST_OK);
		assert_int_equal(picture_page(f, 0, &p, &e), ST_OK);
		assert_true(p.decode != NULL && p.data.p == NULL);
		assert_int_equal(picture_digest(&p, found, &e), ST_OK);
		assert_memory_equal(found, digest, 32);
		p.dpi_x = p.dpi_y = 300;
		write_pdf(&p);
		read_back(&p, rows[i].bits >= 8, digest);
		picture_drop(&p);
		picture_close(f);
	}
}

static void what_ends_early_is_found(void **state)
{
	(void)state;
	struct file_map m;
	struct picture_file *f;
	struct picture p;
	struct err e = {0};
	uint8_t digest[32];
	/* The data of a strip is made another: LZW that leads nowhere. */
	write_tiff(3600, 3200, 8, 3, COMPRESSION_LZW, digest);
	assert_int_equal(file_map_open(tiff, &m, &e), ST_OK);
	uint8_t *copy = malloc(m.in.n);
	memcpy(copy, m.in.p, m.in.n);
	memset(copy + m.in.n / 2, 0xFF, 4000);
	assert_int_equal(picture_open_bytes((struct bytes){copy, m.in.n}, &f, &e), ST_OK);
	assert_int_equal(picture_page(f, 0, &p, &e), ST_OK);
	assert_int_equal(picture_digest(&p, digest, &e), ST_ITEM);
	assert_string_equal(e.code, "tiff-corrupt");
	picture_drop(&p);
	picture_close(f);
	free(copy);
	file_map_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(pixels_are_kept), cmocka_unit_test(what_ends_early_is_found)};
	return cmocka_run_group_tests(tests, start, stop);
}
