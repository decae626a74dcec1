/*
 * The services beside the stages (key holder, network process): started as processes of their own, and joined by clients.
 */
#ifndef ARKSEAL_PIPELINE_SERVE_H
#define ARKSEAL_PIPELINE_SERVE_H

#include <sys/types.h>

#include "pipeline/stage.h"

#define SERVE_MAX 4

struct serve {
	const struct profile *profile;
	const struct site *site;
	struct {
		const struct service *service;
		pid_t pid;      /* 0: not running */
		int control_fd; /* -1: not running */
	} one[SERVE_MAX];
	size_t n;
};

/* Starts every service that serves one of these needs (bits of enum stage_needs) and waits until it is ready. Call before anything else is opened. Errors: what the service says (ST_RUN for a wrong configuration or token);
 * "service-start". */
enum status serve_start(struct serve *s, unsigned needs, const struct profile *profile, const struct site *site, struct err *e);
/* Starts again those that have died. */
enum status serve_revive(struct serve *s, struct err *e);
/* A new connection to the service for one need; -1 in *ret_fd where nothing of the kind runs. Errors: ST_RETRY "service-gone". */
enum status serve_connect(struct serve *s, unsigned need, int *ret_fd, struct err *e);
/* Notices services that have died, without waiting. True where one has. */
bool serve_check(struct serve *s);
/* Closes the control sockets, so that the services end, and waits for them. */
void serve_stop(struct serve *s);

#endif
