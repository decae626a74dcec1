/* ICC profiles' headers and the boxes of JPEG 2000. */
#include "stages/pdfa/output/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	(void)icc_header_read((struct bytes){data, size});
	(void)jpeg2000_read((struct bytes){data, size});
	return 0;
}
