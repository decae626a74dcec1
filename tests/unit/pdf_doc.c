/* The reader of PDF: values, files that are wrong in one place, filters, pages, revisions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/base/file.h"
#include "stages/pdf/doc.h"
#include "tests/unit/small_pdf.h"

static const char *const plain[] = {
    "<</Type/Catalog/Pages 2 0 R>>",
    "<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 20 30]>>",
    "<</Type/Page/Parent 2 0 R/Contents 4 0 R>>",
    "<</Length 5>>\nstream\n0 0 m\nendstream",
};

static struct buf build(const char *fourth)
{
	const char *bodies[4] = {plain[0], plain[1], plain[2], fourth == NULL ? plain[3] : fourth};
	struct buf b = BUF_INIT(1 << 20);
	small_pdf(&b, bodies, 4);
	assert_false(b.failed);
	return b;
}

static struct bytes bytes_of(const struct buf *b)
{
	return (struct bytes){b->data, b->len};
}

static void test_values(void **state)
{
	(void)state;
	struct buf b =
	    build("<</I -17/J +9223372036854775807/B 9223372036854775808/R -.5/S(a\\053\\n\\(\\)(b)\\\r\nc\rd)/H<4 1 f>/N/A#42#2f"
	          "/T true/F false/Z null/A[1 2 0 R[<<>>]%comment\n/x]/G 2 1 R/M 77 0 R>>");
	struct pdfdoc *d;
	struct err e;
	assert_int_equal(pdfdoc_open(bytes_of(&b), &d, &e), ST_OK);
	const struct pdfobj *o = pdfdoc_object(d, 4);
	assert_int_equal(pdfdoc_fault(d, &e), ST_OK);
	assert_int_equal(pdfobj_integer(pdfobj_get(o, "I")), -17);
	assert_true(pdfobj_integer(pdfobj_get(o, "J")) == INT64_MAX);
	assert_int_equal(pdfobj_kind(pdfobj_get(o, "B")), PDF_REAL);
	assert_true(pdfobj_real(pdfobj_get(o, "R")) == -0.5);
	struct bytes s = pdfobj_string(pdfobj_get(o, "S"));
	assert_int_equal(s.n, 11);
	assert_memory_equal(s.p, "a+\n()(b)c\nd", 11);
	assert_memory_equal(pdfobj_string(pdfobj_get(o, "H")).p, "A\xf0", 2);
	assert_string_equal(pdfobj_name(pdfobj_get(o, "N")), "AB/");
	assert_true(pdfobj_boolean(pdfobj_get(o, "T")));
	assert_false(pdfobj_boolean(pdfobj_get(o, "F")));
	assert_int_equal(pdfobj_kind(pdfobj_get(o, "Z")), PDF_NULL);
	assert_int_equal(pdfobj_length(pdfobj_get(o, "A")), 4);
	assert_int_equal(pdfobj_reference(pdfobj_at(pdfobj_get(o, "A"), 1)), 2);
	assert_true(pdfobj_is_name(pdfobj_get(pdfobj_at(pdfobj_get(o, "A"), 1), "Type"), "Pages"));
	/* A wrong generation and a missing object are the null object, no fault. */
	assert_int_equal(pdfobj_kind(pdfobj_get(o, "G")), PDF_NULL);
	assert_int_equal(pdfobj_kind(pdfobj_get(o, "M")), PDF_NULL);
	struct buf text = BUF_INIT(1000);
	pdfobj_print(o, &text);
	assert_string_equal(
	    (char *)text.data,
	    "<</I -17 /J 9223372036854775807 /B 9223372036854775808 /R -.5 /S <612B0A2829286229630A64> /H <41F0> /N /AB#2F "
	    "/T true /F false /Z null /A [1 2 0 R [<<>>] /x] /G 2 1 R /M 77 0 R>>");
	buf_free(&text);
	pdfdoc_close(d);
	buf_free(&b);
}

/* The first fault of reading everything. */
static void read_all(struct bytes in, struct err *e)
{
	struct pdfdoc *d;
	size_t n;
	*e = (struct err){0};
	if (pdfdoc_open(in, &d, e) != ST_OK)
		return;
	for (uint32_t i = 0; i < pdfdoc_size(d); i++)
		pdfdoc_object(d, i);
	if (pdfdoc_fault(d, e) == ST_OK)
		pdfdoc_pages(d, &n, e);
	pdfdoc_close(d);
}

