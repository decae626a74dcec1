/* Hostile workbooks and ZIPs of other projects: each is read or refused clearly, in bounded time and memory. The corpus says which
 * must be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "stages/base/file.h"
#include "stages/sheet/sheet.h"

static char *corpus(const char *path)
{
	const char *folder = getenv("ARKSEAL_CORPUS");
	return path_join(folder ? folder : "../shared/corpus", path);
}

static void judge(const char *file, const char *format, const char *expected)
{
	struct book *b = NULL;
	struct err e = {0};
	struct timespec start, end;
	char below[8192];
	snprintf(below, sizeof below, "hostile/archive/%s", file);
	char *path = corpus(below);
	clock_gettime(CLOCK_MONOTONIC, &start);
	enum status st = book_load(path, &b, &e);
	clock_gettime(CLOCK_MONOTONIC, &end);
	bool workbook = strcmp(format, "xlsx") == 0;
	if (end.tv_sec - start.tv_sec > 10)
		fail_msg("%s took %ld s", file, (long)(end.tv_sec - start.tv_sec));
	if (st != ST_OK && (st != ST_ITEM || e.code[0] == 0 || e.detail[0] == 0))
		fail_msg("%s: status %d without a clear fault: %s", file, st, e.detail);
	if (workbook && strcmp(expected, "read") == 0 && st != ST_OK)
		fail_msg("%s must be read: %s: %s", file, e.code, e.detail);
	/* A plain ZIP is no workbook, so all of them are refused. */
	if ((!workbook || strcmp(expected, "reject_clear") == 0) && st == ST_OK)
		fail_msg("%s (%s) must be refused", file, format);
	book_free(b);
	free(path);
}

static void test_corpus(void **state)
{
	char *manifest = corpus("hostile/archive/manifest.tsv"), line[4096];
	FILE *f = fopen(manifest, "r");
	struct rusage used;
	unsigned n = 0;
	(void)state;
	if (f == NULL) {
		fprintf(stderr, "\n*** NOT RUN: %s is not there; set ARKSEAL_CORPUS to the corpus ***\n\n", manifest);
		free(manifest);
		return;
	}
	while (fgets(line, sizeof line, f) != NULL) {
		char *column[11] = {line}, *at = line;
		size_t k = 1;
		for (; k < 11 && (at = strchr(at, '\t')) != NULL; k++) {
			*at++ = 0;
			column[k] = at;
		}
		if (k < 11 || strcmp(column[0], "file") == 0)
			continue;
		judge(column[0], column[7], column[8]);
		n++;
	}
	fclose(f);
	free(manifest);
	getrusage(RUSAGE_SELF, &used);
	printf("%u files, %ld MiB at most\n", n, used.ru_maxrss / 1024);
	assert_true(n > 20);
#if !defined(__SANITIZE_ADDRESS__)
	assert_true(used.ru_maxrss < 256 * 1024);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_corpus)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
