#include "pipeline/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pipeline/process.h"

#define READY_MS 120000 /* a token may take its time to open; one that takes longer is tried anew */
#define STOP_MS 2000    /* then they are killed: a token may never answer, and a run must end within ten seconds */

/* What a service has said when it was started: "ok", or its fault as "code\tdetail\twhere\tstatus". */
static enum status understand(struct serve_one *one, struct err *e)
{
	char *at = one->said;
	at[strcspn(at, "\n")] = '\0';
	if (strcmp(at, "ok") == 0)
		return ST_OK;
	const char *code = strsep(&at, "\t"), *detail = strsep(&at, "\t"), *where = strsep(&at, "\t");
	/* A token that is not there now may be there later. */
	enum status st = at != NULL && strcmp(at, status_name(ST_RETRY)) == 0 ? ST_RETRY : ST_RUN;
	if (code[0] == '\0') {
		err_set(e, ST_RETRY, "service-start", "%s ended before it was ready", one->service->name);
		err_arg(e, "%s", one->service->name);
		return ST_RETRY;
	}
	err_set(e, st, code, "%s", detail != NULL ? detail : "");
	err_arg(e, "%s", detail != NULL ? detail : "");
	return err_where(e, "%s", where != NULL ? where : one->service->name);
}

static void drop(struct serve_one *one, int wait_ms)
{
	if (one->control_fd >= 0)
		close(one->control_fd);
	if (one->ready_fd >= 0)
		close(one->ready_fd);
	if (one->pid > 0)
		process_end(one->pid, wait_ms);
	*one = (struct serve_one){.service = one->service, .control_fd = -1, .ready_fd = -1};
}

static enum status start_one(const struct serve *s, struct serve_one *one, struct err *e)
{
	int control[2], ready[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0)
		return err_errno(e, "socket", one->service->name);
	if (pipe2(ready, O_CLOEXEC | O_NONBLOCK) != 0) {
		enum status st = err_errno(e, "socket", one->service->name);
		close(control[0]);
		close(control[1]);
		return st;
	}
	pid_t pid = process_fork();
	if (pid == 0) {
		int keep[] = {control[1], ready[1]};
		process_keep_fds(keep, 2);
		process_name(one->service->name);
		process_exit(one->service->main(s->profile, s->site, control[1], ready[1]));
	}
	close(control[1]);
	close(ready[1]);
	one->pid = pid > 0 ? pid : 0;
	one->control_fd = control[0];
	one->ready_fd = ready[0];
	one->due_ms = process_clock_ms() + READY_MS;
	one->said_n = 0;
	if (pid > 0)
		return ST_OK;
	enum status st = err_errno(e, "fork", one->service->name);
	drop(one, 0);
	return st;
}

/* Hears a service that is starting. */
static enum serve_state hear(struct serve_one *one, struct err *e)
{
	for (;;) {
		ssize_t n = read(one->ready_fd, one->said + one->said_n, sizeof one->said - 1 - one->said_n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			if (process_clock_ms() < one->due_ms)
				return SERVE_STARTING;
			err_set(e, ST_RETRY, "service-slow", "%s is not ready after %d s", one->service->name, READY_MS / 1000);
			err_arg(e, "%s", one->service->name);
			err_arg(e, "%d", READY_MS / 1000);
			break;
		}
		one->said_n += n > 0 ? (size_t)n : 0;
		one->said[one->said_n] = '\0';
		if (n > 0 && strchr(one->said, '\n') == NULL && one->said_n < sizeof one->said - 1)
			continue;
		if (understand(one, e) != ST_OK)
			break;
		/* It may have died since; nobody would be told of that again. */
		if (waitpid(one->pid, NULL, WNOHANG) == one->pid) {
			one->pid = 0;
			err_set(e, ST_RETRY, "service-start", "%s ended when it was ready", one->service->name);
			err_arg(e, "%s", one->service->name);
			break;
		}
		close(one->ready_fd);
		one->ready_fd = -1;
		return SERVE_READY;
	}
	drop(one, 0);
	return SERVE_FAILED;
}

