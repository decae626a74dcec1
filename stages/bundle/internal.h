/* What the files of the stage share. */
#ifndef ARKSEAL_BUNDLE_INTERNAL_H
#define ARKSEAL_BUNDLE_INTERNAL_H

#include "pipeline/item.h"
#include "stages/package/package.h"

/* A document as the package takes it, with everything that its strings and lists live in. */
struct bundled {
	struct package_document document; /* first, so that the list can be sorted by it */
	char *name;
	json_t *fields; /* description, completed */
	struct package_event *events;
	struct package_signature *signatures;
	char **texts;       /* of the signatures */
	struct buf *values; /* of the signatures */
	size_t n_signatures;
	struct package_companion *companions;
	size_t n_companions;
};

/* Fills *b from a document's record; archive_code goes before the file code. The caller frees with bundled_free. */
enum status bundled_fill(const struct item *it, const char *archive_code, struct bundled *b, struct err *e);
void bundled_free(struct bundled *b);

/* Who signed the document's file, by which algorithm, with which value: for PREMIS signatureInformation. Of a PDF the signatures inside, of any
 * other file the one beside it ("<file>.p7s"). A file without signatures is fine. */
enum status bundled_signatures(struct bundled *b, const struct item *it, struct err *e);

/* Fills in format, format_name and mime by the name. */
void bundled_describe(struct package_companion *c);

/* The files that belong to a document, as the package takes them: "<document's name>.<what>". Errors: ST_RETRY "memory". */
enum status bundled_companions(const struct item *it, struct bundled *b, struct err *e);
void bundled_companions_free(struct bundled *b);

/* package_fields over a JSON object. */
const char *bundle_field(const void *source, const char *name);
/* The dossier's fields, completed: arcFileCode with the archive's code, totalDoc where the spreadsheet has none. NULL: no memory. */
json_t *bundle_dossier(const struct item *it, const char *archive_code, size_t documents);

#endif
