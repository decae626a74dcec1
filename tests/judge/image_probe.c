/*
 * What stages/image sees in files, for image_corpus.py: paths on stdin, one line of tab-separated fields a page on stdout:
 *   path  ok  page  pages  format  coding  width  height  bits  components  colour  flags  digest  sha256(data)  size(data)  plain
 * plain: SHA-256 over the samples as Pillow holds them (bilevel packed with 1 as white, 16-bit grey and CMYK with the low byte first,
 * otherwise a byte a sample), or "-".
 *   path  <error code>  detail
 * With a folder as argument each file is made into <folder>/<line number>.pdf, too.
 */
#include <stdlib.h>
#include <string.h>

#include "stages/base/digest.h"
#include "stages/base/file.h"
#include "stages/pdf/make/make.h"

static void plain(const struct picture *p, char ret_hex[65])
{
	static uint8_t identity[768];
	struct picture q = *p;
	unsigned n = p->colour == PICTURE_RGB ? 3 : 1;
	uint8_t *pixels;
	uint32_t w, h;
	struct err e;
	for (unsigned i = 0; i < sizeof identity; i++)
		identity[i] = (uint8_t)(i / 3);
	q.palette = (struct bytes){identity, sizeof identity};
	q.orientation = 1;
	strcpy(ret_hex, "-");
	if (p->bits == 16 && p->colour != PICTURE_RGB && p->coding == PICTURE_SAMPLES) {
		uint8_t *low_first = malloc(p->data.n);
		for (size_t i = 0; low_first != NULL && i < p->data.n; i++)
			low_first[i] = p->data.p[i ^ 1];
		sha256_hex(low_first, p->data.n, ret_hex);
		free(low_first);
		return;
	}
	if (p->bits * p->components == 16 || p->components == 4 || p->coding == PICTURE_DCT ||
	    picture_pixels(&q, n, UINT64_C(200) << 20, &pixels, &w, &h, &e) != ST_OK)
		return;
	size_t size = (size_t)w * h * n;
	if (p->colour == PICTURE_GREY && p->bits == 1) {
		size_t row = ((size_t)w + 7) / 8;
		uint8_t *packed = calloc(row, h);
		for (size_t i = 0; packed != NULL && i < size; i++)
			packed[i / w * row + i % w / 8] |= (uint8_t)((pixels[i] >> 7) << (7 - i % w % 8));
		free(pixels);
		pixels = packed;
		size = row * h;
	}
	sha256_hex(pixels, size, ret_hex);
	free(pixels);
}

static enum status probe_page(const char *path, struct picture_file *f, size_t i, struct pdfmake *m, struct err *e)
{
	static const char *const codings[] = {"samples", "dct", "ccitt", "flate", "jpx", "jbig2"};
	static const char *const colours[] = {"grey", "rgb", "cmyk", "indexed", "lab"};
	struct picture p;
	uint8_t digest[32], *pixels = NULL;
	char hex[65], data[65], as_plain[65];
	uint32_t w, h;
	enum status st = picture_page(f, i, &p, e);
	if (st != ST_OK)
		return st;
	st = picture_digest(&p, digest, e);
	for (unsigned n = 1; st == ST_OK && n <= 3; n += 2) {
		st = picture_pixels(&p, n, UINT64_C(200) << 20, &pixels, &w, &h, e);
		if (st == ST_OK)
			free(pixels);
	}
	hex_lower(digest, 32, hex);
	sha256_hex(p.data.p, p.data.n, data);
	plain(&p, as_plain);
	if (st == ST_OK && p.dpi_x <= 0)
		p.dpi_x = p.dpi_y = 72;
	if (st == ST_OK && m != NULL)
		st = pdfmake_page(m, &p, NULL, NULL, e);
	if (st == ST_OK)
		printf("%s\tok\t%zu\t%zu\t%s\t%s\t%u\t%u\t%u\t%u\t%s\t%s%s%s%u\t%s\t%s\t%zu\t%s\n", path, i, picture_pages(f),
		       picture_format(f), codings[p.coding], p.width, p.height, p.bits, p.components, colours[p.colour],
		       p.inverted ? "i" : "", p.flattened ? "f" : "", p.icc_ignored ? "p" : "", p.orientation, hex, data,
		       p.data.n, as_plain);
	picture_drop(&p);
	return st;
}

static enum status probe(const char *path, FILE *to, struct err *e)
{
	const struct pdfmake_meta meta = {
	    .title = path_name(path), .created = "2026-01-02T03:04:05+07:00", .part = 2, .conformance = 'B'};
	struct picture_file *f;
	struct pdfmake *m = NULL;
	enum status st = picture_open(path, &f, e);
	if (st != ST_OK)
		return st;
	if (to != NULL)
		st = pdfmake_open(to, &meta, &m, e);
	for (size_t i = 0; st == ST_OK && i < picture_pages(f); i++)
		st = probe_page(path, f, i, m, e);
	if (st == ST_OK && m != NULL)
		st = pdfmake_finish(m, NULL, e);
	pdfmake_free(m);
	picture_close(f);
	return st;
}

int main(int argc, char **argv)
{
	char path[4096], name[4200];
	picture_load();
	for (unsigned i = 1; fgets(path, sizeof path, stdin) != NULL; i++) {
		struct err e = {0};
		FILE *to = NULL;
		path[strcspn(path, "\n")] = '\0';
		if (argc > 1) {
			snprintf(name, sizeof name, "%s/%u.pdf", argv[1], i);
			to = fopen(name, "wb");
			if (to == NULL)
				return 2;
		}
		if (probe(path, to, &e) != ST_OK) {
			printf("%s\t%s\t%s\n", path, e.code, e.detail);
			if (to != NULL)
				remove(name);
		}
		if (to != NULL && fclose(to) != 0)
			return 2;
		fflush(stdout);
	}
	return 0;
}
