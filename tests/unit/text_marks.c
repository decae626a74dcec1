/* Marks of confidentiality: found where they stand alone, not within other words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/text/marks.h"

static char *const marks[] = {"TUYỆT MẬT", "TỐI MẬT", "MẬT"};

/* Words parted by spaces on lines of their own; each space more is a gap as wide as a letter is high. */
static void lay(const char *text, struct ocr_page *page)
{
	int x = 0;
	uint32_t line = 1;
	*page = (struct ocr_page){0};
	while (*text != '\0') {
		size_t n = strcspn(text, " \n");
		if (n > 0) {
			struct ocr_word w = {
			    .text = strndup(text, n), .left = x, .right = x + 10 * (int)n, .top = 0, .bottom = 20, .line = line};
			assert_true(ocr_page_add(page, &w));
			x = w.right;
		}
		text += n;
		if (*text == '\n')
			line++;
		x += *text == ' ' ? 12 : 0;
		text += *text != '\0';
	}
}

static void test_rows(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool found;
	} rows[] = {
	    {"MẬT", true},
	    {"TỐI MẬT", true},
	    {"TUYỆT MẬT", true},
	    {"|TUYÊT MÂT]", true},
	    {"TUYET MAT", true},
	    {"[MẬT]", true},
	    {"(TỐI MẬT)", true},
	    {"Số: 12/BC-UBND MẬT", true},
	    {"Độ mật: MẬT", true},
	    {"ỦY BAN NHÂN DÂN    TỐI MẬT", true},
	    {"ỦY BAN NHÂN DÂN\nTỐI MẬT\nSố: 5", true},
	    {"", false},
	    {"mật", false},
	    {"Mật", false},
	    {"Bảo vệ bí mật nhà nước", false},
	    {"DANH MỤC BÍ MẬT NHÀ NƯỚC", false},
	    {"QUY CHẾ BẢO MẬT", false},
	    {"MẬT KHẨU", false},
	    {"TỐI MẬT ĐỘ", false},
	    {"MẤT", false},
	    {"MẶT", false},
	    {"MẬT1", false},
	    {"MẬT-KHẨU", false},
	    {"TUYỆT\nĐỐI", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ocr_page page;
		bool memory;
		lay(rows[i].text, &page);
		if (marks_found(&page, marks, 3, &memory) != rows[i].found || memory)
			fail_msg("%s", rows[i].text);
		ocr_page_free(&page);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
