#include "pipeline/glance.h"

#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"

#define FIELDS_MOST 64 /* of an object; comparing each with each stays cheap */

/* Where reading is. Once something is not as expected, nothing is read any more. */
struct look {
	const uint8_t *at, *end;
	bool odd;
};

/* Takes the text where it stands here. */
static bool take(struct look *l, const char *text)
{
	size_t n = strlen(text);
	if (l->odd || (size_t)(l->end - l->at) < n || memcmp(l->at, text, n) != 0)
		return false;
	l->at += n;
	return true;
}

static void must(struct look *l, const char *text)
{
	l->odd = !take(l, text);
}

/* Whether each string of a line is what stands between its quotes: valid UTF-8, no escapes, no control characters. */
static bool plain(const uint8_t *p, size_t n)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	uint64_t low = 0; /* the highest bit of a byte: one below 0x20 has been seen */
	size_t i = 0;
	for (uint64_t eight; n - i >= sizeof eight; i += sizeof eight) {
		memcpy(&eight, p + i, sizeof eight);
		low |= (eight - each * 0x20) & ~eight;
	}
	bool control = (low & each * 0x80) != 0;
	for (; i < n; i++)
		control |= p[i] < 0x20;
	return !control && memchr(p, '\\', n) == NULL && utf8_valid((const char *)p, n);
}

/* A string in a plain line. */
static struct bytes string(struct look *l)
{
	must(l, "\"");
	const uint8_t *from = l->at, *end = l->odd ? NULL : memchr(from, '"', (size_t)(l->end - from));
	l->odd = end == NULL;
	if (l->odd)
		return (struct bytes){from, 0};
	l->at = end + 1;
	return (struct bytes){from, (size_t)(end - from)};
}

/* A count of at most 15 digits. */
static int64_t number(struct look *l)
{
	int64_t value = 0;
	const uint8_t *from = l->at;
	while (!l->odd && l->at < l->end && *l->at >= '0' && *l->at <= '9' && l->at - from < 16)
		value = value * 10 + (*l->at++ - '0');
	size_t n = (size_t)(l->at - from);
	l->odd = l->odd || n == 0 || n > 15 || (n > 1 && *from == '0');
	return value;
}

/* An object of strings. */
static void strings(struct look *l)
{
	struct bytes name[FIELDS_MOST];
	size_t n = 0;
	must(l, "{");
	do {
		if (n == FIELDS_MOST) {
			l->odd = true;
			return;
		}
		name[n] = string(l);
		must(l, ":");
		string(l);
		for (size_t i = 0; i < n; i++)
			l->odd = l->odd || bytes_equal(name[i], name[n]);
		n++;
	} while (take(l, ","));
	must(l, "}");
}

struct file {
	struct bytes path, sha256;
	int64_t size;
};

/* {"path":"…","size":1,"sha256":"…","format":"…"}, the last one optional. */
static struct file file(struct look *l)
{
	struct file f;
	must(l, "{\"path\":");
	f.path = string(l);
	must(l, ",\"size\":");
	f.size = number(l);
	must(l, ",\"sha256\":");
	f.sha256 = string(l);
	l->odd = l->odd || f.sha256.n > 64;
	if (take(l, ",\"format\":"))
		string(l);
	must(l, "}");
	return f;
}

static enum item_kind kind(struct look *l)
{
	struct bytes name = string(l);
	for (unsigned i = 0; i < ITEM_PACKAGE; i++)
		if (strlen(item_kind_name(i)) == name.n && memcmp(item_kind_name(i), name.p, name.n) == 0)
			return i;
	l->odd = true;
	return ITEM_PAPER;
}

static struct bytes since(const struct look *l, const uint8_t *from)
{
	return (struct bytes){from, (size_t)(l->at - from)};
}

