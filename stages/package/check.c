#include "stages/package/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/digest.h"
#include "stages/base/file.h"
#include "stages/package/check_private.h"
#include "stages/package/container.h"

#define XML_MAX ((size_t)1 << 30)
#define FINDINGS_MAX 1000

void check_find(struct check *c, const char *code, const char *where, const char *format, ...)
{
	struct package_report *r = c->report;
	if (r->n_findings == FINDINGS_MAX)
		return;
	struct package_finding *more = realloc(r->findings, (r->n_findings + 1) * sizeof *more);
	if (more == NULL)
		abort(); /* a finding that gets lost would make a broken package look whole */
	r->findings = more;
	struct package_finding *f = &more[r->n_findings++];
	snprintf(f->code, sizeof f->code, "%s", code);
	snprintf(f->where, sizeof f->where, "%s", where);
	va_list ap;
	va_start(ap, format);
	vsnprintf(f->message, sizeof f->message, format, ap);
	va_end(ap);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct seen *)a)->path, ((const struct seen *)b)->path);
}

struct seen *check_file(struct check *c, const char *path)
{
	char *copy = strdup(path);
	const struct seen key = {.path = copy};
	struct seen *found = copy == NULL ? NULL : bsearch(&key, c->files, c->n, sizeof *c->files, by_path);
	free(copy);
	return found;
}

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool is_data(const char *path)
{
	return starts(path, "representations/") && strstr(path, "/data/") != NULL;
}

static enum status see(void *arg, const char *path, struct bytes content, struct err *e)
{
	struct check *c = arg;
	uint8_t digest[32];
	if (content.p == NULL) {
		check_find(c, "package-foreign", path, "neither a file nor a folder");
		return ST_OK;
	}
	if (c->n == c->room) {
		size_t room = c->room == 0 ? 64 : c->room * 2;
		struct seen *more = realloc(c->files, room * sizeof *more);
		if (more == NULL)
			return err_set(e, ST_RETRY, "memory", "no memory for a package");
		c->files = more;
		c->room = room;
	}
	struct seen *f = &c->files[c->n++];
	*f = (struct seen){.path = strdup(path), .size = (int64_t)content.n, .xml = BUF_INIT(XML_MAX)};
	sha256_bytes(content.p, content.n, digest);
	hex_upper(digest, sizeof digest, f->sha256);
	if (!is_data(path) && strcmp(path_extension(path), "xml") == 0)
		buf_add(&f->xml, content.p, content.n);
	if (f->path == NULL || f->xml.failed)
		return err_set(e, ST_RETRY, "memory", "no memory for a package");
	return is_data(path) && c->visitor != NULL ? c->visitor(c->arg, path, content, e) : ST_OK;
}

/* "representations/rep1/" of "representations/rep1/METS.xml"; NULL for any other path. The caller frees. */
static char *representation_of(const char *path)
{
	const char *name = path + strlen("representations/");
	const char *slash = starts(path, "representations/") ? strchr(name, '/') : NULL;
	return slash != NULL && strcmp(slash, "/METS.xml") == 0 ? strndup(path, (size_t)(slash + 1 - path)) : NULL;
}

static void check_description(struct check *c, const struct seen *f)
{
	const char *name = path_name(f->path);
	xmlDocPtr doc = check_xml(c, f);
	if (doc == NULL)
		return;
	check_schema(c, f, doc,
	             starts(name, "EAD_doc_")     ? "EAD_doc.xsd"
	             : starts(name, "EAD_pic_")   ? "EAD_pic.xsd"
	             : starts(name, "EAD_media_") ? "EAD_media.xsd"
	                                          : "EAD.xsd");
	xmlFreeDoc(doc);
}

static void check_representation(struct check *c, const struct seen *mets, const char *folder)
{
	char *data = path_join(folder, "data/");
	if (data == NULL)
		abort();
	memmove(data + strlen(folder), data + strlen(folder) + 1, strlen("data/") + 1); /* folder ends with its own '/' */
	check_mets(c, mets, folder);
	for (size_t i = 0; i < c->n; i++) {
		if (starts(c->files[i].path, folder) && starts(path_name(c->files[i].path), "PREMIS"))
			check_premis(c, &c->files[i], data);
	}
	free(data);
}

