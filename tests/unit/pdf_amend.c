/* The least change: one made document that is no PDF/A, and what is wrong in it besides, a row each. After the change it is PDF/A-2b, what was
 * changed is told, and what is not wrong stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/pdf/amend/amend.h"
#include "tests/unit/pdfa_made.h"

static const struct made objects[] = {
    {"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]>>/Outlines 10 0 R/OCProperties<</OCGs[12 0 R]/D<</Name(a)/Order[12 0 "
     "R]>>>>"
     "/Names<</Dests 14 0 R>>>>",
     NULL,
     {0}},
    {"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 200 100]>>", NULL, {0}},
    {"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Annots[5 0 R 6 0 R]/Resources<</XObject<</I0 7 0 R/X0 8 0 R>>/ExtGState<</G0 9 0 "
     "R>>"
     "/Properties<</L0 12 0 R>>>>>>",
     NULL,
     {0}},
    {"<<", "/G0 gs 0 0 1 rg 0 0 9 9 re f q /I0 Do Q /X0 Do /OC /L0 BDC 9 9 9 9 re f EMC", {0}},
    {"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/F 4/A<</S/URI/URI(http://a.example)>>>>", NULL, {0}},
    {"<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/Rect[20 20 40 30]/F 4/AP<</N 8 0 R>>>>", NULL, {0}},
    {"<</Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray", "a", {0}},
    {"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<<>>", "0 g 0 0 1 1 re f", {0}},
    {"<</Type/ExtGState/ca 1>>", NULL, {0}},
    {"<</Type/Outlines/First 11 0 R/Last 11 0 R/Count 1>>", NULL, {0}},
    {"<</Title(one)/Parent 10 0 R/Dest[3 0 R/Fit]>>", NULL, {0}},
    {"<</Type/OCG/Name(layer)>>", NULL, {0}},
    {"<</Type/Metadata/Subtype/XML", "no XML", {0}}, /* reached by nothing */
    {"<</Names[(a)[3 0 R/Fit]]>>", NULL, {0}},
};
enum { OBJECTS = sizeof objects / sizeof *objects };

struct done {
	struct pdfa_result result;
	uint64_t changed[AMEND_CHANGES];
	unsigned remedies;
	char *data;
	size_t n;
};

static void amend_once(struct bytes in, unsigned remedies, struct done *to)
{
	struct err e;
	struct pdfdoc *d;
	struct amend *a;
	const struct pdfmake_meta meta = {
	    .title = "Gi\xe1\xba\xa5y", .created = "2026-01-02T03:04:05+07:00", .part = 2, .conformance = 'B'};
	FILE *f = open_memstream(&to->data, &to->n);
	assert_non_null(f);
	assert_int_equal(pdfdoc_open_lenient(in, &d, &e), ST_OK);
	assert_int_equal(amend_open(d, f, &meta, remedies, &a, &e), ST_OK);
	if (amend_finish(a, NULL, &e) != ST_OK)
		fail_msg("%s: %s", e.code, e.detail);
	for (size_t i = 0; i < AMEND_CHANGES; i++)
		to->changed[i] = amend_changed(a, (enum amend_change)i);
	amend_free(a);
	fclose(f);
	pdfdoc_close(d);
	assert_int_equal(pdfa_check((struct bytes){(uint8_t *)to->data, to->n}, PDFA_2B, &to->result, &e), ST_OK);
}

static void done_free(struct done *d)
{
	pdfa_result_free(&d->result);
	free(d->data);
	*d = (struct done){0};
}

/* As the stage does it: with what the checker asks for. */
static struct done amend_all(const struct change *change)
{
	BUF_AUTO struct buf in = BUF_INIT(1u << 20);
	struct done d = {0};
	unsigned remedies = 0;
	made_build(&in, "%PDF-1.4\n", objects, OBJECTS, change);
	for (bool more = true; more;) {
		done_free(&d);
		amend_once((struct bytes){in.data, in.len}, remedies, &d);
		unsigned asked = amend_remedies(&d.result);
		more = !d.result.passes && (asked & ~remedies) != 0;
		remedies |= more ? asked : 0;
	}
	d.remedies = remedies;
	return d;
}

