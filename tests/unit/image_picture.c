/* Pictures of every kind come out with the samples that went in; what is broken is refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <tiffio.h>

#include "stages/base/digest.h"
#include "stages/image/picture.h"
#include "tests/unit/image_samples.h"

/* Opens and takes page `page`; returns the code of the fault or "". */
static const char *take(const struct buf *b, size_t page, struct picture_file **ret_file, struct picture *ret, struct err *e)
{
	static const uint8_t nothing[1];
	memset(e, 0, sizeof *e);
	*ret_file = NULL;
	if (picture_open_bytes((struct bytes){b->len == 0 ? nothing : b->data, b->len}, ret_file, e) != ST_OK)
		return e->code;
	return picture_page(*ret_file, page, ret, e) == ST_OK ? "" : e->code;
}

static void assert_samples(const struct picture *p, unsigned components, unsigned bits)
{
	BUF_AUTO struct buf want = BUF_INIT(16u << 20);
	uint8_t a[32], b[32];
	struct err e = {0};
	sample_rows(p->width, p->height, components, bits, &want);
	sha256_bytes(want.data, want.len, a);
	assert_int_equal(p->components, components);
	assert_int_equal(p->bits, bits);
	assert_int_equal(picture_digest(p, b, &e), ST_OK);
	assert_memory_equal(a, b, 32);
}

static void test_jpeg(void **state)
{
	static const struct {
		int components;
		bool progressive;
		enum picture_colour colour;
	} cases[] = {{1, false, PICTURE_GREY}, {3, false, PICTURE_RGB}, {3, true, PICTURE_RGB}, {4, false, PICTURE_CMYK}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		BUF_AUTO struct buf b = BUF_INIT(16u << 20);
		struct picture_file *f;
		struct picture p;
		struct err e;
		uint8_t *grey;
		uint32_t w, h;
		make_jpeg(61, 47, cases[i].components, cases[i].progressive, &b);
		size_t whole = b.len;
		buf_str(&b, "bytes after the end");
		assert_string_equal(take(&b, 0, &f, &p, &e), "");
		assert_int_equal(p.coding, PICTURE_DCT);
		assert_int_equal(p.data.n, whole);
		assert_memory_equal(p.data.p, b.data, whole);
		assert_int_equal(p.colour, cases[i].colour);
		assert_int_equal(p.inverted, cases[i].components == 4);
		if (cases[i].components < 4)
			assert_int_equal((int)p.dpi_x, 200);
		assert_int_equal(picture_pixels(&p, 1, 1u << 20, &grey, &w, &h, &e), ST_OK);
		assert_int_equal(w, 61);
		free(grey);
		assert_int_equal(picture_pixels(&p, 1, 61 * 47 - 1, &grey, &w, &h, &e), ST_ITEM);
		assert_string_equal(e.code, "picture-too-large");
		picture_drop(&p);
		picture_close(f);
	}
}

/* Every cut of a JPEG is noticed. */
static void test_jpeg_cut(void **state)
{
	(void)state;
	for (int progressive = 0; progressive < 2; progressive++) {
		BUF_AUTO struct buf b = BUF_INIT(16u << 20);
		make_jpeg(61, 47, 3, progressive == 1, &b);
		size_t whole = b.len;
		for (b.len = 3; b.len < whole; b.len += b.len < 700 ? 1 : 37) {
			struct picture_file *f;
			struct picture p = {0};
			struct err e;
			assert_string_equal(take(&b, 0, &f, &p, &e), "jpeg-truncated");
			picture_close(f);
		}
		/* An EOI pasted onto the cut file helps nobody. */
		b.len = whole - whole / 3;
		buf_add(&b, "\xFF\xD9", 2);
		struct picture_file *f;
		struct picture p = {0};
		struct err e;
		assert_string_equal(take(&b, 0, &f, &p, &e), "jpeg-truncated");
		picture_close(f);
	}
}

