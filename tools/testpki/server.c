/*
 * arkseal-testpki: makes the test PKI and serves it on 127.0.0.1.
 *
 *   arkseal-testpki make DIR                  keys and certificates of the organisation's side
 *   arkseal-testpki make-people DIR           those of fixtures/pki
 *   arkseal-testpki serve DIR PEOPLE [PORT]   serves until SIGTERM; writes DIR/port when it listens
 *   arkseal-testpki get DIR PATH              one request to it; prints the answer's body
 *
 * It answers requests as a proxy does (GET http://pki.arkseal.test/root.crl) and direct ones (GET /root.crl) alike, one thread a
 * connection, with keep-alive. `/set?SERVICE=MODE&…` switches how a service behaves, `/count` tells how often each was asked.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stages/base/file.h"
#include "stages/base/text.h"
#include "tools/testpki/testpki.h"

#define MESSAGE_MAX (1u << 20)

/* ---- services and how they behave ---- */

/* A mode is a word, or a word and a value ("slow:" MS). Those that any service knows. */
static const char *const modes_any[] = {"ok",    "down", "slow:", "http500", "once500", "garbage", "truncated",
                                        "empty", "html", "loop",  "drip",    "huge",    NULL};
static const char *const modes_tsa[] = {"wrong-nonce", "wrong-imprint", "wrong-signer", "expired", "rejected", "clock:", NULL};
static const char *const modes_ocsp[] = {"revoked:",    "unknown",  "stale", "wrong-signer",
                                         "wrong-nonce", "no-nonce", "next:", NULL};
static const char *const modes_crl[] = {"revoked:", "stale", "wrong-signer", NULL};
static const char *const modes_none[] = {NULL};

enum kind { KIND_TSA, KIND_OCSP, KIND_CRL, KIND_CER };

static struct service {
	const char *name; /* as in switches and /count */
	enum kind kind;
	const char *const *modes;
	char mode[96];
	unsigned count;
} services[] = {
    {"tsa", KIND_TSA, modes_tsa, "ok", 0},           {"tsa2", KIND_TSA, modes_tsa, "ok", 0},
    {"people-tsa", KIND_TSA, modes_tsa, "ok", 0},    {"ocsp", KIND_OCSP, modes_ocsp, "ok", 0},
    {"people-ocsp", KIND_OCSP, modes_ocsp, "ok", 0}, {"crl", KIND_CRL, modes_crl, "ok", 0},
    {"people-crl", KIND_CRL, modes_crl, "ok", 0},    {"cer", KIND_CER, modes_none, "ok", 0},
};
#define N_SERVICES (sizeof services / sizeof services[0])
static pthread_mutex_t services_lock = PTHREAD_MUTEX_INITIALIZER; /* guards mode and count */

static const struct path {
	const char *path;
	const char *service;
	const char *name;      /* TSA: signer; OCSP, CRL: the CA; CER: the certificate */
	const char *responder; /* OCSP */
} paths[] = {
    {"/tsa", "tsa", "tsa", NULL},
    {"/tsa2", "tsa2", "tsa2", NULL},
    {"/people-tsa", "people-tsa", "people-tsa", NULL},
    {"/ocsp", "ocsp", "issuing", "ocsp"},
    {"/people-ocsp", "people-ocsp", "people-ca", "people-ocsp"},
    {"/root.crl", "crl", "root", NULL},
    {"/issuing.crl", "crl", "issuing", NULL},
    {"/people-root.crl", "people-crl", "people-root", NULL},
    {"/people-ca.crl", "people-crl", "people-ca", NULL},
    {"/root.cer", "cer", "root", NULL},
    {"/issuing.cer", "cer", "issuing", NULL},
    {"/people-root.cer", "cer", "people-root", NULL},
    {"/people-ca.cer", "cer", "people-ca", NULL},
};

static struct service *service_find(const char *name)
{
	for (size_t i = 0; i < N_SERVICES; i++)
		if (strcmp(services[i].name, name) == 0)
			return &services[i];
	return NULL;
}

static bool mode_listed(const char *const *list, const char *mode)
{
	for (; *list != NULL; list++) {
		size_t n = strlen(*list);
		bool with_value = (*list)[n - 1] == ':';
		if (with_value ? strncmp(*list, mode, n) == 0 && mode[n] != '\0' : strcmp(*list, mode) == 0)
			return true;
	}
	return false;
}

