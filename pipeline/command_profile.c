/* arkseal profile list | show PROFILE | check FILE */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/commands.h"
#include "pipeline/config.h"
#include "pipeline/options.h"
#include "stages/base/buf.h"
#include "stages/base/file.h"

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_profile(const struct dirent *d)
{
	return strcmp(path_extension(d->d_name), "yaml") == 0 && d->d_name[0] != '.';
}

static int list(void)
{
	struct dirent **names = NULL;
	const char *folder = profile_folder();
	int n = scandir(folder, &names, is_profile, by_name), code = EXIT_DONE;
	if (n < 0) {
		struct err e;
		err_set(&e, ST_RUN, "profile-missing", "%s cannot be read", folder);
		err_arg(&e, "%s", folder);
		return command_fault(&e);
	}
	for (int i = 0; i < n; i++) {
		struct profile *p = NULL;
		struct err e = {0};
		char *path = path_join(folder, names[i]->d_name);
		if (path != NULL && profile_load(path, NULL, 0, &p, &e) == ST_OK)
			printf("%-20.*s %s\n", (int)strlen(names[i]->d_name) - 5, names[i]->d_name, p->title ? p->title : "");
		else
			code = command_fault(&e);
		profile_free(p);
		free(path);
		free(names[i]);
	}
	free(names);
	return code;
}

static int show(const char *profile, const struct option_list *set, bool print)
{
	struct config_node *tree = NULL;
	struct profile *p = NULL;
	struct err e = {0};
	BUF_AUTO struct buf text = BUF_INIT(1 << 22);
	enum status st = profile_tree(profile, set->v, set->n, &tree, &e);
	if (st == ST_OK)
		st = profile_load(profile, set->v, set->n, &p, &e);
	if (st == ST_OK && print)
		config_print(tree, &text);
	else if (st == ST_OK)
		buf_format(&text, "%s: OK\n", p->name);
	config_drop(tree);
	profile_free(p);
	if (st != ST_OK)
		return command_fault(&e);
	fwrite(text.data, 1, text.len, stdout);
	return EXIT_DONE;
}

static int profile_main(int argc, char **argv)
{
	struct option_list set = {0}, operands = {0};
	const struct option table[] = {
	    {"set", OPTION_LIST, &set, "KEY=VALUE", "override a key"},
	    {0},
	};
	const char *usage = "list | show PROFILE | check FILE";
	int code;
	if (options_parse(table, usage, argc, argv, &operands, &code)) {
		code = EXIT_WRONG_USE;
		if (operands.n == 1 && strcmp(operands.v[0], "list") == 0)
			code = list();
		else if (operands.n == 2 && (strcmp(operands.v[0], "show") == 0 || strcmp(operands.v[0], "check") == 0))
			code = show(operands.v[1], &set, operands.v[0][0] == 's');
		else
			fprintf(stderr, "arkseal profile %s\n", usage);
	}
	free(set.v);
	free(operands.v);
	return code;
}

const struct command profile_command = {
    .name = "profile",
    .summary = "list, show and check profiles",
    .main = profile_main,
};
