#include "pipeline/archive.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pipeline/notice.h"
#include "pipeline/stage.h"
#include "stages/base/digest.h"
#include "stages/base/file.h"

#define LOCK_TEXT (HOST_NAME_MAX + 24) /* "<process> <machine>\n" */

static enum status no_memory(struct err *e)
{
	return err_set(e, ST_RETRY, "memory", "no memory for a path");
}

static char *below(const char *root, const char *rest)
{
	return root == NULL ? NULL : path_join(root, rest);
}

static int by_number(const void *a, const void *b)
{
	const struct shard *x = a, *y = b;
	return x->of != y->of ? (x->of > y->of) - (x->of < y->of) : (x->number > y->number) - (x->number < y->number);
}

enum status archive_shards(const char *root, struct shard **ret_shards, size_t *ret_n, struct err *e)
{
	char *own = path_join(root, ".arkseal");
	DIR *folder = own == NULL ? NULL : opendir(own);
	enum status st = own == NULL ? no_memory(e) : ST_OK;
	struct shard *v = NULL;
	size_t n = 0;
	if (own != NULL && folder == NULL && errno != ENOENT)
		st = err_errno(e, "open", own);
	for (const struct dirent *d; st == ST_OK && folder != NULL && (d = readdir(folder)) != NULL;) {
		struct shard s = {0, 0};
		if (!shard_parse_name(d->d_name, &s) && strcmp(d->d_name, "work") != 0)
			continue;
		struct shard *more = realloc(v, (n + 1) * sizeof *more);
		if (more == NULL) {
			st = no_memory(e);
		} else {
			v = more;
			v[n++] = s;
		}
	}
	if (folder != NULL)
		closedir(folder);
	free(own);
	if (st != ST_OK) {
		free(v);
		return st;
	}
	if (n > 1)
		qsort(v, n, sizeof *v, by_number);
	*ret_shards = v;
	*ret_n = n;
	return ST_OK;
}

