/* Whether the place of an appearance is free on the page as it is drawn, and the nearest place that is. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/pdf/redraw/redraw.h"
#include "stages/sign/internal.h"

/* The page is looked at with one pixel to a point; places are tried so far apart; ink so near counts as well. */
enum { LOOK_DPI = 72, STEP = 3, CLEAR = 2 };
/* So much darker than the paper is ink: the paper of scans has a colour and a grain. */
enum { INK = 56 };
/* Points of ink among ten thousand that are dust. */
enum { DUST = 5 };

static const struct redraw_limits limits = {.pages = 20000, .pixels = UINT64_C(160) << 20, .memory = (size_t)1 << 30};

/* The brightness that most of the page has. */
static unsigned paper(const uint8_t *grey, size_t n)
{
	size_t count[256] = {0};
	unsigned best = 255;
	for (size_t i = 0; i < n; i++)
		count[grey[i]]++;
	for (unsigned v = 128; v < 256; v++)
		best = count[v] > count[best] ? v : best;
	return best;
}

/* The ink on a page: sums[y][x] counts that above and left of a pixel. */
struct ink {
	uint32_t *sums;
	uint32_t width, height;
};

static enum status count_ink(const struct picture *p, struct ink *to, struct err *e)
{
	uint8_t *grey = NULL;
	enum status st = picture_pixels(p, 1, limits.pixels, &grey, &to->width, &to->height, e);
	if (st != ST_OK)
		return st;
	size_t row = (size_t)to->width + 1;
	unsigned white = paper(grey, (size_t)to->width * to->height);
	to->sums = calloc(row * ((size_t)to->height + 1), sizeof *to->sums);
	for (size_t y = 0; to->sums != NULL && y < to->height; y++) {
		uint32_t line = 0;
		for (size_t x = 0; x < to->width; x++) {
			line += grey[y * to->width + x] + (unsigned)INK < white;
			to->sums[(y + 1) * row + x + 1] = to->sums[y * row + x + 1] + line;
		}
	}
	free(grey);
	return to->sums != NULL ? ST_OK : err_set(e, ST_RETRY, "memory", "no memory for a page");
}

static enum status look_at(const char *path, size_t page, struct ink *to, struct err *e)
{
	struct redraw *r = NULL;
	struct redraw_page drawn;
	enum status st = redraw_open(path, limits, &r, e);
	if (st != ST_OK)
		return st;
	st = redraw_page(r, page, LOOK_DPI, &drawn, e);
	if (st == ST_OK) {
		st = count_ink(&drawn.picture, to, e);
		redraw_page_free(r, &drawn);
	}
	redraw_close(r);
	return st;
}

static uint32_t at(double v, uint32_t most)
{
	return v <= 0 ? 0 : v >= most ? most : (uint32_t)v;
}

/* Whether a box is free; its lower left corner from that of the page. */
static bool is_free(const struct ink *k, double x, double y, double width, double height)
{
	uint32_t left = at(x - CLEAR, k->width), right = at(x + width + CLEAR + 1, k->width);
	uint32_t top = at(k->height - y - height - CLEAR, k->height), bottom = at(k->height - y + CLEAR + 1, k->height);
	size_t row = (size_t)k->width + 1;
	uint32_t found = k->sums[bottom * row + right] - k->sums[top * row + right] - k->sums[bottom * row + left] +
	                 k->sums[top * row + left];
	return (uint64_t)found * 10000 <= (uint64_t)DUST * (right - left) * (bottom - top);
}

enum status room_find(const char *path, size_t page, const struct page_view *v, double margin, double width, double height,
                      bool moves, struct spot *spot, struct err *e)
{
	struct ink k = {0};
	struct err why;
	enum status st = look_at(path, page, &k, &why);
	if (st == ST_ITEM)
		return err_set(e, ST_ITEM, "place-unknown", "page %zu cannot be drawn: %s: %s", page + 1, why.code, why.detail);
	if (st != ST_OK)
		return err_set(e, st, why.code, "%s", why.detail);
	struct spot best = {0};
	double nearest = is_free(&k, spot->x, spot->y, width, height) ? 0 : INFINITY;
	double across = page_view_width(v) - margin - width, up = page_view_height(v) - margin - height;
	if (nearest == 0)
		best = *spot;
	for (double y = up; moves && nearest > 0 && y >= margin; y -= STEP) {
		for (double x = across; x >= margin; x -= STEP) {
			double far = hypot(x - spot->x, y - spot->y);
			if (far < nearest && is_free(&k, x, y, width, height)) {
				nearest = far;
				best = (struct spot){x, y};
			}
		}
	}
	free(k.sums);
	if (isinf(nearest)) {
		err_set(e, ST_ITEM, "place-taken", "a box of %.0f x %.0f points", width, height);
		return err_where(e, "page %zu", page + 1);
	}
	*spot = best;
	return ST_OK;
}
