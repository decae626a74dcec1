/*
 * Lines over a descriptor: what records travel on. A line ends with a newline and is at most WIRE_LINE_MAX bytes.
 */
#ifndef ARKSEAL_PIPELINE_WIRE_H
#define ARKSEAL_PIPELINE_WIRE_H

#include <stdbool.h>

#include "stages/base/buf.h"

#define WIRE_LINE_MAX (64u << 20)

struct wire {
	int fd;
	struct buf in; /* read, not all taken yet */
	size_t at;     /* taken so far */
	size_t seen;   /* looked at for a newline so far */
	bool polled;   /* whoever reads waits for it to be readable: a read that gave less than it could is the last for now */
	bool drained;  /* that was such a read */
};

#define WIRE_INIT(descriptor) ((struct wire){.fd = (descriptor), .in = BUF_INIT(WIRE_LINE_MAX)})
void wire_free(struct wire *w); /* leaves the descriptor open */

enum wire_got {
	WIRE_LINE,  /* *ret_line holds a line without its newline, which stands behind it, until the next call */
	WIRE_WAIT,  /* no whole line is there, and the descriptor would block */
	WIRE_END,   /* the other end has closed; a line without a newline before that is lost */
	WIRE_FAULT, /* errno says what; EMSGSIZE: the line is too long */
};

/* The next line; reads where none is there. A descriptor that blocks never gives WIRE_WAIT. */
enum wire_got wire_next(struct wire *w, struct bytes *ret_line);
/* Whether a line is there already. */
bool wire_has_line(struct wire *w);

/* Writes all to a descriptor that blocks; false with errno. */
bool wire_write(int fd, const void *p, size_t n);

#endif
