/*
 * Text on a page's picture by Tesseract's API, in process.
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
	double mean_confidence;
};

struct ocr;

/* languages as "vie+eng". Errors: ST_RUN "ocr-language" (language data not installed). */
enum status ocr_open(const char *languages, struct ocr **ret_ocr, struct err *e);
void ocr_close(struct ocr *o);

/* Reads 8-bit grey pixels, rows without gaps. dpi 0: unknown. Errors: ST_ITEM "ocr-failed". */
enum status ocr_read(struct ocr *o, const uint8_t *grey, uint32_t width, uint32_t height, double dpi, struct ocr_page *ret_page,
                     struct err *e);
void ocr_page_free(struct ocr_page *p);

#endif
