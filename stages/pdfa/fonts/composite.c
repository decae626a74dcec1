/* Composite fonts: a CMap and a CIDFont (ISO 32000-1, 9.7). */
#include <stdlib.h>
#include <string.h>

#include "stages/pdfa/fonts/facts.h"

#define CMAPS_DEEP 8               /* CMaps that use each other */
#define CMAP_MAX ((size_t)1 << 24) /* bytes of a CMap */
#define MAP_MAX ((size_t)1 << 18)  /* of CIDToGIDMap and of CIDSet: more codes than there are CIDs */
#define DEFAULT_WIDTH 1000.0

struct cmap *cmap_of(struct check *c, const struct pdfobj *o, unsigned depth)
{
	struct cmap *m = NULL;
	struct err e;
	enum status st = ST_OK;
	if (pdfobj_kind(o) == PDF_NAME) {
		st = cmap_predefined_open(pdfobj_name(o), &m, &e);
	} else if (pdfobj_kind(o) == PDF_STREAM && depth < CMAPS_DEEP) {
		BUF_AUTO struct buf b = BUF_INIT(CMAP_MAX);
		font_stream(c, o, &b);
		st = cmap_read((struct bytes){b.data, b.len}, &m, &e);
		if (st == ST_OK && pdfobj_kind(pdfobj_get(o, "UseCMap")) != PDF_NULL)
			cmap_use(m, cmap_of(c, pdfobj_get(o, "UseCMap"), depth + 1));
	}
	if (st != ST_OK)
		pdfa_fail(c, &e);
	return m;
}

/* W: "c [w w …]" and "first last w" (9.7.4.3). A width lies as its bits. */
static void add_width(struct spans *to, int64_t first, int64_t last, double width)
{
	uint64_t bits;
	memcpy(&bits, &width, sizeof bits);
	if (first >= 0 && last >= first && last <= UINT32_MAX)
		spans_add(to, (uint32_t)first, (uint32_t)last, bits);
}

static void read_widths(struct composite *t, const struct pdfobj *w)
{
	for (size_t i = 0; pdfobj_kind(w) == PDF_ARRAY && i + 1 < pdfobj_length(w);) {
		int64_t first = pdfobj_integer(pdfobj_at(w, i));
		const struct pdfobj *next = pdfobj_at(w, i + 1);
		if (pdfobj_kind(next) != PDF_ARRAY) {
			add_width(&t->widths, first, pdfobj_integer(next), pdfobj_real(pdfobj_at(w, i + 2)));
			i += 3;
			continue;
		}
		for (size_t k = 0; k < pdfobj_length(next); k++)
			add_width(&t->widths, first + (int64_t)k, first + (int64_t)k, pdfobj_real(pdfobj_at(next, k)));
		i += 2;
	}
}

static bool is_number(const struct pdfobj *o)
{
	return pdfobj_kind(o) == PDF_INTEGER || pdfobj_kind(o) == PDF_REAL;
}

/* CIDSystemInfo of a CMap may be an array of them (PDF 1.4). */
static const struct pdfobj *system_info(const struct pdfobj *o)
{
	const struct pdfobj *info = pdfobj_get(o, "CIDSystemInfo");
	return pdfobj_kind(info) == PDF_ARRAY ? pdfobj_at(info, 0) : info;
}

static struct bytes registry_of(const struct pdfobj *info)
{
	return pdfobj_string(pdfobj_get(info, "Registry"));
}

static struct bytes ordering_of(const struct pdfobj *info)
{
	return pdfobj_string(pdfobj_get(info, "Ordering"));
}

static bool is_text(struct bytes b, const char *text)
{
	return bytes_equal(b, text_bytes(text));
}

/* Adobe's collections, whose CIDs have Unicode values (ISO 32000-1, 9.10.2). */
static bool adobe_collection(struct bytes registry, struct bytes ordering)
{
	return is_text(registry, "Adobe") && (is_text(ordering, "Japan1") || is_text(ordering, "CNS1") ||
	                                      is_text(ordering, "GB1") || is_text(ordering, "Korea1") || is_text(ordering, "KR"));
}

static bool has_collection(const struct pdfobj *encoding, const struct pdfobj *cid_font)
{
	const char *ordering = NULL;
	int supplement;
	if (pdfobj_kind(encoding) == PDF_NAME) {
		if (!cmap_predefined(pdfobj_name(encoding), &ordering, &supplement))
			return false;
		if (ordering != NULL)
			return true;
	}
	const struct pdfobj *info = system_info(pdfobj_kind(encoding) == PDF_NAME ? cid_font : encoding);
	return adobe_collection(registry_of(info), ordering_of(info));
}

static void read_cid_set(struct check *c, struct font *f, const struct pdfobj *cid_font)
{
	struct composite *t = f->composite;
	const struct pdfobj *set = pdfobj_get(pdfobj_get(cid_font, "FontDescriptor"), "CIDSet");
	t->cid_set = BUF_INIT(MAP_MAX);
	t->set = (struct o_cid_set){.embedded = f->embedded,
	                            .subset = font_subset(pdfobj_name(pdfobj_get(cid_font, "BaseFont"))),
	                            .present = pdfobj_kind(set) == PDF_STREAM};
	if (t->set.present)
		font_stream(c, set, &t->cid_set);
	t->set.lists_all = t->set.present && t->set.subset && pdfa_part(c) != 1 && cid_set_lists_all(f);
	t->listed = true;
}

