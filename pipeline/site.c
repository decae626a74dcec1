#include "pipeline/site.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/config.h"
#include "stages/base/file.h"

#define TEXT(key, type, member) CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_OPTIONAL, type, member, 0, CYAML_UNLIMITED)
#define LIST(key, type, member, entry)                                                                                           \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, type, member, entry, 0, CYAML_UNLIMITED)

static const cyaml_schema_value_t text_entry = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED)};

static const cyaml_schema_field_t tsa_fields[] = {
    CYAML_FIELD_STRING_PTR("url", CYAML_FLAG_DEFAULT, struct site_tsa, url, 0, CYAML_UNLIMITED),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t tsa_entry = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct site_tsa, tsa_fields)};

static const cyaml_schema_field_t site_fields[] = {
    TEXT("organisation", struct site, organisation),
    TEXT("key", struct site, key),
    LIST("certificates", struct site, certificates, &text_entry),
    LIST("timestamp-authorities", struct site, timestamp_authorities, &tsa_entry),
    LIST("trust-anchors", struct site, trust_anchors, &text_entry),
    TEXT("proxy", struct site, proxy),
    TEXT("seal-picture", struct site, seal_picture),
    TEXT("signature-picture", struct site, signature_picture),
    CYAML_FIELD_UINT("jobs", CYAML_FLAG_OPTIONAL, struct site, jobs),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t site_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct site, site_fields)};

static const struct config_rule rules[] = {{"jobs", 0, 4096, NULL, "0"}, {NULL, 0, 0, NULL, NULL}};
static const struct config_kind site_kind = {.area = "site", .schema = &site_schema, .rules = rules};

static void make_absolute(struct config_node *node, const char *folder)
{
	char *path = node == NULL || node->text == NULL || node->text[0] == '/' ? NULL : path_join(folder, node->text);
	if (path != NULL)
		config_put(node, path);
	free(path);
}

static void make_all_absolute(struct config_node *list, const char *folder)
{
	for (size_t i = 0; list != NULL && i < list->n; i++)
		make_absolute(list->child[i], folder);
}

static enum status check_urls(struct config_node *tree, struct err *e)
{
	const struct config_node *list = config_find(tree, "timestamp-authorities");
	for (size_t i = 0; list != NULL && i < list->n; i++) {
		const struct config_node *url = config_find(list->child[i], "url");
		if (strncmp(url->text, "http://", 7) != 0 && strncmp(url->text, "https://", 8) != 0)
			return config_fault(url, "site", "timestamp-authorities.url", "http://… or https://…", e);
	}
	return ST_OK;
}

static enum status load(const char *path, struct site **ret_site, struct err *e)
{
	struct config_node *tree = NULL;
	void *data = NULL;
	char *real = realpath(path, NULL);
	enum status st = config_read(path, "site", &tree, e);
	if (st == ST_OK)
		st = config_check(tree, &site_kind, e);
	if (st == ST_OK)
		st = check_urls(tree, e);
	if (st == ST_OK && real != NULL) {
		real[path_name(real) - real - 1] = 0;
		const char *folder = *real ? real : "/";
		make_all_absolute(config_find(tree, "certificates"), folder);
		make_all_absolute(config_find(tree, "trust-anchors"), folder);
		make_absolute(config_find(tree, "seal-picture"), folder);
		make_absolute(config_find(tree, "signature-picture"), folder);
	}
	if (st == ST_OK)
		st = config_load(tree, &site_kind, &data, e);
	config_drop(tree);
	free(real);
	if (st == ST_OK)
		*ret_site = data;
	return st;
}

enum status site_load(const char *path, struct site **ret_site, struct err *e)
{
	char own[PATH_MAX] = "";
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (path != NULL)
		return load(path, ret_site, e);
	if (config != NULL && *config == '/')
		snprintf(own, sizeof own, "%s/arkseal/site.yaml", config);
	else if (home != NULL)
		snprintf(own, sizeof own, "%s/.config/arkseal/site.yaml", home);
	if (*own != 0 && access(own, F_OK) == 0)
		return load(own, ret_site, e);
	return load("/etc/arkseal/site.yaml", ret_site, e);
}

void site_free(struct site *s)
{
	config_unload(&site_kind, s);
}
