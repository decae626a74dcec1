/* PDF/A: rules of the file's structure. One made document keeps them all; each row changes it in one place and breaks one rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/pdfa/check.h"
#include "tests/unit/pdfa_made.h"

static const struct made objects[] = {
    {"<</Type/Catalog/Pages 2 0 R/MarkInfo<</Marked true>>>>", NULL, {0}},
    {"<</Type/Pages/Kids[3 0 R]/Count 1>>", NULL, {0}},
    {"<</Type/Page/Parent 2 0 R/MediaBox[0 0 20.5 30]/Contents 4 0 R>>", NULL, {0}},
    {"<</Length 5>>\nstream\n0 0 m\nendstream", NULL, {0}},
    {"[<416263> 12]", NULL, {0}},
};
#define N_OBJECTS (sizeof objects / sizeof *objects)

struct row {
	const char *find, *put;
	enum pdfa_flavour flavour;
	const char *rule;
};

/* Rules of stages/pdfa/file by what they speak of. */
static bool of_the_file(const char *object)
{
	static const char *const words[] = {"file",
	                                    "trailer",
	                                    "cross-reference section",
	                                    "indirect object",
	                                    "stream",
	                                    "filter",
	                                    "string",
	                                    "name",
	                                    "integer",
	                                    "real number",
	                                    "dictionary",
	                                    "array"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(object, words[i]) == 0)
			return true;
	return false;
}

static void expect(const struct row *row, enum pdfa_flavour flavour)
{
	struct buf b = BUF_INIT(1 << 22);
	struct pdfa_result r;
	struct err e;
	made_build(&b, "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", objects, N_OBJECTS,
	           row == NULL ? NULL : &(struct change){row->find, row->put});
	assert_false(b.failed);
	if (pdfa_check((struct bytes){b.data, b.len}, flavour, &r, &e) != ST_OK)
		fail_msg("%s: %s %s", row == NULL ? "the sound document" : row->put, e.where, e.detail);
	bool found = row == NULL;
	for (size_t i = 0; i < r.n_findings; i++) {
		const struct pdfa_finding *f = &r.findings[i];
		if (f->broken == 0 || !of_the_file(f->object))
			continue;
		if (row == NULL || strcmp(f->rule, row->rule) != 0)
			fail_msg("%s: rule %s is broken", row == NULL ? "the sound document" : row->put, f->rule);
		found = true;
	}
	if (!found)
		fail_msg("\"%s\" instead of \"%s\" does not break %s", row->put, row->find, row->rule);
	pdfa_result_free(&r);
	buf_free(&b);
}

static void test_sound(void **state)
{
	static const enum pdfa_flavour all[] = {PDFA_1A, PDFA_1B, PDFA_2A, PDFA_2B, PDFA_2U, PDFA_3A, PDFA_3B, PDFA_3U};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		expect(NULL, all[i]);
}