static void test_png(void **state)
{
	static const struct {
		int bits, type;
		bool interlaced;
		unsigned components;
		enum picture_coding coding;
		enum picture_colour colour;
	} cases[] = {{1, 0, false, 1, PICTURE_FLATE, PICTURE_GREY},     {2, 0, false, 1, PICTURE_FLATE, PICTURE_GREY},
	             {4, 0, false, 1, PICTURE_FLATE, PICTURE_GREY},     {8, 0, false, 1, PICTURE_FLATE, PICTURE_GREY},
	             {16, 0, false, 1, PICTURE_FLATE, PICTURE_GREY},    {8, 2, false, 3, PICTURE_FLATE, PICTURE_RGB},
	             {16, 2, false, 3, PICTURE_FLATE, PICTURE_RGB},     {1, 3, false, 1, PICTURE_FLATE, PICTURE_INDEXED},
	             {4, 3, false, 1, PICTURE_FLATE, PICTURE_INDEXED},  {8, 3, false, 1, PICTURE_FLATE, PICTURE_INDEXED},
	             {8, 2, true, 3, PICTURE_SAMPLES, PICTURE_RGB},     {16, 0, true, 1, PICTURE_SAMPLES, PICTURE_GREY},
	             {2, 3, true, 1, PICTURE_SAMPLES, PICTURE_INDEXED}, {1, 0, true, 1, PICTURE_SAMPLES, PICTURE_GREY}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		BUF_AUTO struct buf b = BUF_INIT(16u << 20);
		struct picture_file *f;
		struct picture p;
		struct err e;
		make_png(61, 47, cases[i].bits, cases[i].type, cases[i].interlaced, &b);
		assert_string_equal(take(&b, 0, &f, &p, &e), "");
		assert_int_equal(p.coding, cases[i].coding);
		assert_int_equal(p.colour, cases[i].colour);
		assert_int_equal((int)(p.dpi_x + 0.5), 300);
		assert_false(p.flattened);
		assert_samples(&p, cases[i].components, (unsigned)cases[i].bits);
		picture_drop(&p);
		picture_close(f);
		/* One bit turned in the picture data, and a cut. */
		b.data[b.len - 20] ^= 0x10;
		assert_string_equal(take(&b, 0, &f, &p, &e), "png-corrupt");
		picture_close(f);
		b.data[b.len - 20] ^= 0x10;
		b.len -= 12;
		assert_string_equal(take(&b, 0, &f, &p, &e), "png-truncated");
		picture_close(f);
	}
}

/* Alpha is laid over white. */
static void test_png_alpha(void **state)
{
	(void)state;
	for (int bits = 8; bits <= 16; bits += 8) {
		BUF_AUTO struct buf b = BUF_INIT(16u << 20);
		struct picture_file *f;
		struct picture p;
		struct err e;
		unsigned full = (1u << bits) - 1;
		make_png(21, 17, bits, 6, bits == 16, &b);
		assert_string_equal(take(&b, 0, &f, &p, &e), "");
		assert_true(p.flattened);
		assert_int_equal(p.components, 3);
		for (uint32_t i = 0; i < 21 * 17 * 3; i++) {
			uint32_t x = i / 3 % 21, y = i / 3 / 21;
			uint64_t v = sample_at(x, y, i % 3, (unsigned)bits), a = sample_at(x, y, 3, (unsigned)bits);
			unsigned want = (unsigned)((v * a + (uint64_t)full * (full - a) + full / 2) / full);
			unsigned got = bits == 8 ? p.data.p[i] : (unsigned)(p.data.p[2 * i] << 8 | p.data.p[2 * i + 1]);
			assert_int_equal(got, want);
		}
		picture_drop(&p);
		picture_close(f);
	}
}

