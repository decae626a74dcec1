/*
 * Font programs as they lie in a PDF: Type 1 (FontFile), TrueType (FontFile2), bare CFF (FontFile3 Type1C and CIDFontType0C) and
 * OpenType (FontFile3 OpenType). Reads what a checker asks: which glyphs there are, by what names and codes, how wide they are.
 * No outline is drawn. Hostile bytes end in an error or in "not there".
 */
#ifndef ARKSEAL_PDFA_PROGRAM_H
#define ARKSEAL_PDFA_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

enum font_program_kind {
	FONT_TYPE1,
	FONT_TRUETYPE,
	FONT_CFF,
	FONT_OPENTYPE, /* an sfnt with either a CFF table or glyf */
};

#define FONT_NO_GLYPH UINT32_MAX

struct font_program;

/* The bytes must live as long as the result. Errors: ST_ITEM "font-program"; ST_RETRY "memory". */
enum status font_program_open(struct bytes in, enum font_program_kind kind, struct font_program **ret_program, struct err *e);
void font_program_close(struct font_program *p);

uint32_t font_program_glyphs(const struct font_program *p); /* how many */
/* Advance width in thousandths of the em: hmtx, the CFF or Type 1 charstring. Negative where there is none. */
double font_program_width(const struct font_program *p, uint32_t glyph);
/* By name: charset of CFF, CharStrings of Type 1, post of an sfnt. FONT_NO_GLYPH where it is not there. */
uint32_t font_program_named(const struct font_program *p, const char *name);
/* A glyph's name, or NULL: none, or a CID-keyed font. Lives as long as the program. */
const char *font_program_name(const struct font_program *p, uint32_t glyph);
/* The built-in encoding of Type 1 and CFF: the glyph's name for a code, or NULL. */
const char *font_program_encoded(const struct font_program *p, uint8_t code);
/* CFF: whether it is CID-keyed; then the glyph of a CID by its charset, else CID is glyph. */
bool font_program_cid_keyed(const struct font_program *p);
uint32_t font_program_of_cid(const struct font_program *p, uint32_t cid);
/* The CID (CID-keyed CFF: charset; others: the glyph itself). */
uint32_t font_program_cid(const struct font_program *p, uint32_t glyph);

/* The cmap table of an sfnt. */
size_t font_program_cmaps(const struct font_program *p); /* subtables; 0 without a cmap table */
bool font_program_has_cmap(const struct font_program *p, uint16_t platform, uint16_t encoding);
/* The glyph of a character code in a subtable; 0 (.notdef) where it maps none, FONT_NO_GLYPH without such a subtable. */
uint32_t font_program_mapped(const struct font_program *p, uint16_t platform, uint16_t encoding, uint32_t code);

#endif
