/* Notes of uses of the key: what is written is read again; what cannot be read counts as a use that was lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "stages/base/file.h"
#include "stages/sign/use.h"

static char folder[] = "/tmp/sign-use-XXXXXX";

static char *note_path(void)
{
	return path_join(folder, "note");
}

static int start(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL;
}

static int stop(void **state)
{
	(void)state;
	struct err e;
	return file_remove_tree(folder, &e) != ST_OK;
}

static void open_note(struct key_use *u)
{
	struct err e;
	if (use_open(note_path(), u, &e) != ST_OK)
		fail_msg("%s: %s", e.code, e.detail);
}

static void test_again(void **state)
{
	(void)state;
	struct key_use u, again;
	struct err e;
	open_note(&u);
	assert_int_equal(u.used_ms, 0);
	use_discard(&u, "there is nothing to discard");
	assert_int_equal(json_array_size(u.discarded), 0);
	strcpy(u.input, "ab");
	strcpy(u.digest, "cd");
	strcpy(u.serial, "01");
	u.used_ms = 1000;
	u.time_ms = 2000;
	u.room = 300;
	buf_add(&u.cms, "\0\xff\x10", 3);
	assert_int_equal(use_save(&u, &e), ST_OK);
	open_note(&again);
	assert_string_equal(again.input, "ab");
	assert_string_equal(again.digest, "cd");
	assert_string_equal(again.serial, "01");
	assert_int_equal(again.used_ms, 1000);
	assert_int_equal(again.time_ms, 2000);
	assert_int_equal(again.room, 300);
	assert_int_equal(again.cms.len, 3);
	assert_memory_equal(again.cms.data, "\0\xff\x10", 3);
	use_free(&u);

	use_discard(&again, "of a reason");
	assert_int_equal(again.used_ms, 0);
	assert_int_equal(use_save(&again, &e), ST_OK);
	use_free(&again);
	open_note(&u);
	assert_int_equal(u.used_ms, 0);
	assert_int_equal(json_array_size(u.discarded), 1);
	struct item *it = item_new();
	use_tell(&u, it, 5000);
	assert_int_equal(json_array_size(it->events), 1);
	const json_t *event = json_array_get(it->events, 0);
	assert_string_equal(json_string_value(json_object_get(event, "outcome")), "failure");
	assert_string_equal(
	    json_string_value(json_object_get(event, "detail")),
	    "a use of the key was discarded: of a reason; used 1970-01-01T00:00:01+00:00, certificate 01, digest cd");
	item_free(it);
	use_free(&u);
}

#define REST "\"input\":\"a\",\"digest\":\"b\",\"serial\":\"c\",\"time\":1,\"discarded\":[]"

static void test_unreadable(void **state)
{
	(void)state;
	static const char *const notes[] = {
	    "",
	    "{",
	    "[]",
	    "{}",
	    "{\"discarded\":{}}",
	    "{\"used\":1,\"room\":10,\"cms\":\"\",\"discarded\":[]}",
	    "{\"used\":-1,\"room\":10,\"cms\":\"\"," REST "}",
	    "{\"used\":1,\"room\":0,\"cms\":\"\"," REST "}",
	    "{\"used\":1,\"room\":99999999,\"cms\":\"\"," REST "}",
	    "{\"used\":1,\"room\":10," REST "}",
	    "{\"used\":1,\"room\":10,\"cms\":\"abc\"," REST "}",
	    "{\"used\":1,\"room\":10,\"cms\":\"-1\"," REST "}",
	    "{\"used\":1,\"room\":10,\"cms\":\"xy\"," REST "}",
	    "{\"used\":1,\"room\":10,\"cms\":7," REST "}",
	};
	for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
		struct key_use u;
		struct err e;
		char *path = note_path();
		assert_int_equal(file_write(path, notes[i], strlen(notes[i]), &e), ST_OK);
		free(path);
		open_note(&u);
		if (u.used_ms != 0 || u.cms.len != 0 || json_array_size(u.discarded) != 1)
			fail_msg("%s: %zu discarded", notes[i], json_array_size(u.discarded));
		assert_string_equal(json_string_value(json_object_get(json_array_get(u.discarded, 0), "reason")),
		                    "its note cannot be read");
		use_free(&u);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_again), cmocka_unit_test(test_unreadable)};
	return cmocka_run_group_tests(tests, start, stop);
}
