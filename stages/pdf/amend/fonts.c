/* Fonts that a document names and does not hold: simple ones of the families that every reader was expected to have are embedded, by faces of
 * the same widths. As TrueType that is not symbolic, so glyphs are found by the names of characters (ISO 32000-1, 9.6.6.4). */
#include <hb-ot.h>
#include <hb-subset.h>
#include <mupdf/fitz.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/digest.h"
#include "stages/pdf/amend/internal.h"
#include "stages/pdfa/program/glyph_list.h"

/* What a font's codes mean. */
struct meaning {
	const char *names[CODES]; /* NULL: none */
	uint32_t unicode[CODES];
};

static const char *const *table_of(const struct pdfobj *name)
{
	if (pdfobj_is_name(name, "WinAnsiEncoding"))
		return fz_glyph_name_from_win_ansi;
	if (pdfobj_is_name(name, "MacRomanEncoding"))
		return fz_glyph_name_from_mac_roman;
	return pdfobj_kind(name) == PDF_NULL || pdfobj_is_name(name, "StandardEncoding") ? fz_glyph_name_from_adobe_standard
	                                                                                 : NULL;
}

void amend_differences(const struct pdfobj *encoding, const char *names[CODES])
{
	const struct pdfobj *differences = pdfobj_get(encoding, "Differences");
	int64_t code = 0;
	for (size_t i = 0; pdfobj_kind(differences) == PDF_ARRAY && i < pdfobj_length(differences); i++) {
		const struct pdfobj *o = pdfobj_at(differences, i);
		if (pdfobj_kind(o) == PDF_INTEGER)
			code = pdfobj_integer(o);
		else if (code >= 0 && code < CODES)
			names[code++] = pdfobj_name(o);
	}
}

/* False: a code has a name that says nothing of its character, or the encoding is not known. */
static bool read_meaning(const struct pdfobj *font, struct meaning *m)
{
	const struct pdfobj *encoding = pdfobj_get(font, "Encoding");
	bool dictionary = pdfobj_kind(encoding) == PDF_DICT;
	const char *const *table = table_of(dictionary ? pdfobj_get(encoding, "BaseEncoding") : encoding);
	if (table == NULL)
		return false;
	memcpy(m->names, table, sizeof m->names);
	amend_differences(encoding, m->names);
	for (size_t i = 0; i < CODES; i++) {
		if (m->names[i] != NULL && strcmp(m->names[i], ".notdef") == 0)
			m->names[i] = NULL;
		m->unicode[i] = m->names[i] == NULL ? 0 : glyph_list_value(m->names[i]);
		if (m->names[i] != NULL && m->unicode[i] == 0)
			return false;
	}
	return true;
}

static bool is_embedded(const struct pdfobj *descriptor)
{
	return pdfobj_kind(pdfobj_get(descriptor, "FontFile")) != PDF_NULL ||
	       pdfobj_kind(pdfobj_get(descriptor, "FontFile2")) != PDF_NULL ||
	       pdfobj_kind(pdfobj_get(descriptor, "FontFile3")) != PDF_NULL;
}

static bool face_of(const struct pdfobj *font, char ret_path[STANDARD_FACE_PATH])
{
	/* Table 123. */
	enum { ITALIC = 64, FORCE_BOLD = 1 << 18 };
	int64_t flags = pdfobj_integer(pdfobj_get(pdfobj_get(font, "FontDescriptor"), "Flags"));
	return pdf_standard_face(pdfobj_name(pdfobj_get(font, "BaseFont")), (flags & FORCE_BOLD) != 0, (flags & ITALIC) != 0,
	                         ret_path);
}

bool amend_embeds(const struct amend *a, const struct pdfobj *font)
{
	char path[STANDARD_FACE_PATH];
	struct meaning m;
	const struct pdfobj *type = pdfobj_get(font, "Subtype");
	if (amend_embeds_symbols(a, font))
		return true;
	return (a->remedies & AMEND_EMBED) != 0 && (pdfobj_is_name(type, "Type1") || pdfobj_is_name(type, "TrueType")) &&
	       !is_embedded(pdfobj_get(font, "FontDescriptor")) && face_of(font, path) && read_meaning(font, &m);
}

static void fail(struct amend *a, const char *what)
{
	if (a->fault.status == ST_OK)
		err_set(&a->fault, ST_RUN, "font-file", "%s", what);
}

