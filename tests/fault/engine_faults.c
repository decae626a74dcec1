/* The engine end to end with stages that do next to nothing: killed at random, met by crashes, hangs and faults that pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stages/base/file.h"

static const char *tool;
static char base[] = "/tmp/arkseal_fault_XXXXXX";
static char here[300]; /* the folder of the test at hand */

static const char *at(const char *name)
{
	static char path[16][700];
	static unsigned turn;
	char *p = path[turn++ % 16];
	snprintf(p, sizeof path[0], "%s/%s", here, name);
	return p;
}

static void put(const char *name, const char *text)
{
	struct err e = {0};
	assert_int_equal(file_write(at(name), text, strlen(text), &e), ST_OK);
}

static void begin(const char *name, const char *stages, const char *limits)
{
	struct err e;
	char profile[600];
	snprintf(here, sizeof here, "%s/%s", base, name);
	assert_int_equal(file_make_folders(at("in"), &e), ST_OK);
	snprintf(profile, sizeof profile, "name: test\nstages: [%s]\nlimits:\n  %s\n", stages, limits);
	put("test.yaml", profile);
	put("site.yaml", "organisation: Test\nkey: \"pkcs11:token=x\"\njobs: 2\n");
}

static void document(const char *name, const char *text)
{
	char path[200];
	snprintf(path, sizeof path, "in/%s", name);
	put(path, text);
}

static pid_t start_words(const char *const *words)
{
	pid_t pid = fork();
	if (pid == 0) {
		int log = open(at("log"), O_WRONLY | O_CREAT | O_APPEND, 0666);
		dup2(log, 1);
		dup2(log, 2);
		execv(tool, (char *const *)(uintptr_t)words);
		_exit(99);
	}
	return pid;
}

static pid_t start(void)
{
	const char *const words[] = {
	    tool, "run", at("in"), "--profile", at("test.yaml"), "--out", strdup(at("out")), "--site", strdup(at("site.yaml")),
	    NULL};
	pid_t pid = start_words(words);
	free((void *)(uintptr_t)words[6]);
	free((void *)(uintptr_t)words[8]);
	return pid;
}

