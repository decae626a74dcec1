#include "stages/sheet/sheet.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/file.h"
#include "stages/sheet/internal.h"

enum { CHUNK = 1 << 16 };

struct chunk {
	struct chunk *next;
	size_t used, size;
	char text[];
};

struct book {
	struct sheet *sheet[SHEET_SHEET_LIMIT];
	size_t n;
	struct chunk *chunks;
	size_t text_left, cells_left;
};

struct book *book_new(void)
{
	struct book *b = calloc(1, sizeof *b);
	if (b != NULL) {
		b->text_left = SHEET_TEXT_LIMIT;
		b->cells_left = SHEET_CELL_LIMIT;
	}
	return b;
}

void book_free(struct book *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n; i++) {
		for (uint32_t r = 0; r < b->sheet[i]->n_rows; r++)
			free(b->sheet[i]->rows[r].cell);
		free(b->sheet[i]->rows);
		free(b->sheet[i]);
	}
	while (b->chunks != NULL) {
		struct chunk *next = b->chunks->next;
		free(b->chunks);
		b->chunks = next;
	}
	free(b);
}

const char *book_text(struct book *b, const char *text, size_t n)
{
	if (n + 1 > b->text_left)
		return NULL;
	if (b->chunks == NULL || b->chunks->size - b->chunks->used < n + 1) {
		size_t size = n + 1 > CHUNK ? n + 1 : CHUNK;
		struct chunk *c = malloc(sizeof *c + size);
		if (c == NULL)
			return NULL;
		*c = (struct chunk){.next = b->chunks, .size = size};
		b->chunks = c;
	}
	char *to = b->chunks->text + b->chunks->used;
	memcpy(to, text, n);
	to[n] = 0;
	b->chunks->used += n + 1;
	b->text_left -= n + 1;
	return to;
}

struct sheet *book_add(struct book *b, const char *name)
{
	const char *copy = book_text(b, name, strlen(name));
	if (b->n == SHEET_SHEET_LIMIT || copy == NULL)
		return NULL;
	struct sheet *s = calloc(1, sizeof *s);
	if (s != NULL) {
		s->name = copy;
		b->sheet[b->n++] = s;
	}
	return s;
}

enum status sheet_too_large(const char *what, struct err *e)
{
	err_set(e, ST_ITEM, "sheet-too-large", "the spreadsheet has more %s than are read", what);
	err_arg(e, "%s", what);
	return ST_ITEM;
}

static bool grow_rows(struct sheet *s, uint32_t n)
{
	if (n > s->cap) {
		uint32_t cap = n > 2 * s->cap ? n : 2 * s->cap;
		struct sheet_row *rows = reallocarray(s->rows, cap, sizeof *rows);
		if (rows == NULL)
			return false;
		s->rows = rows;
		s->cap = cap;
	}
	memset(&s->rows[s->n_rows], 0, (n - s->n_rows) * sizeof *s->rows);
	s->n_rows = n;
	return true;
}

static enum status grow_row(struct book *b, struct sheet_row *row, uint32_t n, struct err *e)
{
	uint32_t cap = n > 2 * row->cap ? n : 2 * row->cap;
	if (n > row->cap) {
		if (cap - row->cap > b->cells_left)
			return sheet_too_large("cells", e);
		const char **cell = reallocarray(row->cell, cap, sizeof *cell);
		if (cell == NULL)
			return err_set(e, ST_RETRY, "memory", "no memory for a spreadsheet");
		b->cells_left -= cap - row->cap;
		row->cell = cell;
		row->cap = cap;
	}
	memset(&row->cell[row->n], 0, (n - row->n) * sizeof *row->cell);
	row->n = n;
	return ST_OK;
}

enum status sheet_put(struct book *b, struct sheet *s, uint32_t row, uint32_t column, const char *text, struct err *e)
{
	enum status st = ST_OK;
	if (text == NULL)
		return sheet_too_large("text", e);
	if (row >= SHEET_ROW_LIMIT)
		return sheet_too_large("rows", e);
	if (column >= SHEET_COLUMN_LIMIT)
		return sheet_too_large("columns", e);
	if (row >= s->n_rows && !grow_rows(s, row + 1))
		return err_set(e, ST_RETRY, "memory", "no memory for a spreadsheet");
	if (column >= s->rows[row].n)
		st = grow_row(b, &s->rows[row], column + 1, e);
	if (st == ST_OK)
		s->rows[row].cell[column] = text;
	return st;
}

size_t book_size(const struct book *b)
{
	return b->n;
}

const struct sheet *book_sheet(const struct book *b, size_t index)
{
	return b->sheet[index];
}

const char *sheet_cell(const struct sheet *s, uint32_t row, uint32_t column)
{
	if (row >= s->n_rows || column >= s->rows[row].n || s->rows[row].cell[column] == NULL)
		return "";
	return s->rows[row].cell[column];
}

void cell_name(uint32_t row, uint32_t column, char ret_name[CELL_NAME])
{
	char letters[8];
	size_t at = sizeof letters;
	letters[--at] = 0;
	for (uint64_t c = (uint64_t)column + 1; c > 0 && at > 0; c = (c - 1) / 26)
		letters[--at] = (char)('A' + (c - 1) % 26);
	snprintf(ret_name, CELL_NAME, "%s%u", letters + at, row + 1);
}

enum status book_parse(struct bytes in, const char *name, struct book **ret_book, struct err *e)
{
	static const uint8_t zip[] = {'P', 'K'}, compound[] = {0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1};
	if (in.n > SHEET_FILE_LIMIT)
		return sheet_too_large("bytes", e);
	if (in.n >= sizeof compound && memcmp(in.p, compound, sizeof compound) == 0)
		return err_set(e, ST_ITEM, "xlsx-encrypted",
		               "a compound file: a workbook with a password, or one of Excel 97-2003");
	struct book *b = book_new();
	if (b == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for a spreadsheet");
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = plain ? uselocale(plain) : (locale_t)0;
	enum status st = in.n >= 2 && memcmp(in.p, zip, 2) == 0 ? xlsx_parse(in, b, e) : csv_parse(in, name, b, e);
	if (plain) {
		uselocale(before);
		freelocale(plain);
	}
	if (st != ST_OK) {
		book_free(b);
		return st;
	}
	*ret_book = b;
	return ST_OK;
}

enum status book_load(const char *path, struct book **ret_book, struct err *e)
{
	struct file_map m;
	enum status st = file_map_open(path, &m, e);
	if (st != ST_OK)
		return st;
	st = book_parse(m.in, path_name(path), ret_book, e);
	file_map_close(&m);
	return st == ST_OK ? st : err_where(e, "%s", path);
}
