#include "stages/pdfa/internal.h"

struct o_trailer {
	bool encrypted;
};

#define RULES_FILE "stages/pdfa/file/rules.def"
#define RULES_TABLE file_rules
#include "stages/pdfa/rules.h"

void file_check(struct check *c)
{
	struct o_trailer trailer = {.encrypted = pdfdoc_encrypted(c->doc)};
	pdfa_show(c, O_trailer, &trailer, 0, NULL);
}

void file_object(struct check *c, const struct pdfobj *o)
{
	(void)c, (void)o;
}

void file_unicode_name(struct check *c, const char *name, uint32_t number)
{
	(void)c, (void)name, (void)number;
}
