/* What becomes of the entries of dictionaries; clauses are of ISO 19005-2. */
#include <string.h>

#include "stages/pdf/amend/internal.h"

static bool one_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}
#define ONE_OF(name, ...)                                                                                                        \
	one_of(name, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static bool always(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	(void)a;
	(void)owner;
	(void)value;
	return true;
}

static bool is_true(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	(void)a;
	(void)owner;
	return pdfobj_boolean(value);
}

/* 6.5.1. A chain goes as a whole: what follows a script was meant to follow it. */
static bool forbidden(const struct pdfobj *action, unsigned depth)
{
	const char *type = pdfobj_name(pdfobj_get(action, "S"));
	const struct pdfobj *next = pdfobj_get(action, "Next");
	if (pdfobj_kind(action) != PDF_DICT)
		return false;
	if (depth > 20 || !ONE_OF(type, "GoTo", "GoToR", "GoToE", "Thread", "URI", "Named", "SubmitForm"))
		return true;
	if (strcmp(type, "Named") == 0 &&
	    !ONE_OF(pdfobj_name(pdfobj_get(action, "N")), "NextPage", "PrevPage", "FirstPage", "LastPage"))
		return true;
	if (pdfobj_kind(next) == PDF_DICT)
		return forbidden(next, depth + 1);
	for (size_t i = 0; pdfobj_kind(next) == PDF_ARRAY && i < pdfobj_length(next); i++)
		if (forbidden(pdfobj_at(next, i), depth + 1))
			return true;
	return false;
}

static bool forbidden_action(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	if (!forbidden(value, 0))
		return false;
	bool script = pdfobj_is_name(pdfobj_get(value, "S"), "JavaScript");
	(void)owner;
	amend_count(a, script ? AMEND_SCRIPTS : AMEND_ACTIONS);
	return true;
}

static bool is_widget(const struct pdfobj *annotation)
{
	return pdfobj_is_name(pdfobj_get(annotation, "Subtype"), "Widget");
}

/* A field's entry, its own or its parents' (table 220). */
static const struct pdfobj *inherited(const struct pdfobj *field, const char *key)
{
	const struct pdfobj *value = pdfobj_get(field, key);
	for (unsigned depth = 0; pdfobj_kind(value) == PDF_NULL && depth < 32; depth++) {
		field = pdfobj_get(field, "Parent");
		value = pdfobj_get(field, key);
	}
	return value;
}

static bool is_button(const struct pdfobj *annotation)
{
	return is_widget(annotation) && pdfobj_is_name(inherited(annotation, "FT"), "Btn");
}

/* 6.3.3: a button's appearance is a dictionary of states. One that is a stream becomes the only state. */
static bool lacks_states(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	(void)a;
	(void)value;
	return is_button(owner) && pdfobj_kind(pdfobj_get(pdfobj_get(owner, "AP"), "N")) == PDF_STREAM;
}

/* 6.4.1: a widget has none at all. */
static bool action_of_annotation(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	if (forbidden_action(a, owner, value))
		return true;
	if (!is_widget(owner))
		return false;
	amend_count(a, AMEND_FORMS);
	return true;
}

static bool other_intent(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	(void)owner;
	if (a->keeps_intents)
		return false;
	if (pdfobj_length(value) > 0)
		amend_count(a, AMEND_INTENTS);
	return true;
}

static bool replaced_metadata(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	(void)owner;
	(void)value;
	return (a->remedies & AMEND_XMP_ANEW) != 0;
}

static bool subset_list(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	(void)owner;
	(void)value;
	return (a->remedies & AMEND_NO_SUBSETS) != 0;
}

static bool has_layer(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	(void)value;
	return a->n_layers > 0 && pdfobj_is_name(pdfobj_get(owner, "Type"), "Page") && amend_layer(a, owner) != NULL;
}

static bool gets_inks(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	(void)owner;
	(void)value;
	return (a->remedies & AMEND_DEFAULT_CMYK) != 0;
}

/* 6.2.5: TR2 may say Default. */
static bool no_default(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	(void)a;
	(void)owner;
	return !pdfobj_is_name(value, "Default");
}

/* 6.2.6 */
static bool odd_intent(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	(void)a;
	(void)owner;
	return !ONE_OF(pdfobj_name(value), "RelativeColorimetric", "AbsoluteColorimetric", "Perceptual", "Saturation");
}

static bool embedded_anew(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	(void)value;
	return amend_embeds(a, owner);
}

/* 6.2.11.6: a symbolic TrueType font has the encoding of its program; readers do not look at another (ISO 32000-1, 9.6.6.4). */
static bool other_encoding(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	enum { SYMBOLIC = 4 };
	(void)value;
	if (amend_embeds(a, owner))
		return true;
	if ((a->remedies & AMEND_NO_ENCODING) == 0 || !pdfobj_is_name(pdfobj_get(owner, "Subtype"), "TrueType") ||
	    (pdfobj_integer(pdfobj_get(pdfobj_get(owner, "FontDescriptor"), "Flags")) & SYMBOLIC) == 0)
		return false;
	amend_count(a, AMEND_FONTS);
	return true;
}

static bool unnamed(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	(void)a;
	(void)owner;
	return pdfobj_kind(value) != PDF_STRING || pdfobj_string(value).n == 0;
}

static const struct entry_rule rules[] = {
    {CATALOG, "Pages", PAGE, NULL, -1},
    {CATALOG, "AcroForm", FORM, NULL, -1},
    {CATALOG, "Names", NAMES, NULL, -1},
    {CATALOG, "Outlines", OUTLINE, NULL, -1},
    {CATALOG, "OCProperties", LAYERS, NULL, -1},
    {CATALOG, "OpenAction", ACTION, forbidden_action, -1},
    {CATALOG, "AA", ANY, always, AMEND_ACTIONS},
    {CATALOG, "Metadata", ANY, always, -1},
    {CATALOG, "OutputIntents", ANY, other_intent, -1},
    {CATALOG, "Version", ANY, always, -1}, /* the header says 1.7 */
    {CATALOG, "Perms", ANY, always, AMEND_PRESENTATION},
    {CATALOG, "Requirements", ANY, always, AMEND_PRESENTATION},
    {CATALOG, "NeedsRendering", ANY, always, AMEND_FORMS},
    {NAMES, "JavaScript", ANY, always, AMEND_SCRIPTS},
    {NAMES, "AlternatePresentations", ANY, always, AMEND_PRESENTATION},
    {PAGE, "Kids", PAGES, NULL, -1},
    {PAGE, "Parent", PAGE, NULL, -1},
    {PAGE, "Annots", ANNOTATIONS, NULL, -1},
    {PAGE, "Thumb", XOBJECT, NULL, -1},
    {PAGE, "AA", ANY, always, AMEND_ACTIONS},
    {PAGE, "PresSteps", ANY, always, AMEND_PRESENTATION},
    {PAGE, "Resources", RESOURCES, has_layer, -1},
    {PAGE, "Contents", ANY, has_layer, -1},
    {RESOURCES, "XObject", XOBJECTS, NULL, -1},
    {RESOURCES, "ExtGState", STATES, NULL, -1},
    {RESOURCES, "Font", FONTS, NULL, -1},
    {RESOURCES, "Pattern", PATTERNS, NULL, -1},
    {RESOURCES, "ColorSpace", ANY, gets_inks, -1},
    {XOBJECT, "Resources", RESOURCES, NULL, -1},
    {XOBJECT, "SMask", XOBJECT, NULL, -1},
    {XOBJECT, "Mask", XOBJECT, NULL, -1},
    {XOBJECT, "Interpolate", ANY, is_true, AMEND_PICTURES},
    {XOBJECT, "Alternates", ANY, always, AMEND_PICTURES},
    {XOBJECT, "OPI", ANY, always, AMEND_PICTURES},
    {XOBJECT, "Intent", ANY, odd_intent, AMEND_STATES},
    {XOBJECT, "PS", ANY, always, AMEND_PICTURES},
    {XOBJECT, "Subtype2", ANY, always, AMEND_PICTURES},
    {XOBJECT, "Ref", ANY, always, AMEND_PICTURES},
    {PATTERN, "Resources", RESOURCES, NULL, -1},
    {PATTERN, "ExtGState", STATE, NULL, -1},
    {STATE, "TR", ANY, always, AMEND_STATES},
    {STATE, "TR2", ANY, no_default, AMEND_STATES},
    {STATE, "HTP", ANY, always, AMEND_STATES},
    {STATE, "HT", ANY, no_default, AMEND_STATES},
    {STATE, "RI", ANY, odd_intent, AMEND_STATES},
    {STATE, "SMask", SOFT_MASK, NULL, -1},
    {STATE, "Font", FONTS, NULL, -1},
    {SOFT_MASK, "G", XOBJECT, NULL, -1},
    {FONT, "Type", ANY, always, -1},
    {FONT, "DescendantFonts", FONTS, NULL, -1},
    {FONT, "FontDescriptor", DESCRIPTOR, embedded_anew, -1},
    {FONT, "Subtype", ANY, embedded_anew, -1},
    {FONT, "BaseFont", ANY, embedded_anew, -1},
    {FONT, "Encoding", ANY, other_encoding, -1},
    {FONT, "FirstChar", ANY, embedded_anew, -1},
    {FONT, "LastChar", ANY, embedded_anew, -1},
    {FONT, "Widths", ANY, embedded_anew, -1},
    {FONT, "Resources", RESOURCES, NULL, -1},
    {DESCRIPTOR, "CharSet", ANY, subset_list, AMEND_FONTS},
    {DESCRIPTOR, "CIDSet", ANY, subset_list, AMEND_FONTS},
    {ANNOTATION, "Kids", ANNOTATIONS, NULL, -1},
    {ANNOTATION, "Parent", ANNOTATION, NULL, -1},
    {ANNOTATION, "Popup", ANNOTATION, NULL, -1},
    {ANNOTATION, "IRT", ANNOTATION, NULL, -1},
    {ANNOTATION, "P", PAGE, NULL, -1},
    {ANNOTATION, "DR", RESOURCES, NULL, -1},
    {ANNOTATION, "A", ACTION, action_of_annotation, -1},
    {ANNOTATION, "AA", ANY, always, AMEND_ACTIONS},
    {ANNOTATION, "AP", ANY, always, -1},
    {ANNOTATION, "F", ANY, always, -1},
    {ANNOTATION, "AS", ANY, lacks_states, -1},
    {FORM, "Fields", ANNOTATIONS, NULL, -1},
    {FORM, "DR", RESOURCES, NULL, -1},
    {FORM, "XFA", ANY, always, AMEND_FORMS},
    {FORM, "NeedAppearances", ANY, is_true, AMEND_FORMS},
    {OUTLINE, "First", OUTLINE, NULL, -1},
    {OUTLINE, "Last", OUTLINE, NULL, -1},
    {OUTLINE, "Next", OUTLINE, NULL, -1},
    {OUTLINE, "Prev", OUTLINE, NULL, -1},
    {OUTLINE, "Parent", OUTLINE, NULL, -1},
    {OUTLINE, "A", ACTION, forbidden_action, -1},
    {LAYERS, "D", CONFIG, NULL, -1},
    {LAYERS, "Configs", CONFIGS, NULL, -1},
    {CONFIG, "AS", ANY, always, AMEND_LAYERS},
    {CONFIG, "Name", ANY, unnamed, -1},
    {CONFIG, "Order", ANY, always, -1},
};

const struct entry_rule *amend_rule(enum role role, const char *key)
{
	static const char metadata[] = "Metadata";
	static const struct entry_rule part = {ANY, metadata, ANY, replaced_metadata, AMEND_METADATA};
	for (size_t i = 0; role != ANY && i < sizeof rules / sizeof *rules; i++)
		if (rules[i].role == role && strcmp(rules[i].key, key) == 0)
			return &rules[i];
	return strcmp(key, metadata) == 0 ? &part : NULL;
}

enum role amend_element(enum role role)
{
	switch (role) {
	case PAGES:
		return PAGE;
	case XOBJECTS:
		return XOBJECT;
	case STATES:
		return STATE;
	case FONTS:
		return FONT;
	case PATTERNS:
		return PATTERN;
	case ANNOTATIONS:
		return ANNOTATION;
	case CONFIGS:
		return CONFIG;
	case ACTION: /* an array is a destination */
	default:
		return ANY;
	}
}

/* Table 165: what nobody sees on a screen. A popup is part of another annotation. */
enum { INVISIBLE = 1, HIDDEN = 2, PRINT = 4, NO_VIEW = 32, TOGGLE_NO_VIEW = 256 };

bool amend_drops_element(struct amend *a, enum role role, const struct pdfobj *element)
{
	if (role != ANNOTATIONS || (pdfobj_integer(pdfobj_get(element, "F")) & (HIDDEN | NO_VIEW)) == 0 ||
	    pdfobj_is_name(pdfobj_get(element, "Subtype"), "Popup") || pdfobj_kind(pdfobj_get(element, "Rect")) != PDF_ARRAY)
		return false;
	amend_count(a, AMEND_HIDDEN);
	return true;
}

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
	return is_widget(annotation) && pdfobj_kind(inherited(annotation, "V")) == PDF_NULL &&
	       (pdfobj_is_name(inherited(annotation, "FT"), "Sig") || pdfobj_length(pdfobj_get(annotation, "MK")) == 0);
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
	bool button = is_button(annotation), wrap = lacks_states(a, annotation, NULL);
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
	if (unnamed(a, config, pdfobj_get(config, "Name"))) {
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

static void put_catalog(struct amend *a, struct buf *to)
{
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

void amend_put_new(struct amend *a, const struct pdfobj *owner, enum role role, struct buf *to)
{
	switch (role) {
	case CATALOG:
		put_catalog(a, to);
		break;
	case PAGE:
		if (has_layer(a, owner, NULL))
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
	default:
		break;
	}
}

const char *amend_change_name(enum amend_change c)
{
	static const char *const names[AMEND_CHANGES] = {
	    [AMEND_SCRIPTS] = "scripts taken out",
	    [AMEND_ACTIONS] = "actions that PDF/A forbids taken out",
	    [AMEND_FORMS] = "XFA and actions of form fields taken out",
	    [AMEND_ANNOTATIONS] = "flags and appearances of annotations",
	    [AMEND_HIDDEN] = "hidden annotations taken off their pages",
	    [AMEND_LAYERS] = "configurations of layers",
	    [AMEND_PICTURES] = "interpolation and alternates of pictures",
	    [AMEND_STATES] = "transfer functions, halftones and rendering intents",
	    [AMEND_FILTERS] = "streams compressed anew by Flate",
	    [AMEND_FONTS] = "entries of fonts",
	    [AMEND_EMBEDDED] = "fonts embedded, by faces of the same widths",
	    [AMEND_PRESENTATION] = "presentations, requirements and permissions taken out",
	    [AMEND_INKS] = "default CMYK colour spaces added",
	    [AMEND_INTENTS] = "output intents replaced by sRGB",
	    [AMEND_METADATA] = "XMP replaced",
	};
	return names[c];
}

unsigned amend_remedies(const struct pdfa_result *found)
{
	static const struct {
		const char *rule; /* or the beginning of several */
		unsigned remedy;
	} rows[] = {
	    {"6.6.", AMEND_XMP_ANEW},        {"6.2.3-", AMEND_OWN_INTENT},      {"6.2.4.3-2", AMEND_OWN_INTENT},
	    {"6.2.4.3-4", AMEND_OWN_INTENT}, {"6.2.4.3-3", AMEND_DEFAULT_CMYK}, {"6.2.11.4.2-", AMEND_NO_SUBSETS},
	    {"6.2.11.4.1-1", AMEND_EMBED},   {"6.2.11.2-", AMEND_EMBED},        {"6.2.11.6-3", AMEND_NO_ENCODING},
	};
	unsigned remedies = 0;
	for (size_t i = 0; i < found->n_findings; i++)
		for (size_t k = 0; found->findings[i].broken > 0 && k < sizeof rows / sizeof *rows; k++)
			if (strncmp(found->findings[i].rule, rows[k].rule, strlen(rows[k].rule)) == 0)
				remedies |= rows[k].remedy;
	return remedies;
}
