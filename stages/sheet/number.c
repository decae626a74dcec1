/* What a number in a cell looks like: by the format's code, whether it is a date. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "stages/sheet/internal.h"

/* The built-in formats whose code does not stand in the file (18.8.30); 27-36 and 50-58 are dates in East Asian Excels. */
static enum number_kind built_in(unsigned id)
{
	if (id == 22)
		return NUMBER_DATE_TIME;
	if (id == 17)
		return NUMBER_MONTH;
	if ((id >= 14 && id <= 16) || (id >= 27 && id <= 31) || id == 36 || (id >= 50 && id <= 54) || id == 57 || id == 58)
		return NUMBER_DATE;
	if ((id >= 18 && id <= 21) || (id >= 32 && id <= 35) || (id >= 45 && id <= 47) || id == 55 || id == 56)
		return NUMBER_TIME;
	return NUMBER_PLAIN;
}

enum number_kind number_kind(unsigned id, const char *code)
{
	bool year = false, month = false, day = false, hour = false;
	if (code == NULL)
		return built_in(id);
	for (; *code != 0 && *code != ';'; code++) {
		if (*code == '"') {
			code++;
			code += strcspn(code, "\"");
		} else if (*code == '[') {
			hour |= strchr("hHmMsS", code[1]) != NULL &&
			        code[1] != 0; /* [h]: hours that pass 24; else a colour or locale */
			code += strcspn(code, "]");
		} else if ((*code == '\\' || *code == '_' || *code == '*') && code[1] != 0) {
			code++;
		} else if (strncmp(code, "General", 7) == 0) {
			return NUMBER_PLAIN;
		} else {
			year |= *code == 'y' || *code == 'Y' || *code == 'e';
			month |= *code == 'm' || *code == 'M';
			day |= *code == 'd' || *code == 'D';
			hour |= *code == 'h' || *code == 'H' || *code == 's' || *code == 'S';
		}
		if (*code == 0)
			break;
	}
	if (day)
		return hour ? NUMBER_DATE_TIME : NUMBER_DATE;
	if (year)
		return month ? NUMBER_MONTH : NUMBER_YEAR;
	return hour ? NUMBER_TIME : month ? NUMBER_MONTH : NUMBER_PLAIN;
}

/* Days since 1970-01-01 as a date of the Gregorian calendar (Howard Hinnant's well-known way, from the rules of leap years: 146097
 * days in 400 years, years begin in March). */
static void civil(int64_t days, int *ret_year, unsigned *ret_month, unsigned *ret_day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097, of_era = days - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
	*ret_day = (unsigned)(of_year - (153 * month + 2) / 5 + 1);
	*ret_month = (unsigned)(month < 10 ? month + 3 : month - 9);
	*ret_year = (int)(year + era * 400 + (*ret_month <= 2));
}

static void show_plain(double value, char *to)
{
	if (value == floor(value) && fabs(value) < 1e15)
		snprintf(to, NUMBER_TEXT, "%.0f", value == 0 ? 0.0 : value);
	else
		snprintf(to, NUMBER_TEXT, "%.15g", value);
}

void number_show(double value, enum number_kind kind, bool epoch_1904, char ret_text[NUMBER_TEXT])
{
	int year;
	unsigned month, day;
	double whole = floor(value);
	if (kind == NUMBER_PLAIN || !(value >= 0) || value > 2958465) { /* 31/12/9999 */
		show_plain(value, ret_text);
		return;
	}
	unsigned minutes = (unsigned)floor((value - whole) * 1440 + 0.5);
	if (minutes == 1440) {
		minutes = 0;
		whole += 1;
	}
	/* In the epoch of 1900 day 60 is 29/02/1900, which never was (18.17.4.1). */
	int64_t days = (int64_t)whole + (epoch_1904 ? -24107 : whole < 60 ? -25568 : -25569);
	civil(days, &year, &month, &day);
	if (!epoch_1904 && (int64_t)whole == 60) {
		month = 2;
		day = 29;
	}
	if (kind == NUMBER_TIME && whole < 1)
		snprintf(ret_text, NUMBER_TEXT, "%02u:%02u", minutes / 60, minutes % 60);
	else if (kind == NUMBER_YEAR)
		snprintf(ret_text, NUMBER_TEXT, "%04d", year);
	else if (kind == NUMBER_MONTH)
		snprintf(ret_text, NUMBER_TEXT, "%02u/%04d", month, year);
	else if (kind == NUMBER_DATE || minutes == 0)
		snprintf(ret_text, NUMBER_TEXT, "%02u/%02u/%04d", day, month, year);
	else
		snprintf(ret_text, NUMBER_TEXT, "%02u/%02u/%04d %02u:%02u", day, month, year, minutes / 60, minutes % 60);
}
