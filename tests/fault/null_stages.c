/*
 * arkseal with stages that do next to nothing, for tests of the engine. A backlog is a folder of files "<dossier>-<name>"; each is a
 * document. The first word of a file says how its work goes:
 *   crash   convert dies                     once    convert dies when it meets it for the first time
 *   hang    convert never ends               fail    convert says that it cannot be done
 *   burn    convert computes without end     leak    convert takes memory without end
 *   words   convert says something and aborts; with crash, burn and leak it adds a line to tries.log in the work folder each time
 *   secret  ingest refuses it                lie     convert names a result outside the work folder
 *   wait    sign's authority is away until the file "up" stands in the backlog
 *   sleep   sign never ends until then       toil    sign computes without end
 *   escape  convert tries what a worker may not do; it says in the result what it could do
 *   stop    sign says that the run must stop
 *   long    convert asks for it in ranges of 4 of its 18 pages; "long fail" and "long crash": pages 9 to 12 do so
 * With REAL_INGEST the backlog is read by the real ingest.
 * sign adds a line to sign.log in the work folder for each signature.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "pipeline/command.h"
#include "pipeline/stage.h"
#include "stages/base/digest.h"
#include "stages/base/file.h"
#ifdef REAL_INGEST
#include "stages/ingest/ingest.h"
#define ingest ingest_stage
#endif

static const struct stage_env *env;

static enum status null_open(const struct stage_env *given, void **ret_state, struct err *e)
{
	(void)e;
	env = given;
	*ret_state = NULL;
	return ST_OK;
}

static void null_close(void *state)
{
	(void)state;
}

static bool says(const struct buf *b, const char *word)
{
	return b->data != NULL && strncmp((const char *)b->data, word, strlen(word)) == 0;
}

static void rest(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* ingest */

#ifndef REAL_INGEST
static int visible(const struct dirent *d)
{
	return strchr(d->d_name, '-') != NULL;
}

static enum status null_produce(void *state, const char *backlog, item_sink *sink, void *arg, struct err *e)
{
	struct dirent **found;
	enum status st = ST_OK;
	int n = scandir(backlog, &found, visible, alphasort);
	(void)state;
	if (n < 0)
		return err_errno(e, "open", backlog);
	for (int i = 0; i < n; i++) {
		const char *name = found[i]->d_name;
		size_t key = strcspn(name, "-");
		struct item *it = item_new();
		char *path = path_join(backlog, name), digest[65];
		int64_t size = 0;
		BUF_AUTO struct buf text = BUF_INIT(1 << 20);
		for (int k = 0; k < n; k++)
			it->dossier_size += strncmp(found[k]->d_name, name, key + 1) == 0;
		if (st == ST_OK)
			st = file_sha256(path, digest, &size, e);
		if (st == ST_OK)
			st = file_read(path, &text, e);
		if (st == ST_OK) {
			item_set(&it->id, name);
			item_set(&it->path, name);
			it->dossier = strndup(name, key);
			item_add_source(it, path, size, digest);
			if (says(&text, "secret")) {
				struct err why;
				err_set(&why, ST_ITEM, "test-secret", "marked");
				item_refuse(it, &why);
			}
			st = sink(arg, it, e);
		} else {
			item_free(it);
		}
		free(path);
	}
	for (int i = 0; i < n; i++)
		free(found[i]);
	free(found);
	return st;
}

#endif

/* Reads the last result (or the source), adds a line, writes the next. */
static enum status pass_on(struct item *it, const char *stage, const char *line, struct err *e)
{
	BUF_AUTO struct buf text = BUF_INIT(1 << 20);
	char *path = stage_path(env, it, stage, ".pdf"), digest[65];
	int64_t size;
	enum status st = file_read(it->artefact.path ? it->artefact.path : it->sources[0].path, &text, e);
	buf_str(&text, line);
	if (st == ST_OK)
		st = file_write(path, text.data, text.len, e);
	if (st == ST_OK)
		st = file_sha256(path, digest, &size, e);
	if (st == ST_OK)
		item_set_artefact(it, path, size, digest, NULL);
	free(path);
	return st;
}

/* convert */

static void escape(char *found, size_t room)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	found[0] = '\0';
	if (fd >= 0)
		strncat(found, " socket", room - strlen(found) - 1);
	pid_t child = fork();
	if (child == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(9);
	}
	if (child > 0 && kill(getppid(), 0) == 0)
		strncat(found, " kill", room - strlen(found) - 1);
	if (open("/etc/passwd", O_RDONLY) >= 0)
		strncat(found, " passwd", room - strlen(found) - 1);
	char outside[4096];
	snprintf(outside, sizeof outside, "%s/../escaped", env->work_folder);
	if (open(outside, O_WRONLY | O_CREAT, 0666) >= 0)
		strncat(found, " write", room - strlen(found) - 1);
	snprintf(outside, sizeof outside, "%s/../ledger.sqlite", env->work_folder);
	if (open(outside, O_RDONLY) >= 0)
		strncat(found, " ledger", room - strlen(found) - 1);
}