static void check_all(struct check *c, const char *name)
{
	const struct seen *top = check_file(c, "METS.xml");
	if (top == NULL) {
		check_find(c, "package-missing", "METS.xml", "the package has no METS.xml");
		return;
	}
	buf_add(&c->report->mets, top->xml.data, top->xml.len);
	check_mets(c, top, "");
	for (size_t i = 0; i < c->n; i++) {
		char *folder = representation_of(c->files[i].path);
		if (folder != NULL)
			check_representation(c, &c->files[i], folder);
		else if (strstr(c->files[i].path, "metadata/descriptive/") != NULL)
			check_description(c, &c->files[i]);
		free(folder);
	}
	const struct seen *premis = check_file(c, "metadata/preservation/PREMIS.xml");
	if (premis == NULL)
		check_find(c, "package-missing", "metadata/preservation/PREMIS.xml", "an AIP has PREMIS");
	else
		check_premis(c, premis, "");
	for (size_t i = 0; i < c->n; i++) {
		const struct seen *f = &c->files[i];
		if (!f->named && f != top)
			check_find(c, "package-stray", f->path, "no METS names it");
		if (is_data(f->path) && !f->described)
			check_find(c, "package-description", f->path, "no description is tied to it");
	}
	char *folder = c->report->objid == NULL ? NULL : strdup(c->report->objid);
	for (char *at = folder; at != NULL && *at != '\0'; at++) {
		if (*at == ':' || *at == '/')
			*at = '_';
	}
	if (folder != NULL && strcmp(folder, name) != 0)
		check_find(c, "package-name", name, "OBJID is %s", c->report->objid);
	free(folder);
}

enum status package_check(const char *path, package_visitor *visitor, void *arg, struct package_report *ret_report, struct err *e)
{
	struct package_report report = {.mets = BUF_INIT(XML_MAX)};
	struct check c = {.report = &report, .visitor = visitor, .arg = arg};
	char *name = NULL;
	enum status st = container_walk(path, see, &c, &name, e);
	if (st == ST_OK) {
		if (c.n > 0)
			qsort(c.files, c.n, sizeof *c.files, by_path);
		for (size_t i = 1; i < c.n; i++) {
			if (strcmp(c.files[i - 1].path, c.files[i].path) == 0)
				check_find(&c, "package-stray", c.files[i].path, "twice in the container");
		}
		check_all(&c, name);
		report.files = c.n;
	}
	for (size_t i = 0; i < c.n; i++) {
		free(c.files[i].path);
		buf_free(&c.files[i].xml);
	}
	free(c.files);
	free(name);
	if (st != ST_OK) {
		package_report_free(&report);
		return st;
	}
	*ret_report = report;
	return ST_OK;
}

void package_report_free(struct package_report *r)
{
	free(r->objid);
	free(r->findings);
	buf_free(&r->mets);
	*r = (struct package_report){0};
}

struct each {
	package_visitor *visitor;
	void *arg;
};

static enum status see_data(void *arg, const char *path, struct bytes content, struct err *e)
{
	const struct each *each = arg;
	return content.p != NULL && is_data(path) ? each->visitor(each->arg, path, content, e) : ST_OK;
}

enum status package_each(const char *path, package_visitor *visitor, void *arg, struct err *e)
{
	char *name = NULL;
	enum status st = container_walk(path, see_data, &(struct each){visitor, arg}, &name, e);
	free(name);
	return st;
}

struct sought {
	bool found;
};

static enum status seek_mets(void *arg, const char *path, struct bytes content, struct err *e)
{
	(void)content;
	struct sought *s = arg;
	s->found = s->found || strcmp(path, "METS.xml") == 0;
	return s->found ? err_set(e, ST_ITEM, "package-unreadable", "found") : ST_OK; /* ends the walk */
}

bool package_recognise(const char *path)
{
	struct sought s = {false};
	struct err e;
	char *name = NULL, *mets = path_join(path, "METS.xml");
	struct file_map zip, file;
	bool there = mets != NULL && file_map_open(mets, &file, NULL) == ST_OK;
	if (there)
		file_map_close(&file);
	free(mets);
	if (there || file_map_open(path, &zip, NULL) != ST_OK)
		return there;
	bool is_zip = zip.in.n > 4 && memcmp(zip.in.p, "PK\3\4", 4) == 0;
	file_map_close(&zip);
	if (is_zip)
		container_walk(path, seek_mets, &s, &name, &e);
	free(name);
	return s.found;
}
