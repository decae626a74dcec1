/* What the network process and its clients agree on; messages as in talk.h. */
#ifndef ARKSEAL_TRUST_KEYS_FETCH_WIRE_H
#define ARKSEAL_TRUST_KEYS_FETCH_WIRE_H

#include <stdbool.h>

#include "stages/trust/keys/talk.h"

#define FETCH_URL_MAX 2048u
#define FETCH_REQUEST_MAX (4u << 20)    /* a whole request message */
#define FETCH_ANSWER_EXTRA (64u * 1024) /* of an answer message, over the request's max_bytes */
#define FETCH_ANSWER_MAX (256u << 20)   /* the most that max_bytes may be */
#define FETCH_TIMEOUT_MAX_MS 600000u

/* Body: text url, content type ("": GET), accept ("": any), number max_bytes, timeout_ms, bytes body. Answered by TALK_DONE, whose
 * body is the answer's, or TALK_FAULT. A client asks one thing at a time. */
enum { FETCH_ASK = 1 };

/* http or https, printable ASCII, with a host. */
bool fetch_url_allowed(const char *url);

#endif
