/* The stage convert over documents of each kind, with a fixed clock. */
#include <leptonica/allheaders.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/base/file.h"
#include "stages/convert/convert.h"
#include "stages/pdf/redraw/claim.h"
#include "stages/pdf/redraw/redraw.h"
#include "tests/unit/redraw_pdf.h"
#include "tests/unit/text_drawn.h"

static const char *const lines[] = {"CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"};

static char folder[] = "/tmp/convert-XXXXXX";
static struct profile profile = {
    .convert = {.default_dpi = 200,
                .min_dpi = 200,
                .min_dpi_map = 300,
                .redraw_dpi = 150,
                .secret = "hold",
                .signed_not_pdfa = "quarantine",
                .proof = "decoded",
                .attachments = "take-out",
                .photos = "pdf",
                .media = {.sound = (char *[]){"mp3"}, .sound_count = 1, .sound_kbps = 100},
                .checks = {"note", "note", "note", "off", "off", "off", "note", "quarantine"},
                .ocr_page_seconds = 300},
    .sign.appearance.time_offset_min = 420,
};

static int64_t clock_ms(void)
{
	return INT64_C(1780000000000);
}

static struct stage_env env = {.profile = &profile, .work_folder = folder, .key_fd = -1, .fetch_fd = -1, .now_ms = clock_ms};
static void *stage;

