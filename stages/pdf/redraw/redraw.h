/*
 * A received PDF drawn page by page as pictures, with its text as words that lie on them: MuPDF's drawing and structured text.
 *
 * What MuPDF can draw only with loss is refused, not drawn: a page with faults in its content, data that ends too early, a
 * file cut off at its end. One redraw at a time belongs to one thread; no MuPDF exception leaves this folder, nothing is printed.
 */
#ifndef ARKSEAL_PDF_REDRAW_H
#define ARKSEAL_PDF_REDRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/base/err.h"
#include "stages/image/picture.h"
#include "stages/text/ocr.h"

struct redraw;

struct redraw_limits {
	size_t pages;    /* of a document */
	uint64_t pixels; /* of a page */
	size_t memory;   /* bytes that MuPDF may take at a time: a few bytes of nested fonts ask for more than there is */
};

/* Errors: ST_ITEM "pdf-broken" (no page can be found, or the end of the file is missing), "pdf-password" (it does not open without
 * one), "pdf-too-many-pages"; ST_RETRY "memory". */
enum status redraw_open(const char *path, struct redraw_limits limits, struct redraw **ret_redraw, struct err *e);
void redraw_close(struct redraw *r); /* after its pages have been freed */
size_t redraw_pages(const struct redraw *r);
/* The cross-references did not fit and were made anew from the objects found. */
bool redraw_was_mended(const struct redraw *r);

/* Writes the document anew as MuPDF has read it, for a reader that is strict: without encryption, its cross-references mended, with appearances for
 * annotations and form fields that have none. No page is drawn afterwards. Errors: as redraw_page. */
enum status redraw_save(struct redraw *r, const char *path, struct err *e);

struct redraw_page {
	struct picture picture; /* PICTURE_SAMPLES, upright: RGB (sRGB), or grey where no pixel has colour; 8 bit. dpi so that
	                           pixels / dpi is the visible page's size exactly */
	struct ocr_page words;  /* the page's own text, annotations and form fields among it; confidence 100 */
	bool inks;              /* it has colours for printing (CMYK), which are drawn near to what they are */
	size_t unmapped;        /* characters whose meaning the file does not tell; they are not in words */
	void *owned;
};

/* Page i from 0: what a reader shows (crop box, rotation, annotations, form fields), near to dpi. Errors: ST_ITEM "pdf-broken",
 * "pdf-page-too-large", "pdf-memory"; ST_RETRY "memory". */
enum status redraw_page(struct redraw *r, size_t i, double dpi, struct redraw_page *ret_page, struct err *e);
/* The words of a page alone, without drawing it, at 72 dpi. *ret_words is freed with ocr_page_free. Errors: as redraw_page. */
enum status redraw_words(struct redraw *r, size_t i, struct ocr_page *ret_words, struct err *e);
void redraw_page_free(struct redraw *r, struct redraw_page *page);

#endif
