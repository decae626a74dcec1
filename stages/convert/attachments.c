/* Files that are embedded in a received PDF. Those that are PDF/A-1 or -2 may stay (ISO 19005-2, 6.8), or are made so; others are taken out byte for byte
 * and go beside the document. None is dropped. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/digest.h"
#include "stages/convert/internal.h"

#define FILE_MAX ((size_t)512 << 20)
#define FILES_MAX 1000

void attachments_free(struct attachments *a)
{
	for (size_t i = 0; a->enclosed != NULL && i < a->all.n; i++)
		enclosed_free(&a->enclosed[i]);
	free(a->enclosed);
	free(a->replaced);
	pdf_attached_free(&a->all);
	free(a->out);
	free(a->specifications);
	*a = (struct attachments){0};
}

static enum status content_of(const struct pdfdoc *d, const struct pdf_attached *f, struct buf *to, struct err *e)
{
	enum status st = pdfobj_stream(pdfdoc_object(d, f->number), to, e);
	pdfdoc_forget(d);
	if (st != ST_ITEM)
		return st;
	char why[sizeof e->detail];
	memcpy(why, e->detail, sizeof why);
	err_set(e, ST_ITEM, "pdf-attachments", "the attached file %.100s cannot be taken out: %.300s", f->name, why);
	return ST_ITEM;
}

/* What becomes of one: it stays, something else takes its place, or it goes. */
static enum status decide(struct convert *c, const struct item *it, const struct pdfdoc *d, struct attachments *a, size_t i,
                          struct err *e)
{
	const struct pdf_attached *f = &a->all.files[i];
	BUF_AUTO struct buf content = BUF_INIT(FILE_MAX);
	bool stays = false, converts = strcmp(c->env->profile->convert.attachments, "convert") == 0;
	enum status st = content_of(d, f, &content, e);
	struct bytes bytes = {content.data, content.len};
	if (st == ST_OK)
		st = enclosed_may_stay(bytes, &stays, e);
	if (st == ST_OK && !stays && converts)
		st = enclosed_convert(c, it, bytes, f->name, i + 1, &a->enclosed[i], e);
	if (a->enclosed[i].map.in.p != NULL)
		a->replaced[a->n_replaced++] = (struct amend_file){f->number, a->enclosed[i].map.in};
	else if (st == ST_OK && !stays)
		a->out[a->n_out++] = f->number;
	return st;
}

enum status attachments_find(struct convert *c, const struct item *it, const struct pdfdoc *d, struct attachments *a,
                             struct err *e)
{
	*a = (struct attachments){0};
	enum status st = pdf_attached_find(d, &a->all, e);
	if (st != ST_OK || a->all.n == 0)
		return st;
	if (a->all.n > FILES_MAX)
		return err_set(e, ST_ITEM, "pdf-attachments", "%zu files are attached", a->all.n);
	a->out = calloc(a->all.n, sizeof *a->out);
	a->enclosed = calloc(a->all.n, sizeof *a->enclosed);
	a->replaced = calloc(a->all.n, sizeof *a->replaced);
	if (a->out == NULL || a->enclosed == NULL || a->replaced == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for the files in a document");
	for (size_t i = 0; st == ST_OK && i < a->all.n; i++)
		st = decide(c, it, d, a, i, e);
	return st;
}

enum status attachments_embed(struct attachments *a, bool *ret_may, struct err *e)
{
	a->specifications = calloc(a->all.n + 1, sizeof *a->specifications);
	if (a->specifications == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for the files in a document");
	*ret_may = true;
	for (size_t i = 0; i < a->all.n; i++) {
		bool there = false;
		for (size_t k = 0; k < a->n_specifications; k++)
			there = there || a->specifications[k] == a->all.files[i].specification;
		if (!there)
			a->specifications[a->n_specifications++] = a->all.files[i].specification;
		*ret_may = *ret_may && a->all.files[i].specification != 0;
	}
	return ST_OK;
}

/* ".attachment-1.xlsx": the extension only where it is a plain one. */
static void tail_of(const char *name, size_t number, char to[48])
{
	const char *extension = path_extension(name);
	bool plain = *extension != '\0' && strlen(extension) <= 8;
	for (const char *c = extension; *c != '\0'; c++)
		plain = plain && isalnum((unsigned char)*c);
	int n = snprintf(to, 48, ".attachment-%zu%s", number, plain ? "." : "");
	for (const char *c = extension; plain && *c != '\0'; c++)
		to[n++] = (char)tolower((unsigned char)*c);
	to[n] = '\0';
}

static enum status take_out(struct job *j, const struct pdfdoc *d, const struct pdf_attached *f, size_t number, struct err *e)
{
	BUF_AUTO struct buf content = BUF_INIT(FILE_MAX);
	char tail[48], sha256[65];
	tail_of(f->name, number, tail);
	char *path = stage_path(j->c->env, j->it, "convert", tail);
	enum status st = path == NULL ? err_set(e, ST_RETRY, "memory", "no memory for a path") : content_of(d, f, &content, e);
	if (st == ST_OK)
		st = file_write(path, content.data == NULL ? (const uint8_t *)"" : content.data, content.len, e);
	if (st == ST_OK) {
		sha256_hex(content.data == NULL ? (const uint8_t *)"" : content.data, content.len, sha256);
		item_add_companion(j->it, path, (int64_t)content.len, sha256);
		item_add_event(j->it, j->c->env->now_ms(), "unpacking", "success",
		               "attached file \"%.200s\" taken out byte for byte as %s, %zu bytes, SHA-256 %s", f->name, tail + 1,
		               content.len, sha256);
	}
	free(path);
	return st;
}

/* It stays in the file: as it was, or what was made of it. */
static void tell_stays(struct job *j, const char *name, const struct enclosed *made)
{
	int64_t now = j->c->env->now_ms();
	size_t i;
	json_t *event;
	if (made->map.in.p == NULL) {
		item_add_event(j->it, now, "validation", "success", "attached file \"%.200s\" stays inside", name);
		return;
	}
	char sha256[65];
	sha256_hex(made->map.in.p, made->map.in.n, sha256);
	item_add_event(j->it, now, "migration", "success",
	               "attached file \"%.200s\" became PDF/A and stays inside, %zu bytes, SHA-256 %s", name, made->map.in.n,
	               sha256);
	json_array_foreach (made->events, i, event) {
		item_add_event(j->it, now, json_string_value(json_object_get(event, "type")),
		               json_string_value(json_object_get(event, "outcome")), "attached file \"%.200s\": %s", name,
		               json_string_value(json_object_get(event, "detail")));
	}
}

enum status attachments_take_out(struct job *j, const struct pdfdoc *d, const struct attachments *a, bool all, struct err *e)
{
	enum status st = ST_OK;
	for (size_t i = 0; st == ST_OK && i < a->all.n; i++) {
		if (all || !amend_holds(j->amend, a->all.files[i].number))
			st = take_out(j, d, &a->all.files[i], i + 1, e);
		else
			tell_stays(j, a->all.files[i].name, &a->enclosed[i]);
	}
	return st;
}
