/*
 * The reader of PDF over foreign files: it ends, quickly, on hostile ones; signed ones get the verdict on later changes that those who
 * collected them give, but for the differences listed in changes-differences.tsv; and an update leaves qpdf's verdict as it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ftw.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stages/base/file.h"
#include "stages/pdf/signatures.h"
#include "stages/pdf/update.h"

#define SLOWEST_MS 2000 /* sanitizers and all */

extern char **environ;
static char corpus[4096];
static size_t n_files, n_updated;

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void read_everything(struct bytes in)
{
	struct pdfdoc *d;
	struct pdfsig *list;
	struct err e;
	size_t n;
	if (pdfdoc_open(in, &d, &e) != ST_OK)
		return;
	for (uint32_t i = 0; i < pdfdoc_size(d); i++) {
		struct buf to = BUF_INIT(16 << 20);
		if (pdfobj_kind(pdfdoc_object(d, i)) == PDF_STREAM)
			pdfobj_stream(pdfdoc_object(d, i), &to, &e);
		buf_free(&to);
	}
	pdfdoc_pages(d, &n, &e);
	if (pdfsig_list(d, &list, &n, &e) == ST_OK)
		pdfsig_free(list, n);
	pdfdoc_close(d);
}

static int read_file(const char *path, const struct stat *s, int type, struct FTW *where)
{
	(void)s;
	(void)where;
	struct file_map m;
	struct err e;
	if (type != FTW_F || strcmp(path_extension(path), "pdf") != 0 || file_map_open(path, &m, &e) != ST_OK)
		return 0;
	int64_t start = now_ms();
	read_everything(m.in);
	if (now_ms() - start > SLOWEST_MS)
		fail_msg("%s took %lld ms", path, (long long)(now_ms() - start));
	file_map_close(&m);
	n_files++;
	return 0;
}

static void walk(const char *folder, int (*each)(const char *, const struct stat *, int, struct FTW *))
{
	char path[4200];
	snprintf(path, sizeof path, "%s/%s", corpus, folder);
	assert_int_equal(nftw(path, each, 16, FTW_PHYS), 0);
}

static void test_hostile(void **state)
{
	(void)state;
	if (corpus[0] == '\0')
		skip();
	walk("hostile/pdf", read_file);
	walk("pdfa", read_file);
	walk("signatures", read_file);
	assert_true(n_files > 1000);
	print_message("%zu files read\n", n_files);
}

/* "ok" where every signature is intact in its range and nothing forbidden follows, else why not. */
static void verdict(const char *path, char *to, size_t room)
{
	struct file_map m;
	struct pdfdoc *d;
	struct pdfsig *list;
	struct err e;
	size_t n;
	assert_int_equal(file_map_open(path, &m, &e), ST_OK);
	if (pdfdoc_open(m.in, &d, &e) != ST_OK) {
		snprintf(to, room, "%s", e.code);
	} else {
		snprintf(to, room, "ok");
		if (pdfsig_list(d, &list, &n, &e) != ST_OK) {
			snprintf(to, room, "%s", e.code);
		} else {
			for (size_t i = n; i-- > 0;)
				if (!list[i].range_ok || list[i].changes == PDFSIG_FORBIDDEN)
					snprintf(to, room, "%s", list[i].range_ok ? "changes" : "range");
			pdfsig_free(list, n);
		}
		pdfdoc_close(d);
	}
	file_map_close(&m);
}

/* The first fields of a line of tab-separated values. */
static size_t fields(char *line, char **ret_fields, size_t room)
{
	size_t n = 0;
	line[strcspn(line, "\n")] = '\0';
	for (char *at = line; at != NULL && n < room; n++)
		ret_fields[n] = strsep(&at, "\t");
	return n;
}

/* Whether a difference is listed for the file, with the verdict that we give. */
static bool listed(const char *file, const char *ours)
{
	FILE *f = fopen("tests/judge/changes-differences.tsv", "r");
	char *line = NULL, *v[4];
	size_t room = 0;
	bool found = false;
	assert_non_null(f);
	while (getline(&line, &room, f) > 0)
		found = found || (fields(line, v, 4) == 4 && strcmp(v[0], file) == 0 && strcmp(v[2], ours) == 0);
	free(line);
	fclose(f);
	return found;
}