static void test_one_wrong_place(void **state)
{
	(void)state;
	static const struct {
		const char *what, *from, *to; /* of one length */
		const char *code;
	} cases[] = {
	    {"nothing wrong", "trailer", "trailer", ""},
	    {"no header", "%PDF-1.7", "%PDX-1.7", "pdf-header"},
	    {"unknown version", "%PDF-1.7", "%PDF-9.7", "pdf-header"},
	    {"no end marker", "%%EOF", "%%EOG", "pdf-trailer"},
	    {"no startxref", "startxref", "startxrex", "pdf-trailer"},
	    {"no xref where startxref says", "\nxref\n", "\nxrex\n", "pdf-object"},
	    {"entry of a wrong form", "65535 f ", "65535 g ", "pdf-xref"},
	    {"entry with one end-of-line byte", "65535 f \n", "65535 f\n\n", "pdf-xref"},
	    {"two subsections for one object", "0 5\n", "1 5\n", "pdf-xref"},
	    {"more entries than there are", "0 5\n", "0 9\n", "pdf-xref"},
	    {"fewer entries than there are", "0 5\n", "0 4\n", "pdf-xref"},
	    {"no trailer", "trailer", "trailex", "pdf-xref"},
	    {"Size too small", "/Size 5", "/Size 4", "pdf-xref"},
	    {"Size zero", "/Size 5", "/Size 0", "pdf-trailer"},
	    {"no Root", "/Root", "/Toor", "pdf-catalog"},
	    {"Root is no dictionary", "/Root 1 0 R", "/Root 9 0 R", "pdf-catalog"},
	    {"Prev leads to itself", "/ID [<01> <01>]", "/Prev 241      ", "pdf-xref"},
	    {"Prev leads nowhere", "/ID [<01> <01>]", "/Prev 999999   ", "pdf-xref"},
	    {"Prev is no number", "/ID [<01> <01>]", "/Prev /a       ", "pdf-trailer"},
	    {"another number", "3 0 obj", "5 0 obj", "pdf-object"},
	    {"another generation", "3 0 obj", "3 1 obj", "pdf-object"},
	    {"no obj", "3 0 obj", "3 0 oby", "pdf-object"},
	    {"no endobj", "endobj\n3 0", "endobk\n3 0", "pdf-syntax"},
	    {"a key twice", "/Pages 2 0 R", "/Type  2 0 R", "pdf-syntax"},
	    {"a key that is no name", "/Parent 2 0 R", "(arent) 2 0 R", "pdf-syntax"},
	    {"stream with CR alone", "stream\n0 0 m", "stream\r0 0 m", "pdf-syntax"},
	    {"Length too short", "/Length 5", "/Length 4", "pdf-syntax"},
	    {"Length too long", "/Length 5", "/Length 7", "pdf-syntax"},
	    {"no Length", "/Length 5", "/Lengte 5", "pdf-syntax"},
	    {"no endstream", "endstream", "endstreax", "pdf-syntax"},
	    {"page tree loop", "/Kids[3 0 R]", "/Kids[2 0 R]", "pdf-pages"},
	    {"page tree to nothing", "/Kids[3 0 R]", "/Kids[9 0 R]", "pdf-pages"},
	    {"page tree with a direct kid", "/Kids[3 0 R]", "/Kids[<<>>] ", "pdf-pages"},
	    {"page of another type", "/Type/Page/", "/Type/Pagx/", "pdf-pages"},
	    {"no page tree", "/Pages 2 0 R", "/Pagxs 2 0 R", "pdf-pages"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b = build(NULL);
		size_t n = strlen(cases[i].from);
		uint8_t *at = memmem(b.data, b.len, cases[i].from, n);
		struct err e;
		assert_non_null(at);
		assert_int_equal(n, strlen(cases[i].to));
		memcpy(at, cases[i].to, n);
		read_all(bytes_of(&b), &e);
		if (strcmp(e.code, cases[i].code) != 0)
			fail_msg("%s: %s (%s), want %s", cases[i].what, e.code, e.detail, cases[i].code);
		buf_free(&b);
	}
}

static void test_cut_off(void **state)
{
	(void)state;
	struct buf b = build(NULL);
	for (size_t n = 0; n + 1 < b.len; n++) {
		uint8_t *copy = malloc(n + 1); /* so that a read beyond the end is found */
		struct err e;
		memcpy(copy, b.data, n);
		read_all((struct bytes){copy, n}, &e);
		assert_int_equal(e.status, ST_ITEM);
		free(copy);
	}
	buf_free(&b);
}

static void test_bad_objects(void **state)
{
	(void)state;
	static const struct {
		const char *body, *code;
	} cases[] = {
	    {"[1 2", "pdf-syntax"},
	    {"<</A 1", "pdf-syntax"},
	    {"(abc", "pdf-syntax"},
	    {"<41", "pdf-syntax"},
	    {"<4g>", "pdf-syntax"},
	    {"/A#0", "pdf-syntax"},
	    {"/A#00", "pdf-syntax"},
	    {"1-2", "pdf-syntax"},
	    {"--1", "pdf-syntax"},
	    {".", "pdf-syntax"},
	    {"1.2.3", "pdf-syntax"},
	    {"nul", "pdf-syntax"},
	    {"R", "pdf-syntax"},
	    {"", "pdf-syntax"},
	    {"1 2", "pdf-syntax"},
	    {"<</A>>", "pdf-syntax"},
	    {"<</A 1/A 1>>", "pdf-syntax"},
	    {"1 0 R", ""},
	    {"4 0 R", ""},
	    {"0.10", ""},
	    {"<</Length 4 0 R>>stream\n\nendstream", "pdf-object"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b = build(cases[i].body);
		struct err e;
		read_all(bytes_of(&b), &e);
		if (strcmp(e.code, cases[i].code) != 0)
			fail_msg("%s: %s (%s), want %s", cases[i].body, e.code, e.detail, cases[i].code);
		buf_free(&b);
	}
	/* Depth: 99 levels are read, 101 are not. */
	for (size_t levels = 99; levels <= 101; levels += 2) {
		char body[256] = "";
		memset(body, '[', levels);
		memset(body + levels, ']', levels);
		struct buf b = build(body);
		struct err e;
		read_all(bytes_of(&b), &e);
		assert_string_equal(e.code, levels == 99 ? "" : "pdf-limit");
		buf_free(&b);
	}
}

/* Dictionaries on both sides of where looking up changes, and one with a key twice. */
static void test_large_dictionary(void **state)
{
	(void)state;
	for (int n = 15; n <= 18; n++) {
		char body[512] = "<<", key[16];
		for (int i = 0; i < n; i++)
			snprintf(body + strlen(body), sizeof body - strlen(body), "/K%d %d", (i * 7) % n, i);
		strcat(body, ">>");
		struct buf b = build(body);
		struct pdfdoc *d;
		struct err e;
		assert_int_equal(pdfdoc_open(bytes_of(&b), &d, &e), ST_OK);
		const struct pdfobj *o = pdfdoc_object(d, 4);
		assert_int_equal(pdfdoc_fault(d, &e), ST_OK);
		assert_int_equal(pdfobj_length(o), n);
		for (int i = 0; i < n; i++) {
			snprintf(key, sizeof key, "K%d", (i * 7) % n);
			assert_string_equal(pdfobj_key(o, (size_t)i), key);
			assert_int_equal(pdfobj_integer(pdfobj_get(o, key)), i);
		}
		assert_int_equal(pdfobj_kind(pdfobj_get(o, "K")), PDF_NULL);
		pdfdoc_close(d);
		buf_free(&b);
		strcpy(body + strlen(body) - 2, "/K3 1>>");
		b = build(body);
		read_all(bytes_of(&b), &e);
		assert_string_equal(e.code, "pdf-syntax");
		buf_free(&b);
	}
}

static void test_filters(void **state)
{
	(void)state;
	static const struct {
		const char *dict, *data;
		const char *want; /* decoded, or NULL */
		const char *code;
	} cases[] = {
	    {"/Filter/ASCIIHexDecode", "4142>", "AB", ""},
	    {"/Filter/ASCIIHexDecode", "4 1 4>", "A@", ""},
	    {"/Filter/ASCIIHexDecode", "4x>", NULL, "pdf-stream"},
	    {"/Filter/ASCII85Decode", "87cUR~>", "Hell", ""},
	    {"/Filter/ASCII85Decode", "87cURDZ~>", "Hello", ""},
	    {"/Filter/ASCII85Decode", "s8W-\"~>", NULL, "pdf-stream"},
	    {"/Filter/ASCII85Decode", "8~>", NULL, "pdf-stream"},
	    {"/Filter[/ASCIIHexDecode/RunLengthDecode]", "02414243FE4480>", "ABCDDD", ""},
	    {"/Filter[/ASCIIHexDecode/RunLengthDecode]", "0541>", NULL, "pdf-stream"},
	    {"/Filter[/ASCIIHexDecode/LZWDecode]", "800B6050220C0C8501>", "-----A---B", ""},
	    {"/Filter[/ASCIIHexDecode/LZWDecode]", "807FFFFF>", NULL, "pdf-stream"},
	    {"/Filter[/ASCIIHexDecode/FlateDecode]", "789c4b4c4a0600024d0127>", "abc", ""},
	    {"/Filter[/ASCIIHexDecode/FlateDecode]", "789c4b4c4a>", NULL, "pdf-stream"},
	    {"/Filter[/ASCIIHexDecode/FlateDecode]/DecodeParms[null<</Predictor 2>>]", "789c4b4c4a0600024d0127>", "abc", ""},
	    {"/Filter[/ASCIIHexDecode/FlateDecode]/DecodeParms[null<</Predictor 2/Columns 3>>]", "789c4b4c4a0600024d0127>",
	     "a\xc3\x26", ""},
	    {"/Filter[/ASCIIHexDecode/FlateDecode]/DecodeParms[null<</Predictor 3>>]", "789c4b4c4a0600024d0127>", NULL,
	     "pdf-stream"},
	    {"/Filter/DCTDecode", "x", NULL, "pdf-filter"},
	    {"/Filter[/Crypt]", "x", NULL, "pdf-filter"},
	    {"/F(other)", "x", NULL, "pdf-filter"},
	    {"", "plain", "plain", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char body[512];
		snprintf(body, sizeof body, "<<%s/Length %zu>>\nstream\n%s\nendstream", cases[i].dict, strlen(cases[i].data),
		         cases[i].data);
		struct buf b = build(body), to = BUF_INIT(1000);
		struct pdfdoc *d;
		struct err e = {0};
		assert_int_equal(pdfdoc_open(bytes_of(&b), &d, &e), ST_OK);
		pdfobj_stream(pdfdoc_object(d, 4), &to, &e);
		if (strcmp(e.code, cases[i].code) != 0)
			fail_msg("%s %s: %s, want %s", cases[i].dict, cases[i].data, e.code, cases[i].code);
		if (cases[i].want != NULL)
			assert_string_equal((char *)to.data, cases[i].want);
		buf_free(&to);
		pdfdoc_close(d);
		buf_free(&b);
	}
}

/* Three stages of run lengths: some hundred bytes that would be a gigabyte. */
static void test_bomb(void **state)
{
	(void)state;
	struct buf hex = BUF_INIT(1 << 20), body = BUF_INIT(1 << 20), to = BUF_INIT(100000);
	for (int i = 0; i < 2000; i++)
		buf_str(&hex, "8141");
	buf_format(&body, "<</Filter[/ASCIIHexDecode/RunLengthDecode]/Length %zu>>\nstream\n%s\nendstream", hex.len,
	           (char *)hex.data);
	struct buf b = build((char *)body.data);
	struct pdfdoc *d;
	struct err e;
	assert_int_equal(pdfdoc_open(bytes_of(&b), &d, &e), ST_OK);
	assert_int_equal(pdfobj_stream(pdfdoc_object(d, 4), &to, &e), ST_ITEM);
	assert_string_equal(e.code, "pdf-limit");
	pdfdoc_close(d);
	buf_free(&b);
	buf_free(&to);
	buf_free(&body);
	buf_free(&hex);
}

/* Files in every style: what they hold is known. */
static void test_styles(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t revisions;
		bool stream;
	} cases[] = {
	    {"table", 1, false},  {"objstm", 1, true},      {"linear", 1, false},        {"linear-objstm", 1, true},
	    {"hybrid", 2, false}, {"signed-dss", 2, false}, {"signed-filled", 2, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char path[128];
		snprintf(path, sizeof path, "tests/fuzz/fuzz_pdf/%s.pdf", cases[i].name);
		struct file_map m;
		struct pdfdoc *d, *r;
		struct err e;
		size_t pages;
		uint32_t page, stream;
		uint64_t at, n;
		assert_int_equal(file_map_open(path, &m, &e), ST_OK);
		assert_int_equal(pdfdoc_open(m.in, &d, &e), ST_OK);
		assert_int_equal(pdfdoc_revisions(d), cases[i].revisions);
		assert_int_equal(pdfdoc_has_xref_stream(d), cases[i].stream);
		assert_int_equal(pdfdoc_pages(d, &pages, &e), ST_OK);
		assert_int_equal(pages, 1);
		assert_int_equal(pdfdoc_page(d, 0, &page, &e), ST_OK);
		assert_int_equal(pdfdoc_page(d, 1, &page, &e), ST_ITEM);
		assert_int_equal(pdfobj_integer(pdfobj_at(pdfdoc_page_attribute(d, page, "MediaBox"), 3)), 20);
		assert_int_equal(pdfobj_kind(pdfdoc_page_attribute(d, page, "Count")), PDF_NULL);
		assert_int_equal(pdfobj_string(pdfdoc_object(d, 5)).n, strcmp(cases[i].name, "hybrid") == 0 ? 3 : 0);
		assert_true(pdfdoc_locate(d, page, &at, &n, &stream));
		if (stream == 0)
			assert_memory_equal(m.in.p + at + n - 6, "endobj", 6);
		assert_int_equal(pdfdoc_fault(d, &e), ST_OK);
		for (size_t k = 0; k < cases[i].revisions; k++) {
			assert_int_equal(pdfdoc_open_revision(d, k, &r, &e), ST_OK);
			assert_int_equal(pdfdoc_revisions(r), k + 1);
			assert_int_equal(pdfdoc_bytes(r).n, pdfdoc_revision(d, k).end);
			pdfdoc_close(r);
		}
		pdfdoc_close(d);
		file_map_close(&m);
	}
}

static void test_text(void **state)
{
	(void)state;
	static const struct {
		const char *source, *want;
	} cases[] = {
	    {"(abc)", "abc"},
	    {"(\\200\\222\\240)", "\xe2\x80\xa2\xe2\x84\xa2\xe2\x82\xac"},
	    {"<FEFF01111EEF>", "\xc4\x91\xe1\xbb\xaf"},
	    {"<FFFE1101>", "\xc4\x91"},
	    {"<FEFFD83DDE00>", "\xf0\x9f\x98\x80"},
	    {"<FEFF001B0076006900 1B0041>", "A"},
	    {"<FEFFD83D>", "\xef\xbf\xbd"},
	    {"<EFBBBFC491>", "\xc4\x91"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b = build(cases[i].source), to = BUF_INIT(1000);
		struct pdfdoc *d;
		struct err e;
		assert_int_equal(pdfdoc_open(bytes_of(&b), &d, &e), ST_OK);
		char *text = pdfobj_text(pdfdoc_object(d, 4));
		assert_string_equal(text, cases[i].want);
		free(text);
		pdfdoc_close(d);
		buf_free(&b);
		/* And back. */
		pdf_print_text(cases[i].want, &to);
		b = build((char *)to.data);
		assert_int_equal(pdfdoc_open(bytes_of(&b), &d, &e), ST_OK);
		text = pdfobj_text(pdfdoc_object(d, 4));
		assert_string_equal(text, cases[i].want);
		free(text);
		pdfdoc_close(d);
		buf_free(&b);
		buf_free(&to);
	}
}

static void test_encrypted(void **state)
{
	(void)state;
	struct file_map m;
	struct pdfdoc *d;
	struct err e;
	assert_int_equal(file_map_open("tests/fuzz/fuzz_pdf/encrypted.pdf", &m, &e), ST_OK);
	assert_int_equal(pdfdoc_open(m.in, &d, &e), ST_OK);
	assert_true(pdfdoc_encrypted(d));
	pdfdoc_close(d);
	file_map_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values),      cmocka_unit_test(test_one_wrong_place),  cmocka_unit_test(test_cut_off),
	    cmocka_unit_test(test_bad_objects), cmocka_unit_test(test_large_dictionary), cmocka_unit_test(test_filters),
	    cmocka_unit_test(test_bomb),        cmocka_unit_test(test_styles),           cmocka_unit_test(test_text),
	    cmocka_unit_test(test_encrypted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
