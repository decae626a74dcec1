/* Parts of long documents: what is written is read again, anything else is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/base/digest.h"
#include "stages/convert/part.h"

static const uint8_t key[32] = "the key of these words, 32 bytes";

#define HEAD 56 /* magic, key, pages */

static void two_pages(struct buf *to)
{
	struct part_page page = {.looked = true,
	                         .look = {.blank = true},
	                         .turned = 2,
	                         .coded = true,
	                         .picture = {PDFMAKE_G4, {(const uint8_t *)"coded", 5}},
	                         .digest = "digest"};
	struct ocr_word word = {strdup("Độc"), -1, 2, 300, 40, 5, 6, 7, -8, 96, 1, 2, true};
	assert_true(ocr_page_add(&page.words, &word));
	page.look.cells[3] = 77;
	part_begin(to, key, 9, 10);
	part_add(to, &page);
	part_add(to, &(struct part_page){0});
	part_end(to);
	assert_false(to->failed);
	ocr_page_free(&page.words);
}

static void test_again(void **state)
{
	(void)state;
	BUF_AUTO struct buf b = BUF_INIT(1 << 16);
	struct part part;
	struct part_page page;
	struct err e;
	two_pages(&b);
	assert_int_equal(part_open((struct bytes){b.data, b.len}, key, &part, &e), ST_OK);
	assert_int_equal(part.first, 9);
	assert_int_equal(part.last, 10);
	assert_int_equal(part_next(&part, &page, &e), ST_OK);
	assert_int_equal(page.words.n, 1);
	const struct ocr_word *word = page.words.words;
	assert_string_equal(word->text, "Độc");
	const int numbers[] = {word->left, word->top, word->right,     word->bottom,     word->x0,         word->y0,
	                       word->x1,   word->y1,  (int)word->line, (int)word->block, word->confidence, word->last_in_line};
	const int expected[] = {-1, 2, 300, 40, 5, 6, 7, -8, 1, 2, 96, true};
	assert_memory_equal(numbers, expected, sizeof expected);
	assert_true(page.coded);
	assert_int_equal(page.picture.filter, PDFMAKE_G4);
	assert_int_equal(page.picture.data.n, 5);
	assert_memory_equal(page.picture.data.p, "coded", 5);
	assert_memory_equal(page.digest, "digest", 7);
	assert_true(page.looked);
	assert_true(page.look.blank);
	assert_int_equal(page.look.cells[3], 77);
	assert_int_equal(page.turned, 2);
	assert_false(page.unread);
	ocr_page_free(&page.words);
	assert_int_equal(part_next(&part, &page, &e), ST_OK);
	assert_int_equal(page.words.n, 0);
	assert_false(page.coded);
	assert_int_equal(part_next(&part, &page, &e), ST_ITEM);
	assert_string_equal(e.code, "convert-part");
}

/* Reads all that there is; the detail of the fault, or "" where there is none. */
static const char *fault_of(const uint8_t *data, size_t n, struct err *e)
{
	struct part part;
	enum status st = part_open((struct bytes){data, n}, key, &part, e);
	while (st == ST_OK && part.next <= part.last) {
		struct part_page page;
		st = part_next(&part, &page, e);
		if (st == ST_OK)
			ocr_page_free(&page.words);
	}
	if (st == ST_OK)
		return "";
	assert_string_equal(e->code, "convert-part");
	return e->detail;
}

enum { LOOK = 2 + LOOK_CELLS * LOOK_CELLS };

static void test_bad(void **state)
{
	(void)state;
	static const struct {
		size_t at;
		uint8_t byte;
		const char *detail;
	} rows[] = {
	    {0, 'x', "not a part"},
	    {16, 'x', "it was made of something else"},
	    {48, 0, "its pages are impossible"},                   /* page 0 */
	    {52, 8, "its pages are impossible"},                   /* 9 to 8 */
	    {52, 11, "how a page looks is cut short, or no look"}, /* 9 to 11 */
	    {52, 9, "something follows its last page"},            /* 9 to 9 */
	    {HEAD + LOOK, 0, "a picture is not one"},              /* the word is taken for a coding */
	    {HEAD + LOOK, 200, "a page is cut short"},
	    {HEAD + LOOK + 4 + 32, 101, "a word is not one"},  /* confidence */
	    {HEAD + LOOK + 4 + 44, 2, "a word is not one"},    /* last in line */
	    {HEAD + LOOK + 4 + 45, 0, "a word is not one"},    /* no text */
	    {HEAD + LOOK + 4 + 45, 255, "a word is not one"},  /* more text than there is */
	    {HEAD + LOOK + 4 + 47, 0xff, "a word is not one"}, /* ill-formed UTF-8 */
	    {HEAD, 8, "how a page looks is cut short, or no look"},
	    {HEAD + 1, 4, "how a page looks is cut short, or no look"},
	    {HEAD + LOOK + 57, 0, "how a page looks is cut short, or no look"}, /* the digest is taken for a look */
	    {HEAD + LOOK + 57, 5, "a picture is not one"},                      /* an unknown coding */
	    {HEAD + LOOK + 91, 200, "a picture is not one"},                    /* more data than there is */
	    {HEAD + 2 * LOOK + 103, 9, "a picture is not one"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		BUF_AUTO struct buf b = BUF_INIT(1 << 16);
		struct err e;
		two_pages(&b);
		b.data[rows[i].at] = rows[i].byte;
		if (rows[i].at >= 16) {
			b.len -= 32;
			part_end(&b);
		}
		const char *detail = fault_of(b.data, b.len, &e);
		if (strcmp(detail, rows[i].detail) != 0)
			fail_msg("row %zu: \"%s\", wanted \"%s\"", i, detail, rows[i].detail);
	}
	BUF_AUTO struct buf b = BUF_INIT(1 << 16);
	struct err e;
	two_pages(&b);
	for (size_t n = 0; n < b.len; n++)
		assert_string_not_equal(fault_of(b.data, n, &e), "");
	b.data[60] ^= 1;
	assert_string_equal(fault_of(b.data, b.len, &e), "its digest is wrong");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_again), cmocka_unit_test(test_bad)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
