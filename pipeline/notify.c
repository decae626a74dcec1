#include "pipeline/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "stages/base/text.h"

/* A path, or "@" and an abstract name. */
static int connect_to(const char *name)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t n = strlen(name);
	if ((name[0] != '/' && name[0] != '@') || n < 2 || n >= sizeof to.sun_path)
		return -1;
	memcpy(to.sun_path, name, n);
	if (name[0] == '@')
		to.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void notify_open(struct notify *n)
{
	const char *name = getenv("NOTIFY_SOCKET"), *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int64_t wait_us, whose;
	*n = (struct notify){.fd = name == NULL ? -1 : connect_to(name)};
	bool ours = pid == NULL || (number_parse(pid, 1, INT32_MAX, &whose) && whose == getpid());
	if (n->fd >= 0 && usec != NULL && ours && number_parse(usec, 1, INT64_MAX, &wait_us))
		n->watchdog_ms = wait_us / 2000 > 0 ? wait_us / 2000 : 1;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void notify_send(const struct notify *n, const char *text)
{
	/* Whether systemd hears it changes nothing in the run. */
	if (n->fd >= 0 && send(n->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return;
}

void notify_tick(struct notify *n, int64_t now_ms)
{
	if (n->fd < 0 || n->watchdog_ms == 0 || now_ms < n->next_ms)
		return;
	n->next_ms = now_ms + n->watchdog_ms;
	notify_send(n, "WATCHDOG=1");
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}
