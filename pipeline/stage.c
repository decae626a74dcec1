#include "pipeline/stage.h"

#include <stdio.h>
#include <string.h>

#include "stages/base/digest.h"

char *stage_path(const struct stage_env *env, const struct item *it, const char *stage, const char *extension)
{
	char digest[65], *path;
	sha256_hex(it->id, strlen(it->id), digest);
	return asprintf(&path, "%s/%.32s.%s%s", env->work_folder, digest, stage, extension) < 0 ? NULL : path;
}
