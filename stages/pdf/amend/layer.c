/* Invisible text on pages that have none, and pages that become pictures. */
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

/* Begins a layer for a page: its place in the list, and the visible part of the page. */
static enum status begin_layer(struct amend *a, size_t page, bool text, struct visible *ret_visible, struct layer **ret_layer,
                               struct err *e)
{
	uint32_t number;
	BUF_AUTO struct buf dict = BUF_INIT(64);
	enum status st = pdfdoc_page(a->doc, page, &number, e);
	if (st != ST_OK)
		return st;
	if (!visible_of(a->doc, number, ret_visible))
		return err_set(e, ST_ITEM, "pdf-broken", "page %zu has no size", page + 1);
	struct layer *more = reallocarray(a->layers, a->n_layers + 1, sizeof *more);
	if (more == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for the text of a page");
	a->layers = more;
	if (text && a->font == 0) {
		a->font = writer_allocate(&a->w);
		a->q = writer_allocate(&a->w);
		writer_stream(&a->w, a->q, &dict, (struct bytes){(const uint8_t *)"q\n", 2});
	}
	*ret_layer = &a->layers[a->n_layers];
	**ret_layer = (struct layer){.page = number};
	return ST_OK;
}

/* Its content is whole. */
static enum status end_layer(struct amend *a, struct layer *l, const struct buf *content, struct err *e)
{
	BUF_AUTO struct buf dict = BUF_INIT(64);
	if (content->failed)
		return err_set(e, ST_RETRY, "memory", "no memory for the text of a page");
	l->content = writer_allocate(&a->w);
	a->n_layers++;
	writer_stream_flate(&a->w, l->content, &dict, (struct bytes){content->data, content->len});
	pdfdoc_forget(a->doc);
	return writer_fault(&a->w, e);
}

static double width_of(const struct visible *v)
{
	return v->turns % 2 == 0 ? v->x1 - v->x0 : v->y1 - v->y0;
}

static double height_of(const struct visible *v)
{
	return v->turns % 2 == 0 ? v->y1 - v->y0 : v->x1 - v->x0;
}

enum status amend_text(struct amend *a, size_t page, const struct ocr_page *words, uint32_t width, uint32_t height, struct err *e)
{
	struct visible v;
	struct layer *l;
	BUF_AUTO struct buf content = BUF_INIT(256u << 20);
	if (words->n == 0)
		return ST_OK;
	enum status st = begin_layer(a, page, true, &v, &l, e);
	if (st != ST_OK)
		return st;
	name_font(pdfobj_get(pdfdoc_page_attribute(a->doc, l->page, "Resources"), "Font"), l->font);
	double w = width_of(&v), h = height_of(&v);
	buf_str(&content, "Q\nq\n");
	print_matrix(&v, &content);
	if (width == 0 || height == 0 || !text_layer(&a->glyphless, words, l->font, w / width, h / height, h, &content))
		return err_set(e, ST_RETRY, "memory", "no memory for the text of a page");
	buf_str(&content, "Q\n");
	return end_layer(a, l, &content, e);
}

enum status amend_picture(struct amend *a, size_t page, const struct picture *p, const struct ocr_page *words, struct err *e)
{
	struct visible v;
	struct layer *l;
	BUF_AUTO struct buf content = BUF_INIT(256u << 20);
	bool text = words != NULL && words->n > 0;
	enum status st = begin_layer(a, page, text, &v, &l, e);
	if (st == ST_OK)
		st = picture_object(&a->profiles, &a->w, p, NULL, &l->picture, e);
	if (st != ST_OK)
		return st;
	double w = width_of(&v), h = height_of(&v);
	snprintf(l->font, sizeof l->font, "%s", text ? "Text0" : "");
	print_matrix(&v, &content);
	buf_str(&content, "q\n");
	print_number(w, &content);
	buf_str(&content, " 0 0 ");
	print_number(h, &content);
	buf_str(&content, " 0 0 cm\n/Page Do\nQ\n");
	if (text && !text_layer(&a->glyphless, words, l->font, w / p->width, h / p->height, h, &content))
		return err_set(e, ST_RETRY, "memory", "no memory for the text of a page");
	return end_layer(a, l, &content, e);
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

static void put_picture(struct amend *a, const struct layer *l, struct buf *to)
{
	amend_count(a, AMEND_DRAWN);
	if (to == NULL)
		return;
	buf_format(to, "/Contents %u 0 R\n/Resources<</XObject<</Page %u 0 R>>", l->content, l->picture);
	if (l->font[0] != '\0')
		buf_format(to, "/Font<</%s %u 0 R>>", l->font, a->font);
	buf_str(to, ">>\n");
}

/* The page's resources, its parents' where it has none, with the layer's font among its fonts. */
void amend_put_layer(struct amend *a, const struct pdfobj *page, const struct layer *l, struct buf *to)
{
	if (l->picture != 0) {
		put_picture(a, l, to);
		return;
	}
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
