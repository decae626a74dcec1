#include "pipeline/glance.h"

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

/* A string without escapes: what stands between the quotes. */
static struct bytes string(struct look *l)
{
	bool ascii = true;
	must(l, "\"");
	const uint8_t *from = l->at;
	while (!l->odd && l->at < l->end && *l->at != '"') {
		l->odd = *l->at < 0x20 || *l->at == '\\';
		ascii &= *l->at < 0x80;
		l->at++;
	}
	struct bytes text = {from, (size_t)(l->at - from)};
	must(l, "\"");
	l->odd = l->odd || (!ascii && !utf8_valid((const char *)text.p, text.n));
	return text;
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

/* {"path":"…","size":1,"sha256":"…","format":"…"}, the last one optional; its path. */
static struct bytes file(struct look *l)
{
	must(l, "{\"path\":");
	struct bytes path = string(l);
	must(l, ",\"size\":");
	number(l);
	must(l, ",\"sha256\":");
	l->odd = string(l).n > 64 || l->odd;
	if (take(l, ",\"format\":"))
		string(l);
	must(l, "}");
	return path;
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
		do {
			file(l);
			g->n_sources++;
		} while (take(l, ","));
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
	struct look l = {line.p, line.p + line.n, false};
	struct glance g = {0};
	head(&l, &g);
	g.head = since(&l, line.p);
	if (take(&l, "\"artefact\":")) {
		g.artefact = file(&l);
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
