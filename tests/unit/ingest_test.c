/* A backlog on disk: which records come out of it, in which state. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stages/base/file.h"
#include "stages/base/text.h"
#include "stages/ingest/ingest.h"
#include "tests/unit/ingest_made.h"
#include "tests/unit/sheet_make.h"

static void test_dossiers(void **state)
{
	(void)state;
	put_text("F1/metadata.csv",
	         HEADER GOOD("F1.01", "1", "") GOOD("F1.01", "3", "b1/h1/ba.pdf") GOOD("F1.01", "2", ".\\b1\\h1\\hai")
	             ROW("F1.02", "Hồ sơ 2", "01", "1", "b1/h2/anh.jpg", "Bản đồ", "02", "2024-03-09", "01", "Thường")
	                 ROW("F1.02", "Hồ sơ 2", "01", "2", "b1/h2/ve.tif", "", "Bản vẽ kỹ thuật", "09/03/2024", "01", ""));
	put_text("F1/b1/h1/F1.01.0000001/10.jpg", "mười");
	put_text("F1/b1/h1/F1.01.0000001/9.jpg", "chín");
	put_text("F1/b1/h1/F1.01.0000001/Thumbs.db", "x");
	put_text("F1/b1/h1/F1.01.0000001/.hidden", "x");
	put_text("F1/b1/h1/hai.tif", "II");
	put_text("F1/b1/h1/ba.pdf", "%PDF");
	put_text("F1/b1/h2/anh.jpg", "x");
	put_text("F1/b1/h2/ve.tif", "x");
	run("vn-digitised");
	assert_int_equal(n_got, 5);
	static const char *const order[] = {"F1.01.0000001", "F1.01.0000002", "F1.01.0000003", "F1.02.0000001", "F1.02.0000002"};
	static const enum item_kind kinds[] = {ITEM_PAPER, ITEM_PAPER, ITEM_RECEIVED, ITEM_MAP, ITEM_MAP};
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(got[i]->id, order[i]);
		assert_int_equal(expect(order[i], ITEM_OK, NULL)->kind, kinds[i]);
	}
	const struct item *it = got[0];
	assert_string_equal(it->path, "F1/b1/h1/F1.01.0000001");
	assert_string_equal(it->name, it->id);
	assert_string_equal(it->dossier, "F1.01");
	assert_string_equal(it->fonds, "F1");
	assert_int_equal(it->dossier_size, 3);
	assert_int_equal(got[3]->dossier_size, 2);
	assert_int_equal(it->n_sources, 2);
	assert_string_equal(path_name(it->sources[0].path), "9.jpg");
	assert_int_equal(it->sources[0].size, 5);
	assert_int_equal(strlen(it->sources[0].sha256), 64);
	assert_string_equal(item_field(it->description, "docCode"), "F1.01.0000001");
	assert_string_equal(item_field(it->description, "docOrdinal"), "0000001");
	assert_string_equal(item_field(it->description, "typeName"), "02");
	assert_string_equal(item_field(it->description, "issuedDate"), "09/03/2024");
	assert_string_equal(item_field(it->description, "mode"), "01");
	assert_string_equal(item_field(it->description, "numberOfPage"), "2");
	assert_null(item_field(it->description, "path"));
	assert_string_equal(item_field(it->dossier_description, "arcFileCode"), "F1.01");
	assert_string_equal(item_field(it->dossier_description, "maintenance"), "01");
	assert_string_equal(item_field(it->dossier_description, "startDate"), "2020");
	assert_string_equal(item_field(it->dossier_description, "endDate"), "12/2021");
	assert_int_equal(json_array_size(it->events), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(it->events, 0), "type")), "transfer");
}

static void test_bad(void **state)
{
	char link[256];
	(void)state;
	put_text("F/metadata.csv",
	         HEADER ROW("A", "T", "08", "1", "b/h/ma.jpg", "", "02", "9/3/2024", "01",
	                    "") ROW("A", "T", "01", "2", "b/h/ngay.jpg", "", "02", "30/02/2024", "01",
	                            "") ROW("A", "T", "01", "3", "b/h/mat03.jpg", "", "02", "9/3/2024", "3", "")
	             ROW("A", "T", "01", "4", "b/h/mat.jpg", "", "xx", "9/3/2024", "01",
	                 "TỐI MẬT") ROW("A", "T", "01", "5", "b/h/khong-co.jpg", "", "02", "9/3/2024", "01",
	                                "") ROW("A", "T", "01", "6", "b/h/rong.jpg", "", "02", "9/3/2024", "01",
	                                        "") ROW("A", "", "01", "7", "b/h/thieu.jpg", "", "02", "9/3/2024", "01", "")
	                 ROW("A", "T", "01", "8", "b/h/hai-dong.jpg", "", "02", "9/3/2024", "01",
	                     "") ROW("A", "T", "01", "9", "b/h/hai-dong.jpg", "", "02", "9/3/2024", "03", "")
	                     ROW("A", "T", "01", "10", "b/h/hai-dong-2", "", "02", "9/3/2024", "01",
	                         "") ROW("A", "T", "01", "11", "b/h/hai-dong-2", "", "02", "9/3/2024", "01", "")
	                         ROW("A", "T", "01", "12", "b/h/tot.jpg", "", "02", "9/3/2024", "01",
	                             "") ROW("A", "T", "01", "12", "b/h/trung.jpg", "", "02", "9/3/2024", "01", "")
	                             ROW("A", "Khác", "01", "13", "b/h/lech.jpg", "", "02", "9/3/2024", "01",
	                                 "") ROW("A", "T", "01", "14", "b/h/lien-ket", "", "02", "9/3/2024", "01", "")
	                                 ROW("A", "T", "01", "15", "b/h/sau", "", "02", "9/3/2024", "01", "")
	                                     ROW("A", "T", "01", "16", "b/mật/x.jpg", "", "02", "9/3/2024", "01", "")
	                                         ROW("A", "T", "01", "17", "b/h/anh.jpg", "Ảnh", "02", "9/3/2024", "01", "")
	                                             ROW("A", "T", "01", "x", "b/h/so.jpg", "", "02", "9/3/2024", "01", "")
	                                                 ROW("A", "T", "01", "19", "b/h/mo-ho", "", "02", "9/3/2024", "01", ""));
	static const char *const files[] = {"ma.jpg",         "ngay.jpg",       "mat03.jpg",       "mat.jpg",         "thieu.jpg",
	                                    "hai-dong.jpg",   "hai-dong-2.tif", "tot.jpg",         "trung.jpg",       "lech.jpg",
	                                    "khong-dong.jpg", "lien-ket/1.jpg", "sau/trong/1.jpg", "anh.jpg",         "so.jpg",
	                                    "mo-ho.jpg",      "mo-ho.tif",      "../mật/x.jpg",    "../../../lac.jpg"};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char name[256];
		put_text("F/b/h/rong.jpg", "");
		snprintf(name, sizeof name, "F/b/h/%s", files[i]);
		put_text(name, "x");
	}
	snprintf(link, sizeof link, "%s/F/b/h/lien-ket/2.jpg", folder);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	run("vn-digitised");
	/* The wrong code of row 1 is not the dossier's. */
	struct item *it = expect("A.0000001", ITEM_QUARANTINE, "sheet-code");
	assert_string_equal(it->notice.arg[0], "metadata.csv!C2");
	assert_string_equal(it->notice.arg[1], "Thời hạn bảo quản");
	assert_string_equal(it->notice.arg[2], "08");
	assert_non_null(strstr(it->notice.arg[3], "01, 02, 03, 04, 05, 06, 07"));
	assert_int_equal(it->n_sources, 1);
	it = expect("A.0000002", ITEM_QUARANTINE, "sheet-date");
	assert_string_equal(it->notice.arg[0], "metadata.csv!P3");
	expect("A.0000003", ITEM_REFUSED, "secret");
	expect("A.0000004", ITEM_REFUSED, "secret");
	assert_int_equal(expect("A.0000005", ITEM_QUARANTINE, "sheet-no-file")->n_sources, 0);
	expect("A.0000006", ITEM_QUARANTINE, "file-empty");
	expect("A.0000007", ITEM_QUARANTINE, "sheet-required");
	expect("A.0000008", ITEM_REFUSED, "secret"); /* the second of its rows says so */
	expect("A.0000010", ITEM_QUARANTINE, "sheet-two-rows");
	expect("A.0000012", ITEM_OK, NULL);
	expect("F/b/h/trung.jpg", ITEM_QUARANTINE, "sheet-twice");
	expect("A.0000013", ITEM_QUARANTINE, "sheet-dossier-differs");
	expect("A.0000014", ITEM_QUARANTINE, "layout-link");
	expect("A.0000015", ITEM_QUARANTINE, "layout-depth");
	expect("A.0000016", ITEM_REFUSED, "secret");
	it = expect("A.0000017", ITEM_QUARANTINE, "sheet-required"); /* a photograph needs its title */
	assert_int_equal(it->kind, ITEM_PHOTO);
	expect("F/b/h/so.jpg", ITEM_QUARANTINE, "sheet-number");
	expect("A.0000019", ITEM_QUARANTINE, "sheet-ambiguous");
	it = expect("F/b/h/khong-dong.jpg", ITEM_QUARANTINE, "sheet-no-row");
	assert_string_equal(it->dossier, "A");
	expect("lac.jpg", ITEM_QUARANTINE, "layout-place");
	for (size_t i = 0; i < n_got; i++) {
		if (got[i]->dossier != NULL && strcmp(got[i]->dossier, "A") == 0)
			assert_int_equal(got[i]->dossier_size, n_got - 1);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(got[i]->id, got[k]->id);
	}
}

