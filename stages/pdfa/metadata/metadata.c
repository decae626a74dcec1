/* Metadata streams, their packets and properties (19005-1, 6.7; 19005-2 and -3, 6.6; 19005-4, 6.7). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"
#include "stages/pdfa/metadata/facts.h"

#define PACKET_MAX (16u << 20)

#define RULES_FILE "stages/pdfa/metadata/rules.def"
#define RULES_TABLE metadata_rules
#include "stages/pdfa/rules.h"

static bool no_memory(struct check *c)
{
	struct err e;
	err_set(&e, ST_RETRY, "memory", "no memory for XMP");
	pdfa_fail(c, &e);
	return false;
}

/* What cannot be decoded is a packet that is not valid. */
static bool read_packet(struct check *c, const struct pdfobj *stream, struct xmp_tree **ret_tree)
{
	BUF_AUTO struct buf b = BUF_INIT(PACKET_MAX);
	struct err e;
	enum status st = pdfobj_stream(stream, &b, &e);
	if (st == ST_RETRY) {
		pdfa_fail(c, &e);
		return false;
	}
	return xmp_tree_read((struct bytes){b.data, st == ST_OK ? b.len : 0}, ret_tree) || no_memory(c);
}

/* Of the stream itself, not of what refers to it. */
static uint32_t number_of(const struct pdfobj *stream)
{
	uint32_t number = pdfobj_reference(stream);
	return number != 0 ? number : pdfobj_number(stream);
}

static char conformance(const struct xmp_node *n)
{
	return n == NULL ? '\0' : n->form != XMP_SIMPLE || n->value[0] == '\0' || n->value[1] != '\0' ? '?' : n->value[0];
}

static int part_of(const struct xmp_node *n)
{
	int64_t part = 0;
	return n != NULL && n->form == XMP_SIMPLE && number_parse(n->value, 1, 9, &part) ? (int)part : 0;
}

static enum pdfa_flavour claimed(const struct xmp_tree *t)
{
	const struct xmp_node *level = xmp_child(&t->root, NS_PDFAID, "conformance");
	char name[3] = {(char)('0' + part_of(xmp_child(&t->root, NS_PDFAID, "part"))), conformance(level), '\0'};
	if (name[1] >= 'A' && name[1] <= 'Z')
		name[1] = (char)(name[1] - 'A' + 'a');
	/* 4e and 4f are PDF/A-4 with more. */
	if (name[0] == '4' && (name[1] == 'e' || name[1] == 'f'))
		name[1] = '\0';
	enum pdfa_flavour f = pdfa_flavour_of(name);
	return f == PDFA_FLAVOURS ? PDFA_NONE : f;
}

bool metadata_typed(const struct pdfobj *stream)
{
	return pdfobj_kind(stream) == PDF_STREAM && pdfobj_is_name(pdfobj_get(stream, "Type"), "Metadata") &&
	       pdfobj_is_name(pdfobj_get(stream, "Subtype"), "XML");
}

bool metadata_open(struct check *c, enum pdfa_flavour *ret_claimed)
{
	const struct pdfobj *stream = pdfobj_get(pdfdoc_catalog(c->doc), "Metadata");
	struct metadata *m = c->metadata = calloc(1, sizeof *m);
	*ret_claimed = PDFA_NONE;
	if (m == NULL)
		return no_memory(c);
	if (pdfobj_kind(stream) != PDF_STREAM || pdfdoc_encrypted(c->doc))
		return true;
	m->number = number_of(stream);
	m->filtered = pdfobj_kind(pdfobj_get(stream, "Filter")) != PDF_NULL;
	m->typed = metadata_typed(stream);
	if (!read_packet(c, stream, &m->main))
		return false;
	*ret_claimed = claimed(m->main);
	return true;
}

static bool prefixed(const struct xmp_tree *t, const char *name)
{
	const struct xmp_node *n = xmp_child(&t->root, NS_PDFAID, name);
	return n == NULL || strcmp(n->prefix, "pdfaid") == 0;
}

