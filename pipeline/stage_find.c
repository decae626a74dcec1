#include <string.h>

#include "pipeline/stage.h"

const struct stage *stage_find(const char *name)
{
	for (size_t i = 0; stages[i] != NULL; i++)
		if (strcmp(stages[i]->name, name) == 0)
			return stages[i];
	return NULL;
}
