/* A spreadsheet of hostile bytes, read as a ZIP. */
#include "stages/sheet/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e;
	struct book *b = book_new();
	if (b != NULL && size < 1 << 20)
		xlsx_parse((struct bytes){data, size}, b, &e);
	book_free(b);
	return 0;
}
