#include "stages/pdfa/program/program.h"

#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_ADVANCES_H
#include FT_CID_H
#include FT_FONT_FORMATS_H
#include FT_TRUETYPE_TABLES_H
#include <stdlib.h>
#include <string.h>

#define CIDS_MAX 65536

struct program_library {
	FT_Library library;
};

struct program {
	FT_Face face;
	struct buf data;
	uint32_t *cids; /* of a CID-keyed font: CID by glyph */
	struct pair {
		uint32_t cid, glyph;
	} * by_cid; /* sorted */
	uint32_t n;
};

static enum status bad(struct buf *in, struct err *e)
{
	buf_free(in);
	return err_set(e, ST_ITEM, "font-program", "a font program cannot be read");
}

static int by_cid(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	return (x->cid > y->cid) - (x->cid < y->cid);
}

/* FreeType counts the glyphs of a bare CID-keyed CFF by CID, so their number is asked for. */
static bool read_cids(struct program *p)
{
	FT_Bool keyed = 0;
	FT_UInt cid;
	if (FT_Get_CID_Is_Internally_CID_Keyed(p->face, &keyed) != 0 || !keyed || p->n == 0)
		return true;
	for (p->n = 0; p->n < CIDS_MAX && FT_Get_CID_From_Glyph_Index(p->face, p->n, &cid) == 0;)
		p->n++;
	p->cids = calloc((size_t)p->n + 1, sizeof *p->cids);
	p->by_cid = calloc((size_t)p->n + 1, sizeof *p->by_cid);
	if (p->cids == NULL || p->by_cid == NULL)
		return false;
	for (uint32_t i = 0; i < p->n; i++) {
		cid = 0;
		FT_Get_CID_From_Glyph_Index(p->face, i, &cid);
		p->cids[i] = cid;
		p->by_cid[i] = (struct pair){cid, i};
	}
	qsort(p->by_cid, p->n, sizeof *p->by_cid, by_cid);
	return true;
}

enum status program_library_new(struct program_library **ret_library, struct err *e)
{
	struct program_library *l = calloc(1, sizeof *l);
	if (l == NULL || FT_Init_FreeType(&l->library) != 0) {
		free(l);
		return err_set(e, ST_RETRY, "memory", "no memory for fonts");
	}
	*ret_library = l;
	return ST_OK;
}

void program_library_free(struct program_library *l)
{
	if (l == NULL)
		return;
	FT_Done_FreeType(l->library);
	free(l);
}

/* Whether the face is of the kind that the PDF calls it. */
static bool of_kind(FT_Face face, enum program_kind kind)
{
	const char *format = FT_Get_Font_Format(face);
	bool sfnt = FT_IS_SFNT(face);
	if (format == NULL)
		return false;
	switch (kind) {
	case PROGRAM_TYPE1:
		return strcmp(format, "Type 1") == 0;
	case PROGRAM_CFF:
		return !sfnt && strcmp(format, "CFF") == 0;
	case PROGRAM_TRUETYPE:
	case PROGRAM_OPENTYPE:
		return sfnt;
	}
	return false;
}

/* Type 1 in a PDF is the plain program (ISO 32000-1, 9.9), without the headers of segments that it has as a file of its own on some systems:
 * 80h, a number, the length. FreeType skips one, other readers take it for data. */
static bool has_segments(struct bytes in)
{
	const uint8_t *mark = memmem(in.p, in.n, "eexec", 5);
	struct rd r = {.in = in};
	if (in.n > 0 && in.p[0] == 0x80)
		return true;
	if (mark == NULL)
		return false;
	rd_skip(&r, (size_t)(mark - in.p) + 6);
	uint16_t head = rd_u16be(&r);
	uint32_t length = rd_u32le(&r);
	return !r.failed && head == 0x8002 && length <= rd_left(&r);
}

enum status program_open(struct program_library *l, struct buf *in, enum program_kind kind, struct program **ret_program,
                         struct err *e)
{
	if (in->failed || in->len == 0 || in->len > INT32_MAX)
		return bad(in, e);
	if (kind == PROGRAM_TYPE1 && has_segments((struct bytes){in->data, in->len}))
		return bad(in, e);
	struct program *p = calloc(1, sizeof *p);
	if (p == NULL) {
		buf_free(in);
		return err_set(e, ST_RETRY, "memory", "no memory for a font");
	}
	if (FT_New_Memory_Face(l->library, in->data, (FT_Long)in->len, 0, &p->face) != 0) {
		free(p);
		return bad(in, e);
	}
	p->data = *in;
	*in = BUF_INIT(0);
	if (!of_kind(p->face, kind)) {
		program_close(p);
		return bad(in, e);
	}
	p->n = p->face->num_glyphs < 0 ? 0 : (uint32_t)p->face->num_glyphs;
	if (!read_cids(p)) {
		program_close(p);
		return err_set(e, ST_RETRY, "memory", "no memory for a font");
	}
	*ret_program = p;
	return ST_OK;
}

void program_close(struct program *p)
{
	if (p == NULL)
		return;
	FT_Done_Face(p->face);
	buf_free(&p->data);
	free(p->cids);
	free(p->by_cid);
	free(p);
}

size_t program_bytes(const struct program *p)
{
	return p->data.len * 2 + (size_t)p->n * 12 + 65536;
}

