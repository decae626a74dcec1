/* One sheet of a workbook (18.3): its cells and merged ranges. */
#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"
#include "stages/sheet/internal.h"

enum { TEXT_MAX = 32767 * 4, FILL_LIMIT = 8 << 20 };

struct range {
	uint32_t row1, column1, row2, column2; /* counted from 0, both ends belong to it */
};

struct cells {
	struct xlsx *x;
	struct sheet *sheet;
	struct range *merge;
	size_t n_merges;
	uint32_t row, column; /* of the cell that is open */
	int64_t next_row;     /* where a row or cell does not say its place */
	int64_t next_column;
	char type[16];
	unsigned style;
	struct buf value;
	bool in_value;
	unsigned phonetic;
	enum status st;
	struct err *e;
};

/* "C7"; false for anything else. */
static bool read_place(const char *text, size_t n, uint32_t *ret_row, uint32_t *ret_column)
{
	uint64_t column = 0, row = 0;
	size_t i = 0;
	for (; i < n && text[i] == '$'; i++)
		;
	for (; i < n && ((text[i] >= 'A' && text[i] <= 'Z') || (text[i] >= 'a' && text[i] <= 'z')) && column < 100000; i++)
		column = column * 26 + (uint64_t)((text[i] & 0x1f));
	for (; i < n && text[i] == '$'; i++)
		;
	size_t digits = i;
	for (; i < n && text[i] >= '0' && text[i] <= '9' && row < 100000000; i++)
		row = row * 10 + (uint64_t)(text[i] - '0');
	if (i != n || i == digits || column == 0 || row == 0)
		return false;
	*ret_row = (uint32_t)(row - 1);
	*ret_column = (uint32_t)(column - 1);
	return true;
}

static void stop(struct part *p, struct cells *c, enum status st)
{
	c->st = st;
	part_stop(p);
}

static enum status bad_cell(struct cells *c, const char *what)
{
	char name[CELL_NAME];
	cell_name(c->row, c->column, name);
	err_set(c->e, ST_ITEM, "xlsx-xml", "sheet %s, cell %s: %s", c->sheet->name, name, what);
	err_arg(c->e, "%s!%s", c->sheet->name, name);
	return ST_ITEM;
}

static void open_row(struct cells *c, int n, const xmlChar **attributes)
{
	char text[32];
	int64_t row = c->next_row;
	if (part_attribute(attributes, n, "r", text, sizeof text) && number_parse(text, 1, UINT32_MAX, &row))
		row--;
	c->row = (uint32_t)row;
	c->next_row = row + 1;
	c->next_column = 0;
}

static void open_cell(struct part *p, struct cells *c, int n, const xmlChar **attributes)
{
	char text[32];
	int64_t style = 0;
	if (!part_attribute(attributes, n, "r", text, sizeof text)) {
		c->column = (uint32_t)c->next_column;
	} else if (!read_place(text, strlen(text), &c->row, &c->column)) {
		stop(p, c, bad_cell(c, "a cell without a right place"));
		return;
	}
	c->next_column = (int64_t)c->column + 1;
	part_attribute(attributes, n, "t", c->type, sizeof c->type);
	part_attribute(attributes, n, "s", text, sizeof text);
	number_parse(text, 0, INT32_MAX, &style);
	c->style = (unsigned)style;
	buf_reset(&c->value);
}

static void add_merge(struct part *p, struct cells *c, int n, const xmlChar **attributes)
{
	char text[64];
	struct range r;
	part_attribute(attributes, n, "ref", text, sizeof text);
	size_t colon = strcspn(text, ":");
	if (text[colon] == 0 || !read_place(text, colon, &r.row1, &r.column1) ||
	    !read_place(text + colon + 1, strlen(text + colon + 1), &r.row2, &r.column2))
		return;
	struct range *v = c->n_merges == SHEET_MERGE_LIMIT ? NULL : reallocarray(c->merge, c->n_merges + 1, sizeof *v);
	if (v == NULL) {
		stop(p, c, sheet_too_large("merged ranges", c->e));
		return;
	}
	c->merge = v;
	c->merge[c->n_merges++] = r;
}

static void cells_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_ns,
                        const xmlChar **ns, int n, int n_default, const xmlChar **attributes)
{
	struct part *p = context;
	struct cells *c = p->arg;
	const char *tag = (const char *)name;
	(void)prefix, (void)uri, (void)n_ns, (void)ns, (void)n_default;
	if (c->st != ST_OK)
		return;
	if (strcmp(tag, "row") == 0)
		open_row(c, n, attributes);
	else if (strcmp(tag, "c") == 0)
		open_cell(p, c, n, attributes);
	else if (strcmp(tag, "mergeCell") == 0)
		add_merge(p, c, n, attributes);
	c->phonetic += strcmp(tag, "rPh") == 0;
	c->in_value = (strcmp(tag, "v") == 0 || strcmp(tag, "t") == 0) && c->phonetic == 0;
}

