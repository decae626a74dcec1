/* What a PDF says of itself: PDF/A in its XMP, signatures in its form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/pdf/redraw/claim.h"
#include "tests/unit/redraw_pdf.h"

#define RDF(inside)                                                                                                              \
	"<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"                                 \
	"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>" inside "</rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
#define ID "xmlns:pdfaid='http://www.aiim.org/pdfa/ns/id/'"

static void test_xmp(void **state)
{
	(void)state;
	static const struct {
		const char *xmp;
		int part;
		char conformance;
	} rows[] = {
	    {RDF("<rdf:Description " ID
	         "><pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></rdf:Description>"),
	     2, 'B'},
	    {RDF("<rdf:Description " ID " pdfaid:part='1' pdfaid:conformance='a'/>"), 1, 'A'},
	    {RDF("<rdf:Description/><rdf:Description xmlns:q='http://www.aiim.org/pdfa/ns/id/' q:part='3'/>"), 3, 0},
	    {RDF("<rdf:Description xmlns:pdfaid='http://example.org/' pdfaid:part='2' pdfaid:conformance='B'/>"), 0, 0},
	    {RDF("<rdf:Description " ID " pdfaid:part='two' pdfaid:conformance='BU'/>"), 0, 0},
	    {RDF("<rdf:Description " ID " pdfaid:part=''/>"), 0, 0},
	    {RDF(""), 0, 0},
	    {"", 0, 0},
	    {"<a", 0, 0},
	    {"<!DOCTYPE a [<!ENTITY b '2'>]><a " ID " pdfaid:part='2'/>", 0, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct pdf_claim c = {.part = 7, .conformance = 'x'};
		pdf_claim_xmp((struct bytes){(const uint8_t *)rows[i].xmp, strlen(rows[i].xmp)}, &c);
		print_message("row %zu: %d %c\n", i, c.part, c.conformance == 0 ? '-' : c.conformance);
		assert_int_equal(c.part, rows[i].part);
		assert_int_equal(c.conformance, rows[i].conformance);
	}
}

#define PAGES "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
#define PAGE "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>"
#define SIGNATURE "<< /Type /Sig /Filter /Adobe.PPKLite /ByteRange [0 1 2 3] /Contents <00> >>"

static void test_document(void **state)
{
	(void)state;
	char *xmp =
	    stream_body("/Type /Metadata /Subtype /XML", RDF("<rdf:Description " ID " pdfaid:part='2' pdfaid:conformance='U'/>"));
	const struct {
		const char *label;
		const char *bodies[8];
		int part;
		bool signatures, traces;
	} rows[] = {
	    {"plain", {"<< /Type /Catalog /Pages 2 0 R >>", PAGES, PAGE}, 0, false, false},
	    {"claims", {"<< /Type /Catalog /Pages 2 0 R /Metadata 4 0 R >>", PAGES, PAGE, xmp}, 2, false, false},
	    {"signed",
	     {"<< /Type /Catalog /Pages 2 0 R /Metadata 4 0 R /AcroForm << /Fields [5 0 R] /SigFlags 3 >> >>", PAGES, PAGE, xmp,
	      "<< /FT /Sig /T (a) /V 6 0 R >>", SIGNATURE},
	     2,
	     true,
	     true},
	    {"signed, the type from a parent",
	     {"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>", PAGES, PAGE,
	      "<< /FT /Sig /T (a) /Kids [5 0 R] >>", "<< /Parent 4 0 R /V 6 0 R >>", SIGNATURE},
	     0,
	     true,
	     true},
	    {"a field that waits for its signature",
	     {"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] /SigFlags 1 >> >>", PAGES, PAGE,
	      "<< /FT /Sig /T (a) >>"},
	     0,
	     false,
	     false},
	    {"a text field",
	     {"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>", PAGES, PAGE, "<< /FT /Tx /T (a) /V (b) >>"},
	     0,
	     false,
	     false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		BUF_AUTO struct buf b = BUF_INIT(1u << 20);
		make_pdf(&b, rows[i].bodies, "");
		struct pdf_claim c;
		struct err e;
		if (pdf_claim_read((struct bytes){b.data, b.len}, &c, &e) != ST_OK)
			fail_msg("%s: %s %s %s", rows[i].label, e.code, e.detail, e.where);
		print_message("%s\n", rows[i].label);
		assert_int_equal(c.part, rows[i].part);
		assert_int_equal(c.signatures, rows[i].signatures);
		assert_int_equal(c.pages, 1);
		assert_false(c.encrypted);
		assert_int_equal(pdf_claim_traces((struct bytes){b.data, b.len}), rows[i].traces);
	}
	free(xmp);
}

/* Fields that refer to each other end; nothing is said of such a file. */
static void test_field_loop(void **state)
{
	(void)state;
	static const char *const bodies[] = {"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>", PAGES, PAGE,
	                                     "<< /FT /Sig /Kids [4 0 R 4 0 R] >>", NULL};
	BUF_AUTO struct buf b = BUF_INIT(1u << 20);
	make_pdf(&b, bodies, "");
	struct pdf_claim c;
	struct err e;
	assert_int_equal(pdf_claim_read((struct bytes){b.data, b.len}, &c, &e), ST_ITEM);
	assert_string_equal(e.code, "pdf-broken");
}

static void test_not_readable(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "%PDF-1.7\n", "hello"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct pdf_claim c;
		struct err e;
		assert_int_equal(pdf_claim_read((struct bytes){(const uint8_t *)texts[i], strlen(texts[i])}, &c, &e), ST_ITEM);
		assert_int_equal(c.part, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_xmp),
	    cmocka_unit_test(test_document),
	    cmocka_unit_test(test_field_loop),
	    cmocka_unit_test(test_not_readable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
