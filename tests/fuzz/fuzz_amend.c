/* Documents that are amended; the first byte says with which remedies, and the length whether files stay and whether the first page becomes a picture.
 * What comes out is read by the strict reader. */
#include <stdio.h>
#include <stdlib.h>

#include "stages/pdf/amend/amend.h"
#include "stages/pdf/attached.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A document's own faults may be carried over (its page tree, say); that of the new file's form may not. */
static void read_back(const char *made, size_t n)
{
	struct pdfdoc *d;
	struct err e;
	if (pdfdoc_open((struct bytes){(const uint8_t *)made, n}, &d, &e) != ST_OK && e.status != ST_RETRY)
		abort();
	pdfdoc_close(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e;
	struct pdfdoc *d = NULL;
	struct amend *a = NULL;
	char *made = NULL;
	size_t n = 0;
	const struct pdfmake_meta meta = {
	    .title = "a", .created = "2026-01-02T03:04:05+07:00", .part = size % 4 < 2 ? 2 : 3, .conformance = 'B'};
	if (size < 2 || size > ((size_t)1 << 18) || pdfdoc_open_lenient((struct bytes){data + 1, size - 1}, &d, &e) != ST_OK)
		return 0;
	FILE *f = open_memstream(&made, &n);
	struct ocr_word word = {
	    .text = (char *)(uintptr_t) "a", .right = 9, .bottom = 9, .x1 = 9, .y0 = 8, .y1 = 8, .last_in_line = true};
	struct pdf_attached_list attached = {0};
	uint32_t out[64], specifications[64];
	static const struct picture white = {.coding = PICTURE_SAMPLES,
	                                     .data = {(const uint8_t *)"\xFF", 1},
	                                     .width = 1,
	                                     .height = 1,
	                                     .bits = 8,
	                                     .components = 1,
	                                     .orientation = 1};
	size_t n_out = 0;
	struct amend_file other = {.content = {(const uint8_t *)"%PDF-1.7", 8}};
	if (pdf_attached_find(d, &attached, &e) == ST_OK)
		for (size_t i = 0; i < attached.n && n_out < 64; i += 1 + (data[0] >> 7)) {
			specifications[n_out] = attached.files[i].specification;
			out[n_out++] = attached.files[i].number;
		}
	other.number = attached.n > 0 ? attached.files[0].number : 0;
	if (f != NULL && amend_open(d, f, &meta, data[0] & 63u, &a, &e) == ST_OK) {
		if (meta.part == 3)
			amend_associate(a, specifications, n_out);
		else if (size % 4 == 1 && attached.n > 0)
			amend_replace(a, &other, 1);
		else
			amend_leave_out(a, out, n_out, n_out == attached.n);
		if (size % 2 != 0)
			(void)amend_picture(a, 0, &white, &(struct ocr_page){.words = &word, .n = data[0] >> 7}, &e);
		else if ((data[0] & 64) != 0)
			(void)amend_text(a, 0, &(struct ocr_page){.words = &word, .n = 1}, 10, 10, &e);
		if (amend_finish(a, NULL, &e) == ST_OK && fflush(f) == 0)
			read_back(made, n);
	}
	amend_free(a);
	pdf_attached_free(&attached);
	if (f != NULL)
		fclose(f);
	free(made);
	pdfdoc_close(d);
	return 0;
}
