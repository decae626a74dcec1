/* Files in the work folder that belong to nobody any more: what a killed worker had made of a document that then went another way. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/run.h"
#include "stages/base/file.h"

#define KEY 32 /* of a name: what stage_prefix gives, without its point */

struct found {
	char key[KEY];
	bool wanted;
};

struct strays {
	struct found *v;
	size_t n;
};

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, KEY);
}

static bool is_ours(const char *name)
{
	return strspn(name, "0123456789abcdef") == KEY && name[KEY] == '.';
}

static enum status look(const char *folder, struct strays *s, struct err *e)
{
	size_t room = 0;
	DIR *names = opendir(folder);
	if (names == NULL)
		return err_errno(e, "open", folder);
	enum status st = ST_OK;
	for (const struct dirent *d; st == ST_OK && (d = readdir(names)) != NULL;) {
		if (!is_ours(d->d_name))
			continue;
		if (s->n == room) {
			room = room == 0 ? 256 : room * 2;
			struct found *more = realloc(s->v, room * sizeof *more);
			if (more == NULL) {
				st = record_no_memory(e);
				break;
			}
			s->v = more;
		}
		memcpy(s->v[s->n].key, d->d_name, KEY);
		s->v[s->n++].wanted = false;
	}
	closedir(names);
	if (s->n > 1)
		qsort(s->v, s->n, sizeof *s->v, compare);
	return st;
}

static enum status mark(void *arg, const char *id, struct err *e)
{
	struct strays *s = arg;
	struct found *hit;
	char prefix[STAGE_PREFIX + 1];
	(void)e;
	stage_prefix(id, prefix);
	if ((hit = bsearch(prefix, s->v, s->n, sizeof *s->v, compare)) == NULL)
		return ST_OK;
	while (hit > s->v && compare(hit - 1, prefix) == 0)
		hit--;
	for (; hit < s->v + s->n && compare(hit, prefix) == 0; hit++)
		hit->wanted = true;
	return ST_OK;
}

static enum status discard(const char *folder, const struct strays *s, struct err *e)
{
	DIR *names = opendir(folder);
	if (names == NULL)
		return err_errno(e, "open", folder);
	enum status st = ST_OK;
	for (const struct dirent *d; st == ST_OK && (d = readdir(names)) != NULL;) {
		const struct found *known = is_ours(d->d_name) ? bsearch(d->d_name, s->v, s->n, sizeof *s->v, compare) : NULL;
		if (known == NULL || known->wanted)
			continue;
		char *path = path_join(folder, d->d_name);
		st = path == NULL ? record_no_memory(e) : file_remove_tree(path, e);
		free(path);
	}
	closedir(names);
	return st;
}

enum status records_remove_strays(struct run *r, struct err *e)
{
	struct strays s = {0};
	enum status st = look(r->archive.work, &s, e);
	if (st == ST_OK && s.n > 0)
		st = ledger_unfinished(r->ledger, mark, &s, e);
	if (st == ST_OK && s.n > 0)
		st = discard(r->archive.work, &s, e);
	free(s.v);
	return st;
}