/* Exit code, or minus the signal. */
static int end_of(pid_t pid)
{
	int status;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int run(void)
{
	return end_of(start());
}

static void rest(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* How many names in a folder satisfy: contains `part` (NULL: all). */
static int count(const char *folder, const char *part)
{
	DIR *d = opendir(at(folder));
	int n = 0;
	if (d == NULL)
		return 0;
	for (const struct dirent *one; (one = readdir(d)) != NULL;)
		n += strcmp(one->d_name, ".") != 0 && strcmp(one->d_name, "..") != 0 &&
		     (part == NULL || strstr(one->d_name, part));
	closedir(d);
	return n;
}

static int times(const char *path, const char *word)
{
	BUF_AUTO struct buf b = BUF_INIT(64u << 20);
	struct err e;
	int n = 0;
	if (file_read(at(path), &b, &e) != ST_OK || b.len == 0)
		return 0;
	for (const char *p = (const char *)b.data; (p = strstr(p, word)) != NULL; p++)
		n++;
	return n;
}

static void fill(int dossiers, int each)
{
	char name[40], text[80];
	for (int d = 0; d < dossiers; d++) {
		for (int i = 0; i < each; i++) {
			snprintf(name, sizeof name, "d%03d-%03d", d, i);
			snprintf(text, sizeof text, "document %s\n", name);
			document(name, text);
		}
	}
}

/* Every package is there once and whole, nothing is left over, every document has one signature. */
static void check_whole(int dossiers, int each)
{
	char name[80], sealed[80];
	assert_int_equal(count("out", "AIP_"), dossiers * 2);
	assert_int_equal(count("out", NULL), dossiers * 2 + 1); /* and .arkseal */
	assert_int_equal(count("out/.arkseal/work", NULL), 1);  /* sign.log */
	for (int d = 0; d < dossiers; d++) {
		snprintf(name, sizeof name, "out/AIP_d%03d", d);
		assert_int_equal(count(name, NULL), each);
		snprintf(sealed, sizeof sealed, "out/AIP_d%03d.seal", d);
		assert_int_equal(access(at(sealed), F_OK), 0);
		for (int i = 0; i < each; i++) {
			snprintf(name, sizeof name, "out/AIP_d%03d/d%03d-%03d", d, d, i);
			assert_int_equal(times(name, "signed "), 1);
			assert_int_equal(times(name, "converted"), 1);
		}
	}
}

#define ALL "ingest, convert, sign, bundle, validate"
#define LIMITS "item-seconds: 30\n  retries: 1\n  item-memory-mib: 512\n  pause-limit-s: 30"

static void test_killed(void **state)
{
	(void)state;
	begin("killed", ALL, LIMITS);
	fill(40, 5);
	srand(20240607);
	int code = -1, kills = 0;
	for (int tries = 0; tries < 60 && code != 0; tries++) {
		pid_t pid = start();
		if (kills < 12) {
			rest(100 + rand() % 700);
			kills += kill(pid, SIGKILL) == 0;
		}
		code = end_of(pid);
		assert_true(code == 0 || code == -SIGKILL);
	}
	assert_int_equal(code, 0);
	check_whole(40, 5);
	/* Some documents were in flight at each kill (a second's worth is entered at a time), none of the others is signed again. */
	int signatures = times("out/.arkseal/work/sign.log", "\n");
	assert_true(signatures >= 200);
	assert_int_equal(run(), 0);
	assert_int_equal(times("out/.arkseal/work/sign.log", "\n"), signatures);
	check_whole(40, 5);
}

static void test_poisoned(void **state)
{
	(void)state;
	begin("poisoned", ALL, "item-seconds: 2\n  retries: 1\n  item-memory-mib: 512\n  pause-limit-s: 30");
	fill(4, 3);
	document("x1-crash", "crash\n");
	document("x1-good", "good\n");
	document("x2-hang", "hang\n");
	document("x3-fail", "fail\n");
	document("x4-secret", "secret\n");
	document("x5-lie", "lie\n");
	document("x6-once", "once\n");
	assert_int_equal(run(), 1);
	assert_int_equal(count("out", "AIP_"), 10); /* four whole dossiers and x6, with their seals */
	assert_int_equal(count("out/quarantine", ".txt"), 5);
	assert_int_equal(count("out/quarantine", ".json"), 5);
	assert_int_equal(times("out/quarantine/x1-crash.txt", "worker-crash"), 2);
	assert_int_equal(times("out/quarantine/x2-hang.txt", "worker-time"), 2);
	assert_int_equal(times("out/quarantine/x3-fail.txt", "test-fail"), 4);
	assert_int_equal(times("out/quarantine/x4-secret.txt", "BỊ TỪ CHỐI"), 1);
	assert_int_equal(times("out/quarantine/x5-lie.txt", "worker-answer"), 2);
	assert_true(times("log", "x1: 1") > 0); /* the dossier waits, with one of its two */
	/* Nothing new: nothing is tried again by itself. */
	assert_int_equal(run(), 1);
	assert_int_equal(count("out/quarantine", ".txt"), 5);
	/* Mended files begin anew by themselves; after a mended cause it takes a person. */
	document("x1-crash", "mended\n");
	document("x4-secret", "open\n");
	assert_int_equal(run(), 1);
	assert_int_equal(count("out/quarantine", ".txt"), 3);
	assert_int_equal(access(at("out/AIP_x1/x1-good"), F_OK), 0);
	assert_int_equal(access(at("out/AIP_x4/x4-secret"), F_OK), 0);
	const char *const retry[] = {tool, "retry", at("out"), "x3-fail", NULL};
	assert_int_equal(end_of(start_words(retry)), 0);
	assert_int_equal(count("out/quarantine", ".txt"), 2);
	assert_int_equal(run(), 1);
	assert_int_equal(count("out/quarantine", ".txt"), 3);
}

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#else
#define WITH_ASAN 0
#endif

/* Documents that cost their workers: each is tried once more in a fresh one, set aside with the reason, and the others are done. */
static void test_costly(void **state)
{
	static const struct {
		const char *name, *code, *detail;
	} cases[] = {
	    {"c1-crash", "worker-crash", "signal 9"},
	    {"c2-words", "worker-crash", "signal 6 (Aborted); its last message: the last words of c2-words"},
	    {"c3-burn", "worker-cpu", "more than 1 s of CPU time"},
	    {"c4-leak", "worker-memory", "no memory for the pages"},
	};
	size_t n = sizeof cases / sizeof cases[0] - WITH_ASAN;
	char name[80];
	(void)state;
	begin("costly", ALL,
	      "item-seconds: 60\n  item-cpu-seconds: 1\n  retries: 1\n  item-memory-mib: 256\n  pause-limit-s: 30");
	fill(3, 3);
	for (size_t i = 0; i < n; i++)
		document(cases[i].name, cases[i].name + 3);
	if (WITH_ASAN)
		print_message("NOT RUN: %s: the address space is not limited under AddressSanitizer\n", cases[n].name);
	assert_int_equal(run(), 1);
	assert_int_equal(count("out", "AIP_"), 6);
	assert_int_equal(count("out/quarantine", ".txt"), (int)n);
	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof name, "%s\n", cases[i].name);
		assert_int_equal(times("out/.arkseal/work/tries.log", name), 2);
		snprintf(name, sizeof name, "out/quarantine/%s.txt", cases[i].name);
		assert_true(times(name, cases[i].code) > 0);
		assert_true(times(name, cases[i].detail) > 0);
	}
	/* Nothing of it is tried again by itself. */
	assert_int_equal(run(), 1);
	assert_int_equal(times("out/.arkseal/work/tries.log", "\n"), (int)n * 2);
}

