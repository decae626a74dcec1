/*
 * Files: whole reads with a limit, read-only maps, and outputs that appear whole or not at all.
 */
#ifndef ARKSEAL_BASE_FILE_H
#define ARKSEAL_BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

/* Appends the whole of a regular file to *to (whose max is the limit; passing it is ST_ITEM "file-too-large"). */
enum status file_read(const char *path, struct buf *to, struct err *e);

/* A regular file mapped read-only. An empty file has n 0 and p not NULL. A file that shrinks while it is mapped ends the
 * process with SIGBUS, which the engine counts as a crash of this item. */
struct file_map {
	struct bytes in;
	int fd;
};
enum status file_map_open(const char *path, struct file_map *ret_map, struct err *e);
/* Gives the memory of what was read back; reading it again fetches it again. For a walk over a file that is larger than memory. */
void file_map_rest(const struct file_map *m);
void file_map_close(struct file_map *m); /* nothing where in.p is NULL */

/* An output: written beside its final name, synced, renamed, its folder synced. */
struct outfile {
	FILE *stream; /* write here */
	char *path;   /* final name */
	char *temp;   /* "<path>.part-<random>" */
};
enum status outfile_open(const char *path, struct outfile *ret_out, struct err *e);
/* Makes it appear. On failure the temporary file is gone. */
enum status outfile_commit(struct outfile *out, struct err *e);
/* Removes the temporary file; nothing after outfile_commit or on a zeroed struct. */
void outfile_discard(struct outfile *out);

/* The three steps above for bytes at hand. */
enum status file_write(const char *path, const void *p, size_t n, struct err *e);

/* mkdir -p, mode 0777 less the umask. */
enum status file_make_folders(const char *path, struct err *e);
/* Syncs a folder so that the names in it last. */
enum status file_sync_folder(const char *path, struct err *e);
/* rm -r, following no links. What is not there is fine. */
enum status file_remove_tree(const char *path, struct err *e);

/* SHA-256 and size of a regular file, streamed. ret_hex gets 64 lower-case digits and a zero. */
enum status file_sha256(const char *path, char ret_hex[65], int64_t *ret_size, struct err *e);

/* "<folder>/<name>"; the caller frees. NULL when memory runs out. */
char *path_join(const char *folder, const char *name);
/* What follows the last '/', inside path. */
const char *path_name(const char *path);
/* The extension without its dot, or "". Inside path. */
const char *path_extension(const char *path);

#endif
