/* Header, cross-reference tables and streams, and the revisions that they mark (ISO 32000-1, 7.5). */
#include <stdlib.h>
#include <string.h>

#include "stages/pdf/internal.h"

#define NONE UINT64_MAX
#define LENIENT_SECTIONS_MAX 4096

/* A cross-reference section with its trailer. */
struct section {
	uint64_t offset, end; /* end: after the trailer dictionary or the stream's endobj */
	uint64_t prev;        /* NONE: the oldest */
	uint64_t stream;      /* XRefStm of a hybrid, or NONE */
	const struct pdfobj *trailer;
	bool is_stream;
};

/* "startxref N %%EOF" */
struct marker {
	uint64_t startxref, marker_end, end;
};

static enum status add_entry(struct pdfdoc *d, struct pdf_entry entry, struct err *e)
{
	if (entry.number >= PDF_OBJECTS_MAX || d->n_entries >= 2 * PDF_OBJECTS_MAX)
		return err_set(e, ST_ITEM, "pdf-limit", "cross-reference entry for object %u, entry number %zu", entry.number,
		               d->n_entries);
	if (d->n_entries == d->cap_entries) {
		size_t cap = d->cap_entries == 0 ? 256 : d->cap_entries * 2;
		struct pdf_entry *entries = realloc(d->entries, cap * sizeof *entries);
		if (entries == NULL)
			return pdf_no_memory(e);
		d->entries = entries;
		d->cap_entries = cap;
	}
	d->entries[d->n_entries++] = entry;
	return ST_OK;
}

static bool digits(const uint8_t *p, size_t n, uint64_t *ret_number)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(p[i] - '0');
	}
	*ret_number = v;
	return true;
}

/* One entry of 20 bytes (7.5.4): offset, space, generation, space, n or f, and an end-of-line of two bytes. */
static bool table_entry(const uint8_t *p, struct pdf_entry *ret_entry)
{
	uint64_t at, generation;
	bool eol = (p[18] == ' ' && (p[19] == '\r' || p[19] == '\n')) || (p[18] == '\r' && p[19] == '\n');
	if (!digits(p, 10, &at) || p[10] != ' ' || !digits(p + 11, 5, &generation) || generation > 65535 || p[16] != ' ' ||
	    (p[17] != 'n' && p[17] != 'f') || !eol)
		return false;
	ret_entry->at = at;
	ret_entry->generation = (uint16_t)generation;
	ret_entry->type = p[17] == 'n' ? PDF_PLAIN : PDF_FREE;
	return true;
}

/* The same with any spacing, for a lenient reader. What has generation 65536, as some writers have it, is nothing. */
static bool loose_entry(struct pdflex *lx, struct pdf_entry *ret_entry)
{
	uint64_t at, generation;
	pdflex_space(lx);
	if (!pdflex_unsigned(lx, UINT64_MAX, &at) || (pdflex_space(lx), !pdflex_unsigned(lx, 65536, &generation)))
		return false;
	pdflex_space(lx);
	bool used = pdflex_keyword(lx, "n");
	if (!used && !pdflex_keyword(lx, "f"))
		return false;
	ret_entry->at = at;
	ret_entry->generation = (uint16_t)(generation > 65535 ? 65535 : generation);
	ret_entry->type = used && generation <= 65535 ? PDF_PLAIN : PDF_FREE;
	return true;
}

static bool read_entry(const struct pdfdoc *d, struct pdflex *lx, struct pdf_entry *ret_entry)
{
	if (lx->in.n - lx->at >= 20 && table_entry(lx->in.p + lx->at, ret_entry)) {
		lx->at += 20;
		return true;
	}
	return d->lenient && loose_entry(lx, ret_entry);
}

