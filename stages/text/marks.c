#include "stages/text/marks.h"

#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"

/* Combining marks of Latin letters. */
static bool combines(uint32_t c)
{
	return c >= 0x0300 && c <= 0x036F;
}

/* Capitals and small letters as far as Vietnamese and its neighbours have them, after decomposition. */
static bool capital(uint32_t c)
{
	return (c >= 'A' && c <= 'Z') || c == 0x0110;
}

static bool small(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || c == 0x0111;
}

/* The accents of a letter, as a set: the few that there are in Vietnamese, and all others as one. */
static unsigned accents(const char **at)
{
	static const uint32_t known[] = {0x0300, 0x0301, 0x0302, 0x0303, 0x0306, 0x0309, 0x031B, 0x0323};
	unsigned set = 0;
	for (const char *next = *at;; *at = next) {
		uint32_t c = utf8_next(&next);
		if (c == 0 || !combines(c))
			return set;
		unsigned bit = 1u << 31;
		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			bit = known[i] == c ? 1u << i : bit;
		set |= bit;
	}
}

/* Whether decomposed text is the word, with all of its accents or fewer; what is no letter at its ends does not count. */
static bool is_word(const char *text, const char *word, size_t n)
{
	const char *end = word + n, *probe = text;
	for (uint32_t c; (c = utf8_next(&probe)) != 0 && !capital(c) && !small(c);)
		text = probe;
	while (word < end) {
		if (utf8_next(&text) != utf8_next(&word))
			return false;
		if ((accents(&text) & ~accents(&word)) != 0)
			return false;
	}
	for (uint32_t c; (c = utf8_next(&text)) != 0;)
		if (capital(c) || small(c) || (c >= '0' && c <= '9'))
			return false;
	return true;
}

/* At least two letters, all of them capitals. */
static bool shouts(const char *text)
{
	size_t letters = 0;
	for (uint32_t c; (c = utf8_next(&text)) != 0;) {
		if (small(c) || (c >= '0' && c <= '9'))
			return false;
		letters += capital(c);
	}
	return letters >= 2;
}

struct decomposed {
	const struct ocr_page *page;
	char **text; /* of each word */
};

/* Whether a title goes on from one word to the next. */
static bool goes_on(const struct decomposed *d, size_t left, size_t right, bool outer_left)
{
	const struct ocr_word *a = &d->page->words[left], *b = &d->page->words[right];
	int high = a->bottom - a->top > b->bottom - b->top ? a->bottom - a->top : b->bottom - b->top;
	return a->line == b->line && b->left - a->right < high && shouts(d->text[outer_left ? left : right]);
}

/* How many words of the page from i on are the mark; 0: they are not. */
static size_t length_of(const struct decomposed *d, size_t i, const char *mark)
{
	size_t n = 0;
	for (const char *at = mark; *at != '\0'; n++) {
		size_t part = strcspn(at, " ");
		if (i + n >= d->page->n || d->page->words[i + n].line != d->page->words[i].line ||
		    !is_word(d->text[i + n], at, part))
			return 0;
		at += part;
		at += strspn(at, " ");
	}
	return n;
}

static bool stands_alone(const struct decomposed *d, size_t i, const char *mark)
{
	size_t n = length_of(d, i, mark);
	return n > 0 && (i == 0 || !goes_on(d, i - 1, i, true)) && (i + n == d->page->n || !goes_on(d, i + n - 1, i + n, false));
}

bool marks_found(const struct ocr_page *page, char *const *marks, size_t n, bool *ret_memory)
{
	struct decomposed d = {page, calloc(page->n + 1, sizeof *d.text)};
	bool found = false, memory = d.text != NULL;
	for (size_t i = 0; memory && i < page->n; i++)
		memory = (d.text[i] = utf8_nfd(page->words[i].text)) != NULL;
	for (size_t k = 0; memory && k < n && !found; k++) {
		char *mark = utf8_nfd(marks[k]);
		memory = mark != NULL;
		for (size_t i = 0; memory && i < page->n && !found; i++)
			found = stands_alone(&d, i, mark);
		free(mark);
	}
	for (size_t i = 0; d.text != NULL && i < page->n; i++)
		free(d.text[i]);
	free(d.text);
	*ret_memory = !memory;
	return found;
}
