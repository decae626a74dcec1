#include "stages/appearance/appearance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"

#define MAX_LINES 32

struct appearance {
	struct typeface *face;
	struct glyph_run lines[MAX_LINES];
	size_t n;
	double size, width, height;
	double first;   /* of the first baseline above the lower edge */
	double leading; /* between baselines */
	double indent;  /* of the left edge of the widest line: room for ink left of the origin */
	bool right;
	double text_width;
	double text_x, text_y; /* of the text's box in the whole */
	const struct stamp *stamp;
	double stamp_x, stamp_y;
};

void appearance_free(struct appearance *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->n; i++)
		glyph_run_free(&a->lines[i]);
	free(a);
}

static size_t next_word_end(const char *p, size_t n, size_t at)
{
	while (at < n && p[at] == ' ')
		at++;
	while (at < n && p[at] != ' ')
		at++;
	return at;
}

/* Breaks one paragraph into lines no wider than max thousandths, as many words on each as fit. */
static enum status add_paragraph(struct appearance *a, const char *p, size_t n, double max, struct err *e)
{
	while (n > 0 && *p == ' ') {
		p++;
		n--;
	}
	while (n > 0) {
		struct glyph_run best = {0};
		size_t end = 0;
		for (size_t try = next_word_end(p, n, 0); end < n; try = next_word_end(p, n, try)) {
			struct glyph_run run;
			enum status st = typeface_shape(a->face, p, try, &run, e);
			if (st != ST_OK) {
				glyph_run_free(&best);
				return st;
			}
			if (end > 0 && run.advance > max) {
				glyph_run_free(&run);
				break;
			}
			glyph_run_free(&best);
			best = run;
			end = try;
		}
		if (a->n == MAX_LINES) {
			glyph_run_free(&best);
			return err_set(e, ST_ITEM, "page-box", "the appearance has more than %d lines", MAX_LINES);
		}
		a->lines[a->n++] = best;
		p += end;
		n -= end;
		while (n > 0 && *p == ' ') {
			p++;
			n--;
		}
	}
	return ST_OK;
}

static size_t trimmed(const char *p, size_t n)
{
	while (n > 0 && p[n - 1] == ' ')
		n--;
	return n;
}

/* The box holds the lines' nominal height and all ink, which accents over capitals and slanted ends can carry beyond it. */
static void measure(struct appearance *a)
{
	struct typeface_metrics m = typeface_metrics(a->face);
	double k = a->size / 1000, left = 0, widest = 0, over = 0, top = m.ascent, bottom = m.descent;
	for (size_t i = 0; i < a->n; i++) {
		const struct glyph_run *line = &a->lines[i];
		double beyond = line->right - line->advance;
		widest = line->advance > widest ? line->advance : widest;
		left = line->left < left ? line->left : left;
		over = beyond > over ? beyond : over;
		double up = line->top - (double)i * m.leading;
		double down = line->bottom - (double)i * m.leading;
		top = up > top ? up : top;
		bottom = down < bottom ? down : bottom;
	}
	double last = m.descent - (double)(a->n - 1) * m.leading;
	bottom = last < bottom ? last : bottom;
	a->indent = -left * k;
	a->width = (widest - left + over) * k;
	a->height = (top - bottom) * k;
	a->first = -bottom * k;
	a->leading = m.leading * k;
}

/* Between picture and text, points. */
#define GAP 6

/* The text's box, measured already, and the picture's in one. */
static void arrange(struct appearance *a, enum stamp_side side)
{
	double width = stamp_width(a->stamp), height = stamp_height(a->stamp), gap = a->n == 0 ? 0 : GAP;
	double text_width = a->width, text_height = a->height;
	if (side == STAMP_LEFT) {
		a->width = width + gap + text_width;
		a->height = fmax(height, text_height);
		a->text_x = width + gap;
		a->text_y = (a->height - text_height) / 2;
		a->stamp_y = (a->height - height) / 2;
		return;
	}
	a->width = fmax(width, text_width);
	a->height = side == STAMP_ABOVE ? height + gap + text_height : fmax(height, text_height);
	a->text_x = a->right ? a->width - text_width : (a->width - text_width) / 2;
	a->stamp_x = (a->width - width) / 2;
	a->text_y = side == STAMP_ABOVE ? 0 : (a->height - text_height) / 2;
	a->stamp_y = side == STAMP_ABOVE ? text_height + gap : (a->height - height) / 2;
}

