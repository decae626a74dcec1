#include "stages/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stages/base/digest.h"

static enum status open_regular(const char *path, int *ret_fd, struct stat *ret_stat, struct err *e)
{
	/* O_NONBLOCK: a FIFO in a backlog must not hang the open; it has no meaning for regular files. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_errno(e, "open", path);
	if (fstat(fd, ret_stat) != 0) {
		enum status st = err_errno(e, "stat", path);
		close(fd);
		return st;
	}
	if (!S_ISREG(ret_stat->st_mode)) {
		close(fd);
		err_set(e, ST_ITEM, "file-not-regular", "not a regular file");
		return err_where(e, "%s", path);
	}
	*ret_fd = fd;
	return ST_OK;
}

enum status file_read(const char *path, struct buf *to, struct err *e)
{
	int fd = -1;
	struct stat info;
	enum status st = open_regular(path, &fd, &info, e);
	if (st != ST_OK)
		return st;
	for (;;) {
		size_t room = to->max - to->len;
		size_t ask = info.st_size > 0 && (uint64_t)info.st_size < 1 << 20 ? (size_t)info.st_size + 1 : 1 << 16;
		if (ask > room)
			ask = room + 1; /* one more than fits shows that there is too much */
		uint8_t extra;
		uint8_t *at = room == 0 ? &extra : buf_reserve(to, ask > room ? room : ask);
		if (at == NULL) {
			st = err_set(e, ST_RETRY, "memory", "no memory for %s", path);
			break;
		}
		ssize_t n = read(fd, at, room == 0 ? 1 : ask > room ? room : ask);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			st = err_errno(e, "read", path);
			break;
		}
		if (n == 0)
			break;
		if (room == 0) {
			err_set(e, ST_ITEM, "file-too-large", "more than %zu bytes", to->max);
			err_arg(e, "%zu", to->max);
			st = err_where(e, "%s", path);
			break;
		}
		to->len += (size_t)n;
		to->data[to->len] = 0;
	}
	close(fd);
	return st;
}

enum status file_map_open(const char *path, struct file_map *ret_map, struct err *e)
{
	int fd = -1;
	struct stat info;
	enum status st = open_regular(path, &fd, &info, e);
	if (st != ST_OK)
		return st;
	static const uint8_t nothing[1];
	struct file_map m = {{nothing, (size_t)info.st_size}, fd};
	if (info.st_size > 0) {
		void *p = mmap(NULL, m.in.n, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p == MAP_FAILED) {
			st = err_errno(e, "map", path);
			close(fd);
			return st;
		}
		m.in.p = p;
	}
	*ret_map = m;
	return ST_OK;
}

void file_map_rest(const struct file_map *m)
{
	if (m->in.p != NULL && m->in.n > 0)
		madvise((void *)(uintptr_t)m->in.p, m->in.n, MADV_DONTNEED);
}

void file_map_close(struct file_map *m)
{
	if (m->in.p == NULL)
		return;
	if (m->in.n > 0)
		munmap((void *)(uintptr_t)m->in.p, m->in.n);
	close(m->fd);
	*m = (struct file_map){{NULL, 0}, -1};
}

