#include <string.h>

#include "stages/base/digest.h"
#include "stages/convert/internal.h"
#include "stages/pdf/doc.h"

/* More than any row of samples times rows that picture.h lets through. */
#define MAX_SAMPLES ((size_t)PICTURE_MAX_BYTES + (1u << 20))

static enum status differs(struct err *e, const char *what)
{
	return err_set(e, ST_ITEM, "convert-proof", "%s", what);
}

/* The one image on a page. */
static const struct pdfobj *image_of(const struct pdfdoc *d, uint32_t page)
{
	const struct pdfobj *images = pdfobj_get(pdfdoc_page_attribute(d, page, "Resources"), "XObject");
	const struct pdfobj *image = pdfobj_value(images, 0);
	return pdfobj_length(images) == 1 && pdfobj_is_name(pdfobj_get(image, "Subtype"), "Image") ? image : NULL;
}

/* The picture as a reader of the PDF finds it, for picture_digest. Data of a filter that picture.h does not know is decoded into
 * *samples. */
static enum status picture_of(const struct pdfobj *image, struct buf *samples, struct picture *ret_picture, struct err *e)
{
	const struct pdfobj *space = pdfobj_get(image, "ColorSpace"), *parms = pdfobj_get(image, "DecodeParms");
	const char *family = pdfobj_name(pdfobj_at(space, 0));
	struct picture p = {
	    .coding = PICTURE_SAMPLES,
	    .width = (uint32_t)pdfobj_integer(pdfobj_get(image, "Width")),
	    .height = (uint32_t)pdfobj_integer(pdfobj_get(image, "Height")),
	    .bits = (unsigned)pdfobj_integer(pdfobj_get(image, "BitsPerComponent")),
	    .components = 1,
	    .colour = PICTURE_GREY,
	    .orientation = 1,
	    .data = pdfobj_stream_raw(image),
	};
	if (strcmp(family, "Indexed") == 0) {
		p.colour = PICTURE_INDEXED;
	} else if (strcmp(family, "Lab") == 0) {
		p.colour = PICTURE_LAB;
		p.components = 3;
	} else {
		p.components = (unsigned)pdfobj_integer(pdfobj_get(pdfobj_at(space, 1), "N"));
		p.colour = p.components == 4 ? PICTURE_CMYK : p.components == 3 ? PICTURE_RGB : PICTURE_GREY;
	}
	const struct pdfobj *filter = pdfobj_get(image, "Filter");
	if (pdfobj_is_name(filter, "CCITTFaxDecode")) {
		p.coding = PICTURE_CCITT;
		p.ccitt_k = (int)pdfobj_integer(pdfobj_get(parms, "K"));
		p.ccitt_black_is_1 = pdfobj_boolean(pdfobj_get(parms, "BlackIs1"));
		p.ccitt_byte_align = pdfobj_boolean(pdfobj_get(parms, "EncodedByteAlign"));
		p.ccitt_end_of_line = pdfobj_boolean(pdfobj_get(parms, "EndOfLine"));
	} else if (pdfobj_is_name(filter, "FlateDecode") && pdfobj_integer(pdfobj_get(parms, "Predictor")) == 15 &&
	           (uint64_t)p.width * p.height * p.components * p.bits / 8 > PICTURE_STREAMED) {
		p.coding = PICTURE_FLATE;
	} else if (pdfobj_is_name(filter, "FlateDecode") || pdfobj_kind(filter) == PDF_NULL) {
		enum status st = pdfobj_stream(image, samples, e);
		if (st != ST_OK)
			return st;
		p.data = (struct bytes){samples->data, samples->len};
	} else {
		return differs(e, "a page's picture has an unexpected filter");
	}
	*ret_picture = p;
	return ST_OK;
}

/* The source that was looked at last. */
struct at_hand {
	const char *path;
	struct file_map map;
};

static enum status is_source(struct at_hand *s, const struct expected *x, struct bytes raw, bool *ret_is, struct err *e)
{
	if (s->path == NULL || strcmp(s->path, x->path) != 0) {
		file_map_close(&s->map);
		*s = (struct at_hand){0};
		enum status st = file_map_open(x->path, &s->map, e);
		if (st != ST_OK)
			return st;
		s->path = x->path;
	}
	*ret_is = raw.n == x->n && x->at <= s->map.in.n && x->n <= s->map.in.n - x->at &&
	          memcmp(raw.p, s->map.in.p + x->at, x->n) == 0;
	return ST_OK;
}

static enum status prove_page(const struct pdfdoc *d, size_t i, const struct expected *x, struct at_hand *source, struct err *e)
{
	uint32_t page;
	enum status st = pdfdoc_page(d, i, &page, e);
	if (st != ST_OK)
		return st;
	const struct pdfobj *image = image_of(d, page);
	if (image == NULL)
		return differs(e, "a page does not hold exactly one picture");
	if (pdfobj_integer(pdfobj_get(image, "Width")) != x->width || pdfobj_integer(pdfobj_get(image, "Height")) != x->height)
		return differs(e, "a page's picture has another size than its source");
	uint8_t digest[32];
	bool same = false;
	if (x->stored) {
		struct bytes raw = pdfobj_stream_raw(image);
		if (x->path != NULL)
			st = is_source(source, x, raw, &same, e);
		else
			sha256_bytes(raw.p, raw.n, digest);
	} else {
		BUF_AUTO struct buf samples = BUF_INIT(MAX_SAMPLES);
		struct picture p;
		st = picture_of(image, &samples, &p, e);
		if (st == ST_OK)
			st = picture_digest(&p, digest, e);
	}
	if (st != ST_OK)
		return st;
	if (x->path == NULL)
		same = memcmp(digest, x->digest, sizeof digest) == 0;
	return same ? ST_OK : differs(e, "a page's picture is not the same as its source");
}

enum status prove(const char *path, const struct expected *pages, size_t n, struct err *e)
{
	struct file_map m;
	enum status st = file_map_open(path, &m, e);
	if (st != ST_OK)
		return st;
	struct at_hand source = {0};
	struct pdfdoc *d = NULL;
	size_t found = 0;
	st = pdfdoc_open(m.in, &d, e);
	if (st == ST_OK)
		st = pdfdoc_pages(d, &found, e);
	if (st == ST_OK && found != n)
		st = differs(e, "the number of pages is not that of the source");
	for (size_t i = 0; st == ST_OK && i < n; i++) {
		st = prove_page(d, i, &pages[i], &source, e);
		if (st != ST_OK)
			err_where(e, "page %zu", i + 1);
	}
	if (st == ST_OK)
		st = pdfdoc_fault(d, e);
	file_map_close(&source.map);
	pdfdoc_close(d);
	file_map_close(&m);
	return st;
}
