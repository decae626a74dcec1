/* The check of a package over any bytes taken as a ZIP file. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stages/package/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct package_report report;
	struct err e;
	char path[64];
	int fd = memfd_create("package", MFD_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (write(fd, data, size) == (ssize_t)size && package_check(path, NULL, NULL, &report, &e) == ST_OK)
		package_report_free(&report);
	close(fd);
	return 0;
}
