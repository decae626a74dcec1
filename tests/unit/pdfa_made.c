#include "tests/unit/pdfa_made.h"

#include <string.h>

#define OBJECTS_MAX 64

void made_put(struct buf *to, const char *text, const struct change *change)
{
	const char *at = change == NULL ? NULL : strstr(text, change->find);
	if (at == NULL) {
		buf_str(to, text);
		return;
	}
	buf_add(to, text, (size_t)(at - text));
	buf_str(to, change->put);
	buf_str(to, at + strlen(change->find));
}

static void put_stream(struct buf *to, const struct made *o, const struct change *change)
{
	struct buf body = BUF_INIT((size_t)1 << 22);
	if (o->body != NULL)
		made_put(&body, o->body, change);
	else
		buf_add(&body, o->file.p, o->file.n);
	buf_format(to, "/Length %zu>>\nstream\n", body.len);
	buf_add(to, body.data, body.len);
	buf_str(to, "\nendstream\nendobj\n");
	buf_free(&body);
}

static void put_object(struct buf *to, const struct made *o, size_t number, const struct change *change)
{
	bool stream = o->body != NULL || o->file.p != NULL;
	struct buf text = BUF_INIT((size_t)1 << 22);
	buf_format(&text, "%zu 0 obj\n%s%s", number, o->text, stream ? "" : "\nendobj\n");
	made_put(to, (const char *)text.data, change);
	if (stream)
		put_stream(to, o, change);
	buf_free(&text);
}

void made_build(struct buf *to, const char *header, const struct made objects[], size_t n, const struct change *change)
{
	size_t at[OBJECTS_MAX];
	struct buf table = BUF_INIT((size_t)1 << 16);
	made_put(to, header, change);
	for (size_t i = 0; i < n && i < OBJECTS_MAX; i++) {
		at[i] = to->len;
		put_object(to, &objects[i], i + 1, change);
	}
	size_t xref = to->len;
	buf_format(&table, "xref\n0 %zu\n0000000000 65535 f \n", n + 1);
	for (size_t i = 0; i < n; i++)
		buf_format(&table, "%010zu 00000 n \n", at[i]);
	buf_format(&table, "trailer\n<</Size %zu/Root 1 0 R/ID[<aa><bb>]>>\nstartxref\n%zu\n%%%%EOF\n", n + 1, xref);
	made_put(to, (const char *)table.data, change);
	buf_free(&table);
}
