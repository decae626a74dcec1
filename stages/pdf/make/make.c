#include "stages/pdf/make/make.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"
#include "stages/pdf/make/picture_object.h"
#include "stages/pdf/make/text_layer.h"
#include "stages/pdfa/icc.h"
#include "stages/pdfa/xmp.h"

#define PRODUCER "arkseal"

/* ISO 19005-2, 6.1.13: the sides of a page, in units of 1/72 inch. */
#define MIN_SIDE 3.0
#define MAX_SIDE 14400.0

enum text_field { TITLE, AUTHOR, SUBJECT, KEYWORDS, LANGUAGE, IDENTIFIER, CREATED, TEXT_FIELDS };

struct pdfmake {
	struct writer w;
	char *text[TEXT_FIELDS]; /* copies of the description */
	unsigned part;
	char conformance;
	uint32_t catalog, page_tree;
	uint32_t font; /* 0: no page has text yet */
	uint32_t *pages;
	size_t n_pages;
	struct profiles profiles;
	struct glyphless glyphless;
};

static enum status no_memory(struct err *e)
{
	return err_set(e, ST_RETRY, "memory", "no memory left");
}

enum status pdfmake_open(FILE *to, const struct pdfmake_meta *meta, struct pdfmake **ret_make, struct err *e)
{
	struct pdfmake *m = calloc(1, sizeof *m);
	if (m == NULL)
		return no_memory(e);
	const char *const texts[TEXT_FIELDS] = {meta->title,    meta->author,     meta->subject, meta->keywords,
	                                        meta->language, meta->identifier, meta->created};
	bool ok = true;
	for (size_t i = 0; i < TEXT_FIELDS; i++) {
		if (texts[i] == NULL || texts[i][0] == '\0' || !utf8_valid(texts[i], strlen(texts[i])))
			continue;
		m->text[i] = strdup(texts[i]);
		ok = ok && m->text[i] != NULL;
	}
	m->part = meta->part;
	m->conformance = meta->conformance;
	enum status st = ok ? writer_open(&m->w, to, e) : no_memory(e);
	if (st != ST_OK) {
		pdfmake_free(m);
		return st;
	}
	m->catalog = writer_allocate(&m->w);
	m->page_tree = writer_allocate(&m->w);
	*ret_make = m;
	return ST_OK;
}

void pdfmake_free(struct pdfmake *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < TEXT_FIELDS; i++)
		free(m->text[i]);
	free(m->pages);
	profiles_free(&m->profiles);
	glyphless_free(&m->glyphless);
	writer_close(&m->w);
	free(m);
}

/* The matrix that sets the unit square of the picture upright onto w × h units (TIFF 6.0, Orientation). */
static void print_matrix(unsigned orientation, double w, double h, struct buf *to)
{
	const double table[9][6] = {
	    {w, 0, 0, h, 0, 0},   {w, 0, 0, h, 0, 0},  {-w, 0, 0, h, w, 0}, {-w, 0, 0, -h, w, h}, {w, 0, 0, -h, 0, h},
	    {0, -h, -w, 0, w, h}, {0, -h, w, 0, 0, h}, {0, h, w, 0, 0, 0},  {0, h, -w, 0, w, 0},
	};
	for (size_t i = 0; i < 6; i++) {
		print_number(table[orientation > 8 ? 0 : orientation][i], to);
		buf_byte(to, ' ');
	}
	buf_str(to, "cm\n");
}

static enum status page_size(const struct picture *p, double *ret_width, double *ret_height, struct err *e)
{
	bool turned = p->orientation >= 5 && p->orientation <= 8;
	if (!(p->dpi_x > 0) || !(p->dpi_y > 0))
		return err_set(e, ST_BUG, "page-size", "the picture has no resolution");
	double w = p->width * 72.0 / p->dpi_x, h = p->height * 72.0 / p->dpi_y;
	*ret_width = turned ? h : w;
	*ret_height = turned ? w : h;
	if (w <= MAX_SIDE && h <= MAX_SIDE)
		return ST_OK;
	enum status st =
	    err_set(e, ST_ITEM, "page-size", "%u x %u pixels at %.1f x %.1f dpi", p->width, p->height, p->dpi_x, p->dpi_y);
	err_arg(e, "%.0f", *ret_width * 25.4 / 72);
	err_arg(e, "%.0f", *ret_height * 25.4 / 72);
	return st;
}

