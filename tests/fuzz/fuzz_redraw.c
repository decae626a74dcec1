/* What a received PDF claims, and its first pages drawn small. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "stages/base/file.h"
#include "stages/pdf/redraw/claim.h"
#include "stages/pdf/redraw/redraw.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[64];
	struct err e;
	struct pdf_claim claim;
	pdf_claim_read((struct bytes){data, size}, &claim, &e);
	pdf_claim_xmp((struct bytes){data, size}, &claim);
	pdf_claim_traces((struct bytes){data, size});

	snprintf(path, sizeof path, "/tmp/fuzz-redraw-%d", getpid());
	struct redraw *r;
	if (file_write(path, data, size, &e) == ST_OK &&
	    redraw_open(path, (struct redraw_limits){.pages = 20, .pixels = 1u << 20, .memory = (size_t)256 << 20}, &r, &e) ==
	        ST_OK) {
		for (size_t i = 0; i < redraw_pages(r) && i < 3; i++) {
			struct redraw_page page;
			if (redraw_page(r, i, 36, &page, &e) == ST_OK)
				redraw_page_free(r, &page);
		}
		redraw_close(r);
	}
	unlink(path);
	return 0;
}
