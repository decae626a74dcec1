/* Checking a tree against its schema, and filling structs from it. */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/config.h"
#include "stages/base/buf.h"
#include "stages/base/text.h"

/* A key on the way down: as the person wrote it ("ingest.columns[3].format") and as rules name it ("ingest.columns[].format"). */
struct place {
	char shown[160];
	char rule[160];
};

static struct place place_key(const struct place *p, const char *key)
{
	struct place q = *p;
	size_t n = strlen(q.shown), m = strlen(q.rule);
	snprintf(q.shown + n, sizeof q.shown - n, "%s%s", n > 0 ? "." : "", key);
	snprintf(q.rule + m, sizeof q.rule - m, "%s%s", m > 0 ? "." : "", key);
	return q;
}

static struct place place_entry(const struct place *p, size_t index)
{
	struct place q = *p;
	size_t n = strlen(q.shown), m = strlen(q.rule);
	snprintf(q.shown + n, sizeof q.shown - n, "[%zu]", index + 1);
	snprintf(q.rule + m, sizeof q.rule - m, "[]");
	return q;
}

static enum status at_node(const struct config_node *n, struct err *e)
{
	return n->line > 0 ? err_where(e, "%s:%u", n->file, n->line) : err_where(e, "%s", n->file);
}

enum status config_fault(const struct config_node *n, const char *area, const char *key, const char *allowed, struct err *e)
{
	char code[32];
	const char *value = n->type == CONFIG_MAP ? "{…}" : n->type == CONFIG_LIST ? "[…]" : n->text ? n->text : "";
	snprintf(code, sizeof code, "%s-value", area);
	err_set(e, ST_RUN, code, "%s: \"%s\" is not allowed; wanted: %s", key, value, allowed);
	err_arg(e, "%s", key);
	err_arg(e, "%s", value);
	err_arg(e, "%s", allowed);
	return at_node(n, e);
}

const struct config_rule *config_rule(const struct config_kind *kind, const char *key)
{
	for (const struct config_rule *r = kind->rules; r->key != NULL; r++) {
		if (strcmp(r->key, key) == 0)
			return r;
	}
	return NULL;
}

static enum status check(struct config_node *n, const cyaml_schema_value_t *s, const struct config_kind *kind, struct place *at,
                         struct err *e);

static enum status unknown_key(const struct config_node *n, const cyaml_schema_field_t *fields, const struct config_kind *kind,
                               const struct place *at, struct err *e)
{
	char code[32];
	BUF_AUTO struct buf known = BUF_INIT(4096);
	for (const cyaml_schema_field_t *f = fields; f->key != NULL; f++)
		buf_format(&known, "%s%s", f == fields ? "" : ", ", f->key);
	snprintf(code, sizeof code, "%s-key", kind->area);
	err_set(e, ST_RUN, code, "unknown key %s; known here: %s", at->shown, (char *)known.data);
	err_arg(e, "%s", at->shown);
	err_arg(e, "%s", (char *)known.data);
	return at_node(n, e);
}

static struct config_node *find_member(struct config_node *map, const char *key)
{
	for (size_t i = 0; i < map->n; i++) {
		if (strcmp(map->child[i]->key, key) == 0)
			return map->child[i];
	}
	return NULL;
}

static struct config_node *add_member(struct config_node *map, const char *key, enum config_type type, const char *text)
{
	struct config_node *n = calloc(1, sizeof *n), **child = reallocarray(map->child, map->n + 1, sizeof *child);
	if (n == NULL || child == NULL)
		abort();
	*n = (struct config_node){
	    .type = type, .key = strdup(key), .text = text ? strdup(text) : NULL, .file = strdup(map->file), .line = map->line};
	map->child = child;
	map->child[map->n++] = n;
	return n;
}

