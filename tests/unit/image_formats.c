/* The pictures of fixtures/formats come out with the samples that formats.tsv says; what is cut off or broken is refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/base/digest.h"
#include "stages/base/file.h"
#include "stages/image/picture.h"

#define FOLDER "fixtures/formats/"

/* A page of 8 x 8 pixels, and the end of the file. */
#define JBIG2_SMALL_PAGE                                                                                                         \
	"\x97JB2\r\n\x1A\n\x01\0\0\0\x01\0\0\0\0\x30\0\x01\0\0\0\x13"                                                            \
	"\0\0\0\x08\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0"
#define JBIG2_END "\0\0\0\2\x33\0\0\0\0\0\0"

static const char *const codings[] = {[PICTURE_SAMPLES] = "samples", [PICTURE_JPX] = "jpx", [PICTURE_JBIG2] = "jbig2"};

struct row {
	char file[64], coding[16], digest[65];
	unsigned page, width, height, bits, components, flattened;
};

static void check_row(const struct row *row)
{
	char path[128], found[65];
	uint8_t digest[32];
	struct picture_file *f;
	struct picture p;
	struct err e = {0};
	snprintf(path, sizeof path, FOLDER "%s", row->file);
	if (picture_open(path, &f, &e) != ST_OK || picture_page(f, row->page, &p, &e) != ST_OK ||
	    picture_digest(&p, digest, &e) != ST_OK)
		fail_msg("%s: %s %s", row->file, e.code, e.detail);
	hex_lower(digest, 32, found);
	if (strcmp(codings[p.coding], row->coding) != 0 || p.width != row->width || p.height != row->height ||
	    p.bits != row->bits || p.components != row->components || p.flattened != (row->flattened == 1) ||
	    strcmp(found, row->digest) != 0)
		fail_msg("%s: %s %u x %u, %u bit, %u, %s", row->file, codings[p.coding], p.width, p.height, p.bits, p.components,
		         found);
	picture_drop(&p);
	picture_close(f);
}

static void test_rows(void **state)
{
	(void)state;
	char line[512];
	struct row row;
	size_t n = 0;
	FILE *table = fopen(FOLDER "formats.tsv", "r");
	assert_non_null(table);
	assert_non_null(fgets(line, sizeof line, table));
	for (; fgets(line, sizeof line, table) != NULL; n++) {
		assert_int_equal(sscanf(line, "%63s %u %15s %u %u %u %u %u %64s", row.file, &row.page, row.coding, &row.width,
		                        &row.height, &row.bits, &row.components, &row.flattened, row.digest),
		                 9);
		check_row(&row);
	}
	fclose(table);
	assert_true(n >= 22);
}

/* What opening and taking all pages says; "" where all is well. */
static const char *code_of(struct bytes in, struct err *e)
{
	struct picture_file *f;
	*e = (struct err){0};
	if (picture_open_bytes(in, &f, e) != ST_OK)
		return e->code;
	for (size_t i = 0; i < picture_pages(f) && e->status == ST_OK; i++) {
		struct picture p;
		if (picture_page(f, i, &p, e) == ST_OK)
			picture_drop(&p);
	}
	picture_close(f);
	return e->code;
}

/* However much of a file is missing, no picture comes out of it. */
static void test_cut(void **state)
{
	(void)state;
	static const struct {
		const char *file, *family;
	} rows[] = {{"rgb.jp2", "jp2-"},     {"codestream.j2k", "jp2-"}, {"lossless.webp", "webp-"}, {"rgb.bmp", "bmp-"},
	            {"bilevel.bmp", "bmp-"}, {"rgb.ppm", "pnm-"},        {"grey16.pgm", "pnm-"},     {"bilevel.pbm", "pnm-"},
	            {"plain.ppm", "pnm-"},   {"pages.jb2", "jbig2-"},    {"random.jb2", "jbig2-"},   {"rgb.heic", "heif-"}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char path[128];
		struct err e;
		BUF_AUTO struct buf b = BUF_INIT(1u << 20);
		snprintf(path, sizeof path, FOLDER "%s", rows[i].file);
		assert_int_equal(file_read(path, &b, &e), ST_OK);
		assert_string_equal(code_of((struct bytes){b.data, b.len}, &e), "");
		for (size_t n = 26; n + 2 < b.len; n += n < 100 ? 1 : b.len / 50 + 1) {
			/* A copy of its own, so that a sanitizer sees what reads on. */
			uint8_t *cut = malloc(n);
			assert_non_null(cut);
			memcpy(cut, b.data, n);
			const char *code = code_of((struct bytes){cut, n}, &e);
			if (strncmp(code, rows[i].family, strlen(rows[i].family)) != 0)
				fail_msg("%s, %zu bytes of %zu: %s %s", rows[i].file, n, b.len, code, e.detail);
			free(cut);
		}
	}
}