static bool holds(const struct done *d, const char *text)
{
	return memmem(d->data, d->n, text, strlen(text)) != NULL;
}

static void check_passes(const struct done *d, const char *what)
{
	for (size_t i = 0; i < d->result.n_findings; i++)
		if (d->result.findings[i].broken > 0)
			fail_msg("%s: breaks %s %s", what, d->result.findings[i].rule, d->result.findings[i].what);
	assert_true(d->result.passes);
}

static void test_plain(void **state)
{
	(void)state;
	struct done d = amend_all(NULL), again = amend_all(NULL);
	check_passes(&d, "as it is");
	assert_int_equal(d.remedies, 0);
	for (size_t i = 0; i < AMEND_CHANGES; i++)
		if (d.changed[i] != 0)
			fail_msg("told of a change of %s", amend_change_name((enum amend_change)i));
	assert_int_equal(d.n, again.n);
	assert_memory_equal(d.data, again.data, d.n);
	/* What was there and may stay. */
	assert_true(holds(&d, "(http://a.example)"));
	assert_true(holds(&d, "/G0 gs 0 0 1 rg 0 0 9 9 re f"));
	assert_true(holds(&d, "/Title (one)"));
	assert_true(holds(&d, "<aa>") || holds(&d, "<AA>"));
	done_free(&d);
	done_free(&again);
}

struct row {
	const char *find, *put;
	int change;       /* -1: none that is told */
	const char *gone; /* is not in the new file; or NULL */
};

