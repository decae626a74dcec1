#include "pipeline/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/config.h"
#include "stages/base/file.h"

enum { EXTENDS_LIMIT = 8 };

const char *profile_folder(void)
{
	static char folder[4096];
	const char *data = getenv("ARKSEAL_DATA");
	if (data != NULL && *data != 0)
		snprintf(folder, sizeof folder, "%s/profiles", data);
	else
		snprintf(folder, sizeof folder, "%s",
		         access(ARKSEAL_SOURCE_FOLDER "/profiles", R_OK) == 0 ? ARKSEAL_SOURCE_FOLDER "/profiles"
		                                                              : ARKSEAL_PREFIX "/share/arkseal/profiles");
	return folder;
}

/* A path beside the file that names it; an absolute one stays. */
static char *beside(const char *file, const char *path)
{
	char *joined = NULL;
	if (path[0] == '/')
		return strdup(path);
	return asprintf(&joined, "%.*s%s", (int)(path_name(file) - file), file, path) < 0 ? NULL : joined;
}

/* Where a profile lies that `from` names (NULL: the command line). */
static char *find_file(const char *name, const char *from)
{
	if (strchr(name, '/') == NULL && strcmp(path_extension(name), "yaml") != 0) {
		char *path = NULL;
		return asprintf(&path, "%s/%s.yaml", profile_folder(), name) < 0 ? NULL : path;
	}
	return from == NULL ? strdup(name) : beside(from, name);
}

static enum status loop(const struct config_node *extends, struct err *e)
{
	err_set(e, ST_RUN, "profile-extends", "%s is extended in a circle, or too deeply", extends->text);
	err_arg(e, "%s", extends->text);
	return err_where(e, "%s:%u", extends->file, extends->line);
}

static bool is_text(const struct config_node *n, const char *text)
{
	return n != NULL && n->type == CONFIG_SCALAR && n->text != NULL && strcmp(n->text, text) == 0;
}

/* A profile that refuses secret documents cannot be softened by one that extends it, nor by an option: what it refuses stays refused, its marks
 * stay marks. */
static enum status keep_refusal(struct config_node *before, struct config_node *after, struct err *e)
{
	const struct config_node *secret = config_find(after, "convert.secret"),
	                         *marks = config_find(after, "convert.secret-marks"),
	                         *had = config_find(before, "convert.secret-marks");
	if (!is_text(config_find(before, "convert.secret"), "refuse"))
		return ST_OK;
	const struct config_node *all = config_find(after, "convert");
	if (all != NULL && all->type != CONFIG_MAP)
		return config_fault(all, "profile", "convert", "keys", e);
	if (secret != NULL && !is_text(secret, "refuse"))
		return config_fault(secret, "profile", "convert.secret", "refuse, as the profile below says", e);
	for (size_t i = 0; marks != NULL && had != NULL && i < had->n; i++) {
		bool kept = false;
		for (size_t k = 0; k < marks->n; k++)
			kept = kept || (had->child[i]->text != NULL && is_text(marks->child[k], had->child[i]->text));
		if (!kept)
			return config_fault(marks, "profile", "convert.secret-marks", "all marks of the profile below", e);
	}
	return ST_OK;
}

static enum status set_one(struct config_node *tree, const char *assignment, struct err *e)
{
	struct config_node *alone = config_new();
	enum status st = config_set(alone, "profile", assignment, e);
	if (st == ST_OK)
		st = keep_refusal(tree, alone, e);
	config_drop(alone);
	return st == ST_OK ? config_set(tree, "profile", assignment, e) : st;
}

/* Reads a profile and lays it over the ones that it extends. `above` are the files that led here. */
static enum status read_chain(char *path, const char **above, size_t depth, struct config_node **ret, struct err *e)
{
	struct config_node *tree = NULL, *base = NULL;
	char *real = realpath(path, NULL);
	enum status st = config_read(path, "profile", &tree, e);
	const struct config_node *extends = st == ST_OK ? config_find(tree, "extends") : NULL;
	above[depth] = real != NULL ? real : path;
	if (extends != NULL && extends->type == CONFIG_SCALAR && extends->text != NULL) {
		char *next = find_file(extends->text, path), *next_real = realpath(next, NULL);
		bool seen = depth + 1 >= EXTENDS_LIMIT;
		for (size_t i = 0; i <= depth && next_real != NULL; i++)
			seen = seen || strcmp(above[i], next_real) == 0;
		free(next_real);
		st = seen ? loop(extends, e) : read_chain(next, above, depth + 1, &base, e);
		free(next);
		if (st == ST_OK)
			st = keep_refusal(base, tree, e);
		if (st == ST_OK)
			config_merge(tree, base);
		else
			config_drop(base);
	}
	free(real);
	if (st != ST_OK) {
		config_drop(tree);
		return st;
	}
	*ret = tree;
	return ST_OK;
}

