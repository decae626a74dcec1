/* Invisible text on pages that have none. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/pdf/amend/internal.h"

/* The visible part of a page (ISO 32000-1, 14.11.2), and how it is turned. */
struct visible {
	double x0, y0, x1, y1;
	int turns; /* right angles, clockwise */
};

static bool box_of(const struct pdfobj *o, struct visible *to)
{
	double v[4];
	if (pdfobj_kind(o) != PDF_ARRAY || pdfobj_length(o) != 4)
		return false;
	for (size_t i = 0; i < 4; i++)
		v[i] = pdfobj_real(pdfobj_at(o, i));
	to->x0 = fmin(v[0], v[2]);
	to->x1 = fmax(v[0], v[2]);
	to->y0 = fmin(v[1], v[3]);
	to->y1 = fmax(v[1], v[3]);
	return to->x1 > to->x0 && to->y1 > to->y0;
}

static bool visible_of(const struct pdfdoc *d, uint32_t page, struct visible *ret)
{
	struct visible crop;
	if (!box_of(pdfdoc_page_attribute(d, page, "MediaBox"), ret))
		return false;
	if (box_of(pdfdoc_page_attribute(d, page, "CropBox"), &crop)) {
		ret->x0 = fmax(ret->x0, crop.x0);
		ret->y0 = fmax(ret->y0, crop.y0);
		ret->x1 = fmin(ret->x1, crop.x1);
		ret->y1 = fmin(ret->y1, crop.y1);
	}
	int64_t degrees = pdfobj_integer(pdfdoc_page_attribute(d, page, "Rotate"));
	ret->turns = (int)(((degrees / 90) % 4 + 4) % 4);
	return ret->x1 > ret->x0 && ret->y1 > ret->y0;
}

/* From the upright page, origin at its lower left, to the page's own coordinates. */
static void print_matrix(const struct visible *v, struct buf *to)
{
	const double table[4][6] = {
	    {1, 0, 0, 1, v->x0, v->y0},
	    {0, 1, -1, 0, v->x1, v->y0},
	    {-1, 0, 0, -1, v->x1, v->y1},
	    {0, -1, 1, 0, v->x0, v->y1},
	};
	for (size_t i = 0; i < 6; i++) {
		print_number(table[v->turns][i], to);
		buf_byte(to, ' ');
	}
	buf_str(to, "cm\n");
}

/* A name that the page's own fonts do not have. */
static void name_font(const struct pdfobj *fonts, char ret_name[16])
{
	unsigned n = 0;
	do
		snprintf(ret_name, 16, "Text%u", n++);
	while (pdfobj_kind(pdfobj_get(fonts, ret_name)) != PDF_NULL);
}

enum status amend_text(struct amend *a, size_t page, const struct ocr_page *words, uint32_t width, uint32_t height, struct err *e)
{
	struct visible v;
	uint32_t number;
	enum status st = pdfdoc_page(a->doc, page, &number, e);
	if (st != ST_OK || words->n == 0)
		return st;
	if (!visible_of(a->doc, number, &v) || width == 0 || height == 0)
		return err_set(e, ST_ITEM, "pdf-broken", "page %zu has no size", page + 1);
	struct layer *more = reallocarray(a->layers, a->n_layers + 1, sizeof *more);
	if (more == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for the text of a page");
	a->layers = more;
	double w = v.turns % 2 == 0 ? v.x1 - v.x0 : v.y1 - v.y0, h = v.turns % 2 == 0 ? v.y1 - v.y0 : v.x1 - v.x0;
	BUF_AUTO struct buf content = BUF_INIT(256u << 20), dict = BUF_INIT(64);
	if (a->font == 0) {
		a->font = writer_allocate(&a->w);
		a->q = writer_allocate(&a->w);
		writer_stream(&a->w, a->q, &dict, (struct bytes){(const uint8_t *)"q\n", 2});
	}
	struct layer *l = &a->layers[a->n_layers];
	*l = (struct layer){.page = number};
	name_font(pdfobj_get(pdfdoc_page_attribute(a->doc, number, "Resources"), "Font"), l->font);
	buf_str(&content, "Q\nq\n");
	print_matrix(&v, &content);
	if (!text_layer(&a->glyphless, words, l->font, w / width, h / height, h, &content))
		return err_set(e, ST_RETRY, "memory", "no memory for the text of a page");
	buf_str(&content, "Q\n");
	l->content = writer_allocate(&a->w);
	a->n_layers++;
	writer_stream_flate(&a->w, l->content, &dict, (struct bytes){content.data, content.len});
	pdfdoc_forget(a->doc);
	return writer_fault(&a->w, e);
}

static int by_page(const void *a, const void *b)
{
	const struct layer *x = a, *y = b;
	return (x->page > y->page) - (x->page < y->page);
}

void amend_sort_layers(struct amend *a)
{
	if (a->n_layers > 1)
		qsort(a->layers, a->n_layers, sizeof *a->layers, by_page);
}

const struct layer *amend_layer(const struct amend *a, const struct pdfobj *page)
{
	const struct layer key = {.page = pdfobj_number(page)};
	return a->n_layers == 0 ? NULL : bsearch(&key, a->layers, a->n_layers, sizeof key, by_page);
}

static void put_contents(struct amend *a, const struct pdfobj *page, const struct layer *l, struct buf *to)
{
	const struct pdfobj *contents = pdfobj_get(page, "Contents");
	bool array = pdfobj_kind(contents) == PDF_ARRAY;
	if (to != NULL)
		buf_format(to, "/Contents[%u 0 R ", a->q);
	for (size_t i = 0; array && i < pdfobj_length(contents); i++) {
		amend_put(a, pdfobj_at(contents, i), ANY, to);
		if (to != NULL)
			buf_byte(to, ' ');
	}
	if (pdfobj_kind(contents) == PDF_STREAM)
		amend_put(a, contents, ANY, to);
	if (to != NULL)
		buf_format(to, " %u 0 R]\n", l->content);
}

/* The page's resources, its parents' where it has none, with the layer's font among its fonts. */
void amend_put_layer(struct amend *a, const struct pdfobj *page, const struct layer *l, struct buf *to)
{
	const struct pdfobj *resources = pdfdoc_page_attribute(a->doc, l->page, "Resources");
	const struct pdfobj *fonts = pdfobj_get(resources, "Font");
	put_contents(a, page, l, to);
	if (to != NULL)
		buf_str(to, "/Resources<<");
	amend_put_entries(a, resources, RESOURCES, (const char *const[]){"Font", NULL}, to);
	if (to != NULL)
		buf_str(to, "/Font<<");
	amend_put_entries(a, fonts, FONTS, NULL, to);
	if (to != NULL)
		buf_format(to, "/%s %u 0 R>>>>\n", l->font, a->font);
}
