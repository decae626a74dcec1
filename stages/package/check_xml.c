#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <stdio.h>
#include <string.h>

#include "stages/package/check_private.h"
#include "stages/package/write.h"

#define XML_BYTES_MAX (1 << 30)

xmlDocPtr check_xml(struct check *c, const struct seen *f)
{
	if (f->xml.len == 0 || f->xml.len > XML_BYTES_MAX) {
		check_find(c, "package-xml", f->path, "empty or too large");
		return NULL;
	}
	xmlDocPtr doc = xmlReadMemory((const char *)f->xml.data, (int)f->xml.len, "x.xml", NULL,
	                              XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (doc == NULL) {
		const xmlError *fault = xmlGetLastError();
		check_find(c, "package-xml", f->path, "line %d: %.*s", fault == NULL ? 0 : fault->line,
		           fault == NULL || fault->message == NULL ? 0 : (int)strcspn(fault->message, "\n"),
		           fault == NULL || fault->message == NULL ? "" : fault->message);
	} else if (doc->intSubset != NULL) {
		check_find(c, "package-xml", f->path, "a document type is not allowed");
		xmlFreeDoc(doc);
		doc = NULL;
	}
	return doc;
}

/* Schemas import each other by name; they come from the program, never from a disk or a network. */
static xmlParserInputPtr load_schema(const char *url, const char *id, xmlParserCtxtPtr context)
{
	(void)id;
	const char *slash = url == NULL ? NULL : strrchr(url, '/');
	const char *name = slash == NULL ? url : slash + 1;
	for (size_t i = 0; name != NULL && i < package_schemas_count; i++) {
		const struct package_schema *s = &package_schemas[i];
		if (strcmp(name, s->name) == 0) {
			xmlParserInputBufferPtr bytes =
			    xmlParserInputBufferCreateMem((const char *)s->text, (int)s->n, XML_CHAR_ENCODING_UTF8);
			return bytes == NULL ? NULL : xmlNewIOInputStream(context, bytes, XML_CHAR_ENCODING_UTF8);
		}
	}
	return NULL;
}

struct schema_use {
	struct check *c;
	const struct seen *f;
	int count;
};

static void note_fault(void *arg, xmlErrorPtr fault)
{
	struct schema_use *u = arg;
	if (u->count++ < 5) /* the first ones say enough */
		check_find(u->c, "package-schema", u->f->path, "line %d: %.*s", fault->line, (int)strcspn(fault->message, "\n"),
		           fault->message);
}

void check_schema(struct check *c, const struct seen *f, xmlDocPtr doc, const char *schema)
{
	struct schema_use use = {c, f, 0};
	xmlExternalEntityLoader before = xmlGetExternalEntityLoader();
	xmlSetExternalEntityLoader(load_schema);
	xmlSchemaParserCtxtPtr parser = xmlSchemaNewParserCtxt(schema);
	xmlSchemaPtr rules = parser == NULL ? NULL : xmlSchemaParse(parser);
	xmlSchemaFreeParserCtxt(parser);
	xmlSchemaValidCtxtPtr run = rules == NULL ? NULL : xmlSchemaNewValidCtxt(rules);
	if (run == NULL) {
		check_find(c, "package-schema", f->path, "the schema %s could not be read", schema);
	} else {
		xmlSchemaSetValidStructuredErrors(run, note_fault, &use);
		if (xmlSchemaValidateDoc(run, doc) != 0 && use.count == 0)
			check_find(c, "package-schema", f->path, "does not fit %s", schema);
	}
	xmlSchemaFreeValidCtxt(run);
	xmlSchemaFree(rules);
	xmlSetExternalEntityLoader(before);
}
