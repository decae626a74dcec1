/* The engine: rules by object, tallies, the order of the walk. */
#include "stages/pdfa/check.h"

#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"
#include "stages/pdfa/internal.h"

#define DOCUMENTS_DEEP 4 /* documents embedded in documents */
/* Each object that is looked at brings some 64 KiB of the file around it into memory. */
#define REST_EVERY 256
#define PAGE_EFFORT 16

struct tally {
	const struct rule *rule;
	uint64_t tried, broken;
	uint32_t number, page;
	char what[sizeof((struct pdfa_finding *)NULL)->what];
};

static const struct rule_table *const tables[] = {&file_rules,   &metadata_rules, &graphics_rules,
                                                  &output_rules, &font_rules,     &document_rules};

static const char *const object_words[] = {
#define OBJECT(token, words) words,
#include "stages/pdfa/objects.def"
#undef OBJECT
};

static const char *const flavour_names[] = {"none", "1a", "1b", "2a", "2b", "2u", "3a", "3b", "3u", "4"};

const char *pdfa_flavour_name(enum pdfa_flavour f)
{
	return f < PDFA_FLAVOURS ? flavour_names[f] : "none";
}

enum pdfa_flavour pdfa_flavour_of(const char *name)
{
	for (int f = PDFA_NONE; f < PDFA_FLAVOURS; f++)
		if (strcmp(name, flavour_names[f]) == 0)
			return (enum pdfa_flavour)f;
	return PDFA_FLAVOURS;
}

int pdfa_part(const struct check *c)
{
	return c->flavour == PDFA_NONE ? 0 : flavour_names[c->flavour][0] - '0';
}

char pdfa_level(const struct check *c)
{
	return c->flavour == PDFA_NONE || c->flavour == PDFA_4 ? ' ' : flavour_names[c->flavour][1];
}

static const char *rule_id(const struct check *c, const struct rule *r)
{
	int part = pdfa_part(c);
	return part == 1 ? r->id1 : part == 4 ? r->id4 : r->id23;
}

/* The rules of the flavour, those of an object side by side. */
static bool gather(struct check *c)
{
	size_t total = 0, n = 0;
	for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
		total += tables[t]->n;
	c->tallies = calloc(total + 1, sizeof *c->tallies);
	if (c->tallies == NULL)
		return false;
	for (int object = 0; object < O_COUNT; object++) {
		c->first[object] = n;
		for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
			for (size_t i = 0; i < tables[t]->n; i++) {
				const struct rule *r = &tables[t]->rules[i];
				if ((int)r->object == object && (r->flavours & 1u << c->flavour) != 0 && rule_id(c, r) != NULL)
					c->tallies[n++].rule = r;
			}
	}
	c->first[O_COUNT] = c->n_tallies = n;
	return true;
}

/* What a document calls a thing, fit to be shown: UTF-8 without controls. */
static void copy_what(char *to, size_t size, const char *what)
{
	size_t n = strnlen(what, size);
	if (n == size)
		for (n--; n > 0 && ((unsigned char)what[n] & 0xc0) == 0x80;)
			n--;
	bool valid = utf8_valid(what, n);
	for (size_t i = 0; i < n; i++) {
		unsigned char b = (unsigned char)what[i];
		to[i] = b < ' ' || b == 0x7f || (b > 0x7f && !valid) ? '?' : what[i];
	}
	to[n] = '\0';
}

void pdfa_show(struct check *c, enum object object, const void *facts, uint32_t number, const char *what)
{
	for (size_t i = c->first[object]; i < c->first[object + 1]; i++) {
		struct tally *t = &c->tallies[i];
		t->tried++;
		if (t->rule->holds(c, facts) || t->broken++ > 0)
			continue;
		t->number = number;
		t->page = c->page;
		copy_what(t->what, sizeof t->what, what == NULL ? "" : what);
	}
}

void pdfa_fail(struct check *c, const struct err *e)
{
	if (c->err.status == ST_OK)
		c->err = *e;
}

void pdfa_unread(struct check *c, const struct err *e)
{
	if (c->unread.status == ST_OK)
		c->unread = *e;
}

bool pdfa_ended(const struct check *c)
{
	return c->err.status != ST_OK;
}

void pdfa_rest(struct check *c, unsigned effort)
{
	pdfdoc_forget(c->doc);
	c->effort += effort;
	if (c->map == NULL || c->effort < REST_EVERY)
		return;
	file_map_rest(c->map);
	c->effort = 0;
}

bool seen_add(struct check *c, struct seen *s, uint32_t number)
{
	size_t at = number / 8;
	if (number == 0)
		return true;
	if (at >= s->n) {
		size_t n = s->n * 2 > at + 64 ? s->n * 2 : at + 64;
		uint8_t *bits = realloc(s->bits, n);
		struct err e;
		if (bits == NULL) {
			err_set(&e, ST_RETRY, "memory", "no memory for the objects of a PDF");
			pdfa_fail(c, &e);
			return false;
		}
		memset(bits + s->n, 0, n - s->n);
		s->bits = bits;
		s->n = n;
	}
	bool new = (s->bits[at] & 1u << number % 8) == 0;
	s->bits[at] |= (uint8_t)(1u << number % 8);
	return new;
}

bool seen_has(const struct seen *s, uint32_t number)
{
	return number / 8 < s->n && (s->bits[number / 8] & 1u << number % 8) != 0;
}

void seen_free(struct seen *s)
{
	free(s->bits);
	*s = (struct seen){0};
}

