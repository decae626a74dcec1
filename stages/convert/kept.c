/* What is not paper and stays what it is: photographs where the profile says so, sound and video. */
#include <stdio.h>
#include <string.h>

#include "stages/base/digest.h"
#include "stages/convert/internal.h"
#include "stages/media/media.h"

enum status keep_bytes(struct convert *c, struct item *it, struct bytes content, const char *extension, const char *format,
                       struct err *e)
{
	char *path = stage_path(c->env, it, "convert", extension), sha256[65];
	enum status st = path == NULL ? err_set(e, ST_RETRY, "memory", "no memory for a path")
	                              : file_write(path, content.p, content.n, e);
	int64_t size = 0;
	if (st == ST_OK)
		st = file_sha256(path, sha256, &size, e);
	if (st == ST_OK)
		item_set_artefact(it, path, size, sha256, format);
	free(path);
	return st;
}

/* The formats that a photograph may stay in (Circular 05/2025/TT-BNV art. 8.2). JFIF tells its version; PRONOM has a key for each. */
static bool may_stay(const char *format, struct bytes in, const char **ret_extension, const char **ret_pronom)
{
	static const char *const jfif[] = {"fmt/42", "fmt/43", "fmt/44"};
	if (strcmp(format, "JPEG") == 0) {
		bool is = in.n > 13 && memcmp(in.p + 6, "JFIF", 5) == 0 && in.p[11] == 1 && in.p[12] <= 2;
		*ret_extension = ".jpg";
		*ret_pronom = is ? jfif[in.p[12]] : "fmt/41";
		return true;
	}
	bool tiff = strcmp(format, "TIFF") == 0;
	*ret_extension = tiff ? ".tif" : ".png";
	*ret_pronom = tiff ? "fmt/353" : "fmt/11";
	return tiff || strcmp(format, "PNG") == 0;
}

/* Every picture of the file is whole, and as the rules want it. */
static enum status look_at_pictures(struct job *j, const struct picture_file *f, struct err *e)
{
	enum status st = ST_OK;
	for (size_t i = 0; st == ST_OK && i < picture_pages(f); i++, j->n++) {
		struct picture p;
		uint8_t digest[32];
		st = picture_page(f, i, &p, e);
		if (st == ST_OK) {
			st = picture_digest(&p, digest, e);
			p.flattened = p.icc_ignored = false; /* the file keeps both */
			job_look_at(j, &p);
			picture_drop(&p);
		}
		if (st != ST_OK)
			place_fault(e, j->it->sources[0].path, i + 1);
	}
	return st;
}

static enum status keep_photo(struct convert *c, struct item *it, const struct picture_file *f, struct bytes content,
                              const char *extension, const char *pronom, struct err *e)
{
	struct job j;
	job_init(&j, c, it);
	enum status st = look_at_pictures(&j, f, e);
	if (st == ST_OK)
		st = check_document(&j, e);
	if (st == ST_OK)
		st = keep_bytes(c, it, content, extension, pronom, e);
	if (st == ST_OK) {
		int64_t now = c->env->now_ms();
		json_object_set_new(it->other, "pages", json_integer((json_int_t)j.n));
		job_tell_notes(&j, now);
		item_add_event(it, now, "validation", "success", "photograph, %s of %zu picture(s), whole; kept byte for byte",
		               picture_format(f), j.n);
	}
	job_drop(&j);
	return st;
}

enum status convert_kept(struct convert *c, struct item *it, bool *ret_kept, struct err *e)
{
	struct picture_file *f;
	struct file_map m;
	const char *extension, *pronom;
	*ret_kept = false;
	if (it->kind != ITEM_PHOTO || it->n_sources != 1 || strcmp(c->env->profile->convert.photos, "keep") != 0)
		return ST_OK;
	enum status st = file_map_open(it->sources[0].path, &m, e);
	if (st != ST_OK)
		return st;
	st = picture_open_bytes(m.in, &f, e);
	if (st == ST_OK) {
		*ret_kept = may_stay(picture_format(f), m.in, &extension, &pronom);
		if (*ret_kept)
			st = keep_photo(c, it, f, m.in, extension, pronom, e);
		picture_close(f);
	} else {
		place_fault(e, it->sources[0].path, 0);
	}
	file_map_close(&m);
	return st;
}

static bool is_taken(const struct profile_media *p, const struct media *m)
{
	char *const *list = m->video ? p->video : p->sound;
	unsigned n = m->video ? p->video_count : p->sound_count;
	bool taken = false;
	for (unsigned i = 0; i < n; i++)
		taken = taken || strcmp(list[i], m->name) == 0;
	return taken;
}

/* What the rules want of a file, and what is worth telling. */
static enum status judge_media(const struct convert *c, struct item *it, const struct media *m, struct err *e)
{
	const struct profile_convert *p = &c->env->profile->convert;
	const char *kind = m->video ? "video" : "sound";
	unsigned least = m->video ? p->media.video_kbps : p->media.sound_kbps;
	char what[96];
	if (!is_taken(&p->media, m)) {
		err_set(e, ST_ITEM, "media-refused", "%s, %s", kind, m->name);
		err_arg(e, "%s", m->name);
		return ST_ITEM;
	}
	item_add_event(it, c->env->now_ms(), "format identification", "success", "%s, %s (%s), %.1f s, %u kbit/s", kind, m->name,
	               m->codec, m->seconds, m->kbps);
	if (m->kbps >= least || !check_wanted(p->checks.low_bit_rate))
		return ST_OK;
	snprintf(what, sizeof what, "%s: %u kbit/s < %u kbit/s", kind, m->kbps, least);
	enum status st = check_found(it, "check-low-bit-rate", p->checks.low_bit_rate, what, e);
	if (st == ST_OK)
		item_add_event(it, c->env->now_ms(), "validation", "warning", "bit rate too low, %s", what);
	return st;
}

enum status convert_media(struct convert *c, struct item *it, struct err *e)
{
	struct file_map map;
	struct media m;
	if (it->n_sources != 1)
		return err_set(e, ST_ITEM, "media-sources", "%zu files", it->n_sources);
	enum status st = file_map_open(it->sources[0].path, &map, e);
	if (st != ST_OK)
		return st;
	st = media_read(map.in, &m, e);
	if (st == ST_OK)
		st = judge_media(c, it, &m, e);
	if (st == ST_OK)
		st = keep_bytes(c, it, map.in, m.extension, m.format, e);
	if (st != ST_OK)
		place_fault(e, it->sources[0].path, 0);
	file_map_close(&map);
	return st;
}
