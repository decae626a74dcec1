/* Operators and operands of content streams. */
#include "stages/pdf/content.h"

#include <stdlib.h>
#include <string.h>

#include "stages/pdf/internal.h"

#define OPERANDS_MAX 1024 /* what is beyond is dropped; no operator has more but for scn with its colorants */
#define DEPTH 32          /* of arrays and dictionaries in each other */

struct pdfcontent {
	struct pdflex lx;
	struct pdf_arena arena;
	struct err err; /* of one token */
	const struct pdfobj *operands[OPERANDS_MAX];
	size_t n;
	bool malformed;
};

enum status pdfcontent_open(const struct pdfdoc *d, struct bytes in, struct pdfcontent **ret_content, struct err *e)
{
	struct pdfcontent *c = calloc(1, sizeof *c);
	if (c == NULL)
		return pdf_no_memory(e);
	c->lx = (struct pdflex){.in = in, .base = PDF_NOWHERE, .doc = d, .arena = &c->arena, .e = &c->err};
	*ret_content = c;
	return ST_OK;
}

void pdfcontent_close(struct pdfcontent *c)
{
	if (c == NULL)
		return;
	pdflex_free(&c->lx);
	pdf_arena_free(&c->arena);
	free(c);
}

bool pdfcontent_malformed(const struct pdfcontent *c)
{
	return c->malformed;
}

static bool digit(uint8_t b)
{
	return b >= '0' && b <= '9';
}

static bool begins_object(uint8_t b)
{
	return b == '/' || b == '(' || b == '[' || b == '<' || b == '+' || b == '-' || b == '.' || digit(b);
}

static bool ends(uint8_t b)
{
	return pdf_is_space(b) || pdf_is_delimiter(b);
}

/* Steps over the first byte of what is malformed, and over what would be looked at again to its end for nothing: all that is left behind a
 * string's beginning, and the digits of a number. */
static void step_over(struct pdflex *lx)
{
	uint8_t first = lx->in.p[lx->at++];
	if (first == '(')
		lx->at = lx->in.n;
	while (digit(first) && lx->at < lx->in.n && digit(lx->in.p[lx->at]))
		lx->at++;
}

/* An operand, or nothing where it is malformed. */
static enum status operand(struct pdfcontent *c, const struct pdfobj **ret_object)
{
	size_t from = c->lx.at;
	*ret_object = NULL;
	c->lx.n_stack = 0;
	c->lx.depth = PDF_DEPTH - DEPTH;
	enum status st = pdflex_object(&c->lx, ret_object);
	if (st == ST_OK || st == ST_RETRY)
		return st;
	*ret_object = NULL;
	c->malformed = true;
	c->lx.at = from;
	step_over(&c->lx);
	return ST_OK;
}

static bool literal(struct pdfcontent *c, struct pdfcontent_operator *o)
{
	static const char *const words[] = {"true", "false", "null"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(o->name, words[i]) == 0) {
			struct pdfobj *made = pdf_arena_take(&c->arena, sizeof *made);
			if (made != NULL && c->n < OPERANDS_MAX) {
				*made =
				    (struct pdfobj){.doc = c->lx.doc, .at = PDF_NOWHERE, .kind = i == 2 ? PDF_NULL : PDF_BOOLEAN};
				made->u.boolean = i == 0;
				c->operands[c->n++] = made;
			}
			return true;
		}
	return false;
}

static void read_word(struct pdfcontent *c, struct pdfcontent_operator *o)
{
	size_t n = 0;
	for (; c->lx.at < c->lx.in.n && !ends(c->lx.in.p[c->lx.at]); c->lx.at++)
		if (n + 1 < sizeof o->name)
			o->name[n++] = (char)c->lx.in.p[c->lx.at];
	o->name[n] = '\0';
}

