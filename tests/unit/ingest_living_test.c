/* A backlog that people and machines work in: odd names and things that are no files, shards, and what is put off. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "stages/base/file.h"
#include "stages/base/text.h"
#include "tests/unit/ingest_made.h"

#define NFC "t\u1ec7p"
#define NFD "te\u0323\u0302p"
#define LONG10 "dai-dai-10"
#define LONG220                                                                                                                  \
	LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10   \
	    LONG10 LONG10 LONG10 LONG10 LONG10

/* The path of a name in the backlog; overwritten by the fourth call after. */
static const char *at(const char *name)
{
	static char path[4][600];
	static unsigned turn;
	char *p = path[turn++ % 4];
	snprintf(p, sizeof path[0], "%s/%s", folder, name);
	return p;
}

static void clear(void)
{
	struct err e;
	forget();
	assert_int_equal(file_remove_tree(folder, &e), ST_OK);
	assert_int_equal(mkdir(folder, 0700), 0);
}

/* What lies beside good.pdf in a backlog, and what becomes of it; good.pdf is done whatever it is. */
static void test_odd(void **state)
{
	static const struct odd {
		const char *what, *name;
		char kind; /* 'f' file, 'l' link to target, 'h' hard link to target, 'p' FIFO, 's' socket, 'd' folder */
		const char *target, *id;
		enum item_state want;
		const char *code; /* NULL: there is nothing wrong */
	} cases[] = {
	    {"a link to a file", "a.pdf", 'l', "good.pdf", "a.pdf", ITEM_QUARANTINE, "layout-link"},
	    {"a link to a folder", "a", 'l', ".", "a", ITEM_QUARANTINE, "layout-link"},
	    {"a link to itself", "a.pdf", 'l', "a.pdf", "a.pdf", ITEM_QUARANTINE, "layout-link"},
	    {"a link out of the backlog", "a.jpg", 'l', "/etc/passwd", "a.jpg", ITEM_QUARANTINE, "layout-link"},
	    {"a link to nothing", "a.pdf", 'l', "nothing", "a.pdf", ITEM_QUARANTINE, "layout-link"},
	    {"a page that is a link", "d/1.jpg", 'l', "../good.pdf", "d/1.jpg", ITEM_QUARANTINE, "layout-link"},
	    {"the same inode again", "a.pdf", 'h', "good.pdf", "a.pdf", ITEM_OK, NULL},
	    {"a FIFO", "a.pdf", 'p', NULL, "a.pdf", ITEM_QUARANTINE, "layout-special"},
	    {"a FIFO as a page", "d/a.jpg", 'p', NULL, "d/a.jpg", ITEM_QUARANTINE, "layout-special"},
	    {"a socket", "a.pdf", 's', NULL, "a.pdf", ITEM_QUARANTINE, "layout-special"},
	    {"decomposed, as macOS does", NFD ".pdf", 'f', NULL, NFC ".pdf", ITEM_OK, NULL},
	    {"a line break", "a\nb.pdf", 'f', NULL, "a%0Ab.pdf", ITEM_QUARANTINE, "layout-control"},
	    {"an escape sequence", "a\033[2Jb.pdf", 'f', NULL, "a%1B[2Jb.pdf", ITEM_QUARANTINE, "layout-control"},
	    {"a second control set",
	     "a\xc2\x9b"
	     "b.pdf",
	     'f', NULL, "a%C2%9Bb.pdf", ITEM_QUARANTINE, "layout-control"},
	    {"written backwards", "a\u202efdp.exe", 'f', NULL, "a%E2%80%AEfdp.exe", ITEM_QUARANTINE, "layout-control"},
	    {"a line break in a folder", "a\nb/c.pdf", 'f', NULL, "a%0Ab/c.pdf", ITEM_QUARANTINE, "layout-control"},
	    {"a line break in a page", "d/1\n.jpg", 'f', NULL, "d", ITEM_QUARANTINE, "layout-control"},
	    {"no UTF-8", "a\xff.pdf", 'f', NULL, "a%FF.pdf", ITEM_QUARANTINE, "layout-name"},
	    {"Latin 1", "h\xf4 s\xe1.pdf", 'f', NULL, "h%F4 s%E1.pdf", ITEM_QUARANTINE, "layout-name"},
	    {"no UTF-8 in a folder", "a\xff/b.pdf", 'f', NULL, "a%FF/b.pdf", ITEM_QUARANTINE, "layout-name"},
	    {"no UTF-8 in a page", "d/\xff.jpg", 'f', NULL, "d", ITEM_QUARANTINE, "layout-name"},
	    {"a long name", LONG220 ".pdf", 'f', NULL, LONG220 ".pdf", ITEM_OK, NULL},
	    {"too long", LONG220 "1234.pdf", 'f', NULL, LONG220 "1234.pdf", ITEM_QUARANTINE, "layout-long"},
	    {"spaces", "  a  .pdf", 'f', NULL, "  a  .pdf", ITEM_OK, NULL},
	    {"quotes and signs", "a'\"$`\\;|&<>*?.pdf", 'f', NULL, "a'\"$`\\;|&<>*?.pdf", ITEM_OK, NULL},
	    {"an empty folder", "d/e", 'd', NULL, NULL, ITEM_OK, NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct odd *c = &cases[i];
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		const char *path = at(c->name);
		int fd = -1;
		print_message("%s\n", c->what);
		put_text("good.pdf", "%PDF");
		if (c->name[0] == 'd')
			assert_int_equal(mkdir(at("d"), 0700), 0);
		if (c->kind == 'f')
			put_text(c->name, "x");
		else if (c->kind == 'l')
			assert_int_equal(symlink(c->target, path), 0);
		else if (c->kind == 'h')
			assert_int_equal(link(at(c->target), path), 0);
		else if (c->kind == 'p')
			assert_int_equal(mkfifo(path, 0600), 0);
		else if (c->kind == 'd')
			assert_int_equal(mkdir(path, 0700), 0);
		if (c->kind == 's') {
			snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
			fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
			assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
		}
		run("pdfa-only");
		expect("good.pdf", ITEM_OK, NULL);
		if (c->id != NULL)
			expect(c->id, c->want, c->code);
		assert_int_equal(n_got, c->id != NULL ? 2 : 1);
		if (fd >= 0)
			close(fd);
		clear();
	}
}

/* Names that are the same when they are composed, or written as they must be in a record: each is told of, under an id of its own. */
static void test_same_names(void **state)
{
	(void)state;
	put_text(NFD ".pdf", "one");
	put_text(NFC ".pdf", "two");
	put_text("a\xff.pdf", "three");
	put_text("a%FF.pdf", "four");
	run("pdfa-only");
	assert_int_equal(n_got, 4);
	expect(NFC ".pdf", ITEM_OK, NULL);
	expect(NFC ".pdf [2]", ITEM_QUARANTINE, "layout-twice");
	struct item *first = find("a%FF.pdf"), *second = find("a%FF.pdf [2]");
	assert_true((first->state == ITEM_OK) != (second->state == ITEM_OK));
}

/* In the layout of dossiers: cells are composed, names need not be; and what cannot be taken holds up nobody. */
static void test_odd_dossiers(void **state)
{
	(void)state;
	put_text("Pho\u0302ng/metadata.csv",
	         HEADER GOOD("A", "1", "b/h/" NFC) GOOD("A", "2", "b/h/hai.pdf") GOOD("B", "1", "b/x/1.pdf"));
	put_text("Pho\u0302ng/b/h/" NFD ".pdf", "x");
	put_text("Pho\u0302ng/b/h/hai.pdf", "x");
	put_text("Pho\u0302ng/b/x/1.pdf", "x");
	put_text("Pho\u0302ng/b/h/la\xff.pdf", "x");
	put_text("F\n/metadata.csv", HEADER GOOD("C", "1", "b/h/a.pdf"));
	put_text("F\n/b/h/a.pdf", "x");
	put_text("G/b/h/a.pdf", "x");
	assert_int_equal(symlink("../Pho\u0302ng/metadata.csv", at("G/metadata.csv")), 0);
	assert_int_equal(symlink("G", at("H")), 0);
	run("vn-digitised");
	struct item *it = expect("A.0000001", ITEM_OK, NULL);
	assert_string_equal(it->fonds, "Ph\u00f4ng");
	assert_string_equal(it->path, "Ph\u00f4ng/b/h/" NFC);
	assert_string_equal(it->sources[0].path, at("Pho\u0302ng/b/h/" NFD ".pdf"));
	expect("A.0000002", ITEM_OK, NULL);
	expect("B.0000001", ITEM_OK, NULL);
	expect("Ph\u00f4ng/b/h/la%FF.pdf", ITEM_QUARANTINE, "sheet-no-row");
	expect("F%0A", ITEM_QUARANTINE, "layout-control");
	expect("G/b/h/a.pdf", ITEM_QUARANTINE, "sheet-missing");
	expect("G/metadata.csv", ITEM_QUARANTINE, "sheet-missing");
	expect("H", ITEM_QUARANTINE, "layout-link");
	assert_int_equal(n_got, 8);
}

/* Every document is in exactly one shard, dossiers are whole, and a shard opens no file of another. */
static void test_shards(void **state)
{
	BUF_AUTO struct buf sheet = BUF_INIT(1 << 20);
	size_t all = 0, read = 0;
	char text[200];
	(void)state;
	buf_str(&sheet, HEADER);
	for (int d = 0; d < 12; d++) {
		for (int i = 1; i <= 2; i++) {
			snprintf(text, sizeof text, "D%d;Hồ sơ;01;01;01;2020;12/2021;3;3;3;0;%d;b/h%d/%d.jpg;", d, i, d, i);
			buf_str(&sheet, text);
			buf_str(&sheet, ";2;9/3/2024;UBND xã;Về việc thử;01;2;1;;02;;;;\n");
			snprintf(text, sizeof text, "F/b/h%d/%d.jpg", d, i);
			put_text(text, "x");
		}
	}
	put_text("F/metadata.csv", (const char *)sheet.data);
	for (unsigned n = 1; n <= 3; n++) {
		shard_used = (struct shard){n, 3};
		/* What belongs to others could not even be opened. */
		run("vn-digitised");
		for (size_t i = 0; i < n_got; i++) {
			assert_true(shard_has(shard_used, got[i]->fonds, got[i]->dossier, got[i]->id));
			assert_int_equal(got[i]->state, ITEM_OK);
			assert_int_equal(got[i]->dossier_size, 2);
			read += strlen(got[i]->sources[0].sha256) == 64;
		}
		all += n_got;
		forget();
	}
	shard_used = (struct shard){0, 0};
	assert_int_equal(all, 24);
	assert_int_equal(read, 24);
}

/* A clock that stands still until so many records have come, and is past the settle time then. */
static int64_t clock_start;
static size_t clock_waits_for;

static int64_t staged_clock(void)
{
	return clock_start + (n_got < clock_waits_for ? 0 : 4000);
}

/* What is old enough comes at once, whatever it lies beside; what is young when it has had its time, and once. */
static void test_put_off(void **state)
{
	static const char *const order[] = {"a/old.pdf", "z/old.pdf", "a/b", "a/new.pdf"};
	(void)state;
	settle = "ingest.settle-seconds=2";
	clock_used = staged_clock;
	clock_start = time_now_ms();
	clock_waits_for = 2;
	put_aged("a/old.pdf", "x", 100);
	put_aged("a/new.pdf", "x", 0);
	put_aged("a/b/1.jpg", "x", 100);
	put_aged("a/b/2.jpg", "x", 0);
	put_aged("z/old.pdf", "x", 100);
	run("pdfa-only");
	assert_int_equal(n_got, 4);
	for (size_t i = 0; i < 4; i++) {
		expect(order[i], ITEM_OK, NULL);
		assert_string_equal(got[i]->id, order[i]);
	}
	clear();

	put_aged("F/metadata.csv",
	         HEADER GOOD("A", "1", "b/h/1.jpg") GOOD("A", "2", "b/h/2.jpg") GOOD("B", "1", "b/h/3.jpg")
	             GOOD("B", "2", "b/h/4.jpg"),
	         100);
	put_aged("F/b/h/1.jpg", "x", 100);
	put_aged("F/b/h/2.jpg", "x", 0);
	put_aged("F/b/h/3.jpg", "x", 100);
	put_aged("F/b/h/4.jpg", "x", 100);
	put_aged("E/metadata.csv", HEADER GOOD("C", "1", "b/h/1.jpg"), 0);
	put_aged("E/b/h/1.jpg", "x", 100);
	run("vn-digitised");
	static const char *const codes[] = {"B.0000001", "B.0000002", "C.0000001", "A.0000001", "A.0000002"};
	assert_int_equal(n_got, 5);
	for (size_t i = 0; i < 5; i++) {
		expect(codes[i], ITEM_OK, NULL);
		assert_string_equal(got[i]->id, codes[i]);
	}
	settle = "ingest.settle-seconds=0";
	clock_used = fixed_clock;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {TEST(test_odd), TEST(test_same_names), TEST(test_odd_dossiers), TEST(test_shards),
	                                   TEST(test_put_off)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
