#include "tests/unit/sheet_make.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
#define MAIN "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\""
#define RELS "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

void made_workbook(const char *cells, const char *strings, const char *styles, const char *workbook,
                   struct made_part ret_parts[MADE_PARTS])
{
	static char text[3][1 << 16], book[4096];
	snprintf(text[0], sizeof text[0], HEAD "<worksheet " MAIN ">%s</worksheet>", cells);
	snprintf(text[1], sizeof text[1], HEAD "<sst " MAIN ">%s</sst>", strings ? strings : "");
	snprintf(text[2], sizeof text[2], HEAD "<styleSheet " MAIN ">%s</styleSheet>", styles ? styles : "");
	snprintf(book, sizeof book,
	         HEAD "<workbook " MAIN " xmlns:r=\"" RELS
	              "\">%s<sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>",
	         workbook ? workbook : "");
	const struct made_part parts[MADE_PARTS] = {
	    {"_rels/.rels",
	     HEAD "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
	          "<Relationship Id=\"rId1\" Type=\"" RELS "/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"},
	    {"xl/workbook.xml", book},
	    {"xl/_rels/workbook.xml.rels",
	     HEAD "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
	          "<Relationship Id=\"rId1\" Type=\"" RELS "/worksheet\" Target=\"worksheets/sheet1.xml\"/>"
	          "<Relationship Id=\"rId2\" Type=\"" RELS "/sharedStrings\" Target=\"/xl/sharedStrings.xml\"/>"
	          "<Relationship Id=\"rId3\" Type=\"" RELS "/styles\" Target=\"./styles.xml\"/></Relationships>"},
	    {"xl/worksheets/sheet1.xml", text[0]},
	    {"xl/sharedStrings.xml", text[1]},
	    {"xl/styles.xml", text[2]}};
	memcpy(ret_parts, parts, sizeof parts);
}

size_t make_zip(const struct made_part *parts, size_t n, const char *options, void *to, size_t room)
{
	struct archive *a = archive_write_new();
	size_t used = 0;
	if (archive_write_set_format_zip(a) != ARCHIVE_OK ||
	    (options != NULL && archive_write_set_options(a, options) != ARCHIVE_OK) ||
	    archive_write_set_passphrase(a, "secret") != ARCHIVE_OK ||
	    archive_write_open_memory(a, to, room, &used) != ARCHIVE_OK)
		abort();
	for (size_t i = 0; i < n; i++) {
		struct archive_entry *entry = archive_entry_new();
		size_t size = strlen(parts[i].text);
		archive_entry_set_pathname(entry, parts[i].name);
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_perm(entry, 0644);
		archive_entry_set_size(entry, (la_int64_t)size);
		if (archive_write_header(a, entry) != ARCHIVE_OK ||
		    archive_write_data(a, parts[i].text, size) != (la_ssize_t)size)
			abort();
		archive_entry_free(entry);
	}
	archive_write_close(a);
	archive_write_free(a);
	return used;
}
