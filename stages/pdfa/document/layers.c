/* Optional content (ISO 32000-1, 8.11). */
#include <stdlib.h>
#include <string.h>

#include "stages/pdfa/document/facts.h"

/* The groups that Order shows, however they are nested there. */
static void collect_order(struct check *c, const struct pdfobj *order, struct seen *shown, unsigned depth)
{
	for (size_t i = 0; pdfobj_kind(order) == PDF_ARRAY && i < pdfobj_length(order) && depth < TREE_DEPTH; i++) {
		const struct pdfobj *item = pdfobj_at(order, i);
		if (pdfobj_kind(item) == PDF_DICT)
			seen_add(c, shown, pdfobj_reference(item));
		else
			collect_order(c, item, shown, depth + 1);
	}
}

static bool order_complete(struct check *c, const struct pdfobj *order, const struct pdfobj *groups)
{
	struct seen shown = {0};
	bool complete = true;
	if (pdfobj_kind(order) != PDF_ARRAY)
		return true;
	collect_order(c, order, &shown, 0);
	for (size_t i = 0; pdfobj_kind(groups) == PDF_ARRAY && i < pdfobj_length(groups) && complete; i++)
		complete = seen_has(&shown, pdfobj_reference(pdfobj_at(groups, i)));
	seen_free(&shown);
	return complete;
}

static int by_name(const void *a, const void *b)
{
	const struct bytes *x = a, *y = b;
	int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);
	return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

static void show_config(struct check *c, const struct pdfobj *config, const struct pdfobj *groups, bool twice)
{
	const struct pdfobj *name = pdfobj_get(config, "Name");
	if (pdfobj_kind(config) != PDF_DICT)
		return;
	struct o_optional_content o = {.has_name = pdfobj_kind(name) == PDF_STRING,
	                               .empty_name = pdfobj_string(name).n == 0,
	                               .twice = twice,
	                               .as = pdfobj_kind(pdfobj_get(config, "AS")) != PDF_NULL,
	                               .order_complete = order_complete(c, pdfobj_get(config, "Order"), groups)};
	char *text = pdfobj_text(name);
	pdfa_show(c, O_optional_content, &o, pdfobj_number(config), text);
	free(text);
}

void layers_show(struct check *c)
{
	const struct pdfobj *properties = pdfobj_get(pdfdoc_catalog(c->doc), "OCProperties");
	const struct pdfobj *groups = pdfobj_get(properties, "OCGs"), *configs = pdfobj_get(properties, "Configs");
	const struct pdfobj *standard = pdfobj_get(properties, "D");
	size_t n = pdfobj_kind(configs) == PDF_ARRAY ? pdfobj_length(configs) : 0;
	struct bytes *names = calloc(n + 1, sizeof *names);
	if (names == NULL) {
		struct err e;
		err_set(&e, ST_RETRY, "memory", "no memory for layers");
		pdfa_fail(c, &e);
		return;
	}
	/* Sorted, a name that stands twice stands beside itself. */
	size_t n_names = 0;
	if (pdfobj_kind(pdfobj_get(standard, "Name")) == PDF_STRING)
		names[n_names++] = pdfobj_string(pdfobj_get(standard, "Name"));
	for (size_t i = 0; i < n; i++)
		if (pdfobj_kind(pdfobj_get(pdfobj_at(configs, i), "Name")) == PDF_STRING)
			names[n_names++] = pdfobj_string(pdfobj_get(pdfobj_at(configs, i), "Name"));
	qsort(names, n_names, sizeof *names, by_name);
	bool twice = false;
	for (size_t i = 1; i < n_names; i++)
		twice = twice || bytes_equal(names[i], names[i - 1]);
	free(names);
	show_config(c, standard, groups, twice);
	for (size_t i = 0; i < n && !pdfa_ended(c); i++)
		show_config(c, pdfobj_at(configs, i), groups, false);
}
