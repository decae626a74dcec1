/* Value types of XMP, and the properties of the predefined schemas (XMP Specification of January 2004 for 19005-1, of September 2005 for
 * 19005-2 and -3). */
#ifndef ARKSEAL_PDFA_METADATA_TYPES_H
#define ARKSEAL_PDFA_METADATA_TYPES_H

#include "stages/pdfa/metadata/xmp_tree.h"

#define TYPE_TEXT 160

/* Types of an extension schema: its pdfaSchema:valueType array, or NULL. */
struct xmp_types {
	const struct xmp_node *own;
	int part; /* of ISO 19005 */
};

/* "closed Choice of Integer" is "integer", "Bag" is "bag text". False where it is longer than any type is. */
bool xmp_type_plain(const char *type, char ret_plain[TYPE_TEXT]);
bool xmp_type_known(const struct xmp_types *t, const char *type);
bool xmp_type_holds(const struct xmp_types *t, const struct xmp_node *n, const char *type);
/* The type of a predefined property; NULL: it is none. */
const char *xmp_predefined(int part, const struct xmp_node *n);

#endif
