/* The Adobe Glyph List: what Unicode value a glyph's name stands for. */
#ifndef ARKSEAL_PDFA_GLYPH_LIST_H
#define ARKSEAL_PDFA_GLYPH_LIST_H

#include <stdint.h>

/* 0: the name is not in the list. Names that follow its rules only ("uni0041", "A.alt") are not in it. */
uint32_t glyph_list_value(const char *name);

#endif
