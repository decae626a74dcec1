/*
 * What went wrong, in one record.
 *
 * A function that can fail returns an enum status and fills the struct err that its caller hands in. The status says what may
 * happen next; the code names the fault and is the key of the notice table (pipeline/notice.c), which turns it into Vietnamese
 * and English sentences with a rule and a remedy. Modules never print.
 */
#ifndef ARKSEAL_BASE_ERR_H
#define ARKSEAL_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

enum status {
	ST_OK,    /* done */
	ST_RETRY, /* a fault outside the document that passes: network, token, disk; the item is tried again later */
	ST_ITEM,  /* this document cannot be done: it goes to quarantine, the run goes on */
	ST_RUN,   /* nothing more can be done in this run: wrong profile, wrong PIN, unwritable archive */
	ST_BUG,   /* an impossible state */
};

#define ERR_ARGS 4

struct err {
	enum status status;
	char code[48];           /* for example "jpeg-truncated"; lower case, words joined by '-' */
	char detail[512];        /* technical, English, for the person who looks closer */
	char where[512];         /* file, page, object or cell; empty where there is none */
	char arg[ERR_ARGS][256]; /* values for {0} … {3} in the notice's sentences */
	size_t n_args;
};

/* Fills *e and returns st, so that a caller may write `return err_set(e, ST_ITEM, "…", …)`. e may be NULL. Earlier content is
 * replaced. `format` makes the detail. Text that is too long is cut at a UTF-8 character. */
enum status err_set(struct err *e, enum status st, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Appends a value for the notice's sentences; at most ERR_ARGS count. */
void err_arg(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Says where it was, unless a deeper place has said so already. Returns e->status. */
enum status err_where(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Takes errno's meaning. ST_RETRY: ENOSPC, EDQUOT, EROFS, EIO, ESTALE and others of disks and shares, lack of memory, descriptors or
 * locks; for the verbs create, write, rename and remove also that the folder is missing or refuses. Everything else is ST_ITEM.
 * The code is "file-<verb>", for example "file-open"; "file-limit" for EFBIG. */
enum status err_errno(struct err *e, const char *verb, const char *path);

/* "status" as it stands in item records: "ok", "retry", "item", "run", "bug". */
const char *status_name(enum status st);

#endif
