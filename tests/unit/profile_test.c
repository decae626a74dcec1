/* Profiles and site files: what is loaded, and what is said of wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pipeline/config.h"
#include "pipeline/profile.h"
#include "pipeline/site.h"
#include "stages/base/file.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static char folder[] = "/tmp/arkseal_profile_XXXXXX";

static const char *put(const char *name, const char *text)
{
	static char path[256];
	struct err e;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(file_write(path, text, strlen(text), &e), ST_OK);
	return path;
}

static int set_up(void **state)
{
	(void)state;
	unsetenv("ARKSEAL_DATA");
	return mkdtemp(folder) == NULL;
}

static int tear_down(void **state)
{
	struct err e;
	(void)state;
	return file_remove_tree(folder, &e) != ST_OK;
}

static void test_installed(void **state)
{
	struct profile *p = NULL;
	struct err e = {0};
	(void)state;
	assert_int_equal(profile_load("vn-digitised", NULL, 0, &p, &e), ST_OK);
	assert_string_equal(p->name, "vn-digitised");
	assert_int_equal(p->stages_count, 6);
	assert_true(profile_has_stage(p, "augment"));
	assert_false(profile_has_stage(p, "renew"));
	assert_int_equal(p->ingest.layout, LAYOUT_DOSSIERS);
	assert_int_equal(p->sign.level, LEVEL_B_LTA);
	assert_int_equal(p->sign.appearance.time_offset_min, 420);
	assert_true(p->sign.appearance.visible);
	assert_true(p->sign.appearance.size_pt > 9.99 && p->sign.appearance.size_pt < 10.01);
	assert_string_equal(p->sign.appearance.text, "{organisation}\n{time}");
	assert_int_equal(p->sign.appearance.font[0], '/');
	assert_string_equal(p->convert.ocr, "vie+eng");
	assert_int_equal(p->convert.min_dpi_map, 300);
	assert_true(p->bundle.seal);
	assert_string_equal(p->bundle.archive_code, "");
	assert_int_equal(p->ingest.columns[0].max_length, 100);
	assert_true(p->ingest.columns[0].dossier && p->ingest.columns[0].required);
	assert_string_equal(p->ingest.columns[2].labels[0], "Vĩnh viễn");
	profile_free(p);
	assert_int_equal(profile_load("pdfa-only", NULL, 0, &p, &e), ST_OK);
	assert_int_equal(p->ingest.layout, LAYOUT_PLAIN);
	assert_int_equal(p->limits.item_seconds, 1800);
	assert_null(p->sign.reason);
	profile_free(p);
}

static void test_extends(void **state)
{
	struct profile *p = NULL;
	struct err e = {0};
	(void)state;
	put("base.yaml", "name: base\nstages: [ingest, convert]\nconvert:\n  ocr: eng\n  min-dpi: 150\n  flavour: 3b\n");
	const char *set[] = {"convert.ocr=none", "convert.min-dpi=099", "stages=[ingest]", "limits.retries=0"};
	const char *path = put("child.yaml", "extends: ./base.yaml\nname: child\nconvert:\n  flavour:\n  ocr: fra\n");
	assert_int_equal(profile_load(path, NULL, 0, &p, &e), ST_OK);
	assert_string_equal(p->name, "child");
	assert_string_equal(p->convert.ocr, "fra");
	assert_string_equal(p->convert.flavour, "2b"); /* left empty: as if nobody had said it */
	assert_int_equal(p->convert.min_dpi, 150);
	assert_int_equal(p->stages_count, 2);
	profile_free(p);
	assert_int_equal(profile_load(path, set, COUNT(set), &p, &e), ST_OK);
	assert_string_equal(p->convert.ocr, "none");
	assert_int_equal(p->convert.min_dpi, 99);
	assert_int_equal(p->stages_count, 1);
	assert_int_equal(p->limits.retries, 0);
	profile_free(p);
	path = put("installed.yaml", "extends: vn-digitised\nname: x\nsign: {level: B-T}\n");
	assert_int_equal(profile_load(path, NULL, 0, &p, &e), ST_OK);
	assert_int_equal(p->sign.level, LEVEL_B_T);
	assert_int_equal(p->sign.appearance.time_offset_min, 420);
	profile_free(p);
}

/* What "profile show" prints is a profile that says the same. */
static void test_shown(void **state)
{
	static const char *const names[] = {"vn-digitised",  "pdfa-only", "sign-only",
	                                    "vn-attachment", "vn-copy",   "vn-certified-copy"};
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct config_node *tree = NULL;
		struct buf once = BUF_INIT(1 << 20), twice = BUF_INIT(1 << 20);
		struct err e = {0};
		assert_int_equal(profile_tree(names[i], NULL, 0, &tree, &e), ST_OK);
		config_print(tree, &once);
		config_drop(tree);
		assert_int_equal(profile_tree(put("shown.yaml", (char *)once.data), NULL, 0, &tree, &e), ST_OK);
		config_print(tree, &twice);
		config_drop(tree);
		assert_string_equal((char *)once.data, (char *)twice.data);
		buf_free(&once);
		buf_free(&twice);
	}
}

