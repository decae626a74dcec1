/* Tokens and objects (ISO 32000-1, 7.2 and 7.3). */
#include <stdlib.h>
#include <string.h>

#include "stages/pdf/internal.h"

struct pdf_chunk {
	struct pdf_chunk *next;
	size_t size;
	_Alignas(16) uint8_t data[];
};

void *pdf_arena_take(struct pdf_arena *a, size_t n)
{
	if (n > PDF_ARENA_MAX)
		return NULL;
	n = (n + 15) & ~(size_t)15;
	if (a->chunks == NULL || n > a->chunks->size - a->used) {
		/* Chunks grow with the document, so that a small one stays small. */
		size_t size = a->total < 4096 ? 4096 : a->total > 1 << 20 ? 1 << 20 : a->total;
		size = n > size ? n : size;
		if (size > PDF_ARENA_MAX - a->total)
			return NULL;
		struct pdf_chunk *c = malloc(sizeof *c + size);
		if (c == NULL)
			return NULL;
		c->next = a->chunks;
		c->size = size;
		a->chunks = c;
		a->used = 0;
		a->total += size;
	}
	void *p = a->chunks->data + a->used;
	a->used += n;
	return p;
}

void pdf_arena_reset(struct pdf_arena *a)
{
	if (a->chunks != NULL && a->chunks->next == NULL && a->chunks->size <= 1 << 16)
		a->used = 0;
	else
		pdf_arena_free(a);
}

void pdf_arena_free(struct pdf_arena *a)
{
	while (a->chunks != NULL) {
		struct pdf_chunk *next = a->chunks->next;
		free(a->chunks);
		a->chunks = next;
	}
	*a = (struct pdf_arena){0};
}

enum status pdf_no_memory(struct err *e)
{
	return err_set(e, ST_RETRY, "memory", "no memory for a PDF");
}

void pdflex_free(struct pdflex *lx)
{
	free(lx->stack);
	lx->stack = NULL;
	lx->n_stack = lx->cap_stack = 0;
}

enum status pdflex_fail(struct pdflex *lx, const char *code, const char *what)
{
	err_set(lx->e, ST_ITEM, code, "%s", what);
	if (lx->base != PDF_NOWHERE) {
		err_where(lx->e, "byte %llu", (unsigned long long)(lx->base + lx->at));
		err_arg(lx->e, "byte %llu", (unsigned long long)(lx->base + lx->at));
	} else {
		err_where(lx->e, "object %u, byte %zu of the object stream", lx->number, lx->at);
		err_arg(lx->e, "object %u", lx->number);
	}
	return ST_ITEM;
}

static enum status no_room(struct pdflex *lx)
{
	if (lx->arena->total > PDF_ARENA_MAX / 2)
		return pdflex_fail(lx, "pdf-limit", "the objects take more memory than allowed");
	return pdf_no_memory(lx->e);
}

bool pdf_is_space(uint8_t c)
{
	return c == 0 || c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == ' ';
}

bool pdf_is_delimiter(uint8_t c)
{
	return c != 0 && strchr("()<>[]{}/%", c) != NULL;
}

/* The byte at `at`, or a space at the end. */
static uint8_t peek(const struct pdflex *lx, size_t ahead)
{
	return ahead < lx->in.n - lx->at ? lx->in.p[lx->at + ahead] : ' ';
}

static bool at_end(const struct pdflex *lx)
{
	return lx->at >= lx->in.n;
}

static bool ends_token(uint8_t c)
{
	return pdf_is_space(c) || pdf_is_delimiter(c);
}

void pdflex_space(struct pdflex *lx)
{
	while (!at_end(lx)) {
		uint8_t c = lx->in.p[lx->at];
		if (c == '%')
			while (!at_end(lx) && lx->in.p[lx->at] != '\r' && lx->in.p[lx->at] != '\n')
				lx->at++;
		else if (pdf_is_space(c))
			lx->at++;
		else
			return;
	}
}

bool pdflex_keyword(struct pdflex *lx, const char *word)
{
	size_t n = strlen(word);
	if (n > lx->in.n - lx->at || memcmp(lx->in.p + lx->at, word, n) != 0 || !ends_token(peek(lx, n)))
		return false;
	lx->at += n;
	return true;
}

