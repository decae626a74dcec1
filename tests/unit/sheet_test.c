/* Spreadsheets: what cells say, and what is said of broken files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/sheet/internal.h"
#include "tests/unit/sheet_make.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define DATA(x) "<sheetData>" x "</sheetData>"

static uint8_t room[1 << 20];

static enum status parse(size_t n, struct book **b, struct err *e)
{
	*b = NULL;
	return book_parse((struct bytes){room, n}, "t.csv", b, e);
}

static void expect_cell(const struct book *b, uint32_t row, uint32_t column, const char *want, const char *which)
{
	const char *got = book_size(b) > 0 ? sheet_cell(book_sheet(b, 0), row, column) : "no sheet";
	if (strcmp(got, want) != 0)
		fail_msg("%s: row %u, column %u: «%s», wanted «%s»", which, row + 1, column + 1, got, want);
}

static void test_csv(void **state)
{
	static const struct {
		const char *text;
		size_t n; /* 0: strlen */
		uint32_t row, column;
		const char *want;
	} cases[] = {
	    {"a,b\nc,đ\n", 0, 1, 1, "đ"},
	    {"\xef\xbb\xbf"
	     "Mã,b\r\nc,d",
	     0, 0, 0, "Mã"},
	    {"a;\"x,y\";c\n1;2;3\n", 0, 0, 1, "x,y"},
	    {"a\tb\n1\t2", 0, 1, 1, "2"},
	    {"a,b\n\"dòng 1\ndòng 2\",\"nói \"\"được\"\"\"\n", 0, 1, 1, "nói \"được\""},
	    {"a,b\n\"dòng 1\ndòng 2\",x\n", 0, 1, 0, "dòng 1\ndòng 2"},
	    {"a,b\rc,d\r", 0, 1, 0, "c"},
	    {"sep=;\na;b,c\n", 0, 0, 1, "b,c"},
	    {"a,,b\n\n,x\n", 0, 2, 1, "x"},
	    {"a,\n", 0, 0, 1, ""},
	    {"\xff\xfe"
	     "a\0,\0\xc3\x1e\n\0",
	     10, 0, 1, "ể"},
	    {"\xfe\xff\0a\0,\xd8\x3d\xdc\x00", 10, 0, 1, "🐀"},
	    {"", 0, 0, 0, ""},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t n = cases[i].n ? cases[i].n : strlen(cases[i].text);
		struct book *b;
		struct err e = {0};
		char which[32];
		snprintf(which, sizeof which, "case %zu", i);
		memcpy(room, cases[i].text, n);
		if (parse(n, &b, &e) != ST_OK)
			fail_msg("%s: %s: %s", which, e.code, e.detail);
		expect_cell(b, cases[i].row, cases[i].column, cases[i].want, which);
		book_free(b);
	}
}

static void test_csv_wrong(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		const char *code, *arg;
	} cases[] = {
	    {"a,b\nc,\xe9\n", 7, "csv-encoding", "6"},
	    {"a,b\nc\0d", 7, "csv-encoding", "5"},
	    {"\xff\xfe"
	     "a",
	     3, "csv-encoding", ""},
	    {"\xff\xfe\x00\xd8"
	     "a\0",
	     6, "csv-encoding", ""},
	    {"\xff\xfe\x00\xdc", 4, "csv-encoding", ""},
	    {"a,b\n\"c,d\n", 9, "csv-quote", "2"},
	    {"a,b\nc,\"d\"e\n", 11, "csv-quote", "2"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct book *b;
		struct err e = {0};
		memcpy(room, cases[i].text, cases[i].n);
		enum status st = parse(cases[i].n, &b, &e);
		if (st != ST_ITEM || strcmp(e.code, cases[i].code) != 0 || (*cases[i].arg && strcmp(e.arg[0], cases[i].arg) != 0))
			fail_msg("case %zu: status %d, %s %s: %s", i, st, e.code, e.arg[0], e.detail);
	}
}

static void test_csv_limits(void **state)
{
	struct book *b;
	struct err e = {0};
	(void)state;
	memset(room, ',', 2000);
	room[2000] = 'x';
	assert_int_equal(parse(2001, &b, &e), ST_ITEM);
	assert_string_equal(e.code, "sheet-too-large");
}

