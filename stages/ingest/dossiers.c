/* The layout fonds/box/file/document: rows find their documents, and documents are handed on dossier by dossier. */
#include <stdlib.h>
#include <string.h>

#include "stages/base/file.h"
#include "stages/base/text.h"
#include "stages/ingest/internal.h"

enum { NAME_LIMIT = 200 };

/* A document, a row, or both. */
struct entry {
	char *dossier;
	const struct document *document; /* NULL: a row without a file */
	const struct row *row;           /* NULL: a document without a row */
};

struct fonds {
	struct ingest *in;
	const struct profile_ingest *profile;
	char *name; /* as it stands in records */
	char *path;
	bool whole; /* none of its dossiers has had its turn yet */
	struct tables tables;
	struct documents documents;
	struct err fault; /* of the spreadsheet: it is every document's */
	char **named;     /* paths that rows give, sorted */
	size_t n_named;
	struct entry *entries;
	size_t n_entries;
};

/* A text by which a document is found. */
struct key {
	char *text;
	size_t document;
};
struct keys {
	struct key *v;
	size_t n;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct key *)a)->text, ((const struct key *)b)->text);
}

static bool is_named(void *arg, const char *rel)
{
	const struct fonds *f = arg;
	char *nfc = utf8_nfc(rel);
	bool found = nfc != NULL && f->n_named > 0 && bsearch(&nfc, f->named, f->n_named, sizeof *f->named, by_text) != NULL;
	free(nfc);
	return found;
}

static void list_named(struct fonds *f)
{
	f->named = must(reallocarray(NULL, f->tables.n_rows + 1, sizeof *f->named));
	for (size_t i = 0; i < f->tables.n_rows; i++) {
		if (f->tables.rows[i].path != NULL)
			f->named[f->n_named++] = f->tables.rows[i].path;
	}
	qsort(f->named, f->n_named, sizeof *f->named, by_text);
}

/* How many documents a text finds; *ret is the first. */
static size_t lookup(const struct keys *keys, const char *text, size_t *ret)
{
	const struct key want = {.text = (char *)(uintptr_t)text};
	const struct key *hit = keys->n > 0 ? bsearch(&want, keys->v, keys->n, sizeof *keys->v, by_key) : NULL;
	size_t n = 0;
	if (hit == NULL)
		return 0;
	while (hit > keys->v && strcmp(hit[-1].text, text) == 0)
		hit--;
	*ret = hit->document;
	for (; hit < keys->v + keys->n && strcmp(hit->text, text) == 0; hit++)
		n++;
	return n;
}

enum by { BY_REL, BY_STEM, BY_NAME };

static struct keys make_keys(const struct documents *d, enum by by)
{
	struct keys k = {.v = must(reallocarray(NULL, d->n + 1, sizeof *k.v)), .n = d->n};
	for (size_t i = 0; i < d->n; i++)
		k.v[i] = (struct key){.document = i,
		                      .text = by == BY_REL    ? d->v[i].rel
		                              : by == BY_STEM ? d->v[i].stem
		                                              : (char *)(uintptr_t)path_name(d->v[i].stem)};
	qsort(k.v, k.n, sizeof *k.v, by_key);
	return k;
}

static void match_rows(struct fonds *f)
{
	struct keys rel = make_keys(&f->documents, BY_REL), stem = make_keys(&f->documents, BY_STEM),
	            name = make_keys(&f->documents, BY_NAME);
	for (size_t i = 0; i < f->tables.n_rows; i++) {
		struct row *r = &f->tables.rows[i];
		size_t at = 0, n = 0;
		if (r->path != NULL) {
			n = lookup(&rel, r->path, &at);
			n = n > 0 ? n : lookup(&stem, r->path, &at);
		} else if (r->code != NULL) {
			n = lookup(&name, r->code, &at);
		}
		r->unclear = n > 1;
		if (n == 1) {
			struct document *d = &f->documents.v[at];
			r->document = d;
			d->row = d->n_rows == 0 ? i : d->row;
			d->n_rows++;
		}
	}
	free(rel.v);
	free(stem.v);
	free(name.v);
}

static char *parent_path(const struct fonds *f, const char *rel)
{
	const char *name = path_name(rel);
	return name == rel ? must(strdup(f->name)) : text_join("%s/%.*s", f->name, (int)(name - rel - 1), rel);
}

