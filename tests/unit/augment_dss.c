/* The DSS that augment writes, and what it reads from signatures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "stages/augment/internal.h"
#include "stages/pdf/field/field.h"
#include "stages/pdf/signatures.h"
#include "tests/unit/small_pdf.h"

#define BYTES(text) ((struct bytes){(const uint8_t *)(text), sizeof(text) - 1})

struct seen {
	unsigned n[3];
	unsigned old; /* the stream that the document had */
};

static void look(void *arg, enum pdfdss_kind kind, struct bytes der)
{
	struct seen *s = arg;
	s->n[kind]++;
	s->old += bytes_equal(der, BYTES("old one"));
}

static void dss(void **state)
{
	(void)state;
	static const struct {
		const char *what, *catalog, *fourth;
		unsigned certificates; /* after */
	} cases[] = {
	    {"none yet", "", "null", 3},
	    {"in an object of its own", "/DSS 4 0 R /Extensions << /ADBE << /BaseVersion /1.7 /ExtensionLevel 8 >> >>",
	     "<< /Certs [5 0 R] /VRI << /AB << >> >> >>", 3},
	    {"in the catalog", "/DSS << /Certs [5 0 R] >> /Extensions << /ESIC << /ExtensionLevel 1 >> >>", "null", 3},
	    {"arrays of their own", "/DSS << /Certs 4 0 R >>", "[5 0 R]", 3},
	    {"empty", "/DSS << >>", "null", 3},
	};
	struct bytes certificates[] = {BYTES("old one"), BYTES("a certificate"),
	                               BYTES("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")};
	struct bytes ocsps[] = {BYTES("an answer")}, crls[] = {BYTES("a list")};
	const struct material m = {.set = {certificates, ocsps, crls, 3, 1, 1}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		BUF_AUTO struct buf file = BUF_INIT(1u << 20), update = BUF_INIT(1u << 20);
		char catalog[256];
		snprintf(catalog, sizeof catalog, "<< /Type /Catalog /Pages 2 0 R %s >>", cases[i].catalog);
		const char *const bodies[] = {catalog, "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
		                              "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] >>", cases[i].fourth,
		                              "<< /Length 7 >>\nstream\nold one\nendstream"};
		small_pdf(&file, bodies, 5);
		struct pdfdoc *d;
		struct pdfupd *u;
		struct err e = {0};
		assert_int_equal(pdfdoc_open((struct bytes){file.data, file.len}, &d, &e), ST_OK);
		assert_int_equal(pdfupd_new(d, &u, &e), ST_OK);
		assert_int_equal(dss_extend(u, d, &m, &e), ST_OK);
		assert_int_equal(pdfupd_finish(u, &update, &e), ST_OK);
		pdfupd_free(u);
		pdfdoc_close(d);
		buf_add(&file, update.data, update.len);

		struct seen seen = {0};
		assert_int_equal(pdfdoc_open((struct bytes){file.data, file.len}, &d, &e), ST_OK);
		assert_int_equal(pdfdss_each(d, look, &seen, &e), ST_OK);
		if (seen.n[PDFDSS_CERT] != cases[i].certificates || seen.n[PDFDSS_OCSP] != 1 || seen.n[PDFDSS_CRL] != 1 ||
		    seen.old != 1)
			fail_msg("%s: %u %u %u, %u", cases[i].what, seen.n[PDFDSS_CERT], seen.n[PDFDSS_OCSP], seen.n[PDFDSS_CRL],
			         seen.old);
		const struct pdfobj *extensions = pdfobj_get(pdfdoc_catalog(d), "Extensions");
		assert_int_equal(pdfobj_integer(pdfobj_get(pdfobj_get(extensions, "ESIC"), "ExtensionLevel")), 5);
		bool others = strstr(cases[i].catalog, "ADBE") != NULL;
		assert_int_equal(pdfobj_integer(pdfobj_get(pdfobj_get(extensions, "ADBE"), "ExtensionLevel")), others ? 8 : 0);
		assert_int_equal(pdfobj_kind(pdfobj_get(pdfobj_get(pdfdoc_catalog(d), "DSS"), "VRI")),
		                 others ? PDF_DICT : PDF_NULL);
		pdfdoc_close(d);
	}
}

static void proofs(void **state)
{
	(void)state;
	/* A SignedData (1.2.840.113549.1.7.2) without certificates or signers. */
	static const uint8_t empty[] = {0x30, 0x23, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02,
	                                0xa0, 0x16, 0x30, 0x14, 0x02, 0x01, 0x01, 0x31, 0x00, 0x30, 0x0b, 0x06, 0x09,
	                                0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01, 0x31, 0x00};
	const struct bytes bad[] = {{(const uint8_t *)"", 0},
	                            BYTES("\x30\x03\x02\x01\x05"),
	                            BYTES("no DER"),
	                            {empty, sizeof empty},
	                            {empty, sizeof empty - 1}};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		for (int token = 0; token < 2; token++) {
			struct proof p;
			struct err e = {0};
			assert_int_equal(proof_read(bad[i], token, &p, &e), ST_ITEM);
			assert_string_equal(e.code, "cms-syntax");
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(dss), cmocka_unit_test(proofs)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