static const struct row rows[] = {
    {"/Names<<", "/OpenAction<</S/JavaScript/JS(a)>>/Names<<", AMEND_SCRIPTS, "JavaScript"},
    {"/Names<<", "/Names<</JavaScript<</Names[(a)<</S/JavaScript/JS(a)>>]>>", AMEND_SCRIPTS, "JavaScript"},
    {"/Names<<", "/OpenAction<</S/GoTo/D[3 0 R/Fit]/Next<</S/JavaScript/JS(a)>>>>/Names<<", AMEND_ACTIONS, "JavaScript"},
    {"/Names<<", "/OpenAction<</S/Launch/F(a.exe)>>/Names<<", AMEND_ACTIONS, "Launch"},
    {"/Names<<", "/AA<</WC<</S/JavaScript/JS(a)>>>>/Names<<", AMEND_ACTIONS, "JavaScript"},
    {"/Names<<", "/OpenAction<</S/Named/N/Print>>/Names<<", AMEND_ACTIONS, "Print"},
    {"/Names<<", "/Requirements[<</S/EnableJavaScripts>>]/Names<<", AMEND_PRESENTATION, "Requirements"},
    {"/Names<<", "/Perms<</X 9 0 R>>/Names<<", AMEND_PRESENTATION, "Perms"},
    {"/Names<<", "/Names<</AlternatePresentations<<>>", AMEND_PRESENTATION, "Alternate"},
    {"/Names<<", "/Version/1.7/Names<<", -1, "/Version"},
    {"/Names<<", "/OutputIntents[<</Type/OutputIntent/S/GTS_PDFX/OutputConditionIdentifier(x)>>]/Names<<", AMEND_INTENTS,
     "GTS_PDFX"},
    {"/Names<<", "/OutputIntents[<</Type/OutputIntent/S/GTS_PDFA1/DestOutputProfile 8 0 R>>]/Names<<", AMEND_INTENTS, NULL},
    {"/Names<<", "/Metadata 4 0 R/Names<<", AMEND_METADATA, NULL},
    {"/Contents 4", "/AA<</O<</S/JavaScript/JS(a)>>>>/Contents 4", AMEND_ACTIONS, "JavaScript"},
    {"/Contents 4", "/PresSteps<<>>/Contents 4", AMEND_PRESENTATION, "PresSteps"},
    {"/Contents 4", "/Metadata 13 0 R/Contents 4", AMEND_METADATA, NULL},
    {"/F 4/A<<", "/A<<", AMEND_ANNOTATIONS, NULL},
    {"/F 4/A<<", "/F 256/A<<", AMEND_ANNOTATIONS, "/F 256"},
    {"/F 4/A<<", "/F 6/A<<", AMEND_HIDDEN, "a.example"},
    {"/F 4/A<<", "/F 36/A<<", AMEND_HIDDEN, "a.example"},
    {"/S/URI", "/S/Launch", AMEND_ACTIONS, "Launch"},
    {"/AP<</N 8", "/A<</S/URI/URI(b)>>/AP<</N 8", AMEND_FORMS, "(b)"},
    {"/AP<</N 8", "/AA<</K<</S/JavaScript/JS(a)>>>>/AP<</N 8", AMEND_ACTIONS, "JavaScript"},
    {"/AP<</N 8 0 R>>", "/AP<</D 7 0 R/N 8 0 R>>", AMEND_ANNOTATIONS, NULL},
    {"/AP<</N 8 0 R>>", "/AS/On/AP<</N<</On 8 0 R/Off 8 0 R>>>>", AMEND_ANNOTATIONS, "/Off "},
    {"/AP<</N 8 0 R>>", "", AMEND_ANNOTATIONS, NULL},
    {"/AP<</N 8 0 R>>", "/MK<<>>", AMEND_ANNOTATIONS, NULL},
    {"/FT/Tx", "/FT/Btn/Ff 65536", AMEND_ANNOTATIONS, NULL},
    {"/MediaBox[0 0 200 100]", "/MediaBox[0 0 200 100]/Resources<<>>", -1, NULL},
    {"/Fields[6", "/NeedAppearances true/Fields[6", AMEND_FORMS, "NeedAppearances"},
    {"/Fields[6", "/XFA(x)/Fields[6", AMEND_FORMS, "XFA"},
    {"/Height 1", "/Height 1/Interpolate true", AMEND_PICTURES, "Interpolate"},
    {"/Height 1", "/Height 1/Alternates[<</Image 7 0 R/DefaultForPrinting true>>]", AMEND_PICTURES, "Alternates"},
    {"/Height 1", "/Height 1/OPI<<>>", AMEND_PICTURES, "OPI"},
    {"/Height 1", "/Height 1/Intent/Odd", AMEND_STATES, "Odd"},
    {"/BBox[0 0 9 9]", "/BBox[0 0 9 9]/Subtype2/PS/PS 7 0 R", AMEND_PICTURES, "/PS"},
    {"/BBox[0 0 9 9]", "/BBox[0 0 9 9]/Ref<</F(a)/Page 0>>", AMEND_PICTURES, "/Ref"},
    {"/ca 1", "/ca 1/TR/Identity", AMEND_STATES, "/TR"},
    {"/ca 1", "/ca 1/TR2/Identity", AMEND_STATES, "/TR2"},
    {"/ca 1", "/ca 1/HT<</HalftoneType 6>>", AMEND_STATES, "/HT"},
    {"/ca 1", "/ca 1/HTP[0 0]", AMEND_STATES, "/HTP"},
    {"/ca 1", "/ca 1/RI/Odd", AMEND_STATES, "/RI"},
    {"/Dest[3 0 R/Fit]", "/A<</S/ImportData/F(a)>>", AMEND_ACTIONS, "ImportData"},
    {"/Name(a)", "/AS[<<>>]/Name(a)", AMEND_LAYERS, "/AS"},
    {"/Name(a)", "", AMEND_LAYERS, NULL},
    {"/Order[12 0 R]", "/Order[]", AMEND_LAYERS, NULL},
    {"0 0 1 rg", "0 0 1 0 k", AMEND_INKS, NULL},
    {"/XObject<<", "/Font<</F0<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>/XObject<<", -1, NULL},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		const struct change change = {r->find, r->put};
		struct done d = amend_all(&change);
		check_passes(&d, r->put);
		for (size_t c = 0; c < AMEND_CHANGES; c++)
			if ((d.changed[c] > 0) != ((int)c == r->change))
				fail_msg("%s: %s %llu times", r->put, amend_change_name((enum amend_change)c),
				         (unsigned long long)d.changed[c]);
		if (r->gone != NULL && holds(&d, r->gone))
			fail_msg("%s: %s is still there", r->put, r->gone);
		done_free(&d);
	}
}

