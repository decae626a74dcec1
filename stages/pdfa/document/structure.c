/* The structure tree (ISO 32000-1, 14.7), its languages and texts. */
#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"
#include "stages/pdfa/document/facts.h"

#define TREE_DEEP 32
#define ROLES_DEEP 64 /* types that are mapped one to the other */

/* 14.8.4; the first ones stand in PDF 1.4 already (9.7.4). */
static const char *const types[] = {"Document", "Part", "Art", "Sect", "Div", "BlockQuote", "Caption", "TOC", "TOCI", "Index",
                                    "NonStruct", "Private", "P", "H", "H1", "H2", "H3", "H4", "H5", "H6", "L", "LI", "Lbl",
                                    "LBody", "Table", "TR", "TH", "TD", "Span", "Quote", "Note", "Reference", "BibEntry", "Code",
                                    "Link", "Figure", "Formula", "Form",
                                    /* PDF 1.5 to 1.7 */
                                    "THead", "TBody", "TFoot", "Annot", "Ruby", "RB", "RT", "RP", "Warichu", "WT", "WP"};
#define N_TYPES_1_4 38

static bool standard(const struct check *c, const char *type)
{
	size_t n = pdfa_part(c) == 1 ? N_TYPES_1_4 : sizeof types / sizeof *types;
	for (size_t i = 0; i < n; i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

void language_show(struct check *c, const struct pdfobj *lang, uint32_t number)
{
	if (pdfobj_kind(lang) != PDF_STRING)
		return;
	char *text = pdfobj_text(lang);
	if (text == NULL) {
		struct err e;
		err_set(&e, ST_RETRY, "memory", "no memory for a language");
		pdfa_fail(c, &e);
		return;
	}
	struct o_language o = {text};
	pdfa_show(c, O_language, &o, number, text);
	free(text);
}

static bool private_use(const char *text)
{
	for (const char *at = text; *at != '\0';) {
		uint32_t u = utf8_next(&at);
		if ((u >= 0xe000 && u <= 0xf8ff) || (u >= 0xf0000 && u <= 0xffffd) || (u >= 0x100000 && u <= 0x10fffd))
			return true;
	}
	return false;
}

void actual_text_show(struct check *c, const struct pdfobj *text, uint32_t number)
{
	char *utf8 = pdfobj_kind(text) == PDF_STRING ? pdfobj_text(text) : NULL;
	if (utf8 == NULL)
		return;
	struct o_actual_text o = {private_use(utf8)};
	pdfa_show(c, O_actual_text, &o, number, NULL);
	free(utf8);
}

/* Follows the role map from a type: to a standard one, to nothing, or round. */
static struct o_nonstandard_type follow_roles(const struct check *c, const char *type, bool *ret_standard)
{
	const struct pdfobj *roles = pdfobj_get(pdfobj_get(pdfdoc_catalog(c->doc), "StructTreeRoot"), "RoleMap");
	const char *next = pdfobj_name(pdfobj_get(roles, type));
	struct o_nonstandard_type o = {0};
	/* In PDF 1.4 a standard type is what it is, whatever it is mapped to. */
	*ret_standard = standard(c, type) && (pdfa_part(c) == 1 || *next == '\0' || strcmp(next, type) == 0);
	if (*ret_standard)
		return o;
	const char *met[ROLES_DEEP] = {type};
	size_t n = 1;
	for (; *next != '\0' && n < ROLES_DEEP && !o.circular; next = pdfobj_name(pdfobj_get(roles, next))) {
		for (size_t i = 0; i < n; i++)
			o.circular = o.circular || strcmp(met[i], next) == 0;
		*ret_standard = *ret_standard || (!o.circular && standard(c, next));
		met[n++] = next;
	}
	o.circular = o.circular || n == ROLES_DEEP;
	o.remapped = standard(c, type);
	/* What goes round, or was standard and is no more, has its own rule. */
	o.mapped = *ret_standard || o.circular || o.remapped;
	return o;
}

static void show_element(struct check *c, const struct pdfobj *element, uint32_t number)
{
	const struct pdfobj *type = pdfobj_get(element, "S");
	language_show(c, pdfobj_get(element, "Lang"), number);
	actual_text_show(c, pdfobj_get(element, "ActualText"), number);
	if (pdfobj_kind(type) != PDF_NAME) {
		pdfa_show(c, O_nonstandard_type, &(struct o_nonstandard_type){0}, number, NULL);
		return;
	}
	file_unicode_name(c, pdfobj_name(type), number);
	bool ends_standard;
	struct o_nonstandard_type o = follow_roles(c, pdfobj_name(type), &ends_standard);
	if (!ends_standard)
		pdfa_show(c, O_nonstandard_type, &o, number, pdfobj_name(type));
}

/* Numbers of elements still to be visited. */
struct stack {
	uint32_t *numbers;
	size_t n, cap;
};

static void push(struct check *c, struct stack *s, uint32_t number)
{
	if (number == 0 || !seen_add(c, &c->document->elements, number))
		return;
	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 256 : 2 * s->cap;
		uint32_t *numbers = realloc(s->numbers, cap * sizeof *numbers);
		struct err e;
		if (numbers == NULL) {
			err_set(&e, ST_RETRY, "memory", "no memory for a structure tree");
			pdfa_fail(c, &e);
			return;
		}
		s->numbers = numbers;
		s->cap = cap;
	}
	s->numbers[s->n++] = number;
}

/* What else may be there are references to marked content and to objects (14.7.4). */
static bool is_element(const struct pdfobj *o)
{
	const struct pdfobj *type = pdfobj_get(o, "Type");
	return pdfobj_kind(o) == PDF_DICT && !pdfobj_is_name(type, "MCR") && !pdfobj_is_name(type, "OBJR");
}

/* The kids of an element: indirect ones wait, direct ones are visited at once. */
static void visit_kids(struct check *c, struct stack *s, const struct pdfobj *kids, unsigned depth)
{
	bool many = pdfobj_kind(kids) == PDF_ARRAY;
	size_t n = many ? pdfobj_length(kids) : 1;
	for (size_t i = 0; i < n && depth < TREE_DEPTH && !pdfa_ended(c); i++) {
		const struct pdfobj *kid = many ? pdfobj_at(kids, i) : kids;
		uint32_t number = pdfobj_reference(kid);
		if (number != 0) {
			push(c, s, number);
		} else if (is_element(kid)) {
			show_element(c, kid, pdfobj_number(kid));
			visit_kids(c, s, pdfobj_get(kid, "K"), depth + 1);
		}
	}
}

void structure_show(struct check *c)
{
	struct stack s = {0};
	visit_kids(c, &s, pdfobj_get(pdfobj_get(pdfdoc_catalog(c->doc), "StructTreeRoot"), "K"), 0);
	while (s.n > 0 && !pdfa_ended(c)) {
		uint32_t number = s.numbers[--s.n];
		const struct pdfobj *element = pdfdoc_object(c->doc, number);
		if (is_element(element)) {
			show_element(c, element, number);
			visit_kids(c, &s, pdfobj_get(element, "K"), 0);
		} else if (pdfobj_kind(element) == PDF_ARRAY) {
			visit_kids(c, &s, element, 0);
		}
		pdfa_rest(c, 1);
	}
	free(s.numbers);
}

/* Whether a node of a number tree may hold a key: its Limits say so, or it has none. */
static bool in_limits(const struct pdfobj *node, int64_t key)
{
	const struct pdfobj *limits = pdfobj_get(node, "Limits");
	return pdfobj_kind(limits) != PDF_ARRAY ||
	       (key >= pdfobj_integer(pdfobj_at(limits, 0)) && key <= pdfobj_integer(pdfobj_at(limits, 1)));
}

const struct pdfobj *document_parents(const struct check *c, int64_t struct_parents)
{
	const struct pdfobj *node = pdfobj_get(pdfobj_get(pdfdoc_catalog(c->doc), "StructTreeRoot"), "ParentTree");
	for (unsigned depth = 0; depth < TREE_DEEP; depth++) {
		const struct pdfobj *kids = pdfobj_get(node, "Kids"), *numbers = pdfobj_get(node, "Nums");
		for (size_t i = 0; pdfobj_kind(numbers) == PDF_ARRAY && i + 1 < pdfobj_length(numbers); i += 2)
			if (pdfobj_integer(pdfobj_at(numbers, i)) == struct_parents)
				return pdfobj_at(numbers, i + 1);
		size_t i = 0, n = pdfobj_kind(kids) == PDF_ARRAY ? pdfobj_length(kids) : 0;
		while (i < n && !in_limits(pdfobj_at(kids, i), struct_parents))
			i++;
		if (i == n)
			break;
		node = pdfobj_at(kids, i);
	}
	return pdfobj_at(node, SIZE_MAX); /* null */
}
