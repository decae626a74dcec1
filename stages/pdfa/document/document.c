#include "stages/pdfa/internal.h"

const struct rule_table document_rules = {0};

bool document_open(struct check *c)
{
	(void)c;
	return true;
}

void document_page(struct check *c, const struct pdfobj *page)
{
	(void)c, (void)page;
}

void document_properties(struct check *c, const struct pdfobj *properties)
{
	(void)c, (void)properties;
}

void document_end(struct check *c)
{
	(void)c;
}

void document_close(struct check *c)
{
	(void)c;
}
