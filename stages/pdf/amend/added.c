/* Entries that take the place of others, or were missing; clauses are of ISO 19005-2. */
#include <string.h>

#include "stages/pdf/amend/internal.h"

static void put_flags(struct amend *a, const struct pdfobj *annotation, struct buf *to)
{
	const struct pdfobj *f = pdfobj_get(annotation, "F");
	if (pdfobj_kind(pdfobj_get(annotation, "Rect")) != PDF_ARRAY ||
	    pdfobj_is_name(pdfobj_get(annotation, "Subtype"), "Popup"))
		return;
	int64_t flags = pdfobj_integer(f), now = (flags & ~(int64_t)(INVISIBLE | HIDDEN | NO_VIEW | TOGGLE_NO_VIEW)) | PRINT;
	if (now != flags)
		amend_count(a, AMEND_ANNOTATIONS);
	if (to != NULL)
		buf_format(to, "/F %lld\n", (long long)now);
}

/* A field that shows nothing: not signed, or without a value and a look of its own. */
static bool shows_nothing(const struct pdfobj *annotation)
{
	return amend_is_widget(annotation) && pdfobj_kind(amend_inherited(annotation, "V")) == PDF_NULL &&
	       (pdfobj_is_name(amend_inherited(annotation, "FT"), "Sig") || pdfobj_length(pdfobj_get(annotation, "MK")) == 0);
}

static bool has_area(const struct pdfobj *rect)
{
	return pdfobj_length(rect) == 4 && (pdfobj_real(pdfobj_at(rect, 0)) != pdfobj_real(pdfobj_at(rect, 2)) ||
	                                    pdfobj_real(pdfobj_at(rect, 1)) != pdfobj_real(pdfobj_at(rect, 3)));
}

/* 6.3.3: the normal appearance alone; for all but buttons the one of the present state. */
static void put_appearance(struct amend *a, const struct pdfobj *annotation, struct buf *to)
{
	const struct pdfobj *ap = pdfobj_get(annotation, "AP"), *n = pdfobj_get(ap, "N");
	bool button = amend_is_button(annotation), wrap = amend_lacks_states(a, annotation, NULL);
	const struct pdfobj *state = pdfobj_get(n, pdfobj_name(pdfobj_get(annotation, "AS")));
	bool choose = pdfobj_kind(n) == PDF_DICT && !button && pdfobj_kind(state) == PDF_STREAM;
	if (pdfobj_kind(n) == PDF_NULL) {
		if (!has_area(pdfobj_get(annotation, "Rect")) || !shows_nothing(annotation))
			return;
		amend_count(a, AMEND_ANNOTATIONS);
		if (to != NULL)
			buf_format(to, "/AP<</N %u 0 R>>\n", a->empty);
		return;
	}
	if (choose || wrap || pdfobj_length(ap) != 1)
		amend_count(a, AMEND_ANNOTATIONS);
	if (to != NULL)
		buf_str(to, wrap ? "/AS/On/AP<</N<</On " : "/AP<</N ");
	if (choose)
		amend_put(a, state, XOBJECT, to);
	else
		amend_put(a, n, pdfobj_kind(n) == PDF_STREAM ? XOBJECT : XOBJECTS, to);
	if (to != NULL)
		buf_str(to, wrap ? ">>>>\n" : ">>\n");
}

/* Whether an order of layers shows one, however deep. */
static bool order_shows(const struct pdfobj *order, uint32_t group, unsigned depth)
{
	for (size_t i = 0; pdfobj_kind(order) == PDF_ARRAY && depth < 32 && i < pdfobj_length(order); i++)
		if (pdfobj_reference(pdfobj_at(order, i)) == group || order_shows(pdfobj_at(order, i), group, depth + 1))
			return true;
	return false;
}

/* 6.9: a name, and all layers in the order. */
static void put_config(struct amend *a, const struct pdfobj *config, struct buf *to)
{
	const struct pdfobj *order = pdfobj_get(config, "Order");
	const struct pdfobj *groups = pdfobj_get(pdfobj_get(pdfdoc_catalog(a->doc), "OCProperties"), "OCGs");
	if (amend_unnamed(a, config, pdfobj_get(config, "Name"))) {
		amend_count(a, AMEND_LAYERS);
		if (to != NULL)
			buf_format(to, "/Name(Layers %u)\n", pdfobj_number(config));
	}
	if (pdfobj_kind(order) != PDF_ARRAY)
		return;
	bool added = false;
	if (to != NULL)
		buf_str(to, "/Order[");
	for (size_t i = 0; i < pdfobj_length(order); i++) {
		amend_put(a, pdfobj_at(order, i), ANY, to);
		if (to != NULL)
			buf_byte(to, ' ');
	}
	for (size_t i = 0; pdfobj_kind(groups) == PDF_ARRAY && i < pdfobj_length(groups); i++) {
		if (order_shows(order, pdfobj_reference(pdfobj_at(groups, i)), 0))
			continue;
		added = true;
		amend_put(a, pdfobj_at(groups, i), ANY, to);
		if (to != NULL)
			buf_byte(to, ' ');
	}
	if (added)
		amend_count(a, AMEND_LAYERS);
	if (to != NULL)
		buf_str(to, "]\n");
}

static void put_inks(struct amend *a, const struct pdfobj *resources, struct buf *to)
{
	const struct pdfobj *spaces = pdfobj_get(resources, "ColorSpace");
	bool has = pdfobj_kind(pdfobj_get(spaces, "DefaultCMYK")) != PDF_NULL;
	if (!has)
		amend_count(a, AMEND_INKS);
	if (to != NULL)
		buf_str(to, "/ColorSpace<<");
	amend_put_entries(a, spaces, ANY, NULL, to);
	if (to != NULL && !has)
		buf_format(to, "/DefaultCMYK[/ICCBased %u 0 R]", a->inks);
	if (to != NULL)
		buf_str(to, ">>\n");
}

