/* Value types of XMP, and the properties of the predefined schemas (XMP Specification of January 2004 for 19005-1, of September 2005 for
 * 19005-2 and -3). */
#ifndef ARKSEAL_PDFA_METADATA_TYPES_H
#define ARKSEAL_PDFA_METADATA_TYPES_H

#include "stages/pdfa/metadata/xmp_tree.h"

#define TYPE_TEXT 160

/* What the extension schemas of a packet define. */
struct xmp_extension;

/* The types that may be named where a schema or a property stands: the predefined ones, and those that extension schemas define for its
 * namespace. */
struct xmp_types {
	const struct xmp_extension *extension; /* NULL: none */
	const char *ns;
	int part; /* of ISO 19005 */
};

/* Reads what a container (pdfaExtension:schemas, or NULL) defines. `above`: the extension of the document's packet, for the packet of a part of
 * it, or NULL; it lives longer. False only without memory. */
bool xmp_extension_read(const struct xmp_node *container, const struct xmp_extension *above, int part,
                        struct xmp_extension **ret_extension);
void xmp_extension_free(struct xmp_extension *x); /* NULL: nothing */
/* Whether a property is described, and whether its value is of the type that it shall be of. */
bool xmp_extension_defines(const struct xmp_extension *x, const struct xmp_node *property, bool *ret_holds);
/* The description of a type (pdfaType) for a namespace, NULL without; the last of a name counts. `plain`: as xmp_type_plain writes it. */
const struct xmp_node *xmp_extension_type(const struct xmp_extension *x, const char *ns, const char *plain);
/* The type of a field of such a type; NULL: it has no such field. */
const char *xmp_extension_field(const struct xmp_extension *x, const char *ns, const char *plain, const char *field);

/* "closed Choice of Integer" is "integer", "Bag" is "bag text". False where it is longer than any type is. */
bool xmp_type_plain(const char *type, char ret_plain[TYPE_TEXT]);
bool xmp_type_known(const struct xmp_types *t, const char *type);
bool xmp_type_holds(const struct xmp_types *t, const struct xmp_node *n, const char *type);
/* The type of a predefined property; NULL: it is none. */
const char *xmp_predefined(int part, const struct xmp_node *n);

#endif
