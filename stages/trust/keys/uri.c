#include "stages/trust/keys/uri.h"

#include <stdbool.h>
#include <string.h>

/* One row an attribute: where it goes. Vendor attributes ("x-…") and those that choose slots or libraries have no row: a slot's
 * number changes from boot to boot. */
static const struct attribute {
	const char *name;
	size_t at, room;
	bool query;
} attributes[] = {
#define ROW(name, field, query)                                                                                                  \
	{                                                                                                                        \
		name, offsetof(struct key_uri, field), sizeof((struct key_uri *)0)->field, query                                 \
	}
    ROW("token", token, false),
    ROW("manufacturer", manufacturer, false),
    ROW("serial", serial, false),
    ROW("model", model, false),
    ROW("object", object, false),
    ROW("id", id, false),
    ROW("type", type, false),
    ROW("module-path", module_path, true),
    ROW("module-name", module_name, true),
    ROW("pin-source", pin_source, true),
#undef ROW
};
#define N_ATTRIBUTES (sizeof attributes / sizeof attributes[0])

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 7512, 2.3: pk11-pchar, pk11-qchar. */
static bool char_allowed(char c, bool query)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return true;
	return c != '\0' && strchr(query ? "-._~:[]@!$'()*+,=/?|" : "-._~:[]@!$'()*+,=&", c) != NULL;
}

/* Decodes percent signs; returns the number of bytes, or -1. */
static int decode(const char *text, size_t n, bool query, uint8_t *to, size_t room)
{
	size_t out = 0;
	for (size_t i = 0; i < n; i++) {
		int value = (uint8_t)text[i];
		if (text[i] == '%') {
			int high = n - i > 2 ? hex_digit(text[i + 1]) : -1;
			int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
			if (low < 0)
				return -1;
			value = high * 16 + low;
			i += 2;
		} else if (!char_allowed(text[i], query)) {
			return -1;
		}
		if (out == room)
			return -1;
		to[out++] = (uint8_t)value;
	}
	return (int)out;
}

static enum status bad(struct err *e, const char *why, const char *name, size_t n)
{
	return err_set(e, ST_RUN, "key-uri", "%s: %.*s", why, (int)(n > 64 ? 64 : n), name);
}

static enum status attribute_read(struct key_uri *u, const char *text, size_t n, bool query, unsigned *seen, struct err *e)
{
	const char *equals = memchr(text, '=', n);
	if (equals == NULL)
		return bad(e, "an attribute without a value", text, n);
	size_t name_n = (size_t)(equals - text), value_n = n - name_n - 1;
	if (name_n == 9 && memcmp(text, "pin-value", 9) == 0)
		return err_set(e, ST_RUN, "key-uri",
		               "a PIN does not belong into a URI: pin-source=file:… names where it is kept");
	for (size_t i = 0; i < N_ATTRIBUTES; i++) {
		const struct attribute *a = &attributes[i];
		if (a->query != query || strlen(a->name) != name_n || memcmp(a->name, text, name_n) != 0)
			continue;
		if ((*seen & 1u << i) != 0)
			return bad(e, "an attribute twice", text, name_n);
		*seen |= 1u << i;
		bool is_id = a->at == offsetof(struct key_uri, id);
		uint8_t *to = (uint8_t *)u + a->at;
		/* An identifier is bytes; the others are texts, with room for the zero that *u has already. */
		int got = decode(equals + 1, value_n, query, to, is_id ? a->room : a->room - 1);
		if (got <= 0 || (!is_id && memchr(to, 0, (size_t)got) != NULL))
			return bad(e, "a value that is empty, too long or badly written", text, name_n);
		if (is_id)
			u->id_n = (size_t)got;
		return ST_OK;
	}
	return bad(e, "an attribute that is not known here", text, name_n);
}

static enum status attributes_read(struct key_uri *u, const char *text, size_t n, bool query, unsigned *seen, struct err *e)
{
	char separator = query ? '&' : ';';
	for (size_t at = 0; n > 0 && at <= n;) {
		const char *end = memchr(text + at, separator, n - at);
		size_t length = end == NULL ? n - at : (size_t)(end - text) - at;
		enum status st = attribute_read(u, text + at, length, query, seen, e);
		if (st != ST_OK)
			return st;
		at += length + 1;
	}
	return ST_OK;
}

static enum status pin_source_check(struct key_uri *u, struct err *e)
{
	if (u->pin_source[0] == '|')
		return err_set(e, ST_RUN, "key-pin-source", "the PIN's source is a program; only a file is allowed");
	if (strncmp(u->pin_source, "file:", 5) == 0) {
		const char *path = u->pin_source + 5;
		if (strncmp(path, "//localhost/", 12) == 0)
			path += 11;
		else if (strncmp(path, "///", 3) == 0)
			path += 2;
		memmove(u->pin_source, path, strlen(path) + 1);
	}
	if (u->pin_source[0] != '\0' && (u->pin_source[0] != '/' || u->pin_source[1] == '/'))
		return err_set(e, ST_RUN, "key-pin-source", "the PIN's source is not an absolute path");
	return ST_OK;
}

enum status key_uri_parse(const char *text, struct key_uri *ret_uri, struct err *e)
{
	struct key_uri u = {0};
	unsigned seen = 0;
	if (strncmp(text, "pkcs11:", 7) != 0)
		return err_set(e, ST_RUN, "key-uri", "it does not begin with pkcs11:");
	const char *path = text + 7, *mark = strchr(path, '?');
	enum status st = attributes_read(&u, path, mark == NULL ? strlen(path) : (size_t)(mark - path), false, &seen, e);
	if (st == ST_OK && mark != NULL)
		st = attributes_read(&u, mark + 1, strlen(mark + 1), true, &seen, e);
	if (st == ST_OK)
		st = pin_source_check(&u, e);
	if (st != ST_OK)
		return st;
	if (u.type[0] != '\0' && strcmp(u.type, "private") != 0)
		return err_set(e, ST_RUN, "key-uri", "type=%s: only a private key can sign", u.type);
	if ((u.module_path[0] == '\0') == (u.module_name[0] == '\0'))
		return err_set(e, ST_RUN, "key-uri", "one of module-path and module-name is needed");
	if (u.module_path[0] != '\0' && u.module_path[0] != '/')
		return err_set(e, ST_RUN, "key-uri", "module-path is not absolute");
	if (strpbrk(u.module_name, "/\\") != NULL)
		return err_set(e, ST_RUN, "key-uri", "module-name is a path");
	if (u.object[0] == '\0' && u.id_n == 0)
		return err_set(e, ST_RUN, "key-uri", "neither object nor id names the key");
	*ret_uri = u;
	return ST_OK;
}
