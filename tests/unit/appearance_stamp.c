/* Pictures for appearances: what is refused, and what is written for each kind of transparency. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/appearance/stamp.h"
#include "stages/base/file.h"
#include "tests/unit/small_pdf.h"

#define SEAL "fixtures/stamps/seal.png"

static char folder[] = "/tmp/stamp-XXXXXX";

static int start(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL;
}

static int stop(void **state)
{
	(void)state;
	return file_remove_tree(folder, NULL) != ST_OK;
}

/* The bytes of the seal, with one chunk's name changed, or cut. */
static void test_refused(void **state)
{
	(void)state;
	BUF_AUTO struct buf seal = BUF_INIT(1u << 20);
	struct err e;
	assert_int_equal(file_read(SEAL, &seal, &e), ST_OK);
	uint8_t *size = memmem(seal.data, seal.len, "pHYs", 4);
	assert_non_null(size);
	static const struct {
		const char *what;
		size_t n; /* of the file; 0: all */
		bool no_size;
	} rows[] = {
	    {"cut off", 3000, false}, {"a signature of bytes alone", 8, false}, {"no PNG", 5, false}, {"no resolution", 0, true}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct stamp *s = NULL;
		char path[64];
		snprintf(path, sizeof path, "%s/%zu.png", folder, i);
		uint8_t kept = size[0];
		/* An unknown chunk whose name begins in lower case may be left out: there its size is. */
		size[0] = rows[i].no_size ? 'q' : kept;
		assert_int_equal(file_write(path, seal.data, rows[i].n == 0 ? seal.len : rows[i].n, &e), ST_OK);
		size[0] = kept;
		if (stamp_read(path, &s, &e) != ST_RUN)
			fail_msg("%s: taken", rows[i].what);
		assert_string_equal(e.code, "stamp-picture");
		print_message("%s: %s\n", rows[i].what, e.detail);
	}
	struct stamp *s = NULL;
	assert_int_equal(stamp_read("/nowhere.png", &s, &e), ST_RUN);
	assert_string_equal(e.code, "stamp-picture");
}

static void test_written(void **state)
{
	(void)state;
	static const char *const bodies[] = {"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
	                                     "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] >>"};
	struct stamp *s;
	struct err e;
	assert_int_equal(stamp_read(SEAL, &s, &e), ST_OK);
	/* 36 mm */
	assert_true(stamp_width(s) > 101.8 && stamp_width(s) < 102.4 && stamp_height(s) > 101.8 && stamp_height(s) < 102.4);
	for (int soft = 0; soft < 2; soft++) {
		BUF_AUTO struct buf file = BUF_INIT(1u << 16), update = BUF_INIT(1u << 22);
		struct pdfdoc *d;
		struct pdfupd *u;
		uint32_t image = 0;
		small_pdf(&file, bodies, 3);
		assert_int_equal(pdfdoc_open((struct bytes){file.data, file.len}, &d, &e), ST_OK);
		assert_int_equal(pdfupd_new(d, &u, &e), ST_OK);
		assert_int_equal(stamp_write(s, soft != 0, u, &image, &e), ST_OK);
		const struct pdfobj *o = pdfupd_object(u, image);
		assert_int_equal(pdfobj_kind(pdfobj_get(o, soft ? "SMask" : "Mask")), PDF_STREAM);
		assert_string_equal(pdfobj_name(pdfobj_at(pdfobj_get(o, "ColorSpace"), 0)), soft ? "ICCBased" : "CalRGB");
		assert_int_equal(pdfupd_finish(u, &update, &e), ST_OK);
		pdfupd_free(u);
		pdfdoc_close(d);
	}
	stamp_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_refused), cmocka_unit_test(test_written)};
	return cmocka_run_group_tests(tests, start, stop);
}
