/*
 * Faults in sentences: the notice table turns a code into Vietnamese and English with a remedy. The rows are in
 * pipeline/notices/, one .def file an area:
 *
 *   NOTICE("code", "vi sentence", "en sentence", "vi what to do", "en what to do")
 *
 * {0} … {3} stand for the values of err_arg, {where} for the place.
 */
#ifndef ARKSEAL_PIPELINE_NOTICE_H
#define ARKSEAL_PIPELINE_NOTICE_H

#include <stdbool.h>

#include "pipeline/item.h"
#include "stages/base/buf.h"

struct notice {
	const char *code;
	const char *text[2];   /* what is wrong; [0] Vietnamese, [1] English */
	const char *remedy[2]; /* what to do */
};

/* The row of a code, or NULL. */
const struct notice *notice_find(const char *code);
/* All rows, for tests. */
const struct notice *notice_table(size_t *ret_n);

/* Appends a sentence with the values put in. english: 0 or 1. A code without a row gives its detail. */
void notice_sentence(const struct err *e, bool english, struct buf *to);
void notice_remedy(const struct err *e, bool english, struct buf *to);

/* Appends the whole notice of a document that was refused or quarantined, in both languages: which document, which files, what is
 * wrong, what to do, the technical detail. */
void notice_print(const struct item *it, struct buf *to);

#endif