static enum status read_table(struct pdfdoc *d, struct pdflex *lx, uint32_t order, struct section *s)
{
	for (;;) {
		pdflex_space(lx);
		if (pdflex_keyword(lx, "trailer"))
			break;
		uint64_t first, count;
		if (!pdflex_unsigned(lx, PDF_OBJECTS_MAX, &first) ||
		    (pdflex_space(lx), !pdflex_unsigned(lx, PDF_OBJECTS_MAX, &count)))
			return pdflex_fail(lx, "pdf-xref", "no cross-reference subsection where one must begin");
		pdflex_space(lx);
		for (uint64_t i = 0; i < count; i++) {
			struct pdf_entry entry = {.number = (uint32_t)(first + i), .order = order};
			if (!read_entry(d, lx, &entry))
				return pdflex_fail(lx, "pdf-xref", "a malformed cross-reference entry");
			/* Some writers begin to count at 1; the first entry shows it. */
			if (d->lenient && i == 0 && first == 1 && entry.type == PDF_FREE && entry.generation == 65535)
				entry.number = (uint32_t)(first = 0);
			enum status st = add_entry(d, entry, lx->e);
			if (st != ST_OK)
				return st;
		}
	}
	lx->number = 0;
	enum status st = pdflex_object(lx, &s->trailer);
	if (st == ST_OK && s->trailer->kind != PDF_DICT)
		st = pdflex_fail(lx, "pdf-trailer", "the trailer is no dictionary");
	return st;
}

static uint64_t field(const uint8_t **at, size_t width)
{
	uint64_t v = 0;
	for (size_t i = 0; i < width; i++)
		v = v << 8 | *(*at)++;
	return v;
}

/* The subsections of a cross-reference stream: Index, else [0 Size]. False: malformed. */
static bool subsection(const struct pdfobj *dict, size_t i, uint64_t *ret_first, uint64_t *ret_count)
{
	const struct pdfobj *index = pdfobj_get(dict, "Index");
	int64_t first = 0, count = pdfobj_integer(pdfobj_get(dict, "Size"));
	if (index->kind == PDF_ARRAY) {
		if (pdfobj_kind_direct(pdfobj_at(index, 2 * i)) != PDF_INTEGER ||
		    pdfobj_kind_direct(pdfobj_at(index, 2 * i + 1)) != PDF_INTEGER)
			return false;
		first = pdfobj_integer(pdfobj_at(index, 2 * i));
		count = pdfobj_integer(pdfobj_at(index, 2 * i + 1));
	} else if (index->kind != PDF_NULL) {
		return false;
	}
	*ret_first = (uint64_t)first;
	*ret_count = (uint64_t)count;
	return first >= 0 && count >= 0 && first <= PDF_OBJECTS_MAX && count <= PDF_OBJECTS_MAX;
}

static struct pdf_entry stream_entry(const uint8_t **at, const size_t width[3])
{
	uint64_t type = width[0] == 0 ? 1 : field(at, width[0]);
	uint64_t second = field(at, width[1]), third = field(at, width[2]);
	struct pdf_entry entry = {.at = second, .type = PDF_FREE};
	/* 7.5.8.3: what is of another type is a reference to the null object. */
	if (type == 1 && third <= 65535) {
		entry.type = PDF_PLAIN;
		entry.generation = (uint16_t)third;
	} else if (type == 2 && second < PDF_OBJECTS_MAX && third < PDF_OBJECTS_MAX) {
		entry.type = PDF_PACKED;
		entry.at = second << 32 | third;
	} else if (type == 0) {
		entry.generation = (uint16_t)third;
	}
	return entry;
}

