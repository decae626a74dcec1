/* Incremental updates: in each style of file, what is written reads back, and the bytes before stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "stages/base/file.h"
#include "stages/pdf/signatures.h"
#include "stages/pdf/update.h"
#include "tests/unit/small_pdf.h"

static struct buf joined(const struct pdfdoc *d, const struct buf *to)
{
	struct buf all = BUF_INIT(1 << 24);
	buf_add(&all, pdfdoc_bytes(d).p, pdfdoc_bytes(d).n);
	buf_add(&all, to->data, to->len);
	assert_false(all.failed);
	return all;
}

static void set(struct pdfupd *u, uint32_t number, const char *body)
{
	pdfupd_set(u, number, body, strlen(body));
}

/* A new object, a new stream and a changed catalog on top of a document. */
static void finish_some(const struct pdfdoc *d, struct buf *to)
{
	static const char *const without[] = {"Lang", NULL};
	struct pdfupd *u;
	struct err e;
	struct buf body = BUF_INIT(1 << 16);
	assert_int_equal(pdfupd_new(d, &u, &e), ST_OK);
	uint32_t root = pdfobj_number(pdfdoc_catalog(d)), a = pdfupd_allocate(u), b = pdfupd_allocate(u);
	pdfupd_allocate(u); /* never set: must leave no gap in Size */
	assert_int_equal(a, pdfdoc_size(d));
	set(u, a, "[1.50 (x)]");
	pdfupd_set_stream(u, b, "/X 1", "data\r\nendstream", 15);
	buf_str(&body, "<</Lang (vi) ");
	pdfupd_print_without(u, root, without, &body);
	buf_format(&body, "/New %u 0 R>>", a);
	pdfupd_set(u, root, body.data, body.len);
	assert_int_equal(pdfobj_length(pdfobj_get(pdfupd_object(u, root), "New")), 2);
	assert_int_equal(pdfobj_stream_raw(pdfupd_object(u, b)).n, 15);
	assert_int_equal(pdfobj_kind(pdfupd_object(u, pdfobj_reference(pdfobj_get(pdfdoc_catalog(d), "Pages")))), PDF_DICT);
	assert_int_equal(pdfupd_finish(u, to, &e), ST_OK);
	pdfupd_free(u);
	buf_free(&body);
}

static void test_styles(void **state)
{
	(void)state;
	static const char *const names[] = {"table", "objstm", "linear", "linear-objstm", "hybrid", "signed-filled", "filters"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[128];
		snprintf(path, sizeof path, "tests/fuzz/fuzz_pdf/%s.pdf", names[i]);
		struct file_map m;
		struct pdfdoc *d, *again;
		struct err e;
		struct buf to = BUF_INIT(1 << 20), same = BUF_INIT(1 << 20);
		assert_int_equal(file_map_open(path, &m, &e), ST_OK);
		assert_int_equal(pdfdoc_open(m.in, &d, &e), ST_OK);
		finish_some(d, &to);
		finish_some(d, &same);
		assert_int_equal(to.len, same.len);
		assert_memory_equal(to.data, same.data, to.len);
		struct buf all = joined(d, &to);
		assert_int_equal(pdfdoc_open((struct bytes){all.data, all.len}, &again, &e), ST_OK);
		assert_int_equal(pdfdoc_revisions(again), pdfdoc_revisions(d) + 1);
		assert_int_equal(pdfdoc_revision(again, pdfdoc_revisions(d) - 1).end, m.in.n);
		assert_int_equal(pdfdoc_has_xref_stream(again), pdfdoc_has_xref_stream(d));
		assert_int_equal(pdfdoc_size(again), pdfdoc_size(d) + 2 + pdfdoc_has_xref_stream(d));
		struct bytes before = pdfobj_string(pdfobj_at(pdfobj_get(pdfdoc_trailer(d), "ID"), 0));
		struct bytes first = pdfobj_string(pdfobj_at(pdfobj_get(pdfdoc_trailer(again), "ID"), 0));
		struct bytes second = pdfobj_string(pdfobj_at(pdfobj_get(pdfdoc_trailer(again), "ID"), 1));
		assert_true(before.n == 0 || bytes_equal(before, first));
		assert_int_equal(second.n, 16);
		assert_true(before.n == 0 || !bytes_equal(first, second));
		assert_int_equal(pdfobj_string(pdfobj_get(pdfdoc_catalog(again), "Lang")).n, 2);
		assert_int_equal(pdfobj_length(pdfobj_get(pdfdoc_catalog(again), "New")), 2);
		assert_int_equal(pdfobj_stream_raw(pdfdoc_object(again, pdfdoc_size(d) + 1)).n, 15);
		size_t pages;
		assert_int_equal(pdfdoc_pages(again, &pages, &e), ST_OK);
		assert_int_equal(pdfdoc_fault(again, &e), ST_OK);
		pdfdoc_close(again);
		pdfdoc_close(d);
		file_map_close(&m);
		buf_free(&all);
		buf_free(&to);
		buf_free(&same);
	}
}

