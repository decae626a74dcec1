/*
 * Writing a new PDF/A-2b: pages that are one picture each, with an invisible text layer (ISO 19005-2; ISO 32000-1, 9.3.6).
 */
#ifndef ARKSEAL_PDF_MAKE_H
#define ARKSEAL_PDF_MAKE_H

#include <stdio.h>

#include "stages/base/digest.h"
#include "stages/base/err.h"
#include "stages/image/picture.h"
#include "stages/text/ocr.h"

/* What goes into XMP and, as far as it has places there, Info. Strings are UTF-8, may be NULL. */
struct pdfmake_meta {
	const char *title;
	const char *author;     /* dc:creator: the organisation that issued the document */
	const char *subject;    /* dc:description */
	const char *keywords;   /* pdf:Keywords */
	const char *language;   /* RFC 3066, for dc:language and /Lang: "vi" */
	const char *identifier; /* dc:identifier: the document code */
	const char *created;    /* ISO 8601 for xmp:CreateDate, ModifyDate and MetadataDate */
	unsigned part;          /* 2 */
	char conformance;       /* 'B' */
};

struct pdfmake;

/* The stream belongs to the caller; objects are written as they come, so memory does not grow with pages' pictures. */
enum status pdfmake_open(FILE *to, const struct pdfmake_meta *meta, struct pdfmake **ret_make, struct err *e);
void pdfmake_free(struct pdfmake *m);

/* Samples coded without loss, by themselves, so that others may do it beforehand. */
enum pdfmake_filter { PDFMAKE_FLATE, PDFMAKE_PREDICTOR, PDFMAKE_G4 };
struct pdfmake_coded {
	enum pdfmake_filter filter;
	struct bytes data; /* of pdfmake_code: malloc'ed */
};
/* Codes the samples of a picture (PICTURE_SAMPLES) as pdfmake_page would. Errors: ST_RETRY "memory". */
enum status pdfmake_code(const struct picture *p, struct pdfmake_coded *ret_coded, struct err *e);

/* Adds a page as large as the picture at its resolution (dpi from the picture; the caller has filled in what was missing), turned
 * by its orientation through the matrix, never by touching pixels. coded: of pdfmake_code for this picture, or NULL.
 * words may be NULL; they lie on the upright picture. Colour is
 * the picture's own ICC profile, else sRGB, else a grey profile: never a bare device colour that the output intent does not cover.
 * A CMYK picture without a profile gets the one of stages/pdfa/icc.h. A side shorter than 3 units leaves the rest of the page white
 * (ISO 19005-2, 6.1.13). Errors: ST_ITEM "page-size" (a side beyond 14,400 units, 6.1.13), ST_RETRY. */
enum status pdfmake_page(struct pdfmake *m, const struct picture *p, const struct pdfmake_coded *coded,
                         const struct ocr_page *words, struct err *e);

/* Writes fonts, metadata, output intent, catalog, cross-references. The document ID follows from the content.
 * ret_written may be NULL. */
enum status pdfmake_finish(struct pdfmake *m, struct written *ret_written, struct err *e);

#endif