static void test_stopped(void **state)
{
	(void)state;
	begin("stopped", ALL, LIMITS);
	fill(40, 5);
	document("d020-002", "wait\n"); /* so that the run cannot end by itself */
	pid_t pid = start();
	rest(700);
	/* A second run while the first is at work says so and ends. */
	assert_int_equal(run(), 3);
	char holder[40];
	snprintf(holder, sizeof holder, "%d", pid);
	assert_true(times("log", holder) > 0);
	assert_int_equal(kill(pid, SIGTERM), 0);
	int64_t began = time(NULL);
	assert_int_equal(end_of(pid), 3);
	assert_true(time(NULL) - began <= 10);
	document("up", "");
	assert_int_equal(run(), 0);
	check_whole(40, 5);
	assert_int_equal(times("out/.arkseal/work/sign.log", "\n"), 200);
}

static void test_fault_passes(void **state)
{
	(void)state;
	begin("passes", ALL, LIMITS);
	fill(3, 3);
	document("w-1", "wait\n");
	pid_t pid = start();
	rest(2500);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	document("up", "");
	assert_int_equal(end_of(pid), 0);
	assert_int_equal(count("out/quarantine", NULL), 0);
	assert_int_equal(access(at("out/AIP_w/w-1"), F_OK), 0);
	/* One that does not pass: resumable, nobody in quarantine. */
	begin("stays", ALL, "item-seconds: 30\n  retries: 1\n  item-memory-mib: 512\n  pause-limit-s: 2");
	document("w-1", "wait\n");
	assert_int_equal(run(), 3);
	assert_int_equal(count("out/quarantine", NULL), 0);
	document("up", "");
	assert_int_equal(run(), 0);
	/* A wrong PIN stops at once. */
	begin("stop", ALL, LIMITS);
	document("s-1", "stop\n");
	assert_int_equal(run(), 3);
	assert_true(times("log", "wrong PIN") > 0);
}

static void test_hostile(void **state)
{
	(void)state;
	begin("hostile", "ingest, convert", LIMITS);
	document("e-1", "escape\n");
	document("e-2", "good\n");
	assert_int_equal(run(), 0);
	if (times("log", "Landlock") > 0 || times("log", "seccomp") > 0)
		print_message("[   NOTE   ] this kernel lacks Landlock or seccomp: part of the sandbox was not tried\n");
	else
		assert_int_equal(times("out/e-1.pdf", "could:."), 1);
	assert_int_equal(access(at("out/.arkseal/escaped"), F_OK), -1);
	assert_int_equal(access(at("out/e-2.pdf"), F_OK), 0);
	assert_int_equal(count("out/.arkseal/work", NULL), 0);
}

