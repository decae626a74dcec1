#include "stages/pdf/attached.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 100 };

/* The key of EF that names the file best, and its name in the specification (table 44 and 45). */
static const char *const keys[] = {"UF", "F", "Unix", "DOS", "Mac"};

static char *name_of(const struct pdfobj *specification)
{
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (pdfobj_kind(pdfobj_get(specification, keys[i])) == PDF_STRING)
			return pdfobj_text(pdfobj_get(specification, keys[i]));
	return strdup("");
}

/* name: malloc'ed, taken over; NULL: no memory. */
static bool add(struct pdf_attached_list *l, uint32_t number, char *name, uint32_t holder)
{
	bool known = name == NULL;
	for (size_t i = 0; i < l->n; i++)
		known = known || l->files[i].number == number;
	if (known) {
		bool ok = name != NULL;
		free(name);
		return ok;
	}
	struct pdf_attached *more = reallocarray(l->files, l->n + 1, sizeof *more);
	if (more == NULL) {
		free(name);
		return false;
	}
	l->files = more;
	l->files[l->n++] = (struct pdf_attached){number, holder, name};
	return true;
}

/* What a sound or a 3D artwork that lies in the document as a stream is called; its samples have no header of their own (ISO 32000-1, 13.3 and 13.6.3). */
static char *media_name(const struct pdfobj *o, bool sound)
{
	char *name = NULL;
	const struct pdfobj *channels = pdfobj_get(o, "C"), *bits = pdfobj_get(o, "B");
	const char *encoding = pdfobj_name(pdfobj_get(o, "E"));
	if (!sound)
		return strdup(pdfobj_is_name(pdfobj_get(o, "Subtype"), "PRC") ? "artwork.prc" : "artwork.u3d");
	int n = asprintf(&name, "sound of %g Hz, %lld channel(s), %lld bit, %.20s.raw", pdfobj_real(pdfobj_get(o, "R")),
	                 (long long)(pdfobj_kind(channels) == PDF_NULL ? 1 : pdfobj_integer(channels)),
	                 (long long)(pdfobj_kind(bits) == PDF_NULL ? 8 : pdfobj_integer(bits)),
	                 *encoding == '\0' ? "Raw" : encoding);
	return n < 0 ? NULL : name;
}

/* Sounds of annotations and actions, artworks of annotations. */
static bool add_media(const struct pdfobj *o, struct pdf_attached_list *l)
{
	static const char *const media[] = {"Sound", "3DD"};
	bool ok = true;
	for (size_t i = 0; i < 2; i++) {
		const struct pdfobj *stream = pdfobj_get(o, media[i]);
		uint32_t number = pdfobj_reference(stream);
		if (number != 0 && pdfobj_kind(stream) == PDF_STREAM)
			ok = ok && add(l, number, media_name(stream, i == 0), 0);
	}
	return ok;
}

/* The specification that an object is, and those that lie in it. False: no memory. */
static bool look(const struct pdfobj *o, uint32_t number, struct pdf_attached_list *l, unsigned depth)
{
	enum pdfobj_kind kind = pdfobj_kind_direct(o);
	if (depth > DEPTH || (kind != PDF_DICT && kind != PDF_STREAM && kind != PDF_ARRAY))
		return true;
	const struct pdfobj *ef = kind == PDF_DICT ? pdfobj_get(o, "EF") : NULL;
	bool ok = true;
	for (size_t i = 0; ef != NULL && pdfobj_kind(ef) == PDF_DICT && i < pdfobj_length(ef); i++)
		if (pdfobj_kind(pdfobj_value(ef, i)) == PDF_STREAM && pdfobj_reference(pdfobj_value(ef, i)) != 0)
			ok = ok && add(l, pdfobj_reference(pdfobj_value(ef, i)), name_of(o), depth == 0 ? number : 0);
	ok = ok && (kind != PDF_DICT || add_media(o, l));
	for (size_t i = 0; ok && i < pdfobj_length(o); i++)
		ok = look(kind == PDF_ARRAY ? pdfobj_at(o, i) : pdfobj_value(o, i), number, l, depth + 1);
	return ok;
}

static int by_number(const void *a, const void *b)
{
	const struct pdf_attached *x = a, *y = b;
	return (x->number > y->number) - (x->number < y->number);
}

enum status pdf_attached_find(const struct pdfdoc *d, struct pdf_attached_list *ret_list, struct err *e)
{
	*ret_list = (struct pdf_attached_list){0};
	for (uint32_t number = pdfdoc_next(d, 0); number != 0; number = pdfdoc_next(d, number)) {
		if (!look(pdfdoc_object(d, number), number, ret_list, 0))
			return err_set(e, ST_RETRY, "memory", "no memory for the files in a document");
		pdfdoc_forget(d);
	}
	if (ret_list->n > 1)
		qsort(ret_list->files, ret_list->n, sizeof *ret_list->files, by_number);
	return ST_OK;
}

void pdf_attached_free(struct pdf_attached_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->files[i].name);
	free(l->files);
	*l = (struct pdf_attached_list){0};
}
