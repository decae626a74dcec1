#include "stages/trust/fetch.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "stages/trust/keys/curl.h"
#include "stages/trust/keys/fetch_wire.h"

#define CLIENTS_MAX 256
#define CONNECT_TIMEOUT_MS 10000L

/* A stage at the other end of a socket, and the transfer that it waits for. */
struct client {
	int fd;
	struct buf in, out;

	CURL *easy; /* NULL: nothing in flight */
	struct curl_slist *headers;
	char url[FETCH_URL_MAX], type[128], accept[128];
	uint32_t max_bytes, timeout_ms;
	struct bytes body; /* inside `in`, which is left alone while in flight */
	struct buf answer;
	char fault[CURL_ERROR_SIZE];
};

struct service {
	const struct fetch_config *config;
	CURLM *multi;
	struct client *clients[CLIENTS_MAX];
	size_t n_clients;
	int control_fd; /* -1: closed */
};

static void transfer_free(struct service *s, struct client *c)
{
	if (c->easy != NULL) {
		curl.curl_multi_remove_handle(s->multi, c->easy);
		curl.curl_easy_cleanup(c->easy);
	}
	curl.curl_slist_free_all(c->headers);
	buf_free(&c->answer);
	c->easy = NULL;
	c->headers = NULL;
}

static void client_free(struct service *s, struct client *c)
{
	transfer_free(s, c);
	close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
}

static size_t receive(char *p, size_t size, size_t n, void *arg)
{
	struct client *c = arg;
	buf_add(&c->answer, p, size * n);
	return c->answer.failed ? 0 : size * n;
}

/* Reads a request; false: it is none, and the client is sent away. */
static bool request_read(struct client *c, struct bytes body)
{
	struct rd r = RD_INIT(body.p, body.n);
	talk_read_text(&r, c->url, sizeof c->url);
	talk_read_text(&r, c->type, sizeof c->type);
	talk_read_text(&r, c->accept, sizeof c->accept);
	c->max_bytes = rd_u32be(&r);
	c->timeout_ms = rd_u32be(&r);
	c->body = talk_read_bytes(&r);
	if (r.failed || rd_left(&r) != 0 || strpbrk(c->type, "\r\n") != NULL || strpbrk(c->accept, "\r\n") != NULL ||
	    c->max_bytes > FETCH_ANSWER_MAX)
		return false;
	if (c->timeout_ms == 0 || c->timeout_ms > FETCH_TIMEOUT_MAX_MS)
		c->timeout_ms = FETCH_TIMEOUT_MAX_MS;
	return fetch_url_allowed(c->url);
}

static bool header_add(struct client *c, const char *name, const char *value)
{
	char line[160];
	snprintf(line, sizeof line, "%s: %s", name, value);
	struct curl_slist *longer = curl.curl_slist_append(c->headers, line);
	if (longer == NULL)
		return false;
	c->headers = longer;
	return true;
}

static bool transfer_setup(const struct service *s, struct client *c)
{
	CURL *h = c->easy;
	long timeout = (long)c->timeout_ms;
	bool ok = true;
#define SET(option, value) ok = ok && curl.curl_easy_setopt(h, option, value) == CURLE_OK
	SET(CURLOPT_URL, c->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, 3L);
	SET(CURLOPT_POSTREDIR, (long)CURL_REDIR_POST_ALL);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_USERAGENT, "arkseal");
	/* The site file alone decides on the proxy: "" keeps out what the environment says. */
	SET(CURLOPT_PROXY, s->config->proxy == NULL ? "" : s->config->proxy);
	SET(CURLOPT_NOPROXY, "");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_TIMEOUT_MS, timeout);
	SET(CURLOPT_CONNECTTIMEOUT_MS, timeout < CONNECT_TIMEOUT_MS ? timeout : CONNECT_TIMEOUT_MS);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)c->max_bytes);
	SET(CURLOPT_WRITEFUNCTION, receive);
	SET(CURLOPT_WRITEDATA, c);
	SET(CURLOPT_ERRORBUFFER, c->fault);
	SET(CURLOPT_PRIVATE, c);
	if (c->accept[0] != '\0')
		ok = ok && header_add(c, "Accept", c->accept);
	if (c->type[0] != '\0') {
		ok = ok && header_add(c, "Content-Type", c->type) && header_add(c, "Expect", "");
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body.n);
		SET(CURLOPT_POSTFIELDS, c->body.n == 0 ? "" : (const char *)c->body.p);
	}
	SET(CURLOPT_HTTPHEADER, c->headers);
