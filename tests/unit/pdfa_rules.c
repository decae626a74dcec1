/* PDF/A: rules of a document's content, fonts, colours, images, annotations, forms and actions. One made document keeps all rules of 2a; each row
 * changes it in one place and breaks the rules that it names, and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <mupdf/fitz.h>

#include "stages/base/file.h"
#include "stages/pdfa/check.h"
#include "stages/pdfa/icc.h"
#include "tests/unit/pdfa_made.h"

#define TRUETYPE "/usr/share/fonts/truetype/croscore/Tinos-Regular.ttf"

#define XMP                                                                                                                      \
	"<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?><x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF "      \
	"xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description rdf:about=\"\" "                             \
	"xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\"><pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</"                   \
	"pdfaid:conformance>"                                                                                                    \
	"</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end=\"w\"?>"

#define CONTENT                                                                                                                  \
	"/P<</MCID 0>>BDC BT /F0 9 Tf (AB) Tj /F1 9 Tf (AB) Tj /F2 9 Tf <00240025> Tj /F3 9 Tf (a) Tj ET EMC\n"                  \
	"/G0 gs /Perceptual ri 1 0 0 rg 0 0 9 9 re f /C0 cs 1 scn 0 0 9 9 re f /C1 cs .5 .5 scn f .5 g f /C2 cs 1 0 0 scn f\n"   \
	"q /I0 Do Q q /X0 Do Q\n"                                                                                                \
	"BI /W 1 /H 1 /BPC 8 /CS /G /F /AHx ID 00> EI\n"

#define OBJECTS 24

static struct made objects[OBJECTS] = {
    {"<</Type/Catalog/Pages 2 0 R/Metadata 5 0 R/MarkInfo<</Marked true>>/StructTreeRoot 7 0 R/Lang(vi)/AcroForm<</Fields[19 0 "
     "R]>>"
     "/OutputIntents[<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(sRGB)/DestOutputProfile 6 0 R>>]"
     "/OCProperties<</OCGs[22 0 R]/D<</Name(layers)/Order[22 0 R]>>>>/OpenAction 23 0 R>>",
     NULL,
     {0}},
    {"<</Type/Pages/Kids[3 0 R]/Count 1>>", NULL, {0}},
    {"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/StructParents 0/Annots[19 0 R]/Resources<<"
     "/Font<</F0 8 0 R/F1 11 0 R/F2 13 0 R/F3 15 0 R>>/ExtGState<</G0<</Type/ExtGState/BM/Normal/ca 1>>>>"
     "/ColorSpace<</C0[/Separation/Spot/DeviceRGB 17 0 R]/C1[/DeviceN[/Spot/Cyan]/DeviceRGB 18 0 R"
     "<</Colorants<</Spot[/Separation/Spot/DeviceRGB 17 0 R]>>>>]/C2[/ICCBased 6 0 R]>>"
     "/XObject<</I0 20 0 R/X0 21 0 R>>>>>>",
     NULL,
     {0}},
    {"<<", CONTENT, {0}},
    {"<</Type/Metadata/Subtype/XML", XMP, {0}},
    {"<</N 3", NULL, {0}},
    {"<</Type/StructTreeRoot/ParentTree<</Nums[0[24 0 R]]>>/K 24 0 R>>", NULL, {0}},
    {"<</Type/Font/Subtype/TrueType/BaseFont/ABCDEF+Tinos/Encoding/WinAnsiEncoding/FirstChar 65/LastChar 66/Widths[722 667]"
     "/FontDescriptor<</Type/FontDescriptor/FontName/ABCDEF+Tinos/Flags 32/FontFile2 10 0 R>>>>",
     NULL,
     {0}},
    {"<<", "500 0 0 0 9 9 d1 0 0 9 9 re f", {0}},
    {"<<", NULL, {0}}, /* the TrueType program */
    {"<</Type/Font/Subtype/Type1/BaseFont/Nimbus/Encoding/WinAnsiEncoding/FirstChar 65/LastChar 66/Widths[722 667]"
     "/FontDescriptor<</Type/FontDescriptor/FontName/Nimbus/Flags 32/FontFile3 12 0 R>>>>",
     NULL,
     {0}},
    {"<</Subtype/Type1C", NULL, {0}},
    {"<</Type/Font/Subtype/Type0/BaseFont/Tinos/Encoding/Identity-H/DescendantFonts[14 0 R]/ToUnicode 16 0 R>>", NULL, {0}},
    {"<</Type/Font/Subtype/CIDFontType2/BaseFont/Tinos/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
     "/CIDToGIDMap/Identity/DW 1000/W[36[722 667]]/FontDescriptor<</Type/FontDescriptor/FontName/Tinos/Flags 4/FontFile2 10 0 "
     "R>>>>",
     NULL,
     {0}},
    {"<</Type/Font/Subtype/Type3/FontMatrix[.001 0 0 .001 0 0]/FontBBox[0 0 9 9]/FirstChar 97/LastChar "
     "97/Widths[500]/Resources<<>>"
     "/Encoding<</Type/Encoding/Differences[97/A]>>/CharProcs<</A 9 0 R>>>>",
     NULL,
     {0}},
    {"<<", "1 begincodespacerange <0000> <ffff> endcodespacerange 1 beginbfrange <0024> <0025> <0041> endbfrange", {0}},
    {"<</FunctionType 2/Domain[0 1]/N 1/C0[1 1 1]/C1[0 0 0]>>", NULL, {0}},
    {"<</FunctionType 4/Domain[0 1 0 1]/Range[0 1 0 1 0 1]", "{0}", {0}},
    {"<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/F 4/Rect[9 9 20 20]/AP<</N 21 0 R>>>>", NULL, {0}},
    {"<</Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceRGB/BitsPerComponent 8/Interpolate false", "000", {0}},
    {"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<<>>", "0 0 8 8 re f", {0}},
    {"<</Type/OCG/Name(layer)>>", NULL, {0}},
    {"<</Type/Action/S/GoTo/D[3 0 R/Fit]>>", NULL, {0}},
    {"<</Type/StructElem/S/P/P 7 0 R/Pg 3 0 R/K 0>>", NULL, {0}},
};

