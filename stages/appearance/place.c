#include "stages/appearance/place.h"

#include <math.h>
#include <string.h>

/* Coordinates beyond this are no page (ISO 32000-1, annex C: 14,400 units; room for odd origins). */
#define FARTHEST 1e6

static bool read_box(const struct pdfobj *o, double ret_box[4])
{
	if (pdfobj_kind(o) != PDF_ARRAY || pdfobj_length(o) != 4)
		return false;
	double v[4];
	for (size_t i = 0; i < 4; i++) {
		enum pdfobj_kind kind = pdfobj_kind(pdfobj_at(o, i));
		v[i] = pdfobj_real(pdfobj_at(o, i));
		if ((kind != PDF_INTEGER && kind != PDF_REAL) || !isfinite(v[i]) || fabs(v[i]) > FARTHEST)
			return false;
	}
	ret_box[0] = fmin(v[0], v[2]);
	ret_box[1] = fmin(v[1], v[3]);
	ret_box[2] = fmax(v[0], v[2]);
	ret_box[3] = fmax(v[1], v[3]);
	return true;
}

static enum status bad_page(struct err *e, uint32_t page, const char *why)
{
	err_set(e, ST_ITEM, "page-box", "%s", why);
	return err_where(e, "page object %u", page);
}

enum status page_view_read(const struct pdfdoc *d, uint32_t page, struct page_view *ret_view, struct err *e)
{
	double box[4], crop[4];
	if (!read_box(pdfdoc_page_attribute(d, page, "MediaBox"), box))
		return bad_page(e, page, "the page has no MediaBox of four numbers");
	const struct pdfobj *crop_box = pdfdoc_page_attribute(d, page, "CropBox");
	if (pdfobj_kind(crop_box) != PDF_NULL) {
		if (!read_box(crop_box, crop))
			return bad_page(e, page, "the CropBox is not four numbers");
		for (int i = 0; i < 2; i++) {
			box[i] = fmax(box[i], crop[i]);
			box[i + 2] = fmin(box[i + 2], crop[i + 2]);
		}
	}
	if (box[2] - box[0] < 1 || box[3] - box[1] < 1)
		return bad_page(e, page, "the visible part of the page is empty");

	const struct pdfobj *rotate = pdfdoc_page_attribute(d, page, "Rotate");
	int64_t angle = pdfobj_kind(rotate) == PDF_NULL ? 0 : pdfobj_integer(rotate);
	bool number = pdfobj_kind(rotate) == PDF_NULL || pdfobj_kind(rotate) == PDF_INTEGER;
	if (!number || angle % 90 != 0)
		return bad_page(e, page, "Rotate is no multiple of 90");
	const struct pdfobj *user_unit = pdfobj_get(pdfdoc_object(d, page), "UserUnit");
	double unit = pdfobj_kind(user_unit) == PDF_NULL ? 1 : pdfobj_real(user_unit);
	if (!isfinite(unit) || unit <= 0 || unit > FARTHEST)
		return bad_page(e, page, "UserUnit is not positive");
	*ret_view = (struct page_view){.left = box[0],
	                               .bottom = box[1],
	                               .right = box[2],
	                               .top = box[3],
	                               .rotate = (int)((angle % 360 + 360) % 360),
	                               .unit = unit};
	return ST_OK;
}

double page_view_width(const struct page_view *v)
{
	return v->unit * (v->rotate % 180 == 0 ? v->right - v->left : v->top - v->bottom);
}

double page_view_height(const struct page_view *v)
{
	return v->unit * (v->rotate % 180 == 0 ? v->top - v->bottom : v->right - v->left);
}

bool anchor_parse(const char *word, enum anchor *ret_anchor)
{
	static const char *const words[] = {"top-right", "top-left", "bottom-right", "bottom-left"};
	for (int i = 0; i < 4; i++) {
		if (strcmp(word, words[i]) == 0) {
			*ret_anchor = (enum anchor)i;
			return true;
		}
	}
	return false;
}

enum status page_view_corner(const struct page_view *v, enum anchor a, double margin, double width, double height,
                             struct spot *ret_spot, struct err *e)
{
	double page_width = page_view_width(v), page_height = page_view_height(v);
	if (width + 2 * margin > page_width || height + 2 * margin > page_height) {
		err_set(e, ST_ITEM, "page-box",
		        "a box of %.1f x %.1f pt with margins of %.1f pt does not fit into a page of %.1f x %.1f pt", width,
		        height, margin, page_width, page_height);
		return ST_ITEM;
	}
	bool at_right = a == ANCHOR_TOP_RIGHT || a == ANCHOR_BOTTOM_RIGHT, at_top = a == ANCHOR_TOP_RIGHT || a == ANCHOR_TOP_LEFT;
	ret_spot->x = at_right ? page_width - margin - width : margin;
	ret_spot->y = at_top ? page_height - margin - height : margin;
	return ST_OK;
}

struct rect page_view_rect(const struct page_view *v, struct spot at, double width, double height)
{
	double u0 = at.x / v->unit, u1 = u0 + width / v->unit, v0 = at.y / v->unit, v1 = v0 + height / v->unit;
	switch (v->rotate) {
	case 90:
		return (struct rect){v->right - v1, v->bottom + u0, v->right - v0, v->bottom + u1};
	case 180:
		return (struct rect){v->right - u1, v->top - v1, v->right - u0, v->top - v0};
	case 270:
		return (struct rect){v->left + v0, v->top - u1, v->left + v1, v->top - u0};
	default:
		return (struct rect){v->left + u0, v->bottom + v0, v->left + u1, v->bottom + v1};
	}
}
