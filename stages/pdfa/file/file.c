/* The file as a whole: header, end, trailers, and what the catalog says of the file. */
#include <string.h>

#include "stages/pdfa/file/facts.h"

/* ISO 32000-1, Table 6, without LZWDecode. */
static bool permitted_filter(const struct o_filter *o)
{
	static const char *const names[] = {"ASCIIHexDecode", "ASCII85Decode", "FlateDecode", "RunLengthDecode",
	                                    "CCITTFaxDecode", "JBIG2Decode",   "DCTDecode",   "JPXDecode"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(o->name, names[i]) == 0)
			return true;
	return strcmp(o->name, "Crypt") == 0 && o->identity;
}

#define RULES_FILE "stages/pdfa/file/rules.def"
#define RULES_TABLE file_rules
#include "stages/pdfa/rules.h"

static size_t line_end(struct bytes in, size_t at)
{
	while (at < in.n && in.p[at] != '\r' && in.p[at] != '\n')
		at++;
	return at;
}

static bool digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* 7.5.2: the header's line and the comment of four bytes above 127 on the next. */
static void look_at_header(const struct check *c, struct o_file *o)
{
	struct bytes in = pdfdoc_bytes(c->doc);
	size_t end = line_end(in, 0), next = end;
	o->header_offset = pdfdoc_header(c->doc);
	o->header_any = end >= 8 && digit(in.p[5]) && in.p[6] == '.' && digit(in.p[7]);
	o->header_1_7 = o->header_any && end == 8 && in.p[5] == '1' && in.p[7] <= '7';
	o->header_2 = o->header_any && end == 8 && in.p[5] == '2';
	if (next < in.n)
		next += next + 1 < in.n && in.p[next] == '\r' && in.p[next + 1] == '\n' ? 2 : 1;
	end = line_end(in, next);
	o->binary_comment = end - next >= 5 && in.p[next] == '%';
	for (size_t i = 1; i <= 4 && o->binary_comment; i++)
		o->binary_comment = in.p[next + i] > 127;
}

static bool nothing_follows(struct bytes in)
{
	size_t at = in.n;
	for (size_t back = 0; back < 1024 && at > 0; back++, at--)
		if (at >= 5 && memcmp(in.p + at - 5, "%%EOF", 5) == 0)
			break;
	size_t left = in.n - at;
	const uint8_t *p = in.p + at;
	if (at < 5 || memcmp(in.p + at - 5, "%%EOF", 5) != 0)
		return false;
	return left == 0 || (left == 1 && (*p == '\r' || *p == '\n')) || (left == 2 && p[0] == '\r' && p[1] == '\n');
}

/* Annex F: the first object of the file is the linearization dictionary, and L is the file's length. */
static bool linearized(const struct check *c)
{
	struct bytes in = pdfdoc_bytes(c->doc);
	size_t at = 0;
	while (at < in.n && at < 1024 && !digit(in.p[at])) {
		if (in.p[at] == '%')
			at = line_end(in, at);
		else
			at++;
	}
	uint32_t number = 0;
	for (; at < in.n && digit(in.p[at]) && number < 100000000; at++)
		number = number * 10 + (uint32_t)(in.p[at] - '0');
	const struct pdfobj *o = pdfdoc_object(c->doc, number);
	return pdfobj_kind(pdfobj_get(o, "Linearized")) != PDF_NULL &&
	       (uint64_t)pdfobj_integer(pdfobj_get(o, "L")) == in.n + pdfdoc_header(c->doc);
}

static const struct pdfobj *last_trailer(const struct pdfdoc *d)
{
	struct pdfdoc_section last = {.trailer = pdfdoc_trailer(d)};
	for (size_t i = 0; i < pdfdoc_sections(d); i++) {
		struct pdfdoc_section s = pdfdoc_section(d, i);
		if (s.offset >= last.offset)
			last = s;
	}
	return last.trailer;
}

/* 14.4: an array of byte strings. */
static bool same_ids(const struct pdfobj *a, const struct pdfobj *b)
{
	bool same = pdfobj_length(a) == pdfobj_length(b);
	for (size_t i = 0; i < pdfobj_length(a) && same; i++)
		same = bytes_equal(pdfobj_string(pdfobj_at(a, i)), pdfobj_string(pdfobj_at(b, i)));
	return same;
}

static bool empty_id(const struct pdfobj *id)
{
	for (size_t i = 0; i < pdfobj_length(id); i++)
		if (pdfobj_string(pdfobj_at(id, i)).n > 0)
			return false;
	return true;
}

static void look_at_ids(const struct check *c, struct o_file *o)
{
	const struct pdfobj *first = pdfobj_get(pdfdoc_trailer(c->doc), "ID"), *last = pdfobj_get(last_trailer(c->doc), "ID");
	o->linearized = pdfdoc_sections(c->doc) > 1 && linearized(c);
	o->has_first_id = pdfobj_kind(first) == PDF_ARRAY;
	o->has_last_id = pdfobj_kind(last) == PDF_ARRAY;
	o->same_id = same_ids(first, last);
	o->empty_id = empty_id(o->linearized ? first : last);
}

static bool there(const struct pdfobj *dictionary, const char *key)
{
	return pdfobj_kind(pdfobj_get(dictionary, key)) != PDF_NULL;
}

static void look_at_catalog(const struct check *c, struct o_file *o)
{
	const struct pdfobj *catalog = pdfdoc_catalog(c->doc), *needs = pdfobj_get(catalog, "NeedsRendering");
	o->marked = pdfobj_boolean(pdfobj_get(pdfobj_get(catalog, "MarkInfo"), "Marked"));
	o->needs_rendering = pdfobj_kind(needs) != PDF_NULL && (pdfobj_kind(needs) != PDF_BOOLEAN || pdfobj_boolean(needs));
	o->requirements = there(catalog, "Requirements");
	o->optional_content = there(catalog, "OCProperties");
	o->embedded_files = there(pdfobj_get(catalog, "Names"), "EmbeddedFiles");
	o->piece_info = there(catalog, "PieceInfo");
	o->info = there(pdfdoc_trailer(c->doc), "Info");
}

void file_check(struct check *c)
{
	struct o_file file = {.nothing_follows = nothing_follows(pdfdoc_bytes(c->doc))};
	struct o_trailer trailer = {.encrypted = pdfdoc_encrypted(c->doc)};
	look_at_header(c, &file);
	look_at_ids(c, &file);
	look_at_catalog(c, &file);
	for (uint32_t n = pdfdoc_next(c->doc, 0); n != 0; n = pdfdoc_next(c->doc, n))
		file.objects++;
	pdfa_show(c, O_file, &file, 0, NULL);
	pdfa_show(c, O_trailer, &trailer, 0, NULL);
	/* A cross-reference stream is an object of the file and comes with the others. */
	if (pdfobj_kind(pdfdoc_trailer(c->doc)) == PDF_DICT)
		file_object(c, pdfdoc_trailer(c->doc));
	for (size_t i = 0; i < pdfdoc_sections(c->doc) && !pdfa_ended(c); i++) {
		struct pdfdoc_section s = pdfdoc_section(c->doc, i);
		struct o_xref xref = {true, true};
		if (!s.is_stream)
			xref = file_xref(pdfdoc_bytes(c->doc), s.offset);
		pdfa_show(c, O_xref, &xref, 0, NULL);
	}
	file_objects(c);
}
