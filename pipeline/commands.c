#include "pipeline/commands.h"

#include <stdio.h>
#include <string.h>

#include "pipeline/notice.h"
#include "pipeline/say.h"

/* Commands of the engine, in the order of the help. */
static const struct command *const own[] = {
    &run_command, &status_command, &report_command, &retry_command, &profile_command, NULL,
};

int command_fault(const struct err *e)
{
	BUF_AUTO struct buf text = BUF_INIT(1 << 16), remedy = BUF_INIT(1 << 16);
	notice_sentence(e, say_english(), &text);
	notice_remedy(e, say_english(), &remedy);
	fprintf(stderr, "arkseal: %s%s%s\n", e->where, e->where[0] != '\0' ? ": " : "",
	        text.data != NULL && !text.failed ? (const char *)text.data : e->code);
	if (notice_find(e->code) != NULL && e->detail[0] != '\0')
		fprintf(stderr, "  [%s] %s\n", e->code, e->detail);
	if (remedy.len > 0 && !remedy.failed) {
		fputs("  ", stderr);
		fprintf(stderr, say(SAY_TODO), (const char *)remedy.data);
		fputc('\n', stderr);
	}
	return e->status == ST_RUN ? EXIT_WRONG_USE : EXIT_RESUMABLE;
}

int command_needs(const char *what)
{
	fprintf(stderr, say(SAY_NEEDS), what);
	fputc('\n', stderr);
	return EXIT_WRONG_USE;
}

int command_wrong(const char *option)
{
	fprintf(stderr, say(SAY_OPTION_WRONG), option);
	fputc('\n', stderr);
	return EXIT_WRONG_USE;
}

unsigned command_profile_needs(const struct profile *p)
{
	unsigned needs = 0;
	for (unsigned i = 0; i < p->stages_count; i++) {
		const struct stage *stage = stage_find(p->stages[i]);
		needs |= stage != NULL ? stage->needs : 0;
	}
	return needs;
}

enum status command_load(const char *profile, const struct option_list *set, const char *site, const struct stage *only,
                         struct profile **ret_profile, struct site **ret_site, struct err *e)
{
	struct profile *p;
	*ret_site = NULL;
	enum status st = profile_load(profile, set->v, set->n, &p, e);
	if (st != ST_OK)
		return st;
	st = site_load(site, ret_site, e);
	unsigned needs = only != NULL ? only->needs : command_profile_needs(p);
	if (st != ST_OK && site == NULL && needs == 0 && strcmp(e->code, "site-missing") == 0)
		st = ST_OK;
	if (st == ST_OK)
		*ret_profile = p;
	else
		profile_free(p);
	return st;
}

static void help(FILE *to)
{
	fprintf(to, say(SAY_USAGE), "COMMAND", "…");
	fprintf(to, "\n\n%s\n", say(SAY_COMMANDS));
	for (size_t i = 0; own[i] != NULL; i++)
		fprintf(to, "  %-10s %s\n", own[i]->name, own[i]->summary);
	for (size_t i = 0; stage_commands[i] != NULL; i++)
		fprintf(to, "  %-10s %s\n", stage_commands[i]->name, stage_commands[i]->summary);
	fprintf(to, "\n%s\n", say(SAY_FILTERS));
	for (size_t i = 0; stages[i] != NULL; i++) {
		bool shared = false; /* a command of the same name: the filter is reached by --records */
		for (size_t k = 0; stage_commands[k] != NULL; k++)
			shared |= strcmp(stage_commands[k]->name, stages[i]->name) == 0;
		char name[64];
		snprintf(name, sizeof name, "%s%s", stages[i]->name, shared ? " --records" : "");
		fprintf(to, "  %-10s %s\n", name, stages[i]->summary);
	}
	fputs("\narkseal COMMAND --help\narkseal --version\n", to);
}

static const struct command *find(const struct command *const *table, const char *name)
{
	for (; *table != NULL; table++)
		if (strcmp((*table)->name, name) == 0)
			return *table;
	return NULL;
}

int commands_main(int argc, char **argv)
{
	if (argc < 2) {
		help(stderr);
		return EXIT_WRONG_USE;
	}
	const char *name = argv[1];
	if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
		help(stdout);
		return EXIT_DONE;
	}
	if (strcmp(name, "--version") == 0) {
		puts("arkseal " ARKSEAL_VERSION);
		return EXIT_DONE;
	}
	const struct stage *stage = stage_find(name);
	const struct command *command = find(own, name);
	if (command == NULL)
		command = find(stage_commands, name);
	if (stage != NULL && argc > 2 && strcmp(argv[2], "--records") == 0) {
		argv[2] = argv[1];
		return filter_main(stage, argc - 2, argv + 2);
	}
	if (command != NULL)
		return command->main(argc - 1, argv + 1);
	if (stage != NULL)
		return filter_main(stage, argc - 1, argv + 1);
	fprintf(stderr, say(SAY_COMMAND_UNKNOWN), name);
	fputc('\n', stderr);
	return EXIT_WRONG_USE;
}
