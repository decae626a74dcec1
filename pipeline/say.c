#include "pipeline/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAY_BOTH(name, vi, en) {vi, en},
static const char *const table[SAY_COUNT][2] = {SAY_TABLE(SAY_BOTH)};
#undef SAY_BOTH

bool say_english(void)
{
	static const char *const variable[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	for (size_t i = 0; i < 3; i++) {
		const char *value = getenv(variable[i]);
		if (value != NULL && value[0] != '\0')
			return strncmp(value, "vi", 2) != 0;
	}
	return true;
}

const char *say(enum say_text text)
{
	return table[text][say_english()];
}

const char *say_number(long long number, char ret_text[SAY_NUMBER])
{
	char plain[SAY_NUMBER];
	int n = snprintf(plain, sizeof plain, "%lld", number < 0 ? 0 : number);
	char *at = ret_text;
	for (int i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			*at++ = say_english() ? ',' : '.';
		*at++ = plain[i];
	}
	*at = '\0';
	return ret_text;
}
