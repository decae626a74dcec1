/* What cells may say: codes, labels, dates, numbers, lengths; and how names are ordered and compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/ingest/internal.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static char *codes[] = {"01", "02", "10"}, *labels[] = {"Vĩnh viễn", "70 năm", "Khác"};
static const struct profile_column coded = {.codes = codes,
                                            .codes_count = 3,
                                            .labels = labels,
                                            .labels_count = 3,
                                            .format = "text"};
static const struct profile_column several = {.codes = codes, .codes_count = 3, .multiple = true, .format = "text"};
static const struct profile_column date = {.format = "date"}, partial = {.format = "date-partial"}, number = {.format = "number"};
static const struct profile_column short_number = {.format = "number", .max_length = 4},
                                   text = {.format = "text", .max_length = 5};

static void test_values(void **state)
{
	static const struct {
		const struct profile_column *column;
		const char *value, *want, *code; /* want: the standard form, or what is allowed */
	} cases[] = {
	    {&coded, "01", "01", NULL},
	    {&coded, "1", "01", NULL},
	    {&coded, "010", "10", NULL},
	    {&coded, "vĩnh  VIỄN", "01", NULL},
	    {&coded, "70 năm", "02", NULL},
	    {&coded, "03", "01, 02, 10", "sheet-code"},
	    {&coded, "01x", "01, 02, 10", "sheet-code"},
	    {&coded, "01; 02", "01, 02, 10", "sheet-code"},
	    {&several, "1; 02,10", "01; 02; 10", NULL},
	    {&several, "01;", "01, 02, 10", "sheet-code"},
	    {&date, "09/03/2024", "09/03/2024", NULL},
	    {&date, "9/3/2024", "09/03/2024", NULL},
	    {&date, "9.3.2024", "09/03/2024", NULL},
	    {&date, "2024-03-09", "09/03/2024", NULL},
	    {&date, "2024-03-09 00:00:00", "09/03/2024", NULL},
	    {&date, "29/02/2024", "29/02/2024", NULL},
	    {&date, "29/02/2023", "DD/MM/YYYY", "sheet-date"},
	    {&date, "29/02/1900", "DD/MM/YYYY", "sheet-date"},
	    {&date, "31/04/2023", "DD/MM/YYYY", "sheet-date"},
	    {&date, "00/01/2023", "DD/MM/YYYY", "sheet-date"},
	    {&date, "03/2024", "DD/MM/YYYY", "sheet-date"},
	    {&date, "9/3/24", "DD/MM/YYYY", "sheet-date"},
	    {&date, "ngày 9", "DD/MM/YYYY", "sheet-date"},
	    {&date, "09/03/2024/1", "DD/MM/YYYY", "sheet-date"},
	    {&date, "45360", "DD/MM/YYYY", "sheet-date"},
	    {&partial, "3/2024", "03/2024", NULL},
	    {&partial, "13/2024", NULL, "sheet-date"},
	    {&partial, "2024", "2024", NULL},
	    {&partial, "1/3/2024", "01/03/2024", NULL},
	    {&number, "12", "12", NULL},
	    {&number, "0012", "12", NULL},
	    {&number, "1,200", "0, 1, 2 …", "sheet-number"},
	    {&number, "-1", "0, 1, 2 …", "sheet-number"},
	    {&number, "1.5", "0, 1, 2 …", "sheet-number"},
	    {&short_number, "9999", "9999", NULL},
	    {&short_number, "10000", "4", "sheet-length"},
	    {&text, "đồng ", "đồng ", NULL},
	    {&text, "đồngđồ", "5", "sheet-length"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf allowed = BUF_INIT(4096);
		char *value = NULL;
		const char *code = check_value(cases[i].column, cases[i].value, &value, &allowed);
		const char *got = code == NULL ? value : (const char *)allowed.data;
		if ((code == NULL) != (cases[i].code == NULL) || (code != NULL && strcmp(code, cases[i].code) != 0) ||
		    (cases[i].want != NULL && (got == NULL || strcmp(got, cases[i].want) != 0)))
			fail_msg("%s: %s, «%s»", cases[i].value, code ? code : "fine", got ? got : "nothing");
		free(value);
		buf_free(&allowed);
	}
}

static void test_texts(void **state)
{
	static const struct {
		const char *raw, *trimmed;
	} cases[] = {{"  a b \n", "a b"}, {"\u00a0x\u00a0", "x"}, {"", ""}, {" ", ""}, {"đ", "đ"}, {"e\u0302\u0323", "ệ"}};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *got = text_trim(cases[i].raw);
		assert_string_equal(got, cases[i].trimmed);
		free(got);
	}
	assert_true(text_same("MÃ  HỒ\nSƠ", "mã hồ sơ"));
	assert_true(text_same("Mật", "M\u00c2\u0323T"));
	assert_false(text_same("Mật", "Mặt"));
}

static void test_order(void **state)
{
	static const char *const order[] = {"1.jpg", "02.jpg", "2.jpg", "10.jpg", "a1", "a2", "a10", "a10b", "b"};
	(void)state;
	for (size_t i = 0; i < COUNT(order); i++) {
		for (size_t k = 0; k < COUNT(order); k++) {
			int got = natural_compare(order[i], order[k]);
			if ((got < 0) != (i < k) || (got > 0) != (i > k))
				fail_msg("%s, %s: %d", order[i], order[k], got);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_texts),
	                                   cmocka_unit_test(test_order)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
