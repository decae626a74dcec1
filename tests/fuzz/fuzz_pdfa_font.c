/* Font programs, by kind (the first byte), asked all that the checker asks. */
#include <stdlib.h>
#include <string.h>

#include "stages/pdfa/program/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_glyphs(const struct program *p)
{
	char name[64];
	for (uint32_t i = 0; i < program_glyphs(p) && i < 300; i++) {
		uint32_t cid = program_cid(p, i);
		(void)program_width(p, i);
		(void)program_of_cid(p, cid);
		if (program_name(p, i, name, sizeof name))
			(void)program_named(p, name);
	}
	(void)program_named(p, "A");
	(void)program_of_cid(p, UINT32_MAX);
	(void)program_width(p, PROGRAM_NO_GLYPH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct program_library *library;
	struct program *p = NULL;
	struct err e;
	struct buf in = BUF_INIT((size_t)1 << 20);
	if (size == 0 || program_library_new(&library, &e) != ST_OK)
		return 0;
	buf_add(&in, data + 1, size - 1);
	if (program_open(library, &in, (enum program_kind)(data[0] & 3), &p, &e) == ST_OK) {
		ask_glyphs(p);
		for (unsigned code = 0; code < 256; code++) {
			(void)program_encoded(p, (uint8_t)code);
			(void)program_mapped(p, 3, 1, code);
			(void)program_mapped(p, 1, 0, code);
			(void)program_mapped(p, 3, 0, 0xf000 + code);
		}
		(void)program_first_code(p, 3, 0);
		if (program_cmaps(p) > 65535 || program_metrics(p) > 65535)
			abort();
	}
	program_close(p);
	program_library_free(library);
	return 0;
}
