/*
 * X.509 validation with past-certificate validation (EN 319 102-1, 5.2.6 and 5.6.2.1), over a store. Private to this folder.
 */
#ifndef ARKSEAL_TRUST_CHAIN_H
#define ARKSEAL_TRUST_CHAIN_H

#include "stages/trust/internal.h"

/* When, and how strict. */
struct chain_question {
	const struct trust_store *store;
	int64_t now_ms;   /* the validation time: nothing later is believed */
	int64_t best_ms;  /* the use of the key is proven to lie before this; ≤ now_ms */
	int64_t fresh_ms; /* what is said of revocation must reach to this moment; ≤ best_ms */
	unsigned min_rsa_bits;
	bool unknown_passes; /* a certificate of whose revocation nothing is known */
};

struct chain_answer {
	const char *subindication; /* "" where passed; static */
	const char *reason;        /* static */
	bool failed;               /* TOTAL-FAILED rather than INDETERMINATE */
	char of[200];              /* the certificate that the reason is about */
};

/* Judges the best path of a certificate: the first that passes, else the first there is. */
void chain_judge(const struct chain_question *q, X509 *leaf, struct chain_answer *ret);

#endif
