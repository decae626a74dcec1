/*
 * JBIG2 (ITU-T T.88): the segments by our own reader, what is in them by jbig2dec.
 *
 * A page is placed as PDF has it (ISO 32000-1, 7.4.7): its segments as they lie in the file, without the file's header, ends of pages and
 * of the file; those that belong to no page apart, as globals. Only the number of the page they belong to becomes 1.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jbig2.h>

#include "stages/image/internal.h"

/* T.88, 7.3: types of segments. */
enum {
	SYMBOL_DICTIONARY = 0,
	TEXT_REGION = 4,
	PATTERN_DICTIONARY = 16,
	PAGE_INFORMATION = 48,
	END_OF_PAGE = 49,
	END_OF_STRIPE = 50,
	END_OF_FILE = 51
};
enum { MAX_SEGMENTS = 1 << 20, UNKNOWN = UINT32_MAX };
/* 7.4.1: a region begins with its size, place and how it is combined. */
enum { REGION = 17 };

struct segment {
	struct bytes head, data;
	size_t page_at; /* in the head */
	bool wide;      /* the page's number takes four bytes */
	uint32_t page;  /* 0: of the whole file */
	uint8_t type;
};

struct state {
	struct segment *segments;
	size_t n;
	uint32_t *pages; /* their numbers, as they come */
};

static bool jbig2_is(struct bytes in)
{
	return in.n >= 8 && memcmp(in.p, "\x97JB2\r\n\x1A\n", 8) == 0;
}

static enum status syntax(struct err *e, const char *what, size_t at)
{
	enum status st = err_set(e, ST_ITEM, "jbig2-syntax", "%s", what);
	err_where(e, "byte %zu", at);
	return st;
}

/* 7.2: a segment's header. */
static enum status read_head(struct rd *r, struct segment *s, uint32_t *ret_length, struct err *e)
{
	size_t from = r->at;
	uint32_t number = rd_u32be(r);
	uint8_t flags = rd_u8(r);
	uint32_t count = rd_u8(r);
	if (count >> 5 == 7) {
		r->at--;
		count = rd_u32be(r) & 0x1FFFFFFF;
		rd_skip(r, ((size_t)count + 8) / 8);
	} else {
		count >>= 5;
	}
	rd_skip(r, (size_t)count * (number <= 256 ? 1 : number <= 65536 ? 2 : 4));
	s->type = flags & 0x3F;
	s->wide = (flags & 0x40) != 0;
	s->page_at = r->at - from;
	s->page = s->wide ? rd_u32be(r) : rd_u8(r);
	*ret_length = rd_u32be(r);
	if (r->failed)
		return err_set(e, ST_ITEM, "jbig2-truncated", "the file ends in the header of a segment");
	if (*ret_length == UNKNOWN)
		return syntax(e, "a segment of unknown length", from);
	s->head = (struct bytes){r->in.p + from, r->at - from};
	return ST_OK;
}

static enum status read_data(struct rd *r, struct segment *s, uint32_t length, struct err *e)
{
	s->data = rd_take(r, length);
	return r->failed ? err_set(e, ST_ITEM, "jbig2-truncated", "the file ends within a segment") : ST_OK;
}

/* What a segment says that it holds, a decoder computes, whether data is left or not: a few bytes would keep it busy for hours. No coder comes near
 * to so many symbols a byte. */
static enum status check_symbols(const struct segment *s, uint32_t symbols, bool failed, struct err *e)
{
	enum { PER_BYTE = 256, ANYWAY = 4096 };
	bool right = !failed && symbols <= PER_BYTE * (uint64_t)s->data.n + ANYWAY;
	return right ? ST_OK
	             : syntax(e,
	                      s->type == SYMBOL_DICTIONARY ? "a dictionary of too many symbols"
	                                                   : "a text region of too many symbols",
	                      0);
}

/* 7.4.2.1 and 7.4.3.1: how many symbols a dictionary adds, or a text region places. */
static enum status check_segment(const struct segment *s, struct err *e)
{
	enum { HUFFMAN = 1, REFINE = 2, AT_PIXELS = 3 << 10, DICTIONARY_TEMPLATE = 1 << 12, REGION_TEMPLATE = 1 << 15 };
	struct rd r = RD_INIT(s->data.p, s->data.n);
	if (s->type == SYMBOL_DICTIONARY) {
		unsigned flags = rd_u16be(&r);
		rd_skip(&r, (flags & HUFFMAN) != 0 ? 0 : (flags & AT_PIXELS) == 0 ? 8 : 2);
		rd_skip(&r, (flags & REFINE) != 0 && (flags & DICTIONARY_TEMPLATE) == 0 ? 4 : 0);
		rd_skip(&r, 4);
		uint32_t added = rd_u32be(&r);
		return check_symbols(s, added, r.failed, e);
	}
	if (s->type != TEXT_REGION && s->type != TEXT_REGION + 2 && s->type != TEXT_REGION + 3)
		return ST_OK;
	rd_skip(&r, REGION);
	unsigned flags = rd_u16be(&r);
	rd_skip(&r, (flags & HUFFMAN) != 0 ? 2 : 0);
	rd_skip(&r, (flags & REFINE) != 0 && (flags & REGION_TEMPLATE) == 0 ? 4 : 0);
	uint32_t placed = rd_u32be(&r);
	return check_symbols(s, placed, r.failed, e);
}

