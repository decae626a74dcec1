/* Writing XML by libxml2's writer into memory: elements, attributes, text. Private to this folder. */
#ifndef ARKSEAL_PACKAGE_XML_H
#define ARKSEAL_PACKAGE_XML_H

#include <libxml/xmlwriter.h>
#include <stdint.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"
#include "stages/base/text.h"

struct xml {
	xmlTextWriterPtr to;
	xmlBufferPtr memory;
};

/* Starts a UTF-8 document. */
enum status xml_begin(struct xml *x, struct err *e);
/* Ends it, appends it to *ret_text and frees everything. ST_RETRY "memory" where any write has failed. */
enum status xml_end(struct xml *x, struct buf *ret_text, struct err *e);

void xml_open(struct xml *x, const char *element);
void xml_close(struct xml *x);
/* Nothing is written where value is NULL. */
void xml_attribute(struct xml *x, const char *name, const char *value);
void xml_text(struct xml *x, const char *value);
void xml_element(struct xml *x, const char *element, const char *value);

/* "uuid-{UUID}" from names: the same names give the same identifier. */
#define XML_ID 48
void xml_id(const char *prefix, const char *objid, const char *name, char ret_id[XML_ID]);

#endif
