/* The spreadsheet of a fonds: which cells are the header, and what the rows under it say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stages/base/file.h"
#include "stages/base/text.h"
#include "stages/ingest/internal.h"

enum { HEADER_ROWS = 30, HEADER_MIN = 3, NONE = UINT32_MAX };

static bool has_title(const struct profile_column *c, const char *folded)
{
	for (unsigned i = 0; i < c->titles_count; i++) {
		char *title = text_fold(c->titles[i]);
		bool same = strcmp(title, folded) == 0;
		free(title);
		if (same)
			return true;
	}
	return false;
}

/* Which profile column a header cell names; NONE: no known one. The group cell above may be part of the title: "Hồ sơ / Ghi chú". */
static size_t match_title(const struct profile_ingest *p, const struct sheet *s, uint32_t row, uint32_t column)
{
	const char *cell = sheet_cell(s, row, column), *above = row > 0 ? sheet_cell(s, row - 1, column) : "";
	size_t found = NONE;
	if (*cell == 0)
		return NONE;
	char *joined = text_join("%s / %s", above, cell), *with_group = text_fold(joined), *alone = text_fold(cell);
	for (unsigned i = 0; i < p->columns_count && found == NONE; i++) {
		if (has_title(&p->columns[i], with_group))
			found = i;
	}
	for (unsigned i = 0; i < p->columns_count && found == NONE; i++) {
		if (has_title(&p->columns[i], alone))
			found = i;
	}
	free(joined);
	free(with_group);
	free(alone);
	return found;
}

static size_t count_titles(const struct profile_ingest *p, const struct sheet *s, uint32_t row)
{
	size_t n = 0;
	for (uint32_t column = 0; column < s->rows[row].n; column++)
		n += match_title(p, s, row, column) != NONE;
	return n;
}

/* Fills in the columns from the header row. */
static enum status read_header(struct tables *t, struct table *table, struct err *e)
{
	const struct profile_ingest *p = t->profile;
	const struct sheet *s = table->sheet;
	char name[CELL_NAME];
	for (uint32_t column = 0; column < s->rows[table->header].n; column++) {
		size_t found = match_title(p, s, table->header, column);
		if (found == NONE)
			continue;
		/* A header cell that is merged over several columns says its title in each: the first one counts. */
		if (table->column[found] != NONE && column > 0 &&
		    strcmp(sheet_cell(s, table->header, column), sheet_cell(s, table->header, column - 1)) == 0)
			continue;
		if (table->column[found] != NONE) {
			cell_name(table->header, column, name);
			err_set(e, ST_ITEM, "sheet-column-twice", "%s!%s: a second column \"%s\"", s->name, name,
			        sheet_cell(s, table->header, column));
			err_arg(e, "%s!%s", s->name, name);
			err_arg(e, "%s", sheet_cell(s, table->header, column));
			return ST_ITEM;
		}
		table->column[found] = column;
	}
	for (unsigned i = 0; i < p->columns_count; i++) {
		/* Those that bind some kinds only may be missing where no such document is. */
		if (p->columns[i].required && p->columns[i].kinds_count == 0 && table->column[i] == NONE) {
			const char *title = p->columns[i].titles_count > 0 ? p->columns[i].titles[0] : p->columns[i].field;
			err_set(e, ST_ITEM, "sheet-column", "sheet %s has no column \"%s\"", s->name, title);
			err_arg(e, "%s", s->name);
			err_arg(e, "%s", title);
			return ST_ITEM;
		}
	}
	return ST_OK;
}

static size_t column_of(const struct profile_ingest *p, const char *field, bool dossier)
{
	for (unsigned i = 0; i < p->columns_count; i++) {
		if (p->columns[i].dossier == dossier && strcmp(p->columns[i].field, field) == 0)
			return i;
	}
	return NONE;
}

static char *row_cell(const struct tables *t, const struct row *r, size_t column)
{
	const struct table *table = &t->v[r->sheet];
	if (column == NONE || table->column[column] == NONE)
		return must(strdup(""));
	return text_trim(sheet_cell(table->sheet, r->number, table->column[column]));
}

