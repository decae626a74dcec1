/* Text beside the PDF, for programs that do not read PDF. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/digest.h"
#include "stages/convert/internal.h"
#include "stages/text/alto.h"

/* The text of a page; more than any page has. */
#define PAGE_TEXT ((size_t)256 << 20)

static const char *const names[SIDECARS] = {[SIDECAR_ALTO] = "alto", [SIDECAR_TEXT] = "text"};
static const char *const extensions[SIDECARS] = {[SIDECAR_ALTO] = ".alto.xml", [SIDECAR_TEXT] = ".txt"};

static enum status put(struct outfile *out, struct buf *b, struct err *e)
{
	if (b->failed)
		return err_set(e, ST_RETRY, "memory", "no memory for a page's text");
	return fwrite(b->data, 1, b->len, out->stream) == b->len ? ST_OK : err_errno(e, "write", out->path);
}

static bool wanted(const struct profile_convert *p, const char *name)
{
	bool is = false;
	for (unsigned i = 0; i < p->sidecars_count; i++)
		is = is || strcmp(p->sidecars[i], name) == 0;
	return is;
}

enum status sidecars_open(struct job *j, struct err *e)
{
	const struct profile_convert *p = &j->c->env->profile->convert;
	enum status st = ST_OK;
	/* The text of what is attached belongs to no page of the document. */
	for (size_t i = 0; st == ST_OK && i < SIDECARS; i++) {
		if (j->c->encloses || !wanted(p, names[i]))
			continue;
		char *path = stage_path(j->c->env, j->it, "convert", extensions[i]);
		st = path == NULL ? err_set(e, ST_RETRY, "memory", "no memory for a path")
		                  : outfile_open(path, &j->sidecars[i], e);
		free(path);
	}
	if (st == ST_OK && j->sidecars[SIDECAR_ALTO].stream != NULL) {
		BUF_AUTO struct buf b = BUF_INIT(1u << 16);
		alto_begin(j->it->name != NULL ? j->it->name : j->it->id, job_reads(j) ? p->ocr : NULL, &b);
		st = put(&j->sidecars[SIDECAR_ALTO], &b, e);
	}
	return st;
}

enum status sidecars_page(struct job *j, const struct picture *p, const struct ocr_page *words, bool recognised, struct err *e)
{
	bool turned = p->orientation >= 5 && p->orientation <= 8;
	const struct alto_page page = {j->n + 1, turned ? p->height : p->width, turned ? p->width : p->height, words, recognised};
	enum status st = ST_OK;
	for (size_t i = 0; st == ST_OK && i < SIDECARS; i++) {
		BUF_AUTO struct buf b = BUF_INIT(PAGE_TEXT);
		if (j->sidecars[i].stream == NULL)
			continue;
		if (i == SIDECAR_ALTO)
			alto_add(&page, &b);
		else
			plain_add(words, &b);
		st = put(&j->sidecars[i], &b, e);
	}
	return st;
}

enum status sidecars_finish(struct job *j, struct err *e)
{
	enum status st = ST_OK;
	if (j->sidecars[SIDECAR_ALTO].stream != NULL) {
		BUF_AUTO struct buf b = BUF_INIT(64);
		alto_end(&b);
		st = put(&j->sidecars[SIDECAR_ALTO], &b, e);
	}
	for (size_t i = 0; st == ST_OK && i < SIDECARS; i++) {
		struct outfile *out = &j->sidecars[i];
		char sha256[65], *path = out->stream == NULL ? NULL : strdup(out->path);
		int64_t size = 0;
		if (out->stream == NULL)
			continue;
		if (path == NULL)
			st = err_set(e, ST_RETRY, "memory", "no memory for a path");
		else if (fflush(out->stream) != 0)
			st = err_errno(e, "write", out->path);
		if (st == ST_OK)
			st = file_sha256(out->temp, sha256, &size, e);
		if (st == ST_OK)
			st = outfile_commit(out, e);
		if (st == ST_OK)
			item_add_companion(j->it, path, size, sha256);
		free(path);
	}
	return st;
}

void sidecars_discard(struct job *j)
{
	for (size_t i = 0; i < SIDECARS; i++)
		outfile_discard(&j->sidecars[i]);
}
