#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"
#include "stages/bundle/internal.h"

static const struct {
	const char *key, *name;
} formats[] = {
    {"fmt/95", "PDF/A-1a"},  {"fmt/354", "PDF/A-1b"}, {"fmt/476", "PDF/A-2a"}, {"fmt/477", "PDF/A-2b"},
    {"fmt/478", "PDF/A-2u"}, {"fmt/479", "PDF/A-3a"}, {"fmt/480", "PDF/A-3b"}, {"fmt/481", "PDF/A-3u"},
};

const char *bundle_field(const void *source, const char *name)
{
	return json_string_value(json_object_get((const json_t *)source, name));
}

/* Sets a field that is not there yet. */
static void complete(json_t *fields, const char *name, const char *value)
{
	const char *present = bundle_field(fields, name);
	if ((present == NULL || *present == '\0') && value != NULL)
		json_object_set_new(fields, name, json_string(value));
}

static void put_number(json_t *fields, const char *name, json_int_t value)
{
	char text[24];
	snprintf(text, sizeof text, "%lld", (long long)value);
	complete(fields, name, text);
}

/* The archive's code stands before the dossier's: arcFileCode (Circular 05/2025/TT-BNV). */
static void put_file_code(json_t *fields, const char *archive_code, const char *dossier)
{
	char *code;
	if (dossier == NULL || asprintf(&code, "%s%s", archive_code == NULL ? "" : archive_code, dossier) < 0)
		return;
	json_object_set_new(fields, "arcFileCode", json_string(code));
	free(code);
}

json_t *bundle_dossier(const struct item *it, const char *archive_code, size_t documents)
{
	json_t *fields = json_copy(it->dossier_description);
	if (fields == NULL)
		return NULL;
	put_file_code(fields, archive_code, it->dossier);
	put_number(fields, "totalDoc", (json_int_t)documents);
	return fields;
}

static enum status fill_events(struct bundled *b, const json_t *events, struct err *e)
{
	size_t i;
	json_t *event;
	b->events = calloc(json_array_size(events) + 1, sizeof *b->events);
	if (b->events == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for events");
	json_array_foreach (events, i, event) {
		struct package_event *to = &b->events[i];
		const char *time = json_string_value(json_object_get(event, "time"));
		to->type = json_string_value(json_object_get(event, "type"));
		to->outcome = json_string_value(json_object_get(event, "outcome"));
		to->detail = json_string_value(json_object_get(event, "detail"));
		if (to->type == NULL || to->outcome == NULL || time == NULL || !time_parse_iso8601(time, &to->time_ms)) {
			err_set(e, ST_RUN, "record-member", "an event without type, time or outcome");
			err_arg(e, "events");
			return ST_RUN;
		}
	}
	b->document.events = b->events;
	b->document.n_events = json_array_size(events);
	return ST_OK;
}

enum status bundled_fill(const struct item *it, const char *archive_code, struct bundled *b, struct err *e)
{
	struct package_document *d = &b->document;
	if (it->artefact.path == NULL || it->name == NULL) {
		err_set(e, ST_ITEM, "bundle-documents", "%s has no file", it->id);
		err_arg(e, "%s", it->id);
		return ST_ITEM;
	}
	if (asprintf(&b->name, "%s%s", it->name, item_file_tail(it->artefact.path)) < 0) {
		b->name = NULL;
		return err_set(e, ST_RETRY, "memory", "no memory for a document");
	}
	struct package_companion file = {.name = b->name};
	bundled_describe(&file);
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		if (it->artefact.format != NULL && strcmp(formats[i].key, it->artefact.format) == 0)
			file.format_name = formats[i].name;
	}
	b->fields = json_copy(it->description);
	put_file_code(b->fields, archive_code, it->dossier);
	if (it->kind != ITEM_MEDIA)
		put_number(b->fields, "numberOfPage", json_integer_value(json_object_get(it->other, "pages")));
	d->kind = it->kind == ITEM_PHOTO ? PACKAGE_PIC : it->kind == ITEM_MEDIA ? PACKAGE_MEDIA : PACKAGE_DOC;
	d->name = b->name;
	d->source = it->artefact.path;
	d->size = it->artefact.size;
	d->sha256 = it->artefact.sha256;
	d->format = it->artefact.format;
	d->format_name = file.format_name;
	d->mime = file.mime;
	d->fields = (struct package_fields){bundle_field, b->fields};
	enum status st = fill_events(b, it->events, e);
	if (st == ST_OK)
		st = bundled_signatures(b, it, e);
	if (st == ST_OK)
		st = bundled_companions(it, b, e);
	d->companions = b->companions;
	d->n_companions = b->n_companions;
	d->signatures = b->signatures;
	d->n_signatures = b->n_signatures;
	return st;
}

void bundled_free(struct bundled *b)
{
	for (size_t i = 0; i < b->n_signatures; i++) {
		free(b->texts[2 * i]);
		free(b->texts[2 * i + 1]);
		buf_free(&b->values[i]);
	}
	bundled_companions_free(b);
	free(b->texts);
	free(b->values);
	free(b->signatures);
	free(b->events);
	free(b->name);
	json_decref(b->fields);
}
