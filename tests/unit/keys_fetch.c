/* The network process against the test PKI's server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stages/base/text.h"
#include "stages/trust/fetch.h"
#include "tests/unit/keys_pki.h"

#define HOST "http://pki.arkseal.test/"

static struct pki_service service;

static int run(const void *config, int control_fd, int ready_fd)
{
	return fetch_main(config, control_fd, ready_fd);
}

static struct fetch *client(void)
{
	struct fetch *f = NULL;
	int fd = service_connect(&service);
	assert_true(fd >= 0);
	assert_int_equal(fetch_open(fd, &f, NULL), ST_OK);
	return f;
}

static const struct fetch_request plain = {.url = HOST "test/hello", .max_bytes = 65536, .timeout_ms = 5000};

static void answers(void **state)
{
	(void)state;
	struct err e = {0};
	struct fetch *f = client();
	BUF_AUTO struct buf body = BUF_INIT(1u << 20);
	assert_int_equal(fetch_do(f, &plain, &body, &e), ST_OK);
	assert_string_equal((const char *)body.data, "hello\n");

	/* What is posted comes back; the answer is appended. */
	struct fetch_request r = plain;
	r.url = HOST "test/echo";
	r.content_type = "application/octet-stream";
	r.accept = "text/plain";
	r.body = (struct bytes){(const uint8_t *)"a\0b", 3};
	assert_int_equal(fetch_do(f, &r, &body, &e), ST_OK);
	assert_int_equal(body.len, 9);
	assert_memory_equal(body.data, "hello\na\0b", 9);

	r = plain;
	r.url = HOST "issuing.crl";
	r.accept = "application/pkix-crl";
	buf_reset(&body);
	assert_int_equal(fetch_do(f, &r, &body, &e), ST_OK);
	assert_int_equal(body.data[0], 0x30);
	fetch_close(f);
}

static void faults(void **state)
{
	(void)state;
	static const struct {
		const char *what, *url, *accept;
		uint32_t max_bytes, timeout_ms;
		enum status st;
		const char *code;
	} cases[] = {
	    {"as large as allowed", HOST "test/large/1000", NULL, 1000, 5000, ST_OK, ""},
	    {"one byte too large", HOST "test/large/1001", NULL, 1000, 5000, ST_RETRY, "net-too-large"},
	    {"much too large", HOST "test/large/30000000", NULL, 1000, 5000, ST_RETRY, "net-too-large"},
	    {"3 redirects", HOST "test/redirect/3", NULL, 1000, 5000, ST_OK, ""},
	    {"4 redirects", HOST "test/redirect/4", NULL, 1000, 5000, ST_RETRY, "net-status"},
	    {"redirects for ever", HOST "test/loop/1", NULL, 1000, 5000, ST_RETRY, "net-status"},
	    {"redirect to a file", HOST "test/file/1", NULL, 100000, 5000, ST_RETRY, "net-status"},
	    {"not there", HOST "nothing", NULL, 1000, 5000, ST_RETRY, "net-status"},
	    {"500", HOST "test/status/500", NULL, 1000, 5000, ST_RETRY, "net-status"},
	    {"204", HOST "test/status/204", NULL, 1000, 5000, ST_RETRY, "net-status"},
	    {"another type", HOST "test/hello", "application/ocsp-response", 1000, 5000, ST_RETRY, "net-type"},
	    {"a type that only begins so", HOST "test/hello", "text/plai", 1000, 5000, ST_RETRY, "net-type"},
	    {"slow", HOST "test/slow/3000", NULL, 1000, 300, ST_RETRY, "net-timeout"},
	    {"slow enough", HOST "test/slow/100", NULL, 1000, 5000, ST_OK, ""},
	    {"file", "file:///etc/passwd", NULL, 1000, 5000, ST_ITEM, "net-url"},
	    {"ftp", "ftp://pki.arkseal.test/x", NULL, 1000, 5000, ST_ITEM, "net-url"},
	    {"no host", "http://", NULL, 1000, 5000, ST_ITEM, "net-url"},
	    {"a space", "http://a/b c", NULL, 1000, 5000, ST_ITEM, "net-url"},
	    {"a new line", "http://a/b\r\nX: y", NULL, 1000, 5000, ST_ITEM, "net-url"},
	    {"a user", "http://user:word@pki.arkseal.test/test/hello", NULL, 1000, 5000, ST_ITEM, "net-url"},
	    {"a port that is none", "http://pki.arkseal.test:99999/", NULL, 1000, 5000, ST_ITEM, "net-url"},
	};
	struct fetch *f = client();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = {0};
		BUF_AUTO struct buf body = BUF_INIT(64u << 20);
		struct fetch_request r = plain;
		r.url = cases[i].url;
		r.accept = cases[i].accept;
		r.max_bytes = cases[i].max_bytes;
		r.timeout_ms = cases[i].timeout_ms;
		enum status st = fetch_do(f, &r, &body, &e);
		if (st != cases[i].st || strcmp(e.code, cases[i].code) != 0)
			fail_msg("%s: %s %s (%s), wanted %s %s", cases[i].what, status_name(st), e.code, e.detail,
			         status_name(cases[i].st), cases[i].code);
	}
	fetch_close(f);
}

