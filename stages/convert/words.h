/*
 * What Tesseract has read on a range of a document's pages, in a file that goes from one worker to another.
 *
 *   "arkseal words 1\n", key (32 bytes), first and last page (u32), then for each page the number of its words (u32) and the words:
 *   left, top, right, bottom, x0, y0, x1, y1, confidence (i32), line, block (u32), last in line (u8), length (u16), UTF-8;
 *   at the end SHA-256 over all before. Numbers are little-endian.
 *
 * The key says what the words were read from; a file with another key is another document's, or was read by other settings.
 */
#ifndef ARKSEAL_CONVERT_WORDS_H
#define ARKSEAL_CONVERT_WORDS_H

#include "stages/base/buf.h"
#include "stages/base/file.h"
#include "stages/text/ocr.h"

#define WORDS_FILE_MAX ((size_t)1 << 30)

void words_begin(struct buf *to, const uint8_t key[32], uint32_t first, uint32_t last);
void words_page(struct buf *to, const struct ocr_page *page);
void words_end(struct buf *to);

struct words {
	struct rd in;
	uint32_t first, last, next;
};

/* Opens what lies in memory as long as it is read. Errors: ST_ITEM "convert-part" for anything that words_end did not finish, and for another
 * key. */
enum status words_open(struct bytes in, const uint8_t key[32], struct words *ret_words, struct err *e);
/* The next page's words, freed with ocr_page_free. Errors: ST_ITEM "convert-part", ST_RETRY "memory". */
enum status words_next(struct words *w, struct ocr_page *ret_page, struct err *e);

#endif
