/* Shared by the files that print reports. */
#ifndef ARKSEAL_VALIDATE_REPORT_PRIVATE_H
#define ARKSEAL_VALIDATE_REPORT_PRIVATE_H

#include <jansson.h>

#include "stages/validate/report.h"

/* Foreign text: jansson takes only valid UTF-8. */
json_t *text_json(const char *text);
/* The member "pdfa": null where nothing was checked. */
json_t *report_pdfa_json(const struct report_pdfa *p, bool all);
/* A paragraph for each broken rule. */
void report_pdfa_print(const struct report_pdfa *p, const struct report_style *style, FILE *to);

#endif
