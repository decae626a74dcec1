/* The proof of a conversion finds what differs: each row changes one thing about what was expected, or about the source. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/base/digest.h"
#include "stages/base/file.h"
#include "stages/convert/internal.h"

static char folder[] = "/tmp/proof-XXXXXX", source[64], pdf[64];
static struct expected pages[2];

/* The data of the first page lies from the third byte of the source on; it need not be JPEG for a proof. */
static const uint8_t bytes[] = "..coded data as it lies in its file..";
enum { AT = 2, N = 33 };
static const uint8_t samples[] = {1, 2, 3, 4, 5, 6};

static int start(void **state)
{
	(void)state;
	static const struct pdfmake_meta meta = {
	    .title = "a", .created = "2026-01-02T03:04:05+07:00", .part = 2, .conformance = 'B'};
	struct picture coded = {.coding = PICTURE_DCT,
	                        .data = {bytes + AT, N},
	                        .width = 30,
	                        .height = 20,
	                        .bits = 8,
	                        .components = 1,
	                        .dpi_x = 100,
	                        .dpi_y = 100,
	                        .orientation = 1};
	struct picture plain = coded;
	plain.coding = PICTURE_SAMPLES;
	plain.data = (struct bytes){samples, sizeof samples};
	plain.width = 3;
	plain.height = 2;
	struct err e;
	struct pdfmake *m;
	struct written written;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(source, sizeof source, "%s/a.jpg", folder);
	snprintf(pdf, sizeof pdf, "%s/a.pdf", folder);
	FILE *f = fopen(pdf, "wb");
	assert_int_equal(pdfmake_open(f, &meta, &m, &e), ST_OK);
	assert_int_equal(pdfmake_page(m, &coded, NULL, NULL, &e), ST_OK);
	assert_int_equal(pdfmake_page(m, &plain, NULL, NULL, &e), ST_OK);
	assert_int_equal(pdfmake_finish(m, &written, &e), ST_OK);
	pdfmake_free(m);
	fclose(f);
	/* What is told of the file is the file's. */
	char hex[65], told[65];
	int64_t size;
	assert_int_equal(file_sha256(pdf, hex, &size, &e), ST_OK);
	hex_lower(written.sha256, 32, told);
	assert_string_equal(hex, told);
	assert_int_equal(size, written.size);
	pages[0] = (struct expected){.width = 30, .height = 20, .path = source, .at = AT, .n = N, .stored = true};
	pages[1] = (struct expected){.width = 3, .height = 2};
	return picture_digest(&plain, pages[1].digest, &e) != ST_OK;
}

static int stop(void **state)
{
	(void)state;
	return file_remove_tree(folder, NULL) != ST_OK;
}

/* size: of the source; changed: one of its bytes (0: none) */
static void write_source(size_t size, size_t changed)
{
	uint8_t copy[sizeof bytes];
	memcpy(copy, bytes, sizeof bytes);
	copy[changed] = (uint8_t)(copy[changed] + (changed != 0));
	assert_int_equal(file_write(source, copy, size, NULL), ST_OK);
}

static void test_proof(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		size_t size, changed;
		struct expected change; /* added to what is expected of page `page` */
		size_t page;
		bool same;
	} rows[] = {
	    {"as it was", sizeof bytes, 0, {0}, 0, true},
	    {"a byte before the data is another one", sizeof bytes, 1, {0}, 0, true},
	    {"a byte of the data is another one", sizeof bytes, AT, {0}, 0, false},
	    {"the last byte of the data is another one", sizeof bytes, AT + N - 1, {0}, 0, false},
	    {"the source is shorter", AT + N - 1, 0, {0}, 0, false},
	    {"the data begins elsewhere", sizeof bytes, 0, {.at = 1}, 0, false},
	    {"more data was there", sizeof bytes, 0, {.n = 1}, 0, false},
	    {"another width", sizeof bytes, 0, {.width = 1}, 1, false},
	    {"another height", sizeof bytes, 0, {.height = 1}, 0, false},
	    {"other samples", sizeof bytes, 0, {.digest = {1}}, 1, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct expected wanted[2] = {pages[0], pages[1]}, *one = &wanted[rows[i].page];
		struct err e;
		one->at += rows[i].change.at;
		one->n += rows[i].change.n;
		one->width += rows[i].change.width;
		one->height += rows[i].change.height;
		one->digest[0] = (uint8_t)(one->digest[0] + rows[i].change.digest[0]);
		write_source(rows[i].size, rows[i].changed);
		enum status st = prove(pdf, wanted, 2, &e);
		if (st != (rows[i].same ? ST_OK : ST_ITEM))
			fail_msg("%s", rows[i].what);
		if (st != ST_OK)
			assert_string_equal(e.code, "convert-proof");
	}
	struct err e;
	write_source(sizeof bytes, 0);
	assert_int_equal(prove(pdf, pages, 1, &e), ST_ITEM);
	assert_string_equal(e.code, "convert-proof");
	/* By a digest, where the data lies in no file. */
	struct expected digested[2] = {{.width = 30, .height = 20, .stored = true}, pages[1]};
	sha256_bytes(bytes + AT, N, digested[0].digest);
	assert_int_equal(prove(pdf, digested, 2, &e), ST_OK);
	digested[0].digest[31] ^= 1;
	assert_int_equal(prove(pdf, digested, 2, &e), ST_ITEM);
	assert_int_equal(file_remove_tree(source, NULL), ST_OK);
	assert_int_not_equal(prove(pdf, pages, 2, &e), ST_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_proof)};
	return cmocka_run_group_tests(tests, start, stop);
}
