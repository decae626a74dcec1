#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/file.h"
#include "stages/package/package.h"

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static enum status zip_fault(struct archive *to, const char *path, struct err *e)
{
	errno = archive_errno(to);
	return err_errno(e, "write", path);
}

static enum status add(struct archive *to, const char *path, const char *name, int64_t now_ms, struct err *e)
{
	struct file_map in;
	enum status st = file_map_open(path, &in, e);
	if (st != ST_OK)
		return st;
	struct archive_entry *entry = archive_entry_new();
	archive_entry_set_pathname_utf8(entry, name);
	archive_entry_set_size(entry, (la_int64_t)in.in.n);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_mtime(entry, (time_t)(now_ms / 1000), 0);
	if (archive_write_header(to, entry) != ARCHIVE_OK || archive_write_data(to, in.in.p, in.in.n) != (la_ssize_t)in.in.n)
		st = zip_fault(to, path, e);
	archive_entry_free(entry);
	file_map_close(&in);
	return st;
}

/* libarchive writes to the output's descriptor. */
static enum status pack(struct archive *to, const char *folder, int64_t now_ms, struct err *e)
{
	char *copy = strdup(folder);
	char *const roots[] = {copy, NULL};
	FTS *walk = copy == NULL ? NULL : fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	size_t skip = (size_t)(path_name(folder) - folder);
	enum status st = walk == NULL ? err_errno(e, "open", folder) : ST_OK;
	for (FTSENT *at; st == ST_OK && (at = fts_read(walk)) != NULL;) {
		if (at->fts_info == FTS_F)
			st = add(to, at->fts_path, at->fts_path + skip, now_ms, e);
		else if (at->fts_info == FTS_ERR || at->fts_info == FTS_DNR || at->fts_info == FTS_NS) {
			errno = at->fts_errno;
			st = err_errno(e, "read", at->fts_path);
		}
	}
	if (walk != NULL)
		fts_close(walk);
	free(copy);
	return st;
}

enum status package_zip(const char *folder, const char *zip, int64_t now_ms, struct err *e)
{
	struct outfile out;
	enum status st = outfile_open(zip, &out, e);
	if (st != ST_OK)
		return st;
	struct archive *to = archive_write_new();
	if (archive_write_set_format_zip(to) != ARCHIVE_OK || archive_write_zip_set_compression_deflate(to) != ARCHIVE_OK ||
	    archive_write_open_fd(to, fileno(out.stream)) != ARCHIVE_OK)
		st = zip_fault(to, zip, e);
	if (st == ST_OK)
		st = pack(to, folder, now_ms, e);
	if (st == ST_OK && archive_write_close(to) != ARCHIVE_OK)
		st = zip_fault(to, zip, e);
	archive_write_free(to);
	if (st != ST_OK) {
		outfile_discard(&out);
		return st;
	}
	return outfile_commit(&out, e);
}
