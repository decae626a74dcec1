#include "stages/pdfa/internal.h"

const struct rule_table graphics_rules = {0};

bool graphics_open(struct check *c)
{
	(void)c;
	return true;
}

void graphics_page(struct check *c, const struct pdfobj *page)
{
	(void)c, (void)page;
}

void graphics_appearance(struct check *c, const struct pdfobj *form)
{
	(void)c, (void)form;
}

void graphics_glyph(struct check *c, const struct pdfobj *stream, const struct pdfobj *resources)
{
	(void)c, (void)stream, (void)resources;
}

void graphics_page_end(struct check *c)
{
	(void)c;
}

void graphics_close(struct check *c)
{
	(void)c;
}
