/*
 * Is a signature valid? The signature validation process of ETSI EN 319 102-1 for basic signatures, signatures with time and
 * with long-term validation material, over what a struct trust_store holds. It asks nobody.
 */
#ifndef ARKSEAL_TRUST_VERDICT_H
#define ARKSEAL_TRUST_VERDICT_H

#include <stdint.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"
#include "stages/trust/store.h"

enum indication { TOTAL_PASSED, INDETERMINATE, TOTAL_FAILED };

struct verdict {
	enum indication indication;
	const char *subindication; /* EN 319 102-1 table 6, as "HASH_FAILURE"; "" where passed. Static. */
	char reason[256];          /* one sentence, English */
	char signer[256];          /* subject, RFC 2253 */
	char issuer[256];
	char serial[80];              /* hexadecimal */
	bool claimed_time;            /* whether there is one */
	int64_t claimed_time_ms;      /* signing-time attribute; callers fill it from /M for PAdES */
	int64_t best_time_ms;         /* earliest proven existence */
	bool has_signing_time;        /* the attribute is there */
	bool has_signing_certificate; /* signing-certificate(-v2) is there */
	unsigned timestamps;          /* signature timestamps that are valid */
	unsigned timestamps_there;    /* signature timestamps, valid or not: what the format follows from */
	bool revocation_embedded;     /* every certificate's state came from the store */
	bool carries_revocation;      /* CRLs or OCSP answers lie in the signature itself (EN 319 122-1, level B-LT) */
};

/* What to judge by. A signature's revocation data must reach to its best time, a timestamp's to its genTime. Besides the store, what
 * the signature itself carries is used (certificates, CRLs, revocation values). */
struct verdict_policy {
	const struct trust_store *store;
	int64_t now_ms;        /* the validation time */
	int64_t existed_ms;    /* proven existence of the signature by outside means; now_ms where there is none */
	unsigned min_rsa_bits; /* 2048; 1024 where a document's age excuses it is not ours to say */
	/* Nothing need be known of revocation: for who has asked before the signature was made, of a level that holds no such data (B-B, B-T). */
	bool unknown_passes;
};

/* A detached CMS signature over content whose bytes the caller streams: verdict_begin reads the SignedData and says which digest is
 * wanted; the caller hashes; verdict_end judges. `cms` must live until the end. */
struct verdict_run;
/* ST_ITEM "cms-syntax", "cms-content" (encapsulated content). adbe.pkcs7.sha1 is read too: its content is the SHA-1 of the bytes,
 * which is then the digest that is wanted. */
enum status verdict_begin(struct bytes cms, struct verdict_run **ret_run, struct err *e);
const char *verdict_digest_name(const struct verdict_run *run); /* OpenSSL's name: "SHA256" */
void verdict_end(struct verdict_run *run, const struct verdict_policy *policy, struct bytes content_digest,
                 struct verdict *ret_verdict); /* frees run */

/* The same for a timestamp token (RFC 3161) over a digest: the caller gives the digest by the token's imprint algorithm. */
enum status verdict_token_begin(struct bytes token, struct verdict_run **ret_run, struct err *e);
void verdict_token_end(struct verdict_run *run, const struct verdict_policy *policy, struct bytes content_digest,
                       struct verdict *ret_verdict, int64_t *ret_gen_time_ms);

const char *indication_name(enum indication i); /* "TOTAL-PASSED" */

#endif