/* What is lost from the work folder is made again from the step before; a file in the place of a result is never overwritten. */
static void test_work_lost(void **state)
{
	(void)state;
	begin("lost", ALL, LIMITS);
	document("l-1", "good\n");
	document("l-2", "fail\n");
	assert_int_equal(run(), 1);
	assert_int_equal(count("out/.arkseal/work", ".sign.pdf"), 1);
	DIR *d = opendir(at("out/.arkseal/work"));
	for (const struct dirent *one; (one = readdir(d)) != NULL;)
		if (strstr(one->d_name, ".pdf") != NULL)
			unlinkat(dirfd(d), one->d_name, 0);
	closedir(d);
	document("l-2", "mended\n");
	assert_int_equal(run(), 0);
	assert_int_equal(times("out/AIP_l/l-1", "signed "), 1);
	begin("taken", "ingest, convert", LIMITS);
	struct err e;
	assert_int_equal(file_make_folders(at("out"), &e), ST_OK);
	put("out/t-1.pdf", "of somebody else\n");
	document("t-1", "good\n");
	assert_int_equal(run(), 1);
	assert_int_equal(times("out/t-1.pdf", "somebody else"), 1);
	assert_int_equal(times("out/quarantine/t-1.txt", "publish-exists"), 2);
}

/* The same stages as filters in a shell pipeline: a dossier whose documents are all well becomes a package, the others pass. */
static void test_pipeline(void **state)
{
	char words[4096];
	(void)state;
	begin("pipeline", ALL, LIMITS);
	fill(2, 2);
	document("f-1", "fail\n");
	document("f-2", "good\n");
	document("s-1", "secret\n");
	int n = snprintf(words, sizeof words, "cd %s && w='--profile ./test.yaml --site ./site.yaml --work w' && %s ingest in $w",
	                 here, tool);
	static const char *const stage[] = {"convert", "sign", "bundle", "validate --records"};
	for (size_t i = 0; i < sizeof stage / sizeof stage[0]; i++)
		n += snprintf(words + n, sizeof words - (size_t)n, " | %s %s $w", tool, stage[i]);
	snprintf(words + n, sizeof words - (size_t)n, " > records 2>> log");
	assert_int_equal(WEXITSTATUS(system(words)), 1);
	assert_int_equal(times("records", "\n"), 5);
	assert_int_equal(times("records", "\"kind\":\"package\""), 2);
	assert_int_equal(times("records", "test-fail"), 1);
	assert_int_equal(times("records", "\"state\":\"refused\""), 1);
	assert_int_equal(count("w/AIP_d001", NULL), 2);
}

static void test_usage(void **state)
{
	(void)state;
	begin("usage", ALL, LIMITS);
	const char *const cases[][8] = {
	    {tool, "run", NULL},
	    {tool, "rum", NULL},
	    {tool, "run", at("in"), "--profile", "no-such", "--out", at("out"), NULL},
	    {tool, "run", at("in"), "--prof", "x", NULL},
	    {tool, "status", at("in"), NULL},
	    {tool, "convert", "--work", at("w"), NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(end_of(start_words(cases[i])), 2);
	const char *const version[] = {tool, "--version", NULL};
	assert_int_equal(end_of(start_words(version)), 0);
}

static int tear_down(void **state)
{
	struct err e;
	(void)state;
	return getenv("ARKSEAL_KEEP") == NULL && file_remove_tree(base, &e) != ST_OK;
}

int main(int argc, char **argv)
{
	if (argc < 2 || mkdtemp(base) == NULL)
		return 2;
	tool = argv[1];
	if (argc > 2)
		cmocka_set_test_filter(argv[2]);
	setenv("LC_ALL", "C", 1);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_usage),        cmocka_unit_test(test_pipeline),  cmocka_unit_test(test_hostile),
	    cmocka_unit_test(test_poisoned),     cmocka_unit_test(test_costly),    cmocka_unit_test(test_stopped),
	    cmocka_unit_test(test_fault_passes), cmocka_unit_test(test_work_lost), cmocka_unit_test(test_killed),
	};
	return cmocka_run_group_tests(tests, NULL, tear_down);
}
