#include "pipeline/item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"

static const char *const kind_name[] = {"paper", "map", "photo", "received", "media", "package"};
static const char *const state_name[] = {"ok", "retry", "quarantine", "refused", "stop", "parts"};

#define PAGES_MOST 10000000

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

const char *item_kind_name(enum item_kind kind)
{
	return kind_name[kind];
}

const char *item_state_name(enum item_state state)
{
	return state_name[state];
}

struct item *item_new(void)
{
	struct item *it = calloc(1, sizeof *it);
	if (it == NULL)
		return NULL;
	it->description = json_object();
	it->dossier_description = json_object();
	it->members = json_array();
	it->events = json_array();
	it->other = json_object();
	if (!it->description || !it->dossier_description || !it->members || !it->events || !it->other) {
		item_free(it);
		return NULL;
	}
	return it;
}

static void free_file(struct item_file *f)
{
	free(f->path);
	free(f->format);
}

static void free_files(struct item_file *files, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free_file(&files[i]);
	free(files);
}

void item_free(struct item *it)
{
	if (it == NULL)
		return;
	free(it->id);
	free(it->dossier);
	free(it->fonds);
	free(it->name);
	free(it->path);
	free_files(it->sources, it->n_sources);
	free_files(it->companions, it->n_companions);
	free_files(it->parts, it->n_parts);
	free_file(&it->artefact);
	json_decref(it->description);
	json_decref(it->dossier_description);
	json_decref(it->members);
	json_decref(it->events);
	json_decref(it->other);
	free(it);
}

void item_set(char **member, const char *value)
{
	char *copy = value == NULL ? NULL : strdup(value);
	free(*member);
	*member = copy;
}

static void fill_file(struct item_file *f, const char *path, int64_t size, const char *sha256, const char *format)
{
	item_set(&f->path, path);
	item_set(&f->format, format);
	f->size = size;
	snprintf(f->sha256, sizeof f->sha256, "%s", sha256 == NULL ? "" : sha256);
}

static struct item_file *append_file(struct item_file **files, size_t *n)
{
	struct item_file *more = realloc(*files, (*n + 1) * sizeof **files);
	if (more == NULL)
		abort(); /* a few bytes: without them nothing else can go on either */
	*files = more;
	more[*n] = (struct item_file){0};
	return &more[(*n)++];
}

void item_add_source(struct item *it, const char *path, int64_t size, const char *sha256)
{
	fill_file(append_file(&it->sources, &it->n_sources), path, size, sha256, NULL);
}

struct item_file *item_signature(const struct item *it)
{
	const char *tail = it->artefact.path == NULL ? "" : item_file_tail(it->artefact.path);
	size_t n = strlen(tail);
	for (size_t i = 0; n > 0 && i < it->n_companions; i++) {
		const char *own = item_file_tail(it->companions[i].path);
		if (strncmp(own, tail, n) == 0 && strcmp(own + n, ".p7s") == 0)
			return &it->companions[i];
	}
	return NULL;
}

bool item_is_pdf(const struct item *it)
{
	return it->artefact.path != NULL && strcmp(item_file_tail(it->artefact.path), ".pdf") == 0;
}

void item_clear_companions(struct item *it)
{
	free_files(it->companions, it->n_companions);
	it->companions = NULL;
	it->n_companions = 0;
}

void item_clear_parts(struct item *it)
{
	free_files(it->parts, it->n_parts);
	it->parts = NULL;
	it->n_parts = 0;
	it->range = (struct item_range){0};
}

void item_add_part(struct item *it, const char *path, int64_t size, const char *sha256)
{
	fill_file(append_file(&it->parts, &it->n_parts), path, size, sha256, NULL);
}

const char *item_file_tail(const char *path)
{
	enum { DIGITS = 32 };
	const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
	const char *last = strrchr(name, '.'), *dot = NULL;
	if (strspn(name, "0123456789abcdef") == DIGITS && name[DIGITS] == '.')
		dot = strchr(name + DIGITS + 1, '.');
	return dot != NULL ? dot : last != NULL ? last : name + strlen(name);
}