static enum status read_stream(struct pdfdoc *d, struct pdflex *lx, uint32_t order, struct section *s)
{
	uint32_t number, generation;
	const struct pdfobj *o;
	enum status st = pdflex_indirect(lx, &number, &generation, &o);
	if (st != ST_OK)
		return st;
	const struct pdfobj *w = pdfobj_get(o, "W");
	if (o->kind != PDF_STREAM || !pdfobj_is_name(pdfobj_get(o, "Type"), "XRef") || pdfobj_length(w) != 3)
		return pdflex_fail(lx, "pdf-xref", "no cross-reference stream where one must be");
	s->trailer = o;
	size_t width[3];
	for (size_t i = 0; i < 3; i++) {
		int64_t v = pdfobj_integer(pdfobj_at(w, i));
		if (pdfobj_kind_direct(pdfobj_at(w, i)) != PDF_INTEGER || v < 0 || v > 8)
			return pdflex_fail(lx, "pdf-xref", "W of a cross-reference stream is malformed");
		width[i] = (size_t)v;
	}
	size_t bytes = width[0] + width[1] + width[2];
	const struct pdfobj *index = pdfobj_get(o, "Index");
	size_t n = index->kind == PDF_ARRAY ? pdfobj_length(index) : 2;
	uint64_t total = 0, first, count;
	for (size_t i = 0; i < n / 2; i++) {
		if (!subsection(o, i, &first, &count))
			return pdflex_fail(lx, "pdf-xref", "Index of a cross-reference stream is malformed");
		total += count;
	}
	if (bytes == 0 || n % 2 != 0 || total > PDF_OBJECTS_MAX)
		return pdflex_fail(lx, "pdf-xref", "W or Index of a cross-reference stream is malformed");
	/* A little more than needed is borne: some writers leave bytes after the last entry. */
	BUF_AUTO struct buf data = BUF_INIT((size_t)total * bytes + 65536);
	st = pdfobj_stream(o, &data, lx->e);
	if (st != ST_OK)
		return st;
	if (data.len < total * bytes)
		return pdflex_fail(lx, "pdf-xref", "a cross-reference stream has less data than entries");
	const uint8_t *at = data.data;
	for (size_t i = 0; i < n / 2 && st == ST_OK; i++) {
		subsection(o, i, &first, &count);
		for (uint64_t k = 0; k < count && st == ST_OK; k++) {
			struct pdf_entry entry = stream_entry(&at, width);
			entry.number = (uint32_t)(first + k);
			entry.order = order;
			st = add_entry(d, entry, lx->e);
		}
	}
	return st;
}

static bool offset_of(const struct pdfobj *trailer, const char *key, uint64_t *ret_offset)
{
	const struct pdfobj *o = pdfobj_get(trailer, key);
	*ret_offset = NONE;
	if (pdfobj_kind_direct(o) == PDF_NULL)
		return true;
	if (pdfobj_kind_direct(o) != PDF_INTEGER || pdfobj_integer(o) < 0)
		return false;
	*ret_offset = (uint64_t)pdfobj_integer(o);
	return true;
}

/* Where the header is not at the file's begin, some writers count a section's offset from the file's begin all the same. */
static uint64_t section_offset(const struct pdfdoc *d, uint64_t offset)
{
	struct pdflex lx = {.in = d->in, .at = (size_t)offset};
	if (offset >= d->in.n || offset < d->header || d->header == 0)
		return offset;
	pdflex_space(&lx);
	bool begins = lx.at < lx.in.n && (lx.in.p[lx.at] == 'x' || (lx.in.p[lx.at] >= '0' && lx.in.p[lx.at] <= '9'));
	return begins ? offset : offset - d->header;
}

static enum status read_section(struct pdfdoc *d, uint64_t offset, uint32_t order, struct section *ret_section, struct err *e)
{
	offset = section_offset(d, offset);
	if (offset >= d->in.n)
		return err_set(e, ST_ITEM, "pdf-xref", "a cross-reference section at byte %llu of %zu",
		               (unsigned long long)offset, d->in.n);
	struct pdflex lx = {.in = d->in, .at = (size_t)offset, .doc = d, .arena = &d->state->arena, .e = e};
	struct section s = {.offset = offset, .prev = NONE, .stream = NONE};
	while (lx.at < lx.in.n && pdf_is_space(lx.in.p[lx.at]))
		lx.at++;
	enum status st;
	if (pdflex_keyword(&lx, "xref")) {
		st = read_table(d, &lx, order, &s);
	} else {
		s.is_stream = true;
		st = read_stream(d, &lx, order, &s);
	}
	s.end = lx.at;
	if (st == ST_OK && (!offset_of(s.trailer, "Prev", &s.prev) || !offset_of(s.trailer, "XRefStm", &s.stream)))
		st = pdflex_fail(&lx, "pdf-trailer", "Prev or XRefStm is no offset");
	if (s.is_stream)
		s.stream = NONE;
	pdflex_free(&lx);
	*ret_section = s;
	return st;
}

static bool space_at(struct bytes in, uint64_t at)
{
	return at < in.n && pdf_is_space(in.p[at]);
}

