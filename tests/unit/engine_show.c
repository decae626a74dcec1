/* What a run shows: metrics text, events, systemd's socket, the lines of the display; and which shard a dossier falls into. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "pipeline/log.h"
#include "pipeline/metrics.h"
#include "pipeline/notify.h"
#include "pipeline/progress.h"
#include "pipeline/shard.h"

static char folder[] = "/tmp/arkseal_show_XXXXXX";

static void test_metrics(void **state)
{
	(void)state;
	const struct metrics_stage stage[] = {{"convert", 12.5, 7, 1, 2, 3, 1}};
	struct metrics m = {.archive = "/a\\b\"c\nd",
	                    .shard = "1/4",
	                    .ok = 5,
	                    .finished = 7,
	                    .quarantine = 1,
	                    .refused = 2,
	                    .pages = 99,
	                    .workers_restarted = 4,
	                    .start_s = 1000,
	                    .written_s = 2000,
	                    .last_success_s = 1500,
	                    .running = 1,
	                    .exit_code = -1,
	                    .stages = stage,
	                    .n_stages = 1};
	static const char *const wanted[] = {
	    "# TYPE arkseal_documents gauge\n",
	    "\narkseal_documents{archive=\"/a\\\\b\\\"c\\nd\",shard=\"1/4\",state=\"quarantine\"} 1\n",
	    "arkseal_pages_total{archive=\"/a\\\\b\\\"c\\nd\",shard=\"1/4\"} 99\n",
	    ",stage=\"convert\"} 12.5\n",
	    ",stage=\"convert\",outcome=\"ok\"} 7\n",
	    ",stage=\"convert\",outcome=\"failed\"} 1\n",
	    "arkseal_workers_restarted_total{archive=\"/a\\\\b\\\"c\\nd\",shard=\"1/4\"} 4\n",
	};
	BUF_AUTO struct buf b = BUF_INIT(1 << 16);
	struct err e;
	struct stat info;
	char path[80];
	metrics_print(&m, &b);
	assert_false(b.failed);
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		if (strstr((const char *)b.data, wanted[i]) == NULL)
			fail_msg("not there: %s", wanted[i]);
	assert_null(strstr((const char *)b.data, "arkseal_exit_code"));
	snprintf(path, sizeof path, "%s/m.prom", folder);
	assert_int_equal(metrics_last_success(path), 0);
	assert_int_equal(metrics_write(&m, path, &e), ST_OK);
	assert_int_equal(metrics_last_success(path), 1500);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0644);
	m.last_success_s = 1795422969;
	assert_int_equal(metrics_write(&m, path, &e), ST_OK);
	assert_int_equal(metrics_last_success(path), 1795422969);
	assert_int_equal(metrics_write(&m, "/nowhere/m.prom", &e) == ST_OK, 0);
}

static void test_log(void **state)
{
	(void)state;
	BUF_AUTO struct buf b = BUF_INIT(4096);
	log_print(&b, 0, "stage", json_pack("{s:o,s:i}", "id", log_text("a\"\n\xff"), "pages", 3));
	assert_string_equal(
	    (const char *)b.data,
	    "{\"time\":\"1970-01-01T00:00:00.000+00:00\",\"event\":\"stage\",\"id\":\"a\\\"\\n?\",\"pages\":3}\n");
}

static void test_notify(void **state)
{
	(void)state;
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct notify n;
	char got[64] = "";
	snprintf(at.sun_path, sizeof at.sun_path, "%s/notify", folder);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
	setenv("NOTIFY_SOCKET", at.sun_path, 1);
	setenv("WATCHDOG_USEC", "20000000", 1);
	unsetenv("WATCHDOG_PID");
	notify_open(&n);
	assert_true(n.fd >= 0);
	assert_int_equal(n.watchdog_ms, 10000);
	assert_null(getenv("NOTIFY_SOCKET"));
	notify_send(&n, "READY=1");
	assert_int_equal(recv(fd, got, sizeof got, 0), 7);
	assert_memory_equal(got, "READY=1", 7);
	notify_tick(&n, 5);
	assert_int_equal(recv(fd, got, sizeof got, 0), 10);
	assert_memory_equal(got, "WATCHDOG=1", 10);
	notify_tick(&n, 10004);
	assert_int_equal(recv(fd, got, sizeof got, 0), -1);
	notify_tick(&n, 10005);
	assert_int_equal(recv(fd, got, sizeof got, 0), 10);
	notify_close(&n);
	close(fd);
	setenv("NOTIFY_SOCKET", at.sun_path, 1); /* nobody listens there any more, or the watchdog is another's */
	setenv("WATCHDOG_USEC", "20000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	notify_open(&n);
	assert_int_equal(n.fd, -1);
	assert_int_equal(n.watchdog_ms, 0);
	notify_send(&n, "READY=1");
	notify_close(&n);
}

