/* Long documents in ranges of pages (pipeline/stage.h): what takes long is reading text and coding pictures, so that is
 * what a part holds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/digest.h"
#include "stages/convert/internal.h"

/* What a part depends on. */
static enum status key_of(const struct convert *c, const struct item *it, uint8_t ret_key[32], struct err *e)
{
	const struct profile_convert *p = &c->env->profile->convert;
	BUF_AUTO struct buf b = BUF_INIT(SIZE_MAX / 2);
	buf_format(&b, "%s %u %u %u %d %s %s %s\n", p->ocr, p->default_dpi, p->redraw_dpi, p->ocr_page_seconds, (int)it->kind,
	           p->checks.blank_page, p->checks.double_page, p->checks.turned_page);
	for (size_t i = 0; i < it->n_sources; i++)
		buf_format(&b, "%s %lld\n", it->sources[i].sha256, (long long)it->sources[i].size);
	if (b.failed)
		return err_set(e, ST_RETRY, "memory", "no memory for a document");
	sha256_bytes(b.data, b.len, ret_key);
	return ST_OK;
}

bool ranges_ask(const struct convert *c, struct item *it, size_t pages)
{
	unsigned size = c->env->profile->convert.range_pages;
	if (!ranges_may(c, it) || pages <= size || pages > UINT32_MAX)
		return false;
	it->state = ITEM_PARTS;
	it->range = (struct item_range){1, size, (uint32_t)pages};
	return true;
}

bool ranges_may(const struct convert *c, const struct item *it)
{
	return c->env->parts && c->env->profile->convert.range_pages > 0 && c->ocr != NULL && it->kind != ITEM_PHOTO &&
	       it->range.of == 0 && it->n_parts == 0;
}

static char *part_path(const struct convert *c, const struct item *it)
{
	char extension[64];
	snprintf(extension, sizeof extension, ".part%u-%u", it->range.first, it->range.last);
	return stage_path(c->env, it, "convert", extension);
}

static enum status answer(struct item *it, const char *path, struct err *e)
{
	char sha256[65];
	int64_t size;
	enum status st = file_sha256(path, sha256, &size, e);
	if (st == ST_OK)
		item_add_part(it, path, size, sha256);
	return st;
}

bool ranges_found(const struct convert *c, struct item *it)
{
	uint8_t key[32];
	struct file_map m;
	struct part part;
	struct err ignored;
	char *path = part_path(c, it);
	bool found = false;
	if (path != NULL && key_of(c, it, key, &ignored) == ST_OK && file_map_open(path, &m, &ignored) == ST_OK) {
		found = part_open(m.in, key, &part, &ignored) == ST_OK && part.first == it->range.first &&
		        part.last == it->range.last;
		file_map_close(&m);
		found = found && answer(it, path, &ignored) == ST_OK;
	}
	free(path);
	return found;
}

enum status ranges_begin_part(struct job *j, struct err *e)
{
	uint8_t key[32];
	enum status st = key_of(j->c, j->it, key, e);
	j->part = BUF_INIT(PART_MAX);
	if (st == ST_OK)
		part_begin(&j->part, key, j->it->range.first, j->it->range.last);
	return st;
}

enum status ranges_end_part(struct job *j, struct err *e)
{
	if (j->n != j->it->range.of)
		return err_set(e, ST_ITEM, "convert-part", "the document has %zu pages, not %u", j->n, j->it->range.of);
	part_end(&j->part);
	char *path = j->part.failed ? NULL : part_path(j->c, j->it);
	enum status st = path == NULL ? err_set(e, ST_RETRY, "memory", "no memory for a part")
	                              : file_write(path, j->part.data, j->part.len, e);
	if (st == ST_OK)
		st = answer(j->it, path, e);
	free(path);
	return st;
}

/* The next part, which must go on where the last has ended. */
static enum status open_next(struct job *j, struct err *e)
{
	uint8_t key[32];
	uint32_t expected = j->next_part == 0 ? 1 : j->part_in.last + 1;
	file_map_close(&j->map);
	j->map = (struct file_map){0};
	if (j->next_part == j->it->n_parts)
		return err_set(e, ST_ITEM, "convert-part", "the document has more pages than its parts");
	const char *path = j->it->parts[j->next_part++].path;
	enum status st = key_of(j->c, j->it, key, e);
	if (st == ST_OK)
		st = file_map_open(path, &j->map, e);
	if (st == ST_OK)
		st = part_open(j->map.in, key, &j->part_in, e);
	if (st == ST_OK && j->part_in.first != expected)
		st = err_set(e, ST_ITEM, "convert-part", "page %u follows page %u", j->part_in.first, expected - 1);
	return st == ST_OK ? ST_OK : place_fault(e, path, 0);
}

enum status ranges_page(struct job *j, struct part_page *ret_page, struct err *e)
{
	enum status st = ST_OK;
	if (j->map.in.p == NULL || j->part_in.next > j->part_in.last)
		st = open_next(j, e);
	return st == ST_OK ? part_next(&j->part_in, ret_page, e) : st;
}
