/* Writes a package of two documents and looks at what came out. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stages/base/file.h"
#include "tests/unit/package_fixture.h"

static void writes_tree(void **state)
{
	static const char *const wanted[] = {
	    "METS.xml",
	    "metadata/descriptive/EAD.xml",
	    "metadata/preservation/PREMIS.xml",
	    "schemas/METS.xsd",
	    "schemas/EAD_pic.xsd",
	    "schemas/EAD_media.xsd",
	    "representations/rep1/METS.xml",
	    "representations/rep1/metadata/descriptive/EAD_doc_G09.01.001.0000001.xml",
	    "representations/rep1/metadata/descriptive/EAD_pic_G09.01.001.0000002.xml",
	    "representations/rep1/metadata/preservation/PREMIS_rep1.xml",
	    "representations/rep1/data/G09.01.001.0000002.pdf",
	};
	struct setting *s = *state;
	struct err e;
	assert_int_equal(package_write(&s->package, s->target, &e), ST_OK);
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		char *path = path_join(s->target, wanted[i]);
		assert_int_equal(access(path, R_OK), 0);
		free(path);
	}
	/* A folder that is there is never written into. */
	assert_int_equal(package_write(&s->package, s->target, &e), ST_ITEM);
	assert_string_equal(e.code, "file-create");
}

static void same_input_same_bytes(void **state)
{
	struct setting *s = *state;
	char first[65], second[65], *zip = path_join(s->folder, "a.zip");
	int64_t size;
	for (int round = 0; round < 2; round++) {
		assert_int_equal(package_write(&s->package, s->target, NULL), ST_OK);
		assert_int_equal(package_zip(s->target, zip, s->package.now_ms, NULL), ST_OK);
		assert_int_equal(file_sha256(zip, round == 0 ? first : second, &size, NULL), ST_OK);
		assert_int_equal(file_remove_tree(s->target, NULL), ST_OK);
	}
	assert_string_equal(first, second);
	free(zip);
}

static void refuses_changed_source(void **state)
{
	struct setting *s = *state;
	struct err e;
	assert_int_equal(file_write(s->source, "%PDF-1.6\n", 9, NULL), ST_OK);
	assert_int_equal(package_write(&s->package, s->target, &e), ST_ITEM);
	assert_string_equal(e.code, "artefact-changed");
}

static void refuses_missing_field(void **state)
{
	struct setting *s = *state;
	struct err e;
	s->documents[0].fields = s->documents[1].fields;
	assert_int_equal(package_write(&s->package, s->target, &e), ST_ITEM);
	assert_string_equal(e.code, "package-field");
	assert_string_equal(e.arg[1], "language");
}

static void names_folder(void **state)
{
	(void)state;
	char *name = package_folder_name("urn:G09:uuid:1");
	assert_string_equal(name, "urn_G09_uuid_1");
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(writes_tree, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(same_input_same_bytes, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(refuses_changed_source, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(refuses_missing_field, set_up, tear_down),
	    cmocka_unit_test(names_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
