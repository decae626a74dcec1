#include "stages/pdf/redraw/claim.h"

#include <ctype.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

#include "stages/base/text.h"
#include "stages/pdf/doc.h"

enum {
	MAX_XMP = 8 << 20,
	MAX_FIELDS = 100000, /* form fields looked at */
	MAX_DEPTH = 32,      /* of the tree of form fields */
};

static const char id_namespace[] = "http://www.aiim.org/pdfa/ns/id/";

static void take_value(const xmlNs *ns, const xmlChar *name, const xmlNode *content, struct pdf_claim *claim)
{
	if (ns == NULL || ns->href == NULL || strcmp((const char *)ns->href, id_namespace) != 0)
		return;
	xmlChar *text = xmlNodeListGetString(NULL, content, 1);
	if (text == NULL)
		return;
	int64_t part;
	if (strcmp((const char *)name, "part") == 0 && number_parse((const char *)text, 1, 9, &part))
		claim->part = (int)part;
	else if (strcmp((const char *)name, "conformance") == 0 && strlen((const char *)text) == 1)
		claim->conformance = (char)toupper(text[0]);
	xmlFree(text);
}

/* The property stands as an element or as an attribute of rdf:Description (ISO 16684-1, 7.9.2.2). */
void pdf_claim_xmp(struct bytes xmp, struct pdf_claim *claim)
{
	claim->part = 0;
	claim->conformance = '\0';
	if (xmp.n > MAX_XMP)
		return;
	xmlDoc *doc = xmlReadMemory((const char *)xmp.p, (int)xmp.n, NULL, NULL,
	                            XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
	/* XMP has no document type; entities could only hide something. */
	if (doc != NULL && doc->intSubset == NULL) {
		for (const xmlNode *n = xmlDocGetRootElement(doc); n != NULL;) {
			if (n->type == XML_ELEMENT_NODE) {
				take_value(n->ns, n->name, n->children, claim);
				for (const xmlAttr *a = n->properties; a != NULL; a = a->next)
					take_value(a->ns, a->name, a->children, claim);
			}
			const xmlNode *next = n->type == XML_ELEMENT_NODE ? n->children : NULL;
			for (; next == NULL && n != NULL && n->type != XML_DOCUMENT_NODE; n = n->parent)
				next = n->next;
			n = next;
		}
	}
	xmlFreeDoc(doc);
}

/* A field's type may come from its parents (ISO 32000-1, table 220). */
static bool signed_field(const struct pdfobj *field, bool signature, int depth, int *left)
{
	if (depth > MAX_DEPTH)
		*left = 0;
	if (--*left < 0)
		return false;
	const struct pdfobj *type = pdfobj_get(field, "FT");
	if (pdfobj_kind(type) == PDF_NAME)
		signature = pdfobj_is_name(type, "Sig");
	if (signature && pdfobj_kind(pdfobj_get(field, "V")) == PDF_DICT)
		return true;
	const struct pdfobj *kids = pdfobj_get(field, "Kids");
	for (size_t i = 0; i < pdfobj_length(kids); i++)
		if (signed_field(pdfobj_at(kids, i), signature, depth + 1, left))
			return true;
	return false;
}

static enum status read_claim(const struct pdfdoc *d, struct pdf_claim *claim, struct err *e)
{
	const struct pdfobj *catalog = pdfdoc_catalog(d);
	const struct pdfobj *fields = pdfobj_get(pdfobj_get(catalog, "AcroForm"), "Fields");
	int left = MAX_FIELDS;
	for (size_t i = 0; !claim->signatures && i < pdfobj_length(fields); i++)
		claim->signatures = signed_field(pdfobj_at(fields, i), false, 0, &left);
	if (left < 0)
		return err_set(e, ST_ITEM, "pdf-broken", "more form fields, or deeper, than can be looked at");
	claim->encrypted = pdfdoc_encrypted(d);
	claim->version = pdfdoc_version(d);
	const struct pdfobj *files = pdfobj_get(pdfobj_get(catalog, "Names"), "EmbeddedFiles");
	claim->attachments = pdfobj_length(pdfobj_get(files, "Names")) > 0 || pdfobj_length(pdfobj_get(files, "Kids")) > 0;
	claim->dynamic_form = pdfobj_boolean(pdfobj_get(catalog, "NeedsRendering"));
	enum status st = pdfdoc_pages(d, &claim->pages, e);
	const struct pdfobj *metadata = pdfobj_get(catalog, "Metadata");
	if (st == ST_OK && !claim->encrypted && pdfobj_kind(metadata) == PDF_STREAM) {
		BUF_AUTO struct buf xmp = BUF_INIT(MAX_XMP);
		struct err ignored;
		/* A filter that the reader does not know makes no claim that we could read. */
		if (pdfobj_stream(metadata, &xmp, &ignored) == ST_OK && xmp.len > 0)
			pdf_claim_xmp((struct bytes){xmp.data, xmp.len}, claim);
	}
	return st == ST_OK ? pdfdoc_fault(d, e) : st;
}

enum status pdf_claim_read(struct bytes in, struct pdf_claim *ret_claim, struct err *e)
{
	*ret_claim = (struct pdf_claim){0};
	struct pdfdoc *d;
	enum status st = pdfdoc_open(in, &d, e);
	if (st != ST_OK)
		return st;
	st = read_claim(d, ret_claim, e);
	pdfdoc_close(d);
	return st;
}

bool pdf_claim_traces(struct bytes in)
{
	return memmem(in.p, in.n, "/ByteRange", 10) != NULL;
}
