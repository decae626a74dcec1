/*
 * An XMP packet as a tree of nodes: RDF/XML (ISO 16684-1, 7; the W3C's RDF/XML syntax, of which XMP takes a part) read to properties, without
 * any mending: what stands in the packet is what is checked.
 */
#ifndef ARKSEAL_PDFA_METADATA_XMP_TREE_H
#define ARKSEAL_PDFA_METADATA_XMP_TREE_H

#include <stdbool.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

enum xmp_form { XMP_SIMPLE, XMP_STRUCT, XMP_BAG, XMP_SEQ, XMP_ALT };

struct xmp_node {
	const char *ns, *prefix, *name; /* of an array's item: "rdf", "li" */
	const char *value;              /* "" unless simple */
	const char *lang;               /* xml:lang, or NULL */
	enum xmp_form form;
	bool has_value; /* an rdf:value among the children, while it is read */
	unsigned id;
	struct xmp_node *first, *last, *next;
};

/* Everything lives as long as the tree. */
struct xmp_tree {
	bool valid;               /* well-formed XML and RDF as XMP has it */
	bool utf8;                /* the packet's encoding */
	bool bytes, encoding;     /* attributes of the packet's header */
	struct xmp_node root;     /* its children are the properties; pdfaExtension:schemas is not among them */
	struct xmp_node *schemas; /* pdfaExtension:schemas, or NULL */
	void *document, *chunks;
};

/* False only without memory; what is wrong with the packet leaves an empty tree that is not valid. */
bool xmp_tree_read(struct bytes packet, struct xmp_tree **ret_tree);
void xmp_tree_free(struct xmp_tree *t); /* NULL: nothing */

/* A child by namespace and name; NULL: none. */
const struct xmp_node *xmp_child(const struct xmp_node *n, const char *ns, const char *name);
bool xmp_is_array(const struct xmp_node *n);

#define NS_DC "http://purl.org/dc/elements/1.1/"
#define NS_XMP "http://ns.adobe.com/xap/1.0/"
#define NS_PDF "http://ns.adobe.com/pdf/1.3/"
#define NS_PDFAID "http://www.aiim.org/pdfa/ns/id/"
#define NS_PDFA_EXTENSION "http://www.aiim.org/pdfa/ns/extension/"
#define NS_PDFA_SCHEMA "http://www.aiim.org/pdfa/ns/schema#"
#define NS_PDFA_PROPERTY "http://www.aiim.org/pdfa/ns/property#"
#define NS_PDFA_TYPE "http://www.aiim.org/pdfa/ns/type#"
#define NS_PDFA_FIELD "http://www.aiim.org/pdfa/ns/field#"

#endif