static void test_tiff(void **state)
{
	enum { BW = PHOTOMETRIC_MINISBLACK, WB = PHOTOMETRIC_MINISWHITE, RGB = PHOTOMETRIC_RGB, PAL = PHOTOMETRIC_PALETTE };
	static const struct {
		struct tiff_recipe r;
		enum picture_coding coding;
	} cases[] = {
	    {{61, 47, 47, 1, 1, WB, COMPRESSION_CCITTFAX4, 0, 0, 0, 0, NULL, 0}, PICTURE_CCITT},
	    {{61, 47, 47, 1, 1, BW, COMPRESSION_CCITTFAX4, 0, 0, 0, 0, NULL, 0}, PICTURE_CCITT},
	    {{61, 47, 47, 1, 1, WB, COMPRESSION_CCITTFAX4, 0, 0, 0, 1, NULL, 0}, PICTURE_CCITT},
	    {{61, 47, 10, 1, 1, WB, COMPRESSION_CCITTFAX4, 0, 0, 0, 0, NULL, 0}, PICTURE_SAMPLES},
	    {{61, 47, 47, 1, 1, WB, COMPRESSION_CCITTFAX3, 0, 0, 0, 0, NULL, 0}, PICTURE_CCITT},
	    {{61, 47, 47, 1, 1, WB, COMPRESSION_CCITTRLE, 0, 0, 0, 0, NULL, 0}, PICTURE_CCITT},
	    {{61, 47, 9, 1, 1, BW, COMPRESSION_LZW, 0, 0, 0, 0, "wb", 0}, PICTURE_SAMPLES},
	    {{61, 47, 9, 2, 1, BW, COMPRESSION_NONE, 0, 0, 0, 0, NULL, 0}, PICTURE_SAMPLES},
	    {{61, 47, 9, 4, 1, PAL, COMPRESSION_PACKBITS, 0, 0, 0, 0, NULL, 0}, PICTURE_SAMPLES},
	    {{61, 47, 9, 8, 1, WB, COMPRESSION_ADOBE_DEFLATE, 0, 0, 0, 0, "w8", 0}, PICTURE_SAMPLES},
	    {{61, 47, 9, 16, 1, BW, COMPRESSION_LZW, 0, 0, 0, 0, "wb", 0}, PICTURE_SAMPLES},
	    {{61, 47, 9, 8, 3, RGB, COMPRESSION_LZW, 0, 0, 0, 0, NULL, 0}, PICTURE_SAMPLES},
	    {{61, 47, 9, 8, 3, RGB, COMPRESSION_NONE, PLANARCONFIG_SEPARATE, 0, 0, 0, NULL, 0}, PICTURE_SAMPLES},
	    {{61, 47, 9, 16, 3, RGB, COMPRESSION_LZW, PLANARCONFIG_SEPARATE, 0, 0, 0, NULL, 0}, PICTURE_SAMPLES},
	    {{61, 47, 0, 8, 3, RGB, COMPRESSION_LZW, 0, 0, 0, 0, NULL, 0}, PICTURE_SAMPLES},
	    {{61, 47, 0, 8, 3, RGB, COMPRESSION_NONE, PLANARCONFIG_SEPARATE, 0, 0, 0, NULL, 0}, PICTURE_SAMPLES},
	    {{61, 47, 9, 8, 4, PHOTOMETRIC_SEPARATED, COMPRESSION_LZW, 0, 0, 0, 0, NULL, 0}, PICTURE_SAMPLES},
	    {{61, 47, 9, 8, 3, RGB, COMPRESSION_LZW, 0, 6, 0, 0, NULL, 3}, PICTURE_SAMPLES},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct tiff_recipe *r = &cases[i].r;
		BUF_AUTO struct buf b = BUF_INIT(16u << 20);
		struct picture_file *f;
		struct picture p;
		struct err e;
		make_tiff(r, &b);
		size_t page = r->pages == 3 ? 1 : 0;
		assert_string_equal(take(&b, page, &f, &p, &e), "");
		assert_int_equal(picture_pages(f), r->pages == 3 ? 2 : 1);
		assert_int_equal(p.coding, cases[i].coding);
		assert_int_equal((int)p.dpi_x, 300);
		assert_int_equal((int)p.dpi_y, 200);
		assert_int_equal(p.orientation, r->orientation == 0 ? 1 : r->orientation);
		if (p.coding == PICTURE_CCITT) {
			/* Where 0 is white, the PDF's samples are the other way round. */
			uint8_t *grey;
			uint32_t w, h;
			assert_int_equal(picture_pixels(&p, 1, 1u << 20, &grey, &w, &h, &e), ST_OK);
			for (uint32_t k = 0; k < w * h; k++)
				assert_int_equal(grey[k],
				                 (sample_at(k % w, k / w, 0, 1) == 1) == (r->photometric == WB) ? 0 : 255);
			free(grey);
		} else {
			assert_samples(&p, r->samples, r->bits);
			assert_int_equal(p.inverted, r->photometric == WB);
		}
		picture_drop(&p);
		picture_close(f);
	}
}