void item_add_companion(struct item *it, const char *path, int64_t size, const char *sha256)
{
	fill_file(append_file(&it->companions, &it->n_companions), path, size, sha256, NULL);
}

void item_set_artefact(struct item *it, const char *path, int64_t size, const char *sha256, const char *format)
{
	fill_file(&it->artefact, path, size, sha256, format);
}

void item_add_event(struct item *it, int64_t now_ms, const char *type, const char *outcome, const char *format, ...)
{
	char time[TIME_TEXT], detail[1024];
	va_list ap;
	va_start(ap, format);
	vsnprintf(detail, sizeof detail, format, ap);
	va_end(ap);
	time_iso8601(now_ms, 0, true, time);
	json_array_append_new(it->events, json_pack("{s:s, s:s, s:s, s:s, s:s}", "type", type, "time", time, "outcome", outcome,
	                                            "detail", detail, "agent", "arkseal"));
}

void item_fail(struct item *it, const struct err *e)
{
	it->state = e->status == ST_RETRY ? ITEM_RETRY : e->status == ST_ITEM ? ITEM_QUARANTINE : ITEM_STOP;
	it->notice = *e;
}

void item_refuse(struct item *it, const struct err *e)
{
	it->state = ITEM_REFUSED;
	it->notice = *e;
}

const char *item_field(const json_t *fields, const char *name)
{
	return json_string_value(json_object_get(fields, name));
}

/* Reading. Each helper takes its member out of the object, so that what is left is what this version does not know. */

static enum status wrong(const char *member, const char *want, struct err *e)
{
	err_set(e, ST_RUN, "record-member", "member \"%s\" must be %s", member, want);
	err_arg(e, "%s", member);
	return ST_RUN;
}

static enum status take_string(json_t *from, const char *member, char **ret, struct err *e)
{
	json_t *value = json_object_get(from, member);
	if (value == NULL || json_is_null(value)) {
		json_object_del(from, member);
		return ST_OK;
	}
	if (!json_is_string(value))
		return wrong(member, "a string", e);
	item_set(ret, json_string_value(value));
	json_object_del(from, member);
	return ST_OK;
}

static enum status take_name(json_t *from, const char *member, const char *const *names, size_t n, unsigned *ret, struct err *e)
{
	json_t *value = json_object_get(from, member);
	if (value == NULL)
		return ST_OK;
	const char *text = json_string_value(value);
	for (size_t i = 0; text != NULL && i < n; i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret = (unsigned)i;
			json_object_del(from, member);
			return ST_OK;
		}
	}
	return wrong(member, "one of its known words", e);
}

static enum status take_json(json_t *from, const char *member, json_type type, json_t **ret, struct err *e)
{
	json_t *value = json_object_get(from, member);
	if (value == NULL)
		return ST_OK;
	if (json_typeof(value) != type)
		return wrong(member, type == JSON_OBJECT ? "an object" : "an array", e);
	json_decref(*ret);
	*ret = json_incref(value);
	json_object_del(from, member);
	return ST_OK;
}

static enum status read_file(const json_t *from, struct item_file *f, struct err *e)
{
	const char *path = json_string_value(json_object_get(from, "path"));
	const char *digest = json_string_value(json_object_get(from, "sha256"));
	if (path == NULL || (digest != NULL && strlen(digest) > 64))
		return wrong("path", "in every file, with its sha256", e);
	fill_file(f, path, json_integer_value(json_object_get(from, "size")), digest,
	          json_string_value(json_object_get(from, "format")));
	return ST_OK;
}

static enum status take_files(json_t *from, const char *member, struct item_file **files, size_t *n, struct err *e)
{
	size_t i;
	json_t *value = json_object_get(from, member), *one;
	if (value == NULL)
		return ST_OK;
	if (!json_is_array(value))
		return wrong(member, "an array", e);
	json_array_foreach (value, i, one) {
		if (read_file(one, append_file(files, n), e) != ST_OK)
			return ST_RUN;
	}
	json_object_del(from, member);
	return ST_OK;
}

