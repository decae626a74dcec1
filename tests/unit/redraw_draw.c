/* Drawing received PDFs: size, rotation, colour, text, annotations, fields, and what must be refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "stages/base/file.h"
#include "stages/pdf/redraw/redraw.h"
#include "tests/unit/redraw_pdf.h"

static const struct redraw_limits limits = {100, 50u << 20, 1u << 30};
static char path[] = "/tmp/redraw-XXXXXX";

static int make_path(void **state)
{
	(void)state;
	int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

static void put(const struct buf *b)
{
	struct err e;
	assert_false(b->failed);
	assert_int_equal(file_write(path, b->data, b->len, &e), ST_OK);
}

#define FONT "<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman /Encoding /WinAnsiEncoding >>"

/* One page whose dictionary and content are given; extra goes into the catalog. */
static void put_page(const char *page, const char *content, const char *annotation, const char *extra)
{
	BUF_AUTO struct buf b = BUF_INIT(1u << 20), catalog = BUF_INIT(4096), leaf = BUF_INIT(4096);
	buf_format(&catalog, "<< /Type /Catalog /Pages 2 0 R %s >>", extra);
	buf_format(&leaf,
	           "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> /Annots [6 0 R] %s >>",
	           page);
	char *stream = stream_body("", content);
	const char *const bodies[] = {
	    (char *)catalog.data, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", (char *)leaf.data, stream, FONT, annotation, NULL};
	make_pdf(&b, bodies, "");
	free(stream);
	put(&b);
}

#define NO_ANNOTATION "null"

static struct redraw *open_path(void)
{
	struct redraw *r;
	struct err e;
	if (redraw_open(path, limits, &r, &e) != ST_OK)
		fail_msg("%s: %s", e.code, e.detail);
	return r;
}

static const uint8_t *pixel(const struct picture *p, uint32_t x, uint32_t y)
{
	return p->data.p + ((size_t)y * p->width + x) * p->components;
}

static void test_size_colour_rotation(void **state)
{
	(void)state;
	static const struct {
		const char *label, *page, *content;
		uint32_t width, height;
		unsigned components;
		double points_x, points_y;
		uint32_t x, y; /* a pixel that is painted */
		uint8_t value[3];
	} rows[] = {
	    {"grey, as it stands", "/MediaBox [0 0 200 100]", "0 g 0 0 20 10 re f", 400, 200, 1, 200, 100, 5, 195, {0}},
	    {"red", "/MediaBox [0 0 200 100]", "1 0 0 rg 0 0 20 10 re f", 400, 200, 3, 200, 100, 5, 195, {255, 0, 0}},
	    {"turned by 90", "/MediaBox [0 0 200 100] /Rotate 90", "0 g 0 0 20 10 re f", 200, 400, 1, 100, 200, 5, 5, {0}},
	    {"cropped",
	     "/MediaBox [0 0 200 100] /CropBox [100 50 200 100]",
	     "0 g 100 50 5 5 re f",
	     200,
	     100,
	     1,
	     100,
	     50,
	     3,
	     97,
	     {0}},
	    {"a size that does not fit pixels",
	     "/MediaBox [0 0 100.3 50.7]",
	     "0 g 0 0 20 10 re f",
	     201,
	     101,
	     1,
	     100.3,
	     50.7,
	     5,
	     95,
	     {0}},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		put_page(rows[i].page, rows[i].content, NO_ANNOTATION, "");
		struct redraw *r = open_path();
		assert_int_equal(redraw_pages(r), 1);
		assert_false(redraw_was_mended(r));
		struct redraw_page page;
		struct err e;
		if (redraw_page(r, 0, 144, &page, &e) != ST_OK)
			fail_msg("%s: %s: %s", rows[i].label, e.code, e.detail);
		const struct picture *p = &page.picture;
		print_message("%s: %u x %u\n", rows[i].label, p->width, p->height);
		assert_int_equal(p->width, rows[i].width);
		assert_int_equal(p->height, rows[i].height);
		assert_int_equal(p->components, rows[i].components);
		assert_int_equal(p->data.n, (size_t)p->width * p->height * p->components);
		assert_true(fabs(p->width * 72 / p->dpi_x - rows[i].points_x) < 0.001);
		assert_true(fabs(p->height * 72 / p->dpi_y - rows[i].points_y) < 0.001);
		assert_memory_equal(pixel(p, rows[i].x, rows[i].y), rows[i].value, p->components);
		assert_int_equal(*pixel(p, p->width / 2, p->height / 2), 255);
		redraw_page_free(r, &page);
		redraw_close(r);
	}
}

static void test_words(void **state)
{
	(void)state;
	put_page("/MediaBox [0 0 300 200]",
	         "BT /F 20 Tf 50 100 Td (Bien ban ) Tj 0 -30 Td (ky 1985) Tj 3 Tr 0 -30 Td (hidden) Tj 900 0 Td (outside) Tj ET",
	         NO_ANNOTATION, "");
	struct redraw *r = open_path();
	struct redraw_page page;
	struct err e;
	assert_int_equal(redraw_page(r, 0, 72, &page, &e), ST_OK);
	static const char *const expected[] = {"Bien", "ban", "ky", "1985", "hidden"};
	assert_int_equal(page.words.n, 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(page.words.words[i].text, expected[i]);
	const struct ocr_word *w = &page.words.words[0];
	assert_int_equal(w->x0, 50);
	assert_int_equal(w->y0, 100);
	assert_int_equal(w->y1, 100);
	assert_true(w->left <= 50 && w->left >= 48 && w->right > 75 && w->right < 100);
	assert_true(w->top < 95 && w->top > 75 && w->bottom >= 100 && w->bottom < 108);
	assert_true(abs(w->x1 - w->right) <= 2);
	assert_false(w->last_in_line);
	assert_true(page.words.words[1].last_in_line);
	assert_int_equal(page.words.words[1].line, w->line);
	assert_int_not_equal(page.words.words[2].line, w->line);
	redraw_page_free(r, &page);
	redraw_close(r);
}

static void test_annotation_and_field(void **state)
{
	(void)state;
	put_page("/MediaBox [0 0 200 100]", "0 g 0 0 1 1 re f",
	         "<< /Type /Annot /Subtype /Square /Rect [40 40 80 80] /IC [0 0 1] /C [0 0 1] /F 4 >>", "");
	struct redraw *r = open_path();
	struct redraw_page page;
	struct err e;
	assert_int_equal(redraw_page(r, 0, 72, &page, &e), ST_OK);
	assert_int_equal(page.picture.components, 3);
	static const uint8_t blue[3] = {0, 0, 255};
	assert_memory_equal(pixel(&page.picture, 60, 40), blue, 3);
	redraw_page_free(r, &page);
	redraw_close(r);

	put_page("/MediaBox [0 0 200 100]", "0 g 0 0 1 1 re f",
	         "<< /Type /Annot /Subtype /Widget /FT /Tx /T (so) /V (145) /DA (/F 12 Tf 0 g) /Rect [40 40 100 60] /F 4 >>",
	         "/AcroForm << /Fields [6 0 R] /NeedAppearances true /DR << /Font << /F 5 0 R >> >> /DA (/F 12 Tf 0 g) >>");
	r = open_path();
	assert_int_equal(redraw_page(r, 0, 72, &page, &e), ST_OK);
	assert_int_equal(page.words.n, 1);
	assert_string_equal(page.words.words[0].text, "145");
	redraw_page_free(r, &page);
	redraw_close(r);

	/* An empty signature field: nobody is invited to sign it. */
	put_page("/MediaBox [0 0 200 100]", "0 g 0 0 1 1 re f",
	         "<< /Type /Annot /Subtype /Widget /FT /Sig /T (sign) /Rect [40 40 100 60] /F 4 >>",
	         "/AcroForm << /Fields [6 0 R] >>");
	r = open_path();
	assert_int_equal(redraw_page(r, 0, 72, &page, &e), ST_OK);
	assert_int_equal(page.picture.components, 1);
	for (uint32_t y = 30; y < 70; y++)
		for (uint32_t x = 30; x < 110; x++)
			assert_int_equal(*pixel(&page.picture, x, y), 255);
	assert_int_equal(page.words.n, 0);
	redraw_page_free(r, &page);
	redraw_close(r);
}

/* Colours of inks are told, for they are drawn only near to what they are; black ink alone is grey everywhere. */
static void test_inks(void **state)
{
	(void)state;
	static const struct {
		const char *content;
		bool inks;
	} rows[] = {
	    {"0 0 0 1 k 10 10 50 50 re f", false},
	    {"1 0 0 rg 10 10 50 50 re f", false},
	    {"1 0 0 0 k 10 10 50 50 re f", true},
	    {"0 1 0 0 K 10 10 50 50 re S", true},
	    {"BT 0 0 1 0 k /F 12 Tf 20 20 Td (a) Tj ET", true},
	    {"q 50 0 0 50 0 0 cm BI /W 1 /H 1 /BPC 8 /CS /CMYK ID abcd EI Q", true},
	    {"q 50 0 0 50 0 0 cm BI /W 1 /H 1 /BPC 8 /CS [/I /CMYK 0 <01020304>] ID a EI Q", true},
	    {"q 50 0 0 50 0 0 cm BI /W 1 /H 1 /BPC 8 /CS /RGB ID abc EI Q", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct redraw_page page;
		struct err e;
		put_page("/MediaBox [0 0 100 100]", rows[i].content, NO_ANNOTATION, "");
		struct redraw *r = open_path();
		assert_int_equal(redraw_page(r, 0, 72, &page, &e), ST_OK);
		if (page.inks != rows[i].inks)
			fail_msg("%s", rows[i].content);
		redraw_page_free(r, &page);
		redraw_close(r);
	}
}

#define PAGE "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Contents 4 0 R >>"
#define PAGES "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
#define CATALOG "<< /Type /Catalog /Pages 2 0 R >>"
#define STREAM(dict, length, data) "<< " dict " /Length " length " >>\nstream\n" data "\nendstream"

static void test_refused(void **state)
{
	(void)state;
	static const struct {
		const char *label;
		const char *bodies[6];
		const char *trailer;
		size_t cut; /* bytes taken off the end */
		const char *code;
	} rows[] = {
	    {"whole", {CATALOG, PAGES, PAGE, STREAM("", "5", "0 g f")}, "", 0, NULL},
	    {"cut off at the end", {CATALOG, PAGES, PAGE, STREAM("", "5", "0 g f")}, "", 12, "pdf-broken"},
	    {"no pages", {CATALOG, "<< /Type /Pages /Kids [] /Count 0 >>"}, "", 0, "pdf-broken"},
	    {"a page is not there", {CATALOG, "<< /Type /Pages /Kids [9 0 R] /Count 1 >>"}, "", 0, "pdf-broken"},
	    {"no page tree", {"<< /Type /Catalog >>"}, "", 0, "pdf-broken"},
	    {"an unknown operator", {CATALOG, PAGES, PAGE, STREAM("", "7", "nonsens")}, "", 0, "pdf-broken"},
	    {"a picture that is not there", {CATALOG, PAGES, PAGE, STREAM("", "6", "/Im Do")}, "", 0, "pdf-broken"},
	    {"data that does not inflate",
	     {CATALOG, PAGES, PAGE, STREAM("/Filter /FlateDecode", "8", "x\234garbage")},
	     "",
	     0,
	     "pdf-broken"},
	    {"a JPEG that is cut off",
	     {CATALOG, PAGES,
	      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Contents 4 0 R /Resources << /XObject << /Im 5 0 R >> >> >>",
	      STREAM("", "21", "99 0 0 99 0 0 cm/Im Do"),
	      STREAM("/Subtype /Image /Width 9 /Height 9 /BitsPerComponent 8 /ColorSpace /DeviceGray /Filter /DCTDecode", "3",
	             "\377\330\377")},
	     "",
	     0,
	     "pdf-broken"},
	    {"a page that is too large",
	     {CATALOG, PAGES, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 14400 14400] /Contents 4 0 R >>",
	      STREAM("", "5", "0 g f")},
	     "",
	     0,
	     "pdf-page-too-large"},
	    {"a password",
	     {CATALOG, PAGES, PAGE, STREAM("", "5", "0 g f"),
	      "<< /Filter /Standard /V 2 /R 3 /Length 128 /P -44 "
	      "/O <0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20> "
	      "/U <2102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20> >>"},
	     "/Encrypt 5 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]",
	     0,
	     "pdf-password"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		BUF_AUTO struct buf b = BUF_INIT(1u << 20);
		make_pdf(&b, rows[i].bodies, rows[i].trailer);
		b.len -= rows[i].cut;
		put(&b);
		struct redraw *r;
		struct err e = {0};
		struct redraw_page page = {0};
		enum status st = redraw_open(path, limits, &r, &e);
		if (st == ST_OK) {
			st = redraw_page(r, 0, 200, &page, &e);
			redraw_page_free(r, &page);
			redraw_close(r);
		}
		print_message("%s: %s %s\n", rows[i].label, e.code, e.detail);
		if (rows[i].code == NULL) {
			assert_int_equal(st, ST_OK);
		} else {
			assert_int_equal(st, ST_ITEM);
			assert_string_equal(e.code, rows[i].code);
		}
	}
}

static void test_limits(void **state)
{
	(void)state;
	put_page("/MediaBox [0 0 100 100]", "0 g", NO_ANNOTATION, "");
	struct redraw *r;
	struct err e;
	assert_int_equal(redraw_open(path, (struct redraw_limits){0, 1, 1u << 28}, &r, &e), ST_ITEM);
	assert_string_equal(e.code, "pdf-too-many-pages");
	assert_null(r);
	assert_int_equal(redraw_open(path, (struct redraw_limits){1, 100 * 100, 1u << 28}, &r, &e), ST_OK);
	struct redraw_page page;
	assert_int_equal(redraw_page(r, 0, 72, &page, &e), ST_OK);
	redraw_page_free(r, &page);
	assert_int_equal(redraw_page(r, 0, 73, &page, &e), ST_ITEM);
	assert_string_equal(e.code, "pdf-page-too-large");
	redraw_close(r);
	/* A page of a thousand by a thousand pixels does not fit into two megabytes. */
	assert_int_equal(redraw_open(path, (struct redraw_limits){1, 1u << 30, 2u << 20}, &r, &e), ST_OK);
	assert_int_equal(redraw_page(r, 0, 720, &page, &e), ST_ITEM);
	assert_string_equal(e.code, "pdf-memory");
	assert_int_equal(redraw_page(r, 0, 72, &page, &e), ST_OK);
	redraw_page_free(r, &page);
	redraw_close(r);
}

/* Times New Roman that is not embedded has its Vietnamese letters. */
static void test_face_not_embedded(void **state)
{
	(void)state;
	BUF_AUTO struct buf b = BUF_INIT(1u << 20);
	char *stream = stream_body("", "BT /F 60 Tf 10 20 Td <01> Tj ET");
	const char *const bodies[] = {
	    CATALOG,
	    PAGES,
	    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
	    stream,
	    "<< /Type /Font /Subtype /TrueType /BaseFont /TimesNewRomanPSMT /FirstChar 1 /LastChar 1 /Widths [444] "
	    "/Encoding << /Type /Encoding /Differences [1 /uni1EC7] >> /FontDescriptor << /Type /FontDescriptor /Flags 32 "
	    "/FontName /TimesNewRomanPSMT /StemV 80 /ItalicAngle 0 /Ascent 891 /Descent -216 /CapHeight 662 /FontBBox [-568 -307 "
	    "2000 1007] >> "
	    ">>",
	    NULL};
	make_pdf(&b, bodies, "");
	free(stream);
	put(&b);
	struct redraw *r = open_path();
	struct redraw_page page;
	struct err e;
	assert_int_equal(redraw_page(r, 0, 72, &page, &e), ST_OK);
	assert_int_equal(page.words.n, 1);
	assert_string_equal(page.words.words[0].text, "\u1ec7");
	/* The dot below the letter (baseline at y 80) is drawn only where the face has the letter. */
	unsigned dark = 0;
	for (uint32_t y = 83; y < 96; y++)
		for (uint32_t x = 10; x < 40; x++)
			dark += *pixel(&page.picture, x, y) < 128;
	assert_in_range(dark, 8, 120);
	redraw_page_free(r, &page);
	redraw_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_size_colour_rotation),
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_annotation_and_field),
	    cmocka_unit_test(test_inks),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_face_not_embedded),
	};
	return cmocka_run_group_tests(tests, make_path, remove_path);
}
