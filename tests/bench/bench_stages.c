/*
 * arkseal with stages that do nothing, to measure the engine alone. The backlog is a folder with a file "documents" that holds how many of
 * them there are; they are made up, in dossiers of 20. A package is a folder with an empty file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/command.h"
#include "pipeline/stage.h"
#include "stages/base/file.h"
#include "stages/base/text.h"

#define EACH 20

static const struct stage_env *env;

static enum status bench_open(const struct stage_env *given, void **ret_state, struct err *e)
{
	(void)e;
	env = given;
	*ret_state = NULL;
	return ST_OK;
}

static void bench_close(void *state)
{
	(void)state;
}

/* As a record of a scanned letter is: some fields, two pages. */
static enum status made_up(int64_t n, item_sink *sink, void *arg, struct err *e)
{
	struct item *it = item_new();
	char text[96], sha256[65];
	if (it == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for a record");
	snprintf(sha256, sizeof sha256, "%064llx", (unsigned long long)n);
	snprintf(text, sizeof text, "B01.%07lld.%07lld", (long long)(n / EACH), (long long)(n % EACH + 1));
	item_set(&it->id, text);
	item_set(&it->name, text);
	item_set(&it->path, text);
	item_set(&it->fonds, "B01");
	text[11] = '\0';
	item_set(&it->dossier, text);
	it->dossier_size = EACH;
	for (int page = 1; page <= 2; page++) {
		snprintf(text, sizeof text, "/backlog/B01/%s/trang-%02d.jpg", it->id, page);
		item_add_source(it, text, 250000, sha256);
	}
	json_object_set_new(it->description, "title", json_string("Văn bản về việc đo tốc độ"));
	json_object_set_new(it->description, "issuedDate", json_string("05/03/1985"));
	item_add_event(it, env->now_ms(), "transfer", "success", "2 files, 500000 bytes");
	return sink(arg, it, e);
}

static enum status bench_produce(void *state, const char *backlog, item_sink *sink, void *arg, struct err *e)
{
	BUF_AUTO struct buf text = BUF_INIT(64);
	int64_t documents = 0;
	char *path = path_join(backlog, "documents");
	enum status st = file_read(path, &text, e);
	(void)state;
	if (st == ST_OK && !number_parse((const char *)text.data, EACH, INT64_MAX, &documents))
		st = err_set(e, ST_RUN, "bench", "%s holds no number", path);
	free(path);
	for (int64_t n = 0; n < documents / EACH * EACH && st == ST_OK; n++)
		st = made_up(n, sink, arg, e);
	return st;
}

static enum status bench_work(void *state, struct item *it, struct err *e)
{
	(void)state;
	(void)e;
	if (it->kind != ITEM_PACKAGE)
		item_add_event(it, env->now_ms(), "migration", "success", "nothing");
	return ST_OK;
}

/* The first document that comes leaves a mark, so that the time until then can be told. */
static enum status bench_convert(void *state, struct item *it, struct err *e)
{
	static bool marked;
	char *path = marked ? NULL : path_join(env->work_folder, "first");
	enum status st = path != NULL ? file_write(path, "", 0, e) : ST_OK;
	free(path);
	marked = true;
	return st == ST_OK ? bench_work(state, it, e) : st;
}

static enum status bench_gather(void *state, struct item *const *items, size_t n, struct item **ret_package, struct err *e)
{
	(void)state;
	struct item *package = item_new();
	char *folder = NULL, *file = NULL;
	enum status st = package == NULL || asprintf(&folder, "%s/AIP_%s", env->work_folder, items[0]->dossier) < 0
	                     ? err_set(e, ST_RETRY, "memory", "no memory for a package")
	                     : file_make_folders(folder, e);
	file = folder != NULL ? path_join(folder, "METS.xml") : NULL;
	if (st == ST_OK)
		st = file_write(file, "", 0, e);
	if (st == ST_OK) {
		package->kind = ITEM_PACKAGE;
		item_set(&package->id, items[0]->dossier);
		item_set(&package->dossier, items[0]->dossier);
		item_set_artefact(package, folder, 0, "", NULL);
		for (size_t i = 0; i < n; i++)
			json_array_append_new(package->members, json_string(items[i]->id));
		*ret_package = package;
		package = NULL;
	}
	item_free(package);
	free(folder);
	free(file);
	return st;
}

#define ENDS .summary = "does nothing", .open = bench_open, .close = bench_close
static const struct stage ingest = {.name = "ingest", .produce = bench_produce, ENDS};
static const struct stage convert = {.name = "convert", .work = bench_convert, ENDS};
static const struct stage sign = {.name = "sign", .work = bench_work, ENDS};
static const struct stage augment = {.name = "augment", .work = bench_work, ENDS};
static const struct stage bundle = {.name = "bundle", .gather = bench_gather, ENDS};
static const struct stage validate = {.name = "validate", .work = bench_work, ENDS};
const struct stage *const stages[] = {&ingest, &convert, &sign, &augment, &bundle, &validate, NULL};
const struct service *const services[] = {NULL};
const struct command *const stage_commands[] = {NULL};

int main(int argc, char **argv)
{
	return commands_main(argc, argv);
}
