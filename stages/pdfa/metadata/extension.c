/* Extension schemas: their form (19005-1, 6.7.8; 19005-2, 6.6.2.3) and what they define. */
#include <string.h>

#include "stages/pdfa/metadata/facts.h"

/* A field that shall be there as simple text. */
static bool text_field(const struct xmp_node *n, const char *ns, const char *name, const char *prefix)
{
	const struct xmp_node *f = xmp_child(n, ns, name);
	return f != NULL && f->form == XMP_SIMPLE && strcmp(f->prefix, prefix) == 0;
}

/* A field that may be there, as an ordered array. */
static bool seq_field(const struct xmp_node *n, const char *ns, const char *name, const char *prefix)
{
	const struct xmp_node *f = xmp_child(n, ns, name);
	return f == NULL || ((f->form == XMP_SEQ || f->form == XMP_ALT) && strcmp(f->prefix, prefix) == 0);
}

static const char *value_of(const struct xmp_node *n, const char *ns, const char *name)
{
	const struct xmp_node *f = xmp_child(n, ns, name);
	return f == NULL ? NULL : f->value;
}

static void show_fields(struct check *c, const struct xmp_node *n, const char *ns, const char *const names[], uint32_t number)
{
	struct o_schema_object o = {0};
	const char *what = NULL;
	for (const struct xmp_node *f = n->first; f != NULL && !o.undefined; f = f->next) {
		bool known = false;
		for (size_t i = 0; names[i] != NULL && !known; i++)
			known = strcmp(f->ns, ns) == 0 && strcmp(f->name, names[i]) == 0;
		o.undefined = !known;
		what = f->name;
	}
	pdfa_show(c, O_schema_object, &o, number, what);
}

static bool known_type(const struct xmp_node *n, const char *ns, const struct xmp_types *t)
{
	const char *type = value_of(n, ns, "valueType");
	return type == NULL || xmp_type_known(t, type);
}

static void check_property(struct check *c, const struct xmp_node *n, const struct xmp_types *t, uint32_t number)
{
	static const char *const names[] = {"category", "description", "name", "valueType", NULL};
	static const char ns[] = NS_PDFA_PROPERTY, prefix[] = "pdfaProperty";
	const char *category = value_of(n, ns, "category");
	struct o_schema_property o = {
	    .name = text_field(n, ns, "name", prefix),
	    .value_type = text_field(n, ns, "valueType", prefix) && known_type(n, ns, t),
	    .category = text_field(n, ns, "category", prefix) &&
	                (strcmp(category, "external") == 0 || strcmp(category, "internal") == 0),
	    .description = text_field(n, ns, "description", prefix),
	};
	show_fields(c, n, ns, names, number);
	pdfa_show(c, O_schema_property, &o, number, value_of(n, ns, "name"));
}

static void check_field(struct check *c, const struct xmp_node *n, const struct xmp_types *t, uint32_t number)
{
	static const char *const names[] = {"description", "name", "valueType", NULL};
	static const char ns[] = NS_PDFA_FIELD, prefix[] = "pdfaField";
	struct o_schema_field o = {
	    .name = text_field(n, ns, "name", prefix),
	    .value_type = text_field(n, ns, "valueType", prefix) && known_type(n, ns, t),
	    .description = text_field(n, ns, "description", prefix),
	};
	show_fields(c, n, ns, names, number);
	pdfa_show(c, O_schema_field, &o, number, value_of(n, ns, "name"));
}

static const struct xmp_node *items(const struct xmp_node *n, const char *ns, const char *name)
{
	const struct xmp_node *array = xmp_child(n, ns, name);
	return array == NULL || !xmp_is_array(array) ? NULL : array->first;
}

static void check_value_type(struct check *c, const struct xmp_node *n, const struct xmp_types *t, uint32_t number)
{
	static const char *const names[] = {"description", "field", "namespaceURI", "prefix", "type", NULL};
	static const char ns[] = NS_PDFA_TYPE, prefix[] = "pdfaType";
	struct o_schema_value_type o = {
	    .type = text_field(n, ns, "type", prefix),
	    .uri = text_field(n, ns, "namespaceURI", prefix),
	    .prefix = text_field(n, ns, "prefix", prefix),
	    .description = text_field(n, ns, "description", prefix),
	    .field = seq_field(n, ns, "field", prefix),
	};
	show_fields(c, n, ns, names, number);
	pdfa_show(c, O_schema_value_type, &o, number, value_of(n, ns, "type"));
	for (const struct xmp_node *f = items(n, ns, "field"); f != NULL; f = f->next)
		check_field(c, f, t, number);
}

static void check_schema(struct check *c, const struct xmp_node *n, const struct xmp_extension *x, uint32_t number)
{
	static const char *const names[] = {"namespaceURI", "prefix", "property", "schema", "valueType", NULL};
	static const char ns[] = NS_PDFA_SCHEMA, prefix[] = "pdfaSchema";
	struct o_schema_definition o = {
	    .schema = text_field(n, ns, "schema", prefix),
	    .uri = text_field(n, ns, "namespaceURI", prefix),
	    .prefix = text_field(n, ns, "prefix", prefix),
	    .property = seq_field(n, ns, "property", prefix),
	    .value_type = seq_field(n, ns, "valueType", prefix),
	};
	const char *uri = value_of(n, ns, "namespaceURI");
	const struct xmp_types types = {x, uri == NULL ? "" : uri, pdfa_part(c)};
	show_fields(c, n, ns, names, number);
	pdfa_show(c, O_schema_definition, &o, number, uri);
	for (const struct xmp_node *p = items(n, ns, "property"); p != NULL; p = p->next)
		check_property(c, p, &types, number);
	for (const struct xmp_node *v = items(n, ns, "valueType"); v != NULL; v = v->next)
		check_value_type(c, v, &types, number);
}

void extension_check(struct check *c, const struct xmp_tree *t, const struct xmp_extension *x, uint32_t number)
{
	const struct xmp_node *container = t->schemas;
	if (container == NULL)
		return;
	struct o_schema_container o = {container->form == XMP_BAG, strcmp(container->prefix, "pdfaExtension") == 0};
	pdfa_show(c, O_schema_container, &o, number, NULL);
	for (const struct xmp_node *s = container->first; xmp_is_array(container) && s != NULL; s = s->next)
		check_schema(c, s, x, number);
}