/* Text in fonts that are not there: embedded, or told as what is left. */
static void test_fonts(void **state)
{
	(void)state;
	static const struct {
		const char *font, *text;
		bool passes;
	} fonts[] = {
	    {"/Subtype/Type1/BaseFont/Helvetica", "(Hello)", true},
	    {"/Subtype/Type1/BaseFont/Times-BoldItalic/Encoding/MacRomanEncoding", "(\\212)", true},
	    {"/Subtype/TrueType/BaseFont/ABCDEF+Arial,Bold/Encoding/WinAnsiEncoding/FirstChar 65/LastChar 66/Widths[722 722]",
	     "(AB)", true},
	    {"/Subtype/Type1/BaseFont/Courier/Encoding<</Differences[65/Ohorn/uhorn]>>", "(AB)", true},
	    {"/Subtype/Type1/BaseFont/ZapfDingbats", "(4)", true},
	    {"/Subtype/Type1/BaseFont/Symbol/Encoding<</Differences[65/alpha]>>", "(A)", true},
	    {"/Subtype/TrueType/BaseFont/Arial/Encoding/WinAnsiEncoding/FirstChar 65/LastChar 66/Widths[900 722]", "(AB)", false},
	    {"/Subtype/Type1/BaseFont/Helvetica/Encoding<</Differences[65/g17]>>", "(A)", false},
	    {"/Subtype/Type1/BaseFont/Frutiger/FirstChar 65/LastChar 65/Widths[700]", "(A)", false},
	};
	for (size_t i = 0; i < sizeof fonts / sizeof *fonts; i++) {
		struct made with[OBJECTS];
		char content[128], resources[600];
		memcpy(with, objects, sizeof objects);
		snprintf(content, sizeof content, "BT /F0 9 Tf %s Tj ET", fonts[i].text);
		with[7].body = content;
		BUF_AUTO struct buf in = BUF_INIT(1u << 20);
		snprintf(resources, sizeof resources, "<</Font<</F0<</Type/Font%s>>>>>>", fonts[i].font);
		made_build(&in, "%PDF-1.4\n", with, OBJECTS, &(struct change){"<<>>", resources});
		struct done d = {0};
		amend_once((struct bytes){in.data, in.len}, AMEND_EMBED, &d);
		if (d.result.passes != fonts[i].passes)
			fail_msg("%s: %s", fonts[i].font, fonts[i].passes ? "does not pass" : "passes");
		if (fonts[i].passes)
			check_passes(&d, fonts[i].font);
		done_free(&d);
	}
}

/* What the least change does not reach: it stays, and nothing is asked for. */
static void test_beyond(void **state)
{
	(void)state;
	static const struct change changes[] = {
	    {"0 0 1 rg", "foo"},
	    {"/Subtype/Link", "/Subtype/Movie"},
	    {"/AP<</N 8 0 R>>", "/V(a)"},
	    {"/BitsPerComponent 8", "/BitsPerComponent 3"},
	};
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		struct done d = amend_all(&changes[i]);
		assert_false(d.result.passes);
		assert_int_equal(amend_remedies(&d.result), 0);
		done_free(&d);
	}
}

/* LZW is decoded, and compressed by Flate. */
static void test_filter(void **state)
{
	(void)state;
	struct made with[OBJECTS];
	memcpy(with, objects, sizeof objects);
	with[6] = (struct made){
	    "<</Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray/Filter/LZWDecode",
	    "\x80\x18\x60\x20",
	    {0}};
	BUF_AUTO struct buf in = BUF_INIT(1u << 20);
	struct done d = {0};
	made_build(&in, "%PDF-1.4\n", with, OBJECTS, NULL);
	amend_once((struct bytes){in.data, in.len}, 0, &d);
	check_passes(&d, "LZW");
	assert_int_equal(d.changed[AMEND_FILTERS], 1);
	assert_false(holds(&d, "LZW"));
	done_free(&d);
}

