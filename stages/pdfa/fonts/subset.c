/* What a descriptor says of the glyphs in a subset: CharSet and CIDSet (ISO 32000-1, 9.8.1, 9.8.3). */
#include <stdlib.h>
#include <string.h>

#include "stages/pdfa/fonts/facts.h"

#define NAME_MAX_BYTES 128
#define NAMES_MAX ((size_t)1 << 24) /* bytes of all names of a font */

struct names {
	struct buf text; /* the names, each with its end */
	const char **name;
	size_t n;
};

static int by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

/* Sorts what was put into `text`, each name once. False: no memory. */
static bool names_sort(struct names *s, size_t n)
{
	s->name = calloc(n + 1, sizeof *s->name);
	if (s->name == NULL || s->text.failed)
		return false;
	const char *at = (const char *)s->text.data;
	for (size_t i = 0; i < n; i++, at += strlen(at) + 1)
		s->name[i] = at;
	if (n > 0)
		qsort(s->name, n, sizeof *s->name, by_text);
	for (size_t i = 0; i < n; i++)
		if (s->n == 0 || strcmp(s->name[s->n - 1], s->name[i]) != 0)
			s->name[s->n++] = s->name[i];
	return true;
}

static void names_free(struct names *s)
{
	buf_free(&s->text);
	free(s->name);
}

static void add_name(struct names *s, const char *name, size_t *n)
{
	if (strcmp(name, ".notdef") == 0)
		return;
	buf_add(&s->text, name, strlen(name) + 1);
	(*n)++;
}

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool regular(uint8_t c)
{
	return c > ' ' && strchr("()<>[]{}/%", c) == NULL;
}

/* The next name of "/space/A/B". False: none is left. */
static bool next_name(struct bytes in, size_t *at, char name[static NAME_MAX_BYTES])
{
	size_t length = 0;
	while (*at < in.n && in.p[*at] != '/')
		++*at;
	if (*at >= in.n)
		return false;
	for (++*at; *at < in.n && regular(in.p[*at]); ++*at) {
		uint8_t byte = in.p[*at];
		if (byte == '#' && *at + 2 < in.n && digit(in.p[*at + 1]) >= 0 && digit(in.p[*at + 2]) >= 0) {
			byte = (uint8_t)(digit(in.p[*at + 1]) << 4 | digit(in.p[*at + 2]));
			*at += 2;
		}
		if (length + 1 < NAME_MAX_BYTES)
			name[length++] = (char)byte;
	}
	name[length] = '\0';
	return true;
}

static bool descriptor_names(struct bytes in, struct names *to)
{
	char name[NAME_MAX_BYTES];
	size_t n = 0;
	for (size_t at = 0; next_name(in, &at, name);)
		add_name(to, name, &n);
	return names_sort(to, n);
}

bool charset_lists(const struct font *f, const char *wanted)
{
	struct bytes in = {f->simple->charset.data, f->simple->charset.len};
	char name[NAME_MAX_BYTES];
	if (strcmp(wanted, ".notdef") == 0)
		return true;
	for (size_t at = 0; next_name(in, &at, name);)
		if (strcmp(name, wanted) == 0)
			return true;
	return false;
}

static bool program_names(const struct program *p, struct names *to)
{
	size_t n = 0;
	for (uint32_t i = 0; i < program_glyphs(p); i++) {
		char name[NAME_MAX_BYTES];
		if (program_name(p, i, name, sizeof name))
			add_name(to, name, &n);
	}
	return names_sort(to, n);
}

bool charset_lists_all(const struct font *f)
{
	struct bytes charset = {f->simple->charset.data, f->simple->charset.len};
	struct names a = {.text = BUF_INIT(NAMES_MAX)}, b = {.text = BUF_INIT(NAMES_MAX)};
	bool same = descriptor_names(charset, &a) && program_names(f->program, &b) && a.n == b.n;
	for (size_t i = 0; same && i < a.n; i++)
		same = strcmp(a.name[i], b.name[i]) == 0;
	names_free(&a);
	names_free(&b);
	return same;
}

bool cid_in_set(const struct composite *t, uint32_t cid)
{
	return cid / 8 < t->cid_set.len && (t->cid_set.data[cid / 8] & 0x80u >> cid % 8) != 0;
}

/* The glyph of a CID in a CIDFontType2 (9.7.4.2); false: the map does not reach it. */
static bool mapped(const struct composite *t, uint32_t cid, uint32_t *ret_glyph)
{
	*ret_glyph = cid;
	if (!t->has_gids)
		return true;
	size_t at = (size_t)cid * 2;
	*ret_glyph = 0;
	if (at + 1 >= t->gids.len)
		return false;
	*ret_glyph = (uint32_t)t->gids.data[at] << 8 | t->gids.data[at + 1];
	return true;
}

bool cid_in_program(const struct font *f, uint32_t cid)
{
	uint32_t glyph;
	if (cid == 0)
		return false;
	if (f->composite->type2 && program_sfnt(f->program))
		return mapped(f->composite, cid, &glyph) && glyph < program_glyphs(f->program);
	glyph = program_of_cid(f->program, cid);
	return glyph != PROGRAM_NO_GLYPH && glyph != 0;
}

bool cid_set_lists_all(const struct font *f)
{
	const struct composite *t = f->composite;
	if (f->program == NULL)
		return false;
	for (uint32_t cid = 1; cid < t->cid_set.len * 8; cid++)
		if (cid_in_set(t, cid) && !cid_in_program(f, cid))
			return false;
	bool truetype = t->type2 && program_sfnt(f->program);
	uint32_t n = !truetype     ? program_glyphs(f->program)
	             : t->has_gids ? (uint32_t)(t->gids.len / 2)
	                           : program_metrics(f->program);
	for (uint32_t i = 1; i < n; i++) {
		uint32_t cid = truetype ? i : program_cid(f->program, i);
		if (cid != 0 && !cid_in_set(t, cid) && cid_in_program(f, cid))
			return false;
	}
	return true;
}
