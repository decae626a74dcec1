/* The checks of the profile: what is found on pages, and what becomes of the document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <leptonica/allheaders.h>

#include "stages/base/file.h"
#include "stages/convert/convert.h"
#include "tests/unit/redraw_pdf.h"
#include "tests/unit/text_drawn.h"

static char folder[] = "/tmp/checks-XXXXXX";
static char *marks[] = {"TUYỆT MẬT", "TỐI MẬT", "MẬT"};
static struct profile profile = {
    .convert = {.flavour = "2b",
                .ocr = "vie+eng",
                .default_dpi = 200,
                .secret_marks = marks,
                .secret_marks_count = 3,
                .secret_article = "QĐ 60/2025/QĐ-UBND art. 2.2",
                .proof = "decoded",
                .ocr_page_seconds = 300},
};
static int64_t clock_ms(void)
{
	return INT64_C(1780000000000);
}
static struct stage_env env = {.profile = &profile, .work_folder = folder, .key_fd = -1, .fetch_fd = -1, .now_ms = clock_ms};
static void *stage;

static const char *at(const char *name)
{
	static char path[256];
	snprintf(path, sizeof path, "%s/%s.png", folder, name);
	return path;
}

static PIX *draw(const char *const *lines, size_t n)
{
	struct drawn_page page;
	draw_lines(lines, n, 200, &page);
	PIX *pix = pixCreate((int)page.width, (int)page.height, 8);
	for (uint32_t y = 0; y < page.height; y++)
		for (uint32_t x = 0; x < page.width; x++)
			pixSetPixel(pix, (int)x, (int)y, page.grey[(size_t)y * page.width + x]);
	drawn_free(&page);
	pixSetResolution(pix, 200, 200);
	return pix;
}

static void put(const char *name, PIX *pix)
{
	assert_int_equal(pixWrite(at(name), pix, IFF_PNG), 0);
	pixDestroy(&pix);
}

static const char *const text[] = {
    "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "Căn cứ Luật Lưu trữ ngày 21 tháng 6 năm 2024;",
    "Xét đề nghị của Chánh Văn phòng Ủy ban nhân dân tỉnh,", "nay quyết định ban hành quy chế công tác văn thư."};
static const char *const other[] = {
    "Điều 1. Phạm vi điều chỉnh và đối tượng áp dụng", "Điều 2. Giải thích từ ngữ trong văn bản này",
    "Điều 3. Nguyên tắc quản lý hồ sơ, tài liệu lưu trữ", "Điều 4. Trách nhiệm của người đứng đầu cơ quan",
    "Điều 5. Kinh phí thực hiện từ ngân sách nhà nước"};

static int start(void **state)
{
	(void)state;
	static const char *const secret[] = {"ỦY BAN NHÂN DÂN TỈNH", "TUYỆT MẬT", "Báo cáo về công tác năm 2025"};
	static const char *const harmless[] = {"QUY CHẾ BẢO VỆ BÍ MẬT NHÀ NƯỚC", "Báo cáo về công tác năm 2025"};
	struct err e;
	setMsgSeverity(L_SEVERITY_NONE);
	if (mkdtemp(folder) == NULL || convert_stage.open(&env, &stage, &e) != ST_OK)
		return -1;
	PIX *page = draw(text, 5), *again = pixCopy(NULL, page);
	/* Scanned again, it lies elsewhere and has a speck. */
	PIX *moved = pixTranslate(NULL, again, 3, -2, L_BRING_IN_WHITE);
	pixSetPixel(moved, 40, 40, 0);
	put("double", moved);
	put("turned", pixRotate180(NULL, page));
	pixDestroy(&again);
	put("text", page);
	put("other", draw(other, 5));
	put("secret", draw(secret, 3));
	put("harmless", draw(harmless, 2));
	PIX *blank = pixCreate(1654, 2339, 8);
	pixSetAllGray(blank, 246);
	for (int y = 0; y < 2339; y++)
		pixSetPixel(blank, 3, y, 20); /* the paper's shadow */
	pixSetResolution(blank, 200, 200);
	put("blank", blank);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	struct err e;
	convert_stage.close(stage);
	return file_remove_tree(folder, &e) != ST_OK;
}

