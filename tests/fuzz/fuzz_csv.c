/* A spreadsheet of hostile bytes, read as text. */
#include "stages/sheet/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e;
	struct book *b = book_new();
	if (b != NULL && size < 1 << 20)
		csv_parse((struct bytes){data, size}, "fuzz", b, &e);
	book_free(b);
	return 0;
}