static void test_rows(void **state)
{
	static const struct row rows[] = {
	    {"%PDF-1.4", " %PDF-1.4", PDFA_1B, "6.1.2-1"},
	    {"%PDF-1.4", "%PDF-1.x", PDFA_1B, "6.1.2-1"},
	    {"%PDF-1.4", "%PDF-1.8", PDFA_2B, "6.1.2-1"},
	    {"%PDF-1.4", "%PDF-1.4 ", PDFA_2B, "6.1.2-1"},
	    {"%PDF-1.4", "%PDF-1.4\n", PDFA_2B, "6.1.2-2"},
	    {"%\xe2\xe3", "%ab", PDFA_1B, "6.1.2-2"},
	    {"/ID[<aa><bb>]", "", PDFA_1B, "6.1.3-1"},
	    {"/ID[<aa><bb>]", "/ID[<><>]", PDFA_2B, "6.1.3-1"},
	    {"/ID", "/Encrypt 5 0 R/ID", PDFA_2B, "6.1.3-2"},
	    {"EOF\n", "EOF\n\n", PDFA_1B, "6.1.3-3"},
	    {"EOF\n", "EOF\nmore", PDFA_2B, "6.1.3-3"},
	    {"xref\n0", "xref \n0", PDFA_2B, "6.1.4-2"},
	    {"\n0 6\n", "\n0  6\n", PDFA_1B, "6.1.4-1"},
	    {"5 0 obj", "5  0 obj", PDFA_1B, "6.1.8-1"},
	    {"5 0 obj", "5 0  obj", PDFA_2B, "6.1.9-1"},
	    {"5 0 obj\n", "5 0 obj ", PDFA_2B, "6.1.9-1"},
	    {"12]\nendobj", "12] endobj", PDFA_2B, "6.1.9-1"},
	    {"12]\nendobj\n", "12]\nendobj ", PDFA_2B, "6.1.9-1"},
	    {"12]\nendobj\n", "12]\n", PDFA_2B, "6.1.9-1"},
	    {"/Length 5", "/Length 4", PDFA_2B, "6.1.7.1-1"},
	    {"/Length 5", "/Length 6", PDFA_1B, "6.1.7-1"},
	    {"/Length 5", "/Length 99999", PDFA_1B, "6.1.7-1"},
	    {"/Length 5", "/Length(5)", PDFA_1B, "6.1.7-1"},
	    {"stream\n0", "stream\r0", PDFA_1B, "6.1.7-2"},
	    {"0 m\nendstream", "0 mendstream", PDFA_2B, "6.1.7.1-2"},
	    {"/Length 5", "/F(a)/Length 5", PDFA_2B, "6.1.7.1-3"},
	    {"/Length 5", "/Filter/LZWDecode/Length 5", PDFA_1B, "6.1.10-1"},
	    {"/Length 5", "/Filter[/LZWDecode]/Length 5", PDFA_2B, "6.1.7.2-1"},
	    {"/Length 5", "/Filter/Crypt/Length 5", PDFA_3B, "6.1.7.2-1"},
	    {"<416263>", "<4162630>", PDFA_2B, "6.1.6-1"},
	    {"<416263>", "<4162x3>", PDFA_2B, "6.1.6-2"},
	    {" 12]", " 2147483648]", PDFA_1B, "6.1.12-1"},
	    {" 12]", " -99999999999999999999]", PDFA_2B, "6.1.13-1"},
	    {" 12]", " 32768.5]", PDFA_1B, "6.1.12-2"},
	    {" 12]", " 0.000000000000000000000000000000000000001]", PDFA_2B, "6.1.13-5"},
	    {"/Marked true", "/Marked false", PDFA_1A, "6.8.2.2-1"},
	    {"/Marked true", "/Marked 1", PDFA_3A, "6.7.2.2-1"},
	    {"/Pages 2", "/OCProperties<<>>/Pages 2", PDFA_1B, "6.1.13-1"},
	    {"/Pages 2", "/Names<</EmbeddedFiles<<>>>>/Pages 2", PDFA_1B, "6.1.11-2"},
	    {"/Pages 2", "/NeedsRendering true/Pages 2", PDFA_2B, "6.4.2-2"},
	    {"/Pages 2", "/Requirements[<</S/X>>]/Pages 2", PDFA_2B, "6.11-1"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect(&rows[i], rows[i].flavour);
}

/* Limits, with long things made. */
static void test_limits(void **state)
{
	static const struct {
		const char *before, *fill, *after;
		size_t n;
		enum pdfa_flavour flavour;
		const char *rule;
	} rows[] = {
	    {"(", "a", ")]", 65536, PDFA_1B, "6.1.12-3"}, {"(", "a", ")]", 32768, PDFA_2B, "6.1.13-3"},
	    {"/", "a", "]", 128, PDFA_1B, "6.1.12-4"},    {"/", "a", "]", 128, PDFA_2B, "6.1.13-4"},
	    {"", "1 ", "]", 8192, PDFA_1B, "6.1.12-5"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf text = BUF_INIT(1 << 20);
		buf_str(&text, rows[i].before);
		for (size_t k = 0; k < rows[i].n; k++)
			buf_str(&text, rows[i].fill);
		buf_str(&text, rows[i].after);
		expect(&(struct row){"12]", (const char *)text.data, rows[i].flavour, rows[i].rule}, rows[i].flavour);
		buf_free(&text);
	}
}

/* What is no PDF at all is an error, not a finding. */
static void test_unreadable(void **state)
{
	static const struct {
		const char *bytes, *code;
	} rows[] = {
	    {"", "pdf-header"},
	    {"no document", "pdf-header"},
	    {"%PDF-1.4\n", "pdf-trailer"},
	    {"%PDF-1.4\nstartxref\n99\n%%EOF", "pdf-xref"},
	    {"%PDF-1.4\nstartxref\n0\n%%EOF", "pdf-object"},
	    {"%PDF-1.4\nxref\n0 0\ntrailer\n<</Root 1 0 R>>\nstartxref\n9\n%%EOF", "pdf-catalog"},
	    {"%PDF-1.4\nxref\n0 0\ntrailer\n<</Prev 9>>\nstartxref\n9\n%%EOF", "pdf-xref"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct pdfa_result r;
		struct err e = {0};
		assert_int_equal(pdfa_check(text_bytes(rows[i].bytes), PDFA_2B, &r, &e), ST_ITEM);
		assert_string_equal(e.code, rows[i].code);
		pdfa_result_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sound),
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_unreadable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