enum status appearance_new(struct typeface *face, const struct appearance_request *r, struct appearance **ret_appearance,
                           struct err *e)
{
	char *text = utf8_nfc(r->text);
	if (text == NULL)
		return err_set(e, ST_RUN, "font-glyph", "the text is not well-formed UTF-8");
	struct appearance *a = calloc(1, sizeof *a);
	enum status st = a == NULL ? err_set(e, ST_RETRY, "memory", "appearance") : ST_OK;
	if (st == ST_OK)
		*a = (struct appearance){.face = face, .size = r->size_pt, .right = r->right, .stamp = r->stamp};
	for (const char *p = text; st == ST_OK && *p != '\0';) {
		size_t n = strcspn(p, "\n");
		st = add_paragraph(a, p, trimmed(p, n), r->max_width_pt / r->size_pt * 1000, e);
		p += n + (p[n] == '\n');
	}
	free(text);
	if (st == ST_OK && a->n == 0 && r->stamp == NULL)
		st = err_set(e, ST_ITEM, "appearance-empty", "the appearance's template gives no text");
	if (st == ST_OK)
		st = typeface_cover(face, a->lines, a->n, e);
	if (st != ST_OK) {
		appearance_free(a);
		return st;
	}
	if (a->n > 0)
		measure(a);
	a->text_width = a->width;
	if (a->stamp != NULL)
		arrange(a, r->side);
	*ret_appearance = a;
	return ST_OK;
}

double appearance_width(const struct appearance *a)
{
	return a->width;
}

double appearance_height(const struct appearance *a)
{
	return a->height;
}

/* One line: runs of codes in a TJ array, parted where shaping moves a glyph away from where its width would put it. */
static void show_line(const struct appearance *a, const struct glyph_run *line, struct buf *to)
{
	double owed = 0, rise = 0; /* how far the next glyph lies right of where the viewer stands */
	buf_str(to, "[<");
	for (size_t i = 0; i < line->n; i++) {
		const struct glyph *g = &line->glyphs[i];
		if (g->dy != rise) {
			buf_format(to, ">] TJ %.3f Ts [<", g->dy * a->size / 1000);
			rise = g->dy;
		}
		double move = owed + g->dx;
		if (move > 0.05 || move < -0.05)
			buf_format(to, "> %.2f <", -move);
		else
			move = 0;
		buf_format(to, "%04X", typeface_code(a->face, g->face_id));
		owed += g->advance - g->width - move;
	}
	buf_str(to, ">] TJ");
	if (rise != 0)
		buf_str(to, " 0 Ts");
	buf_str(to, "\n");
}

/* The form's matrix turns the box against the page's rotation and puts its lower left corner back to the origin. */
static void print_matrix(const struct appearance *a, int rotate, struct buf *to)
{
	switch (rotate) {
	case 90:
		buf_format(to, " /Matrix [0 1 -1 0 %.3f 0]", a->height);
		break;
	case 180:
		buf_format(to, " /Matrix [-1 0 0 -1 %.3f %.3f]", a->width, a->height);
		break;
	case 270:
		buf_format(to, " /Matrix [0 -1 1 0 0 %.3f]", a->width);
		break;
	default:
		break;
	}
}

static void show_text(const struct appearance *a, double text_width, struct buf *to)
{
	buf_format(to, "q\nBT\n/Black cs 0 sc\n/F0 %.3f Tf\n", a->size);
	for (size_t i = 0; i < a->n; i++) {
		double advance = a->lines[i].advance * a->size / 1000;
		double x = a->right ? text_width - advance : a->indent;
		/* Ink beyond the last letter's width has its room at the right edge. */
		if (a->right) {
			double beyond = (a->lines[i].right - a->lines[i].advance) * a->size / 1000;
			x -= beyond > 0 ? beyond : 0;
		}
		buf_format(to, "1 0 0 1 %.3f %.3f Tm\n", a->text_x + x, a->text_y + a->first - (double)i * a->leading);
		show_line(a, &a->lines[i], to);
	}
	buf_str(to, "ET\nQ\n");
}

enum status appearance_write(const struct appearance *a, int rotate, bool soft, struct pdfupd *u, uint32_t *ret_form,
                             struct err *e)
{
	uint32_t font = a->n > 0 ? typeface_write(a->face, u) : 0, image = 0;
	enum status st = a->stamp == NULL ? ST_OK : stamp_write(a->stamp, soft, u, &image, e);
	if (st != ST_OK)
		return st;
	BUF_AUTO struct buf content = BUF_INIT(1u << 20), dict = BUF_INIT(4096);
	if (image != 0)
		buf_format(&content, "q %.3f 0 0 %.3f %.3f %.3f cm /Im0 Do Q\n", stamp_width(a->stamp), stamp_height(a->stamp),
		           a->stamp_x, a->stamp_y);
	if (a->n > 0)
		show_text(a, a->text_width, &content);
	*ret_form = pdfupd_allocate(u);
	buf_format(&dict, "/Type /XObject /Subtype /Form /BBox [0 0 %.3f %.3f]", a->width, a->height);
	print_matrix(a, rotate, &dict);
	buf_str(&dict, " /Resources <<");
	if (font != 0)
		buf_format(
		    &dict,
		    " /Font << /F0 %u 0 R >> /ColorSpace << /Black [/CalGray << /WhitePoint [0.9505 1 1.089] /Gamma 2.2 >>] >>",
		    font);
	if (image != 0)
		buf_format(&dict, " /XObject << /Im0 %u 0 R >>", image);
	buf_str(&dict, " >>");
	pdfupd_set_stream(u, *ret_form, (const char *)dict.data, content.data, content.len);
	return ST_OK;
}