/* A key that nobody said: the rule's value; a map is made, so that the values inside it are filled in too. */
static enum status fill_in(struct config_node *map, const cyaml_schema_field_t *f, const struct config_kind *kind,
                           struct place *at, struct err *e)
{
	const struct config_rule *rule = config_rule(kind, at->rule);
	if (rule != NULL && rule->fallback != NULL) {
		add_member(map, f->key, CONFIG_SCALAR, rule->fallback);
	} else if (f->value.type == CYAML_MAPPING && (f->value.flags & CYAML_FLAG_POINTER) == 0) {
		return check(add_member(map, f->key, CONFIG_MAP, NULL), &f->value, kind, at, e);
	} else if ((f->value.flags & CYAML_FLAG_OPTIONAL) == 0) {
		char code[32];
		snprintf(code, sizeof code, "%s-needs", kind->area);
		err_set(e, ST_RUN, code, "%s is missing", at->shown);
		err_arg(e, "%s", at->shown);
		return at_node(map, e);
	}
	return ST_OK;
}

static enum status check_map(struct config_node *n, const cyaml_schema_value_t *s, const struct config_kind *kind,
                             const struct place *at, struct err *e)
{
	const cyaml_schema_field_t *f;
	enum status st = ST_OK;
	size_t said = 0;
	for (size_t i = 0; i < n->n; i++) {
		for (f = s->mapping.fields; f->key != NULL && strcmp(f->key, n->child[i]->key) != 0; f++)
			;
		struct place here = place_key(at, n->child[i]->key);
		if (f->key == NULL)
			return unknown_key(n->child[i], s->mapping.fields, kind, &here, e);
		if (n->child[i]->type != CONFIG_SCALAR || n->child[i]->text != NULL)
			st = check(n->child[i], &f->value, kind, &here, e);
		if (st != ST_OK)
			return st;
	}
	/* What was left empty counts as not said. */
	for (size_t i = 0; i < n->n; i++) {
		if (n->child[i]->type == CONFIG_SCALAR && n->child[i]->text == NULL)
			config_drop(n->child[i]);
		else
			n->child[said++] = n->child[i];
	}
	n->n = said;
	for (f = s->mapping.fields; f->key != NULL && st == ST_OK; f++) {
		struct place here = place_key(at, f->key);
		if (find_member(n, f->key) == NULL)
			st = fill_in(n, f, kind, &here, e);
	}
	return st;
}

static enum status check_words(const struct config_node *n, const char *const *words, const struct config_kind *kind,
                               const struct place *at, struct err *e)
{
	BUF_AUTO struct buf allowed = BUF_INIT(4096);
	for (size_t i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], n->text) == 0)
			return ST_OK;
		buf_format(&allowed, "%s%s", i == 0 ? "" : ", ", words[i]);
	}
	return config_fault(n, kind->area, at->shown, (char *)allowed.data, e);
}

static enum status check_enum(const struct config_node *n, const cyaml_schema_value_t *s, const struct config_kind *kind,
                              const struct place *at, struct err *e)
{
	const char *words[16] = {NULL};
	for (uint32_t i = 0; i < s->enumeration.count && i < 15; i++)
		words[i] = s->enumeration.strings[i].str;
	return check_words(n, words, kind, at, e);
}

static enum status check_number(struct config_node *n, const cyaml_schema_value_t *s, const struct config_kind *kind,
                                const struct place *at, const struct config_rule *rule, struct err *e)
{
	int64_t min = s->type == CYAML_UINT ? 0 : INT32_MIN, max = INT32_MAX, value = 0;
	char text[64];
	if (rule != NULL && rule->max > rule->min) {
		min = rule->min;
		max = rule->max;
	}
	if (s->type == CYAML_FLOAT) {
		char *end = NULL;
		double d = strtod(n->text, &end);
		if (end != n->text && *end == 0 && d >= (double)min && d <= (double)max)
			return ST_OK;
		snprintf(text, sizeof text, "%lld … %lld", (long long)min, (long long)max);
		return config_fault(n, kind->area, at->shown, text, e);
	}
	if (!number_parse(n->text, min, max, &value)) {
		snprintf(text, sizeof text, "%lld … %lld", (long long)min, (long long)max);
		return config_fault(n, kind->area, at->shown, text, e);
	}
	/* libcyaml takes a leading 0 for octal. */
	snprintf(text, sizeof text, "%lld", (long long)value);
	config_put(n, text);
	return ST_OK;
}

