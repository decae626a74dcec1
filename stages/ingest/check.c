/* What a cell may say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "stages/base/text.h"
#include "stages/ingest/internal.h"

static bool is_space(uint32_t c)
{
	return c == ' ' || (c >= 9 && c <= 13) || c == 0xa0 || c == 0x202f || (c >= 0x2000 && c <= 0x200b) || c == 0x3000 ||
	       c == 0xfeff;
}

char *text_fold(const char *text)
{
	utf8proc_uint8_t *folded = NULL;
	struct buf b = BUF_INIT(1 << 20);
	bool gap = false;
	if (utf8proc_map((const utf8proc_uint8_t *)text, 0, &folded,
	                 UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD) < 0)
		return must(strdup(text));
	buf_str(&b, "");
	for (const char *at = (const char *)folded; *at != 0;) {
		char utf8[4];
		uint32_t c = utf8_next(&at);
		if (is_space(c)) {
			gap = b.len > 0;
			continue;
		}
		if (gap)
			buf_byte(&b, ' ');
		gap = false;
		buf_add(&b, utf8, utf8_put(c, utf8));
	}
	free(folded);
	return must(buf_take(&b));
}

char *text_trim(const char *text)
{
	char *nfc = must(utf8_nfc(text));
	const char *at = nfc, *start = nfc, *end = nfc;
	for (bool begun = false; *at != 0;) {
		const char *here = at;
		if (is_space(utf8_next(&at)))
			continue;
		if (!begun)
			start = here;
		begun = true;
		end = at;
	}
	size_t n = end > start ? (size_t)(end - start) : 0;
	memmove(nfc, start, n);
	nfc[n] = 0;
	return nfc;
}

bool text_same(const char *a, const char *b)
{
	char *fa = text_fold(a), *fb = text_fold(b);
	bool same = strcmp(fa, fb) == 0;
	free(fa);
	free(fb);
	return same;
}

/* A code as it stands in the list: written so, as its label, or as a number without the zeros that Excel takes away. */
static const char *find_code(const struct profile_column *c, const char *value)
{
	int64_t number = 0, code = 0;
	for (unsigned i = 0; i < c->codes_count; i++) {
		if (text_same(value, c->codes[i]) || (i < c->labels_count && text_same(value, c->labels[i])))
			return c->codes[i];
	}
	for (unsigned i = 0; i < c->codes_count && number_parse(value, 0, 1000000, &number); i++) {
		if (number_parse(c->codes[i], 0, 1000000, &code) && code == number)
			return c->codes[i];
	}
	return NULL;
}

static void list_codes(const struct profile_column *c, struct buf *allowed)
{
	for (unsigned i = 0; i < c->codes_count; i++)
		buf_format(allowed, "%s%s", i == 0 ? "" : ", ", c->codes[i]);
}

static const char *check_codes(const struct profile_column *c, const char *value, struct buf *to, struct buf *allowed)
{
	size_t n;
	for (const char *at = value;; at += n + 1) {
		n = c->multiple ? strcspn(at, ";,") : strlen(at);
		char *part = must(strndup(at, n)), *trimmed = text_trim(part);
		const char *code = find_code(c, trimmed);
		free(part);
		free(trimmed);
		if (code == NULL) {
			list_codes(c, allowed);
			return "sheet-code";
		}
		buf_format(to, "%s%s", to->len > 0 ? "; " : "", code);
		if (at[n] == 0)
			return NULL;
	}
}

static bool real_day(unsigned day, unsigned month, unsigned year)
{
	static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (leap && month == 2);
}

/* Up to three numbers parted by '/', '-' or '.', with nothing after them but a time of day. Returns how many; 0: not a date. */
static size_t date_parts(const char *value, unsigned part[3], size_t digits[3])
{
	size_t n = 0;
	for (;;) {
		digits[n] = strspn(value, "0123456789");
		if (digits[n] == 0 || digits[n] > 4)
			return 0;
		part[n] = (unsigned)strtoul(value, NULL, 10);
		value += digits[n++];
		if (*value == 0 || *value == ' ' || *value == 'T')
			break;
		if (n == 3 || strchr("/-.", *value) == NULL)
			return 0;
		value++;
	}
	if (*value != 0 && strspn(value + 1, "0123456789:.Z+") != strlen(value + 1))
		return 0;
	return n;
}

static bool check_date(const char *value, bool partial, struct buf *to)
{
	unsigned p[3] = {0};
	size_t digits[3] = {0}, n = date_parts(value, p, digits);
	if (n == 3 && digits[0] == 4 && digits[1] <= 2 && digits[2] <= 2 && real_day(p[2], p[1], p[0]))
		buf_format(to, "%02u/%02u/%04u", p[2], p[1], p[0]);
	else if (n == 3 && digits[2] == 4 && digits[0] <= 2 && digits[1] <= 2 && real_day(p[0], p[1], p[2]))
		buf_format(to, "%02u/%02u/%04u", p[0], p[1], p[2]);
	else if (partial && n == 2 && digits[1] == 4 && digits[0] <= 2 && real_day(1, p[0], p[1]))
		buf_format(to, "%02u/%04u", p[0], p[1]);
	else if (partial && n == 1 && digits[0] == 4 && p[0] > 0)
		buf_format(to, "%04u", p[0]);
	else
		return false;
	return true;
}

const char *check_value(const struct profile_column *c, const char *value, char **ret_value, struct buf *allowed)
{
	BUF_AUTO struct buf to = BUF_INIT(1 << 20);
	bool partial = strcmp(c->format, "date-partial") == 0;
	const char *fault = NULL;
	int64_t number = 0;
	if (c->codes_count > 0) {
		fault = check_codes(c, value, &to, allowed);
	} else if (partial || strcmp(c->format, "date") == 0) {
		if (!check_date(value, partial, &to)) {
			buf_str(allowed, partial ? "DD/MM/YYYY, MM/YYYY, YYYY" : "DD/MM/YYYY");
			fault = "sheet-date";
		}
	} else if (strcmp(c->format, "number") == 0) {
		if (!number_parse(value, 0, 4294967295, &number)) {
			buf_str(allowed, "0, 1, 2 …");
			fault = "sheet-number";
		}
		buf_format(&to, "%lld", (long long)number);
	} else {
		buf_str(&to, value);
	}
	if (fault == NULL && c->max_length > 0 && utf8_length((const char *)to.data) > c->max_length) {
		buf_format(allowed, "%u", c->max_length);
		fault = "sheet-length";
	}
	if (fault == NULL)
		*ret_value = must(buf_take(&to));
	return fault;
}