/* Where a document has no row, its folder tells the dossier: that of the other documents there, if they agree. So the dossier is not
 * complete without it. */
static char *dossier_of_folder(const struct fonds *f, size_t index)
{
	const struct documents *d = &f->documents;
	size_t n = (size_t)(path_name(d->v[index].rel) - d->v[index].rel), first = index;
	const char *dossier = NULL;
	bool agree = true;
	/* Documents stand in the order of their folders. */
	while (first > 0 && strncmp(d->v[first - 1].rel, d->v[index].rel, n) == 0)
		first--;
	for (size_t i = first; i < d->n && strncmp(d->v[i].rel, d->v[index].rel, n) == 0; i++) {
		const char *code = d->v[i].n_rows > 0 ? f->tables.rows[d->v[i].row].dossier : NULL;
		if (code == NULL || (size_t)(path_name(d->v[i].rel) - d->v[i].rel) != n)
			continue;
		agree = agree && (dossier == NULL || strcmp(dossier, code) == 0);
		dossier = code;
	}
	return dossier != NULL && agree ? must(strdup(dossier)) : parent_path(f, d->v[index].rel);
}

static int by_dossier(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = natural_compare(x->dossier, y->dossier);
	if (order == 0 && x->row != NULL && y->row != NULL && x->row->ordinal != y->row->ordinal)
		return x->row->ordinal < y->row->ordinal ? -1 : 1;
	if (order == 0)
		order = (x->row == NULL) - (y->row == NULL);
	if (order == 0 && x->document != NULL && y->document != NULL)
		order = natural_compare(x->document->rel, y->document->rel);
	if (order == 0 && x->row != NULL && y->row != NULL)
		order = x->row < y->row ? -1 : x->row > y->row;
	return order;
}

static void list_entries(struct fonds *f)
{
	f->entries = must(reallocarray(NULL, f->documents.n + f->tables.n_rows + 1, sizeof *f->entries));
	for (size_t i = 0; i < f->documents.n; i++) {
		const struct document *d = &f->documents.v[i];
		const struct row *r = d->n_rows > 0 ? &f->tables.rows[d->row] : NULL;
		char *dossier = r != NULL && r->dossier != NULL ? must(strdup(r->dossier)) : dossier_of_folder(f, i);
		f->entries[f->n_entries++] = (struct entry){.dossier = dossier, .document = d, .row = r};
	}
	for (size_t i = 0; i < f->tables.n_rows; i++) {
		const struct row *r = &f->tables.rows[i];
		if (r->document != NULL)
			continue;
		char *dossier = must(strdup(r->dossier != NULL ? r->dossier : f->name));
		f->entries[f->n_entries++] = (struct entry){.dossier = dossier, .row = r};
	}
	if (f->n_entries > 0)
		qsort(f->entries, f->n_entries, sizeof *f->entries, by_dossier);
}

/* A code becomes file and folder names. */
static bool safe_name(const char *name)
{
	if (*name == 0 || *name == '.' || strlen(name) > NAME_LIMIT)
		return false;
	for (; *name != 0; name++) {
		if ((unsigned char)*name < 0x20 || *name == 0x7f || strchr("/\\:*?\"<>|", *name) != NULL)
			return false;
	}
	return true;
}

static size_t column_of(const struct profile_ingest *p, const char *field, bool dossier)
{
	size_t i = 0;
	while (i < p->columns_count && (p->columns[i].dossier != dossier || strcmp(p->columns[i].field, field) != 0))
		i++;
	return i;
}

static void set_field(json_t *o, const char *name, const char *value)
{
	json_object_set_new(o, name, json_string(value));
}

/* The record's descriptions, without the columns that are only ours. */
static void describe(const struct fonds *f, const struct row *r, const struct values *v, struct item *it)
{
	static const char *const ours[] = {"path", "kind", "secrecy"};
	const struct profile_ingest *p = f->profile;
	char ordinal[32];
	for (unsigned i = 0; i < p->columns_count; i++) {
		bool own = false;
		for (size_t k = 0; k < sizeof ours / sizeof *ours; k++)
			own = own || strcmp(p->columns[i].field, ours[k]) == 0;
		if (v->v[i] != NULL && !own)
			set_field(p->columns[i].dossier ? it->dossier_description : it->description, p->columns[i].field,
			          v->v[i]);
	}
	if (r->code != NULL) {
		snprintf(ordinal, sizeof ordinal, "%0*u", (int)p->ordinal_digits, r->ordinal);
		set_field(it->description, p->ordinal_field, ordinal);
		set_field(it->description, p->code_field, r->code);
		set_field(it->description, p->dossier_field, r->dossier);
	}
}