/* What is wrong in one fonds or row stops no other. */
static void test_good_among_bad(void **state)
{
	(void)state;
	put_text("F/metadata.csv", HEADER ROW("A", "T", "01", "1", "b/h/a.jpg", "", "02", "9/3/2024", "01", "")
	                               ROW("A", "T", "01", "2", "b/h/b.jpg", "", "99", "9/3/2024", "01", ""));
	put_text("F/b/h/a.jpg", "x");
	put_text("F/b/h/b.jpg", "x");
	put_text("G/metadata.csv", HEADER GOOD("A", "5", "b/h/c.jpg"));
	put_text("G/b/h/c.jpg", "x");
	put_text("H/b/h/d.jpg", "x");
	put_text("I/metadata.csv", "Mã hồ sơ;Tiêu đề hồ sơ;Số thứ tự\nA;b;1\n");
	put_text("I/b/h/e.jpg", "x");
	put_text("J/metadata.csv", "một;hai\n");
	put_text("J/b/f.jpg", "x");
	put_text("K/metadata.csv", "\xff\xfe");
	put_text("K/metadata.xlsx", "PK");
	put_text("K/b/h/g.jpg", "x");
	put_text("L/metadata.xlsx", "PK");
	put_text("L/b/h/h.jpg", "x");
	run("vn-digitised");
	expect("A.0000001", ITEM_OK, NULL);
	expect("A.0000002", ITEM_QUARANTINE, "sheet-code");
	expect("A.0000005", ITEM_QUARANTINE, "dossier-twice");
	expect("H/b/h/d.jpg", ITEM_QUARANTINE, "sheet-missing");
	struct item *it = expect("I/b/h/e.jpg", ITEM_QUARANTINE, "sheet-column");
	assert_string_equal(it->notice.arg[1], "Thời hạn bảo quản");
	expect("J/b/f.jpg", ITEM_QUARANTINE, "sheet-header");
	expect("K/b/h/g.jpg", ITEM_QUARANTINE, "sheet-two-files");
	expect("L/b/h/h.jpg", ITEM_QUARANTINE, "xlsx-zip");
	assert_int_equal(n_got, 8);
}

