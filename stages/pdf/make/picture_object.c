#include "stages/pdf/make/picture_object.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "stages/pdf/make/g4.h"
#include "stages/pdfa/icc.h"

#define PICTURE_LEVEL 6
#define G4_DOES_WELL 8 /* times smaller than the samples */

static enum status no_memory(struct err *e)
{
	return err_set(e, ST_RETRY, "memory", "no memory left");
}

void profiles_free(struct profiles *f)
{
	free(f->list);
	*f = (struct profiles){0};
}

static void write_profile(struct writer *w, uint32_t number, unsigned components, struct bytes icc)
{
	BUF_AUTO struct buf dict = BUF_INIT(256);
	buf_format(&dict, "/N %u", components);
	writer_stream_flate(w, number, &dict, icc);
}

enum status profiles_own(struct profiles *f, struct writer *w, unsigned kind, uint32_t *ret_object, struct err *e)
{
	static const unsigned components[] = {[ICC_SRGB] = 3, [ICC_GREY] = 1, [ICC_CMYK] = 4};
	if (f->own[kind] == 0) {
		BUF_AUTO struct buf icc = BUF_INIT(1u << 20);
		enum status st = icc_make((enum icc_kind)kind, &icc, e);
		if (st != ST_OK)
			return st;
		f->own[kind] = writer_allocate(w);
		write_profile(w, f->own[kind], components[kind], (struct bytes){icc.data, icc.len});
	}
	*ret_object = f->own[kind];
	return ST_OK;
}

static enum status profile_of(struct profiles *f, struct writer *w, const struct picture *p, uint32_t *ret_object, struct err *e)
{
	bool rgb = p->colour == PICTURE_RGB || p->colour == PICTURE_INDEXED;
	if (p->icc.n == 0)
		return profiles_own(f, w, rgb ? ICC_SRGB : p->colour == PICTURE_GREY ? ICC_GREY : ICC_CMYK, ret_object, e);
	uint8_t digest[32];
	sha256_bytes(p->icc.p, p->icc.n, digest);
	for (size_t i = 0; i < f->n; i++) {
		if (memcmp(f->list[i].digest, digest, sizeof digest) == 0) {
			*ret_object = f->list[i].object;
			return ST_OK;
		}
	}
	void *more = reallocarray(f->list, f->n + 1, sizeof *f->list);
	if (more == NULL)
		return no_memory(e);
	f->list = more;
	*ret_object = f->list[f->n].object = writer_allocate(w);
	memcpy(f->list[f->n++].digest, digest, sizeof digest);
	write_profile(w, *ret_object, rgb ? 3 : p->components, p->icc);
	return ST_OK;
}

static enum status print_colour(struct profiles *f, struct writer *w, const struct picture *p, struct buf *to, struct err *e)
{
	if (p->colour == PICTURE_LAB) {
		/* In 16 bit a* and b* are in steps of 1/256 up to 127 + 255/256. */
		const char *top = p->bits == 16 ? "127.9961" : "127";
		buf_format(to, "/ColorSpace[/Lab<</WhitePoint[0.9642 1 0.8249]/Range[-128 %s -128 %s]>>]", top, top);
		return ST_OK;
	}
	uint32_t icc = 0;
	enum status st = profile_of(f, w, p, &icc, e);
	if (st != ST_OK)
		return st;
	if (p->colour != PICTURE_INDEXED) {
		buf_format(to, "/ColorSpace[/ICCBased %u 0 R]", icc);
		return ST_OK;
	}
	size_t n = p->palette.n / 3, most = (size_t)1 << p->bits;
	n = n > most ? most : n;
	buf_format(to, "/ColorSpace[/Indexed[/ICCBased %u 0 R]%zu<", icc, n == 0 ? 0 : n - 1);
	for (size_t i = 0; i < 3 * n; i++)
		buf_format(to, "%02X", p->palette.p[i]);
	buf_str(to, ">]");
	return ST_OK;
}

static void print_decode(const struct picture *p, struct buf *to)
{
	if (!p->inverted)
		return;
	if (p->colour == PICTURE_INDEXED) {
		buf_format(to, "/Decode[%u 0]", (1u << p->bits) - 1);
		return;
	}
	buf_str(to, "/Decode[");
	for (unsigned i = 0; i < p->components; i++)
		buf_str(to, i == 0 ? "1 0" : " 1 0");
	buf_byte(to, ']');
}

static void print_ccitt(const struct picture *p, int k, bool black_is_1, struct buf *to)
{
	buf_format(to, "/Filter/CCITTFaxDecode/DecodeParms<</K %d/Columns %u/Rows %u%s%s%s>>", k, p->width, p->height,
	           black_is_1 ? "/BlackIs1 true" : "", p->ccitt_byte_align ? "/EncodedByteAlign true" : "",
	           p->ccitt_end_of_line ? "/EndOfLine true" : "");
}

