/* Item records: what is written is read again; what is not a record is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/glance.h"

static struct item *parse(const char *line)
{
	struct item *it = NULL;
	struct err e = {0};
	assert_int_equal(item_parse(line, strlen(line), &it, &e), ST_OK);
	return it;
}

static void test_round_trip(void **state)
{
	(void)state;
	struct item *it = item_new();
	struct err why;
	it->kind = ITEM_PHOTO;
	item_set(&it->id, "G09.01.001.0000001");
	item_set(&it->dossier, "G09.01.001");
	item_set(&it->path, "G09/hộp \"1\"/trang\n1");
	it->dossier_size = 4294967295U;
	item_add_source(it, "/in/a.jpg", 9007199254740993, "00ff");
	item_add_source(it, "/in/b.jpg", 0, NULL);
	item_set_artefact(it, "/work/a.pdf", 12, "aa", "fmt/477");
	item_add_companion(it, "/work/a.p7s", 3, "bb");
	json_object_set_new(it->description, "title", json_string("Quyết định"));
	item_add_event(it, 1781238337690, "transfer", "success", "from %s", "here");
	json_object_set_new(it->other, "pages", json_integer(7));
	err_set(&why, ST_ITEM, "jpeg-truncated", "at %d", 5);
	err_arg(&why, "b.jpg");
	err_where(&why, "page 2");
	item_fail(it, &why);
	BUF_AUTO struct buf first = BUF_INIT(1 << 16), second = BUF_INIT(1 << 16);
	item_print(it, &first);
	item_free(it);
	assert_false(first.failed);
	assert_int_equal(first.data[first.len - 1], '\n');
	assert_null(memchr(first.data, '\n', first.len - 1));

	it = parse((const char *)first.data);
	assert_int_equal(it->kind, ITEM_PHOTO);
	assert_string_equal(it->path, "G09/hộp \"1\"/trang\n1");
	assert_int_equal(it->dossier_size, 4294967295U);
	assert_int_equal(it->n_sources, 2);
	assert_true(it->sources[0].size == 9007199254740993);
	assert_string_equal(it->sources[1].sha256, "");
	assert_string_equal(it->artefact.format, "fmt/477");
	assert_string_equal(it->companions[0].path, "/work/a.p7s");
	assert_string_equal(item_field(it->description, "title"), "Quyết định");
	assert_int_equal(it->state, ITEM_QUARANTINE);
	assert_int_equal(it->notice.status, ST_ITEM);
	assert_string_equal(it->notice.code, "jpeg-truncated");
	assert_string_equal(it->notice.arg[0], "b.jpg");
	assert_string_equal(it->notice.where, "page 2");
	assert_int_equal(json_integer_value(json_object_get(it->other, "pages")), 7);
	item_print(it, &second);
	item_free(it);
	assert_string_equal((const char *)first.data, (const char *)second.data);
}

static void test_states(void **state)
{
	static const struct {
		enum status status;
		enum item_state want;
	} cases[] = {{ST_RETRY, ITEM_RETRY}, {ST_ITEM, ITEM_QUARANTINE}, {ST_RUN, ITEM_STOP}, {ST_BUG, ITEM_STOP}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct item *it = item_new();
		struct err e;
		err_set(&e, cases[i].status, "code", "detail");
		item_fail(it, &e);
		assert_int_equal(it->state, cases[i].want);
		item_free(it);
	}
}

static void test_bad_lines(void **state)
{
	static const struct {
		const char *what, *line, *code;
	} cases[] = {
	    {"nothing", "", "record-syntax"},
	    {"a number", "7", "record-syntax"},
	    {"an array", "[]", "record-syntax"},
	    {"cut off", "{\"id\":\"a\"", "record-syntax"},
	    {"text behind", "{\"id\":\"a\"} x", "record-syntax"},
	    {"a member twice", "{\"id\":\"a\",\"id\":\"b\"}", "record-syntax"},
	    {"not UTF-8", "{\"id\":\"\xff\"}", "record-syntax"},
	    {"a zero in a string", "{\"id\":\"a\\u0000\"}", "record-syntax"},
	    {"no id", "{}", "record-member"},
	    {"null as id", "{\"id\":null}", "record-member"},
	    {"a number as id", "{\"id\":1}", "record-member"},
	    {"unknown kind", "{\"id\":\"a\",\"kind\":\"film\"}", "record-member"},
	    {"a number as kind", "{\"id\":\"a\",\"kind\":1}", "record-member"},
	    {"unknown state", "{\"id\":\"a\",\"state\":\"well\"}", "record-member"},
	    {"negative count", "{\"id\":\"a\",\"dossier_size\":-1}", "record-member"},
	    {"count too large", "{\"id\":\"a\",\"dossier_size\":4294967296}", "record-member"},
	    {"fraction as count", "{\"id\":\"a\",\"dossier_size\":1.5}", "record-member"},
	    {"sources no array", "{\"id\":\"a\",\"sources\":{}}", "record-member"},
	    {"source without path", "{\"id\":\"a\",\"sources\":[{}]}", "record-member"},
	    {"source no object", "{\"id\":\"a\",\"sources\":[1]}", "record-member"},
	    {"digest too long",
	     "{\"id\":\"a\",\"sources\":[{\"path\":\"p\",\"sha256\":"
	     "\"00000000000000000000000000000000000000000000000000000000000000000\"}]}",
	     "record-member"},
	    {"artefact null", "{\"id\":\"a\",\"artefact\":null}", "record-member"},
	    {"description an array", "{\"id\":\"a\",\"description\":[]}", "record-member"},
	    {"events an object", "{\"id\":\"a\",\"events\":{}}", "record-member"},
	    {"members a string", "{\"id\":\"a\",\"members\":\"b\"}", "record-member"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct item *it = NULL;
		struct err e = {0};
		enum status st = item_parse(cases[i].line, strlen(cases[i].line), &it, &e);
		if (st != ST_RUN || strcmp(e.code, cases[i].code) != 0)
			fail_msg("%s: status %d, code %s", cases[i].what, st, e.code);
		assert_null(it);
	}
}

#define HEAD                                                                                                                     \
	"{\"kind\":\"map\",\"id\":\"G09.01.0000001\",\"dossier\":\"G09.01\",\"dossier_size\":12,\"fonds\":\"G09\",\"name\":"     \
	"\"n\",\"path\":"                                                                                                        \
	"\"a/b\",\"sources\":[{\"path\":\"/in/một.jpg\",\"size\":0,\"sha256\":\"\"},{\"path\":\"/"                             \
	"b\",\"size\":12,\"sha256\":\"00ff\"}],"                                                                                 \
	"\"description\":{\"title\":\"Quyết định\",\"t\":\"\"},\"dossier_description\":{\"a\":\"b\"},"
#define TAIL                                                                                                                     \
	"\"artefact\":{\"path\":\"/work/a.pdf\",\"size\":7,\"sha256\":\"aa\",\"format\":\"fmt/"                                  \
	"477\"},\"events\":[{\"type\":\"x\"},{\"type\":"                                                                         \
	"\"y\",\"detail\":\"z\"}],\"state\":\"ok\",\"pages\":3}\n"

static bool glance(const char *line, struct glance *g)
{
	return item_glance(text_bytes(line), g);
}

/* Whether a glance tells the truth of a line: what it takes, item_print would write. */
static void check_glance(const char *line, size_t n)
{
	BUF_AUTO struct buf printed = BUF_INIT(1 << 16);
	struct glance g;
	struct item *it = NULL;
	struct err e;
	if (!item_glance((struct bytes){(const uint8_t *)line, n}, &g))
		return;
	assert_int_equal(item_parse(line, n, &it, &e), ST_OK);
	item_print(it, &printed);
	item_free(it);
	assert_int_equal(printed.len, n);
	assert_memory_equal(printed.data, line, n);
}

