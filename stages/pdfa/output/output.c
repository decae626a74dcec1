#include "stages/pdfa/internal.h"

const struct rule_table output_rules = {0};

bool output_open(struct check *c)
{
	(void)c;
	return true;
}

void output_icc_input(struct check *c, const struct pdfobj *stream)
{
	(void)c, (void)stream;
}

void output_page(struct check *c, const struct pdfobj *page)
{
	(void)c, (void)page;
}

enum icc_space output_space(const struct check *c)
{
	(void)c;
	return ICC_NONE;
}

bool output_same_profile(const struct check *c, const struct pdfobj *stream)
{
	(void)c, (void)stream;
	return false;
}

void output_image(struct check *c, const struct pdfobj *image, bool mask)
{
	(void)c, (void)image, (void)mask;
}

void output_close(struct check *c)
{
	(void)c;
}
