/* What files are by their names, and those that belong to a document: its text, its attachments, its signature. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "stages/base/file.h"
#include "stages/bundle/internal.h"

/* By the end of the name, the longest first. */
static const struct {
	const char *end, *format, *name, *mime;
} kinds[] = {
    {".alto.xml", "fmt/101", "ALTO", "application/alto+xml"},
    {".xml", "fmt/101", "XML", "text/xml"},
    {".txt", "x-fmt/111", "plain text", "text/plain"},
    {".csv", "x-fmt/18", "CSV", "text/csv"},
    {".p7s", NULL, "CAdES signature", "application/pkcs7-signature"},
    {".pdf", "fmt/276", "PDF", "application/pdf"},
    {".docx", "fmt/412", "Word", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {".xlsx", "fmt/214", "Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {".pptx", "fmt/215", "PowerPoint", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {".doc", "fmt/40", "Word 97", "application/msword"},
    {".xls", "fmt/61", "Excel 97", "application/vnd.ms-excel"},
    {".odt", "fmt/291", "OpenDocument text", "application/vnd.oasis.opendocument.text"},
    {".ods", "fmt/295", "OpenDocument spreadsheet", "application/vnd.oasis.opendocument.spreadsheet"},
    {".zip", "x-fmt/263", "ZIP", "application/zip"},
    {".jpg", "fmt/43", "JPEG", "image/jpeg"},
    {".png", "fmt/12", "PNG", "image/png"},
    {".tif", "fmt/353", "TIFF", "image/tiff"},
    {".mp3", "fmt/134", "MP3", "audio/mpeg"},
    {".wma", "fmt/132", "Windows Media Audio", "audio/x-ms-wma"},
    {".wav", "fmt/6", "WAVE", "audio/vnd.wave"},
    {".flac", "fmt/279", "FLAC", "audio/flac"},
    {".ogg", NULL, "Ogg", "audio/ogg"},
    {".m4a", "fmt/199", "MPEG-4", "audio/mp4"},
    {".mp4", "fmt/199", "MPEG-4", "video/mp4"},
    {".mov", "x-fmt/384", "QuickTime", "video/quicktime"},
    {".avi", "fmt/5", "AVI", "video/x-msvideo"},
    {".wmv", "fmt/133", "Windows Media Video", "video/x-ms-wmv"},
    {".mkv", "fmt/569", "Matroska", "video/x-matroska"},
    {".mpg", NULL, "MPEG", "video/mpeg"},
    {"", NULL, "not identified", "application/octet-stream"},
};

void bundled_describe(struct package_companion *c)
{
	size_t n = strlen(c->name);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		size_t end = strlen(kinds[i].end);
		if (n < end || strcasecmp(c->name + n - end, kinds[i].end) != 0)
			continue;
		c->format = kinds[i].format;
		c->format_name = kinds[i].name;
		c->mime = kinds[i].mime;
		return;
	}
}

enum status bundled_companions(const struct item *it, struct bundled *b, struct err *e)
{
	b->companions = calloc(it->n_companions + 1, sizeof *b->companions);
	if (b->companions == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for a document");
	for (size_t i = 0; i < it->n_companions; i++) {
		const struct item_file *f = &it->companions[i];
		struct package_companion *c = &b->companions[i];
		char *name;
		if (asprintf(&name, "%s%s", it->name, item_file_tail(f->path)) < 0)
			return err_set(e, ST_RETRY, "memory", "no memory for a document");
		*c = (struct package_companion){.name = name, .source = f->path, .size = f->size, .sha256 = f->sha256};
		b->n_companions++;
		bundled_describe(c);
	}
	return ST_OK;
}

void bundled_companions_free(struct bundled *b)
{
	for (size_t i = 0; i < b->n_companions; i++)
		free((char *)(uintptr_t)b->companions[i].name);
	free(b->companions);
}
