/* The container of a workbook (ISO/IEC 29500-2): a ZIP whose parts are read as a stream of XML. */
#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "stages/sheet/internal.h"

enum { RATIO_FREE = 64 << 20, RATIO_LIMIT = 1000 };

static enum status bad_zip(struct archive *a, const char *what, struct err *e)
{
	const char *said = archive_error_string(a);
	return err_set(e, ST_ITEM, "xlsx-zip", "%s: %s", what, said ? said : "not as a workbook has it");
}

static enum status bad_xml(const char *part, const char *what, struct err *e)
{
	err_set(e, ST_ITEM, "xlsx-xml", "%s: %.*s", part, (int)strcspn(what, "\n"), what);
	err_arg(e, "%s", part);
	return ST_ITEM;
}

/* Only what office programs write: stored or deflated, not encrypted, a regular file. Decoders that no workbook needs stay idle. */
static enum status check_entry(struct archive *a, struct archive_entry *entry, struct err *e)
{
	const char *format = archive_format_name(a);
	if (archive_entry_is_encrypted(entry))
		return err_set(e, ST_ITEM, "xlsx-encrypted", "an entry is encrypted");
	if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_symlink(entry) != NULL)
		return bad_zip(a, "an entry that is no file", e);
	if (format == NULL || (strstr(format, "deflation") == NULL && strstr(format, "uncompressed") == NULL))
		return bad_zip(a, "a way of packing that workbooks do not use", e);
	return ST_OK;
}

/* Stands at the entry's data afterwards. */
static enum status find_entry(struct archive *a, const char *part, struct err *e)
{
	struct archive_entry *entry;
	for (size_t n = 0; n < SHEET_ENTRY_LIMIT; n++) {
		int got = archive_read_next_header(a, &entry);
		if (got == ARCHIVE_EOF) {
			err_set(e, ST_ITEM, "xlsx-part", "%s is missing", part);
			err_arg(e, "%s", part);
			return ST_ITEM;
		}
		if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
			return bad_zip(a, "the ZIP cannot be read", e);
		const char *name = archive_entry_pathname(entry);
		if (name != NULL && strcasecmp(name, part) == 0)
			return check_entry(a, entry, e);
	}
	return err_set(e, ST_ITEM, "xlsx-bomb", "more than %d entries", SHEET_ENTRY_LIMIT);
}

static void refuse_doctype(void *context, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	struct part *p = context;
	(void)name, (void)external, (void)system;
	p->doctype = true;
	part_stop(p);
}

static void keep_quiet(void *context, xmlErrorPtr fault)
{
	(void)context, (void)fault;
}

void part_stop(struct part *p)
{
	p->stopped = true;
	xmlStopParser(p->parser);
}

static enum status feed_all(struct archive *a, struct bytes from, const char *name, struct part *p, struct err *e)
{
	static char chunk[1 << 16];
	size_t total = 0;
	la_ssize_t n;
	do {
		n = archive_read_data(a, chunk, sizeof chunk);
		if (n < 0)
			return bad_zip(a, name, e);
		total += (size_t)n;
		if (total > SHEET_PART_LIMIT || (total > RATIO_FREE && total / RATIO_LIMIT > from.n))
			return err_set(e, ST_ITEM, "xlsx-bomb", "%s unpacks to more than %zu bytes", name, total);
		xmlParseChunk(p->parser, chunk, (int)n, n == 0);
		if (p->doctype)
			return bad_xml(name, "a DOCTYPE, which no workbook has", e);
		if (!p->stopped && !p->parser->wellFormed) {
			const xmlError *said = xmlCtxtGetLastError(p->parser);
			return bad_xml(name, said && said->message ? said->message : "not well-formed", e);
		}
	} while (n > 0 && !p->stopped);
	return ST_OK;
}

static enum status parse_entry(struct archive *a, struct bytes from, const char *name, const xmlSAXHandler *sax, void *arg,
                               struct err *e)
{
	struct part p = {.arg = arg};
	xmlSAXHandler handlers = *sax;
	handlers.initialized = XML_SAX2_MAGIC;
	handlers.internalSubset = refuse_doctype;
	handlers.serror = keep_quiet;
	p.parser = xmlCreatePushParserCtxt(&handlers, &p, NULL, 0, NULL);
	if (p.parser == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for a parser");
	xmlCtxtUseOptions(p.parser, XML_PARSE_NONET | XML_PARSE_NOWARNING);
	enum status st = feed_all(a, from, name, &p, e);
	if (p.parser->myDoc != NULL)
		xmlFreeDoc(p.parser->myDoc);
	xmlFreeParserCtxt(p.parser);
	return st;
}

enum status part_read(struct bytes from, const char *name, const xmlSAXHandler *sax, void *arg, struct err *e)
{
	struct archive *a = archive_read_new();
	if (a == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for a ZIP");
	enum status st = ST_OK;
	if (archive_read_support_format_zip_seekable(a) != ARCHIVE_OK ||
	    archive_read_open_memory(a, from.p, from.n) != ARCHIVE_OK)
		st = bad_zip(a, "the ZIP cannot be read", e);
	if (st == ST_OK)
		st = find_entry(a, name, e);
	if (st == ST_OK)
		st = parse_entry(a, from, name, sax, arg, e);
	archive_read_free(a);
	return st;
}

bool part_attribute(const xmlChar **attributes, int count, const char *name, char *ret, size_t n)
{
	ret[0] = 0;
	for (int i = 0; i < count; i++) {
		const xmlChar **a = attributes + 5 * i; /* local name, prefix, URI, value, its end */
		if (strcmp((const char *)a[0], name) != 0)
			continue;
		size_t at = 0;
		for (const char *v = (const char *)a[3]; v < (const char *)a[4] && at + 1 < n; v++) {
			ret[at++] = *v;
			/* libxml2 leaves an ampersand in a value as a reference */
			if (*v == '&' && (const char *)a[4] - v >= 5 && memcmp(v, "&#38;", 5) == 0)
				v += 4;
		}
		ret[at] = 0;
		return true;
	}
	return false;
}
