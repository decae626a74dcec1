/* Runs a fuzz target over files, and over the files of folders, without a fuzzing engine. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "stages/base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
	struct err e;
	struct buf b = BUF_INIT(64u << 20);
	if (file_read(path, &b, &e) != ST_OK) {
		fprintf(stderr, "%s: %s\n", path, e.detail);
		return 1;
	}
	static const uint8_t nothing[1];
	LLVMFuzzerTestOneInput(b.len == 0 ? nothing : b.data, b.len);
	buf_free(&b);
	return 0;
}

int main(int argc, char **argv)
{
	int faults = argc < 2, runs = 0;
	for (int i = 1; i < argc; i++) {
		DIR *folder = opendir(argv[i]);
		if (folder == NULL) {
			faults += run_file(argv[i]);
			runs++;
			continue;
		}
		for (const struct dirent *d; (d = readdir(folder)) != NULL;) {
			if (d->d_name[0] == '.')
				continue;
			char *path = path_join(argv[i], d->d_name);
			faults += run_file(path);
			runs++;
			free(path);
		}
		closedir(folder);
	}
	printf("%d inputs, %d unreadable\n", runs, faults);
	return faults > 0 || runs == 0;
}