static enum status take_range(json_t *from, struct item_range *range, struct err *e)
{
	const json_t *value = json_object_get(from, "range");
	json_int_t n[3];
	if (value == NULL)
		return ST_OK;
	for (size_t i = 0; i < 3; i++)
		n[i] = json_integer_value(json_array_get(value, i));
	if (json_array_size(value) != 3 || n[0] < 1 || n[1] < n[0] || n[2] < n[1] || n[2] > PAGES_MOST)
		return wrong("range", "first page, last page, all pages", e);
	*range = (struct item_range){(uint32_t)n[0], (uint32_t)n[1], (uint32_t)n[2]};
	json_object_del(from, "range");
	return ST_OK;
}

static void read_notice(const json_t *from, struct item *it)
{
	static const enum status back[] = {ST_OK, ST_RETRY, ST_ITEM, ST_ITEM, ST_RUN, ST_OK};
	const char *code = json_string_value(json_object_get(from, "code"));
	const char *detail = json_string_value(json_object_get(from, "detail"));
	const char *where = json_string_value(json_object_get(from, "where"));
	size_t i;
	json_t *arg;
	err_set(&it->notice, back[it->state], code ? code : "", "%s", detail ? detail : "");
	if (where != NULL)
		err_where(&it->notice, "%s", where);
	json_array_foreach (json_object_get(from, "args"), i, arg) {
		if (json_is_string(arg))
			err_arg(&it->notice, "%s", json_string_value(arg));
	}
}

static enum status read_item(json_t *from, struct item *it, struct err *e)
{
	unsigned kind = 0, state = 0;
	json_t *size = json_object_get(from, "dossier_size"), *artefact = json_object_get(from, "artefact");
	if (take_name(from, "kind", kind_name, COUNT(kind_name), &kind, e) != ST_OK ||
	    take_name(from, "state", state_name, COUNT(state_name), &state, e) != ST_OK ||
	    take_string(from, "id", &it->id, e) != ST_OK || take_string(from, "dossier", &it->dossier, e) != ST_OK ||
	    take_string(from, "fonds", &it->fonds, e) != ST_OK || take_string(from, "name", &it->name, e) != ST_OK ||
	    take_string(from, "path", &it->path, e) != ST_OK ||
	    take_files(from, "sources", &it->sources, &it->n_sources, e) != ST_OK ||
	    take_files(from, "companions", &it->companions, &it->n_companions, e) != ST_OK ||
	    take_files(from, "parts", &it->parts, &it->n_parts, e) != ST_OK || take_range(from, &it->range, e) != ST_OK ||
	    take_json(from, "description", JSON_OBJECT, &it->description, e) != ST_OK ||
	    take_json(from, "dossier_description", JSON_OBJECT, &it->dossier_description, e) != ST_OK ||
	    take_json(from, "members", JSON_ARRAY, &it->members, e) != ST_OK ||
	    take_json(from, "events", JSON_ARRAY, &it->events, e) != ST_OK)
		return ST_RUN;
	if (it->id == NULL)
		return wrong("id", "there", e);
	if (size != NULL && (!json_is_integer(size) || json_integer_value(size) < 0 || json_integer_value(size) > UINT32_MAX))
		return wrong("dossier_size", "a count", e);
	if (artefact != NULL && read_file(artefact, &it->artefact, e) != ST_OK)
		return ST_RUN;
	it->kind = (enum item_kind)kind;
	it->state = (enum item_state)state;
	it->dossier_size = (uint32_t)json_integer_value(size);
	if (it->state == ITEM_PARTS && it->range.of == 0)
		return wrong("range", "there where the state is parts", e);
	if (it->state != ITEM_OK && it->state != ITEM_PARTS)
		read_notice(json_object_get(from, "notice"), it);
	json_object_del(from, "dossier_size");
	json_object_del(from, "artefact");
	json_object_del(from, "notice");
	json_object_update(it->other, from);
	return ST_OK;
}

