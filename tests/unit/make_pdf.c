/* The written PDF: coded data lies in it as it was, samples come back, offsets are right, the same input gives the same bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <tiffio.h>

#include "stages/image/picture.h"
#include "stages/pdf/make/make.h"
#include "stages/pdf/make/writer.h"
#include "stages/pdfa/icc.h"
#include "stages/pdfa/xmp.h"
#include "tests/unit/image_samples.h"

static const struct pdfmake_meta meta = {.title = "Tờ trình số 5 (bản chính)",
                                         .author = "Sở Nội vụ",
                                         .language = "vi",
                                         .identifier = "G09.01.0000001",
                                         .created = "2026-06-12T11:45:37+07:00",
                                         .part = 2,
                                         .conformance = 'B'};

/* Makes a document of n times the picture. */
static enum status make(const struct picture *p, size_t n, const struct ocr_page *words, struct buf *to, struct err *e)
{
	char *bytes = NULL;
	size_t size = 0;
	struct pdfmake *m = NULL;
	FILE *f = open_memstream(&bytes, &size);
	enum status st = pdfmake_open(f, &meta, &m, e);
	for (size_t i = 0; st == ST_OK && i < n; i++)
		st = pdfmake_page(m, p, NULL, words, e);
	if (st == ST_OK)
		st = pdfmake_finish(m, NULL, e);
	pdfmake_free(m);
	fclose(f);
	buf_add(to, bytes, size);
	free(bytes);
	return st;
}

static const char *find(const struct buf *b, const void *what, size_t n)
{
	return memmem(b->data, b->len, what, n);
}

static size_t count(const struct buf *b, const char *text)
{
	size_t n = 0, length = strlen(text);
	const char *at = (const char *)b->data, *end = at + b->len;
	while ((at = memmem(at, (size_t)(end - at), text, length)) != NULL) {
		n++;
		at += length;
	}
	return n;
}

/* Every entry of the cross-reference table points to its object. */
static void assert_offsets(const struct buf *b)
{
	const char *text = (const char *)b->data, *start = strstr(text + b->len - 40, "startxref\n");
	assert_non_null(start);
	const char *xref = text + strtoul(start + 10, NULL, 10);
	assert_memory_equal(xref, "xref\n0 ", 7);
	unsigned long n = strtoul(xref + 7, NULL, 10);
	const char *entry = strchr(xref + 7, '\n') + 1 + 20;
	for (unsigned long i = 1; i < n; i++, entry += 20) {
		char want[32];
		int length = snprintf(want, sizeof want, "%lu 0 obj\n", i);
		assert_memory_equal(text + strtoul(entry, NULL, 10), want, (size_t)length);
	}
	assert_memory_equal(entry, "trailer\n", 8);
}

static void test_passthrough(void **state)
{
	BUF_AUTO struct buf jpeg = BUF_INIT(1u << 20), png = BUF_INIT(1u << 20), tiff = BUF_INIT(1u << 20);
	const struct tiff_recipe g4 = {61, 47, 47, 1, 1, PHOTOMETRIC_MINISWHITE, COMPRESSION_CCITTFAX4, 0, 0, 0, 0, NULL, 0};
	(void)state;
	make_jpeg(61, 47, 3, true, &jpeg);
	make_png(61, 47, 8, 2, false, &png);
	make_tiff(&g4, &tiff);
	const struct {
		const struct buf *file;
		const char *filter;
	} cases[] = {{&jpeg, "/Filter/DCTDecode"},
	             {&png, "/Filter/FlateDecode/DecodeParms<</Predictor 15/Colors 3/BitsPerComponent 8/Columns 61>>"},
	             {&tiff, "/Filter/CCITTFaxDecode/DecodeParms<</K -1/Columns 61/Rows 47>>"}};
	for (size_t i = 0; i < 3; i++) {
		BUF_AUTO struct buf pdf = BUF_INIT(16u << 20);
		struct picture_file *f;
		struct picture p;
		struct err e;
		char length[32];
		assert_int_equal(picture_open_bytes((struct bytes){cases[i].file->data, cases[i].file->len}, &f, &e), ST_OK);
		assert_int_equal(picture_page(f, 0, &p, &e), ST_OK);
		/* What is placed is a run of the file's own bytes. */
		assert_non_null(find(cases[i].file, p.data.p, p.data.n));
		assert_int_equal(make(&p, 1, NULL, &pdf, &e), ST_OK);
		const char *dict = find(&pdf, cases[i].filter, strlen(cases[i].filter));
		assert_non_null(dict);
		int n = snprintf(length, sizeof length, "/Length %zu>>\nstream\n", p.data.n);
		const char *data = dict + strlen(cases[i].filter);
		assert_memory_equal(data, length, (size_t)n);
		assert_memory_equal(data + n, p.data.p, p.data.n);
		assert_memory_equal(data + n + p.data.n, "\nendstream\n", 11);
		assert_offsets(&pdf);
		picture_drop(&p);
		picture_close(f);
	}
}

