/* File specifications and embedded files (ISO 32000-1, 7.11). */
#include <stdlib.h>
#include <string.h>

#include "stages/pdfa/document/facts.h"

#define EMBEDDED_MAX ((size_t)1 << 29)

static bool there(const struct pdfobj *dictionary, const char *key)
{
	return pdfobj_kind(pdfobj_get(dictionary, key)) != PDF_NULL;
}

/* Only the parts that ask look into the file. */
static bool archival(struct check *c, const struct pdfobj *stream)
{
	static const enum pdfa_flavour flavours[] = {PDFA_1B, PDFA_2B, PDFA_4};
	BUF_AUTO struct buf b = BUF_INIT(EMBEDDED_MAX);
	struct err e;
	if (pdfa_part(c) != 2 && pdfa_part(c) != 4)
		return true;
	if (pdfobj_stream(stream, &b, &e) != ST_OK)
		return false;
	return pdfa_embedded_passes(c, (struct bytes){b.data, b.len}, flavours, pdfa_part(c) == 4 ? 3 : 2);
}

static void show_embedded(struct check *c, const struct pdfobj *ef)
{
	struct seen streams = {0};
	for (size_t i = 0; i < pdfobj_length(ef) && !pdfa_ended(c); i++) {
		const struct pdfobj *stream = pdfobj_value(ef, i);
		uint32_t number = pdfobj_reference(stream);
		/* F and UF lead to the same stream as a rule. */
		if (pdfobj_kind(stream) != PDF_STREAM || !seen_add(c, &streams, number))
			continue;
		struct o_embedded_file o = {pdfobj_name(pdfobj_get(stream, "Subtype")), archival(c, stream)};
		pdfa_show(c, O_embedded_file, &o, number, o.type);
	}
	seen_free(&streams);
}

static void show_specification(struct check *c, const struct pdfobj *specification, uint32_t number)
{
	const struct pdfobj *ef = pdfobj_get(specification, "EF");
	char *name = pdfobj_text(pdfobj_get(specification, "UF"));
	struct o_file_specification o = {.embeds = there(specification, "EF"),
	                                 .named = pdfobj_kind(pdfobj_get(specification, "F")) == PDF_STRING &&
	                                          pdfobj_kind(pdfobj_get(specification, "UF")) == PDF_STRING,
	                                 .relationship = pdfobj_kind(pdfobj_get(specification, "AFRelationship")) == PDF_NAME,
	                                 .associated = number != 0 && seen_has(&c->document->associated, number)};
	pdfa_show(c, O_file_specification, &o, number, name);
	free(name);
	if (pdfobj_kind(ef) == PDF_DICT)
		show_embedded(c, ef);
}

/* The name tree of embedded files may hold what has no Type (7.7.4). */
static void show_names(struct check *c, const struct pdfobj *node, unsigned depth)
{
	const struct pdfobj *names = pdfobj_get(node, "Names"), *kids = pdfobj_get(node, "Kids");
	if (depth >= TREE_DEPTH || pdfobj_kind(node) != PDF_DICT || !seen_add(c, &c->document->elements, pdfobj_reference(node)))
		return;
	for (size_t i = 1; pdfobj_kind(names) == PDF_ARRAY && i < pdfobj_length(names) && !pdfa_ended(c); i += 2) {
		const struct pdfobj *specification = pdfobj_at(names, i);
		uint32_t number = pdfobj_reference(specification);
		if (pdfobj_kind(specification) == PDF_DICT && seen_add(c, &c->document->specifications, number))
			show_specification(c, specification, number);
	}
	for (size_t i = 0; pdfobj_kind(kids) == PDF_ARRAY && i < pdfobj_length(kids) && !pdfa_ended(c); i++)
		show_names(c, pdfobj_at(kids, i), depth + 1);
}

/* The specification that an object is, or those that lie in it; as deep as the reader lets objects be nested. */
static void show_specifications(struct check *c, const struct pdfobj *o, uint32_t number)
{
	bool array = pdfobj_kind(o) == PDF_ARRAY;
	if (pdfobj_is_name(pdfobj_get(o, "Type"), "Filespec"))
		show_specification(c, o, number);
	for (size_t i = 0; i < pdfobj_length(o) && !pdfa_ended(c); i++) {
		const struct pdfobj *within = array ? pdfobj_at(o, i) : pdfobj_value(o, i);
		if (pdfobj_reference(within) == 0)
			show_specifications(c, within, 0);
	}
}

void files_show(struct check *c)
{
	show_names(c, pdfobj_get(pdfobj_get(pdfdoc_catalog(c->doc), "Names"), "EmbeddedFiles"), 0);
	for (size_t i = 0; i < c->document->n_files && !pdfa_ended(c); i++) {
		uint32_t number = c->document->files[i];
		show_specifications(c, pdfdoc_object(c->doc, number), number);
		pdfa_rest(c, 1);
	}
}