enum status item_parse(const char *line, size_t n, struct item **ret_item, struct err *e)
{
	json_error_t fault;
	json_t *from = json_loadb(line, n, JSON_REJECT_DUPLICATES, &fault);
	struct item *it = item_new();
	enum status st = ST_OK;
	if (it == NULL)
		st = err_set(e, ST_RETRY, "memory", "no memory for a record");
	else if (!json_is_object(from))
		st = err_set(e, ST_RUN, "record-syntax", "not a JSON object: %s", from == NULL ? fault.text : "another value");
	else
		st = read_item(from, it, e);
	json_decref(from);
	if (st != ST_OK) {
		item_free(it);
		return st;
	}
	*ret_item = it;
	return ST_OK;
}

static json_t *file_json(const struct item_file *f)
{
	json_t *o = json_pack("{s:s, s:I, s:s}", "path", f->path, "size", (json_int_t)f->size, "sha256", f->sha256);
	if (f->format != NULL)
		json_object_set_new(o, "format", json_string(f->format));
	return o;
}

static void put_files(json_t *o, const char *member, const struct item_file *files, size_t n)
{
	if (n == 0)
		return;
	json_t *array = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, file_json(&files[i]));
	json_object_set_new(o, member, array);
}

static void put_string(json_t *o, const char *member, const char *value)
{
	if (value != NULL)
		json_object_set_new(o, member, json_string(value));
}

static void put_filled(json_t *o, const char *member, json_t *value)
{
	if (json_object_size(value) > 0 || json_array_size(value) > 0)
		json_object_set(o, member, value);
}

static json_t *notice_json(const struct err *e)
{
	json_t *args = json_array();
	for (size_t i = 0; i < e->n_args; i++)
		json_array_append_new(args, json_string(e->arg[i]));
	return json_pack("{s:s, s:s, s:s, s:o}", "code", e->code, "detail", e->detail, "where", e->where, "args", args);
}

static int add_text(const char *text, size_t n, void *to)
{
	buf_add(to, text, n);
	return 0;
}

void item_print(const struct item *it, struct buf *to)
{
	json_t *o = json_object();
	put_string(o, "kind", kind_name[it->kind]);
	put_string(o, "id", it->id);
	put_string(o, "dossier", it->dossier);
	if (it->dossier_size > 0)
		json_object_set_new(o, "dossier_size", json_integer(it->dossier_size));
	put_string(o, "fonds", it->fonds);
	put_string(o, "name", it->name);
	put_string(o, "path", it->path);
	put_files(o, "sources", it->sources, it->n_sources);
	put_filled(o, "description", it->description);
	put_filled(o, "dossier_description", it->dossier_description);
	if (it->artefact.path != NULL)
		json_object_set_new(o, "artefact", file_json(&it->artefact));
	put_files(o, "companions", it->companions, it->n_companions);
	put_filled(o, "members", it->members);
	put_filled(o, "events", it->events);
	if (it->range.of > 0)
		json_object_set_new(
		    o, "range",
		    json_pack("[I,I,I]", (json_int_t)it->range.first, (json_int_t)it->range.last, (json_int_t)it->range.of));
	put_files(o, "parts", it->parts, it->n_parts);
	put_string(o, "state", state_name[it->state]);
	if (it->state != ITEM_OK && it->state != ITEM_PARTS)
		json_object_set_new(o, "notice", notice_json(&it->notice));
	json_object_update(o, it->other);
	if (json_dump_callback(o, add_text, to, JSON_COMPACT) != 0)
		to->failed = true;
	buf_byte(to, '\n');
	json_decref(o);
}

const char *item_text(const struct item *it, struct buf *to)
{
	item_print(it, to);
	return to->failed ? NULL : (const char *)to->data;
}