static struct item *document(const char *pages)
{
	struct item *it = item_new();
	char name[32];
	int n;
	item_set(&it->id, "A.1");
	item_set(&it->name, "A.1");
	item_set(&it->path, "A.1");
	json_object_set_new(it->description, "subject", json_string("what it is about"));
	for (; sscanf(pages, "%31s%n", name, &n) == 1; pages += n)
		item_add_source(it, at(name), 0, "");
	return it;
}

/* The pages that an event with this text names; NULL where there is none. */
static const char *told(const struct item *it, const char *words)
{
	size_t i;
	json_t *event;
	json_array_foreach (it->events, i, event) {
		const char *detail = json_string_value(json_object_get(event, "detail")), *found = strstr(detail, words);
		if (found != NULL)
			return strstr(found, ": page ") + 7;
	}
	return NULL;
}

static void set_checks(const char *no_dpi, const char *blank, const char *twice, const char *turned)
{
	profile.convert.checks = (struct profile_checks){.no_dpi = (char *)(uintptr_t)no_dpi,
	                                                 .low_dpi = "note",
	                                                 .low_colour = "off",
	                                                 .blank_page = (char *)(uintptr_t)blank,
	                                                 .double_page = (char *)(uintptr_t)twice,
	                                                 .turned_page = (char *)(uintptr_t)turned,
	                                                 .paper_size = "off"};
}

static void test_notes(void **state)
{
	(void)state;
	struct err e = {0};
	struct item *it = document("text other blank double turned");
	set_checks("note", "note", "note", "note");
	profile.convert.secret = "refuse";
	if (convert_stage.work(stage, it, &e) != ST_OK)
		fail_msg("%s %s", e.code, e.detail);
	assert_int_equal(it->state, ITEM_OK);
	assert_string_equal(told(it, "nothing on it"), "3");
	assert_string_equal(told(it, "upside down"), "5");
	/* Turned, it is the same page as well. */
	assert_string_equal(told(it, "like a page before it"), "4-5");
	item_free(it);

	it = document("text other blank double turned");
	set_checks("note", "off", "off", "off");
	assert_int_equal(convert_stage.work(stage, it, &e), ST_OK);
	assert_null(told(it, "nothing on it"));
	assert_null(told(it, "like a page"));
	assert_null(told(it, "upside down"));
	item_free(it);
}

