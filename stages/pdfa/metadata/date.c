#include "stages/pdfa/metadata/date.h"

#include <string.h>

struct fields {
	int64_t year, month, day, hour, minute, second, ms, zone; /* zone in minutes */
};

/* Digits as a number that is at most `max`: what is greater counts as that. */
static bool number(const char **at, int64_t max, int64_t *ret_n)
{
	const char *p = *at;
	int64_t n = 0;
	for (; *p >= '0' && *p <= '9'; p++)
		n = n > max ? n : n * 10 + (*p - '0');
	if (p == *at)
		return false;
	*at = p;
	*ret_n = n > max ? max : n;
	return true;
}

/* Days from 1970 of a proleptic Gregorian date; a month or a day beyond its range counts on. */
static int64_t days(int64_t y, int64_t m, int64_t d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t moment(const struct fields *f)
{
	int64_t day = days(f->year, f->month < 1 ? 1 : f->month, f->day < 1 ? 1 : f->day);
	return (((day * 24 + f->hour) * 60 + f->minute - f->zone) * 60 + f->second) * 1000 + f->ms;
}

static bool read_zone(const char **at, struct fields *f)
{
	int64_t hours, minutes = 0;
	if (**at == 'Z') {
		(*at)++;
		return true;
	}
	if (**at != '+' && **at != '-')
		return false;
	int sign = *(*at)++ == '-' ? -1 : 1;
	if (!number(at, 23, &hours))
		return false;
	if (**at == ':') {
		(*at)++;
		if (!number(at, 59, &minutes))
			return false;
	}
	f->zone = sign * (hours * 60 + minutes);
	return true;
}

static bool read_fraction(const char **at, struct fields *f)
{
	const char *from = ++*at;
	int64_t n;
	if (!number(at, 999999999, &n))
		return false;
	int64_t scale = 100;
	for (; from < *at && scale > 0; from++, scale /= 10)
		f->ms += (*from - '0') * scale;
	return true;
}

static bool read_time(const char **at, struct fields *f)
{
	if (!number(at, 23, &f->hour))
		return false;
	if (**at == ':') {
		(*at)++;
		if (!number(at, 59, &f->minute))
			return false;
	}
	if (**at == ':') {
		(*at)++;
		if (!number(at, 59, &f->second) || (**at == '.' && !read_fraction(at, f)))
			return false;
	}
	return **at == '\0' || read_zone(at, f);
}

bool xmp_date_read(const char *text, struct xmp_date *ret_date)
{
	struct fields f = {.month = 1, .day = 1};
	const char *at = text;
	bool negative = *at == '-';
	*ret_date = (struct xmp_date){.empty = *text == '\0'};
	if (*text == '\0')
		return true;
	at += negative;
	bool ok = number(&at, 9999, &f.year);
	if (ok && *at == '-') {
		at++;
		ok = number(&at, 12, &f.month);
		if (ok && *at == '-') {
			at++;
			ok = number(&at, 31, &f.day);
			if (ok && *at == 'T') {
				at++;
				ok = read_time(&at, &f);
			}
		}
	}
	if (negative)
		f.year = -f.year;
	ret_date->ms = moment(&f);
	return ok && *at == '\0';
}

static bool two(const char **at, int64_t max, int64_t *ret_n)
{
	const char *p = *at;
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return false;
	*ret_n = (p[0] - '0') * 10 + (p[1] - '0');
	*at += 2;
	return *ret_n <= max;
}

static bool pdf_zone(const char **at, struct fields *f)
{
	int64_t hours = 0, minutes = 0;
	char sign = **at;
	if (sign == '\0')
		return true;
	(*at)++;
	if (sign != 'Z' && sign != '+' && sign != '-')
		return false;
	if (**at != '\0' && !two(at, 23, &hours))
		return false;
	*at += **at == '\'';
	if (**at != '\0' && !two(at, 59, &minutes))
		return false;
	*at += **at == '\'';
	f->zone = (sign == '-' ? -1 : sign == 'Z' ? 0 : 1) * (hours * 60 + minutes);
	return true;
}

bool pdf_date_read(const char *text, struct xmp_date *ret_date)
{
	struct fields f = {.month = 1, .day = 1};
	int64_t century, year, *const parts[] = {&f.month, &f.day, &f.hour, &f.minute, &f.second};
	static const int64_t most[] = {12, 31, 23, 59, 59};
	const char *at = strncmp(text, "D:", 2) == 0 ? text + 2 : text;
	*ret_date = (struct xmp_date){0};
	if (!two(&at, 99, &century) || !two(&at, 99, &year))
		return false;
	f.year = century * 100 + year;
	for (size_t i = 0; i < sizeof most / sizeof *most && *at >= '0' && *at <= '9'; i++)
		if (!two(&at, most[i], parts[i]))
			return false;
	bool ok = pdf_zone(&at, &f) && *at == '\0';
	ret_date->ms = moment(&f);
	return ok;
}
