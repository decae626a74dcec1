/* Fonts as text uses them: what each dictionary says, its program, and every code that is shown. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/pdfa/fonts/facts.h"

#define STREAM_MAX ((size_t)1 << 26) /* bytes of a font program, decoded */
#define MEMORY_MAX ((size_t)1 << 24) /* of fonts that are kept; the next font then begins anew */
#define CODES_MAX ((size_t)1 << 16)  /* of a composite font that are remembered */

static bool font_subtype(const char *name)
{
	static const char *const names[] = {"Type1", "MMType1", "TrueType", "Type3", "Type0", "CIDFontType0", "CIDFontType2"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool cff_subtype(const char *name)
{
	return strcmp(name, "Type1C") == 0 || strcmp(name, "CIDFontType0C") == 0;
}

static bool widths_fit(const struct o_simple_font *o)
{
	return o->has_first && o->has_last && o->has_widths && o->last >= o->first &&
	       (uint64_t)o->last - (uint64_t)o->first < SIZE_MAX &&
	       (uint64_t)o->widths == (uint64_t)o->last - (uint64_t)o->first + 1;
}

static bool identity(const char *name)
{
	return strcmp(name, "Identity-H") == 0 || strcmp(name, "Identity-V") == 0;
}

static bool predefined(const char *name)
{
	const char *ordering;
	int supplement;
	return cmap_predefined(name, &ordering, &supplement);
}

static bool latin(const char *encoding)
{
	return strcmp(encoding, "MacRomanEncoding") == 0 || strcmp(encoding, "WinAnsiEncoding") == 0;
}

#define RULES_FILE "stages/pdfa/fonts/rules.def"
#define RULES_TABLE font_rules
#include "stages/pdfa/rules.h"

void font_no_memory(struct check *c)
{
	struct err e;
	err_set(&e, ST_RETRY, "memory", "no memory for a font");
	pdfa_fail(c, &e);
}

bool font_subset(const char *name)
{
	for (size_t i = 0; i < 6; i++)
		if (name[i] < 'A' || name[i] > 'Z')
			return false;
	return name[6] == '+';
}

void font_stream(struct check *c, const struct pdfobj *stream, struct buf *to)
{
	struct err e;
	enum status st = pdfobj_stream(stream, to, &e);
	if (st == ST_RETRY)
		pdfa_fail(c, &e);
	if (st != ST_OK)
		buf_reset(to);
}

bool fonts_open(struct check *c)
{
	struct err e;
	c->fonts = calloc(1, sizeof *c->fonts);
	if (c->fonts == NULL)
		font_no_memory(c);
	else if (program_library_new(&c->fonts->library, &e) != ST_OK)
		pdfa_fail(c, &e);
	return !pdfa_ended(c);
}

/* Which glyphs CharSet and CIDSet of PDF/A-1 shall list is known when the font is used no more (19005-1, 6.3.5). */
static void show_subset(struct check *c, const struct font *f)
{
	uint32_t page = c->page;
	if (pdfa_part(c) != 1 || pdfa_ended(c) || !(f->ruled[0] || f->ruled[1]))
		return;
	c->page = f->first_page;
	if (f->composite != NULL) {
		struct o_cid_set o = f->composite->set;
		o.lists_all = f->program != NULL && f->composite->listed;
		pdfa_show(c, O_cid_set, &o, f->number, f->name);
	} else if (f->kind == FONT_TYPE1 && f->simple != NULL) {
		pdfa_show(c, O_type1_font, &f->simple->subset, f->number, f->name);
	}
	c->page = page;
}

static void font_free(struct font *f)
{
	simple_free(f->simple);
	composite_free(f->composite);
	cmap_free(f->to_unicode);
	free(f->shown);
	free(f);
}

static void forget(struct check *c)
{
	struct fonts *s = c->fonts;
	while (s->first != NULL) {
		struct font *f = s->first;
		s->first = f->next;
		show_subset(c, f);
		font_free(f);
	}
	while (s->programs != NULL) {
		struct known_program *p = s->programs;
		s->programs = p->next;
		program_close(p->program);
		free(p);
	}
	s->bytes = 0;
}

/* Fonts that are no objects of their own are known by where they lie, and that changes. */
void fonts_page_end(struct check *c)
{
	for (struct font **f = &c->fonts->first; *f != NULL;) {
		struct font *old = *f;
		if (old->number != 0) {
			f = &old->next;
			continue;
		}
		*f = old->next;
		show_subset(c, old);
		font_free(old);
	}
}

void fonts_end(struct check *c)
{
	forget(c);
}

void fonts_close(struct check *c)
{
	struct fonts *s = c->fonts;
	if (s == NULL)
		return;
	forget(c);
	program_library_free(s->library);
	seen_free(&s->names);
	free(s);
	c->fonts = NULL;
}

/* The stream of the font program, and which kind it shall be (ISO 32000-1, Table 126). NULL: it is not embedded. */
static const struct pdfobj *program_stream(const struct pdfobj *descriptor, enum font_kind kind, bool type2,
                                           enum program_kind *ret_kind)
{
	const struct pdfobj *one = pdfobj_get(descriptor, "FontFile"), *two = pdfobj_get(descriptor, "FontFile2"),
	                    *three = pdfobj_get(descriptor, "FontFile3"), *subtype = pdfobj_get(three, "Subtype");
	bool cff = pdfobj_is_name(subtype, kind == FONT_TYPE0 ? "CIDFontType0C" : "Type1C");
	*ret_kind = PROGRAM_TYPE1;
	if (kind == FONT_TYPE1 && pdfobj_kind(one) == PDF_STREAM)
		return one;
	*ret_kind = PROGRAM_TRUETYPE;
	if ((kind == FONT_TRUETYPE || (kind == FONT_TYPE0 && type2)) && pdfobj_kind(two) == PDF_STREAM)
		return two;
	*ret_kind = cff ? PROGRAM_CFF : PROGRAM_OPENTYPE;
	if (pdfobj_kind(three) != PDF_STREAM || kind == FONT_TYPE3 || kind == FONT_OTHER)
		return NULL;
	return kind == FONT_TRUETYPE || cff || pdfobj_is_name(subtype, "OpenType") ? three : NULL;
}

static struct program *read_program(struct check *c, const struct pdfobj *stream, enum program_kind kind)
{
	struct fonts *s = c->fonts;
	uint32_t number = pdfobj_reference(stream);
	for (const struct known_program *p = s->programs; p != NULL && number != 0; p = p->next)
		if (p->number == number && p->kind == kind)
			return p->program;
	struct known_program *p = calloc(1, sizeof *p);
	if (p == NULL) {
		font_no_memory(c);
		return NULL;
	}
	*p = (struct known_program){.next = s->programs, .number = number, .kind = kind};
	s->programs = p;
	struct buf data = BUF_INIT(STREAM_MAX);
	struct err e;
	font_stream(c, stream, &data);
	if (program_open(s->library, &data, kind, &p->program, &e) == ST_RETRY)
		pdfa_fail(c, &e);
	s->bytes += p->program == NULL ? 256 : program_bytes(p->program);
	return p->program;
}

static enum font_kind kind_of(const struct pdfobj *subtype)
{
	static const struct {
		const char *name;
		enum font_kind kind;
	} rows[] = {{"Type1", FONT_TYPE1},
	            {"MMType1", FONT_TYPE1},
	            {"TrueType", FONT_TRUETYPE},
	            {"Type3", FONT_TYPE3},
	            {"Type0", FONT_TYPE0}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (pdfobj_is_name(subtype, rows[i].name))
			return rows[i].kind;
	return FONT_OTHER;
}

static const struct pdfobj *descendant(const struct pdfobj *dictionary)
{
	return pdfobj_at(pdfobj_get(dictionary, "DescendantFonts"), 0);
}

static bool read_font(struct check *c, struct font *f, const struct pdfobj *dictionary)
{
	const struct pdfobj *cid_font = f->kind == FONT_TYPE0 ? descendant(dictionary) : dictionary;
	const struct pdfobj *descriptor = pdfobj_get(cid_font, "FontDescriptor");
	const char *name = pdfobj_name(pdfobj_get(dictionary, f->kind == FONT_TYPE3 ? "Name" : "BaseFont"));
	enum program_kind kind;
	const struct pdfobj *stream =
	    program_stream(descriptor, f->kind, pdfobj_is_name(pdfobj_get(cid_font, "Subtype"), "CIDFontType2"), &kind);
	strncpy(f->name, name, sizeof f->name - 1);
	f->symbolic = (pdfobj_integer(pdfobj_get(descriptor, "Flags")) & 4) != 0;
	f->program = stream == NULL ? NULL : read_program(c, stream, kind);
	f->embedded = f->program != NULL;
	f->n_shown = f->kind == FONT_TYPE0 ? CODES_MAX : SIMPLE_CODES;
	f->shown = calloc(f->n_shown, 1);
	f->bytes = sizeof *f + f->n_shown;
	if (f->shown == NULL)
		font_no_memory(c);
	unicode_read(c, f, pdfobj_get(dictionary, "ToUnicode"));
	return !pdfa_ended(c) && (f->kind == FONT_TYPE0 ? composite_read(c, f, dictionary) : simple_read(c, f, dictionary));
}

static struct font *find_font(struct check *c, const struct pdfobj *dictionary)
{
	struct fonts *s = c->fonts;
	uint32_t number = pdfobj_reference(dictionary);
	for (struct font **f = &s->first; *f != NULL; f = &(*f)->next) {
		struct font *found = *f;
		if (found->number != number || (number == 0 && found->direct != dictionary))
			continue;
		*f = found->next;
		found->next = s->first;
		return s->first = found;
	}
	if (s->bytes > MEMORY_MAX && s->depth == 0)
		forget(c);
	struct font *f = calloc(1, sizeof *f);
	if (f == NULL) {
		font_no_memory(c);
		return NULL;
	}
	*f = (struct font){.next = s->first,
	                   .number = number,
	                   .direct = dictionary,
	                   .first_page = c->page,
	                   .kind = kind_of(pdfobj_get(dictionary, "Subtype"))};
	s->first = f;
	bool read = read_font(c, f, dictionary);
	s->bytes += f->bytes;
	return read ? f : NULL;
}

/* The rules of a font or CIDFont dictionary. */
static void show_dictionary(struct check *c, const struct font *f, const struct pdfobj *dictionary, bool invisible)
{
	const struct pdfobj *file = pdfobj_get(pdfobj_get(dictionary, "FontDescriptor"), "FontFile3"),
	                    *name = pdfobj_get(dictionary, "BaseFont");
	bool typed = pdfobj_kind(file) == PDF_STREAM && pdfobj_kind(pdfobj_get(file, "Subtype")) == PDF_NAME;
	struct o_font o = {.type_font = pdfobj_is_name(pdfobj_get(dictionary, "Type"), "Font"),
	                   .subtype = pdfobj_name(pdfobj_get(dictionary, "Subtype")),
	                   .named = pdfobj_kind(name) == PDF_NAME,
	                   /* Of what is no font it cannot be said. */
	                   .embedded = f->embedded || f->kind == FONT_OTHER,
	                   .invisible = invisible,
	                   .file_subtype = typed ? pdfobj_name(pdfobj_get(file, "Subtype")) : NULL};
	uint32_t number = pdfobj_number(dictionary);
	pdfa_show(c, O_font, &o, number, f->name);
	if (o.named)
		file_unicode_name(c, pdfobj_name(name), number);
}

static void show_cid_font(struct check *c, const struct font *f, const struct pdfobj *dictionary, bool invisible)
{
	const struct pdfobj *map = pdfobj_get(dictionary, "CIDToGIDMap");
	struct o_cid_font o = {.type2 = pdfobj_is_name(pdfobj_get(dictionary, "Subtype"), "CIDFontType2"),
	                       .map = pdfobj_kind(map) == PDF_STREAM || pdfobj_is_name(map, "Identity"),
	                       .embedded = f->embedded,
	                       .invisible = invisible};
	if (pdfobj_kind(dictionary) != PDF_DICT) {
		/* A composite font without its CIDFont is none. */
		pdfa_show(c, O_font, &(struct o_font){.subtype = "Type0", .invisible = invisible}, f->number, f->name);
		return;
	}
	show_dictionary(c, f, dictionary, invisible);
	pdfa_show(c, O_cid_font, &o, pdfobj_number(dictionary), f->name);
	if (pdfa_part(c) != 1)
		pdfa_show(c, O_cid_set, &f->composite->set, pdfobj_number(dictionary), f->name);
}

/* Once for text that is seen, once for text that is not. */
static void show_rules(struct check *c, struct font *f, const struct pdfobj *dictionary, bool invisible)
{
	bool again = f->ruled[!invisible];
	if (f->ruled[invisible])
		return;
	f->ruled[invisible] = true;
	show_dictionary(c, f, dictionary, invisible);
	if (f->kind == FONT_TYPE0)
		show_cid_font(c, f, descendant(dictionary), invisible);
	if (again)
		return;
	if (f->kind == FONT_TYPE0)
		composite_rules(c, f, dictionary);
	else if (f->kind != FONT_OTHER)
		simple_rules(c, f, dictionary);
	if (f->kind == FONT_TYPE3)
		type3_walk(c, dictionary);
}

/* What is remembered of a code that was shown: in which ways (seen or not, with ActualText or not), and whether its glyph is transparent. */
#define TRANSPARENT 0x80u

static bool show_code(struct check *c, struct font *f, const struct pdfobj *dictionary, uint32_t code, bool invisible,
                      bool actual_text)
{
	struct o_glyph g = {.invisible = invisible, .actual_text = actual_text};
	uint8_t *shown = code < f->n_shown ? &f->shown[code] : &(uint8_t){0},
	        way = (uint8_t)(1u << (2 * invisible + actual_text));
	if ((*shown & way) != 0)
		return (*shown & TRANSPARENT) != 0;
	*shown |= way;
	if (f->kind == FONT_TYPE0)
		composite_glyph(f, code, &g);
	else if (f->kind == FONT_TYPE3)
		*shown |= type3_glyph(c, f, dictionary, (uint8_t)code, &g) ? TRANSPARENT : 0;
	else
		simple_glyph(f, (uint8_t)code, &g);
	if (pdfa_level(c) != 'b')
		unicode_of(c, f, code, &g);
	char what[sizeof f->name + 64];
	int n = snprintf(what, sizeof what, "%s <%02X>", f->name, (unsigned)code);
	if (g.measured)
		snprintf(what + n, sizeof what - (size_t)n, ": Widths %g, font program %g", g.dictionary_width, g.program_width);
	pdfa_show(c, O_glyph, &g, f->number, what);
	return (*shown & TRANSPARENT) != 0;
}

static bool show_string(struct check *c, struct font *f, const struct pdfobj *dictionary, struct bytes in, bool invisible,
                        bool actual_text)
{
	bool transparent = false;
	while (in.n > 0 && !pdfa_ended(c)) {
		size_t length = 1;
		uint32_t code = in.p[0];
		if (f->kind == FONT_TYPE0) {
			if (f->composite->cmap == NULL)
				break;
			code = cmap_next(f->composite->cmap, in, &length);
		}
		transparent = show_code(c, f, dictionary, code, invisible, actual_text) || transparent;
		in.p += length;
		in.n -= length;
	}
	return transparent;
}

bool fonts_show(struct check *c, const struct pdfobj *dictionary, const struct pdfobj *text, int mode, bool actual_text)
{
	bool invisible = mode == 3;
	if (dictionary == NULL)
		return false;
	struct font *f = find_font(c, dictionary);
	if (f == NULL)
		return false;
	show_rules(c, f, dictionary, invisible);
	if (f->kind == FONT_OTHER)
		return false;
	if (pdfobj_kind(text) == PDF_STRING)
		return show_string(c, f, dictionary, pdfobj_string(text), invisible, actual_text);
	bool transparent = false;
	for (size_t i = 0; pdfobj_kind(text) == PDF_ARRAY && i < pdfobj_length(text); i++)
		if (pdfobj_kind(pdfobj_at(text, i)) == PDF_STRING)
			transparent = show_string(c, f, dictionary, pdfobj_string(pdfobj_at(text, i)), invisible, actual_text) ||
			              transparent;
	return transparent;
}

void fonts_names(struct check *c, const struct pdfobj *resources)
{
	const struct pdfobj *fonts = pdfobj_get(resources, "Font");
	uint32_t holder = pdfobj_number(fonts);
	for (size_t i = 0; pdfobj_kind(fonts) == PDF_DICT && i < pdfobj_length(fonts) && !pdfa_ended(c); i++) {
		const struct pdfobj *font = pdfobj_value(fonts, i);
		uint32_t number = pdfobj_reference(font);
		/* The object is read only where it is new: most pages have the fonts of the page before. */
		if (!seen_add(c, &c->fonts->names, number) || pdfobj_kind(pdfobj_get(font, "BaseFont")) != PDF_NAME)
			continue;
		file_unicode_name(c, pdfobj_name(pdfobj_get(font, "BaseFont")), number == 0 ? holder : number);
	}
}