/* A workbook as offices keep them: a title, groups merged over the columns, the columns numbered, dossier cells merged downwards. */
static void test_workbook(void **state)
{
	static uint8_t zip[1 << 16];
	static char header[8192], cells[32768];
	struct made_part parts[MADE_PARTS];
	char *at = header, titles[] = HEADER;
	unsigned column = 0;
	(void)state;
	for (char *title = strtok(titles, ";\n"); title != NULL; title = strtok(NULL, ";\n"), column++)
		at += sprintf(at, "<c r=\"%s%c3\" t=\"inlineStr\"><is><t>%s</t></is></c>", column < 26 ? "" : "A",
		              (int)('A' + column % 26), title);
	snprintf(cells, sizeof cells,
	         "<sheetData><row r=\"1\"><c r=\"A1\" t=\"str\"><v>BẢNG KÊ</v></c></row>"
	         "<row r=\"2\"><c r=\"A2\" t=\"str\"><v>Hồ sơ</v></c><c r=\"L2\" t=\"str\"><v>Tài liệu</v></c></row><row "
	         "r=\"3\">%s</row>"
	         "<row r=\"4\"><c r=\"A4\"><v>1</v></c><c r=\"B4\"><v>2</v></c><c r=\"C4\"><v>3</v></c></row>"
	         "<row r=\"5\"><c t=\"str\"><v>W.01</v></c><c t=\"str\"><v>T</v></c><c><v>1</v></c><c><v>1</v></c><c><v>1</v></c>"
	         "<c><v>2020</v></c><c><v>2021</v></c><c><v>2</v></c><c><v>2</v></c><c><v>2</v></c><c><v>0</v></c><c><v>1</v></c>"
	         "<c r=\"N5\" t=\"str\"><v>Giấy</v></c><c><v>2</v></c><c s=\"1\"><v>45360</v></c><c t=\"str\"><v>UBND</v></c>"
	         "<c t=\"str\"><v>Về việc</v></c><c><v>1</v></c><c><v>2</v></c><c><v>1</v></c><c r=\"W5\"><v>2</v></c></row>"
	         "<row r=\"6\"><c r=\"L6\"><v>2</v></c><c r=\"N6\" t=\"str\"><v>Ảnh</v></c><c r=\"U6\"><v>1</v></c>"
	         "<c r=\"Y6\" t=\"str\"><v>Lễ</v></c><c t=\"str\"><v>Khánh thành</v></c><c><v>2</v></c></row></sheetData>"
	         "<mergeCells><mergeCell ref=\"A1:AA1\"/><mergeCell ref=\"A2:K2\"/><mergeCell ref=\"L2:AA2\"/><mergeCell "
	         "ref=\"A5:A6\"/>"
	         "<mergeCell ref=\"B5:B6\"/><mergeCell ref=\"C5:C6\"/><mergeCell ref=\"D5:D6\"/><mergeCell ref=\"E5:E6\"/>"
	         "<mergeCell ref=\"F5:F6\"/><mergeCell ref=\"G5:G6\"/><mergeCell ref=\"H5:H6\"/><mergeCell ref=\"I5:I6\"/>"
	         "<mergeCell ref=\"J5:J6\"/><mergeCell ref=\"K5:K6\"/></mergeCells>",
	         header);
	made_workbook(cells, NULL, "<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs>", NULL, parts);
	put("W/metadata.xlsx", zip, make_zip(parts, MADE_PARTS, NULL, zip, sizeof zip));
	put_text("W/b/h/W.01.0000001.tif", "x");
	put_text("W/b/h/W.01.0000002.jpg", "x");
	run("vn-digitised");
	assert_int_equal(n_got, 2);
	struct item *it = expect("W.01.0000001", ITEM_OK, NULL);
	assert_string_equal(item_field(it->description, "issuedDate"), "09/03/2024");
	assert_string_equal(item_field(it->dossier_description, "riskRecovery"), "0");
	it = expect("W.01.0000002", ITEM_OK, NULL);
	assert_int_equal(it->kind, ITEM_PHOTO);
	assert_string_equal(item_field(it->description, "typePic"), "02");
	assert_string_equal(item_field(it->dossier_description, "title"), "T");
}