static void print_predictor(const struct picture *p, struct buf *to)
{
	buf_format(to, "/Filter/FlateDecode/DecodeParms<</Predictor 15/Colors %u/BitsPerComponent %u/Columns %u>>", p->components,
	           p->bits, p->width);
}

/* Filters a row as PNG does by Sub (1) and Up (2) and keeps the one whose differences are smaller. */
static void filter_row(const uint8_t *row, const uint8_t *above, size_t n, size_t pixel, uint8_t *to)
{
	uint64_t sub = 0, up = 0;
	for (size_t i = 0; i < n; i++) {
		int8_t a = (int8_t)(row[i] - (i < pixel ? 0 : row[i - pixel])),
		       b = (int8_t)(row[i] - (above == NULL ? 0 : above[i]));
		sub += (uint64_t)(a < 0 ? -a : a);
		up += (uint64_t)(b < 0 ? -b : b);
	}
	to[0] = above == NULL || sub <= up ? 1 : 2;
	for (size_t i = 0; i < n; i++)
		to[i + 1] = (uint8_t)(row[i] - (to[0] == 2 ? above[i] : i < pixel ? 0 : row[i - pixel]));
}

/* Samples of 8 bit and more of continuous colour: with predictors. */
static struct bytes deflate_filtered(const struct picture *p, size_t row)
{
	uint8_t *filtered = malloc((row + 1) * p->height);
	if (filtered == NULL)
		return (struct bytes){0};
	for (size_t y = 0; y < p->height; y++)
		filter_row(p->data.p + y * row, y == 0 ? NULL : p->data.p + (y - 1) * row, row,
		           (size_t)p->components * p->bits / 8, filtered + y * (row + 1));
	struct bytes z = deflate_bytes((struct bytes){filtered, (row + 1) * p->height}, PICTURE_LEVEL);
	free(filtered);
	return z;
}

static void print_filter(const struct picture *p, enum pdfmake_filter filter, struct buf *dict)
{
	switch (filter) {
	case PDFMAKE_FLATE:
		buf_str(dict, "/Filter/FlateDecode");
		break;
	case PDFMAKE_PREDICTOR:
		print_predictor(p, dict);
		break;
	case PDFMAKE_G4:
		print_ccitt(p, -1, p->inverted, dict);
		break;
	}
}

/* Rows that are coded while they come. */
struct coding {
	struct writer *w;
	z_stream z;
	size_t row, pixel;
	bool predicts;
	uint8_t *above, *filtered; /* a row each */
	uint8_t out[1u << 16];
};

static bool deflate_some(struct coding *c, const uint8_t *p, size_t n, int flush)
{
	int state = Z_OK;
	c->z.next_in = (Bytef *)(uintptr_t)p;
	c->z.avail_in = (uInt)n;
	do {
		c->z.next_out = c->out;
		c->z.avail_out = sizeof c->out;
		state = deflate(&c->z, flush);
		writer_put(c->w, c->out, sizeof c->out - c->z.avail_out);
	} while (state == Z_OK && (c->z.avail_out == 0 || flush == Z_FINISH));
	return state == Z_OK || state == Z_STREAM_END || state == Z_BUF_ERROR;
}

static enum status code_row(void *arg, uint32_t y, const uint8_t *row, struct err *e)
{
	struct coding *c = arg;
	bool ok;
	if (c->predicts) {
		filter_row(row, y == 0 ? NULL : c->above, c->row, c->pixel, c->filtered);
		memcpy(c->above, row, c->row);
		ok = deflate_some(c, c->filtered, c->row + 1, Z_NO_FLUSH);
	} else {
		ok = deflate_some(c, row, c->row, Z_NO_FLUSH);
	}
	return ok ? ST_OK : no_memory(e);
}

static bool predicts(const struct picture *p)
{
	return p->bits >= 8 && p->colour != PICTURE_INDEXED;
}

