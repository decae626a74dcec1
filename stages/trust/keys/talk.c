#include "stages/trust/keys/talk.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD 5 /* length and kind */

enum talk_found talk_find(struct bytes received, size_t max, struct talk_message *ret_message)
{
	if (received.n < 4)
		return TALK_MORE;
	struct rd r = RD_INIT(received.p, received.n);
	size_t n = rd_u32be(&r);
	if (n < 1 || n > max - 4)
		return TALK_BAD;
	if (n > rd_left(&r))
		return TALK_MORE;
	ret_message->kind = rd_u8(&r);
	ret_message->body = rd_take(&r, n - 1);
	ret_message->size = n + 4;
	return TALK_MESSAGE;
}

void talk_drop(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n + 1); /* with the zero behind */
	b->len -= n;
}

size_t talk_begin(struct buf *out, uint8_t kind)
{
	size_t place = out->len;
	talk_number(out, 0);
	buf_byte(out, kind);
	return place;
}

void talk_end(struct buf *out, size_t place)
{
	if (out->failed)
		return;
	size_t n = out->len - place - 4;
	for (size_t i = 0; i < 4; i++)
		out->data[place + i] = (uint8_t)(n >> (24 - 8 * i));
}

void talk_number(struct buf *out, uint32_t n)
{
	uint8_t b[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
	buf_add(out, b, sizeof b);
}

void talk_bytes(struct buf *out, struct bytes b)
{
	if (b.n > UINT32_MAX) {
		out->failed = true;
		return;
	}
	talk_number(out, (uint32_t)b.n);
	buf_add(out, b.p, b.n);
}

void talk_text(struct buf *out, const char *text)
{
	const char *t = text == NULL ? "" : text;
	talk_bytes(out, (struct bytes){(const uint8_t *)t, strlen(t)});
}

void talk_fault(struct buf *out, const struct err *e)
{
	size_t place = talk_begin(out, TALK_FAULT);
	talk_number(out, (uint32_t)e->status);
	talk_text(out, e->code);
	talk_text(out, e->detail);
	talk_text(out, e->where);
	talk_number(out, (uint32_t)e->n_args);
	for (size_t i = 0; i < e->n_args; i++)
		talk_text(out, e->arg[i]);
	talk_end(out, place);
}

struct bytes talk_read_bytes(struct rd *r)
{
	return rd_take(r, rd_u32be(r));
}

void talk_read_text(struct rd *r, char *to, size_t room)
{
	struct bytes b = talk_read_bytes(r);
	to[0] = '\0';
	if (r->failed || b.n >= room || memchr(b.p, 0, b.n) != NULL) {
		r->failed = true;
		return;
	}
	memcpy(to, b.p, b.n);
	to[b.n] = '\0';
}

enum status talk_read_fault(struct bytes body, struct err *e)
{
	struct rd r = RD_INIT(body.p, body.n);
	struct err got = {0};
	uint32_t status = rd_u32be(&r);
	talk_read_text(&r, got.code, sizeof got.code);
	talk_read_text(&r, got.detail, sizeof got.detail);
	talk_read_text(&r, got.where, sizeof got.where);
	got.n_args = rd_u32be(&r);
	if (got.n_args > ERR_ARGS)
		r.failed = true;
	for (size_t i = 0; !r.failed && i < got.n_args; i++)
		talk_read_text(&r, got.arg[i], sizeof got.arg[i]);
	if (r.failed || rd_left(&r) != 0 || status <= ST_OK || status > ST_BUG || got.code[0] == '\0')
		return err_set(e, ST_BUG, "service-answer", "a service answered with something that is no fault record");
	got.status = (enum status)status;
	if (e != NULL)
		*e = got;
	return got.status;
}

/* ---- moving bytes ---- */

static int64_t clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

bool talk_receive(int fd, struct buf *in)
{
	uint8_t chunk[16384];
	ssize_t n = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	buf_add(in, chunk, (size_t)n);
	return n > 0 && !in->failed;
}

bool talk_send(int fd, struct buf *out)
{
	if (out->failed)
		return false;
	if (out->len == 0)
		return true;
	ssize_t n = send(fd, out->data, out->len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	talk_drop(out, (size_t)n);
	return true;
}

/* Waits until fd can be read or written, or the moment `until` has come. */
static bool wait_for(int fd, short events, int64_t until)
{
	for (;;) {
		int64_t left = until - clock_ms();
		struct pollfd p = {.fd = fd, .events = events};
		int n = poll(&p, 1, left < 0 ? 0 : (int)left);
		if (n > 0)
			return true;
		if (n == 0 || errno != EINTR)
			return false;
	}
}

enum status talk_call(int fd, const struct buf *out, struct buf *in, int timeout_ms, const char *gone,
                      struct talk_message *ret_answer, struct err *e)
{
	int64_t until = clock_ms() + timeout_ms;
	for (size_t at = 0; at < out->len;) {
		ssize_t n = send(fd, out->data + at, out->len - at, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0)
			at += (size_t)n;
		else if (errno == EAGAIN ? !wait_for(fd, POLLOUT, until) : errno != EINTR)
			return err_set(e, ST_RETRY, gone, "the service takes no request: %s", strerror(errno));
	}
	buf_reset(in);
	for (;;) {
		switch (talk_find((struct bytes){in->data, in->len}, in->max, ret_answer)) {
		case TALK_MESSAGE:
			return ST_OK;
		case TALK_BAD:
			return err_set(e, ST_RETRY, gone, "the service's answer is longer than allowed");
		case TALK_MORE:
			break;
		}
		if (!wait_for(fd, POLLIN, until))
			return err_set(e, ST_RETRY, gone, "the service has not answered within %d ms", timeout_ms);
		if (!talk_receive(fd, in))
			return err_set(e, ST_RETRY, gone, "the service has ended");
	}
}

int talk_accept(int control_fd)
{
	char byte;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec io = {&byte, 1};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	ssize_t n = recvmsg(control_fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? -1 : -2;
	if (n == 0)
		return -2;
	int fd = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int got;
			memcpy(&got, CMSG_DATA(c) + i * sizeof(int), sizeof got);
			if (fd < 0)
				fd = got;
			else
				close(got);
		}
	}
	return fd;
}

void talk_ready(int ready_fd, const struct err *e)
{
	BUF_AUTO struct buf line = BUF_INIT(4096);
	if (e == NULL)
		buf_str(&line, "ok");
	else
		buf_format(&line, "%s\t%s\t%s\t%s", e->code, e->detail, e->where, status_name(e->status));
	for (size_t i = 0; i < line.len; i++)
		if (line.data[i] == '\n')
			line.data[i] = ' ';
	buf_byte(&line, '\n');
	/* Nobody who reads is no fault of ours. */
	ssize_t n = line.failed ? 0 : write(ready_fd, line.data, line.len);
	(void)n;
	close(ready_fd);
}
