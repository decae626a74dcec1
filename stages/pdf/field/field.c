#include "stages/pdf/field/field.h"

#include <stdio.h>
#include <string.h>

uint32_t pdffield_catalog(const struct pdfdoc *d)
{
	return pdfobj_reference(pdfobj_get(pdfdoc_trailer(d), "Root"));
}

static bool is_taken(const struct pdfobj *fields, const char *name)
{
	size_t length = strlen(name);
	for (size_t i = 0; i < pdfobj_length(fields); i++) {
		struct bytes t = pdfobj_string(pdfobj_get(pdfobj_at(fields, i), "T"));
		if (bytes_equal(t, (struct bytes){(const uint8_t *)name, length}))
			return true;
		/* The same name in UTF-16BE. */
		if (t.n != 2 + 2 * length || t.p[0] != 0xfe || t.p[1] != 0xff)
			continue;
		size_t same = 0;
		while (same < length && t.p[2 + 2 * same] == 0 && t.p[3 + 2 * same] == (uint8_t)name[same])
			same++;
		if (same == length)
			return true;
	}
	return false;
}

/* The elements of an array (or of nothing) and one reference more, with brackets. */
static void print_longer(const struct pdfobj *array, uint32_t added, struct buf *to)
{
	buf_byte(to, '[');
	for (size_t i = 0; i < pdfobj_length(array); i++) {
		pdfobj_print(pdfobj_at(array, i), to);
		buf_byte(to, ' ');
	}
	buf_format(to, "%u 0 R]", added);
}

static bool array_or_absent(const struct pdfobj *o)
{
	return pdfobj_kind(o) == PDF_ARRAY || pdfobj_kind(o) == PDF_NULL;
}

/* Puts the reference into the array that `key` of object `holder` names: into the array's own object where it has one, else into
 * the holder. */
static enum status extend_array(struct pdfupd *u, uint32_t holder, const char *key, uint32_t added, struct err *e)
{
	const struct pdfobj *array = pdfobj_get(pdfupd_object(u, holder), key);
	if (!array_or_absent(array)) {
		err_set(e, ST_ITEM, "pdf-form", "%s is no array", key);
		return err_where(e, "object %u", holder);
	}
	BUF_AUTO struct buf b = BUF_INIT(64u << 20);
	uint32_t own = pdfobj_kind(array) == PDF_NULL ? 0 : pdfobj_reference(array);
	if (own != 0) {
		print_longer(pdfupd_object(u, own), added, &b);
		pdfupd_set(u, own, b.data, b.len);
	} else {
		const char *const keys[] = {key, NULL};
		buf_str(&b, "<< ");
		pdfupd_print_without(u, holder, keys, &b);
		buf_format(&b, " /%s ", key);
		print_longer(array, added, &b);
		buf_str(&b, " >>");
		pdfupd_set(u, holder, b.data, b.len);
	}
	return b.failed ? err_set(e, ST_RETRY, "memory", "%s of object %u", key, holder) : ST_OK;
}

static void print_name(const char *name, struct buf *to)
{
	buf_byte(to, '/');
	for (; *name != '\0'; name++) {
		uint8_t c = (uint8_t)*name;
		if (c > ' ' && c < 0x7f && strchr("#/%()<>[]{}", c) == NULL)
			buf_byte(to, c);
		else
			buf_format(to, "#%02X", c);
	}
}

/* The inside of an AcroForm dictionary with SigFlags 3 and without Fields. */
static void print_form(const struct pdfobj *form, struct buf *to)
{
	for (size_t i = 0; i < pdfobj_length(form); i++) {
		const char *key = pdfobj_key(form, i);
		if (strcmp(key, "Fields") == 0 || strcmp(key, "SigFlags") == 0)
			continue;
		const struct pdfobj *value = pdfobj_value(form, i);
		print_name(key, to);
		buf_byte(to, ' ');
		pdfobj_print(value, to);
		buf_byte(to, ' ');
	}
	buf_str(to, "/SigFlags 3 ");
}

