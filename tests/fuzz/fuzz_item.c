/* Item records: whatever is read is written so that it is read as the same again; what a glance takes is what would be written. */
#include <stdlib.h>
#include <string.h>

#include "pipeline/glance.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is(struct bytes b, const char *text)
{
	return text == NULL ? b.p == NULL : b.p != NULL && b.n == strlen(text) && memcmp(b.p, text, b.n) == 0;
}

static void check_glance(struct bytes line, const struct item *it, const struct buf *printed)
{
	struct glance g;
	if (!item_glance(line, &g))
		return;
	if (it == NULL || printed->len != line.n || memcmp(printed->data, line.p, line.n) != 0)
		abort();
	bool same = g.kind == it->kind && it->state == ITEM_OK && is(g.id, it->id) && is(g.dossier, it->dossier) &&
	            is(g.fonds, it->fonds) && is(g.artefact, it->artefact.path) && g.n_sources == it->n_sources &&
	            g.pages == json_integer_value(json_object_get(it->other, "pages")) && it->n_companions == 0 &&
	            json_array_size(it->members) == 0 && it->range.of == 0 && it->n_parts == 0 && glance_same_head(&g, line);
	struct item *short_one = glance_item(&g);
	if (!same || short_one == NULL || short_one->n_sources != it->n_sources || short_one->dossier_size != it->dossier_size ||
	    strcmp(short_one->id, it->id) != 0)
		abort();
	for (size_t i = 0; i < it->n_sources; i++) {
		const struct item_file *a = &short_one->sources[i], *b = &it->sources[i];
		if (a->size != b->size || strcmp(a->path, b->path) != 0 || strcmp(a->sha256, b->sha256) != 0)
			abort();
	}
	item_free(short_one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct item *it = NULL, *same = NULL;
	struct err e;
	struct buf first = BUF_INIT(64u << 20), second = BUF_INIT(64u << 20);
	if (item_parse((const char *)data, size, &it, &e) == ST_OK) {
		item_print(it, &first);
		if (first.failed || item_parse((const char *)first.data, first.len, &same, &e) != ST_OK)
			abort();
		item_print(same, &second);
		if (second.len != first.len || memcmp(first.data, second.data, first.len) != 0)
			abort();
		/* As it is; and as it would be written, which most random bytes are not. */
		check_glance((struct bytes){data, size}, it, &first);
		check_glance((struct bytes){first.data, first.len}, it, &first);
	} else {
		check_glance((struct bytes){data, size}, NULL, &first);
	}
	item_free(it);
	item_free(same);
	buf_free(&first);
	buf_free(&second);
	return 0;
}
