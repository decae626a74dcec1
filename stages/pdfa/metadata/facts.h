/* What the rules of metadata look at. */
#ifndef ARKSEAL_PDFA_METADATA_FACTS_H
#define ARKSEAL_PDFA_METADATA_FACTS_H

#include "stages/pdfa/internal.h"
#include "stages/pdfa/metadata/types.h"

struct o_metadata {
	bool catalog, filtered;
};
struct o_main_xmp {
	bool identification; /* any property of the PDF/A identification schema */
};
struct o_xmp_package {
	bool valid, utf8, bytes, encoding;
};
struct o_xmp_property {
	bool defined, holds; /* in a predefined or an extension schema; its value is of the type */
};
struct o_identification {
	bool part_prefix, conformance_prefix, amd_prefix, corr_prefix, rev_prefix; /* pdfaid, or there is none */
	int part;                                                                  /* 0: none, or no number */
	char conformance;                                                          /* 0: none; '?': no single letter */
	bool rev_2020;
};
struct o_document_information {
	bool title, author, subject, keywords, creator, producer, created, modified; /* none in Info, or the same in XMP */
	bool only_moddate;
};
struct o_schema_container {
	bool bag, prefix;
};
struct o_schema_object {
	bool undefined; /* a field that the standard does not name */
};
struct o_schema_definition {
	bool schema, uri, prefix, property, value_type; /* of the right type, with the right prefix */
};
struct o_schema_property {
	bool name, value_type, category, description;
};
struct o_schema_value_type {
	bool type, uri, prefix, description, field;
};
struct o_schema_field {
	bool name, value_type, description;
};

struct metadata {
	struct xmp_tree *main; /* the catalog's packet; NULL: there is none */
	uint32_t number;
	bool filtered, typed;
	struct xmp_extension *extension; /* of the catalog's packet, once it was checked */
	struct seen seen;                /* packets of parts of the document */
};

/* extension.c: the form of a packet's extension schemas. */
void extension_check(struct check *c, const struct xmp_tree *t, const struct xmp_extension *x, uint32_t number);
/* info.c */
void info_check(struct check *c, const struct xmp_tree *t);

#endif
