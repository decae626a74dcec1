#include "stages/pdf/update.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/digest.h"
#include "stages/pdf/internal.h"

#define TABLE_OFFSET_MAX UINT64_C(9999999999) /* ten digits */

struct change {
	uint32_t number;
	struct bytes body; /* in the arena */
	const struct pdfobj *parsed;
	uint64_t offset; /* in the new file */
};

struct pdfupd {
	const struct pdfdoc *doc;
	struct pdfdoc view; /* what references in new bodies are looked up in */
	struct pdf_arena arena;
	struct change *changes; /* by number once finished */
	size_t n, cap;
	uint32_t next; /* the next new object number */
	struct err fault;
};

static struct change *find(struct pdfupd *u, uint32_t number)
{
	for (size_t i = u->n; i-- > 0;)
		if (u->changes[i].number == number)
			return &u->changes[i];
	return NULL;
}

/* Parses what was set, once. NULL where it is no object; that is noted as a bug of the caller. */
static const struct pdfobj *parse(struct pdfupd *u, struct change *c)
{
	if (c->parsed != NULL)
		return c->parsed;
	struct err e = {0};
	struct pdflex lx = {.in = c->body, .doc = &u->view, .arena = &u->arena, .number = c->number, .e = &e};
	enum status st = pdflex_body(&lx, &c->parsed);
	pdflex_space(&lx);
	if (st == ST_OK && lx.at != lx.in.n)
		st = err_set(&e, ST_ITEM, "pdf-syntax", "more than one object");
	pdflex_free(&lx);
	if (st == ST_OK)
		return c->parsed;
	c->parsed = NULL;
	if (u->fault.status == ST_OK) {
		if (st == ST_RETRY)
			u->fault = e;
		else
			err_set(&u->fault, ST_BUG, "pdf-update", "the body set for object %u: %s", c->number, e.detail);
	}
	return NULL;
}

static const struct pdfobj *overlay(void *arg, uint32_t number)
{
	struct pdfupd *u = arg;
	struct change *c = find(u, number);
	return c == NULL ? NULL : parse(u, c);
}

/* Above Size and above the free entries that stand beyond it. */
static uint32_t first_free(const struct pdfdoc *d)
{
	uint32_t last = d->n_entries == 0 ? 0 : d->entries[d->n_entries - 1].number;
	return last >= d->size ? last + 1 : d->size;
}

enum status pdfupd_new(const struct pdfdoc *d, struct pdfupd **ret_update, struct err *e)
{
	if (pdfdoc_encrypted(d))
		return err_set(e, ST_ITEM, "pdf-encrypted", "an encrypted document is not updated");
	struct pdfupd *u = calloc(1, sizeof *u);
	if (u == NULL)
		return pdf_no_memory(e);
	u->doc = d;
	u->view = (struct pdfdoc){.trailer = &pdf_null, .overlay = overlay, .overlay_arg = u, .below = d};
	u->next = first_free(d);
	*ret_update = u;
	return ST_OK;
}

void pdfupd_free(struct pdfupd *u)
{
	if (u == NULL)
		return;
	pdf_arena_free(&u->arena);
	free(u->changes);
	free(u);
}

uint32_t pdfupd_allocate(struct pdfupd *u)
{
	return u->next++;
}

static void no_room(struct pdfupd *u)
{
	if (u->fault.status == ST_OK)
		pdf_no_memory(&u->fault);
}

/* The change for an object, with room for a body of n bytes; NULL and noted where memory runs out. */
static uint8_t *new_body(struct pdfupd *u, uint32_t number, size_t n)
{
	struct change *c = find(u, number);
	if (c == NULL && u->n == u->cap) {
		size_t cap = u->cap == 0 ? 16 : u->cap * 2;
		struct change *changes = realloc(u->changes, cap * sizeof *changes);
		if (changes == NULL) {
			no_room(u);
			return NULL;
		}
		u->changes = changes;
		u->cap = cap;
	}
	uint8_t *body = pdf_arena_take(&u->arena, n);
	if (body == NULL) {
		no_room(u);
		return NULL;
	}
	if (c == NULL)
		c = &u->changes[u->n++];
	*c = (struct change){.number = number, .body = {body, n}};
	if (number >= u->next)
		u->next = number + 1;
	return body;
}

void pdfupd_set(struct pdfupd *u, uint32_t number, const void *body, size_t n)
{
	uint8_t *to = new_body(u, number, n);
	if (to != NULL && n > 0)
		memcpy(to, body, n);
}

