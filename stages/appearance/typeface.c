#include "stages/appearance/typeface.h"

#include <harfbuzz/hb-ot.h>
#include <harfbuzz/hb-subset.h>
#include <harfbuzz/hb.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/buf.h"
#include "stages/base/digest.h"
#include "stages/base/text.h"

struct typeface {
	hb_face_t *face;
	hb_font_t *font;    /* scaled to the face's units */
	double per_unit;    /* thousandths of the size in one unit */
	uint32_t *unicode;  /* by face_id: the character, 0 where no text has had it */
	unsigned n_glyphs;  /* in the face */
	hb_set_t *usual;    /* glyphs of the usual text */
	hb_set_t *covered;  /* glyphs of the current subset, by face_id */
	hb_map_t *to_code;  /* face_id to number in the subset */
	struct buf program; /* the subset, compressed */
	size_t program_length;
	unsigned n_subset; /* glyphs in it, .notdef and parts of others among them */
	char name[96];     /* PostScript name with the subset's tag */
};

static enum status bad_file(struct err *e, const char *path, const char *why)
{
	err_set(e, ST_RUN, "font-file", "%s: %s", path, why);
	err_arg(e, "%s", path);
	return ST_RUN;
}

/* OS/2 fsType (OpenType): bit 1 alone forbids embedding, bit 8 subsetting, bit 9 outlines. */
static bool may_embed(hb_face_t *face)
{
	hb_blob_t *table = hb_face_reference_table(face, HB_TAG('O', 'S', '/', '2'));
	unsigned n;
	const uint8_t *p = (const uint8_t *)hb_blob_get_data(table, &n);
	unsigned rights = n >= 10 ? (unsigned)p[8] << 8 | p[9] : 0;
	hb_blob_destroy(table);
	return (rights & 0xf) != 2 && (rights & 0x300) == 0;
}

static bool has_table(hb_face_t *face, hb_tag_t tag)
{
	hb_blob_t *table = hb_face_reference_table(face, tag);
	bool there = hb_blob_get_length(table) > 0;
	hb_blob_destroy(table);
	return there;
}

enum status typeface_open(const char *path, const char *usual, struct typeface **ret_face, struct err *e)
{
	hb_blob_t *file = hb_blob_create_from_file_or_fail(path);
	if (file == NULL)
		return bad_file(e, path, "cannot be read");
	struct typeface *t = calloc(1, sizeof *t);
	if (t == NULL) {
		hb_blob_destroy(file);
		return err_set(e, ST_RETRY, "memory", "typeface");
	}
	t->program = BUF_INIT(8u << 20);
	t->face = hb_face_create(file, 0);
	hb_blob_destroy(file);
	t->n_glyphs = hb_face_get_glyph_count(t->face);
	t->font = hb_font_create(t->face);
	t->per_unit = 1000.0 / hb_face_get_upem(t->face);
	t->unicode = calloc(t->n_glyphs + 1, sizeof *t->unicode);
	t->usual = hb_set_create();
	t->covered = hb_set_create();
	t->to_code = hb_map_create();
	enum status st = ST_OK;
	if (t->unicode == NULL)
		st = err_set(e, ST_RETRY, "memory", "typeface");
	else if (t->n_glyphs == 0 || !has_table(t->face, HB_TAG('g', 'l', 'y', 'f')))
		st = bad_file(e, path, "no TrueType outlines");
	else if (!may_embed(t->face))
		st = bad_file(e, path, "its licence bits forbid embedding a subset");
	struct glyph_run run = {0};
	if (st == ST_OK)
		st = typeface_shape(t, usual, strlen(usual), &run, e);
	for (size_t i = 0; i < run.n; i++)
		hb_set_add(t->usual, run.glyphs[i].face_id);
	glyph_run_free(&run);
	if (st != ST_OK) {
		typeface_free(t);
		return st;
	}
	*ret_face = t;
	return ST_OK;
}

void typeface_free(struct typeface *t)
{
	if (t == NULL)
		return;
	hb_map_destroy(t->to_code);
	hb_set_destroy(t->covered);
	hb_set_destroy(t->usual);
	hb_font_destroy(t->font);
	hb_face_destroy(t->face);
	free(t->unicode);
	buf_free(&t->program);
	free(t);
}

static double metric(const struct typeface *t, hb_ot_metrics_tag_t tag, double otherwise)
{
	hb_position_t value;
	return hb_ot_metrics_get_position(t->font, tag, &value) ? value * t->per_unit : otherwise;
}