static void test_actions(void **state)
{
	(void)state;
	static const struct {
		const char *pages, *blank, *twice, *turned, *code;
	} rows[] = {
	    {"text blank", "quarantine", "off", "off", "check-blank-page"},
	    {"text blank", "hold", "off", "off", "check-blank-page-held"},
	    {"text double", "off", "quarantine", "off", "check-double-page"},
	    {"text double", "off", "hold", "off", "check-double-page-held"},
	    {"turned", "off", "off", "quarantine", "check-turned-page"},
	    {"turned", "off", "off", "hold", "check-turned-page-held"},
	    {"text other", "quarantine", "quarantine", "quarantine", ""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err e = {0};
		struct item *it = document(rows[i].pages);
		set_checks("note", rows[i].blank, rows[i].twice, rows[i].turned);
		enum status st = convert_stage.work(stage, it, &e);
		if (strcmp(e.code, rows[i].code) != 0 || st != (rows[i].code[0] == '\0' ? ST_OK : ST_ITEM))
			fail_msg("%s: %s %s", rows[i].pages, e.code, e.detail);
		/* What is held goes on once it is accepted; what is quarantined does not. */
		if (st == ST_ITEM) {
			json_object_set_new(it->other, "accepted", json_pack("[s]", rows[i].code));
			assert_int_equal(convert_stage.work(stage, it, &e), strstr(e.code, "-held") != NULL ? ST_OK : ST_ITEM);
		}
		item_free(it);
	}
}

static size_t files_in_work(void)
{
	char command[300];
	snprintf(command, sizeof command, "find %s -type f ! -name '*.png' | wc -l", folder);
	FILE *p = popen(command, "r");
	size_t n = 99;
	assert_int_equal(fscanf(p, "%zu", &n), 1);
	pclose(p);
	return n;
}

static void test_secret(void **state)
{
	(void)state;
	struct err e = {0};
	set_checks("note", "off", "off", "off");
	size_t before = files_in_work();
	struct item *it = document("text secret");
	item_set(&it->id, "S.1");
	item_set(&it->name, "S.1");
	profile.convert.secret = "refuse";
	assert_int_equal(convert_stage.work(stage, it, &e), ST_OK);
	assert_int_equal(it->state, ITEM_REFUSED);
	assert_string_equal(it->notice.code, "secret-mark");
	assert_string_equal(it->notice.arg[0], profile.convert.secret_article);
	assert_null(strstr(it->notice.detail, "TUY"));
	assert_int_equal(json_array_size(it->events), 0);
	assert_null(item_field(it->description, "subject"));
	assert_null(it->artefact.path);
	assert_int_equal(files_in_work(), before);
	item_free(it);

	profile.convert.secret = "hold";
	it = document("secret");
	assert_int_equal(convert_stage.work(stage, it, &e), ST_ITEM);
	assert_string_equal(e.code, "secret-mark-held");
	json_object_set_new(it->other, "accepted", json_pack("[s]", "secret-mark-held"));
	assert_int_equal(convert_stage.work(stage, it, &e), ST_OK);
	item_free(it);

	it = document("harmless");
	assert_int_equal(convert_stage.work(stage, it, &e), ST_OK);
	item_free(it);
}

/* A PDF with a line of text, and another one attached to it where that is given. */
static void letter(struct buf *to, const char *line, const struct buf *attached)
{
	char content_text[100],
	    names[] =
	        "/Names << /EmbeddedFiles << /Names [(a) << /Type /Filespec /F (a.pdf) /UF (a.pdf) /EF << /F 5 0 R >> >>] >> >>";
	BUF_AUTO struct buf catalog = BUF_INIT(1000);
	snprintf(content_text, sizeof content_text, "BT /F 20 Tf 50 100 Td (%s) Tj ET", line);
	buf_format(&catalog, "<< /Type /Catalog /Pages 2 0 R %s >>", attached == NULL ? "" : names);
	char *content = stream_body("", content_text),
	     *file = attached == NULL ? NULL : stream_body("/Type /EmbeddedFile", (const char *)attached->data);
	make_pdf(
	    to,
	    (const char *const[]){(const char *)catalog.data, "<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 400 200] >>",
	                          "<< /Type /Page /Parent 2 0 R /Contents 4 0 R "
	                          "/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
	                          content, file, NULL},
	    "");
	buf_byte(to, '\0');
	to->len--;
	free(content);
	free(file);
}

/* A mark in a file that is attached counts for the document that it is in, where it is read. */
static void test_secret_inside(void **state)
{
	(void)state;
	static char *own[] = {"TOP SECRET"};
	struct err e = {0};
	BUF_AUTO struct buf inner = BUF_INIT(1u << 16), outer = BUF_INIT(1u << 16);
	char path[300];
	snprintf(path, sizeof path, "%s/letter.pdf", folder);
	letter(&inner, "TOP SECRET", NULL);
	letter(&outer, "See the file inside", &inner);
	assert_int_equal(file_write(path, outer.data, outer.len, &e), ST_OK);
	struct item *it = item_new();
	it->kind = ITEM_RECEIVED;
	item_set(&it->id, "L.1");
	item_set(&it->name, "L.1");
	item_add_source(it, path, (int64_t)outer.len, "");
	size_t before = files_in_work();
	profile.convert.attachments = "convert";
	profile.convert.secret_marks = own;
	profile.convert.secret_marks_count = 1;
	profile.convert.secret = "hold";
	assert_int_equal(convert_stage.work(stage, it, &e), ST_ITEM);
	assert_string_equal(e.code, "secret-mark-held");
	assert_string_equal(e.where, path);
	assert_int_equal(files_in_work(), before);
	json_object_set_new(it->other, "accepted", json_pack("[s]", "secret-mark-held"));
	assert_int_equal(convert_stage.work(stage, it, &e), ST_OK);
	assert_int_equal(files_in_work(), before + 1);
	char *events = json_dumps(it->events, 0);
	assert_non_null(strstr(events, "became PDF/A and stays inside"));
	free(events);
	item_free(it);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_notes),
	    cmocka_unit_test(test_actions),
	    cmocka_unit_test(test_secret),
	    cmocka_unit_test(test_secret_inside),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
