/*
 * The parts of a workbook from hostile bytes. A mutated ZIP fails its checksums before its XML is read; here the container is always right: the input
 * is the parts in the order of `names`, each ended by a byte 0xFF, which UTF-8 never has.
 */
#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "stages/sheet/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml",
                                    "xl/_rels/workbook.xml.rels"};
static const char types[] = "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>",
                  root[] =
                      "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship "
                      "Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" "
                      "Target=\"xl/workbook.xml\"/></Relationships>";

static void put(struct archive *to, const char *name, const void *bytes, size_t n)
{
	struct archive_entry *entry = archive_entry_new();
	archive_entry_set_pathname(entry, name);
	archive_entry_set_size(entry, (la_int64_t)n);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_write_header(to, entry);
	archive_write_data(to, bytes, n);
	archive_entry_free(entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t zip[1u << 18];
	size_t used = 0;
	struct err e;
	if (size > sizeof zip / 2)
		return 0;
	struct archive *to = archive_write_new();
	archive_write_set_format_zip(to);
	archive_write_zip_set_compression_store(to);
	archive_write_set_bytes_in_last_block(to, 1);
	archive_write_open_memory(to, zip, sizeof zip, &used);
	put(to, "[Content_Types].xml", types, sizeof types - 1);
	put(to, "_rels/.rels", root, sizeof root - 1);
	for (size_t i = 0; i < sizeof names / sizeof *names && size > 0; i++) {
		const uint8_t *end = memchr(data, 0xFF, size);
		size_t n = end == NULL ? size : (size_t)(end - data);
		put(to, names[i], data, n);
		data += end == NULL ? n : n + 1;
		size -= end == NULL ? n : n + 1;
	}
	archive_write_close(to);
	archive_write_free(to);
	struct book *b = book_new();
	if (b != NULL)
		xlsx_parse((struct bytes){zip, used}, b, &e);
	book_free(b);
	return 0;
}