static enum status check_scalar(struct config_node *n, const cyaml_schema_value_t *s, const struct config_kind *kind,
                                const struct place *at, struct err *e)
{
	static const char *const truth[] = {"true", "false", NULL};
	const struct config_rule *rule = config_rule(kind, at->rule);
	if (n->type != CONFIG_SCALAR || n->text == NULL)
		return config_fault(n, kind->area, at->shown, s->type == CYAML_STRING ? "a text" : "a single value", e);
	switch (s->type) {
	case CYAML_BOOL:
		return check_words(n, truth, kind, at, e);
	case CYAML_ENUM:
		return check_enum(n, s, kind, at, e);
	case CYAML_INT:
	case CYAML_UINT:
	case CYAML_FLOAT:
		return check_number(n, s, kind, at, rule, e);
	default:
		return rule != NULL && rule->words != NULL ? check_words(n, rule->words, kind, at, e) : ST_OK;
	}
}

static enum status check(struct config_node *n, const cyaml_schema_value_t *s, const struct config_kind *kind, struct place *at,
                         struct err *e)
{
	enum status st = ST_OK;
	if (s->type == CYAML_MAPPING) {
		if (n->type != CONFIG_MAP)
			return config_fault(n, kind->area, at->shown, "keys with values", e);
		return check_map(n, s, kind, at, e);
	}
	if (s->type != CYAML_SEQUENCE)
		return check_scalar(n, s, kind, at, e);
	if (n->type != CONFIG_LIST)
		return config_fault(n, kind->area, at->shown, "a list", e);
	for (size_t i = 0; i < n->n && st == ST_OK; i++) {
		struct place here = place_entry(at, i);
		st = check(n->child[i], s->sequence.entry, kind, &here, e);
	}
	return st;
}

/* Numbers with a point are read with a point whatever the locale says. */
static locale_t plain_locale(void)
{
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	return plain == (locale_t)0 ? (locale_t)0 : uselocale(plain);
}

static void restore_locale(locale_t before)
{
	if (before != (locale_t)0)
		freelocale(uselocale(before));
}

enum status config_check(struct config_node *tree, const struct config_kind *kind, struct err *e)
{
	struct place top = {.shown = "", .rule = ""};
	locale_t before = plain_locale();
	enum status st = check(tree, kind->schema, kind, &top, e);
	restore_locale(before);
	return st;
}

static void write_text(const char *s, struct buf *to)
{
	buf_byte(to, '"');
	for (; *s != 0; s++) {
		if (*s == '"' || *s == '\\')
			buf_format(to, "\\%c", *s);
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			buf_format(to, "\\x%02x", (unsigned)*s);
		else
			buf_byte(to, (uint8_t)*s);
	}
	buf_byte(to, '"');
}

static void write_node(const struct config_node *n, struct buf *to)
{
	if (n->type == CONFIG_SCALAR) {
		write_text(n->text, to);
		return;
	}
	buf_byte(to, n->type == CONFIG_MAP ? '{' : '[');
	for (size_t i = 0; i < n->n; i++) {
		if (n->type == CONFIG_MAP) {
			write_text(n->child[i]->key, to);
			buf_str(to, ": ");
		}
		write_node(n->child[i], to);
		buf_str(to, i + 1 < n->n ? ",\n" : "");
	}
	buf_byte(to, n->type == CONFIG_MAP ? '}' : ']');
}

static bool plain_word(const char *s)
{
	size_t n = strlen(s);
	return n > 0 && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+./")] == 0 && s[0] != '-';
}

