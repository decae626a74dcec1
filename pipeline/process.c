#include "pipeline/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int64_t process_clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

pid_t process_fork(void)
{
	pid_t parent = getpid();
	fflush(NULL);
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1); /* the parent died before the line above */
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	int nothing = open("/dev/null", O_RDONLY);
	if (nothing >= 0) {
		dup2(nothing, STDIN_FILENO);
		if (nothing != STDIN_FILENO)
			close(nothing);
	}
	dup2(STDERR_FILENO, STDOUT_FILENO);
	return 0;
}

void process_name(const char *what)
{
	char name[16];
	snprintf(name, sizeof name, "arkseal:%s", what);
	prctl(PR_SET_NAME, name);
}

static bool hurried, mute;

static ssize_t say_when_heard(void *cookie, const char *text, size_t n)
{
	(void)cookie;
	for (size_t at = 0; at < n && !mute;) {
		struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
		int ready = poll(&out, 1, 100);
		if (ready == 0) {
			sigset_t waiting;
			mute = hurried || (sigpending(&waiting) == 0 &&
			                   (sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGINT) == 1));
			continue;
		}
		ssize_t wrote = write(STDERR_FILENO, text + at, n - at < PIPE_BUF ? n - at : PIPE_BUF);
		if (wrote < 0 && errno != EINTR && errno != EAGAIN)
			break;
		at += wrote > 0 ? (size_t)wrote : 0;
	}
	return (ssize_t)n;
}

void process_guard_stderr(void)
{
	FILE *guarded = fopencookie(NULL, "w", (cookie_io_functions_t){.write = say_when_heard});
	if (guarded == NULL)
		return;
	setvbuf(guarded, NULL, _IONBF, 0);
	stderr = guarded;
}

void process_hurry(void)
{
	hurried = true;
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

void process_keep_fds(const int *keep, size_t n)
{
	int sorted[8];
	size_t kept = 0;
	for (size_t i = 0; i < n && kept < 8; i++)
		if (keep[i] > STDERR_FILENO)
			sorted[kept++] = keep[i];
	qsort(sorted, kept, sizeof sorted[0], by_number);
	unsigned from = STDERR_FILENO + 1;
	for (size_t i = 0; i < kept; i++) {
		if ((unsigned)sorted[i] > from)
			close_range(from, (unsigned)sorted[i] - 1, 0);
		from = (unsigned)sorted[i] + 1;
	}
	close_range(from, ~0U, 0);
}

void process_exit(int code)
{
	fflush(NULL);
	_exit(code);
}

int process_wait(pid_t pid)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

void process_end(pid_t pid, int wait_ms)
{
	for (int waited = 0; waited < wait_ms; waited += 5) {
		pid_t got = waitpid(pid, NULL, WNOHANG);
		if (got == pid || (got < 0 && errno == ECHILD))
			return;
		nanosleep(&(struct timespec){0, 5000000}, NULL);
	}
	/* Refused in a sandbox: then it dies with this process. */
	if (kill(pid, SIGKILL) == 0)
		process_wait(pid);
}
