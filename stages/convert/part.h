/*
 * What is costly about a range of a document's pages, in a file that goes from one worker to another: the words that Tesseract has read, and
 * pictures that had to be coded anew.
 *
 *   "arkseal part 2\n", a zero byte, key (32 bytes), first and last page (u32), then for each page
 *     flags (u8): 1 it was looked at, 2 blank, 4 could not be read; by how many right angles it lies turned (u8); its look's cells;
 *     the number of its words (u32) and the words: left, top, right, bottom, x0, y0, x1, y1, confidence (i32), line, block (u32), last in
 *     line (u8), length (u16), UTF-8;
 *     how its picture is coded (u8): 0 as in the source, else 1 + enum pdfmake_filter, and then SHA-256 of the samples
 *     (picture_digest), length (u32), data;
 *   at the end SHA-256 over all before. Numbers are little-endian.
 *
 * The key says what the pages were made from; a file with another key is another document's, or was made by other settings.
 */
#ifndef ARKSEAL_CONVERT_PART_H
#define ARKSEAL_CONVERT_PART_H

#include "stages/base/buf.h"
#include "stages/image/look.h"
#include "stages/pdf/make/make.h"
#include "stages/text/ocr.h"

#define PART_MAX ((size_t)2 << 30)
#define PART_PICTURE_MAX ((size_t)64 << 20) /* larger ones are coded when they are placed */

struct part_page {
	struct ocr_page words;
	bool looked; /* look is filled in */
	struct picture_look look;
	bool unread;    /* Tesseract failed, or took too long */
	uint8_t turned; /* the right angles by which the page had to be turned clockwise to be read */
	bool coded;
	struct pdfmake_coded picture; /* in part_next: data lies in the part */
	uint8_t digest[32];
};

void part_begin(struct buf *to, const uint8_t key[32], uint32_t first, uint32_t last);
void part_add(struct buf *to, const struct part_page *page);
void part_end(struct buf *to);

struct part {
	struct rd in;
	uint32_t first, last, next;
};

/* Opens what lies in memory as long as it is read. Errors: ST_ITEM "convert-part" for anything that part_end did not finish, and for
 * another key. */
enum status part_open(struct bytes in, const uint8_t key[32], struct part *ret_part, struct err *e);
/* The next page; its words are freed with ocr_page_free. Errors: ST_ITEM "convert-part", ST_RETRY "memory". */
enum status part_next(struct part *part, struct part_page *ret_page, struct err *e);

#endif