static void test_glance(void **state)
{
	static const char line[] = HEAD TAIL;
	struct glance g = {0}, least = {0};
	(void)state;
	assert_true(glance(line, &g));
	assert_int_equal(g.kind, ITEM_MAP);
	assert_true(bytes_equal(g.id, text_bytes("G09.01.0000001")) && bytes_equal(g.dossier, text_bytes("G09.01")));
	assert_true(bytes_equal(g.fonds, text_bytes("G09")) && bytes_equal(g.artefact, text_bytes("/work/a.pdf")));
	assert_true(bytes_equal(g.size_member, text_bytes("\"dossier_size\":12,")));
	assert_true(bytes_equal(g.head, text_bytes(HEAD)));
	assert_int_equal(g.n_sources, 2);
	assert_int_equal(g.pages, 3);
	struct item *it = glance_item(&g);
	assert_string_equal(it->id, "G09.01.0000001");
	assert_string_equal(it->fonds, "G09");
	assert_int_equal(it->dossier_size, 12);
	assert_int_equal(it->n_sources, 2);
	assert_string_equal(it->sources[0].path, "/in/một.jpg");
	assert_string_equal(it->sources[1].sha256, "00ff");
	assert_int_equal(it->sources[1].size, 12);
	item_free(it);
	assert_true(glance("{\"kind\":\"paper\",\"id\":\"\",\"state\":\"ok\"}\n", &least));
	assert_true(least.dossier.p == NULL && least.artefact.p == NULL && least.pages == 0);
	/* The same document: after another stage, and before any. */
	assert_true(glance_same_head(&g, text_bytes(HEAD "\"state\":\"ok\"}\n")));
	assert_true(glance_same_head(&g, text_bytes(HEAD "\"events\":[")));
	assert_false(glance_same_head(&g, text_bytes(HEAD)));
	assert_false(glance_same_head(&least, text_bytes(line)));
	assert_false(glance_same_head(&g, text_bytes("{\"kind\":\"paper\",\"id\":\"\",\"state\":\"ok\"}\n")));
	/* Whatever is changed in it, it is not taken for what it is not. */
	for (size_t at = 0; at < sizeof line - 1; at++) {
		static const char other[] = {'\0', '\n', ' ', '"', '\\', ',', '0',    '9',
		                             ':',  'a',  '{', '}', '[',  ']', '\xc3', '\xff'};
		char text[sizeof line];
		memcpy(text, line, sizeof line);
		for (size_t i = 0; i < sizeof other; i++) {
			text[at] = other[i];
			check_glance(text, sizeof line - 1);
		}
		memmove(text + at, line + at + 1, sizeof line - 1 - at);
		check_glance(text, sizeof line - 2);
		assert_false(item_glance((struct bytes){(const uint8_t *)line, at}, &g));
	}
}