static void test_plain(void **state)
{
	static const uint8_t two[] = {'I', 'I', 42, 0, 8, 0, 0, 0, 0, 0, 14, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	static const uint8_t one[] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0};
	static const uint8_t big[] = {'I', 'I', 43, 0, 8, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0,
	                              0,   0,   0,  0, 0, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0};
	(void)state;
	put("a/two.tif", two, sizeof two);
	put("a/big.tif", big, sizeof big);
	put("a/one.tif", one, sizeof one);
	put("a/cut.tif", one, 6);
	put_text("a/1.png", "x");
	put_text("a/ghi-chu.txt", "x");
	put_text("a.pdf", "%PDF");
	put_text("b/c/1.jpg", "x");
	put_text("b/c/2.jpg", "");
	put_text("d/e.jpg", "x");
	run("pdfa-only");
	struct item *it = expect("a", ITEM_OK, NULL);
	assert_int_equal(it->n_sources, 3);
	assert_string_equal(it->path, "a");
	it = expect("a/two.tif", ITEM_OK, NULL);
	assert_string_equal(it->path, "a/two");
	expect("a/big.tif", ITEM_OK, NULL);
	expect("a/ghi-chu.txt", ITEM_OK, NULL);
	it = expect("a.pdf", ITEM_OK, NULL);
	assert_int_equal(it->kind, ITEM_RECEIVED);
	assert_string_equal(it->path, "a.pdf"); /* "a" is taken */
	expect("b/c", ITEM_QUARANTINE, "file-empty");
	expect("d", ITEM_OK, NULL);
	assert_int_equal(n_got, 7);
}

