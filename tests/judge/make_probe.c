/*
 * Makes a PDF of pictures with words over them, for make_text.py:
 *   make_probe OUT.pdf DPI PICTURE… < words
 * A line of words: page, line, left, top, right, bottom, x0, y0, x1, y1, text, parted by tabs. DPI counts where the file says none.
 */
#include <stdlib.h>
#include <string.h>

#include "stages/pdf/make/make.h"

#define MAX_WORDS 10000

static struct ocr_word words[MAX_WORDS];
static unsigned page_of[MAX_WORDS];
static size_t n_words;

static void read_words(void)
{
	char text[512];
	struct ocr_word w = {.confidence = 90};
	unsigned page;
	while (n_words < MAX_WORDS && scanf("%u %u %d %d %d %d %d %d %d %d %511s", &page, &w.line, &w.left, &w.top, &w.right,
	                                    &w.bottom, &w.x0, &w.y0, &w.x1, &w.y1, text) == 11) {
		w.text = strdup(text);
		page_of[n_words] = page;
		words[n_words++] = w;
	}
}

static enum status add(struct pdfmake *m, const char *path, unsigned page, double dpi, struct err *e)
{
	struct picture_file *f;
	struct picture p;
	struct ocr_page o = {0};
	for (size_t i = 0; i < n_words; i++) {
		if (page_of[i] == page && o.n++ == 0)
			o.words = words + i;
	}
	enum status st = picture_open(path, &f, e);
	if (st != ST_OK)
		return st;
	st = picture_page(f, 0, &p, e);
	if (st == ST_OK && p.dpi_x <= 0)
		p.dpi_x = p.dpi_y = dpi;
	if (st == ST_OK)
		st = pdfmake_page(m, &p, NULL, &o, e);
	picture_drop(&p);
	picture_close(f);
	return st;
}

int main(int argc, char **argv)
{
	const struct pdfmake_meta meta = {.title = "Quyết định & <thử>",
	                                  .author = "Trung tâm Lưu trữ lịch sử",
	                                  .language = "vi",
	                                  .identifier = "G09.01.0000001",
	                                  .created = "2026-01-02T03:04:05+07:00",
	                                  .part = 2,
	                                  .conformance = 'B'};
	struct err e = {0};
	struct pdfmake *m = NULL;
	if (argc < 4)
		return 2;
	FILE *to = fopen(argv[1], "wb");
	if (to == NULL)
		return 2;
	read_words();
	enum status st = pdfmake_open(to, &meta, &m, &e);
	for (int i = 3; st == ST_OK && i < argc; i++)
		st = add(m, argv[i], (unsigned)(i - 3), strtod(argv[2], NULL), &e);
	if (st == ST_OK)
		st = pdfmake_finish(m, NULL, &e);
	if (st != ST_OK)
		fprintf(stderr, "%s: %s\n", e.code, e.detail);
	pdfmake_free(m);
	for (size_t i = 0; i < n_words; i++)
		free(words[i].text);
	return fclose(to) == 0 && st == ST_OK ? 0 : 1;
}
