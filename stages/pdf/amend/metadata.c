/* The XMP of a file that is amended: its own with the claim put in, or a new one. */
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/digest.h"
#include "stages/base/text.h"
#include "stages/pdf/amend/internal.h"
#include "stages/pdfa/xmp.h"

#define PACKET_MAX ((size_t)8 << 20)

static const char id_namespace[] = "http://www.aiim.org/pdfa/ns/id/";
static const char rdf_namespace[] = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

static bool is_ours(const xmlNs *ns, const char *name)
{
	return ns != NULL && ns->href != NULL && strcmp((const char *)ns->href, name) == 0;
}

static xmlNode *next_of(xmlNode *n, const xmlNode *top)
{
	if (n->children != NULL && n->type == XML_ELEMENT_NODE)
		return n->children;
	while (n != top && n->next == NULL)
		n = n->parent;
	return n == top ? NULL : n->next;
}

/* Takes out what the packet says of PDF/A now: elements and attributes. */
static void remove_claim(xmlNode *top)
{
	for (xmlNode *n = top, *next; n != NULL; n = next) {
		next = next_of(n, top);
		if (n->type != XML_ELEMENT_NODE)
			continue;
		for (xmlAttr *at = n->properties, *after; at != NULL; at = after) {
			after = at->next;
			if (is_ours(at->ns, id_namespace))
				xmlRemoveProp(at);
		}
		if (n != top && is_ours(n->ns, id_namespace)) {
			/* Not into what is freed. */
			xmlNode *last = n;
			while (last != top && last->next == NULL)
				last = last->parent;
			next = last == top ? NULL : last->next;
			xmlUnlinkNode(n);
			xmlFreeNode(n);
		}
	}
}

static xmlNode *find_rdf(xmlNode *top)
{
	for (xmlNode *n = top; n != NULL; n = next_of(n, top))
		if (n->type == XML_ELEMENT_NODE && is_ours(n->ns, rdf_namespace) && strcmp((const char *)n->name, "RDF") == 0)
			return n;
	return NULL;
}

static bool add_claim(xmlNode *rdf, unsigned part, char conformance)
{
	char number[16];
	snprintf(number, sizeof number, "%u", part);
	xmlNode *d = xmlNewChild(rdf, rdf->ns, (const xmlChar *)"Description", NULL);
	xmlNs *id = d == NULL ? NULL : xmlNewNs(d, (const xmlChar *)id_namespace, (const xmlChar *)"pdfaid");
	return id != NULL && xmlNewNsProp(d, rdf->ns, (const xmlChar *)"about", (const xmlChar *)"") != NULL &&
	       xmlNewChild(d, id, (const xmlChar *)"part", (const xmlChar *)number) != NULL &&
	       xmlNewChild(d, id, (const xmlChar *)"conformance", (const xmlChar *)(char[]){conformance, '\0'}) != NULL;
}

/* False: the packet cannot be kept. */
static bool keep_packet(const struct amend *a, struct bytes packet, struct buf *to)
{
	xmlDoc *doc = packet.n > PACKET_MAX
	                  ? NULL
	                  : xmlReadMemory((const char *)packet.p, (int)packet.n, NULL, "UTF-8",
	                                  XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
	xmlNode *root = doc == NULL || doc->intSubset != NULL ? NULL : xmlDocGetRootElement(doc);
	xmlNode *rdf = root == NULL ? NULL : find_rdf(root);
	xmlBuffer *out = xmlBufferCreate();
	bool kept = false;
	if (rdf != NULL && out != NULL) {
		remove_claim(root);
		kept = add_claim(rdf, a->meta.part, a->meta.conformance) && xmlNodeDump(out, doc, root, 0, 0) > 0;
	}
	if (kept) {
		buf_str(to, "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n");
		buf_add(to, xmlBufferContent(out), (size_t)xmlBufferLength(out));
		buf_str(to, "\n<?xpacket end=\"w\"?>\n");
	}
	xmlBufferFree(out);
	xmlFreeDoc(doc);
	return kept;
}

/* A date of Info as XMP has it, at its own offset from UTC as far as whole minutes go; false where it is none. */
static bool date_of(const struct pdfobj *info, const char *key, char ret_text[TIME_TEXT])
{
	struct bytes s = pdfobj_string(pdfobj_get(info, key));
	int64_t ms;
	if (s.n == 0 || !time_parse_pdf((const char *)s.p, s.n, &ms))
		return false;
	time_iso8601(ms, 0, false, ret_text);
	return true;
}

/* What the description says comes first, then what Info says. */
static enum status print_anew(const struct amend *a, struct buf *to, struct err *e)
{
	const struct pdfobj *info = pdfobj_get(pdfdoc_trailer(a->doc), "Info");
	static const char *const keys[] = {"Title", "Author", "Subject", "Keywords", "Creator", "Producer"};
	const char *const own[] = {a->meta.title, a->meta.author, a->meta.subject, a->meta.keywords, NULL, NULL};
	char *texts[sizeof keys / sizeof *keys] = {NULL};
	char created[TIME_TEXT], modified[TIME_TEXT], name[65], id[48] = "uuid:";
	uint8_t digest[32];
	const char *use[sizeof keys / sizeof *keys];
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		texts[i] = pdfobj_text(pdfobj_get(info, keys[i]));
		use[i] = own[i] != NULL && own[i][0] != '\0' ? own[i] : texts[i];
	}
	struct bytes all = pdfdoc_bytes(a->doc);
	sha256_bytes(all.p, all.n, digest);
	hex_lower(digest, 32, name);
	uuid_from_name(name, id + 5);
	const char *made = date_of(info, "CreationDate", created) ? created : a->meta.created;
	const struct xmp x = {.title = use[0],
	                      .creator = use[1],
	                      .description = use[2],
	                      .keywords = use[3],
	                      .creator_tool = use[4],
	                      .producer = use[5],
	                      .language = a->meta.language,
	                      .identifier = a->meta.identifier,
	                      .created = made,
	                      .modified = date_of(info, "ModDate", modified) ? modified : made,
	                      .document_id = id,
	                      .instance_id = id,
	                      .part = a->meta.part,
	                      .conformance = a->meta.conformance};
	xmp_print(&x, to);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		free(texts[i]);
	return to->failed ? err_set(e, ST_RETRY, "memory", "no memory for XMP") : ST_OK;
}

enum status amend_metadata(struct amend *a, struct buf *to, struct err *e)
{
	const struct pdfobj *metadata = pdfobj_get(pdfdoc_catalog(a->doc), "Metadata");
	BUF_AUTO struct buf packet = BUF_INIT(PACKET_MAX);
	struct err ignored;
	if ((a->remedies & AMEND_XMP_ANEW) == 0 && pdfobj_kind(metadata) == PDF_STREAM &&
	    pdfobj_stream(metadata, &packet, &ignored) == ST_OK && packet.len > 0 &&
	    keep_packet(a, (struct bytes){packet.data, packet.len}, to))
		return to->failed ? err_set(e, ST_RETRY, "memory", "no memory for XMP") : ST_OK;
	if (pdfobj_kind(metadata) == PDF_STREAM)
		a->changed[AMEND_METADATA]++;
	return print_anew(a, to, e);
}
