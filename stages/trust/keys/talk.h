/*
 * Messages between a stage and a service process (key holder, network process).
 *
 * A message, both ways on a stream socket: 4 bytes big-endian length of what follows (at least 1), 1 byte kind, body. In a body a
 * number is 4 bytes big-endian, and a text or bytes are their length as such a number and then themselves.
 *
 * A request has the kinds that its service names. An answer is TALK_DONE with a body of the service's, or TALK_FAULT with a
 * struct err: number status, text code, detail, where, number of args, texts.
 *
 * Nothing here is safe against a change of the same buffer by two threads; a service and its client are single-threaded.
 */
#ifndef ARKSEAL_TRUST_KEYS_TALK_H
#define ARKSEAL_TRUST_KEYS_TALK_H

#include "stages/base/buf.h"
#include "stages/base/err.h"

enum { TALK_DONE = 0, TALK_FAULT = 1 };

struct talk_message {
	uint8_t kind;
	struct bytes body; /* inside the buffer that it was found in */
	size_t size;       /* of the whole message, head included */
};

enum talk_found {
	TALK_MORE,    /* the message is not whole yet */
	TALK_MESSAGE, /* *ret_message is set */
	TALK_BAD,     /* longer than max, or shorter than its kind */
};
/* Looks at the start of what was received. max counts the whole message. */
enum talk_found talk_find(struct bytes received, size_t max, struct talk_message *ret_message);
/* Removes the first n bytes of a buffer. */
void talk_drop(struct buf *b, size_t n);

/* Begins a message; its place is handed to talk_end, which writes the length. A buffer that failed stays failed. */
size_t talk_begin(struct buf *out, uint8_t kind);
void talk_end(struct buf *out, size_t place);
void talk_number(struct buf *out, uint32_t n);
void talk_bytes(struct buf *out, struct bytes b);
void talk_text(struct buf *out, const char *text); /* NULL as "" */
/* A whole TALK_FAULT. */
void talk_fault(struct buf *out, const struct err *e);

struct bytes talk_read_bytes(struct rd *r);
/* Text into room bytes with a zero at its end; too long, or a zero byte inside: r fails. */
void talk_read_text(struct rd *r, char *to, size_t room);
/* Fills *e from a TALK_FAULT's body; returns its status. A body that is none becomes ST_BUG "service-answer". */
enum status talk_read_fault(struct bytes body, struct err *e);

/* The client's side: sends `out` (messages that are whole), then waits for one answer into *in (reset first). A peer that is gone,
 * silent for timeout_ms in all, or talks nonsense gives ST_RETRY with the code `gone`; the connection is of no use then. */
enum status talk_call(int fd, const struct buf *out, struct buf *in, int timeout_ms, const char *gone,
                      struct talk_message *ret_answer, struct err *e);

/* The service's side of struct service in pipeline/stage.h. */

/* The next client's socket (close-on-exec) from a control socket that is readable; -1: nothing this time; -2: closed. */
int talk_accept(int control_fd);
/* Tells that the service has started (e NULL) or why not: "ok\n" or "code\tdetail\twhere\tstatus\n". Closes ready_fd. */
void talk_ready(int ready_fd, const struct err *e);
/* Receives what is there into *in; false: the peer is gone. */
bool talk_receive(int fd, struct buf *in);
/* Sends what can be sent of *out and removes it; false: the peer is gone. */
bool talk_send(int fd, struct buf *out);

#endif
