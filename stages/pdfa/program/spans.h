/*
 * A map from ranges of codes to values: added in any order, sealed once, then looked up. Where ranges overlap, the one that begins last counts,
 * of those that begin together the one that was added last.
 */
#ifndef ARKSEAL_PDFA_SPANS_H
#define ARKSEAL_PDFA_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	uint32_t low, high;
	uint32_t origin; /* of the range as it was added: where its value begins */
	uint32_t order;
	uint64_t value;
};

struct spans {
	struct span *s;
	size_t n, cap;
	bool failed; /* no memory */
};

/* A range whose end lies before its begin is none. More than two hundred thousand are not kept. */
void spans_add(struct spans *to, uint32_t low, uint32_t high, uint64_t value);
bool spans_seal(struct spans *s);                                    /* false: no memory, now or before */
const struct span *spans_find(const struct spans *s, uint32_t code); /* NULL: none */
void spans_free(struct spans *s);

#endif
