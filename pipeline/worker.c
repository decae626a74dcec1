#include "pipeline/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pipeline/filter.h"
#include "pipeline/process.h"
#include "stages/base/text.h"

/* A fault that no item bears, as a line of its own. */
static void tell_fault(int fd, const char *stage, const struct err *e)
{
	BUF_AUTO struct buf line = BUF_INIT(1 << 20);
	struct item *it = item_new();
	if (it == NULL)
		return;
	item_set(&it->id, stage);
	item_fail(it, e);
	buf_byte(&line, '!');
	item_print(it, &line);
	if (!line.failed)
		wire_write(fd, line.data, line.len);
	item_free(it);
}

/* Everything that a stage may read besides what is common to all. */
static enum status close_sandbox(const struct worker_common *c, unsigned *lacks, struct err *e)
{
	char *data = strdup(profile_folder());
	if (data == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for a worker");
	char *slash = strrchr(data, '/');
	if (slash != NULL && slash != data)
		*slash = '\0';
	const char *read[3] = {data};
	size_t n = 1;
	if (c->backlog != NULL)
		read[n++] = c->backlog;
	if (c->profile->sign.appearance.font != NULL && c->profile->sign.appearance.font[0] == '/')
		read[n++] = c->profile->sign.appearance.font;
	const struct profile_limits *limits = &c->profile->limits;
	struct sandbox box = {.write = c->work_folder,
	                      .read = read,
	                      .n_read = n,
	                      .memory_bytes = (uint64_t)limits->item_memory_mib << 20,
	                      .file_bytes = (uint64_t)limits->file_mib << 20};
	enum status st = sandbox_close(&box, lacks, e);
	free(data);
	return st;
}

/* What workers need of the environment; passwords and tokens may stand in the rest, so that is wiped from memory. */
static void clear_environment(void)
{
	static const char *const kept[] = {
	    "LANG",         "LANGUAGE",      "LC_ALL",      "LC_MESSAGES",     "LC_CTYPE",     "TZ",
	    "PATH",         "HOME",          "TMPDIR",      "TESSDATA_PREFIX", "ARKSEAL_DATA", "OMP_THREAD_LIMIT",
	    "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"};
	char *value[sizeof kept / sizeof kept[0]];
	size_t n = sizeof kept / sizeof kept[0];
	for (size_t i = 0; i < n; i++) {
		const char *is = getenv(kept[i]);
		value[i] = is != NULL ? strdup(is) : NULL;
	}
	for (char **at = environ; at != NULL && *at != NULL; at++)
		explicit_bzero(*at, strlen(*at));
	clearenv();
	for (size_t i = 0; i < n; i++) {
		if (value[i] != NULL)
			setenv(kept[i], value[i], 1);
		free(value[i]);
	}
}

static int child_main(const struct worker_common *c, const struct stage *stage, int fd, int key_fd, int fetch_fd)
{
	struct stage_env env = {
	    .profile = c->profile,
	    .site = c->site,
	    .work_folder = c->work_folder,
	    .key_fd = key_fd,
	    .fetch_fd = fetch_fd,
	    .now_ms = time_now_ms,
	    .parts = true,
	    .shard = c->shard,
	};
	struct filter f = {.stage = stage,
	                   .env = &env,
	                   .in = fd,
	                   .out = fd,
	                   .backlog = c->backlog,
	                   .cpu_seconds = c->profile->limits.item_cpu_seconds};
	struct err e = {0};
	unsigned lacks = 0;
	clear_environment();
	enum status st = stage->open == NULL ? ST_OK : stage->open(&env, &f.state, &e);
	if (st == ST_OK)
		st = close_sandbox(c, &lacks, &e);
	if (st == ST_OK) {
		char hello[3] = {'+', (char)('0' + lacks), '\n'};
		wire_write(fd, hello, sizeof hello);
		st = filter_run(&f, &e);
	}
	/* The run began with a backlog. One that has gone meanwhile has not been seen whole. */
	if (stage->produce != NULL && st != ST_RETRY && access(c->backlog, F_OK) != 0) {
		st = err_set(&e, ST_RETRY, "backlog-away", "%s", strerror(errno));
		err_where(&e, "%s", c->backlog);
	}
	if (st != ST_OK)
		tell_fault(fd, stage->name, &e);
	else
		wire_write(fd, ".\n", 2);
	if (f.state != NULL && stage->close != NULL)
		stage->close(f.state);
	return st == ST_OK ? 0 : 1;
}

enum status worker_start(struct worker *w, const struct worker_common *c, const struct stage *stage, struct err *e)
{
	int pair[2], said[2], key_fd = -1, fetch_fd = -1;
	enum status st = ST_OK;
	if (stage->needs & STAGE_NEEDS_KEY)
		st = serve_connect(c->serve, STAGE_NEEDS_KEY, &key_fd, e);
	if (st == ST_OK && (stage->needs & STAGE_NEEDS_NETWORK))
		st = serve_connect(c->serve, STAGE_NEEDS_NETWORK, &fetch_fd, e);
	if (st == ST_OK && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		st = err_errno(e, "socket", stage->name);
	if (st == ST_OK && pipe2(said, O_CLOEXEC) != 0) {
		st = err_errno(e, "socket", stage->name);
		close(pair[0]);
		close(pair[1]);
	}
	if (st == ST_OK) {
		pid_t pid = process_fork();
		if (pid == 0) {
			dup2(said[1], STDERR_FILENO);
			dup2(said[1], STDOUT_FILENO);
			int keep[] = {pair[1], key_fd, fetch_fd, sandbox_hold(c->lock_fd)};
			process_keep_fds(keep, 4);
			process_name(stage->name);
			process_exit(child_main(c, stage, pair[1], key_fd, fetch_fd));
		}
		close(pair[1]);
		close(said[1]);
		if (pid < 0) {
			st = err_errno(e, "fork", stage->name);
			close(pair[0]);
			close(said[0]);
		} else {
			fcntl(pair[0], F_SETFL, O_NONBLOCK);
			fcntl(said[0], F_SETFL, O_NONBLOCK);
			*w = (struct worker){
			    .pid = pid, .wire = WIRE_INIT(pair[0]), .out = BUF_INIT(SIZE_MAX / 2), .said_fd = said[0]};
			w->wire.polled = true;
		}
	}
	if (key_fd >= 0)
		close(key_fd);
	if (fetch_fd >= 0)
		close(fetch_fd);
	return st;
}

bool worker_give(struct worker *w, const char *lines, size_t n)
{
	buf_reset(&w->out);
	w->out_at = 0;
	buf_add(&w->out, lines, n);
	if (w->out.failed)
		return false;
	worker_flush(w);
	return true;
}

bool worker_flushed(const struct worker *w)
{
	return w->out_at == w->out.len;
}

bool worker_flush(struct worker *w)
{
	while (w->out_at < w->out.len) {
		ssize_t n = send(w->wire.fd, w->out.data + w->out_at, w->out.len - w->out_at, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		w->out_at += (size_t)n;
	}
	return true;
}

void worker_listen(struct worker *w)
{
	char more[WORKER_SAID];
	ssize_t n = w->said_fd < 0 ? -1 : read(w->said_fd, more, sizeof more);
	if (n == 0) {
		close(w->said_fd);
		w->said_fd = -1;
	}
	if (n <= 0)
		return;
	size_t got = (size_t)n, keep = w->said_n < WORKER_SAID - got ? w->said_n : WORKER_SAID - got;
	memmove(w->said, w->said + w->said_n - keep, keep);
	memcpy(w->said + keep, more, got);
	w->said_n = keep + got;
}

void worker_last_words(const struct worker *w, char *to, size_t room)
{
	size_t end = w->said_n, start;
	while (end > 0 && w->said[end - 1] == '\n')
		end--;
	for (start = end; start > 0 && w->said[start - 1] != '\n';)
		start--;
	size_t n = end - start < room ? end - start : room - 1;
	while (n > 0 && start + n < end && ((unsigned char)w->said[start + n] & 0xc0) == 0x80)
		n--;
	memcpy(to, w->said + start, n);
	to[n] = '\0';
	/* It read hostile files: nothing of it may steer a terminal or break a record. */
	bool valid = utf8_valid(to, n);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)to[i] < 0x20 || to[i] == 0x7f || (!valid && (unsigned char)to[i] >= 0x80))
			to[i] = '?';
}

static void close_wire(struct worker *w)
{
	close(w->wire.fd);
	if (w->said_fd >= 0)
		close(w->said_fd);
	wire_free(&w->wire);
	buf_free(&w->out);
}

int worker_kill(struct worker *w)
{
	kill(w->pid, SIGKILL);
	int status = process_wait(w->pid);
	close_wire(w);
	*w = (struct worker){0};
	return status;
}

void worker_dismiss(struct worker *w)
{
	shutdown(w->wire.fd, SHUT_RDWR);
	close_wire(w);
	process_end(w->pid, 500);
	*w = (struct worker){0};
}
