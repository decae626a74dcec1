/* The notice table: sentences, and that every code in the sources has one row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <ctype.h>
#include <ftw.h>
#include <stdio.h>

#include "pipeline/notice.h"
#include "stages/base/file.h"

static void test_sentences(void **state)
{
	struct err e;
	BUF_AUTO struct buf vi = BUF_INIT(4096), en = BUF_INIT(4096), unknown = BUF_INIT(4096);
	(void)state;
	err_set(&e, ST_ITEM, "worker-time", "too long");
	err_arg(&e, "convert");
	err_arg(&e, "%d", 600);
	notice_sentence(&e, true, &en);
	assert_string_equal((char *)en.data,
	                    "The stage convert took longer than 600 seconds for the document (limits.item-seconds).");
	notice_sentence(&e, false, &vi);
	assert_non_null(strstr((char *)vi.data, "convert xử lý tài liệu quá 600 giây"));
	/* A code that a newer stage brings: better its detail than nothing. */
	err_set(&e, ST_ITEM, "no-such-code", "the detail");
	notice_sentence(&e, true, &unknown);
	assert_string_equal((char *)unknown.data, "no-such-code: the detail");
}

static void test_whole_notice(void **state)
{
	struct err e;
	BUF_AUTO struct buf text = BUF_INIT(1 << 16);
	struct item *it = item_new();
	(void)state;
	item_set(&it->id, "a/b");
	item_set(&it->dossier, "D1");
	item_add_source(it, "/in/a/b.jpg", 1, "");
	err_set(&e, ST_ITEM, "file-not-regular", "a pipe");
	err_where(&e, "/in/a/b.jpg");
	item_fail(it, &e);
	notice_print(it, &text);
	static const char *const parts[] = {"Tài liệu: a/b",
	                                    "Hồ sơ: D1",
	                                    "Tệp: /in/a/b.jpg",
	                                    "Cách xử lý: ",
	                                    "Document: a/b",
	                                    "Dossier: D1",
	                                    "What is wrong: This is not a regular file.",
	                                    "[file-not-regular] a pipe"};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (strstr((char *)text.data, parts[i]) == NULL)
			fail_msg("«%s» is not in the notice:\n%s", parts[i], (char *)text.data);
	item_free(it);
}

static void test_table(void **state)
{
	size_t n;
	const struct notice *table = notice_table(&n);
	int wrong = 0;
	(void)state;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = i + 1; k < n; k++) {
			if (strcmp(table[i].code, table[k].code) == 0) {
				print_error("%s has two rows\n", table[i].code);
				wrong++;
			}
		}
		for (int k = 0; k < 2; k++) {
			if (table[i].text[k][0] == '\0' || table[i].remedy[k][0] == '\0') {
				print_error("%s has an empty sentence\n", table[i].code);
				wrong++;
			}
		}
	}
	assert_int_equal(wrong, 0);
}

/* Sources */

static int missing, seen;

static void want(const char *code, const char *path)
{
	seen++;
	if (notice_find(code) != NULL)
		return;
	print_error("%s: %s has no row in pipeline/notices/\n", path, code);
	missing++;
}

/* The text literals of the argument at `at`, until its comma at depth 0; what stands before a '?' is a condition. */
static const char *literals(const char *at, const char *prefix, const char *path)
{
	for (int depth = 0; *at != '\0' && (depth > 0 || (*at != ',' && *at != ')')); at++) {
		depth += *at == '(' ? 1 : *at == ')' ? -1 : 0;
		if (*at != '"')
			continue;
		const char *end = strchr(at + 1, '"');
		char code[100];
		if (end == NULL)
			break;
		if (depth == 0 && end > at + 1) {
			snprintf(code, sizeof code, "%s%.*s", prefix, (int)(end - at - 1), at + 1);
			want(code, path);
		}
		at = end;
	}
	return at;
}

/* Behind the nth comma at depth 0. */
static const char *argument(const char *at, int n)
{
	for (int depth = 0; *at != '\0' && n > 0; at++) {
		depth += *at == '(' ? 1 : *at == ')' ? -1 : 0;
		n -= *at == ',' && depth == 0;
	}
	return at;
}

static void scan(const char *text, const char *path, const char *call, int before, const char *prefix)
{
	for (const char *at = text; (at = strstr(at, call)) != NULL;) {
		bool whole = at == text || (!isalnum((unsigned char)at[-1]) && at[-1] != '_');
		at += strlen(call);
		if (whole)
			literals(argument(at, before), prefix, path);
	}
}

static int visit(const char *path, const struct stat *info, int kind, struct FTW *place)
{
	BUF_AUTO struct buf text = BUF_INIT(4u << 20);
	struct err e;
	(void)info;
	(void)place;
	size_t n = strlen(path);
	if (kind != FTW_F || n < 2 || strcmp(path + n - 2, ".c") != 0)
		return 0;
	if (file_read(path, &text, &e) != ST_OK || text.len == 0)
		return 1;
	scan((const char *)text.data, path, "err_set(", 2, "");
	scan((const char *)text.data, path, "err_errno(", 1, "file-");
	return 0;
}

static void test_every_code(void **state)
{
	(void)state;
	assert_int_equal(nftw("stages", visit, 16, FTW_PHYS), 0);
	assert_int_equal(nftw("pipeline", visit, 16, FTW_PHYS), 0);
	assert_true(seen > 100);
	assert_int_equal(missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sentences),
	    cmocka_unit_test(test_whole_notice),
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_every_code),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
