/* Reading YAML into trees, merging and changing them. */
#include "pipeline/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "stages/base/file.h"

enum { FILE_LIMIT = 1 << 20, DEPTH_LIMIT = 16 };

static struct config_node *node_new(enum config_type type, const char *file, size_t line)
{
	struct config_node *n = calloc(1, sizeof *n);
	if (n == NULL)
		abort();
	n->type = type;
	n->file = strdup(file);
	n->line = (unsigned)line;
	return n;
}

void config_drop(struct config_node *tree)
{
	if (tree == NULL)
		return;
	for (size_t i = 0; i < tree->n; i++)
		config_drop(tree->child[i]);
	free(tree->child);
	free(tree->text);
	free(tree->key);
	free(tree->file);
	free(tree);
}

static void adopt(struct config_node *parent, struct config_node *child)
{
	parent->child = reallocarray(parent->child, parent->n + 1, sizeof *parent->child);
	if (parent->child == NULL)
		abort();
	parent->child[parent->n++] = child;
}

static struct config_node *member(const struct config_node *map, const char *key, size_t n)
{
	for (size_t i = 0; i < map->n && map->type == CONFIG_MAP; i++) {
		if (strlen(map->child[i]->key) == n && memcmp(map->child[i]->key, key, n) == 0)
			return map->child[i];
	}
	return NULL;
}

static void remove_child(struct config_node *parent, const struct config_node *child)
{
	for (size_t i = 0; i < parent->n; i++) {
		if (parent->child[i] == child) {
			config_drop(parent->child[i]);
			memmove(&parent->child[i], &parent->child[i + 1], (parent->n - i - 1) * sizeof *parent->child);
			parent->n--;
			return;
		}
	}
}

/* One document being turned into nodes. */
struct reading {
	yaml_document_t *doc;
	const char *file, *area;
	bool *seen; /* an alias leads to a node twice: refused, since a few lines of aliases can mean gigabytes */
};

static enum status syntax(const struct reading *r, size_t line, const char *what, struct err *e)
{
	char code[32];
	snprintf(code, sizeof code, "%s-syntax", r->area);
	err_set(e, ST_RUN, code, "%s:%zu: %s", r->file, line, what);
	err_arg(e, "%zu", line);
	err_arg(e, "%s", what);
	return err_where(e, "%s:%zu", r->file, line);
}

static enum status convert(struct reading *r, int index, unsigned depth, struct config_node **ret, struct err *e);

static enum status convert_map(struct reading *r, const yaml_node_t *y, unsigned depth, struct config_node *n, struct err *e)
{
	for (const yaml_node_pair_t *p = y->data.mapping.pairs.start; p < y->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = yaml_document_get_node(r->doc, p->key);
		struct config_node *value = NULL;
		if (key->type != YAML_SCALAR_NODE)
			return syntax(r, key->start_mark.line + 1, "a key must be a word", e);
		const char *name = (const char *)key->data.scalar.value;
		if (member(n, name, strlen(name)) != NULL)
			return syntax(r, key->start_mark.line + 1, "the same key twice", e);
		enum status st = convert(r, p->value, depth + 1, &value, e);
		if (st != ST_OK)
			return st;
		value->key = strdup(name);
		value->line = (unsigned)key->start_mark.line + 1;
		adopt(n, value);
	}
	return ST_OK;
}

static enum status convert_list(struct reading *r, const yaml_node_t *y, unsigned depth, struct config_node *n, struct err *e)
{
	for (const yaml_node_item_t *i = y->data.sequence.items.start; i < y->data.sequence.items.top; i++) {
		struct config_node *value = NULL;
		enum status st = convert(r, *i, depth + 1, &value, e);
		if (st != ST_OK)
			return st;
		adopt(n, value);
	}
	return ST_OK;
}

static enum status convert(struct reading *r, int index, unsigned depth, struct config_node **ret, struct err *e)
{
	const yaml_node_t *y = yaml_document_get_node(r->doc, index);
	size_t line = y->start_mark.line + 1;
	enum status st = ST_OK;
	if (r->seen[index])
		return syntax(r, line, "aliases (*name) are not allowed", e);
	if (depth > DEPTH_LIMIT)
		return syntax(r, line, "nested too deeply", e);
	r->seen[index] = true;
	struct config_node *n = node_new(y->type == YAML_MAPPING_NODE    ? CONFIG_MAP
	                                 : y->type == YAML_SEQUENCE_NODE ? CONFIG_LIST
	                                                                 : CONFIG_SCALAR,
	                                 r->file, line);
	if (y->type == YAML_MAPPING_NODE) {
		st = convert_map(r, y, depth, n, e);
	} else if (y->type == YAML_SEQUENCE_NODE) {
		st = convert_list(r, y, depth, n, e);
	} else {
		const char *text = (const char *)y->data.scalar.value;
		if (memchr(text, 0, y->data.scalar.length) != NULL)
			st = syntax(r, line, "a zero byte", e);
		/* An empty plain scalar is a key without a value; text stays NULL and the key counts as not said. */
		else if (y->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || (*text != 0 && strcmp(text, "~") != 0))
			n->text = strdup(text);
	}
	if (st != ST_OK) {
		config_drop(n);
		return st;
	}
	*ret = n;
	return ST_OK;
}