static enum status leak(struct err *e)
{
	for (;;) {
		char *more = malloc(1 << 20);
		if (more == NULL)
			return err_set(e, ST_RETRY, "memory", "no memory for the pages");
		for (size_t i = 0; i < 1 << 20; i += 4096)
			((volatile char *)more)[i] = 1;
	}
}

static _Noreturn void toil(void)
{
	for (volatile unsigned i = 0;;)
		i = i + 1;
}

/* What costs a worker. */
static enum status misbehave(const struct buf *text, const struct item *it, struct err *e)
{
	static const char *const words[] = {"crash", "burn", "leak", "words"};
	bool one = false;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		one |= says(text, words[i]);
	if (!one)
		return ST_OK;
	char *path = path_join(env->work_folder, "tries.log");
	FILE *log = fopen(path, "a");
	free(path);
	if (log != NULL) {
		fprintf(log, "%s\n", it->id);
		fclose(log);
	}
	if (says(text, "leak"))
		return leak(e);
	if (says(text, "burn"))
		toil();
	if (says(text, "words")) {
		fprintf(stderr, "the first message\nthe last words of %s\n", it->id);
		abort();
	}
	raise(SIGKILL);
	return ST_OK;
}

#define LONG_RANGE 4
#define LONG_PAGES 18

static enum status long_range(struct item *it, const struct buf *text, struct err *e)
{
	char extension[32], line[64], digest[65];
	if (it->range.first == 2 * LONG_RANGE + 1 && says(text, "long crash"))
		raise(SIGKILL);
	if (it->range.first == 2 * LONG_RANGE + 1 && says(text, "long fail"))
		return err_set(e, ST_ITEM, "test-fail", "as the file says");
	snprintf(extension, sizeof extension, ".range-%u", it->range.first);
	int n = snprintf(line, sizeof line, "pages %u to %u of %u\n", it->range.first, it->range.last, it->range.of);
	char *path = stage_path(env, it, "convert", extension);
	enum status st = file_write(path, line, (size_t)n, e);
	if (st == ST_OK) {
		sha256_hex(line, (size_t)n, digest);
		item_add_part(it, path, n, digest);
	}
	free(path);
	rest(20);
	return st;
}

static enum status long_join(struct item *it, struct err *e)
{
	BUF_AUTO struct buf all = BUF_INIT(1 << 20);
	enum status st = ST_OK;
	for (size_t i = 0; i < it->n_parts && st == ST_OK; i++) {
		BUF_AUTO struct buf part = BUF_INIT(1 << 20);
		st = file_read(it->parts[i].path, &part, e);
		buf_add(&all, part.data, part.len);
	}
	buf_byte(&all, '\0');
	item_clear_parts(it);
	return st == ST_OK ? pass_on(it, "convert", (const char *)all.data, e) : st;
}

static enum status null_convert(void *state, struct item *it, struct err *e)
{
	BUF_AUTO struct buf text = BUF_INIT(1 << 20);
	char line[256] = "converted\n", *mark = stage_path(env, it, "met", "");
	enum status st = file_read(it->sources[0].path, &text, e);
	bool met = access(mark, F_OK) == 0;
	(void)state;
	if (st == ST_OK && says(&text, "once") && !met)
		file_write(mark, "", 0, NULL);
	free(mark);
	rest(2);
	if (st != ST_OK)
		return st;
	if (says(&text, "long") && it->range.of > 0)
		return long_range(it, &text, e);
	if (says(&text, "long") && it->n_parts > 0)
		return long_join(it, e);
	if (says(&text, "long") && env->parts) {
		it->state = ITEM_PARTS;
		it->range = (struct item_range){1, LONG_RANGE, LONG_PAGES};
		return ST_OK;
	}
	st = misbehave(&text, it, e);
	if (st != ST_OK)
		return st;
	if (says(&text, "once") && !met)
		raise(SIGKILL);
	if (says(&text, "hang"))
		for (;;)
			pause();
	if (says(&text, "fail"))
		return err_set(e, ST_ITEM, "test-fail", "as the file says");
	if (says(&text, "escape")) {
		char found[200];
		escape(found, sizeof found);
		snprintf(line, sizeof line, "converted, could:%s.\n", found);
	}
	st = pass_on(it, "convert", line, e);
	if (st == ST_OK && says(&text, "lie"))
		item_set_artefact(it, "/etc/passwd", 1, "", NULL);
	return st;
}

/* sign */

