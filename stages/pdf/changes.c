#include "stages/pdf/changes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/pdf/internal.h"

enum status pdfchanges_judge(const struct pdfdoc *before, const struct pdfdoc *after, struct pdfsig *s, struct err *e)
{
	(void)before;
	(void)e;
	s->changes = s->revision + 1 == after->n_revisions ? PDFSIG_NONE : PDFSIG_FORBIDDEN;
	snprintf(s->change_reason, sizeof s->change_reason, "%s", s->changes == PDFSIG_NONE ? "" : "a later revision follows");
	return ST_OK;
}