static void test_xlsx(void **state)
{
	static const char strings[] = "<si><t>Mã hồ sơ</t></si><si><r><t>Quyết </t></r><r><t xml:space=\"preserve\">định</t></r>"
	                              "<rPh><t>không</t></rPh></si><si><t>a_x000D_&amp;&lt;b</t></si>";
	static const char styles[] =
	    "<numFmts><numFmt numFmtId=\"164\" formatCode=\"dd/mm/yyyy;@\"/><numFmt numFmtId=\"165\" "
	    "formatCode=\"&quot;ngày &quot;0\"/><numFmt numFmtId=\"166\" formatCode=\"mm/yyyy\"/></numFmts>"
	    "<cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/>"
	    "<xf numFmtId=\"164\"/><xf numFmtId=\"165\"/><xf numFmtId=\"22\"/><xf numFmtId=\"166\"/></cellXfs>";
	static const struct {
		const char *cell, *workbook, *want;
	} cases[] = {
	    {"<c r=\"A1\" t=\"s\"><v>0</v></c>", NULL, "Mã hồ sơ"},
	    {"<c r=\"A1\" t=\"s\"><v>1</v></c>", NULL, "Quyết định"},
	    {"<c r=\"A1\" t=\"s\"><v>2</v></c>", NULL, "a\r&<b"},
	    {"<c r=\"A1\" t=\"inlineStr\"><is><r><t>x</t></r><r><t>y</t></r></is></c>", NULL, "xy"},
	    {"<c r=\"A1\" t=\"str\"><f>A2</f><v>z</v></c>", NULL, "z"},
	    {"<c r=\"A1\" t=\"b\"><v>1</v></c>", NULL, "1"},
	    {"<c r=\"A1\" t=\"d\"><v>2024-03-09T00:00:00</v></c>", NULL, "09/03/2024"},
	    {"<c r=\"A1\" t=\"d\"><v>2024-03-09T13:45:00.000</v></c>", NULL, "09/03/2024 13:45"},
	    {"<c r=\"A1\" t=\"d\"><v>2024-03-09</v></c>", NULL, "09/03/2024"},
	    {"<c r=\"A1\"><v>7</v></c>", NULL, "7"},
	    {"<c r=\"A1\"><v>7.50</v></c>", NULL, "7.5"},
	    {"<c r=\"A1\"><v>1.2E3</v></c>", NULL, "1200"},
	    {"<c><v>8</v></c>", NULL, "8"},
	    {"<c r=\"A1\" s=\"1\"><v>45360</v></c>", NULL, "09/03/2024"},
	    {"<c r=\"A1\" s=\"2\"><v>45360</v></c>", NULL, "09/03/2024"},
	    {"<c r=\"A1\" s=\"3\"><v>45360</v></c>", NULL, "45360"},
	    {"<c r=\"A1\" s=\"4\"><v>45360.5</v></c>", NULL, "09/03/2024 12:00"},
	    {"<c r=\"A1\" s=\"5\"><v>45360</v></c>", NULL, "03/2024"},
	    {"<c r=\"A1\" s=\"1\"><v>1</v></c>", NULL, "01/01/1900"},
	    {"<c r=\"A1\" s=\"1\"><v>59</v></c>", NULL, "28/02/1900"},
	    {"<c r=\"A1\" s=\"1\"><v>61</v></c>", NULL, "01/03/1900"},
	    {"<c r=\"A1\" s=\"1\"><v>-3</v></c>", NULL, "-3"},
	    {"<c r=\"A1\" s=\"1\"><v>43898</v></c>", "<workbookPr date1904=\"1\"/>", "09/03/2024"},
	    {"<c r=\"A1\" s=\"1\"><v>1e99</v></c>", NULL, "1e+99"},
	    {"<c r=\"A1\" s=\"99\"><v>5</v></c>", NULL, "5"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct made_part parts[MADE_PARTS];
		struct book *b;
		struct err e = {0};
		char cells[1024], which[32];
		snprintf(which, sizeof which, "case %zu", i);
		snprintf(cells, sizeof cells, DATA("<row r=\"1\">%s</row>"), cases[i].cell);
		made_workbook(cells, strings, styles, cases[i].workbook, parts);
		if (parse(make_zip(parts, MADE_PARTS, NULL, room, sizeof room), &b, &e) != ST_OK)
			fail_msg("%s: %s: %s", which, e.code, e.detail);
		expect_cell(b, 0, 0, cases[i].want, which);
		assert_string_equal(book_sheet(b, 0)->name, "S");
		book_free(b);
	}
}

static void test_merged(void **state)
{
	struct made_part parts[MADE_PARTS];
	struct book *b;
	struct err e = {0};
	(void)state;
	made_workbook(
	    DATA(
	        "<row r=\"1\"><c r=\"A1\" t=\"str\"><v>x</v></c></row><row r=\"3\"><c r=\"C3\"><v>9</v></c></row>") "<mergeCells>"
	                                                                                                            "<mergeCell "
	                                                                                                            "ref=\"A1:"
	                                                                                                            "B1048576\"/"
	                                                                                                            "><mergeCell "
	                                                                                                            "ref=\"C3:"
	                                                                                                            "D3\"/"
	                                                                                                            "><mergeCell "
	                                                                                                            "ref=\"bad\"/"
	                                                                                                            "></"
	                                                                                                            "mergeCells>",
	    NULL, NULL, NULL, parts);
	assert_int_equal(parse(make_zip(parts, MADE_PARTS, NULL, room, sizeof room), &b, &e), ST_OK);
	expect_cell(b, 0, 1, "x", "right");
	expect_cell(b, 2, 0, "x", "below");
	expect_cell(b, 2, 1, "x", "corner");
	expect_cell(b, 2, 3, "9", "second range");
	expect_cell(b, 1, 2, "", "outside");
	assert_int_equal(book_sheet(b, 0)->n_rows, 3);
	book_free(b);
}

static void test_xlsx_wrong(void **state)
{
	static const char bomb[] =
	    "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><worksheet>&b;</worksheet>";
	static const struct {
		const char *cells;      /* of the sheet */
		int replace;            /* this part gets this text; -1: none */
		const char *text;       /* NULL: the part is left out */
		const char *options;    /* of the ZIP */
		const char *code, *arg; /* what must come */
	} cases[] = {
	    {"", 3, bomb, NULL, "xlsx-xml", "xl/worksheets/sheet1.xml"},
	    {"", 3, "<worksheet><sheetData>", NULL, "xlsx-xml", "xl/worksheets/sheet1.xml"},
	    {"", 3, "", NULL, "xlsx-xml", "xl/worksheets/sheet1.xml"},
	    {"", 3, "<worksheet>&nbsp;</worksheet>", NULL, "xlsx-xml", "xl/worksheets/sheet1.xml"},
	    {"", 3, NULL, NULL, "xlsx-part", "xl/worksheets/sheet1.xml"},
	    {"", 4, NULL, NULL, "xlsx-part", "xl/sharedStrings.xml"},
	    {"", 1, NULL, NULL, "xlsx-part", "xl/workbook.xml"},
	    {"", 0, NULL, NULL, "xlsx-part", "_rels/.rels"},
	    {"", 2, "<Relationships/>", NULL, "xlsx-part", "S"},
	    {"", -1, NULL, "zip:encryption=zipcrypt", "xlsx-encrypted", NULL},
	    {DATA("<row><c r=\"A1\" t=\"s\"><v>0</v></c></row>"), -1, NULL, NULL, "xlsx-xml", "S!A1"},
	    {DATA("<row><c r=\"A1\" t=\"s\"><v>-1</v></c></row>"), -1, NULL, NULL, "xlsx-xml", "S!A1"},
	    {DATA("<row><c r=\"1A\"><v>1</v></c></row>"), -1, NULL, NULL, "xlsx-xml", NULL},
	    {DATA("<row><c r=\"XFD1\"><v>1</v></c></row>"), -1, NULL, NULL, "sheet-too-large", "columns"},
	    {DATA("<row><c r=\"A1048577\"><v>1</v></c></row>"), -1, NULL, NULL, "sheet-too-large", "rows"},
	    {DATA("<row r=\"4294967295\"><c><v>1</v></c></row>"), -1, NULL, NULL, "sheet-too-large", "rows"},
	    {DATA(
	         "<row r=\"1\"><c t=\"str\"><v>1</v></c></row><row r=\"1048576\"><c><v>1</v></c></row>") "<mergeCells><mergeCell "
	                                                                                                 "ref=\"A1:ALL1048576\"/"
	                                                                                                 "></mergeCells>",
	     -1, NULL, NULL, "sheet-too-large", NULL},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct made_part parts[MADE_PARTS];
		struct book *b;
		struct err e = {0};
		size_t n = MADE_PARTS;
		made_workbook(cases[i].cells, NULL, NULL, NULL, parts);
		if (cases[i].replace >= 0)
			parts[cases[i].replace].text = cases[i].text;
		if (cases[i].replace >= 0 && cases[i].text == NULL)
			parts[cases[i].replace] = parts[--n];
		enum status st = parse(make_zip(parts, n, cases[i].options, room, sizeof room), &b, &e);
		if (st != ST_ITEM || strcmp(e.code, cases[i].code) != 0 || (cases[i].arg && strcmp(e.arg[0], cases[i].arg) != 0))
			fail_msg("case %zu: status %d, %s %s: %s", i, st, e.code, e.arg[0], e.detail);
	}
}

static void test_container(void **state)
{
	struct made_part parts[MADE_PARTS];
	struct book *b;
	struct err e = {0};
	(void)state;
	made_workbook(DATA("<row><c><v>1</v></c></row>"), NULL, NULL, NULL, parts);
	size_t n = make_zip(parts, MADE_PARTS, NULL, room, sizeof room);
	for (size_t cut = 2; cut < n; cut++) { /* an own copy, so that a read past the end is seen */
		uint8_t *part = malloc(cut);
		memcpy(part, room, cut);
		enum status st = book_parse((struct bytes){part, cut}, "t", &b, &e);
		free(part);
		if (st != ST_ITEM || strncmp(e.code, "xlsx-", 5) != 0)
			fail_msg("cut at %zu of %zu: status %d, %s: %s", cut, n, st, e.code, e.detail);
	}
	memcpy(room, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
	assert_int_equal(parse(512, &b, &e), ST_ITEM);
	assert_string_equal(e.code, "xlsx-encrypted");
}

static void test_formats(void **state)
{
	static const struct {
		const char *code;
		enum number_kind want;
	} cases[] = {
	    {"General", NUMBER_PLAIN},
	    {"0.00", NUMBER_PLAIN},
	    {"#,##0 \"đồng\"", NUMBER_PLAIN},
	    {"dd/mm/yyyy", NUMBER_DATE},
	    {"[$-42A]dd\\ mmmm\\ yyyy", NUMBER_DATE},
	    {"[Red]0", NUMBER_PLAIN},
	    {"\"ngày\" d", NUMBER_DATE},
	    {"yyyy", NUMBER_YEAR},
	    {"mm/yyyy", NUMBER_MONTH},
	    {"hh:mm", NUMBER_TIME},
	    {"[h]:mm", NUMBER_TIME},
	    {"d/m/yyyy h:mm", NUMBER_DATE_TIME},
	    {"0;\"d\"", NUMBER_PLAIN},
	    {"\"d", NUMBER_PLAIN},
	    {"[", NUMBER_PLAIN},
	    {"\\d0", NUMBER_PLAIN},
	    {"@", NUMBER_PLAIN},
	    {"", NUMBER_PLAIN},
	};
	char name[CELL_NAME];
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (number_kind(0, cases[i].code) != cases[i].want)
			fail_msg("%s: %d, wanted %d", cases[i].code, number_kind(0, cases[i].code), cases[i].want);
	}
	cell_name(6, 2, name);
	assert_string_equal(name, "C7");
	cell_name(0, 25, name);
	assert_string_equal(name, "Z1");
	cell_name(1048575, 16383, name);
	assert_string_equal(name, "XFD1048576");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_csv),       cmocka_unit_test(test_csv_wrong), cmocka_unit_test(test_csv_limits),
	    cmocka_unit_test(test_xlsx),      cmocka_unit_test(test_merged),    cmocka_unit_test(test_xlsx_wrong),
	    cmocka_unit_test(test_container), cmocka_unit_test(test_formats),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
