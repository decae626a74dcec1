/* Any tree: the pictures of a folder together are a document; a PDF, a multi-page TIFF and any other file is one by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/file.h"
#include "stages/base/text.h"
#include "stages/ingest/internal.h"

static bool has_extension(const char *name, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (strcasecmp(path_extension(name), *list) == 0)
			return true;
	}
	return false;
}

/* Whether a TIFF's first directory is followed by another (TIFF 6.0, section 2; BigTIFF has 8-byte places). What cannot be read
 * counts as one page: convert will say what is wrong with it. */
static bool is_multi_page(const char *path)
{
	static const char *const tiff[] = {"tif", "tiff", NULL};
	struct file_map m;
	bool more = false;
	if (!has_extension(path, tiff) || file_map_open(path, &m, NULL) != ST_OK)
		return false;
	struct rd r = RD_INIT(m.in.p, m.in.n);
	struct bytes mark = rd_take(&r, 2);
	bool little = mark.n == 2 && memcmp(mark.p, "II", 2) == 0;
	unsigned version = little ? rd_u16le(&r) : rd_u16be(&r);
	if (version == 43)
		rd_skip(&r, 4);
	uint64_t high = version == 43 && !little ? rd_u32be(&r) : 0, at = little ? rd_u32le(&r) : rd_u32be(&r);
	high = version == 43 && little ? rd_u32le(&r) : high;
	if (!r.failed && high == 0 && at < m.in.n && (version == 42 || version == 43)) {
		r.at = (size_t)at;
		uint64_t n;
		if (version == 42) {
			n = little ? rd_u16le(&r) : rd_u16be(&r);
			rd_skip(&r, (size_t)n * 12);
			more = (little ? rd_u32le(&r) : rd_u32be(&r)) != 0;
		} else {
			high = little ? 0 : rd_u32be(&r);
			n = little ? rd_u32le(&r) : rd_u32be(&r);
			rd_skip(&r, little ? 4 : 0);
			if (n < 65536 && high == 0)
				rd_skip(&r, (size_t)n * 20);
			more = (rd_u32be(&r) | rd_u32be(&r)) != 0;
		}
		more = more && !r.failed;
	}
	file_map_close(&m);
	return more;
}

static enum status emit(struct ingest *in, struct document *d, struct err *e)
{
	static const char *const pdf[] = {"pdf", NULL};
	struct item *it = must(item_new());
	struct err secret = {0};
	/* a.pdf beside the folder a: both would become a.pdf, so the later one keeps its extension. */
	bool taken = ingest_seen(in, "path", d->stem);
	it->kind = !d->folder && has_extension(d->rel, pdf) ? ITEM_RECEIVED : ITEM_PAPER;
	item_set(&it->id, d->rel);
	item_set(&it->path, taken ? d->rel : d->stem);
	item_set(&it->name, path_name(it->path));
	if (ingest_seen(in, "document", d->rel) && d->fault.code[0] == 0) {
		err_set(&d->fault, ST_ITEM, "layout-twice", "%s: the same name twice", d->rel);
		err_arg(&d->fault, "%s", d->rel);
	}
	bool refused = refused_path(&in->env->profile->ingest, it->path, &secret);
	return ingest_emit(in, it, d, refused, refused ? &secret : &d->fault, e);
}

static enum status emit_one(struct ingest *in, const char *path, const char *rel, const struct name *n, struct err *e)
{
	struct documents d = {.profile = &in->env->profile->ingest};
	enum status st = document_add(&d, path, rel, n, e);
	if (st == ST_OK)
		st = emit(in, &d.v[0], e);
	documents_free(&d);
	return st;
}

/* The pages that lie in a folder itself. */
static enum status emit_folder(struct ingest *in, const char *rel, struct documents *pages, struct err *e)
{
	const char *name = *rel ? rel : path_name(in->backlog);
	struct document d = {.rel = utf8_nfc(name), .folder = true};
	if (d.rel == NULL) {
		d.rel = must(strdup(pages->v[0].rel));
		*(char *)(uintptr_t)path_name(d.rel) = 0;
	}
	d.stem = must(strdup(d.rel));
	d.pages = must(reallocarray(NULL, pages->n, sizeof *d.pages));
	for (size_t i = 0; i < pages->n; i++) {
		if (pages->v[i].n_pages == 1)
			d.pages[d.n_pages++] = pages->v[i].pages[0];
		d.unfinished = d.unfinished || pages->v[i].unfinished;
		if (d.fault.code[0] == 0)
			d.fault = pages->v[i].fault;
	}
	enum status st = emit(in, &d, e);
	free(d.pages);
	free(d.rel);
	free(d.stem);
	return st;
}

static enum status walk(struct ingest *in, const char *folder, const char *rel, unsigned depth, struct err *e)
{
	static const char *const pictures[] = {"jpg", "jpeg", "jpe", "jfif", "png", "tif", "tiff", "jp2", "jpx", "j2k",
	                                       "jpf", "gif",  "bmp", "webp", "pnm", "pbm", "pgm",  "ppm", NULL};
	struct names names;
	struct documents pages = {.profile = &in->env->profile->ingest};
	struct err inner;
	enum status st = names_read(folder, pages.profile, &names, &inner);
	if (st == ST_ITEM && depth > 0) {
		struct name closed = {.name = (char *)(uintptr_t)path_name(rel), .mode = S_IFDIR};
		return emit_one(in, folder, rel, &closed, e);
	}
	if (st != ST_OK) {
		*e = inner;
		e->status = st == ST_ITEM ? ST_RUN : st;
		return e->status;
	}
	for (size_t i = 0; i < names.n && st == ST_OK; i++) {
		const struct name *n = &names.v[i];
		char *path = must(path_join(folder, n->name)),
		     *below = *rel ? must(path_join(rel, n->name)) : must(strdup(n->name));
		if (S_ISDIR(n->mode) && depth < 64)
			st = walk(in, path, below, depth + 1, e);
		else if (!S_ISREG(n->mode) || !has_extension(n->name, pictures) ||
		         (!refused_path(&in->env->profile->ingest, below, &inner) && is_multi_page(path)))
			st = emit_one(in, path, below, n, e);
		else
			st = document_add(&pages, path, below, n, e);
		free(path);
		free(below);
	}
	if (st == ST_OK && pages.n > 0)
		st = emit_folder(in, rel, &pages, e);
	documents_free(&pages);
	names_free(&names);
	return st;
}

enum status plain_produce(struct ingest *in, struct err *e)
{
	return walk(in, in->backlog, "", 0, e);
}
