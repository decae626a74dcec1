/* What each operator does to the state, and what it paints (ISO 32000-1, Annex A). */
#include <stdlib.h>
#include <string.h>

#include "stages/pdfa/graphics/facts.h"

static bool is(const struct pdfcontent_operator *o, const char *name)
{
	return strcmp(o->name, name) == 0;
}

static const struct pdfobj *last(const struct pdfcontent_operator *o)
{
	return o->n == 0 ? pdfobj_at(o->image, 0) : o->operands[o->n - 1];
}

static void no_memory(struct check *c)
{
	struct err e;
	err_set(&e, ST_RETRY, "memory", "no memory for a content stream");
	pdfa_fail(c, &e);
}

static void save(struct walk *w)
{
	if (w->n_saved == w->cap_saved) {
		size_t cap = w->cap_saved == 0 ? 8 : 2 * w->cap_saved;
		struct state *saved = cap > 65536 ? NULL : realloc(w->saved, cap * sizeof *saved);
		if (saved == NULL && cap <= 65536)
			no_memory(w->c);
		if (saved == NULL)
			return;
		w->saved = saved;
		w->cap_saved = cap;
	}
	w->saved[w->n_saved++] = w->state;
	struct o_save_state o = {w->n_saved};
	pdfa_show(w->c, O_save_state, &o, w->number, NULL);
}

static struct paint paint_of(const struct walk *w, bool stroke)
{
	return (struct paint){w->state.mode, stroke ? w->state.overprint_stroke : w->state.overprint_fill};
}

/* A tiling pattern is content of its own; a shading pattern is its colours. Whether it paints something transparent. */
static bool show_pattern(struct walk *w, const struct pdfobj *pattern)
{
	struct check *c = w->c;
	if (pdfobj_integer(pdfobj_get(pattern, "PatternType")) == 2) {
		colour_show(c, &w->resources, pdfobj_get(pdfobj_get(pattern, "Shading"), "ColorSpace"), (struct paint){0});
		struct state before = w->state;
		state_apply(w, pdfobj_get(pattern, "ExtGState"));
		w->state = before;
	} else if (pdfobj_kind(pattern) == PDF_STREAM) {
		struct resources r = {pdfobj_get(pattern, "Resources"), w->resources.page, false};
		return graphics_walk(c, pattern, r, NULL);
	}
	return false;
}

static bool is_pattern(const struct pdfobj *space, enum device device)
{
	return space == NULL ? device == PATTERN : pdfobj_is_name(pdfobj_at(space, 0), "Pattern");
}

/* Shows the space that is painted with, and notes what shines through. */
static void paint(struct walk *w, bool stroke)
{
	const struct state *s = &w->state;
	const struct pdfobj *space = stroke ? s->stroke : s->fill, *pattern = stroke ? s->stroke_pattern : s->fill_pattern;
	w->transparent = w->transparent || s->soft_mask || s->blend || (stroke ? s->stroke_clear : s->fill_clear);
	if (w->no_colour)
		return;
	enum device device = stroke ? s->stroke_device : s->fill_device;
	/* A pattern that is not there leaves the first space (8.6.3). */
	if (pattern != NULL)
		w->transparent = show_pattern(w, pattern) || w->transparent;
	else if (is_pattern(space, device))
		colour_show_device(w->c, &w->resources, GREY);
	else if (space == NULL)
		colour_show_device(w->c, &w->resources, device);
	else
		colour_show(w->c, &w->resources, space, paint_of(w, stroke));
}

static bool paints_path(struct walk *w, const struct pdfcontent_operator *o)
{
	static const struct {
		const char *name;
		bool fill, stroke;
	} rows[] = {{"S", false, true}, {"s", false, true}, {"f", true, false}, {"F", true, false}, {"f*", true, false},
	            {"B", true, true},  {"B*", true, true}, {"b", true, true},  {"b*", true, true}, {"n", false, false}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (!is(o, rows[i].name))
			continue;
		if (rows[i].fill)
			paint(w, false);
		if (rows[i].stroke)
			paint(w, true);
		return true;
	}
	return false;
}

static void set_space(struct walk *w, const struct pdfobj *space, enum device device, bool stroke)
{
	if (stroke) {
		w->state.stroke_device = device;
		w->state.stroke = space;
		w->state.stroke_pattern = NULL;
	} else {
		w->state.fill_device = device;
		w->state.fill = space;
		w->state.fill_pattern = NULL;
	}
}

