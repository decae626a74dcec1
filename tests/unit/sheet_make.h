/* Makes small workbooks for tests. */
#ifndef ARKSEAL_TESTS_SHEET_MAKE_H
#define ARKSEAL_TESTS_SHEET_MAKE_H

#include <stddef.h>

struct made_part {
	const char *name, *text;
};

enum { MADE_PARTS = 6 };

/* The parts of a workbook with one sheet "S" whose worksheet, shared strings and styles are given as the inside of their elements;
 * workbook is put into <workbook> before its sheets. NULL: nothing. The texts are static: the next call overwrites them. */
void made_workbook(const char *cells, const char *strings, const char *styles, const char *workbook,
                   struct made_part ret_parts[MADE_PARTS]);
/* A ZIP of parts; returns its size. `options` are those of libarchive's ZIP writer, or NULL. */
size_t make_zip(const struct made_part *parts, size_t n, const char *options, void *to, size_t room);

#endif
