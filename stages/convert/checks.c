/* The checks of the profile: what is found on the pages becomes events, or sets the document aside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/convert/internal.h"
#include "stages/text/marks.h"

/* Pages of so many words are compared by them, others by their looks. */
enum { TOLD_BY_WORDS = 30 };
#define SAME_WORDS 0.9
#define SAME_LOOK 0.985

/* A page that was met, for the search of doubles. */
struct met {
	struct picture_look look;
	uint64_t *words; /* hashes, sorted */
	size_t n;
	bool blank;
};

static uint64_t hash(const char *text)
{
	uint64_t h = UINT64_C(0xCBF29CE484222325);
	for (; *text != '\0'; text++)
		h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001B3);
	return h;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* The share of words that two pages have in common. */
static double same_words(const struct met *a, const struct met *b)
{
	size_t common = 0;
	for (size_t i = 0, k = 0; i < a->n && k < b->n;) {
		if (a->words[i] == b->words[k]) {
			common++;
			i++;
			k++;
		} else if (a->words[i] < b->words[k]) {
			i++;
		} else {
			k++;
		}
	}
	return 2.0 * (double)common / (double)(a->n + b->n);
}

static bool is_double(const struct met *a, const struct met *b)
{
	if (a->blank || b->blank)
		return false;
	if (a->n >= TOLD_BY_WORDS && b->n >= TOLD_BY_WORDS)
		return same_words(a, b) >= SAME_WORDS;
	return a->n < TOLD_BY_WORDS && b->n < TOLD_BY_WORDS && picture_likeness(&a->look, &b->look) >= SAME_LOOK;
}

static enum status no_memory(struct err *e)
{
	return err_set(e, ST_RETRY, "memory", "no memory for a document");
}

static enum status look_for_double(struct job *j, const struct part_page *page, const struct ocr_page *words, struct err *e)
{
	if ((j->n_met & (j->n_met - 1)) == 0) {
		struct met *more = realloc(j->met, (j->n_met == 0 ? 1 : 2 * j->n_met) * sizeof *more);
		if (more == NULL)
			return no_memory(e);
		j->met = more;
	}
	size_t n = words == NULL ? 0 : words->n;
	struct met m = {page->look, malloc((n + 1) * sizeof *m.words), n, page->look.blank && n == 0};
	if (m.words == NULL)
		return no_memory(e);
	for (size_t i = 0; i < n; i++)
		m.words[i] = hash(words->words[i].text);
	qsort(m.words, n, sizeof *m.words, by_value);
	/* A page is scanned twice in a row, or a whole document is: the pages around and all before. */
	for (size_t i = j->n_met; i > 0; i--) {
		if (is_double(&j->met[i - 1], &m)) {
			page_list_add(&j->notes[NOTE_DOUBLE], j->n + 1);
			break;
		}
	}
	j->met[j->n_met++] = m;
	return ST_OK;
}

void checks_free(struct job *j)
{
	for (size_t i = 0; i < j->n_met; i++)
		free(j->met[i].words);
	free(j->met);
}

/* Whether a person has looked at the document and accepted what the check found (arkseal retry --accept). */
static bool accepted(const struct item *it, const char *code)
{
	size_t i;
	json_t *one;
	json_array_foreach (json_object_get(it->other, "accepted"), i, one) {
		if (json_is_string(one) && strcmp(json_string_value(one), code) == 0)
			return true;
	}
	return false;
}

enum status check_secrecy(const struct convert *c, const struct item *it, const struct ocr_page *words, struct err *e)
{
	const struct profile_convert *p = &c->env->profile->convert;
	static const char held[] = "secret-mark-held";
	bool memory = false, hold = strcmp(p->secret, "hold") == 0;
	if (p->secret_marks_count == 0 || words == NULL || (hold && accepted(it, held)))
		return ST_OK;
	if (!marks_found(words, p->secret_marks, p->secret_marks_count, &memory))
		return memory ? no_memory(e) : ST_OK;
	/* Neither the words nor where they stand are told. */
	err_set(e, ST_ITEM, hold ? held : "secret-mark", "a mark of secrecy stands on the document");
	err_arg(e, "%s", p->secret_article);
	return ST_ITEM;
}

enum status check_page(struct job *j, const struct part_page *page, const struct ocr_page *words, struct err *e)
{
	const struct profile_checks *checks = &j->c->env->profile->convert.checks;
	enum status st = check_secrecy(j->c, j->it, words, e);
	if (st != ST_OK)
		return st;
	if (page->unread)
		page_list_add(&j->notes[NOTE_UNREAD], j->n + 1);
	if (page->turned > 0 && check_wanted(checks->turned_page))
		page_list_add(&j->notes[NOTE_TURNED], j->n + 1);
	if (page->looked && page->look.blank && (words == NULL || words->n == 0) && check_wanted(checks->blank_page))
		page_list_add(&j->notes[NOTE_BLANK], j->n + 1);
	return page->looked && check_wanted(checks->double_page) ? look_for_double(j, page, words, e) : ST_OK;
}

enum status check_found(const struct item *it, const char *check, const char *action, const char *what, struct err *e)
{
	char code[sizeof e->code];
	bool hold = strcmp(action, "hold") == 0;
	snprintf(code, sizeof code, "%s%s", check, hold ? "-held" : "");
	if ((!hold && strcmp(action, "quarantine") != 0) || (hold && accepted(it, code)))
		return ST_OK;
	err_set(e, ST_ITEM, code, "%s", what);
	err_arg(e, "%s", what);
	return ST_ITEM;
}

struct rule {
	const char *code;   /* of a notice, with "-held" behind it where a person may accept it */
	const char *action; /* of the profile */
};

enum status check_document(struct job *j, struct err *e)
{
	const struct profile_checks *checks = &j->c->env->profile->convert.checks;
	const struct rule rules[NOTES] = {
	    [NOTE_NO_DPI] = {"check-no-dpi", checks->no_dpi},
	    [NOTE_LOW_DPI] = {"check-low-dpi", checks->low_dpi},
	    [NOTE_COLOUR] = {"check-low-colour", checks->low_colour},
	    [NOTE_BLANK] = {"check-blank-page", checks->blank_page},
	    [NOTE_DOUBLE] = {"check-double-page", checks->double_page},
	    [NOTE_TURNED] = {"check-turned-page", checks->turned_page},
	    [NOTE_SIZE] = {"check-paper-size", checks->paper_size},
	};
	for (size_t i = 0; i < NOTES; i++) {
		const char *pages = page_list_text(&j->notes[i]);
		if (*pages != '\0' && rules[i].code != NULL &&
		    check_found(j->it, rules[i].code, rules[i].action, pages, e) != ST_OK)
			return ST_ITEM;
	}
	return ST_OK;
}
