/* For tests with the test PKI and the services: a PKI in a temporary folder, a service in a process of its own. */
#ifndef ARKSEAL_TESTS_KEYS_PKI_H
#define ARKSEAL_TESTS_KEYS_PKI_H

#include <stdbool.h>
#include <sys/types.h>

/* Starts a test PKI in a new folder and sets SOFTHSM2_CONF; the folder's name is borrowed. NULL: it did not start. */
const char *pki_start(void);
/* Stops it and removes the folder. */
void pki_stop(void);
/* "NAME=MODE …" as `testpki set` takes them. */
bool pki_set(const char *switches);
/* "<folder>/<name>"; valid until the fourth next call. */
const char *pki_path(const char *name);
/* The number in DIR/port as "http://127.0.0.1:PORT"; borrowed. */
const char *pki_proxy(void);

/* A service: `main` runs in a child process. */
struct pki_service {
	pid_t pid;
	int control_fd;
	char ready[1024]; /* what it said when it started, without the newline */
};
typedef int service_main(const void *config, int control_fd, int ready_fd);
bool service_start(struct pki_service *s, service_main *main, const void *config);
/* A new client's socket. */
int service_connect(const struct pki_service *s);
/* Closes the control socket and waits; the exit status. */
int service_stop(struct pki_service *s);

#endif
