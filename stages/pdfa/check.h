/*
 * A checker of PDF/A: ISO 19005-1 (1a, 1b), 19005-2 (2a, 2b, 2u), 19005-3 (3a, 3b, 3u), 19005-4 (4).
 *
 * The rules are a table (internal.h: struct rule), one row a rule, numbered as veraPDF numbers them: the clause of the standard, a hyphen,
 * the number of the test. A walk over the document shows each thing that rules speak of to the rules that speak of it. Nothing is
 * repaired, nothing is drawn.
 */
#ifndef ARKSEAL_PDFA_CHECK_H
#define ARKSEAL_PDFA_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"
#include "stages/base/file.h"

enum pdfa_flavour { PDFA_NONE, PDFA_1A, PDFA_1B, PDFA_2A, PDFA_2B, PDFA_2U, PDFA_3A, PDFA_3B, PDFA_3U, PDFA_4, PDFA_FLAVOURS };

/* "1a" … "4"; "none". */
const char *pdfa_flavour_name(enum pdfa_flavour f);
/* The reverse; PDFA_FLAVOURS for what is none of them. */
enum pdfa_flavour pdfa_flavour_of(const char *name);

/* A rule that was tried on a document. Texts are static. */
struct pdfa_finding {
	const char *rule;   /* "6.2.11.4.1-1" */
	const char *object; /* what it looks at, for example "Font" */
	const char *vi, *en;
	uint64_t tried, broken; /* how often */
	/* Where it was broken first. */
	uint32_t number; /* of the object; 0: none */
	uint32_t page;   /* from 1; 0: on none */
	char what[200];  /* the thing in question, as text; may be empty */
};

struct pdfa_result {
	enum pdfa_flavour flavour; /* that was checked */
	bool claimed;              /* the file's XMP names it */
	bool passes;
	/* ST_ITEM: what in the document could not be read, by the first such fault; then it does not pass, whatever the rules say. */
	struct err fault;
	struct pdfa_finding *findings; /* in the table's order; every rule of the flavour */
	size_t n_findings;
};

/* Checks against a flavour; PDFA_NONE: against what the file's XMP says it is. Where it says nothing known, the result's flavour is
 * PDFA_NONE, and it does not pass. Errors: ST_ITEM "pdf-…": the file cannot even be opened as PDF, by what fault; ST_RETRY "memory". */
enum status pdfa_check(struct bytes in, enum pdfa_flavour asked, struct pdfa_result *ret_result, struct err *e);
/* The same for a mapped file: what was read of it does not stay in memory, whatever its size. */
enum status pdfa_check_file(const struct file_map *in, enum pdfa_flavour asked, struct pdfa_result *ret_result, struct err *e);
void pdfa_result_free(struct pdfa_result *r);

/* All rules of a flavour, as a result of no document. */
enum status pdfa_rules(enum pdfa_flavour flavour, struct pdfa_result *ret_result, struct err *e);

#endif