static void cells_text(void *context, const xmlChar *text, int n)
{
	struct cells *c = ((struct part *)context)->arg;
	if (c->in_value)
		buf_add(&c->value, text, (size_t)n);
}

static const char *number_text(struct cells *c, const char *value)
{
	char text[NUMBER_TEXT], *end = NULL;
	double number = strtod(value, &end);
	if (end == value || *end != 0 || !(number > -1e300 && number < 1e300))
		return book_text(c->x->book, value, strlen(value));
	number_show(number, c->style < c->x->n_styles ? c->x->style[c->style] : NUMBER_PLAIN, c->x->epoch_1904, text);
	return book_text(c->x->book, text, strlen(text));
}

/* ISO 8601 in a cell of type d, as the strict form has it. */
static const char *date_text(struct cells *c, const char *value)
{
	char text[32];
	size_t n = strlen(value);
	bool time = n >= 16 && value[10] == 'T';
	if (n < 10 || (n > 10 && !time) || strspn(value, "0123456789-") != 10 || value[4] != '-' || value[7] != '-')
		return book_text(c->x->book, value, n);
	time = time && memcmp(value + 11, "00:00", 5) != 0;
	snprintf(text, sizeof text, "%.2s/%.2s/%.4s%s%.5s", value + 8, value + 5, value, time ? " " : "", time ? value + 11 : "");
	return book_text(c->x->book, text, strlen(text));
}

static enum status close_cell(struct cells *c)
{
	struct buf *b = &c->value;
	const char *value = (const char *)b->data;
	int64_t index;
	if (b->failed)
		return sheet_too_large("text", c->e);
	if (b->len == 0)
		return ST_OK;
	if (strcmp(c->type, "s") == 0) {
		if (!number_parse(value, 0, (int64_t)c->x->n_strings - 1, &index))
			return bad_cell(c, "a shared string that is not there");
		value = c->x->string[index];
		if (*value == 0)
			return ST_OK;
	} else if (strcmp(c->type, "inlineStr") == 0 || strcmp(c->type, "str") == 0) {
		value = book_text(c->x->book, value, xlsx_unescape((char *)b->data, b->len));
	} else if (strcmp(c->type, "d") == 0) {
		value = date_text(c, value);
	} else if (strcmp(c->type, "b") == 0 || strcmp(c->type, "e") == 0) {
		value = book_text(c->x->book, value, b->len);
	} else {
		value = number_text(c, value);
	}
	return sheet_put(c->x->book, c->sheet, c->row, c->column, value, c->e);
}

static void cells_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct part *p = context;
	struct cells *c = p->arg;
	(void)prefix, (void)uri;
	c->in_value = false;
	c->phonetic -= strcmp((const char *)name, "rPh") == 0 && c->phonetic > 0;
	if (c->st != ST_OK || strcmp((const char *)name, "c") != 0)
		return;
	enum status st = close_cell(c);
	if (st != ST_OK)
		stop(p, c, st);
}

/* A merged range shows its first cell's value; every empty cell of it gets that. A range that reaches below the last row that
 * holds something ends there. */
static enum status fill_merges(struct cells *c)
{
	size_t filled = 0;
	for (size_t i = 0; i < c->n_merges; i++) {
		struct range r = c->merge[i];
		const char *value = sheet_cell(c->sheet, r.row1, r.column1);
		if (*value == 0)
			continue;
		if (r.column2 >= SHEET_COLUMN_LIMIT)
			r.column2 = SHEET_COLUMN_LIMIT - 1;
		for (uint32_t row = r.row1; row <= r.row2 && row < c->sheet->n_rows; row++) {
			for (uint32_t column = r.column1; column <= r.column2; column++) {
				enum status st = ST_OK;
				if (++filled > FILL_LIMIT)
					return sheet_too_large("merged cells", c->e);
				if (*sheet_cell(c->sheet, row, column) == 0)
					st = sheet_put(c->x->book, c->sheet, row, column, value, c->e);
				if (st != ST_OK)
					return st;
			}
		}
	}
	return ST_OK;
}

enum status xlsx_cells(struct xlsx *x, const char *part, const char *name, struct err *e)
{
	static const xmlSAXHandler sax = {
	    .startElementNs = cells_start, .endElementNs = cells_end, .characters = cells_text, .cdataBlock = cells_text};
	struct cells c = {.x = x, .sheet = book_add(x->book, name), .value = BUF_INIT(TEXT_MAX), .e = e};
	if (c.sheet == NULL)
		return sheet_too_large("sheets", e);
	enum status st = part_read(x->in, part, &sax, &c, e);
	if (c.st != ST_OK)
		st = c.st;
	if (st == ST_OK)
		st = fill_merges(&c);
	buf_free(&c.value);
	free(c.merge);
	return st;
}
