/* What a report says of PDF/A: the member of the JSON object, the problem, the paragraphs for a person. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "stages/validate/report.h"

static const struct pdfa_finding some[] = {
    {"6.10-1", "page", "trang sai", "the page is wrong", 5, 1, 7, 3, ""},
    {"6.2.4.3-2", "DeviceRGB", "màu sai", "the colour is wrong", 9, 2, 4, 1, "Im1"},
    {"6.2.4.3-2", "image", "ảnh sai", "the image is wrong", 2, 1, 0, 0, ""},
    {"6.3.1-1", "annotation", "chú thích sai", "the annotation is wrong", 4, 0, 0, 0, ""},
    {"6.9-1", "optional content", "lớp sai", "the layer is wrong", 0, 0, 0, 0, ""},
};

/* A result of the first n findings but `skip`. */
static struct pdfa_result result(enum pdfa_flavour flavour, size_t skip, size_t n, bool passes)
{
	struct pdfa_result r = {.flavour = flavour, .passes = passes, .n_findings = n - skip};
	r.findings = malloc(sizeof some);
	assert_non_null(r.findings);
	memcpy(r.findings, some + skip, (n - skip) * sizeof *some);
	return r;
}

static char *print(const struct report *r, struct report_style style, bool json)
{
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);
	assert_non_null(to);
	if (json)
		report_print_json(r, &style, to);
	else
		report_print_text(r, &style, to);
	fclose(to);
	return text;
}

/* The member "pdfa" as compact JSON. */
static char *member(const struct report *r, bool all)
{
	char *text = print(r, (struct report_style){.pdfa_rules = all}, true);
	json_t *o = json_loads(text, 0, NULL);
	assert_non_null(o);
	char *found = json_dumps(json_object_get(o, "pdfa"), JSON_COMPACT | JSON_ENCODE_ANY);
	json_decref(o);
	free(text);
	return found;
}

