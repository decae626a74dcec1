/*
 * What a process that reads hostile files may still do: no network, no new programs, files only where its work lies. Closed after
 * the stage has opened what it needs, before the first record is read.
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
};

enum sandbox_lack { SANDBOX_NO_LANDLOCK = 1, SANDBOX_NO_SECCOMP = 2 };

/* Sets the limits. *ret_lacks gets the bits of what the kernel does not have. Errors: ST_RUN "sandbox" where it has them and
 * refuses. */
enum status sandbox_close(const struct sandbox *s, unsigned *ret_lacks, struct err *e);

#endif