/* A file in the folder of the test; valid until the next call. */
static const char *at(const char *name)
{
	static char path[256];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

/* The drawn page as a picture of 8 bit grey, 32 bit colour or 1 bit, with a resolution or none. */
static PIX *drawn_pix(int depth, int dpi)
{
	struct drawn_page page;
	draw_lines(lines, 2, 200, &page);
	PIX *grey = pixCreate((int)page.width, (int)page.height, 8);
	for (uint32_t y = 0; y < page.height; y++)
		for (uint32_t x = 0; x < page.width; x++)
			pixSetPixel(grey, (int)x, (int)y, page.grey[(size_t)y * page.width + x]);
	drawn_free(&page);
	PIX *pix = depth == 8 ? pixClone(grey) : depth == 32 ? pixConvertTo32(grey) : pixThresholdToBinary(grey, 128);
	pixDestroy(&grey);
	pixSetResolution(pix, dpi, dpi);
	return pix;
}

static void write_pages(void)
{
	PIX *colour = drawn_pix(32, 200), *grey = drawn_pix(8, 0), *black = drawn_pix(1, 300);
	assert_int_equal(pixWriteJpeg(at("colour.jpg"), colour, 85, 0), 0);
	assert_int_equal(pixWrite(at("grey.png"), grey, IFF_PNG), 0);
	assert_int_equal(pixWriteTiff(at("two.tif"), black, IFF_TIFF_G4, "w"), 0);
	assert_int_equal(pixWriteTiff(at("two.tif"), colour, IFF_TIFF_LZW, "a"), 0);
	pixDestroy(&colour);
	pixDestroy(&grey);
	pixDestroy(&black);
}

static int start(void **state)
{
	(void)state;
	setMsgSeverity(L_SEVERITY_NONE);
	profile.convert.flavour = strdup("2b");
	profile.convert.ocr = strdup("vie+eng");
	struct err e;
	if (mkdtemp(folder) == NULL || convert_stage.open(&env, &stage, &e) != ST_OK)
		return -1;
	write_pages();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	struct err e;
	convert_stage.close(stage);
	free(profile.convert.flavour);
	free(profile.convert.ocr);
	return getenv("ARKSEAL_TEST_KEEP") == NULL && file_remove_tree(folder, &e) != ST_OK;
}

static struct item *document(enum item_kind kind, const char *id, const char *const *sources)
{
	struct item *it = item_new();
	it->kind = kind;
	item_set(&it->id, id);
	item_set(&it->name, id);
	json_object_set_new(it->description, "issuedDate", json_string("05/03/1985"));
	json_object_set_new(it->description, "subject", json_string("Tài liệu <thử> & \"kiểm\""));
	for (; *sources != NULL; sources++) {
		char sha256[65];
		int64_t size;
		struct err e;
		assert_int_equal(file_sha256(at(*sources), sha256, &size, &e), ST_OK);
		item_add_source(it, at(*sources), size, sha256);
	}
	return it;
}

static void convert(struct item *it)
{
	struct err e;
	if (convert_stage.work(stage, it, &e) != ST_OK)
		fail_msg("%s: %s: %s (%s)", it->id, e.code, e.detail, e.where);
	char sha256[65];
	int64_t size;
	assert_int_equal(file_sha256(it->artefact.path, sha256, &size, &e), ST_OK);
	assert_string_equal(it->artefact.sha256, sha256);
	assert_int_equal(it->artefact.size, size);
}

static bool has_event(const struct item *it, const char *outcome, const char *words)
{
	size_t i;
	json_t *event;
	json_array_foreach (it->events, i, event) {
		if (strcmp(json_string_value(json_object_get(event, "outcome")), outcome) == 0 &&
		    strstr(json_string_value(json_object_get(event, "detail")), words) != NULL)
			return true;
	}
	return false;
}

static void print_events(const struct item *it)
{
	size_t i;
	json_t *event;
	json_array_foreach (it->events, i, event)
		print_message("  %s %s: %s\n", json_string_value(json_object_get(event, "type")),
		              json_string_value(json_object_get(event, "outcome")),
		              json_string_value(json_object_get(event, "detail")));
}

static int64_t pages_of(const struct item *it)
{
	return json_integer_value(json_object_get(it->other, "pages"));
}

/* The words of a page of the artefact, parted by spaces, as another reader finds them. The caller frees. */
static char *text_of(const struct item *it, size_t i)
{
	struct redraw *r;
	struct redraw_page page;
	struct err e;
	assert_int_equal(redraw_open(it->artefact.path, (struct redraw_limits){100, 1u << 30, 1u << 30}, &r, &e), ST_OK);
	if (redraw_page(r, i, 72, &page, &e) != ST_OK)
		fail_msg("%s: %s", e.code, e.detail);
	struct buf b = BUF_INIT(1u << 20);
	buf_str(&b, "");
	for (size_t k = 0; k < page.words.n; k++)
		buf_format(&b, k > 0 ? " %s" : "%s", page.words.words[k].text);
	redraw_page_free(r, &page);
	redraw_close(r);
	char *text = buf_take(&b);
	return text == NULL ? strdup("") : text;
}

static void assert_claims_2b(const struct item *it)
{
	struct file_map m;
	struct err e;
	struct pdf_claim claim;
	assert_int_equal(file_map_open(it->artefact.path, &m, &e), ST_OK);
	assert_int_equal(pdf_claim_read(m.in, &claim, &e), ST_OK);
	file_map_close(&m);
	assert_int_equal(claim.part, 2);
	assert_int_equal(claim.conformance, 'B');
	assert_int_equal(claim.pages, pages_of(it));
	assert_string_equal(it->artefact.format, "fmt/477");
}

static void test_paper(void **state)
{
	(void)state;
	struct item *it = document(ITEM_PAPER, "paper", (const char *const[]){"colour.jpg", "two.tif", "grey.png", NULL});
	convert(it);
	print_events(it);
	assert_int_equal(pages_of(it), 4);
	assert_claims_2b(it);
	for (size_t i = 0; i < 4; i++) {
		char *text = text_of(it, i), both[256];
		snprintf(both, sizeof both, "%s %s", lines[0], lines[1]);
		assert_string_equal(text, both);
		free(text);
	}
	assert_true(has_event(it, "success", "SHA-256 of 3 source files"));
	assert_true(has_event(it, "success",
	                      "page 1: JPEG data as it was, 200 dpi; page 2: CCITT data as it was, 300 dpi; page 3: samples"));
	assert_true(has_event(it, "success", "mean confidence 9"));
	assert_true(has_event(it, "success", "pictures of 4 page(s) are those of the source"));
	assert_true(has_event(it, "warning", "taken as 200 dpi: page 4"));
	assert_true(has_event(it, "warning", "less than 24 bit of colour: page 2, 4"));
	/* The fixtures are drawn for 200 dpi: at 300 they are smaller than A4. */
	assert_true(has_event(it, "warning", "or a wrong resolution: page 2"));
	assert_false(has_event(it, "warning", "resolution below"));

	/* The same again is the same file. */
	char *first = strdup(it->artefact.sha256);
	convert(it);
	assert_string_equal(it->artefact.sha256, first);
	free(first);
	item_free(it);
}

static void test_map_and_photo(void **state)
{
	(void)state;
	struct item *map = document(ITEM_MAP, "map", (const char *const[]){"colour.jpg", NULL});
	convert(map);
	assert_true(has_event(map, "warning", "resolution below 300 dpi: page 1"));
	item_free(map);

	struct item *photo = document(ITEM_PHOTO, "photo", (const char *const[]){"colour.jpg", NULL});
	convert(photo);
	assert_claims_2b(photo);
	char *text = text_of(photo, 0);
	assert_string_equal(text, "");
	assert_false(has_event(photo, "success", "Tesseract"));
	free(text);
	item_free(photo);
}

/* What is not paper stays what it is, byte for byte, under the extension of its format. */
static void test_kept(void **state)
{
	(void)state;
	struct item *photo = document(ITEM_PHOTO, "kept photo", (const char *const[]){"colour.jpg", NULL});
	profile.convert.photos = "keep";
	convert(photo);
	assert_string_equal(item_file_tail(photo->artefact.path), ".jpg");
	assert_string_equal(photo->artefact.format, "fmt/43");
	assert_string_equal(photo->artefact.sha256, photo->sources[0].sha256);
	assert_true(has_event(photo, "success", "kept byte for byte"));
	item_free(photo);
	/* Several files become a PDF. */
	struct item *several = document(ITEM_PHOTO, "two photos", (const char *const[]){"colour.jpg", "grey.png", NULL});
	convert(several);
	assert_claims_2b(several);
	item_free(several);
	profile.convert.photos = "pdf";
}

static void test_media(void **state)
{
	(void)state;
	static const struct {
		const char *file, *code;
		size_t n;
	} rows[] = {{"ghi-am.mp3", NULL, SIZE_MAX},
	            {"thap.mp3", "check-low-bit-rate", SIZE_MAX},
	            {"ghi-am.wma", "media-refused", SIZE_MAX},
	            {"ghi-am.mp3", "media-cut-off", 6000}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct file_map m;
		struct err e = {0};
		char *from = path_join("fixtures/media", rows[i].file);
		assert_int_equal(file_map_open(from, &m, &e), ST_OK);
		assert_int_equal(file_write(at(rows[i].file), m.in.p, m.in.n < rows[i].n ? m.in.n : rows[i].n, &e), ST_OK);
		struct item *it = document(ITEM_PAPER, "recording", (const char *const[]){rows[i].file, NULL});
		if (rows[i].code == NULL) {
			convert(it);
			assert_string_equal(item_file_tail(it->artefact.path), ".mp3");
			assert_string_equal(it->artefact.sha256, it->sources[0].sha256);
			assert_true(has_event(it, "success", "sound, mp3 (MPEG Audio), 1.0 s, 128 kbit/s"));
		} else {
			assert_int_equal(convert_stage.work(stage, it, &e), ST_ITEM);
			assert_string_equal(e.code, rows[i].code);
			assert_null(it->artefact.path);
		}
		item_free(it);
		file_map_close(&m);
		free(from);
	}
}

#define XMP                                                                                                                      \
	"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"                  \
	"<rdf:Description xmlns:pdfaid='http://www.aiim.org/pdfa/ns/id/' pdfaid:part='1' "                                       \
	"pdfaid:conformance='B'/></rdf:RDF></x:xmpmeta>"

/* A received PDF of one page with a line of text, that may claim and be signed, and may be spoilt. */
static void write_received(const char *name, bool claims, bool is_signed, bool spoilt, const char *annotations)
{
	BUF_AUTO struct buf b = BUF_INIT(1u << 20), catalog = BUF_INIT(4096);
	buf_format(&catalog, "<< /Type /Catalog /Pages 2 0 R %s %s >>", claims ? "/Metadata 6 0 R" : "",
	           is_signed ? "/AcroForm << /Fields [7 0 R] /SigFlags 3 >>" : "");
	BUF_AUTO struct buf page = BUF_INIT(4096);
	buf_format(&page,
	           "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R /Annots [%s] /Resources << /Font << /F "
	           "5 0 R >> >> >>",
	           annotations);
	char *content = stream_body("", "BT /F 20 Tf 50 100 Td (Bien ban 1985) Tj ET 1 0 0 rg 0 0 9 9 re f");
	char *xmp = stream_body("/Type /Metadata /Subtype /XML", XMP);
	const char *const bodies[] = {
	    (char *)catalog.data,
	    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
	    (char *)page.data,
	    content,
	    "<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman /Encoding /WinAnsiEncoding >>",
	    xmp,
	    is_signed ? "<< /FT /Sig /T (Signature1) /V 8 0 R >>" : "null",
	    is_signed
	        ? "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange [0 10 20 30] /Contents <00> >>"
	        : "null",
	    NULL,
	};
	make_pdf(&b, bodies, "");
	free(content);
	free(xmp);
	if (spoilt) { /* startxref points nowhere */
		uint8_t *mark = memmem(b.data, b.len, "startxref\n", 10);
		assert_non_null(mark);
		mark[10] = '9';
	}
	struct err e;
	assert_int_equal(file_write(at(name), b.data, b.len, &e), ST_OK);
}

static void test_received(void **state)
{
	(void)state;
	enum { AMENDED, DRAWN, KEPT, REFUSED };
	/* Not one that PDF/A-2 knows. */
	static const char movie[] = "<< /Type /Annot /Subtype /Movie /Rect [9 9 20 20] /F 4 >>";
	static const struct {
		const char *label;
		bool claims, is_signed, spoilt, trust, keep;
		int result;
		const char *words; /* of an event, or the code of the fault */
	} rows[] = {
	    {"plain", false, false, false, false, true, AMENDED, "kept with the least change: metadata, fonts embedded"},
	    {"plain, with a movie", false, false, false, false, true, DRAWN,
	     "with the least change alone it breaks 6.3.1-1, 6.3.3-1; so it was drawn"},
	    {"signed claim", true, true, false, false, true, KEPT,
	     "false claim: the file says that it is PDF/A-1b and is signed, but it breaks "},
	    {"signed claim, not kept", true, true, false, true, false, REFUSED, "pdf-signed-false-claim"},
	    {"claim, not trusted", true, false, false, false, true, AMENDED, "says that it is PDF/A-1b; it breaks "},
	    {"false claim, trusted", true, false, false, true, true, AMENDED, "says that it is PDF/A-1b; it breaks "},
	    {"signed, no claim", false, true, false, true, true, KEPT, "signed, and no PDF/A; kept byte for byte"},
	    {"signed, no claim, not kept", false, true, false, true, false, REFUSED, "pdf-signed-not-pdfa"},
	    {"spoilt", false, false, true, false, true, AMENDED, "made anew"},
	    {"spoilt and signed", true, true, true, true, true, REFUSED, "pdf-signed-broken"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		print_message("%s\n", rows[i].label);
		write_received("received.pdf", rows[i].claims, rows[i].is_signed, rows[i].spoilt,
		               rows[i].result == DRAWN ? movie : "");
		struct item *it = document(ITEM_RECEIVED, rows[i].label, (const char *const[]){"received.pdf", NULL});
		profile.convert.trust_claims = rows[i].trust;
		profile.convert.signed_not_pdfa = rows[i].keep ? "keep" : "quarantine";
		if (rows[i].result == REFUSED) {
			struct err e;
			assert_int_equal(convert_stage.work(stage, it, &e), ST_ITEM);
			assert_string_equal(e.code, rows[i].words);
			assert_non_null(strstr(e.where, "received.pdf"));
			assert_null(it->artefact.path);
			assert_int_equal(json_array_size(it->events), 0);
			item_free(it);
			continue;
		}
		convert(it);
		print_events(it);
		assert_int_equal(pages_of(it), 1);
		assert_true(has_event(it, rows[i].result == KEPT || i > 0 ? "warning" : "success", rows[i].words));
		if (rows[i].result == KEPT) {
			assert_string_equal(it->artefact.sha256, it->sources[0].sha256);
			assert_string_equal(it->artefact.format, rows[i].claims ? "fmt/354" : "fmt/276");
			assert_string_not_equal(it->artefact.path, it->sources[0].path);
		} else {
			assert_claims_2b(it);
			assert_int_equal(has_event(it, "success", "drawn as pictures"), rows[i].result == DRAWN);
			char *text = text_of(it, 0);
			assert_string_equal(text, "Bien ban 1985");
			free(text);
		}
		item_free(it);
	}
	profile.convert.trust_claims = false;
}

/* What is the PDF/A that it says it is stays as it is, where the profile wants that. */
static void test_true_claim(void **state)
{
	(void)state;
	struct item *photo = document(ITEM_PHOTO, "own", (const char *const[]){"colour.jpg", NULL});
	convert(photo);
	assert_int_equal(rename(photo->artefact.path, at("own.pdf")), 0);
	item_free(photo);
	profile.convert.trust_claims = true;
	struct item *it = document(ITEM_RECEIVED, "true claim", (const char *const[]){"own.pdf", NULL});
	convert(it);
	profile.convert.trust_claims = false;
	assert_true(has_event(it, "success", "the file is PDF/A-2b, as it says; kept byte for byte"));
	assert_string_equal(it->artefact.sha256, it->sources[0].sha256);
	assert_string_equal(it->artefact.format, "fmt/477");
	item_free(it);
}

/* A PDF that holds pictures only is read by Tesseract; here one of our own photographs. */
static void test_received_scan(void **state)
{
	(void)state;
	struct item *photo = document(ITEM_PHOTO, "scan", (const char *const[]){"colour.jpg", NULL});
	convert(photo);
	assert_int_equal(rename(photo->artefact.path, at("scan.pdf")), 0);
	item_free(photo);
	struct item *it = document(ITEM_PAPER, "received scan", (const char *const[]){"scan.pdf", NULL});
	profile.convert.redraw_dpi = 200;
	convert(it);
	char *text = text_of(it, 0);
	assert_non_null(strstr(text, lines[1]));
	assert_true(has_event(it, "success", "Tesseract"));
	free(text);
	item_free(it);
}

/* Asks for a document in ranges, has them done, the last one first, and joined. */
static void convert_parted(struct item *it, unsigned size, uint32_t pages)
{
	struct err e;
	struct item_file parts[16];
	size_t n = (pages + size - 1) / size;
	env.parts = true;
	profile.convert.range_pages = size;
	assert_int_equal(convert_stage.work(stage, it, &e), ST_OK);
	assert_int_equal(it->state, ITEM_PARTS);
	assert_int_equal(it->range.last, size);
	assert_int_equal(it->range.of, pages);
	assert_int_equal(json_array_size(it->events), 0);
	it->state = ITEM_OK;
	for (size_t i = n; i-- > 0;) {
		uint32_t first = (uint32_t)i * size + 1, last = first + size - 1 < pages ? first + size - 1 : pages;
		it->range = (struct item_range){first, last, pages};
		for (int again = 0; again < 2; again++) {
			assert_int_equal(convert_stage.work(stage, it, &e), ST_OK);
			assert_int_equal(it->n_parts, 1);
			if (again == 0)
				item_clear_parts(it);
			it->range = (struct item_range){first, last, pages};
		}
		parts[i] = it->parts[0];
		it->n_parts = 0;
		free(it->parts);
		it->parts = NULL;
	}
	it->range = (struct item_range){0};
	for (size_t i = 0; i < n; i++) {
		item_add_part(it, parts[i].path, parts[i].size, parts[i].sha256);
		free(parts[i].path);
	}
	convert(it);
	assert_int_equal(it->n_parts, 0);
	env.parts = false;
	profile.convert.range_pages = 0;
}

/* The artefact and the events are the same, whatever the ranges. */
static void expect_same(enum item_kind kind, const char *const *sources)
{
	struct item *whole = document(kind, "long", sources);
	convert(whole);
	uint32_t pages = (uint32_t)json_integer_value(json_object_get(whole->other, "pages"));
	assert_in_range(pages, 3, 16);
	for (unsigned size = 1; size < pages; size++) {
		struct item *parted = document(kind, "long", sources);
		convert_parted(parted, size, pages);
		assert_string_equal(parted->artefact.sha256, whole->artefact.sha256);
		assert_true(json_equal(parted->events, whole->events));
		item_free(parted);
	}
	item_free(whole);
}

static void test_ranges(void **state)
{
	(void)state;
	const char *const pages[] = {"colour.jpg", "two.tif", "grey.png", NULL};
	expect_same(ITEM_PAPER, pages);
	struct item *photo = document(ITEM_PHOTO, "long scan", pages);
	convert(photo);
	assert_int_equal(rename(photo->artefact.path, at("long.pdf")), 0);
	item_free(photo);
	expect_same(ITEM_RECEIVED, (const char *const[]){"long.pdf", NULL});
}

/* Parts that are not the document's. */
static void test_foreign_parts(void **state)
{
	(void)state;
	static const char *const one[] = {"colour.jpg", NULL}, *const other[] = {"grey.png", NULL};
	struct err e;
	struct item *it = document(ITEM_PAPER, "foreign", one), *from = document(ITEM_PAPER, "other", other);
	from->range = (struct item_range){1, 1, 1};
	assert_int_equal(convert_stage.work(stage, from, &e), ST_OK);
	item_add_part(it, from->parts[0].path, from->parts[0].size, from->parts[0].sha256);
	assert_int_equal(convert_stage.work(stage, it, &e), ST_ITEM);
	assert_string_equal(e.code, "convert-part");
	assert_string_equal(e.detail, "it was made of something else");
	item_free(it);
	item_free(from);
}

/* Writes to the second page when the sources have been checked and nothing has been read yet. */
static int64_t writing_clock(void)
{
	struct err e;
	BUF_AUTO struct buf other = BUF_INIT(8u << 20);
	assert_int_equal(file_read(at("grey.png"), &other, &e), ST_OK);
	assert_int_equal(file_write(at("second.jpg"), other.data, other.len, &e), ST_OK);
	return clock_ms();
}

static void test_changed_meanwhile(void **state)
{
	(void)state;
	struct err e;
	BUF_AUTO struct buf page = BUF_INIT(8u << 20);
	assert_int_equal(file_read(at("colour.jpg"), &page, &e), ST_OK);
	assert_int_equal(file_write(at("second.jpg"), page.data, page.len, &e), ST_OK);
	struct item *it = document(ITEM_PAPER, "meanwhile", (const char *const[]){"colour.jpg", "second.jpg", NULL});
	env.now_ms = writing_clock;
	enum status st = convert_stage.work(stage, it, &e);
	env.now_ms = clock_ms;
	assert_int_equal(st, ST_ITEM);
	assert_string_equal(e.code, "source-changed");
	assert_null(it->artefact.path);
	assert_int_equal(json_array_size(it->events), 0);
	item_free(it);
}

/* What is lost inside of coded data is found by decoding it, and not by its markers. */
static void test_coded_proof(void **state)
{
	(void)state;
	struct err e;
	BUF_AUTO struct buf jpeg = BUF_INIT(8u << 20);
	assert_int_equal(file_read(at("colour.jpg"), &jpeg, &e), ST_OK);
	memcpy(jpeg.data + jpeg.len / 2, "\xFF\xD9", 2);
	assert_int_equal(file_write(at("less.jpg"), jpeg.data, jpeg.len / 2 + 2, &e), ST_OK);
	struct item *it = document(ITEM_PAPER, "less", (const char *const[]){"less.jpg", NULL});
	assert_int_equal(convert_stage.work(stage, it, &e), ST_ITEM);
	assert_string_equal(e.code, "jpeg-truncated");
	profile.convert.proof = "coded";
	char *languages = profile.convert.ocr;
	void *reading = stage;
	profile.convert.ocr = "none";
	assert_int_equal(convert_stage.open(&env, &stage, &e), ST_OK);
	convert(it);
	assert_true(has_event(it, "success", "those of the source, by their coded data"));
	convert_stage.close(stage);
	stage = reading;
	profile.convert.ocr = languages;
	profile.convert.proof = "decoded";
	item_free(it);
}

static void test_faults(void **state)
{
	(void)state;
	struct err e;
	BUF_AUTO struct buf jpeg = BUF_INIT(8u << 20);
	assert_int_equal(file_read(at("colour.jpg"), &jpeg, &e), ST_OK);
	assert_int_equal(file_write(at("cut.jpg"), jpeg.data, jpeg.len / 2, &e), ST_OK);
	assert_int_equal(file_write(at("text.jpg"), "hello", 5, &e), ST_OK);
	assert_int_equal(file_write(at("empty.jpg"), "", 0, &e), ST_OK);
	static const struct {
		const char *source, *code, *where;
	} rows[] = {
	    {"cut.jpg", "jpeg-truncated", "cut.jpg, page 1"},
	    {"text.jpg", "picture-unknown", "text.jpg"},
	    {"empty.jpg", "picture-empty", "empty.jpg"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct item *it = document(ITEM_PAPER, rows[i].source, (const char *const[]){"colour.jpg", rows[i].source, NULL});
		assert_int_equal(convert_stage.work(stage, it, &e), ST_ITEM);
		print_message("%s: %s %s (%s)\n", rows[i].source, e.code, e.detail, e.where);
		assert_string_equal(e.code, rows[i].code);
		assert_non_null(strstr(e.where, rows[i].where));
		assert_null(it->artefact.path);
		assert_int_equal(json_array_size(it->events), 0);
		item_free(it);
	}

	struct item *it = document(ITEM_PAPER, "changed", (const char *const[]){"colour.jpg", NULL});
	it->sources[0].sha256[0] = it->sources[0].sha256[0] == '0' ? '1' : '0';
	assert_int_equal(convert_stage.work(stage, it, &e), ST_ITEM);
	assert_string_equal(e.code, "source-changed");
	item_free(it);

	static const struct {
		const char *catalog, *code;
	} lost[] = {{"/NeedsRendering true", "pdf-dynamic-form"}};
	for (size_t i = 0; i < 1; i++) {
		BUF_AUTO struct buf b = BUF_INIT(1u << 16), catalog = BUF_INIT(4096);
		buf_format(&catalog, "<< /Type /Catalog /Pages 2 0 R %s >>", lost[i].catalog);
		make_pdf(&b,
		         (const char *const[]){(char *)catalog.data, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		                               "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] >>", NULL},
		         "");
		assert_int_equal(file_write(at("lost.pdf"), b.data, b.len, &e), ST_OK);
		it = document(ITEM_RECEIVED, "lost", (const char *const[]){"lost.pdf", NULL});
		assert_int_equal(convert_stage.work(stage, it, &e), ST_ITEM);
		assert_string_equal(e.code, lost[i].code);
		item_free(it);
	}

	it = document(ITEM_PAPER, "nothing", (const char *const[]){NULL});
	assert_int_equal(convert_stage.work(stage, it, &e), ST_ITEM);
	assert_string_equal(e.code, "source-missing");
	item_free(it);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_paper),         cmocka_unit_test(test_map_and_photo), cmocka_unit_test(test_kept),
	    cmocka_unit_test(test_media),         cmocka_unit_test(test_received),      cmocka_unit_test(test_true_claim),
	    cmocka_unit_test(test_received_scan), cmocka_unit_test(test_faults),        cmocka_unit_test(test_coded_proof),
	    cmocka_unit_test(test_ranges),        cmocka_unit_test(test_foreign_parts), cmocka_unit_test(test_changed_meanwhile),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
