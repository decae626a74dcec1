/* Dates of XMP (ISO 8601 as XMP has it) and of PDF, and whether they are the same moment. */
#ifndef ARKSEAL_PDFA_METADATA_DATE_H
#define ARKSEAL_PDFA_METADATA_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xmp_date {
	int64_t ms; /* since 1970 UTC; a missing zone is UTC */
	bool empty;
};

bool xmp_date_read(const char *text, struct xmp_date *ret_date);
bool pdf_date_read(const char *text, struct xmp_date *ret_date);

#endif
