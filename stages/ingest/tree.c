/* Folders, and the documents in them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/file.h"
#include "stages/base/text.h"
#include "stages/ingest/internal.h"

/* What programs leave behind in folders: no part of any document. */
static bool left_behind(const char *name)
{
	static const char *const names[] = {"Thumbs.db", "desktop.ini", "ehthumbs.db"};
	if (name[0] == '.' || strncmp(name, "~$", 2) == 0)
		return true;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcasecmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* Takes what the profile's patterns say of unfinished files off a name: "a.tif.part" will be "a.tif". */
static bool take_unfinished(const struct profile_ingest *p, char *name)
{
	for (unsigned i = 0; i < p->unfinished_count; i++) {
		if (fnmatch(p->unfinished[i], name, FNM_CASEFOLD) != 0)
			continue;
		char *end = strrchr(name, '.');
		if (end != NULL && end > name)
			*end = 0;
		return true;
	}
	return false;
}

/* The file that an office program's lock file stands for: ".~lock.NAME#" (LibreOffice), "~$NAME" (Excel; Word leaves the first two
 * bytes of a long name out). */
static bool locks(const char *lock, const char *name)
{
	size_t n = strlen(name);
	if (strncmp(lock, ".~lock.", 7) == 0)
		return strncmp(lock + 7, name, n) == 0 && strcmp(lock + 7 + n, "#") == 0;
	return strncmp(lock, "~$", 2) == 0 && (strcmp(lock + 2, name) == 0 || (n > 2 && strcmp(lock + 2, name + 2) == 0));
}

static void add_lock(struct names *locks_found, const char *name)
{
	if (strncmp(name, ".~lock.", 7) != 0 && strncmp(name, "~$", 2) != 0)
		return;
	locks_found->v = must(reallocarray(locks_found->v, locks_found->n + 1, sizeof *locks_found->v));
	locks_found->v[locks_found->n++] = (struct name){.name = must(strdup(name))};
}

/* "a.tif" beside "a.tif.part" is one file, and unfinished. */
static void join_unfinished(struct names *n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n->n; i++) {
		if (kept > 0 && strcmp(n->v[kept - 1].name, n->v[i].name) == 0) {
			n->v[kept - 1].unfinished = true;
			free(n->v[i].name);
		} else {
			n->v[kept++] = n->v[i];
		}
	}
	n->n = kept;
}

int natural_compare(const char *a, const char *b)
{
	const char *whole_a = a, *whole_b = b;
	while (*a != 0 && *b != 0) {
		size_t na = strspn(a, "0123456789"), nb = strspn(b, "0123456789");
		if (na > 0 && nb > 0) {
			size_t za = strspn(a, "0"), zb = strspn(b, "0");
			za = za < na ? za : na;
			zb = zb < nb ? zb : nb;
			if (na - za != nb - zb)
				return na - za < nb - zb ? -1 : 1;
			int order = memcmp(a + za, b + zb, na - za);
			if (order != 0)
				return order;
			a += na;
			b += nb;
		} else if (*a != *b) {
			return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
		} else {
			a++;
			b++;
		}
	}
	return *a != *b ? (*a != 0) - (*b != 0) : strcmp(whole_a, whole_b);
}

static int by_name(const void *a, const void *b)
{
	return natural_compare(((const struct name *)a)->name, ((const struct name *)b)->name);
}

