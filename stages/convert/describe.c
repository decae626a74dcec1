#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "stages/convert/internal.h"

/* The first field that has a value. */
static const char *first_field(const json_t *fields, const char *const *names)
{
	for (; *names != NULL; names++) {
		const char *value = item_field(fields, *names);
		if (value != NULL && *value != '\0')
			return value;
	}
	return NULL;
}

static unsigned days_in(int64_t month, int64_t year)
{
	static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap);
}

bool describe_date(const char *text, int offset_min, char ret_time[TIME_TEXT])
{
	int year = 0, month = 1, day = 1, end = 0;
	size_t n = strlen(text);
	if (n > 10 || strspn(text, "0123456789/-") != n)
		return false;
	bool read = (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &end) == 3 && end == (int)n) ||
	            (sscanf(text, "%2d/%2d/%4d%n", &day, &month, &year, &end) == 3 && end == (int)n) ||
	            (day = 1, sscanf(text, "%2d/%4d%n", &month, &year, &end) == 2 && end == (int)n) ||
	            (month = 1, sscanf(text, "%4d%n", &year, &end) == 1 && end == (int)n);
	if (!read || year < 1000 || month < 1 || month > 12 || day < 1 || (unsigned)day > days_in(month, year))
		return false;
	int offset = offset_min < 0 ? -offset_min : offset_min;
	snprintf(ret_time, TIME_TEXT, "%04d-%02d-%02dT00:00:00%c%02d:%02d", year, month, day, offset_min < 0 ? '-' : '+',
	         offset / 60 % 24, offset % 60);
	return true;
}

/* The first word of a list: a code, a tag or one of Tesseract's languages. */
static bool begins_with(const char *list, const char *word)
{
	size_t n = list == NULL ? 0 : strspn(list, "0123456789abcdefghijklmnopqrstuvwxyz");
	return n > 0 && n == strlen(word) && strncmp(list, word, n) == 0;
}

const char *describe_language(const struct profile_convert *p, const char *field)
{
	/* Tesseract's names (ISO 639-2) and the tags of RFC 3066. */
	static const char *const names[][2] = {{"vie", "vi"}, {"eng", "en"}, {"fra", "fr"}, {"rus", "ru"}, {"chi", "zh"}};
	for (unsigned i = 0; i < p->languages_count; i++) {
		const struct profile_language *l = &p->languages[i];
		if (begins_with(field, l->code) || (field != NULL && strcmp(field, l->tag) == 0))
			return l->tag;
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (begins_with(p->ocr, names[i][0]))
			return names[i][1];
	}
	return NULL;
}

/* The newest modification time of the sources, to the second. */
static enum status newest(const struct item *it, int64_t *ret_ms, struct err *e)
{
	*ret_ms = INT64_MIN;
	for (size_t i = 0; i < it->n_sources; i++) {
		struct stat st;
		if (stat(it->sources[i].path, &st) != 0)
			return err_errno(e, "open", it->sources[i].path);
		int64_t ms = (int64_t)st.st_mtim.tv_sec * 1000;
		if (ms > *ret_ms)
			*ret_ms = ms;
	}
	return ST_OK;
}

static enum status date_of(const struct convert *c, const struct item *it, char ret_created[TIME_TEXT], struct err *e)
{
	int offset = c->env->profile->sign.appearance.time_offset_min;
	static const char *const own[] = {"issuedDate", "photoTime", NULL}, *const dossier[] = {"endDate", "startDate", NULL};
	const struct {
		const json_t *fields;
		const char *const *names;
	} places[] = {{it->description, own}, {it->dossier_description, dossier}};
	for (size_t k = 0; k < 2; k++) {
		for (const char *const *name = places[k].names; *name != NULL; name++) {
			const char *value = item_field(places[k].fields, *name);
			if (value != NULL && describe_date(value, offset, ret_created))
				return ST_OK;
		}
	}
	int64_t ms;
	enum status st = newest(it, &ms, e);
	if (st == ST_OK)
		time_iso8601(ms, offset, false, ret_created);
	return st;
}

enum status describe(const struct convert *c, const struct item *it, struct describe_storage *storage,
                     struct pdfmake_meta *ret_meta, struct err *e)
{
	static const char *const title[] = {"subject", "imageTitle", "eventName", "title", NULL};
	static const char *const author[] = {"organName", "photographer", NULL};
	static const char *const subject[] = {"description", NULL}, *const keywords[] = {"keyword", NULL};
	static const char *const identifier[] = {"docCode", NULL}, *const language[] = {"language", NULL};
	const char *tag = first_field(it->description, language);
	*ret_meta = (struct pdfmake_meta){
	    .title = first_field(it->description, title),
	    .author = first_field(it->description, author),
	    .subject = first_field(it->description, subject),
	    .keywords = first_field(it->description, keywords),
	    .language =
	        describe_language(&c->env->profile->convert, tag != NULL ? tag : first_field(it->dossier_description, language)),
	    .identifier = first_field(it->description, identifier),
	    .created = storage->created,
	    .part = 2,
	    .conformance = 'B',
	};
	if (ret_meta->title == NULL)
		ret_meta->title = it->name;
	if (ret_meta->identifier == NULL)
		ret_meta->identifier = it->id;
	return date_of(c, it, storage->created, e);
}
