/* A profile of hostile bytes: read, checked, loaded. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pipeline/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[] = "/tmp/fuzz_profile_XXXXXX.yaml";
	static int fd = -1;
	struct profile *p = NULL;
	struct err e;
	if (fd < 0)
		fd = mkstemps(path, 5);
	if (fd < 0 || size > 65536 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		return 0;
	if (profile_load(path, NULL, 0, &p, &e) == ST_OK)
		profile_free(p);
	return 0;
}
