#include "stages/pdf/changes_internal.h"

#include <stdlib.h>
#include <string.h>

/* Beyond these the answer is no: comparing each with each would take too long. */
#define ANNOTATIONS_MAX 10000
#define KIDS_LOOKED_AT_MAX 10000000

/* Sameness of what is written: references by number and generation, streams by their raw data. */
static bool same(const struct pdfobj *a, const struct pdfobj *b)
{
	const struct pdf_pair *pa, *pb;
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case PDF_NULL:
		return true;
	case PDF_BOOLEAN:
		return a->u.boolean == b->u.boolean;
	case PDF_INTEGER:
		return a->u.integer == b->u.integer;
	case PDF_REAL:
		return a->length == b->length && memcmp(a->u.real.source, b->u.real.source, a->length) == 0;
	case PDF_STRING:
		return bytes_equal(a->u.string, b->u.string);
	case PDF_NAME:
		return strcmp(a->u.name, b->u.name) == 0;
	case PDF_REFERENCE:
		return a->u.reference.number == b->u.reference.number && a->u.reference.generation == b->u.reference.generation;
	case PDF_ARRAY:
		if (a->u.array.n != b->u.array.n)
			return false;
		for (size_t i = 0; i < a->u.array.n; i++)
			if (!same(a->u.array.items[i], b->u.array.items[i]))
				return false;
		return true;
	case PDF_DICT:
	case PDF_STREAM:
		break;
	}
	size_t n = pdf_pairs(a, &pa);
	if (n != pdf_pairs(b, &pb))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!same(pa[i].value, pdfobj_get(b, pa[i].key)))
			return false;
	return a->kind == PDF_DICT || bytes_equal(a->u.stream->raw, b->u.stream->raw);
}

/* Calls back for each key of one or the other whose values differ. */
static void each_difference(struct judge *j, const struct pdfobj *a, const struct pdfobj *b,
                            void (*differs)(struct judge *j, const char *key, const struct pdfobj *va, const struct pdfobj *vb))
{
	for (size_t i = 0; i < pdfobj_length(a); i++) {
		const char *key = pdfobj_key(a, i);
		if (!same(pdfobj_value(a, i), pdfobj_get(b, key)))
			differs(j, key, pdfobj_value(a, i), pdfobj_get(b, key));
	}
	for (size_t i = 0; i < pdfobj_length(b); i++) {
		const char *key = pdfobj_key(b, i);
		if (pdfobj_kind_direct(pdfobj_get(a, key)) == PDF_NULL && pdfobj_kind_direct(pdfobj_value(b, i)) != PDF_NULL)
			differs(j, key, &pdf_null, pdfobj_value(b, i));
	}
}

/* Whether the signed revision knew nothing of the object, not even as a missing one. */
static bool is_new(const struct judge *j, const struct pdfobj *reference)
{
	uint32_t number = pdfobj_reference(reference);
	return number != 0 && number < j->n && j->roles[number] == 0 && pdfobj_kind(pdfdoc_object(j->before, number)) == PDF_NULL;
}

static bool is_signature(const struct pdfobj *field)
{
	const struct pdfobj *type = pdfobj_get(field, "FT");
	for (int depth = 0; pdfobj_kind(type) == PDF_NULL && depth < PDF_DEPTH; depth++) {
		field = pdfobj_get(field, "Parent");
		type = pdfobj_get(field, "FT");
	}
	return pdfobj_is_name(type, "Sig");
}

static bool is_timestamp(const struct pdfobj *value)
{
	return pdfobj_is_name(pdfobj_get(value, "SubFilter"), "ETSI.RFC3161") ||
	       pdfobj_is_name(pdfobj_get(value, "Type"), "DocTimeStamp");
}

