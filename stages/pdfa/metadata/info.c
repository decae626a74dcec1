/* The document information dictionary against XMP (19005-1, 6.7.3); 19005-4, 6.1.3. */
#include <stdlib.h>
#include <string.h>

#include "stages/pdfa/metadata/date.h"
#include "stages/pdfa/metadata/facts.h"

static const char *simple(const struct xmp_node *n)
{
	return n == NULL || n->form != XMP_SIMPLE ? NULL : n->value;
}

/* The item of xml:lang "x-default"; of a language alternative of one, that one. */
static const char *default_text(const struct xmp_node *n)
{
	if (n == NULL || !xmp_is_array(n))
		return NULL;
	for (const struct xmp_node *i = n->first; i != NULL; i = i->next)
		if (i->lang != NULL && strcmp(i->lang, "x-default") == 0)
			return i->value;
	return NULL;
}

static const char *only_item(const struct xmp_node *n)
{
	return n == NULL || !xmp_is_array(n) || n->first == NULL || n->first->next != NULL ? NULL : n->first->value;
}

/* Text that ends with a zero is the text before it. */
static bool same_text(struct check *c, const struct pdfobj *info, const char *key, const char *xmp)
{
	const struct pdfobj *entry = pdfobj_get(info, key);
	if (pdfobj_kind(entry) != PDF_STRING)
		return pdfobj_kind(entry) == PDF_NULL;
	char *text = pdfobj_text(entry);
	struct err e;
	if (text == NULL) {
		err_set(&e, ST_RETRY, "memory", "no memory for the document information");
		pdfa_fail(c, &e);
		return true;
	}
	bool same = xmp != NULL && strcmp(text, xmp) == 0;
	free(text);
	return same;
}

static bool same_date(struct check *c, const struct pdfobj *info, const char *key, const char *xmp)
{
	const struct pdfobj *entry = pdfobj_get(info, key);
	struct bytes in = pdfobj_string(entry);
	struct xmp_date a, b;
	char text[64];
	(void)c;
	if (pdfobj_kind(entry) != PDF_STRING)
		return true;
	if (in.n >= sizeof text || xmp == NULL || !xmp_date_read(xmp, &b) || b.empty)
		return false;
	memcpy(text, in.p, in.n);
	text[in.n] = '\0';
	return pdf_date_read(text, &a) && a.ms == b.ms;
}

void info_check(struct check *c, const struct xmp_tree *t)
{
	static const struct xmp_node nothing;
	const struct pdfobj *info = pdfobj_get(pdfdoc_trailer(c->doc), "Info");
	const struct xmp_node *x = t == NULL ? &nothing : &t->root;
	if (pdfobj_kind(info) != PDF_DICT)
		return;
	struct o_document_information o = {
	    .title = same_text(c, info, "Title", default_text(xmp_child(x, NS_DC, "title"))),
	    .author = same_text(c, info, "Author", only_item(xmp_child(x, NS_DC, "creator"))),
	    .subject = same_text(c, info, "Subject", default_text(xmp_child(x, NS_DC, "description"))),
	    .keywords = same_text(c, info, "Keywords", simple(xmp_child(x, NS_PDF, "Keywords"))),
	    .creator = same_text(c, info, "Creator", simple(xmp_child(x, NS_XMP, "CreatorTool"))),
	    .producer = same_text(c, info, "Producer", simple(xmp_child(x, NS_PDF, "Producer"))),
	    .created = same_date(c, info, "CreationDate", simple(xmp_child(x, NS_XMP, "CreateDate"))),
	    .modified = same_date(c, info, "ModDate", simple(xmp_child(x, NS_XMP, "ModifyDate"))),
	    .only_moddate = pdfobj_length(info) == 1 && pdfobj_kind(pdfobj_get(info, "ModDate")) == PDF_STRING,
	};
	pdfa_show(c, O_document_information, &o, pdfobj_number(info), NULL);
}
