#include "stages/trust/fetch.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "stages/trust/keys/fetch_wire.h"

struct fetch {
	int fd;
	bool broken; /* an answer may still be under way: nothing more is asked here */
};

bool fetch_url_allowed(const char *url)
{
	const char *rest = strncasecmp(url, "http://", 7) == 0 ? url + 7 : strncasecmp(url, "https://", 8) == 0 ? url + 8 : NULL;
	if (rest == NULL || *rest == '\0' || *rest == '/' || strlen(url) >= FETCH_URL_MAX)
		return false;
	for (const char *c = url; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return true;
}

enum status fetch_open(int fd, struct fetch **ret_fetch, struct err *e)
{
	struct fetch *f = calloc(1, sizeof *f);
	if (f == NULL) {
		close(fd);
		return err_set(e, ST_RETRY, "memory", "no memory");
	}
	f->fd = fd;
	*ret_fetch = f;
	return ST_OK;
}

void fetch_close(struct fetch *f)
{
	if (f == NULL)
		return;
	close(f->fd);
	free(f);
}

enum status fetch_do(struct fetch *f, const struct fetch_request *r, struct buf *ret_body, struct err *e)
{
	if (!fetch_url_allowed(r->url)) {
		err_set(e, ST_ITEM, "net-url", "not an http or https address: %.200s", r->url);
		err_arg(e, "%.200s", r->url);
		return ST_ITEM;
	}
	if (f->broken)
		return err_set(e, ST_RETRY, "net-gone", "the connection to the network process is broken");
	BUF_AUTO struct buf out = BUF_INIT(FETCH_REQUEST_MAX);
	size_t place = talk_begin(&out, FETCH_ASK);
	talk_text(&out, r->url);
	talk_text(&out, r->content_type);
	talk_text(&out, r->accept);
	talk_number(&out, r->max_bytes);
	talk_number(&out, r->timeout_ms);
	talk_bytes(&out, r->body);
	talk_end(&out, place);
	if (out.failed)
		return err_set(e, ST_ITEM, "net-url", "the request is longer than %u bytes", FETCH_REQUEST_MAX);

	if (r->max_bytes > FETCH_ANSWER_MAX)
		return err_set(e, ST_BUG, "net-too-large", "an answer of %u bytes is more than may be asked for", r->max_bytes);

	BUF_AUTO struct buf in = BUF_INIT((size_t)r->max_bytes + FETCH_ANSWER_EXTRA);
	struct talk_message answer;
	/* The network process keeps the time; its answer to a time-out needs a moment to come. */
	int timeout_ms = (int)(r->timeout_ms > FETCH_TIMEOUT_MAX_MS ? FETCH_TIMEOUT_MAX_MS : r->timeout_ms) + 5000;
	enum status st = talk_call(f->fd, &out, &in, timeout_ms, "net-gone", &answer, e);
	f->broken = st != ST_OK;
	if (st != ST_OK)
		return st;
	if (answer.kind != TALK_DONE)
		return talk_read_fault(answer.body, e);
	buf_add(ret_body, answer.body.p, answer.body.n);
	if (ret_body->failed) {
		err_set(e, ST_RETRY, "net-too-large", "the answer does not fit in its buffer: %zu bytes", answer.body.n);
		err_arg(e, "%.200s", r->url);
		return ST_RETRY;
	}
	return ST_OK;
}