bool pdflex_unsigned(struct pdflex *lx, uint64_t max, uint64_t *ret_number)
{
	size_t at = lx->at;
	uint64_t v = 0;
	for (; at < lx->in.n && lx->in.p[at] >= '0' && lx->in.p[at] <= '9'; at++) {
		unsigned digit = (unsigned)(lx->in.p[at] - '0');
		if (v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (at == lx->at || v > max || (at < lx->in.n && !ends_token(lx->in.p[at])))
		return false;
	lx->at = at;
	*ret_number = v;
	return true;
}

static bool lenient(const struct pdflex *lx)
{
	return lx->doc != NULL && lx->doc->lenient;
}

static struct pdfobj *new_object(struct pdflex *lx, enum pdfobj_kind kind, size_t from)
{
	struct pdfobj *o = pdf_arena_take(lx->arena, sizeof *o);
	if (o == NULL)
		return NULL;
	size_t length = lx->at - from;
	*o = (struct pdfobj){.doc = lx->doc,
	                     .at = lx->base == PDF_NOWHERE ? PDF_NOWHERE : lx->base + from,
	                     .length = length > UINT32_MAX ? UINT32_MAX : (uint32_t)length,
	                     .number = lx->number,
	                     .kind = kind};
	return o;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum status hex_string(struct pdflex *lx, const struct pdfobj **ret_object)
{
	size_t from = lx->at++;
	size_t end = lx->unended != 0 && lx->at >= lx->unended ? lx->in.n : lx->at;
	while (end < lx->in.n && lx->in.p[end] != '>' &&
	       (lenient(lx) || hex_digit(lx->in.p[end]) >= 0 || pdf_is_space(lx->in.p[end])))
		end++;
	if (end == lx->in.n) {
		lx->unended = lx->at;
		return pdflex_fail(lx, "pdf-syntax", "a hexadecimal string does not end");
	}
	if (lx->in.p[end] != '>')
		return pdflex_fail(lx, "pdf-syntax", "a hexadecimal string has a byte that is no digit");
	uint8_t *to = pdf_arena_take(lx->arena, (end - lx->at + 1) / 2 + 1);
	if (to == NULL)
		return no_room(lx);
	size_t digits = 0, wrong = 0;
	for (; lx->at < end; lx->at++) {
		uint8_t c = lx->in.p[lx->at];
		int v = hex_digit(c);
		if (v < 0 && pdf_is_space(c))
			continue;
		if (v < 0) {
			wrong++;
			continue;
		}
		if (digits % 2 == 0)
			to[digits / 2] = (uint8_t)(v << 4);
		else
			to[digits / 2] |= (uint8_t)v;
		digits++;
	}
	lx->at++;
	struct pdfobj *o = new_object(lx, PDF_STRING, from);
	if (o == NULL)
		return no_room(lx);
	o->u.string = (struct bytes){to, (digits + 1) / 2};
	o->form = (uint8_t)(PDF_FORM_HEX | ((digits + wrong) % 2 != 0 ? PDF_FORM_ODD : 0) | (wrong > 0 ? PDF_FORM_NO_HEX : 0));
	*ret_object = o;
	return ST_OK;
}

/* One escape of a literal string, after the backslash. Returns the byte, or -1 for none. */
static int escape(struct pdflex *lx)
{
	uint8_t c = lx->in.p[lx->at++];
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case '\r':
		if (peek(lx, 0) == '\n')
			lx->at++;
		return -1;
	case '\n':
		return -1;
	default:
		break;
	}
	if (c < '0' || c > '7')
		return c;
	unsigned v = (unsigned)(c - '0');
	for (int i = 0; i < 2 && !at_end(lx) && peek(lx, 0) >= '0' && peek(lx, 0) <= '7'; i++)
		v = v * 8 + (unsigned)(lx->in.p[lx->at++] - '0');
	return (int)(v & 0xff);
}

static enum status literal_string(struct pdflex *lx, const struct pdfobj **ret_object)
{
	size_t from = lx->at++, end = lx->at, open = 1;
	for (; end < lx->in.n; end++) {
		uint8_t c = lx->in.p[end];
		if (c == '\\')
			end++;
		else if (c == '(')
			open++;
		else if (c == ')' && --open == 0)
			break;
	}
	if (end >= lx->in.n)
		return pdflex_fail(lx, "pdf-syntax", "a string does not end");
	uint8_t *to = pdf_arena_take(lx->arena, end - lx->at + 1);
	if (to == NULL)
		return no_room(lx);
	size_t n = 0;
	while (lx->at < end) {
		int c = lx->in.p[lx->at++];
		if (c == '\\') {
			c = escape(lx);
		} else if (c == '\r') {
			/* Any end-of-line in a string is a line feed (7.3.4.2). */
			if (peek(lx, 0) == '\n')
				lx->at++;
			c = '\n';
		}
		if (c >= 0)
			to[n++] = (uint8_t)c;
	}
	lx->at = end + 1;
	struct pdfobj *o = new_object(lx, PDF_STRING, from);
	if (o == NULL)
		return no_room(lx);
	o->u.string = (struct bytes){to, n};
	*ret_object = o;
	return ST_OK;
}

static enum status name(struct pdflex *lx, const struct pdfobj **ret_object)
{
	size_t from = lx->at++, end = lx->at;
	while (end < lx->in.n && !ends_token(lx->in.p[end]))
		end++;
	char *to = pdf_arena_take(lx->arena, end - lx->at + 1);
	if (to == NULL)
		return no_room(lx);
	size_t n = 0;
	while (lx->at < end) {
		uint8_t c = lx->in.p[lx->at++];
		if (c == '#') {
			int high = end - lx->at >= 2 ? hex_digit(lx->in.p[lx->at]) : -1;
			int low = end - lx->at >= 2 ? hex_digit(lx->in.p[lx->at + 1]) : -1;
			bool right = high >= 0 && low >= 0 && high + low != 0;
			if (!right && !lenient(lx))
				return pdflex_fail(lx, "pdf-syntax", "a name has a wrong #-sequence");
			if (right) {
				c = (uint8_t)(high << 4 | low);
				lx->at += 2;
			}
		}
		to[n++] = (char)c;
	}
	to[n] = '\0';
	struct pdfobj *o = new_object(lx, PDF_NAME, from);
	if (o == NULL)
		return no_room(lx);
	o->u.name = to;
	*ret_object = o;
	return ST_OK;
}

/* The fraction of a real; exact enough: PDF numbers have few digits, and printing uses the source. */
static double real_value(const uint8_t *p, size_t n)
{
	double v = 0, scale = 1;
	bool negative = n > 0 && *p == '-', fraction = false;
	for (size_t i = n > 0 && (*p == '-' || *p == '+'); i < n; i++) {
		if (p[i] == '.') {
			fraction = true;
			continue;
		}
		/* Digits that far behind the point change nothing. */
		if (fraction && scale >= 1e300)
			break;
		v = v * 10 + (p[i] - '0');
		if (fraction)
			scale *= 10;
	}
	v /= scale;
	return negative ? -v : v;
}

static enum status number(struct pdflex *lx, const struct pdfobj **ret_object)
{
	size_t from = lx->at, digits = 0, dots = 0, at = lx->at;
	bool negative = lx->in.p[at] == '-', overflow = false;
	uint64_t v = 0;
	at += negative || lx->in.p[at] == '+';
	for (; at < lx->in.n && !ends_token(lx->in.p[at]); at++) {
		uint8_t c = lx->in.p[at];
		if (c == '.') {
			if (++dots > 1)
				break;
			continue;
		}
		if ((c < '0' || c > '9') && lenient(lx) && digits > 0)
			break;
		if (c < '0' || c > '9')
			return pdflex_fail(lx, "pdf-syntax", "a number has a byte that is no digit");
		unsigned digit = (unsigned)(c - '0');
		overflow = overflow || v > ((uint64_t)INT64_MAX - digit) / 10;
		v = overflow ? v : v * 10 + digit;
		digits++;
	}
	if (digits == 0 || dots > 1)
		return pdflex_fail(lx, "pdf-syntax", "a malformed number");
	lx->at = at;
	bool real = dots > 0 || overflow;
	struct pdfobj *o = new_object(lx, real ? PDF_REAL : PDF_INTEGER, from);
	if (o == NULL)
		return no_room(lx);
	if (real) {
		o->u.real.source = lx->in.p + from;
		o->u.real.value = real_value(lx->in.p + from, at - from);
	} else {
		o->u.integer = negative ? -(int64_t)v : (int64_t)v;
	}
	o->form = dots == 0 ? PDF_FORM_INTEGER : 0;
	*ret_object = o;
	return ST_OK;
}

/* "N G R" where it stands here. */
static bool reference(struct pdflex *lx, uint32_t *ret_number, uint16_t *ret_generation)
{
	size_t from = lx->at;
	uint64_t n, g;
	if (pdflex_unsigned(lx, UINT32_MAX - 1, &n) && (pdflex_space(lx), pdflex_unsigned(lx, 65535, &g)) &&
	    (pdflex_space(lx), pdflex_keyword(lx, "R"))) {
		*ret_number = (uint32_t)n;
		*ret_generation = (uint16_t)g;
		return true;
	}
	lx->at = from;
	return false;
}

static enum status push(struct pdflex *lx, const struct pdfobj *o)
{
	if (lx->n_stack == lx->cap_stack) {
		size_t cap = lx->cap_stack == 0 ? 64 : lx->cap_stack * 2;
		const struct pdfobj **stack = realloc(lx->stack, cap * sizeof(*stack));
		if (stack == NULL)
			return pdf_no_memory(lx->e);
		lx->stack = stack;
		lx->cap_stack = cap;
	}
	lx->stack[lx->n_stack++] = o;
	return ST_OK;
}

static enum status array(struct pdflex *lx, const struct pdfobj **ret_object)
{
	size_t from = lx->at++, mark = lx->n_stack;
	for (;;) {
		pdflex_space(lx);
		if (at_end(lx))
			return pdflex_fail(lx, "pdf-syntax", "an array does not end");
		if (lx->in.p[lx->at] == ']')
			break;
		const struct pdfobj *item;
		enum status st = pdflex_object(lx, &item);
		if (st != ST_OK || (st = push(lx, item)) != ST_OK)
			return st;
	}
	lx->at++;
	struct pdfobj *o = new_object(lx, PDF_ARRAY, from);
	if (o == NULL)
		return no_room(lx);
	size_t n = lx->n_stack - mark;
	o->u.array.items = pdf_arena_take(lx->arena, n * sizeof(*o->u.array.items));
	if (o->u.array.items == NULL)
		return no_room(lx);
	if (n > 0)
		memcpy(o->u.array.items, lx->stack + mark, n * sizeof(*lx->stack));
	o->u.array.n = n;
	lx->n_stack = mark;
	*ret_object = o;
	return ST_OK;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct pdf_pair *)a)->key, ((const struct pdf_pair *)b)->key);
}