/* The new field whose kid a widget is: by its Parent, else by the field's Kids. */
static const struct pdfobj *field_of(struct judge *j, const struct pdfobj *widget)
{
	const struct pdfobj *fields = pdfobj_get(pdfobj_get(pdfdoc_catalog(j->after), "AcroForm"), "Fields");
	const struct pdfobj *o = pdf_resolve(widget);
	if (pdfobj_kind(pdfobj_get(o, "FT")) != PDF_NULL)
		return o;
	if (pdfobj_kind(pdfobj_get(o, "Parent")) != PDF_NULL)
		return pdf_resolve(pdfobj_get(o, "Parent"));
	for (size_t i = 0; i < pdfobj_length(fields) && j->looked_at < KIDS_LOOKED_AT_MAX; i++) {
		const struct pdfobj *kids = pdfobj_get(pdfobj_at(fields, i), "Kids");
		j->looked_at += 1 + pdfobj_length(kids);
		for (size_t k = 0; k < pdfobj_length(kids); k++)
			if (same(pdfobj_at(kids, k), widget))
				return pdf_resolve(pdfobj_at(fields, i));
	}
	return o;
}

/* A field or widget that came later: a signature's, with nothing that acts by itself. */
static bool new_field(struct judge *j, const struct pdfobj *o)
{
	const struct pdfobj *widget = pdf_resolve(o), *field = field_of(j, o);
	/* With P = 1 a time stamp must not show anything. */
	const struct pdfobj *rect = pdfobj_get(widget, "Rect");
	bool shows = pdfobj_kind(rect) != PDF_NULL && pdfobj_real(pdfobj_at(rect, 0)) != pdfobj_real(pdfobj_at(rect, 2)) &&
	             pdfobj_real(pdfobj_at(rect, 1)) != pdfobj_real(pdfobj_at(rect, 3));
	return is_new(j, o) && pdfobj_kind(widget) == PDF_DICT && is_signature(field) &&
	       pdfobj_kind(pdfobj_get(widget, "A")) == PDF_NULL && pdfobj_kind(pdfobj_get(widget, "AA")) == PDF_NULL &&
	       (j->level > 1 || (is_timestamp(pdfobj_get(field, "V")) && !shows));
}

/* Every entry of the old array is still there, in order; returns false where not. What came is handed to `came`. */
static bool grown(struct judge *j, const struct pdfobj *a, const struct pdfobj *b,
                  bool (*came)(struct judge *j, const struct pdfobj *entry))
{
	size_t i = 0;
	for (size_t k = 0; k < pdfobj_length(b); k++) {
		if (i < pdfobj_length(a) && same(pdfobj_at(a, i), pdfobj_at(b, k)))
			i++;
		else if (!came(j, pdfobj_at(b, k)))
			return false;
	}
	return i == pdfobj_length(a);
}

static void judge_fields(struct judge *j, const struct pdfobj *a, const struct pdfobj *b)
{
	if (!grown(j, a, b, new_field))
		changes_forbid(j, "the form lost a field, or has a new one that is no signature allowed here");
}

static bool new_annotation(struct judge *j, const struct pdfobj *o)
{
	bool widget = pdfobj_is_name(pdfobj_get(o, "Subtype"), "Widget");
	return widget ? new_field(j, o) : j->level == 3;
}

static void judge_annots(struct judge *j, const struct pdfobj *a, const struct pdfobj *b)
{
	if (j->level < 3) {
		if (!grown(j, a, b, new_annotation))
			changes_forbid(j, "a page lost an annotation, or has a new one that belongs to no new signature");
		return;
	}
	if (pdfobj_length(a) > ANNOTATIONS_MAX || pdfobj_length(b) > ANNOTATIONS_MAX) {
		changes_forbid(j, "a page has too many annotations to judge");
		return;
	}
	/* Annotations may go with P = 3; the widgets of fields may not. */
	for (size_t i = 0; i < pdfobj_length(a); i++) {
		bool there = !pdfobj_is_name(pdfobj_get(pdfobj_at(a, i), "Subtype"), "Widget");
		for (size_t k = 0; k < pdfobj_length(b); k++)
			there = there || same(pdfobj_at(a, i), pdfobj_at(b, k));
		if (!there)
			changes_forbid(j, "a page lost the widget of a field");
	}
	for (size_t k = 0; k < pdfobj_length(b); k++) {
		bool old = false;
		for (size_t i = 0; i < pdfobj_length(a); i++)
			old = old || same(pdfobj_at(a, i), pdfobj_at(b, k));
		if (!old && !new_annotation(j, pdfobj_at(b, k)))
			changes_forbid(j, "a page has a new widget that belongs to no new signature");
	}
}