static void test_progress(void **state)
{
	(void)state;
	setenv("LC_ALL", "C.UTF-8", 1);
	struct progress p = {.documents = 7700, .done = 1200, .pages = 5000, .quarantined = 3, .all_known = true};
	const struct progress_hand hands[] = {{"convert", "G09/e\033[2J\n\u1ec7", 12, 61000}, {"bundle", "G09", 0, 500}};
	struct progress_view v = {.left_s = 3723, .queues = "convert 3 · sign 1", .hands = hands, .n_hands = 2};
	BUF_AUTO struct buf b = BUF_INIT(1 << 16);
	assert_int_equal(progress_print(&p, 10000, &v, 100, 24, &b), 4);
	assert_string_equal((const char *)b.data,
	                    "1,200/7,700 documents, 5,000 pages, 500.0 pages/s, left 1:02:03, quarantined 3\n"
	                    "Waiting: convert 3 · sign 1\n"
	                    "  convert     1:01   12 pages  G09/e?[2J?\u1ec7\n"
	                    "  bundle      0:00             G09\n");
	buf_reset(&b);
	assert_int_equal(progress_print(&p, 10000, &v, 10, 3, &b), 2); /* narrow, and low */
	assert_string_equal((const char *)b.data, "1,200/7,70\nWaiting: c\n");
	buf_reset(&b);
	v.at_least = true;
	assert_int_equal(progress_print(&p, 10000, &v, 0, 0, &b), 1);
	assert_non_null(strstr((const char *)b.data, "left ≥ 1:02:03"));
	assert_null(strchr((const char *)b.data, '\033'));
}

static void test_shard_words(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool good;
	} row[] = {{"1/1", true},   {"3/4", true},   {"1000/1000", true}, {"0/4", false},  {"5/4", false},  {"1/1001", false},
	           {"", false},     {"1", false},    {"/4", false},       {"1/", false},   {"1/4x", false}, {"-1/4", false},
	           {"01/4", false}, {"1/04", false}, {"1 /4", false},     {"1/4/4", false}};
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct shard s, again;
		char name[SHARD_NAME];
		if (shard_parse(row[i].text, &s) != row[i].good)
			fail_msg("%s", row[i].text);
		if (row[i].good) {
			shard_name(s, name);
			assert_true(shard_parse_name(name, &again));
			assert_int_equal(again.number, s.number);
			assert_int_equal(again.of, s.of);
		}
	}
}

/* These must never change: an archive that is half done would be parted anew. */
static void test_shard_stable(void **state)
{
	(void)state;
	static const struct {
		const char *fonds, *dossier, *id;
	} row[] = {{"G09", "G09.01", "x"}, {"G09", "G09.02", "x"}, {NULL, "G09.01", "x"}, {"G09", NULL, "a/b"}};
	/* printf 'G09/G09.01' | sha256sum | cut -c1-8, modulo 4, and one more; 'G09/G09.02', '/G09.01', 'a/b' */
	static const unsigned wanted[] = {4, 1, 2, 1};
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		unsigned in = 0;
		for (unsigned k = 1; k <= 4; k++)
			if (shard_has((struct shard){k, 4}, row[i].fonds, row[i].dossier, row[i].id))
				in = in == 0 ? k : 99;
		assert_int_equal(in, wanted[i]);
		assert_true(shard_has((struct shard){0, 0}, row[i].fonds, row[i].dossier, row[i].id));
	}
	unsigned n[4] = {0};
	for (int i = 0; i < 4000; i++) {
		char dossier[20];
		snprintf(dossier, sizeof dossier, "H%d", i);
		for (unsigned k = 0; k < 4; k++)
			n[k] += shard_has((struct shard){k + 1, 4}, "F", dossier, "");
	}
	assert_int_equal(n[0] + n[1] + n[2] + n[3], 4000);
	for (unsigned k = 0; k < 4; k++)
		assert_in_range(n[k], 900, 1100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_metrics),  cmocka_unit_test(test_log),         cmocka_unit_test(test_notify),
	    cmocka_unit_test(test_progress), cmocka_unit_test(test_shard_words), cmocka_unit_test(test_shard_stable),
	};
	if (mkdtemp(folder) == NULL)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	char command[80];
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command) != 0 ? 1 : failed;
}