/* Makes the work folder, unless the archive is parted otherwise already. Runs that begin at the same time take turns. */
static enum status make_part(const struct archive *a, struct shard shard, struct err *e)
{
	struct shard *there = NULL;
	size_t n = 0;
	char *own = path_join(a->root, ".arkseal");
	enum status st = own == NULL ? no_memory(e) : file_make_folders(own, e);
	int fd = st == ST_OK ? open(own, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (st == ST_OK && (fd < 0 || flock(fd, LOCK_EX) != 0))
		st = err_errno(e, "open", own);
	if (st == ST_OK)
		st = archive_shards(a->root, &there, &n, e);
	for (size_t i = 0; st == ST_OK && i < n; i++) {
		if (there[i].of == shard.of)
			continue;
		st = err_set(e, ST_RUN, "archive-shards", "the archive has the part %u/%u", there[i].number, there[i].of);
		if (there[i].of == 0)
			err_arg(e, "-");
		else
			err_arg(e, "%u/%u", there[i].number, there[i].of);
		err_where(e, "%s", a->root);
	}
	if (st == ST_OK)
		st = file_make_folders(a->work, e);
	free(there);
	free(own);
	if (fd >= 0)
		close(fd);
	return st;
}

enum status archive_open(const char *root, bool make, struct archive *ret_archive, struct err *e)
{
	return archive_open_shard(root, (struct shard){0, 0}, make, ret_archive, e);
}

enum status archive_open_shard(const char *root, struct shard shard, bool make, struct archive *ret_archive, struct err *e)
{
	struct archive a = {.lock_fd = -1};
	char name[SHARD_NAME];
	enum status st = make ? file_make_folders(root, e) : ST_OK;
	if (st != ST_OK)
		return st;
	a.root = realpath(root, NULL);
	if (a.root == NULL) {
		err_set(e, ST_RUN, "archive-missing", "%s", strerror(errno));
		return err_where(e, "%s", root);
	}
	shard_name(shard, name);
	char *own = below(a.root, ".arkseal"), *part = shard.of == 0 ? strdup(own != NULL ? own : "") : below(own, name);
	a.work = own == NULL ? NULL : below(part, "work");
	a.quarantine = below(a.root, "quarantine");
	a.ledger = below(part, "ledger.sqlite");
	a.lock = below(part, "lock");
	free(own);
	free(part);
	if (!a.work || !a.quarantine || !a.ledger || !a.lock)
		st = no_memory(e);
	else if (make)
		st = make_part(&a, shard, e);
	if (st != ST_OK) {
		archive_close(&a);
		return st;
	}
	*ret_archive = a;
	return ST_OK;
}

void archive_close(struct archive *a)
{
	free(a->root);
	free(a->work);
	free(a->quarantine);
	free(a->ledger);
	free(a->lock);
	if (a->lock_fd >= 0)
		close(a->lock_fd);
	*a = (struct archive){.lock_fd = -1};
}

long archive_holder(const struct archive *a)
{
	char text[64] = "";
	int fd = open(a->lock, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	bool held = flock(fd, LOCK_SH | LOCK_NB) != 0;
	ssize_t n = held ? pread(fd, text, sizeof text - 1, 0) : 0;
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return strtol(text, NULL, 10);
}

enum status archive_lock(struct archive *a, struct err *e)
{
	int fd = open(a->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	char host[HOST_NAME_MAX + 1] = "";
	gethostname(host, sizeof host - 1);
	if (fd < 0)
		return err_errno(e, "open", a->lock);
	for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; tries++) {
		char text[LOCK_TEXT] = "";
		ssize_t n = pread(fd, text, sizeof text - 1, 0);
		text[n > 0 ? n : 0] = '\0';
		text[strcspn(text, "\n")] = '\0';
		char *there;
		long pid = strtol(text, &there, 10);
		there += *there == ' ';
		/* Processes of another machine cannot be asked. */
		bool alive = pid > 0 && (strcmp(there, host) != 0 || kill((pid_t)pid, 0) == 0 || errno == EPERM);
		if ((alive && tries > 0) || tries >= 1000) {
			close(fd);
			err_set(e, ST_RETRY, "archive-taken", "held by process %ld (%s)", pid, there);
			err_arg(e, "%ld (%s)", pid, there);
			return err_where(e, "%s", a->root);
		}
		nanosleep(&(struct timespec){0, 10000000}, NULL);
	}
	char text[LOCK_TEXT];
	int n = snprintf(text, sizeof text, "%ld %s\n", (long)getpid(), host);
	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n) {
		enum status st = err_errno(e, "write", a->lock);
		close(fd);
		return st;
	}
	a->lock_fd = fd;
	return ST_OK;
}

enum status archive_sweep(const struct archive *a, const char *id, struct err *e)
{
	char prefix[STAGE_PREFIX + 1] = "";
	if (id != NULL)
		stage_prefix(id, prefix);
	DIR *folder = opendir(a->work);
	if (folder == NULL)
		return err_errno(e, "open", a->work);
	enum status st = ST_OK;
	for (const struct dirent *d; st == ST_OK && (d = readdir(folder)) != NULL;) {
		if (strstr(d->d_name, ".part-") == NULL || strncmp(d->d_name, prefix, strlen(prefix)) != 0)
			continue;
		char *path = path_join(a->work, d->d_name);
		st = path == NULL ? no_memory(e) : file_remove_tree(path, e);
		free(path);
	}
	closedir(folder);
	return st;
}

bool archive_file_intact(const struct item_file *f)
{
	struct stat info;
	if (lstat(f->path, &info) != 0)
		return false;
	if (S_ISDIR(info.st_mode))
		return true;
	char digest[65];
	int64_t size;
	struct err e;
	return S_ISREG(info.st_mode) && info.st_size == f->size && file_sha256(f->path, digest, &size, &e) == ST_OK &&
	       (f->sha256[0] == '\0' || strcmp(digest, f->sha256) == 0);
}

bool archive_item_intact(const struct item *it)
{
	bool intact = it->artefact.path == NULL || archive_file_intact(&it->artefact);
	for (size_t i = 0; intact && i < it->n_companions; i++)
		intact = archive_file_intact(&it->companions[i]);
	return intact;
}

bool archive_in_work(const struct archive *a, const char *path)
{
	size_t n = strlen(a->work);
	return strncmp(path, a->work, n) == 0 && path[n] == '/' && strstr(path + n, "/../") == NULL &&
	       strcmp(path_name(path), "..") != 0;
}

/* Whether a path from a record stays below the root and out of our own folder. */
static bool path_stays(const char *path)
{
	if (path[0] == '\0' || strncmp(path, ".arkseal/", 9) == 0 || strcmp(path, ".arkseal") == 0)
		return false;
	for (const char *at = path;;) {
		size_t n = strcspn(at, "/");
		if (n == 0 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
			return false;
		if (at[n] == '\0')
			return true;
		at += n + 1;
	}
}

/* Makes the folders above root/path, each name synced into its parent. */
static enum status make_folders(const char *root, const char *path, struct err *e)
{
	char *full = path_join(root, path);
	if (full == NULL)
		return no_memory(e);
	enum status st = ST_OK;
	for (char *at = full + strlen(root) + 1; st == ST_OK && (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		if (mkdir(full, 0777) == 0) {
			char *parent = strrchr(full, '/');
			*parent = '\0';
			st = file_sync_folder(full, e);
			*parent = '/';
		} else if (errno != EEXIST) {
			st = err_errno(e, "create", full);
		}
		*at = '/';
	}
	free(full);
	return st;
}

/* Copies a file that is not ours to take (a source that stayed as it was) into the work folder. */
static enum status copy(const char *from, const char *to, struct err *e)
{
	struct file_map map;
	enum status st = file_map_open(from, &map, e);
	if (st != ST_OK)
		return st;
	st = file_write(to, map.in.p, map.in.n, e);
	file_map_close(&map);
	return st;
}

static enum status exists(const char *to, struct err *e)
{
	err_set(e, ST_ITEM, "publish-exists", "another file is in the place of the result");
	err_arg(e, "%s", to);
	return err_where(e, "%s", to);
}

static enum status move(const struct archive *a, const struct item_file *f, const char *to, struct err *e)
{
	struct item_file there = *f;
	struct stat info;
	there.path = (char *)(uintptr_t)to;
	if (lstat(f->path, &info) != 0) {
		if (lstat(to, &info) == 0)
			return archive_file_intact(&there) ? ST_OK : exists(to, e);
		err_set(e, ST_RETRY, "publish-gone", "neither in the work folder nor in its place");
		return err_where(e, "%s", f->path);
	}
	char *copied = NULL;
	enum status st = ST_OK;
	if (!archive_in_work(a, f->path)) {
		char digest[65];
		sha256_hex(to, strlen(to), digest);
		if (asprintf(&copied, "%s/%.32s.publish", a->work, digest) < 0)
			return no_memory(e);
		st = copy(f->path, copied, e);
	}
	const char *from = copied != NULL ? copied : f->path;
	if (st == ST_OK && renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) != 0) {
		if (errno == EEXIST) {
			st = !S_ISDIR(info.st_mode) && archive_file_intact(&there) ? ST_OK : exists(to, e);
			if (st == ST_OK)
				unlink(from);
		} else if (errno == EINVAL && lstat(to, &info) != 0) { /* a file system without RENAME_NOREPLACE */
			st = rename(from, to) == 0 ? ST_OK : err_errno(e, "rename", to);
		} else {
			st = errno == EINVAL ? exists(to, e) : err_errno(e, "rename", to);
		}
	}
	free(copied);
	return st;
}

/* The name of a result, relative to the root. A package and what goes beside it have their names already; a document gets the
 * item's path and the artefact's extension, a companion what its own name says it is. */
static char *place(const struct item *it, const struct item_file *f)
{
	char *to;
	if (it->kind == ITEM_PACKAGE)
		return strdup(path_name(f->path));
	return asprintf(&to, "%s%s", it->path != NULL ? it->path : it->id, item_file_tail(f->path)) < 0 ? NULL : to;
}

static enum status publish_file(const struct archive *a, struct item *it, struct item_file *f, char **ret_place, struct err *e)
{
	char *plain = place(it, f), *to = NULL;
	enum status st = ST_OK;
	if (plain == NULL || (to = path_join(a->root, plain)) == NULL)
		st = no_memory(e);
	else if (!path_stays(plain)) {
		st = err_set(e, ST_ITEM, "publish-path", "the path leads out of the archive");
		err_where(e, "%s", plain);
	} else {
		st = make_folders(a->root, plain, e);
	}
	if (st == ST_OK)
		st = move(a, f, to, e);
	if (st == ST_OK) {
		*strrchr(to, '/') = '\0';
		st = file_sync_folder(to, e);
	}
	if (st == ST_OK) {
		*ret_place = plain;
		plain = NULL;
	}
	free(plain);
	free(to);
	return st;
}

enum status archive_publish(const struct archive *a, struct item *it, struct err *e)
{
	if (it->artefact.path == NULL)
		return err_set(e, ST_ITEM, "publish-nothing", "the last stage made no file");
	/* Paths are set when all is in place: the names follow from the artefact's in the work folder. */
	char **to = calloc(it->n_companions + 1, sizeof *to);
	enum status st = to == NULL ? no_memory(e) : ST_OK;
	for (size_t i = 0; st == ST_OK && i < it->n_companions; i++)
		st = publish_file(a, it, &it->companions[i], &to[i], e);
	if (st == ST_OK)
		st = publish_file(a, it, &it->artefact, &to[it->n_companions], e);
	for (size_t i = 0; to != NULL && i <= it->n_companions; i++) {
		if (st == ST_OK)
			item_set(i == it->n_companions ? &it->artefact.path : &it->companions[i].path, to[i]);
		free(to[i]);
	}
	free(to);
	return st;
}

static void discard_file(const struct archive *a, const struct item_file *f)
{
	struct err e;
	if (f->path != NULL && archive_in_work(a, f->path))
		file_remove_tree(f->path, &e);
}

/* The stage's note beside the file that it made (stage.h). */
static void discard_note(const struct archive *a, const struct item_file *made)
{
	char *path = NULL;
	if (made->path == NULL || !archive_in_work(a, made->path))
		return;
	const char *extension = strrchr(made->path, '.');
	int n = extension != NULL ? (int)(extension - made->path) : 0;
	if (n > 0 && asprintf(&path, "%.*s%s", n, made->path, STAGE_NOTE) >= 0)
		unlink(path);
	free(path);
}

void archive_discard(const struct archive *a, const struct item *it)
{
	discard_note(a, &it->artefact);
	discard_file(a, &it->artefact);
	for (size_t i = 0; i < it->n_companions; i++) {
		discard_note(a, &it->companions[i]);
		discard_file(a, &it->companions[i]);
	}
}

/* "<id with what a file name cannot hold replaced>[-<8 digits>]": the digits stand where something was replaced or cut. */
static char *safe_name(const char *id)
{
	char name[161], digest[65], *safe;
	size_t n = 0;
	bool changed = false;
	for (const char *at = id; *at != '\0'; at++) {
		if (n == sizeof name - 1) {
			changed = true;
			break;
		}
		unsigned char c = (unsigned char)*at;
		bool plain = c >= 0x80 || isalnum(c) || c == '-' || c == '_' || (c == '.' && n > 0) || c == ' ';
		changed |= !plain;
		name[n++] = plain ? *at : '_';
	}
	while (changed && n > 0 && ((unsigned char)name[n - 1] & 0xC0) == 0x80)
		n--; /* no half of a letter at the cut */
	if (changed && n > 0 && ((unsigned char)name[n - 1] & 0xC0) == 0xC0)
		n--;
	name[n] = '\0';
	sha256_hex(id, strlen(id), digest);
	int done = changed ? asprintf(&safe, "%s-%.8s", name, digest) : asprintf(&safe, "%s", name);
	return done < 0 ? NULL : safe;
}

static char *notice_path(const struct archive *a, const char *id, const char *extension)
{
	char *safe = safe_name(id), *path = NULL;
	if (safe != NULL && asprintf(&path, "%s/%s.%s", a->quarantine, safe, extension) < 0)
		path = NULL;
	free(safe);
	return path;
}

enum status archive_set_aside(const struct archive *a, const struct item *it, struct err *e)
{
	char *text = notice_path(a, it->id, "txt"), *record = notice_path(a, it->id, "json");
	BUF_AUTO struct buf b = BUF_INIT(64u << 20);
	enum status st = text == NULL || record == NULL ? no_memory(e) : ST_OK;
	/* An archive that has gone is not made anew in its place. */
	if (st == ST_OK && mkdir(a->quarantine, 0777) != 0 && errno != EEXIST)
		st = err_errno(e, "create", a->quarantine);
	if (st == ST_OK) {
		item_print(it, &b);
		st = b.failed ? no_memory(e) : file_write(record, b.data, b.len, e);
	}
	if (st == ST_OK) {
		buf_reset(&b);
		notice_print(it, &b);
		st = b.failed ? no_memory(e) : file_write(text, b.data, b.len, e);
	}
	free(text);
	free(record);
	return st;
}

void archive_put_back(const struct archive *a, const char *id)
{
	static const char *const extension[] = {"txt", "json"};
	for (size_t i = 0; i < 2; i++) {
		char *path = notice_path(a, id, extension[i]);
		if (path != NULL)
			unlink(path);
		free(path);
	}
}