/* 7.3.7: no two entries have the same key. Readers differ in which of two they take, so a second one is refused. Of a large
 * dictionary a copy sorted by keys follows the pairs, for pdfobj_get. */
static enum status check_keys(struct pdflex *lx, struct pdf_pair *pairs, size_t n)
{
	bool twice = false;
	if (n <= PDF_DICT_SMALL) {
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < i; k++)
				twice = twice || strcmp(pairs[i].key, pairs[k].key) == 0;
	} else {
		memcpy(pairs + n, pairs, n * sizeof *pairs);
		qsort(pairs + n, n, sizeof *pairs, by_key);
		for (size_t i = 1; i < n; i++)
			twice = twice || strcmp(pairs[n + i].key, pairs[n + i - 1].key) == 0;
	}
	return twice && !lenient(lx) ? pdflex_fail(lx, "pdf-syntax", "a dictionary has the same key twice") : ST_OK;
}

/* Of pairs with the same key the last one stays, for a lenient reader; large dictionaries are left alone. */
static size_t drop_earlier(struct pdf_pair *pairs, size_t n)
{
	size_t kept = 0;
	if (n > PDF_DICT_SMALL)
		return n;
	for (size_t i = 0; i < n; i++) {
		size_t k = i + 1;
		while (k < n && strcmp(pairs[i].key, pairs[k].key) != 0)
			k++;
		if (k == n)
			pairs[kept++] = pairs[i];
	}
	return kept;
}

