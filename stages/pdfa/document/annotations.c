/* Annotations of a page (ISO 32000-1, 12.5). */
#include <string.h>

#include "stages/pdfa/document/facts.h"

static bool there(const struct pdfobj *dictionary, const char *key)
{
	return pdfobj_kind(pdfobj_get(dictionary, key)) != PDF_NULL;
}

static bool no_extent(const struct pdfobj *rect)
{
	double v[4];
	for (size_t i = 0; i < 4; i++)
		v[i] = pdfobj_real(pdfobj_at(rect, i));
	return pdfobj_length(rect) >= 4 && v[2] == v[0] && v[3] == v[1];
}

/* A field's type may stand in a parent (12.7.3.1). */
static const struct pdfobj *field_type(const struct pdfobj *annotation)
{
	for (int depth = 0; depth < TREE_DEPTH; depth++) {
		const struct pdfobj *type = pdfobj_get(annotation, "FT");
		if (pdfobj_kind(type) != PDF_NULL)
			return type;
		annotation = pdfobj_get(annotation, "Parent");
	}
	return pdfobj_get(annotation, "FT");
}

/* The appearance of each state is a stream. */
static bool has_states(const struct pdfobj *n)
{
	for (size_t i = 0; i < pdfobj_length(n); i++)
		if (pdfobj_kind(pdfobj_value(n, i)) == PDF_STREAM)
			return true;
	return false;
}

static void show_appearances(struct check *c, const struct pdfobj *ap)
{
	static const char *const keys[] = {"N", "D", "R"};
	for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
		const struct pdfobj *entry = pdfobj_get(ap, keys[k]);
		if (pdfobj_kind(entry) == PDF_STREAM)
			graphics_appearance(c, entry);
		else if (pdfobj_kind(entry) == PDF_DICT)
			for (size_t i = 0; i < pdfobj_length(entry) && !pdfa_ended(c); i++)
				if (pdfobj_kind(pdfobj_value(entry, i)) == PDF_STREAM)
					graphics_appearance(c, pdfobj_value(entry, i));
	}
}

static void show_annotation(struct check *c, const struct pdfobj *annotation)
{
	const struct pdfobj *ap = pdfobj_get(annotation, "AP"), *n = pdfobj_get(ap, "N"), *flags = pdfobj_get(annotation, "F"),
	                    *ca = pdfobj_get(annotation, "CA");
	bool appears = pdfobj_kind(ap) == PDF_DICT, widget = pdfobj_is_name(pdfobj_get(annotation, "Subtype"), "Widget");
	uint32_t number = pdfobj_number(annotation);
	struct o_annotation o = {.subtype = pdfobj_name(pdfobj_get(annotation, "Subtype")),
	                         .empty = no_extent(pdfobj_get(annotation, "Rect")),
	                         .has_flags = pdfobj_kind(flags) == PDF_INTEGER,
	                         .flags = pdfobj_integer(flags),
	                         .opaque = (pdfobj_kind(ca) != PDF_INTEGER && pdfobj_kind(ca) != PDF_REAL) ||
	                                   pdfobj_real(ca) == 1.0,
	                         .colour = pdfobj_kind(pdfobj_get(annotation, "C")) == PDF_ARRAY ||
	                                   pdfobj_kind(pdfobj_get(annotation, "IC")) == PDF_ARRAY,
	                         .has_appearance = appears,
	                         .only_normal = appears && pdfobj_length(ap) == 1 && strcmp(pdfobj_key(ap, 0), "N") == 0,
	                         .button = widget && pdfobj_is_name(field_type(annotation), "Btn"),
	                         .n_stream = pdfobj_kind(n) == PDF_STREAM,
	                         .n_states = pdfobj_kind(n) == PDF_DICT && has_states(n),
	                         .rgb = output_space(c) == ICC_RGB};
	pdfa_show(c, O_annotation, &o, number, o.subtype);
	if (widget) {
		struct o_widget w = {there(annotation, "A"), there(annotation, "AA"), appears};
		pdfa_show(c, O_widget, &w, number, NULL);
	}
	actions_show(c, pdfobj_get(annotation, "A"));
	actions_show_additional(c, pdfobj_get(annotation, "AA"), widget ? ACTIONS_FORM : ACTIONS_ANNOTATION);
	show_appearances(c, ap);
}

void annotations_show(struct check *c, const struct pdfobj *page)
{
	const struct pdfobj *annotations = pdfobj_get(page, "Annots");
	for (size_t i = 0; pdfobj_kind(annotations) == PDF_ARRAY && i < pdfobj_length(annotations) && !pdfa_ended(c); i++)
		if (pdfobj_kind(pdfobj_at(annotations, i)) == PDF_DICT)
			show_annotation(c, pdfobj_at(annotations, i));
}
