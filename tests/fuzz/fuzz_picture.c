/* Pictures from any bytes: opening, every page, pixels and digest, within limits. */
#include <stdlib.h>

#include "stages/image/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct picture *p)
{
	uint8_t digest[32], *pixels;
	uint32_t w, h;
	struct err e;
	picture_digest(p, digest, &e);
	if (picture_pixels(p, 3, 1u << 20, &pixels, &w, &h, &e) == ST_OK)
		free(pixels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct picture_file *f;
	struct err e;
	picture_load();
	if (picture_open_bytes((struct bytes){data, size}, &f, &e) != ST_OK)
		return 0;
	for (size_t i = 0; i < picture_pages(f) && i < 8; i++) {
		struct picture p;
		if (picture_page(f, i, &p, &e) == ST_OK)
			look(&p);
		picture_drop(&p);
	}
	picture_close(f);
	return 0;
}
