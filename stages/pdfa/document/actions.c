/* Actions wherever they hang (ISO 32000-1, 12.6), each with those that follow it; outlines (12.3.3). */
#include <string.h>

#include "stages/pdfa/document/facts.h"

static void show_chain(struct check *c, const struct pdfobj *action, unsigned depth)
{
	/* Chains of direct objects end by the reader's limit, those of indirect ones because each is looked at once. */
	while (pdfobj_kind(action) == PDF_DICT && !pdfa_ended(c) && depth < TREE_DEPTH) {
		uint32_t number = pdfobj_reference(action);
		if (!seen_add(c, &c->document->actions, number))
			return;
		const struct pdfobj *type = pdfobj_get(action, "S"), *next = pdfobj_get(action, "Next");
		struct o_action o = {pdfobj_name(type)};
		pdfa_show(c, O_action, &o, pdfobj_number(action), o.type);
		if (pdfobj_is_name(type, "Named")) {
			struct o_named_action n = {pdfobj_name(pdfobj_get(action, "N"))};
			pdfa_show(c, O_named_action, &n, pdfobj_number(action), n.name);
		}
		for (size_t i = 0; pdfobj_kind(next) == PDF_ARRAY && i < pdfobj_length(next); i++)
			show_chain(c, pdfobj_at(next, i), depth + 1);
		action = next;
	}
}

void actions_show(struct check *c, const struct pdfobj *action)
{
	show_chain(c, action, 0);
}

static bool harmless(const struct pdfobj *dictionary)
{
	static const char *const keys[] = {"E", "X", "D", "U", "Fo", "Bl"};
	for (size_t i = 0; i < pdfobj_length(dictionary); i++) {
		bool known = false;
		for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
			known = known || strcmp(pdfobj_key(dictionary, i), keys[k]) == 0;
		if (!known)
			return false;
	}
	return true;
}

void actions_show_additional(struct check *c, const struct pdfobj *dictionary, enum actions_of owner)
{
	if (pdfobj_kind(dictionary) != PDF_DICT)
		return;
	struct o_additional_actions o = {.of_form = owner == ACTIONS_FORM, .harmless = harmless(dictionary)};
	pdfa_show(c, O_additional_actions, &o, pdfobj_number(dictionary), NULL);
	for (size_t i = 0; i < pdfobj_length(dictionary) && !pdfa_ended(c); i++)
		actions_show(c, pdfobj_value(dictionary, i));
}

/* The items in order, with those below; by number, so that any number of them takes no memory. */
static void show_items(struct check *c, uint32_t number, unsigned depth)
{
	while (number != 0 && depth < TREE_DEPTH && !pdfa_ended(c) && seen_add(c, &c->document->outlines, number)) {
		const struct pdfobj *item = pdfdoc_object(c->doc, number);
		actions_show(c, pdfobj_get(item, "A"));
		uint32_t first = pdfobj_reference(pdfobj_get(item, "First")), next = pdfobj_reference(pdfobj_get(item, "Next"));
		pdfa_rest(c, 1);
		show_items(c, first, depth + 1);
		number = next;
	}
}

void actions_show_outlines(struct check *c)
{
	show_items(c, pdfobj_reference(pdfobj_get(pdfobj_get(pdfdoc_catalog(c->doc), "Outlines"), "First")), 0);
}
