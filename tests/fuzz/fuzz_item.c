/* Item records: whatever is read is written so that it is read as the same again. */
#include <stdlib.h>
#include <string.h>

#include "pipeline/item.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct item *it = NULL, *same = NULL;
	struct err e;
	struct buf first = BUF_INIT(64u << 20), second = BUF_INIT(64u << 20);
	if (item_parse((const char *)data, size, &it, &e) == ST_OK) {
		item_print(it, &first);
		if (first.failed || item_parse((const char *)first.data, first.len, &same, &e) != ST_OK)
			abort();
		item_print(same, &second);
		if (second.len != first.len || memcmp(first.data, second.data, first.len) != 0)
			abort();
	}
	item_free(it);
	item_free(same);
	buf_free(&first);
	buf_free(&second);
	return 0;
}