void pdfupd_set_stream(struct pdfupd *u, uint32_t number, const char *dict, const void *data, size_t n)
{
	char length[48];
	static const char end[] = "\nendstream";
	int head = snprintf(length, sizeof length, " /Length %zu>>\nstream\n", n);
	size_t n_dict = strlen(dict);
	uint8_t *to = new_body(u, number, 2 + n_dict + (size_t)head + n + sizeof end - 1);
	if (to == NULL)
		return;
	memcpy(to, "<<", 2);
	memcpy(to + 2, dict, n_dict);
	memcpy(to + 2 + n_dict, length, (size_t)head);
	to += 2 + n_dict + (size_t)head;
	if (n > 0)
		memcpy(to, data, n);
	memcpy(to + n, end, sizeof end - 1);
}

const struct pdfobj *pdfupd_object(struct pdfupd *u, uint32_t number)
{
	return pdfdoc_object(&u->view, number);
}

void pdfupd_print_without(struct pdfupd *u, uint32_t number, const char *const *keys, struct buf *to)
{
	const struct pdf_pair *pairs;
	size_t n = pdf_pairs(pdf_resolve(pdfupd_object(u, number)), &pairs);
	for (size_t i = 0; i < n; i++) {
		bool without = false;
		for (const char *const *key = keys; key != NULL && *key != NULL; key++)
			without = without || strcmp(*key, pairs[i].key) == 0;
		if (without)
			continue;
		pdf_print_name(pairs[i].key, to);
		buf_byte(to, ' ');
		pdfobj_print(pairs[i].value, to);
		buf_byte(to, '\n');
	}
}

