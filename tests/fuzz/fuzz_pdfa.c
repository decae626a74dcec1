/* Whole documents; the first byte is the flavour. */
#include "stages/pdfa/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pdfa_result r = {0};
	struct err e;
	if (size < 2 || size > ((size_t)1 << 18))
		return 0;
	(void)pdfa_check((struct bytes){data + 1, size - 1}, (enum pdfa_flavour)(data[0] % PDFA_FLAVOURS), &r, &e);
	pdfa_result_free(&r);
	return 0;
}
