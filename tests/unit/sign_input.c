/* What is signed is what the record names: a file that somebody has changed since is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/base/digest.h"
#include "stages/sign/session.h"

static void test_input(void **state)
{
	static const struct {
		const char *what, *artefact, *source, *content, *code; /* the digest is that of these texts; "": not known */
	} cases[] = {
	    {"the artefact", "made", NULL, "made", NULL},
	    {"another artefact", "made", NULL, "forged", "artefact-changed"},
	    {"the artefact, not the source", "made", "received", "made", NULL},
	    {"the source", NULL, "received", "received", NULL},
	    {"another source", NULL, "received", "forged", "source-changed"},
	    {"a source that nobody has read yet", NULL, "", "received", NULL},
	    {"nothing", NULL, NULL, "made", "sign-no-pdf"},
	};
	char folder[] = "/tmp/sign-input-XXXXXX";
	(void)state;
	assert_non_null(mkdtemp(folder));
	char *path = path_join(folder, "file.pdf");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct item *it = item_new();
		struct err e = {0};
		struct file_map map;
		char digest[65] = "", found[65], wanted[65];
		item_set(&it->id, "a");
		assert_int_equal(file_write(path, cases[i].content, strlen(cases[i].content), &e), ST_OK);
		if (cases[i].source != NULL && cases[i].source[0] != '\0')
			sha256_hex(cases[i].source, strlen(cases[i].source), digest);
		if (cases[i].source != NULL)
			item_add_source(it, path, 1, digest);
		if (cases[i].artefact != NULL) {
			sha256_hex(cases[i].artefact, strlen(cases[i].artefact), digest);
			item_set_artefact(it, path, 1, digest, NULL);
		}
		enum status st = session_input(it, &map, found, &e);
		if (st != (cases[i].code == NULL ? ST_OK : ST_ITEM) ||
		    strcmp(e.code, cases[i].code == NULL ? "" : cases[i].code) != 0)
			fail_msg("%s: %d %s", cases[i].what, st, e.code);
		if (st == ST_OK) {
			sha256_hex(cases[i].content, strlen(cases[i].content), wanted);
			assert_string_equal(found, wanted);
			file_map_close(&map);
		}
		item_free(it);
	}
	struct err e;
	assert_int_equal(file_remove_tree(folder, &e), ST_OK);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_input)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