static struct buf icc = {.max = (size_t)1 << 20}, truetype = {.max = (size_t)1 << 22};

/* The profile and the font programs are the system's. */
static int load(void **state)
{
	struct err e;
	int size;
	(void)state;
	fz_context *context = fz_new_context(NULL, NULL, FZ_STORE_DEFAULT);
	if (context == NULL || icc_make(ICC_SRGB, &icc, &e) != ST_OK || file_read(TRUETYPE, &truetype, &e) != ST_OK)
		return 1;
	objects[5].file = (struct bytes){icc.data, icc.len};
	objects[9].file = (struct bytes){truetype.data, truetype.len};
	objects[11].file.p = fz_lookup_base14_font(context, "Times-Roman", &size);
	objects[11].file.n = (size_t)size;
	fz_drop_context(context);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	buf_free(&icc);
	buf_free(&truetype);
	return 0;
}

static bool expect(const struct change *change, enum pdfa_flavour flavour, const char *rules)
{
	struct buf b = BUF_INIT((size_t)1 << 22), broken = BUF_INIT(4096);
	struct pdfa_result r;
	struct err e;
	made_build(&b, "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", objects, OBJECTS, change);
	buf_str(&broken, "");
	if (pdfa_check((struct bytes){b.data, b.len}, flavour, &r, &e) != ST_OK)
		fail_msg("%s: %s %s", change->put, e.where, e.detail);
	if (r.fault.status != ST_OK)
		fail_msg("%s: %s", change->put, r.fault.detail);
	for (size_t i = 0; i < r.n_findings; i++)
		if (r.findings[i].broken > 0)
			buf_format(&broken, "%s%s", broken.len > 0 ? " " : "", r.findings[i].rule);
	bool as_expected = strcmp((const char *)broken.data, rules) == 0;
	if (!as_expected)
		print_error("\"%s\" instead of \"%s\" breaks \"%s\", not \"%s\"\n", change->put, change->find,
		            (const char *)broken.data, rules);
	pdfa_result_free(&r);
	buf_free(&b);
	buf_free(&broken);
	return as_expected;
}

struct row {
	const char *find, *put, *rules;
};

static void expect_rows(const struct row rows[], size_t n)
{
	size_t wrong = 0;
	for (size_t i = 0; i < n; i++)
		wrong += !expect(&(struct change){rows[i].find, rows[i].put}, PDFA_2A, rows[i].rules);
	assert_int_equal(wrong, 0);
}
#define EXPECT_ROWS(rows) expect_rows(rows, sizeof(rows) / sizeof *(rows))

static void test_sound(void **state)
{
	(void)state;
	assert_true(expect(&(struct change){"%PDF", "%PDF"}, PDFA_2A, ""));
	assert_true(expect(&(struct change){"%PDF", "%PDF"}, PDFA_2B, ""));
	assert_true(expect(&(struct change){"%PDF", "%PDF"}, PDFA_2U, ""));
}

