/* Any tree: the pictures of a folder together are a document; a PDF, a multi-page TIFF and any other file is one by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/file.h"
#include "stages/base/text.h"
#include "stages/ingest/internal.h"

enum { NAME_LIMIT = 223, DEPTH_LIMIT = 64 };

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

/* A folder at hand. */
struct place {
	struct ingest *in;
	const char *path, *rel; /* rel: below the backlog, as it is on disk; "" for the backlog itself */
};

/* Whether it is this document's turn: what is too young is put off. key: its path as it is on disk. */
static bool has_turn(const struct place *p, const struct document *d, const char *key)
{
	if (p->in->late)
		return keyset_has(&p->in->deferred, key);
	if (d->unfinished || !document_young(p->in, d))
		return true;
	ingest_defer(p->in, p->path, p->rel, key);
	return false;
}

/* The result's name must leave room for an extension. */
static bool too_long(const char *path)
{
	return strlen(path_name(path)) > NAME_LIMIT;
}

/* taken: another document of the folder is called the same but for its extension; a.pdf beside the folder a: both would become a.pdf, so
 * the later one keeps its extension. */
static enum status emit(const struct place *p, struct document *d, const char *key, bool taken, struct err *e)
{
	struct err secret = {0};
	if (!has_turn(p, d, key))
		return ST_OK;
	struct item *it = must(item_new());
	char *id = must(strdup(d->rel));
	it->kind = document_kind(d);
	item_set(&it->path, taken ? d->rel : d->stem);
	item_set(&it->name, path_name(it->path));
	for (unsigned n = 2; ingest_seen(p->in, "document", id); n++) {
		free(id);
		id = text_join("%s [%u]", d->rel, n);
		document_fault(d, "layout-twice", d->rel);
	}
	if (too_long(it->path))
		document_fault(d, "layout-long", path_name(it->path));
	item_set(&it->id, id);
	free(id);
	bool refused = refused_path(&p->in->env->profile->ingest, it->path, &secret);
	return ingest_emit(p->in, it, d, refused, refused ? &secret : &d->fault, e);
}

static enum status emit_one(const struct place *p, const char *path, const char *rel, const struct name *n, bool taken,
                            struct err *e)
{
	struct documents d = {.profile = &p->in->env->profile->ingest};
	enum status st = document_add(&d, path, rel, n, e);
	if (st == ST_OK)
		st = emit(p, &d.v[0], path, taken, e);
	documents_free(&d);
	return st;
}

/* The pages that lie in a folder itself. */
static enum status emit_folder(const struct place *p, struct documents *pages, struct err *e)
{
	const char *code;
	struct document d = {.rel = name_shown(*p->rel ? p->rel : path_name(p->in->backlog), &code), .folder = true};
	if (code != NULL)
		document_fault(&d, code, d.rel);
	d.stem = must(strdup(d.rel));
	d.pages = must(reallocarray(NULL, pages->n, sizeof *d.pages));
	for (size_t i = 0; i < pages->n; i++) {
		if (pages->v[i].n_pages == 1)
			d.pages[d.n_pages++] = pages->v[i].pages[0];
		d.unfinished = d.unfinished || pages->v[i].unfinished;
		if (d.fault.code[0] == 0)
			d.fault = pages->v[i].fault;
	}
	enum status st = emit(p, &d, p->path, false, e);
	free(d.pages);
	free(d.rel);
	free(d.stem);
	return st;
}

static const char *const pictures[] = {"jpg", "jpeg", "jpe", "jfif", "png", "tif", "tiff", "jp2", "jpx", "j2k",
                                       "jpf", "gif",  "bmp", "webp", "pnm", "pbm", "pgm",  "ppm", NULL};

/* Whether a name's document may have the name without its extension; the names of a folder in their order. */
static bool stem_taken(struct keyset *stems, const struct name *n)
{
	static const char *const tiff[] = {"tif", "tiff", NULL};
	if (S_ISREG(n->mode) && has_extension(n->name, pictures) && !has_extension(n->name, tiff))
		return false; /* a page of the folder */
	if (S_ISREG(n->mode) && kind_by_name(n->name) == ITEM_MEDIA)
		return false; /* stays what it is: no PDF takes its name */
	const char *extension = S_ISDIR(n->mode) ? "" : path_extension(n->name);
	char *stem = must(strndup(n->name, strlen(n->name) - (*extension != 0 ? strlen(extension) + 1 : 0)));
	bool taken = keyset_add(stems, stem);
	free(stem);
	return taken;
}

static enum status walk(struct ingest *in, const char *folder, const char *rel, unsigned depth, struct err *e);

static enum status walk_names(const struct place *p, const struct names *names, struct documents *pages, unsigned depth,
                              struct err *e)
{
	struct keyset stems = {0};
	enum status st = ST_OK;
	for (size_t i = 0; i < names->n && st == ST_OK; i++) {
		const struct name *n = &names->v[i];
		struct err ignored;
		bool taken = stem_taken(&stems, n);
		char *path = must(path_join(p->path, n->name)),
		     *below = *p->rel ? must(path_join(p->rel, n->name)) : must(strdup(n->name));
		if (S_ISDIR(n->mode) && p->in->late)
			;
		else if (S_ISDIR(n->mode) && depth < DEPTH_LIMIT)
			st = walk(p->in, path, below, depth + 1, e);
		else if (!S_ISREG(n->mode) || !has_extension(n->name, pictures) ||
		         (!refused_path(pages->profile, below, &ignored) && is_multi_page(path)))
			st = emit_one(p, path, below, n, taken, e);
		else
			st = document_add(pages, path, below, n, e);
		free(path);
		free(below);
	}
	keyset_free(&stems);
	return st;
}

static enum status walk(struct ingest *in, const char *folder, const char *rel, unsigned depth, struct err *e)
{
	struct place p = {.in = in, .path = folder, .rel = rel};
	struct names names;
	struct documents pages = {.profile = &in->env->profile->ingest};
	struct err inner;
	enum status st = names_read(folder, pages.profile, &names, &inner);
	if (st == ST_ITEM && depth > 0) {
		struct name closed = {.name = (char *)(uintptr_t)path_name(rel), .mode = S_IFDIR};
		return emit_one(&p, folder, rel, &closed, false, e);
	}
	if (st != ST_OK) {
		*e = inner;
		e->status = st == ST_ITEM ? ST_RUN : st;
		return e->status;
	}
	st = walk_names(&p, &names, &pages, depth, e);
	if (st == ST_OK && pages.n > 0)
		st = emit_folder(&p, &pages, e);
	documents_free(&pages);
	names_free(&names);
	return st;
}

enum status plain_produce(struct ingest *in, struct err *e)
{
	enum status st = ST_OK;
	if (!in->late)
		return walk(in, in->backlog, "", 0, e);
	for (size_t i = 0; i < in->n_later && st == ST_OK; i++)
		st = walk(in, in->later[i].path, in->later[i].rel, 1, e);
	return st;
}
