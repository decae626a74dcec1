/* Files of words between workers. The input is what stands between key and digest, which are put around it. */
#include <string.h>

#include "stages/convert/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[32];
	BUF_AUTO struct buf file = BUF_INIT(64u << 20);
	struct words w;
	struct err e;
	words_begin(&file, key, 0, 0);
	file.len -= 8;
	buf_add(&file, data, size);
	words_end(&file);
	enum status st = words_open((struct bytes){file.data, file.len}, key, &w, &e);
	while (st == ST_OK && w.next <= w.last) {
		struct ocr_page page;
		st = words_next(&w, &page, &e);
		if (st == ST_OK)
			ocr_page_free(&page);
	}
	return 0;
}
