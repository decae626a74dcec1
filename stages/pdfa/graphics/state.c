/* Graphics state dictionaries (ISO 32000-1, 8.4.5), halftones (10.5), rendering intents (8.6.5.8). */
#include <string.h>

#include "stages/pdfa/graphics/facts.h"

static bool there(const struct pdfobj *dictionary, const char *key)
{
	return pdfobj_kind(pdfobj_get(dictionary, key)) != PDF_NULL;
}

void intent_show(struct check *c, const struct pdfobj *name, uint32_t number)
{
	if (pdfobj_kind(name) != PDF_NAME)
		return;
	struct o_rendering_intent o = {pdfobj_name(name)};
	pdfa_show(c, O_rendering_intent, &o, number, o.name);
}

static void show_halftone(struct check *c, const struct pdfobj *halftone, const char *colorant, unsigned depth)
{
	static const char *const primary[] = {"Cyan", "Magenta", "Yellow", "Black"};
	enum pdfobj_kind kind = pdfobj_kind(halftone);
	if ((kind != PDF_DICT && kind != PDF_STREAM && kind != PDF_NAME) || depth > 2)
		return;
	const struct pdfobj *type = pdfobj_get(halftone, "HalftoneType");
	struct o_halftone o = {.type = pdfobj_kind(type) == PDF_INTEGER ? pdfobj_integer(type) : -1,
	                       .named = there(halftone, "HalftoneName"),
	                       .transfer = there(halftone, "TransferFunction"),
	                       .needs_transfer = colorant != NULL,
	                       .free = colorant != NULL && strcmp(colorant, "Default") == 0};
	for (size_t i = 0; colorant != NULL && i < 4; i++)
		o.needs_transfer = o.needs_transfer && strcmp(colorant, primary[i]) != 0;
	if (pdfobj_is_name(halftone, "Default"))
		o.type = 1;
	pdfa_show(c, O_halftone, &o, pdfobj_number(halftone), colorant);
	for (size_t i = 0; o.type == 5 && i < pdfobj_length(halftone); i++)
		if (pdfobj_kind(pdfobj_value(halftone, i)) == PDF_DICT || pdfobj_kind(pdfobj_value(halftone, i)) == PDF_STREAM)
			show_halftone(c, pdfobj_value(halftone, i), pdfobj_key(halftone, i), depth + 1);
}

static void show_blend(struct check *c, const struct pdfobj *blend, uint32_t number)
{
	bool many = pdfobj_kind(blend) == PDF_ARRAY;
	size_t n = many ? pdfobj_length(blend) : pdfobj_kind(blend) == PDF_NAME;
	for (size_t i = 0; i < n; i++) {
		struct o_blend_mode o = {pdfobj_name(many ? pdfobj_at(blend, i) : blend)};
		pdfa_show(c, O_blend_mode, &o, number, o.name);
	}
}

/* Opaque within what a real number holds; no key: opaque. */
static bool opaque(const struct pdfobj *alpha)
{
	enum pdfobj_kind kind = pdfobj_kind(alpha);
	double a = pdfobj_real(alpha);
	return kind == PDF_NULL || ((kind == PDF_INTEGER || kind == PDF_REAL) && a > 0.999999 && a < 1.000001);
}

static void show_state(struct check *c, const struct pdfobj *d, uint32_t number)
{
	const struct pdfobj *blend = pdfobj_get(d, "BM");
	struct o_graphics_state o = {.transfer = there(d, "TR"),
	                             .transfer_2 = there(d, "TR2") && !pdfobj_is_name(pdfobj_get(d, "TR2"), "Default"),
	                             .soft_mask = there(d, "SMask") && !pdfobj_is_name(pdfobj_get(d, "SMask"), "None"),
	                             .blend = there(d, "BM") && !pdfobj_is_name(blend, "Normal") &&
	                                      !pdfobj_is_name(blend, "Compatible"),
	                             .stroke_opaque = opaque(pdfobj_get(d, "CA")),
	                             .fill_opaque = opaque(pdfobj_get(d, "ca")),
	                             .phase = there(d, "HTP"),
	                             .origin = there(d, "HTO")};
	pdfa_show(c, O_graphics_state, &o, number, NULL);
	show_blend(c, blend, number);
	intent_show(c, pdfobj_get(d, "RI"), number);
	show_halftone(c, pdfobj_get(d, "HT"), NULL, 0);
}

/* 11.6.3: of an array the first known mode counts; here one of more than one mode may blend. */
static bool blends(const struct pdfobj *blend)
{
	if (pdfobj_kind(blend) == PDF_ARRAY)
		return pdfobj_length(blend) != 1 || !pdfobj_is_name(pdfobj_at(blend, 0), "Normal");
	return !pdfobj_is_name(blend, "Normal");
}

static bool clear(const struct pdfobj *alpha, bool now)
{
	enum pdfobj_kind kind = pdfobj_kind(alpha);
	return kind == PDF_INTEGER || kind == PDF_REAL ? pdfobj_real(alpha) < 1.0 : now;
}

void state_apply(struct walk *w, const struct pdfobj *d)
{
	struct state *s = &w->state;
	uint32_t number = pdfobj_reference(d) != 0 ? pdfobj_reference(d) : pdfobj_number(d);
	if (pdfobj_kind(d) != PDF_DICT)
		return;
	if (seen_add(w->c, &w->c->graphics->states, pdfobj_reference(d)))
		show_state(w->c, d, number);
	const struct pdfobj *mask = pdfobj_get(d, "SMask"), *font = pdfobj_get(d, "Font");
	if (there(d, "SMask"))
		s->soft_mask = pdfobj_kind(mask) == PDF_DICT;
	if (there(d, "BM"))
		s->blend = blends(pdfobj_get(d, "BM"));
	s->fill_clear = clear(pdfobj_get(d, "ca"), s->fill_clear);
	s->stroke_clear = clear(pdfobj_get(d, "CA"), s->stroke_clear);
	/* 8.4.5: OP alone stands for both. */
	if (there(d, "OP"))
		s->overprint_stroke = s->overprint_fill = pdfobj_boolean(pdfobj_get(d, "OP"));
	if (there(d, "op"))
		s->overprint_fill = pdfobj_boolean(pdfobj_get(d, "op"));
	if (there(d, "OPM"))
		s->mode = pdfobj_integer(pdfobj_get(d, "OPM"));
	if (pdfobj_kind(pdfobj_at(font, 0)) == PDF_DICT)
		s->font = pdfobj_at(font, 0);
}