static const char *const bodies[] = {"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]/SigFlags 3>>>>",
                                     "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Page/Parent 2 0 R/Annots[4 0 R]>>",
                                     "<</Type/Annot/Subtype/Widget/FT/Sig/T(s)/Rect[0 0 0 0]/P 3 0 R>>"};

static void test_end_of_line(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(1 << 16);
	struct err e;
	small_pdf(&b, bodies, 4);
	for (size_t cut = 0; cut < 2; cut++) {
		struct buf to = BUF_INIT(1 << 16);
		struct pdfdoc *d;
		struct pdfupd *u;
		assert_int_equal(pdfdoc_open((struct bytes){b.data, b.len - cut}, &d, &e), ST_OK);
		assert_int_equal(pdfupd_new(d, &u, &e), ST_OK);
		set(u, 4, "null");
		assert_int_equal(pdfupd_finish(u, &to, &e), ST_OK);
		assert_memory_equal(to.data, cut == 0 ? "4 0 obj" : "\n4 0 obj", 7);
		pdfupd_free(u);
		pdfdoc_close(d);
		buf_free(&to);
	}
	buf_free(&b);
}

static void test_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "<<", "1 2", "1 0 R R", "endobj", "<<>>stream\n\nendstream"};
	struct buf b = BUF_INIT(1 << 16);
	struct pdfdoc *d;
	struct pdfupd *u;
	struct err e;
	small_pdf(&b, bodies, 4);
	assert_int_equal(pdfdoc_open((struct bytes){b.data, b.len}, &d, &e), ST_OK);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct buf to = BUF_INIT(1 << 16);
		assert_int_equal(pdfupd_new(d, &u, &e), ST_OK);
		set(u, 4, bad[i]);
		assert_int_equal(pdfupd_finish(u, &to, &e), ST_BUG);
		assert_string_equal(e.code, "pdf-update");
		pdfupd_free(u);
		buf_free(&to);
	}
	pdfdoc_close(d);
	buf_free(&b);
	struct file_map m;
	assert_int_equal(file_map_open("tests/fuzz/fuzz_pdf/encrypted.pdf", &m, &e), ST_OK);
	assert_int_equal(pdfdoc_open(m.in, &d, &e), ST_OK);
	assert_int_equal(pdfupd_new(d, &u, &e), ST_ITEM);
	assert_string_equal(e.code, "pdf-encrypted");
	pdfdoc_close(d);
	file_map_close(&m);
}

