/*
 * A growing byte buffer with a hard maximum from its start, and a reader of untrusted bytes.
 *
 * Writing past the maximum, or lack of memory, marks the buffer as failed; further writes do nothing, so a long chain of writes
 * is checked once at its end. data is always followed by a zero byte that len does not count.
 */
#ifndef ARKSEAL_BASE_BUF_H
#define ARKSEAL_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that somebody else owns. */
struct bytes {
	const uint8_t *p;
	size_t n;
};
/* A string without its end; of NULL: p is NULL. */
struct bytes text_bytes(const char *text);

struct buf {
	uint8_t *data; /* NULL until the first write */
	size_t len;    /* bytes in use */
	size_t cap;    /* bytes allocated */
	size_t max;    /* len never passes this */
	bool failed;   /* a write did not fit, or memory ran out */
};

#define BUF_INIT(maximum) ((struct buf){.max = (maximum)})

void buf_add(struct buf *b, const void *p, size_t n);
void buf_byte(struct buf *b, uint8_t c);
void buf_str(struct buf *b, const char *s);
void buf_format(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Room for n more bytes at data + len, or NULL (and failed). The caller writes there and adds to len. */
uint8_t *buf_reserve(struct buf *b, size_t n);
/* Back to len 0; keeps the memory and clears failed. */
void buf_reset(struct buf *b);
/* Gives up the memory; the buffer is as after BUF_INIT. */
void buf_free(struct buf *b);
/* Hands the bytes over as a string that the caller frees; NULL if the buffer has failed. The buffer is empty then. */
char *buf_take(struct buf *b);

/* For `__attribute__((cleanup(buf_free)))` as `BUF_AUTO struct buf b = BUF_INIT(…)`. */
#define BUF_AUTO __attribute__((cleanup(buf_free)))

/* A place in untrusted bytes. Every call checks; after a failed call the reader stays failed and delivers zeros. */
struct rd {
	struct bytes in;
	size_t at;
	bool failed;
};

#define RD_INIT(pointer, count) ((struct rd){.in = {(pointer), (count)}})

size_t rd_left(const struct rd *r);
uint8_t rd_u8(struct rd *r);
uint16_t rd_u16be(struct rd *r);
uint32_t rd_u32be(struct rd *r);
uint16_t rd_u16le(struct rd *r);
uint32_t rd_u32le(struct rd *r);
/* n bytes from here, or {NULL, 0} and failed. */
struct bytes rd_take(struct rd *r, size_t n);
void rd_skip(struct rd *r, size_t n);

bool bytes_equal(struct bytes a, struct bytes b);

#endif
