/* Child processes of the engine: how they start and how they end. */
#ifndef ARKSEAL_PIPELINE_PROCESS_H
#define ARKSEAL_PIPELINE_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Monotonic. */
int64_t process_clock_ms(void);
/* Standard error that nobody takes (a pager that waits, a terminal that was stopped) holds this process up as any other, but no longer when
 * SIGTERM or SIGINT has come (blocked, see signalfd), or after process_hurry: then what it does not take is dropped for good. */
void process_guard_stderr(void);
void process_hurry(void);
/* fork. The child dies with its parent, ignores the signals of the terminal (the parent tells it when to end), has an empty
 * standard input, and its standard output is standard error. */
pid_t process_fork(void);
/* In a child: the name that ps and top show: "arkseal:<what>". */
void process_name(const char *what);
/* In a child: closes every descriptor above standard error but these. */
void process_keep_fds(const int *keep, size_t n);
/* In a child: ends without the clean-up of the parent. */
_Noreturn void process_exit(int code);
/* Waits for a child; its wait status. */
int process_wait(pid_t pid);
/* Waits at most this long for a child that has been told to end, then kills it. */
void process_end(pid_t pid, int wait_ms);

#endif
