/* Parts that go between workers. The input is what stands between key and digest, which are put around it. */
#include <string.h>

#include "stages/convert/part.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[32];
	BUF_AUTO struct buf file = BUF_INIT(64u << 20);
	struct part part;
	struct err e;
	part_begin(&file, key, 0, 0);
	file.len -= 8;
	buf_add(&file, data, size);
	part_end(&file);
	enum status st = part_open((struct bytes){file.data, file.len}, key, &part, &e);
	while (st == ST_OK && part.next <= part.last) {
		struct part_page page;
		st = part_next(&part, &page, &e);
		if (st == ST_OK)
			ocr_page_free(&page.words);
	}
	return 0;
}
