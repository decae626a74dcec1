#include "stages/package/container.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stages/base/file.h"

#define ENTRIES_MAX 1000000
#define CONTENT_MAX ((int64_t)1 << 40)

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static enum status visit_file(const FTSENT *at, const char *name, container_each *each, void *arg, struct err *e)
{
	struct file_map in;
	enum status st = file_map_open(at->fts_path, &in, e);
	if (st != ST_OK)
		return st;
	st = each(arg, name, in.in, e);
	file_map_close(&in);
	return st;
}

static enum status walk_folder(const char *path, container_each *each, void *arg, struct err *e)
{
	char *copy = strdup(path);
	char *const roots[] = {copy, NULL};
	FTS *walk = copy == NULL ? NULL : fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	size_t skip = strlen(path) + 1;
	enum status st = walk == NULL ? err_errno(e, "open", path) : ST_OK;
	for (FTSENT *at; st == ST_OK && (at = fts_read(walk)) != NULL;) {
		switch (at->fts_info) {
		case FTS_D:
		case FTS_DP:
			break;
		case FTS_F:
			st = visit_file(at, at->fts_path + skip, each, arg, e);
			break;
		case FTS_ERR:
		case FTS_DNR:
		case FTS_NS:
			errno = at->fts_errno;
			st = err_errno(e, "read", at->fts_path);
			break;
		default:
			st = each(arg, at->fts_path + skip, (struct bytes){NULL, 0}, e);
		}
	}
	if (walk != NULL)
		fts_close(walk);
	free(copy);
	return st;
}

static enum status broken(struct archive *from, const char *path, struct err *e)
{
	err_set(e, ST_ITEM, "package-unreadable", "%s", from == NULL ? "no ZIP file" : archive_error_string(from));
	err_arg(e, "%s", path);
	return err_where(e, "%s", path);
}

/* A file without a name, beside the container where that can be written (a sandboxed worker sees nothing else), else among the
 * temporary files. */
static FILE *unnamed(const char *container)
{
	char *beside = strdup(container);
	char *slash = beside == NULL ? NULL : strrchr(beside, '/');
	if (slash != NULL)
		*slash = '\0';
	int fd = beside == NULL ? -1
	                        : open(slash == NULL     ? "."
	                               : *beside == '\0' ? "/"
	                                                 : beside,
	                               O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	FILE *made = fd < 0 ? NULL : fdopen(fd, "w+b");
	free(beside);
	return made != NULL ? made : tmpfile();
}

/* Unpacks an entry and maps it: documents may be larger than memory. */
static enum status visit_entry(struct archive *from, const char *path, const char *name, container_each *each, void *arg,
                               struct err *e)
{
	FILE *temp = unnamed(path);
	const void *block;
	size_t n;
	la_int64_t at;
	int64_t total = 0;
	int got = ARCHIVE_OK;
	enum status st = temp == NULL ? err_errno(e, "create", "temporary file") : ST_OK;
	while (st == ST_OK && (got = archive_read_data_block(from, &block, &n, &at)) == ARCHIVE_OK) {
		if (at != total || (total += (int64_t)n) > CONTENT_MAX)
			st = broken(from, path, e);
		else if (fwrite(block, 1, n, temp) != n)
			st = err_errno(e, "write", "temporary file");
	}
	if (st == ST_OK && got != ARCHIVE_EOF)
		st = broken(from, path, e);
	if (st == ST_OK && fflush(temp) != 0)
		st = err_errno(e, "write", "temporary file");
	if (st == ST_OK) {
		static const uint8_t nothing[1];
		void *p = total == 0 ? NULL : mmap(NULL, (size_t)total, PROT_READ, MAP_PRIVATE, fileno(temp), 0);
		if (p == MAP_FAILED)
			st = err_errno(e, "map", "temporary file");
		else
			st = each(arg, name, (struct bytes){total == 0 ? nothing : p, (size_t)total}, e);
		if (p != NULL && p != MAP_FAILED)
			munmap(p, (size_t)total);
	}
	if (temp != NULL)
		fclose(temp);
	return st;
}

/* The name below the top folder, which must be the same for all entries; NULL for a name that leaves it. */
static const char *inside(const char *name, char **top)
{
	const char *slash = strchr(name, '/');
	if (slash == NULL || slash == name || strstr(name, "..") != NULL)
		return NULL;
	size_t n = (size_t)(slash - name);
	if (*top == NULL)
		*top = strndup(name, n);
	return *top != NULL && strlen(*top) == n && strncmp(*top, name, n) == 0 ? slash + 1 : NULL;
}

static enum status walk_zip(const char *path, container_each *each, void *arg, char **ret_top, struct err *e)
{
	struct archive *from = archive_read_new();
	struct archive_entry *entry;
	int got = ARCHIVE_OK, count = 0;
	enum status st = ST_OK;
	archive_read_support_format_zip_seekable(from);
	if (archive_read_open_filename(from, path, 1 << 16) != ARCHIVE_OK)
		st = broken(from, path, e);
	while (st == ST_OK && (got = archive_read_next_header(from, &entry)) == ARCHIVE_OK) {
		const char *full = archive_entry_pathname_utf8(entry);
		const char *name = full == NULL ? NULL : inside(full, ret_top);
		if (name == NULL || ++count > ENTRIES_MAX)
			st = broken(NULL, path, e);
		else if (archive_entry_filetype(entry) == AE_IFREG)
			st = visit_entry(from, path, name, each, arg, e);
		else if (archive_entry_filetype(entry) != AE_IFDIR)
			st = each(arg, name, (struct bytes){NULL, 0}, e);
	}
	if (st == ST_OK && (got != ARCHIVE_EOF || *ret_top == NULL))
		st = broken(got == ARCHIVE_EOF ? NULL : from, path, e);
	archive_read_free(from);
	return st;
}

enum status container_walk(const char *path, container_each *each, void *arg, char **ret_name, struct err *e)
{
	struct stat info;
	char *top = NULL;
	enum status st;
	if (stat(path, &info) != 0)
		return err_errno(e, "open", path);
	if (S_ISDIR(info.st_mode)) {
		char *trimmed = strdup(path);
		for (size_t n = trimmed == NULL ? 0 : strlen(trimmed); n > 1 && trimmed[n - 1] == '/'; n--)
			trimmed[n - 1] = '\0';
		top = trimmed == NULL ? NULL : strdup(path_name(trimmed));
		st = top == NULL ? err_set(e, ST_RETRY, "memory", "no memory for %s", path) : walk_folder(trimmed, each, arg, e);
		free(trimmed);
	} else {
		st = walk_zip(path, each, arg, &top, e);
	}
	if (st != ST_OK) {
		free(top);
		return st;
	}
	*ret_name = top;
	return ST_OK;
}
