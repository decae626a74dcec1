#include "stages/pdfa/internal.h"

const struct rule_table metadata_rules = {0};

bool metadata_open(struct check *c, enum pdfa_flavour *ret_claimed)
{
	(void)c;
	*ret_claimed = PDFA_NONE;
	return true;
}

void metadata_check(struct check *c)
{
	(void)c;
}

void metadata_stream(struct check *c, const struct pdfobj *stream)
{
	(void)c, (void)stream;
}

void metadata_close(struct check *c)
{
	(void)c;
}
