/* Pages, forms and the streams that they draw. */
#include <stdlib.h>
#include <string.h>

#include "stages/pdfa/graphics/facts.h"

#define STREAM_MAX ((size_t)1 << 28)  /* bytes of one content stream */
#define PAGE_MAX ((uint64_t)1 << 30)  /* bytes of all that a page draws */
#define FORMS_KNOWN ((size_t)1 << 16) /* a power of two */

static bool blend_mode(const char *name)
{
	static const char *const names[] = {"Normal",    "Compatible", "Multiply",   "Screen",    "Overlay",   "Darken",
	                                    "Lighten",   "ColorDodge", "ColorBurn",  "HardLight", "SoftLight", "Difference",
	                                    "Exclusion", "Hue",        "Saturation", "Color",     "Luminosity"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool intent(const char *name)
{
	return strcmp(name, "RelativeColorimetric") == 0 || strcmp(name, "AbsoluteColorimetric") == 0 ||
	       strcmp(name, "Perceptual") == 0 || strcmp(name, "Saturation") == 0;
}

static bool inline_filter(const char *name)
{
	static const char *const names[] = {"ASCIIHexDecode",
	                                    "ASCII85Decode",
	                                    "FlateDecode",
	                                    "RunLengthDecode",
	                                    "CCITTFaxDecode",
	                                    "DCTDecode",
	                                    "AHx",
	                                    "A85",
	                                    "Fl",
	                                    "RL",
	                                    "CCF",
	                                    "DCT"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool boundary(double extent)
{
	return extent >= 3 && extent <= 14400;
}

#define RULES_FILE "stages/pdfa/graphics/rules.def"
#define RULES_TABLE graphics_rules
#include "stages/pdfa/rules.h"

/* A form that was walked with a state, and whether it was transparent. */
struct known_form {
	uint64_t key; /* 0: free */
	bool transparent;
};

static void no_memory(struct check *c)
{
	struct err e;
	err_set(&e, ST_RETRY, "memory", "no memory for content");
	pdfa_fail(c, &e);
}

bool graphics_open(struct check *c)
{
	c->graphics = calloc(1, sizeof *c->graphics);
	if (c->graphics != NULL)
		c->graphics->forms = calloc(FORMS_KNOWN, sizeof *c->graphics->forms);
	if (c->graphics == NULL || c->graphics->forms == NULL)
		no_memory(c);
	return !pdfa_ended(c);
}

void graphics_close(struct check *c)
{
	struct graphics *g = c->graphics;
	if (g == NULL)
		return;
	seen_free(&g->spaces);
	seen_free(&g->states);
	seen_free(&g->patterns);
	separations_free(g);
	free(g->forms);
	free(g);
	c->graphics = NULL;
}

const struct pdfobj *graphics_resource(struct walk *w, const char *category, const struct pdfobj *name)
{
	const char *key = pdfobj_name(name);
	const struct pdfobj *o = pdfobj_get(pdfobj_get(w->resources.own, category), key);
	bool own = pdfobj_kind(w->resources.own) == PDF_DICT, elsewhere = false;
	if (pdfobj_kind(o) == PDF_NULL && w->resources.page != w->resources.own) {
		o = pdfobj_get(pdfobj_get(w->resources.page, category), key);
		elsewhere = own || !w->resources.page_inherited;
	}
	bool found = pdfobj_kind(o) != PDF_NULL;
	elsewhere = found && (elsewhere || (w->resources.page_inherited && (!own || w->resources.own == w->resources.page)));
	if ((elsewhere && !w->names.inherited) || (!found && !w->names.undefined)) {
		strncpy(w->name, key, sizeof w->name - 1);
		w->names.inherited = w->names.inherited || elsewhere;
		w->names.undefined = w->names.undefined || !found;
	}
	return o;
}

/* The decoded stream, or all streams of an array with white space between (7.8.2). False: nothing of it can be read. */
static bool read_content(struct check *c, const struct pdfobj *stream, struct buf *to)
{
	bool many = pdfobj_kind(stream) == PDF_ARRAY;
	struct err e;
	for (size_t i = 0; i < (many ? pdfobj_length(stream) : 1); i++) {
		const struct pdfobj *s = many ? pdfobj_at(stream, i) : stream;
		if (pdfobj_kind(s) != PDF_STREAM)
			continue;
		enum status st = pdfobj_stream(s, to, &e);
		if (st == ST_RETRY)
			pdfa_fail(c, &e);
		else if (st != ST_OK)
			pdfa_unread(c, &e);
		if (st != ST_OK && to->failed)
			return false;
		buf_byte(to, '\n');
	}
	c->graphics->bytes += to->len;
	if (c->graphics->bytes > PAGE_MAX) {
		err_set(&e, ST_ITEM, "pdf-limit", "page %u draws more than %llu bytes of content", c->page,
		        (unsigned long long)PAGE_MAX);
		pdfa_fail(c, &e);
	}
	return !pdfa_ended(c);
}

static void walk_operators(struct walk *w, struct bytes in)
{
	struct pdfcontent *content;
	struct pdfcontent_operator o;
	struct err e = {0};
	if (pdfcontent_open(w->c->doc, in, &content, &e) == ST_OK) {
		while (!pdfa_ended(w->c) && pdfcontent_next(content, &o, &e))
			graphics_operator(w, &o);
		pdfcontent_close(content);
	}
	if (e.status != ST_OK)
		pdfa_fail(w->c, &e);
}

static bool walk(struct check *c, const struct pdfobj *stream, struct resources resources, const struct state *state)
{
	struct graphics *g = c->graphics;
	struct walk w = {.c = c, .above = g->walk, .resources = resources, .number = pdfobj_number(stream)};
	const struct pdfobj *parents =
	    pdfobj_get(g->depth == 0 ? pdfdoc_object(c->doc, g->page_number) : stream, "StructParents");
	w.struct_parents = pdfobj_kind(parents) == PDF_INTEGER ? pdfobj_integer(parents) : -1;
	BUF_AUTO struct buf content = BUF_INIT(STREAM_MAX);
	if (g->depth >= FORMS_DEEP || pdfa_ended(c) || !read_content(c, stream, &content))
		return false;
	if (state != NULL)
		w.state = *state;
	g->walk = &w;
	g->depth++;
	walk_operators(&w, (struct bytes){content.data, content.len});
	g->depth--;
	g->walk = w.above;
	pdfa_show(c, O_content_stream, &w.names, w.number, w.name);
	free(w.saved);
	free(w.marked);
	return w.transparent;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

/* What of the surroundings can change what is found in a stream. */
static uint64_t key_of(const struct check *c, uint32_t number, const struct pdfobj *own, const struct state *s)
{
	uint64_t key = mix(number, c->graphics->blending);
	if (pdfobj_kind(own) != PDF_DICT)
		key = mix(key, c->page);
	if (s != NULL) {
		const struct pdfobj *spaces[] = {s->fill, s->stroke, s->fill_pattern, s->stroke_pattern, s->font};
		for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
			key = mix(key, spaces[i] == NULL               ? 0
			               : pdfobj_number(spaces[i]) != 0 ? pdfobj_number(spaces[i])
			                                               : (uintptr_t)spaces[i]);
		key = mix(key, (uint64_t)s->mode << 16 | (uint64_t)s->rendering << 8 | (uint64_t)s->overprint_fill << 1 |
		                   (uint64_t)s->overprint_stroke << 2 | (uint64_t)s->soft_mask << 3 | (uint64_t)s->blend << 4 |
		                   (uint64_t)s->fill_clear << 5 | (uint64_t)s->stroke_clear << 6 |
		                   (uint64_t)s->fill_device << 24 | (uint64_t)s->stroke_device << 26);
	}
	key = mix(key, pdfa_part(c) == 4 ? c->page : 0);
	return key == 0 ? 1 : key;
}

bool graphics_walk(struct check *c, const struct pdfobj *stream, struct resources resources, const struct state *state)
{
	struct graphics *g = c->graphics;
	uint32_t number = pdfobj_reference(stream) != 0 ? pdfobj_reference(stream) : pdfobj_number(stream);
	if (number == 0)
		return walk(c, stream, resources, state);
	uint64_t key = key_of(c, number, resources.own, state);
	size_t at = key % FORMS_KNOWN;
	for (size_t tries = 0; g->forms[at].key != 0 && g->forms[at].key != key && tries < 64; tries++)
		at = (at + 1) % FORMS_KNOWN;
	if (g->forms[at].key == key)
		return g->forms[at].transparent;
	/* Entered before it is walked: a stream that draws itself is no loop. */
	g->forms[at] = (struct known_form){key, false};
	bool transparent = walk(c, stream, resources, state);
	if (g->forms[at].key == key)
		g->forms[at].transparent = transparent;
	return transparent;
}

static bool show_group(struct check *c, const struct pdfobj *group, const struct resources *r)
{
	if (pdfobj_kind(group) != PDF_DICT)
		return false;
	struct o_transparency_group o = {pdfobj_is_name(pdfobj_get(group, "S"), "Transparency")};
	const struct pdfobj *space = pdfobj_get(group, "CS");
	pdfa_show(c, O_transparency_group, &o, pdfobj_number(group), NULL);
	colour_show(c, r, space, (struct paint){0});
	return o.transparency;
}

bool graphics_form(struct check *c, const struct pdfobj *form, const struct state *state)
{
	struct graphics *g = c->graphics;
	struct resources r = {pdfobj_get(form, "Resources"), g->page.page, false};
	if (pdfobj_kind(r.own) != PDF_DICT)
		r.page_inherited = g->page.page_inherited;
	uint32_t number = pdfobj_reference(form) != 0 ? pdfobj_reference(form) : pdfobj_number(form);
	struct o_form_xobject o = {.postscript = pdfobj_is_name(pdfobj_get(form, "Subtype2"), "PS") ||
	                                         pdfobj_kind(pdfobj_get(form, "PS")) != PDF_NULL,
	                           .opi = pdfobj_kind(pdfobj_get(form, "OPI")) != PDF_NULL,
	                           .reference = pdfobj_kind(pdfobj_get(form, "Ref")) != PDF_NULL};
	const struct pdfobj *group = pdfobj_get(form, "Group"), *space = pdfobj_get(group, "CS");
	pdfa_show(c, O_form_xobject, &o, number, NULL);
	enum icc_space blending = g->blending;
	if (pdfobj_kind(space) != PDF_NULL)
		g->blending = colour_blending(space);
	bool transparent = show_group(c, group, &r);
	transparent = graphics_walk(c, form, r, state) || transparent;
	g->blending = blending;
	return transparent;
}

static void show_boundaries(struct check *c, uint32_t number)
{
	static const char *const keys[] = {"MediaBox", "CropBox", "BleedBox", "TrimBox", "ArtBox"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const struct pdfobj *box = pdfdoc_page_attribute(c->doc, number, keys[i]);
		if (pdfobj_kind(box) != PDF_ARRAY)
			continue;
		double width = pdfobj_real(pdfobj_at(box, 2)) - pdfobj_real(pdfobj_at(box, 0));
		double height = pdfobj_real(pdfobj_at(box, 3)) - pdfobj_real(pdfobj_at(box, 1));
		struct o_page_boundary o = {width < 0 ? -width : width, height < 0 ? -height : height};
		pdfa_show(c, O_page_boundary, &o, number, keys[i]);
	}
}

void graphics_page(struct check *c, const struct pdfobj *page)
{
	struct graphics *g = c->graphics;
	const struct pdfobj *own = pdfobj_get(page, "Resources"), *group = pdfobj_get(page, "Group"),
	                    *space = pdfobj_get(group, "CS");
	uint32_t number = g->page_number = pdfobj_number(page);
	g->bytes = 0;
	g->page = (struct resources){.own = pdfdoc_page_attribute(c->doc, number, "Resources")};
	g->page.page = g->page.own;
	g->page.page_inherited = pdfobj_kind(own) == PDF_NULL;
	g->facts = (struct o_page){.additional_actions = pdfobj_kind(pdfobj_get(page, "AA")) != PDF_NULL,
	                           .steps = pdfobj_kind(pdfobj_get(page, "PresSteps")) != PDF_NULL,
	                           .group_space = pdfobj_kind(space) != PDF_NULL,
	                           .intent = output_space(c) != ICC_NONE};
	show_boundaries(c, number);
	g->blending = pdfobj_kind(space) == PDF_NULL ? ICC_NONE : colour_blending(space);
	show_group(c, group, &g->page);
	fonts_names(c, g->page.own);
	g->facts.transparent = walk(c, pdfobj_get(page, "Contents"), g->page, NULL);
}

void graphics_appearance(struct check *c, const struct pdfobj *form)
{
	if (graphics_form(c, form, NULL))
		c->graphics->facts.transparent = true;
}

bool graphics_glyph(struct check *c, const struct pdfobj *stream, const struct pdfobj *resources)
{
	struct graphics *g = c->graphics;
	struct resources r = {resources, g->page.page, false};
	return graphics_walk(c, stream, r, g->walk == NULL ? NULL : &g->walk->state);
}

void graphics_page_end(struct check *c)
{
	pdfa_show(c, O_page, &c->graphics->facts, c->graphics->page_number, NULL);
}