bool composite_read(struct check *c, struct font *f, const struct pdfobj *dictionary)
{
	const struct pdfobj *cid_font = pdfobj_at(pdfobj_get(dictionary, "DescendantFonts"), 0), *dw = pdfobj_get(cid_font, "DW"),
	                    *map = pdfobj_get(cid_font, "CIDToGIDMap"), *encoding = pdfobj_get(dictionary, "Encoding");
	struct composite *t = f->composite = calloc(1, sizeof *t);
	if (t == NULL) {
		font_no_memory(c);
		return false;
	}
	t->cmap = cmap_of(c, encoding, 0);
	t->default_width = is_number(dw) ? pdfobj_real(dw) : DEFAULT_WIDTH;
	t->type2 = pdfobj_is_name(pdfobj_get(cid_font, "Subtype"), "CIDFontType2");
	t->has_gids = pdfobj_kind(map) == PDF_STREAM;
	t->gids = BUF_INIT(MAP_MAX);
	t->collection = has_collection(encoding, cid_font);
	if (t->has_gids)
		font_stream(c, map, &t->gids);
	read_widths(t, pdfobj_get(cid_font, "W"));
	if (!spans_seal(&t->widths))
		font_no_memory(c);
	read_cid_set(c, f, cid_font);
	f->bytes += sizeof *t + t->gids.cap + t->cid_set.cap + t->widths.n * sizeof *t->widths.s;
	return !pdfa_ended(c);
}

void composite_free(struct composite *t)
{
	if (t == NULL)
		return;
	cmap_free(t->cmap);
	spans_free(&t->widths);
	buf_free(&t->gids);
	buf_free(&t->cid_set);
	free(t);
}

static const char *cmap_name(const struct pdfobj *o)
{
	return pdfobj_name(pdfobj_kind(o) == PDF_STREAM ? pdfobj_get(o, "CMapName") : o);
}

static void show_compatibility(struct check *c, const struct font *f, const struct pdfobj *encoding,
                               const struct pdfobj *cid_font)
{
	const struct pdfobj *a = system_info(cid_font), *b = system_info(encoding);
	const char *name = cmap_name(encoding), *ordering = NULL;
	int supplement = 0;
	bool predefined = pdfobj_kind(encoding) == PDF_NAME && cmap_predefined(name, &ordering, &supplement);
	struct o_type0_font o = {.identity = strcmp(name, "Identity-H") == 0 || strcmp(name, "Identity-V") == 0};
	struct bytes registry = predefined ? text_bytes("Adobe") : registry_of(b),
	             collection = predefined ? text_bytes(ordering) : ordering_of(b);
	int64_t highest = predefined ? supplement : pdfobj_integer(pdfobj_get(b, "Supplement"));
	o.registry = registry_of(a).p != NULL && bytes_equal(registry_of(a), registry);
	o.ordering = ordering_of(a).p != NULL && bytes_equal(ordering_of(a), collection);
	o.supplement = pdfobj_kind(a) == PDF_DICT && pdfobj_integer(pdfobj_get(a, "Supplement")) <= highest;
	pdfa_show(c, O_type0_font, &o, f->number, f->name);
}

void composite_rules(struct check *c, struct font *f, const struct pdfobj *dictionary)
{
	const struct pdfobj *encoding = pdfobj_get(dictionary, "Encoding"), *use = pdfobj_get(encoding, "UseCMap");
	bool embedded = pdfobj_kind(encoding) == PDF_STREAM;
	uint32_t number = embedded ? pdfobj_reference(encoding) : f->number;
	struct o_cmap o = {cmap_name(encoding), embedded};
	show_compatibility(c, f, encoding, pdfobj_at(pdfobj_get(dictionary, "DescendantFonts"), 0));
	pdfa_show(c, O_cmap, &o, number, o.name);
	if (pdfobj_kind(use) != PDF_NULL) {
		struct o_referenced_cmap r = {cmap_name(use)};
		pdfa_show(c, O_referenced_cmap, &r, number, r.name);
	}
	if (embedded && f->composite->cmap != NULL) {
		struct o_cmap_file file = {.wmode = cmap_wmode(f->composite->cmap),
		                           .dictionary_wmode = pdfobj_integer(pdfobj_get(encoding, "WMode")),
		                           .max_cid = cmap_max_cid(f->composite->cmap)};
		pdfa_show(c, O_cmap_file, &file, number, o.name);
	}
}

static double dictionary_width(const struct composite *t, uint32_t cid)
{
	const struct span *s = spans_find(&t->widths, cid);
	double width = t->default_width;
	if (s != NULL)
		memcpy(&width, &s->value, sizeof width);
	return width;
}

/* The width in the program; negative: the glyph is not there. */
static double cid_width(const struct font *f, uint32_t cid)
{
	const struct composite *t = f->composite;
	uint32_t glyph = program_of_cid(f->program, cid);
	if (!t->type2 || !program_sfnt(f->program))
		return glyph == PROGRAM_NO_GLYPH || (glyph == 0 && program_cid_keyed(f->program))
		           ? -1
		           : program_width(f->program, glyph);
	glyph = cid;
	if (t->has_gids) {
		size_t at = (size_t)cid * 2;
		glyph = at + 1 < t->gids.len ? (uint32_t)t->gids.data[at] << 8 | t->gids.data[at + 1] : 0;
	}
	return program_width(f->program, glyph < program_glyphs(f->program) ? glyph : 0);
}

void composite_glyph(struct font *f, uint32_t code, struct o_glyph *g)
{
	struct composite *t = f->composite;
	uint32_t cid;
	if (f->program == NULL)
		return;
	bool present = cmap_cid(t->cmap, code, &cid) && cid_in_program(f, cid);
	g->known = g->measured = true;
	g->present = code == 0 || present;
	g->notdef = code == 0 || !present;
	g->program_width = cid_width(f, cid);
	if (g->program_width < 0)
		g->program_width = t->default_width;
	g->dictionary_width = dictionary_width(t, cid);
	if (present && t->set.present && !cid_in_set(t, cid))
		t->listed = false;
}