/* The part of the face that holds these characters. */
static hb_face_t *subset_of(hb_face_t *face, const uint32_t unicode[CODES])
{
	hb_subset_input_t *input = hb_subset_input_create_or_fail();
	if (input == NULL)
		return NULL;
	for (size_t i = 0; i < CODES; i++)
		if (unicode[i] != 0)
			hb_set_add(hb_subset_input_unicode_set(input), unicode[i]);
	static const hb_tag_t useless[] = {HB_TAG('G', 'S', 'U', 'B'), HB_TAG('G', 'P', 'O', 'S'), HB_TAG('G', 'D', 'E', 'F'),
	                                   HB_TAG('k', 'e', 'r', 'n'), HB_TAG('D', 'S', 'I', 'G'), HB_TAG('h', 'd', 'm', 'x'),
	                                   HB_TAG('V', 'D', 'M', 'X'), HB_TAG('L', 'T', 'S', 'H')};
	for (size_t i = 0; i < sizeof useless / sizeof *useless; i++)
		hb_set_add(hb_subset_input_set(input, HB_SUBSET_SETS_DROP_TABLE_TAG), useless[i]);
	hb_face_t *subset = hb_subset_or_fail(face, input);
	hb_subset_input_destroy(input);
	return subset;
}

static void write_descriptor(struct amend *a, struct face *f, hb_font_t *font, struct bytes program)
{
	BUF_AUTO struct buf b = BUF_INIT(4096);
	double per_unit = 1000.0 / hb_face_get_upem(hb_font_get_face(font));
	hb_font_extents_t extents = {0};
	hb_font_get_h_extents(font, &extents);
	uint32_t file = writer_allocate(&a->w);
	buf_format(&b, "/Length1 %zu", program.n);
	writer_stream_flate(&a->w, file, &b, program);
	int box[4] = {0};
	hb_blob_t *head = hb_face_reference_table(hb_font_get_face(font), HB_TAG('h', 'e', 'a', 'd'));
	unsigned n;
	const uint8_t *p = (const uint8_t *)hb_blob_get_data(head, &n);
	for (int i = 0; n >= 44 && i < 4; i++)
		box[i] = (int16_t)(p[36 + 2 * i] << 8 | p[37 + 2 * i]);
	hb_blob_destroy(head);
	/* Table 123: not symbolic, its family's look. */
	float weight = hb_style_get_value(font, HB_STYLE_TAG_WEIGHT), stem = weight / 65;
	float slant = hb_style_get_value(font, HB_STYLE_TAG_SLANT_ANGLE);
	unsigned flags = 32u | (strstr(f->path, "/Cousine") != NULL ? 1u : 0u) | (strstr(f->path, "/Tinos") != NULL ? 2u : 0u) |
	                 (slant < 0 || slant > 0 ? 64u : 0u);
	buf_reset(&b);
	buf_format(&b, "<</Type/FontDescriptor/FontName/%s/Flags %u/FontBBox[%.0f %.0f %.0f %.0f]/ItalicAngle %.1f", f->name,
	           flags, box[0] * per_unit, box[1] * per_unit, box[2] * per_unit, box[3] * per_unit, (double)slant);
	buf_format(&b, "/Ascent %.0f/Descent %.0f/CapHeight %.0f/StemV %.0f/FontFile2 %u 0 R>>", extents.ascender * per_unit,
	           extents.descender * per_unit, 660.0, 50 + (double)(stem * stem), file);
	f->descriptor = writer_allocate(&a->w);
	writer_object(&a->w, f->descriptor, &b);
}

/* "ABCDEF+Tinos-Bold": letters that follow from the program (ISO 32000-1, 9.6.4). */
static void make_name(struct face *f, struct bytes program)
{
	uint8_t digest[32];
	sha256_bytes(program.p, program.n, digest);
	for (int i = 0; i < 6; i++)
		f->name[i] = (char)('A' + digest[i] % 26);
	const char *name = strrchr(f->path, '/') + 1;
	snprintf(f->name + 6, sizeof f->name - 6, "+%.*s", (int)strcspn(name, "."), name);
}

