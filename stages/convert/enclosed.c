/* PDFs that are attached to a received one, as those in a portfolio are, become PDF/A like any received document, and stay where they are. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stages/base/digest.h"
#include "stages/convert/internal.h"

/* Parts 1 and 2, by what the file itself says (ISO 19005-2, 6.8). */
enum status enclosed_may_stay(struct bytes content, bool *ret_may, struct err *e)
{
	struct pdfa_result r;
	*ret_may = false;
	if (!enclosed_is_pdf(content))
		return ST_OK;
	enum status st = pdfa_check(content, PDFA_NONE, &r, e);
	if (st == ST_ITEM)
		return ST_OK;
	if (st == ST_OK)
		*ret_may = r.passes && r.flavour <= PDFA_2U && r.flavour != PDFA_NONE;
	pdfa_result_free(&r);
	return st;
}

bool enclosed_is_pdf(struct bytes content)
{
	return content.n >= 5 && memcmp(content.p, "%PDF-", 5) == 0;
}

/* It has the day and the language of the document that it is in, and what a person has accepted of that. */
static enum status describe_enclosed(const struct convert *c, const struct item *it, struct item *sub, struct err *e)
{
	struct describe_storage storage;
	struct pdfmake_meta meta;
	json_t *accepted = json_object_get(it->other, "accepted");
	enum status st = describe(c, it, &storage, &meta, e);
	if (st != ST_OK)
		return st;
	json_object_set_new(sub->description, "issuedDate", json_stringn(storage.created, strlen("1985-12-31")));
	if (meta.language != NULL)
		json_object_set_new(sub->description, "language", json_string(meta.language));
	if (accepted != NULL)
		json_object_set(sub->other, "accepted", accepted);
	return ST_OK;
}

/* The attached file as a received document, whose file lies in the work folder. */
static struct item *enclosed_item(struct convert *c, const struct item *it, struct bytes content, const char *name, size_t number,
                                  struct err *e)
{
	char tail[48], sha256[65], *id = NULL;
	bool made = false;
	struct item *sub = item_new();
	snprintf(tail, sizeof tail, ".enclosed-%zu.pdf", number);
	char *path = stage_path(c->env, it, "convert", tail);
	if (sub == NULL || path == NULL || asprintf(&id, "%s%s", it->id, tail) < 0) {
		err_set(e, ST_RETRY, "memory", "no memory for an attached file");
	} else if (file_write(path, content.p, content.n, e) == ST_OK) {
		sub->kind = ITEM_RECEIVED;
		item_set(&sub->id, id);
		item_set(&sub->name, name);
		sha256_hex(content.p, content.n, sha256);
		item_add_source(sub, path, (int64_t)content.n, sha256);
		made = describe_enclosed(c, it, sub, e) == ST_OK;
	}
	free(path);
	free(id);
	if (!made)
		item_free(sub);
	return made ? sub : NULL;
}

static void remove_files(const struct item *sub)
{
	unlink(sub->sources[0].path);
	if (sub->artefact.path != NULL)
		unlink(sub->artefact.path);
	for (size_t i = 0; i < sub->n_companions; i++)
		unlink(sub->companions[i].path);
}

/* What became of it, if that may take its place. */
static enum status take_over(const struct item *sub, struct enclosed *to, struct err *e)
{
	struct file_map m;
	bool stays = false;
	enum status st = file_map_open(sub->artefact.path, &m, e);
	if (st != ST_OK)
		return st;
	/* What its own attachments are would be lost. */
	if (sub->n_companions == 0)
		st = enclosed_may_stay(m.in, &stays, e);
	if (!stays) {
		file_map_close(&m);
		return st;
	}
	to->map = m;
	to->events = json_incref(sub->events);
	return ST_OK;
}

enum status enclosed_convert(struct convert *c, const struct item *it, struct bytes content, const char *name, size_t number,
                             struct enclosed *to, struct err *e)
{
	*to = (struct enclosed){0};
	if (c->encloses || !enclosed_is_pdf(content))
		return ST_OK;
	struct item *sub = enclosed_item(c, it, content, name, number, e);
	if (sub == NULL)
		return e->status;
	c->encloses = true;
	enum status st = convert_received(c, sub, e);
	c->encloses = false;
	if (st == ST_OK)
		st = take_over(sub, to, e);
	remove_files(sub);
	item_free(sub);
	/* A mark of secrecy counts for the whole. */
	return st == ST_ITEM && strncmp(e->code, "secret-mark", 11) != 0 ? ST_OK : st;
}

void enclosed_free(struct enclosed *f)
{
	file_map_close(&f->map);
	json_decref(f->events);
	*f = (struct enclosed){0};
}