enum status names_read(const char *folder, const struct profile_ingest *p, struct names *ret_names, struct err *e)
{
	DIR *dir = opendir(folder);
	struct names n = {0}, locked = {0};
	enum status st = ST_OK;
	const struct dirent *d;
	if (dir == NULL)
		return err_errno(e, "open", folder);
	while (errno = 0, (d = readdir(dir)) != NULL) {
		struct stat s;
		add_lock(&locked, d->d_name);
		if (left_behind(d->d_name))
			continue;
		if (fstatat(dirfd(dir), d->d_name, &s, AT_SYMLINK_NOFOLLOW) != 0) {
			st = err_errno(e, "read", folder);
			break;
		}
		n.v = must(reallocarray(n.v, n.n + 1, sizeof *n.v));
		struct name *one = &n.v[n.n++];
		*one = (struct name){.name = must(strdup(d->d_name)),
		                     .mode = s.st_mode,
		                     .size = s.st_size,
		                     .changed_ns = (int64_t)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec};
		one->unfinished = S_ISREG(s.st_mode) && take_unfinished(p, one->name);
	}
	if (st == ST_OK && d == NULL && errno != 0)
		st = err_errno(e, "read", folder);
	closedir(dir);
	for (size_t i = 0; i < n.n; i++)
		for (size_t k = 0; k < locked.n; k++)
			n.v[i].unfinished = n.v[i].unfinished || locks(locked.v[k].name, n.v[i].name);
	names_free(&locked);
	if (st != ST_OK) {
		names_free(&n);
		return st;
	}
	if (n.n > 0)
		qsort(n.v, n.n, sizeof *n.v, by_name);
	join_unfinished(&n);
	*ret_names = n;
	return ST_OK;
}

void names_free(struct names *n)
{
	for (size_t i = 0; i < n->n; i++)
		free(n->v[i].name);
	free(n->v);
	*n = (struct names){0};
}

void document_fault(struct document *d, const char *code, const char *name)
{
	if (d->fault.code[0] != 0)
		return;
	err_set(&d->fault, ST_ITEM, code, "%s: %s", d->rel, name);
	err_arg(&d->fault, "%s", name);
	err_where(&d->fault, "%s", d->rel);
}

