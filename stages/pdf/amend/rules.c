/* What becomes of the entries of dictionaries; clauses are of ISO 19005-2. */
#include <stdlib.h>
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

bool amend_is_widget(const struct pdfobj *annotation)
{
	return pdfobj_is_name(pdfobj_get(annotation, "Subtype"), "Widget");
}

/* A field's entry, its own or its parents' (table 220). */
const struct pdfobj *amend_inherited(const struct pdfobj *field, const char *key)
{
	const struct pdfobj *value = pdfobj_get(field, key);
	for (unsigned depth = 0; pdfobj_kind(value) == PDF_NULL && depth < 32; depth++) {
		field = pdfobj_get(field, "Parent");
		value = pdfobj_get(field, key);
	}
	return value;
}

bool amend_is_button(const struct pdfobj *annotation)
{
	return amend_is_widget(annotation) && pdfobj_is_name(amend_inherited(annotation, "FT"), "Btn");
}

/* 6.3.3: a button's appearance is a dictionary of states. One that is a stream becomes the only state. */
bool amend_lacks_states(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	(void)a;
	(void)value;
	return amend_is_button(owner) && pdfobj_kind(pdfobj_get(pdfobj_get(owner, "AP"), "N")) == PDF_STREAM;
}

/* 6.4.1: a widget has none at all. */
static bool action_of_annotation(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	if (forbidden_action(a, owner, value))
		return true;
	if (!amend_is_widget(owner))
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

bool amend_has_layer(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	(void)value;
	return a->n_layers > 0 && pdfobj_is_name(pdfobj_get(owner, "Type"), "Page") && amend_layer(a, owner) != NULL;
}

/* A page that becomes a picture, which shows its annotations, too. */
bool amend_is_picture(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	(void)value;
	const struct layer *l = amend_layer(a, owner);
	return l != NULL && l->picture != 0;
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

bool amend_unnamed(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	(void)a;
	(void)owner;
	return pdfobj_kind(value) != PDF_STRING || pdfobj_string(value).n == 0;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* EF of a file specification: whether one of its streams is left out. */
bool amend_left_out(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	(void)owner;
	for (size_t i = 0; a->n_left_out > 0 && pdfobj_kind(value) == PDF_DICT && i < pdfobj_length(value); i++) {
		uint32_t number = pdfobj_reference(pdfobj_value(value, i));
		if (bsearch(&number, a->left_out, a->n_left_out, sizeof number, by_value) != NULL)
			return true;
	}
	return false;
}

static bool none_stays(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	(void)owner;
	(void)value;
	return a->none_stays;
}

/* AF of the catalog: whether none of its files stays, or another takes its place. */
static bool new_list(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	return none_stays(a, owner, value) || a->n_associated > 0;
}

/* Subtype of an embedded file in part 3: type/subtype (RFC 2046). */
bool amend_odd_type(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value)
{
	const char *name = pdfobj_kind(value) == PDF_NAME ? pdfobj_name(value) : "";
	const char *slash = strchr(name, '/');
	(void)owner;
	return a->meta.part == 3 &&
	       (slash == NULL || slash == name || slash[1] == '\0' ||
	        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./") != strlen(name));
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
    {CATALOG, "Collection", ANY, none_stays, -1},
    {CATALOG, "AF", ANY, new_list, -1},
    {NAMES, "EmbeddedFiles", FILES, none_stays, -1},
    {FILE_STREAM, "Subtype", ANY, amend_odd_type, -1},
    {FILES, "Kids", FILES_NODES, NULL, -1},
    {FILES, "Names", FILES_PAIRS, NULL, -1},
    {NAMES, "JavaScript", ANY, always, AMEND_SCRIPTS},
    {NAMES, "AlternatePresentations", ANY, always, AMEND_PRESENTATION},
    {PAGE, "Kids", PAGES, NULL, -1},
    {PAGE, "Parent", PAGE, NULL, -1},
    {PAGE, "Annots", ANNOTATIONS, amend_is_picture, -1},
    {PAGE, "Group", ANY, amend_is_picture, -1},
    {PAGE, "StructParents", ANY, amend_is_picture, -1},
    {PAGE, "Thumb", XOBJECT, NULL, -1},
    {PAGE, "AA", ANY, always, AMEND_ACTIONS},
    {PAGE, "PresSteps", ANY, always, AMEND_PRESENTATION},
    {PAGE, "Resources", RESOURCES, amend_has_layer, -1},
    {PAGE, "Contents", ANY, amend_has_layer, -1},
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
    {ANNOTATION, "AS", ANY, amend_lacks_states, -1},
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
    {CONFIG, "Name", ANY, amend_unnamed, -1},
    {CONFIG, "Order", ANY, always, -1},
};

/* Of any dictionary. */
static const struct entry_rule everywhere[] = {
    {ANY, "Metadata", ANY, replaced_metadata, AMEND_METADATA},
    {ANY, "EF", FILE_STREAMS, amend_left_out, AMEND_ATTACHED},
};

const struct entry_rule *amend_rule(enum role role, const char *key)
{
	for (size_t i = 0; role != ANY && i < sizeof rules / sizeof *rules; i++)
		if (rules[i].role == role && strcmp(rules[i].key, key) == 0)
			return &rules[i];
	for (size_t i = 0; i < sizeof everywhere / sizeof *everywhere; i++)
		if (strcmp(everywhere[i].key, key) == 0)
			return &everywhere[i];
	return NULL;
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
	case FILES_NODES:
		return FILES;
	case FILE_STREAMS:
		return FILE_STREAM;
	default:
		return ANY;
	}
}

bool amend_drops_element(struct amend *a, enum role role, const struct pdfobj *array, size_t i)
{
	const struct pdfobj *element = pdfobj_at(array, i);
	/* A name and its file go together. */
	if (role == FILES_PAIRS)
		return amend_left_out(a, array, pdfobj_get(pdfobj_at(array, i | 1), "EF"));
	if (role != ANNOTATIONS || (pdfobj_integer(pdfobj_get(element, "F")) & (HIDDEN | NO_VIEW)) == 0 ||
	    pdfobj_is_name(pdfobj_get(element, "Subtype"), "Popup") || pdfobj_kind(pdfobj_get(element, "Rect")) != PDF_ARRAY)
		return false;
	amend_count(a, AMEND_HIDDEN);
	return true;
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
	    [AMEND_ATTACHED] = "attached files taken out",
	    [AMEND_DRAWN] = "pages drawn as pictures with their text kept underneath",
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