static void test_rows(void **state)
{
	(void)state;
	struct err fault;
	err_set(&fault, ST_ITEM, "pdf-xref", "the table ends early");
	static const struct {
		const char *label;
		enum pdfa_flavour asked, found;
		size_t skip, n;
		bool passes, unreadable;
		enum report_verdict weight, verdict;
		const char *json, *all;
		const char *problem; /* how its message begins */
	} rows[] = {
	    {"broken", PDFA_NONE, PDFA_2B, 0, 5, false, false, REPORT_INVALID, REPORT_INVALID,
	     "{\"flavour\":\"2b\",\"verdict\":\"fail\",\"rules\":[\"6.2.4.3-2\",\"6.10-1\"]}",
	     "{\"flavour\":\"2b\",\"verdict\":\"fail\",\"rules\":[\"6.2.4.3-2\",\"6.10-1\"],\"tried\":["
	     "{\"rule\":\"6.2.4.3-2\",\"tried\":11,\"broken\":3},{\"rule\":\"6.3.1-1\",\"tried\":4,\"broken\":0},"
	     "{\"rule\":\"6.9-1\",\"tried\":0,\"broken\":0},{\"rule\":\"6.10-1\",\"tried\":5,\"broken\":1}]}",
	     "PDF/A-2b: 2 rules are broken, first 6.2.4.3-2: "},
	    {"broken, told only", PDFA_NONE, PDFA_2B, 0, 1, false, false, REPORT_VALID, REPORT_VALID,
	     "{\"flavour\":\"2b\",\"verdict\":\"fail\",\"rules\":[\"6.10-1\"]}", NULL,
	     "PDF/A-2b: rule 6.10-1 is broken: the page"},
	    {"kept", PDFA_1A, PDFA_1A, 3, 5, true, false, REPORT_INVALID, REPORT_VALID,
	     "{\"flavour\":\"1a\",\"verdict\":\"pass\",\"rules\":[]}", NULL, NULL},
	    {"no claim", PDFA_NONE, PDFA_NONE, 0, 0, false, false, REPORT_INVALID, REPORT_VALID, "null", "null", NULL},
	    {"unreadable, no flavour", PDFA_NONE, PDFA_NONE, 0, 0, false, true, REPORT_INVALID, REPORT_VALID, "null", "null",
	     NULL},
	    {"unreadable", PDFA_3U, PDFA_NONE, 0, 0, false, true, REPORT_INVALID, REPORT_INVALID,
	     "{\"flavour\":\"3u\",\"verdict\":\"fail\",\"rules\":[]}", NULL,
	     "PDF/A-3u: the file cannot be read: pdf-xref: the table ends early"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		print_message("%s\n", rows[i].label);
		struct report r;
		report_init(&r, REPORT_PDF, "a.pdf");
		struct pdfa_result found = result(rows[i].found, rows[i].skip, rows[i].n, rows[i].passes);
		if (rows[i].unreadable)
			pdfa_result_free(&found);
		report_pdfa(&r, rows[i].asked, &found, rows[i].unreadable ? &fault : NULL, rows[i].weight);
		pdfa_result_free(&found);
		assert_int_equal(r.verdict, rows[i].verdict);
		assert_int_equal(r.n_problems, rows[i].problem == NULL ? 0 : 1);
		if (rows[i].problem != NULL) {
			assert_string_equal(r.problems[0].code, "pdfa-broken");
			assert_memory_equal(r.problems[0].message, rows[i].problem, strlen(rows[i].problem));
		}
		char *json = member(&r, false), *all = member(&r, true);
		assert_string_equal(json, rows[i].json);
		if (rows[i].all != NULL)
			assert_string_equal(all, rows[i].all);
		free(json);
		free(all);
		report_free(&r);
	}
}

/* What of the document could not be read fails it, even where no rule is broken. */
static void test_fault_within(void **state)
{
	(void)state;
	struct report r;
	struct pdfa_result found = result(PDFA_2U, 3, 5, false);
	err_set(&found.fault, ST_ITEM, "pdf-stream", "object 9 is damaged");
	report_init(&r, REPORT_PDF, "a.pdf");
	report_pdfa(&r, PDFA_2U, &found, NULL, REPORT_INVALID);
	assert_int_equal(r.verdict, REPORT_INVALID);
	assert_non_null(strstr(r.problems[0].message, "object 9 is damaged"));
	char *json = member(&r, false), *text = print(&r, (struct report_style){.english = true}, false);
	assert_string_equal(json, "{\"flavour\":\"2u\",\"verdict\":\"fail\",\"rules\":[]}");
	assert_non_null(strstr(text, "PDF/A-2u: does not pass"));
	assert_non_null(strstr(text, "cannot be read: pdf-stream"));
	free(json);
	free(text);
	report_free(&r);
}

static void test_text(void **state)
{
	(void)state;
	static const struct {
		bool english, all;
		const char *parts[5], *never;
	} rows[] = {
	    {true,
	     false,
	     {"PDF/A-2b: does not pass", "6.2.4.3-2  ISO 19005-2, clause 6.2.4.3, test 2; broken 2 of 9 times",
	      "first: object 4, page 1, \"Im1\"", "the colour is wrong", "the image is wrong"},
	     "6.3.1-1"},
	    {false,
	     false,
	     {"PDF/A-2b: không đạt", "6.2.4.3-2  ISO 19005-2, điều 6.2.4.3, phép thử 2; sai 2 trong 9 lần kiểm tra",
	      "gặp lần đầu: đối tượng 4, trang 1, “Im1”", "màu sai", "ảnh sai"},
	     "the colour is wrong\n"},
	    {true, true, {"- 6.2.4.3-2", "+ 6.3.1-1", ". 6.9-1", "- 6.10-1", "first: object 7, page 3\n"}, "màu"},
	};
	struct report r;
	struct pdfa_result found = result(PDFA_2B, 0, 5, false);
	report_init(&r, REPORT_PDF, "a.pdf");
	report_pdfa(&r, PDFA_NONE, &found, NULL, REPORT_INVALID);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *text = print(&r, (struct report_style){.english = rows[i].english, .pdfa_rules = rows[i].all}, false);
		const char *own = strstr(text, "PDF/A-2b: ");
		for (size_t k = 0; k < 5; k++)
			if (strstr(text, rows[i].parts[k]) == NULL)
				fail_msg("«%s» is not in the report:\n%s", rows[i].parts[k], text);
		own = strstr(own + 1, "PDF/A-2b: "); /* behind the problem */
		assert_non_null(own);
		assert_null(strstr(own, rows[i].never));
		free(text);
	}
	report_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_fault_within),
	    cmocka_unit_test(test_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