/* Samples coded by the writer, read back as a picture, have the source's digest. */
static void test_samples(void **state)
{
	static const struct {
		unsigned components, bits;
		enum picture_colour colour;
		bool inverted;
		const char *filter;
	} cases[] = {{1, 1, PICTURE_GREY, false, "/CCITTFaxDecode"}, {1, 1, PICTURE_GREY, true, "/CCITTFaxDecode"},
	             {1, 8, PICTURE_GREY, false, "/FlateDecode"},    {3, 8, PICTURE_RGB, false, "/FlateDecode"},
	             {3, 16, PICTURE_RGB, false, "/FlateDecode"},    {4, 8, PICTURE_CMYK, true, "/FlateDecode"},
	             {3, 8, PICTURE_LAB, false, "/FlateDecode"}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		BUF_AUTO struct buf rows = BUF_INIT(16u << 20), pdf = BUF_INIT(16u << 20);
		uint32_t side = cases[i].bits == 1 ? 200 : 61;
		sample_rows(side, side, cases[i].components, cases[i].bits, &rows);
		/* An edge that wanders: what G4 is made for. */
		for (uint32_t k = 0, r = 1, run = 100; cases[i].bits == 1 && k < rows.len; k++) {
			uint32_t at = k % 25 * 8;
			if (at == 0) {
				r = r * 1103515245 + 12345;
				run = (run + (r >> 16) % 5 + 198) % 200;
			}
			rows.data[k] = (uint8_t)(run <= at ? 0 : run >= at + 8 ? 0xFF : 0xFF << (at + 8 - run));
		}

		struct picture p = {.data = {rows.data, rows.len},
		                    .width = side,
		                    .height = side,
		                    .bits = cases[i].bits,
		                    .components = cases[i].components,
		                    .colour = cases[i].colour,
		                    .inverted = cases[i].inverted,
		                    .dpi_x = 200,
		                    .dpi_y = 200,
		                    .orientation = 1};
		struct picture back = p;
		uint8_t a[32], b[32];
		struct err e;
		assert_int_equal(make(&p, 1, NULL, &pdf, &e), ST_OK);
		const char *filter = find(&pdf, "/BitsPerComponent", 17);
		filter = filter == NULL ? NULL : strstr(filter, "/Filter");
		assert_non_null(filter);
		assert_memory_equal(filter + 7, cases[i].filter, strlen(cases[i].filter));
		const char *length = strstr(filter, "/Length ");
		back.data = (struct bytes){(const uint8_t *)strstr(length, "stream\n") + 7, strtoul(length + 8, NULL, 10)};
		back.coding = strncmp(filter + 7, "/CCITT", 6) == 0 ? PICTURE_CCITT : PICTURE_FLATE;
		back.ccitt_k = -1;
		back.ccitt_black_is_1 = cases[i].inverted;
		assert_int_equal(picture_digest(&p, a, &e), ST_OK);
		assert_int_equal(picture_digest(&back, b, &e), ST_OK);
		assert_memory_equal(a, b, 32);
		assert_int_equal(count(&pdf, "/Decode["), cases[i].inverted);
	}
}

static struct picture grey_page(const struct buf *rows)
{
	return (struct picture){.data = {rows->data, rows->len},
	                        .width = 400,
	                        .height = 300,
	                        .bits = 8,
	                        .components = 1,
	                        .dpi_x = 100,
	                        .dpi_y = 100,
	                        .orientation = 1};
}

static void test_document(void **state)
{
	BUF_AUTO struct buf rows = BUF_INIT(1u << 20), a = BUF_INIT(16u << 20), b = BUF_INIT(16u << 20);
	struct ocr_word w[] = {
	    {.text = "Cộng", .left = 10, .top = 10, .right = 90, .bottom = 40, .x0 = 10, .y0 = 35, .x1 = 90, .y1 = 35},
	    {.text = "hòa𠀀", .left = 100, .top = 10, .right = 180, .bottom = 40, .x0 = 100, .y0 = 35, .x1 = 180, .y1 = 33}};
	const struct ocr_page words = {w, 2, 90};
	struct err e;
	(void)state;
	sample_rows(400, 300, 1, 8, &rows);
	struct picture p = grey_page(&rows);
	assert_int_equal(make(&p, 3, &words, &a, &e), ST_OK);
	assert_int_equal(make(&p, 3, &words, &b, &e), ST_OK);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	assert_offsets(&a);
	assert_memory_equal(a.data, "%PDF-1.7\n%", 10);
	assert_int_equal(count(&a, "/MediaBox[0 0 288 216]"), 3);
	assert_int_equal(count(&a, "/Type/Font/Subtype/Type0"), 1);
	assert_int_equal(count(&a, "/N 1"), 1); /* the grey profile once */
	assert_int_equal(count(&a, "<pdfaid:part>2</pdfaid:part>"), 1);
	assert_int_equal(count(&a, "/CreationDate(D:20260612114537+07'00')"), 1);
	assert_int_equal(count(&a, "<xmp:CreateDate>2026-06-12T11:45:37+07:00<"), 1);
	assert_int_equal(count(&a, "/Lang(vi)"), 1);
}