/* cs and CS: a device space or Pattern by its own name, others by the resources'. */
static void choose_space(struct walk *w, const struct pdfobj *name, bool stroke)
{
	enum device device = GREY;
	const struct pdfobj *space = NULL;
	if (!colour_device(name, &device)) {
		space = graphics_resource(w, "ColorSpace", name);
		/* The resources may give a device's name, too. */
		if (colour_device(space, &device) || pdfobj_kind(space) != PDF_ARRAY)
			space = NULL;
	}
	if (space == NULL)
		colour_show_device(w->c, &w->resources, device);
	else
		colour_show(w->c, &w->resources, space, (struct paint){0});
	set_space(w, space, device, stroke);
}

static void choose_pattern(struct walk *w, const struct pdfobj *name, bool stroke)
{
	const struct pdfobj *space = stroke ? w->state.stroke : w->state.fill;
	if (!is_pattern(space, stroke ? w->state.stroke_device : w->state.fill_device) || pdfobj_kind(name) != PDF_NAME)
		return;
	const struct pdfobj *pattern = graphics_resource(w, "Pattern", name);
	if (pdfobj_kind(pattern) != PDF_STREAM && pdfobj_kind(pattern) != PDF_DICT)
		return;
	if (stroke)
		w->state.stroke_pattern = pattern;
	else
		w->state.fill_pattern = pattern;
	/* A colour that is set is looked at, painted with or not. */
	show_pattern(w, pattern);
}

