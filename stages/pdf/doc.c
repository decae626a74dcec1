/* The document: objects on demand, revisions, pages. */
#include "stages/pdf/doc.h"

#include <stdlib.h>
#include <string.h>

#include "stages/pdf/internal.h"

#define CHAIN_MAX 32 /* objects that need each other to be read: a stream, its Length, its object stream … */

static enum status open_document(struct bytes in, bool lenient, struct pdfdoc **ret_doc, struct err *e)
{
	struct pdfdoc *d = calloc(1, sizeof *d);
	if (d == NULL)
		return pdf_no_memory(e);
	d->in = in;
	d->lenient = lenient;
	d->trailer = &pdf_null;
	d->state = calloc(1, sizeof *d->state);
	enum status st = d->state == NULL ? pdf_no_memory(e) : pdfxref_read(d, e);
	if (st == ST_OK && !pdfdoc_encrypted(d) && pdfobj_kind(pdfdoc_catalog(d)) != PDF_DICT) {
		st = pdfdoc_fault(d, e);
		if (st == ST_OK)
			st = err_set(e, ST_ITEM, "pdf-catalog", "the trailer's Root leads to no catalog");
	}
	if (st != ST_OK) {
		pdfdoc_close(d);
		return st;
	}
	*ret_doc = d;
	return ST_OK;
}

enum status pdfdoc_open(struct bytes in, struct pdfdoc **ret_doc, struct err *e)
{
	return open_document(in, false, ret_doc, e);
}

enum status pdfdoc_open_lenient(struct bytes in, struct pdfdoc **ret_doc, struct err *e)
{
	return open_document(in, true, ret_doc, e);
}

static void free_objstms(struct pdf_state *s)
{
	while (s->objstms != NULL) {
		struct pdf_objstm *next = s->objstms->next;
		buf_free(&s->objstms->data);
		free(s->objstms->numbers);
		free(s->objstms);
		s->objstms = next;
	}
	s->objstm_bytes = 0;
}

void pdfdoc_close(struct pdfdoc *d)
{
	if (d == NULL)
		return;
	if (d->state != NULL) {
		free_objstms(d->state);
		pdf_arena_free(&d->state->arena);
		pdf_arena_free(&d->state->objects);
		free(d->state->slots);
		free(d->state->pages);
		free(d->state);
	}
	free(d->entries);
	free(d->revisions);
	free(d->sections);
	free(d);
}

struct bytes pdfdoc_bytes(const struct pdfdoc *d)
{
	return d->in;
}

uint64_t pdfdoc_header(const struct pdfdoc *d)
{
	return d->header;
}

size_t pdfdoc_sections(const struct pdfdoc *d)
{
	return d->n_sections;
}

struct pdfdoc_section pdfdoc_section(const struct pdfdoc *d, size_t i)
{
	return i < d->n_sections ? d->sections[i] : (struct pdfdoc_section){.trailer = &pdf_null};
}

size_t pdfdoc_revisions(const struct pdfdoc *d)
{
	return d->n_revisions;
}

struct pdfdoc_revision pdfdoc_revision(const struct pdfdoc *d, size_t i)
{
	return i < d->n_revisions ? d->revisions[i].r : (struct pdfdoc_revision){0};
}

enum status pdfdoc_open_revision(const struct pdfdoc *d, size_t i, struct pdfdoc **ret_doc, struct err *e)
{
	if (i >= d->n_revisions)
		return err_set(e, ST_BUG, "pdf-revision", "revision %zu of %zu", i, d->n_revisions);
	/* Its own bytes and nothing else: what came later cannot reach in. */
	return pdfdoc_open((struct bytes){d->in.p, (size_t)d->revisions[i].r.end}, ret_doc, e);
}

long pdfdoc_revision_at(const struct pdfdoc *d, uint64_t end)
{
	for (size_t i = d->n_revisions; i-- > 0;) {
		if (end < d->revisions[i].marker_end || end > d->in.n)
			continue;
		for (uint64_t at = d->revisions[i].marker_end; at < end; at++)
			if (!pdf_is_space(d->in.p[at]))
				return -1;
		return (long)i;
	}
	return -1;
}

bool pdfdoc_encrypted(const struct pdfdoc *d)
{
	return pdfobj_kind_direct(pdfobj_get(d->trailer, "Encrypt")) != PDF_NULL;
}

