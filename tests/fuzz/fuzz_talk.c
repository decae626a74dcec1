/* Messages of services and clients: no input is read past its end. */
#include <stdlib.h>

#include "stages/trust/keys/talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct talk_message m;
	size_t at = 0;
	while (talk_find((struct bytes){data + at, size - at}, 4096, &m) == TALK_MESSAGE) {
		struct err e = {0};
		if (m.kind == TALK_FAULT) {
			enum status st = talk_read_fault(m.body, &e);
			/* A fault that was read is written as the same fault. */
			BUF_AUTO struct buf again = BUF_INIT(1u << 16);
			struct err same = {0};
			struct talk_message n;
			talk_fault(&again, &e);
			if (st == ST_OK || talk_find((struct bytes){again.data, again.len}, again.max, &n) != TALK_MESSAGE ||
			    talk_read_fault(n.body, &same) != st)
				abort();
		} else {
			struct rd r = RD_INIT(m.body.p, m.body.n);
			char text[64];
			while (!r.failed && rd_left(&r) > 0)
				talk_read_text(&r, text, sizeof text);
		}
		at += m.size;
	}
	return 0;
}