static void test_wrong(void **state)
{
	static const struct {
		const char *text, *set, *code, *where, *key, *allowed;
	} cases[] = {
	    {"name: a\nstages: [ingest, burn]\n", NULL, "profile-value", "wrong.yaml:2", "stages[2]", "validate"},
	    {"name: a\nstages: ingest\n", NULL, "profile-value", "wrong.yaml:2", "stages", "list"},
	    {"name: a\nstages: [ingest]\nconvert:\n  ocrr: x\n", NULL, "profile-key", "wrong.yaml:4", "convert.ocrr", NULL},
	    {"name: a\nstages: [ingest]\nconvert:\n  min-dpi: many\n", NULL, "profile-value", "wrong.yaml:4", "convert.min-dpi",
	     "2400"},
	    {"name: a\nstages: [ingest]\nconvert:\n  min-dpi: 2401\n", NULL, "profile-value", "wrong.yaml:4", "convert.min-dpi",
	     "2400"},
	    {"name: a\nstages: [ingest]\nconvert:\n  min-dpi: -1\n", NULL, "profile-value", "wrong.yaml:4", "convert.min-dpi",
	     "0"},
	    {"name: a\nstages: [ingest]\nsign:\n  level: B-X\n", NULL, "profile-value", "wrong.yaml:4", "sign.level", "B-LTA"},
	    {"name: a\nstages: [ingest]\nbundle:\n  seal: maybe\n", NULL, "profile-value", "wrong.yaml:4", "bundle.seal", "true"},
	    {"name: a\nstages: [ingest]\nsign: [x]\n", NULL, "profile-value", "wrong.yaml:3", "sign", "keys"},
	    {"name: [a]\nstages: [ingest]\n", NULL, "profile-value", "wrong.yaml:1", "name", "text"},
	    {"name: a\nstages: [ingest]\nsign: {appearance: {size-pt: 1x}}\n", NULL, "profile-value", "wrong.yaml:3",
	     "sign.appearance.size-pt", "72"},
	    {"name: a\nstages: [ingest]\nsign: {appearance: {size-pt: nan}}\n", NULL, "profile-value", "wrong.yaml:3",
	     "sign.appearance.size-pt", "72"},
	    {"stages: [ingest]\n", NULL, "profile-needs", "wrong.yaml:1", "name", NULL},
	    {"name: a\n", NULL, "profile-needs", "wrong.yaml:1", "stages", NULL},
	    {"name: a\nstages: [ingest]\ningest: {columns: [{titles: [x]}]}\n", NULL, "profile-needs", "wrong.yaml:3",
	     "ingest.columns[1].field", NULL},
	    {"name: a\nstages: [ingest]\ningest: {layout: dossiers}\n", NULL, "profile-needs", "wrong.yaml:3",
	     "ingest.spreadsheets", NULL},
	    {"name: a\nstages: [ingest]\ningest: {refuse: [{field: secrecy}]}\n", NULL, "profile-value", "wrong.yaml:3", "field",
	     "column"},
	    {"name: a\nstages: [ingest]\ningest: {columns: [{field: f, codes: [a], labels: [b, c]}]}\n", NULL, "profile-value",
	     "wrong.yaml:3", "labels", NULL},
	    {"name: a\nname: b\nstages: [ingest]\n", NULL, "profile-syntax", "wrong.yaml:2", NULL, NULL},
	    {"name: a\nstages: [ingest\n", NULL, "profile-syntax", "wrong.yaml:", NULL, NULL},
	    {"name: &x a\nstages: [*x]\n", NULL, "profile-syntax", "wrong.yaml:", NULL, NULL},
	    {"just words\n", NULL, "profile-syntax", "wrong.yaml:1", NULL, NULL},
	    {"", NULL, "profile-syntax", "wrong.yaml:1", NULL, NULL},
	    {"name: a\nstages: [ingest]\n---\nname: b\n", NULL, "profile-syntax", "wrong.yaml:", NULL, NULL},
	    {"name: a\nstages: [ingest]\nextends: ./wrong.yaml\n", NULL, "profile-extends", "wrong.yaml:3", NULL, NULL},
	    {"name: a\nstages: [ingest]\nextends: ./nowhere.yaml\n", NULL, "profile-missing", "nowhere.yaml", NULL, NULL},
	    {"name: a\nstages: [ingest, sign]\nsign: {appearance: {font: ./no.ttf}}\n", NULL, "profile-font", "wrong.yaml:3",
	     NULL, NULL},
	    {"name: a\nstages: [ingest]\n", "convert.min-dpi=x", "profile-value", "--set", "convert.min-dpi", "2400"},
	    {"name: a\nstages: [ingest]\n", "convert.colour=x", "profile-key", "--set", "convert.colour", NULL},
	    {"name: a\nstages: [ingest]\n", "convert", "profile-set", "--set", NULL, NULL},
	    {"name: a\nstages: [ingest]\n", "=x", "profile-set", "--set", NULL, NULL},
	    {"name: a\nstages: [ingest]\n", "convert..x=1", "profile-set", "--set", NULL, NULL},
	    {"name: a\nstages: [ingest]\n", "name.x=1", "profile-set", "--set", NULL, NULL},
	    {"name: a\nextends: vn-digitised\nconvert: {secret: hold}\n", NULL, "profile-value", "wrong.yaml:3", "convert.secret",
	     "refuse"},
	    {"name: a\nextends: vn-digitised\nconvert: {secret: }\n", NULL, "profile-value", "wrong.yaml:3", "convert.secret",
	     "refuse"},
	    {"name: a\nextends: vn-digitised\nconvert: {secret-marks: [MẬT]}\n", NULL, "profile-value", "wrong.yaml:3",
	     "convert.secret-marks", "all marks"},
	    {"name: a\nextends: vn-digitised\n", "convert.secret=hold", "profile-value", "--set", "convert.secret", "refuse"},
	    {"name: a\nextends: vn-digitised\n", "convert.secret-marks=[]", "profile-value", "--set", "convert.secret-marks",
	     "all marks"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct profile *p = NULL;
		struct err e = {0};
		const char *path = put("wrong.yaml", cases[i].text);
		enum status st = profile_load(path, &cases[i].set, cases[i].set != NULL, &p, &e);
		if (st != ST_RUN || strcmp(e.code, cases[i].code) != 0 || strstr(e.where, cases[i].where) == NULL ||
		    (cases[i].key != NULL && strcmp(e.arg[0], cases[i].key) != 0) ||
		    (cases[i].allowed != NULL && strstr(e.arg[2], cases[i].allowed) == NULL))
			fail_msg("case %zu: status %d, code %s, where %s, key %s, allowed %s: %s", i, st, e.code, e.where,
			         e.arg[0], e.arg[2], e.detail);
	}
}

static void test_site(void **state)
{
	static const char good[] = "organisation: Trung tâm Lưu trữ\nkey: \"pkcs11:token=t\"\ncertificates: [issuing.pem]\n"
	                           "timestamp-authorities: [{url: \"http://a/\"}, {url: \"https://b/\"}]\n"
	                           "trust-anchors: [root.pem, /etc/roots]\njobs: 2\n";
	static const struct {
		const char *text, *code, *where;
	} wrong[] = {
	    {"organisation: [a]\n", "site-value", "site.yaml:1"},
	    {"organisation: a\njobs: -2\n", "site-value", "site.yaml:2"},
	    {"organisation: a\npin: 1234\n", "site-key", "site.yaml:2"},
	    {"timestamp-authorities:\n  - {url: ftp://a/}\n", "site-value", "site.yaml:2"},
	    {"timestamp-authorities:\n  - {}\n", "site-needs", "site.yaml:2"},
	    {"organisation: \"a\n", "site-syntax", "site.yaml:"},
	};
	struct site *s = NULL;
	struct err e = {0};
	char want[256], real[4096];
	(void)state;
	const char *path = put("site.yaml", good);
	assert_int_equal(site_load(path, &s, &e), ST_OK);
	assert_non_null(realpath(folder, real));
	assert_string_equal(s->organisation, "Trung tâm Lưu trữ");
	assert_int_equal(s->timestamp_authorities_count, 2);
	assert_string_equal(s->timestamp_authorities[1].url, "https://b/");
	snprintf(want, sizeof want, "%.200s/issuing.pem", real);
	assert_string_equal(s->certificates[0], want);
	assert_string_equal(s->trust_anchors[1], "/etc/roots");
	assert_int_equal(s->jobs, 2);
	assert_null(s->proxy);
	site_free(s);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		enum status st = site_load(put("site.yaml", wrong[i].text), &s, &e);
		if (st != ST_RUN || strcmp(e.code, wrong[i].code) != 0 || strstr(e.where, wrong[i].where) == NULL)
			fail_msg("case %zu: status %d, code %s, where %s: %s", i, st, e.code, e.where, e.detail);
	}
	setenv("XDG_CONFIG_HOME", folder, 1);
	snprintf(want, sizeof want, "%s/arkseal", folder);
	assert_int_equal(file_make_folders(want, &e), ST_OK);
	put("arkseal/site.yaml", good);
	assert_int_equal(site_load(NULL, &s, &e), ST_OK);
	site_free(s);
	snprintf(want, sizeof want, "%s/none.yaml", folder);
	assert_int_equal(site_load(want, &s, &e), ST_RUN);
	assert_string_equal(e.code, "site-missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_installed), cmocka_unit_test(test_extends),
	                                   cmocka_unit_test(test_shown), cmocka_unit_test(test_wrong),
	                                   cmocka_unit_test(test_site)};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