/* A dictionary that keeps its entries and may have more. */
static bool kept(const struct pdfobj *a, const struct pdfobj *b)
{
	for (size_t i = 0; i < pdfobj_length(a); i++)
		if (!same(pdfobj_value(a, i), pdfobj_get(b, pdfobj_key(a, i))))
			return false;
	return true;
}

/* Default resources: default appearances use nothing of them but fonts (12.7.3.3). */
static bool resources_kept(const struct pdfobj *a, const struct pdfobj *b)
{
	return kept(pdf_resolve(pdfobj_get(a, "Font")), pdf_resolve(pdfobj_get(b, "Font")));
}

static void form_differs(struct judge *j, const char *key, const struct pdfobj *a, const struct pdfobj *b)
{
	bool allowed = false;
	if (strcmp(key, "Fields") == 0)
		judge_fields(j, pdf_resolve(a), pdf_resolve(b)), allowed = true;
	else if (strcmp(key, "SigFlags") == 0)
		allowed = pdfobj_kind(b) == PDF_INTEGER;
	else if (strcmp(key, "DR") == 0)
		allowed = resources_kept(a, b);
	else if (strcmp(key, "DA") == 0)
		allowed = pdfobj_kind(a) == PDF_NULL;
	else if (strcmp(key, "NeedAppearances") == 0)
		allowed = !pdfobj_boolean(b);
	if (!allowed)
		changes_forbid(j, "%s of the form was changed", key);
}

static void judge_metadata(struct judge *j, const struct pdfobj *b)
{
	if (j->level < 2 || pdfobj_kind(b) != PDF_STREAM)
		changes_forbid(j, "the document's metadata were changed");
}

static void catalog_differs(struct judge *j, const char *key, const struct pdfobj *a, const struct pdfobj *b)
{
	bool allowed = false;
	if (strcmp(key, "DSS") == 0)
		allowed = pdfobj_kind(b) == PDF_DICT;
	else if (strcmp(key, "Extensions") == 0)
		allowed = true;
	else if (strcmp(key, "Metadata") == 0)
		judge_metadata(j, pdf_resolve(b)), allowed = true;
	else if (strcmp(key, "Version") == 0)
		allowed = pdfdoc_version(j->after) >= pdfdoc_version(j->before);
	else if (strcmp(key, "AcroForm") == 0)
		each_difference(j, pdf_resolve(a), pdf_resolve(b), form_differs), allowed = pdfobj_kind(b) == PDF_DICT;
	if (!allowed)
		changes_forbid(j, "%s of the catalog was changed", key);
}

static void page_differs(struct judge *j, const char *key, const struct pdfobj *a, const struct pdfobj *b)
{
	if (strcmp(key, "Annots") == 0)
		judge_annots(j, pdf_resolve(a), pdf_resolve(b));
	else
		changes_forbid(j, "%s of a page was changed", key);
}

/* An appearance that something else shows as well is not this field's to replace. */
static void judge_appearance(struct judge *j, const char *key, const struct pdfobj *a)
{
	uint32_t number = pdfobj_reference(a);
	if (strcmp(key, "AP") == 0 && number != 0 && number < j->n && j->roles[number] != ROLE_FILL)
		changes_forbid(j, "a field replaced an appearance, object %u, that belongs to something else too", number);
}

static void fill_differs(struct judge *j, const char *key, const struct pdfobj *a, const struct pdfobj *b)
{
	static const char *const keys[] = {"V", "AP", "AS", "I", "RV", "M", NULL};
	(void)b;
	judge_appearance(j, key, a);
	if (!changes_listed(key, keys))
		changes_forbid(j, "%s of a form field was changed", key);
}

static void sign_differs(struct judge *j, const char *key, const struct pdfobj *a, const struct pdfobj *b)
{
	static const char *const keys[] = {"V", "AP", "F", "M", "MK", "DA", "P", NULL};
	judge_appearance(j, key, a);
	if (!changes_listed(key, keys) || (j->level < 2 && (strcmp(key, "V") != 0 || !is_timestamp(b))))
		changes_forbid(j, "%s of a signature field was changed", key);
}

