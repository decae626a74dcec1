/*
 * The PIN: read from its file, and remembered where the token refused it.
 *
 * A token locks itself after a few wrong PINs. So that nights of cron never get there, a refused PIN is noted in the state folder
 * before anything else happens, and the same PIN (the same file, unchanged) is never tried again on that token.
 */
#ifndef ARKSEAL_TRUST_KEYS_PIN_H
#define ARKSEAL_TRUST_KEYS_PIN_H

#include <stdbool.h>
#include <stdint.h>

#include "stages/base/err.h"

#define PIN_MAX 255

struct pin {
	char text[PIN_MAX + 1];
	/* Which file in which state it came from. */
	uint64_t device, inode;
	int64_t mtime_ns, size;
};

/* Reads a PIN from a regular file that belongs to this user or root and that nobody else can read; a systemd credential (a file in
 * $CREDENTIALS_DIRECTORY) may have its group's bits. Line ends at its end are removed. ST_RUN "key-pin-source". */
enum status pin_read(const char *path, struct pin *ret_pin, struct err *e);
void pin_wipe(struct pin *p);

/* Where notes and locks of a token lie. `folder` as key_config.state_folder. */
struct pin_state {
	char folder[1024];
	char name[80]; /* of this token's files: "token-<hex digits>" */
	int lock_fd;   /* -1: not locked */
};
/* ST_RUN "key-state" where there is no folder that can be written. `serial` and `model` name the token. */
enum status pin_state_open(const char *folder, const char *model, const char *serial, struct pin_state *ret_state, struct err *e);
/* One login per token at a time on this host. Waits; ST_RETRY "key-gone" after a minute. */
enum status pin_lock(struct pin_state *s, struct err *e);
void pin_unlock(struct pin_state *s);

/* Whether this token has refused this PIN. A note that cannot be read counts as yes. */
bool pin_refused(const struct pin_state *s, const struct pin *p);
/* Notes it durably. ST_RUN "key-state". */
enum status pin_refuse(const struct pin_state *s, const struct pin *p, struct err *e);
/* Forgets: the token has taken a PIN. */
void pin_accepted(const struct pin_state *s);

#endif
