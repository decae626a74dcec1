#include "stages/pdfa/program/glyph_list.h"

#include <stdlib.h>
#include <string.h>

/* No pointers: nothing to relocate when the program starts. */
static const struct entry {
	char name[40];
	uint16_t value;
} entries[] = {
#define GLYPH(name, value) {name, value},
#include "stages/pdfa/program/glyph_list.def"
#undef GLYPH
};

static int by_name(const void *name, const void *entry)
{
	return strcmp(name, ((const struct entry *)entry)->name);
}

uint32_t glyph_list_value(const char *name)
{
	const struct entry *e = bsearch(name, entries, sizeof entries / sizeof *entries, sizeof *entries, by_name);
	return e == NULL ? 0 : e->value;
}