/* All rows of a dossier repeat its fields: the first row in which a field is right says what it is. `first` is all wrong at the start. */
static void compare_dossier(const struct fonds *f, const struct row *r, const struct values *v, struct values *first,
                            struct err *fault)
{
	for (unsigned i = 0; i < f->profile->columns_count; i++) {
		const char *mine = v->v[i] ? v->v[i] : "", *want = first->v[i] ? first->v[i] : "";
		if (!f->profile->columns[i].dossier || v->wrong[i])
			continue;
		if (first->wrong[i]) {
			first->wrong[i] = false;
			first->v[i] = must(strdup(mine));
		} else if (strcmp(mine, want) != 0) {
			cell_fault(&f->tables, r, i, "sheet-dossier-differs", mine, want, fault);
			return;
		}
	}
}

static struct values nothing_said(size_t n)
{
	struct values v = {.v = must(calloc(n + 1, sizeof *v.v)), .wrong = must(calloc(n + 1, sizeof *v.wrong)), .n = n};
	memset(v.wrong, true, n);
	return v;
}

static void set_fault(const char *code, const char *what, struct err *fault)
{
	if (fault->code[0] != 0)
		return;
	err_set(fault, ST_ITEM, code, "%s", what);
	err_arg(fault, "%s", what);
	err_where(fault, "%s", what);
}

/* A secret mark in any of the rows that name the document counts. */
static bool refused_by_rows(const struct fonds *f, const struct entry *n, const struct values *v, struct err *e)
{
	bool refused = refused_values(f->profile, v, e);
	for (size_t i = 0; n->document != NULL && n->document->n_rows > 1 && i < f->tables.n_rows && !refused; i++) {
		struct values other;
		enum item_kind kind;
		struct err nothing = {0};
		if (f->tables.rows[i].document != n->document)
			continue;
		row_values(&f->tables, &f->tables.rows[i], ITEM_PAPER, &other, &kind, &nothing);
		refused = refused_values(f->profile, &other, e);
		values_free(&other);
	}
	return refused;
}

static void set_identity(struct fonds *f, const struct entry *n, struct item *it, struct err *fault)
{
	const char *code = n->row != NULL ? n->row->code : NULL;
	char *path = n->document != NULL    ? text_join("%s/%s", f->name, n->document->stem)
	             : n->row->path != NULL ? text_join("%s/%s", f->name, n->row->path)
	                                    : text_join("%s/row-%u", f->name, n->row->number + 1);
	/* Without a code of its own a document is known by its place, with the extension: a.jpg may lie beside a.tif. */
	char *place = n->document != NULL ? text_join("%s/%s", f->name, n->document->rel) : must(strdup(path));
	if (code != NULL && !safe_name(code)) {
		cell_fault(&f->tables, n->row, column_of(f->profile, f->profile->dossier_field, true), "sheet-name",
		           n->row->dossier, "", fault);
		code = NULL;
	}
	if (code != NULL && ingest_seen(f->in, "document", code)) {
		cell_fault(&f->tables, n->row, column_of(f->profile, f->profile->ordinal_field, false), "sheet-twice", code, "",
		           fault);
		code = NULL;
	}
	char *only = must(strdup(place));
	for (unsigned k = 2; code == NULL && ingest_seen(f->in, "document", only); k++) {
		free(only);
		only = n->row != NULL && k == 2
		           ? text_join("%s (%s!%u)", place, f->tables.v[n->row->sheet].sheet->name, n->row->number + 1)
		           : text_join("%s [%u]", place, k);
	}
	item_set(&it->id, code != NULL ? code : only);
	item_set(&it->name, code != NULL ? code : path_name(path));
	item_set(&it->path, path);
	item_set(&it->dossier, n->dossier);
	item_set(&it->fonds, f->name);
	free(path);
	free(place);
	free(only);
}