bool pdfdoc_has_xref_stream(const struct pdfdoc *d)
{
	return d->xref_stream;
}

bool pdfdoc_hybrid(const struct pdfdoc *d)
{
	return d->hybrid;
}

uint32_t pdfdoc_size(const struct pdfdoc *d)
{
	return d->size;
}

int pdfdoc_version(const struct pdfdoc *d)
{
	const char *v = pdfobj_name(pdfobj_get(pdfdoc_catalog(d), "Version"));
	int version = 0;
	if (v[0] >= '1' && v[0] <= '2' && v[1] == '.' && v[2] >= '0' && v[2] <= '9' && v[3] == '\0')
		version = (v[0] - '0') * 10 + v[2] - '0';
	return version > d->header_version ? version : d->header_version;
}

const struct pdfobj *pdfdoc_trailer(const struct pdfdoc *d)
{
	return d->trailer;
}

const struct pdfobj *pdfdoc_catalog(const struct pdfdoc *d)
{
	return pdf_resolve(pdfobj_get(d->trailer, "Root"));
}

/* The index of the first entry that is not below a number. */
static size_t entry_from(const struct pdfdoc *d, uint32_t number)
{
	size_t low = 0, high = d->n_entries;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (d->entries[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t pdfdoc_next(const struct pdfdoc *d, uint32_t number)
{
	for (size_t i = entry_from(d, number + 1); i < d->n_entries; i++)
		if (d->entries[i].type != PDF_FREE)
			return d->entries[i].number;
	return 0;
}

const struct pdf_entry *pdfdoc_entry(const struct pdfdoc *d, uint32_t number)
{
	size_t low = entry_from(d, number);
	return low < d->n_entries && d->entries[low].number == number ? &d->entries[low] : NULL;
}

uint16_t pdfdoc_generation(const struct pdfdoc *d, uint32_t number)
{
	const struct pdf_entry *entry = pdfdoc_entry(d, number);
	return entry == NULL || entry->type == PDF_PACKED ? 0 : entry->generation;
}

static void note_fault(const struct pdfdoc *d, const struct err *e)
{
	if (d->state->fault.status == ST_OK)
		d->state->fault = *e;
}

enum status pdfdoc_fault(const struct pdfdoc *d, struct err *e)
{
	if (d->state->fault.status != ST_OK && e != NULL)
		*e = d->state->fault;
	return d->state->fault.status;
}

static enum status read_plain(const struct pdfdoc *d, const struct pdf_entry *entry, const struct pdfobj **ret_object,
                              uint64_t *ret_end, struct err *e)
{
	if (entry->at >= d->in.n)
		return err_set(e, ST_ITEM, "pdf-object", "object %u should be at byte %llu of %zu", entry->number,
		               (unsigned long long)entry->at, d->in.n);
	struct pdflex lx = {.in = d->in, .at = (size_t)entry->at, .doc = d, .arena = &d->state->objects, .e = e};
	while (lx.at < lx.in.n && pdf_is_space(lx.in.p[lx.at]))
		lx.at++;
	uint32_t number, generation;
	enum status st = pdflex_indirect(&lx, &number, &generation, ret_object);
	if (st == ST_OK && (number != entry->number || generation != entry->generation))
		st = err_set(e, ST_ITEM, "pdf-object", "object %u %u stands where %u %u should be", number, generation,
		             entry->number, entry->generation);
	pdflex_free(&lx);
	*ret_end = lx.at;
	return st;
}

/* The numbers and offsets at the start of an object stream (7.5.7). */
static enum status read_objstm_index(struct pdf_objstm *s, struct err *e)
{
	struct pdflex lx = {.in = {s->data.data, s->first}, .base = PDF_NOWHERE, .number = s->number, .e = e};
	s->numbers = calloc(2 * (size_t)s->n + 1, sizeof *s->numbers);
	if (s->numbers == NULL)
		return pdf_no_memory(e);
	for (uint32_t i = 0; i < s->n; i++) {
		uint64_t number, offset;
		pdflex_space(&lx);
		if (!pdflex_unsigned(&lx, PDF_OBJECTS_MAX, &number) ||
		    (pdflex_space(&lx), !pdflex_unsigned(&lx, s->data.len - s->first, &offset)))
			return pdflex_fail(&lx, "pdf-object", "the index of an object stream is malformed");
		s->numbers[i] = (uint32_t)number;
		s->numbers[s->n + i] = (uint32_t)offset;
	}
	return ST_OK;
}

static enum status open_objstm(const struct pdfdoc *d, uint32_t number, struct pdf_objstm **ret_stream, struct err *e)
{
	for (struct pdf_objstm *s = d->state->objstms; s != NULL; s = s->next)
		if (s->number == number) {
			*ret_stream = s;
			return ST_OK;
		}
	const struct pdf_entry *entry = pdfdoc_entry(d, number);
	if (entry == NULL || entry->type != PDF_PLAIN)
		return err_set(e, ST_ITEM, "pdf-object", "object stream %u is not there", number);
	const struct pdfobj *o = pdfdoc_object(d, number);
	int64_t n = pdfobj_integer(pdfobj_get(o, "N")), first = pdfobj_integer(pdfobj_get(o, "First"));
	if (pdfobj_kind(o) != PDF_STREAM || !pdfobj_is_name(pdfobj_get(o, "Type"), "ObjStm") || n < 0 || first < 0)
		return err_set(e, ST_ITEM, "pdf-object", "object %u is no object stream", number);
	struct pdf_objstm *s = calloc(1, sizeof *s);
	if (s == NULL)
		return pdf_no_memory(e);
	s->number = number;
	s->data = BUF_INIT(PDF_OBJSTM_MAX - d->state->objstm_bytes);
	enum status st = pdfobj_stream(o, &s->data, e);
	/* Each entry of the index takes at least "0 0 ". */
	if (st == ST_OK && ((uint64_t)first > s->data.len || (uint64_t)n > s->data.len / 3 + 1))
		st = err_set(e, ST_ITEM, "pdf-object", "N or First of object stream %u is too large", number);
	if (st == ST_OK) {
		s->n = (uint32_t)n;
		s->first = (size_t)first;
		st = read_objstm_index(s, e);
	}
	if (st != ST_OK) {
		buf_free(&s->data);
		free(s->numbers);
		free(s);
		return st;
	}
	s->next = d->state->objstms;
	d->state->objstms = s;
	d->state->objstm_bytes += s->data.len;
	*ret_stream = s;
	return ST_OK;
}

static enum status read_packed(const struct pdfdoc *d, const struct pdf_entry *entry, const struct pdfobj **ret_object,
                               struct err *e)
{
	uint32_t number = (uint32_t)(entry->at >> 32), index = (uint32_t)entry->at;
	struct pdf_objstm *s = NULL;
	if (pdfdoc_encrypted(d))
		return err_set(e, ST_ITEM, "pdf-encrypted", "object %u lies in an encrypted object stream", entry->number);
	enum status st = open_objstm(d, number, &s, e);
	if (st != ST_OK)
		return st;
	if (index >= s->n || s->numbers[index] != entry->number)
		return err_set(e, ST_ITEM, "pdf-object", "object stream %u has no object %u at index %u", number, entry->number,
		               index);
	struct pdflex lx = {.in = {s->data.data + s->first, s->data.len - s->first},
	                    .at = s->numbers[s->n + index],
	                    .base = PDF_NOWHERE,
	                    .doc = d,
	                    .arena = &d->state->objects,
	                    .number = entry->number,
	                    .e = e};
	st = pdflex_object(&lx, ret_object);
	pdflex_free(&lx);
	return st;
}

static const struct pdfobj *read_object(const struct pdfdoc *d, const struct pdf_entry *entry)
{
	struct pdf_state *s = d->state;
	struct pdf_slot *slot = &s->slots[entry - d->entries];
	if (slot->object != NULL)
		return slot->object;
	struct err e = {0};
	const struct pdfobj *o = &pdf_null;
	enum status st;
	if (slot->busy || s->chain >= CHAIN_MAX) {
		st = err_set(&e, ST_ITEM, "pdf-object", "object %u is needed to read itself", entry->number);
		note_fault(d, &e);
		return &pdf_null;
	}
	slot->busy = true;
	s->chain++;
	if (entry->type == PDF_PLAIN)
		st = read_plain(d, entry, &o, &slot->end, &e);
	else
		st = read_packed(d, entry, &o, &e);
	s->chain--;
	slot->busy = false;
	if (st != ST_OK) {
		err_where(&e, "object %u", entry->number);
		note_fault(d, &e);
		o = &pdf_null;
	}
	slot->object = o;
	return o;
}

const struct pdfobj *pdfdoc_object(const struct pdfdoc *d, uint32_t number)
{
	if (d->overlay != NULL) {
		const struct pdfobj *o = d->overlay(d->overlay_arg, number);
		return o != NULL ? o : pdfdoc_object(d->below, number);
	}
	const struct pdf_entry *entry = pdfdoc_entry(d, number);
	return entry == NULL || entry->type == PDF_FREE || d->state->slots == NULL ? &pdf_null : read_object(d, entry);
}

const struct pdfobj *pdfdoc_object_generation(const struct pdfdoc *d, uint32_t number, uint16_t generation)
{
	if (d->overlay != NULL) {
		const struct pdfobj *o = d->overlay(d->overlay_arg, number);
		return o != NULL ? o : pdfdoc_object_generation(d->below, number, generation);
	}
	return pdfdoc_generation(d, number) == generation ? pdfdoc_object(d, number) : &pdf_null;
}

void pdfdoc_forget(const struct pdfdoc *d)
{
	struct pdf_state *s = d->state;
	if (s->objects.total + s->objstm_bytes < PDF_FORGET)
		return;
	for (size_t i = 0; i < d->n_entries; i++)
		s->slots[i].object = NULL;
	pdf_arena_free(&s->objects);
	free_objstms(s);
}

bool pdfdoc_locate(const struct pdfdoc *d, uint32_t number, uint64_t *ret_offset, uint64_t *ret_length, uint32_t *ret_stream)
{
	const struct pdf_entry *entry = pdfdoc_entry(d, number);
	*ret_offset = *ret_length = 0;
	*ret_stream = 0;
	if (entry == NULL || entry->type == PDF_FREE)
		return false;
	const struct pdf_slot *slot = &d->state->slots[entry - d->entries];
	if (read_object(d, entry) == &pdf_null)
		return false;
	if (entry->type == PDF_PACKED) {
		*ret_stream = (uint32_t)(entry->at >> 32);
		return true;
	}
	*ret_offset = entry->at;
	*ret_length = slot->end - entry->at;
	return true;
}

/* A node of the page tree whose kids are being walked; a kid of number 0 is no reference. */
struct kid {
	uint32_t number;
	uint16_t generation;
};

struct level {
	struct kid *kids;
	uint32_t number;
	size_t n, at;
};

struct pdfpages {
	const struct pdfdoc *d;
	struct level levels[PDF_DEPTH];
	size_t depth;
	bool begun;
};

static enum status open_level(struct pdfpages *w, const struct pdfobj *kids, uint32_t number, struct err *e)
{
	size_t n = pdfobj_length(kids);
	struct level l = {.number = number, .n = n, .kids = calloc(n + 1, sizeof *l.kids)};
	if (l.kids == NULL)
		return pdf_no_memory(e);
	for (size_t i = 0; i < n; i++) {
		const struct pdfobj *o = pdfobj_at(kids, i);
		if (o->kind == PDF_REFERENCE)
			l.kids[i] = (struct kid){o->u.reference.number, o->u.reference.generation};
	}
	w->levels[w->depth++] = l;
	return ST_OK;
}

/* A node, each once: the kids of an inner one become a level, a leaf is a page. */
static enum status visit_node(struct pdfpages *w, const struct pdfobj *node, uint32_t *ret_page, struct err *e)
{
	const struct pdfdoc *d = w->d;
	uint32_t number = pdfobj_number(node);
	const struct pdf_entry *entry = pdfdoc_entry(d, number);
	if (pdfobj_kind(node) != PDF_DICT || entry == NULL)
		return err_set(e, ST_ITEM, "pdf-pages", "a node of the page tree is no indirect dictionary");
	struct pdf_slot *slot = &d->state->slots[entry - d->entries];
	if (slot->page_seen || w->depth >= PDF_DEPTH)
		return err_set(e, ST_ITEM, "pdf-pages", "object %u stands twice in the page tree, or too deep", number);
	slot->page_seen = true;
	const struct pdfobj *type = pdfobj_get(node, "Type"), *kids = pdfobj_get(node, "Kids");
	/* A lenient reader goes by Kids where the type says nothing. */
	bool guess = d->lenient && !pdfobj_is_name(type, "Page") && !pdfobj_is_name(type, "Pages");
	bool inner = pdfobj_kind(kids) == PDF_ARRAY && (guess || pdfobj_is_name(type, "Pages"));
	if (pdfobj_is_name(type, "Page") || (guess && !inner)) {
		*ret_page = number;
		return ST_OK;
	}
	if (!inner)
		return err_set(e, ST_ITEM, "pdf-pages", "object %u is no node of the page tree", number);
	return open_level(w, kids, number, e);
}

enum status pdfpages_new(const struct pdfdoc *d, struct pdfpages **ret_pages, struct err *e)
{
	*ret_pages = calloc(1, sizeof **ret_pages);
	if (*ret_pages == NULL)
		return pdf_no_memory(e);
	(*ret_pages)->d = d;
	for (size_t i = 0; i < d->n_entries; i++)
		d->state->slots[i].page_seen = false;
	return ST_OK;
}

enum status pdfpages_next(struct pdfpages *w, uint32_t *ret_page, struct err *e)
{
	enum status st = ST_OK;
	*ret_page = 0;
	if (!w->begun) {
		w->begun = true;
		st = visit_node(w, pdf_resolve(pdfobj_get(pdfdoc_catalog(w->d), "Pages")), ret_page, e);
	}
	while (st == ST_OK && *ret_page == 0 && w->depth > 0) {
		struct level *l = &w->levels[w->depth - 1];
		if (l->at == l->n) {
			free(l->kids);
			w->depth--;
			continue;
		}
		struct kid kid = l->kids[l->at++];
		if (kid.number == 0)
			return err_set(e, ST_ITEM, "pdf-pages", "object %u has a kid that is no reference", l->number);
		st = visit_node(w, pdf_resolve(pdfdoc_object_generation(w->d, kid.number, kid.generation)), ret_page, e);
	}
	return st;
}

void pdfpages_free(struct pdfpages *w)
{
	while (w != NULL && w->depth > 0)
		free(w->levels[--w->depth].kids);
	free(w);
}

static enum status list_pages(const struct pdfdoc *d, struct err *e)
{
	struct pdf_state *s = d->state;
	struct pdfpages *w;
	uint32_t number;
	enum status st = pdfpages_new(d, &w, e);
	while (st == ST_OK && (st = pdfpages_next(w, &number, e)) == ST_OK && number != 0) {
		if (s->n_pages % 256 == 0) {
			uint32_t *pages = realloc(s->pages, (s->n_pages + 256) * sizeof *pages);
			if (pages == NULL) {
				st = pdf_no_memory(e);
				break;
			}
			s->pages = pages;
		}
		s->pages[s->n_pages++] = number;
	}
	pdfpages_free(w);
	return st;
}

enum status pdfdoc_pages(const struct pdfdoc *d, size_t *ret_count, struct err *e)
{
	struct pdf_state *s = d->state;
	if (!s->pages_known) {
		s->pages_known = true;
		list_pages(d, &s->pages_fault);
		if (s->pages_fault.status == ST_ITEM)
			pdfdoc_fault(d, &s->pages_fault); /* a syntax fault in a node tells more */
	}
	if (s->pages_fault.status != ST_OK) {
		if (e != NULL)
			*e = s->pages_fault;
		return s->pages_fault.status;
	}
	*ret_count = s->n_pages;
	return ST_OK;
}

enum status pdfdoc_page(const struct pdfdoc *d, size_t index, uint32_t *ret_number, struct err *e)
{
	size_t n = 0;
	enum status st = pdfdoc_pages(d, &n, e);
	if (st != ST_OK)
		return st;
	if (index >= n)
		return err_set(e, ST_ITEM, "pdf-pages", "page %zu of %zu", index + 1, n);
	*ret_number = d->state->pages[index];
	return ST_OK;
}

const struct pdfobj *pdfdoc_page_attribute(const struct pdfdoc *d, uint32_t page, const char *key)
{
	static const char *const inherited[] = {"Resources", "MediaBox", "CropBox", "Rotate"};
	const struct pdfobj *node = pdfdoc_object(d, page);
	bool up = false;
	for (size_t i = 0; i < sizeof inherited / sizeof *inherited; i++)
		up = up || strcmp(key, inherited[i]) == 0;
	for (int depth = 0; depth <= PDF_DEPTH; depth++) {
		const struct pdfobj *value = pdfobj_get(node, key);
		if (pdfobj_kind(value) != PDF_NULL || !up)
			return value;
		node = pdf_resolve(pdfobj_get(node, "Parent"));
	}
	return &pdf_null;
}
