/* Simple fonts: Type 1, TrueType and Type 3 (ISO 32000-1, 9.6). */
#include <mupdf/fitz.h>
#include <stdlib.h>
#include <string.h>

#include "stages/pdf/content.h"
#include "stages/pdfa/fonts/facts.h"
#include "stages/pdfa/program/glyph_list.h"

#define GLYPH_BYTES ((size_t)1 << 24) /* of a Type 3 glyph's procedure, decoded */
#define CHARSET_MAX ((size_t)1 << 20)
#define NAME_BYTES 128
#define WIDTH_OPERATORS 16 /* that are looked at for d0 or d1 */

static bool standard_14(const char *name)
{
	static const char *const names[] = {"Courier",     "Courier-Bold",   "Courier-Oblique",   "Courier-BoldOblique",
	                                    "Helvetica",   "Helvetica-Bold", "Helvetica-Oblique", "Helvetica-BoldOblique",
	                                    "Times-Roman", "Times-Bold",     "Times-Italic",      "Times-BoldItalic",
	                                    "Symbol",      "ZapfDingbats"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* The table of a named encoding, NULL entries where it has no character; NULL: none of these. */
static const char *const *table_of(const struct pdfobj *name)
{
	if (pdfobj_is_name(name, "WinAnsiEncoding"))
		return fz_glyph_name_from_win_ansi;
	if (pdfobj_is_name(name, "MacRomanEncoding"))
		return fz_glyph_name_from_mac_roman;
	if (pdfobj_is_name(name, "MacExpertEncoding"))
		return fz_glyph_name_from_mac_expert;
	return NULL;
}

static void set_name(struct check *c, struct simple *s, size_t code, const char *name)
{
	char *copy = strdup(name);
	if (copy == NULL) {
		font_no_memory(c);
		return;
	}
	free(s->own_names[code]);
	s->names[code] = s->own_names[code] = copy;
}

/* Whether what Encoding does not name is as in the standard encoding (9.6.6.1): of the standard fonts that come from the reader, and of TrueType
 * fonts that are not symbolic, which have no encoding of their own. */
static bool standard_base(const struct font *f, const struct pdfobj *font)
{
	if (f->kind == FONT_TRUETYPE)
		return !f->symbolic && pdfobj_kind(pdfobj_get(font, "Encoding")) != PDF_NULL;
	return f->kind == FONT_TYPE1 && !f->embedded && pdfobj_kind(pdfobj_get(font, "FontDescriptor")) == PDF_NULL &&
	       standard_14(f->name) && strcmp(f->name, "Symbol") != 0 && strcmp(f->name, "ZapfDingbats") != 0;
}

static void read_encoding(struct check *c, struct font *f, const struct pdfobj *font)
{
	struct simple *s = f->simple;
	const struct pdfobj *encoding = pdfobj_get(font, "Encoding");
	bool dictionary = pdfobj_kind(encoding) == PDF_DICT;
	const char *const *table = table_of(dictionary ? pdfobj_get(encoding, "BaseEncoding") : encoding);
	s->encoding = pdfobj_kind(encoding) != PDF_NULL;
	if (table == NULL && standard_base(f, font))
		table = fz_glyph_name_from_adobe_standard;
	for (size_t i = 0; table != NULL && i < SIMPLE_CODES; i++)
		s->names[i] = table[i] == NULL ? ".notdef" : table[i];
	const struct pdfobj *differences = pdfobj_get(encoding, "Differences");
	int64_t code = 0;
	for (size_t i = 0; pdfobj_kind(differences) == PDF_ARRAY && i < pdfobj_length(differences) && !pdfa_ended(c); i++) {
		const struct pdfobj *o = pdfobj_at(differences, i);
		if (pdfobj_kind(o) == PDF_INTEGER)
			code = pdfobj_integer(o);
		else if (pdfobj_kind(o) == PDF_NAME && code >= 0 && code < SIMPLE_CODES)
			set_name(c, s, (size_t)code++, pdfobj_name(o));
	}
}

static void read_widths(struct simple *s, const struct pdfobj *dictionary)
{
	const struct pdfobj *widths = pdfobj_get(dictionary, "Widths"), *first = pdfobj_get(dictionary, "FirstChar"),
	                    *last = pdfobj_get(dictionary, "LastChar"),
	                    *missing = pdfobj_get(pdfobj_get(dictionary, "FontDescriptor"), "MissingWidth");
	size_t n = pdfobj_kind(widths) == PDF_ARRAY ? pdfobj_length(widths) : 0;
	s->first = pdfobj_integer(first);
	s->last = pdfobj_integer(last);
	s->has_widths = n > 0 && pdfobj_kind(first) == PDF_INTEGER && pdfobj_kind(last) == PDF_INTEGER;
	s->missing = pdfobj_real(missing);
	for (int64_t code = 0; s->has_widths && code < SIMPLE_CODES; code++)
		if (code >= s->first && (uint64_t)(code - s->first) < n)
			s->widths[code] = pdfobj_real(pdfobj_at(widths, (size_t)(code - s->first)));
}

static void read_charset(const struct check *c, const struct font *f, const struct pdfobj *charset)
{
	struct simple *s = f->simple;
	s->charset = BUF_INIT(CHARSET_MAX);
	buf_add(&s->charset, pdfobj_string(charset).p, pdfobj_string(charset).n);
	s->subset = (struct o_type1_font){
	    .embedded = f->embedded, .subset = font_subset(f->name), .charset = pdfobj_kind(charset) == PDF_STRING};
	s->subset.lists_all = f->program != NULL && s->subset.charset && (pdfa_part(c) == 1 || charset_lists_all(f));
}

bool simple_read(struct check *c, struct font *f, const struct pdfobj *dictionary)
{
	f->simple = calloc(1, sizeof *f->simple);
	if (f->simple == NULL) {
		font_no_memory(c);
		return false;
	}
	f->bytes += sizeof *f->simple;
	read_encoding(c, f, dictionary);
	read_widths(f->simple, dictionary);
	if (f->kind == FONT_TYPE1)
		read_charset(c, f, pdfobj_get(pdfobj_get(dictionary, "FontDescriptor"), "CharSet"));
	return !pdfa_ended(c);
}

void simple_free(struct simple *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < SIMPLE_CODES; i++)
		free(s->own_names[i]);
	buf_free(&s->charset);
	free(s);
}

/* Every name of Differences is of the Adobe Glyph List, and the program, where it is embedded, can be asked by Unicode (19005-2, 6.2.11.6). */
static bool compliant(const struct font *f, const struct pdfobj *differences)
{
	if (f->embedded && (f->program == NULL || !program_has_cmap(f->program, 3, 1)))
		return false;
	for (size_t i = 0; pdfobj_kind(differences) == PDF_ARRAY && i < pdfobj_length(differences); i++) {
		const struct pdfobj *o = pdfobj_at(differences, i);
		if (pdfobj_kind(o) == PDF_NAME && !pdfobj_is_name(o, ".notdef") && glyph_list_value(pdfobj_name(o)) == 0)
			return false;
	}
	return true;
}

static void truetype_rules(struct check *c, const struct font *f, const struct pdfobj *encoding)
{
	const struct pdfobj *differences = pdfobj_get(encoding, "Differences");
	const char *name = pdfobj_name(pdfobj_kind(encoding) == PDF_DICT ? pdfobj_get(encoding, "BaseEncoding") : encoding);
	struct o_truetype_font o = {.symbolic = f->symbolic,
	                            .has_encoding = *name != '\0',
	                            .encoding = name,
	                            .differences = pdfobj_kind(differences) != PDF_NULL,
	                            .compliant = compliant(f, differences)};
	pdfa_show(c, O_truetype_font, &o, f->number, f->name);
	if (f->program == NULL)
		return;
	struct o_truetype_program p = {.symbolic = f->symbolic,
	                               .cmaps = program_cmaps(f->program),
	                               .cmap30 = program_has_cmap(f->program, 3, 0),
	                               .cmap31 = program_has_cmap(f->program, 3, 1),
	                               .cmap10 = program_has_cmap(f->program, 1, 0)};
	pdfa_show(c, O_truetype_program, &p, f->number, f->name);
}

void simple_rules(struct check *c, const struct font *f, const struct pdfobj *dictionary)
{
	const struct pdfobj *widths = pdfobj_get(dictionary, "Widths"), *first = pdfobj_get(dictionary, "FirstChar"),
	                    *last = pdfobj_get(dictionary, "LastChar");
	struct o_simple_font o = {.standard = f->kind == FONT_TYPE1 && !f->embedded && standard_14(f->name),
	                          .has_first = pdfobj_kind(first) == PDF_INTEGER,
	                          .has_last = pdfobj_kind(last) == PDF_INTEGER,
	                          .has_widths = pdfobj_kind(widths) == PDF_ARRAY,
	                          .first = pdfobj_integer(first),
	                          .last = pdfobj_integer(last),
	                          .widths = pdfobj_length(widths)};
	pdfa_show(c, O_simple_font, &o, f->number, f->name);
	if (f->kind == FONT_TRUETYPE)
		truetype_rules(c, f, pdfobj_get(dictionary, "Encoding"));
	else if (f->kind == FONT_TYPE1 && pdfa_part(c) != 1)
		pdfa_show(c, O_type1_font, &f->simple->subset, f->number, f->name);
}

const char *simple_name(const struct font *f, uint8_t code, char *buffer, size_t size)
{
	if (f->simple->names[code] != NULL || f->program == NULL || f->kind != FONT_TYPE1)
		return f->simple->names[code];
	return program_name(f->program, program_encoded(f->program, code), buffer, size) ? buffer : NULL;
}

/* The code of a name in the Mac OS encoding, which has more than MacRomanEncoding (ISO 32000-1, 9.6.6.4). 0: none. */
static uint32_t mac_os_code(const char *name)
{
	static const struct {
		const char *name;
		uint32_t code;
	} more[] = {{"notequal", 173},    {"infinity", 176},  {"lessequal", 178}, {"greaterequal", 179},
	            {"partialdiff", 182}, {"summation", 183}, {"product", 184},   {"pi", 185},
	            {"integral", 186},    {"Omega", 189},     {"radical", 195},   {"approxequal", 197},
	            {"Delta", 198},       {"lozenge", 215},   {"Euro", 219},      {"apple", 240}};
	for (size_t i = 0; i < sizeof more / sizeof *more; i++)
		if (strcmp(name, more[i].name) == 0)
			return more[i].code;
	for (uint32_t i = 0; i < SIMPLE_CODES; i++)
		if (fz_glyph_name_from_mac_roman[i] != NULL && strcmp(name, fz_glyph_name_from_mac_roman[i]) == 0)
			return i;
	return 0;
}

/* ISO 32000-1, 9.6.6.4, fonts that are not symbolic: by Unicode, by the Mac's code, by the post table. 0: not there. */
static uint32_t truetype_named(const struct font *f, const char *name)
{
	uint32_t unicode = glyph_list_value(name);
	uint32_t glyph = unicode > 0 ? program_mapped(f->program, 3, 1, unicode) : 0, code = mac_os_code(name);
	if (glyph == 0 && code != 0)
		glyph = program_mapped(f->program, 1, 0, code);
	if (glyph == 0)
		glyph = program_named(f->program, name);
	return glyph == PROGRAM_NO_GLYPH ? 0 : glyph;
}

/* The same, symbolic fonts: (3,0) by the row that its codes lie in, then (1,0). Without both the font is not asked in a way that PDF knows. */
static uint32_t truetype_coded(const struct font *f, uint8_t code, bool *ret_mapped)
{
	*ret_mapped = true;
	if (program_has_cmap(f->program, 3, 0)) {
		uint32_t row = program_first_code(f->program, 3, 0) & 0xff00;
		uint32_t glyph = row == 0 || row == 0xf000 || row == 0xf100 || row == 0xf200
		                     ? program_mapped(f->program, 3, 0, row + code)
		                     : 0;
		*ret_mapped = glyph != 0;
		if (glyph != 0)
			return glyph;
	}
	if (program_has_cmap(f->program, 1, 0))
		return program_mapped(f->program, 1, 0, code);
	*ret_mapped = false;
	return program_mapped_first(f->program, code);
}

static double truetype_width(const struct font *f, uint32_t glyph)
{
	return program_width(f->program, glyph < program_glyphs(f->program) ? glyph : 0);
}

static void truetype_glyph(const struct font *f, uint8_t code, struct o_glyph *g)
{
	uint32_t glyph;
	bool mapped = true;
	if (!f->symbolic && f->simple->encoding) {
		const char *name = f->simple->names[code];
		/* In a Differences array .notdef leaves the standard encoding's character (9.6.6.4). */
		if (name != NULL && strcmp(name, ".notdef") == 0 && f->simple->own_names[code] != NULL)
			name = fz_glyph_name_from_adobe_standard[code];
		glyph = name == NULL ? 0 : truetype_named(f, name);
	} else {
		glyph = truetype_coded(f, code, &mapped);
	}
	g->present = code == 0 || (mapped && glyph > 0 && glyph < program_glyphs(f->program));
	g->program_width = truetype_width(f, glyph);
}

static void type1_glyph(const struct font *f, uint8_t code, struct o_glyph *g)
{
	struct simple *s = f->simple;
	const char *name = s->names[code];
	char buffer[NAME_BYTES];
	uint32_t glyph = name != NULL ? program_named(f->program, name) : program_encoded(f->program, code);
	if (name == NULL && glyph == 0)
		glyph = PROGRAM_NO_GLYPH;
	g->present = code == 0 || glyph != PROGRAM_NO_GLYPH;
	/* A CFF program has .notdef first, and that is what is drawn (Adobe Technical Note 5176, 13). */
	g->program_width = program_width(f->program, glyph == PROGRAM_NO_GLYPH && program_cff(f->program) ? 0 : glyph);
	/* What PDF/A-1 wants of CharSet: the glyphs that are used (19005-1, 6.3.5). */
	if (glyph != PROGRAM_NO_GLYPH && program_name(f->program, glyph, buffer, sizeof buffer) && !charset_lists(f, buffer))
		s->subset.lists_all = false;
}

void simple_glyph(const struct font *f, uint8_t code, struct o_glyph *g)
{
	const struct simple *s = f->simple;
	const char *name = s->names[code];
	bool listed = s->has_widths && code >= s->first && code <= s->last;
	/* The codes of a symbolic TrueType font have no names. */
	g->notdef = name != NULL && strcmp(name, ".notdef") == 0 && !(f->kind == FONT_TRUETYPE && f->symbolic);
	/* What Widths does not have is as wide as MissingWidth, 0 where that is not there (9.8.1). */
	g->dictionary_width = listed ? s->widths[code] : s->missing;
	if (f->program == NULL)
		return;
	g->known = g->measured = true;
	if (f->kind == FONT_TRUETYPE)
		truetype_glyph(f, code, g);
	else
		type1_glyph(f, code, g);
	if (g->program_width < 0)
		g->program_width = s->missing;
}

/* ---- Type 3 ---- */

/* The width that d0 or d1 sets (9.6.5); negative: neither. */
static double procedure_width(struct check *c, const struct pdfobj *stream)
{
	BUF_AUTO struct buf content = BUF_INIT(GLYPH_BYTES);
	struct pdfcontent *walk;
	struct pdfcontent_operator o;
	struct err e = {0};
	double width = -1;
	font_stream(c, stream, &content);
	if (pdfcontent_open(c->doc, (struct bytes){content.data, content.len}, &walk, &e) != ST_OK) {
		pdfa_fail(c, &e);
		return width;
	}
	for (size_t i = 0; i < WIDTH_OPERATORS && width < 0 && pdfcontent_next(walk, &o, &e); i++)
		if ((strcmp(o.name, "d0") == 0 || strcmp(o.name, "d1") == 0) && o.n > 0)
			width = pdfobj_real(o.operands[0]);
	pdfcontent_close(walk);
	if (e.status != ST_OK)
		pdfa_fail(c, &e);
	return width;
}

/* Walks one procedure, or knows it from before. Fonts that it finds must not be forgotten in favour of others: this one is in use. */
static bool walk_glyph(struct check *c, const struct pdfobj *procedure, const struct pdfobj *dictionary)
{
	c->fonts->depth++;
	bool transparent = graphics_glyph(c, procedure, pdfobj_get(dictionary, "Resources"));
	c->fonts->depth--;
	return transparent;
}

bool type3_glyph(struct check *c, const struct font *f, const struct pdfobj *dictionary, uint8_t code, struct o_glyph *g)
{
	const struct simple *s = f->simple;
	const char *name = s->names[code];
	const struct pdfobj *procedure = pdfobj_get(pdfobj_get(dictionary, "CharProcs"), name == NULL ? "" : name);
	bool listed = s->has_widths && code >= s->first && code <= s->last, stream = pdfobj_kind(procedure) == PDF_STREAM;
	g->notdef = name != NULL && strcmp(name, ".notdef") == 0;
	g->known = g->measured = true;
	g->present = name != NULL && pdfobj_kind(procedure) != PDF_NULL;
	g->program_width = stream ? procedure_width(c, procedure) : -1;
	if (g->program_width < 0)
		g->program_width = s->missing;
	g->dictionary_width = listed ? s->widths[code] : s->missing;
	return stream && walk_glyph(c, procedure, dictionary);
}

void type3_walk(struct check *c, const struct pdfobj *dictionary)
{
	const struct pdfobj *procedures = pdfobj_get(dictionary, "CharProcs");
	for (size_t i = 0; pdfobj_kind(procedures) == PDF_DICT && i < pdfobj_length(procedures) && !pdfa_ended(c); i++)
		if (pdfobj_kind(pdfobj_value(procedures, i)) == PDF_STREAM)
			walk_glyph(c, pdfobj_value(procedures, i), dictionary);
}
