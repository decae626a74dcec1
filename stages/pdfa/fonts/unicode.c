/* Which Unicode value a code has (ISO 32000-1, 9.10.2). */
#include <string.h>

#include "stages/pdfa/fonts/facts.h"
#include "stages/pdfa/program/glyph_list.h"

#define TEXT_BYTES 256

void unicode_read(struct check *c, struct font *f, const struct pdfobj *to_unicode)
{
	const char *name = pdfobj_name(pdfobj_kind(to_unicode) == PDF_STREAM ? pdfobj_get(to_unicode, "CMapName") : to_unicode);
	f->unicode_identity = strncmp(name, "Identity-", 9) == 0;
	if (pdfa_level(c) != 'b' && pdfobj_kind(to_unicode) == PDF_STREAM)
		f->to_unicode = cmap_of(c, to_unicode, 0);
}

static void add_value(uint32_t value, struct o_glyph *g)
{
	if (value == 0 || value == 0xfeff || value == 0xfffe)
		g->bad_unicode = true;
	if ((value >= 0xe000 && value <= 0xf8ff) || (value >= 0xf0000 && value <= 0xffffd) ||
	    (value >= 0x100000 && value <= 0x10fffd))
		g->private_use = true;
}

static void add_text(struct bytes in, struct o_glyph *g)
{
	struct rd r = RD_INIT(in.p, in.n);
	g->has_unicode = true;
	if (in.n == 1)
		add_value(in.p[0], g);
	while (rd_left(&r) >= 2) {
		uint32_t value = rd_u16be(&r);
		if (value >= 0xd800 && value < 0xdc00 && rd_left(&r) >= 2)
			value = 0x10000 + ((value & 0x3ff) << 10) + (rd_u16be(&r) & 0x3ffu);
		add_value(value, g);
	}
}

/* The names of ZapfDingbats, which the Adobe Glyph List has not: a1 to a206. */
static bool dingbat(const char *name)
{
	unsigned n = 0;
	if (*name++ != 'a' || *name < '1' || *name > '9')
		return false;
	for (; *name >= '0' && *name <= '9' && n < 1000; name++)
		n = n * 10 + (unsigned)(*name - '0');
	return *name == '\0' && n <= 206;
}

/* By the glyph's name. PDF/A-1 has this for Type 1 and TrueType only, and asks no more than that the name is known (19005-1, 6.3.8). */
static void by_name(const struct check *c, const struct font *f, uint8_t code, struct o_glyph *g)
{
	char buffer[TEXT_BYTES];
	const char *name = simple_name(f, code, buffer, sizeof buffer);
	bool first_part = pdfa_part(c) == 1;
	if (first_part && f->kind == FONT_TYPE3)
		return;
	if (name == NULL)
		return;
	uint32_t value = glyph_list_value(name);
	if (value > 0 && !(first_part && f->kind == FONT_TYPE1))
		add_value(value, g);
	g->has_unicode = value > 0 || (!first_part && dingbat(name));
}

void unicode_of(const struct check *c, const struct font *f, uint32_t code, struct o_glyph *g)
{
	uint8_t text[TEXT_BYTES];
	size_t n = 0;
	if (f->unicode_identity) {
		g->has_unicode = true;
		add_value(code & 0xffff, g);
	} else if (f->to_unicode != NULL && cmap_unicode(f->to_unicode, code, text, sizeof text, &n)) {
		add_text((struct bytes){text, n}, g);
	} else if (f->kind == FONT_TYPE0) {
		g->has_unicode = f->composite->collection;
	} else {
		by_name(c, f, (uint8_t)code, g);
	}
}
