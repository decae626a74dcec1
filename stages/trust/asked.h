/*
 * What revocation.c (asking, keeping) and collect.c (what a DSS needs, what a signer must be) share. Private to this folder.
 */
#ifndef ARKSEAL_TRUST_ASKED_H
#define ARKSEAL_TRUST_ASKED_H

#include "stages/base/text.h"
#include "stages/trust/internal.h"
#include "stages/trust/revocation.h"

#define RETIRED_MAX 256

/* The newest answer to one question. */
struct kept {
	char *url;      /* of a CRL; NULL: an OCSP answer */
	uint8_t id[32]; /* of the certificate asked about; of a CRL of the issuer */
	struct buf der;
	int64_t this_ms, next_ms, got_ms;
	X509 *signer; /* who signed the answer; owned */
};

struct revocation {
	struct fetch *fetch;
	struct trust_store *store;
	int64_t (*now_ms)(void);
	struct kept *kept;
	size_t n_kept;
	struct buf retired[RETIRED_MAX]; /* replaced answers, a ring */
	size_t next_retired;
	struct bytes *certs; /* DER given out in sets, by OPENSSL_malloc */
	size_t n_certs;
	char **tried; /* addresses of issuers that have answered */
	size_t n_tried;
};

struct asked {
	struct revocation_answer answer;
	X509 *signer; /* borrowed */
};

/* revocation_ask, and who signed the answer. */
enum status revocation_asked(struct revocation *r, X509 *certificate, X509 *issuer, int64_t not_before_ms, struct asked *ret,
                             struct err *e);

/* Fetches missing issuers from the addresses in certificates until there is a path to an anchor or no more to ask. ST_RETRY
 * "revocation-unreachable": there is no path, and an address that may know better did not answer. */
enum status revocation_complete_path(struct revocation *r, X509 *certificate, struct err *e);

#endif
