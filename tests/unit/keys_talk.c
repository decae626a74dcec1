/* Messages between stages and services. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stages/trust/keys/talk.h"

#define B(text)                                                                                                                  \
	{                                                                                                                        \
		(const uint8_t *)(text), sizeof(text) - 1                                                                        \
	}

static void finds(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		struct bytes in;
		enum talk_found found;
	} cases[] = {
	    {"nothing", B(""), TALK_MORE},
	    {"half a length", B("\0\0\0"), TALK_MORE},
	    {"a length only", B("\0\0\0\1"), TALK_MORE},
	    {"no body", B("\0\0\0\1K"), TALK_MESSAGE},
	    {"body", B("\0\0\0\3Kab"), TALK_MESSAGE},
	    {"body and more", B("\0\0\0\3Kabc"), TALK_MESSAGE},
	    {"body cut off", B("\0\0\0\3Ka"), TALK_MORE},
	    {"no kind", B("\0\0\0\0"), TALK_BAD},
	    {"the longest", B("\0\0\0\x0c"), TALK_MORE},
	    {"too long", B("\0\0\0\x0d"), TALK_BAD},
	    {"much too long", B("\xff\xff\xff\xff"), TALK_BAD},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct talk_message m;
		enum talk_found got = talk_find(cases[i].in, 16, &m);
		if (got != cases[i].found)
			fail_msg("%s: %d, wanted %d", cases[i].what, got, cases[i].found);
	}
}

static void fault_travels(void **state)
{
	(void)state;
	struct err e, got = {0};
	struct talk_message m;
	BUF_AUTO struct buf b = BUF_INIT(8192);
	err_set(&e, ST_RETRY, "net-status", "HTTP status %d", 500);
	err_arg(&e, "http://a");
	err_arg(&e, "ư");
	err_where(&e, "here");
	talk_fault(&b, &e);
	assert_int_equal(talk_find((struct bytes){b.data, b.len}, 8192, &m), TALK_MESSAGE);
	assert_int_equal(m.kind, TALK_FAULT);
	assert_int_equal(m.size, b.len);
	assert_int_equal(talk_read_fault(m.body, &got), ST_RETRY);
	assert_memory_equal(&e, &got, sizeof e);

	/* Any body that was cut off, or changed in its numbers, is no fault. */
	for (size_t n = 0; n < m.body.n; n++) {
		assert_int_equal(talk_read_fault((struct bytes){m.body.p, n}, &got), ST_BUG);
		assert_string_equal(got.code, "service-answer");
	}
	uint8_t *body = b.data + (m.body.p - b.data);
	static const uint8_t bad[] = {ST_OK, ST_BUG + 1, 255};
	for (size_t i = 0; i < sizeof bad; i++) {
		body[3] = bad[i];
		assert_int_equal(talk_read_fault(m.body, &got), ST_BUG);
	}
}

static void calls(void **state)
{
	(void)state;
	int pair[2];
	struct err e = {0};
	struct talk_message m;
	BUF_AUTO struct buf out = BUF_INIT(64), in = BUF_INIT(64);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	talk_end(&out, talk_begin(&out, 7));
	assert_int_equal(write(pair[1], "\0\0\0\2\0x", 6), 6);
	assert_int_equal(talk_call(pair[0], &out, &in, 1000, "gone", &m, &e), ST_OK);
	assert_int_equal(m.body.n, 1);
	/* Nobody answers. */
	assert_int_equal(talk_call(pair[0], &out, &in, 50, "gone", &m, &e), ST_RETRY);
	assert_string_equal(e.code, "gone");
	/* Too long an answer. */
	assert_int_equal(write(pair[1], "\0\0\1\0", 4), 4);
	assert_int_equal(talk_call(pair[0], &out, &in, 1000, "gone", &m, &e), ST_RETRY);
	/* The end within an answer. */
	assert_int_equal(write(pair[1], "\0\0\0\5x", 5), 5);
	close(pair[1]);
	assert_int_equal(talk_call(pair[0], &out, &in, 1000, "gone", &m, &e), ST_RETRY);
	assert_string_equal(e.code, "gone");
	close(pair[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(finds), cmocka_unit_test(fault_travels), cmocka_unit_test(calls)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