static enum status dictionary(struct pdflex *lx, const struct pdfobj **ret_object)
{
	size_t from = lx->at, mark = lx->n_stack;
	lx->at += 2;
	for (;;) {
		pdflex_space(lx);
		if (lx->in.n - lx->at < 2)
			return pdflex_fail(lx, "pdf-syntax", "a dictionary does not end");
		if (lx->in.p[lx->at] == '>' && lx->in.p[lx->at + 1] == '>')
			break;
		if (lx->in.p[lx->at] != '/')
			return pdflex_fail(lx, "pdf-syntax", "a dictionary has a key that is no name");
		const struct pdfobj *key, *value;
		enum status st = name(lx, &key);
		if (st != ST_OK)
			return st;
		pdflex_space(lx);
		if (at_end(lx))
			return pdflex_fail(lx, "pdf-syntax", "a dictionary does not end");
		st = pdflex_object(lx, &value);
		if (st != ST_OK || (st = push(lx, key)) != ST_OK || (st = push(lx, value)) != ST_OK)
			return st;
	}
	lx->at += 2;
	struct pdfobj *o = new_object(lx, PDF_DICT, from);
	size_t n = (lx->n_stack - mark) / 2;
	struct pdf_pair *pairs = o == NULL ? NULL : pdf_arena_take(lx->arena, (n > PDF_DICT_SMALL ? 2 * n : n) * sizeof *pairs);
	if (pairs == NULL)
		return no_room(lx);
	for (size_t i = 0; i < n; i++)
		pairs[i] = (struct pdf_pair){lx->stack[mark + 2 * i]->u.name, lx->stack[mark + 2 * i + 1]};
	lx->n_stack = mark;
	if (lenient(lx))
		n = drop_earlier(pairs, n);
	o->u.dict.pairs = pairs;
	o->u.dict.n = n;
	*ret_object = o;
	return check_keys(lx, pairs, n);
}