void serve_open(struct serve *s, unsigned needs, const struct profile *profile, const struct site *site)
{
	*s = (struct serve){.profile = profile, .site = site};
	for (size_t i = 0; services[i] != NULL && s->n < SERVE_MAX; i++)
		if ((services[i]->serves & needs) != 0)
			s->one[s->n++] = (struct serve_one){.service = services[i], .control_fd = -1, .ready_fd = -1};
}

enum serve_state serve_poll(struct serve *s, unsigned needs, struct err *e)
{
	enum serve_state all = SERVE_READY;
	for (size_t i = 0; i < s->n && all != SERVE_FAILED; i++) {
		struct serve_one *one = &s->one[i];
		if ((one->service->serves & needs) == 0)
			continue;
		if (one->pid == 0 && start_one(s, one, e) != ST_OK)
			return SERVE_FAILED;
		enum serve_state state = one->ready_fd >= 0 ? hear(one, e) : SERVE_READY;
		if (state != SERVE_READY)
			all = state;
	}
	return all;
}

enum status serve_wait(struct serve *s, unsigned needs, struct err *e)
{
	for (;;) {
		struct pollfd wait = {.fd = -1, .events = POLLIN};
		enum serve_state state = serve_poll(s, needs, e);
		if (state != SERVE_STARTING)
			return state == SERVE_READY ? ST_OK : e->status;
		for (size_t i = 0; i < s->n; i++)
			if (s->one[i].ready_fd >= 0)
				wait.fd = s->one[i].ready_fd;
		poll(&wait, 1, 1000);
	}
}

bool serve_check(struct serve *s)
{
	bool died = false;
	for (size_t i = 0; i < s->n; i++) {
		struct serve_one *one = &s->one[i];
		if (one->pid == 0 || one->ready_fd >= 0 || waitpid(one->pid, NULL, WNOHANG) != one->pid)
			continue;
		one->pid = 0;
		drop(one, 0);
		died = true;
	}
	return died;
}

static bool send_fd(int control_fd, int fd)
{
	char byte = 'c';
	struct iovec part = {&byte, 1};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	memset(&control, 0, sizeof control);
	struct msghdr message = {
	    .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof fd);
	ssize_t n;
	do {
		n = sendmsg(control_fd, &message, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n == 1;
}

enum status serve_connect(struct serve *s, unsigned need, int *ret_fd, struct err *e)
{
	*ret_fd = -1;
	for (size_t i = 0; i < s->n; i++) {
		if (s->one[i].service->serves != need)
			continue;
		int pair[2];
		if (s->one[i].pid == 0 || s->one[i].ready_fd >= 0) {
			err_set(e, ST_RETRY, "service-gone", "%s is not running", s->one[i].service->name);
			err_arg(e, "%s", s->one[i].service->name);
			return ST_RETRY;
		}
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
			return err_errno(e, "socket", s->one[i].service->name);
		bool sent = send_fd(s->one[i].control_fd, pair[1]);
		close(pair[1]);
		if (!sent) {
			close(pair[0]);
			err_set(e, ST_RETRY, "service-gone", "%s takes no clients: %s", s->one[i].service->name, strerror(errno));
			err_arg(e, "%s", s->one[i].service->name);
			return ST_RETRY;
		}
		*ret_fd = pair[0];
		return ST_OK;
	}
	return ST_OK;
}

void serve_stop(struct serve *s)
{
	/* All are told first, so that they end side by side. */
	for (size_t i = 0; i < s->n; i++) {
		if (s->one[i].control_fd >= 0)
			close(s->one[i].control_fd);
		s->one[i].control_fd = -1;
	}
	int64_t until = process_clock_ms() + STOP_MS;
	for (size_t i = 0; i < s->n; i++) {
		int64_t left = until - process_clock_ms();
		drop(&s->one[i], s->one[i].ready_fd >= 0 || left < 0 ? 0 : (int)left);
	}
	s->n = 0;
}
