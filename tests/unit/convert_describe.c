/* From a document's description to the metadata of its file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/convert/internal.h"

static void test_dates(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int offset;
		const char *expected; /* NULL: not a date */
	} rows[] = {
	    {"03/11/2025", 420, "2025-11-03T00:00:00+07:00"},
	    {"2025-11-03", 420, "2025-11-03T00:00:00+07:00"},
	    {"11/2025", 420, "2025-11-01T00:00:00+07:00"},
	    {"1985", 420, "1985-01-01T00:00:00+07:00"},
	    {"29/02/2024", 0, "2024-02-29T00:00:00+00:00"},
	    {"1/2/1954", -210, "1954-02-01T00:00:00-03:30"},
	    {"29/02/2023", 0, NULL},
	    {"31/04/2023", 0, NULL},
	    {"00/04/2023", 0, NULL},
	    {"13/2023", 0, NULL},
	    {"0/2023", 0, NULL},
	    {"999", 0, NULL},
	    {"", 0, NULL},
	    {"03/11/2025 ", 0, NULL},
	    {"03-11-2025", 0, NULL},
	    {"không rõ", 0, NULL},
	    {"2025-11-03T10:00:00", 0, NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char time[TIME_TEXT];
		bool ok = describe_date(rows[i].text, rows[i].offset, time);
		print_message("\"%s\"\n", rows[i].text);
		assert_int_equal(ok, rows[i].expected != NULL);
		if (ok)
			assert_string_equal(time, rows[i].expected);
	}
}

static void test_languages(void **state)
{
	(void)state;
	static const struct {
		const char *field, *ocr, *expected;
	} rows[] = {
	    {"01", "eng", "vi"},     {"02", NULL, "en"},   {"06", NULL, "vi"},      {"09", NULL, "vi-Hani"},
	    {"01; 02", NULL, "vi"},  {"vi", NULL, "vi"},   {NULL, "vie+eng", "vi"}, {NULL, "eng+vie", "en"},
	    {"11", "none", NULL},    {NULL, "none", NULL}, {NULL, NULL, NULL},      {"", NULL, NULL},
	    {NULL, "chi_tra", "zh"},
	};
	char first[] = "01", second[] = "02", sixth[] = "06", ninth[] = "09", vi[] = "vi", en[] = "en", hani[] = "vi-Hani";
	struct profile_language languages[] = {{first, vi}, {second, en}, {sixth, vi}, {ninth, hani}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char ocr[16] = "";
		snprintf(ocr, sizeof ocr, "%s", rows[i].ocr == NULL ? "" : rows[i].ocr);
		const struct profile_convert p = {
		    .ocr = rows[i].ocr == NULL ? NULL : ocr, .languages = languages, .languages_count = 4};
		const char *tag = describe_language(&p, rows[i].field);
		if (rows[i].expected == NULL)
			assert_null(tag);
		else
			assert_string_equal(tag, rows[i].expected);
	}
}

static void test_page_list(void **state)
{
	(void)state;
	struct page_list l = {0};
	assert_string_equal(page_list_text(&l), "");
	static const size_t pages[] = {1, 2, 3, 5, 8, 9};
	for (size_t i = 0; i < 6; i++)
		page_list_add(&l, pages[i]);
	assert_string_equal(page_list_text(&l), "1-3, 5, 8-9");
	page_list_free(&l);
}

static void test_fields(void **state)
{
	(void)state;
	char ocr[] = "vie+eng", code[] = "03", tag[] = "fr";
	struct profile_language french = {code, tag};
	struct profile profile = {.convert = {.ocr = ocr, .languages = &french, .languages_count = 1},
	                          .sign.appearance.time_offset_min = 420};
	struct stage_env env = {.profile = &profile};
	struct convert c = {.env = &env};
	struct item *it = item_new();
	item_set(&it->id, "box/a");
	item_set(&it->name, "a");
	item_add_source(it, "CMakeLists.txt", 1, "");
	struct describe_storage storage;
	struct pdfmake_meta meta;
	struct err e;

	/* Nothing is known: the name, the identity, the time of the source. */
	assert_int_equal(describe(&c, it, &storage, &meta, &e), ST_OK);
	assert_string_equal(meta.title, "a");
	assert_string_equal(meta.identifier, "box/a");
	assert_string_equal(meta.language, "vi");
	assert_null(meta.author);
	assert_string_equal(meta.created + strlen(meta.created) - 6, "+07:00");
	assert_int_equal(meta.part, 2);
	assert_int_equal(meta.conformance, 'B');

	/* The dossier's date, then the document's own. */
	json_object_set_new(it->dossier_description, "endDate", json_string("1986"));
	json_object_set_new(it->dossier_description, "language", json_string("03"));
	assert_int_equal(describe(&c, it, &storage, &meta, &e), ST_OK);
	assert_string_equal(meta.created, "1986-01-01T00:00:00+07:00");
	assert_string_equal(meta.language, "fr");
	json_object_set_new(it->description, "issuedDate", json_string("05/03/1985"));
	json_object_set_new(it->description, "subject", json_string("V/v b\xe1\xba\xa3o qu\xe1\xba\xa3n"));
	json_object_set_new(it->description, "organName", json_string("UBND"));
	json_object_set_new(it->description, "docCode", json_string("G09.01.0000001"));
	json_object_set_new(it->description, "language", json_string("01"));
	assert_int_equal(describe(&c, it, &storage, &meta, &e), ST_OK);
	assert_string_equal(meta.created, "1985-03-05T00:00:00+07:00");
	assert_string_equal(meta.title, "V/v b\xe1\xba\xa3o qu\xe1\xba\xa3n");
	assert_string_equal(meta.author, "UBND");
	assert_string_equal(meta.identifier, "G09.01.0000001");
	assert_string_equal(meta.language, "vi");

	/* A source that is gone. */
	item_add_source(it, "/nowhere/at/all", 1, "");
	json_object_clear(it->description);
	json_object_clear(it->dossier_description);
	assert_int_not_equal(describe(&c, it, &storage, &meta, &e), ST_OK);
	item_free(it);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dates),
	    cmocka_unit_test(test_languages),
	    cmocka_unit_test(test_page_list),
	    cmocka_unit_test(test_fields),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
