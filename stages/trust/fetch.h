/*
 * The network process: the only one that speaks HTTP (libcurl). Here is its service and its client.
 *
 * Wire format: as the key holder's; a message is at most the request's max_bytes plus 64 KiB.
 */
#ifndef ARKSEAL_TRUST_FETCH_H
#define ARKSEAL_TRUST_FETCH_H

#include <stdint.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

struct fetch_config {
	const char *proxy; /* URL or NULL */
};

/* Runs the service; descriptors as in struct service of pipeline/stage.h. Serves many clients at once, requests in flight
 * side by side. http and https only, at most 3 redirects, to the same kinds. Returns an exit status. */
int fetch_main(const struct fetch_config *config, int control_fd, int ready_fd);

struct fetch_request {
	const char *url;
	const char *content_type; /* NULL: GET; else POST of body */
	const char *accept;       /* content type that the answer must have, or NULL */
	struct bytes body;
	uint32_t max_bytes;  /* of the answer */
	uint32_t timeout_ms; /* for the whole request */
};

struct fetch;

enum status fetch_open(int fd, struct fetch **ret_fetch, struct err *e); /* takes fd over */
void fetch_close(struct fetch *f);

/* Asks and waits. Appends the answer's body to *ret_body. All faults are ST_RETRY: "net-connect", "net-timeout", "net-status",
 * "net-type", "net-too-large", "net-gone"; a URL that is not http or https is ST_ITEM "net-url". */
enum status fetch_do(struct fetch *f, const struct fetch_request *r, struct buf *ret_body, struct err *e);

#endif
