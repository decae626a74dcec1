/* A signature field put into documents with and without a form, and its value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "stages/base/digest.h"
#include "stages/pdf/field/field.h"
#include "stages/pdf/signatures.h"
#include "tests/unit/small_pdf.h"

struct shape {
	const char *what, *catalog, *page, *fourth, *fifth;
	const char *name;  /* that the field must get */
	size_t fields;     /* that there must be after */
	size_t annots;     /* as well */
	const char *fault; /* or NULL */
};

static const struct shape shapes[] = {
    {"no form", "", "", "null", "null", "Signature1", 1, 1, NULL},
    {"form in the catalog", "/AcroForm << /Fields [4 0 R] /DA (/F 0 Tf) >>", "/Annots [4 0 R]", "<< /FT /Tx /T (a) >>", "null",
     "Signature1", 2, 2, NULL},
    {"form of its own", "/AcroForm 5 0 R", "", "<< /FT /Tx /T (Signature1) >>", "<< /Fields [4 0 R] /SigFlags 1 >>", "Signature2",
     2, 1, NULL},
    {"arrays of their own", "/AcroForm << /Fields 4 0 R >>", "/Annots 5 0 R", "[]", "[null]", "Signature1", 1, 2, NULL},
    {"a name in UTF-16", "/AcroForm << /Fields [4 0 R 5 0 R] >>", "",
     "<< /FT /Tx /T <feff005300690067006e00610074007500720065> >>",
     "<< /FT /Tx /T <feff005300690067006e006100740075007200650031> >>", "Signature2", 3, 1, NULL},
    {"form without fields", "/AcroForm << /SigFlags 3 /A#20B true >>", "", "null", "null", "Signature1", 1, 1, NULL},
    {"annotations that are none", "", "/Annots 7", "null", "null", NULL, 0, 0, "pdf-form"},
    {"a form that is none", "/AcroForm [1]", "", "null", "null", NULL, 0, 0, "pdf-form"},
    {"fields that are none", "/AcroForm << /Fields 1 >>", "", "null", "null", NULL, 0, 0, "pdf-form"},
};

static void make_document(const struct shape *s, struct buf *to)
{
	char catalog[256], page[256];
	snprintf(catalog, sizeof catalog, "<< /Type /Catalog /Pages 2 0 R %s >>", s->catalog);
	snprintf(page, sizeof page, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] %s >>", s->page);
	const char *const bodies[] = {catalog, "<< /Type /Pages /Count 1 /Kids [3 0 R] >>", page, s->fourth, s->fifth};
	small_pdf(to, bodies, 5);
}

/* Signs with bytes that are no CMS and appends; the same bytes come back from the reader. */
static enum status sign_with(struct buf *file, struct bytes contents, size_t room, char name[PDFFIELD_NAME], bool *ret_fits,
                             struct err *e)
{
	struct pdfdoc *d;
	struct pdfupd *u;
	uint32_t value = 0;
	BUF_AUTO struct buf update = BUF_INIT(1u << 20);
	assert_int_equal(pdfdoc_open((struct bytes){file->data, file->len}, &d, e), ST_OK);
	assert_int_equal(pdfupd_new(d, &u, e), ST_OK);
	const struct pdffield f = {.page = 3, .rect = {1, 2, 3, 4}, .stem = "Signature"};
	enum status st = pdffield_add(u, d, &f, &value, name, e);
	if (st == ST_OK) {
		const struct pdffield_value v = {.type = "Sig",
		                                 .sub_filter = "ETSI.CAdES.detached",
		                                 .time = "D:20260612114537+07'00'",
		                                 .name = "Tỉnh (Bắc Ninh)",
		                                 .room = room};
		struct pdfupd_hole hole;
		uint8_t digest[64];
		size_t n;
		pdffield_set_value(u, value, &v);
		st = pdfupd_finish_signature(u, value, &update, &hole, e);
		assert_int_equal(st, ST_OK);
		assert_int_equal(hole.digits, 2 * room);
		assert_int_equal(pdffield_digest((struct bytes){file->data, file->len}, &update, hole, "SHA256", digest, &n, e),
		                 ST_OK);
		assert_int_equal(n, 32);
		*ret_fits = pdffield_fill(&update, hole, contents);
	}
	pdfupd_free(u);
	pdfdoc_close(d);
	buf_add(file, update.data, update.len);
	return st;
}

static void fields(void **state)
{
	(void)state;
	const struct bytes contents = {(const uint8_t *)"\x30\x03\x02\x01\x05", 5};
	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
		const struct shape *s = &shapes[i];
		BUF_AUTO struct buf file = BUF_INIT(1u << 20);
		struct err e = {0};
		char name[PDFFIELD_NAME];
		bool fits = false;
		make_document(s, &file);
		enum status st = sign_with(&file, contents, 64, name, &fits, &e);
		if (s->fault != NULL) {
			if (st != ST_ITEM || strcmp(e.code, s->fault) != 0)
				fail_msg("%s: %d %s", s->what, st, e.code);
			continue;
		}
		if (st != ST_OK)
			fail_msg("%s: %s %s", s->what, e.code, e.detail);
		assert_string_equal(name, s->name);
		assert_true(fits);
		struct pdfdoc *d;
		struct pdfsig *list;
		size_t n;
		assert_int_equal(pdfdoc_open((struct bytes){file.data, file.len}, &d, &e), ST_OK);
		assert_int_equal(pdfsig_list(d, &list, &n, &e), ST_OK);
		const struct pdfobj *form = pdfobj_get(pdfdoc_catalog(d), "AcroForm");
		const struct pdfobj *annots = pdfobj_get(pdfdoc_object(d, 3), "Annots");
		if (n != 1 || pdfobj_length(pdfobj_get(form, "Fields")) != s->fields || pdfobj_length(annots) != s->annots)
			fail_msg("%s: %zu signatures, %zu fields, %zu annotations", s->what, n,
			         pdfobj_length(pdfobj_get(form, "Fields")), pdfobj_length(annots));
		assert_int_equal(pdfobj_integer(pdfobj_get(form, "SigFlags")), 3);
		assert_int_equal(pdfobj_kind(pdfobj_get(form, "NeedAppearances")), PDF_NULL);
		assert_int_equal(pdfobj_integer(pdfobj_get(pdfobj_at(annots, s->annots - 1), "F")), 132);
		if (strstr(s->catalog, "A#20B") != NULL)
			assert_true(pdfobj_boolean(pdfobj_get(form, "A B")));
		assert_string_equal(list[0].field, s->name);
		assert_true(list[0].range_ok);
		assert_true(list[0].whole_file);
		assert_true(bytes_equal((struct bytes){list[0].contents.data, list[0].contents.len}, contents));
		pdfsig_free(list, n);
		pdfdoc_close(d);
	}
}

static void too_small(void **state)
{
	(void)state;
	static const uint8_t contents[65];
	BUF_AUTO struct buf file = BUF_INIT(1u << 20);
	struct err e = {0};
	char name[PDFFIELD_NAME];
	bool fits = true;
	make_document(&shapes[0], &file);
	assert_int_equal(sign_with(&file, (struct bytes){contents, 65}, 64, name, &fits, &e), ST_OK);
	assert_false(fits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(fields), cmocka_unit_test(too_small)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