/* A claim that was there, in either form, is taken out of XMP that stays. */
static void test_claim(void **state)
{
	(void)state;
	static const char *const packets[] = {
	    "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF "
	    "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='' "
	    "xmlns:pdfaid='http://www.aiim.org/pdfa/ns/id/' xmlns:dc='http://purl.org/dc/elements/1.1/' pdfaid:part='1' "
	    "pdfaid:conformance='A'>"
	    "<dc:format>application/pdf</dc:format></rdf:Description></rdf:RDF></x:xmpmeta>",
	    "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF "
	    "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='' "
	    "xmlns:pdfaid='http://www.aiim.org/pdfa/ns/id/' "
	    "xmlns:dc='http://purl.org/dc/elements/1.1/'><pdfaid:part>3</pdfaid:part>"
	    "<pdfaid:conformance>U</pdfaid:conformance><dc:format>application/pdf</dc:format></rdf:Description></rdf:RDF></"
	    "x:xmpmeta>",
	};
	for (size_t i = 0; i < 2; i++) {
		BUF_AUTO struct buf in = BUF_INIT(1u << 20);
		struct made with[OBJECTS];
		memcpy(with, objects, sizeof objects);
		with[12] = (struct made){"<</Type/Metadata/Subtype/XML", packets[i], {0}};
		made_build(&in, "%PDF-1.4\n", with, OBJECTS, &(struct change){"/Names<<", "/Metadata 13 0 R/Names<<"});
		struct done d = {0};
		amend_once((struct bytes){in.data, in.len}, 0, &d);
		check_passes(&d, "a claim");
		assert_int_equal(d.changed[AMEND_METADATA], 0);
		assert_true(holds(&d, "<dc:format>application/pdf"));
		assert_false(holds(&d, "<pdfaid:part>3"));
		assert_false(holds(&d, "pdfaid:part=\"1\""));
		done_free(&d);
	}
}

static void test_text(void **state)
{
	(void)state;
	struct err e;
	struct pdfdoc *d;
	struct amend *a;
	char *data;
	size_t n;
	struct ocr_word word = {.text = (char *)"\xe1\xbb\xa6y",
	                        .left = 10,
	                        .top = 10,
	                        .right = 60,
	                        .bottom = 30,
	                        .x0 = 10,
	                        .y0 = 28,
	                        .x1 = 60,
	                        .y1 = 28,
	                        .confidence = 90,
	                        .last_in_line = true};
	const struct ocr_page words = {.words = &word, .n = 1};
	const struct pdfmake_meta meta = {.created = "2026-01-02T03:04:05+07:00", .part = 2, .conformance = 'B'};
	for (int turns = 0; turns < 4; turns++) {
		BUF_AUTO struct buf in = BUF_INIT(1u << 20);
		char put[64];
		struct pdfa_result result;
		snprintf(put, sizeof put, "/Rotate %d/Contents 4", 90 * turns);
		made_build(&in, "%PDF-1.4\n", objects, OBJECTS, &(struct change){"/Contents 4", put});
		FILE *f = open_memstream(&data, &n);
		assert_int_equal(pdfdoc_open_lenient((struct bytes){in.data, in.len}, &d, &e), ST_OK);
		assert_int_equal(amend_open(d, f, &meta, 0, &a, &e), ST_OK);
		assert_int_equal(amend_text(a, 0, &words, 200, 100, &e), ST_OK);
		assert_int_equal(amend_text(a, 1, &words, 200, 100, &e), ST_ITEM);
		assert_int_equal(amend_finish(a, NULL, &e), ST_OK);
		amend_free(a);
		fclose(f);
		pdfdoc_close(d);
		assert_int_equal(pdfa_check((struct bytes){(uint8_t *)data, n}, PDFA_2B, &result, &e), ST_OK);
		assert_true(result.passes);
		assert_non_null(memmem(data, n, "/Text0 ", 7));
		pdfa_result_free(&result);
		free(data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plain),  cmocka_unit_test(test_rows),  cmocka_unit_test(test_fonts),
	    cmocka_unit_test(test_beyond), cmocka_unit_test(test_claim), cmocka_unit_test(test_text),
	    cmocka_unit_test(test_filter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