/* Many tables number their columns in a row under the header: (1) (2) (3) … */
static bool is_numbering(const struct sheet *s, uint32_t row)
{
	size_t n = 0;
	int64_t last = 0, number = 0;
	for (uint32_t column = 0; column < s->rows[row].n; column++) {
		char digits[8] = "";
		const char *cell = sheet_cell(s, row, column);
		if (*cell == 0)
			continue;
		if (sscanf(cell, *cell == '(' ? "(%7[0-9])" : "%7[0-9]", digits) != 1 ||
		    !number_parse(digits, 1, 10000, &number) || number < last || number > last + 1)
			return false;
		last = number;
		n++;
	}
	return n >= HEADER_MIN && last >= HEADER_MIN;
}

/* Backslashes, "./", slashes at the ends: people write paths in many ways. NULL where nothing is left. */
static char *tidy_path(char *path)
{
	char *from = path, *to = path;
	for (char *c = path; *c != 0; c++)
		*c = *c == '\\' ? '/' : *c;
	while (*from != 0) {
		if (*from == '/' && (to == path || from[1] == '/' || from[1] == 0))
			from++;
		else if ((to == path || to[-1] == '/') && from[0] == '.' && from[1] == '/')
			from += 2;
		else
			*to++ = *from++;
	}
	*to = 0;
	if (*path != 0)
		return path;
	free(path);
	return NULL;
}

static void add_row(struct tables *t, uint32_t table, uint32_t number)
{
	const struct profile_ingest *p = t->profile;
	struct row r = {.sheet = table, .number = number};
	int64_t ordinal = 0;
	r.path = tidy_path(row_cell(t, &r, column_of(p, "path", false)));
	r.dossier = row_cell(t, &r, column_of(p, p->dossier_field, true));
	char *text = row_cell(t, &r, column_of(p, p->ordinal_field, false));
	if (*r.dossier == 0) {
		free(r.dossier);
		r.dossier = NULL;
	}
	if (r.dossier != NULL && number_parse(text, 0, UINT32_MAX, &ordinal)) {
		r.ordinal = (uint32_t)ordinal;
		r.code = text_join("%s.%0*u", r.dossier, (int)p->ordinal_digits, r.ordinal);
	}
	free(text);
	if ((t->n_rows & (t->n_rows + 1)) == 0 || t->rows == NULL) /* doubles at 1, 3, 7 … */
		t->rows = must(reallocarray(t->rows, 2 * (t->n_rows + 1), sizeof *t->rows));
	t->rows[t->n_rows++] = r;
}

static void read_rows(struct tables *t, uint32_t index)
{
	const struct table *table = &t->v[index];
	const struct sheet *s = table->sheet;
	for (uint32_t row = table->header + 1; row < s->n_rows; row++) {
		bool empty = true;
		for (unsigned i = 0; i < t->profile->columns_count && empty; i++)
			empty = table->column[i] == NONE || *sheet_cell(s, row, table->column[i]) == 0;
		/* The header's cells may be merged downwards. */
		bool repeated = table->header + 4 > row && count_titles(t->profile, s, row) >= HEADER_MIN;
		if (!empty && !repeated && !(row < table->header + 4 && is_numbering(s, row)))
			add_row(t, index, row);
	}
}

static enum status read_sheet(struct tables *t, const struct sheet *s, struct err *e)
{
	size_t best = 0;
	uint32_t header = 0;
	for (uint32_t row = 0; row < s->n_rows && row < HEADER_ROWS; row++) {
		size_t n = count_titles(t->profile, s, row);
		if (n > best) {
			best = n;
			header = row;
		}
	}
	if (best < HEADER_MIN)
		return ST_OK; /* another kind of sheet: notes, lists */
	struct table *table = &t->v[t->n++];
	*table = (struct table){.sheet = s, .header = header};
	table->column = must(reallocarray(NULL, t->profile->columns_count, sizeof *table->column));
	memset(table->column, 0xff, t->profile->columns_count * sizeof *table->column);
	enum status st = read_header(t, table, e);
	if (st == ST_OK)
		read_rows(t, (uint32_t)t->n - 1);
	return st;
}