/* 7.4.1, 7.4.4, 7.4.5: the pixels that a region, with its grid, or a dictionary of patterns says it has; 0 for other segments. */
static uint64_t stated_pixels(const struct segment *s)
{
	/* Each region intermediate, immediate, or immediate and lossless. */
	enum { HALFTONE = 20, GENERIC = 36, REFINEMENT = 40, GREY_PLANES = 8 };
	unsigned first = s->type & ~3U;
	struct rd r = RD_INIT(s->data.p, s->data.n);
	uint64_t pixels = 0;
	if (s->type == PATTERN_DICTIONARY) {
		rd_skip(&r, 1);
		pixels = (uint64_t)rd_u8(&r) * rd_u8(&r);
		pixels *= (uint64_t)rd_u32be(&r) + 1;
	} else if (first == TEXT_REGION || first == HALFTONE || first == GENERIC || first == REFINEMENT) {
		uint64_t width = rd_u32be(&r), height = rd_u32be(&r);
		pixels = width * height;
		rd_skip(&r, REGION - 8 + 1);
		uint64_t across = first == HALFTONE ? rd_u32be(&r) : 0, down = first == HALFTONE ? rd_u32be(&r) : 0;
		uint64_t grid = across * down > UINT64_MAX / GREY_PLANES ? UINT64_MAX : across * down * GREY_PLANES;
		pixels = grid > UINT64_MAX - pixels ? UINT64_MAX : pixels + grid;
	}
	return pixels;
}

static struct segment *add(struct state *s, uint32_t **lengths)
{
	if ((s->n & (s->n - 1)) == 0) {
		size_t room = s->n == 0 ? 1 : 2 * s->n;
		struct segment *more = reallocarray(s->segments, room, sizeof *more);
		uint32_t *longer = reallocarray(*lengths, room, sizeof *longer);
		s->segments = more == NULL ? s->segments : more;
		*lengths = longer == NULL ? *lengths : longer;
		if (more == NULL || longer == NULL)
			return NULL;
	}
	s->segments[s->n] = (struct segment){0};
	return &s->segments[s->n++];
}

/* Annex D: headers and data in turn, or all headers first. */
static enum status read_segments(struct rd *r, bool sequential, struct state *s, struct err *e)
{
	uint32_t *lengths = NULL;
	enum status st = ST_OK;
	bool ended = false;
	while (st == ST_OK && !ended && (rd_left(r) > 0 || !sequential)) {
		struct segment *one = s->n < MAX_SEGMENTS ? add(s, &lengths) : NULL;
		if (one == NULL) {
			st = s->n < MAX_SEGMENTS ? picture_no_memory(e) : syntax(e, "too many segments", r->at);
			break;
		}
		st = read_head(r, one, &lengths[s->n - 1], e);
		if (st == ST_OK && sequential)
			st = read_data(r, one, lengths[s->n - 1], e);
		ended = one->type == END_OF_FILE;
	}
	/* 7.4.11: the last segment of a file says that it is. */
	if (st == ST_OK && !ended)
		st = err_set(e, ST_ITEM, "jbig2-truncated", "the file has no end");
	for (size_t i = 0; st == ST_OK && !sequential && i < s->n; i++)
		st = read_data(r, &s->segments[i], lengths[i], e);
	for (size_t i = 0; st == ST_OK && i < s->n; i++)
		st = check_segment(&s->segments[i], e);
	free(lengths);
	return st;
}

static void jbig2_close(struct picture_file *f)
{
	struct state *s = f->state;
	if (s != NULL) {
		free(s->segments);
		free(s->pages);
	}
	free(s);
}