/* A CIDFont of TrueType that names no map has the identity (table 117); here it must say so (6.2.11.3.2). */
static void put_glyph_map(struct amend *a, const struct pdfobj *font, struct buf *to)
{
	if (!pdfobj_is_name(pdfobj_get(font, "Subtype"), "CIDFontType2") ||
	    pdfobj_kind(pdfobj_get(font, "CIDToGIDMap")) != PDF_NULL ||
	    pdfobj_kind(pdfobj_get(pdfobj_get(font, "FontDescriptor"), "FontFile2")) != PDF_STREAM)
		return;
	amend_count(a, AMEND_FONTS);
	if (to != NULL)
		buf_str(to, "/CIDToGIDMap/Identity\n");
}

/* 6.2.2: a page has its own, not its parents'. */
static void put_resources(struct amend *a, const struct pdfobj *page, struct buf *to)
{
	if (!pdfobj_is_name(pdfobj_get(page, "Type"), "Page") || pdfobj_kind(pdfobj_get(page, "Resources")) == PDF_DICT)
		return;
	const struct pdfobj *resources = pdfdoc_page_attribute(a->doc, pdfobj_number(page), "Resources");
	if (pdfobj_kind(resources) != PDF_DICT)
		return;
	if (to != NULL)
		buf_str(to, "/Resources ");
	amend_put(a, resources, RESOURCES, to);
}

/* ISO 19005-3, 6.8: embedded files are associated with the document. What the list has already stays in it. */
static void put_associated(struct amend *a, const struct pdfobj *catalog, struct buf *to)
{
	const struct pdfobj *own = pdfobj_get(catalog, "AF");
	if (a->n_associated == 0)
		return;
	if (to != NULL)
		buf_str(to, "/AF[");
	for (size_t i = 0; pdfobj_kind(own) == PDF_ARRAY && i < pdfobj_length(own); i++) {
		amend_put(a, pdfobj_at(own, i), ANY, to);
		if (to != NULL)
			buf_byte(to, ' ');
	}
	for (size_t i = 0; to != NULL && i < a->n_associated; i++) {
		bool there = !amend_holds(a, a->associated[i]);
		for (size_t k = 0; !there && pdfobj_kind(own) == PDF_ARRAY && k < pdfobj_length(own); k++)
			there = pdfobj_reference(pdfobj_at(own, k)) == a->associated[i];
		if (!there)
			buf_format(to, "%u 0 R ", a->numbers[a->associated[i]]);
	}
	if (to != NULL)
		buf_str(to, "]\n");
}

static void put_catalog(struct amend *a, const struct pdfobj *catalog, struct buf *to)
{
	put_associated(a, catalog, to);
	if (to == NULL)
		return;
	buf_format(to, "/Metadata %u 0 R\n", a->metadata);
	if (!a->keeps_intents)
		buf_format(
		    to,
		    "/OutputIntents[<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(sRGB)/Info(sRGB IEC61966-2.1)"
		    "/RegistryName(http://www.color.org)/DestOutputProfile %u 0 R>>]\n",
		    a->intent);
}

/* 6.8: a specification of an embedded file has its name twice, in part 3 a relationship. */
static void put_names(struct amend *a, const struct pdfobj *specification, struct buf *to)
{
	const struct pdfobj *ef = pdfobj_get(specification, "EF"), *f = pdfobj_get(specification, "F"),
	                    *uf = pdfobj_get(specification, "UF");
	if (pdfobj_kind(ef) != PDF_DICT || amend_left_out(a, specification, ef) || to == NULL)
		return;
	if (a->meta.part == 3 && pdfobj_kind(pdfobj_get(specification, "AFRelationship")) != PDF_NAME)
		buf_str(to, "/AFRelationship/Unspecified\n");
	if (pdfobj_kind(f) == PDF_STRING && pdfobj_kind(uf) == PDF_NULL) {
		buf_str(to, "/UF ");
		amend_put(a, f, ANY, to);
	} else if (pdfobj_kind(uf) == PDF_STRING && pdfobj_kind(f) == PDF_NULL) {
		buf_str(to, "/F ");
		amend_put(a, uf, ANY, to);
	}
}

void amend_put_new(struct amend *a, const struct pdfobj *owner, enum role role, struct buf *to)
{
	switch (role) {
	case CATALOG:
		put_catalog(a, owner, to);
		break;
	case PAGE:
		if (amend_has_layer(a, owner, NULL))
			amend_put_layer(a, owner, amend_layer(a, owner), to);
		else
			put_resources(a, owner, to);
		break;
	case RESOURCES:
		if (a->inks != 0)
			put_inks(a, owner, to);
		break;
	case FONT:
		if (to != NULL)
			buf_str(to, "/Type/Font\n");
		put_glyph_map(a, owner, to);
		if (amend_embeds(a, owner))
			amend_put_font(a, owner, to);
		break;
	case ANNOTATION:
		put_flags(a, owner, to);
		put_appearance(a, owner, to);
		break;
	case CONFIG:
		put_config(a, owner, to);
		break;
	case FILE_STREAM:
		if (to != NULL && amend_odd_type(a, owner, pdfobj_get(owner, "Subtype")))
			buf_str(to, "/Subtype/application#2Foctet-stream\n");
		break;
	default:
		put_names(a, owner, to);
		break;
	}
}