static enum status convert_document(struct reading *r, yaml_parser_t *parser, struct config_node **ret, struct err *e)
{
	yaml_document_t doc, more;
	enum status st;
	if (!yaml_parser_load(parser, &doc))
		return syntax(r, parser->problem_mark.line + 1, parser->problem ? parser->problem : "not YAML", e);
	r->doc = &doc;
	if (yaml_document_get_root_node(&doc) == NULL) {
		st = syntax(r, 1, "the file says nothing", e);
	} else {
		r->seen = calloc((size_t)(doc.nodes.top - doc.nodes.start) + 1, sizeof *r->seen);
		st = r->seen == NULL ? err_set(e, ST_RETRY, "memory", "no memory for %s", r->file) : convert(r, 1, 0, ret, e);
		free(r->seen);
	}
	yaml_document_delete(&doc);
	if (st != ST_OK)
		return st;
	if (!yaml_parser_load(parser, &more)) {
		st = syntax(r, parser->problem_mark.line + 1, parser->problem ? parser->problem : "not YAML", e);
	} else {
		if (yaml_document_get_root_node(&more) != NULL)
			st = syntax(r, more.start_mark.line + 1, "a second document in the file", e);
		yaml_document_delete(&more);
	}
	if (st != ST_OK) {
		config_drop(*ret);
		*ret = NULL;
	}
	return st;
}

static enum status parse(const char *area, const char *file, const void *p, size_t n, struct config_node **ret, struct err *e)
{
	struct reading r = {.file = file, .area = area};
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser))
		return err_set(e, ST_RETRY, "memory", "no memory for %s", file);
	yaml_parser_set_input_string(&parser, p, n);
	enum status st = convert_document(&r, &parser, ret, e);
	yaml_parser_delete(&parser);
	return st;
}

enum status config_read(const char *path, const char *area, struct config_node **ret_tree, struct err *e)
{
	BUF_AUTO struct buf text = BUF_INIT(FILE_LIMIT);
	struct err inner;
	char code[32];
	enum status st = file_read(path, &text, &inner);
	if (st != ST_OK) {
		snprintf(code, sizeof code, "%s-missing", area);
		err_set(e, st == ST_RETRY ? ST_RETRY : ST_RUN, code, "%s", inner.detail);
		err_arg(e, "%s", path);
		return err_where(e, "%s", path);
	}
	st = parse(area, path, text.len == 0 ? (const void *)"" : text.data, text.len, ret_tree, e);
	if (st == ST_OK && (*ret_tree)->type != CONFIG_MAP) {
		struct reading r = {.file = path, .area = area};
		st = syntax(&r, (*ret_tree)->line, "keys with values are wanted", e);
		config_drop(*ret_tree);
		*ret_tree = NULL;
	}
	return st;
}

void config_merge(struct config_node *child, struct config_node *base)
{
	for (size_t i = 0; i < base->n; i++) {
		struct config_node *mine = member(child, base->child[i]->key, strlen(base->child[i]->key));
		if (mine == NULL) {
			adopt(child, base->child[i]);
		} else if (mine->type == CONFIG_MAP && base->child[i]->type == CONFIG_MAP) {
			config_merge(mine, base->child[i]);
		} else {
			config_drop(base->child[i]);
		}
		base->child[i] = NULL;
	}
	base->n = 0;
	config_drop(base);
}

struct config_node *config_find(struct config_node *tree, const char *path)
{
	while (tree != NULL && *path != 0) {
		size_t n = strcspn(path, ".");
		tree = member(tree, path, n);
		path += n + (path[n] == '.');
	}
	return tree;
}

void config_put(struct config_node *scalar, const char *text)
{
	char *copy = strdup(text);
	free(scalar->text);
	scalar->text = copy;
}

static enum status bad_set(const char *area, const char *assignment, const char *what, struct err *e)
{
	char code[32];
	snprintf(code, sizeof code, "%s-set", area);
	err_set(e, ST_RUN, code, "--set %s: %s", assignment, what);
	err_arg(e, "%s", assignment);
	return err_where(e, "--set");
}

struct config_node *config_new(void)
{
	return node_new(CONFIG_MAP, "--set", 0);
}

enum status config_set(struct config_node *tree, const char *area, const char *assignment, struct err *e)
{
	const char *equals = strchr(assignment, '='), *at = assignment;
	struct config_node *value = NULL;
	if (equals == NULL || equals == assignment)
		return bad_set(area, assignment, "key.path=value is wanted", e);
	for (;;) {
		size_t n = strcspn(at, ".=");
		if (n == 0 || tree->type != CONFIG_MAP)
			return bad_set(area, assignment, "no such key", e);
		struct config_node *next = member(tree, at, n);
		if (at[n] == '=') {
			if (next != NULL)
				remove_child(tree, next);
			break;
		}
		if (next == NULL) {
			next = node_new(CONFIG_MAP, "--set", 0);
			next->key = strndup(at, n);
			adopt(tree, next);
		}
		tree = next;
		at += n + 1;
	}
	if (equals[1] == '[') {
		enum status st = parse(area, "--set", equals + 1, strlen(equals + 1), &value, e);
		if (st != ST_OK)
			return st;
	} else {
		value = node_new(CONFIG_SCALAR, "--set", 0);
		value->text = strdup(equals + 1);
	}
	value->line = 0;
	value->key = strndup(at, (size_t)(equals - at));
	adopt(tree, value);
	return ST_OK;
}