static char *try_font(const char *folder, const char *name)
{
	static const char *const ends[] = {"", ".ttf", ".otf"};
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		char *path = NULL;
		if (asprintf(&path, "%s/%s%s", folder, name, ends[i]) >= 0 && access(path, R_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

/* The appearance's font as an absolute path. Only a profile that signs needs it. */
static enum status find_font(struct config_node *tree, struct err *e)
{
	static const char *const folders[] = {"/usr/local/share/fonts", "/usr/share/fonts/truetype/croscore",
	                                      "/usr/share/fonts/truetype/liberation2", "/usr/share/fonts/truetype/liberation",
	                                      "/usr/share/fonts/truetype/dejavu"};
	struct config_node *font = config_find(tree, "sign.appearance.font");
	const struct config_node *list = config_find(tree, "stages");
	bool signs = false;
	char *path = NULL;
	for (size_t i = 0; i < list->n; i++)
		signs = signs || strcmp(list->child[i]->text, "sign") == 0;
	if (!signs)
		return ST_OK;
	if (strchr(font->text, '/') != NULL) {
		path = beside(font->file, font->text);
		if (path != NULL && access(path, R_OK) != 0) {
			free(path);
			path = NULL;
		}
	} else {
		const char *data = getenv("ARKSEAL_DATA");
		char *own = data ? path_join(data, "fonts") : NULL;
		path = own ? try_font(own, font->text) : NULL;
		free(own);
		for (size_t i = 0; i < sizeof folders / sizeof *folders && path == NULL; i++)
			path = try_font(folders[i], font->text);
	}
	if (path == NULL) {
		err_set(e, ST_RUN, "profile-font", "font %s is not there", font->text);
		err_arg(e, "%s", font->text);
		return err_where(e, "%s:%u", font->file, font->line);
	}
	config_put(font, path);
	free(path);
	return ST_OK;
}

static bool is_column(const struct config_node *columns, const char *field)
{
	for (size_t i = 0; i < columns->n; i++) {
		for (size_t k = 0; k < columns->child[i]->n; k++) {
			const struct config_node *n = columns->child[i]->child[k];
			if (strcmp(n->key, "field") == 0 && strcmp(n->text, field) == 0)
				return true;
		}
	}
	return false;
}

static enum status check_field(struct config_node *map, const char *path, const struct config_node *columns, struct err *e)
{
	const struct config_node *field = config_find(map, path);
	if (field == NULL || strcmp(field->text, "path") == 0 || (columns != NULL && is_column(columns, field->text)))
		return ST_OK;
	return config_fault(field, "profile", path, "the field of one of ingest.columns", e);
}

/* What a row cannot say alone: labels pair with codes, and fields that are named are columns. A refusal that names no column would
 * never refuse. */
static enum status check_columns(struct config_node *tree, struct err *e)
{
	static const struct config_node nothing = {.type = CONFIG_LIST};
	static const char *const named[] = {"ingest.dossier-field", "ingest.ordinal-field"};
	struct config_node *columns = config_find(tree, "ingest.columns");
	const struct config_node *refuse = config_find(tree, "ingest.refuse"), *kinds = config_find(tree, "ingest.kind-rules");
	enum status st = ST_OK;
	for (size_t i = 0; columns != NULL && i < columns->n && st == ST_OK; i++) {
		const struct config_node *codes = config_find(columns->child[i], "codes");
		const struct config_node *labels = config_find(columns->child[i], "labels");
		st = check_field(columns->child[i], "required-if.field", columns, e);
		if (labels != NULL && labels->n > 0 && labels->n != (codes ? codes->n : 0))
			st = config_fault(labels, "profile", "labels", "as many as there are codes", e);
	}
	refuse = refuse ? refuse : &nothing;
	kinds = kinds ? kinds : &nothing;
	for (size_t i = 0; i < refuse->n && st == ST_OK; i++)
		st = check_field(refuse->child[i], "field", columns, e);
	for (size_t i = 0; i < kinds->n && st == ST_OK; i++)
		st = check_field(kinds->child[i], "when.field", columns, e);
	for (size_t i = 0; i < 2 && st == ST_OK; i++)
		st = check_field(tree, named[i], columns, e);
	return st;
}

/* A backlog of dossiers cannot be read without these. */
static enum status check_layout(struct config_node *tree, struct err *e)
{
	static const char *const needed[] = {"ingest.spreadsheets", "ingest.columns", "ingest.dossier-field",
	                                     "ingest.ordinal-field", "ingest.code-field"};
	const struct config_node *layout = config_find(tree, "ingest.layout");
	if (strcmp(layout->text, "dossiers") != 0)
		return ST_OK;
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
		const struct config_node *n = config_find(tree, needed[i]);
		if (n == NULL || (n->type == CONFIG_LIST && n->n == 0)) {
			err_set(e, ST_RUN, "profile-needs", "layout dossiers wants %s", needed[i]);
			err_arg(e, "%s", needed[i]);
			return err_where(e, "%s:%u", layout->file, layout->line);
		}
	}
	return ST_OK;
}

enum status profile_tree(const char *name_or_path, const char *const *set, size_t n_set, struct config_node **ret_tree,
                         struct err *e)
{
	const char *above[EXTENDS_LIMIT];
	struct config_node *tree = NULL;
	char *path = find_file(name_or_path, NULL);
	enum status st = read_chain(path, above, 0, &tree, e);
	for (size_t i = 0; i < n_set && st == ST_OK; i++)
		st = set_one(tree, set[i], e);
	if (st == ST_OK)
		st = config_check(tree, &profile_kind, e);
	if (st == ST_OK)
		st = check_layout(tree, e);
	if (st == ST_OK)
		st = check_columns(tree, e);
	if (st == ST_OK)
		st = find_font(tree, e);
	free(path);
	if (st == ST_OK)
		*ret_tree = tree;
	else
		config_drop(tree);
	return st;
}

enum status profile_load(const char *name_or_path, const char *const *set, size_t n_set, struct profile **ret_profile,
                         struct err *e)
{
	struct config_node *tree = NULL;
	void *data = NULL;
	enum status st = profile_tree(name_or_path, set, n_set, &tree, e);
	if (st == ST_OK)
		st = config_load(tree, &profile_kind, &data, e);
	if (st == ST_OK)
		*ret_profile = data;
	config_drop(tree);
	return st;
}

void profile_free(struct profile *p)
{
	config_unload(&profile_kind, p);
}

bool profile_has_stage(const struct profile *p, const char *stage)
{
	for (unsigned i = 0; i < p->stages_count; i++) {
		if (strcmp(p->stages[i], stage) == 0)
			return true;
	}
	return false;
}
