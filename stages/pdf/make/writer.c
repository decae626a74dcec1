#include "stages/pdf/make/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <libdeflate.h>

#include "stages/base/text.h"

enum status writer_open(struct writer *w, FILE *to, struct err *e)
{
	*w = (struct writer){.to = to, .hash = sha256_new()};
	if (w->hash == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory left");
	/* The comment of four bytes above 127 says that this is no text (ISO 19005-2, 6.1.2). */
	static const char header[] = "%PDF-1.7\n%\xE2\xE3\xCF\xD3\n";
	writer_put(w, header, sizeof header - 1);
	return ST_OK;
}

void writer_close(struct writer *w)
{
	uint8_t digest[32];
	if (w->hash != NULL)
		sha256_end(w->hash, digest);
	w->hash = NULL;
	free(w->offsets);
	w->offsets = NULL;
}

uint32_t writer_allocate(struct writer *w)
{
	if (w->n_objects == w->cap_objects) {
		uint32_t cap = w->cap_objects == 0 ? 64 : w->cap_objects * 2;
		uint64_t *more = reallocarray(w->offsets, cap, sizeof *more);
		if (more == NULL) {
			w->error = ENOMEM;
			return 0;
		}
		w->offsets = more;
		w->cap_objects = cap;
	}
	w->offsets[w->n_objects] = 0;
	return ++w->n_objects;
}

void writer_put(struct writer *w, const void *p, size_t n)
{
	if (w->error != 0 || n == 0)
		return;
	errno = 0;
	if (fwrite(p, 1, n, w->to) != n) {
		w->error = errno == 0 ? EIO : errno;
		return;
	}
	sha256_add(w->hash, p, n);
	w->at += n;
}

static void put_buf(struct writer *w, const struct buf *b)
{
	if (b->failed && w->error == 0)
		w->error = ENOMEM;
	writer_put(w, b->data, b->len);
}

static void begin(struct writer *w, uint32_t number)
{
	char text[32];
	if (number == 0 || number > w->n_objects)
		return;
	w->offsets[number - 1] = w->at;
	int n = snprintf(text, sizeof text, "%" PRIu32 " 0 obj\n", number);
	writer_put(w, text, (size_t)n);
}

void writer_object(struct writer *w, uint32_t number, const struct buf *body)
{
	begin(w, number);
	put_buf(w, body);
	writer_put(w, "\nendobj\n", 8);
}

void writer_stream(struct writer *w, uint32_t number, const struct buf *dict, struct bytes data)
{
	char text[64];
	begin(w, number);
	writer_put(w, "<<", 2);
	put_buf(w, dict);
	int n = snprintf(text, sizeof text, "/Length %zu>>\nstream\n", data.n);
	writer_put(w, text, (size_t)n);
	writer_put(w, data.p, data.n);
	writer_put(w, "\nendstream\nendobj\n", 18);
}

void writer_stream_begin(struct writer *w, uint32_t number, const struct buf *dict, uint32_t length)
{
	char text[64];
	begin(w, number);
	writer_put(w, "<<", 2);
	put_buf(w, dict);
	int n = snprintf(text, sizeof text, "/Length %" PRIu32 " 0 R>>\nstream\n", length);
	writer_put(w, text, (size_t)n);
}

void writer_stream_end(struct writer *w, uint32_t length, uint64_t n)
{
	BUF_AUTO struct buf b = BUF_INIT(64);
	writer_put(w, "\nendstream\nendobj\n", 18);
	buf_format(&b, "%" PRIu64, n);
	writer_object(w, length, &b);
}

struct bytes deflate_bytes(struct bytes data, int level)
{
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(level);
	if (c == NULL)
		return (struct bytes){0};
	size_t room = libdeflate_zlib_compress_bound(c, data.n), n = 0;
	uint8_t *to = malloc(room);
	if (to != NULL)
		n = libdeflate_zlib_compress(c, data.p, data.n, to, room);
	libdeflate_free_compressor(c);
	if (n == 0) {
		free(to);
		to = NULL;
	}
	return (struct bytes){to, n};
}

void writer_stream_flate(struct writer *w, uint32_t number, struct buf *dict, struct bytes data)
{
	struct bytes z = deflate_bytes(data, 9);
	if (z.p == NULL) {
		w->error = ENOMEM;
		return;
	}
	buf_str(dict, "/Filter/FlateDecode");
	writer_stream(w, number, dict, z);
	free((void *)(uintptr_t)z.p);
}

void writer_end(struct writer *w, const struct buf *trailer)
{
	char text[64];
	uint64_t start = w->at;
	int n = snprintf(text, sizeof text, "xref\n0 %" PRIu32 "\n0000000000 65535 f \n", w->n_objects + 1);
	writer_put(w, text, (size_t)n);
	for (uint32_t i = 0; i < w->n_objects; i++) {
		n = snprintf(text, sizeof text, "%010" PRIu64 " 00000 n \n", w->offsets[i]);
		writer_put(w, text, (size_t)n);
	}
	n = snprintf(text, sizeof text, "trailer\n<</Size %" PRIu32, w->n_objects + 1);
	writer_put(w, text, (size_t)n);
	put_buf(w, trailer);
	n = snprintf(text, sizeof text, ">>\nstartxref\n%" PRIu64 "\n%%%%EOF\n", start);
	writer_put(w, text, (size_t)n);
	if (start > 9999999999 && w->error == 0)
		w->error = EFBIG;
	if (w->error == 0 && fflush(w->to) != 0)
		w->error = errno;
}

enum status writer_fault(const struct writer *w, struct err *e)
{
	if (w->error == 0)
		return ST_OK;
	errno = w->error;
	return err_errno(e, "write", "the new PDF");
}

struct written writer_written(const struct writer *w)
{
	struct written to = {.size = w->at};
	sha256_so_far(w->hash, to.sha256);
	return to;
}

void print_number(double v, struct buf *to)
{
	int64_t n = llround(v * 10000);
	uint64_t size = (uint64_t)(n < 0 ? -n : n), whole = size / 10000, part = size % 10000;
	buf_format(to, "%s%" PRIu64, n < 0 ? "-" : "", whole);
	if (part == 0)
		return;
	char digits[8];
	snprintf(digits, sizeof digits, "%04" PRIu64, part);
	for (size_t i = 3; i > 0 && digits[i] == '0'; i--)
		digits[i] = '\0';
	buf_format(to, ".%s", digits);
}

void print_text(const char *utf8, struct buf *to)
{
	bool ascii = true;
	for (const char *c = utf8; *c != '\0'; c++)
		ascii = ascii && *c >= 0x20 && *c < 0x7F;
	if (ascii) {
		buf_byte(to, '(');
		for (const char *c = utf8; *c != '\0'; c++) {
			if (*c == '(' || *c == ')' || *c == '\\')
				buf_byte(to, '\\');
			buf_byte(to, (uint8_t)*c);
		}
		buf_byte(to, ')');
		return;
	}
	buf_str(to, "<FEFF");
	for (uint32_t c; utf8_valid(utf8, strlen(utf8)) && (c = utf8_next(&utf8)) != 0;) {
		if (c > 0xFFFF)
			buf_format(to, "%04X%04X", 0xD800 + ((c - 0x10000) >> 10), 0xDC00 + ((c - 0x10000) & 0x3FF));
		else
			buf_format(to, "%04X", c);
	}
	buf_byte(to, '>');
}