static void test_signature(void **state)
{
	(void)state;
	static const char body[] =
	    "<</Type/Sig/Reason(/Contents <00> /ByteRange [0])/SubFilter/ETSI.CAdES.detached/M(D:20260102030405+07'00')\n"
	    "/ByteRange [0000000000 0000000000 0000000000 0000000000]/Contents <0000000000000000>>>";
	struct buf b = BUF_INIT(1 << 16), to = BUF_INIT(1 << 16);
	struct pdfdoc *d, *again;
	struct pdfupd *u;
	struct pdfupd_hole hole;
	struct err e;
	small_pdf(&b, bodies, 4);
	assert_int_equal(pdfdoc_open((struct bytes){b.data, b.len - 1}, &d, &e), ST_OK);
	assert_int_equal(pdfupd_new(d, &u, &e), ST_OK);
	uint32_t number = pdfupd_allocate(u);
	set(u, number, body);
	set(u, 4, "<</Type/Annot/Subtype/Widget/FT/Sig/T(s)/V 5 0 R/Rect[0 0 0 0]/P 3 0 R>>");
	assert_int_equal(pdfupd_finish_signature(u, number, &to, &hole, &e), ST_OK);
	assert_int_equal(hole.digits, 16);
	memcpy(to.data + hole.at, "30020500", 8);
	struct buf all = joined(d, &to);
	assert_int_equal(pdfdoc_open((struct bytes){all.data, all.len}, &again, &e), ST_OK);
	struct pdfsig *list;
	size_t n;
	assert_int_equal(pdfsig_list(again, &list, &n, &e), ST_OK);
	assert_int_equal(n, 1);
	assert_true(list[0].range_ok && list[0].whole_file && list[0].has_time && !list[0].timestamp);
	assert_int_equal(list[0].revision, 1);
	assert_int_equal(list[0].contents.len, 4);
	assert_int_equal(list[0].range[1], b.len - 1 + hole.at - 1);
	assert_int_equal(list[0].changes, PDFSIG_NONE);
	assert_string_equal(list[0].field, "s");
	pdfsig_free(list, n);
	pdfdoc_close(again);
	buf_free(&all);
	/* Too little room, and none at all. */
	static const char *const bad[] = {"<</ByteRange [0 0 0 0]/Contents <00>>>",
	                                  "<</ByteRange [0 0 0 0             ]/Contents (00)>>", "<</Contents <00>>>", "null"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		set(u, number, bad[i]);
		buf_reset(&to);
		assert_int_equal(pdfupd_finish_signature(u, number, &to, &hole, &e), ST_BUG);
	}
	pdfupd_free(u);
	pdfdoc_close(d);
	buf_free(&to);
	buf_free(&b);
}

/* A document whose objects lie beyond 4 GiB: a map that is almost all nothing. */
static void test_far(void **state)
{
	(void)state;
	const size_t far = ((size_t)1 << 32) + 12345, room = far + (1 << 20);
	uint8_t *p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(p != MAP_FAILED);
	memcpy(p, "%PDF-1.7\n", 9);
	struct buf b = BUF_INIT(1 << 16), to = BUF_INIT(1 << 16);
	for (size_t i = 0; i < 4; i++)
		buf_format(&b, "%zu 0 obj\n%s\nendobj\n", i + 1, bodies[i]);
	size_t xref = far + b.len, at = far;
	buf_str(&b, "xref\n1 4\n");
	for (size_t i = 0; i < 4; i++) {
		buf_format(&b, "%010zu 00000 n \n", at);
		at += strlen(bodies[i]) + 16;
	}
	buf_format(&b, "trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n%zu\n%%%%EOF\n", xref);
	memcpy(p + far, b.data, b.len);
	struct pdfdoc *d, *again;
	struct err e;
	assert_int_equal(pdfdoc_open((struct bytes){p, far + b.len}, &d, &e), ST_OK);
	finish_some(d, &to);
	memcpy(p + far + b.len, to.data, to.len);
	assert_int_equal(pdfdoc_open((struct bytes){p, far + b.len + to.len}, &again, &e), ST_OK);
	assert_int_equal(pdfobj_length(pdfobj_get(pdfdoc_catalog(again), "New")), 2);
	assert_true(pdfdoc_revision(again, 1).startxref > (uint64_t)1 << 32);
	pdfdoc_close(again);
	pdfdoc_close(d);
	buf_free(&b);
	buf_free(&to);
	munmap(p, room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_styles),    cmocka_unit_test(test_end_of_line), cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_signature), cmocka_unit_test(test_far),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