struct typeface_metrics typeface_metrics(const struct typeface *t)
{
	struct typeface_metrics m = {.ascent = metric(t, HB_OT_METRICS_TAG_HORIZONTAL_ASCENDER, 900),
	                             .descent = metric(t, HB_OT_METRICS_TAG_HORIZONTAL_DESCENDER, -200)};
	m.leading = m.ascent - m.descent + metric(t, HB_OT_METRICS_TAG_HORIZONTAL_LINE_GAP, 40);
	return m;
}

/* Ink of a glyph at a place, joined to what the run has. */
static void add_ink(const struct typeface *t, struct glyph_run *run, const struct glyph *g, double x)
{
	hb_glyph_extents_t box;
	if (!hb_font_get_glyph_extents(t->font, g->face_id, &box) || box.width == 0)
		return;
	double left = x + g->dx + box.x_bearing * t->per_unit, right = left + box.width * t->per_unit;
	double top = g->dy + box.y_bearing * t->per_unit, bottom = top + box.height * t->per_unit;
	run->left = left < run->left ? left : run->left;
	run->right = right > run->right ? right : run->right;
	run->top = top > run->top ? top : run->top;
	run->bottom = bottom < run->bottom ? bottom : run->bottom;
}

enum status typeface_shape(struct typeface *t, const char *text, size_t n, struct glyph_run *ret_run, struct err *e)
{
	/* Ligatures are off: one letter is one glyph, so that every reader finds the text again. */
	static const hb_feature_t plain[] = {{HB_TAG('l', 'i', 'g', 'a'), 0, 0, HB_FEATURE_GLOBAL_END},
	                                     {HB_TAG('c', 'l', 'i', 'g'), 0, 0, HB_FEATURE_GLOBAL_END}};
	hb_buffer_t *b = hb_buffer_create();
	hb_buffer_set_cluster_level(b, HB_BUFFER_CLUSTER_LEVEL_CHARACTERS);
	hb_buffer_add_utf8(b, text, (int)n, 0, (int)n);
	hb_buffer_guess_segment_properties(b);
	hb_shape(t->font, b, plain, sizeof plain / sizeof plain[0]);
	unsigned count;
	const hb_glyph_info_t *info = hb_buffer_get_glyph_infos(b, &count);
	const hb_glyph_position_t *place = hb_buffer_get_glyph_positions(b, &count);
	struct glyph_run run = {.glyphs = calloc((size_t)count + 1, sizeof *run.glyphs), .n = count};
	enum status st = run.glyphs == NULL ? err_set(e, ST_RETRY, "memory", "glyphs") : ST_OK;
	for (unsigned i = 0; st == ST_OK && i < count; i++) {
		struct glyph *g = &run.glyphs[i];
		const char *at = text + info[i].cluster;
		uint32_t letter = utf8_next(&at);
		g->face_id = info[i].codepoint;
		if (g->face_id == 0 || g->face_id >= t->n_glyphs) {
			st = err_set(e, ST_RUN, "font-glyph", "the face has no glyph for U+%04X", letter);
			err_arg(e, "U+%04X", letter);
			break;
		}
		if (t->unicode[g->face_id] == 0 && (i == 0 || info[i].cluster != info[i - 1].cluster))
			t->unicode[g->face_id] = letter;
		g->width = hb_font_get_glyph_h_advance(t->font, g->face_id) * t->per_unit;
		g->advance = place[i].x_advance * t->per_unit;
		g->dx = place[i].x_offset * t->per_unit;
		g->dy = place[i].y_offset * t->per_unit;
		add_ink(t, &run, g, run.advance);
		run.advance += g->advance;
	}
	hb_buffer_destroy(b);
	if (st != ST_OK) {
		glyph_run_free(&run);
		return st;
	}
	*ret_run = run;
	return ST_OK;
}

void glyph_run_free(struct glyph_run *run)
{
	free(run->glyphs);
	*run = (struct glyph_run){0};
}

static enum status compress(struct buf *to, const char *p, size_t n, struct err *e)
{
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(9);
	if (c == NULL)
		return err_set(e, ST_RETRY, "memory", "compressor");
	buf_reset(to);
	size_t bound = libdeflate_zlib_compress_bound(c, n);
	uint8_t *room = buf_reserve(to, bound);
	if (room != NULL)
		to->len += libdeflate_zlib_compress(c, p, n, room, bound);
	libdeflate_free_compressor(c);
	return to->failed ? err_set(e, ST_RETRY, "memory", "font of %zu bytes", n) : ST_OK;
}

