#include "pipeline/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/command.h"
#include "pipeline/say.h"
#include "stages/base/text.h"

bool option_list_add(struct option_list *list, const char *text)
{
	const char **more = realloc(list->v, (list->n + 1) * sizeof *more);
	if (more == NULL)
		return false;
	list->v = more;
	more[list->n++] = text;
	return true;
}

static void print_help(const struct option *table, const char *usage, const char *command, FILE *to)
{
	fprintf(to, say(SAY_USAGE), command, usage);
	fputc('\n', to);
	for (const struct option *o = table; o->name != NULL; o++) {
		char left[64];
		snprintf(left, sizeof left, "--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
		fprintf(to, "  %-26s %s\n", left, o->help);
	}
}

static const struct option *find(const struct option *table, const char *name, size_t n)
{
	for (; table->name != NULL; table++)
		if (strlen(table->name) == n && memcmp(table->name, name, n) == 0)
			return table;
	return NULL;
}

static bool take(const struct option *o, const char *value)
{
	switch (o->type) {
	case OPTION_FLAG:
		*(bool *)o->target = true;
		return true;
	case OPTION_TEXT:
		*(const char **)o->target = value;
		return true;
	case OPTION_NUMBER:
		return number_parse(value, 0, 1000000, o->target);
	case OPTION_LIST:
		return option_list_add(o->target, value);
	}
	return false;
}

bool options_parse(const struct option *table, const char *usage, int argc, char **argv, struct option_list *ret_operands,
                   int *ret_exit)
{
	bool ended = false;
	*ret_exit = EXIT_WRONG_USE;
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		if (ended || word[0] != '-' || word[1] == '\0') {
			if (!option_list_add(ret_operands, word))
				return false;
			continue;
		}
		if (strcmp(word, "--") == 0) {
			ended = true;
			continue;
		}
		if (strcmp(word, "--help") == 0) {
			print_help(table, usage, argv[0], stdout);
			*ret_exit = EXIT_DONE;
			return false;
		}
		size_t n = word[1] == '-' ? strcspn(word + 2, "=") : 0;
		const struct option *o = n == 0 ? NULL : find(table, word + 2, n);
		const char *value = o != NULL && word[2 + n] == '=' ? word + 2 + n + 1 : NULL;
		enum say_text wrong = o == NULL                                           ? SAY_OPTION_UNKNOWN
		                      : o->type == OPTION_FLAG && value                   ? SAY_OPTION_NO_VALUE
		                      : o->type != OPTION_FLAG && !value && i + 1 == argc ? SAY_OPTION_VALUE
		                                                                          : SAY_NOTHING;
		if (wrong == SAY_NOTHING) {
			if (o->type != OPTION_FLAG && value == NULL)
				value = argv[++i];
			if (take(o, value))
				continue;
			wrong = SAY_OPTION_WRONG;
		}
		fprintf(stderr, say(wrong), word);
		fprintf(stderr, "\n");
		print_help(table, usage, argv[0], stderr);
		return false;
	}
	return true;
}
