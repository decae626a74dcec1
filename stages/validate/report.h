/*
 * What was found out about a file: the object of `arkseal validate --format json`. What was not checked is told as such, never passed.
 */
#ifndef ARKSEAL_VALIDATE_REPORT_H
#define ARKSEAL_VALIDATE_REPORT_H

#include <stdio.h>

#include "stages/pdfa/check.h"
#include "stages/trust/verdict.h"

/* REPORT_FILE: another file with a detached signature beside it. */
enum report_kind { REPORT_PDF, REPORT_PACKAGE, REPORT_EVIDENCE_RECORD, REPORT_FILE };
enum report_verdict { REPORT_VALID, REPORT_INDETERMINATE, REPORT_INVALID };
enum report_covers { COVERS_WHOLE_FILE, COVERS_EARLIER_REVISION };
enum report_changes { CHANGES_NONE, CHANGES_ALLOWED, CHANGES_FORBIDDEN };

struct report_signature {
	char field[256];
	bool timestamp;
	const char *format; /* "PAdES-BASELINE-LTA", "CAdES-BASELINE-T", "RFC3161", "PKCS7"; static */
	struct verdict verdict;
	bool has_time;
	int64_t time_ms; /* claimed signing time, or genTime of a timestamp */
	enum report_covers covers;
	enum report_changes changes;
};

struct report_problem {
	char code[48];
	char message[768];           /* with the place */
	enum report_verdict verdict; /* what it makes of the file */
};

enum report_pdfa_state {
	PDFA_NOT_ASKED,
	PDFA_NO_CLAIM,   /* the file does not say that it is PDF/A, and no flavour was named */
	PDFA_UNREADABLE, /* a flavour was named, but the file cannot be read: it fails */
	PDFA_CHECKED,
};

struct report_pdfa {
	enum report_pdfa_state state;
	enum pdfa_flavour flavour;
	struct pdfa_result result; /* where it was checked */
};

struct report {
	char *path;
	enum report_kind kind;
	enum report_verdict verdict;
	struct report_pdfa pdfa;
	struct report_signature *signatures;
	size_t n_signatures;
	struct report_problem *problems;
	size_t n_problems;
};

/* A zeroed report is empty and valid; verdicts only get worse. */
void report_init(struct report *r, enum report_kind kind, const char *path);
void report_free(struct report *r);
/* Adds a problem and lets it count. */
void report_problem(struct report *r, enum report_verdict verdict, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Adds a signature and lets it count: its indication, and forbidden changes. The caller may still fill it in before; copied. */
void report_signature(struct report *r, const struct report_signature *s);
/* Adds what the checker of PDF/A has found; takes the result over. A fault: the file could not be read. `broken`: what it makes of the
 * file that it breaks a rule. */
void report_pdfa(struct report *r, enum pdfa_flavour asked, struct pdfa_result *result, const struct err *fault,
                 enum report_verdict broken);
/* Takes a member's verdict over. */
void report_worsen(struct report *r, enum report_verdict verdict);

const char *report_verdict_name(enum report_verdict v); /* "valid" … */

struct report_style {
	int offset_min;  /* times are shown in UTC with this offset */
	bool english;    /* for a person; else Vietnamese */
	bool pdfa_rules; /* every rule of PDF/A that was tried, not only the broken ones */
};

/* One object on one line. */
void report_print_json(const struct report *r, const struct report_style *style, FILE *to);
/* For a person. */
void report_print_text(const struct report *r, const struct report_style *style, FILE *to);

#endif
