/* Operators of content streams, and what is stepped over between them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/pdf/content.h"
#include "tests/unit/small_pdf.h"

static const char *const bodies[] = {
    "<</Type/Catalog/Pages 2 0 R>>",
    "<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 20 30]>>",
    "<</Type/Page/Parent 2 0 R>>",
};

/* Content as "operands operator;" for each, and whether something in it was malformed. */
static bool walk(struct bytes content, struct buf *to)
{
	struct buf file = BUF_INIT(1 << 16);
	struct pdfdoc *d;
	struct pdfcontent *c;
	struct pdfcontent_operator o;
	struct err e = {0};
	small_pdf(&file, bodies, 3);
	assert_int_equal(pdfdoc_open((struct bytes){file.data, file.len}, &d, &e), ST_OK);
	assert_int_equal(pdfcontent_open(d, content, &c, &e), ST_OK);
	while (pdfcontent_next(c, &o, &e)) {
		for (size_t i = 0; i < o.n; i++) {
			pdfobj_print(o.operands[i], to);
			buf_byte(to, ' ');
		}
		buf_format(to, "%s;", o.name);
	}
	assert_int_equal(e.status, ST_OK);
	bool malformed = pdfcontent_malformed(c);
	pdfcontent_close(c);
	pdfdoc_close(d);
	buf_free(&file);
	return malformed;
}

static void test_operators(void **state)
{
	(void)state;
	static const struct {
		const char *content, *expected;
		bool malformed;
	} rows[] = {
	    {"q 1 0 0 1 5 5 cm /Im0 Do Q", "q;1 0 0 1 5 5 cm;/Im0 Do;Q;", false},
	    {"[(a)-5(b)] TJ true /A<</B 1>>DP", "[(a) -5 (b)] TJ;true /A <</B 1>> DP;", false},
	    {"1 2 m 12x 3 4 l", "1 2 m;x;3 4 l;", true},
	    {"1.2.3 w", "2.3 w;", true},
	    {"... w", "w;", true},
	    {"1 w (never ended 2 w", "1 w;", true},
	    {"[1 2 m [3] 0 d", "1 2 m;[3] 0 d;", true},
	    {"1 w ] 2 w", "1 w;];2 w;", true},
	    {"1 w >> 2 w", "1 w;>;>;2 w;", true},
	    {"BI/W 1/H 1/BPC 1/IM true ID \x80\nEI 1 w", "BI;1 w;", false},
	    {"BI/W 1 ID never ended", "BI;", true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf said = BUF_INIT(1 << 16);
		bool malformed = walk((struct bytes){(const uint8_t *)rows[i].content, strlen(rows[i].content)}, &said);
		if (strcmp((const char *)said.data, rows[i].expected) != 0 || malformed != rows[i].malformed)
			fail_msg("%s: %s", rows[i].content, (const char *)said.data);
		buf_free(&said);
	}
}

/* What fails at its end is not looked at again from each of its bytes: a minute would not do for these. */
static void test_long(void **state)
{
	(void)state;
	static const struct {
		const char *fill, *end, *expected;
	} rows[] = {
	    {"(", "", ""},         {"1", "x 1 w", "x;1 w;"}, {".", " 1 w", "1 w;"},     {"[", " 1 w", "1 w;"},
	    {"<", " 1 w", "1 w;"}, {"<00", " w", "w;"},      {"[(a)", "(b) Tj", "Tj;"}, {"<</A ", "1 w", "w;"},
	};
	enum { LONG = 1 << 20 };
	uint8_t *content = malloc(LONG);
	assert_non_null(content);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf said = BUF_INIT(LONG);
		size_t unit = strlen(rows[i].fill), n = strlen(rows[i].end), filled = (LONG - n) / unit * unit;
		for (size_t k = 0; k < filled; k++)
			content[k] = (uint8_t)rows[i].fill[k % unit];
		memcpy(content + filled, rows[i].end, n);
		assert_true(walk((struct bytes){content, filled + n}, &said));
		const char *text = said.len == 0 ? "" : (const char *)said.data;
		size_t end = strlen(rows[i].expected);
		/* What stands before are operands that have no operator. */
		assert_true(said.len >= end && strcmp(text + said.len - end, rows[i].expected) == 0);
		buf_free(&said);
	}
	free(content);
}

/* However many digits there are, it is one number. */
static void test_digits(void **state)
{
	(void)state;
	struct buf content = BUF_INIT(1 << 20), said = BUF_INIT(1 << 20);
	buf_str(&content, "0.");
	for (int i = 0; i < 70000; i++)
		buf_byte(&content, '0');
	buf_str(&content, "1 w");
	assert_false(walk((struct bytes){content.data, content.len}, &said));
	assert_int_equal(said.len, content.len + 1);
	buf_free(&content);
	buf_free(&said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_operators),
	    cmocka_unit_test(test_long),
	    cmocka_unit_test(test_digits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