/* JPEG in TIFF: one strip is handed on as it is, several strips and tiles are put together; all ways show the same pixels. */
static void test_tiff_jpeg(void **state)
{
	static const uint16_t photometrics[] = {PHOTOMETRIC_RGB, PHOTOMETRIC_YCBCR};
	enum { ONE_STRIP = 64, STRIPS = 16, TILES = 0 };
	static const uint32_t layouts[] = {ONE_STRIP, STRIPS, TILES};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t digests[3][32];
		for (size_t k = 0; k < 3; k++) {
			const struct tiff_recipe r = {64, 64, layouts[k], 8,    3, photometrics[i], COMPRESSION_JPEG, 0,
			                              0,  0,  0,          NULL, 0};
			BUF_AUTO struct buf b = BUF_INIT(16u << 20);
			struct picture_file *f;
			struct picture p;
			struct err e;
			make_tiff(&r, &b);
			assert_string_equal(take(&b, 0, &f, &p, &e), "");
			assert_int_equal(p.coding, PICTURE_DCT);
			assert_int_equal(p.joined, layouts[k] != ONE_STRIP);
			assert_int_equal(p.dct_rgb, photometrics[i] == PHOTOMETRIC_RGB);
			assert_int_equal(picture_digest(&p, digests[k], &e), ST_OK);
			picture_drop(&p);
			picture_close(f);
		}
		assert_memory_equal(digests[0], digests[1], 32);
		assert_memory_equal(digests[0], digests[2], 32);
	}
}