static void check_page(struct check *c, uint32_t number)
{
	const struct pdfobj *page = pdfdoc_object(c->doc, number);
	c->page++;
	output_page(c, page);
	graphics_page(c, page);
	document_page(c, page);
	fonts_page_end(c);
	graphics_page_end(c);
	pdfa_rest(c, PAGE_EFFORT);
}

static void check_pages(struct check *c)
{
	struct pdfpages *pages;
	struct err e;
	uint32_t number = 0;
	enum status st = pdfpages_new(c->doc, &pages, &e);
	while (st == ST_OK && !pdfa_ended(c) && (st = pdfpages_next(pages, &number, &e)) == ST_OK && number != 0)
		check_page(c, number);
	pdfpages_free(pages);
	if (st != ST_OK)
		pdfa_fail(c, &e);
	c->page = 0;
}

static void check_document(struct check *c)
{
	if (!document_open(c))
		return;
	file_check(c);
	/* What is encrypted says nothing more; no part of the standard allows it. */
	if (pdfdoc_encrypted(c->doc) || pdfa_ended(c))
		return;
	metadata_check(c);
	if (!output_open(c) || !graphics_open(c) || !fonts_open(c))
		return;
	document_begin(c);
	check_pages(c);
	if (!pdfa_ended(c))
		fonts_end(c);
	if (!pdfa_ended(c))
		document_end(c);
}

static void take_result(const struct check *c, struct pdfa_result *r)
{
	r->passes = r->fault.status == ST_OK;
	for (size_t i = 0; i < c->n_tallies; i++) {
		const struct tally *t = &c->tallies[i];
		struct pdfa_finding *f = &r->findings[i];
		*f = (struct pdfa_finding){.rule = rule_id(c, t->rule),
		                           .object = object_words[t->rule->object],
		                           .vi = t->rule->vi,
		                           .en = t->rule->en,
		                           .tried = t->tried,
		                           .broken = t->broken,
		                           .number = t->number,
		                           .page = t->page};
		memcpy(f->what, t->what, sizeof f->what);
		r->passes = r->passes && t->broken == 0;
	}
	r->n_findings = c->n_tallies;
}

static enum status no_memory(struct err *e)
{
	return err_set(e, ST_RETRY, "memory", "no memory for the rules of PDF/A");
}

static enum status check_opened(struct check *c, enum pdfa_flavour asked, struct pdfa_result *r, struct err *e)
{
	enum pdfa_flavour claimed = PDFA_NONE;
	if (!metadata_open(c, &claimed)) {
		*e = c->err;
		return e->status;
	}
	c->flavour = r->flavour = asked == PDFA_NONE ? claimed : asked;
	r->claimed = claimed != PDFA_NONE && claimed == r->flavour;
	if (r->flavour == PDFA_NONE)
		return ST_OK;
	if (!gather(c))
		return no_memory(e);
	check_document(c);
	r->fault = c->err.status != ST_OK ? c->err : c->unread;
	if (r->fault.status == ST_OK)
		pdfdoc_fault(c->doc, &r->fault);
	if (r->fault.status != ST_OK && r->fault.status != ST_ITEM) {
		*e = r->fault;
		return e->status;
	}
	r->findings = calloc(c->n_tallies + 1, sizeof *r->findings);
	if (r->findings == NULL)
		return no_memory(e);
	take_result(c, r);
	return ST_OK;
}

static enum status check_at(struct bytes in, const struct file_map *map, enum pdfa_flavour asked, unsigned depth,
                            struct pdfa_result *ret_result, struct err *e)
{
	struct pdfdoc *doc;
	*ret_result = (struct pdfa_result){0};
	enum status st = pdfdoc_open_lenient(in, &doc, e);
	if (st != ST_OK)
		return st;
	struct check c = {.doc = doc, .depth = depth, .map = map};
	st = check_opened(&c, asked, ret_result, e);
	document_close(&c);
	fonts_close(&c);
	graphics_close(&c);
	output_close(&c);
	metadata_close(&c);
	free(c.tallies);
	pdfdoc_close(doc);
	return st;
}

enum status pdfa_check(struct bytes in, enum pdfa_flavour asked, struct pdfa_result *ret_result, struct err *e)
{
	return check_at(in, NULL, asked, 0, ret_result, e);
}

enum status pdfa_check_file(const struct file_map *in, enum pdfa_flavour asked, struct pdfa_result *ret_result, struct err *e)
{
	return check_at(in->in, in, asked, 0, ret_result, e);
}

bool pdfa_embedded_passes(struct check *c, struct bytes in, const enum pdfa_flavour *allowed, size_t n_allowed)
{
	bool passes = false;
	for (size_t i = 0; i < n_allowed && !passes && c->depth < DOCUMENTS_DEEP && !pdfa_ended(c); i++) {
		struct pdfa_result r;
		struct err e;
		enum status st = check_at(in, NULL, allowed[i], c->depth + 1, &r, &e);
		if (st == ST_RETRY)
			pdfa_fail(c, &e);
		passes = st == ST_OK && r.passes;
		pdfa_result_free(&r);
	}
	return passes;
}

enum status pdfa_rules(enum pdfa_flavour flavour, struct pdfa_result *ret_result, struct err *e)
{
	struct check c = {.flavour = flavour};
	*ret_result = (struct pdfa_result){.flavour = flavour};
	if (!gather(&c))
		return no_memory(e);
	ret_result->findings = calloc(c.n_tallies + 1, sizeof *ret_result->findings);
	if (ret_result->findings != NULL)
		take_result(&c, ret_result);
	free(c.tallies);
	return ret_result->findings == NULL ? no_memory(e) : ST_OK;
}

void pdfa_result_free(struct pdfa_result *r)
{
	free(r->findings);
	*r = (struct pdfa_result){0};
}
