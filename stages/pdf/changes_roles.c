/* How the signed revision reaches each object, and what each is by its place: the roles by which changes are judged. */
#include "stages/pdf/changes_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beyond this the answer is no: comparing each with each would take too long. */
#define LOCK_NAMES_MAX 1000

void changes_forbid(struct judge *j, const char *format, ...)
{
	if (j->forbidden)
		return;
	j->forbidden = true;
	va_list ap;
	va_start(ap, format);
	vsnprintf(j->sig->change_reason, sizeof j->sig->change_reason, format, ap);
	va_end(ap);
}

bool changes_listed(const char *key, const char *const *keys)
{
	for (; *keys != NULL; keys++)
		if (strcmp(key, *keys) == 0)
			return true;
	return false;
}

static void reach(struct judge *j, uint32_t number, uint16_t role)
{
	if (number >= j->n || (j->roles[number] & role) != 0 || j->st != ST_OK)
		return;
	j->roles[number] |= role;
	if (j->n_work == j->cap_work) {
		size_t cap = j->cap_work == 0 ? 256 : j->cap_work * 2;
		struct work *work = realloc(j->work, cap * sizeof *work);
		if (work == NULL) {
			j->st = pdf_no_memory(j->e);
			return;
		}
		j->work = work;
		j->cap_work = cap;
	}
	j->work[j->n_work++] = (struct work){number, role};
}

static void scan(struct judge *j, const struct pdfobj *o, uint16_t role)
{
	const struct pdf_pair *pairs;
	if (o->kind == PDF_REFERENCE)
		reach(j, o->u.reference.number, role);
	if (o->kind == PDF_ARRAY)
		for (size_t i = 0; i < o->u.array.n; i++)
			scan(j, o->u.array.items[i], role);
	size_t n = pdf_pairs(o, &pairs);
	for (size_t i = 0; i < n; i++)
		scan(j, pairs[i].value, role);
}

static const char *const fill_keys[] = {"V", "AP", "AS", "I", "RV", NULL};
static const char *const sign_keys[] = {"V", "AP", NULL};

/* The role of what an entry leads to. */
static uint16_t child_role(enum class class, const char *key)
{
	switch (class) {
	case CLASS_CATALOG:
		if (strcmp(key, "Metadata") == 0)
			return ROLE_META;
		return strcmp(key, "DSS") == 0 || strcmp(key, "Extensions") == 0 ? ROLE_DSS : ROLE_FIXED;
	case CLASS_FORM:
		return strcmp(key, "Fields") == 0 ? ROLE_FIELDS : ROLE_FIXED;
	case CLASS_PAGE:
		return strcmp(key, "Annots") == 0 ? ROLE_ANNOTS : ROLE_FIXED;
	case CLASS_FIELD_FILL:
		return changes_listed(key, fill_keys) ? ROLE_FILL : ROLE_FIXED;
	case CLASS_FIELD_SIGN:
		return changes_listed(key, sign_keys) ? ROLE_FILL : ROLE_FIXED;
	case CLASS_ANNOTATION:
		return strcmp(key, "Parent") == 0 || strcmp(key, "P") == 0 ? ROLE_FIXED : ROLE_FILL;
	case CLASS_NONE:
	case CLASS_FIELD_FIXED:
		break;
	}
	return ROLE_FIXED;
}

/* The roles of these are only those of the array or dictionary itself. */
static bool shallow(uint16_t role)
{
	return role == ROLE_ANNOTS || role == ROLE_FIELDS || role == ROLE_FONTS || role == ROLE_INFO;
}

static void scan_entry(struct judge *j, const struct pdfobj *value, uint16_t role)
{
	scan(j, value, value->kind != PDF_REFERENCE && shallow(role) ? ROLE_FIXED : role);
}

/* DR, and in it the dictionary of fonts, may be an object of its own. */
static void scan_resources(struct judge *j, const struct pdfobj *o)
{
	const struct pdf_pair *pairs;
	size_t n = pdf_pairs(o, &pairs);
	if (o->kind == PDF_REFERENCE)
		scan(j, o, ROLE_DR);
	for (size_t i = 0; i < n; i++) {
		scan_entry(j, pairs[i].value, strcmp(pairs[i].key, "Font") == 0 ? ROLE_FONTS : ROLE_FIXED);
	}
}

static void scan_dictionary(struct judge *j, const struct pdfobj *o, enum class class)
{
	const struct pdf_pair *pairs;
	size_t n = pdf_pairs(o, &pairs);
	for (size_t i = 0; i < n; i++) {
		if (class == CLASS_CATALOG && strcmp(pairs[i].key, "AcroForm") == 0 && pairs[i].value->kind == PDF_DICT)
			scan_dictionary(j, pairs[i].value, CLASS_FORM);
		else if (class == CLASS_FORM && strcmp(pairs[i].key, "DR") == 0)
			scan_resources(j, pairs[i].value);
		else
			scan_entry(j, pairs[i].value, child_role(class, pairs[i].key));
	}
}

/* How many streams the trailer entry of a LibreOffice hybrid leads to. Some writers leave it with references to nothing, to
 * numbers that later updates use. */
size_t changes_additional_streams(const struct pdfdoc *d)
{
	const struct pdfobj *list = pdfobj_get(pdfdoc_trailer(d), "AdditionalStreams");
	size_t n = 0;
	for (size_t i = 0; i < pdfobj_length(list); i++)
		n += pdfobj_kind(pdfobj_at(list, i)) == PDF_STREAM;
	return n;
}

