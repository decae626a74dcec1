#include "stages/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint8_t *buf_reserve(struct buf *b, size_t n)
{
	if (b->failed || n > b->max - b->len) {
		b->failed = true;
		return NULL;
	}
	size_t need = b->len + n + 1;
	if (need < n) {
		b->failed = true;
		return NULL;
	}
	if (need > b->cap) {
		size_t cap = b->cap < 64 ? 64 : b->cap;
		while (cap < need)
			cap = cap > SIZE_MAX / 2 ? need : cap * 2;
		uint8_t *data = realloc(b->data, cap);
		if (data == NULL) {
			b->failed = true;
			return NULL;
		}
		b->data = data;
		b->cap = cap;
	}
	b->data[b->len + n] = 0;
	return b->data + b->len;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	uint8_t *to = buf_reserve(b, n);
	if (to == NULL)
		return;
	if (n > 0)
		memcpy(to, p, n);
	b->len += n;
}

void buf_byte(struct buf *b, uint8_t c)
{
	buf_add(b, &c, 1);
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_format(struct buf *b, const char *format, ...)
{
	va_list ap, again;
	va_start(ap, format);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	uint8_t *to = n < 0 ? NULL : buf_reserve(b, (size_t)n);
	if (to != NULL) {
		vsnprintf((char *)to, (size_t)n + 1, format, again);
		b->len += (size_t)n;
	} else {
		b->failed = true;
	}
	va_end(again);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data != NULL)
		b->data[0] = 0;
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = BUF_INIT(b->max);
}

char *buf_take(struct buf *b)
{
	if (b->data == NULL && !b->failed)
		buf_reserve(b, 0);
	if (b->failed) {
		buf_free(b);
		return NULL;
	}
	char *text = (char *)b->data;
	*b = BUF_INIT(b->max);
	return text;
}

size_t rd_left(const struct rd *r)
{
	return r->failed ? 0 : r->in.n - r->at;
}

struct bytes rd_take(struct rd *r, size_t n)
{
	if (r->failed || n > r->in.n - r->at) {
		r->failed = true;
		return (struct bytes){NULL, 0};
	}
	struct bytes taken = {r->in.p + r->at, n};
	r->at += n;
	return taken;
}

void rd_skip(struct rd *r, size_t n)
{
	(void)rd_take(r, n);
}

uint8_t rd_u8(struct rd *r)
{
	struct bytes b = rd_take(r, 1);
	return b.n == 1 ? b.p[0] : 0;
}

uint16_t rd_u16be(struct rd *r)
{
	struct bytes b = rd_take(r, 2);
	return b.n == 2 ? (uint16_t)((unsigned)b.p[0] << 8 | b.p[1]) : 0;
}

uint32_t rd_u32be(struct rd *r)
{
	uint32_t high = rd_u16be(r);
	return high << 16 | rd_u16be(r);
}

uint16_t rd_u16le(struct rd *r)
{
	struct bytes b = rd_take(r, 2);
	return b.n == 2 ? (uint16_t)((unsigned)b.p[1] << 8 | b.p[0]) : 0;
}

uint32_t rd_u32le(struct rd *r)
{
	uint32_t low = rd_u16le(r);
	return low | (uint32_t)rd_u16le(r) << 16;
}

struct bytes text_bytes(const char *text)
{
	return (struct bytes){(const uint8_t *)text, text != NULL ? strlen(text) : 0};
}

bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
