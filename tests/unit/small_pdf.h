/* A PDF out of the bodies of its objects, numbered from 1, the first one the catalog; for tests. */
#ifndef ARKSEAL_TESTS_UNIT_SMALL_PDF_H
#define ARKSEAL_TESTS_UNIT_SMALL_PDF_H

#include "stages/base/buf.h"

static inline void small_pdf(struct buf *to, const char *const *bodies, size_t n)
{
	size_t offset[32] = {0};
	buf_str(to, "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n");
	for (size_t i = 0; i < n; i++) {
		offset[i] = to->len;
		buf_format(to, "%zu 0 obj\n%s\nendobj\n", i + 1, bodies[i]);
	}
	size_t xref = to->len;
	buf_format(to, "xref\n0 %zu\n0000000000 65535 f \n", n + 1);
	for (size_t i = 0; i < n; i++)
		buf_format(to, "%010zu 00000 n \n", offset[i]);
	buf_format(to, "trailer\n<< /Size %zu /Root 1 0 R /ID [<01> <01>] >>\nstartxref\n%zu\n%%%%EOF\n", n + 1, xref);
}

#endif