/* "tsa=down&ocsp=slow:300" or "reset". */
static bool switches_set(char *query)
{
	for (char *save = NULL, *word = strtok_r(query, "&", &save); word != NULL; word = strtok_r(NULL, "&", &save)) {
		char *mode = strchr(word, '=');
		if (mode == NULL && strcmp(word, "reset") != 0)
			return false;
		if (mode != NULL)
			*mode++ = '\0';
		struct service *s = mode == NULL ? NULL : service_find(word);
		if (mode != NULL && (s == NULL || strlen(mode) >= sizeof s->mode ||
		                     !(mode_listed(modes_any, mode) || mode_listed(s->modes, mode))))
			return false;
		pthread_mutex_lock(&services_lock);
		for (size_t i = 0; i < N_SERVICES; i++) {
			if (mode != NULL && s != &services[i])
				continue;
			snprintf(services[i].mode, sizeof services[i].mode, "%s", mode == NULL ? "ok" : mode);
			if (mode == NULL)
				services[i].count = 0;
		}
		pthread_mutex_unlock(&services_lock);
	}
	return true;
}

static void counts_write(struct buf *ret)
{
	pthread_mutex_lock(&services_lock);
	for (size_t i = 0; i < N_SERVICES; i++)
		buf_format(ret, "%s\"%s\":%u", i == 0 ? "{" : ",", services[i].name, services[i].count);
	pthread_mutex_unlock(&services_lock);
	buf_str(ret, "}\n");
}

/* ---- one request ---- */

struct reply {
	int status; /* 0: close the connection without a word */
	const char *type;
	char location[256];
	struct buf body;
	bool drips;  /* a byte each DRIP_US */
	size_t huge; /* so many bytes of nothing follow the body */
};

#define DRIP_US 200000
#define HUGE_BYTES ((size_t)1 << 30)

static void service_answer(const struct path *p, struct bytes request, struct reply *r)
{
	struct service *s = service_find(p->service);
	char mode[sizeof s->mode];
	pthread_mutex_lock(&services_lock);
	memcpy(mode, s->mode, sizeof mode);
	unsigned before = s->count++;
	pthread_mutex_unlock(&services_lock);

	static const char *const types[] = {[KIND_TSA] = "application/timestamp-reply",
	                                    [KIND_OCSP] = "application/ocsp-response",
	                                    [KIND_CRL] = "application/pkix-crl",
	                                    [KIND_CER] = "application/pkix-cert"};
	r->type = types[s->kind];
	if (strcmp(mode, "down") == 0) {
		r->status = 0;
		return;
	}
	if (strcmp(mode, "loop") == 0) {
		r->status = 302;
		snprintf(r->location, sizeof r->location, PKI_HOST "%s", p->path + 1);
		return;
	}
	if (strcmp(mode, "html") == 0) {
		r->type = "text/html";
		r->status = 200;
		buf_str(&r->body, "<!DOCTYPE html><title>Please log in</title>");
		return;
	}
	if (strncmp(mode, "slow:", 5) == 0)
		usleep((useconds_t)strtoul(mode + 5, NULL, 10) * 1000);
	bool ok = true;
	if (strcmp(mode, "garbage") == 0)
		buf_str(&r->body, "this is not what was asked for");
	else if (s->kind == KIND_TSA)
		ok = answer_tsa(mode, p->name, strcmp(p->name, "tsa") == 0, request, &r->body);
	else if (s->kind == KIND_OCSP)
		ok = answer_ocsp(mode, p->name, p->responder, request, &r->body);
	else if (s->kind == KIND_CRL)
		ok = answer_crl(mode, p->name, &r->body);
	else
		ok = answer_certificate(p->name, &r->body);
	if (strcmp(mode, "truncated") == 0)
		r->body.len /= 2;
	if (strcmp(mode, "empty") == 0)
		r->body.len = 0;
	r->drips = strcmp(mode, "drip") == 0;
	r->huge = strcmp(mode, "huge") == 0 ? HUGE_BYTES : 0;
	bool fails = strcmp(mode, "http500") == 0 || (strcmp(mode, "once500") == 0 && before == 0);
	r->status = fails ? 500 : ok ? 200 : 400;
}

