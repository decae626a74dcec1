/*
 * The words of a document as ALTO 4 (Library of Congress, version 4.4) and as plain text, page by page.
 */
#ifndef ARKSEAL_TEXT_ALTO_H
#define ARKSEAL_TEXT_ALTO_H

#include "stages/base/buf.h"
#include "stages/text/ocr.h"

struct alto_page {
	size_t number;                /* from 1 */
	uint32_t width, height;       /* pixels of the upright page, in which the words' boxes are */
	const struct ocr_page *words; /* may be NULL: none */
	bool recognised;              /* by OCR: WC is written; else the text was the document's own */
};

/* The beginning: file is the name of the document that the words belong to, languages what Tesseract was given, or NULL where it read nothing. */
void alto_begin(const char *file, const char *languages, struct buf *to);
void alto_add(const struct alto_page *page, struct buf *to);
void alto_end(struct buf *to);

/* A page as plain text: a line for each line, an empty one between blocks, and a form feed at its end, as pdftotext does. */
void plain_add(const struct ocr_page *words, struct buf *to);

#endif
