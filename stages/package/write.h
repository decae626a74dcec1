/* What the writers of one package share. Private to this folder. */
#ifndef ARKSEAL_PACKAGE_WRITE_H
#define ARKSEAL_PACKAGE_WRITE_H

#include "stages/package/package.h"
#include "stages/package/xml.h"

/* A file that has been written into the package, as METS refers to it. */
struct package_file {
	char *path; /* relative to the METS that names it */
	const char *mime;
	int64_t size;
	char sha256[65]; /* upper-case hexadecimal, as the circular's METS has it */
	char id[XML_ID]; /* "ID-{UUID}" of file elements, "uuid-{UUID}" of metadata references */
};

/* The XML files, each appended to *ret_text. */
enum status ead_write(const struct package *p, struct buf *ret_text, struct err *e);
enum status ead_document_write(const struct package_document *d, struct buf *ret_text, struct err *e);
enum status premis_package_write(const struct package *p, struct buf *ret_text, struct err *e);
enum status premis_representation_write(const struct package *p, struct buf *ret_text, struct err *e);

/* What a METS file names. */
struct mets_parts {
	const struct package_file *descriptive; /* one for the package; one for each document of the representation */
	const struct package_file *preservation;
	const struct package_file *schemas; /* package only */
	size_t n_schemas;
	const struct package_file *documentation;  /* package only */
	const struct package_file *representation; /* package only: rep1's METS.xml */
	const struct package_file *data;           /* representation only: for each document its own, then its companions' */
	size_t n_data;
};
enum status mets_package_write(const struct package *p, const struct mets_parts *parts, struct buf *ret_text, struct err *e);
enum status mets_representation_write(const struct package *p, const struct mets_parts *parts, struct buf *ret_text,
                                      struct err *e);

/* What a reader in fifty years should know: documentation/README.txt. */
enum status readme_write(const struct package *p, struct buf *ret_text, struct err *e);

/* The schema files, made into the program by the build (stages/package/schemas/). */
struct package_schema {
	const char *name;
	const unsigned char *text;
	size_t n;
};
extern const struct package_schema package_schemas[];
extern const size_t package_schemas_count;

#endif