/* Fields of the form that `form` is, printed with one more; an array with a number of its own is changed there. */
static void extend_fields(struct pdfupd *u, const struct pdfobj *form, uint32_t field, struct buf *to)
{
	const struct pdfobj *fields = pdfobj_get(form, "Fields");
	uint32_t own = pdfobj_kind(fields) == PDF_NULL ? 0 : pdfobj_reference(fields);
	buf_str(to, "/Fields ");
	if (own == 0) {
		print_longer(fields, field, to);
		return;
	}
	BUF_AUTO struct buf b = BUF_INIT(64u << 20);
	print_longer(fields, field, &b);
	pdfupd_set(u, own, b.data, b.len);
	buf_format(to, "%u 0 R", own);
}

/* The form stays where it is, in the catalog or in an object of its own; only a new one gets an object. */
static enum status extend_form(struct pdfupd *u, const struct pdfdoc *d, uint32_t field, struct err *e)
{
	uint32_t catalog = pdffield_catalog(d);
	const struct pdfobj *form = pdfobj_get(pdfupd_object(u, catalog), "AcroForm");
	bool absent = pdfobj_kind(form) == PDF_NULL;
	if ((!absent && pdfobj_kind(form) != PDF_DICT) || !array_or_absent(pdfobj_get(form, "Fields")))
		return err_set(e, ST_ITEM, "pdf-form", "AcroForm is no dictionary with an array of Fields");
	uint32_t own = absent ? pdfupd_allocate(u) : pdfobj_reference(form);
	BUF_AUTO struct buf body = BUF_INIT(64u << 20);
	buf_str(&body, "<< ");
	print_form(form, &body);
	extend_fields(u, form, field, &body);
	buf_str(&body, " >>");
	if (own != 0)
		pdfupd_set(u, own, body.data, body.len);
	if (own == 0 || absent) {
		BUF_AUTO struct buf b = BUF_INIT(64u << 20);
		const char *const keys[] = {"AcroForm", NULL};
		buf_str(&b, "<< ");
		pdfupd_print_without(u, catalog, keys, &b);
		buf_str(&b, " /AcroForm ");
		if (own != 0)
			buf_format(&b, "%u 0 R", own);
		else
			buf_add(&b, body.data, body.len);
		buf_str(&b, " >>");
		pdfupd_set(u, catalog, b.data, b.len);
	}
	return body.failed ? err_set(e, ST_RETRY, "memory", "AcroForm") : ST_OK;
}

/* PDF/A-1 wants an appearance even where there is nothing to see (ISO 19005-1, 6.9). */
static uint32_t write_nothing(struct pdfupd *u)
{
	uint32_t form = pdfupd_allocate(u);
	pdfupd_set_stream(u, form, "/Type /XObject /Subtype /Form /BBox [0 0 0 0] /Resources << >>", "", 0);
	return form;
}

enum status pdffield_add(struct pdfupd *u, const struct pdfdoc *d, const struct pdffield *f, uint32_t *ret_value,
                         char ret_name[PDFFIELD_NAME], struct err *e)
{
	const struct pdfobj *fields = pdfobj_get(pdfobj_get(pdfupd_object(u, pdffield_catalog(d)), "AcroForm"), "Fields");
	unsigned k = 0;
	do
		snprintf(ret_name, PDFFIELD_NAME, "%.30s%u", f->stem, ++k);
	while (is_taken(fields, ret_name));

	uint32_t appearance = f->appearance != 0 ? f->appearance : write_nothing(u);
	uint32_t value = pdfupd_allocate(u), field = pdfupd_allocate(u);
	BUF_AUTO struct buf b = BUF_INIT(4096);
	buf_format(&b, "<< /Type /Annot /Subtype /Widget /FT /Sig /T (%s) /V %u 0 R /F 132 /P %u 0 R", ret_name, value, f->page);
	buf_format(&b, " /Rect [%.3f %.3f %.3f %.3f] /AP << /N %u 0 R >> >>", f->rect[0], f->rect[1], f->rect[2], f->rect[3],
	           appearance);
	pdfupd_set(u, field, b.data, b.len);
	enum status st = extend_array(u, f->page, "Annots", field, e);
	if (st == ST_OK)
		st = extend_form(u, d, field, e);
	if (st == ST_OK)
		*ret_value = value;
	return st;
}