/* The page's objects but the picture. */
static void write_page(struct pdfmake *m, uint32_t page, uint32_t picture, bool text, double w, double h,
                       const struct buf *content)
{
	BUF_AUTO struct buf b = BUF_INIT(4096);
	uint32_t contents = writer_allocate(&m->w);
	writer_stream_flate(&m->w, contents, &b, (struct bytes){content->data, content->len});
	buf_reset(&b);
	buf_format(&b, "<</Type/Page/Parent %u 0 R/MediaBox[0 0 ", m->page_tree);
	print_number(w < MIN_SIDE ? MIN_SIDE : w, &b);
	buf_byte(&b, ' ');
	print_number(h < MIN_SIDE ? MIN_SIDE : h, &b);
	buf_format(&b, "]/Resources<</XObject<</Im0 %u 0 R>>", picture);
	if (text)
		buf_format(&b, "/Font<</F0 %u 0 R>>", m->font);
	buf_format(&b, ">>/Contents %u 0 R>>", contents);
	writer_object(&m->w, page, &b);
}

enum status pdfmake_page(struct pdfmake *m, const struct picture *p, const struct pdfmake_coded *coded,
                         const struct ocr_page *words, struct err *e)
{
	double w = 0, h = 0;
	uint32_t picture;
	enum status st = page_size(p, &w, &h, e);
	if (st != ST_OK)
		return st;
	uint32_t *more = reallocarray(m->pages, m->n_pages + 1, sizeof *more);
	if (more == NULL)
		return no_memory(e);
	m->pages = more;
	st = picture_object(&m->profiles, &m->w, p, coded, &picture, e);
	if (st != ST_OK)
		return st;
	BUF_AUTO struct buf content = BUF_INIT(256u << 20);
	buf_str(&content, "q\n");
	print_matrix(p->orientation, w, h, &content);
	buf_str(&content, "/Im0 Do\nQ\n");
	bool text = words != NULL && words->n > 0, turned = p->orientation >= 5 && p->orientation <= 8;
	if (text) {
		if (m->font == 0)
			m->font = writer_allocate(&m->w);
		if (!text_layer(&m->glyphless, words, "F0", 72 / (turned ? p->dpi_y : p->dpi_x),
		                72 / (turned ? p->dpi_x : p->dpi_y), h, &content))
			return no_memory(e);
	}
	m->pages[m->n_pages] = writer_allocate(&m->w);
	write_page(m, m->pages[m->n_pages++], picture, text, w, h, &content);
	return writer_fault(&m->w, e);
}

/* "D:20260612114537+07'00'" at the text's own offset, so that Info says what XMP says. */
static bool pdf_date(const char *iso, char ret_text[TIME_TEXT])
{
	int64_t ms;
	if (iso == NULL || !time_parse_iso8601(iso, &ms))
		return false;
	size_t n = strlen(iso);
	int offset = 0;
	if (n > 6 && iso[n - 3] == ':' && (iso[n - 6] == '+' || iso[n - 6] == '-')) {
		offset = ((iso[n - 5] - '0') * 10 + iso[n - 4] - '0') * 60 + (iso[n - 2] - '0') * 10 + iso[n - 1] - '0';
		offset = iso[n - 6] == '-' ? -offset : offset;
	}
	time_pdf(ms, offset, ret_text);
	return true;
}

static uint32_t write_info(struct pdfmake *m)
{
	static const struct {
		enum text_field field;
		const char *key;
	} keys[] = {{TITLE, "/Title"}, {AUTHOR, "/Author"}, {SUBJECT, "/Subject"}, {KEYWORDS, "/Keywords"}};
	BUF_AUTO struct buf b = BUF_INIT(1u << 20);
	char date[TIME_TEXT];
	buf_str(&b, "<<");
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		if (m->text[keys[i].field] == NULL)
			continue;
		buf_str(&b, keys[i].key);
		print_text(m->text[keys[i].field], &b);
	}
	buf_str(&b, "/Creator(" PRODUCER ")/Producer(" PRODUCER ")");
	if (pdf_date(m->text[CREATED], date))
		buf_format(&b, "/CreationDate(%s)/ModDate(%s)", date, date);
	buf_str(&b, ">>");
	uint32_t number = writer_allocate(&m->w);
	writer_object(&m->w, number, &b);
	return number;
}

