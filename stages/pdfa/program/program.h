/*
 * Font programs as they lie in a PDF: Type 1 (FontFile), TrueType (FontFile2), bare CFF and OpenType (FontFile3). FreeType reads them; this
 * asks what a checker asks: which glyphs there are, by what names and codes, how wide they are. No outline is drawn.
 */
#ifndef ARKSEAL_PDFA_PROGRAM_H
#define ARKSEAL_PDFA_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

#define PROGRAM_NO_GLYPH UINT32_MAX

struct program_library; /* what FreeType keeps; for one thread */
struct program;

enum status program_library_new(struct program_library **ret_library, struct err *e); /* ST_RETRY "memory" */
void program_library_free(struct program_library *l);                                 /* after its programs; NULL: nothing */

enum program_kind {
	PROGRAM_TYPE1,    /* FontFile */
	PROGRAM_TRUETYPE, /* FontFile2; with CFF outlines too, as readers take it */
	PROGRAM_CFF,      /* FontFile3, Type1C or CIDFontType0C */
	PROGRAM_OPENTYPE, /* FontFile3, OpenType: with glyf or CFF */
};

/* Takes the bytes over (gives them up itself on an error). Errors: ST_ITEM "font-program", also where it is of another kind; ST_RETRY "memory". */
enum status program_open(struct program_library *l, struct buf *in, enum program_kind kind, struct program **ret_program,
                         struct err *e);
void program_close(struct program *p);         /* NULL: nothing */
size_t program_bytes(const struct program *p); /* memory that it holds, about */

bool program_cff(const struct program *p);        /* its outlines are CFF */
uint32_t program_glyphs(const struct program *p); /* how many */
/* Advance width in thousandths of the em; negative where there is no such glyph. */
double program_width(const struct program *p, uint32_t glyph);
/* The glyph of a name (Type 1, CFF, the post table), or PROGRAM_NO_GLYPH. */
uint32_t program_named(const struct program *p, const char *name);
/* The name of a glyph; false: it has none. */
bool program_name(const struct program *p, uint32_t glyph, char *to, size_t size);
/* The glyph of a code in the built-in encoding of Type 1 and CFF; 0: none. */
uint32_t program_encoded(const struct program *p, uint8_t code);
/* CID-keyed CFF: the glyph of a CID by the charset, PROGRAM_NO_GLYPH where there is none; the CID of a glyph. Of others CID is glyph. */
bool program_cid_keyed(const struct program *p);
uint32_t program_of_cid(const struct program *p, uint32_t cid);
uint32_t program_cid(const struct program *p, uint32_t glyph);

/* The cmap table of an sfnt: its subtables; the glyph of a code, 0 where it maps none or there is no such subtable. */
bool program_sfnt(const struct program *p);
uint32_t program_metrics(const struct program *p); /* how many glyphs have a width of their own in hmtx */
size_t program_cmaps(const struct program *p);
bool program_has_cmap(const struct program *p, uint16_t platform, uint16_t encoding);
uint32_t program_mapped(struct program *p, uint16_t platform, uint16_t encoding, uint32_t code);
uint32_t program_mapped_first(struct program *p, uint32_t code); /* by the first subtable */
/* The first code of a subtable: of a symbolic font it shows the row that the codes lie in. */
uint32_t program_first_code(struct program *p, uint16_t platform, uint16_t encoding);

#endif
