/* What the sign stage puts into a document, but for the signature: field, appearance, dictionary. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/pdf/signatures.h"
#include "stages/sign/internal.h"
#include "tests/unit/small_pdf.h"

#define FONT "/usr/share/fonts/truetype/croscore/Tinos-Regular.ttf"
#define NOON 1781239537000 /* 2026-06-12T11:45:37+07:00 */

static struct profile profile = {.sign = {.appearance = {.visible = true,
                                                         .page = "first",
                                                         .anchor = "top-right",
                                                         .margin_mm = 5,
                                                         .max_width_mm = 70,
                                                         .text = "{organisation}\n{time}",
                                                         .reference = "",
                                                         .picture = "none",
                                                         .picture_side = "left",
                                                         .taken = "cover",
                                                         .size_pt = 10,
                                                         .time_offset_min = 420}}};
static struct site site = {.organisation = "Tỉnh Bắc Ninh"};
static const struct stage_env env = {.profile = &profile, .site = &site, .key_fd = -1, .fetch_fd = -1};

static void templates(void **state)
{
	(void)state;
	static const struct {
		const char *template, *want;
	} cases[] = {
	    {"{organisation}\n{time}", "Tỉnh Bắc Ninh\n12:00"},
	    {"", ""},
	    {"{time}{time}", "12:0012:00"},
	    {"{tim} {organisation", "{tim} {organisation"},
	    {"BẢN SAO", "BẢN SAO"},
	};
	char *kept = profile.sign.appearance.text;
	struct err e;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char template[64];
		snprintf(template, sizeof template, "%s", cases[i].template);
		profile.sign.appearance.text = template;
		char *text = NULL;
		assert_int_equal(layout_text(&env, NULL, "12:00", &text, &e), ST_OK);
		assert_string_equal(text, cases[i].want);
		free(text);
	}
	profile.sign.appearance.text = kept;
}

static enum status lay_out(struct typeface *face, const char *page, struct buf *file, struct layout *ret_layout, struct err *e)
{
	const char *const bodies[] = {"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 2 /Kids [3 0 R 4 0 R] >>",
	                              page, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] >>"};
	struct pdfdoc *d;
	small_pdf(file, bodies, 4);
	enum status st = pdfdoc_open((struct bytes){file->data, file->len}, &d, e);
	if (st != ST_OK)
		return st;
	st = layout_make(&env, &(struct look){.face = face}, d, NULL, NOON, 100, ret_layout, e);
	pdfdoc_close(d);
	return st;
}

static void document(void **state)
{
	(void)state;
	static const struct {
		const char *what, *page, *on, *fault;
		bool visible;
	} cases[] = {
	    {"first page", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] >>", "first", NULL, true},
	    {"last page", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] >>", "last", NULL, true},
	    {"nothing to see", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] >>", "first", NULL, false},
	    {"too small a page", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 30] >>", "first", "page-box", true},
	    {"no page size", "<< /Type /Page /Parent 2 0 R >>", "first", "page-box", true},
	};
	struct err e = {0};
	struct typeface *face;
	assert_int_equal(typeface_open(FONT, "Tỉnh Bắc Ninh 0123456789-:+T", &face, &e), ST_OK);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		BUF_AUTO struct buf file = BUF_INIT(1u << 20);
		struct layout lay;
		char on[8];
		snprintf(on, sizeof on, "%s", cases[i].on);
		profile.sign.appearance.page = on;
		enum status st = lay_out(cases[i].visible ? face : NULL, cases[i].page, &file, &lay, &e);
		if (cases[i].fault != NULL) {
			assert_int_equal(st, ST_ITEM);
			assert_string_equal(e.code, cases[i].fault);
			continue;
		}
		if (st != ST_OK)
			fail_msg("%s: %s %s", cases[i].what, e.code, e.detail);
		assert_string_equal(lay.field, "Signature1");
		assert_true(pdffield_fill(&lay.update, lay.hole, (struct bytes){(const uint8_t *)"\x30\x00", 2}));
		buf_add(&file, lay.update.data, lay.update.len);
		buf_free(&lay.update);

		struct pdfdoc *d;
		struct pdfsig *list;
		size_t n;
		assert_int_equal(pdfdoc_open((struct bytes){file.data, file.len}, &d, &e), ST_OK);
		assert_int_equal(pdfsig_list(d, &list, &n, &e), ST_OK);
		assert_int_equal(n, 1);
		assert_true(list[0].range_ok && list[0].whole_file && list[0].has_time);
		/* M is the instant that was given. */
		assert_true(list[0].time_ms == NOON);
		const struct pdfobj *widget = pdfobj_at(pdfobj_get(pdfobj_get(pdfdoc_catalog(d), "AcroForm"), "Fields"), 0);
		const struct pdfobj *rect = pdfobj_get(widget, "Rect");
		assert_int_equal(pdfobj_reference(pdfobj_get(widget, "P")), strcmp(on, "last") == 0 ? 4 : 3);
		if (cases[i].visible) {
			/* 5 mm from the corner, no wider than its text. */
			assert_true(pdfobj_real(pdfobj_at(rect, 2)) > 285.8 && pdfobj_real(pdfobj_at(rect, 2)) < 285.9);
			assert_true(pdfobj_real(pdfobj_at(rect, 3)) > 385.8 && pdfobj_real(pdfobj_at(rect, 3)) < 385.9);
			assert_true(pdfobj_real(pdfobj_at(rect, 0)) > 150);
		} else {
			for (size_t k = 0; k < 4; k++)
				assert_true(pdfobj_real(pdfobj_at(rect, k)) == 0);
		}
		assert_int_equal(pdfobj_length(pdfobj_get(widget, "AP")), 1);
		pdfsig_free(list, n);
		pdfdoc_close(d);
	}
	typeface_free(face);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(templates), cmocka_unit_test(document)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