/* Orientation: pixel (0, 0) of the upright picture is where TIFF 6.0 says. */
static void test_orientation(void **state)
{
	(void)state;
	for (unsigned o = 1; o <= 8; o++) {
		static uint8_t samples[6] = {10, 20, 30, 40, 50, 60}; /* 3 x 2 */
		static const uint8_t want[9][6] = {
		    [1] = {10, 20, 30, 40, 50, 60}, [2] = {30, 20, 10, 60, 50, 40}, [3] = {60, 50, 40, 30, 20, 10},
		    [4] = {40, 50, 60, 10, 20, 30}, [5] = {10, 40, 20, 50, 30, 60}, [6] = {40, 10, 50, 20, 60, 30},
		    [7] = {60, 30, 50, 20, 40, 10}, [8] = {30, 60, 20, 50, 10, 40}};
		const struct picture p = {
		    .data = {samples, 6}, .width = 3, .height = 2, .bits = 8, .components = 1, .orientation = o};
		uint8_t *grey;
		uint32_t w, h;
		struct err e;
		assert_int_equal(picture_pixels(&p, 1, 100, &grey, &w, &h, &e), ST_OK);
		assert_int_equal(w, o < 5 ? 3 : 2);
		assert_int_equal(h, o < 5 ? 2 : 3);
		assert_memory_equal(grey, want[o], 6);
		free(grey);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *code;
	} cases[] = {
	    {"", 0, "picture-empty"},
	    {"plain text", 10, "picture-unknown"},
	    {"\0\0\0\x0CjP  \r\n\x87\n", 12, "jp2-truncated"},
	    {"\xFF\xD8\xFF", 3, "jpeg-truncated"},
	    {"\xFF\xD8\xFF\xE0\0\x01zz", 8, "jpeg-syntax"},
	    {"\xFF\xD8\xFF\xDA\0\x02\xFF\xD9", 8, "jpeg-syntax"},
	    {"\xFF\xD8\xFF\xD9", 4, "jpeg-syntax"},
	    {"\xFF\xD8\xFF\xC3\0\x0B\x08\0\x10\0\x10\x01\x01\x11\0", 15, "jpeg-coding"},
	    {"\xFF\xD8\xFF\xC9\0\x0B\x08\0\x10\0\x10\x01\x01\x11\0", 15, "jpeg-coding"},
	    {"\xFF\xD8\xFF\xC1\0\x0B\x0C\0\x10\0\x10\x01\x01\x11\0", 15, "jpeg-coding"},
	    {"\xFF\xD8\xFF\xC0\0\x0B\x08\0\0\0\x10\x01\x01\x11\0", 15, "jpeg-syntax"},
	    {"\xFF\xD8\xFF\xC0\0\x0B\x08\xFF\xFF\xFF\xFF\x01\x01\x11\0", 15, "picture-too-large"},
	    {"\x89PNG\r\n\x1A\n", 8, "png-truncated"},
	    {"\x89PNG\r\n\x1A\n\xFF\xFF\xFF\xFFIDAT", 16, "png-truncated"},
	    {"II*\0\x08\0\0\0", 8, "tiff-syntax"},
	    {"II*\0\xFF\xFF\xFF\xFF", 8, "tiff-syntax"},
	    {"II*\0\x08\0\0\0\0\0\0\0\0\0", 14, "tiff-syntax"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		BUF_AUTO struct buf b = BUF_INIT(1024);
		struct picture_file *f;
		struct picture p = {0};
		struct err e;
		buf_add(&b, cases[i].bytes, cases[i].n);
		assert_string_equal(take(&b, 0, &f, &p, &e), cases[i].code);
		assert_int_equal(e.status, ST_ITEM);
		picture_close(f);
	}
}

/* A TIFF whose data ends early is refused, whatever its compression. */
static void test_tiff_cut(void **state)
{
	static const uint16_t compressions[] = {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE,
	                                        COMPRESSION_PACKBITS};
	(void)state;
	for (size_t i = 0; i < sizeof compressions / sizeof compressions[0]; i++) {
		const struct tiff_recipe r = {61, 47, 9, 8, 3, PHOTOMETRIC_RGB, compressions[i], 0, 0, 0, 0, NULL, 0};
		BUF_AUTO struct buf b = BUF_INIT(16u << 20);
		struct picture_file *f;
		struct picture p = {0};
		struct err e;
		make_tiff(&r, &b);
		/* libtiff writes the directory last: the strips are emptied instead. */
		memset(b.data + 8, 0, 1500);
		if (compressions[i] == COMPRESSION_NONE) {
			b.len -= 40;
			assert_string_equal(take(&b, 0, &f, &p, &e), "tiff-syntax");
		} else {
			assert_string_equal(take(&b, 0, &f, &p, &e), "tiff-corrupt");
		}
		picture_drop(&p);
		picture_close(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_jpeg),      cmocka_unit_test(test_jpeg_cut),    cmocka_unit_test(test_png),
	    cmocka_unit_test(test_png_alpha), cmocka_unit_test(test_tiff),        cmocka_unit_test(test_tiff_jpeg),
	    cmocka_unit_test(test_tiff_cut),  cmocka_unit_test(test_orientation), cmocka_unit_test(test_bad),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
