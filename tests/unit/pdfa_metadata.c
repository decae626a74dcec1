/* Packets of XMP, well-formed and not, value types and dates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "stages/pdfa/metadata/date.h"
#include "stages/pdfa/metadata/types.h"

#define RDF_START                                                                                                                \
	"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about=''"                         \
	" xmlns:dc='http://purl.org/dc/elements/1.1/'>"
#define RDF_END "</rdf:Description></rdf:RDF>"

static const struct {
	const char *inner;
	bool valid;
} packets[] = {
    {"<dc:format>text/plain</dc:format>", true},
    {"<dc:format>a/b</dc:format><dc:format>a/b</dc:format>", false}, /* twice */
    {"<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>T</rdf:li></rdf:Alt></dc:title>", true},
    {"<dc:title rdf:parseType='Literal'>T</dc:title>", false},
    {"<dc:title><rdf:li>T</rdf:li></dc:title>", false}, /* text in a node */
    {"<dc:title><rdf:Alt/><rdf:Alt/></dc:title>", false},
    {"<dc:title><rdf:Alt>text</rdf:Alt></dc:title>", false},
    {"<rdf:li>T</rdf:li>", false},
    {"<rdf:value>T</rdf:value>", false},
    {"<title>T</title>", false}, /* no namespace */
    {"<x:title>T</x:title>", false},
    {"<dc:title>T", false},
    {"text", false},
};

static void forms_of_packets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
		char text[1024] = RDF_START;
		struct xmp_tree *t;
		strcat(strcat(text, packets[i].inner), RDF_END);
		assert_true(xmp_tree_read(text_bytes(text), &t));
		if (t->valid != packets[i].valid)
			fail_msg("%s", packets[i].inner);
		xmp_tree_free(t);
	}
}

static const struct {
	const char *type, *value;
	bool holds;
} values[] = {
    {"Integer", "-12", true},
    {"Integer", "1.0", false},
    {"closed Choice of Integer", "7", true},
    {"Integer", "", false},
    {"Real", ".5", true},
    {"Real", "5.", true},
    {"Real", ".", false},
    {"Boolean", "True", true},
    {"Boolean", "true", false},
    {"MIMEType", "text/plain", true},
    {"MIMEType", "text", false},
    {"Date", "2026", true},
    {"Date", "2026-06-12T11:45", true},
    {"Date", "2026-06-12 11", false},
    {"GPSCoordinate", "12,34.56N", true},
    {"GPSCoordinate", "12N", false},
    {"Bag Text", "a", false},
    {"Unknown", "a", false},
    {"open Choice", "a", true},
    {"Lang Alt", "a", false},
};

static void types_of_values(void **state)
{
	(void)state;
	struct xmp_types types = {.part = 1};
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		struct xmp_node n = {.ns = NS_DC, .prefix = "dc", .name = "x", .value = values[i].value};
		if (xmp_type_holds(&types, &n, values[i].type) != values[i].holds)
			fail_msg("%s: %s", values[i].type, values[i].value);
	}
	assert_true(xmp_type_known(&types, "bag seq Text"));
	assert_false(xmp_type_known(&types, "Colorant"));
}

static void same_moments(void **state)
{
	struct xmp_date a, b;
	(void)state;
	assert_true(xmp_date_read("2026-06-12T11:45:37+07:00", &a) && pdf_date_read("D:20260612044537Z", &b));
	assert_int_equal(a.ms, b.ms);
	assert_true(pdf_date_read("D:20260612114537+07'00'", &b) && a.ms == b.ms);
	assert_false(pdf_date_read("D:2026061", &b));
	assert_false(pdf_date_read("", &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(forms_of_packets),
	    cmocka_unit_test(types_of_values),
	    cmocka_unit_test(same_moments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
