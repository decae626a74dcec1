/* Values of objects, and objects as text. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"
#include "stages/pdf/internal.h"

const struct pdfobj pdf_null = {.kind = PDF_NULL, .at = PDF_NOWHERE};

const struct pdfobj *pdf_resolve(const struct pdfobj *o)
{
	/* An indirect object that is itself a reference is followed, but not for ever. */
	for (int i = 0; o->kind == PDF_REFERENCE; i++) {
		if (i == 32 || o->doc == NULL)
			return &pdf_null;
		o = pdfdoc_object_generation(o->doc, o->u.reference.number, o->u.reference.generation);
	}
	return o;
}

size_t pdf_pairs(const struct pdfobj *o, const struct pdf_pair **ret_pairs)
{
	if (o->kind == PDF_DICT) {
		*ret_pairs = o->u.dict.pairs;
		return o->u.dict.n;
	}
	if (o->kind == PDF_STREAM) {
		*ret_pairs = o->u.stream->pairs;
		return o->u.stream->n;
	}
	*ret_pairs = NULL;
	return 0;
}

enum pdfobj_kind pdfobj_kind(const struct pdfobj *o)
{
	return pdf_resolve(o)->kind;
}

enum pdfobj_kind pdfobj_kind_direct(const struct pdfobj *o)
{
	return o->kind;
}

uint32_t pdfobj_reference(const struct pdfobj *o)
{
	return o->kind == PDF_REFERENCE ? o->u.reference.number : 0;
}

uint32_t pdfobj_number(const struct pdfobj *o)
{
	return o->number;
}

bool pdfobj_boolean(const struct pdfobj *o)
{
	o = pdf_resolve(o);
	return o->kind == PDF_BOOLEAN && o->u.boolean;
}

int64_t pdfobj_integer(const struct pdfobj *o)
{
	o = pdf_resolve(o);
	return o->kind == PDF_INTEGER ? o->u.integer : 0;
}

double pdfobj_real(const struct pdfobj *o)
{
	o = pdf_resolve(o);
	return o->kind == PDF_REAL ? o->u.real.value : o->kind == PDF_INTEGER ? (double)o->u.integer : 0;
}

struct bytes pdfobj_string(const struct pdfobj *o)
{
	o = pdf_resolve(o);
	return o->kind == PDF_STRING ? o->u.string : (struct bytes){(const uint8_t *)"", 0};
}

const char *pdfobj_name(const struct pdfobj *o)
{
	o = pdf_resolve(o);
	return o->kind == PDF_NAME ? o->u.name : "";
}

bool pdfobj_is_name(const struct pdfobj *o, const char *name)
{
	o = pdf_resolve(o);
	return o->kind == PDF_NAME && strcmp(o->u.name, name) == 0;
}

size_t pdfobj_length(const struct pdfobj *o)
{
	const struct pdf_pair *pairs;
	o = pdf_resolve(o);
	return o->kind == PDF_ARRAY ? o->u.array.n : pdf_pairs(o, &pairs);
}

const struct pdfobj *pdfobj_at(const struct pdfobj *o, size_t i)
{
	o = pdf_resolve(o);
	return o->kind == PDF_ARRAY && i < o->u.array.n ? o->u.array.items[i] : &pdf_null;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct pdf_pair *)a)->key, ((const struct pdf_pair *)b)->key);
}

const struct pdfobj *pdfobj_get(const struct pdfobj *o, const char *key)
{
	const struct pdf_pair *pairs;
	size_t n = pdf_pairs(pdf_resolve(o), &pairs);
	if (n > PDF_DICT_SMALL) {
		const struct pdf_pair wanted = {.key = key}, *found = bsearch(&wanted, pairs + n, n, sizeof wanted, by_key);
		return found == NULL ? &pdf_null : found->value;
	}
	for (size_t i = 0; i < n; i++)
		if (strcmp(pairs[i].key, key) == 0)
			return pairs[i].value;
	return &pdf_null;
}

