#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"
#include "stages/pdf/redraw/internal.h"

/* The word that is being gathered. */
struct gathering {
	struct redraw_page *page;
	uint32_t width, height, line, block;
	struct buf text;
	fz_rect box;
	fz_point from, to; /* on the baseline */
	bool memory;
};

static int pixel(float v)
{
	return (int)lrintf(fminf(fmaxf(v, -1e6f), 1e6f));
}

static bool on_page(const struct gathering *g)
{
	float x = (g->box.x0 + g->box.x1) / 2, y = (g->box.y0 + g->box.y1) / 2;
	return x >= 0 && y >= 0 && x <= (float)g->width && y <= (float)g->height;
}

static void end_word(struct gathering *g)
{
	if (g->text.len == 0)
		return;
	if (on_page(g)) {
		struct ocr_word w = {
		    .text = g->text.failed ? NULL : utf8_nfc((const char *)g->text.data),
		    .left = pixel(floorf(g->box.x0)),
		    .top = pixel(floorf(g->box.y0)),
		    .right = pixel(ceilf(g->box.x1)),
		    .bottom = pixel(ceilf(g->box.y1)),
		    .x0 = pixel(g->from.x),
		    .y0 = pixel(g->from.y),
		    .x1 = pixel(g->to.x),
		    .y1 = pixel(g->to.y),
		    .confidence = 100,
		    .line = g->line,
		    .block = g->block,
		};
		g->memory = g->memory && w.text != NULL && ocr_page_add(&g->page->words, &w);
	}
	buf_reset(&g->text);
}

/* Where a character ends on the baseline: its box's far side, cast on the direction of the line. */
static fz_point end_of(const fz_stext_char *c, fz_point dir)
{
	float along = (c->quad.lr.x - c->origin.x) * dir.x + (c->quad.lr.y - c->origin.y) * dir.y;
	return (fz_point){c->origin.x + along * dir.x, c->origin.y + along * dir.y};
}

static bool is_space(int c)
{
	return c <= ' ' || c == 0xa0 || (c >= 0x2000 && c <= 0x200b) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
	       c == 0x3000 || c == 0xfeff;
}

/* Code points that carry no meaning: the replacement character, private use, controls, halves of surrogate pairs. */
static bool is_unmapped(int c)
{
	return c == 0xfffd || (c >= 0x7f && c < 0xa0) || (c >= 0xd800 && c < 0xf900) || c >= 0xf0000;
}

static void take_char(struct gathering *g, const fz_stext_char *c, fz_point dir)
{
	if (is_space(c->c)) {
		end_word(g);
		return;
	}
	if (is_unmapped(c->c)) {
		g->page->unmapped++;
		return;
	}
	fz_rect box = fz_rect_from_quad(c->quad);
	if (g->text.len == 0) {
		g->box = box;
		g->from = c->origin;
	}
	g->box = fz_union_rect(g->box, box);
	g->to = end_of(c, dir);
	char utf8[4];
	buf_add(&g->text, utf8, utf8_put((uint32_t)c->c, utf8));
}

bool words_take(const fz_stext_page *text, uint32_t width, uint32_t height, struct redraw_page *page)
{
	struct gathering g = {.page = page, .width = width, .height = height, .text = BUF_INIT(1u << 20), .memory = true};
	for (const fz_stext_block *block = text->first_block; block != NULL; block = block->next) {
		if (block->type != FZ_STEXT_BLOCK_TEXT)
			continue;
		for (const fz_stext_line *line = block->u.t.first_line; line != NULL; line = line->next) {
			for (const fz_stext_char *c = line->first_char; c != NULL; c = c->next)
				take_char(&g, c, line->dir);
			end_word(&g);
			g.line++;
		}
		g.block++;
	}
	buf_free(&g.text);
	struct ocr_page *words = &page->words;
	for (size_t i = 0; i < words->n; i++)
		words->words[i].last_in_line = i + 1 == words->n || words->words[i + 1].line != words->words[i].line;
	words->mean_confidence = words->n == 0 ? 0 : 100;
	return g.memory;
}