static enum status null_sign(void *state, struct item *it, struct err *e)
{
	BUF_AUTO struct buf text = BUF_INIT(1 << 20);
	char up[4096], line[300];
	(void)state;
	enum status st = file_read(it->artefact.path, &text, e);
	if (st != ST_OK)
		return st;
	snprintf(up, sizeof up, "%.*s/up", (int)(strrchr(it->sources[0].path, '/') - it->sources[0].path), it->sources[0].path);
	if (says(&text, "toil"))
		toil();
	while (says(&text, "sleep") && access(up, F_OK) != 0)
		rest(50);
	if (says(&text, "wait") && access(up, F_OK) != 0)
		return err_set(e, ST_RETRY, "test-away", "nobody answers");
	if (says(&text, "stop"))
		return err_set(e, ST_RUN, "test-stop", "wrong PIN");
	char *log = path_join(env->work_folder, "sign.log");
	FILE *to = fopen(log, "a");
	free(log);
	if (to == NULL)
		return err_errno(e, "open", "sign.log");
	fprintf(to, "%s\n", it->id);
	fclose(to);
	rest(2);
	snprintf(line, sizeof line, "signed %s\n", it->id);
	return pass_on(it, "sign", line, e);
}

/* bundle: a folder with the documents, written beside and renamed; a seal that goes beside it */

static enum status null_gather(void *state, struct item *const *items, size_t n, struct item **ret_package, struct err *e)
{
	struct item *package = item_new();
	char folder[4096], temp[4112], path[8192], digest[65];
	int64_t size;
	(void)state;
	snprintf(folder, sizeof folder, "%s/AIP_%s", env->work_folder, items[0]->dossier);
	snprintf(temp, sizeof temp, "%s.part-x", folder);
	enum status st = file_remove_tree(temp, e);
	if (st == ST_OK)
		st = file_remove_tree(folder, e);
	if (st == ST_OK)
		st = file_make_folders(temp, e);
	for (size_t i = 0; i < n && st == ST_OK; i++) {
		BUF_AUTO struct buf text = BUF_INIT(1 << 20);
		snprintf(path, sizeof path, "%s/%s", temp, items[i]->id);
		st = file_read(items[i]->artefact.path, &text, e);
		if (st == ST_OK)
			st = file_write(path, text.data, text.len, e);
		json_array_append_new(package->members, json_string(items[i]->id));
	}
	if (st == ST_OK && rename(temp, folder) != 0)
		st = err_errno(e, "rename", folder);
	if (st == ST_OK)
		st = file_sync_folder(env->work_folder, e);
	snprintf(path, sizeof path, "%s.seal", folder);
	if (st == ST_OK)
		st = file_write(path, folder, strlen(folder), e);
	if (st == ST_OK)
		st = file_sha256(path, digest, &size, e);
	if (st != ST_OK) {
		item_free(package);
		return st;
	}
	package->kind = ITEM_PACKAGE;
	item_set(&package->id, items[0]->dossier);
	item_set(&package->dossier, items[0]->dossier);
	item_set_artefact(package, folder, 0, "", NULL);
	item_add_companion(package, path, size, digest);
	*ret_package = package;
	return ST_OK;
}

static enum status null_validate(void *state, struct item *it, struct err *e)
{
	size_t n = 0;
	DIR *folder = opendir(it->artefact.path);
	(void)state;
	if (folder == NULL)
		return err_errno(e, "open", it->artefact.path);
	for (const struct dirent *d; (d = readdir(folder)) != NULL;)
		n += d->d_name[0] != '.';
	closedir(folder);
	return n == json_array_size(it->members) ? ST_OK : err_set(e, ST_ITEM, "test-incomplete", "%zu documents", n);
}

#ifndef REAL_INGEST
static const struct stage ingest = {.name = "ingest",
                                    .summary = "t",
                                    .open = null_open,
                                    .close = null_close,
                                    .produce = null_produce};
#endif
static const struct stage convert = {.name = "convert",
                                     .summary = "t",
                                     .open = null_open,
                                     .close = null_close,
                                     .work = null_convert};
static const struct stage sign =
    {.name = "sign", .summary = "t", .needs = STAGE_NEEDS_KEY, .open = null_open, .close = null_close, .work = null_sign};
static const struct stage bundle = {.name = "bundle",
                                    .summary = "t",
                                    .open = null_open,
                                    .close = null_close,
                                    .gather = null_gather};
static const struct stage validate = {.name = "validate",
                                      .summary = "t",
                                      .open = null_open,
                                      .close = null_close,
                                      .work = null_validate};
const struct stage *const stages[] = {&ingest, &convert, &sign, &bundle, &validate, NULL};

/* A service that keeps no promise but that of the descriptors: it takes clients until nobody is left to send any. */
static int null_service(const struct profile *profile, const struct site *site, int control_fd, int ready_fd)
{
	char byte;
	(void)profile;
	(void)site;
	dprintf(ready_fd, "ok\n");
	close(ready_fd);
	while (read(control_fd, &byte, 1) == 1)
		;
	return 0;
}

static const struct service key = {"key", STAGE_NEEDS_KEY, null_service};
const struct service *const services[] = {&key, NULL};
const struct command *const stage_commands[] = {NULL};

int main(int argc, char **argv)
{
	return commands_main(argc, argv);
}
