#include "pipeline/filter.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "pipeline/say.h"
#include "pipeline/wire.h"

/* The documents of a dossier that have come so far. */
struct dossier {
	struct item **items;
	size_t n;
	char *key;
};

char *filter_key(struct bytes fonds, struct bytes dossier, struct bytes id)
{
	const struct bytes tail = dossier.p != NULL ? dossier : id;
	const bool both = dossier.p != NULL && fonds.p != NULL;
	char *key;
	return asprintf(&key, "%.*s%s%.*s", both ? (int)fonds.n : 0, both ? (const char *)fonds.p : "", both ? "/" : "",
	                (int)tail.n, (const char *)tail.p) < 0
	           ? NULL
	           : key;
}

char *filter_dossier_key(const struct item *it)
{
	return filter_key(text_bytes(it->fonds), text_bytes(it->dossier), text_bytes(it->id));
}

static enum status put(struct filter *f, const struct item *it, struct err *e)
{
	BUF_AUTO struct buf line = BUF_INIT(WIRE_LINE_MAX);
	item_print(it, &line);
	if (line.failed)
		return err_set(e, ST_RETRY, "memory", "no memory for the record of %s", it->id);
	if (it->state == ITEM_QUARANTINE || it->state == ITEM_REFUSED)
		f->n_failed++;
	else if (it->state != ITEM_OK && it->state != ITEM_PARTS)
		f->n_stopped++;
	return wire_write(f->out, line.data, line.len) ? ST_OK : err_errno(e, "write", "-");
}

static void fail(struct item *it, enum status st, struct err *e)
{
	if (e->status == ST_OK)
		err_set(e, st, "stage-silent", "the stage failed without saying why");
	item_fail(it, e);
}

/* Whether the folder of the sources or that of the results is not there now; an unmounted share leaves an empty place, or one that this
 * process may not read. Then no document is at fault for files that cannot be reached. */
static bool folder_away(const struct filter *f, struct err *e)
{
	const char *work = f->env->work_folder;
	if (work != NULL && access(work, F_OK) != 0 && errno != EACCES) {
		err_set(e, ST_RETRY, "archive-away", "%s", strerror(errno));
		err_where(e, "%s", work);
		return true;
	}
	if (f->backlog == NULL)
		return false;
	DIR *folder = opendir(f->backlog);
	const char *why = folder == NULL ? strerror(errno) : "it is empty";
	bool away = true;
	for (const struct dirent *d; folder != NULL && away && (d = readdir(folder)) != NULL;)
		away = strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0;
	if (folder != NULL)
		closedir(folder);
	if (away) {
		err_set(e, ST_RETRY, "backlog-away", "%s", why);
		err_where(e, "%s", f->backlog);
	}
	return away;
}

static bool of_a_file(const struct err *fault)
{
	return fault->status == ST_ITEM && strncmp(fault->code, "file-", 5) == 0;
}

/* Gives the process so much CPU time from now on. */
static void limit_cpu(const struct filter *f, size_t items)
{
	struct rusage used;
	struct rlimit limit;
	if (f->cpu_seconds == 0 || getrusage(RUSAGE_SELF, &used) != 0 || getrlimit(RLIMIT_CPU, &limit) != 0)
		return;
	limit.rlim_cur = (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1) + (rlim_t)f->cpu_seconds * items;
	setrlimit(RLIMIT_CPU, &limit);
}

static enum status work_one(struct filter *f, struct item *it, struct err *e)
{
	if (it->state == ITEM_OK) {
		struct err fault = {0};
		limit_cpu(f, 1);
		enum status st = f->stage->work(f->state, it, &fault);
		if (st != ST_OK && of_a_file(&fault) && folder_away(f, &fault))
			st = ST_RETRY;
		if (st != ST_OK)
			fail(it, st, &fault);
	}
	return put(f, it, e);
}

static void dossier_clear(struct dossier *d)
{
	for (size_t i = 0; i < d->n; i++)
		item_free(d->items[i]);
	free(d->items);
	free(d->key);
	*d = (struct dossier){0};
}

static enum status dossier_pass(struct filter *f, struct dossier *d, bool all, struct err *e)
{
	enum status st = ST_OK;
	for (size_t i = 0; i < d->n && st == ST_OK; i++)
		if (all || d->items[i]->state != ITEM_OK)
			st = put(f, d->items[i], e);
	return st;
}

