/*
 * The XMP packet of a PDF/A file (ISO 16684-1; ISO 19005-2, 6.6). Only properties of predefined schemas, so that no extension
 * schema is needed.
 */
#ifndef ARKSEAL_PDFA_XMP_H
#define ARKSEAL_PDFA_XMP_H

#include "stages/base/buf.h"

/* Strings are UTF-8 and may be NULL, which leaves the property out. */
struct xmp {
	const char *title;        /* dc:title */
	const char *creator;      /* dc:creator, one entry */
	const char *description;  /* dc:description */
	const char *language;     /* dc:language, one entry */
	const char *identifier;   /* dc:identifier */
	const char *keywords;     /* pdf:Keywords */
	const char *producer;     /* pdf:Producer */
	const char *creator_tool; /* xmp:CreatorTool */
	const char *created;      /* ISO 8601: xmp:CreateDate */
	const char *modified;     /* xmp:ModifyDate and xmp:MetadataDate */
	const char *document_id;  /* xmpMM:DocumentID as "uuid:…" */
	const char *instance_id;  /* xmpMM:InstanceID */
	unsigned part;            /* pdfaid:part; 0: no claim */
	char conformance;         /* pdfaid:conformance; 0: none */
};

/* Appends the whole packet. Characters that XML cannot hold are left out. */
void xmp_print(const struct xmp *x, struct buf *to);

#endif
