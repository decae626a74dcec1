/* Libraries that are loaded when they are wanted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stages/base/library.h"

static void test_load(void **state)
{
	(void)state;
	static const struct {
		const char *label, *soname, *names[2];
		enum status status;
		const char *detail; /* how it begins */
	} rows[] = {
	    {"both there", "libz.so.1", {"zlibVersion", "crc32"}, ST_OK, ""},
	    {"no such library",
	     "libnothing-of-this-name.so.1",
	     {"zlibVersion", "crc32"},
	     ST_RUN,
	     "libnothing-of-this-name.so.1: "},
	    {"no such function", "libz.so.1", {"zlibVersion", "no_such_function"}, ST_RUN, "no_such_function: "},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		print_message("%s\n", rows[i].label);
		struct {
			const char *(*version)(void);
			unsigned long (*sum)(unsigned long, const unsigned char *, unsigned);
		} z = {0};
		struct err e = {0};
		assert_int_equal(library_load(rows[i].soname, rows[i].names, 2, &z, &e), rows[i].status);
		if (rows[i].status == ST_OK) {
			assert_int_equal(*z.version(), '1');
			assert_int_equal(z.sum(0, (const unsigned char *)"123456789", 9), 0xcbf43926);
		} else {
			assert_string_equal(e.code, "library");
			assert_memory_equal(e.detail, rows[i].detail, strlen(rows[i].detail));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_load)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
