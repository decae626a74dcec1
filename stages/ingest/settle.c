/* Which files are settled: a scanning station or a copy may still be writing into the backlog. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "stages/base/file.h"
#include "stages/ingest/internal.h"

static bool locked_by_writer(int fd)
{
	struct flock want = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	/* A shared flock that nobody refuses goes with the descriptor. File systems without locks hold nobody up. */
	if (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		return true;
	return fcntl(fd, F_OFD_GETLK, &want) == 0 && want.l_type != F_UNLCK;
}

static bool unchanged_and_free(const char *path, int64_t size, int64_t changed_ns)
{
	struct stat s;
	/* O_NONBLOCK: the name may have become a FIFO since. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
	if (fd < 0)
		return errno != ENOENT && errno != ELOOP; /* any other fault is told of by who reads it */
	bool same = fstat(fd, &s) == 0 && s.st_size == size &&
	            (int64_t)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec == changed_ns;
	same = same && !locked_by_writer(fd);
	close(fd);
	return same;
}

/* A time that lies further ahead than the settle time is a wrong clock's, and tells nothing. */
bool young(const struct ingest *in, int64_t changed_ns)
{
	int64_t settle_ms = (int64_t)in->env->profile->ingest.settle_seconds * 1000,
	        age_ms = in->env->now_ms() - changed_ns / 1000000;
	return age_ms < settle_ms && age_ms > -settle_ms;
}

bool document_young(const struct ingest *in, const struct document *d)
{
	for (size_t i = 0; i < d->n_pages; i++)
		if (young(in, d->pages[i].changed_ns))
			return true;
	return false;
}

void settle_wait(const struct ingest *in)
{
	int64_t left_ms = in->began_ms + (int64_t)in->env->profile->ingest.settle_seconds * 1000 - in->env->now_ms();
	struct timespec rest = {left_ms / 1000, left_ms % 1000 * 1000000};
	while (left_ms > 0 && nanosleep(&rest, &rest) != 0 && errno == EINTR)
		;
}

bool settled(const struct ingest *in, const char *path, int64_t size, int64_t changed_ns)
{
	return !young(in, changed_ns) && unchanged_and_free(path, size, changed_ns);
}

enum status not_settled(const char *path, struct err *e)
{
	err_set(e, ST_RETRY, "not-settled", "%s is still being written", path);
	err_arg(e, "%s", path_name(path));
	return err_where(e, "%s", path);
}