/* "ABCDEF+Name": six letters that follow from the subset's bytes (ISO 32000-1, 9.6.4). */
static void make_name(struct typeface *t, const char *program, size_t n)
{
	uint8_t digest[32];
	sha256_bytes(program, n, digest);
	for (int i = 0; i < 6; i++)
		t->name[i] = (char)('A' + digest[i] % 26);
	t->name[6] = '+';
	char name[80];
	unsigned room = sizeof name;
	size_t at = 7;
	hb_ot_name_get_utf8(t->face, HB_OT_NAME_ID_POSTSCRIPT_NAME, HB_LANGUAGE_INVALID, &room, name);
	for (unsigned i = 0; i < room && at < sizeof t->name - 1; i++)
		if ((name[i] >= '0' && name[i] <= '9') || (name[i] >= 'A' && name[i] <= 'Z') ||
		    (name[i] >= 'a' && name[i] <= 'z') || name[i] == '-')
			t->name[at++] = name[i];
	if (at == 7)
		t->name[at++] = 'F';
	t->name[at] = '\0';
}

static enum status make_subset(struct typeface *t, struct err *e)
{
	/* A descendant of a Type0 font is found by glyph number: only the tables of outlines and widths are of use. With GSUB dropped, no other
	 * glyphs are drawn in by it. */
	static const hb_tag_t useless[] = {HB_TAG('G', 'S', 'U', 'B'), HB_TAG('G', 'P', 'O', 'S'), HB_TAG('G', 'D', 'E', 'F'),
	                                   HB_TAG('k', 'e', 'r', 'n'), HB_TAG('n', 'a', 'm', 'e'), HB_TAG('g', 'a', 's', 'p'),
	                                   HB_TAG('D', 'S', 'I', 'G'), HB_TAG('h', 'd', 'm', 'x'), HB_TAG('V', 'D', 'M', 'X'),
	                                   HB_TAG('L', 'T', 'S', 'H')};
	hb_subset_input_t *input = hb_subset_input_create_or_fail();
	if (input == NULL)
		return err_set(e, ST_RETRY, "memory", "subset");
	hb_set_union(hb_subset_input_glyph_set(input), t->covered);
	hb_set_t *drop = hb_subset_input_set(input, HB_SUBSET_SETS_DROP_TABLE_TAG);
	for (size_t i = 0; i < sizeof useless / sizeof useless[0]; i++)
		hb_set_add(drop, useless[i]);
	hb_subset_plan_t *plan = hb_subset_plan_create_or_fail(t->face, input);
	hb_subset_input_destroy(input);
	hb_face_t *subset = plan != NULL ? hb_subset_plan_execute_or_fail(plan) : NULL;
	if (subset == NULL) {
		hb_subset_plan_destroy(plan);
		return err_set(e, ST_RUN, "font-file", "no subset can be made of the face");
	}
	hb_map_clear(t->to_code);
	const hb_map_t *map = hb_subset_plan_old_to_new_glyph_mapping(plan);
	for (hb_codepoint_t id = HB_SET_VALUE_INVALID; hb_set_next(t->covered, &id);)
		hb_map_set(t->to_code, id, hb_map_get(map, id));
	hb_subset_plan_destroy(plan);
	hb_blob_t *blob = hb_face_reference_blob(subset);
	unsigned n;
	const char *p = hb_blob_get_data(blob, &n);
	t->program_length = n;
	t->n_subset = hb_face_get_glyph_count(subset);
	make_name(t, p, n);
	enum status st = compress(&t->program, p, n, e);
	hb_blob_destroy(blob);
	hb_face_destroy(subset);
	return st;
}

enum status typeface_cover(struct typeface *t, const struct glyph_run *runs, size_t n, struct err *e)
{
	hb_set_t *wanted = hb_set_copy(t->usual);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < runs[i].n; k++)
			hb_set_add(wanted, runs[i].glyphs[k].face_id);
	enum status st = ST_OK;
	/* Equal, not contained: what a document gets must not depend on those before it. */
	if (t->program.len == 0 || !hb_set_is_equal(wanted, t->covered)) {
		hb_set_set(t->covered, wanted);
		st = make_subset(t, e);
		if (st != ST_OK)
			buf_reset(&t->program);
	}
	hb_set_destroy(wanted);
	return st;
}

uint32_t typeface_code(const struct typeface *t, uint32_t face_id)
{
	hb_codepoint_t code = hb_map_get(t->to_code, face_id);
	return code == HB_MAP_VALUE_INVALID ? 0 : code;
}

/* face_ids in the order of their codes: the subset keeps the face's order. */
static void write_widths(const struct typeface *t, struct buf *to)
{
	for (hb_codepoint_t id = HB_SET_VALUE_INVALID; hb_set_next(t->covered, &id);)
		buf_format(to, " %u [%.2f]", typeface_code(t, id), hb_font_get_glyph_h_advance(t->font, id) * t->per_unit);
}