static enum status find_spreadsheet(const char *fonds, const struct profile_ingest *p, char **ret_path, struct err *e)
{
	*ret_path = NULL;
	for (unsigned i = 0; i < p->spreadsheets_count; i++) {
		char *path = must(path_join(fonds, p->spreadsheets[i]));
		struct stat s;
		if (lstat(path, &s) != 0 || !S_ISREG(s.st_mode)) { /* a link is not followed, and told of as a document */
			free(path);
		} else if (*ret_path != NULL) {
			err_set(e, ST_ITEM, "sheet-two-files", "%s and %s describe the same fonds", path_name(*ret_path),
			        path_name(path));
			err_arg(e, "%s", path_name(*ret_path));
			err_arg(e, "%s", path_name(path));
			free(path);
			free(*ret_path);
			*ret_path = NULL;
			return err_where(e, "%s", fonds);
		} else {
			*ret_path = path;
		}
	}
	if (*ret_path != NULL)
		return ST_OK;
	err_set(e, ST_ITEM, "sheet-missing", "no spreadsheet in %s", fonds);
	err_arg(e, "%s", p->spreadsheets[0]);
	return err_where(e, "%s", fonds);
}

enum status tables_load(const char *fonds, const struct profile_ingest *p, struct tables *ret_tables, struct err *e)
{
	struct tables t = {.profile = p};
	char *path = NULL;
	enum status st = find_spreadsheet(fonds, p, &path, e);
	if (st == ST_OK)
		st = book_load(path, &t.book, e);
	if (st == ST_OK) {
		t.file = text_join("%s/%s", path_name(fonds), path_name(path));
		t.v = must(calloc(book_size(t.book) + 1, sizeof *t.v));
	}
	for (size_t i = 0; st == ST_OK && i < book_size(t.book); i++)
		st = read_sheet(&t, book_sheet(t.book, i), e);
	if (st == ST_OK && t.n == 0) {
		err_set(e, ST_ITEM, "sheet-header", "no sheet of %s has a header with known titles", path_name(path));
		err_arg(e, "%s", path_name(path));
		st = ST_ITEM;
	}
	if (st != ST_OK) {
		err_where(e, "%s", path ? path : fonds);
		tables_free(&t);
	} else {
		*ret_tables = t;
	}
	free(path);
	return st;
}

void tables_free(struct tables *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i].column);
	for (size_t i = 0; i < t->n_rows; i++) {
		free(t->rows[i].path);
		free(t->rows[i].dossier);
		free(t->rows[i].code);
	}
	free(t->rows);
	free(t->v);
	free(t->file);
	book_free(t->book);
	*t = (struct tables){0};
}

void cell_fault(const struct tables *t, const struct row *r, size_t column, const char *code, const char *value,
                const char *allowed, struct err *fault)
{
	static const struct profile_column unknown = {.field = "", .article = ""};
	const struct table *table = &t->v[r->sheet];
	bool known = column < t->profile->columns_count;
	const struct profile_column *c = known ? &t->profile->columns[column] : &unknown;
	uint32_t at = known ? table->column[column] : NONE;
	char cell[CELL_NAME];
	const char *title = c->titles_count > 0 ? c->titles[0] : c->field;
	cell_name(r->number, at == NONE ? 0 : at, cell);
	if (at == NONE)
		snprintf(cell, sizeof cell, "%u", r->number + 1); /* there is no such column: the row alone */
	if (fault->code[0] != 0) {                                /* one notice tells of all that is wrong in the row */
		size_t n = strlen(fault->detail);
		snprintf(fault->detail + n, sizeof fault->detail - n, "; %s %s (%s)", code, cell, c->field);
		if (!utf8_valid(fault->detail, strlen(fault->detail)))
			fault->detail[n] = 0;
		return;
	}
	err_set(fault, ST_ITEM, code, "%s!%s %s: \"%.100s\"%s%s [%s]", table->sheet->name, cell, c->field, value,
	        *allowed ? "; allowed: " : "", allowed, c->article);
	if (!utf8_valid(fault->detail, strlen(fault->detail)))
		err_set(fault, ST_ITEM, code, "%s!%s %s", table->sheet->name, cell, c->field);
	err_arg(fault, "%s!%s", table->sheet->name, cell);
	err_arg(fault, "%s", title);
	err_arg(fault, "%s", value);
	err_arg(fault, "%s%s%s%s", allowed, *c->article ? " (" : "", c->article, *c->article ? ")" : "");
	err_where(fault, "%s: %s!%s", t->file, table->sheet->name, cell);
}