static int by_number(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* How many changes from i on have numbers in a row. */
static size_t run(const struct pdfupd *u, size_t i)
{
	size_t n = 1;
	while (i + n < u->n && u->changes[i + n].number == u->changes[i].number + n)
		n++;
	return n;
}

/* The entries that the new trailer takes over (7.5.6): all but those that describe the section itself. */
static void print_trailer(struct pdfupd *u, size_t start, struct buf *to)
{
	static const char *const own[] = {"Prev", "Size",  "ID",     "XRefStm", "Type",
	                                  "W",    "Index", "Length", "Filter",  "DecodeParms"};
	const struct pdfobj *trailer = u->doc->trailer;
	uint8_t digest[32];
	struct sha256 *h = sha256_new();
	struct bytes first = pdfobj_string(pdfobj_at(pdfobj_get(trailer, "ID"), 0));
	struct bytes second = pdfobj_string(pdfobj_at(pdfobj_get(trailer, "ID"), 1));
	char length[32];
	int n = snprintf(length, sizeof length, "%zu ", u->doc->in.n);
	sha256_add(h, length, (size_t)n);
	sha256_add(h, second.p, second.n);
	if (!to->failed && to->len > start)
		sha256_add(h, to->data + start, to->len - start);
	if (h == NULL)
		to->failed = true;
	else
		sha256_end(h, digest);
	if (to->failed)
		return;
	for (size_t i = 0; i < pdfobj_length(trailer); i++) {
		bool skip = false;
		for (size_t k = 0; k < sizeof own / sizeof *own; k++)
			skip = skip || strcmp(own[k], pdfobj_key(trailer, i)) == 0;
		if (skip)
			continue;
		pdf_print_name(pdfobj_key(trailer, i), to);
		buf_byte(to, ' ');
		pdfobj_print(pdfobj_value(trailer, i), to);
		buf_byte(to, '\n');
	}
	if (first.n == 0)
		first = (struct bytes){digest, 16};
	buf_str(to, "/ID [<");
	for (size_t i = 0; i < first.n; i++)
		buf_format(to, "%02X", first.p[i]);
	buf_str(to, "> <");
	for (size_t i = 0; i < 16; i++)
		buf_format(to, "%02X", digest[i]);
	buf_format(to, ">]\n/Size %u\n/Prev %llu\n", u->next,
	           (unsigned long long)u->doc->revisions[u->doc->n_revisions - 1].r.startxref);
}

static enum status print_table(struct pdfupd *u, size_t start, struct buf *to, struct err *e)
{
	buf_str(to, "xref\n");
	if (u->n == 0)
		buf_str(to, "0 0\n");
	for (size_t i = 0; i < u->n;) {
		size_t n = run(u, i);
		buf_format(to, "%u %zu\n", u->changes[i].number, n);
		for (size_t end = i + n; i < end; i++) {
			if (u->changes[i].offset > TABLE_OFFSET_MAX)
				return err_set(e, ST_ITEM, "pdf-limit", "a cross-reference table has no room for offset %llu",
				               (unsigned long long)u->changes[i].offset);
			buf_format(to, "%010llu %05u n \n", (unsigned long long)u->changes[i].offset,
			           pdfdoc_generation(u->doc, u->changes[i].number));
		}
	}
	buf_str(to, "trailer\n<<\n");
	print_trailer(u, start, to);
	buf_str(to, ">>\n");
	return ST_OK;
}

static void print_xref_stream(struct pdfupd *u, size_t start, uint64_t at, struct buf *to)
{
	uint32_t number = pdfupd_allocate(u);
	unsigned width = 1;
	while (width < 8 && at >> (8 * width) != 0)
		width++;
	buf_format(to, "%u 0 obj\n<<\n", number);
	print_trailer(u, start, to);
	buf_format(to, "/Type /XRef\n/W [1 %u 2]\n/Index [", width);
	for (size_t i = 0; i < u->n;) {
		size_t n = run(u, i);
		buf_format(to, "%u %zu ", u->changes[i].number, n);
		i += n;
	}
	buf_format(to, "%u 1]\n/Length %zu\n>>\nstream\n", number, (u->n + 1) * (width + 3));
	for (size_t i = 0; i <= u->n; i++) {
		uint64_t offset = i < u->n ? u->changes[i].offset : at;
		uint16_t generation = i < u->n ? pdfdoc_generation(u->doc, u->changes[i].number) : 0;
		buf_byte(to, 1);
		for (unsigned k = width; k-- > 0;)
			buf_byte(to, (uint8_t)(offset >> (8 * k)));
		buf_byte(to, (uint8_t)(generation >> 8));
		buf_byte(to, (uint8_t)generation);
	}
	buf_str(to, "\nendstream\nendobj\n");
}

enum status pdfupd_finish(struct pdfupd *u, struct buf *to, struct err *e)
{
	const struct bytes in = u->doc->in;
	size_t start = to->len;
	if (u->n > 0)
		qsort(u->changes, u->n, sizeof *u->changes, by_number);
	/* Numbers at the end that were allocated and never set do not count. */
	u->next = first_free(u->doc);
	if (u->n > 0 && u->changes[u->n - 1].number >= u->next)
		u->next = u->changes[u->n - 1].number + 1;
	if (in.n > 0 && in.p[in.n - 1] != '\n' && in.p[in.n - 1] != '\r')
		buf_byte(to, '\n');
	for (size_t i = 0; i < u->n; i++) {
		struct change *c = &u->changes[i];
		parse(u, c);
		c->offset = in.n + (to->len - start);
		buf_format(to, "%u %u obj\n", c->number, pdfdoc_generation(u->doc, c->number));
		buf_add(to, c->body.p, c->body.n);
		buf_str(to, "\nendobj\n");
	}
	if (u->fault.status != ST_OK) {
		*e = u->fault;
		return e->status;
	}
	uint64_t at = in.n + (to->len - start);
	enum status st = ST_OK;
	if (u->doc->xref_stream)
		print_xref_stream(u, start, at, to);
	else
		st = print_table(u, start, to, e);
	buf_format(to, "startxref\n%llu\n%%%%EOF\n", (unsigned long long)at);
	if (st == ST_OK && to->failed)
		st = pdf_no_memory(e);
	return st;
}

enum status pdfupd_finish_signature(struct pdfupd *u, uint32_t number, struct buf *to, struct pdfupd_hole *ret_hole,
                                    struct err *e)
{
	size_t start = to->len;
	enum status st = pdfupd_finish(u, to, e);
	if (st != ST_OK)
		return st;
	struct change *c = find(u, number);
	const struct pdfobj *o = c == NULL ? &pdf_null : c->parsed;
	const struct pdfobj *range = pdfobj_get(o, "ByteRange"), *contents = pdfobj_get(o, "Contents");
	if (range->kind != PDF_ARRAY || contents->kind != PDF_STRING || c->body.p[contents->at] != '<')
		return err_set(e, ST_BUG, "pdf-update", "object %u is no signature dictionary with ByteRange and Contents",
		               number);
	/* Spans count from the body's start; the body follows "N G obj\n". */
	size_t body = start + (size_t)(c->offset - u->doc->in.n);
	while (to->data[body] != '\n')
		body++;
	body++;
	uint64_t file = u->doc->in.n - start; /* added to a place in *to: its place in the file */
	uint64_t hole = file + body + contents->at, after = hole + contents->length, end = file + to->len;
	char text[128];
	int n = snprintf(text, sizeof text, "[0 %llu %llu %llu", (unsigned long long)hole, (unsigned long long)after,
	                 (unsigned long long)(end - after));
	if ((size_t)n + 1 > range->length)
		return err_set(e, ST_BUG, "pdf-update", "the ByteRange of object %u has no room for %s]", number, text);
	uint8_t *put = to->data + body + range->at;
	memset(put, ' ', range->length - 1);
	memcpy(put, text, (size_t)n);
	*ret_hole = (struct pdfupd_hole){body + (size_t)contents->at + 1, contents->length - 2};
	return ST_OK;
}