static void info_differs(struct judge *j, const char *key, const struct pdfobj *a, const struct pdfobj *b)
{
	static const char *const keys[] = {"ModDate", "Producer", NULL};
	(void)a;
	(void)b;
	if (!changes_listed(key, keys))
		changes_forbid(j, "%s of the document information was changed", key);
}

static void judge_by_role(struct judge *j, uint32_t number, const struct pdfobj *a, const struct pdfobj *b)
{
	switch (j->roles[number]) {
	case 0:
	case ROLE_DSS:
	case ROLE_FILL:
		return;
	case ROLE_INFO:
		each_difference(j, a, b, info_differs);
		return;
	case ROLE_META:
		judge_metadata(j, b);
		return;
	case ROLE_ANNOTS:
		judge_annots(j, a, b);
		return;
	case ROLE_FIELDS:
		judge_fields(j, a, b);
		return;
	case ROLE_DR:
		if (!resources_kept(a, b))
			changes_forbid(j, "object %u, the form's resources, was changed", number);
		return;
	case ROLE_FONTS:
		if (!kept(a, b))
			changes_forbid(j, "object %u, the form's fonts, was changed", number);
		return;
	default:
		changes_forbid(j, "object %u was changed", number);
	}
}

static void judge_object(struct judge *j, uint32_t number, const struct pdfobj *a, const struct pdfobj *b)
{
	enum class class = (enum class)j->classes[number];
	if (class != CLASS_NONE && b->kind != PDF_DICT && class != CLASS_ANNOTATION) {
		changes_forbid(j, "object %u was removed", number);
		return;
	}
	switch (class) {
	case CLASS_NONE:
		judge_by_role(j, number, a, b);
		return;
	case CLASS_CATALOG:
		each_difference(j, a, b, catalog_differs);
		return;
	case CLASS_FORM:
		each_difference(j, a, b, form_differs);
		return;
	case CLASS_PAGE:
		each_difference(j, a, b, page_differs);
		return;
	case CLASS_FIELD_FILL:
		each_difference(j, a, b, fill_differs);
		return;
	case CLASS_FIELD_SIGN:
		each_difference(j, a, b, sign_differs);
		return;
	case CLASS_FIELD_FIXED:
		changes_forbid(j, "object %u, a field that is signed or locked, was changed", number);
		return;
	case CLASS_ANNOTATION:
		return;
	}
}

/* Whether both revisions read the object from the same bytes. */
static bool same_place(const struct judge *j, uint32_t number)
{
	const struct pdf_entry *a = pdfdoc_entry(j->before, number), *b = pdfdoc_entry(j->after, number);
	uint8_t ta = a == NULL ? PDF_FREE : a->type, tb = b == NULL ? PDF_FREE : b->type;
	if (ta != tb)
		return false;
	if (ta == PDF_FREE)
		return true;
	if (a->at != b->at || a->generation != b->generation)
		return false;
	return ta == PDF_PLAIN || same_place(j, (uint32_t)(a->at >> 32));
}

static void judge_trailer(struct judge *j)
{
	const struct pdfobj *a = pdfdoc_trailer(j->before), *b = pdfdoc_trailer(j->after);
	const struct pdfobj *info_a = pdfobj_get(a, "Info"), *info_b = pdfobj_get(b, "Info");
	if (!same(pdfobj_get(a, "Root"), pdfobj_get(b, "Root")))
		changes_forbid(j, "the trailer leads to another catalog");
	if (changes_additional_streams(j->after) > 0 &&
	    !same(pdfobj_get(a, "AdditionalStreams"), pdfobj_get(b, "AdditionalStreams")))
		changes_forbid(j, "AdditionalStreams of the trailer was changed");
	if (pdfdoc_encrypted(j->after))
		changes_forbid(j, "the document was encrypted");
	if (!same(info_a, info_b))
		each_difference(j, pdf_resolve(info_a), pdf_resolve(info_b), info_differs);
}