/* What stands for a package that could not be made. */
static struct item *failed_package(const struct dossier *d, const struct item *first, enum status status, struct err *fault)
{
	struct item *package = item_new();
	if (package == NULL)
		return NULL;
	package->kind = ITEM_PACKAGE;
	item_set(&package->id, d->key);
	item_set(&package->dossier, first->dossier);
	item_set(&package->fonds, first->fonds);
	package->dossier_size = first->dossier_size;
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i]->state == ITEM_OK)
			json_array_append_new(package->members, json_string(d->items[i]->id));
	fail(package, status, fault);
	return package;
}

static enum status dossier_gather(struct filter *f, struct dossier *d, struct err *e)
{
	struct item **good = calloc(d->n, sizeof(struct item *)), *package = NULL;
	size_t n = 0;
	if (good == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for dossier %s", d->key);
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i]->state == ITEM_OK)
			good[n++] = d->items[i];
	enum status st;
	if (n == 0 || (n < d->n && !f->env->profile->bundle.without_quarantined)) {
		st = dossier_pass(f, d, true, e);
	} else {
		struct err fault = {0};
		st = dossier_pass(f, d, false, e);
		limit_cpu(f, n);
		enum status made = f->stage->gather(f->state, good, n, &package, &fault);
		if (made != ST_OK && of_a_file(&fault) && folder_away(f, &fault))
			made = ST_RETRY;
		if (made != ST_OK)
			package = failed_package(d, good[0], made, &fault);
		if (st == ST_OK)
			st = package != NULL ? put(f, package, e)
			                     : err_set(e, ST_RETRY, "memory", "no memory for dossier %s", d->key);
		item_free(package);
	}
	free(good);
	return st;
}

/* Ends the dossier at hand: gathers it when it is whole. */
static enum status dossier_end(struct filter *f, struct dossier *d, struct err *e)
{
	enum status st = ST_OK;
	if (d->n > 0) {
		uint32_t size = d->items[0]->dossier_size;
		if (d->n >= (size > 0 ? size : 1)) {
			st = dossier_gather(f, d, e);
		} else {
			fprintf(stderr, say(SAY_DOSSIER_CUT), d->key);
			fputc('\n', stderr);
			st = dossier_pass(f, d, true, e);
		}
	}
	dossier_clear(d);
	return st;
}

/* Takes it over. */
static enum status dossier_add(struct filter *f, struct dossier *d, struct item *it, struct err *e)
{
	char *key = filter_dossier_key(it);
	enum status st = ST_OK;
	if (key != NULL && d->key != NULL && strcmp(key, d->key) != 0)
		st = dossier_end(f, d, e);
	struct item **more = realloc(d->items, (d->n + 1) * sizeof(struct item *));
	if (key == NULL || more == NULL) {
		free(key);
		item_free(it);
		return err_set(e, ST_RETRY, "memory", "no memory for a dossier");
	}
	d->items = more;
	d->items[d->n++] = it;
	free(d->key);
	d->key = key;
	uint32_t size = d->items[0]->dossier_size;
	if (st == ST_OK && d->n >= (size > 0 ? size : 1))
		st = dossier_end(f, d, e);
	return st;
}

static enum status sink(void *arg, struct item *it, struct err *e)
{
	bool away = it->state == ITEM_QUARANTINE && of_a_file(&it->notice) && folder_away(arg, e);
	enum status st = away ? ST_RETRY : put(arg, it, e);
	item_free(it);
	return st;
}

enum status filter_run(struct filter *f, struct err *e)
{
	if (f->stage->produce != NULL)
		return f->stage->produce(f->state, f->backlog, sink, f, e);
	struct wire w = WIRE_INIT(f->in);
	struct dossier d = {0};
	enum status st = ST_OK;
	while (st == ST_OK) {
		struct bytes line;
		enum wire_got got = wire_next(&w, &line);
		if (got == WIRE_END)
			break;
		if (got != WIRE_LINE) {
			st = err_errno(e, "read", "-");
			break;
		}
		if (line.n == 0)
			continue;
		struct item *it;
		st = item_parse((const char *)line.p, line.n, &it, e);
		if (st != ST_OK)
			break;
		if (f->stage->gather != NULL && it->kind != ITEM_PACKAGE) {
			st = dossier_add(f, &d, it, e);
			continue;
		}
		st = f->stage->gather != NULL ? put(f, it, e) : work_one(f, it, e);
		item_free(it);
	}
	if (st == ST_OK)
		st = dossier_end(f, &d, e);
	dossier_clear(&d);
	wire_free(&w);
	return st;
}
