/* Breaks a package in every way and expects the check to say where. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stages/base/file.h"
#include "stages/package/check.h"
#include "tests/unit/package_fixture.h"

#define REP "representations/rep1/"

enum change { NOTHING, REPLACE, REMOVE, ADD, LINK, TRUNCATE };

static const struct {
	const char *what;
	enum change change;
	const char *path;
	const char *from, *to; /* of REPLACE: the first place where `from` stands */
	const char *code;      /* of a finding; NULL: none */
} cases[] = {
    {"untouched", NOTHING, NULL, NULL, NULL, NULL},
    {"a byte of a document", REPLACE, REP "data/G09.01.001.0000001.pdf", "1.7", "1.6", "package-fixity"},
    {"a document is longer", REPLACE, REP "data/G09.01.001.0000001.pdf", "1.7", "1.7 ", "package-size"},
    {"a document is gone", REMOVE, REP "data/G09.01.001.0000001.pdf", NULL, NULL, "package-missing"},
    {"a file too many", ADD, "stray.txt", NULL, NULL, "package-stray"},
    {"a file too many in data", ADD, REP "data/x.pdf", NULL, NULL, "package-description"},
    {"a symbolic link", LINK, "link", NULL, NULL, "package-foreign"},
    {"no METS", REMOVE, "METS.xml", NULL, NULL, "package-missing"},
    {"no METS of the representation", REMOVE, REP "METS.xml", NULL, NULL, "package-missing"},
    {"no PREMIS", REMOVE, "metadata/preservation/PREMIS.xml", NULL, NULL, "package-missing"},
    {"METS is cut off", TRUNCATE, "METS.xml", NULL, NULL, "package-xml"},
    {"METS with an unknown element", REPLACE, "METS.xml", "<metsHdr ", "<metsHdx ", "package-xml"},
    {"METS with a wrong status", REPLACE, "METS.xml", "\"NEW\"", "\"ALT\"", "package-schema"},
    {"METS with another OBJID", REPLACE, "METS.xml", "OBJID=\"urn:G09", "OBJID=\"urn:G10", "package-name"},
    {"METS that points outside", REPLACE, "METS.xml", "xlink:href=\"schemas/", "xlink:href=\"../hemas/", "package-reference"},
    {"METS that points to a server", REPLACE, "METS.xml", "xlink:href=\"schemas/", "xlink:href=\"http://a", "package-reference"},
    {"METS with a broken reference", REPLACE, "METS.xml", "FILEID=\"uuid-", "FILEID=\"uuiD-", "package-reference"},
    {"METS with a document type", REPLACE, "METS.xml", "<mets ", "<!DOCTYPE mets [<!ENTITY a \"a\">]><mets ", "package-xml"},
    {"MetadataLink to another description", REPLACE, REP "METS.xml", "LABEL=\"MetadataLink/File\"", "LABEL=\"MetadataLink/Fils\"",
     "package-description"},
    {"PREMIS with another digest", REPLACE, REP "metadata/preservation/PREMIS_rep1.xml", "<messageDigest>", "<messageDigest>0",
     "package-fixity"},
    {"EAD with a wrong code", REPLACE, "metadata/descriptive/EAD.xml", "<maintenance>01", "<maintenance>09", "package-schema"},
};

static void change(const struct setting *s, size_t i)
{
	struct buf b = BUF_INIT(1 << 20);
	char *path = cases[i].path == NULL ? NULL : path_join(s->target, cases[i].path);
	if (cases[i].change == REMOVE)
		assert_int_equal(unlink(path), 0);
	if (cases[i].change == ADD)
		assert_int_equal(file_write(path, "x", 1, NULL), ST_OK);
	if (cases[i].change == LINK)
		assert_int_equal(symlink("/etc/hostname", path), 0);
	if (cases[i].change == TRUNCATE)
		assert_int_equal(truncate(path, 500), 0);
	if (cases[i].change == REPLACE) {
		assert_int_equal(file_read(path, &b, NULL), ST_OK);
		char *at = strstr((char *)b.data, cases[i].from);
		assert_non_null(at);
		struct buf out = BUF_INIT(1 << 20);
		buf_add(&out, b.data, (size_t)(at - (char *)b.data));
		buf_str(&out, cases[i].to);
		buf_str(&out, at + strlen(cases[i].from));
		assert_int_equal(file_write(path, out.data, out.len, NULL), ST_OK);
		buf_free(&out);
	}
	buf_free(&b);
	free(path);
}

static void finds_what_is_broken(void **state)
{
	struct setting *s = *state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct package_report r;
		struct err e;
		bool found = cases[i].code == NULL;
		assert_int_equal(package_write(&s->package, s->target, &e), ST_OK);
		change(s, i);
		assert_int_equal(package_check(s->target, NULL, NULL, &r, &e), ST_OK);
		for (size_t k = 0; k < r.n_findings; k++)
			found = found || strcmp(r.findings[k].code, cases[i].code) == 0;
		if (!found || (cases[i].code == NULL) != (r.n_findings == 0))
			print_error("%s: %zu findings, first %s\n", cases[i].what, r.n_findings,
			            r.n_findings ? r.findings[0].code : "-");
		assert_true(found);
		assert_int_equal(cases[i].code == NULL, r.n_findings == 0);
		package_report_free(&r);
		assert_int_equal(file_remove_tree(s->target, NULL), ST_OK);
	}
}

static void reads_zip_like_folder(void **state)
{
	struct setting *s = *state;
	struct package_report r;
	struct err e;
	char *zip = path_join(s->folder, "a.zip");
	assert_int_equal(package_write(&s->package, s->target, NULL), ST_OK);
	assert_int_equal(package_zip(s->target, zip, s->package.now_ms, NULL), ST_OK);
	assert_true(package_recognise(s->target));
	assert_true(package_recognise(zip));
	assert_false(package_recognise(s->source));
	assert_int_equal(package_check(zip, NULL, NULL, &r, &e), ST_OK);
	assert_int_equal(r.n_findings, 0);
	package_report_free(&r);
	/* A ZIP that ends early or is none at all is an error, not a package without findings. */
	assert_int_equal(truncate(zip, 3000), 0);
	assert_int_equal(package_check(zip, NULL, NULL, &r, &e), ST_ITEM);
	assert_string_equal(e.code, "package-unreadable");
	assert_int_equal(package_check(s->source, NULL, NULL, &r, &e), ST_ITEM);
	assert_string_equal(e.code, "package-unreadable");
	free(zip);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(finds_what_is_broken, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(reads_zip_like_folder, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