static enum status jbig2_open(struct picture_file *f, struct err *e)
{
	struct rd r = RD_INIT(f->in.p, f->in.n);
	struct state *s = f->state = calloc(1, sizeof *s);
	if (s == NULL)
		return picture_no_memory(e);
	rd_skip(&r, 8);
	uint8_t flags = rd_u8(&r);
	if ((flags & 2) == 0)
		rd_skip(&r, 4);
	if (r.failed || (flags & 0xFC) != 0)
		return syntax(e, "the file's header is short, or says what we do not know", 8);
	enum status st = read_segments(&r, (flags & 1) != 0, s, e);
	if (st == ST_OK && (s->pages = calloc(s->n + 1, sizeof *s->pages)) == NULL)
		st = picture_no_memory(e);
	for (size_t i = 0; st == ST_OK && i < s->n; i++) {
		if (s->segments[i].type == PAGE_INFORMATION)
			s->pages[f->pages++] = s->segments[i].page;
	}
	return st == ST_OK && f->pages == 0 ? syntax(e, "no page in it", f->in.n) : st;
}

/* The segments of a page (0: of no page), as they are placed. */
static bool gather(const struct state *s, uint32_t page, struct buf *to)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct segment *one = &s->segments[i];
		if (one->page != page || one->type == END_OF_PAGE || one->type == END_OF_FILE)
			continue;
		size_t at = to->len + one->page_at;
		buf_add(to, one->head.p, one->head.n);
		buf_add(to, one->data.p, one->data.n);
		if (!to->failed && page != 0) {
			memset(to->data + at, 0, one->wide ? 4 : 1);
			to->data[at + (one->wide ? 3 : 0)] = 1;
		}
	}
	return !to->failed;
}

/* 7.4.8: page information. A height that is not known follows from the ends of stripes. */
static enum status read_page(const struct state *s, uint32_t page, struct picture *to, struct err *e)
{
	enum { BLANK_PIXELS = 160 << 20, PIXELS_PER_BYTE = 1 << 14 };
	uint32_t height = 0;
	uint64_t computed = 0;
	size_t found = 0, bytes = 0;
	for (size_t i = 0; i < s->n; i++) {
		const struct segment *one = &s->segments[i];
		struct rd r = RD_INIT(one->data.p, one->data.n);
		if (one->page != page && one->page != 0)
			continue;
		bytes += one->data.n;
		uint64_t pixels = stated_pixels(one);
		computed = pixels > UINT64_MAX - computed ? UINT64_MAX : computed + pixels;
		if (one->page != page)
			continue;
		if (one->type == PAGE_INFORMATION) {
			to->width = rd_u32be(&r);
			to->height = rd_u32be(&r);
			double x = rd_u32be(&r) * 0.0254, y = rd_u32be(&r) * 0.0254;
			picture_set_dpi(to, x, y);
			found += !r.failed;
		} else if (one->type == END_OF_STRIPE) {
			uint32_t last = rd_u32be(&r);
			height = r.failed || last == UNKNOWN ? height : last + 1;
		}
	}
	if (found != 1)
		return syntax(e, "a page without page information, or with two", 0);
	to->height = to->height == UNKNOWN ? height : to->height;
	enum status st = picture_check_size("jbig2", to->width, to->height, e);
	/* A few bytes stand for any white page or region, and a decoder computes each pixel of it: an A0 sheet at 300 dpi, no more. */
	uint64_t most = BLANK_PIXELS + (uint64_t)bytes * PIXELS_PER_BYTE, area = (uint64_t)to->width * to->height;
	if (st == ST_OK && area > most)
		return picture_too_large(to->width, to->height, e);
	return st == ST_OK && computed > most ? syntax(e, "regions or patterns of too many pixels", 0) : st;
}

/* Keeps memory, so the bytes live as long as the picture. */
static bool keep(struct picture *p, const struct buf *b, struct bytes *ret)
{
	uint8_t *copy = picture_alloc(p, b->len);
	if (copy == NULL)
		return false;
	if (b->len > 0)
		memcpy(copy, b->data, b->len);
	*ret = (struct bytes){copy, b->len};
	return true;
}

static enum status skip_row(void *arg, uint32_t y, const uint8_t *row, struct err *e)
{
	(void)arg, (void)y, (void)row, (void)e;
	return ST_OK;
}

static enum status jbig2_page(const struct picture_file *f, size_t i, struct picture *to, struct err *e)
{
	const struct state *s = f->state;
	BUF_AUTO struct buf globals = BUF_INIT(f->in.n), page = BUF_INIT(f->in.n);
	enum status st = read_page(s, s->pages[i], to, e);
	if (st != ST_OK)
		return st;
	to->coding = PICTURE_JBIG2;
	to->bits = to->components = 1;
	to->colour = PICTURE_GREY;
	to->orientation = 1;
	if (!gather(s, 0, &globals) || !gather(s, s->pages[i], &page) || !keep(to, &globals, &to->jbig2_globals) ||
	    !keep(to, &page, &to->data))
		return picture_no_memory(e);
	return f->leave_coded ? ST_OK : jbig2_rows(to, skip_row, NULL, e);
}

