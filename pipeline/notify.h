/* Telling systemd how a service is (sd_notify(3)), without its library: datagrams to the socket that NOTIFY_SOCKET names. */
#ifndef ARKSEAL_PIPELINE_NOTIFY_H
#define ARKSEAL_PIPELINE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct notify {
	int fd;              /* -1: nobody wants to know */
	int64_t watchdog_ms; /* a sign of life is due that often: half of what systemd waits; 0: none wanted */
	int64_t next_ms;     /* when the next is due */
};

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and removes them from the environment, so that no child speaks for us. */
void notify_open(struct notify *n);
/* Sends, for example, "READY=1\nSTATUS=…"; what is not taken at once is lost. */
void notify_send(const struct notify *n, const char *text);
/* Sends a sign of life where it is due. */
void notify_tick(struct notify *n, int64_t now_ms);
void notify_close(struct notify *n);

#endif