/* P of DocMDP where the signed revision is certified, or this signature's own; what FieldMDP and Lock name. */
static void read_permissions(struct judge *j)
{
	const struct pdfobj *dict = pdfdoc_object(j->before, j->sig->object);
	if (pdfobj_kind(pdfobj_get(dict, "Contents")) == PDF_NULL)
		dict = pdf_resolve(pdfobj_get(dict, "V"));
	const struct pdfobj *certified = pdfobj_get(pdfobj_get(pdfdoc_catalog(j->before), "Perms"), "DocMDP");
	const struct pdfobj *references[2] = {pdfobj_get(dict, "Reference"), pdfobj_get(certified, "Reference")};
	j->level = 2;
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < pdfobj_length(references[k]); i++) {
			const struct pdfobj *r = pdfobj_at(references[k], i), *parms = pdfobj_get(r, "TransformParams");
			const struct pdfobj *p = pdfobj_get(parms, "P");
			if (pdfobj_is_name(pdfobj_get(r, "TransformMethod"), "DocMDP") && pdfobj_kind(p) == PDF_INTEGER)
				j->level = pdfobj_integer(p) == 3 ? 3 : pdfobj_integer(p) == 2 ? 2 : 1;
			if (k == 0 && pdfobj_is_name(pdfobj_get(r, "TransformMethod"), "FieldMDP") && j->n_locks < 2)
				j->locks[j->n_locks++] = parms;
		}
}

/* The signature's own field in the signed revision: it must be there, and its Lock counts. */
static bool find_field(struct judge *j, const struct pdfobj *fields, unsigned depth)
{
	for (size_t i = 0; i < pdfobj_length(fields) && depth < PDF_DEPTH; i++) {
		const struct pdfobj *o = pdf_resolve(pdfobj_at(fields, i)), *value = pdf_resolve(pdfobj_get(o, "V"));
		if (value->kind == PDF_DICT && pdfobj_number(value) == j->sig->object) {
			const struct pdfobj *lock = pdfobj_get(o, "Lock"), *p = pdfobj_get(lock, "P");
			if (pdfobj_kind(lock) == PDF_DICT && j->n_locks < 2)
				j->locks[j->n_locks++] = lock;
			if (pdfobj_kind(p) == PDF_INTEGER && pdfobj_integer(p) >= 1 && pdfobj_integer(p) < j->level)
				j->level = (int)pdfobj_integer(p);
			return true;
		}
		if (find_field(j, pdfobj_get(o, "Kids"), depth + 1))
			return true;
	}
	return false;
}

static void judge_all(struct judge *j)
{
	read_permissions(j);
	const struct pdfobj *certified = pdfobj_get(pdfobj_get(pdfdoc_catalog(j->before), "Perms"), "DocMDP");
	if (!find_field(j, pdfobj_get(pdfobj_get(pdfdoc_catalog(j->before), "AcroForm"), "Fields"), 0) &&
	    pdfobj_number(pdf_resolve(certified)) != j->sig->object)
		changes_forbid(j, "the signed revision has no field with this signature");
	changes_class_all(j);
	changes_spread_roles(j);
	judge_trailer(j);
	for (uint32_t i = 1; i < j->n && !j->forbidden && j->st == ST_OK; i++) {
		if (same_place(j, i))
			continue;
		const struct pdfobj *a = pdfdoc_object(j->before, i), *b = pdfdoc_object(j->after, i);
		if (!same(a, b) || pdfdoc_generation(j->before, i) != pdfdoc_generation(j->after, i))
			judge_object(j, i, a, b);
	}
	struct err e = {0};
	if (pdfdoc_fault(j->before, &e) != ST_OK || pdfdoc_fault(j->after, &e) != ST_OK)
		changes_forbid(j, "an object cannot be read: %.200s", e.detail);
}

enum status pdfchanges_judge(const struct pdfdoc *before, const struct pdfdoc *after, struct pdfsig *s, struct err *e)
{
	s->change_reason[0] = '\0';
	s->changes = PDFSIG_NONE;
	if (s->revision + 1 == after->n_revisions)
		return ST_OK;
	struct judge j = {.before = before, .after = after, .sig = s, .e = e};
	j.n = before->size > after->size ? before->size : after->size;
	j.roles = calloc(j.n, sizeof *j.roles);
	j.classes = calloc(j.n, 1);
	if (j.roles == NULL || j.classes == NULL)
		j.st = pdf_no_memory(e);
	else
		judge_all(&j);
	s->changes = j.forbidden ? PDFSIG_FORBIDDEN : PDFSIG_ALLOWED;
	free(j.roles);
	free(j.classes);
	free(j.work);
	return j.st;
}
