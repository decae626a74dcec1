/* Makes small PDFs for tests from the bodies of their objects: object 1 is the catalog. */
#ifndef ARKSEAL_TESTS_REDRAW_PDF_H
#define ARKSEAL_TESTS_REDRAW_PDF_H

#include <stdlib.h>
#include <string.h>

#include "stages/base/buf.h"

/* bodies ends with NULL; object i + 1 is bodies[i]. `trailer` is put into the trailer dictionary. */
static inline void make_pdf(struct buf *to, const char *const *bodies, const char *trailer)
{
	size_t at[64], n = 0;
	buf_str(to, "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n");
	for (; bodies[n] != NULL && n < 63; n++) {
		at[n] = to->len;
		buf_format(to, "%zu 0 obj\n%s\nendobj\n", n + 1, bodies[n]);
	}
	size_t xref = to->len;
	buf_format(to, "xref\n0 %zu\n0000000000 65535 f \n", n + 1);
	for (size_t i = 0; i < n; i++)
		buf_format(to, "%010zu 00000 n \n", at[i]);
	buf_format(to, "trailer\n<< /Size %zu /Root 1 0 R %s >>\nstartxref\n%zu\n%%%%EOF\n", n + 1, trailer, xref);
}

/* A stream object's body. The caller frees. */
static inline char *stream_body(const char *dict, const char *data)
{
	struct buf b = BUF_INIT(1u << 20);
	buf_format(&b, "<< %s /Length %zu >>\nstream\n%s\nendstream", dict, strlen(data), data);
	return buf_take(&b);
}

#endif
