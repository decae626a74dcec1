/* The catalog, and in which order the rest is looked at. */
#include <stdlib.h>
#include <string.h>

#include "stages/pdfa/document/facts.h"

static bool one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}
#define ONE_OF(name, ...)                                                                                                        \
	one_of(name, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* RFC 1766, and RFC 3066 with digits: subtags of one to eight characters. */
static bool language_tag(const char *tag, bool digits)
{
	size_t n = 0;
	bool first = true;
	if (*tag == '\0')
		return true;
	for (;; tag++) {
		bool letter = (*tag >= 'a' && *tag <= 'z') || (*tag >= 'A' && *tag <= 'Z');
		bool digit = digits && !first && *tag >= '0' && *tag <= '9';
		if (letter || digit) {
			if (++n > 8)
				return false;
			continue;
		}
		if (n == 0 || (*tag != '-' && *tag != '\0'))
			return false;
		if (*tag == '\0')
			return true;
		first = false;
		n = 0;
	}
}

/* type/subtype, of letters, digits, '_', '-', '+' and '.'. */
static bool mime_type(const char *type)
{
	size_t n = 0, slashes = 0;
	for (; *type != '\0'; type++) {
		bool word = (*type >= 'a' && *type <= 'z') || (*type >= 'A' && *type <= 'Z') || (*type >= '0' && *type <= '9') ||
		            strchr("_-+.", *type) != NULL;
		if (*type == '/' && n > 0) {
			slashes++;
			n = 0;
		} else if (word) {
			n++;
		} else {
			return false;
		}
	}
	return slashes == 1 && n > 0;
}

#define ANNOTATION_SEEN(o) ((o)->flags & 4) != 0 && ((o)->flags & (1 | 2 | 32)) == 0

#define RULES_FILE "stages/pdfa/document/rules.def"
#define RULES_TABLE document_rules
#include "stages/pdfa/rules.h"

static bool there(const struct pdfobj *dictionary, const char *key)
{
	return pdfobj_kind(pdfobj_get(dictionary, key)) != PDF_NULL;
}

static bool is_version_2(const struct pdfobj *version)
{
	const char *v = pdfobj_name(version);
	return pdfobj_kind(version) == PDF_NULL || (v[0] == '2' && v[1] == '.' && v[2] >= '0' && v[2] <= '9' && v[3] == '\0');
}

bool document_open(struct check *c)
{
	c->document = calloc(1, sizeof *c->document);
	if (c->document == NULL) {
		struct err e;
		err_set(&e, ST_RETRY, "memory", "no memory for a document");
		pdfa_fail(c, &e);
	}
	return c->document != NULL;
}

void document_begin(struct check *c)
{
	const struct pdfobj *catalog = pdfdoc_catalog(c->doc), *metadata = pdfobj_get(catalog, "Metadata");
	struct o_document o = {.metadata = metadata_typed(metadata),
	                       .struct_tree = there(catalog, "StructTreeRoot"),
	                       .additional_actions = there(catalog, "AA"),
	                       .alternate_presentations = there(pdfobj_get(catalog, "Names"), "AlternatePresentations"),
	                       .version_2 = is_version_2(pdfobj_get(catalog, "Version"))};
	for (size_t i = 0; i < pdfdoc_sections(c->doc); i++)
		o.xref_stream = o.xref_stream || pdfdoc_section(c->doc, i).is_stream;
	pdfa_show(c, O_document, &o, pdfobj_number(catalog), NULL);
	actions_show(c, pdfobj_get(catalog, "OpenAction"));
	actions_show_additional(c, pdfobj_get(catalog, "AA"), ACTIONS_DOCUMENT);
	language_show(c, pdfobj_get(catalog, "Lang"), pdfobj_number(catalog));
	permissions_show(c);
	layers_show(c);
	forms_show(c);
}

void document_page(struct check *c, const struct pdfobj *page)
{
	actions_show_additional(c, pdfobj_get(page, "AA"), ACTIONS_PAGE);
	annotations_show(c, page);
}

void document_properties(struct check *c, const struct pdfobj *properties)
{
	language_show(c, pdfobj_get(properties, "Lang"), pdfobj_number(properties));
	actual_text_show(c, pdfobj_get(properties, "ActualText"), pdfobj_number(properties));
}

/* Of every dictionary of the file: what is associated (AF), and file specifications wherever they are. */
void document_dictionary(struct check *c, const struct pdfobj *dictionary)
{
	const struct pdfobj *af = pdfobj_get(dictionary, "AF");
	for (size_t i = 0; pdfobj_kind(af) == PDF_ARRAY && i < pdfobj_length(af); i++)
		seen_add(c, &c->document->associated, pdfobj_reference(pdfobj_at(af, i)));
	uint32_t number = pdfobj_number(dictionary);
	if (!pdfobj_is_name(pdfobj_get(dictionary, "Type"), "Filespec") || !seen_add(c, &c->document->specifications, number))
		return;
	uint32_t *files = realloc(c->document->files, (c->document->n_files + 1) * sizeof *files);
	if (files == NULL) {
		struct err e;
		err_set(&e, ST_RETRY, "memory", "no memory for a document's files");
		pdfa_fail(c, &e);
		return;
	}
	c->document->files = files;
	files[c->document->n_files++] = number;
}

void document_end(struct check *c)
{
	actions_show_outlines(c);
	structure_show(c);
	files_show(c);
}

void document_close(struct check *c)
{
	struct document *d = c->document;
	if (d == NULL)
		return;
	seen_free(&d->actions);
	seen_free(&d->fields);
	seen_free(&d->outlines);
	seen_free(&d->associated);
	seen_free(&d->specifications);
	seen_free(&d->elements);
	seen_free(&d->signatures);
	free(d->files);
	free(d);
	c->document = NULL;
}