void changes_spread_roles(struct judge *j)
{
	const struct pdfobj *trailer = pdfdoc_trailer(j->before);
	for (size_t i = 0; i < pdfobj_length(trailer); i++) {
		const char *key = pdfobj_key(trailer, i);
		if (strcmp(key, "AdditionalStreams") != 0 || changes_additional_streams(j->before) > 0)
			scan_entry(j, pdfobj_value(trailer, i), strcmp(key, "Info") == 0 ? ROLE_INFO : ROLE_FIXED);
	}
	while (j->n_work > 0 && j->st == ST_OK) {
		struct work w = j->work[--j->n_work];
		const struct pdfobj *o = pdfdoc_object(j->before, w.number);
		if (j->classes[w.number] != CLASS_NONE)
			scan_dictionary(j, o, (enum class)j->classes[w.number]);
		else if (w.role == ROLE_DR && o->kind != PDF_REFERENCE)
			scan_resources(j, o);
		else if (shallow(w.role))
			scan(j, o, ROLE_FIXED);
		else
			scan(j, o, w.role);
	}
}

static void set_class(struct judge *j, const struct pdfobj *o, enum class class)
{
	uint32_t number = pdfobj_number(pdf_resolve(o));
	if (number != 0 && number < j->n && j->classes[number] == CLASS_NONE)
		j->classes[number] = (uint8_t) class;
}

/* Whether a name in FieldMDP means this field: itself or one above it. */
static bool names_field(const char *name, const char *field)
{
	size_t n = strlen(name);
	return strncmp(name, field, n) == 0 && (field[n] == '\0' || field[n] == '.');
}

bool changes_locked(const struct judge *j, const char *field)
{
	for (size_t i = 0; i < j->n_locks; i++) {
		const struct pdfobj *names = pdfobj_get(j->locks[i], "Fields");
		const char *action = pdfobj_name(pdfobj_get(j->locks[i], "Action"));
		bool in = false;
		if (pdfobj_length(names) > LOCK_NAMES_MAX)
			return true;
		for (size_t k = 0; k < pdfobj_length(names); k++) {
			char *name = pdfobj_text(pdfobj_at(names, k));
			in = in || name == NULL || names_field(name, field);
			free(name);
		}
		if (strcmp(action, "Exclude") == 0 ? !in : strcmp(action, "Include") == 0 ? in : true)
			return true;
	}
	return false;
}

/* Gives fields and their widgets their class. Loops and depth were judged by pdfsig_list for the later document; here the limit
 * on depth does. */
static void class_fields(struct judge *j, const struct pdfobj *field, const char *prefix, enum class above, const char *type,
                         unsigned depth)
{
	const struct pdfobj *o = pdf_resolve(field), *kids = pdfobj_get(o, "Kids");
	uint32_t number = pdfobj_number(o);
	if (pdfobj_kind(o) != PDF_DICT || depth > PDF_DEPTH || number == 0 || number >= j->n || j->classes[number] != CLASS_NONE)
		return;
	bool widget = pdfobj_kind(pdfobj_get(o, "T")) == PDF_NULL;
	char *part = pdfobj_text(pdfobj_get(o, "T"));
	BUF_AUTO struct buf name = BUF_INIT(1 << 16);
	buf_format(&name, "%s%s%s", prefix, prefix[0] != '\0' && part != NULL && part[0] != '\0' ? "." : "",
	           part == NULL ? "" : part);
	if (part == NULL || name.failed)
		j->st = pdf_no_memory(j->e);
	free(part);
	if (j->st != ST_OK)
		return;
	if (pdfobj_kind(pdfobj_get(o, "FT")) == PDF_NAME)
		type = pdfobj_name(pdfobj_get(o, "FT"));
	enum class class = above;
	if (!widget || depth == 0) {
		bool signature = strcmp(type, "Sig") == 0;
		class = CLASS_FIELD_FILL;
		if (signature)
			class = pdfobj_kind(pdfobj_get(o, "V")) == PDF_NULL ? CLASS_FIELD_SIGN : CLASS_FIELD_FIXED;
		if (changes_locked(j, (const char *)name.data) || (j->level < 2 && !signature))
			class = CLASS_FIELD_FIXED;
	}
	set_class(j, o, class);
	for (size_t i = 0; i < pdfobj_length(kids); i++)
		class_fields(j, pdfobj_at(kids, i), (const char *)name.data, class, type, depth + 1);
}

void changes_class_all(struct judge *j)
{
	const struct pdfobj *catalog = pdfdoc_catalog(j->before), *form = pdfobj_get(catalog, "AcroForm");
	const struct pdfobj *fields = pdfobj_get(form, "Fields");
	struct err e;
	size_t n;
	set_class(j, catalog, CLASS_CATALOG);
	if (pdfobj_reference(form) != 0)
		set_class(j, form, CLASS_FORM);
	for (size_t i = 0; i < pdfobj_length(fields); i++)
		class_fields(j, pdfobj_at(fields, i), "", CLASS_FIELD_FIXED, "", 0);
	if (pdfdoc_pages(j->before, &n, &e) != ST_OK) {
		changes_forbid(j, "the pages of the signed revision cannot be read: %s", e.detail);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t number;
		if (pdfdoc_page(j->before, i, &number, &e) != ST_OK)
			continue;
		const struct pdfobj *page = pdfdoc_object(j->before, number), *annots = pdfobj_get(page, "Annots");
		set_class(j, page, CLASS_PAGE);
		for (size_t k = 0; j->level == 3 && k < pdfobj_length(annots); k++)
			if (!pdfobj_is_name(pdfobj_get(pdfobj_at(annots, k), "Subtype"), "Widget"))
				set_class(j, pdfobj_at(annots, k), CLASS_ANNOTATION);
	}
}