static void collect_faults(const struct fonds *f, const struct entry *n, struct err *fault)
{
	const struct document *d = n->document;
	if (f->fault.code[0] != 0)
		*fault = f->fault;
	else if (n->row == NULL)
		set_fault("sheet-no-row", d->rel, fault);
	if (d == NULL && n->row->unclear)
		cell_fault(&f->tables, n->row, column_of(f->profile, "path", false), "sheet-ambiguous",
		           n->row->path ? n->row->path : n->row->code, "", fault);
	else if (d == NULL)
		cell_fault(&f->tables, n->row, column_of(f->profile, "path", false), "sheet-no-file",
		           n->row->path   ? n->row->path
		           : n->row->code ? n->row->code
		                          : "",
		           "", fault);
	else if (d->n_rows > 1)
		set_fault("sheet-two-rows", d->rel, fault);
	if (d != NULL && d->fault.code[0] != 0 && fault->code[0] == 0)
		*fault = d->fault;
}

/* One entry. `first` holds the dossier's fields as far as rows have given them. */
static enum status emit_entry(struct fonds *f, const struct entry *n, size_t size, bool twice, struct values *first,
                              struct err *e)
{
	struct item *it = must(item_new());
	struct err fault = {0}, secret = {0};
	struct values v = {0};
	set_identity(f, n, it, &fault);
	it->dossier_size = (uint32_t)size;
	it->kind = document_kind(n->document);
	bool refused = refused_path(f->profile, it->path, &secret);
	if (n->row != NULL && fault.code[0] == 0)
		collect_faults(f, n, &fault);
	if (n->row != NULL) {
		row_values(&f->tables, n->row, it->kind, &v, &it->kind, &fault);
		refused = refused || refused_by_rows(f, n, &v, &secret);
		describe(f, n->row, &v, it);
		compare_dossier(f, n->row, &v, first, &fault);
		values_free(&v);
	} else {
		collect_faults(f, n, &fault);
	}
	if (twice)
		set_fault("dossier-twice", n->dossier, &fault);
	if (refused && secret.where[0] == 0)
		err_where(&secret, "%s", it->path);
	return ingest_emit(f->in, it, n->document, refused, refused ? &secret : &fault, e);
}

/* Whether it is this dossier's turn: one with a file that is too young is put off as a whole, so that its documents stay together.
 * *ret_twice: another fonds has a dossier of this code. */
static bool has_turn(struct fonds *f, const struct entry *first, size_t n, bool *ret_twice)
{
	struct ingest *in = f->in;
	char *key = text_join("%s/%s", f->path, first->dossier), *twice = text_join("twice:%s", key);
	bool young_one = false;
	if (in->late && !f->whole) {
		*ret_twice = keyset_has(&in->deferred, twice);
		young_one = !keyset_has(&in->deferred, key);
	} else {
		*ret_twice = ingest_seen(in, "dossier", first->dossier);
		for (size_t i = 0; i < n && !in->late && !young_one; i++) {
			const struct document *d = first[i].document;
			young_one = d != NULL && !d->unfinished && document_young(in, d);
		}
		if (young_one)
			ingest_defer(in, f->path, f->name, key);
		if (young_one && *ret_twice)
			keyset_add(&in->deferred, twice);
	}
	free(key);
	free(twice);
	return !young_one;
}

static enum status emit_all(struct fonds *f, struct err *e)
{
	enum status st = ST_OK;
	for (size_t i = 0, end; i < f->n_entries && st == ST_OK; i = end) {
		struct values first = nothing_said(f->profile->columns_count);
		bool twice;
		for (end = i + 1; end < f->n_entries && strcmp(f->entries[end].dossier, f->entries[i].dossier) == 0; end++)
			;
		bool turn = shard_has(f->in->env->shard, f->name, f->entries[i].dossier, NULL);
		turn = has_turn(f, &f->entries[i], turn ? end - i : 0, &twice) && turn;
		for (size_t k = i; k < end && turn && st == ST_OK; k++)
			st = emit_entry(f, &f->entries[k], end - i, twice, &first, e);
		values_free(&first);
	}
	return st;
}

