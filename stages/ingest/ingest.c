#include "stages/ingest/ingest.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/digest.h"
#include "stages/base/file.h"
#include "stages/base/text.h"
#include "stages/ingest/internal.h"

void *must(void *p)
{
	if (p == NULL) {
		fputs("ingest: no memory\n", stderr);
		abort();
	}
	return p;
}

char *text_join(const char *format, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, format);
	int n = vasprintf(&text, format, ap);
	va_end(ap);
	return must(n < 0 ? NULL : text);
}

static const uint8_t nothing[16];

/* Hundreds of thousands of codes are remembered by 16 bytes of their SHA-256 each. Returns the slot that holds the key or is free. */
static size_t slot(const struct keyset *s, const uint8_t key[16], bool *ret_free)
{
	size_t at;
	memcpy(&at, key, sizeof at);
	for (at &= s->cap - 1;; at = (at + 1) & (s->cap - 1)) {
		*ret_free = memcmp(s->v[at], nothing, 16) == 0;
		if (*ret_free || memcmp(s->v[at], key, 16) == 0)
			return at;
	}
}

static bool place(struct keyset *s, const uint8_t key[16])
{
	bool fresh;
	size_t at = slot(s, key, &fresh);
	memcpy(s->v[at], key, 16);
	s->n += fresh;
	return fresh;
}

bool keyset_add(struct keyset *s, const char *text)
{
	uint8_t digest[32];
	sha256_bytes(text, strlen(text), digest);
	if (2 * s->n >= s->cap) {
		struct keyset grown = {.cap = s->cap ? 2 * s->cap : 64};
		grown.v = must(calloc(grown.cap, sizeof *grown.v));
		for (size_t i = 0; i < s->cap; i++)
			if (memcmp(s->v[i], nothing, 16) != 0)
				place(&grown, s->v[i]);
		free(s->v);
		*s = grown;
	}
	return !place(s, digest);
}

bool keyset_has(const struct keyset *s, const char *text)
{
	uint8_t digest[32];
	bool absent = true;
	sha256_bytes(text, strlen(text), digest);
	if (s->cap > 0)
		slot(s, digest, &absent);
	return !absent;
}

void keyset_free(struct keyset *s)
{
	free(s->v);
	*s = (struct keyset){0};
}

bool ingest_seen(struct ingest *in, const char *kind, const char *text)
{
	char *key = text_join("%s:%s", kind, text);
	bool seen = keyset_add(&in->seen, key);
	free(key);
	return seen;
}

void ingest_defer(struct ingest *in, const char *path, const char *rel, const char *key)
{
	keyset_add(&in->deferred, key);
	if (in->n_later > 0 && strcmp(in->later[in->n_later - 1].path, path) == 0)
		return;
	in->later = must(reallocarray(in->later, in->n_later + 1, sizeof *in->later));
	in->later[in->n_later++] = (struct later){must(strdup(path)), must(strdup(rel))};
}

static void refuse(const struct profile_refusal *r, const char *what, const char *value, struct err *e)
{
	err_set(e, ST_ITEM, r->reason, "%s is \"%.100s\" [%s]", what, value, r->article);
	err_arg(e, "%s", what);
	err_arg(e, "%s", value);
	err_arg(e, "%s", r->article);
}

bool refused_path(const struct profile_ingest *p, const char *path, struct err *e)
{
	bool found = false;
	char *folded = text_fold(path);
	for (unsigned i = 0; i < p->refuse_count; i++) {
		for (unsigned k = 0; strcmp(p->refuse[i].field, "path") == 0 && k < p->refuse[i].values_count && !found; k++) {
			char *pattern = text_fold(p->refuse[i].values[k]);
			found = fnmatch(pattern, folded, 0) == 0;
			if (found)
				refuse(&p->refuse[i], "path", path, e);
			free(pattern);
		}
	}
	free(folded);
	return found;
}

bool refused_values(const struct profile_ingest *p, const struct values *v, struct err *e)
{
	for (unsigned i = 0; i < p->refuse_count; i++) {
		for (size_t c = 0; c < v->n; c++) {
			if (v->v[c] == NULL || strcmp(p->columns[c].field, p->refuse[i].field) != 0 ||
			    strcmp(p->columns[c].field, "path") == 0)
				continue;
			for (unsigned k = 0; k < p->refuse[i].values_count; k++) {
				if (text_same(v->v[c], p->refuse[i].values[k])) {
					const char *title = p->columns[c].titles_count > 0 ? p->columns[c].titles[0]
					                                                   : p->columns[c].field;
					refuse(&p->refuse[i], title, v->v[c], e);
					return true;
				}
			}
		}
	}
	return false;
}

