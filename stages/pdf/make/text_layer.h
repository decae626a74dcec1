/* Invisible text over a page's picture (ISO 32000-1, 9.3.6: text rendering mode 3). Not for others than stages/pdf. */
#ifndef ARKSEAL_PDF_MAKE_TEXT_LAYER_H
#define ARKSEAL_PDF_MAKE_TEXT_LAYER_H

#include "stages/pdf/make/writer.h"
#include "stages/text/ocr.h"

/* The one font of a document: each character gets the next free code (CID), in order of appearance; all look blank. */
struct glyphless {
	uint16_t *cid;       /* by code point; 0: none yet */
	uint32_t *character; /* by CID: the code point */
	uint32_t n;          /* CIDs in use, CID 0 (.notdef, never shown) among them; 0: nothing allocated yet */
};

void glyphless_free(struct glyphless *g);

/* Appends a text object; font: the name of the font in the page's resources. scale_x and scale_y: PDF units a pixel; height of the page in units. False when memory runs out. */
bool text_layer(struct glyphless *g, const struct ocr_page *words, const char *font, double scale_x, double scale_y,
                double height, struct buf *to);

/* Writes the font as object `number` and what belongs to it. */
void glyphless_write(const struct glyphless *g, struct writer *w, uint32_t number);

#endif