enum status outfile_open(const char *path, struct outfile *ret_out, struct err *e)
{
	uint64_t tag;
	struct outfile out = {NULL, strdup(path), NULL};
	if (getrandom(&tag, sizeof tag, 0) != sizeof tag ||
	    asprintf(&out.temp, "%s.part-%016llx", path, (unsigned long long)tag) < 0)
		out.temp = NULL;
	if (out.path == NULL || out.temp == NULL) {
		free(out.path);
		free(out.temp);
		return err_set(e, ST_RETRY, "memory", "no memory for %s", path);
	}
	int fd = open(out.temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	out.stream = fd < 0 ? NULL : fdopen(fd, "w+b");
	if (out.stream == NULL) {
		enum status st = err_errno(e, "create", out.temp);
		if (fd >= 0)
			close(fd);
		free(out.path);
		free(out.temp);
		return st;
	}
	*ret_out = out;
	return ST_OK;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (slash == NULL)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

enum status outfile_commit(struct outfile *out, struct err *e)
{
	enum status st = ST_OK;
	char *folder = folder_of(out->path);
	if (fflush(out->stream) != 0 || ferror(out->stream) || fsync(fileno(out->stream)) != 0)
		st = err_errno(e, "write", out->path);
	if (fclose(out->stream) != 0 && st == ST_OK)
		st = err_errno(e, "write", out->path);
	out->stream = NULL;
	if (st == ST_OK && rename(out->temp, out->path) != 0)
		st = err_errno(e, "rename", out->path);
	if (st == ST_OK && folder == NULL)
		st = err_set(e, ST_RETRY, "memory", "no memory for %s", out->path);
	if (st != ST_OK) {
		free(folder);
		outfile_discard(out);
		return st;
	}
	st = file_sync_folder(folder, e);
	free(folder);
	free(out->path);
	free(out->temp);
	*out = (struct outfile){0};
	return st;
}

void outfile_discard(struct outfile *out)
{
	if (out->stream != NULL)
		fclose(out->stream);
	if (out->temp != NULL)
		unlink(out->temp);
	free(out->path);
	free(out->temp);
	*out = (struct outfile){0};
}

enum status file_write(const char *path, const void *p, size_t n, struct err *e)
{
	struct outfile out;
	enum status st = outfile_open(path, &out, e);
	if (st != ST_OK)
		return st;
	if (n > 0 && fwrite(p, 1, n, out.stream) != n) {
		st = err_errno(e, "write", path);
		outfile_discard(&out);
		return st;
	}
	return outfile_commit(&out, e);
}

enum status file_make_folders(const char *path, struct err *e)
{
	char *copy = strdup(path);
	if (copy == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for %s", path);
	enum status st = ST_OK;
	for (char *at = copy + 1; st == ST_OK; at++) {
		if (*at != '/' && *at != '\0')
			continue;
		char kept = *at;
		*at = '\0';
		if (mkdir(copy, 0777) != 0 && errno != EEXIST)
			st = err_errno(e, "create", copy);
		*at = kept;
		if (kept == '\0')
			break;
	}
	free(copy);
	return st;
}

enum status file_sync_folder(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "open", path);
	enum status st = fsync(fd) != 0 ? err_errno(e, "write", path) : ST_OK;
	close(fd);
	return st;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
	(void)info;
	(void)kind;
	(void)place;
	return remove(path) != 0 && errno != ENOENT ? -1 : 0;
}

enum status file_remove_tree(const char *path, struct err *e)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
		return err_errno(e, "remove", path);
	return ST_OK;
}

enum status file_sha256(const char *path, char ret_hex[65], int64_t *ret_size, struct err *e)
{
	int fd = -1;
	struct stat info;
	enum status st = open_regular(path, &fd, &info, e);
	if (st != ST_OK)
		return st;
	struct sha256 *h = sha256_new();
	uint8_t *chunk = malloc(1 << 18);
	int64_t size = 0;
	while (h != NULL && chunk != NULL) {
		ssize_t n = read(fd, chunk, 1 << 18);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			st = err_errno(e, "read", path);
		if (n <= 0)
			break;
		sha256_add(h, chunk, (size_t)n);
		size += n;
	}
	if (h == NULL || chunk == NULL)
		st = err_set(e, ST_RETRY, "memory", "no memory for %s", path);
	close(fd);
	free(chunk);
	uint8_t digest[32];
	sha256_end(h, digest);
	if (st == ST_OK) {
		hex_lower(digest, sizeof digest, ret_hex);
		*ret_size = size;
	}
	return st;
}

char *path_join(const char *folder, const char *name)
{
	char *path;
	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

const char *path_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL ? path : slash + 1;
}

const char *path_extension(const char *path)
{
	const char *name = path_name(path);
	const char *dot = strrchr(name, '.');
	return dot == NULL || dot == name ? "" : dot + 1;
}