static void test_changes(void **state)
{
	(void)state;
	if (corpus[0] == '\0')
		skip();
	char path[4200], ours[64], *line = NULL, *v[8];
	snprintf(path, sizeof path, "%s/signatures/manifest.tsv", corpus);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	size_t room = 0, n = 0, differing = 0, wrong = 0;
	while (getline(&line, &room, f) > 0) {
		if (fields(line, v, 8) < 8 || strcmp(v[0], "file") == 0 || strcmp(path_extension(v[0]), "pdf") != 0)
			continue;
		snprintf(path, sizeof path, "%s/signatures/%s", corpus, v[0]);
		verdict(path, ours, sizeof ours);
		bool differs = (strcmp(v[7], "yes") == 0) == (strcmp(ours, "ok") == 0);
		if (differs != listed(v[0], ours)) {
			print_message("%s: attack %s, ours %s, %s\n", v[0], v[7], ours,
			              differs ? "not listed" : "listed as a difference");
			wrong++;
		}
		differing += differs;
		n++;
	}
	free(line);
	fclose(f);
	print_message("%zu signed files, %zu differences\n", n, differing);
	assert_true(n > 50);
	assert_int_equal(wrong, 0);
}

/* qpdf's exit status, -1 where there is no qpdf. */
static int qpdf_check(const char *path)
{
	char *const argv[] = {"qpdf", "--check", (char *)(uintptr_t)path, NULL};
	posix_spawn_file_actions_t to_null;
	pid_t pid;
	int status;
	posix_spawn_file_actions_init(&to_null);
	posix_spawn_file_actions_addopen(&to_null, 1, "/dev/null", 1 /* O_WRONLY */, 0);
	posix_spawn_file_actions_adddup2(&to_null, 1, 2);
	int failed = posix_spawnp(&pid, "qpdf", &to_null, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&to_null);
	if (failed != 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) == 127)
		return -1;
	return WEXITSTATUS(status);
}

static int update_file(const char *path, const struct stat *s, int type, struct FTW *where)
{
	(void)s;
	(void)where;
	struct file_map m;
	struct pdfdoc *d;
	struct pdfupd *u;
	struct err e;
	/* Each tenth of the files that pass. */
	if (type != FTW_F || strstr(path, "-pass-") == NULL || n_files++ % 10 != 0 || file_map_open(path, &m, &e) != ST_OK)
		return 0;
	assert_int_equal(pdfdoc_open(m.in, &d, &e), ST_OK);
	assert_int_equal(pdfupd_new(d, &u, &e), ST_OK);
	struct buf body = BUF_INIT(1 << 20), to = BUF_INIT(1 << 20);
	uint32_t root = pdfobj_number(pdfdoc_catalog(d));
	buf_str(&body, "<<");
	pdfupd_print_without(u, root, NULL, &body);
	buf_str(&body, ">>");
	pdfupd_set(u, root, body.data, body.len);
	assert_int_equal(pdfupd_finish(u, &to, &e), ST_OK);
	char name[] = "/tmp/arkseal-pdf-corpus-XXXXXX";
	int fd = mkstemp(name);
	assert_true(fd >= 0);
	FILE *f = fdopen(fd, "w");
	fwrite(m.in.p, 1, m.in.n, f);
	fwrite(to.data, 1, to.len, f);
	assert_int_equal(fclose(f), 0);
	int before = qpdf_check(path), after = qpdf_check(name);
	unlink(name);
	/* 0: fine, 3: warnings, which an update may end (a wrong Size), 2: errors. */
	if (after > before)
		fail_msg("%s: qpdf says %d, after the update %d", path, before, after);
	n_updated += before >= 0;
	buf_free(&to);
	buf_free(&body);
	pdfupd_free(u);
	pdfdoc_close(d);
	file_map_close(&m);
	return 0;
}

static void test_update(void **state)
{
	(void)state;
	if (corpus[0] == '\0')
		skip();
	n_files = 0;
	walk("pdfa", update_file);
	print_message("%zu files updated and checked by qpdf\n", n_updated);
	assert_true(n_updated > 20);
}

int main(void)
{
	const char *given = getenv("ARKSEAL_CORPUS");
	if (given == NULL && access("../shared/corpus", R_OK) == 0)
		given = "../shared/corpus";
	if (given == NULL)
		printf("*** NOT RUN: there is no corpus (ARKSEAL_CORPUS, ../shared/corpus) ***\n");
	snprintf(corpus, sizeof corpus, "%s", given == NULL ? "" : given);
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_hostile), cmocka_unit_test(test_changes),
	                                   cmocka_unit_test(test_update)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