const char *pdfobj_key(const struct pdfobj *o, size_t i)
{
	const struct pdf_pair *pairs;
	size_t n = pdf_pairs(pdf_resolve(o), &pairs);
	return i < n ? pairs[i].key : "";
}

const struct pdfobj *pdfobj_value(const struct pdfobj *o, size_t i)
{
	const struct pdf_pair *pairs;
	size_t n = pdf_pairs(pdf_resolve(o), &pairs);
	return i < n ? pairs[i].value : &pdf_null;
}

unsigned pdfobj_form(const struct pdfobj *o)
{
	return pdf_resolve(o)->form;
}

void pdfobj_span(const struct pdfobj *o, uint64_t *ret_offset, uint64_t *ret_length)
{
	bool there = o->at != PDF_NOWHERE && o->length != UINT32_MAX;
	*ret_offset = there ? o->at : 0;
	*ret_length = there ? o->length : 0;
}

struct bytes pdfobj_stream_raw(const struct pdfobj *o)
{
	o = pdf_resolve(o);
	return o->kind == PDF_STREAM ? o->u.stream->raw : (struct bytes){(const uint8_t *)"", 0};
}

enum status pdfobj_stream(const struct pdfobj *o, struct buf *to, struct err *e)
{
	o = pdf_resolve(o);
	if (o->kind != PDF_STREAM)
		return err_set(e, ST_ITEM, "pdf-stream", "object %u is no stream", o->number);
	enum status st = pdffilter_decode(o, o->u.stream->raw, to, e);
	if (st != ST_OK)
		err_where(e, "object %u", o->number);
	return st;
}

void pdf_print_name(const char *name, struct buf *to)
{
	buf_byte(to, '/');
	for (const char *c = name; *c != '\0'; c++) {
		uint8_t b = (uint8_t)*c;
		if (b <= ' ' || b > '~' || b == '#' || pdf_is_delimiter(b))
			buf_format(to, "#%02X", b);
		else
			buf_byte(to, b);
	}
}

static bool printable(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return false;
	return true;
}

static void print_literal(struct bytes s, struct buf *to)
{
	buf_byte(to, '(');
	for (size_t i = 0; i < s.n; i++) {
		if (strchr("()\\", s.p[i]) != NULL)
			buf_byte(to, '\\');
		buf_byte(to, s.p[i]);
	}
	buf_byte(to, ')');
}

static void print_string(struct bytes s, struct buf *to)
{
	if (printable(s)) {
		print_literal(s, to);
		return;
	}
	buf_byte(to, '<');
	for (size_t i = 0; i < s.n; i++)
		buf_format(to, "%02X", s.p[i]);
	buf_byte(to, '>');
}

void pdfobj_print(const struct pdfobj *o, struct buf *to)
{
	const struct pdf_pair *pairs;
	size_t n = pdf_pairs(o, &pairs);
	switch (o->kind) {
	case PDF_NULL:
		buf_str(to, "null");
		break;
	case PDF_BOOLEAN:
		buf_str(to, o->u.boolean ? "true" : "false");
		break;
	case PDF_INTEGER:
		buf_format(to, "%lld", (long long)o->u.integer);
		break;
	case PDF_REAL:
		buf_add(to, o->u.real.source, o->length);
		break;
	case PDF_STRING:
		print_string(o->u.string, to);
		break;
	case PDF_NAME:
		pdf_print_name(o->u.name, to);
		break;
	case PDF_REFERENCE:
		buf_format(to, "%u %u R", o->u.reference.number, o->u.reference.generation);
		break;
	case PDF_ARRAY:
		buf_byte(to, '[');
		for (size_t i = 0; i < o->u.array.n; i++) {
			if (i > 0)
				buf_byte(to, ' ');
			pdfobj_print(o->u.array.items[i], to);
		}
		buf_byte(to, ']');
		break;
	case PDF_DICT:
	case PDF_STREAM:
		buf_str(to, "<<");
		for (size_t i = 0; i < n; i++) {
			pdf_print_name(pairs[i].key, to);
			buf_byte(to, ' ');
			pdfobj_print(pairs[i].value, to);
			if (i + 1 < n)
				buf_byte(to, ' ');
		}
		buf_str(to, ">>");
		break;
	}
}