static void test_page_size(void **state)
{
	static const struct {
		double dpi;
		unsigned orientation;
		const char *box; /* NULL: refused */
	} cases[] = {{100, 1, "/MediaBox[0 0 288 216]"},
	             {100, 6, "/MediaBox[0 0 216 288]"},
	             {2, 1, "/MediaBox[0 0 14400 10800]"},
	             {1.9, 1, NULL},
	             {20000, 1, "/MediaBox[0 0 3 3]"}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		BUF_AUTO struct buf rows = BUF_INIT(1u << 20), pdf = BUF_INIT(16u << 20);
		struct err e = {0};
		sample_rows(400, 300, 1, 8, &rows);
		struct picture p = grey_page(&rows);
		p.dpi_x = p.dpi_y = cases[i].dpi;
		p.orientation = cases[i].orientation;
		assert_int_equal(make(&p, 1, NULL, &pdf, &e), cases[i].box == NULL ? ST_ITEM : ST_OK);
		if (cases[i].box == NULL)
			assert_string_equal(e.code, "page-size");
		else
			assert_int_equal(count(&pdf, cases[i].box), 1);
	}
}

static void test_numbers(void **state)
{
	static const struct {
		double v;
		const char *text;
	} cases[] = {{0, "0"},          {1, "1"}, {-1.5, "-1.5"}, {0.00004, "0"}, {0.00005, "0.0001"}, {12.3456789, "12.3457"},
	             {100.01, "100.01"}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		BUF_AUTO struct buf b = BUF_INIT(100);
		print_number(cases[i].v, &b);
		assert_string_equal((const char *)b.data, cases[i].text);
	}
}

static void test_xmp(void **state)
{
	BUF_AUTO struct buf b = BUF_INIT(1u << 16);
	const struct xmp x = {.title = "A & B < \x01 C", .part = 3, .conformance = 'U', .language = ""};
	(void)state;
	xmp_print(&x, &b);
	assert_int_equal(count(&b, ">A &amp; B &lt;  C<"), 1);
	assert_int_equal(count(&b, "dc:language"), 0);
	assert_int_equal(count(&b, "<pdfaid:conformance>U<"), 1);
}

static void test_icc(void **state)
{
	(void)state;
	for (int kind = ICC_SRGB; kind <= ICC_CMYK; kind++) {
		BUF_AUTO struct buf a = BUF_INIT(1u << 20), b = BUF_INIT(1u << 20);
		struct err e;
		assert_int_equal(icc_make((enum icc_kind)kind, &a, &e), ST_OK);
		assert_int_equal(icc_make((enum icc_kind)kind, &b, &e), ST_OK);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
		assert_int_equal(a.data[8], 4);
		assert_memory_equal(a.data + 16, kind == ICC_SRGB ? "RGB " : kind == ICC_GREY ? "GRAY" : "CMYK", 4);
	}
}

/* A full disk is a fault that passes, never a finished document. */
static void test_full_disk(void **state)
{
	BUF_AUTO struct buf rows = BUF_INIT(1u << 20);
	struct pdfmake *m;
	struct err e = {0};
	(void)state;
	FILE *full = fopen("/dev/full", "wb");
	if (full == NULL)
		skip();
	setvbuf(full, NULL, _IONBF, 0);
	sample_rows(400, 300, 1, 8, &rows);
	struct picture p = grey_page(&rows);
	assert_int_equal(pdfmake_open(full, &meta, &m, &e), ST_OK);
	assert_int_equal(pdfmake_page(m, &p, NULL, NULL, &e), ST_RETRY);
	assert_string_equal(e.code, "file-write");
	pdfmake_free(m);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_passthrough), cmocka_unit_test(test_samples),   cmocka_unit_test(test_document),
	    cmocka_unit_test(test_page_size),   cmocka_unit_test(test_numbers),   cmocka_unit_test(test_xmp),
	    cmocka_unit_test(test_icc),         cmocka_unit_test(test_full_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
