/* From XML to XMP's nodes. */
#include "stages/pdfa/metadata/xmp_tree.h"

#include <libxml/hash.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define NS_XML "http://www.w3.org/XML/1998/namespace"
#define NS_DC_OLD "http://purl.org/dc/1.1/"
#define PACKET_MAX (16u << 20)
#define CHUNK 4096

struct chunk {
	struct chunk *next;
	size_t used, size;
	max_align_t data[];
};

struct reading {
	struct xmp_tree *tree;
	xmlHashTable *names; /* of fields that are there already: name, namespace, parent */
	unsigned ids;
	const char *about; /* of the first rdf:Description that has one which is not empty */
	bool bad, no_memory;
};

static void *take(struct reading *r, size_t n)
{
	struct chunk *c = r->tree->chunks;
	n = (n + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	if (c == NULL || c->size - c->used < n) {
		size_t size = n > CHUNK ? n : CHUNK;
		c = malloc(sizeof *c + size);
		if (c == NULL) {
			r->no_memory = r->bad = true;
			return NULL;
		}
		*c = (struct chunk){.next = r->tree->chunks, .size = size};
		r->tree->chunks = c;
	}
	void *p = (char *)c->data + c->used;
	c->used += n;
	memset(p, 0, n);
	return p;
}

static const char *uri(const xmlNs *ns)
{
	return ns == NULL || ns->href == NULL ? "" : (const char *)ns->href;
}

static bool named(const xmlNode *n, const char *ns, const char *name)
{
	return strcmp(uri(n->ns), ns) == 0 && strcmp((const char *)n->name, name) == 0;
}

static bool is_rdf(const xmlNode *n, const char *name)
{
	return named(n, NS_RDF, name);
}

/* RDF/XML, 6.2.2: names that are no property's. */
static bool core_term(const xmlNode *n)
{
	static const char *const terms[] = {"RDF",      "ID",          "about",     "parseType",       "resource", "nodeID",
	                                    "datatype", "Description", "aboutEach", "aboutEachPrefix", "bagID"};
	if (strcmp(uri(n->ns), NS_RDF) != 0)
		return false;
	for (size_t i = 0; i < sizeof terms / sizeof *terms; i++)
		if (strcmp((const char *)n->name, terms[i]) == 0)
			return true;
	return false;
}

static bool blank_text(const xmlNode *n)
{
	if (n->type == XML_COMMENT_NODE)
		return true;
	if (n->type != XML_TEXT_NODE && n->type != XML_CDATA_SECTION_NODE)
		return false;
	for (const xmlChar *p = n->content; p != NULL && *p != '\0'; p++)
		if (strchr(" \t\r\n", *p) == NULL)
			return false;
	return true;
}

/* The text of a node's children; a single piece stays where it is. */
static const char *text_of(struct reading *r, const xmlNode *first)
{
	size_t n = 0, pieces = 0;
	const xmlNode *only = NULL;
	for (const xmlNode *t = first; t != NULL; t = t->next)
		if ((t->type == XML_TEXT_NODE || t->type == XML_CDATA_SECTION_NODE) && t->content != NULL) {
			n += strlen((const char *)t->content);
			pieces++;
			only = t;
		}
	if (pieces == 0)
		return "";
	if (pieces == 1)
		return (const char *)only->content;
	char *text = take(r, n + 1), *to = text;
	for (const xmlNode *t = first; t != NULL && text != NULL; t = t->next)
		if ((t->type == XML_TEXT_NODE || t->type == XML_CDATA_SECTION_NODE) && t->content != NULL) {
			size_t len = strlen((const char *)t->content);
			memcpy(to, t->content, len);
			to += len;
		}
	return text == NULL ? "" : text;
}

/* A name stands once among the properties or the fields of a structure. */
static void once(struct reading *r, const struct xmp_node *parent, const struct xmp_node *n)
{
	char key[16];
	snprintf(key, sizeof key, "%u", parent->id);
	if (xmlHashAddEntry3(r->names, (const xmlChar *)n->name, (const xmlChar *)n->ns, (const xmlChar *)key, r) != 0)
		r->bad = true;
}

static struct xmp_node *add_child(struct reading *r, struct xmp_node *parent, const xmlNode *x, const char *value)
{
	const char *ns = uri(x->ns);
	bool item = is_rdf(x, "li"), is_value = is_rdf(x, "value"), top = parent == &r->tree->root;
	if (ns[0] == '\0' || (item && !xmp_is_array(parent)) || (is_value && (top || parent->form != XMP_STRUCT)))
		r->bad = true;
	struct xmp_node *n = r->bad ? NULL : take(r, sizeof *n);
	if (n == NULL)
		return NULL;
	*n = (struct xmp_node){.ns = strcmp(ns, NS_DC_OLD) == 0 ? NS_DC : ns,
	                       .prefix = x->ns->prefix == NULL ? "" : (const char *)x->ns->prefix,
	                       .name = (const char *)x->name,
	                       .value = value,
	                       .id = ++r->ids};
	if (!item)
		once(r, parent, n);
	if (is_value) {
		parent->has_value = true;
		n->next = parent->first;
		parent->first = n;
		if (parent->last == NULL)
			parent->last = n;
		return n;
	}
	if (parent->last == NULL)
		parent->first = n;
	else
		parent->last->next = n;
	parent->last = n;
	return n;
}

/* A structure with rdf:value is its value; the other fields qualify it (ISO 16684-1, 7.8). */
static void take_value(struct xmp_node *n)
{
	if (!n->has_value)
		return;
	const struct xmp_node value = *n->first;
	n->form = value.form;
	n->value = value.value;
	n->first = value.first;
	n->last = value.last;
	if (value.lang != NULL)
		n->lang = value.lang;
	n->has_value = false;
}

static void read_property(struct reading *r, struct xmp_node *parent, const xmlNode *x);

static void read_properties(struct reading *r, struct xmp_node *parent, const xmlNode *x)
{
	for (const xmlNode *e = x->children; e != NULL && !r->bad; e = e->next) {
		if (blank_text(e))
			continue;
		if (e->type != XML_ELEMENT_NODE)
			r->bad = true;
		else
			read_property(r, parent, e);
	}
}

static bool xml_lang(const xmlNode *a)
{
	return named(a, NS_XML, "lang");
}

/* Old packets write about and ID without a namespace. */
static bool identifies(const xmlNode *a, const char *name)
{
	return is_rdf(a, name) || (a->ns == NULL && strcmp((const char *)a->name, name) == 0);
}

static void node_attribute(struct reading *r, struct xmp_node *parent, const xmlNode *a, bool *identified)
{
	if (identifies(a, "about") || identifies(a, "ID") || is_rdf(a, "nodeID")) {
		if (*identified)
			r->bad = true;
		*identified = true;
		if (parent != &r->tree->root || !identifies(a, "about"))
			return;
		const char *about = text_of(r, a->children);
		if (r->about != NULL && about[0] != '\0' && strcmp(r->about, about) != 0)
			r->bad = true;
		if (about[0] != '\0')
			r->about = about;
	} else if (core_term(a))
		r->bad = true;
	else
		add_child(r, parent, a, text_of(r, a->children));
}

/* A node element: rdf:Description, or within a property any other type. */
static void read_node(struct reading *r, struct xmp_node *parent, const xmlNode *x)
{
	bool description = is_rdf(x, "Description"), identified = false;
	if (!description && (core_term(x) || parent == &r->tree->root)) {
		r->bad = true;
		return;
	}
	for (const xmlAttr *a = x->properties; a != NULL && !r->bad; a = a->next)
		node_attribute(r, parent, (const xmlNode *)a, &identified);
	read_properties(r, parent, x);
}

/* What a property's element may carry beside its content. */
static void plain_attributes(struct reading *r, struct xmp_node *n, const xmlNode *x, const char *other)
{
	for (const xmlAttr *a = x->properties; a != NULL && !r->bad; a = a->next) {
		const xmlNode *attribute = (const xmlNode *)a;
		if (xml_lang(attribute))
			n->lang = text_of(r, a->children);
		else if (!is_rdf(attribute, "ID") && (other == NULL || !is_rdf(attribute, other)))
			r->bad = true;
	}
}

static enum xmp_form form_of(const xmlNode *x)
{
	return is_rdf(x, "Bag") ? XMP_BAG : is_rdf(x, "Seq") ? XMP_SEQ : is_rdf(x, "Alt") ? XMP_ALT : XMP_STRUCT;
}

/* The content is one element. */
static void read_resource(struct reading *r, struct xmp_node *parent, const xmlNode *x)
{
	struct xmp_node *n = add_child(r, parent, x, "");
	bool found = false;
	if (n == NULL)
		return;
	plain_attributes(r, n, x, NULL);
	for (const xmlNode *e = x->children; e != NULL && !r->bad; e = e->next) {
		if (blank_text(e))
			continue;
		if (e->type != XML_ELEMENT_NODE || found) {
			r->bad = true;
			return;
		}
		found = true;
		n->form = form_of(e);
		if (e->ns == NULL)
			r->bad = true;
		read_node(r, n, e);
	}
	if (!found)
		r->bad = true;
	if (!r->bad)
		take_value(n);
}

static void read_literal(struct reading *r, struct xmp_node *parent, const xmlNode *x)
{
	for (const xmlNode *t = x->children; t != NULL; t = t->next)
		if (t->type != XML_TEXT_NODE && t->type != XML_CDATA_SECTION_NODE && t->type != XML_COMMENT_NODE)
			r->bad = true;
	struct xmp_node *n = add_child(r, parent, x, text_of(r, x->children));
	if (n != NULL)
		plain_attributes(r, n, x, "datatype");
}

static void read_parse_type(struct reading *r, struct xmp_node *parent, const xmlNode *x)
{
	struct xmp_node *n = add_child(r, parent, x, "");
	if (n == NULL)
		return;
	n->form = XMP_STRUCT;
	plain_attributes(r, n, x, "parseType");
	read_properties(r, n, x);
	if (!r->bad)
		take_value(n);
}

/* No content: attributes are a reference, a value with qualifiers, or a structure's fields. */
static void read_empty(struct reading *r, struct xmp_node *parent, const xmlNode *x)
{
	const xmlAttr *resource = NULL, *value = NULL;
	bool node_id = false, fields = false;
	for (const xmlNode *t = x->children; t != NULL; t = t->next)
		if (t->type != XML_COMMENT_NODE)
			r->bad = true;
	for (const xmlAttr *a = x->properties; a != NULL && !r->bad; a = a->next) {
		const xmlNode *attribute = (const xmlNode *)a;
		if (is_rdf(attribute, "resource"))
			resource = a;
		else if (is_rdf(attribute, "nodeID"))
			node_id = true;
		else if (is_rdf(attribute, "value"))
			value = a;
		else if (!is_rdf(attribute, "ID") && core_term(attribute))
			r->bad = true;
		else if (!is_rdf(attribute, "ID") && !xml_lang(attribute))
			fields = true;
	}
	if (resource != NULL && (value != NULL || node_id))
		r->bad = true;
	const xmlAttr *content = value != NULL ? value : resource;
	struct xmp_node *n = add_child(r, parent, x, content == NULL ? "" : text_of(r, content->children));
	if (n == NULL)
		return;
	if (content == NULL && fields)
		n->form = XMP_STRUCT;
	for (const xmlAttr *a = x->properties; a != NULL && !r->bad; a = a->next) {
		const xmlNode *attribute = (const xmlNode *)a;
		if (xml_lang(attribute))
			n->lang = text_of(r, a->children);
		else if (n->form == XMP_STRUCT && !core_term(attribute))
			add_child(r, n, attribute, text_of(r, a->children));
	}
}

static bool text_only(const xmlNode *x)
{
	for (const xmlNode *t = x->children; t != NULL; t = t->next)
		if (t->type != XML_TEXT_NODE && t->type != XML_CDATA_SECTION_NODE && t->type != XML_COMMENT_NODE)
			return false;
	return true;
}

static void read_property(struct reading *r, struct xmp_node *parent, const xmlNode *x)
{
	const xmlAttr *telling = NULL;
	size_t n = 0;
	if (core_term(x)) {
		r->bad = true;
		return;
	}
	for (const xmlAttr *a = x->properties; a != NULL; a = a->next, n++)
		if (telling == NULL && !xml_lang((const xmlNode *)a) && !is_rdf((const xmlNode *)a, "ID"))
			telling = a;
	if (n > 3)
		read_empty(r, parent, x);
	else if (telling != NULL && is_rdf((const xmlNode *)telling, "datatype"))
		read_literal(r, parent, x);
	else if (telling != NULL && is_rdf((const xmlNode *)telling, "parseType")) {
		if (strcmp(text_of(r, telling->children), "Resource") == 0)
			read_parse_type(r, parent, x);
		else
			r->bad = true; /* Literal, Collection: not in XMP */
	} else if (telling != NULL || x->children == NULL)
		read_empty(r, parent, x);
	else if (text_only(x))
		read_literal(r, parent, x);
	else
		read_resource(r, parent, x);
}

/* An attribute of the packet's header: its name, and = with white space around it. */
static bool has_attribute(const char *data, const char *name)
{
	for (const char *at = data; (at = strstr(at, name)) != NULL;) {
		at += strlen(name);
		if (at[strspn(at, " \t\r\n")] == '=')
			return true;
	}
	return false;
}

/* rdf:RDF lies in x:xmpmeta, or alone. */
static const xmlNode *find_rdf(struct xmp_tree *t, const xmlNode *first)
{
	for (const xmlNode *n = first; n != NULL; n = n->next) {
		if (n->type == XML_PI_NODE && strcmp((const char *)n->name, "xpacket") == 0 && n->content != NULL) {
			const char *data = (const char *)n->content;
			t->bytes = has_attribute(data, "bytes");
			t->encoding = has_attribute(data, "encoding");
		}
		if (n->type != XML_ELEMENT_NODE)
			continue;
		if (is_rdf(n, "RDF"))
			return n;
		const xmlNode *in = find_rdf(t, n->children);
		if (in != NULL)
			return in;
	}
	return NULL;
}

/* Appendix F of XML 1.0, as far as XMP packets go: only UTF-8 has neither a zero byte nor a mark of two bytes at its start. */
static bool looks_utf8(struct bytes p)
{
	return p.n < 2 || (p.p[0] != 0 && p.p[0] != 0xfe && p.p[0] != 0xff && p.p[1] != 0);
}

static xmlDoc *parse(struct bytes p, const char *encoding, bool *ret_memory)
{
	xmlParserCtxt *x = xmlNewParserCtxt();
	*ret_memory = x != NULL;
	if (x == NULL)
		return NULL;
	xmlDoc *d = xmlCtxtReadMemory(x, (const char *)p.p, (int)p.n, NULL, encoding,
	                              XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
	*ret_memory = x->lastError.code != XML_ERR_NO_MEMORY;
	/* A name without its namespace is an error to libxml2 that leaves a tree. */
	if (d != NULL && (!x->nsWellFormed || d->intSubset != NULL)) {
		xmlFreeDoc(d);
		d = NULL;
	}
	xmlFreeParserCtxt(x);
	return d;
}

/* Four bytes a character, with the mark or without: libxml2 does not find it out for itself. */
static xmlDoc *parse_utf32(struct bytes p, bool *ret_memory)
{
	static const uint8_t starts[][4] = {{0xff, 0xfe, 0, 0}, {0, 0, 0xfe, 0xff}, {'<', 0, 0, 0}, {0, 0, 0, '<'}};
	for (size_t i = 0; i < sizeof starts / sizeof *starts && p.n >= 4; i++)
		if (memcmp(p.p, starts[i], 4) == 0) {
			size_t mark = i < 2 ? 4 : 0;
			return parse((struct bytes){p.p + mark, p.n - mark}, i % 2 == 0 ? "UTF-32LE" : "UTF-32BE", ret_memory);
		}
	return NULL;
}

static void part_schemas(struct xmp_tree *t)
{
	struct xmp_node **at = &t->root.first;
	for (struct xmp_node *n; (n = *at) != NULL;)
		if (strcmp(n->ns, NS_PDFA_EXTENSION) == 0 && strcmp(n->name, "schemas") == 0) {
			t->schemas = n;
			*at = n->next;
		} else
			at = &n->next;
}

static void read_rdf(struct reading *r, const xmlNode *rdf)
{
	/* The namespace of RDF is declared on rdf:RDF itself. */
	if (rdf->nsDef == NULL && rdf->properties == NULL)
		r->bad = true;
	for (const xmlNode *e = rdf->children; e != NULL && !r->bad; e = e->next) {
		if (blank_text(e))
			continue;
		if (e->type != XML_ELEMENT_NODE)
			r->bad = true;
		else
			read_node(r, &r->tree->root, e);
	}
}

static bool read_document(struct xmp_tree *t, const xmlDoc *d)
{
	struct reading r = {.tree = t, .names = xmlHashCreate(64)};
	if (r.names == NULL)
		return false;
	const xmlNode *rdf = find_rdf(t, d->children);
	if (rdf != NULL)
		read_rdf(&r, rdf);
	xmlHashFree(r.names, NULL);
	t->valid = !r.bad;
	t->utf8 = t->utf8 && t->valid && rdf != NULL;
	if (r.bad)
		t->root.first = t->root.last = NULL;
	else
		part_schemas(t);
	return !r.no_memory;
}

bool xmp_tree_read(struct bytes packet, struct xmp_tree **ret_tree)
{
	struct xmp_tree *t = calloc(1, sizeof *t);
	if (t == NULL)
		return false;
	bool memory = true;
	t->utf8 = looks_utf8(packet);
	t->root.form = XMP_STRUCT;
	if (packet.n > 0 && packet.n <= PACKET_MAX) {
		t->document = t->utf8 ? NULL : parse_utf32(packet, &memory);
		if (t->document == NULL && memory)
			t->document = parse(packet, NULL, &memory);
		/* Readers of XMP take what is no UTF-8 for Latin 1. */
		if (t->document == NULL && memory && t->utf8)
			t->document = parse(packet, "ISO-8859-1", &memory);
	}
	if (!memory || (t->document != NULL && !read_document(t, t->document))) {
		xmp_tree_free(t);
		return false;
	}
	t->utf8 = t->utf8 && t->document != NULL;
	*ret_tree = t;
	return true;
}

void xmp_tree_free(struct xmp_tree *t)
{
	if (t == NULL)
		return;
	for (struct chunk *c = t->chunks, *next; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	xmlFreeDoc(t->document);
	free(t);
}

const struct xmp_node *xmp_child(const struct xmp_node *n, const char *ns, const char *name)
{
	for (const struct xmp_node *at = n->first; at != NULL; at = at->next)
		if (strcmp(at->name, name) == 0 && strcmp(at->ns, ns) == 0)
			return at;
	return NULL;
}

bool xmp_is_array(const struct xmp_node *n)
{
	return n->form >= XMP_BAG;
}
