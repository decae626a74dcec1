/* Stream filters (ISO 32000-1, 7.4). Each stage's output is limited, so that no stream can grow without end. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "stages/pdf/internal.h"

#define FILTERS_MAX 8

static enum status bad(struct err *e, const char *what)
{
	return err_set(e, ST_ITEM, "pdf-stream", "%s", what);
}

/* What went wrong with an output that has failed. */
static enum status full(const struct buf *to, struct err *e)
{
	if (to->max - to->len < 1 << 20 || to->max < 1 << 20)
		return err_set(e, ST_ITEM, "pdf-limit", "a stream decodes to more than %zu bytes", to->max);
	return pdf_no_memory(e);
}

static enum status flate(struct bytes in, const struct pdfobj *parms, struct buf *to, struct err *e)
{
	(void)parms;
	z_stream z = {.next_in = (Bytef *)(uintptr_t)in.p};
	if (inflateInit(&z) != Z_OK)
		return pdf_no_memory(e);
	size_t fed = 0;
	int r = Z_OK;
	uint8_t out[32768];
	while (r == Z_OK && !to->failed) {
		if (z.avail_in == 0) {
			size_t n = in.n - fed < 1u << 30 ? in.n - fed : 1u << 30;
			z.avail_in = (uInt)n;
			fed += n;
		}
		z.next_out = out;
		z.avail_out = sizeof out;
		r = inflate(&z, Z_NO_FLUSH);
		buf_add(to, out, sizeof out - z.avail_out);
	}
	inflateEnd(&z);
	if (to->failed)
		return full(to, e);
	return r == Z_STREAM_END ? ST_OK : bad(e, "damaged Flate data");
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum status ascii_hex(struct bytes in, const struct pdfobj *parms, struct buf *to, struct err *e)
{
	(void)parms;
	int high = -1;
	for (size_t i = 0; i < in.n && in.p[i] != '>'; i++) {
		int v = hex_value(in.p[i]);
		if (v < 0 && pdf_is_space(in.p[i]))
			continue;
		if (v < 0)
			return bad(e, "damaged ASCIIHex data");
		if (high >= 0)
			buf_byte(to, (uint8_t)(high << 4 | v));
		high = high >= 0 ? -1 : v;
	}
	if (high >= 0)
		buf_byte(to, (uint8_t)(high << 4));
	return to->failed ? full(to, e) : ST_OK;
}

static enum status ascii_85(struct bytes in, const struct pdfobj *parms, struct buf *to, struct err *e)
{
	(void)parms;
	uint64_t group = 0;
	unsigned n = 0;
	for (size_t i = 0; i < in.n && in.p[i] != '~'; i++) {
		uint8_t c = in.p[i];
		if (pdf_is_space(c))
			continue;
		if (c == 'z' && n == 0) {
			buf_add(to, "\0\0\0\0", 4);
			continue;
		}
		if (c < '!' || c > 'u')
			return bad(e, "damaged ASCII85 data");
		group = group * 85 + (uint64_t)(c - '!');
		if (++n < 5)
			continue;
		if (group > UINT32_MAX)
			return bad(e, "damaged ASCII85 data");
		for (int k = 24; k >= 0; k -= 8)
			buf_byte(to, (uint8_t)(group >> k));
		group = n = 0;
	}
	if (n == 1)
		return bad(e, "damaged ASCII85 data");
	if (n > 1) {
		for (unsigned k = n; k < 5; k++)
			group = group * 85 + 84;
		if (group > UINT32_MAX)
			return bad(e, "damaged ASCII85 data");
		for (unsigned k = 0; k < n - 1; k++)
			buf_byte(to, (uint8_t)(group >> (24 - 8 * k)));
	}
	return to->failed ? full(to, e) : ST_OK;
}

static enum status run_length(struct bytes in, const struct pdfobj *parms, struct buf *to, struct err *e)
{
	(void)parms;
	size_t at = 0;
	while (at < in.n && in.p[at] != 128 && !to->failed) {
		uint8_t c = in.p[at++];
		size_t n = c < 128 ? (size_t)c + 1 : 257 - (size_t)c;
		if (in.n - at < (c < 128 ? n : 1))
			return bad(e, "damaged RunLength data");
		if (c < 128)
			buf_add(to, in.p + at, n);
		else
			for (size_t k = 0; k < n; k++)
				buf_byte(to, in.p[at]);
		at += c < 128 ? n : 1;
	}
	return to->failed ? full(to, e) : ST_OK;
}

#define LZW_CLEAR 256
#define LZW_END 257
#define LZW_CODES 4096

struct lzw {
	uint16_t prefix[LZW_CODES];
	uint8_t last[LZW_CODES];
	uint16_t length[LZW_CODES];
};

/* Appends the bytes of a code and returns the first. */
static uint8_t lzw_put(const struct lzw *t, unsigned code, struct buf *to)
{
	size_t n = code < 256 ? 1 : t->length[code];
	uint8_t *at = buf_reserve(to, n);
	if (at == NULL)
		return 0;
	for (size_t i = n; i-- > 0;) {
		at[i] = code < 256 ? (uint8_t)code : t->last[code];
		code = code < 256 ? code : t->prefix[code];
	}
	to->len += n;
	return at[0];
}

static enum status lzw(struct bytes in, const struct pdfobj *parms, struct buf *to, struct err *e)
{
	const struct pdfobj *early_change = pdfobj_get(parms, "EarlyChange");
	unsigned early = pdfobj_kind(early_change) == PDF_INTEGER && pdfobj_integer(early_change) == 0 ? 0 : 1;
	struct lzw *t = calloc(1, sizeof *t);
	if (t == NULL)
		return pdf_no_memory(e);
	unsigned next = 258, width = 9, bits = 0, previous = LZW_CLEAR;
	uint32_t pending = 0;
	bool good = true;
	size_t at = 0;
	while (good && !to->failed) {
		while (bits < width && at < in.n) {
			pending = pending << 8 | in.p[at++];
			bits += 8;
		}
		/* Data that ends without its end code is borne where nothing but padding is left. */
		if (bits < width)
			break;
		unsigned code = pending >> (bits - width) & ((1u << width) - 1);
		bits -= width;
		if (code == LZW_END)
			break;
		if (code == LZW_CLEAR) {
			next = 258;
			width = 9;
		} else if (previous == LZW_CLEAR) {
			good = code < 256;
			if (good)
				lzw_put(t, code, to);
		} else {
			good = code < next || (code == next && next < LZW_CODES);
			if (good && next < LZW_CODES) {
				t->prefix[next] = (uint16_t)previous;
				t->length[next] = (uint16_t)((previous < 256 ? 1 : t->length[previous]) + 1);
				unsigned root = code == next ? previous : code;
				while (root >= 256)
					root = t->prefix[root];
				t->last[next] = (uint8_t)root;
				next++;
			}
			if (good)
				lzw_put(t, code, to);
			while (width < 12 && next + early >= 1u << width)
				width++;
		}
		previous = code;
	}
	free(t);
	if (to->failed)
		return full(to, e);
	return good ? ST_OK : bad(e, "damaged LZW data");
}

struct predictor {
	size_t colors, bits, columns;
	size_t row, pixel; /* bytes */
};

/* A sample of fewer than 8 bits. */
static unsigned sample(const uint8_t *row, size_t bits, size_t i)
{
	size_t at = i * bits;
	return (unsigned)row[at / 8] >> (8 - bits - at % 8) & ((1u << bits) - 1);
}

static void tiff_row(const struct predictor *p, uint8_t *row)
{
	size_t n = p->columns * p->colors;
	if (p->bits == 8) {
		for (size_t i = p->colors; i < n; i++)
			row[i] = (uint8_t)(row[i] + row[i - p->colors]);
		return;
	}
	for (size_t i = p->colors; i < n; i++) {
		if (p->bits == 16) {
			const uint8_t *left = row + 2 * (i - p->colors);
			unsigned v = (unsigned)(row[2 * i] << 8 | row[2 * i + 1]) + (unsigned)(left[0] << 8 | left[1]);
			row[2 * i] = (uint8_t)(v >> 8);
			row[2 * i + 1] = (uint8_t)v;
			continue;
		}
		unsigned mask = (1u << p->bits) - 1;
		unsigned v = (sample(row, p->bits, i) + sample(row, p->bits, i - p->colors)) & mask;
		size_t at = i * p->bits, shift = 8 - p->bits - at % 8;
		row[at / 8] = (uint8_t)((row[at / 8] & ~(mask << shift)) | v << shift);
	}
}

static uint8_t paeth(int a, int b, int c)
{
	int p = a + b - c, pa = abs(p - a), pb = abs(p - b), pc = abs(p - c);
	return (uint8_t)(pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
}

static bool png_row(const struct predictor *p, uint8_t tag, uint8_t *row, const uint8_t *above)
{
	for (size_t i = 0; i < p->row; i++) {
		int left = i >= p->pixel ? row[i - p->pixel] : 0, up = above == NULL ? 0 : above[i];
		int corner = i >= p->pixel && above != NULL ? above[i - p->pixel] : 0, add = 0;
		switch (tag) {
		case 0:
			break;
		case 1:
			add = left;
			break;
		case 2:
			add = up;
			break;
		case 3:
			add = (left + up) / 2;
			break;
		case 4:
			add = paeth(left, up, corner);
			break;
		default:
			return false;
		}
		row[i] = (uint8_t)(row[i] + add);
	}
	return true;
}

static int64_t parameter(const struct pdfobj *parms, const char *key, int64_t otherwise)
{
	const struct pdfobj *o = pdfobj_get(parms, key);
	return pdfobj_kind(o) == PDF_INTEGER ? pdfobj_integer(o) : otherwise;
}

/* Undoes the predictor of Flate and LZW (7.4.4.4) on what `to` holds from `from` on, in place. */
static enum status predict(const struct pdfobj *parms, struct buf *to, size_t from, struct err *e)
{
	int64_t kind = parameter(parms, "Predictor", 1);
	if (kind == 1)
		return ST_OK;
	int64_t colors = parameter(parms, "Colors", 1), bits = parameter(parms, "BitsPerComponent", 8);
	int64_t columns = parameter(parms, "Columns", 1);
	bool known = kind == 2 || (kind >= 10 && kind <= 15);
	bool depth = bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16;
	if (!known || !depth || colors < 1 || colors > 64 || columns < 1 || columns > 1 << 24)
		return bad(e, "a predictor with wrong parameters");
	struct predictor p = {.colors = (size_t)colors, .bits = (size_t)bits, .columns = (size_t)columns};
	p.row = (p.columns * p.colors * p.bits + 7) / 8;
	p.pixel = p.colors * p.bits < 8 ? 1 : p.colors * p.bits / 8;
	size_t tag = kind == 2 ? 0 : 1, end = to->len, put = from;
	uint8_t *above = NULL;
	/* A last row that is cut short is dropped. */
	for (size_t at = from; end - at >= p.row + tag; at += p.row + tag) {
		uint8_t *row = to->data + put;
		uint8_t filter = to->data[at];
		memmove(row, to->data + at + tag, p.row);
		if (kind == 2)
			tiff_row(&p, row);
		else if (!png_row(&p, filter, row, above))
			return bad(e, "a PNG predictor that is not defined");
		above = row;
		put += p.row;
	}
	to->len = put;
	return ST_OK;
}

static const struct filter {
	const char *name;
	enum status (*decode)(struct bytes in, const struct pdfobj *parms, struct buf *to, struct err *e);
	bool predicts;
} filters[] = {
    {"FlateDecode", flate, true}, {"ASCIIHexDecode", ascii_hex, false},   {"ASCII85Decode", ascii_85, false},
    {"LZWDecode", lzw, true},     {"RunLengthDecode", run_length, false},
};

static const struct filter *find(const char *name)
{
	for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
		if (strcmp(filters[i].name, name) == 0)
			return &filters[i];
	return NULL;
}

enum status pdffilter_decode(const struct pdfobj *o, struct bytes raw, struct buf *to, struct err *e)
{
	const struct pdfobj *filter = pdf_resolve(pdfobj_get(o, "Filter")), *parms = pdf_resolve(pdfobj_get(o, "DecodeParms"));
	bool list = filter->kind == PDF_ARRAY;
	size_t n = list ? pdfobj_length(filter) : filter->kind != PDF_NULL;
	if (n > FILTERS_MAX || pdfobj_kind(pdfobj_get(o, "F")) != PDF_NULL)
		return err_set(e, ST_ITEM, "pdf-filter", "too many filters, or data in another file");
	struct buf a = BUF_INIT(to->max), b = BUF_INIT(to->max), *from = &a, *next = &b;
	enum status st = ST_OK;
	for (size_t i = 0; i < n && st == ST_OK; i++) {
		const char *name = pdfobj_name(list ? pdfobj_at(filter, i) : filter);
		const struct pdfobj *p = pdf_resolve(list && parms->kind == PDF_ARRAY ? pdfobj_at(parms, i) : parms);
		const struct filter *f = find(name);
		struct buf *out = i + 1 == n ? to : next;
		size_t before = out->len;
		if (f == NULL) {
			st = err_set(e, ST_ITEM, "pdf-filter", "the filter %s is not decoded here", name);
			err_arg(e, "%s", name);
			break;
		}
		st = f->decode(raw, p, out, e);
		if (st == ST_OK && f->predicts)
			st = predict(p, out, before, e);
		raw = (struct bytes){out->data, out->len};
		struct buf *swap = from;
		from = next;
		next = swap;
		buf_reset(next);
	}
	if (n == 0) {
		buf_add(to, raw.p, raw.n);
		st = to->failed ? full(to, e) : ST_OK;
	}
	buf_free(&a);
	buf_free(&b);
	return st;
}
