/*
 * docs/pdfa-rules.md lists every rule of the checker of PDF/A.
 *
 *   pdfa_rules_doc           the test: the tables there are those that the program has
 *   pdfa_rules_doc --write   puts them there
 *
 * Between the two marks everything is made here; what stands around them is written by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/base/file.h"
#include "stages/pdfa/check.h"

#define DOCUMENT "docs/pdfa-rules.md"
#define BEGIN "<!-- begin: made by pdfa_rules_doc -->\n"
#define END "<!-- end -->\n"
#define ROWS_MAX 2048

/* A rule as it stands in one part of the standard. */
struct row {
	const struct pdfa_finding *f;
	unsigned flavours;
};

/* Parts 2 and 3 share their numbers. The last column: how many rules veraPDF 1.30 has for the flavour. */
static const struct {
	const char *title;
	enum pdfa_flavour first, last;
} parts[] = {
    {"ISO 19005-1 (PDF/A-1)", PDFA_1A, PDFA_1B},
    {"ISO 19005-2 and 19005-3 (PDF/A-2 and PDF/A-3)", PDFA_2A, PDFA_3U},
    {"ISO 19005-4 (PDF/A-4)", PDFA_4, PDFA_4},
};
static const unsigned peers[PDFA_FLAVOURS] = {[PDFA_1A] = 135, [PDFA_1B] = 129, [PDFA_2A] = 153, [PDFA_2B] = 144, [PDFA_2U] = 146,
                                              [PDFA_3A] = 155, [PDFA_3B] = 146, [PDFA_3U] = 148, [PDFA_4] = 109};

static struct pdfa_result rules[PDFA_FLAVOURS];

static int by_clause(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = strverscmp(x->f->rule, y->f->rule);
	return order != 0 ? order : strcmp(x->f->object, y->f->object);
}

static size_t gather(enum pdfa_flavour first, enum pdfa_flavour last, struct row *rows)
{
	size_t n = 0;
	for (enum pdfa_flavour v = first; v <= last; v++)
		for (size_t i = 0; i < rules[v].n_findings; i++) {
			const struct pdfa_finding *f = &rules[v].findings[i];
			size_t k = 0;
			while (k < n && (strcmp(rows[k].f->rule, f->rule) != 0 || rows[k].f->object != f->object ||
			                 rows[k].f->en != f->en))
				k++;
			if (k == n)
				rows[n++] = (struct row){f, 0};
			assert_true(n < ROWS_MAX);
			rows[k].flavours |= 1u << v;
		}
	qsort(rows, n, sizeof *rows, by_clause);
	return n;
}

/* A rule that looks at several kinds of object counts once. */
static size_t count(enum pdfa_flavour v)
{
	static struct row rows[ROWS_MAX];
	size_t n = gather(v, v, rows), different = n > 0;
	for (size_t i = 1; i < n; i++)
		different += strcmp(rows[i].f->rule, rows[i - 1].f->rule) != 0;
	return different;
}

static void put_text(struct buf *to, const char *text)
{
	for (; *text != '\0'; text++) {
		if (strchr("|<>*_", *text) != NULL)
			buf_byte(to, '\\');
		buf_byte(to, (uint8_t)*text);
	}
}

static void put_part(struct buf *to, size_t part)
{
	static struct row rows[ROWS_MAX];
	size_t n = gather(parts[part].first, parts[part].last, rows);
	buf_format(to,
	           "\n## %s\n\n| rule | flavours | looks at | state | what is said where it is broken |\n|---|---|---|---|---|\n",
	           parts[part].title);
	for (size_t i = 0; i < n; i++) {
		buf_format(to, "| %s |", rows[i].f->rule);
		for (enum pdfa_flavour v = parts[part].first; v <= parts[part].last; v++)
			if ((rows[i].flavours & 1u << v) != 0)
				buf_format(to, " %s", pdfa_flavour_name(v));
		buf_format(to, " | %s | done | ", rows[i].f->object);
		put_text(to, rows[i].f->en);
		buf_format(to, " |\n");
	}
}

static void make(struct buf *to)
{
	buf_format(to, "| flavour | rules | veraPDF 1.30 has |\n|---|---|---|\n");
	for (enum pdfa_flavour v = PDFA_1A; v < PDFA_FLAVOURS; v++)
		buf_format(to, "| %s | %zu | %u |\n", pdfa_flavour_name(v), count(v), peers[v]);
	for (size_t part = 0; part < sizeof parts / sizeof *parts; part++)
		put_part(to, part);
}

/* The document with its made part anew. */
static void renew(const struct buf *old, struct buf *ret_new)
{
	const char *text = (const char *)old->data, *begin = strstr(text, BEGIN), *end = strstr(text, END);
	if (begin == NULL || end == NULL)
		fail_msg("%s lacks its marks", DOCUMENT);
	begin += strlen(BEGIN);
	buf_add(ret_new, text, (size_t)(begin - text));
	make(ret_new);
	buf_add(ret_new, end, strlen(end));
}

static void read_document(struct buf *to)
{
	struct err e;
	assert_int_equal(file_read(DOCUMENT, to, &e), ST_OK);
	buf_byte(to, '\0');
}

static void test_document(void **state)
{
	(void)state;
	BUF_AUTO struct buf old = BUF_INIT(1 << 20), new = BUF_INIT(1 << 20);
	read_document(&old);
	renew(&old, &new);
	if (new.len != old.len - 1 || memcmp(new.data, old.data, new.len) != 0)
		fail_msg("%s is not what the tables of rules say; run: pdfa_rules_doc --write", DOCUMENT);
}

/* Every rule speaks both languages and bears a clause and a test. */
static void test_texts(void **state)
{
	(void)state;
	for (enum pdfa_flavour v = PDFA_1A; v < PDFA_FLAVOURS; v++)
		for (size_t i = 0; i < rules[v].n_findings; i++) {
			const struct pdfa_finding *f = &rules[v].findings[i];
			size_t clause = strspn(f->rule, "0123456789.");
			if (clause == 0 || f->rule[clause] != '-' ||
			    f->rule[clause + 1 + strspn(f->rule + clause + 1, "0123456789")] != '\0')
				fail_msg("%s is no clause with a test", f->rule);
			if (*f->en == '\0' || *f->vi == '\0' || strcmp(f->en, f->vi) == 0)
				fail_msg("%s has no message in one of the languages", f->rule);
		}
}

static int write_document(void **state)
{
	(void)state;
	struct err e;
	BUF_AUTO struct buf old = BUF_INIT(1 << 20), new = BUF_INIT(1 << 20);
	read_document(&old);
	renew(&old, &new);
	assert_int_equal(file_write(DOCUMENT, new.data, new.len, &e), ST_OK);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_document), cmocka_unit_test(test_texts)};
	struct err e;
	for (enum pdfa_flavour v = PDFA_1A; v < PDFA_FLAVOURS; v++)
		if (pdfa_rules(v, &rules[v], &e) != ST_OK)
			return 2;
	bool writes = argc == 2 && strcmp(argv[1], "--write") == 0;
	int failed = cmocka_run_group_tests(tests, writes ? write_document : NULL, NULL);
	for (enum pdfa_flavour v = PDFA_1A; v < PDFA_FLAVOURS; v++)
		pdfa_result_free(&rules[v]);
	return failed;
}
