/*
 * Is a package what it says? Read back from a folder or a ZIP by code that shares nothing with the writer but the libraries.
 *
 * Checked: every file that a METS names is there with the size and the SHA-256 that METS gives; nothing else is there; the XML files
 * fit their schemas; references inside METS lead somewhere; PREMIS fixity is that of the files; each document has its description.
 */
#ifndef ARKSEAL_PACKAGE_CHECK_H
#define ARKSEAL_PACKAGE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

/* What breaks a rule; data, not an error. Codes: "package-…". */
struct package_finding {
	char code[40];
	char where[512];   /* path inside the package */
	char message[256]; /* found and wanted, English */
};

struct package_report {
	char *objid;     /* of the package METS, or NULL */
	struct buf mets; /* the bytes of the package's METS.xml, for the check of its seal */
	struct package_finding *findings;
	size_t n_findings;
	size_t files; /* seen */
};

/* Called for each file below representations/…/data/; content lives for the call. A status other than ST_OK ends the check with it. */
typedef enum status package_visitor(void *arg, const char *path, struct bytes content, struct err *e);

/* Errors: ST_ITEM "package-unreadable" (neither folder nor ZIP, or a broken ZIP); ST_RETRY of the file calls. Broken rules are findings.
 * The caller frees the report. visitor may be NULL. */
enum status package_check(const char *path, package_visitor *visitor, void *arg, struct package_report *ret_report,
                          struct err *e);
void package_report_free(struct package_report *r);

/* Only calls back for each file below representations/…/data/, and checks nothing. Errors: as package_check. */
enum status package_each(const char *path, package_visitor *visitor, void *arg, struct err *e);

/* Whether a path is a package: a folder with METS.xml, or a ZIP file with METS.xml in its only top folder. */
bool package_recognise(const char *path);

#endif
