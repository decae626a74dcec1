#include "pipeline/stage.h"

#include <stdio.h>
#include <string.h>

#include "stages/base/digest.h"

void stage_prefix(const char *id, char ret_prefix[STAGE_PREFIX + 1])
{
	char digest[65];
	sha256_hex(id, strlen(id), digest);
	snprintf(ret_prefix, STAGE_PREFIX + 1, "%.32s.", digest);
}

char *stage_path(const struct stage_env *env, const struct item *it, const char *stage, const char *extension)
{
	char prefix[STAGE_PREFIX + 1], *path;
	stage_prefix(it->id, prefix);
	return asprintf(&path, "%s/%s%s%s", env->work_folder, prefix, stage, extension) < 0 ? NULL : path;
}
