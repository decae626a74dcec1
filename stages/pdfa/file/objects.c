/* Every object of the file: its spacing, the forms and limits of all that it holds. */
#include <stdint.h>
#include <string.h>

#include "stages/base/text.h"
#include "stages/pdfa/file/facts.h"

static void show_filters(struct check *c, const struct pdfobj *stream)
{
	const struct pdfobj *filter = pdfobj_get(stream, "Filter"), *parms = pdfobj_get(stream, "DecodeParms");
	bool many = pdfobj_kind(filter) == PDF_ARRAY;
	size_t n = many ? pdfobj_length(filter) : pdfobj_kind(filter) == PDF_NAME;
	for (size_t i = 0; i < n; i++) {
		const struct pdfobj *p = pdfobj_kind(parms) == PDF_ARRAY ? pdfobj_at(parms, i) : parms;
		struct o_filter o = {.name = pdfobj_name(many ? pdfobj_at(filter, i) : filter),
		                     .identity = pdfobj_is_name(pdfobj_get(p, "Name"), "Identity")};
		pdfa_show(c, O_filter, &o, pdfobj_number(stream), o.name);
	}
}

static void show_name(struct check *c, const char *name, uint32_t number)
{
	struct o_name o = {strlen(name)};
	pdfa_show(c, O_name, &o, number, name);
}

static void show_number(struct check *c, const struct pdfobj *o, uint32_t number)
{
	if ((pdfobj_form(o) & PDF_FORM_INTEGER) != 0) {
		int64_t v = pdfobj_integer(o);
		struct o_integer i = {pdfobj_kind_direct(o) == PDF_INTEGER && v >= INT32_MIN && v <= INT32_MAX};
		pdfa_show(c, O_integer, &i, number, NULL);
	} else {
		struct o_real r = {pdfobj_real(o)};
		pdfa_show(c, O_real, &r, number, NULL);
	}
}

static void show_entries(struct check *c, const struct pdfobj *o, uint32_t number)
{
	struct o_dictionary facts = {pdfobj_length(o)};
	pdfa_show(c, O_dictionary, &facts, number, NULL);
	document_dictionary(c, o);
	metadata_dictionary(c, o);
	for (size_t i = 0; i < facts.length; i++) {
		show_name(c, pdfobj_key(o, i), number);
		file_object(c, pdfobj_value(o, i));
	}
}

/* As deep as the reader lets objects be nested. */
void file_object(struct check *c, const struct pdfobj *o)
{
	uint32_t number = pdfobj_number(o);
	switch (pdfobj_kind_direct(o)) {
	case PDF_STRING: {
		struct o_string s = {pdfobj_string(o).n, pdfobj_form(o)};
		pdfa_show(c, O_string, &s, number, NULL);
		break;
	}
	case PDF_NAME:
		show_name(c, pdfobj_name(o), number);
		break;
	case PDF_INTEGER:
	case PDF_REAL:
		show_number(c, o, number);
		break;
	case PDF_ARRAY: {
		struct o_array a = {pdfobj_length(o)};
		pdfa_show(c, O_array, &a, number, NULL);
		for (size_t i = 0; i < a.length; i++)
			file_object(c, pdfobj_at(o, i));
		break;
	}
	case PDF_DICT:
		show_entries(c, o, number);
		break;
	case PDF_STREAM: {
		struct o_stream s = file_stream(pdfdoc_bytes(c->doc), o);
		pdfa_show(c, O_stream, &s, number, NULL);
		show_filters(c, o);
		show_entries(c, o, number);
		break;
	}
	case PDF_NULL:
	case PDF_BOOLEAN:
	case PDF_REFERENCE:
		break;
	}
}

void file_unicode_name(struct check *c, const char *name, uint32_t number)
{
	struct o_unicode_name o = {utf8_valid(name, strlen(name))};
	pdfa_show(c, O_unicode_name, &o, number, name);
}

void file_objects(struct check *c)
{
	struct bytes in = pdfdoc_bytes(c->doc);
	for (uint32_t n = pdfdoc_next(c->doc, 0); n != 0 && !pdfa_ended(c); n = pdfdoc_next(c->doc, n)) {
		uint64_t offset, length;
		uint32_t stream;
		struct o_indirect_object o = {true};
		if (pdfdoc_locate(c->doc, n, &offset, &length, &stream) && stream == 0)
			o = file_spacing(in, offset, length);
		pdfa_show(c, O_indirect_object, &o, n, NULL);
		file_object(c, pdfdoc_object(c->doc, n));
		pdfa_rest(c, 1);
	}
}
