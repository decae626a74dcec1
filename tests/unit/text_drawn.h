/* Draws lines of text on an A4 page with MuPDF, in Tinos 13 pt, black on white: pages whose text is known. */
#ifndef ARKSEAL_TESTS_TEXT_DRAWN_H
#define ARKSEAL_TESTS_TEXT_DRAWN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#pragma GCC diagnostic ignored "-Wundef"
#include <mupdf/fitz.h>
#pragma GCC diagnostic pop

enum { DRAWN_LINES = 40 };

struct drawn_page {
	uint8_t *grey;
	uint32_t width, height;
	double baseline[DRAWN_LINES]; /* of each line, in pixels from the top */
};

static inline void draw_lines(const char *const *lines, size_t n, double dpi, struct drawn_page *ret_page)
{
	fz_context *ctx = fz_new_context(NULL, NULL, FZ_STORE_DEFAULT);
	assert_non_null(ctx);
	assert_in_range(n, 1, DRAWN_LINES);
	float k = (float)(dpi / 72);
	fz_font *font = fz_new_font_from_file(ctx, NULL, "/usr/share/fonts/truetype/croscore/Tinos-Regular.ttf", 0, 0);
	fz_pixmap *pixels = fz_new_pixmap(ctx, fz_device_gray(ctx), (int)(595.28f * k), (int)(841.89f * k), NULL, 0);
	fz_clear_pixmap_with_value(ctx, pixels, 255);
	fz_device *dev = fz_new_draw_device(ctx, fz_scale(k, k), pixels);
	for (size_t i = 0; i < n; i++) {
		float y = 90 + 24 * (float)i, black = 0;
		fz_text *text = fz_new_text(ctx);
		fz_show_string(ctx, text, font, fz_make_matrix(13, 0, 0, -13, 72, y), lines[i], 0, 0, FZ_BIDI_LTR, FZ_LANG_UNSET);
		fz_fill_text(ctx, dev, text, fz_identity, fz_device_gray(ctx), &black, 1, fz_default_color_params);
		fz_drop_text(ctx, text);
		ret_page->baseline[i] = (double)(y * k);
	}
	fz_close_device(ctx, dev);
	fz_drop_device(ctx, dev);
	ret_page->width = (uint32_t)pixels->w;
	ret_page->height = (uint32_t)pixels->h;
	size_t size = (size_t)pixels->w * (size_t)pixels->h;
	ret_page->grey = malloc(size);
	assert_non_null(ret_page->grey);
	memcpy(ret_page->grey, pixels->samples, size);
	fz_drop_pixmap(ctx, pixels);
	fz_drop_font(ctx, font);
	fz_drop_context(ctx);
}

static inline void drawn_free(struct drawn_page *page)
{
	free(page->grey);
	page->grey = NULL;
}

#endif
