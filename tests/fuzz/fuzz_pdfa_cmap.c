/* CMaps: what they map their own bytes to. */
#include <stdlib.h>

#include "stages/pdfa/program/cmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cmap *m;
	struct err e;
	uint8_t text[64];
	struct bytes left = {data, size};
	if (size > 65536 || cmap_read(left, &m, &e) != ST_OK)
		return 0;
	while (left.n > 0) {
		size_t length, n;
		uint32_t cid, code = cmap_next(m, left, &length);
		if (length == 0 || length > left.n || (!cmap_cid(m, code, &cid) && cid != 0))
			abort();
		if (cmap_unicode(m, code, text, sizeof text, &n) && n > sizeof text)
			abort();
		left.p += length;
		left.n -= length;
	}
	cmap_free(m);
	return 0;
}