#undef SET
	return ok;
}

static void answer_fault(struct client *c, enum status st, const char *code, const char *detail, long number)
{
	struct err e;
	err_set(&e, st, code, "%s (%s)", detail, c->url);
	err_arg(&e, "%s", c->url);
	err_arg(&e, "%ld", number);
	talk_fault(&c->out, &e);
}

/* "application/ocsp-response; charset=x" is what "Application/OCSP-Response" asks for. */
static bool type_fits(const char *type, const char *accept)
{
	size_t n = strlen(accept);
	return accept[0] == '\0' ||
	       (type != NULL && strncasecmp(type, accept, n) == 0 && (type[n] == '\0' || type[n] == ';' || type[n] == ' '));
}

static void answer_result(struct client *c, CURLcode result)
{
	long status = 0;
	char *type = NULL;
	curl.curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	curl.curl_easy_getinfo(c->easy, CURLINFO_CONTENT_TYPE, &type);
	const char *detail = c->fault[0] != '\0' ? c->fault : curl.curl_easy_strerror(result);
	if (c->answer.failed || result == CURLE_FILESIZE_EXCEEDED) {
		answer_fault(c, ST_RETRY, "net-too-large", "the answer is longer than allowed", (long)c->max_bytes);
	} else if (result == CURLE_OPERATION_TIMEDOUT) {
		answer_fault(c, ST_RETRY, "net-timeout", detail, (long)c->timeout_ms);
	} else if (result == CURLE_TOO_MANY_REDIRECTS || (status >= 300 && status < 400)) {
		/* curl names a redirect to another protocol as if the request itself had named it. */
		answer_fault(c, ST_RETRY, "net-status", detail, status);
	} else if (result == CURLE_URL_MALFORMAT || result == CURLE_UNSUPPORTED_PROTOCOL || result == CURLE_LOGIN_DENIED) {
		answer_fault(c, ST_ITEM, "net-url", detail, 0);
	} else if (result != CURLE_OK) {
		answer_fault(c, ST_RETRY, "net-connect", detail, (long)result);
	} else if (status != 200) {
		char text[64];
		snprintf(text, sizeof text, "HTTP status %ld", status);
		answer_fault(c, ST_RETRY, "net-status", text, status);
	} else if (!type_fits(type, c->accept)) {
		char text[300];
		snprintf(text, sizeof text, "content type %.100s instead of %s", type == NULL ? "(none)" : type, c->accept);
		answer_fault(c, ST_RETRY, "net-type", text, 0);
	} else {
		size_t place = talk_begin(&c->out, TALK_DONE);
		buf_add(&c->out, c->answer.data, c->answer.len);
		talk_end(&c->out, place);
	}
}

/* Takes the next request of a client that waits for nothing. false: the client is sent away. */
static bool client_next(struct service *s, struct client *c)
{
	struct talk_message m;
	if (c->easy != NULL || c->out.len > 0)
		return true;
	switch (talk_find((struct bytes){c->in.data, c->in.len}, FETCH_REQUEST_MAX, &m)) {
	case TALK_MORE:
		return true;
	case TALK_BAD:
		return false;
	case TALK_MESSAGE:
		break;
	}
	if (m.kind != FETCH_ASK || m.size != c->in.len || !request_read(c, m.body))
		return false;
	buf_free(&c->out);
	c->out = BUF_INIT((size_t)c->max_bytes + FETCH_ANSWER_EXTRA);
	c->answer = BUF_INIT(c->max_bytes);
	c->fault[0] = '\0';
	c->easy = curl.curl_easy_init();
	if (c->easy != NULL && transfer_setup(s, c) && curl.curl_multi_add_handle(s->multi, c->easy) == CURLM_OK)
		return true;
	answer_fault(c, ST_RETRY, "net-connect", "the transfer cannot be set up", 0);
	transfer_free(s, c);
	buf_reset(&c->in);
	return true;
}

