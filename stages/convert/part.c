#include "stages/convert/part.h"

#include <stdlib.h>
#include <string.h>

#include "stages/base/digest.h"
#include "stages/base/text.h"

static const char magic[16] = "arkseal part 2\n";

#define HEAD (sizeof magic + 32 + 8)
#define WORD_LEAST (11 * 4 + 1 + 2)

static void put_u32(struct buf *to, uint32_t n)
{
	const uint8_t b[] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24)};
	buf_add(to, b, sizeof b);
}

void part_begin(struct buf *to, const uint8_t key[32], uint32_t first, uint32_t last)
{
	buf_add(to, magic, sizeof magic);
	buf_add(to, key, 32);
	put_u32(to, first);
	put_u32(to, last);
}

static void put_word(struct buf *to, const struct ocr_word *w)
{
	const int numbers[] = {w->left, w->top, w->right, w->bottom, w->x0, w->y0, w->x1, w->y1, w->confidence};
	size_t n = strlen(w->text);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		put_u32(to, (uint32_t)numbers[i]);
	put_u32(to, w->line);
	put_u32(to, w->block);
	buf_byte(to, w->last_in_line);
	buf_byte(to, (uint8_t)n);
	buf_byte(to, (uint8_t)(n >> 8));
	buf_add(to, w->text, n);
	if (n > UINT16_MAX)
		to->failed = true;
}

void part_add(struct buf *to, const struct part_page *page)
{
	buf_byte(to, (uint8_t)(page->looked | page->look.blank << 1 | page->unread << 2));
	buf_byte(to, page->turned);
	buf_add(to, page->look.cells, sizeof page->look.cells);
	put_u32(to, (uint32_t)page->words.n);
	for (size_t i = 0; i < page->words.n; i++)
		put_word(to, &page->words.words[i]);
	buf_byte(to, page->coded ? (uint8_t)(1 + page->picture.filter) : 0);
	if (!page->coded)
		return;
	buf_add(to, page->digest, sizeof page->digest);
	put_u32(to, (uint32_t)page->picture.data.n);
	buf_add(to, page->picture.data.p, page->picture.data.n);
}

void part_end(struct buf *to)
{
	uint8_t digest[32];
	sha256_bytes(to->data, to->len, digest);
	buf_add(to, digest, sizeof digest);
}

static enum status broken(struct err *e, const char *what)
{
	return err_set(e, ST_ITEM, "convert-part", "%s", what);
}

enum status part_open(struct bytes in, const uint8_t key[32], struct part *ret_part, struct err *e)
{
	uint8_t digest[32];
	struct part w = {.in = RD_INIT(in.p, in.n)};
	if (in.n < HEAD + 32 || memcmp(in.p, magic, sizeof magic) != 0)
		return broken(e, "not a part");
	w.in.in.n -= 32;
	sha256_bytes(in.p, w.in.in.n, digest);
	if (memcmp(in.p + w.in.in.n, digest, 32) != 0)
		return broken(e, "its digest is wrong");
	rd_skip(&w.in, sizeof magic);
	if (memcmp(rd_take(&w.in, 32).p, key, 32) != 0)
		return broken(e, "it was made of something else");
	w.first = w.next = rd_u32le(&w.in);
	w.last = rd_u32le(&w.in);
	if (w.first == 0 || w.last < w.first)
		return broken(e, "its pages are impossible");
	*ret_part = w;
	return ST_OK;
}

static bool take_word(struct rd *in, struct ocr_page *page, bool *ret_memory)
{
	struct ocr_word w = {0};
	int *const numbers[] = {&w.left, &w.top, &w.right, &w.bottom, &w.x0, &w.y0, &w.x1, &w.y1, &w.confidence};
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		*numbers[i] = (int32_t)rd_u32le(in);
	w.line = rd_u32le(in);
	w.block = rd_u32le(in);
	uint8_t last = rd_u8(in);
	w.last_in_line = last == 1;
	struct bytes text = rd_take(in, rd_u16le(in));
	if (in->failed || last > 1 || text.n == 0 || !utf8_valid((const char *)text.p, text.n) || w.confidence < 0 ||
	    w.confidence > 100)
		return false;
	w.text = strndup((const char *)text.p, text.n);
	*ret_memory = w.text == NULL || !ocr_page_add(page, &w);
	return !*ret_memory;
}

static bool take_look(struct rd *in, struct part_page *page)
{
	uint8_t flags = rd_u8(in);
	page->turned = rd_u8(in);
	struct bytes cells = rd_take(in, sizeof page->look.cells);
	if (in->failed || flags > 7 || page->turned > 3)
		return false;
	page->looked = (flags & 1) != 0;
	page->look.blank = (flags & 2) != 0;
	page->unread = (flags & 4) != 0;
	memcpy(page->look.cells, cells.p, cells.n);
	return true;
}

static bool take_picture(struct rd *in, struct part_page *page)
{
	uint8_t coding = rd_u8(in);
	if (coding == 0 || coding > 1 + PDFMAKE_G4)
		return coding == 0 && !in->failed;
	page->coded = true;
	page->picture.filter = (enum pdfmake_filter)(coding - 1);
	struct bytes digest = rd_take(in, sizeof page->digest);
	page->picture.data = rd_take(in, rd_u32le(in));
	if (in->failed)
		return false;
	memcpy(page->digest, digest.p, sizeof page->digest);
	return true;
}

enum status part_next(struct part *part, struct part_page *ret_page, struct err *e)
{
	struct part_page page = {0};
	bool memory = false;
	const char *wrong = NULL;
	if (part->next > part->last)
		return broken(e, "it has no more pages");
	if (!take_look(&part->in, &page))
		return broken(e, "how a page looks is cut short, or no look");
	uint32_t n = rd_u32le(&part->in);
	if (part->in.failed || n > rd_left(&part->in) / WORD_LEAST)
		return broken(e, "a page is cut short");
	while (n > 0 && take_word(&part->in, &page.words, &memory))
		n--;
	if (n > 0)
		wrong = "a word is not one";
	else if (!take_picture(&part->in, &page))
		wrong = "a picture is not one";
	else if (part->next++ == part->last && rd_left(&part->in) > 0)
		wrong = "something follows its last page";
	if (wrong == NULL) {
		*ret_page = page;
		return ST_OK;
	}
	ocr_page_free(&page.words);
	return memory ? err_set(e, ST_RETRY, "memory", "no memory for words") : broken(e, wrong);
}