/* What tests of the network process need: /test/KIND/NUMBER. */
static void test_answer(const char *what, struct bytes request, struct reply *r)
{
	const char *slash = strchr(what, '/');
	unsigned long number = slash == NULL ? 0 : strtoul(slash + 1, NULL, 10);
	r->type = "text/plain";
	if (strncmp(what, "redirect/", 9) == 0 && number > 0) {
		r->status = 302;
		snprintf(r->location, sizeof r->location, PKI_HOST "test/redirect/%lu", number - 1);
		return;
	}
	if (strncmp(what, "loop/", 5) == 0) {
		r->status = 302;
		snprintf(r->location, sizeof r->location, PKI_HOST "test/loop/1");
		return;
	}
	if (strncmp(what, "file/", 5) == 0) {
		r->status = 302;
		snprintf(r->location, sizeof r->location, "file:///etc/passwd");
		return;
	}
	if (strncmp(what, "status/", 7) == 0) {
		r->status = (int)number;
		return;
	}
	if (strncmp(what, "slow/", 5) == 0)
		usleep((useconds_t)number * 1000);
	if (strncmp(what, "large/", 6) == 0) {
		uint8_t *to = buf_reserve(&r->body, number);
		if (to != NULL) {
			memset(to, 'x', number);
			r->body.len += number;
		}
	} else if (request.n > 0) {
		buf_add(&r->body, request.p, request.n);
	} else {
		buf_str(&r->body, "hello\n");
	}
	r->status = 200;
}

static void answer(char *target, struct bytes request, struct reply *r)
{
	if (strncmp(target, "http://", 7) == 0) {
		target = strchr(target + 7, '/');
		if (target == NULL) {
			r->status = 404;
			return;
		}
	}
	r->type = "application/json";
	r->status = 200;
	if (strcmp(target, "/count") == 0) {
		counts_write(&r->body);
		return;
	}
	if (strncmp(target, "/set?", 5) == 0) {
		bool ok = switches_set(target + 5);
		r->status = ok ? 200 : 400;
		buf_str(&r->body, ok ? "{\"set\":true}\n" : "{\"set\":false}\n");
		return;
	}
	if (strncmp(target, "/test/", 6) == 0) {
		test_answer(target + 6, request, r);
		return;
	}
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		if (strcmp(paths[i].path, target) == 0) {
			service_answer(&paths[i], request, r);
			return;
		}
	}
	r->status = 404;
}

/* ---- connections ---- */

static bool send_all(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

/* Reads until `in` holds at least `want` bytes, or (want 0) the empty line that ends the head. Returns how many, or 0. */
static size_t receive(int fd, struct buf *in, size_t want)
{
	for (;;) {
		const uint8_t *end = in->len == 0 ? NULL : memmem(in->data, in->len, "\r\n\r\n", 4);
		if (want == 0 && end != NULL)
			return (size_t)(end - in->data) + 4;
		if (want > 0 && in->len >= want)
			return want;
		uint8_t *to = buf_reserve(in, 4096);
		ssize_t got = to == NULL ? 0 : recv(fd, to, 4096, 0);
		if (got <= 0)
			return 0;
		in->len += (size_t)got;
	}
}

static size_t content_length(const char *head)
{
	const char *at = strcasestr(head, "\r\ncontent-length:");
	return at == NULL ? 0 : strtoul(at + 17, NULL, 10);
}

/* The body, in the way that the reply wants; false: the other end is gone. */
static bool send_body(int fd, const struct reply *r)
{
	static const uint8_t nothing[65536];
	bool ok = true;
	if (!r->drips)
		ok = send_all(fd, r->body.data, r->body.len);
	for (size_t i = 0; ok && r->drips && i < r->body.len; i++) {
		ok = send_all(fd, r->body.data + i, 1);
		usleep(DRIP_US);
	}
	for (size_t left = r->huge; ok && left > 0; left -= sizeof nothing)
		ok = send_all(fd, nothing, sizeof nothing);
	return ok;
}

/* One request and its answer; false: the connection is at its end. */
static bool serve_one(int fd, struct buf *in)
{
	size_t head_n = receive(fd, in, 0);
	if (head_n == 0)
		return false;
	char *head = strndup((const char *)in->data, head_n);
	char target[2048] = "";
	size_t length = content_length(head), all = head_n + length;
	bool ok = length <= MESSAGE_MAX && sscanf(head, "%*15s %2047s", target) == 1;
	bool last = strcasestr(head, "\r\nconnection: close") != NULL;
	if (ok && strcasestr(head, "\r\nexpect: 100-continue") != NULL)
		ok = send_all(fd, (const uint8_t *)"HTTP/1.1 100 Continue\r\n\r\n", 25);
	free(head);
	if (!ok || (length > 0 && receive(fd, in, all) == 0))
		return false;

	struct reply r = {.body = BUF_INIT(64u << 20)};
	answer(target, (struct bytes){in->data + head_n, length}, &r);
	memmove(in->data, in->data + all, in->len - all);
	in->len -= all;
	BUF_AUTO struct buf out = BUF_INIT(4096);
	buf_format(&out, "HTTP/1.1 %d %s\r\nContent-Length: %zu\r\n", r.status, r.status == 200 ? "OK" : "Other",
	           r.body.len + r.huge);
	if (r.type != NULL)
		buf_format(&out, "Content-Type: %s\r\n", r.type);
	if (r.location[0] != '\0')
		buf_format(&out, "Location: %s\r\n", r.location);
	buf_str(&out, "\r\n");
	bool sent = r.status != 0 && !out.failed && send_all(fd, out.data, out.len) && send_body(fd, &r);
	buf_free(&r.body);
	return sent && !last;
}

static void *connection_main(void *arg)
{
	int fd = (int)(intptr_t)arg, on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	BUF_AUTO struct buf in = BUF_INIT(MESSAGE_MAX + 65536);
	while (serve_one(fd, &in))
		;
	close(fd);
	return NULL;
}

/* A socket on 127.0.0.1 and nowhere else; port 0: any. */
static int loopback(uint16_t port, bool serve)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	int failed = serve ? bind(fd, (struct sockaddr *)&to, sizeof to) != 0 || listen(fd, 256) != 0
	                   : connect(fd, (struct sockaddr *)&to, sizeof to) != 0;
	if (failed) {
		close(fd);
		return -1;
	}
	return fd;
}