/* A token that is no object is the null object for a lenient reader, unless it ends what holds it. */
static enum status unknown(struct pdflex *lx, const struct pdfobj **ret_object)
{
	static const char *const ends[] = {"endobj", "endstream", "stream", "obj", "xref", "trailer", "startxref"};
	size_t from = lx->at;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (pdflex_keyword(lx, ends[i])) {
			lx->at = from;
			return pdflex_fail(lx, "pdf-syntax", "no object where one must stand");
		}
	uint8_t c = lx->in.p[lx->at];
	if (c == ')' || c == ']' || c == '>')
		return pdflex_fail(lx, "pdf-syntax", "no object where one must stand");
	do
		lx->at++;
	while (!at_end(lx) && !ends_token(lx->in.p[lx->at]));
	struct pdfobj *o = new_object(lx, PDF_NULL, from);
	if (o == NULL)
		return no_room(lx);
	*ret_object = o;
	return ST_OK;
}

static enum status simple(struct pdflex *lx, const struct pdfobj **ret_object)
{
	size_t from = lx->at;
	static const char *const words[] = {"null", "true", "false"};
	for (size_t i = 0; i < 3; i++) {
		if (!pdflex_keyword(lx, words[i]))
			continue;
		struct pdfobj *o = new_object(lx, i == 0 ? PDF_NULL : PDF_BOOLEAN, from);
		if (o == NULL)
			return no_room(lx);
		o->u.boolean = i == 1;
		*ret_object = o;
		return ST_OK;
	}
	return lenient(lx) ? unknown(lx, ret_object) : pdflex_fail(lx, "pdf-syntax", "no object where one must stand");
}

static enum status one_object(struct pdflex *lx, const struct pdfobj **ret_object)
{
	uint8_t c = lx->in.p[lx->at];
	if (c == '<')
		return peek(lx, 1) == '<' ? dictionary(lx, ret_object) : hex_string(lx, ret_object);
	if (c == '(')
		return literal_string(lx, ret_object);
	if (c == '/')
		return name(lx, ret_object);
	if (c == '[')
		return array(lx, ret_object);
	if ((c < '0' || c > '9') && c != '+' && c != '-' && c != '.')
		return simple(lx, ret_object);
	size_t from = lx->at;
	uint32_t n;
	uint16_t g;
	if (!reference(lx, &n, &g))
		return number(lx, ret_object);
	struct pdfobj *o = new_object(lx, PDF_REFERENCE, from);
	if (o == NULL)
		return no_room(lx);
	o->u.reference.number = n;
	o->u.reference.generation = g;
	*ret_object = o;
	return ST_OK;
}

enum status pdflex_object(struct pdflex *lx, const struct pdfobj **ret_object)
{
	pdflex_space(lx);
	if (at_end(lx))
		return pdflex_fail(lx, "pdf-syntax", "no object where one must stand");
	if (lx->depth >= PDF_DEPTH)
		return pdflex_fail(lx, "pdf-limit", "arrays or dictionaries are nested too deep");
	lx->depth++;
	enum status st = one_object(lx, ret_object);
	lx->depth--;
	return st;
}

static void skip_white(struct pdflex *lx)
{
	while (!at_end(lx) && pdf_is_space(lx->in.p[lx->at]))
		lx->at++;
}

/* Whether n bytes on, after white space, the keyword endstream stands. */
static bool ends_stream(struct pdflex *lx, size_t n)
{
	size_t from = lx->at;
	lx->at += n;
	skip_white(lx);
	bool ends = pdflex_keyword(lx, "endstream");
	lx->at = from;
	return ends;
}

