/* The reader of PDF: objects, streams, pages, revisions, signatures and what was changed after them, and an update on top; and the lenient
 * reader, which reads more and reads the same where both read. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "stages/pdf/signatures.h"
#include "stages/pdf/update.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *arg, enum pdfdss_kind kind, struct bytes der)
{
	size_t *n = arg;
	*n += der.n + kind;
}

static void read_objects(const struct pdfdoc *d)
{
	for (uint32_t i = 0; i < pdfdoc_size(d) && i < 2000; i++) {
		const struct pdfobj *o = pdfdoc_object(d, i);
		struct buf to = BUF_INIT(1 << 20);
		struct err e;
		uint64_t at, n;
		uint32_t stream;
		pdfobj_print(o, &to);
		buf_reset(&to);
		if (pdfobj_kind(o) == PDF_STREAM)
			pdfobj_stream(o, &to, &e);
		buf_free(&to);
		free(pdfobj_text(o));
		if (pdfdoc_locate(d, i, &at, &n, &stream) && stream == 0 && at + n > pdfdoc_bytes(d).n)
			abort();
	}
}

static void update(const struct pdfdoc *d)
{
	struct pdfupd *u;
	struct err e;
	if (pdfupd_new(d, &u, &e) != ST_OK)
		return;
	uint32_t number = pdfupd_allocate(u);
	struct buf body = BUF_INIT(1 << 20), to = BUF_INIT(4 << 20);
	buf_str(&body, "<<");
	pdfupd_print_without(u, pdfobj_number(pdfdoc_catalog(d)), NULL, &body);
	buf_str(&body, ">>");
	if (!body.failed)
		pdfupd_set(u, number, body.data, body.len);
	pdfobj_kind(pdfupd_object(u, number));
	size_t revisions = pdfdoc_revisions(d);
	/* What was read must be written so that it can be read again. */
	if (!body.failed && pdfupd_finish(u, &to, &e) == ST_OK) {
		struct buf all = BUF_INIT(64 << 20);
		struct pdfdoc *again;
		buf_add(&all, pdfdoc_bytes(d).p, pdfdoc_bytes(d).n);
		buf_add(&all, to.data, to.len);
		if (!all.failed) {
			if (pdfdoc_open((struct bytes){all.data, all.len}, &again, &e) != ST_OK ||
			    pdfdoc_revisions(again) < revisions || pdfobj_kind(pdfdoc_object(again, number)) != PDF_DICT)
				abort();
			pdfdoc_close(again);
		}
		buf_free(&all);
	}
	buf_free(&to);
	buf_free(&body);
	pdfupd_free(u);
}

static void read_leniently(struct bytes in, bool strict_reads)
{
	struct pdfdoc *d;
	struct err e;
	size_t n = 0;
	if (pdfdoc_open_lenient(in, &d, &e) != ST_OK) {
		if (strict_reads)
			abort();
		return;
	}
	read_objects(d);
	pdfdoc_pages(d, &n, &e);
	for (uint32_t i = pdfdoc_next(d, 0), k = 0; i != 0 && k < 2000; i = pdfdoc_next(d, i), k++) {
		pdfobj_kind(pdfdoc_object(d, i));
		pdfdoc_forget(d);
	}
	pdfdoc_close(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pdfdoc *d, *revision;
	struct pdfsig *list;
	struct err e;
	size_t n = 0, bytes = 0;
	uint32_t page;
	enum status st = pdfdoc_open((struct bytes){data, size}, &d, &e);
	read_leniently((struct bytes){data, size}, st == ST_OK);
	if (st != ST_OK)
		return 0;
	read_objects(d);
	if (pdfdoc_pages(d, &n, &e) == ST_OK)
		for (size_t i = 0; i < n && i < 100; i++)
			if (pdfdoc_page(d, i, &page, &e) == ST_OK)
				pdfobj_length(pdfdoc_page_attribute(d, page, "MediaBox"));
	for (size_t i = 0; i < pdfdoc_revisions(d) && i < 10; i++)
		if (pdfdoc_open_revision(d, i, &revision, &e) == ST_OK)
			pdfdoc_close(revision);
	if (pdfsig_list(d, &list, &n, &e) == ST_OK) {
		uint8_t digest[64];
		for (size_t i = 0; i < n; i++) {
			size_t length;
			if (pdfsig_digest(d, &list[i], "SHA256", digest, &length, &e) == ST_OK && length != 32)
				abort();
		}
		pdfsig_free(list, n);
	}
	pdfdss_each(d, count, &bytes, &e);
	update(d);
	pdfdoc_close(d);
	return 0;
}