/* What jbig2dec may take: a file of a few bytes can make it ask for gigabytes. */
#define MEMORY_MAX ((size_t)512 << 20)

struct purse {
	Jbig2Allocator base;
	size_t left;
};

/* Before each block lies its size. */
union head {
	size_t n;
	max_align_t align;
};

static void *take(Jbig2Allocator *a, size_t n)
{
	struct purse *p = (struct purse *)a;
	union head *block = n > p->left ? NULL : malloc(sizeof *block + n);
	if (block == NULL)
		return NULL;
	block->n = n;
	p->left -= n;
	return block + 1;
}

static void give(Jbig2Allocator *a, void *memory)
{
	union head *block = memory;
	if (block == NULL)
		return;
	((struct purse *)a)->left += block[-1].n;
	free(block - 1);
}

static void *change(Jbig2Allocator *a, void *memory, size_t n)
{
	struct purse *p = (struct purse *)a;
	union head *block = memory;
	if (block == NULL)
		return take(a, n);
	size_t had = block[-1].n;
	union head *more = n > had && n - had > p->left ? NULL : realloc(block - 1, sizeof *block + n);
	if (more == NULL)
		return NULL;
	p->left = p->left + had - n;
	more->n = n;
	return more + 1;
}

struct decoding {
	struct purse purse;
	Jbig2Ctx *page, *globals;
	Jbig2GlobalCtx *shared;
	char text[160];
};

/* A warning means that something was left out or made up. */
static void on_message(void *arg, const char *text, Jbig2Severity severity, uint32_t segment)
{
	struct decoding *d = arg;
	if ((severity == JBIG2_SEVERITY_WARNING || severity == JBIG2_SEVERITY_FATAL) && d->text[0] == '\0')
		snprintf(d->text, sizeof d->text, "segment %u: %s", segment, text);
}

/* The page's bitmap, which belongs to the context; NULL where something is wrong. */
static Jbig2Image *decode(struct decoding *d, const struct picture *p)
{
	if (p->jbig2_globals.n > 0) {
		d->globals = jbig2_ctx_new(&d->purse.base, JBIG2_OPTIONS_EMBEDDED, NULL, on_message, d);
		if (d->globals == NULL || jbig2_data_in(d->globals, p->jbig2_globals.p, p->jbig2_globals.n) < 0)
			return NULL;
		d->shared = jbig2_make_global_ctx(d->globals);
		d->globals = NULL;
	}
	d->page = jbig2_ctx_new(&d->purse.base, JBIG2_OPTIONS_EMBEDDED, d->shared, on_message, d);
	if (d->page == NULL || jbig2_data_in(d->page, p->data.p, p->data.n) < 0 || jbig2_complete_page(d->page) < 0)
		return NULL;
	Jbig2Image *image = jbig2_page_out(d->page);
	bool right = image != NULL && d->text[0] == '\0' && image->width == p->width && image->height >= p->height &&
	             image->stride >= (image->width + 7) / 8;
	if (image != NULL && !right)
		jbig2_release_page(d->page, image);
	return right ? image : NULL;
}

enum status jbig2_rows(const struct picture *p, picture_row *each, void *arg, struct err *e)
{
	struct decoding d = {.purse = {{take, give, change}, MEMORY_MAX}};
	size_t n = (size_t)picture_row_bytes(p->width, 1, 1);
	uint8_t *row = malloc(n);
	enum status st = row == NULL ? picture_no_memory(e) : ST_OK;
	Jbig2Image *image = st == ST_OK ? decode(&d, p) : NULL;
	if (st == ST_OK && image == NULL)
		st = err_set(e, ST_ITEM, "jbig2-corrupt", "jbig2dec: %s", d.text[0] == '\0' ? "the page is not there" : d.text);
	for (uint32_t y = 0; st == ST_OK && y < p->height; y++) {
		/* 1 is black in JBIG2, 0 for a reader of PDF. */
		for (size_t k = 0; k < n; k++)
			row[k] = (uint8_t)~image->data[(size_t)y * image->stride + k];
		st = each(arg, y, row, e);
	}
	if (image != NULL)
		jbig2_release_page(d.page, image);
	free(row);
	if (d.globals != NULL)
		jbig2_ctx_free(d.globals);
	if (d.page != NULL)
		jbig2_ctx_free(d.page);
	if (d.shared != NULL)
		jbig2_global_ctx_free(d.shared);
	return st;
}

const struct picture_kind picture_jbig2 = {"JBIG2", jbig2_is, jbig2_open, jbig2_close, jbig2_page};
