/* The parts of a workbook around its cells: which sheets there are, shared strings, number formats. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"
#include "stages/sheet/internal.h"

enum { PATH = 512, TEXT_MAX = 32767 * 4, STRING_LIMIT = 8 << 20, STYLE_LIMIT = 65536 };

/* One row of a .rels part (ISO/IEC 29500-2, 9.3). */
struct relation {
	char id[64], type[160], target[PATH];
};

struct relations {
	struct relation *v;
	size_t n;
};

static void relation_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_ns,
                           const xmlChar **ns, int n, int n_default, const xmlChar **attributes)
{
	struct part *p = context;
	struct relations *r = p->arg;
	(void)prefix, (void)uri, (void)n_ns, (void)ns, (void)n_default;
	if (strcmp((const char *)name, "Relationship") != 0 || r->n == SHEET_ENTRY_LIMIT)
		return;
	struct relation *v = reallocarray(r->v, r->n + 1, sizeof *v);
	if (v == NULL)
		return;
	r->v = v;
	part_attribute(attributes, n, "Id", v[r->n].id, sizeof v->id);
	part_attribute(attributes, n, "Type", v[r->n].type, sizeof v->type);
	part_attribute(attributes, n, "Target", v[r->n].target, sizeof v->target);
	r->n++;
}

static enum status read_relations(struct bytes in, const char *part, struct relations *r, struct err *e)
{
	static const xmlSAXHandler sax = {.startElementNs = relation_start};
	return part_read(in, part, &sax, r, e);
}

/* Types are URIs whose last word says what they are, in the transitional and the strict form. */
static const struct relation *by_type(const struct relations *r, const char *word)
{
	for (size_t i = 0; i < r->n; i++) {
		const char *last = strrchr(r->v[i].type, '/');
		if (last != NULL && strcmp(last + 1, word) == 0)
			return &r->v[i];
	}
	return NULL;
}

static const struct relation *by_id(const struct relations *r, const char *id)
{
	for (size_t i = 0; i < r->n; i++) {
		if (strcmp(r->v[i].id, id) == 0)
			return &r->v[i];
	}
	return NULL;
}

/* A target is absolute, or relative to the folder of the part that names it. */
static void resolve(const char *part, const char *target, char ret[PATH])
{
	const char *slash = strrchr(part, '/');
	int n;
	if (target[0] == '/')
		n = snprintf(ret, PATH, "%s", target + 1);
	else
		n = snprintf(ret, PATH, "%.*s%s", slash ? (int)(slash + 1 - part) : 0, part,
		             strncmp(target, "./", 2) == 0 ? target + 2 : target);
	if (n < 0 || n >= PATH)
		ret[0] = '\0'; /* no part has such a name */
}

/* xl/workbook.xml (18.2) */
struct workbook {
	struct xlsx *x;
	struct {
		char name[256], id[64];
	} sheet[SHEET_SHEET_LIMIT];
	size_t n;
};

static void workbook_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_ns,
                           const xmlChar **ns, int n, int n_default, const xmlChar **attributes)
{
	struct part *p = context;
	struct workbook *w = p->arg;
	char value[16];
	(void)prefix, (void)uri, (void)n_ns, (void)ns, (void)n_default;
	if (strcmp((const char *)name, "workbookPr") == 0) {
		part_attribute(attributes, n, "date1904", value, sizeof value);
		w->x->epoch_1904 = strcmp(value, "1") == 0 || strcmp(value, "true") == 0;
	} else if (strcmp((const char *)name, "sheet") == 0 && w->n < SHEET_SHEET_LIMIT) {
		part_attribute(attributes, n, "name", w->sheet[w->n].name, sizeof w->sheet->name);
		part_attribute(attributes, n, "id", w->sheet[w->n].id, sizeof w->sheet->id);
		w->n++;
	}
}