static void test_content(void **state)
{
	static const struct row rows[] = {
	    {"1 0 0 rg", "1 0 0 rg nonsense", "6.2.2-1"},
	    {"/Perceptual ri", "/Pretty ri", "6.2.6-1"},
	    {"[0 0 200 200]", "[0 0 2 200]", "6.1.13-11"},
	    {"/MediaBox", "/AA<<>>/MediaBox", "6.5.2-2"},
	    {"/MediaBox", "/PresSteps<<>>/MediaBox", "6.10-2"},
	    {"/BM/Normal", "/BM/Strange", "6.2.10-1"},
	    {"/BM/Normal", "/TR/Identity", "6.2.5-1"},
	    {"/BM/Normal", "/TR2/Identity", "6.2.5-2"},
	    {"/BM/Normal", "/HTP[0 0]", "6.2.5-3"},
	    {"/BM/Normal", "/HT<</HalftoneType 6>>", "6.2.5-4"},
	    {"/BM/Normal", "/HT<</HalftoneType 1/HalftoneName(x)>>", "6.2.5-5"},
	    {"0 0 8 8 re f", "/G0 gs 0 0 8 8 re f", "6.2.2-2"},
	    {"/F /AHx", "/F /LZW", "6.1.10-1"},
	    {"/BBox[0 0 9 9]/Resources<<>>", "/BBox[0 0 9 9]/PS 9 0 R/Resources<<>>", "6.2.9-1"},
	    {"/BBox[0 0 9 9]/Resources<<>>", "/BBox[0 0 9 9]/Ref<<>>/Resources<<>>", "6.2.9-2"},
	    {"/Subtype/Form", "/Subtype/PS", "6.2.9-3"},
	};
	(void)state;
	EXPECT_ROWS(rows);
}

static void test_colours(void **state)
{
	static const struct row rows[] = {
	    {"/S/GTS_PDFA1", "/S/Other", "6.2.4.3-4 6.2.4.3-2"},
	    {"1 0 0 rg", "1 0 0 0 k", "6.2.4.3-3"},
	    {"/DestOutputProfile 6 0 R>>]", "/DestOutputProfile 6 0 R>><</S/GTS_PDFX/DestOutputProfile 16 0 R>>]",
	     "6.2.3-2 6.2.3-1"},
	    {"<</Spot[/Separation/Spot/DeviceRGB 17 0 R]>>", "<<>>", "6.2.4.4-1"},
	    {"/C1[/DeviceN[/Spot", "/C1[/DeviceN[/Other", "6.2.4.4-1"},
	    {"<</Spot[/Separation/Spot/DeviceRGB 17", "<</Spot[/Separation/Spot/DeviceRGB 18", "6.2.4.4-2"},
	    {"/C2[/ICCBased 6", "/C2[/ICCBased 16", "6.2.4.2-1"},
	    {"/Interpolate false", "/Interpolate true", "6.2.8-3"},
	    {"/Interpolate false", "/Alternates[]", "6.2.8-1"},
	    {"/Interpolate false", "/OPI<<>>", "6.2.8-2"},
	    {"/BitsPerComponent 8", "/BitsPerComponent 3", "6.2.8-4"},
	    {"/ColorSpace/DeviceRGB/BitsPerComponent 8", "/ImageMask true/BitsPerComponent 8", "6.2.8-5"},
	    {"/Interpolate false", "/Filter/JPXDecode", "6.2.8.3-1 6.2.8.3-5"},
	};
	(void)state;
	EXPECT_ROWS(rows);
}

static void test_font_dictionaries(void **state)
{
	static const struct row rows[] = {
	    {"/Type/Font/Subtype/TrueType", "/Type/Fond/Subtype/TrueType", "6.2.11.2-1"},
	    {"/Type/Font/Subtype/Type1/", "/Type/Font/Subtype/Type9/", "6.2.11.2-2"},
	    {"/BaseFont/Nimbus", "", "6.2.11.2-3"},
	    {"/Widths[722 667]", "/Widths[722]", "6.2.11.2-6 6.2.11.5-1"},
	    {"/FirstChar 65", "", "6.2.11.2-4 6.2.11.2-6 6.2.11.5-1"},
	    {"/LastChar 66", "", "6.2.11.2-5 6.2.11.2-6 6.2.11.5-1"},
	    {"/Subtype/Type1C", "/Subtype/Type2C", "6.2.11.2-7 6.2.11.4.1-1"},
	    {"/FontFile3 12 0 R", "", "6.2.11.4.1-1"},
	    {"/FontFile3 12 0 R", "/FontFile3 20 0 R", "6.2.11.2-7 6.2.11.4.1-1"},
	    {"/CIDToGIDMap/Identity", "", "6.2.11.3.2-1"},
	    {"/Encoding/Identity-H", "/Encoding/UniGB-UTF16-H", "6.2.11.3.1-1 6.2.11.5-1"},
	    {"/Encoding/Identity-H", "/Encoding/Unknown", "6.2.11.3.1-1 6.2.11.3.3-1"},
	    {"/Encoding/WinAnsiEncoding/FirstChar", "/Encoding/StandardEncoding/FirstChar", "6.2.11.6-2"},
	    {"/Encoding/WinAnsiEncoding/FirstChar",
	     "/Encoding<</BaseEncoding/WinAnsiEncoding/Differences[65/nothing]>>/FirstChar",
	     "6.2.11.6-2 6.2.11.4.1-2 6.2.11.5-1 6.2.11.7.2-1"},
	    {"/FontName/ABCDEF+Tinos/Flags 32", "/FontName/ABCDEF+Tinos/Flags 4", "6.2.11.6-3 6.2.11.6-4 6.2.11.4.1-2"},
	    {"/BaseFont/Nimbus", "/BaseFont/#ff#fe", "6.1.8-1"},
	};
	(void)state;
	EXPECT_ROWS(rows);
}

