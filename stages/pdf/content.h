/*
 * Content streams (ISO 32000-1, 7.8): one operator after the other, with its operands. Nothing is drawn. What is malformed is stepped
 * over and noted, so that a checker sees the rest; memory is that of the largest operator.
 */
#ifndef ARKSEAL_PDF_CONTENT_H
#define ARKSEAL_PDF_CONTENT_H

#include "stages/pdf/doc.h"

struct pdfcontent;

struct pdfcontent_operator {
	char name[32]; /* cut where it is longer */
	const struct pdfobj *const *operands;
	size_t n;
	/* Of BI: the image's dictionary, abbreviations as they are written, and its coded data up to EI; else the null object. */
	const struct pdfobj *image;
	struct bytes image_data;
};

/* Walks over decoded bytes that must live as long as the walk. The document is where references would lead; a lenient one bears
 * more. Errors: ST_RETRY "memory". */
enum status pdfcontent_open(const struct pdfdoc *d, struct bytes in, struct pdfcontent **ret_content, struct err *e);
/* The next operator; what it holds lives until the next call. False: the end, or no memory (then *e says so). */
bool pdfcontent_next(struct pdfcontent *c, struct pdfcontent_operator *ret_operator, struct err *e);
bool pdfcontent_malformed(const struct pdfcontent *c); /* something was stepped over */
void pdfcontent_close(struct pdfcontent *c);

#endif
