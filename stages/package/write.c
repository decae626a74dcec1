#include "stages/package/write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stages/base/digest.h"
#include "stages/base/file.h"

#define XML_MAX ((size_t)1 << 30)
#define REP "representations/rep1/"

/* What is known of the tree while it grows. */
struct tree {
	const struct package *p;
	const char *folder;
	struct package_file descriptive, preservation, documentation, representation, rep_preservation;
	struct package_file *schemas;
	struct package_file *rep_descriptive; /* one for each document */
	struct package_file *data;            /* for each document its own, then its companions' */
	size_t n_data;
};

char *package_folder_name(const char *objid)
{
	char *name = strdup(objid);
	for (char *at = name; at != NULL && *at != '\0'; at++) {
		if (*at == ':' || *at == '/')
			*at = '_';
	}
	return name;
}

/* Notes a file as METS will name it: `path` below the package, of which the first `skip` bytes are left out in the METS. */
static enum status note(struct tree *t, struct package_file *f, const char *path, size_t skip, const char *mime,
                        const char *prefix, int64_t size, const uint8_t digest[32], struct err *e)
{
	f->path = strdup(path + skip);
	f->mime = mime;
	f->size = size;
	hex_upper(digest, 32, f->sha256);
	xml_id(prefix, t->p->objid, path, f->id);
	return f->path == NULL ? err_set(e, ST_RETRY, "memory", "no memory for %s", path) : ST_OK;
}

