/* Sound and video from any bytes. */
#include "stages/media/media.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct media m;
	struct err e;
	media_load();
	media_read((struct bytes){data, size}, &m, &e);
	return 0;
}
