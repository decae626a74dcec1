/* What extension schemas define, to be looked up: properties, types and their fields by namespace and name. */
#include <libxml/hash.h>
#include <stdlib.h>
#include <string.h>

#include "stages/pdfa/metadata/types.h"

struct xmp_extension {
	const struct xmp_extension *above;
	int part;
	xmlHashTable *schemas;    /* by namespace: the last that describes it */
	xmlHashTable *properties; /* by namespace and name: the type's name */
	xmlHashTable *types;      /* by namespace and name: the pdfaType */
	xmlHashTable *fields;     /* by namespace, type and name: the type's name */
};

static const char *value_of(const struct xmp_node *n, const char *ns, const char *name)
{
	const struct xmp_node *child = xmp_child(n, ns, name);
	return child == NULL || child->form != XMP_SIMPLE ? NULL : child->value;
}

static const struct xmp_node *items(const struct xmp_node *n, const char *ns, const char *name)
{
	const struct xmp_node *array = xmp_child(n, ns, name);
	return array == NULL || !xmp_is_array(array) ? NULL : array->first;
}

/* Hash tables take payloads that are not const; nothing is written there. */
static void *payload(const void *p)
{
	void *to;
	memcpy(&to, &p, sizeof to);
	return to;
}

static const xmlChar *key(const char *text)
{
	return (const xmlChar *)text;
}

static bool read_types(struct xmp_extension *x, const struct xmp_node *schema, const char *ns)
{
	bool ok = true;
	for (const struct xmp_node *n = items(schema, NS_PDFA_SCHEMA, "valueType"); n != NULL; n = n->next) {
		const char *name = value_of(n, NS_PDFA_TYPE, "type");
		char plain[TYPE_TEXT];
		if (name == NULL || value_of(n, NS_PDFA_TYPE, "namespaceURI") == NULL || !xmp_type_plain(name, plain))
			continue;
		ok = ok && xmlHashUpdateEntry2(x->types, key(ns), key(plain), payload(n), NULL) == 0;
		for (const struct xmp_node *f = items(n, NS_PDFA_TYPE, "field"); f != NULL; f = f->next) {
			const char *field = value_of(f, NS_PDFA_FIELD, "name"), *type = value_of(f, NS_PDFA_FIELD, "valueType");
			if (field != NULL && type != NULL)
				ok = ok &&
				     xmlHashUpdateEntry3(x->fields, key(ns), key(plain), key(field), payload(type), NULL) == 0;
		}
	}
	return ok;
}

/* The first description of a property that names a type there is. */
static bool read_properties(struct xmp_extension *x, const struct xmp_node *schema, const char *ns)
{
	const struct xmp_types types = {x, ns, x->part};
	bool ok = true;
	for (const struct xmp_node *p = items(schema, NS_PDFA_SCHEMA, "property"); p != NULL; p = p->next) {
		const char *name = value_of(p, NS_PDFA_PROPERTY, "name"), *type = value_of(p, NS_PDFA_PROPERTY, "valueType");
		if (name != NULL && type != NULL && xmp_type_known(&types, type) &&
		    xmlHashLookup2(x->properties, key(ns), key(name)) == NULL)
			ok = ok && xmlHashAddEntry2(x->properties, key(ns), key(name), payload(type)) == 0;
	}
	return ok;
}

static bool read_schemas(struct xmp_extension *x, const struct xmp_node *container)
{
	bool ok = true;
	if (container == NULL || !xmp_is_array(container))
		return true;
	for (const struct xmp_node *s = container->first; s != NULL; s = s->next) {
		const char *ns = value_of(s, NS_PDFA_SCHEMA, "namespaceURI");
		const struct xmp_node *properties = xmp_child(s, NS_PDFA_SCHEMA, "property");
		ok = ok && read_types(x, s, ns == NULL ? "" : ns);
		if (ns != NULL && properties != NULL && xmp_is_array(properties))
			ok = ok && xmlHashUpdateEntry(x->schemas, key(ns), payload(s), NULL) == 0;
	}
	for (const struct xmp_node *s = container->first; s != NULL && ok; s = s->next) {
		const char *ns = value_of(s, NS_PDFA_SCHEMA, "namespaceURI");
		if (ns != NULL && xmlHashLookup(x->schemas, key(ns)) == s)
			ok = read_properties(x, s, ns);
	}
	return ok;
}

bool xmp_extension_read(const struct xmp_node *container, const struct xmp_extension *above, int part,
                        struct xmp_extension **ret_extension)
{
	struct xmp_extension *x = calloc(1, sizeof *x);
	if (x == NULL)
		return false;
	*x = (struct xmp_extension){above, part, xmlHashCreate(0), xmlHashCreate(0), xmlHashCreate(0), xmlHashCreate(0)};
	if (x->schemas == NULL || x->properties == NULL || x->types == NULL || x->fields == NULL || !read_schemas(x, container)) {
		xmp_extension_free(x);
		return false;
	}
	*ret_extension = x;
	return true;
}

void xmp_extension_free(struct xmp_extension *x)
{
	if (x == NULL)
		return;
	xmlHashFree(x->schemas, NULL);
	xmlHashFree(x->properties, NULL);
	xmlHashFree(x->types, NULL);
	xmlHashFree(x->fields, NULL);
	free(x);
}

bool xmp_extension_defines(const struct xmp_extension *x, const struct xmp_node *property, bool *ret_holds)
{
	*ret_holds = false;
	for (; x != NULL; x = x->above) {
		const char *type = xmlHashLookup2(x->properties, key(property->ns), key(property->name));
		const struct xmp_types types = {x, property->ns, x->part};
		if (type == NULL)
			continue;
		*ret_holds = xmp_type_holds(&types, property, type);
		return true;
	}
	return false;
}

const struct xmp_node *xmp_extension_type(const struct xmp_extension *x, const char *ns, const char *plain)
{
	const struct xmp_node *found = NULL;
	for (; x != NULL && found == NULL; x = x->above)
		found = xmlHashLookup2(x->types, key(ns), key(plain));
	return found;
}

const char *xmp_extension_field(const struct xmp_extension *x, const char *ns, const char *plain, const char *field)
{
	for (; x != NULL; x = x->above)
		if (xmlHashLookup2(x->types, key(ns), key(plain)) != NULL)
			return xmlHashLookup3(x->fields, key(ns), key(plain), key(field));
	return NULL;
}
