/* Where the appearance lies, on pages of every turn, and which pages are refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "stages/appearance/place.h"
#include "tests/unit/small_pdf.h"

static enum status place(const struct page_view *v, enum anchor a, double margin, double width, double height, struct rect *ret,
                         struct err *e)
{
	struct spot spot;
	enum status st = page_view_corner(v, a, margin, width, height, &spot, e);
	*ret = st == ST_OK ? page_view_rect(v, spot, width, height) : (struct rect){0};
	return st;
}

static enum status view_of(const char *page, struct page_view *ret_view, struct err *e)
{
	BUF_AUTO struct buf file = BUF_INIT(1u << 16);
	const char *const bodies[] = {"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 1 /Kids [3 0 R] >>", page};
	small_pdf(&file, bodies, 3);
	struct pdfdoc *d;
	enum status st = pdfdoc_open((struct bytes){file.data, file.len}, &d, e);
	if (st != ST_OK)
		return st;
	st = page_view_read(d, 3, ret_view, e);
	pdfdoc_close(d);
	return st;
}

static void places(void **state)
{
	(void)state;
	static const struct {
		const char *what, *page, *anchor;
		struct rect want; /* of a box of 50 x 20 points with a margin of 10 */
	} cases[] = {
	    {"upright", "/MediaBox [0 0 300 400]", "top-right", {240, 370, 290, 390}},
	    {"upright, left", "/MediaBox [0 0 300 400]", "top-left", {10, 370, 60, 390}},
	    {"upright, below", "/MediaBox [0 0 300 400]", "bottom-right", {240, 10, 290, 30}},
	    {"upright, below left", "/MediaBox [0 0 300 400]", "bottom-left", {10, 10, 60, 30}},
	    {"90", "/MediaBox [0 0 300 400] /Rotate 90", "top-right", {10, 340, 30, 390}},
	    {"90, below left", "/MediaBox [0 0 300 400] /Rotate 90", "bottom-left", {270, 10, 290, 60}},
	    {"180", "/MediaBox [0 0 300 400] /Rotate 180", "top-right", {10, 10, 60, 30}},
	    {"270", "/MediaBox [0 0 300 400] /Rotate 270", "top-right", {270, 10, 290, 60}},
	    {"-90 is 270", "/MediaBox [0 0 300 400] /Rotate -90", "top-right", {270, 10, 290, 60}},
	    {"450 is 90", "/MediaBox [0 0 300 400] /Rotate 450", "top-right", {10, 340, 30, 390}},
	    {"origin elsewhere", "/MediaBox [-100 50 200 450]", "top-right", {140, 420, 190, 440}},
	    {"corners in another order", "/MediaBox [300 400 0 0]", "top-right", {240, 370, 290, 390}},
	    {"CropBox", "/MediaBox [0 0 300 400] /CropBox [20 30 200 300]", "top-right", {140, 270, 190, 290}},
	    {"CropBox beyond", "/MediaBox [0 0 300 400] /CropBox [-20 -30 900 900]", "top-right", {240, 370, 290, 390}},
	    {"CropBox, 90", "/MediaBox [0 0 300 400] /CropBox [20 30 200 300] /Rotate 90", "top-right", {30, 240, 50, 290}},
	    {"UserUnit", "/MediaBox [0 0 300 400] /UserUnit 2", "top-right", {270, 385, 295, 395}},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char page[256];
		snprintf(page, sizeof page, "<< /Type /Page /Parent 2 0 R %s >>", cases[i].page);
		struct page_view v;
		struct err e = {0};
		enum anchor a;
		struct rect r;
		assert_true(anchor_parse(cases[i].anchor, &a));
		if (view_of(page, &v, &e) != ST_OK || place(&v, a, 10, 50, 20, &r, &e) != ST_OK)
			fail_msg("%s: %s %s", cases[i].what, e.code, e.detail);
		const struct rect *w = &cases[i].want;
		if (fabs(r.left - w->left) > 1e-6 || fabs(r.bottom - w->bottom) > 1e-6 || fabs(r.right - w->right) > 1e-6 ||
		    fabs(r.top - w->top) > 1e-6)
			fail_msg("%s: [%g %g %g %g]", cases[i].what, r.left, r.bottom, r.right, r.top);
	}
}

static void refusals(void **state)
{
	(void)state;
	static const char *const pages[] = {
	    "",
	    "/MediaBox [0 0 300]",
	    "/MediaBox [0 0 300 (400)]",
	    "/MediaBox [0 0 0 400]",
	    "/MediaBox [0 0 300 400] /CropBox [400 500 600 700]",
	    "/MediaBox [0 0 300 400] /CropBox /All",
	    "/MediaBox [0 0 300 400] /Rotate 45",
	    "/MediaBox [0 0 300 400] /Rotate 90.5",
	    "/MediaBox [0 0 300 400] /UserUnit 0",
	    "/MediaBox [0 0 300 400] /UserUnit -1",
	    "/MediaBox [0 0 9999999 400]",
	};
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
		char page[256];
		snprintf(page, sizeof page, "<< /Type /Page /Parent 2 0 R %s >>", pages[i]);
		struct page_view v;
		struct err e = {0};
		assert_int_equal(view_of(page, &v, &e), ST_ITEM);
		assert_string_equal(e.code, "page-box");
	}
	enum anchor a;
	assert_false(anchor_parse("middle", &a));
	const struct page_view v = {0, 0, 69, 100, 0, 1};
	struct rect r;
	struct err e = {0};
	assert_int_equal(place(&v, ANCHOR_TOP_RIGHT, 10, 50, 20, &r, &e), ST_ITEM);
	assert_string_equal(e.code, "page-box");
	assert_int_equal(place(&v, ANCHOR_TOP_RIGHT, 9.5, 50, 20, &r, &e), ST_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(places), cmocka_unit_test(refusals)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
