/* Text laid out and embedded: size of the box, breaking of lines, the subset and its reuse, letters that are missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "stages/appearance/appearance.h"
#include "tests/unit/small_pdf.h"

#define FONT "/usr/share/fonts/truetype/croscore/Tinos-Regular.ttf"
#define ORGANISATION "Trung tâm Lưu trữ lịch sử tỉnh Bắc Ninh"
#define USUAL ORGANISATION " 0123456789-:+T"

static const char *const bodies[] = {"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
                                     "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] >>"};

/* The update that holds the appearance of a text, as bytes. */
static void write_update(struct typeface *t, const char *text, int rotate, struct buf *to)
{
	BUF_AUTO struct buf file = BUF_INIT(1u << 16);
	small_pdf(&file, bodies, 3);
	struct pdfdoc *d;
	struct pdfupd *u;
	struct appearance *a;
	struct err e = {0};
	const struct appearance_request r = {.text = text, .size_pt = 10, .max_width_pt = 200, .right = true};
	assert_int_equal(pdfdoc_open((struct bytes){file.data, file.len}, &d, &e), ST_OK);
	assert_int_equal(pdfupd_new(d, &u, &e), ST_OK);
	assert_int_equal(appearance_new(t, &r, &a, &e), ST_OK);
	uint32_t form = 0;
	assert_int_equal(appearance_write(a, rotate, true, u, &form, NULL), ST_OK);
	assert_true(pdfobj_is_name(pdfobj_get(pdfupd_object(u, form), "Subtype"), "Form"));
	assert_int_equal(pdfupd_finish(u, to, &e), ST_OK);
	appearance_free(a);
	pdfupd_free(u);
	pdfdoc_close(d);
}

static void sizes(void **state)
{
	(void)state;
	struct typeface *t;
	struct err e = {0};
	assert_int_equal(typeface_open(FONT, USUAL, &t, &e), ST_OK);
	/* Times' digits are half an em wide; its ascent and descent together 1.107 em, lines 1.149 em apart. */
	static const struct {
		const char *what, *text;
		double max, width_min, width_max, height_min, height_max;
	} cases[] = {
	    {"ten digits", "0123456789", 200, 49.9, 50.3, 11.0, 11.2},
	    {"a line end", "01234\n56789", 200, 24.9, 25.3, 22.4, 22.7},
	    {"empty lines do not count", "01234\n\n  \n56789\n", 200, 24.9, 25.3, 22.4, 22.7},
	    {"broken between words", "01234 56789", 50, 24.9, 25.3, 22.4, 22.7},
	    {"just fits", "01234 56789", 52.5, 52.4, 52.8, 11.0, 11.2},
	    {"just does not", "01234 56789", 52.4, 24.9, 25.3, 22.4, 22.7},
	    {"a long word stays whole", "0123456789 1", 30, 49.9, 50.3, 22.4, 22.7},
	    {"ink right of the last width", "ư", 200, 5.65, 5.75, 11.0, 11.2},
	    {"ink left of the first", "j", 200, 3.0, 3.1, 11.0, 11.2},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct appearance_request r = {
		    .text = cases[i].text, .size_pt = 10, .max_width_pt = cases[i].max, .right = true};
		struct appearance *a;
		assert_int_equal(appearance_new(t, &r, &a, &e), ST_OK);
		double w = appearance_width(a), h = appearance_height(a);
		if (w < cases[i].width_min || w > cases[i].width_max || h < cases[i].height_min || h > cases[i].height_max)
			fail_msg("%s: %g x %g", cases[i].what, w, h);
		appearance_free(a);
	}
	typeface_free(t);
}

static void faults(void **state)
{
	(void)state;
	struct typeface *t;
	struct appearance *a;
	struct err e = {0};
	assert_int_equal(typeface_open("/nowhere/none.ttf", USUAL, &t, &e), ST_RUN);
	assert_string_equal(e.code, "font-file");
	assert_int_equal(typeface_open("CMakeLists.txt", USUAL, &t, &e), ST_RUN);
	assert_string_equal(e.code, "font-file");
	assert_int_equal(typeface_open(FONT, "漢", &t, &e), ST_RUN);
	assert_string_equal(e.code, "font-glyph");
	assert_int_equal(typeface_open(FONT, USUAL, &t, &e), ST_OK);
	const struct appearance_request chinese = {.text = "漢", .size_pt = 10, .max_width_pt = 100, .right = true},
	                                empty = {.text = " \n ", .size_pt = 10, .max_width_pt = 100, .right = true},
	                                bad = {.text = "\xff", .size_pt = 10, .max_width_pt = 100, .right = true};
	assert_int_equal(appearance_new(t, &chinese, &a, &e), ST_RUN);
	assert_string_equal(e.code, "font-glyph");
	assert_int_equal(appearance_new(t, &empty, &a, &e), ST_ITEM);
	assert_string_equal(e.code, "appearance-empty");
	assert_int_equal(appearance_new(t, &bad, &a, &e), ST_RUN);
	assert_string_equal(e.code, "font-glyph");
	typeface_free(t);
}

static void same_bytes(void **state)
{
	(void)state;
	struct typeface *t, *fresh;
	struct err e = {0};
	assert_int_equal(typeface_open(FONT, USUAL, &t, &e), ST_OK);
	assert_int_equal(typeface_open(FONT, USUAL, &fresh, &e), ST_OK);
	const char *text = ORGANISATION "\n2026-06-12T11:45:37+07:00";
	BUF_AUTO struct buf first = BUF_INIT(1u << 20), other = BUF_INIT(1u << 20), again = BUF_INIT(1u << 20),
	                    in_fresh = BUF_INIT(1u << 20), turned = BUF_INIT(1u << 20);
	write_update(t, text, 0, &first);
	write_update(t, "Văn phòng Đăng ký đất đai", 0, &other);
	write_update(t, text, 0, &again);
	write_update(fresh, text, 0, &in_fresh);
	write_update(fresh, text, 90, &turned);
	/* Neither an earlier text nor another process shows. */
	assert_true(bytes_equal((struct bytes){first.data, first.len}, (struct bytes){again.data, again.len}));
	assert_true(bytes_equal((struct bytes){first.data, first.len}, (struct bytes){in_fresh.data, in_fresh.len}));
	assert_false(bytes_equal((struct bytes){first.data, first.len}, (struct bytes){other.data, other.len}));
	assert_null(memmem(first.data, first.len, "/Matrix", 7));
	assert_non_null(memmem(turned.data, turned.len, "/Matrix [0 1 -1 0 ", 18));
	/* No bare device colour, no transparency. */
	assert_non_null(memmem(first.data, first.len, "/Black cs 0 sc", 14));
	assert_null(memmem(first.data, first.len, "/Group", 6));
	typeface_free(t);
	typeface_free(fresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(sizes), cmocka_unit_test(faults), cmocka_unit_test(same_bytes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