/* Whether EI at `at` ends an image: white space before and after, and text that could be content behind. */
static bool ends_image(struct bytes in, size_t at)
{
	if (at == 0 || !pdf_is_space(in.p[at - 1]) || in.p[at] != 'E' || in.p[at + 1] != 'I' ||
	    (at + 2 < in.n && !pdf_is_space(in.p[at + 2])))
		return false;
	for (size_t i = at + 2; i < in.n && i < at + 12; i++)
		if ((in.p[i] < ' ' && !pdf_is_space(in.p[i])) || in.p[i] > '~')
			return false;
	return true;
}

/* 8.9.7: keys and values up to ID, one white-space character, the data, EI. */
static enum status inline_image(struct pdfcontent *c, struct pdfcontent_operator *o)
{
	struct pdf_pair pairs[64];
	const struct pdfobj *key = NULL;
	size_t n = 0;
	for (;;) {
		pdflex_space(&c->lx);
		if (c->lx.at >= c->lx.in.n || pdflex_keyword(&c->lx, "ID"))
			break;
		const struct pdfobj *made;
		enum status st = operand(c, &made);
		if (st != ST_OK)
			return st;
		if (made == NULL || (key == NULL && made->kind != PDF_NAME))
			continue;
		if (key == NULL) {
			key = made;
			continue;
		}
		if (n < sizeof pairs / sizeof *pairs)
			pairs[n++] = (struct pdf_pair){key->u.name, made};
		key = NULL;
	}
	c->lx.at += c->lx.at < c->lx.in.n;
	size_t from = c->lx.at, at = from;
	while (at + 2 <= c->lx.in.n && !ends_image(c->lx.in, at))
		at++;
	bool ended = at + 2 <= c->lx.in.n;
	c->malformed = c->malformed || !ended;
	o->image_data = (struct bytes){c->lx.in.p + from, (ended ? at : c->lx.in.n) - from};
	c->lx.at = ended ? at + 2 : c->lx.in.n;
	struct pdfobj *dict = pdf_arena_take(&c->arena, sizeof *dict);
	/* Twice: a large dictionary has its pairs sorted behind them. */
	struct pdf_pair *kept = pdf_arena_take(&c->arena, 2 * sizeof pairs);
	if (dict == NULL || kept == NULL)
		return pdf_no_memory(&c->err);
	n = n > PDF_DICT_SMALL ? PDF_DICT_SMALL : n;
	memcpy(kept, pairs, n * sizeof *pairs);
	*dict = (struct pdfobj){.doc = c->lx.doc, .at = PDF_NOWHERE, .kind = PDF_DICT};
	dict->u.dict.pairs = kept;
	dict->u.dict.n = n;
	o->image = dict;
	return ST_OK;
}

bool pdfcontent_next(struct pdfcontent *c, struct pdfcontent_operator *o, struct err *e)
{
	enum status st = ST_OK;
	pdf_arena_reset(&c->arena);
	c->n = 0;
	*o = (struct pdfcontent_operator){.image = &pdf_null};
	for (;;) {
		pdflex_space(&c->lx);
		if (c->lx.at >= c->lx.in.n)
			return false;
		if (begins_object(c->lx.in.p[c->lx.at])) {
			const struct pdfobj *made;
			st = operand(c, &made);
			if (st != ST_OK)
				break;
			if (made != NULL && c->n < OPERANDS_MAX)
				c->operands[c->n++] = made;
			continue;
		}
		/* A bracket that closes nothing is an operator that nobody knows. */
		if (ends(c->lx.in.p[c->lx.at])) {
			c->malformed = true;
			o->name[0] = (char)c->lx.in.p[c->lx.at++];
			break;
		}
		read_word(c, o);
		if (literal(c, o))
			continue;
		st = strcmp(o->name, "BI") == 0 ? inline_image(c, o) : ST_OK;
		break;
	}
	o->operands = c->operands;
	o->n = c->n;
	if (st != ST_OK)
		*e = c->err;
	return st == ST_OK;
}