bool program_cff(const struct program *p)
{
	const char *format = FT_Get_Font_Format(p->face);
	return format != NULL && strcmp(format, "CFF") == 0;
}

uint32_t program_glyphs(const struct program *p)
{
	return p->n;
}

double program_width(const struct program *p, uint32_t glyph)
{
	FT_Fixed advance = 0;
	if (glyph >= p->n || p->face->units_per_EM == 0)
		return -1;
	FT_UInt index = p->cids != NULL && !FT_IS_SFNT(p->face) ? p->cids[glyph] : glyph;
	if (FT_Get_Advance(p->face, index, FT_LOAD_NO_SCALE, &advance) != 0)
		return -1;
	return (double)advance * 1000.0 / p->face->units_per_EM;
}

uint32_t program_named(const struct program *p, const char *name)
{
	if (!FT_HAS_GLYPH_NAMES(p->face))
		return PROGRAM_NO_GLYPH;
	FT_UInt glyph = FT_Get_Name_Index(p->face, name);
	char first[64];
	/* 0 is also the answer for what is not there. */
	if (glyph == 0 && (FT_Get_Glyph_Name(p->face, 0, first, sizeof first) != 0 || strcmp(first, name) != 0))
		return PROGRAM_NO_GLYPH;
	return glyph;
}

bool program_name(const struct program *p, uint32_t glyph, char *to, size_t size)
{
	return FT_HAS_GLYPH_NAMES(p->face) && glyph < p->n && FT_Get_Glyph_Name(p->face, glyph, to, (FT_UInt)size) == 0 &&
	       *to != '\0';
}

uint32_t program_encoded(const struct program *p, uint8_t code)
{
	FT_CharMap before = p->face->charmap;
	FT_UInt glyph = 0;
	for (int i = 0; i < p->face->num_charmaps; i++) {
		FT_CharMap map = p->face->charmaps[i];
		/* Platform 7 is Adobe's: Standard, Expert, custom. */
		if (map->platform_id == 7 && FT_Set_Charmap(p->face, map) == 0) {
			glyph = FT_Get_Char_Index(p->face, code);
			break;
		}
	}
	FT_Set_Charmap(p->face, before);
	return glyph;
}

bool program_cid_keyed(const struct program *p)
{
	return p->cids != NULL;
}

uint32_t program_of_cid(const struct program *p, uint32_t cid)
{
	if (p->by_cid == NULL)
		return cid < p->n ? cid : PROGRAM_NO_GLYPH;
	const struct pair wanted = {.cid = cid}, *found = bsearch(&wanted, p->by_cid, p->n, sizeof wanted, by_cid);
	return found == NULL ? PROGRAM_NO_GLYPH : found->glyph;
}

uint32_t program_cid(const struct program *p, uint32_t glyph)
{
	return p->cids != NULL && glyph < p->n ? p->cids[glyph] : glyph;
}

bool program_sfnt(const struct program *p)
{
	return FT_IS_SFNT(p->face);
}

size_t program_cmaps(const struct program *p)
{
	FT_Byte head[4];
	FT_ULong n = sizeof head;
	if (!FT_IS_SFNT(p->face) || FT_Load_Sfnt_Table(p->face, FT_MAKE_TAG('c', 'm', 'a', 'p'), 0, head, &n) != 0)
		return 0;
	return (size_t)head[2] << 8 | head[3];
}

uint32_t program_metrics(const struct program *p)
{
	const TT_HoriHeader *h = FT_Get_Sfnt_Table(p->face, FT_SFNT_HHEA);
	return h == NULL ? p->n : h->number_Of_HMetrics;
}

/* One of the font's own: FreeType makes a Unicode map where there is none, which has no format. */
static FT_CharMap find_cmap(const struct program *p, uint16_t platform, uint16_t encoding)
{
	for (int i = 0; i < p->face->num_charmaps; i++)
		if (p->face->charmaps[i]->platform_id == platform && p->face->charmaps[i]->encoding_id == encoding &&
		    FT_Get_CMap_Format(p->face->charmaps[i]) >= 0)
			return p->face->charmaps[i];
	return NULL;
}

bool program_has_cmap(const struct program *p, uint16_t platform, uint16_t encoding)
{
	return FT_IS_SFNT(p->face) && find_cmap(p, platform, encoding) != NULL;
}

uint32_t program_mapped(struct program *p, uint16_t platform, uint16_t encoding, uint32_t code)
{
	FT_CharMap map = find_cmap(p, platform, encoding);
	return map == NULL || FT_Set_Charmap(p->face, map) != 0 ? 0 : FT_Get_Char_Index(p->face, code);
}

uint32_t program_mapped_first(struct program *p, uint32_t code)
{
	bool mapped = p->face->num_charmaps > 0 && FT_Get_CMap_Format(p->face->charmaps[0]) >= 0;
	return !mapped || FT_Set_Charmap(p->face, p->face->charmaps[0]) != 0 ? 0 : FT_Get_Char_Index(p->face, code);
}

uint32_t program_first_code(struct program *p, uint16_t platform, uint16_t encoding)
{
	FT_CharMap map = find_cmap(p, platform, encoding);
	FT_UInt glyph;
	return map == NULL || FT_Set_Charmap(p->face, map) != 0 ? 0 : (uint32_t)FT_Get_First_Char(p->face, &glyph);
}
