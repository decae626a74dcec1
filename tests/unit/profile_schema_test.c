/* profiles/profile.schema.json says the same as the schema that loads profiles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "pipeline/config.h"
#include "pipeline/profile.h"

static const char *type_name(cyaml_type_e type)
{
	switch (type) {
	case CYAML_MAPPING:
		return "object";
	case CYAML_SEQUENCE:
		return "array";
	case CYAML_BOOL:
		return "boolean";
	case CYAML_INT:
	case CYAML_UINT:
		return "integer";
	case CYAML_FLOAT:
		return "number";
	default:
		return "string";
	}
}

static void same_rule(const char *key, const struct config_rule *r, const json_t *j)
{
	size_t n = 0;
	if (r == NULL)
		return;
	if (r->max > r->min && (json_integer_value(json_object_get(j, "minimum")) != r->min ||
	                        json_integer_value(json_object_get(j, "maximum")) != r->max))
		fail_msg("%s: minimum and maximum must be %lld and %lld", key, (long long)r->min, (long long)r->max);
	for (; r->words != NULL && r->words[n] != NULL; n++) {
		const char *word = json_string_value(json_array_get(json_object_get(j, "enum"), n));
		if (word == NULL || strcmp(word, r->words[n]) != 0)
			fail_msg("%s: enum must have \"%s\" at place %zu", key, r->words[n], n);
	}
	if (json_array_size(json_object_get(j, "enum")) != n && r->words != NULL)
		fail_msg("%s: enum has more words than the program", key);
}

/* Returns how many keys it has seen. */
static size_t same(const char *key, const cyaml_schema_value_t *s, const json_t *j)
{
	const char *type = json_string_value(json_object_get(j, "type"));
	char below[256];
	size_t fields = 0, keys = 1;
	if (type == NULL || strcmp(type, type_name(s->type)) != 0)
		fail_msg("%s: type is %s, must be %s", key, type ? type : "missing", type_name(s->type));
	same_rule(key, config_rule(&profile_kind, key), j);
	if (s->type == CYAML_ENUM) {
		for (uint32_t i = 0; i < s->enumeration.count; i++)
			assert_string_equal(json_string_value(json_array_get(json_object_get(j, "enum"), i)),
			                    s->enumeration.strings[i].str);
		assert_int_equal(json_array_size(json_object_get(j, "enum")), s->enumeration.count);
	} else if (s->type == CYAML_SEQUENCE) {
		snprintf(below, sizeof below, "%s[]", key);
		keys += same(below, s->sequence.entry, json_object_get(j, "items"));
	} else if (s->type == CYAML_MAPPING) {
		const json_t *properties = json_object_get(j, "properties");
		assert_true(json_is_false(json_object_get(j, "additionalProperties")));
		for (const cyaml_schema_field_t *f = s->mapping.fields; f->key != NULL; f++, fields++) {
			snprintf(below, sizeof below, "%s%s%s", key, *key ? "." : "", f->key);
			if (json_object_get(properties, f->key) == NULL)
				fail_msg("%s is missing", below);
			keys += same(below, &f->value, json_object_get(properties, f->key));
		}
		if (json_object_size(properties) != fields)
			fail_msg("%s has properties that the program does not know", *key ? key : "the profile");
	}
	return keys;
}

static bool known(const cyaml_schema_value_t *s, const char *key)
{
	if (*key == 0)
		return true;
	if (s->type == CYAML_SEQUENCE && strncmp(key, "[]", 2) == 0)
		return known(s->sequence.entry, key + 2);
	if (*key == '.')
		key++;
	size_t n = strcspn(key, ".[");
	for (const cyaml_schema_field_t *f = s->type == CYAML_MAPPING ? s->mapping.fields : NULL; f != NULL && f->key != NULL;
	     f++) {
		if (strlen(f->key) == n && memcmp(f->key, key, n) == 0)
			return known(&f->value, key + n);
	}
	return false;
}

static void test_json_schema(void **state)
{
	json_error_t fault;
	json_t *j = json_load_file("profiles/profile.schema.json", JSON_REJECT_DUPLICATES, &fault);
	(void)state;
	if (j == NULL)
		fail_msg("profiles/profile.schema.json:%d: %s", fault.line, fault.text);
	assert_true(same("", profile_kind.schema, j) > 60);
	json_decref(j);
}

static void test_rules_have_keys(void **state)
{
	(void)state;
	for (const struct config_rule *r = profile_kind.rules; r->key != NULL; r++) {
		if (!known(profile_kind.schema, r->key))
			fail_msg("a rule for %s, which is no key", r->key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_json_schema), cmocka_unit_test(test_rules_have_keys)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