/* PDFDocEncoding (Annex D.3) where it differs from Latin-1; 0: undefined. */
static const uint16_t doc_encoding_18[] = {0x2d8, 0x2c7, 0x2c6, 0x2d9, 0x2dd, 0x2db, 0x2da, 0x2dc};
static const uint16_t doc_encoding_80[] = {0x2022, 0x2020, 0x2021, 0x2026, 0x2014, 0x2013, 0x192,  0x2044, 0x2039,
                                           0x203a, 0x2212, 0x2030, 0x201e, 0x201c, 0x201d, 0x2018, 0x2019, 0x201a,
                                           0x2122, 0xfb01, 0xfb02, 0x141,  0x152,  0x160,  0x178,  0x17d,  0x131,
                                           0x142,  0x153,  0x161,  0x17e,  0,      0x20ac};

static uint32_t doc_encoding(uint8_t c)
{
	if (c >= 0x18 && c <= 0x1f)
		return doc_encoding_18[c - 0x18];
	if (c >= 0x80 && c <= 0xa0)
		return doc_encoding_80[c - 0x80];
	return c;
}

static void put(struct buf *to, uint32_t code_point)
{
	char utf8[4];
	if (code_point == 0 || (code_point >= 0xd800 && code_point <= 0xdfff))
		code_point = 0xfffd;
	buf_add(to, utf8, utf8_put(code_point, utf8));
}

static void utf16(struct bytes s, bool little, struct buf *to)
{
	for (size_t i = 2; i + 1 < s.n; i += 2) {
		uint32_t unit = little ? (uint32_t)(s.p[i] | s.p[i + 1] << 8) : (uint32_t)(s.p[i] << 8 | s.p[i + 1]);
		if (unit >= 0xd800 && unit <= 0xdbff && i + 3 < s.n) {
			uint32_t low = little ? (uint32_t)(s.p[i + 2] | s.p[i + 3] << 8)
			                      : (uint32_t)(s.p[i + 2] << 8 | s.p[i + 3]);
			if (low >= 0xdc00 && low <= 0xdfff) {
				unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
				i += 2;
			}
		} else if (unit == 0x1b) {
			/* A language escape: ESC, codes, ESC (7.9.2.2). */
			size_t end = i + 2;
			while (end + 1 < s.n && !(s.p[end + !little] == 0x1b && s.p[end + little] == 0))
				end += 2;
			i = end;
			continue;
		}
		put(to, unit);
	}
}

char *pdfobj_text(const struct pdfobj *o)
{
	struct bytes s = pdfobj_string(o);
	struct buf to = BUF_INIT(s.n * 4 + 16);
	if (s.n >= 2 && s.p[0] == 0xfe && s.p[1] == 0xff) {
		utf16(s, false, &to);
	} else if (s.n >= 2 && s.p[0] == 0xff && s.p[1] == 0xfe) {
		utf16(s, true, &to);
	} else if (s.n >= 3 && memcmp(s.p, "\xef\xbb\xbf", 3) == 0) {
		buf_add(&to, s.p + 3, s.n - 3);
		if (to.data != NULL && !utf8_valid((const char *)to.data, to.len)) {
			buf_reset(&to);
			put(&to, 0xfffd);
		}
	} else {
		for (size_t i = 0; i < s.n; i++)
			put(&to, doc_encoding(s.p[i]));
	}
	return buf_take(&to);
}

void pdf_print_text(const char *utf8, struct buf *to)
{
	struct bytes s = {(const uint8_t *)utf8, strlen(utf8)};
	if (printable(s)) {
		print_literal(s, to);
		return;
	}
	buf_str(to, "<FEFF");
	for (uint32_t c; (c = utf8_next(&utf8)) != 0;) {
		if (c >= 0x10000)
			buf_format(to, "%04X%04X", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff));
		else
			buf_format(to, "%04X", c);
	}
	buf_byte(to, '>');
}