static void print_scalar(const struct config_node *n, struct buf *to)
{
	if (plain_word(n->text))
		buf_str(to, n->text);
	else
		write_text(n->text, to);
}

static bool scalars_only(const struct config_node *list)
{
	bool only = true;
	for (size_t i = 0; i < list->n; i++)
		only = only && list->child[i]->type == CONFIG_SCALAR;
	return only;
}

/* `first`: the first member of a map stands on the line of its list's dash. */
static void print_node(const struct config_node *n, unsigned depth, bool first, struct buf *to)
{
	for (size_t i = 0; i < n->n; i++) {
		const struct config_node *c = n->child[i];
		if (!first || i > 0)
			buf_format(to, "%*s", (int)(2 * depth), "");
		buf_format(to, "%s%s", n->type == CONFIG_LIST ? "- " : c->key, n->type == CONFIG_LIST ? "" : ":");
		if (c->type == CONFIG_SCALAR) {
			buf_str(to, n->type == CONFIG_LIST ? "" : " ");
			print_scalar(c, to);
			buf_byte(to, '\n');
		} else if (c->type == CONFIG_LIST && scalars_only(c)) {
			buf_str(to, " [");
			for (size_t k = 0; k < c->n; k++) {
				buf_str(to, k > 0 ? ", " : "");
				print_scalar(c->child[k], to);
			}
			buf_str(to, "]\n");
		} else if (c->n == 0) {
			buf_str(to, " {}\n");
		} else {
			buf_str(to, n->type == CONFIG_LIST ? "" : "\n");
			print_node(c, depth + 1, n->type == CONFIG_LIST, to);
		}
	}
}

void config_print(const struct config_node *tree, struct buf *to)
{
	print_node(tree, 0, false, to);
}

/* What libcyaml says reaches the person only if config_check has let something through that libcyaml does not like. */
static void keep_first(cyaml_log_t level, void *to, const char *format, va_list args)
{
	struct buf *said = to;
	char line[256];
	if (level >= CYAML_LOG_ERROR && said->len < 300) {
		vsnprintf(line, sizeof line, format, args);
		line[strcspn(line, "\n")] = 0;
		buf_format(said, "%s%s", said->len > 0 ? "; " : "", line);
	}
}

static cyaml_config_t cyaml_settings(struct buf *said)
{
	return (cyaml_config_t){.log_fn = said ? keep_first : NULL,
	                        .log_ctx = said,
	                        .mem_fn = cyaml_mem,
	                        .log_level = CYAML_LOG_ERROR,
	                        .flags = CYAML_CFG_NO_ALIAS};
}

enum status config_load(const struct config_node *tree, const struct config_kind *kind, void **ret_data, struct err *e)
{
	BUF_AUTO struct buf text = BUF_INIT(16u << 20);
	BUF_AUTO struct buf said = BUF_INIT(1024);
	cyaml_config_t settings = cyaml_settings(&said);
	cyaml_data_t *data = NULL;
	write_node(tree, &text);
	if (text.failed)
		return err_set(e, ST_RETRY, "memory", "no memory for %s", tree->file);
	locale_t before = plain_locale();
	cyaml_err_t fault = cyaml_load_data(text.data, text.len, &settings, kind->schema, &data, NULL);
	restore_locale(before);
	if (fault != CYAML_OK) {
		char code[32];
		snprintf(code, sizeof code, "%s-syntax", kind->area);
		err_set(e, ST_RUN, code, "%s: %s", cyaml_strerror(fault), said.len > 0 ? (char *)said.data : "");
		err_arg(e, "%u", tree->line);
		err_arg(e, "%s", cyaml_strerror(fault));
		return err_where(e, "%s", tree->file);
	}
	*ret_data = data;
	return ST_OK;
}

void config_unload(const struct config_kind *kind, void *data)
{
	cyaml_config_t settings = cyaml_settings(NULL);
	if (data != NULL)
		cyaml_free(&settings, kind->schema, data, 0);
}
