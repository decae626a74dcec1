#include "pipeline/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pipeline/process.h"

/* What a service says when it has started: "ok", or its fault as "code\tdetail\twhere\tstatus". */
static enum status read_ready(int fd, const char *name, struct err *e)
{
	char text[2048];
	size_t n = 0;
	for (;;) {
		ssize_t got = read(fd, text + n, sizeof text - 1 - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
		if (memchr(text, '\n', n) != NULL || n == sizeof text - 1)
			break;
	}
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (strcmp(text, "ok") == 0)
		return ST_OK;
	char *at = text;
	const char *code = strsep(&at, "\t"), *detail = strsep(&at, "\t"), *where = strsep(&at, "\t");
	/* A token that is not there now may be there later. */
	enum status st = at != NULL && strcmp(at, status_name(ST_RETRY)) == 0 ? ST_RETRY : ST_RUN;
	if (code[0] == '\0') {
		err_set(e, ST_RETRY, "service-start", "%s ended before it was ready", name);
		err_arg(e, "%s", name);
		return ST_RETRY;
	}
	err_set(e, st, code, "%s", detail != NULL ? detail : "");
	err_arg(e, "%s", detail != NULL ? detail : "");
	return err_where(e, "%s", where != NULL ? where : name);
}

static enum status start_one(struct serve *s, size_t i, struct err *e)
{
	int control[2], ready[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0)
		return err_errno(e, "socket", s->one[i].service->name);
	if (pipe2(ready, O_CLOEXEC) != 0) {
		enum status st = err_errno(e, "socket", s->one[i].service->name);
		close(control[0]);
		close(control[1]);
		return st;
	}
	pid_t pid = process_fork();
	if (pid == 0) {
		int keep[] = {control[1], ready[1]};
		process_keep_fds(keep, 2);
		process_exit(s->one[i].service->main(s->profile, s->site, control[1], ready[1]));
	}
	close(control[1]);
	close(ready[1]);
	enum status st = pid < 0 ? err_errno(e, "fork", s->one[i].service->name) : ST_OK;
	if (st == ST_OK)
		st = read_ready(ready[0], s->one[i].service->name, e);
	close(ready[0]);
	if (st != ST_OK) {
		close(control[0]);
		if (pid > 0)
			process_wait(pid);
		return st;
	}
	s->one[i].pid = pid;
	s->one[i].control_fd = control[0];
	return ST_OK;
}

enum status serve_start(struct serve *s, unsigned needs, const struct profile *profile, const struct site *site, struct err *e)
{
	*s = (struct serve){.profile = profile, .site = site};
	for (size_t i = 0; services[i] != NULL && s->n < SERVE_MAX; i++) {
		if ((services[i]->serves & needs) == 0)
			continue;
		s->one[s->n].service = services[i];
		s->one[s->n].control_fd = -1;
		s->n++;
	}
	return serve_revive(s, e);
}

enum status serve_revive(struct serve *s, struct err *e)
{
	enum status st = ST_OK;
	for (size_t i = 0; i < s->n && st == ST_OK; i++)
		if (s->one[i].pid == 0)
			st = start_one(s, i, e);
	return st;
}

bool serve_check(struct serve *s)
{
	bool died = false;
	for (size_t i = 0; i < s->n; i++) {
		if (s->one[i].pid == 0 || waitpid(s->one[i].pid, NULL, WNOHANG) != s->one[i].pid)
			continue;
		close(s->one[i].control_fd);
		s->one[i].control_fd = -1;
		s->one[i].pid = 0;
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
		if (s->one[i].pid == 0) {
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
	for (size_t i = 0; i < s->n; i++) {
		if (s->one[i].pid == 0)
			continue;
		close(s->one[i].control_fd);
		process_end(s->one[i].pid, 5000);
		s->one[i].pid = 0;
		s->one[i].control_fd = -1;
	}
	s->n = 0;
}
