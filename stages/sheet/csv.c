/* Comma-separated values: RFC 4180, and what Excel makes of it where the comma is the decimal mark. */
#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"
#include "stages/sheet/internal.h"

static enum status bad_encoding(size_t offset, struct err *e)
{
	err_set(e, ST_ITEM, "csv-encoding", "neither UTF-8 nor UTF-16 from byte %zu on", offset);
	err_arg(e, "%zu", offset);
	return ST_ITEM;
}

static enum status from_utf16(struct bytes in, bool big, struct buf *to, struct err *e)
{
	struct rd r = RD_INIT(in.p, in.n);
	char utf8[4];
	while (rd_left(&r) >= 2) {
		size_t at = r.at;
		uint32_t c = big ? rd_u16be(&r) : rd_u16le(&r);
		if (c >= 0xd800 && c < 0xdc00) {
			uint32_t low = big ? rd_u16be(&r) : rd_u16le(&r);
			if (low < 0xdc00 || low > 0xdfff)
				return bad_encoding(at, e);
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		} else if (c == 0 || (c >= 0xdc00 && c < 0xe000)) {
			return bad_encoding(at, e);
		}
		buf_add(to, utf8, utf8_put(c, utf8));
	}
	if (rd_left(&r) > 0)
		return bad_encoding(r.at, e);
	return to->failed ? sheet_too_large("text", e) : ST_OK;
}

/* The text of a CSV, or a part of it that is whole characters. */
static size_t valid_part(const char *text, size_t n)
{
	size_t low = 0, high = n; /* utf8_valid holds for low */
	while (low + 1 < high) {
		size_t middle = low + (high - low) / 2, end = middle;
		while (end > low && ((unsigned char)text[end] & 0xc0) == 0x80)
			end--;
		if (end == low) {
			high = middle;
		} else if (utf8_valid(text + low, end - low)) {
			low = end;
		} else {
			high = end;
		}
	}
	return low;
}

/* The mark that parts most cells of the first record; a first line "sep=;" (Excel) says it. */
static char find_mark(const char **at, const char *end)
{
	static const char marks[] = {',', ';', '\t'};
	size_t count[3] = {0}, best = 0;
	bool quoted = false;
	const char *p = *at;
	if (end - p >= 5 && memcmp(p, "sep=", 4) == 0) {
		const char mark = p[4];
		p = memchr(p, '\n', (size_t)(end - p));
		*at = p ? p + 1 : end;
		return mark;
	}
	for (; p < end && (quoted || (*p != '\n' && *p != '\r')); p++) {
		quoted ^= *p == '"';
		for (size_t i = 0; i < 3 && !quoted; i++)
			count[i] += *p == marks[i];
	}
	for (size_t i = 1; i < 3; i++)
		best = count[i] > count[best] ? i : best;
	return marks[best];
}

static enum status bad_quote(uint32_t row, struct err *e)
{
	err_set(e, ST_ITEM, "csv-quote", "row %u: quotation marks do not pair", row + 1);
	err_arg(e, "%u", row + 1);
	return ST_ITEM;
}

/* A field from *at on, without what parts it from the next. */
static enum status read_field(const char **at, const char *end, char mark, uint32_t row, struct buf *to, struct err *e)
{
	const char *p = *at;
	buf_reset(to);
	if (p < end && *p == '"') {
		for (p++;; p++) {
			if (p == end)
				return bad_quote(row, e);
			if (*p != '"')
				buf_byte(to, (uint8_t)*p);
			else if (p + 1 < end && p[1] == '"')
				buf_byte(to, (uint8_t)*p++);
			else
				break;
		}
		p++;
		if (p < end && *p != mark && *p != '\n' && *p != '\r')
			return bad_quote(row, e);
	} else {
		while (p < end && *p != mark && *p != '\n' && *p != '\r')
			p++;
		buf_add(to, *at, (size_t)(p - *at));
	}
	*at = p;
	return to->failed ? sheet_too_large("text", e) : ST_OK;
}

static enum status read_rows(const char *at, const char *end, struct book *b, struct sheet *s, struct err *e)
{
	BUF_AUTO struct buf field = BUF_INIT(SHEET_TEXT_LIMIT);
	uint32_t row = 0, column = 0;
	char mark = find_mark(&at, end);
	enum status st = ST_OK;
	while (at < end && st == ST_OK) {
		st = read_field(&at, end, mark, row, &field, e);
		if (st == ST_OK && field.len > 0)
			st = sheet_put(b, s, row, column, book_text(b, (const char *)field.data, field.len), e);
		if (at == end || st != ST_OK)
			break;
		if (*at == mark) {
			column++;
		} else {
			at += *at == '\r' && at + 1 < end && at[1] == '\n';
			column = 0;
			row++;
		}
		at++;
	}
	return st;
}

enum status csv_parse(struct bytes in, const char *name, struct book *b, struct err *e)
{
	BUF_AUTO struct buf converted = BUF_INIT(SHEET_TEXT_LIMIT);
	const char *text = (const char *)in.p;
	size_t n = in.n;
	if (n >= 2 && ((in.p[0] == 0xff && in.p[1] == 0xfe) || (in.p[0] == 0xfe && in.p[1] == 0xff))) {
		enum status st = from_utf16((struct bytes){in.p + 2, n - 2}, in.p[0] == 0xfe, &converted, e);
		if (st != ST_OK)
			return st;
		text = converted.len > 0 ? (const char *)converted.data : "";
		n = converted.len;
	} else if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		n -= 3;
	}
	if (!utf8_valid(text, n))
		return bad_encoding((size_t)(text - (const char *)in.p) + valid_part(text, n), e);
	struct sheet *s = book_add(b, name);
	return s == NULL ? err_set(e, ST_RETRY, "memory", "no memory for a spreadsheet") : read_rows(text, text + n, b, s, e);
}