/* Reads and digests the pages. What differs from the folder's listing, before or after, is still being written. */
static enum status read_pages(struct ingest *in, const struct document *d, struct item *it, int64_t *ret_bytes, struct err *e)
{
	*ret_bytes = 0;
	for (size_t i = 0; i < d->n_pages; i++) {
		char hex[65];
		int64_t size = 0;
		const struct page *p = &d->pages[i];
		if (d->unfinished || !settled(in, p->path, p->size, p->changed_ns))
			return not_settled(p->path, e);
		enum status st = file_sha256(d->pages[i].path, hex, &size, e);
		if (st != ST_OK)
			return st;
		if (size != p->size || !settled(in, p->path, p->size, p->changed_ns))
			return not_settled(p->path, e);
		item_add_source(it, d->pages[i].path, size, hex);
		*ret_bytes += size;
	}
	return ST_OK;
}

enum status ingest_emit(struct ingest *in, struct item *it, const struct document *d, bool refused, const struct err *fault,
                        struct err *e)
{
	struct err wrong = {0};
	int64_t bytes = 0;
	enum status st = ST_OK;
	if (!shard_has(in->env->shard, it->fonds, it->dossier, it->id)) {
		item_free(it);
		return ST_OK;
	}
	bool good = !refused && fault->code[0] == 0;
	if (!refused && d != NULL && d->unfinished && d->n_pages > 0)
		st = not_settled(d->pages[0].path, &wrong);
	else if (good)
		st = read_pages(in, d, it, &bytes, &wrong);
	bool waits = strcmp(wrong.code, "not-settled") == 0;
	if (st == ST_RETRY && !waits) {
		item_free(it);
		*e = wrong;
		return st;
	}
	for (size_t i = it->n_sources; d != NULL && i < d->n_pages; i++)
		item_add_source(it, d->pages[i].path, d->pages[i].size, "");
	if (refused)
		item_refuse(it, fault);
	else if (waits)
		item_fail(it, &wrong);
	else if (!good)
		item_fail(it, fault);
	else if (st != ST_OK)
		item_fail(it, &wrong);
	else
		item_add_event(it, in->env->now_ms(), "transfer", "success", "%zu files, %lld bytes", it->n_sources,
		               (long long)bytes);
	return in->sink(in->sink_arg, it, e);
}

static enum status ingest_open(const struct stage_env *env, void **ret_state, struct err *e)
{
	(void)e;
	*ret_state = (void *)(uintptr_t)env;
	return ST_OK;
}

static void ingest_close(void *state)
{
	(void)state;
}

static enum status missing(const char *backlog, struct err *e)
{
	struct err why;
	err_errno(&why, "open", backlog);
	err_set(e, why.status == ST_RETRY ? ST_RETRY : ST_RUN, "backlog-missing", "%s", why.detail);
	err_arg(e, "%s", backlog);
	return err_where(e, "%s", backlog);
}

static enum status ingest_produce(void *state, const char *backlog, item_sink *sink, void *sink_arg, struct err *e)
{
	const struct stage_env *env = state;
	char *path = realpath(backlog, NULL);
	if (path == NULL)
		return missing(backlog, e);
	struct ingest in = {.env = env, .backlog = path, .sink = sink, .sink_arg = sink_arg, .began_ms = env->now_ms()};
	enum status st;
	if (!utf8_valid(path, strlen(path))) {
		errno = EILSEQ; /* records are JSON, which is UTF-8 */
		st = missing(backlog, e);
	} else {
		enum status (*produce)(struct ingest *, struct err *) =
		    env->profile->ingest.layout == LAYOUT_DOSSIERS ? dossiers_produce : plain_produce;
		st = produce(&in, e);
		if (st == ST_OK && in.n_later > 0) {
			settle_wait(&in);
			in.late = true;
			st = produce(&in, e);
		}
	}
	for (size_t i = 0; i < in.n_later; i++) {
		free(in.later[i].path);
		free(in.later[i].rel);
	}
	free(in.later);
	keyset_free(&in.deferred);
	keyset_free(&in.seen);
	free(path);
	return st;
}

const struct stage ingest_stage = {
    .name = "ingest",
    .summary = "read a backlog and its spreadsheets, write a record for each document",
    .open = ingest_open,
    .close = ingest_close,
    .produce = ingest_produce,
};
