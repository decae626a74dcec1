/*
 * Spreadsheets as rows of texts: XLSX (ECMA-376, ISO/IEC 29500; the transitional and the strict form) and CSV (RFC 4180).
 *
 * What a cell shows to a person is what the text says, as far as records need it: shared and inline strings, numbers without
 * trailing zeros, booleans as 1 and 0, dates as DD/MM/YYYY (MM/YYYY or YYYY where the cell's format shows no more), the value of a
 * merged range in each of its cells. CSV comes as UTF-8 or UTF-16 with commas, semicolons or tabs; it is one sheet.
 *
 * The bytes are hostile: entries, sizes and the ratio of a ZIP are limited, XML with a DOCTYPE is refused, nothing is fetched, and
 * memory is bounded (SHEET_TEXT_LIMIT and SHEET_CELL_LIMIT, together below 192 MiB).
 *
 * Files: sheet.c the book in memory, csv.c, xlsx.c the parts of a workbook, xlsx_cells.c one sheet of it, zip.c the container and
 * its XML, number.c number formats and dates.
 */
#ifndef ARKSEAL_SHEET_SHEET_H
#define ARKSEAL_SHEET_SHEET_H

#include <stddef.h>
#include <stdint.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

enum {
	SHEET_ROW_LIMIT = 1048576,    /* as in Excel */
	SHEET_COLUMN_LIMIT = 1024,    /* Excel has 16384 */
	SHEET_CELL_LIMIT = 8 << 20,   /* places for cells in a book, 8 bytes each */
	SHEET_TEXT_LIMIT = 96 << 20,  /* bytes of text in a book */
	SHEET_FILE_LIMIT = 256 << 20, /* bytes of a file */
	SHEET_PART_LIMIT = 256 << 20, /* bytes of an unpacked part */
	SHEET_ENTRY_LIMIT = 4096,     /* entries of a ZIP */
	SHEET_SHEET_LIMIT = 256,      /* sheets of a book */
	SHEET_MERGE_LIMIT = 1 << 18,  /* merged ranges of a sheet */
};

struct book;

struct sheet_row {
	const char **cell; /* NULL where a cell is empty */
	uint32_t n, cap;
};

struct sheet {
	const char *name;
	struct sheet_row *rows; /* rows[0] is row 1 */
	uint32_t n_rows, cap;
};

/* A file by its content: a ZIP is XLSX, everything else CSV. Errors are ST_ITEM: "sheet-too-large", "xlsx-encrypted",
 * "xlsx-zip" (the container is broken or not of a workbook), "xlsx-bomb", "xlsx-part" {part} (missing), "xlsx-xml" {part} (not
 * well-formed, or with a DOCTYPE), "csv-encoding" {byte offset}, "csv-quote" {row}; and those of file_map_open. */
enum status book_load(const char *path, struct book **ret_book, struct err *e);
/* The same of bytes at hand; `name` names the sheet of a CSV. */
enum status book_parse(struct bytes in, const char *name, struct book **ret_book, struct err *e);
void book_free(struct book *b);

size_t book_size(const struct book *b);
const struct sheet *book_sheet(const struct book *b, size_t index);

/* The text of a cell, both counted from 0; "" where there is none. */
const char *sheet_cell(const struct sheet *s, uint32_t row, uint32_t column);

#define CELL_NAME 16
/* "C7" for row 6, column 2. */
void cell_name(uint32_t row, uint32_t column, char ret_name[CELL_NAME]);

#endif