/* A picture that is not held in memory: decoded and coded row by row. */
static enum status write_streamed(struct writer *w, const struct picture *p, struct buf *dict, uint32_t *ret_object,
                                  struct err *e)
{
	struct coding *c = calloc(1, sizeof *c);
	if (c == NULL)
		return no_memory(e);
	c->w = w;
	c->row = (size_t)(((uint64_t)p->width * p->components * p->bits + 7) / 8);
	c->pixel = (size_t)p->components * p->bits / 8;
	c->predicts = predicts(p);
	c->above = malloc(c->row);
	c->filtered = malloc(c->row + 1);
	bool begun = c->above != NULL && c->filtered != NULL && c->row < UINT32_MAX && deflateInit(&c->z, PICTURE_LEVEL) == Z_OK;
	enum status st = begun ? ST_OK : no_memory(e);
	if (st == ST_OK) {
		uint32_t length = writer_allocate(w);
		*ret_object = writer_allocate(w);
		print_filter(p, c->predicts ? PDFMAKE_PREDICTOR : PDFMAKE_FLATE, dict);
		writer_stream_begin(w, *ret_object, dict, length);
		st = picture_rows(p, code_row, c, e);
		if (st == ST_OK && !deflate_some(c, NULL, 0, Z_FINISH))
			st = no_memory(e);
		writer_stream_end(w, length, c->z.total_out);
	}
	if (begun)
		deflateEnd(&c->z);
	free(c->above);
	free(c->filtered);
	free(c);
	return st;
}

enum status pdfmake_code(const struct picture *p, struct pdfmake_coded *ret_coded, struct err *e)
{
	size_t row = (size_t)(((uint64_t)p->width * p->components * p->bits + 7) / 8), n = row * p->height;
	struct pdfmake_coded c = {.filter = PDFMAKE_PREDICTOR};
	if (p->coding != PICTURE_SAMPLES || p->data.n < n)
		return err_set(e, ST_BUG, "picture-syntax", "%zu bytes of samples are too few", p->data.n);
	if (predicts(p)) {
		c.data = deflate_filtered(p, row);
	} else {
		/* The smaller of what there is; where G4 does well, as on any page of text, nothing else does better. */
		struct bytes g4 = p->bits == 1 && p->colour == PICTURE_GREY ? g4_encode(p) : (struct bytes){0};
		bool smaller = g4.p != NULL && g4.n < n / G4_DOES_WELL;
		if (!smaller) {
			c = (struct pdfmake_coded){PDFMAKE_FLATE, deflate_bytes((struct bytes){p->data.p, n}, PICTURE_LEVEL)};
			smaller = g4.p != NULL && g4.n < c.data.n;
			free((void *)(uintptr_t)(smaller ? c.data.p : g4.p));
		}
		if (smaller)
			c = (struct pdfmake_coded){PDFMAKE_G4, g4};
	}
	*ret_coded = c;
	return c.data.p == NULL ? no_memory(e) : ST_OK;
}

/* ISO 32000-1, 7.4.7 */
static void print_jbig2(const struct picture *p, struct writer *w, struct buf *to)
{
	buf_str(to, "/Filter/JBIG2Decode");
	if (p->jbig2_globals.n == 0)
		return;
	BUF_AUTO struct buf nothing = BUF_INIT(64);
	uint32_t globals = writer_allocate(w);
	buf_str(&nothing, "");
	writer_stream(w, globals, &nothing, p->jbig2_globals);
	buf_format(to, "/DecodeParms<</JBIG2Globals %u 0 R>>", globals);
}

enum status picture_object(struct profiles *f, struct writer *w, const struct picture *p, const struct pdfmake_coded *coded,
                           uint32_t *ret_object, struct err *e)
{
	BUF_AUTO struct buf dict = BUF_INIT(1u << 16);
	buf_format(&dict, "/Type/XObject/Subtype/Image/Width %u/Height %u/BitsPerComponent %u", p->width, p->height, p->bits);
	enum status st = print_colour(f, w, p, &dict, e);
	if (st != ST_OK)
		return st;
	print_decode(p, &dict);
	if (p->decode != NULL)
		return write_streamed(w, p, &dict, ret_object, e);
	struct bytes data = p->data;
	struct pdfmake_coded own = {0};
	switch (p->coding) {
	case PICTURE_SAMPLES:
		if (coded == NULL)
			st = pdfmake_code(p, &own, e);
		coded = coded == NULL ? &own : coded;
		print_filter(p, coded->filter, &dict);
		data = coded->data;
		break;
	case PICTURE_DCT:
		buf_str(&dict, "/Filter/DCTDecode");
		if (p->dct_rgb)
			buf_str(&dict, "/DecodeParms<</ColorTransform 0>>");
		break;
	case PICTURE_CCITT:
		print_ccitt(p, p->ccitt_k, p->ccitt_black_is_1, &dict);
		break;
	case PICTURE_FLATE:
		print_predictor(p, &dict);
		break;
	case PICTURE_JPX:
		buf_str(&dict, "/Filter/JPXDecode");
		break;
	case PICTURE_JBIG2:
		print_jbig2(p, w, &dict);
		break;
	}
	if (st == ST_OK) {
		*ret_object = writer_allocate(w);
		writer_stream(w, *ret_object, &dict, data);
	}
	free((void *)(uintptr_t)own.data.p);
	return st;
}
