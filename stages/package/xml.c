#include "stages/package/xml.h"

#include <stdio.h>
#include <string.h>

#include "stages/base/digest.h"

enum status xml_begin(struct xml *x, struct err *e)
{
	x->memory = xmlBufferCreate();
	x->to = x->memory == NULL ? NULL : xmlNewTextWriterMemory(x->memory, 0);
	if (x->to == NULL) {
		xmlBufferFree(x->memory);
		return err_set(e, ST_RETRY, "memory", "no memory for XML");
	}
	xmlTextWriterSetIndent(x->to, 1);
	xmlTextWriterSetIndentString(x->to, BAD_CAST "\t");
	xmlTextWriterStartDocument(x->to, "1.0", "UTF-8", NULL);
	return ST_OK;
}

enum status xml_end(struct xml *x, struct buf *ret_text, struct err *e)
{
	int end = xmlTextWriterEndDocument(x->to);
	xmlFreeTextWriter(x->to);
	if (end >= 0)
		buf_add(ret_text, xmlBufferContent(x->memory), (size_t)xmlBufferLength(x->memory));
	xmlBufferFree(x->memory);
	*x = (struct xml){0};
	return end < 0 || ret_text->failed ? err_set(e, ST_RETRY, "memory", "no memory for XML") : ST_OK;
}

void xml_open(struct xml *x, const char *element)
{
	xmlTextWriterStartElement(x->to, BAD_CAST element);
}

void xml_close(struct xml *x)
{
	xmlTextWriterEndElement(x->to);
}

void xml_attribute(struct xml *x, const char *name, const char *value)
{
	if (value != NULL)
		xmlTextWriterWriteAttribute(x->to, BAD_CAST name, BAD_CAST value);
}

void xml_text(struct xml *x, const char *value)
{
	xmlTextWriterWriteString(x->to, BAD_CAST value);
}

void xml_element(struct xml *x, const char *element, const char *value)
{
	xmlTextWriterWriteElement(x->to, BAD_CAST element, BAD_CAST value);
}

void xml_id(const char *prefix, const char *objid, const char *name, char ret_id[XML_ID])
{
	char joined[1024], uuid[37];
	int n = snprintf(joined, sizeof joined, "%s\n%s\n%s", prefix, objid, name);
	if (n < 0 || (size_t)n >= sizeof joined) /* a name this long still gets an identifier of its own */
		sha256_hex(name, strlen(name), joined);
	uuid_from_name(joined, uuid);
	snprintf(ret_id, XML_ID, "%s-%s", prefix, uuid);
}