static void test_bad(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t n;
		const char *code;
	} rows[] = {
#define BYTES(text) text, sizeof text - 1
	    {BYTES("P7\n"), "picture-unknown"},
	    {BYTES("P5 4 4 70000\n................................"), "pnm-syntax"},
	    {BYTES("P5 4 4 0\n................"), "pnm-syntax"},
	    {BYTES("P5 4294967296 4 255\n................"), "pnm-syntax"},
	    {BYTES("P5 0 4 255\n................"), "pnm-syntax"},
	    {BYTES("P5 60000 60000 255\n................"), "picture-too-large"},
	    {BYTES("P5 4 4 255 ..............."), "pnm-truncated"},
	    {BYTES("P2 2 2 10\n1 2 3 11"), "pnm-truncated"},
	    {BYTES("P2 2 2 10\n1 2 3 x"), "pnm-truncated"},
	    {BYTES("P1 2 2\n1 0 2 1"), "pnm-truncated"},
	    {BYTES("P6 1 1 255\n123\nP6 1 1 255\n12"), "pnm-truncated"},
	    {BYTES("P6 1 1 255\n123\nrubbish"), "pnm-syntax"},
	    {BYTES("RIFF\x04\0\0\0WEBP"), "webp-corrupt"},
	    {BYTES("RIFF\xFF\0\0\0WEBPVP8L"), "webp-truncated"},
	    {BYTES("RIFF\x0C\0\0\0WEBPVP8L\xFF\0\0\0"), "webp-truncated"},
	    {BYTES("BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0\0\0\0\0\0\0\0\0"), "bmp-syntax"},
	    {BYTES("BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0\xFF\xFF\xFF\x7F\xFF\xFF\xFF\x7F"), "picture-too-large"},
	    {BYTES("\x97JB2\r\n\x1A\n"), "jbig2-syntax"},
	    {BYTES("\x97JB2\r\n\x1A\n\x01\0\0\0\x01"), "jbig2-truncated"},
	    {BYTES("\x97JB2\r\n\x1A\n\x80\0\0\0\x01"), "jbig2-syntax"},
	    {BYTES("\x97JB2\r\n\x1A\n\x01\0\0\0\x01\0\0\0\0\x30\0\x01\xFF\xFF\xFF\xFF"), "jbig2-syntax"},
	    {BYTES("\x97JB2\r\n\x1A\n\x01\0\0\0\x01\0\0\0\0\x30\xFF\xFF\xFF\xFF\x01\0\0\0\0"), "jbig2-truncated"},
	    {BYTES("\x97JB2\r\n\x1A\n\x01\0\0\0\x01\0\0\0\0\x30\0\x01\0\0\0\x13"
	           "\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	           "\0\0\0\1\x33\0\0\0\0\0\0"),
	     "jbig2-syntax"},
	    /* A thousand million white pixels in a few bytes. */
	    {BYTES("\x97JB2\r\n\x1A\n\x01\0\0\0\x01\0\0\0\0\x30\0\x01\0\0\0\x13"
	           "\0\0\x80\0\0\0\x80\0\0\0\0\0\0\0\0\0\1\0\0"
	           "\0\0\0\1\x33\0\0\0\0\0\0"),
	     "picture-too-large"},
	    /* The same in a region of a small page, in its dictionary of patterns, in its grid; a dictionary of a thousand million symbols. */
	    {BYTES(JBIG2_SMALL_PAGE "\0\0\0\1\x27\0\1\0\0\0\x12"
	                            "\0\0\x80\0\0\0\x80\0\0\0\0\0\0\0\0\0\0\0" JBIG2_END),
	     "jbig2-syntax"},
	    {BYTES(JBIG2_SMALL_PAGE "\0\0\0\1\x10\0\1\0\0\0\7"
	                            "\0\x20\x20\0\x10\0\0" JBIG2_END),
	     "jbig2-syntax"},
	    {BYTES(JBIG2_SMALL_PAGE "\0\0\0\1\x17\0\1\0\0\0\x1A"
	                            "\0\0\0\x08\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\x80\0\0\0\x80\0" JBIG2_END),
	     "jbig2-syntax"},
	    {BYTES(JBIG2_SMALL_PAGE "\0\0\0\1\0\0\1\0\0\0\x12"
	                            "\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x40\0\0\0" JBIG2_END),
	     "jbig2-syntax"},
	    {BYTES("\0\0\0\x0CjP  \r\n\x87\n"), "jp2-truncated"},
	    {BYTES("\0\0\0\x0CjP  \r\n\x87\n\0\0\0\x08jp2c"), "jp2-syntax"},
	    {BYTES("\xFF\x4F\xFF\x51\0\x29"), "jp2-syntax"},
	    {BYTES("\xFF\x4F\xFF\x51\0\x29\0\0\0\0\0\x08\0\0\0\x08\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
	     "jp2-syntax"},
	    {BYTES("\0\0\0\x18"
	           "ftypheic\0\0\0\0mif1heic"),
	     "heif-corrupt"},
#undef BYTES
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err e;
		const char *code = code_of((struct bytes){(const uint8_t *)rows[i].bytes, rows[i].n}, &e);
		if (strcmp(code, rows[i].code) != 0)
			fail_msg("row %zu: %s %s", i, code, e.detail);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_bad),
	};
	picture_load();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