static void test_glyphs(void **state)
{
	static const struct row rows[] = {
	    {"/Widths[722 667]", "/Widths[722 660]", "6.2.11.5-1"},
	    {"/W[36[722 667]]", "/W[36 37 722]", "6.2.11.5-1"},
	    {"/W[36[722 667]]", "", "6.2.11.5-1"},
	    {"/Widths[500]", "/Widths[400]", "6.2.11.5-1"},
	    {"<00240025>", "<0024ffff>", "6.2.11.4.1-2 6.2.11.5-1 6.2.11.7.2-1 6.2.11.8-1"},
	    {"<00240025>", "<0000>", "6.2.11.5-1 6.2.11.7.2-1 6.2.11.8-1"},
	    {"3 Tr <00240025>", "", ""},
	    {"/F3 9 Tf (a)", "/F3 9 Tf (b)", "6.2.11.4.1-2 6.2.11.7.2-1"},
	    {"/Differences[97/A]", "/Differences[97/A 98/.notdef]", ""},
	    {"/ToUnicode 16 0 R", "", "6.2.11.7.2-1"},
	    {"<0025> <0041>", "<0025> <0000>", "6.2.11.7.2-2"},
	    {"<0025> <0041>", "<0025> <e000>", "6.2.11.7.3-1"},
	    {"/ToUnicode 16 0 R", "/ToUnicode/Identity-H", ""},
	};
	(void)state;
	EXPECT_ROWS(rows);
}

static void test_documents(void **state)
{
	static const struct row rows[] = {
	    {"/Metadata 5 0 R", "", "6.6.2.1-1"},
	    {"/OpenAction 23 0 R", "/AA<</WC 23 0 R>>", "6.5.2-1"},
	    {"/S/GoTo/D", "/S/Launch/D", "6.5.1-1"},
	    {"/S/GoTo/D", "/S/Named/N/Strange/D", "6.5.1-2"},
	    {"/OpenAction", "/Perms<</X 9 0 R>>/OpenAction", "6.1.12-1"},
	    {"/Subtype/Widget", "/Subtype/Movie", "6.3.1-1"},
	    {"/F 4/Rect", "/Rect", "6.3.2-1"},
	    {"/F 4/Rect", "/F 6/Rect", "6.3.2-2"},
	    {"/AP<</N 21 0 R>>", "", "6.3.3-1"},
	    {"/AP<</N 21 0 R>>", "/AP<</N 21 0 R/D 21 0 R>>", "6.3.3-2"},
	    {"/AP<</N 21 0 R>>", "/AP<</N<</a 21 0 R>>>>", "6.3.3-4"},
	    {"/FT/Tx", "/FT/Btn", "6.3.3-3"},
	    {"/FT/Tx", "/FT/Tx/A 23 0 R", "6.4.1-1"},
	    {"/FT/Tx", "/FT/Tx/AA<<>>", "6.4.1-2 6.4.1-1"},
	    {"/AcroForm<<", "/AcroForm<</NeedAppearances true", "6.4.1-3"},
	    {"/AcroForm<<", "/AcroForm<</XFA[]", "6.4.2-1"},
	    {"/D<</Name(layers)", "/D<<", "6.9-1"},
	    {"/Order[22 0 R]", "/Order[]", "6.9-3"},
	    {"/Order[22 0 R]", "/Order[22 0 R]/AS[]", "6.9-4"},
	    {"/S/P/P", "/S/Strange/P", "6.7.3.4-1"},
	    {"/Lang(vi)", "/Lang(tieng Viet)", "6.7.4-1"},
	    {"/S/GoTo/D", "/S/GoTo/File<</Type/Filespec/EF<</F 18 0 R>>>>/D", "6.8-2 6.8-5"},
	};
	(void)state;
	EXPECT_ROWS(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sound),   cmocka_unit_test(test_content),
	    cmocka_unit_test(test_colours), cmocka_unit_test(test_font_dictionaries),
	    cmocka_unit_test(test_glyphs),  cmocka_unit_test(test_documents),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