static uint32_t write_to_unicode(const struct typeface *t, struct pdfupd *u)
{
	BUF_AUTO struct buf b = BUF_INIT(1u << 20);
	buf_str(&b, "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
	            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
	            "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
	            "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n");
	for (hb_codepoint_t id = HB_SET_VALUE_INVALID; hb_set_next(t->covered, &id);) {
		uint32_t c = t->unicode[id];
		if (c == 0)
			continue;
		buf_format(&b, "1 beginbfchar\n<%04X> <", typeface_code(t, id));
		if (c < 0x10000)
			buf_format(&b, "%04X", c);
		else
			buf_format(&b, "%04X%04X", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff));
		buf_str(&b, ">\nendbfchar\n");
	}
	buf_str(&b, "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
	uint32_t number = pdfupd_allocate(u);
	pdfupd_set_stream(u, number, "", b.data, b.len);
	return number;
}

/* Every glyph of the program: PDF/A-1 asks for the set (ISO 19005-1, 6.3.5), PDF/A-2 that it be complete (6.2.11.4.2). */
static uint32_t write_cid_set(const struct typeface *t, struct pdfupd *u)
{
	BUF_AUTO struct buf b = BUF_INIT(8192);
	for (unsigned i = 0; i < t->n_subset; i += 8)
		buf_byte(&b, (uint8_t)(t->n_subset - i >= 8 ? 0xff : 0xff00u >> (t->n_subset - i)));
	uint32_t number = pdfupd_allocate(u);
	pdfupd_set_stream(u, number, "", b.data, b.len);
	return number;
}

static uint32_t write_descriptor(const struct typeface *t, struct pdfupd *u)
{
	uint32_t file = pdfupd_allocate(u), number = pdfupd_allocate(u);
	char dict[64];
	snprintf(dict, sizeof dict, "/Filter /FlateDecode /Length1 %zu", t->program_length);
	pdfupd_set_stream(u, file, dict, t->program.data, t->program.len);
	uint32_t cid_set = write_cid_set(t, u);

	int box[4] = {0};
	hb_blob_t *head = hb_face_reference_table(t->face, HB_TAG('h', 'e', 'a', 'd'));
	unsigned n;
	const uint8_t *p = (const uint8_t *)hb_blob_get_data(head, &n);
	for (int i = 0; n >= 44 && i < 4; i++)
		box[i] = (int16_t)(p[36 + 2 * i] << 8 | p[37 + 2 * i]);
	hb_blob_destroy(head);
	struct typeface_metrics m = typeface_metrics(t);
	float weight = hb_style_get_value(t->font, HB_STYLE_TAG_WEIGHT), stem = weight / 65;
	float slant = hb_style_get_value(t->font, HB_STYLE_TAG_SLANT_ANGLE);
	BUF_AUTO struct buf b = BUF_INIT(4096);
	/* Flags: serif, symbolic (9.8.2: its glyphs are not of the standard Latin set alone). */
	buf_format(&b, "<< /Type /FontDescriptor /FontName /%s /Flags 6 /FontBBox [%.0f %.0f %.0f %.0f] /ItalicAngle %.1f",
	           t->name, box[0] * t->per_unit, box[1] * t->per_unit, box[2] * t->per_unit, box[3] * t->per_unit,
	           (double)slant);
	/* The face does not tell its stem width; the usual estimate from its weight. */
	buf_format(&b, " /Ascent %.0f /Descent %.0f /CapHeight %.0f /StemV %.0f /FontFile2 %u 0 R /CIDSet %u 0 R >>", m.ascent,
	           m.descent, metric(t, HB_OT_METRICS_TAG_CAP_HEIGHT, 660), 50 + (double)(stem * stem), file, cid_set);
	pdfupd_set(u, number, b.data, b.len);
	return number;
}

uint32_t typeface_write(const struct typeface *t, struct pdfupd *u)
{
	uint32_t descriptor = write_descriptor(t, u), to_unicode = write_to_unicode(t, u);
	uint32_t cid_font = pdfupd_allocate(u), font = pdfupd_allocate(u);
	BUF_AUTO struct buf b = BUF_INIT(1u << 20);
	buf_format(&b, "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /%s", t->name);
	buf_str(&b, " /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /CIDToGIDMap /Identity /DW 0");
	buf_format(&b, " /FontDescriptor %u 0 R /W [", descriptor);
	write_widths(t, &b);
	buf_str(&b, " ] >>");
	pdfupd_set(u, cid_font, b.data, b.len);
	buf_reset(&b);
	buf_format(&b, "<< /Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H", t->name);
	buf_format(&b, " /DescendantFonts [%u 0 R] /ToUnicode %u 0 R >>", cid_font, to_unicode);
	pdfupd_set(u, font, b.data, b.len);
	return font;
}