/* The bytes up to the next endstream and the end-of-line before it; -1: there is none. What the last search found is kept, so that
 * many streams without an end are not many searches through the file. */
static int64_t find_endstream(const struct pdflex *lx)
{
	struct pdf_state *s = lx->doc->state;
	const uint8_t *from = lx->in.p + lx->at, *end;
	if (s->endstream_to == 0 || lx->at < s->endstream_from || lx->at > s->endstream_to) {
		end = memmem(from, lx->in.n - lx->at, "endstream", 9);
		s->endstream_from = lx->at;
		s->endstream_to = end == NULL ? UINT64_MAX : (uint64_t)(end - lx->in.p);
	}
	if (s->endstream_to == UINT64_MAX)
		return -1;
	end = lx->in.p + s->endstream_to;
	if (end > from && end[-1] == '\n')
		end--;
	if (end > from && end[-1] == '\r')
		end--;
	return end - from;
}

/* After a dictionary and the keyword "stream" (7.3.8.1): CRLF or LF, exactly Length bytes, an end-of-line that may be missing,
 * "endstream". */
static enum status stream(struct pdflex *lx, const struct pdfobj *dict, const struct pdfobj **ret_object)
{
	size_t from = dict->at == PDF_NOWHERE ? lx->at : (size_t)(dict->at - lx->base);
	if (peek(lx, 0) == '\r' && peek(lx, 1) == '\n')
		lx->at += 2;
	else if (!at_end(lx) && peek(lx, 0) == '\n')
		lx->at++;
	else if (lenient(lx))
		lx->at += !at_end(lx) && peek(lx, 0) == '\r';
	else
		return pdflex_fail(lx, "pdf-syntax", "the keyword stream is not followed by an end-of-line");
	const struct pdfobj *length = pdfobj_get(dict, "Length");
	int64_t n = pdfobj_integer(length);
	bool sound = pdfobj_kind(length) == PDF_INTEGER && n >= 0 && (uint64_t)n <= lx->in.n - lx->at;
	if (lenient(lx) && (!sound || !ends_stream(lx, (size_t)n))) {
		n = find_endstream(lx);
		sound = n >= 0;
	}
	if (!sound)
		return pdflex_fail(lx, "pdf-syntax", "a stream has no right Length");
	struct bytes raw = {lx->in.p + lx->at, (size_t)n};
	lx->at += (size_t)n;
	if (lenient(lx))
		skip_white(lx);
	if (peek(lx, 0) == '\r')
		lx->at++;
	if (peek(lx, 0) == '\n')
		lx->at++;
	if (!pdflex_keyword(lx, "endstream"))
		return pdflex_fail(lx, "pdf-syntax", "a stream does not end where its Length says");
	struct pdfobj *o = new_object(lx, PDF_STREAM, from);
	struct pdf_stream *s = o == NULL ? NULL : pdf_arena_take(lx->arena, sizeof *s);
	if (s == NULL)
		return no_room(lx);
	*s = (struct pdf_stream){dict->u.dict.pairs, dict->u.dict.n, raw};
	o->u.stream = s;
	*ret_object = o;
	return ST_OK;
}

enum status pdflex_body(struct pdflex *lx, const struct pdfobj **ret_object)
{
	const struct pdfobj *o;
	enum status st = pdflex_object(lx, &o);
	if (st != ST_OK)
		return st;
	pdflex_space(lx);
	if (o->kind == PDF_DICT && pdflex_keyword(lx, "stream")) {
		st = stream(lx, o, &o);
		pdflex_space(lx);
	}
	if (st == ST_OK)
		*ret_object = o;
	return st;
}

enum status pdflex_indirect(struct pdflex *lx, uint32_t *ret_number, uint32_t *ret_generation, const struct pdfobj **ret_object)
{
	uint64_t n, g;
	if (!pdflex_unsigned(lx, UINT32_MAX - 1, &n) || (pdflex_space(lx), !pdflex_unsigned(lx, 65535, &g)) ||
	    (pdflex_space(lx), !pdflex_keyword(lx, "obj")))
		return pdflex_fail(lx, "pdf-object", "no object begins here");
	lx->number = *ret_number = (uint32_t)n;
	*ret_generation = (uint32_t)g;
	enum status st = pdflex_body(lx, ret_object);
	if (st != ST_OK)
		return st;
	if (!pdflex_keyword(lx, "endobj") && !lenient(lx))
		return pdflex_fail(lx, "pdf-syntax", "an object does not end with endobj");
	return ST_OK;
}