/* Whether a condition holds, in the columns of the dossier or of the document; NULL dossier: in any. */
static bool holds(const struct profile_ingest *p, const struct profile_condition *c, const struct values *v, const bool *dossier)
{
	for (unsigned i = 0; i < p->columns_count && c->field != NULL; i++) {
		if (v->v[i] == NULL || strcmp(p->columns[i].field, c->field) != 0 ||
		    (dossier != NULL && p->columns[i].dossier != *dossier))
			continue;
		for (unsigned k = 0; k < c->values_count; k++) {
			if (text_same(v->v[i], c->values[k]))
				return true;
		}
	}
	return false;
}

static enum item_kind kind_named(const char *name)
{
	for (enum item_kind k = ITEM_PAPER; k < ITEM_PACKAGE; k++) {
		if (strcmp(item_kind_name(k), name) == 0)
			return k;
	}
	return ITEM_PAPER;
}

static enum item_kind kind_of(const struct profile_ingest *p, const struct values *v, enum item_kind usual)
{
	for (unsigned i = 0; i < p->kind_rules_count; i++) {
		if (holds(p, &p->kind_rules[i].when, v, NULL))
			return kind_named(p->kind_rules[i].kind);
	}
	return usual;
}

static bool binds(const struct profile_column *c, enum item_kind kind)
{
	bool any = c->kinds_count == 0;
	for (unsigned i = 0; i < c->kinds_count && !any; i++)
		any = kind_named(c->kinds[i]) == kind;
	return any;
}

void row_values(const struct tables *t, const struct row *r, enum item_kind usual, struct values *ret_values,
                enum item_kind *ret_kind, struct err *fault)
{
	const struct profile_ingest *p = t->profile;
	struct values v = {.v = must(calloc(p->columns_count + 1, sizeof *v.v)), .n = p->columns_count};
	v.wrong = must(calloc(p->columns_count + 1, sizeof *v.wrong));
	for (unsigned i = 0; i < p->columns_count; i++) {
		BUF_AUTO struct buf allowed = BUF_INIT(4096);
		char *text = row_cell(t, r, i);
		const char *code = *text ? check_value(&p->columns[i], text, &v.v[i], &allowed) : NULL;
		if (code != NULL) {
			cell_fault(t, r, i, code, text, allowed.len > 0 ? (char *)allowed.data : "", fault);
			v.wrong[i] = true;
			/* A value that is wrong may still be one that is refused. */
			v.v[i] = text;
			text = NULL;
		}
		free(text);
	}
	enum item_kind kind = kind_of(p, &v, usual);
	for (unsigned i = 0; i < p->columns_count; i++) {
		const struct profile_column *c = &p->columns[i];
		if (v.v[i] == NULL && !v.wrong[i] && binds(c, kind) &&
		    (c->required || holds(p, &c->required_if, &v, &c->dossier))) {
			cell_fault(t, r, i, "sheet-required", "", "", fault);
			v.wrong[i] = true;
		}
	}
	*ret_values = v;
	*ret_kind = kind;
}

void values_free(struct values *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->v[i]);
	free(v->v);
	free(v->wrong);
	*v = (struct values){0};
}
