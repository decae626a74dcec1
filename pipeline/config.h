/*
 * Configuration files: YAML with a schema, where every fault names file, line and key.
 *
 * A file becomes a tree of nodes that know where they stood. Trees can be merged (a profile over the one that it extends) and
 * changed by "key.path=value". config_check then walks the tree with the schema of libcyaml and a table of rules, fills in what is
 * not said, and config_load hands the checked tree to libcyaml, which fills the structs.
 *
 * To add a key: a member of the struct, a row of the schema, a row of the rules where it has a range, a list of words or a value of
 * its own when it is not said, and a property in profiles/profile.schema.json (a test compares them).
 */
#ifndef ARKSEAL_PIPELINE_CONFIG_H
#define ARKSEAL_PIPELINE_CONFIG_H

#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/base/err.h"

enum config_type { CONFIG_SCALAR, CONFIG_MAP, CONFIG_LIST };

struct config_node {
	enum config_type type;
	char *text; /* of a scalar */
	char *key;  /* of a member of a map, else NULL */
	struct config_node **child;
	size_t n;
	char *file;    /* where it stood: a path, or "--set" */
	unsigned line; /* from 1; 0 where there are no lines */
};

/* One row a key that has more to it than its type. In `key`, the members of a list's entries stand after "[].":
 * "ingest.columns[].format". */
struct config_rule {
	const char *key;
	int64_t min, max;         /* allowed numbers where max > min */
	const char *const *words; /* allowed texts, ended by NULL; NULL: any */
	const char *fallback;     /* the value where the key is not said; NULL: zero, false, nothing */
};

struct config_kind {
	const char *area;                   /* "profile" or "site": the first word of the codes */
	const cyaml_schema_value_t *schema; /* a pointer to a mapping */
	const struct config_rule *rules;    /* ended by a NULL key */
};

/* An empty map, to be filled by config_set. */
struct config_node *config_new(void);
/* The tree of a file. Errors (ST_RUN): "<area>-missing", "<area>-syntax". */
enum status config_read(const char *path, const char *area, struct config_node **ret_tree, struct err *e);
void config_drop(struct config_node *tree);

/* Lays `child` over `base`, which is used up: maps are merged, everything else is replaced whole. A key that the child leaves empty is
 * as if nobody had said it. */
void config_merge(struct config_node *child, struct config_node *base);
/* Applies "key.path=value". Errors: "<area>-set". */
enum status config_set(struct config_node *tree, const char *area, const char *assignment, struct err *e);
/* The node at a path of keys, or NULL. */
struct config_node *config_find(struct config_node *tree, const char *path);
/* Replaces the text of a scalar, copying. */
void config_put(struct config_node *scalar, const char *text);

/* Types, known keys, ranges, words. Errors: "<area>-value" {key, value, allowed}, "<area>-key" {key, known keys},
 * "<area>-needs" {key}; where is "file:line". */
enum status config_check(struct config_node *tree, const struct config_kind *kind, struct err *e);
/* A fault at a node: the code "<area>-value" with key, value, allowed. */
enum status config_fault(const struct config_node *n, const char *area, const char *key, const char *allowed, struct err *e);
/* The struct of a checked tree; config_unload frees it. */
enum status config_load(const struct config_node *tree, const struct config_kind *kind, void **ret_data, struct err *e);
void config_unload(const struct config_kind *kind, void *data);

/* Appends the tree as YAML. */
struct buf;
void config_print(const struct config_node *tree, struct buf *to);

/* The rule of a key, or NULL. */
const struct config_rule *config_rule(const struct config_kind *kind, const char *key);

#endif
