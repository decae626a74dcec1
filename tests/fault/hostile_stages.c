/*
 * arkseal whose convert turns hostile where a document says so: it tries one thing after the other that a worker may not do, and its result
 * tells what came of each. The same outside of the sandbox, to see that the attempts would work:
 *   hostile_arkseal attempt FILE WORK ROW        hostile_arkseal rows
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/command.h"
#include "pipeline/sandbox.h"
#include "pipeline/stage.h"
#include "stages/base/digest.h"
#include "stages/base/file.h"
#include "tests/fault/hostile.h"

static const struct stage_env *env;

static enum status hostile_open(const struct stage_env *given, void **ret_state, struct err *e)
{
	(void)e;
	env = given;
	*ret_state = NULL;
	return ST_OK;
}

static void hostile_close(void *state)
{
	(void)state;
}

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static enum status hostile_produce(void *state, const char *backlog, item_sink *sink, void *arg, struct err *e)
{
	struct dirent **found;
	enum status st = ST_OK;
	int n = scandir(backlog, &found, visible, alphasort);
	(void)state;
	if (n < 0)
		return err_errno(e, "open", backlog);
	for (int i = 0; i < n; i++) {
		char *path = path_join(backlog, found[i]->d_name), digest[65];
		int64_t size = 0;
		struct item *it = item_new();
		if (st == ST_OK)
			st = file_sha256(path, digest, &size, e);
		item_set(&it->id, found[i]->d_name);
		item_set(&it->path, found[i]->d_name);
		if (st == ST_OK) {
			item_add_source(it, path, size, digest);
			st = sink(arg, it, e);
		} else {
			item_free(it);
		}
		free(path);
		free(found[i]);
	}
	free(found);
	return st;
}

/* A document that begins with "large" gets a result of so many MiB; one with aims makes convert hostile; any other is passed on. */
static enum status hostile_convert(void *state, struct item *it, struct err *e)
{
	BUF_AUTO struct buf text = BUF_INIT(1 << 20), result = BUF_INIT(64 << 20);
	char *path = stage_path(env, it, "convert", ".pdf"), digest[65], *words = NULL;
	unsigned large = 0;
	int64_t size;
	enum status st = file_read(it->sources[0].path, &text, e);
	(void)state;
	if (st == ST_OK)
		words = strndup((const char *)text.data, text.len);
	buf_str(&result, "converted\n");
	if (words != NULL && sscanf(words, "large %u", &large) == 1)
		for (size_t i = 0; i < (size_t)large << 20; i++)
			buf_byte(&result, 'x');
	else if (words != NULL && attempts_aim(words))
		attempts_make(env->work_folder, NULL, &result);
	free(words);
	if (st == ST_OK)
		st = file_write(path, result.data, result.len, e);
	if (st == ST_OK)
		st = file_sha256(path, digest, &size, e);
	if (st == ST_OK)
		item_set_artefact(it, path, size, digest, NULL);
	free(path);
	return st;
}

static const struct stage ingest = {.name = "ingest",
                                    .summary = "t",
                                    .open = hostile_open,
                                    .close = hostile_close,
                                    .produce = hostile_produce};
static const struct stage convert = {.name = "convert",
                                     .summary = "t",
                                     .open = hostile_open,
                                     .close = hostile_close,
                                     .work = hostile_convert};
const struct stage *const stages[] = {&ingest, &convert, NULL};
const struct service *const services[] = {NULL};
const struct command *const stage_commands[] = {NULL};

int main(int argc, char **argv)
{
	bool attempt = argc == 5 && strcmp(argv[1], "attempt") == 0;
	BUF_AUTO struct buf text = BUF_INIT(1 << 20), result = BUF_INIT(1 << 20);
	struct err e;
	if (attempt)
		sandbox_hold(open("/dev/null", O_RDONLY | O_CLOEXEC)); /* as a worker holds the lock */
	if (argc == 2 && strcmp(argv[1], "rows") == 0)
		attempts_tell(&result);
	else if (!attempt)
		return commands_main(argc, argv);
	else if (file_read(argv[2], &text, &e) == ST_OK && attempts_aim((char *)text.data))
		attempts_make(argv[3], argv[4], &result);
	return fwrite(result.data, 1, result.len, stdout) == result.len && result.len > 0 ? 0 : 2;
}
