#include "stages/base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utf8proc.h>

bool number_parse(const char *text, int64_t min, int64_t max, int64_t *ret_number)
{
	const char *at = text;
	bool negative = *at == '-';
	uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX, value = 0;
	at += negative;
	if (*at == '\0')
		return false;
	for (; *at != '\0'; at++) {
		if (*at < '0' || *at > '9')
			return false;
		unsigned digit = (unsigned)(*at - '0');
		if (value > (limit - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	int64_t number = !negative ? (int64_t)value : value == limit ? INT64_MIN : -(int64_t)value;
	if (number < min || number > max)
		return false;
	*ret_number = number;
	return true;
}

int64_t time_now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Broken-down time at an offset; ret_fraction gets the milliseconds. */
static struct tm split(int64_t ms, int offset_min, int *ret_fraction)
{
	int64_t local = ms + (int64_t)offset_min * 60000;
	int64_t second = local / 1000, fraction = local % 1000;
	if (fraction < 0) {
		fraction += 1000;
		second--;
	}
	time_t t = (time_t)second;
	struct tm parts;
	gmtime_r(&t, &parts);
	*ret_fraction = (int)fraction;
	return parts;
}

void time_iso8601(int64_t ms, int offset_min, bool milliseconds, char ret_text[TIME_TEXT])
{
	int fraction;
	struct tm t = split(ms, offset_min, &fraction);
	char *at = ret_text;
	at += strftime(at, TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &t);
	int minutes = offset_min < 0 ? -offset_min : offset_min;
	if (milliseconds)
		at += snprintf(at, 8, ".%03d", fraction);
	snprintf(at, 8, "%c%02d:%02d", offset_min < 0 ? '-' : '+', minutes / 60 % 100, minutes % 60);
}

void time_pdf(int64_t ms, int offset_min, char ret_text[TIME_TEXT])
{
	int fraction, minutes = offset_min < 0 ? -offset_min : offset_min;
	struct tm t = split(ms, offset_min, &fraction);
	size_t n = strftime(ret_text, TIME_TEXT, "D:%Y%m%d%H%M%S", &t);
	snprintf(ret_text + n, 9, "%c%02d'%02d'", offset_min < 0 ? '-' : '+', minutes / 60 % 100, minutes % 60);
}

/* Reads exactly n digits. */
static bool digits(const char **at, const char *end, int n, int *ret)
{
	int value = 0;
	for (; n > 0; n--, (*at)++) {
		if (*at >= end || **at < '0' || **at > '9')
			return false;
		value = value * 10 + (**at - '0');
	}
	*ret = value;
	return true;
}

static bool join(struct tm t, int fraction, int offset_min, int64_t *ret_ms)
{
	static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (t.tm_mon < 1 || t.tm_mon > 12 || t.tm_mday < 1 || t.tm_mday > days[t.tm_mon - 1] || t.tm_hour > 23 || t.tm_min > 59 ||
	    t.tm_sec > 60 || t.tm_year < 1)
		return false;
	t.tm_mon -= 1;
	t.tm_year -= 1900;
	*ret_ms = ((int64_t)timegm(&t) - (int64_t)offset_min * 60) * 1000 + fraction;
	return true;
}

static bool skip(const char **at, const char *end, char c)
{
	if (*at >= end || **at != c)
		return false;
	(*at)++;
	return true;
}

bool time_parse_iso8601(const char *text, int64_t *ret_ms)
{
	const char *at = text, *end = text + strlen(text);
	struct tm t = {0};
	int fraction = 0, hours = 0, minutes = 0;
	if (!digits(&at, end, 4, &t.tm_year) || !skip(&at, end, '-') || !digits(&at, end, 2, &t.tm_mon) || !skip(&at, end, '-') ||
	    !digits(&at, end, 2, &t.tm_mday) || !skip(&at, end, 'T') || !digits(&at, end, 2, &t.tm_hour) ||
	    !skip(&at, end, ':') || !digits(&at, end, 2, &t.tm_min) || !skip(&at, end, ':') || !digits(&at, end, 2, &t.tm_sec))
		return false;
	if (skip(&at, end, '.')) {
		int scale = 100, digit;
		const char *start = at;
		while (at < end && isdigit((unsigned char)*at) && digits(&at, end, 1, &digit)) {
			fraction += digit * scale;
			scale /= 10;
		}
		if (at == start)
			return false;
	}
	int sign = 1;
	if (!skip(&at, end, 'Z')) {
		if (at >= end || (*at != '+' && *at != '-'))
			return false;
		sign = *at++ == '-' ? -1 : 1;
		if (!digits(&at, end, 2, &hours) || !skip(&at, end, ':') || !digits(&at, end, 2, &minutes) || hours > 23 ||
		    minutes > 59)
			return false;
	}
	return at == end && join(t, fraction, sign * (hours * 60 + minutes), ret_ms);
}

bool time_parse_pdf(const char *text, size_t n, int64_t *ret_ms)
{
	const char *at = text, *end = text + n;
	struct tm t = {.tm_mon = 1, .tm_mday = 1};
	int hours = 0, minutes = 0, sign = 1;
	if (skip(&at, end, 'D') && !skip(&at, end, ':'))
		return false;
	if (!digits(&at, end, 4, &t.tm_year))
		return false;
	int *const parts[] = {&t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec};
	for (size_t i = 0; i < 5 && at < end && isdigit((unsigned char)*at); i++)
		if (!digits(&at, end, 2, parts[i]))
			return false;
	if (at < end && (*at == '+' || *at == '-')) {
		sign = *at++ == '-' ? -1 : 1;
		if (!digits(&at, end, 2, &hours) || hours > 23)
			return false;
		if (skip(&at, end, '\'') && at < end) {
			if (!digits(&at, end, 2, &minutes) || minutes > 59)
				return false;
			skip(&at, end, '\'');
		}
	} else {
		skip(&at, end, 'Z');
	}
	return at == end && join(t, 0, sign * (hours * 60 + minutes), ret_ms);
}

bool utf8_valid(const char *text, size_t n)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	size_t at = 0;
	while (at < n) {
		uint64_t eight;
		if (n - at >= sizeof eight) {
			memcpy(&eight, text + at, sizeof eight);
			/* ASCII without a NUL: no byte has its highest bit set, nor gets it when 1 is taken from each. */
			if (((eight | (eight - each)) & each * 0x80) == 0) {
				at += sizeof eight;
				continue;
			}
		}
		utf8proc_int32_t c;
		utf8proc_ssize_t step = utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(n - at), &c);
		if (step <= 0 || c == 0)
			return false;
		at += (size_t)step;
	}
	return true;
}

uint32_t utf8_next(const char **at)
{
	utf8proc_int32_t c;
	if (**at == '\0')
		return 0;
	utf8proc_ssize_t step = utf8proc_iterate((const utf8proc_uint8_t *)*at, -1, &c);
	if (step <= 0) {
		(*at)++;
		return 0xFFFD;
	}
	*at += step;
	return (uint32_t)c;
}

size_t utf8_put(uint32_t code_point, char to[4])
{
	utf8proc_ssize_t n = utf8proc_encode_char((utf8proc_int32_t)code_point, (utf8proc_uint8_t *)to);
	return n < 0 ? 0 : (size_t)n;
}

size_t utf8_length(const char *text)
{
	size_t n = 0;
	while (utf8_next(&text) != 0)
		n++;
	return n;
}

char *utf8_nfc(const char *text)
{
	return (char *)utf8proc_NFC((const utf8proc_uint8_t *)text);
}

char *utf8_nfd(const char *text)
{
	return (char *)utf8proc_NFD((const utf8proc_uint8_t *)text);
}