static void server_down(void **state)
{
	(void)state;
	struct err e = {0};
	struct fetch *f = client();
	BUF_AUTO struct buf body = BUF_INIT(1u << 20);
	struct fetch_request r = plain;
	r.url = HOST "root.crl";
	assert_true(pki_set("crl=down"));
	assert_int_equal(fetch_do(f, &r, &body, &e), ST_RETRY);
	assert_string_equal(e.code, "net-connect");
	assert_int_equal(body.len, 0);
	assert_true(pki_set("crl=ok"));
	assert_int_equal(fetch_do(f, &r, &body, &e), ST_OK);
	fetch_close(f);
}

static void *slow_one(void *arg)
{
	struct fetch *f = arg;
	BUF_AUTO struct buf body = BUF_INIT(1u << 20);
	struct fetch_request r = plain;
	r.url = HOST "test/slow/600";
	enum status st = fetch_do(f, &r, &body, NULL);
	return st == ST_OK ? arg : NULL;
}

/* Eight slow answers at once take as long as one, and a client that goes meanwhile takes nobody along. */
static void side_by_side(void **state)
{
	(void)state;
	pthread_t threads[8];
	struct fetch *clients[8];
	int64_t begin = time_now_ms();
	for (size_t i = 0; i < 8; i++) {
		clients[i] = client();
		assert_int_equal(pthread_create(&threads[i], NULL, slow_one, clients[i]), 0);
	}
	int hurried = service_connect(&service);
	assert_int_equal(write(hurried, "\0\0\0\x40", 4), 4);
	close(hurried);
	int rude = service_connect(&service);
	assert_int_equal(write(rude, "\xff\xff\xff\xff", 4), 4);
	char byte;
	assert_int_equal(read(rude, &byte, 1), 0);
	close(rude);
	for (size_t i = 0; i < 8; i++) {
		void *got = NULL;
		assert_int_equal(pthread_join(threads[i], &got), 0);
		assert_non_null(got);
		fetch_close(clients[i]);
	}
	assert_true(time_now_ms() - begin < 8 * 600);
}

static int setup(void **state)
{
	(void)state;
	static struct fetch_config config;
	if (pki_start() == NULL)
		return -1;
	config.proxy = pki_proxy();
	return service_start(&service, run, &config) && strcmp(service.ready, "ok") == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	int status = service_stop(&service);
	pki_stop();
	return status;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers),
	    cmocka_unit_test(faults),
	    cmocka_unit_test(server_down),
	    cmocka_unit_test(side_by_side),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