static bool write_face(struct amend *a, struct face *f)
{
	hb_blob_t *blob = hb_blob_create_from_file_or_fail(f->path);
	hb_face_t *whole = blob == NULL ? NULL : hb_face_create(blob, 0);
	hb_face_t *subset = whole == NULL ? NULL : subset_of(whole, f->unicode);
	bool done = subset != NULL && hb_face_get_glyph_count(subset) > 1;
	if (done) {
		unsigned n;
		hb_font_t *font = hb_font_create(subset);
		hb_blob_t *program = hb_face_reference_blob(subset);
		const char *p = hb_blob_get_data(program, &n);
		struct bytes all = {(const uint8_t *)p, n};
		double per_unit = 1000.0 / hb_face_get_upem(subset);
		for (size_t i = 0; i < CODES; i++) {
			hb_codepoint_t glyph;
			if (f->unicode[i] != 0 && hb_font_get_nominal_glyph(font, f->unicode[i], &glyph))
				f->width[i] = hb_font_get_glyph_h_advance(font, glyph) * per_unit;
		}
		make_name(f, all);
		write_descriptor(a, f, font, all);
		hb_blob_destroy(program);
		hb_font_destroy(font);
	}
	hb_face_destroy(subset);
	hb_face_destroy(whole);
	hb_blob_destroy(blob);
	return done;
}

/* The face for these characters, written once. NULL: it failed, noted. */
static const struct face *embed(struct amend *a, const char *path, const struct meaning *m)
{
	for (size_t i = 0; i < a->n_faces; i++)
		if (strcmp(a->faces[i].path, path) == 0 && memcmp(a->faces[i].unicode, m->unicode, sizeof m->unicode) == 0)
			return &a->faces[i];
	struct face *more = reallocarray(a->faces, a->n_faces + 1, sizeof *more);
	if (more == NULL) {
		err_set(&a->fault, ST_RETRY, "memory", "no memory for a font");
		return NULL;
	}
	a->faces = more;
	struct face *f = &a->faces[a->n_faces];
	*f = (struct face){0};
	memcpy(f->path, path, sizeof f->path);
	memcpy(f->unicode, m->unicode, sizeof f->unicode);
	if (!write_face(a, f)) {
		fail(a, path);
		return NULL;
	}
	a->n_faces++;
	return f;
}

/* All codes by name where they are not as WinAnsiEncoding has them. */
static void put_encoding(const struct meaning *m, struct buf *to)
{
	size_t last = CODES;
	buf_str(to, "/Encoding<</Type/Encoding/BaseEncoding/WinAnsiEncoding/Differences[");
	for (size_t i = 0; i < CODES; i++) {
		const char *win = fz_glyph_name_from_win_ansi[i];
		if (m->names[i] == NULL || (win != NULL && strcmp(win, m->names[i]) == 0))
			continue;
		if (last + 1 != i || last == CODES)
			buf_format(to, " %zu", i);
		pdf_print_name(m->names[i], to);
		last = i;
	}
	buf_str(to, "]>>\n");
}

/* The document's own widths stay, for they say where text stands; the standard fonts may come without (9.6.2.2). */
static void put_widths(struct amend *a, const struct pdfobj *font, const struct face *f, struct buf *to)
{
	const struct pdfobj *widths = pdfobj_get(font, "Widths");
	if (pdfobj_kind(widths) == PDF_ARRAY) {
		buf_format(to, "/FirstChar %lld/LastChar %lld/Widths ", (long long)pdfobj_integer(pdfobj_get(font, "FirstChar")),
		           (long long)pdfobj_integer(pdfobj_get(font, "LastChar")));
		amend_put(a, widths, ANY, to);
		buf_byte(to, '\n');
		return;
	}
	buf_str(to, "/FirstChar 0/LastChar 255/Widths[");
	for (size_t i = 0; i < CODES; i++)
		buf_format(to, "%.0f ", f->width[i]);
	buf_str(to, "]\n");
}

void amend_put_font(struct amend *a, const struct pdfobj *font, struct buf *to)
{
	char path[STANDARD_FACE_PATH];
	struct meaning m;
	if (amend_embeds_symbols(a, font)) {
		amend_put_symbols(a, font, to);
		return;
	}
	if (to == NULL) {
		amend_put(a, pdfobj_get(font, "Widths"), ANY, NULL);
		return;
	}
	memset(path, 0, sizeof path);
	const struct face *f = face_of(font, path) && read_meaning(font, &m) ? embed(a, path, &m) : NULL;
	if (f == NULL)
		return;
	amend_count(a, AMEND_EMBEDDED);
	buf_format(to, "/Subtype/TrueType/BaseFont/%s/FontDescriptor %u 0 R\n", f->name, f->descriptor);
	put_encoding(&m, to);
	put_widths(a, font, f, to);
}
