#include "stages/pdfa/internal.h"

const struct rule_table font_rules = {0};

bool fonts_open(struct check *c)
{
	(void)c;
	return true;
}

struct font *fonts_find(struct check *c, const struct pdfobj *dictionary)
{
	(void)c, (void)dictionary;
	return NULL;
}

void fonts_show(struct check *c, struct font *f, struct bytes string, int mode, bool actual_text)
{
	(void)c, (void)f, (void)string, (void)mode, (void)actual_text;
}

void fonts_page_end(struct check *c)
{
	(void)c;
}

void fonts_end(struct check *c)
{
	(void)c;
}

void fonts_close(struct check *c)
{
	(void)c;
}
