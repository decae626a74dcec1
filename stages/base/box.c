#include "stages/base/box.h"

#include <string.h>

bool box_next(struct rd *r, struct box *ret_box)
{
	uint64_t length = rd_u32be(r), head = 8;
	struct bytes type = rd_take(r, 4);
	if (r->failed)
		return false;
	if (length == 1) {
		length = (uint64_t)rd_u32be(r) << 32;
		length |= rd_u32be(r);
		head = 16;
	}
	if (length == 0)
		length = head + rd_left(r);
	if (r->failed || length < head || length - head > rd_left(r))
		return false;
	memcpy(ret_box->type, type.p, 4);
	ret_box->type[4] = '\0';
	ret_box->body = rd_take(r, (size_t)(length - head));
	return !r->failed;
}
