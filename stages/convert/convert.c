#include "stages/convert/convert.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "stages/base/digest.h"
#include "stages/convert/internal.h"
#include "stages/media/media.h"

static enum status open_stage(const struct stage_env *env, void **ret_state, struct err *e)
{
	*ret_state = NULL;
	const struct profile_convert *p = &env->profile->convert;
	if (p->flavour != NULL && strcmp(p->flavour, "2b") != 0) {
		err_set(e, ST_RUN, "convert-flavour", "PDF/A-%s cannot be made", p->flavour);
		err_arg(e, "%s", p->flavour);
		return ST_RUN;
	}
	struct convert *c = calloc(1, sizeof *c);
	if (c == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for the stage");
	c->env = env;
	picture_load();
	media_load();
	if (p->ocr != NULL && strcmp(p->ocr, "none") != 0) {
		enum status st = ocr_open(p->ocr, &c->ocr, e);
		if (st != ST_OK) {
			free(c);
			return st;
		}
	}
	*ret_state = c;
	return ST_OK;
}

static void close_stage(void *state)
{
	struct convert *c = state;
	if (c == NULL)
		return;
	ocr_close(c->ocr);
	free(c);
}

/* The sources are what they were when they were ingested. */
static enum status check_sources(const struct convert *c, struct item *it, struct err *e)
{
	size_t checked = 0;
	for (size_t i = 0; i < it->n_sources; i++) {
		const struct item_file *f = &it->sources[i];
		if (f->sha256[0] == '\0')
			continue;
		char found[65];
		int64_t size;
		enum status st = file_sha256(f->path, found, &size, e);
		if (st != ST_OK)
			return st;
		if (strcmp(found, f->sha256) != 0) {
			err_set(e, ST_ITEM, "source-changed", "SHA-256 is %s, was %s", found, f->sha256);
			err_arg(e, "%s", f->path);
			return place_fault(e, f->path, 0);
		}
		checked++;
	}
	if (checked > 0)
		item_add_event(it, c->env->now_ms(), "fixity check", "success", "SHA-256 of %zu source files as noted", checked);
	return ST_OK;
}

/* A digest of what shows that a file was written to, of all sources. */
static void look_at_sources(const struct item *it, char ret[65])
{
	BUF_AUTO struct buf b = BUF_INIT(16u << 20);
	for (size_t i = 0; i < it->n_sources; i++) {
		struct stat s = {0};
		int got = stat(it->sources[i].path, &s);
		buf_format(&b, "%d %llu %llu %lld %lld.%ld %lld.%ld\n", got, (unsigned long long)s.st_dev,
		           (unsigned long long)s.st_ino, (long long)s.st_size, (long long)s.st_mtim.tv_sec, s.st_mtim.tv_nsec,
		           (long long)s.st_ctim.tv_sec, s.st_ctim.tv_nsec);
	}
	sha256_hex(b.data != NULL ? b.data : (const uint8_t *)"", b.len, ret);
}

/* Which way a document goes. The content decides, not the name: a scanner's PDF among papers is drawn, or kept, as one that was received. */
static enum status convert_document(struct convert *c, struct item *it, struct err *e)
{
	static const char mark[] = "%PDF-";
	struct file_map m;
	struct err ignored;
	bool pdf = it->kind == ITEM_RECEIVED, media = it->kind == ITEM_MEDIA;
	if (!pdf && !media && it->n_sources == 1 && file_map_open(it->sources[0].path, &m, &ignored) == ST_OK) {
		pdf = memmem(m.in.p, m.in.n < 1024 ? m.in.n : 1024, mark, sizeof mark - 1) != NULL;
		media = !pdf && media_recognise(m.in);
		file_map_close(&m);
	}
	return pdf ? convert_received(c, it, e) : media ? convert_media(c, it, e) : convert_pictures(c, it, e);
}

/* Of a secret document nothing is kept and nothing told but where it lies and which rule forbids to process it (ITEM_REFUSED, or ITEM_QUARANTINE
 * where the profile holds it). */
static enum status set_secret_aside(const struct convert *c, struct item *it, struct err *e)
{
	json_object_clear(it->description);
	json_array_clear(it->events);
	json_object_del(it->other, "pages");
	item_clear_companions(it);
	item_set_artefact(it, NULL, 0, "", NULL);
	e->where[0] = '\0';
	err_where(e, "%s", it->sources[0].path);
	if (strcmp(c->env->profile->convert.secret, "hold") == 0)
		return ST_ITEM;
	item_refuse(it, e);
	return ST_OK;
}

static enum status work(void *state, struct item *it, struct err *e)
{
	struct convert *c = state;
	if (it->n_sources == 0)
		return err_set(e, ST_ITEM, "source-missing", "the record names no source file");
	size_t events = json_array_size(it->events);
	if (it->range.of > 0 && ranges_found(c, it))
		return ST_OK;
	/* The sources of a range are checked when its document is asked for in ranges, and again when it is joined. */
	char before[65], after[65];
	look_at_sources(it, before);
	enum status st = it->range.of > 0 ? ST_OK : check_sources(c, it, e);
	if (st == ST_OK)
		st = convert_document(c, it, e);
	/* A source may have been written to meanwhile: no document has pages of two states. */
	look_at_sources(it, after);
	if (st == ST_OK && it->range.of == 0 && it->state == ITEM_OK && strcmp(before, after) != 0) {
		size_t checked = json_array_size(it->events);
		st = check_sources(c, it, e);
		while (json_array_size(it->events) > checked)
			json_array_remove(it->events, checked);
		if (st != ST_OK)
			item_set_artefact(it, NULL, 0, "", NULL);
	}
	if (st == ST_ITEM && strncmp(e->code, "secret-mark", 11) == 0)
		return set_secret_aside(c, it, e);
	/* What did not come to an end did not happen. */
	if (st != ST_OK)
		item_clear_companions(it);
	while ((st != ST_OK || it->state == ITEM_PARTS) && json_array_size(it->events) > events)
		json_array_remove(it->events, json_array_size(it->events) - 1);
	if (st == ST_OK && it->range.of == 0)
		item_clear_parts(it);
	return st;
}

const struct stage convert_stage = {
    .name = "convert",
    .summary = "make PDF/A with a text layer of scans, photographs and received PDFs; keep sound and video",
    .open = open_stage,
    .close = close_stage,
    .work = work,
};
