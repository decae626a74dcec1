/* What the files of this folder share. */
#ifndef ARKSEAL_SHEET_INTERNAL_H
#define ARKSEAL_SHEET_INTERNAL_H

#include <libxml/parser.h>
#include <stdbool.h>

#include "stages/sheet/sheet.h"

/* sheet.c */
struct book *book_new(void);
/* A new sheet at the end; NULL past the limit or without memory. Pointers to earlier sheets stay valid. */
struct sheet *book_add(struct book *b, const char *name);
/* A text that lives as long as the book; NULL past the limit. */
const char *book_text(struct book *b, const char *text, size_t n);
/* `text` must live as long as the book. */
enum status sheet_put(struct book *b, struct sheet *s, uint32_t row, uint32_t column, const char *text, struct err *e);
enum status sheet_too_large(const char *what, struct err *e);

enum status csv_parse(struct bytes in, const char *name, struct book *b, struct err *e);
enum status xlsx_parse(struct bytes in, struct book *b, struct err *e);

/* number.c */
enum number_kind { NUMBER_PLAIN, NUMBER_DATE, NUMBER_DATE_TIME, NUMBER_MONTH, NUMBER_YEAR, NUMBER_TIME };
/* What a number format (ECMA-376 part 1, 18.8.30, 18.8.31) shows. `code` is NULL for the built-in ones. */
enum number_kind number_kind(unsigned id, const char *code);
#define NUMBER_TEXT 48
void number_show(double value, enum number_kind kind, bool epoch_1904, char ret_text[NUMBER_TEXT]);

/* zip.c */
/* A part that is being read: what the SAX handlers get as their context. */
struct part {
	xmlParserCtxtPtr parser;
	void *arg; /* the caller's */
	bool doctype, stopped;
};
/* Feeds a part of the container to SAX handlers. `from` is the whole file. ST_OK also where a handler has stopped it. */
enum status part_read(struct bytes from, const char *name, const xmlSAXHandler *sax, void *arg, struct err *e);
void part_stop(struct part *p);
/* An attribute's value by its local name, cut to n - 1 bytes; "" where there is none. Returns whether it is there. */
bool part_attribute(const xmlChar **attributes, int count, const char *name, char *ret, size_t n);

/* xlsx.c */
struct xlsx {
	struct bytes in;
	struct book *book;
	const char **string; /* shared strings */
	size_t n_strings, cap_strings;
	enum number_kind *style; /* by index of cellXfs */
	size_t n_styles;
	bool epoch_1904;
};
/* "_x000D_" stands for a character (ECMA-376 part 1, 22.9.2.19); decoded in place. */
size_t xlsx_unescape(char *text, size_t n);

/* xlsx_cells.c */
enum status xlsx_cells(struct xlsx *x, const char *part, const char *name, struct err *e);

#endif
