#include "stages/trust/keys/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stages/base/digest.h"
#include "stages/base/file.h"

static bool is_credential(const char *path)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	size_t n = folder == NULL ? 0 : strlen(folder);
	return n > 1 && strncmp(path, folder, n) == 0 && path[n] == '/' && strstr(path + n, "/../") == NULL;
}

static enum status source_fault(struct err *e, const char *path, const char *why)
{
	err_set(e, ST_RUN, "key-pin-source", "the file of the PIN: %s", why);
	return err_where(e, "%s", path);
}

static enum status pin_take(int fd, const char *path, struct pin *p, struct err *e)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return source_fault(e, path, "not a regular file");
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return source_fault(e, path, "it belongs to another user");
	if ((st.st_mode & (is_credential(path) ? 0027 : 0077)) != 0)
		return source_fault(e, path, "others can read or change it; its mode must be 0600 or 0400");
	ssize_t n = read(fd, p->text, sizeof p->text);
	if (n < 0)
		return source_fault(e, path, strerror(errno));
	if (n == (ssize_t)sizeof p->text)
		return source_fault(e, path, "longer than a PIN");
	while (n > 0 && (p->text[n - 1] == '\n' || p->text[n - 1] == '\r'))
		n--;
	if (n == 0 || memchr(p->text, 0, (size_t)n) != NULL || memchr(p->text, '\n', (size_t)n) != NULL)
		return source_fault(e, path, "not one line with the PIN");
	p->text[n] = '\0';
	p->device = st.st_dev;
	p->inode = st.st_ino;
	p->size = st.st_size;
	p->mtime_ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
	return ST_OK;
}

enum status pin_read(const char *path, struct pin *ret_pin, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return source_fault(e, path, strerror(errno));
	enum status st = pin_take(fd, path, ret_pin, e);
	close(fd);
	if (st != ST_OK)
		pin_wipe(ret_pin);
	return st;
}

void pin_wipe(struct pin *p)
{
	OPENSSL_cleanse(p->text, sizeof p->text);
}

/* ---- what the host remembers ---- */

static bool folder_usable(const char *folder)
{
	struct err e;
	return file_make_folders(folder, &e) == ST_OK && access(folder, W_OK | X_OK) == 0;
}

enum status pin_state_open(const char *folder, const char *model, const char *serial, struct pin_state *ret_state, struct err *e)
{
	struct pin_state s = {.lock_fd = -1};
	char identity[256], hex[65];
	snprintf(identity, sizeof identity, "%s\n%s", model, serial);
	sha256_hex(identity, strlen(identity), hex);
	snprintf(s.name, sizeof s.name, "token-%.32s", hex);

	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	snprintf(s.folder, sizeof s.folder, "%s", folder != NULL ? folder : "/var/lib/arkseal");
	bool usable = folder_usable(s.folder);
	if (!usable && folder == NULL && state != NULL && state[0] == '/') {
		snprintf(s.folder, sizeof s.folder, "%s/arkseal", state);
		usable = folder_usable(s.folder);
	} else if (!usable && folder == NULL && home != NULL && home[0] == '/') {
		snprintf(s.folder, sizeof s.folder, "%s/.local/state/arkseal", home);
		usable = folder_usable(s.folder);
	}
	if (!usable) {
		err_set(e, ST_RUN, "key-state", "no folder to note refused PINs in; without one, no PIN is tried");
		return err_where(e, "%s", s.folder);
	}
	*ret_state = s;
	return ST_OK;
}

static void state_path(const struct pin_state *s, const char *extension, char ret_path[1200])
{
	snprintf(ret_path, 1200, "%s/%s.%s", s->folder, s->name, extension);
}

enum status pin_lock(struct pin_state *s, struct err *e)
{
	char path[1200];
	state_path(s, "lock", path);
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (s->lock_fd < 0) {
		err_set(e, ST_RUN, "key-state", "the lock cannot be made: %s", strerror(errno));
		return err_where(e, "%s", path);
	}
	for (int tries = 0; flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0; tries++) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || tries == 600) {
			pin_unlock(s);
			return err_set(e, ST_RETRY, "key-gone", "another login to this token has not ended: %s", path);
		}
		usleep(100000);
	}
	return ST_OK;
}

void pin_unlock(struct pin_state *s)
{
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	s->lock_fd = -1;
}

/* A note is one line: the source's device, inode, time of change in ns, size. */
static void note_write(const struct pin *p, char ret_note[128])
{
	snprintf(ret_note, 128, "refused %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 "\n", p->device, p->inode, p->mtime_ns,
	         p->size);
}

bool pin_refused(const struct pin_state *s, const struct pin *p)
{
	char path[1200], want[128];
	struct err e;
	state_path(s, "pin-refused", path);
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return false;
	note_write(p, want);
	BUF_AUTO struct buf note = BUF_INIT(4096);
	return file_read(path, &note, &e) != ST_OK || note.len == 0 || strcmp((const char *)note.data, want) == 0 ||
	       strncmp((const char *)note.data, "refused ", 8) != 0;
}

enum status pin_refuse(const struct pin_state *s, const struct pin *p, struct err *e)
{
	char path[1200], note[128];
	state_path(s, "pin-refused", path);
	note_write(p, note);
	if (file_write(path, note, strlen(note), e) == ST_OK)
		return ST_OK;
	err_set(e, ST_RUN, "key-state", "the refused PIN cannot be noted");
	return err_where(e, "%s", path);
}

void pin_accepted(const struct pin_state *s)
{
	char path[1200];
	struct err e;
	state_path(s, "pin-refused", path);
	if (unlink(path) == 0)
		(void)file_sync_folder(s->folder, &e);
}