size_t xlsx_unescape(char *text, size_t n)
{
	size_t to = 0;
	for (size_t i = 0; i < n; i++) {
		char hex[5] = {0}, *end = hex;
		if (n - i >= 7 && text[i] == '_' && text[i + 1] == 'x' && text[i + 6] == '_')
			memcpy(hex, text + i + 2, 4);
		unsigned long c = strspn(hex, "0123456789abcdefABCDEF") == 4 ? strtoul(hex, &end, 16) : 0;
		if (c != 0 && (c < 0xd800 || c > 0xdfff)) {
			to += utf8_put((uint32_t)c, text + to); /* at most 3 bytes for 7 */
			i += 6;
		} else {
			text[to++] = text[i];
		}
	}
	return to;
}

/* xl/sharedStrings.xml (18.4) */
struct strings {
	struct xlsx *x;
	struct buf text;
	bool in_text;
	unsigned phonetic; /* inside rPh: how East Asian words are read, not part of the text */
	bool full;
};

static void strings_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_ns,
                          const xmlChar **ns, int n, int n_default, const xmlChar **attributes)
{
	struct strings *s = ((struct part *)context)->arg;
	(void)prefix, (void)uri, (void)n_ns, (void)ns, (void)n, (void)n_default, (void)attributes;
	if (strcmp((const char *)name, "si") == 0)
		buf_reset(&s->text);
	s->phonetic += strcmp((const char *)name, "rPh") == 0;
	s->in_text = strcmp((const char *)name, "t") == 0 && s->phonetic == 0;
}

static bool keep_string(struct xlsx *x, struct buf *text)
{
	if (x->n_strings == x->cap_strings) {
		size_t cap = x->cap_strings ? 2 * x->cap_strings : 1024;
		const char **v = cap > STRING_LIMIT ? NULL : reallocarray(x->string, cap, sizeof *v);
		if (v == NULL)
			return false;
		x->string = v;
		x->cap_strings = cap;
	}
	size_t n = text->len > 0 ? xlsx_unescape((char *)text->data, text->len) : 0;
	const char *kept = text->failed ? NULL : book_text(x->book, n > 0 ? (char *)text->data : "", n);
	x->string[x->n_strings] = kept;
	x->n_strings += kept != NULL;
	return kept != NULL;
}

static void strings_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct part *p = context;
	struct strings *s = p->arg;
	(void)prefix, (void)uri;
	s->in_text = false;
	s->phonetic -= strcmp((const char *)name, "rPh") == 0 && s->phonetic > 0;
	if (strcmp((const char *)name, "si") == 0 && !keep_string(s->x, &s->text)) {
		s->full = true;
		part_stop(p);
	}
}

static void strings_text(void *context, const xmlChar *text, int n)
{
	struct strings *s = ((struct part *)context)->arg;
	if (s->in_text)
		buf_add(&s->text, text, (size_t)n);
}

static enum status read_strings(struct xlsx *x, const char *part, struct err *e)
{
	static const xmlSAXHandler sax = {
	    .startElementNs = strings_start, .endElementNs = strings_end, .characters = strings_text, .cdataBlock = strings_text};
	struct strings s = {.x = x, .text = BUF_INIT(TEXT_MAX)};
	enum status st = part_read(x->in, part, &sax, &s, e);
	buf_free(&s.text);
	return st == ST_OK && s.full ? sheet_too_large("text", e) : st;
}

/* xl/styles.xml (18.8): which of the cell formats are dates. */
struct styles {
	struct xlsx *x;
	struct {
		unsigned id;
		enum number_kind kind;
	} * own;
	size_t n_own;
	bool in_cell_formats;
};

static void add_style(struct styles *s, unsigned id)
{
	struct xlsx *x = s->x;
	enum number_kind kind = number_kind(id, NULL), *v;
	for (size_t i = 0; i < s->n_own; i++) {
		if (s->own[i].id == id)
			kind = s->own[i].kind;
	}
	if (x->n_styles == STYLE_LIMIT || (v = reallocarray(x->style, x->n_styles + 1, sizeof *v)) == NULL)
		return;
	x->style = v;
	x->style[x->n_styles++] = kind;
}

