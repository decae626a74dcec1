/*
 * A face whose glyphs are shaped by HarfBuzz and embedded as a subset: a Type0 font with a CIDFontType2 descendant, Identity-H
 * (ISO 32000-1, 9.7; ISO 19005-2, 6.2.11). A glyph's code in a content stream is its number in the subset.
 */
#ifndef ARKSEAL_APPEARANCE_TYPEFACE_H
#define ARKSEAL_APPEARANCE_TYPEFACE_H

#include <stdint.h>

#include "stages/base/err.h"
#include "stages/pdf/update.h"

struct typeface;

/* Opens a TrueType file. `usual` holds the characters that every text is expected to have (the organisation's name, digits): they
 * are always in the subset, so that it is made once for all texts that have no others.
 * Errors: ST_RUN "font-file" (not there, no TrueType outlines, embedding not allowed), "font-glyph" (a letter that it lacks). */
enum status typeface_open(const char *path, const char *usual, struct typeface **ret_face, struct err *e);
void typeface_free(struct typeface *t);

/* In thousandths of the size. */
struct typeface_metrics {
	double ascent;  /* above the baseline, positive */
	double descent; /* below the baseline, negative */
	double leading; /* from baseline to baseline */
};
struct typeface_metrics typeface_metrics(const struct typeface *t);

/* Glyphs of one line, in visual order; all lengths in thousandths of the size. */
struct glyph {
	uint32_t face_id; /* number in the face */
	double width;     /* from hmtx: what a viewer moves on by */
	double advance;   /* what shaping wants, kerning included */
	double dx, dy;    /* offset of the glyph from its place */
};
struct glyph_run {
	struct glyph *glyphs;
	size_t n;
	double advance;                  /* of the whole line */
	double left, bottom, right, top; /* ink, from the origin of the line */
};
/* Shapes n bytes of UTF-8 without line ends. The caller frees with glyph_run_free. Errors: ST_RUN "font-glyph". */
enum status typeface_shape(struct typeface *t, const char *text, size_t n, struct glyph_run *ret_run, struct err *e);
void glyph_run_free(struct glyph_run *run);

/* Makes sure that the subset holds the glyphs of these lines. */
enum status typeface_cover(struct typeface *t, const struct glyph_run *runs, size_t n, struct err *e);
/* The code of a glyph that the subset holds. */
uint32_t typeface_code(const struct typeface *t, uint32_t face_id);
/* Adds the font and all that belongs to it; returns the number of the Type0 font. */
uint32_t typeface_write(const struct typeface *t, struct pdfupd *u);

#endif
