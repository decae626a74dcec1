/* What the parts of the check share. Private to this folder. */
#ifndef ARKSEAL_PACKAGE_CHECK_PRIVATE_H
#define ARKSEAL_PACKAGE_CHECK_PRIVATE_H

#include <libxml/tree.h>
#include <stdbool.h>

#include "stages/package/check.h"

/* A file that was seen in the container. */
struct seen {
	char *path;
	int64_t size;
	char sha256[65]; /* upper-case hexadecimal */
	struct buf xml;  /* the content of an XML file, else empty */
	bool named;      /* by a METS */
	bool described;  /* a data file that a MetadataLink ties to a description */
};

struct check {
	struct package_report *report;
	struct seen *files; /* sorted by path after the walk */
	size_t n, room;
	package_visitor *visitor;
	void *arg;
};

void check_find(struct check *c, const char *code, const char *where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
struct seen *check_file(struct check *c, const char *path); /* NULL where it is not there */

/* Parses without network, entities or a document type; a fault is a finding and gives NULL. The caller frees. */
xmlDocPtr check_xml(struct check *c, const struct seen *f);
/* Against the schema of that file name (METS.xsd …); faults are findings. */
void check_schema(struct check *c, const struct seen *f, xmlDocPtr doc, const char *schema);

/* A METS file and all that it names; `folder` is where it lies ("" or "representations/rep1/"). */
void check_mets(struct check *c, const struct seen *f, const char *folder);
/* PREMIS: fixity of the data files that it names. */
void check_premis(struct check *c, const struct seen *f, const char *data_folder);

#endif
