/* Signatures: what a byte range must be, and what may follow a signature. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/base/digest.h"
#include "stages/pdf/signatures.h"
#include "stages/pdf/update.h"
#include "tests/unit/small_pdf.h"

/* 1 catalog, 2 pages, 3 page, 4 content, 5 form, 6 signature field (to be signed), 7 empty signature field, 8 text field "t.x",
 * 9 its appearance, 10 Info (not in the trailer), 11 a link, 12 a font, 13 a shared appearance, 14 a field that shows it */
#define CATALOG_REST "/Type/Catalog/Pages 2 0 R/AcroForm 5 0 R/Extra 13 0 R"
#define PAGE_REST "/Type/Page/Parent 2 0 R/Contents 4 0 R"
#define FORM_REST "/SigFlags 3/DR<</Font<</F 12 0 R>>>>"
#define SIG_FIELD "/Type/Annot/Subtype/Widget/FT/Sig/Rect[0 0 0 0]/F 132/P 3 0 R"
#define TEXT_FIELD "/Type/Annot/Subtype/Widget/FT/Tx/T(t)/Rect[0 0 9 9]/P 3 0 R"

static const char *const bodies[] = {
    "<<" CATALOG_REST ">>",
    "<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 20 30]>>",
    "<<" PAGE_REST "/Annots[6 0 R 7 0 R 8 0 R 11 0 R 14 0 R]>>",
    "<</Length 5>>\nstream\n0 0 m\nendstream",
    "<<" FORM_REST "/Fields[6 0 R 7 0 R 8 0 R 14 0 R]>>",
    "<<" SIG_FIELD "/T(a)>>",
    "<<" SIG_FIELD "/T(b)>>",
    "<<" TEXT_FIELD "/AP<</N 9 0 R>>>>",
    "<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length 1>>\nstream\nq\nendstream",
    "<</Title(x)>>",
    "<</Type/Annot/Subtype/Link/Rect[0 0 1 1]>>",
    "<</Type/Font>>",
    "<</N 9 0 R>>",
    "<</Type/Annot/Subtype/Widget/FT/Tx/T(u)/Rect[0 0 9 9]/P 3 0 R/AP 13 0 R>>",
};

static const char no_lock[] = "", mdp1[] = "/Reference[<</TransformMethod/DocMDP/TransformParams<</P 1>>>>]",
                  mdp3[] = "/Reference[<</TransformMethod/DocMDP/TransformParams<</P 3>>>>]",
                  lock_t[] = "/Reference[<</TransformMethod/FieldMDP/TransformParams<</Action/Include/Fields[(t)]>>>>]",
                  lock_but_t[] = "/Reference[<</TransformMethod/FieldMDP/TransformParams<</Action/Exclude/Fields[(t)]>>>>]",
                  lock_all[] = "/Reference[<</TransformMethod/FieldMDP/TransformParams<</Action/All>>>>]";

static void append(struct buf *all, const struct buf *to)
{
	buf_add(all, to->data, to->len);
	assert_false(all->failed);
}

/* The document with field 6 signed by object 15. */
static struct buf signed_document(const char *reference)
{
	struct buf all = BUF_INIT(1 << 20), to = BUF_INIT(1 << 20), body = BUF_INIT(1 << 16);
	struct pdfdoc *d;
	struct pdfupd *u;
	struct pdfupd_hole hole;
	struct err e;
	small_pdf(&all, bodies, sizeof bodies / sizeof *bodies);
	assert_int_equal(pdfdoc_open((struct bytes){all.data, all.len}, &d, &e), ST_OK);
	assert_int_equal(pdfupd_new(d, &u, &e), ST_OK);
	uint32_t number = pdfupd_allocate(u);
	buf_format(&body,
	           "<</Type/Sig/SubFilter/ETSI.CAdES.detached/ByteRange [0000000000 0000000000 0000000000 0000000000]"
	           "/Contents <3003020101000000>%s>>",
	           reference);
	pdfupd_set(u, number, body.data, body.len);
	buf_reset(&body);
	buf_format(&body, "<<" SIG_FIELD "/T(a)/V %u 0 R>>", number);
	pdfupd_set(u, 6, body.data, body.len);
	assert_int_equal(pdfupd_finish_signature(u, number, &to, &hole, &e), ST_OK);
	append(&all, &to);
	pdfupd_free(u);
	pdfdoc_close(d);
	buf_free(&body);
	buf_free(&to);
	return all;
}

