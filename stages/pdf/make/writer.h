/* Objects of a new PDF, written one after the other (ISO 32000-1, 7.3 and 7.5). Not for others than stages/pdf. */
#ifndef ARKSEAL_PDF_MAKE_WRITER_H
#define ARKSEAL_PDF_MAKE_WRITER_H

#include <stdio.h>

#include "stages/base/buf.h"
#include "stages/base/digest.h"
#include "stages/base/err.h"

struct writer {
	FILE *to;
	uint64_t at;         /* bytes written so far */
	struct sha256 *hash; /* over them */
	uint64_t *offsets;   /* of object i + 1; 0: not written yet */
	uint32_t n_objects;  /* allocated numbers */
	uint32_t cap_objects;
	int error; /* errno of the first fault */
};

enum status writer_open(struct writer *w, FILE *to, struct err *e);
void writer_close(struct writer *w);

/* A new object number; 0 when memory runs out (noted). */
uint32_t writer_allocate(struct writer *w);
void writer_put(struct writer *w, const void *p, size_t n);
/* "N 0 obj", the body, "endobj". */
void writer_object(struct writer *w, uint32_t number, const struct buf *body);
/* dict is the inside of the dictionary without /Length. */
void writer_stream(struct writer *w, uint32_t number, const struct buf *dict, struct bytes data);
/* The same for data that comes in parts: begun, parts by writer_put, ended; its length is an object of its own. */
void writer_stream_begin(struct writer *w, uint32_t number, const struct buf *dict, uint32_t length);
void writer_stream_end(struct writer *w, uint32_t length, uint64_t n);
/* The same as writer_stream, compressed; dict without /Filter. */
void writer_stream_flate(struct writer *w, uint32_t number, struct buf *dict, struct bytes data);
/* Cross-reference table, trailer (the inside of its dictionary without /Size), startxref. */
void writer_end(struct writer *w, const struct buf *trailer);
enum status writer_fault(const struct writer *w, struct err *e);
/* What has been written so far. */
struct written writer_written(const struct writer *w);

/* zlib data of `data` into a malloc'ed block; n 0 and p NULL when memory runs out. */
struct bytes deflate_bytes(struct bytes data, int level);

/* A number in PDF syntax with up to four decimals, independent of the locale. */
void print_number(double v, struct buf *to);
/* A text string (7.9.2.2) with its brackets: ASCII plain, else UTF-16BE. */
void print_text(const char *utf8, struct buf *to);

#endif
