#include "stages/sign/use.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stages/base/digest.h"
#include "stages/base/file.h"
#include "stages/base/text.h"

#define NOTE_MAX (4u << 20)
#define DISCARDED_MOST 1000

static enum status no_memory(struct err *e)
{
	return err_set(e, ST_RETRY, "memory", "no memory for the note of a key's use");
}

static bool take_text(const json_t *from, const char *name, char *to, size_t room)
{
	const char *text = json_string_value(json_object_get(from, name));
	return text != NULL && (size_t)snprintf(to, room, "%s", text) < room;
}

static bool take_hex(const json_t *from, const char *name, struct buf *to)
{
	const char *text = json_string_value(json_object_get(from, name));
	if (text == NULL || strlen(text) % 2 != 0)
		return false;
	for (; *text != '\0'; text += 2) {
		char pair[3] = {text[0], text[1], '\0'}, *end;
		unsigned long byte = strtoul(pair, &end, 16);
		if (end != pair + 2 || pair[0] == '+' || pair[0] == '-' || pair[0] == ' ')
			return false;
		buf_byte(to, (uint8_t)byte);
	}
	return !to->failed;
}

static bool read_note(const json_t *from, struct key_use *u)
{
	json_t *discarded = json_object_get(from, "discarded");
	if (!json_is_array(discarded) || json_array_size(discarded) > DISCARDED_MOST)
		return false;
	json_decref(u->discarded);
	u->discarded = json_incref(discarded);
	u->used_ms = json_integer_value(json_object_get(from, "used"));
	if (u->used_ms == 0)
		return true;
	json_int_t room = json_integer_value(json_object_get(from, "room"));
	u->time_ms = json_integer_value(json_object_get(from, "time"));
	u->room = room > 0 ? (size_t)room : 0;
	return u->used_ms > 0 && room > 0 && room < USE_CMS_MAX && take_text(from, "input", u->input, sizeof u->input) &&
	       take_text(from, "digest", u->digest, sizeof u->digest) && take_text(from, "serial", u->serial, sizeof u->serial) &&
	       take_hex(from, "cms", &u->cms);
}

enum status use_open(char *path, struct key_use *ret_use, struct err *e)
{
	struct key_use u = {.path = path, .cms = BUF_INIT(USE_CMS_MAX), .discarded = json_array()};
	BUF_AUTO struct buf text = BUF_INIT(NOTE_MAX);
	enum status st = path == NULL || u.discarded == NULL ? no_memory(e) : ST_OK;
	if (st == ST_OK && access(path, F_OK) == 0) {
		json_t *from = NULL;
		if (file_read(path, &text, NULL) == ST_OK)
			from = json_loadb((const char *)text.data, text.len, 0, NULL);
		if (!read_note(from, &u)) {
			u.used_ms = 1;
			use_discard(&u, "its note cannot be read");
		}
		json_decref(from);
	}
	if (st != ST_OK) {
		use_free(&u);
		return st;
	}
	*ret_use = u;
	return ST_OK;
}

void use_free(struct key_use *u)
{
	buf_free(&u->cms);
	json_decref(u->discarded);
	free(u->path);
	*u = (struct key_use){0};
}

enum status use_save(const struct key_use *u, struct err *e)
{
	char *cms = calloc(2, u->cms.len + 1);
	if (cms == NULL)
		return no_memory(e);
	hex_lower(u->cms.data, u->cms.len, cms);
	json_t *note = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:O}", "input", u->input, "digest", u->digest, "serial",
	                         u->serial, "used", (json_int_t)u->used_ms, "time", (json_int_t)u->time_ms, "room",
	                         (json_int_t)u->room, "cms", cms, "discarded", u->discarded);
	char *text = note == NULL ? NULL : json_dumps(note, JSON_COMPACT);
	enum status st = text == NULL ? no_memory(e) : file_write(u->path, text, strlen(text), e);
	free(text);
	json_decref(note);
	free(cms);
	return st;
}

void use_undo(struct key_use *u)
{
	u->used_ms = 0;
	buf_reset(&u->cms);
}

void use_discard(struct key_use *u, const char *reason)
{
	if (u->used_ms == 0)
		return;
	json_array_append_new(u->discarded, json_pack("{s:I, s:s, s:s, s:s}", "used", (json_int_t)u->used_ms, "digest", u->digest,
	                                              "serial", u->serial, "reason", reason));
	use_undo(u);
}

void use_tell(const struct key_use *u, struct item *it, int64_t now_ms)
{
	size_t i;
	json_t *one;
	json_array_foreach (u->discarded, i, one) {
		const char *digest = json_string_value(json_object_get(one, "digest"));
		const char *serial = json_string_value(json_object_get(one, "serial"));
		const char *reason = json_string_value(json_object_get(one, "reason"));
		char time[TIME_TEXT];
		time_iso8601(json_integer_value(json_object_get(one, "used")), 0, false, time);
		item_add_event(it, now_ms, "digital signature generation", "failure",
		               "a use of the key was discarded: %s; used %s, certificate %s, digest %s",
		               reason != NULL ? reason : "", time, serial != NULL ? serial : "", digest != NULL ? digest : "");
	}
}
