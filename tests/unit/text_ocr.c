/* Reading drawn Vietnamese pages: the words, their places, and what cannot be read. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/text/ocr.h"
#include "tests/unit/text_drawn.h"

static const char *const lines[] = {
    "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
    "Độc lập - Tự do - Hạnh phúc",
    "Căn cứ Luật Giao dịch điện tử ngày 22 tháng 6 năm 2023",
    "Người được giao nhiệm vụ văn thư kiểm tra chữ ký",
    "Nguyễn Thị Phượng Hằng",
};
enum { LINES = sizeof lines / sizeof *lines };

static struct ocr *open_ocr(void)
{
	struct ocr *o;
	struct err e;
	if (ocr_open("vie+eng", &o, &e) != ST_OK)
		fail_msg("%s: %s", e.code, e.detail);
	return o;
}

static unsigned threads(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc/self/task");
	assert_non_null(d);
	for (const struct dirent *f; (f = readdir(d)) != NULL;)
		n += f->d_name[0] != '.';
	closedir(d);
	return n;
}

static void test_words_and_places(void **state)
{
	(void)state;
	struct ocr *o = open_ocr();
	struct drawn_page drawn;
	draw_lines(lines, LINES, 200, &drawn);
	struct ocr_page page;
	struct err e;
	assert_int_equal(ocr_read(o, &(struct ocr_pixels){drawn.grey, drawn.width, drawn.height, 200}, 0, &page, &e), ST_OK);
	assert_int_equal(threads(), 1);
	size_t at = 0;
	for (size_t i = 0; i < LINES; i++) {
		char copy[256];
		snprintf(copy, sizeof copy, "%s", lines[i]);
		char *save = NULL;
		for (const char *word = strtok_r(copy, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
			assert_in_range(at, 0, page.n - 1);
			const struct ocr_word *w = &page.words[at];
			assert_string_equal(w->text, word);
			assert_true(w->left < w->right && w->top < w->bottom);
			/* The baseline of what was drawn. */
			int baseline = (int)drawn.baseline[i];
			assert_in_range(w->y0, baseline - 3, baseline + 3);
			assert_in_range(w->y1, baseline - 3, baseline + 3);
			assert_true(w->top < baseline);
			assert_int_equal(w->line, page.words[0].line + i);
			assert_in_range(w->confidence, 60, 100);
			at++;
		}
		assert_true(page.words[at - 1].last_in_line);
	}
	assert_int_equal(at, page.n);
	assert_true(page.mean_confidence > 85);
	ocr_page_free(&page);

	/* The same page again gives the same words: nothing is learnt from the one before. */
	struct ocr_page again;
	assert_int_equal(ocr_read(o, &(struct ocr_pixels){drawn.grey, drawn.width, drawn.height, 0}, 0, &again, &e), ST_OK);
	assert_int_equal(again.n, at);
	ocr_page_free(&again);
	drawn_free(&drawn);
	ocr_close(o);
}

static void test_pages_without_text(void **state)
{
	(void)state;
	struct ocr *o = open_ocr();
	static const struct {
		uint32_t width, height;
		uint8_t value;
	} rows[] = {{1, 1, 0}, {8, 8, 255}, {7, 9000, 0}, {640, 480, 255}, {640, 480, 0}, {3, 3, 128}, {40000, 8, 255}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t n = (size_t)rows[i].width * rows[i].height;
		uint8_t *grey = malloc(n);
		assert_non_null(grey);
		memset(grey, rows[i].value, n);
		struct ocr_page page;
		struct err e;
		enum status st = ocr_read(o, &(struct ocr_pixels){grey, rows[i].width, rows[i].height, 300}, 0, &page, &e);
		print_message("%u x %u of %u: %s\n", rows[i].width, rows[i].height, rows[i].value, status_name(st));
		assert_int_equal(st, ST_OK);
		assert_int_equal(page.n, 0);
		ocr_page_free(&page);
		free(grey);
	}
	ocr_close(o);
}

/* A side beyond Tesseract's limit is read from a smaller copy; the boxes are those of the page. */
static void test_page_beyond_limit(void **state)
{
	(void)state;
	struct ocr *o = open_ocr();
	struct drawn_page drawn;
	draw_lines(lines + 2, 1, 300, &drawn);
	uint32_t width = 33000, height = 400;
	uint8_t *grey = malloc((size_t)width * height);
	assert_non_null(grey);
	memset(grey, 255, (size_t)width * height);
	uint32_t from = (uint32_t)drawn.baseline[0] - 200;
	for (uint32_t y = 0; y < height; y++)
		memcpy(grey + (size_t)y * width + 20000, drawn.grey + (size_t)(from + y) * drawn.width, drawn.width);
	struct ocr_page page;
	struct err e;
	assert_int_equal(ocr_read(o, &(struct ocr_pixels){grey, width, height, 300}, 0, &page, &e), ST_OK);
	assert_true(page.n >= 8);
	assert_in_range(page.words[0].left, 20000, 20000 + drawn.width);
	assert_in_range(page.words[0].y0, 192, 208);
	ocr_page_free(&page);
	free(grey);
	drawn_free(&drawn);
	ocr_close(o);
}

static void test_languages(void **state)
{
	(void)state;
	static const char *const wrong[] = {"xyz", "vie+xyz", "", "vie+", "+eng", "../vie", "vie eng", "~eng"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct ocr *o;
		struct err e;
		assert_int_equal(ocr_open(wrong[i], &o, &e), ST_RUN);
		assert_string_equal(e.code, "ocr-language");
		assert_null(o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_words_and_places),
	    cmocka_unit_test(test_pages_without_text),
	    cmocka_unit_test(test_page_beyond_limit),
	    cmocka_unit_test(test_languages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
