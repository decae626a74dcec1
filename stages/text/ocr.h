/*
 * Text on a page's picture by Tesseract's API (LSTM), in process. One reader at a time works in a thread; it starts none of its
 * own. Opening loads the language data, so a process opens one reader and keeps it. Nothing is printed.
 */
#ifndef ARKSEAL_TEXT_OCR_H
#define ARKSEAL_TEXT_OCR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/base/err.h"

/* A word on the upright picture; pixels from the top left corner. The baseline runs from (x0, y0) to (x1, y1). */
struct ocr_word {
	char *text; /* UTF-8, NFC, no white space */
	int left, top, right, bottom;
	int x0, y0, x1, y1;
	int confidence; /* 0 … 100 */
	uint32_t line;  /* words of one line share a number, in reading order */
	uint32_t block;
	bool last_in_line;
};

struct ocr_page {
	struct ocr_word *words; /* in reading order */
	size_t n;
	double mean_confidence; /* of the words, 0 … 100; 0 where there are none */
};

struct ocr;

/* languages as "vie+eng"; all of them must be installed where Tesseract looks (TESSDATA_PREFIX, else its built-in folder). All
 * files are opened here, none in ocr_read. Errors: ST_RUN "ocr-language", "ocr-start". */
enum status ocr_open(const char *languages, struct ocr **ret_ocr, struct err *e);
void ocr_close(struct ocr *o);

/* A page's 8-bit grey pixels, rows without gaps. */
struct ocr_pixels {
	const uint8_t *grey;
	uint32_t width, height;
	double dpi; /* 0: unknown */
};

/* Reads a page, for so many seconds at most (0: as long as it takes). One of more than 32,000 pixels a side is read from a copy made smaller by
 * a whole number; boxes are always those of the page given. *ret_page is freed with ocr_page_free, also where it is empty.
 * Errors: ST_ITEM "ocr-failed", which is also that it took too long; ST_RETRY "memory". */
enum status ocr_read(struct ocr *o, const struct ocr_pixels *pixels, unsigned seconds, struct ocr_page *ret_page, struct err *e);

/* By how many degrees (0, 90, 180, 270) a page must be turned clockwise to stand upright, as far as its letters tell; 0 where they do not, or
 * where Tesseract's data "osd" is not installed. */
unsigned ocr_orientation(struct ocr *o, const struct ocr_pixels *pixels);

/* Reads a page that lies turned by so many degrees: the words have their places on the page as it is given. Errors: as ocr_read. */
enum status ocr_read_turned(struct ocr *o, const struct ocr_pixels *pixels, unsigned degrees, unsigned seconds,
                            struct ocr_page *ret_page, struct err *e);

/* Appends a word that is at hand, taking text over (malloc'ed); false when memory runs out, and text is freed. For pages whose
 * words come from elsewhere. */
bool ocr_page_add(struct ocr_page *p, const struct ocr_word *word);
void ocr_page_free(struct ocr_page *p);

#endif