/* The marker that follows at `at`, after white space and comments (iText writes its name there). */
static bool read_marker(struct bytes in, uint64_t at, struct marker *ret_marker)
{
	struct pdflex lx = {.in = in, .at = (size_t)at};
	pdflex_space(&lx);
	if (!pdflex_keyword(&lx, "startxref"))
		return false;
	while (space_at(in, lx.at))
		lx.at++;
	if (!pdflex_unsigned(&lx, INT64_MAX, &ret_marker->startxref))
		return false;
	while (space_at(in, lx.at))
		lx.at++;
	if (in.n - lx.at < 5 || memcmp(in.p + lx.at, "%%EOF", 5) != 0)
		return false;
	ret_marker->marker_end = ret_marker->end = lx.at + 5;
	if (ret_marker->end < in.n && in.p[ret_marker->end] == '\r')
		ret_marker->end++;
	if (ret_marker->end < in.n && in.p[ret_marker->end] == '\n')
		ret_marker->end++;
	return true;
}

/* The last marker of the file: nothing but white space may follow it. */
static enum status read_tail(struct bytes in, struct marker *ret_marker, struct err *e)
{
	size_t at = in.n;
	while (at > 0 && pdf_is_space(in.p[at - 1]))
		at--;
	if (at < 5 || memcmp(in.p + at - 5, "%%EOF", 5) != 0)
		return err_set(e, ST_ITEM, "pdf-trailer", "the file does not end with %%%%EOF");
	at -= 5;
	while (at > 0 && pdf_is_space(in.p[at - 1]))
		at--;
	while (at > 0 && in.p[at - 1] >= '0' && in.p[at - 1] <= '9')
		at--;
	while (at > 0 && pdf_is_space(in.p[at - 1]))
		at--;
	if (at < 9 || !read_marker(in, at - 9, ret_marker))
		return err_set(e, ST_ITEM, "pdf-trailer", "no startxref before the last %%%%EOF");
	/* What stands after the end-of-line counts to the last revision. */
	ret_marker->end = in.n;
	return ST_OK;
}

static enum status add_revision(struct pdfdoc *d, uint64_t startxref, const struct marker *m, struct err *e)
{
	struct pdf_revision *revisions = realloc(d->revisions, (d->n_revisions + 1) * sizeof *revisions);
	if (revisions == NULL)
		return pdf_no_memory(e);
	d->revisions = revisions;
	revisions[d->n_revisions++] = (struct pdf_revision){{startxref, m->end}, m->marker_end};
	return ST_OK;
}

/* Older sections first met are those of the newest revision; the caller turns the list round. A section that is not followed by
 * its own startxref is part of the revision above it. */
static enum status note_revision(struct pdfdoc *d, const struct section *newer, const struct section *s, bool pair, struct err *e)
{
	struct marker m;
	if (!read_marker(d->in, s->end, &m))
		return ST_OK;
	/* The first-page section of a linearized file has a marker that names nothing, or none at all; the marker after its main section
	 * names it (Annex F.3). */
	if (pair) {
		struct pdf_revision *r = &d->revisions[d->n_revisions - 1];
		if (m.startxref != newer->offset)
			return ST_OK;
		if (r->r.startxref != newer->offset)
			return add_revision(d, newer->offset, &m, e);
		if (d->n_revisions > 1)
			*r = (struct pdf_revision){{newer->offset, m.end}, m.marker_end};
		return ST_OK;
	}
	bool linearized_front = m.startxref == 0 && s->prev != NONE && s->prev > s->offset;
	if (m.startxref != s->offset && !linearized_front)
		return ST_OK;
	if (m.marker_end > newer->offset)
		return err_set(e, ST_ITEM, "pdf-xref", "sections at bytes %llu and %llu overlap", (unsigned long long)s->offset,
		               (unsigned long long)newer->offset);
	return add_revision(d, s->offset, &m, e);
}