static int serve(const char *folder, const char *people, uint16_t port)
{
	if (!pairs_load(folder) || !pairs_load(people) || pair_find("root") == NULL || pair_find("people-root") == NULL) {
		fprintf(stderr, "testpki: the certificates in %s and %s cannot be read\n", folder, people);
		return 1;
	}
	int fd = loopback(port, true);
	if (fd < 0 && port != 0)
		fd = loopback(0, true); /* somebody else has it now */
	struct sockaddr_in at = {0};
	socklen_t n = sizeof at;
	if (fd < 0 || getsockname(fd, (struct sockaddr *)&at, &n) != 0) {
		perror("testpki: listen");
		return 1;
	}
	char text[16], *path = path_join(folder, "port");
	struct err e;
	snprintf(text, sizeof text, "%u\n", ntohs(at.sin_port));
	enum status st = file_write(path, text, strlen(text), &e);
	free(path);
	if (st != ST_OK) {
		fprintf(stderr, "testpki: %s\n", e.detail);
		return 1;
	}
	pthread_attr_t detached;
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	for (;;) {
		int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		pthread_t thread;
		if (client >= 0 && pthread_create(&thread, &detached, connection_main, (void *)(intptr_t)client) != 0)
			close(client);
		else if (client < 0 && errno != EINTR && errno != ECONNABORTED)
			usleep(10000); /* out of descriptors: connections will end */
	}
}

static int get(const char *folder, const char *target)
{
	char *path = path_join(folder, "port");
	BUF_AUTO struct buf b = BUF_INIT(64u << 20);
	struct err e;
	enum status st = file_read(path, &b, &e);
	free(path);
	int fd = st == ST_OK ? loopback((uint16_t)atoi((const char *)b.data), false) : -1;
	if (fd < 0) {
		fprintf(stderr, "testpki: nobody serves %s\n", folder);
		return 1;
	}
	buf_reset(&b);
	buf_format(&b, "GET %s HTTP/1.1\r\nHost: pki.arkseal.test\r\nConnection: close\r\n\r\n", target);
	send_all(fd, b.data, b.len);
	buf_reset(&b);
	for (ssize_t got = 1; got > 0;) {
		uint8_t *to = buf_reserve(&b, 65536);
		got = to == NULL ? 0 : recv(fd, to, 65536, 0);
		b.len += got > 0 ? (size_t)got : 0;
	}
	close(fd);
	const char *body = b.len == 0 ? NULL : memmem(b.data, b.len, "\r\n\r\n", 4);
	if (body == NULL)
		return 1;
	body += 4;
	fwrite(body, 1, b.len - (size_t)(body - (const char *)b.data), stdout);
	return strncmp((const char *)b.data, "HTTP/1.1 200", 12) != 0;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	int64_t port = 0;
	if (argc == 3 && strcmp(argv[1], "make") == 0)
		return !pki_make(argv[2]);
	if (argc == 3 && strcmp(argv[1], "make-people") == 0)
		return !pki_make_people(argv[2]);
	if (argc == 4 && strcmp(argv[1], "get") == 0)
		return get(argv[2], argv[3]);
	if (argc >= 4 && argc <= 5 && strcmp(argv[1], "serve") == 0 && (argc == 4 || number_parse(argv[4], 0, UINT16_MAX, &port)))
		return serve(argv[2], argv[3], (uint16_t)port);
	fprintf(stderr, "usage: arkseal-testpki make DIR | make-people DIR | serve DIR PEOPLE [PORT] | get DIR PATH\n");
	return 2;
}