static void head(struct look *l, struct glance *g)
{
	must(l, "{\"kind\":");
	g->kind = kind(l);
	must(l, ",\"id\":");
	g->id = string(l);
	must(l, ",");
	if (take(l, "\"dossier\":")) {
		g->dossier = string(l);
		must(l, ",");
	}
	const uint8_t *size = l->at;
	if (take(l, "\"dossier_size\":")) {
		int64_t n = number(l);
		must(l, ",");
		l->odd = l->odd || n == 0 || n > UINT32_MAX;
		g->dossier_size = n;
		g->size_member = since(l, size);
	}
	if (take(l, "\"fonds\":")) {
		g->fonds = string(l);
		must(l, ",");
	}
	if (take(l, "\"name\":")) {
		string(l);
		must(l, ",");
	}
	if (take(l, "\"path\":")) {
		string(l);
		must(l, ",");
	}
	if (take(l, "\"sources\":[")) {
		const uint8_t *sources = l->at;
		do {
			file(l);
			g->n_sources++;
		} while (take(l, ","));
		g->sources = since(l, sources);
		must(l, "],");
	}
	if (take(l, "\"description\":")) {
		strings(l);
		must(l, ",");
	}
	if (take(l, "\"dossier_description\":")) {
		strings(l);
		must(l, ",");
	}
}

bool item_glance(struct bytes line, struct glance *ret)
{
	struct look l = {line.p, line.p + line.n, line.n == 0 || !plain(line.p, line.n - 1)};
	struct glance g = {0};
	head(&l, &g);
	g.head = since(&l, line.p);
	if (take(&l, "\"artefact\":")) {
		g.artefact = file(&l).path;
		must(&l, ",");
	}
	const uint8_t *events = l.at;
	if (take(&l, "\"events\":[")) {
		do
			strings(&l);
		while (take(&l, ","));
		must(&l, "],");
		g.events_member = since(&l, events);
	}
	must(&l, "\"state\":\"ok\"");
	if (take(&l, ",\"pages\":"))
		g.pages = number(&l);
	must(&l, "}\n");
	if (l.odd || l.at != l.end)
		return false;
	*ret = g;
	return true;
}

static char *copy(struct bytes text)
{
	return text.p == NULL ? NULL : strndup((const char *)text.p, text.n);
}

struct item *glance_item(const struct glance *g)
{
	struct item *it = item_new();
	if (it == NULL)
		return NULL;
	it->kind = g->kind;
	it->id = copy(g->id);
	it->dossier = copy(g->dossier);
	it->fonds = copy(g->fonds);
	it->dossier_size = (uint32_t)g->dossier_size;
	bool whole = it->id != NULL && (it->dossier == NULL) == (g->dossier.p == NULL) &&
	             (it->fonds == NULL) == (g->fonds.p == NULL);
	struct look l = {g->sources.p, g->sources.p + g->sources.n, !whole};
	for (uint32_t i = 0; i < g->n_sources && whole; i++) {
		struct file f = file(&l);
		char digest[65], *path = copy(f.path);
		memcpy(digest, f.sha256.p, f.sha256.n);
		digest[f.sha256.n] = '\0';
		whole = path != NULL;
		if (whole)
			item_add_source(it, path, f.size, digest);
		free(path);
		take(&l, ",");
	}
	if (!whole) {
		item_free(it);
		return NULL;
	}
	if (g->pages > 0)
		json_object_set_new(it->other, "pages", json_integer(g->pages));
	return it;
}

bool glance_same_head(const struct glance *a, struct bytes b)
{
	static const char *const next[] = {"\"artefact\":", "\"companions\":", "\"events\":", "\"state\":"};
	if (b.n < a->head.n || memcmp(a->head.p, b.p, a->head.n) != 0)
		return false;
	struct look rest = {b.p + a->head.n, b.p + b.n, false};
	for (size_t i = 0; i < sizeof next / sizeof next[0]; i++)
		if (take(&rest, next[i]))
			return true;
	return false;
}
