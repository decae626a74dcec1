/* XMP packets: XML, RDF, value types by extension schemas. */
#include <stddef.h>
#include <stdint.h>

#include "stages/pdfa/metadata/types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xmp_tree *t;
	struct xmp_types types = {.part = 2};
	struct xmp_extension *extension = NULL;
	bool holds;
	if (size > 65536 || !xmp_tree_read((struct bytes){data, size}, &t))
		return 0;
	(void)xmp_extension_read(t->schemas, NULL, types.part, &extension);
	for (const struct xmp_node *n = t->root.first; n != NULL; n = n->next) {
		const char *type = xmp_predefined(types.part, n);
		(void)xmp_type_holds(&types, n, type == NULL ? n->value : type);
		(void)xmp_extension_defines(extension, n, &holds);
	}
	xmp_extension_free(extension);
	xmp_tree_free(t);
	return 0;
}