/* What poll said about a client. false: it goes. */
static bool client_turn(struct service *s, struct client *c, short events)
{
	/* While a transfer is under way nothing may come but the end of the connection: the request lies in `in`. */
	if ((events & CURL_WAIT_POLLIN) != 0 && (c->easy != NULL || !talk_receive(c->fd, &c->in)))
		return false;
	if ((events & CURL_WAIT_POLLOUT) != 0 && !talk_send(c->fd, &c->out))
		return false;
	return client_next(s, c);
}

static void transfers_end(struct service *s)
{
	int left;
	for (CURLMsg *m; (m = curl.curl_multi_info_read(s->multi, &left)) != NULL;) {
		if (m->msg != CURLMSG_DONE)
			continue;
		struct client *c = NULL;
		CURLcode result = m->data.result;
		curl.curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
		answer_result(c, result);
		transfer_free(s, c);
		buf_reset(&c->in);
		/* Most answers go out at once; the next turn finds out about the others, and about a client that has gone. */
		(void)talk_send(c->fd, &c->out);
	}
}

static void accept_clients(struct service *s)
{
	int fd = talk_accept(s->control_fd);
	if (fd == -2) {
		close(s->control_fd);
		s->control_fd = -1;
	}
	if (fd < 0)
		return;
	struct client *c = s->n_clients == CLIENTS_MAX ? NULL : calloc(1, sizeof *c);
	if (c == NULL) {
		close(fd);
		return;
	}
	c->fd = fd;
	c->in = BUF_INIT(FETCH_REQUEST_MAX);
	c->out = BUF_INIT(FETCH_ANSWER_EXTRA);
	s->clients[s->n_clients++] = c;
}

static bool turn(struct service *s)
{
	struct curl_waitfd fds[CLIENTS_MAX + 1];
	unsigned n = 0;
	for (size_t i = 0; i < s->n_clients; i++) {
		const struct client *c = s->clients[i];
		short want = CURL_WAIT_POLLIN;
		if (c->out.len > 0)
			want |= CURL_WAIT_POLLOUT;
		fds[n++] = (struct curl_waitfd){.fd = c->fd, .events = want};
	}
	if (s->control_fd >= 0)
		fds[n++] = (struct curl_waitfd){.fd = s->control_fd, .events = CURL_WAIT_POLLIN};
	int running;
	if (curl.curl_multi_poll(s->multi, fds, n, 10000, NULL) != CURLM_OK)
		return false;
	size_t kept = 0, n_clients = s->n_clients;
	for (size_t i = 0; i < n_clients; i++) {
		if (client_turn(s, s->clients[i], fds[i].revents))
			s->clients[kept++] = s->clients[i];
		else
			client_free(s, s->clients[i]);
	}
	s->n_clients = kept;
	if (s->control_fd >= 0 && fds[n_clients].revents != 0)
		accept_clients(s);
	if (curl.curl_multi_perform(s->multi, &running) != CURLM_OK)
		return false;
	transfers_end(s);
	return true;
}

int fetch_main(const struct fetch_config *config, int control_fd, int ready_fd)
{
	struct err e;
	struct service s = {.config = config, .control_fd = control_fd};
	signal(SIGPIPE, SIG_IGN);
	if (curl_load(&e) != ST_OK) {
		talk_ready(ready_fd, &e);
		return 3;
	}
	if (curl.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (s.multi = curl.curl_multi_init()) == NULL) {
		err_set(&e, ST_RUN, "net-gone", "libcurl does not start");
		talk_ready(ready_fd, &e);
		return 3;
	}
	talk_ready(ready_fd, NULL);
	bool ok = true;
	while (ok && (s.control_fd >= 0 || s.n_clients > 0))
		ok = turn(&s);
	for (size_t i = 0; i < s.n_clients; i++)
		client_free(&s, s.clients[i]);
	if (s.control_fd >= 0)
		close(s.control_fd);
	curl.curl_multi_cleanup(s.multi);
	curl.curl_global_cleanup();
	return ok ? 0 : 3;
}