/* Writes bytes to a file of the tree. */
static enum status put(struct tree *t, const char *path, const void *bytes, size_t n, struct package_file *f, size_t skip,
                       const char *mime, const char *prefix, struct err *e)
{
	uint8_t digest[32];
	char *full = path_join(t->folder, path);
	if (full == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for %s", path);
	enum status st = file_write(full, bytes, n, e);
	free(full);
	if (st != ST_OK || f == NULL)
		return st;
	sha256_bytes(bytes, n, digest);
	return note(t, f, path, skip, mime, prefix, (int64_t)n, digest, e);
}

/* Copies a file into data/ and proves on the way that it is the one that the record names. */
static enum status copy_data(struct tree *t, const struct package_companion *d, struct package_file *f, struct err *e)
{
	struct file_map in;
	uint8_t digest[32];
	char hex[65], *path = NULL;
	enum status st = file_map_open(d->source, &in, e);
	if (st != ST_OK)
		return st;
	sha256_bytes(in.in.p, in.in.n, digest);
	hex_lower(digest, sizeof digest, hex);
	if ((int64_t)in.in.n != d->size || strcmp(hex, d->sha256) != 0) {
		err_set(e, ST_ITEM, "artefact-changed", "the file is not the one that the last stage made");
		err_arg(e, "%s", d->name);
		st = err_where(e, "%s", d->source);
	} else if (asprintf(&path, REP "data/%s", d->name) < 0) {
		path = NULL;
		st = err_set(e, ST_RETRY, "memory", "no memory for %s", d->name);
	}
	if (st == ST_OK)
		st = put(t, path, in.in.p, in.in.n, f, strlen(REP), d->mime, "ID", e);
	free(path);
	file_map_close(&in);
	return st;
}

/* A document's file and those that belong to it. */
static enum status copy_document(struct tree *t, const struct package_document *d, struct package_file *f, struct err *e)
{
	const struct package_companion own = {
	    .name = d->name, .source = d->source, .size = d->size, .sha256 = d->sha256, .mime = d->mime};
	enum status st = copy_data(t, &own, f, e);
	for (size_t i = 0; st == ST_OK && i < d->n_companions; i++)
		st = copy_data(t, &d->companions[i], f + 1 + i, e);
	return st;
}

static enum status describe_document(struct tree *t, const struct package_document *d, struct package_file *f, struct err *e)
{
	BUF_AUTO struct buf text = BUF_INIT(XML_MAX);
	const char *dot = strrchr(d->name, '.');
	int stem = dot == NULL ? (int)strlen(d->name) : (int)(dot - d->name);
	static const char *const kinds[] = {[PACKAGE_DOC] = "doc", [PACKAGE_PIC] = "pic", [PACKAGE_MEDIA] = "media"};
	char *path;
	enum status st = ead_document_write(d, &text, e);
	if (st != ST_OK)
		return st;
	if (asprintf(&path, REP "metadata/descriptive/EAD_%s_%.*s.xml", kinds[d->kind], stem, d->name) < 0)
		return err_set(e, ST_RETRY, "memory", "no memory for %s", d->name);
	st = put(t, path, text.data, text.len, f, strlen(REP), "text/xml", "uuid", e);
	free(path);
	return st;
}

/* One of the XML files whose writer needs the package alone. */
static enum status put_xml(struct tree *t, enum status (*writer)(const struct package *, struct buf *, struct err *),
                           const char *path, size_t skip, struct package_file *f, struct err *e)
{
	BUF_AUTO struct buf text = BUF_INIT(XML_MAX);
	enum status st = writer(t->p, &text, e);
	return st != ST_OK ? st : put(t, path, text.data, text.len, f, skip, "text/xml", "uuid", e);
}

static enum status put_readme(struct tree *t, struct err *e)
{
	BUF_AUTO struct buf text = BUF_INIT(XML_MAX);
	enum status st = readme_write(t->p, &text, e);
	if (st != ST_OK)
		return st;
	return put(t, "documentation/README.txt", text.data, text.len, &t->documentation, 0, "text/plain", "ID", e);
}

static enum status put_schemas(struct tree *t, struct err *e)
{
	char path[256];
	enum status st = ST_OK;
	for (size_t i = 0; i < package_schemas_count && st == ST_OK; i++) {
		const struct package_schema *s = &package_schemas[i];
		snprintf(path, sizeof path, "schemas/%s", s->name);
		st = put(t, path, s->text, s->n, &t->schemas[i], 0, "text/xml", "ID", e);
	}
	return st;
}

/* Everything but the two METS files. */
static enum status fill(struct tree *t, struct err *e)
{
	static const char *const folders[] = {"metadata/descriptive",
	                                      "metadata/preservation",
	                                      REP "metadata/descriptive",
	                                      REP "metadata/preservation",
	                                      REP "data",
	                                      "schemas",
	                                      "documentation"};
	enum status st = ST_OK;
	for (size_t i = 0; i < sizeof folders / sizeof folders[0] && st == ST_OK; i++) {
		char *full = path_join(t->folder, folders[i]);
		st = full == NULL ? err_set(e, ST_RETRY, "memory", "no memory for %s", folders[i]) : file_make_folders(full, e);
		free(full);
	}
	for (size_t i = 0, k = 0; i < t->p->n_documents && st == ST_OK; i++) {
		st = copy_document(t, &t->p->documents[i], &t->data[k], e);
		if (st == ST_OK)
			st = describe_document(t, &t->p->documents[i], &t->rep_descriptive[i], e);
		k += 1 + t->p->documents[i].n_companions;
	}
	if (st == ST_OK)
		st = put_schemas(t, e);
	if (st == ST_OK)
		st = put_readme(t, e);
	if (st == ST_OK)
		st = put_xml(t, ead_write, "metadata/descriptive/EAD.xml", 0, &t->descriptive, e);
	if (st == ST_OK)
		st = put_xml(t, premis_package_write, "metadata/preservation/PREMIS.xml", 0, &t->preservation, e);
	if (st == ST_OK)
		st = put_xml(t, premis_representation_write, REP "metadata/preservation/PREMIS_rep1.xml", strlen(REP),
		             &t->rep_preservation, e);
	return st;
}

static enum status put_mets(struct tree *t, struct err *e)
{
	BUF_AUTO struct buf text = BUF_INIT(XML_MAX);
	const struct mets_parts rep = {
	    .descriptive = t->rep_descriptive, .preservation = &t->rep_preservation, .data = t->data, .n_data = t->n_data};
	enum status st = mets_representation_write(t->p, &rep, &text, e);
	if (st == ST_OK)
		st = put(t, REP "METS.xml", text.data, text.len, &t->representation, 0, "text/xml", "ID", e);
	if (st != ST_OK)
		return st;
	const struct mets_parts whole = {.descriptive = &t->descriptive,
	                                 .preservation = &t->preservation,
	                                 .schemas = t->schemas,
	                                 .n_schemas = package_schemas_count,
	                                 .documentation = &t->documentation,
	                                 .representation = &t->representation};
	buf_reset(&text);
	st = mets_package_write(t->p, &whole, &text, e);
	return st != ST_OK ? st : put(t, "METS.xml", text.data, text.len, NULL, 0, NULL, NULL, e);
}

static void drop(struct tree *t)
{
	free(t->descriptive.path);
	free(t->preservation.path);
	free(t->documentation.path);
	free(t->representation.path);
	free(t->rep_preservation.path);
	for (size_t i = 0; t->schemas != NULL && i < package_schemas_count; i++)
		free(t->schemas[i].path);
	for (size_t i = 0; t->rep_descriptive != NULL && i < t->p->n_documents; i++)
		free(t->rep_descriptive[i].path);
	for (size_t i = 0; t->data != NULL && i < t->n_data; i++)
		free(t->data[i].path);
	free(t->schemas);
	free(t->rep_descriptive);
	free(t->data);
}

enum status package_write(const struct package *p, const char *folder, struct err *e)
{
	struct tree t = {.p = p, .folder = folder};
	t.schemas = calloc(package_schemas_count, sizeof *t.schemas);
	t.rep_descriptive = calloc(p->n_documents, sizeof *t.rep_descriptive);
	for (size_t i = 0; i < p->n_documents; i++)
		t.n_data += 1 + p->documents[i].n_companions;
	t.data = calloc(t.n_data, sizeof *t.data);
	enum status st = ST_OK;
	if (t.schemas == NULL || t.rep_descriptive == NULL || t.data == NULL)
		st = err_set(e, ST_RETRY, "memory", "no memory for a package");
	if (st == ST_OK && access(folder, F_OK) == 0) {
		errno = EEXIST;
		st = err_errno(e, "create", folder);
	}
	if (st == ST_OK)
		st = fill(&t, e);
	if (st == ST_OK)
		st = put_mets(&t, e);
	drop(&t);
	return st;
}