static bool controls(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

char *name_shown(const char *text, const char **ret_code)
{
	BUF_AUTO struct buf b = BUF_INIT(1 << 20);
	bool wrong = !utf8_valid(text, strlen(text)), control = false;
	buf_str(&b, "");
	for (const char *at = text; *at != 0;) {
		const char *from = at;
		uint32_t c = wrong ? (unsigned char)*at++ : utf8_next(&at);
		if (controls(c) || (wrong && c >= 0x80)) {
			control = true;
			for (; from < at; from++)
				buf_format(&b, "%%%02X", (unsigned)(unsigned char)*from);
		} else {
			buf_add(&b, from, (size_t)(at - from));
		}
	}
	if (ret_code != NULL)
		*ret_code = wrong ? "layout-name" : control ? "layout-control" : NULL;
	must(b.failed ? NULL : b.data);
	return must(utf8_nfc((const char *)b.data));
}

static void add_page(struct document *d, const char *path, const struct name *name)
{
	const char *code;
	char *shown = name_shown(name->name, &code);
	if (code != NULL)
		document_fault(d, code, shown);
	else if (S_ISLNK(name->mode))
		document_fault(d, "layout-link", shown);
	else if (S_ISDIR(name->mode))
		document_fault(d, "layout-depth", shown);
	else if (!S_ISREG(name->mode))
		document_fault(d, "layout-special", shown);
	else if (name->size == 0)
		document_fault(d, "file-empty", shown);
	free(shown);
	if (!S_ISREG(name->mode) || !utf8_valid(path, strlen(path)))
		return; /* the latter cannot stand in a record */
	d->pages = must(reallocarray(d->pages, d->n_pages + 1, sizeof *d->pages));
	d->pages[d->n_pages++] = (struct page){.path = must(strdup(path)), .size = name->size, .changed_ns = name->changed_ns};
	d->unfinished = d->unfinished || name->unfinished;
}

enum status document_add(struct documents *to, const char *path, const char *rel, const struct name *name, struct err *e)
{
	struct names pages = {0};
	struct err inner;
	to->v = must(reallocarray(to->v, to->n + 1, sizeof *to->v));
	struct document *d = &to->v[to->n++];
	const char *code;
	*d = (struct document){.rel = name_shown(rel, &code), .folder = S_ISDIR(name->mode)};
	d->stem = must(strdup(d->rel));
	if (code != NULL)
		document_fault(d, code, d->rel);
	if (!d->folder) {
		const char *extension = path_extension(d->rel);
		if (*extension != 0)
			d->stem[extension - d->rel - 1] = 0;
		add_page(d, path, name);
		return ST_OK;
	}
	enum status st = names_read(path, to->profile, &pages, &inner);
	if (st == ST_RETRY) {
		*e = inner;
		return st;
	}
	if (st != ST_OK)
		d->fault = inner;
	else if (pages.n == 0)
		document_fault(d, "layout-empty", d->rel);
	for (size_t i = 0; i < pages.n; i++) {
		char *page = must(path_join(path, pages.v[i].name));
		add_page(d, page, &pages.v[i]);
		free(page);
	}
	names_free(&pages);
	return ST_OK;
}

enum item_kind kind_by_name(const char *name)
{
	static const char *const media[] = {"mp3", "wma", "wav", "flac", "ogg", "m4a", "mp4",
	                                    "m4v", "mov", "avi", "wmv",  "mkv", "mpg", "mpeg"};
	const char *extension = path_extension(name);
	if (strcasecmp(extension, "pdf") == 0)
		return ITEM_RECEIVED;
	for (size_t i = 0; i < sizeof media / sizeof *media; i++)
		if (strcasecmp(extension, media[i]) == 0)
			return ITEM_MEDIA;
	return ITEM_PAPER;
}

enum item_kind document_kind(const struct document *d)
{
	return d != NULL && d->n_pages == 1 ? kind_by_name(d->pages[0].path) : ITEM_PAPER;
}

void documents_free(struct documents *d)
{
	for (size_t i = 0; i < d->n; i++) {
		for (size_t k = 0; k < d->v[i].n_pages; k++)
			free(d->v[i].pages[k].path);
		free(d->v[i].pages);
		free(d->v[i].rel);
		free(d->v[i].stem);
	}
	free(d->v);
	*d = (struct documents){0};
}

struct scan {
	const struct profile_ingest *profile;
	bool (*named)(void *arg, const char *rel);
	void *arg;
	struct documents *to;
};

bool is_spreadsheet(const struct profile_ingest *p, const char *name)
{
	for (unsigned i = 0; i < p->spreadsheets_count; i++) {
		if (strcasecmp(p->spreadsheets[i], name) == 0)
			return true;
	}
	return false;
}

/* depth 0: the fonds; a folder in a folder of depth 2 is a document. */
static enum status scan_folder(const struct scan *s, const char *folder, const char *rel, unsigned depth, struct err *e)
{
	struct names names;
	struct err inner;
	enum status st = names_read(folder, s->profile, &names, &inner);
	if (st == ST_ITEM && depth > 0) { /* one unreadable folder stops nothing else, and is told of */
		struct name closed = {.name = (char *)path_name(rel), .mode = S_IFDIR};
		return document_add(s->to, folder, rel, &closed, e);
	}
	if (st != ST_OK) {
		*e = inner;
		return st;
	}
	for (size_t i = 0; i < names.n && st == ST_OK; i++) {
		const struct name *n = &names.v[i];
		char *path = must(path_join(folder, n->name));
		char *below = depth == 0 ? must(strdup(n->name)) : must(path_join(rel, n->name));
		if (depth == 0 && S_ISREG(n->mode) && is_spreadsheet(s->profile, n->name))
			;
		else if (S_ISDIR(n->mode) && depth < 2 && !s->named(s->arg, below))
			st = scan_folder(s, path, below, depth + 1, e);
		else
			st = document_add(s->to, path, below, n, e);
		free(path);
		free(below);
	}
	names_free(&names);
	return st;
}

enum status documents_scan(const char *fonds, const struct profile_ingest *p, bool (*named)(void *arg, const char *rel),
                           void *arg, struct documents *to, struct err *e)
{
	to->profile = p;
	struct scan s = {.profile = p, .named = named, .arg = arg, .to = to};
	return scan_folder(&s, fonds, "", 0, e);
}