static void styles_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_ns,
                         const xmlChar **ns, int n, int n_default, const xmlChar **attributes)
{
	struct styles *s = ((struct part *)context)->arg;
	char id[16], code[512];
	int64_t number = 0;
	(void)prefix, (void)uri, (void)n_ns, (void)ns, (void)n_default;
	part_attribute(attributes, n, "numFmtId", id, sizeof id);
	number_parse(id, 0, 65535, &number);
	if (strcmp((const char *)name, "cellXfs") == 0) {
		s->in_cell_formats = true;
	} else if (strcmp((const char *)name, "numFmt") == 0 && s->n_own < 4096) {
		void *v = reallocarray(s->own, s->n_own + 1, sizeof *s->own);
		if (v == NULL)
			return;
		s->own = v;
		part_attribute(attributes, n, "formatCode", code, sizeof code);
		s->own[s->n_own].id = (unsigned)number;
		s->own[s->n_own++].kind = number_kind(0, code);
	} else if (strcmp((const char *)name, "xf") == 0 && s->in_cell_formats) {
		add_style(s, (unsigned)number);
	}
}

static void styles_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct styles *s = ((struct part *)context)->arg;
	(void)prefix, (void)uri;
	if (strcmp((const char *)name, "cellXfs") == 0)
		s->in_cell_formats = false;
}

static enum status read_styles(struct xlsx *x, const char *part, struct err *e)
{
	static const xmlSAXHandler sax = {.startElementNs = styles_start, .endElementNs = styles_end};
	struct styles s = {.x = x};
	enum status st = part_read(x->in, part, &sax, &s, e);
	free(s.own);
	return st;
}

static enum status read_sheets(struct xlsx *x, const struct workbook *w, const char *part, const struct relations *r,
                               struct err *e)
{
	char path[PATH];
	enum status st = ST_OK;
	for (size_t i = 0; i < w->n && st == ST_OK; i++) {
		const struct relation *to = by_id(r, w->sheet[i].id);
		const char *kind = to ? strrchr(to->type, '/') : NULL;
		if (to == NULL) {
			err_set(e, ST_ITEM, "xlsx-part", "sheet %s is missing", w->sheet[i].name);
			err_arg(e, "%s", w->sheet[i].name);
			return ST_ITEM;
		}
		if (kind == NULL || strcmp(kind, "/worksheet") != 0)
			continue; /* a sheet of a chart has no cells */
		resolve(part, to->target, path);
		st = xlsx_cells(x, path, w->sheet[i].name, e);
	}
	return st;
}

static enum status read_workbook(struct xlsx *x, const char *part, struct relations *r, struct workbook *w, struct err *e)
{
	static const xmlSAXHandler sax = {.startElementNs = workbook_start};
	char path[PATH + 16];
	const char *slash = strrchr(part, '/'), *name = slash ? slash + 1 : part;
	enum status st = part_read(x->in, part, &sax, w, e);
	if (st != ST_OK)
		return st;
	snprintf(path, sizeof path, "%.*s_rels/%s.rels", (int)(name - part), part, name);
	st = read_relations(x->in, path, r, e);
	const struct relation *strings = by_type(r, "sharedStrings"), *styles = by_type(r, "styles");
	if (st == ST_OK && strings != NULL) {
		resolve(part, strings->target, path);
		st = read_strings(x, path, e);
	}
	if (st == ST_OK && styles != NULL) {
		resolve(part, styles->target, path);
		st = read_styles(x, path, e);
	}
	return st == ST_OK ? read_sheets(x, w, part, r, e) : st;
}

enum status xlsx_parse(struct bytes in, struct book *b, struct err *e)
{
	struct xlsx x = {.in = in, .book = b};
	struct relations top = {0}, of_workbook = {0};
	struct workbook *w = calloc(1, sizeof *w);
	char part[PATH] = "xl/workbook.xml";
	if (w == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for a workbook");
	w->x = &x;
	enum status st = read_relations(in, "_rels/.rels", &top, e);
	const struct relation *document = by_type(&top, "officeDocument");
	if (st == ST_OK && document != NULL)
		resolve("", document->target, part);
	if (st == ST_OK)
		st = read_workbook(&x, part, &of_workbook, w, e);
	free(top.v);
	free(of_workbook.v);
	free(w);
	free(x.string);
	free(x.style);
	return st;
}
