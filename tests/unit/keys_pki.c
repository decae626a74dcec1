#include "tests/unit/keys_pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stages/base/file.h"

static char folder[64];

static bool run(const char *verb, const char *arguments)
{
	char command[512];
	snprintf(command, sizeof command, "tools/testpki/testpki %s %s %s", verb, folder, arguments);
	return system(command) == 0;
}

const char *pki_start(void)
{
	snprintf(folder, sizeof folder, "/tmp/arkseal-pki-XXXXXX");
	if (mkdtemp(folder) == NULL || !run("start", ""))
		return NULL;
	setenv("SOFTHSM2_CONF", pki_path("softhsm2.conf"), 1);
	return folder;
}

void pki_stop(void)
{
	struct err e;
	run("stop", "");
	file_remove_tree(folder, &e);
}

bool pki_set(const char *switches)
{
	return run("set", switches);
}

const char *pki_path(const char *name)
{
	static char paths[4][256];
	static unsigned turn;
	char *to = paths[turn++ % 4];
	snprintf(to, sizeof paths[0], "%s/%s", folder, name);
	return to;
}

const char *pki_proxy(void)
{
	static char proxy[64];
	FILE *f = fopen(pki_path("port"), "re");
	unsigned port = 0;
	if (f == NULL || fscanf(f, "%u", &port) != 1)
		return NULL;
	fclose(f);
	snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", port);
	return proxy;
}

bool service_start(struct pki_service *s, service_main *main, const void *config)
{
	int control[2], ready[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0 || pipe(ready) != 0)
		return false;
	s->pid = fork();
	if (s->pid == 0) {
		close(control[0]);
		close(ready[0]);
		exit(main(config, control[1], ready[1]));
	}
	close(control[1]);
	close(ready[1]);
	s->control_fd = control[0];
	ssize_t n = read(ready[0], s->ready, sizeof s->ready - 1);
	close(ready[0]);
	s->ready[n < 0 ? 0 : n] = '\0';
	s->ready[strcspn(s->ready, "\n")] = '\0';
	return s->pid > 0;
}

int service_connect(const struct pki_service *s)
{
	int pair[2];
	char byte = 0;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec io = {&byte, 1};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &pair[1], sizeof(int));
	ssize_t n = sendmsg(s->control_fd, &m, MSG_NOSIGNAL);
	close(pair[1]);
	if (n != 1) {
		close(pair[0]);
		return -1;
	}
	return pair[0];
}

int service_stop(struct pki_service *s)
{
	int status = -1;
	close(s->control_fd);
	waitpid(s->pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