/* A spreadsheet that is being written leaves its whole fonds for the next run: nobody knows yet what it will say. */
static enum status sheet_waits(struct fonds *f, bool *ret_waits, struct err *e)
{
	struct names names;
	struct err ignored, why = {0};
	enum status st = ST_OK;
	char *key = text_join("%s/", f->path);
	*ret_waits = false;
	f->whole = !f->in->late || keyset_has(&f->in->deferred, key);
	if (names_read(f->path, f->profile, &names, &ignored) != ST_OK) {
		free(key);
		return ST_OK; /* reading the folder again will say so */
	}
	for (size_t i = 0; i < names.n && st == ST_OK && !*ret_waits; i++) {
		const struct name *n = &names.v[i];
		char *path = must(path_join(f->path, n->name));
		bool sheet = S_ISREG(n->mode) && is_spreadsheet(f->profile, n->name);
		if (sheet && !n->unfinished && !f->in->late && young(f->in, n->changed_ns)) {
			ingest_defer(f->in, f->path, f->name, key);
			*ret_waits = true;
		} else if (sheet && (n->unfinished || !settled(f->in, path, n->size, n->changed_ns))) {
			struct item *it = must(item_new());
			char *place = text_join("%s/%s", f->name, n->name);
			*ret_waits = true;
			item_set(&it->id, place);
			item_set(&it->name, n->name);
			item_set(&it->path, place);
			item_set(&it->fonds, f->name);
			free(place);
			not_settled(path, &why);
			item_fail(it, &why);
			st = f->in->sink(f->in->sink_arg, it, e);
		}
		free(path);
	}
	names_free(&names);
	free(key);
	return st;
}

static enum status fonds_produce(struct fonds *f, struct err *e)
{
	bool waits;
	enum status st = sheet_waits(f, &waits, e);
	if (st != ST_OK || waits)
		return st;
	st = tables_load(f->path, f->profile, &f->tables, &f->fault);
	if (st == ST_RETRY) {
		*e = f->fault;
		return st;
	}
	if (st == ST_OK)
		f->fault.code[0] = 0;
	list_named(f);
	st = documents_scan(f->path, f->profile, is_named, f, &f->documents, e);
	if (st == ST_OK) {
		match_rows(f);
		list_entries(f);
		st = emit_all(f, e);
	}
	for (size_t i = 0; i < f->n_entries; i++)
		free(f->entries[i].dossier);
	free(f->entries);
	free(f->named);
	documents_free(&f->documents);
	tables_free(&f->tables);
	return st;
}

/* Something beside the folders of fonds: it belongs to nothing, and is told of. */
static enum status stray(struct ingest *in, const char *path, const struct name *n, const char *code, struct err *e)
{
	struct documents d = {.profile = &in->env->profile->ingest};
	struct err fault = {0};
	enum status st = document_add(&d, path, n->name, n, e);
	if (st == ST_OK) {
		struct item *it = must(item_new());
		set_fault(code, d.v[0].rel, &fault);
		item_set(&it->id, d.v[0].rel);
		item_set(&it->name, d.v[0].stem);
		item_set(&it->path, d.v[0].stem);
		st = ingest_emit(in, it, &d.v[0], false, &fault, e);
	}
	documents_free(&d);
	return st;
}

static enum status produce_again(struct ingest *in, struct err *e)
{
	enum status st = ST_OK;
	for (size_t i = 0; i < in->n_later && st == ST_OK; i++) {
		struct fonds f = {
		    .in = in, .profile = &in->env->profile->ingest, .name = in->later[i].rel, .path = in->later[i].path};
		st = fonds_produce(&f, e);
	}
	return st;
}

enum status dossiers_produce(struct ingest *in, struct err *e)
{
	struct names names;
	if (in->late)
		return produce_again(in, e);
	enum status st = names_read(in->backlog, &in->env->profile->ingest, &names, e);
	if (st == ST_ITEM) {
		e->status = ST_RUN;
		return ST_RUN;
	}
	if (st != ST_OK)
		return st;
	for (size_t i = 0; i < names.n && st == ST_OK; i++) {
		const struct name *n = &names.v[i];
		const char *code;
		char *path = must(path_join(in->backlog, n->name)), *shown = name_shown(n->name, &code);
		if (!S_ISDIR(n->mode)) {
			st = stray(in, path, n, S_ISLNK(n->mode) ? "layout-link" : "layout-place", e);
		} else if (code != NULL) {
			st = stray(in, path, n, code, e);
		} else {
			struct fonds f = {.in = in, .profile = &in->env->profile->ingest, .name = shown, .path = path};
			st = fonds_produce(&f, e);
		}
		free(shown);
		free(path);
	}
	names_free(&names);
	return st;
}