static bool sets_colour(struct walk *w, const struct pdfcontent_operator *o)
{
	static const struct {
		const char *name;
		enum device device;
		bool stroke;
	} rows[] = {{"g", GREY, false}, {"G", GREY, true},  {"rg", RGB, false},
	            {"RG", RGB, true},  {"k", CMYK, false}, {"K", CMYK, true}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (is(o, rows[i].name)) {
			if (w->no_colour)
				return true;
			set_space(w, NULL, rows[i].device, rows[i].stroke);
			colour_show_device(w->c, &w->resources, rows[i].device);
			return true;
		}
	bool stroke = is(o, "CS") || is(o, "SCN") || is(o, "SC");
	if (is(o, "cs") || is(o, "CS")) {
		if (!w->no_colour && pdfobj_kind(last(o)) == PDF_NAME)
			choose_space(w, last(o), stroke);
		return true;
	}
	if (is(o, "scn") || is(o, "SCN")) {
		if (!w->no_colour)
			choose_pattern(w, last(o), stroke);
		return true;
	}
	return is(o, "sc") || is(o, "SC");
}

static bool actual_text(const struct walk *w)
{
	for (; w != NULL; w = w->above)
		if (w->n_marked > 0 && w->marked[w->n_marked - 1])
			return true;
	return false;
}

/* 9.3.6: modes 3 and 7 paint nothing. */
static void show_text(struct walk *w, const struct pdfobj *text)
{
	int64_t mode = w->state.rendering;
	if (mode == 0 || mode == 2 || mode == 4 || mode == 6)
		paint(w, false);
	if (mode == 1 || mode == 2 || mode == 5 || mode == 6)
		paint(w, true);
	if (fonts_show(w->c, w->state.font, text, (int)mode, actual_text(w)))
		w->transparent = true;
}

static bool handles_text(struct walk *w, const struct pdfcontent_operator *o)
{
	if (is(o, "Tf")) {
		const struct pdfobj *font = o->n > 0 ? graphics_resource(w, "Font", o->operands[0]) : NULL;
		w->state.font = font != NULL && pdfobj_kind(font) == PDF_DICT ? font : NULL;
	} else if (is(o, "Tr")) {
		int64_t mode = pdfobj_integer(last(o));
		w->state.rendering = mode < 0 || mode > 7 ? 0 : mode;
	} else if (is(o, "Tj") || is(o, "TJ") || is(o, "'") || is(o, "\"")) {
		show_text(w, last(o));
	} else {
		return false;
	}
	return true;
}

/* ActualText of the marked content itself, or of the structure element that it belongs to (14.9.4). Only level A asks. */
static bool has_actual_text(struct walk *w, const struct pdfobj *properties)
{
	const struct pdfobj *id = pdfobj_get(properties, "MCID");
	if (pdfobj_kind(pdfobj_get(properties, "ActualText")) == PDF_STRING)
		return true;
	if (pdfa_level(w->c) != 'a' || w->struct_parents < 0 || pdfobj_kind(id) != PDF_INTEGER || pdfobj_integer(id) < 0)
		return false;
	if (w->elements == NULL)
		w->elements = document_parents(w->c, w->struct_parents);
	const struct pdfobj *element = pdfobj_at(w->elements, (size_t)pdfobj_integer(id));
	return pdfobj_kind(pdfobj_get(element, "ActualText")) == PDF_STRING;
}

static void mark(struct walk *w, const struct pdfobj *properties)
{
	if (w->n_marked == w->cap_marked) {
		size_t cap = w->cap_marked == 0 ? 16 : 2 * w->cap_marked;
		bool *marked = cap > 65536 ? NULL : realloc(w->marked, cap * sizeof *marked);
		if (marked == NULL && cap <= 65536)
			no_memory(w->c);
		if (marked == NULL)
			return;
		w->marked = marked;
		w->cap_marked = cap;
	}
	bool above = w->n_marked > 0 && w->marked[w->n_marked - 1];
	w->marked[w->n_marked++] = above || has_actual_text(w, properties);
}

static bool marks(struct walk *w, const struct pdfcontent_operator *o)
{
	if (is(o, "BDC") || is(o, "DP")) {
		const struct pdfobj *p = last(o);
		if (pdfobj_kind(p) == PDF_NAME)
			p = graphics_resource(w, "Properties", p);
		document_properties(w->c, p);
		if (is(o, "BDC"))
			mark(w, p);
		return true;
	}
	if (is(o, "BMC"))
		mark(w, pdfobj_at(o->image, 0));
	else if (is(o, "EMC"))
		w->n_marked -= w->n_marked > 0;
	else
		return is(o, "MP");
	return true;
}

/* The image's colours; of a mask those of the state. */
static void show_image_colours(struct walk *w, const struct pdfobj *image, const char *space_key, bool mask)
{
	const struct pdfobj *space = pdfobj_get(image, space_key);
	if (mask) {
		paint(w, false);
		return;
	}
	if (pdfobj_kind(space) == PDF_NULL && space_key[1] == 'S')
		space = pdfobj_get(image, "ColorSpace");
	/* Names other than devices' are the resources' (8.9.7); an image XObject has none. */
	if (pdfobj_kind(space) == PDF_NAME && strlen(pdfobj_name(space)) > 0 && strncmp(pdfobj_name(space), "Device", 6) != 0 &&
	    !pdfobj_is_name(space, "G") && !pdfobj_is_name(space, "RGB") && !pdfobj_is_name(space, "CMYK"))
		space = graphics_resource(w, "ColorSpace", space);
	colour_show(w->c, &w->resources, space, (struct paint){0});
}

static bool either(const struct pdfobj *image, const char *short_key, const char *key)
{
	return pdfobj_boolean(pdfobj_get(image, short_key)) || pdfobj_boolean(pdfobj_get(image, key));
}

static void show_inline_image(struct walk *w, const struct pdfobj *image)
{
	bool mask = either(image, "IM", "ImageMask");
	const struct pdfobj *filter = pdfobj_get(image, "F");
	if (w->no_colour && !mask)
		return;
	if (pdfobj_kind(filter) == PDF_NULL)
		filter = pdfobj_get(image, "Filter");
	bool many = pdfobj_kind(filter) == PDF_ARRAY;
	for (size_t i = 0; i < (many ? pdfobj_length(filter) : pdfobj_kind(filter) == PDF_NAME); i++) {
		struct o_inline_filter o = {pdfobj_name(many ? pdfobj_at(filter, i) : filter)};
		pdfa_show(w->c, O_inline_filter, &o, w->number, o.name);
	}
	output_inline_image(w->c, image, mask);
	intent_show(w->c, pdfobj_get(image, "Intent"), w->number);
	show_image_colours(w, image, "CS", mask);
}

static void show_xobject_image(struct walk *w, const struct pdfobj *image, unsigned depth)
{
	const struct pdfobj *alternates = pdfobj_get(image, "Alternates"), *soft = pdfobj_get(image, "SMask"),
	                    *hard = pdfobj_get(image, "Mask");
	bool mask = pdfobj_boolean(pdfobj_get(image, "ImageMask"));
	uint32_t number = pdfobj_reference(image);
	output_image(w->c, image, mask);
	intent_show(w->c, pdfobj_get(image, "Intent"), number);
	show_image_colours(w, image, "ColorSpace", mask);
	w->transparent = w->transparent || pdfobj_kind(soft) == PDF_STREAM ||
	                 pdfobj_integer(pdfobj_get(image, "SMaskInData")) > 0;
	if (pdfobj_kind(soft) == PDF_STREAM) {
		output_image(w->c, soft, false);
		intent_show(w->c, pdfobj_get(soft, "Intent"), pdfobj_reference(soft));
	}
	if (pdfobj_kind(hard) == PDF_STREAM)
		output_image(w->c, hard, true);
	for (size_t i = 0; pdfobj_kind(alternates) == PDF_ARRAY && i < pdfobj_length(alternates) && depth == 0; i++)
		if (pdfobj_kind(pdfobj_get(pdfobj_at(alternates, i), "Image")) == PDF_STREAM)
			show_xobject_image(w, pdfobj_get(pdfobj_at(alternates, i), "Image"), depth + 1);
}

static void show_xobject(struct walk *w, const struct pdfobj *name)
{
	const struct pdfobj *o = graphics_resource(w, "XObject", name), *type = pdfobj_get(o, "Subtype");
	if (pdfobj_kind(o) != PDF_STREAM)
		return;
	struct o_xobject facts = {.postscript = pdfobj_is_name(type, "PS"),
	                          .opi = pdfobj_kind(pdfobj_get(o, "OPI")) != PDF_NULL,
	                          .soft_mask = pdfobj_kind(pdfobj_get(o, "SMask")) != PDF_NULL};
	pdfa_show(w->c, O_xobject, &facts, pdfobj_reference(o), pdfobj_name(name));
	const struct state *s = &w->state;
	w->transparent = w->transparent || s->soft_mask || s->blend || s->fill_clear;
	if (pdfobj_is_name(type, "Image"))
		show_xobject_image(w, o, 0);
	else if (pdfobj_is_name(type, "Form") && graphics_form(w->c, o, s))
		w->transparent = true;
}

/* Operators that leave all this as it is. */
static bool known(const char *name)
{
	static const char *const names[] = {"w",  "J",  "j",  "M",  "d",  "i",  "cm", "m",  "l",  "c",
	                                    "v",  "y",  "h",  "re", "W",  "W*", "BT", "ET", "Tc", "Tw",
	                                    "Tz", "TL", "Ts", "Td", "TD", "Tm", "T*", "d0", "BX", "EX"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

void graphics_operator(struct walk *w, const struct pdfcontent_operator *o)
{
	for (size_t i = 0; i < o->n; i++)
		file_object(w->c, o->operands[i]);
	if (known(o->name) || paints_path(w, o) || sets_colour(w, o) || handles_text(w, o) || marks(w, o))
		return;
	if (is(o, "q")) {
		save(w);
	} else if (is(o, "Q")) {
		if (w->n_saved > 0)
			w->state = w->saved[--w->n_saved];
	} else if (is(o, "gs")) {
		state_apply(w, graphics_resource(w, "ExtGState", last(o)));
	} else if (is(o, "Do")) {
		show_xobject(w, last(o));
	} else if (is(o, "BI")) {
		show_inline_image(w, o->image);
	} else if (is(o, "ri")) {
		if (!w->no_colour)
			intent_show(w->c, last(o), w->number);
	} else if (is(o, "sh")) {
		const struct pdfobj *shading = graphics_resource(w, "Shading", last(o));
		if (!w->no_colour)
			colour_show(w->c, &w->resources, pdfobj_get(shading, "ColorSpace"), (struct paint){0});
		w->transparent = w->transparent || w->state.soft_mask || w->state.blend || w->state.fill_clear;
	} else if (is(o, "d1")) {
		w->no_colour = true;
	} else {
		struct o_undefined_operator u = {o->name};
		pdfa_show(w->c, O_undefined_operator, &u, w->number, o->name);
	}
}