static uint32_t write_metadata(struct pdfmake *m, const uint8_t digest[32])
{
	char name[65], document[48] = "uuid:", instance[48] = "uuid:";
	hex_lower(digest, 32, name);
	uuid_from_name(name, document + 5);
	memcpy(instance, document, sizeof instance);
	const struct xmp x = {.title = m->text[TITLE],
	                      .creator = m->text[AUTHOR],
	                      .description = m->text[SUBJECT],
	                      .language = m->text[LANGUAGE],
	                      .identifier = m->text[IDENTIFIER],
	                      .keywords = m->text[KEYWORDS],
	                      .producer = PRODUCER,
	                      .creator_tool = PRODUCER,
	                      .created = m->text[CREATED],
	                      .modified = m->text[CREATED],
	                      .document_id = document,
	                      .instance_id = instance,
	                      .part = m->part,
	                      .conformance = m->conformance};
	BUF_AUTO struct buf packet = BUF_INIT(4u << 20), dict = BUF_INIT(64);
	xmp_print(&x, &packet);
	buf_str(&dict, "/Type/Metadata/Subtype/XML");
	if (packet.failed)
		m->w.error = ENOMEM;
	uint32_t number = writer_allocate(&m->w);
	writer_stream(&m->w, number, &dict, (struct bytes){packet.data, packet.len});
	return number;
}

static void write_page_tree(struct pdfmake *m)
{
	BUF_AUTO struct buf b = BUF_INIT(64u << 20);
	buf_str(&b, "<</Type/Pages/Kids[");
	for (size_t i = 0; i < m->n_pages; i++)
		buf_format(&b, "%s%u 0 R", i == 0 ? "" : i % 16 == 0 ? "\n" : " ", m->pages[i]);
	buf_format(&b, "]/Count %zu>>", m->n_pages);
	writer_object(&m->w, m->page_tree, &b);
}

static void write_catalog(struct pdfmake *m, uint32_t metadata, uint32_t profile)
{
	BUF_AUTO struct buf b = BUF_INIT(1u << 16);
	buf_format(&b, "<</Type/Catalog/Pages %u 0 R/Metadata %u 0 R", m->page_tree, metadata);
	if (m->text[LANGUAGE] != NULL) {
		buf_str(&b, "/Lang");
		print_text(m->text[LANGUAGE], &b);
	}
	buf_format(&b,
	           "/OutputIntents[<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(sRGB)/Info(sRGB IEC61966-2.1)"
	           "/RegistryName(http://www.color.org)/DestOutputProfile %u 0 R>>]>>",
	           profile);
	writer_object(&m->w, m->catalog, &b);
}

enum status pdfmake_finish(struct pdfmake *m, struct written *ret_written, struct err *e)
{
	uint32_t profile;
	uint8_t digest[32];
	char id[33];
	if (m->n_pages == 0)
		return err_set(e, ST_BUG, "page-none", "a document without pages");
	if (m->font != 0)
		glyphless_write(&m->glyphless, &m->w, m->font);
	enum status st = profiles_own(&m->profiles, &m->w, ICC_SRGB, &profile, e);
	if (st != ST_OK)
		return st;
	uint32_t info = write_info(m);
	sha256_so_far(m->w.hash, digest);
	uint32_t metadata = write_metadata(m, digest);
	write_page_tree(m);
	write_catalog(m, metadata, profile);
	hex_upper(digest, 16, id);
	BUF_AUTO struct buf trailer = BUF_INIT(512);
	buf_format(&trailer, "/Root %u 0 R/Info %u 0 R/ID[<%s><%s>]", m->catalog, info, id, id);
	writer_end(&m->w, &trailer);
	if (ret_written != NULL)
		*ret_written = writer_written(&m->w);
	return writer_fault(&m->w, e);
}