/* Good records or bad ones: somebody must look at them more closely. */
static void test_no_glance(void **state)
{
	static const struct {
		const char *what, *line;
	} cases[] = {
	    {"without a newline", "{\"kind\":\"paper\",\"id\":\"a\",\"state\":\"ok\"}"},
	    {"two newlines", "{\"kind\":\"paper\",\"id\":\"a\",\"state\":\"ok\"}\n\n"},
	    {"a package", "{\"kind\":\"package\",\"id\":\"a\",\"state\":\"ok\"}\n"},
	    {"no id", "{\"kind\":\"paper\",\"state\":\"ok\"}\n"},
	    {"quarantined", "{\"kind\":\"paper\",\"id\":\"a\",\"state\":\"quarantine\"}\n"},
	    {"another order", "{\"id\":\"a\",\"kind\":\"paper\",\"state\":\"ok\"}\n"},
	    {"white space", "{\"kind\":\"paper\", \"id\":\"a\",\"state\":\"ok\"}\n"},
	    {"an escape", "{\"kind\":\"paper\",\"id\":\"a\\\"b\",\"state\":\"ok\"}\n"},
	    {"not UTF-8", "{\"kind\":\"paper\",\"id\":\"\xff\",\"state\":\"ok\"}\n"},
	    {"a dossier of none", "{\"kind\":\"paper\",\"id\":\"a\",\"dossier_size\":0,\"state\":\"ok\"}\n"},
	    {"a dossier too large", "{\"kind\":\"paper\",\"id\":\"a\",\"dossier_size\":4294967296,\"state\":\"ok\"}\n"},
	    {"no sources", "{\"kind\":\"paper\",\"id\":\"a\",\"sources\":[],\"state\":\"ok\"}\n"},
	    {"a field twice", "{\"kind\":\"paper\",\"id\":\"a\",\"description\":{\"b\":\"1\",\"b\":\"2\"},\"state\":\"ok\"}\n"},
	    {"a number as field", "{\"kind\":\"paper\",\"id\":\"a\",\"description\":{\"b\":1},\"state\":\"ok\"}\n"},
	    {"a companion",
	     "{\"kind\":\"paper\",\"id\":\"a\",\"companions\":[{\"path\":\"p\",\"size\":1,\"sha256\":\"\"}],\"state\":\"ok\"}\n"},
	    {"a range", "{\"kind\":\"paper\",\"id\":\"a\",\"range\":[1,2,3],\"state\":\"ok\"}\n"},
	    {"leading zero", "{\"kind\":\"paper\",\"id\":\"a\",\"state\":\"ok\",\"pages\":01}\n"},
	    {"more digits than count", "{\"kind\":\"paper\",\"id\":\"a\",\"state\":\"ok\",\"pages\":1234567890123456}\n"},
	    {"something else", "{\"kind\":\"paper\",\"id\":\"a\",\"state\":\"ok\",\"backlog\":\"/b\"}\n"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct glance g;
		if (glance(cases[i].line, &g))
			fail_msg("%s", cases[i].what);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip), cmocka_unit_test(test_states),    cmocka_unit_test(test_bad_lines),
	    cmocka_unit_test(test_glance),     cmocka_unit_test(test_no_glance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
