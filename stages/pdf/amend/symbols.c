/* Symbol and ZapfDingbats, which forms have their check marks from: embedded whole, by the free fonts that MuPDF holds for them. They have the
 * encodings of their own that these fonts are known by (ISO 32000-1, annex D.5 and D.6). */
#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_ADVANCES_H
#include <mupdf/fitz.h>
#include <stdlib.h>
#include <string.h>

#include "stages/pdf/amend/internal.h"

static const char *const names[] = {"Symbol", "ZapfDingbats"};

/* Which of the two; -1: neither. */
static int which(const struct pdfobj *font)
{
	for (int i = 0; i < 2; i++)
		if (pdfobj_is_name(pdfobj_get(font, "BaseFont"), names[i]))
			return i;
	return -1;
}

bool amend_embeds_symbols(const struct amend *a, const struct pdfobj *font)
{
	const struct pdfobj *descriptor = pdfobj_get(font, "FontDescriptor");
	return (a->remedies & AMEND_EMBED) != 0 && pdfobj_is_name(pdfobj_get(font, "Subtype"), "Type1") && which(font) >= 0 &&
	       pdfobj_kind(pdfobj_get(descriptor, "FontFile")) == PDF_NULL &&
	       pdfobj_kind(pdfobj_get(descriptor, "FontFile3")) == PDF_NULL;
}

static void fail(struct amend *a)
{
	if (a->fault.status == ST_OK)
		err_set(&a->fault, ST_RETRY, "memory", "no memory for a font");
}

static void write_descriptor(struct amend *a, int i, struct bytes program, FT_Face face)
{
	BUF_AUTO struct buf b = BUF_INIT(1024);
	uint32_t file = writer_allocate(&a->w);
	buf_str(&b, "/Subtype/Type1C");
	writer_stream_flate(&a->w, file, &b, program);
	buf_reset(&b);
	/* Table 123: symbolic. */
	buf_format(&b, "<</Type/FontDescriptor/FontName/%s/Flags 4/FontBBox[%ld %ld %ld %ld]/ItalicAngle 0/Ascent %d/Descent %d",
	           names[i], face->bbox.xMin, face->bbox.yMin, face->bbox.xMax, face->bbox.yMax, face->ascender, face->descender);
	buf_format(&b, "/CapHeight 700/StemV 85/FontFile3 %u 0 R>>", file);
	a->pictorial[i] = writer_allocate(&a->w);
	writer_object(&a->w, a->pictorial[i], &b);
}

/* Codes have the names that the document gives them, others the font's own. */
static void read_widths(const struct pdfobj *font, FT_Face face, int widths[CODES])
{
	const char *given[CODES] = {NULL};
	amend_differences(pdfobj_get(font, "Encoding"), given);
	for (unsigned i = 0; i < CODES; i++) {
		FT_Fixed advance = 0;
		FT_UInt glyph = given[i] != NULL ? FT_Get_Name_Index(face, given[i]) : FT_Get_Char_Index(face, i);
		if (glyph != 0)
			FT_Get_Advance(face, glyph, FT_LOAD_NO_SCALE, &advance);
		widths[i] = (int)advance;
	}
}

static void put_entries(struct amend *a, const struct pdfobj *font, FT_Face face, struct buf *to)
{
	int widths[CODES];
	const struct pdfobj *differences = pdfobj_get(pdfobj_get(font, "Encoding"), "Differences");
	buf_format(to, "/Subtype/Type1/BaseFont/%s/FontDescriptor %u 0 R\n", names[which(font)], a->pictorial[which(font)]);
	if (pdfobj_kind(differences) == PDF_ARRAY) {
		buf_str(to, "/Encoding<</Type/Encoding/Differences ");
		amend_put(a, differences, ANY, to);
		buf_str(to, ">>\n");
	}
	read_widths(font, face, widths);
	buf_str(to, "/FirstChar 0/LastChar 255/Widths[");
	for (size_t i = 0; i < CODES; i++)
		buf_format(to, "%d ", widths[i]);
	buf_str(to, "]\n");
}

void amend_put_symbols(struct amend *a, const struct pdfobj *font, struct buf *to)
{
	if (to == NULL)
		return;
	int n = 0, i = which(font);
	fz_context *ctx = fz_new_context(NULL, NULL, FZ_STORE_DEFAULT);
	const unsigned char *p = ctx == NULL ? NULL : fz_lookup_base14_font(ctx, names[i], &n);
	FT_Library library = NULL;
	FT_Face face = NULL;
	if (p != NULL && FT_Init_FreeType(&library) == 0 && FT_New_Memory_Face(library, p, n, 0, &face) == 0) {
		FT_Select_Charmap(face, FT_ENCODING_ADOBE_CUSTOM);
		amend_count(a, AMEND_EMBEDDED);
		if (a->pictorial[i] == 0)
			write_descriptor(a, i, (struct bytes){p, (size_t)n}, face);
		put_entries(a, font, face, to);
	} else {
		fail(a);
	}
	FT_Done_Face(face);
	FT_Done_FreeType(library);
	fz_drop_context(ctx);
}
