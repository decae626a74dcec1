/* Made documents for the tests of PDF/A's rules: objects with their cross-reference table. */
#ifndef ARKSEAL_TESTS_PDFA_MADE_H
#define ARKSEAL_TESTS_PDFA_MADE_H

#include "stages/base/buf.h"

/* One object, "N 0 obj" and "endobj" are put around it. With a body it is a stream: the text is its dictionary without the end, Length is added. */
struct made {
	const char *text;
	const char *body;  /* text, or NULL */
	struct bytes file; /* or these bytes */
};

/* What is changed: the first place where `find` stands in the header, in an object, in a body, or in the table and trailer. */
struct change {
	const char *find, *put;
};

/* Appends a text, with the change made in it. */
void made_put(struct buf *to, const char *text, const struct change *change);
/* Objects 1 to n; object 1 is the catalog. */
void made_build(struct buf *to, const char *header, const struct made objects[], size_t n, const struct change *change);

#endif