static int by_number(const void *a, const void *b)
{
	const struct pdf_entry *x = a, *y = b;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static bool object_at(const struct pdfdoc *d, uint32_t number, uint64_t at)
{
	struct pdflex lx = {.in = d->in, .at = (size_t)at};
	uint64_t n;
	if (at >= d->in.n)
		return false;
	pdflex_space(&lx);
	return pdflex_unsigned(&lx, UINT32_MAX, &n) && n == number;
}

/* Where the header is not at the file's begin, entries may count from either; the first that leads to its object tells. */
static void count_from_header(struct pdfdoc *d)
{
	bool from_begin = false;
	for (size_t i = 0; i < d->n_entries && i < 64 && !from_begin; i++) {
		const struct pdf_entry *entry = &d->entries[i];
		if (entry->type != PDF_PLAIN || entry->at < d->header)
			continue;
		if (object_at(d, entry->number, entry->at))
			return;
		from_begin = object_at(d, entry->number, entry->at - d->header);
	}
	for (size_t i = 0; i < d->n_entries && from_begin; i++)
		if (d->entries[i].type == PDF_PLAIN && d->entries[i].at >= d->header)
			d->entries[i].at -= d->header;
}

/* Keeps the newest entry of each object. */
static enum status settle(struct pdfdoc *d, struct err *e)
{
	if (d->n_entries > 0)
		qsort(d->entries, d->n_entries, sizeof *d->entries, by_number);
	size_t n = 0;
	for (size_t i = 0; i < d->n_entries; i++) {
		const struct pdf_entry *entry = &d->entries[i];
		if (n > 0 && d->entries[n - 1].number == entry->number) {
			if (d->entries[n - 1].order == entry->order && !d->lenient)
				return err_set(e, ST_ITEM, "pdf-xref", "object %u has two entries in one cross-reference section",
				               entry->number);
			continue;
		}
		/* 7.5.5: an object beyond Size is missing for one reader and there for another. */
		if (entry->number >= d->size && entry->type != PDF_FREE && !d->lenient)
			return err_set(e, ST_ITEM, "pdf-xref", "object %u is not below Size %u", entry->number, d->size);
		d->entries[n++] = *entry;
	}
	d->n_entries = n;
	d->state->slots = calloc(n == 0 ? 1 : n, sizeof *d->state->slots);
	return d->state->slots == NULL ? pdf_no_memory(e) : ST_OK;
}

static enum status add_section(struct pdfdoc *d, const struct section *s, struct err *e)
{
	struct pdfdoc_section *sections = realloc(d->sections, (d->n_sections + 1) * sizeof *sections);
	if (sections == NULL)
		return pdf_no_memory(e);
	d->sections = sections;
	sections[d->n_sections++] = (struct pdfdoc_section){s->offset, s->trailer, s->is_stream};
	return ST_OK;
}

/* Whether a section may follow the one before it in the chain. */
static bool leads_back(const struct pdfdoc *d, const struct section *newer, const struct section *s, bool pair)
{
	if (!d->lenient)
		return s->offset != newer->offset && !(pair && s->prev != NONE);
	for (size_t i = 0; i < d->n_sections; i++)
		if (d->sections[i].offset == s->offset)
			return false;
	return d->n_sections < LENIENT_SECTIONS_MAX;
}

static enum status read_chain(struct pdfdoc *d, const struct marker *tail, struct err *e)
{
	struct section newer = {.prev = tail->startxref};
	uint64_t read_bytes = 0;
	enum status st = ST_OK;
	for (uint32_t order = 0; newer.prev != NONE; order += 2) {
		struct section s;
		st = read_section(d, newer.prev, order, &s, e);
		if (st != ST_OK)
			return st;
		/* A chain goes back in the file; only the two sections of a linearized file stand the other way, and they are its end. */
		bool pair = order > 0 && s.offset > newer.offset;
		if (order > 0 && !leads_back(d, &newer, &s, pair))
			return err_set(e, ST_ITEM, "pdf-xref", "Prev of the section at byte %llu does not lead back",
			               (unsigned long long)newer.offset);
		read_bytes += s.end - s.offset;
		if (order == 0) {
			d->trailer = s.trailer;
			d->xref_stream = s.is_stream;
			d->hybrid = s.stream != NONE;
			st = add_revision(d, s.offset, tail, e);
		} else {
			st = d->lenient ? ST_OK : note_revision(d, &newer, &s, pair, e);
		}
		if (st == ST_OK)
			st = add_section(d, &s, e);
		if (st == ST_OK && s.stream != NONE) {
			struct section hidden;
			st = read_section(d, s.stream, order + 1, &hidden, e);
			if (st == ST_OK && !hidden.is_stream)
				st = err_set(e, ST_ITEM, "pdf-xref", "XRefStm leads to no cross-reference stream");
			if (st == ST_OK)
				st = add_section(d, &hidden, e);
			read_bytes += st == ST_OK ? hidden.end - hidden.offset : 0;
		}
		/* Sections may lie inside each other's strings; reading them again and again must end. */
		if (st == ST_OK && read_bytes > 2 * (uint64_t)d->in.n)
			st = err_set(e, ST_ITEM, "pdf-xref", "cross-reference sections overlap");
		if (st != ST_OK)
			return st;
		newer = s;
	}
	return ST_OK;
}

/* The header within the first 1024 bytes, as readers look for it; what stands before it is cut off. */
static enum status find_header(struct pdfdoc *d, struct err *e)
{
	size_t n = d->in.n < 1024 ? d->in.n : 1024;
	const uint8_t *p = memmem(d->in.p, n, "%PDF-", 5);
	if (p == NULL)
		return err_set(e, ST_ITEM, "pdf-header", "there is no %%PDF- in the first 1024 bytes");
	d->header = (uint64_t)(p - d->in.p);
	d->in = (struct bytes){p, d->in.n - (size_t)d->header};
	p = d->in.p;
	d->header_version = 14;
	if (d->in.n >= 8 && p[5] >= '1' && p[5] <= '9' && p[6] == '.' && p[7] >= '0' && p[7] <= '9')
		d->header_version = (p[5] - '0') * 10 + p[7] - '0';
	return ST_OK;
}

/* The last startxref of the last 1024 bytes and the number after it. */
static enum status find_tail(struct bytes in, struct marker *ret_marker, struct err *e)
{
	size_t from = in.n < 1024 ? 0 : in.n - 1024;
	for (size_t at = in.n; at-- > from;) {
		struct pdflex lx = {.in = in, .at = at};
		if (!pdflex_keyword(&lx, "startxref"))
			continue;
		pdflex_space(&lx);
		*ret_marker = (struct marker){.marker_end = in.n, .end = in.n};
		if (pdflex_unsigned(&lx, INT64_MAX, &ret_marker->startxref))
			return ST_OK;
	}
	return err_set(e, ST_ITEM, "pdf-trailer", "no startxref in the last 1024 bytes");
}

static enum status read_header(struct pdfdoc *d, struct err *e)
{
	const uint8_t *p = d->in.p;
	if (d->in.n < 9 || memcmp(p, "%PDF-", 5) != 0 || p[5] < '1' || p[5] > '2' || p[6] != '.' || p[7] < '0' || p[7] > '9' ||
	    !pdf_is_space(p[8]))
		return err_set(e, ST_ITEM, "pdf-header", "the file does not begin with %%PDF and a version");
	d->header_version = (p[5] - '0') * 10 + p[7] - '0';
	return ST_OK;
}

enum status pdfxref_read(struct pdfdoc *d, struct err *e)
{
	struct marker tail;
	enum status st = d->lenient ? find_header(d, e) : read_header(d, e);
	if (st == ST_OK)
		st = d->lenient ? find_tail(d->in, &tail, e) : read_tail(d->in, &tail, e);
	if (st != ST_OK || (st = read_chain(d, &tail, e)) != ST_OK)
		return st;
	int64_t size = pdfobj_integer(pdfobj_get(d->trailer, "Size"));
	if (d->lenient && (size < 1 || size > PDF_OBJECTS_MAX))
		size = 1;
	if (size < 1 || size > PDF_OBJECTS_MAX)
		return err_set(e, ST_ITEM, "pdf-trailer", "Size is %lld", (long long)size);
	d->size = (uint32_t)size;
	for (size_t i = 0; i < d->n_revisions / 2; i++) {
		struct pdf_revision swap = d->revisions[i];
		d->revisions[i] = d->revisions[d->n_revisions - 1 - i];
		d->revisions[d->n_revisions - 1 - i] = swap;
	}
	st = settle(d, e);
	if (st == ST_OK && d->header > 0)
		count_from_header(d);
	return st;
}
