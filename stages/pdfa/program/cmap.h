/*
 * CMaps: embedded ones, ToUnicode, and the predefined ones (ISO 32000-1, 9.7.5, 9.10.3; Adobe Technical Note 5014). What an embedded CMap says
 * is bounded in what is kept of it; what is not understood is stepped over.
 */
#ifndef ARKSEAL_PDFA_CMAP_H
#define ARKSEAL_PDFA_CMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

struct cmap;

/* Errors: ST_RETRY "memory". What is no CMap at all maps nothing. */
enum status cmap_read(struct bytes in, struct cmap **ret_cmap, struct err *e);
/* One of the predefined CMaps by its name; NULL in *ret_cmap: there is none of this name. */
enum status cmap_predefined_open(const char *name, struct cmap **ret_cmap, struct err *e);
void cmap_free(struct cmap *m); /* NULL: nothing */
/* Takes `base` over: what m does not map, base may (UseCMap). */
void cmap_use(struct cmap *m, struct cmap *base);

/* The next code of a string and its length in bytes by the codespace ranges (9.7.6.2); the length is at least 1 where a byte is left. 0: a code
 * that no range holds. */
uint32_t cmap_next(const struct cmap *m, struct bytes in, size_t *ret_length);
bool cmap_cid(const struct cmap *m, uint32_t code, uint32_t *ret_cid); /* false, and CID 0, where it maps none */
uint32_t cmap_max_cid(const struct cmap *m);
/* UTF-16BE of a code; false: none. */
bool cmap_unicode(const struct cmap *m, uint32_t code, uint8_t *to, size_t size, size_t *ret_n);
int cmap_wmode(const struct cmap *m);
/* Whether a name is one of the predefined CMaps of ISO 32000-1, Table 118; the ordering that it is for, NULL for Identity, and its supplement. */
bool cmap_predefined(const char *name, const char **ret_ordering, int *ret_supplement);

#endif
