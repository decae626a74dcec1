/*
 * The services beside the stages (key holder, network process): started as processes of their own, and joined by clients.
 */
#ifndef ARKSEAL_PIPELINE_SERVE_H
#define ARKSEAL_PIPELINE_SERVE_H

#include <sys/types.h>

#include "pipeline/stage.h"

#define SERVE_MAX 4

struct serve_one {
	const struct service *service;
	pid_t pid;      /* 0: not running */
	int control_fd; /* -1: not running */
	int ready_fd;   /* while it is starting; else -1 */
	int64_t due_ms; /* when starting has taken too long */
	char said[2048];
	size_t said_n;
};

struct serve {
	const struct profile *profile;
	const struct site *site;
	struct serve_one one[SERVE_MAX];
	size_t n;
};

enum serve_state { SERVE_READY, SERVE_STARTING, SERVE_FAILED };

/* Every service that serves one of these needs (bits of enum stage_needs); none is started yet. */
void serve_open(struct serve *s, unsigned needs, const struct profile *profile, const struct site *site);
/* Starts those for these needs that do not run, without waiting for them, and tells how far they are. After SERVE_FAILED the next call starts anew.
 * Errors: what the service says (ST_RUN for a wrong configuration or token); ST_RETRY "service-start", "service-slow". */
enum serve_state serve_poll(struct serve *s, unsigned needs, struct err *e);
/* The same, waiting until they are ready. */
enum status serve_wait(struct serve *s, unsigned needs, struct err *e);
/* A new connection to the service for one need; -1 in *ret_fd where nothing of the kind runs. Errors: ST_RETRY "service-gone". */
enum status serve_connect(struct serve *s, unsigned need, int *ret_fd, struct err *e);
/* Notices services that have died, without waiting. True where one has. */
bool serve_check(struct serve *s);
/* Closes the control sockets, so that the services end, and waits for them. */
void serve_stop(struct serve *s);

#endif