static void update(struct buf *all, const char *const *changes)
{
	struct buf to = BUF_INIT(1 << 20);
	struct pdfdoc *d;
	struct pdfupd *u;
	struct err e;
	assert_int_equal(pdfdoc_open((struct bytes){all->data, all->len}, &d, &e), ST_OK);
	assert_int_equal(pdfupd_new(d, &u, &e), ST_OK);
	for (size_t i = 0; i < 6 && changes[i] != NULL; i++) {
		char *body;
		uint32_t number = (uint32_t)strtoul(changes[i], &body, 10);
		pdfupd_set(u, number, body, strlen(body));
	}
	assert_int_equal(pdfupd_finish(u, &to, &e), ST_OK);
	pdfupd_free(u);
	pdfdoc_close(d);
	append(all, &to);
	buf_free(&to);
}

#define STAMP "17 <</Type/DocTimeStamp/SubFilter/ETSI.RFC3161>>"

static void test_changes(void **state)
{
	(void)state;
	static const struct {
		const char *what, *reference;
		const char *changes[6]; /* object number and body */
		enum pdfsig_changes want;
		const char *reason; /* part of it */
	} cases[] = {
	    {"DSS", no_lock, {"1 <<" CATALOG_REST "/DSS 16 0 R>>", "16 <</Certs[17 0 R]>>", "17 null"}, PDFSIG_ALLOWED, ""},
	    {"DSS with P 1", mdp1, {"1 <<" CATALOG_REST "/DSS 16 0 R/Extensions<<>>>>", "16 <<>>"}, PDFSIG_ALLOWED, ""},
	    {"catalog written again in another order",
	     no_lock,
	     {"1 <</Extra 13 0 R/AcroForm 5 0 R/Pages 2 0 R/Type/Catalog>>"},
	     PDFSIG_ALLOWED,
	     ""},
	    {"catalog gets an action", no_lock, {"1 <<" CATALOG_REST "/OpenAction 4 0 R>>"}, PDFSIG_FORBIDDEN, "OpenAction"},
	    {"catalog gets layers", no_lock, {"1 <<" CATALOG_REST "/OCProperties<<>>>>"}, PDFSIG_FORBIDDEN, "OCProperties"},
	    {"catalog loses the form", no_lock, {"1 <</Type/Catalog/Pages 2 0 R/Extra 13 0 R>>"}, PDFSIG_FORBIDDEN, "AcroForm"},
	    {"another page tree",
	     no_lock,
	     {"1 <</Type/Catalog/Pages 16 0 R/AcroForm 5 0 R/Extra 13 0 R>>", "16 <</Type/Pages/Kids[]/Count 0>>"},
	     PDFSIG_FORBIDDEN,
	     "Pages"},
	    {"higher version", no_lock, {"1 <<" CATALOG_REST "/Version/2.0>>"}, PDFSIG_ALLOWED, ""},
	    {"page content", no_lock, {"4 <</Length 5>>\nstream\n9 9 m\nendstream"}, PDFSIG_FORBIDDEN, "object 4"},
	    {"page content of another object",
	     no_lock,
	     {"3 <</Type/Page/Parent 2 0 R/Contents 16 0 R/Annots[6 0 R 7 0 R 8 0 R 11 0 R 14 0 R]>>", "16 null"},
	     PDFSIG_FORBIDDEN,
	     "Contents"},
	    {"a page more",
	     no_lock,
	     {"2 <</Type/Pages/Kids[3 0 R 16 0 R]/Count 2/MediaBox[0 0 20 30]>>", "16 <</Type/Page/Parent 2 0 R>>"},
	     PDFSIG_FORBIDDEN,
	     "object 2"},
	    {"a font", no_lock, {"12 <</Type/Font/BaseFont/Evil>>"}, PDFSIG_FORBIDDEN, "object 12"},
	    {"a timestamp's field",
	     mdp1,
	     {"3 <<" PAGE_REST "/Annots[6 0 R 7 0 R 8 0 R 11 0 R 14 0 R 16 0 R]>>",
	      "5 <<" FORM_REST "/Fields[6 0 R 7 0 R 8 0 R 14 0 R 16 0 R]>>", "16 <<" SIG_FIELD "/T(c)/V 17 0 R>>", STAMP},
	     PDFSIG_ALLOWED,
	     ""},
	    {"a timestamp's field that shows something",
	     mdp1,
	     {"5 <<" FORM_REST "/Fields[6 0 R 7 0 R 8 0 R 14 0 R 16 0 R]>>",
	      "16 <</Type/Annot/Subtype/Widget/FT/Sig/Rect[0 0 9 9]/T(c)/V 17 0 R>>", STAMP},
	     PDFSIG_FORBIDDEN,
	     "form"},
	    {"a signature's field with P 1",
	     mdp1,
	     {"3 <<" PAGE_REST "/Annots[6 0 R 7 0 R 8 0 R 11 0 R 14 0 R 16 0 R]>>",
	      "5 <<" FORM_REST "/Fields[6 0 R 7 0 R 8 0 R 14 0 R 16 0 R]>>", "16 <<" SIG_FIELD "/T(c)/V 17 0 R>>",
	      "17 <</Type/Sig>>"},
	     PDFSIG_FORBIDDEN,
	     "a"},
	    {"a signature's field",
	     no_lock,
	     {"3 <<" PAGE_REST "/Annots[6 0 R 7 0 R 8 0 R 11 0 R 14 0 R 16 0 R]>>",
	      "5 <<" FORM_REST "/Fields[6 0 R 7 0 R 8 0 R 14 0 R 16 0 R]/DA(x)>>", "16 <<" SIG_FIELD "/T(c)/V 17 0 R>>",
	      "17 <</Type/Sig>>"},
	     PDFSIG_ALLOWED,
	     ""},
	    {"a signature's field with an action",
	     no_lock,
	     {"5 <<" FORM_REST "/Fields[6 0 R 7 0 R 8 0 R 14 0 R 16 0 R]>>", "16 <<" SIG_FIELD "/T(c)/AA<<>>>>"},
	     PDFSIG_FORBIDDEN,
	     "form"},
	    {"a text field more",
	     no_lock,
	     {"5 <<" FORM_REST "/Fields[6 0 R 7 0 R 8 0 R 14 0 R 16 0 R]>>", "16 <<" TEXT_FIELD ">>"},
	     PDFSIG_FORBIDDEN,
	     "form"},
	    {"a field less", no_lock, {"5 <<" FORM_REST "/Fields[6 0 R 7 0 R 8 0 R]>>"}, PDFSIG_FORBIDDEN, "form"},
	    {"XFA", no_lock, {"5 <<" FORM_REST "/Fields[6 0 R 7 0 R 8 0 R 14 0 R]/XFA[]>>"}, PDFSIG_FORBIDDEN, "XFA"},
	    {"another default font",
	     no_lock,
	     {"5 <</SigFlags 3/DR<</Font<</F 16 0 R>>>>/Fields[6 0 R 7 0 R 8 0 R 14 0 R]>>", "16 null"},
	     PDFSIG_FORBIDDEN,
	     "DR"},
	    {"one more default font",
	     no_lock,
	     {"5 <</SigFlags 3/DR<</Font<</F 12 0 R/G 16 0 R>>>>/Fields[6 0 R 7 0 R 8 0 R 14 0 R]>>", "16 null"},
	     PDFSIG_ALLOWED,
	     ""},
	    {"the empty field is signed", no_lock, {"7 <<" SIG_FIELD "/T(b)/V 16 0 R>>", "16 <</Type/Sig>>"}, PDFSIG_ALLOWED, ""},
	    {"the empty field is signed with P 1",
	     mdp1,
	     {"7 <<" SIG_FIELD "/T(b)/V 16 0 R>>", "16 <</Type/Sig>>"},
	     PDFSIG_FORBIDDEN,
	     "V"},
	    {"the empty field is signed, but locked",
	     lock_all,
	     {"7 <<" SIG_FIELD "/T(b)/V 16 0 R>>", "16 <</Type/Sig>>"},
	     PDFSIG_FORBIDDEN,
	     "locked"},
	    {"the signed field changes", no_lock, {"6 <<" SIG_FIELD "/T(a)/V 15 0 R/AP<<>>>>"}, PDFSIG_FORBIDDEN, "signed"},
	    {"text is filled in",
	     no_lock,
	     {"8 <<" TEXT_FIELD "/V(x)/AP<</N 16 0 R>>>>", "16 <</Length 0>>\nstream\n\nendstream"},
	     PDFSIG_ALLOWED,
	     ""},
	    {"text is filled in with P 1", mdp1, {"8 <<" TEXT_FIELD "/V(x)/AP<</N 9 0 R>>>>"}, PDFSIG_FORBIDDEN, "object 8"},
	    {"locked text is filled in", lock_t, {"8 <<" TEXT_FIELD "/V(x)/AP<</N 9 0 R>>>>"}, PDFSIG_FORBIDDEN, "object 8"},
	    {"text that the lock excepts is filled in",
	     lock_but_t,
	     {"8 <<" TEXT_FIELD "/V(x)/AP<</N 9 0 R>>>>"},
	     PDFSIG_ALLOWED,
	     ""},
	    {"text is renamed",
	     no_lock,
	     {"8 <</Type/Annot/Subtype/Widget/FT/Tx/T(z)/Rect[0 0 9 9]/P 3 0 R/AP<</N 9 0 R>>>>"},
	     PDFSIG_FORBIDDEN,
	     "T of"},
	    {"text is moved",
	     no_lock,
	     {"8 <</Type/Annot/Subtype/Widget/FT/Tx/T(t)/Rect[9 9 9 9]/P 3 0 R/AP<</N 9 0 R>>>>"},
	     PDFSIG_FORBIDDEN,
	     "Rect"},
	    {"an appearance that the catalog leads to",
	     no_lock,
	     {"9 <</Length 0>>\nstream\n\nendstream"},
	     PDFSIG_FORBIDDEN,
	     "object 9"},
	    {"a shared appearance is replaced",
	     no_lock,
	     {"14 <</Type/Annot/Subtype/Widget/FT/Tx/T(u)/Rect[0 0 9 9]/P 3 0 R/AP<<>>>>"},
	     PDFSIG_FORBIDDEN,
	     "object 13"},
	    {"an annotation",
	     no_lock,
	     {"3 <<" PAGE_REST "/Annots[6 0 R 7 0 R 8 0 R 11 0 R 14 0 R 16 0 R]>>", "16 <</Type/Annot/Subtype/Text>>"},
	     PDFSIG_FORBIDDEN,
	     "annotation"},
	    {"an annotation with P 3",
	     mdp3,
	     {"3 <<" PAGE_REST "/Annots[6 0 R 7 0 R 8 0 R 14 0 R 16 0 R]>>", "16 <</Type/Annot/Subtype/Text>>"},
	     PDFSIG_ALLOWED,
	     ""},
	    {"a link changes", no_lock, {"11 <</Type/Annot/Subtype/Link/Rect[9 9 9 9]>>"}, PDFSIG_FORBIDDEN, "object 11"},
	    {"a link changes with P 3", mdp3, {"11 <</Type/Annot/Subtype/Link/Rect[9 9 9 9]>>"}, PDFSIG_ALLOWED, ""},
	    {"a widget goes with P 3",
	     mdp3,
	     {"3 <<" PAGE_REST "/Annots[7 0 R 8 0 R 11 0 R 14 0 R]>>"},
	     PDFSIG_FORBIDDEN,
	     "widget"},
	    {"what nothing leads to", no_lock, {"10 <</Title(y)>>"}, PDFSIG_ALLOWED, ""},
	    {"the signature itself", no_lock, {"15 <</Type/Sig/Reason(z)>>"}, PDFSIG_FORBIDDEN, "object 15"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf all = signed_document(cases[i].reference);
		struct pdfdoc *d;
		struct pdfsig *list;
		struct err e = {0};
		size_t n, k = 0;
		update(&all, cases[i].changes);
		assert_int_equal(pdfdoc_open((struct bytes){all.data, all.len}, &d, &e), ST_OK);
		if (pdfsig_list(d, &list, &n, &e) != ST_OK)
			fail_msg("%s: %s", cases[i].what, e.detail);
		while (k < n && strcmp(list[k].field, "a") != 0)
			k++;
		if (k < n && list[k].range_ok) {
			if (list[k].changes != cases[i].want || strstr(list[k].change_reason, cases[i].reason) == NULL)
				fail_msg("%s: %d (%s), want %d (%s)", cases[i].what, list[k].changes, list[k].change_reason,
				         cases[i].want, cases[i].reason);
		} else if (strcmp(cases[i].what, "catalog loses the form") != 0 &&
		           strcmp(cases[i].what, "the signature itself") != 0) {
			fail_msg("%s: the signature is not found", cases[i].what);
		}
		pdfsig_free(list, n);
		pdfdoc_close(d);
		buf_free(&all);
	}
}

/* The list of a document whose bytes were changed; true where one signature, of the whole file, is in it. */
static bool whole(struct bytes in)
{
	struct pdfdoc *d;
	struct pdfsig *list;
	struct err e;
	size_t n;
	if (pdfdoc_open(in, &d, &e) != ST_OK)
		return false;
	bool good = pdfsig_list(d, &list, &n, &e) == ST_OK;
	if (good) {
		good = n == 1 && list[0].range_ok && list[0].whole_file;
		pdfsig_free(list, n);
	}
	pdfdoc_close(d);
	return good;
}

static void test_range(void **state)
{
	(void)state;
	struct buf all = signed_document("");
	char *text = (char *)all.data, *at = strstr(text, "/ByteRange [") + 12;
	assert_true(whole((struct bytes){all.data, all.len}));
	/* Whatever digit of the range is another one, the range is wrong. */
	for (char *c = at; *c != ']'; c++) {
		char was = *c;
		if (was < '0' || was > '9')
			continue;
		for (char digit = '0'; digit <= '9'; digit++) {
			*c = digit;
			assert_int_equal(whole((struct bytes){all.data, all.len}), digit == was);
		}
		*c = was;
	}
	/* A literal string, a reference, and another dictionary's Contents do not do. */
	char *contents = strstr(text, "/Contents <");
	memcpy(contents + 10, "(3003020101000000)", 18);
	assert_false(whole((struct bytes){all.data, all.len}));
	memcpy(contents + 10, "4 0 R             ", 18);
	assert_false(whole((struct bytes){all.data, all.len}));
	memcpy(contents, "/Contentz <3003020101000000>", 28);
	assert_false(whole((struct bytes){all.data, all.len}));
	buf_free(&all);
}

static void test_digest(void **state)
{
	(void)state;
	struct buf all = signed_document(""), covered = BUF_INIT(1 << 20);
	struct pdfdoc *d;
	struct pdfsig *list;
	struct err e;
	uint8_t digest[64], want[32];
	size_t n, length;
	assert_int_equal(pdfdoc_open((struct bytes){all.data, all.len}, &d, &e), ST_OK);
	assert_int_equal(pdfsig_list(d, &list, &n, &e), ST_OK);
	assert_int_equal(n, 1);
	assert_int_equal(pdfsig_digest(d, &list[0], "SHA256", digest, &length, &e), ST_OK);
	buf_add(&covered, all.data, (size_t)list[0].range[1]);
	buf_add(&covered, all.data + list[0].range[2], (size_t)list[0].range[3]);
	sha256_bytes(covered.data, covered.len, want);
	assert_int_equal(length, 32);
	assert_memory_equal(digest, want, 32);
	assert_int_equal(pdfsig_digest(d, &list[0], "none", digest, &length, &e), ST_ITEM);
	list[0].range[3]++;
	assert_int_equal(pdfsig_digest(d, &list[0], "SHA256", digest, &length, &e), ST_ITEM);
	pdfsig_free(list, n);
	pdfdoc_close(d);
	buf_free(&covered);
	buf_free(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_changes), cmocka_unit_test(test_range),
	                                   cmocka_unit_test(test_digest)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
