/* What the system's error numbers mean for a document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "stages/base/err.h"

static enum status status_of(int number, const char *verb, struct err *e)
{
	errno = number;
	enum status st = err_errno(e, verb, "/a/b");
	assert_int_equal(e->status, st);
	assert_int_equal(errno, number);
	assert_string_equal(e->where, "/a/b");
	assert_string_equal(e->arg[0], strerror(number));
	return st;
}

static void test_passes(void **state)
{
	/* Of disks that are full or failing, of shares that go away, of a host that lacks something. */
	static const int passing[] = {ENOSPC,     EDQUOT,       EROFS,     EIO,       ESTALE,       EBUSY,
	                              ENOLCK,     ENODEV,       ENXIO,     ETIMEDOUT, ENOTCONN,     ECONNREFUSED,
	                              ECONNRESET, ECONNABORTED, EHOSTDOWN, ENETDOWN,  EHOSTUNREACH, ENETUNREACH,
	                              ENOMEM,     EMFILE,       ENFILE,    EINTR,     EAGAIN};
	static const char *const verbs[] = {"open", "read", "map", "stat", "create", "write", "rename", "remove"};
	struct err e;
	(void)state;
	for (size_t v = 0; v < sizeof verbs / sizeof verbs[0]; v++)
		for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
			assert_int_equal(status_of(passing[i], verbs[v], &e), ST_RETRY);
}

static void test_whose_file(void **state)
{
	static const int refused[] = {ENOENT, EACCES, EPERM};
	struct err e;
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		assert_int_equal(status_of(refused[i], "open", &e), ST_ITEM);
		assert_string_equal(e.code, "file-open");
		assert_int_equal(status_of(refused[i], "read", &e), ST_ITEM);
		assert_int_equal(status_of(refused[i], "create", &e), ST_RETRY);
		assert_int_equal(status_of(refused[i], "write", &e), ST_RETRY);
		assert_int_equal(status_of(refused[i], "rename", &e), ST_RETRY);
		assert_int_equal(status_of(refused[i], "remove", &e), ST_RETRY);
		assert_string_equal(e.code, "file-remove");
	}
}

static void test_documents_own(void **state)
{
	static const int own[] = {ENAMETOOLONG, ELOOP, EISDIR, ENOTDIR, EINVAL, EILSEQ, EOVERFLOW};
	struct err e;
	(void)state;
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
		assert_int_equal(status_of(own[i], "open", &e), ST_ITEM);
		assert_int_equal(status_of(own[i], "create", &e), ST_ITEM);
	}
	assert_int_equal(status_of(EFBIG, "write", &e), ST_ITEM);
	assert_string_equal(e.code, "file-limit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_passes),
	    cmocka_unit_test(test_whose_file),
	    cmocka_unit_test(test_documents_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
