/*
 * What a process that reads hostile files may still do: no network, no new programs or processes, nothing to other processes, files only
 * where its work lies. Closed after the stage has opened what it needs, before the first record is read.
 */
#ifndef ARKSEAL_PIPELINE_SANDBOX_H
#define ARKSEAL_PIPELINE_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

#include "stages/base/err.h"

struct sandbox {
	const char *write;       /* the only folder to write in; NULL: no rule for files at all (a filter, whose records may name
	                           * files anywhere) */
	const char *const *read; /* folders and files to read besides those that every stage needs */
	size_t n_read;
	uint64_t memory_bytes; /* of address space; 0: no limit */
	uint64_t file_bytes;   /* that a file may grow to: a write beyond fails with EFBIG; 0: no limit */
};

enum sandbox_lack { SANDBOX_NO_LANDLOCK = 1, SANDBOX_NO_SECCOMP = 2 };

/* Sets the limits; the process must have one thread. *ret_lacks gets the bits of what the kernel does not have. Errors: ST_RUN "sandbox" where it has them and
 * refuses. */
enum status sandbox_close(const struct sandbox *s, unsigned *ret_lacks, struct err *e);

/* Keeps what fd refers to (a lock) open as long as this process lives, out of its reach: in a message to itself that the sandbox does
 * not let it receive. Closes fd; a descriptor to keep instead, or fd itself where that fails. */
int sandbox_hold(int fd);

#endif
