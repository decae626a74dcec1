#include "pipeline/wire.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void wire_free(struct wire *w)
{
	buf_free(&w->in);
	w->at = w->seen = 0;
}

/* Length of the line at w->at without its newline, or -1. */
static ssize_t line_length(struct wire *w)
{
	if (w->in.len == w->seen)
		return -1;
	const uint8_t *from = w->in.data + w->seen, *end = memchr(from, '\n', w->in.len - w->seen);
	w->seen = end == NULL ? w->in.len : (size_t)(end - w->in.data);
	return end == NULL ? -1 : (ssize_t)(w->seen - w->at);
}

bool wire_has_line(struct wire *w)
{
	return line_length(w) >= 0;
}

/* Moves what is left to the front, so that the buffer holds one line at most. */
static void compact(struct wire *w)
{
	if (w->at == 0)
		return;
	memmove(w->in.data, w->in.data + w->at, w->in.len - w->at);
	w->in.len -= w->at;
	w->seen -= w->at;
	w->at = 0;
}

enum wire_got wire_next(struct wire *w, struct bytes *ret_line)
{
	for (;;) {
		ssize_t n = line_length(w);
		if (n >= 0) {
			*ret_line = (struct bytes){w->in.data + w->at, (size_t)n};
			w->at += (size_t)n + 1;
			w->seen = w->at;
			return WIRE_LINE;
		}
		compact(w);
		if (w->drained) {
			w->drained = false;
			return WIRE_WAIT;
		}
		uint8_t *to = buf_reserve(&w->in, 1 << 16);
		if (to == NULL) {
			errno = EMSGSIZE;
			return WIRE_FAULT;
		}
		ssize_t got = read(w->fd, to, 1 << 16);
		w->drained = w->polled && got > 0 && got < 1 << 16;
		if (got > 0)
			w->in.len += (size_t)got;
		else if (got == 0)
			return WIRE_END;
		else if (errno == EAGAIN)
			return WIRE_WAIT;
		else if (errno == ECONNRESET)
			return WIRE_END;
		else if (errno != EINTR)
			return WIRE_FAULT;
	}
}

bool wire_write(int fd, const void *p, size_t n)
{
	const char *at = p;
	while (n > 0) {
		ssize_t put = write(fd, at, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		at += put;
		n -= (size_t)put;
	}
	return true;
}