static void check_identification(struct check *c, const struct xmp_tree *t, uint32_t number)
{
	struct o_main_xmp o = {0};
	for (const struct xmp_node *n = t->root.first; n != NULL && !o.identification; n = n->next)
		o.identification = strcmp(n->ns, NS_PDFAID) == 0;
	pdfa_show(c, O_main_xmp, &o, number, NULL);
	if (!o.identification)
		return;
	const struct xmp_node *rev = xmp_child(&t->root, NS_PDFAID, "rev");
	struct o_identification id = {
	    .part_prefix = prefixed(t, "part"),
	    .conformance_prefix = prefixed(t, "conformance"),
	    .amd_prefix = prefixed(t, "amd"),
	    .corr_prefix = prefixed(t, "corr"),
	    .rev_prefix = prefixed(t, "rev"),
	    .part = part_of(xmp_child(&t->root, NS_PDFAID, "part")),
	    .conformance = conformance(xmp_child(&t->root, NS_PDFAID, "conformance")),
	    .rev_2020 = rev != NULL && strcmp(rev->value, "2020") == 0,
	};
	pdfa_show(c, O_identification, &id, number, NULL);
}

static void check_property(struct check *c, const struct xmp_extension *x, const struct xmp_node *n, uint32_t number)
{
	struct xmp_types types = {.part = pdfa_part(c)};
	const char *type = xmp_predefined(types.part, n);
	struct o_xmp_property o = {.defined = true};
	char what[200];
	if (type != NULL)
		o.holds = xmp_type_holds(&types, n, type);
	else
		o.defined = xmp_extension_defines(x, n, &o.holds);
	snprintf(what, sizeof what, "%s:%s", n->prefix, n->name);
	pdfa_show(c, O_xmp_property, &o, number, what);
}

static void check_packet(struct check *c, const struct xmp_tree *t, const struct xmp_extension *x, uint32_t number)
{
	struct o_xmp_package o = {.valid = t->valid, .utf8 = t->utf8, .bytes = t->bytes, .encoding = t->encoding};
	pdfa_show(c, O_xmp_package, &o, number, NULL);
	if (pdfa_part(c) != 4)
		for (const struct xmp_node *n = t->root.first; n != NULL; n = n->next)
			check_property(c, x, n, number);
	extension_check(c, t, x, number);
}

/* What the document's packet defines; asked for once the flavour is settled. */
static bool open_main(struct check *c)
{
	struct metadata *m = c->metadata;
	if (m->main == NULL || m->extension != NULL)
		return true;
	return xmp_extension_read(m->main->schemas, NULL, pdfa_part(c), &m->extension) || no_memory(c);
}

void metadata_check(struct check *c)
{
	struct metadata *m = c->metadata;
	/* What is not typed as metadata has a rule of its own (19005-1, 6.7.2; 19005-2, 6.6.2.1), and is none. */
	if (m->main != NULL && m->typed && open_main(c)) {
		struct o_metadata o = {.catalog = true, .filtered = m->filtered};
		pdfa_show(c, O_metadata, &o, m->number, NULL);
		check_identification(c, m->main, m->number);
		check_packet(c, m->main, m->extension, m->number);
	}
	info_check(c, m->main);
}

void metadata_dictionary(struct check *c, const struct pdfobj *dictionary)
{
	const struct pdfobj *stream = pdfobj_get(dictionary, "Metadata");
	uint32_t number = number_of(stream);
	struct xmp_tree *t = NULL;
	struct xmp_extension *x = NULL;
	/* 19005-1 speaks of the document's packet alone. */
	if (!metadata_typed(stream) || pdfa_part(c) == 1 || pdfobj_is_name(pdfobj_get(dictionary, "Type"), "Catalog") ||
	    number == c->metadata->number || pdfdoc_encrypted(c->doc) || !seen_add(c, &c->metadata->seen, number) ||
	    !open_main(c) || !read_packet(c, stream, &t))
		return;
	if (xmp_extension_read(t->schemas, c->metadata->extension, pdfa_part(c), &x))
		check_packet(c, t, x, number);
	else
		no_memory(c);
	xmp_extension_free(x);
	xmp_tree_free(t);
}

void metadata_close(struct check *c)
{
	if (c->metadata == NULL)
		return;
	seen_free(&c->metadata->seen);
	xmp_extension_free(c->metadata->extension);
	xmp_tree_free(c->metadata->main);
	free(c->metadata);
	c->metadata = NULL;
}