/* What is still being written waits, whatever else is wrong with it, and so does its dossier; its neighbours do not. */
static void test_unsettled(void **state)
{
	static const struct {
		const char *what, *file, *beside; /* a file that lies beside it, or NULL */
		int lock;                         /* 1: flock, 2: fcntl */
		bool waits;
	} cases[] = {
	    {"finished", "b/h/hai.jpg", NULL, 0, false},
	    {"by its name", "b/h/hai.jpg.part", NULL, 0, true},
	    {"by its name, in capitals", "b/h/hai.jpg.TMP", NULL, 0, true},
	    {"an older copy lies beside it", "b/h/hai.jpg", "b/h/hai.jpg.part", 0, true},
	    {"a download", "b/h/hai.jpg.crdownload", NULL, 0, true},
	    {"locked as a whole", "b/h/hai.jpg", NULL, 1, true},
	    {"locked in part", "b/h/hai.jpg", NULL, 2, true},
	    {"open in LibreOffice", "b/h/hai.jpg", "b/h/.~lock.hai.jpg#", 0, true},
	    {"open in Office", "b/h/hai.jpg", "b/h/~$hai.jpg", 0, true},
	    {"open in Word", "b/h/hai.jpg", "b/h/~$i.jpg", 0, true},
	    {"the lock is another's", "b/h/hai.jpg", "b/h/.~lock.ba.jpg#", 0, false},
	    {"a page by its name", "b/h/hai/1.jpg.part", "b/h/hai/2.jpg", 0, true},
	    {"the lock of a page", "b/h/hai/1.jpg", "b/h/hai/~$1.jpg", 0, true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err e;
		int fd = -1;
		put_text("F/metadata.csv", HEADER GOOD("A", "1", "b/h/mot.jpg") GOOD("A", "2", "b/h/hai"));
		put_text("F/b/h/mot.jpg", "x");
		char name[200];
		snprintf(name, sizeof name, "F/%s", cases[i].file);
		put_text(name, "x");
		char *path = path_join(folder, name);
		if (cases[i].beside != NULL) {
			snprintf(name, sizeof name, "F/%s", cases[i].beside);
			put_text(name, "x");
		}
		if (cases[i].lock != 0) {
			struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
			fd = open(path, O_RDWR | O_CLOEXEC);
			assert_int_equal(cases[i].lock == 1 ? flock(fd, LOCK_EX) : fcntl(fd, F_OFD_SETLK, &whole), 0);
		}
		run("vn-digitised");
		print_message("%s\n", cases[i].what);
		expect("A.0000001", ITEM_OK, NULL);
		if (cases[i].waits)
			expect("A.0000002", ITEM_RETRY, "not-settled");
		else
			expect("A.0000002", ITEM_OK, NULL);
		assert_int_equal(n_got, 2);
		assert_int_equal(got[0]->dossier_size, 2);
		if (fd >= 0)
			close(fd);
		free(path);
		path = path_join(folder, "F");
		assert_int_equal(file_remove_tree(path, &e), ST_OK);
		free(path);
		forget();
	}
}

/* A spreadsheet in work leaves its fonds alone, and no other. */
static void test_unsettled_sheet(void **state)
{
	(void)state;
	put_text("F/metadata.csv", HEADER GOOD("A", "1", "b/h/a.jpg"));
	put_text("F/.~lock.metadata.csv#", "x");
	put_text("F/b/h/a.jpg", "x");
	put_text("G/metadata.csv", HEADER GOOD("B", "1", "b/h/b.jpg"));
	put_text("G/b/h/b.jpg", "x");
	run("vn-digitised");
	expect("F/metadata.csv", ITEM_RETRY, "not-settled");
	expect("B.0000001", ITEM_OK, NULL);
	assert_int_equal(n_got, 2);
}

/* Seconds by the file's age, as the clock tells it; what was there from the start is waited for once. */
static void test_settle_time(void **state)
{
	static const struct {
		long age_s;
		enum item_state want;
	} cases[] = {{3600, ITEM_OK}, {0, ITEM_OK}, {-1, ITEM_RETRY}, {-3600, ITEM_OK}};
	(void)state;
	settle = "ingest.settle-seconds=2";
	clock_used = time_now_ms;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err e;
		put_aged("d/a.jpg", "x", cases[i].age_s);
		run("pdfa-only");
		expect("d", cases[i].want, cases[i].want == ITEM_OK ? NULL : "not-settled");
		char *path = path_join(folder, "d");
		assert_int_equal(file_remove_tree(path, &e), ST_OK);
		free(path);
		forget();
	}
	settle = "ingest.settle-seconds=0";
	clock_used = fixed_clock;
}

static void test_missing(void **state)
{
	struct profile p = {.ingest = {.layout = LAYOUT_PLAIN}};
	struct stage_env env = {.profile = &p, .now_ms = fixed_clock};
	struct err e = {0};
	void *stage_state;
	(void)state;
	assert_int_equal(ingest_stage.open(&env, &stage_state, &e), ST_OK);
	assert_int_equal(ingest_stage.produce(stage_state, "/nowhere/at/all", take, NULL, &e), ST_RUN);
	assert_string_equal(e.code, "backlog-missing");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_dossiers), TEST(test_bad),       TEST(test_good_among_bad),  TEST(test_workbook),   TEST(test_plain),
	    TEST(test_missing),  TEST(test_unsettled), TEST(test_unsettled_sheet), TEST(test_settle_time)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
