#include "stages/base/library.h"

#include <dlfcn.h>
#include <string.h>

enum status library_load(const char *soname, const char *const *names, size_t n, void *to, struct err *e)
{
	const char *missing = soname;
	void *library = dlopen(soname, RTLD_LAZY | RTLD_LOCAL);
	for (size_t i = 0; i < n && library != NULL; i++) {
		void *function = dlsym(library, names[i]);
		if (function == NULL) {
			missing = names[i];
			break;
		}
		memcpy((char *)to + i * sizeof function, &function, sizeof function);
		if (i + 1 == n)
			return ST_OK;
	}
	const char *why = dlerror();
	err_set(e, ST_RUN, "library", "%s: %s", missing, why == NULL ? "not found" : why);
	err_arg(e, "%s", soname);
	return ST_RUN;
}
