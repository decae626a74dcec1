/*
 * PNM (netpbm: PBM, PGM, PPM; plain and raw) by our own reader: no library hands out 16 bit as they are. A file may hold several pictures
 * one after the other.
 */
#include <stdlib.h>
#include <string.h>

#include "stages/image/internal.h"

enum { MAX_PICTURES = 65535 };

struct header {
	unsigned kind; /* 1 … 6 */
	uint32_t width, height;
	unsigned top; /* the largest value */
};

static bool pnm_is(struct bytes in)
{
	return in.n >= 3 && in.p[0] == 'P' && in.p[1] >= '1' && in.p[1] <= '6' && strchr(" \t\r\n#", in.p[2]) != NULL;
}

static bool is_white(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_white(struct rd *r)
{
	while (r->at < r->in.n && (is_white(r->in.p[r->at]) || r->in.p[r->at] == '#')) {
		if (r->in.p[r->at] == '#')
			while (r->at < r->in.n && r->in.p[r->at] != '\n' && r->in.p[r->at] != '\r')
				r->at++;
		else
			r->at++;
	}
}

/* A decimal number after white space and comments; UINT32_MAX where there is none. */
static uint32_t number(struct rd *r)
{
	uint64_t v = 0;
	skip_white(r);
	size_t from = r->at;
	for (; r->at < r->in.n && r->in.p[r->at] >= '0' && r->in.p[r->at] <= '9' && v < UINT32_MAX; r->at++)
		v = v * 10 + (r->in.p[r->at] - '0');
	return r->at == from || v >= UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static enum status truncated(struct err *e, const struct rd *r)
{
	enum status st = err_set(e, ST_ITEM, "pnm-truncated", "the samples end early, or one of them is no number");
	err_where(e, "byte %zu", r->at);
	return st;
}

static enum status read_header(struct rd *r, struct header *h, struct err *e)
{
	struct bytes left = {r->in.p + r->at, rd_left(r)};
	if (!pnm_is(left))
		return err_set(e, ST_ITEM, "pnm-syntax", "no picture begins at byte %zu", r->at);
	h->kind = left.p[1] - (unsigned)'0';
	rd_skip(r, 2);
	h->width = number(r);
	h->height = number(r);
	h->top = h->kind == 1 || h->kind == 4 ? 1 : number(r);
	if (h->width == UINT32_MAX || h->height == UINT32_MAX || h->top == 0 || h->top > 65535)
		return err_set(e, ST_ITEM, "pnm-syntax", "the header has no right size or largest value");
	if (r->at >= r->in.n || !is_white(r->in.p[r->at]))
		return err_set(e, ST_ITEM, "pnm-syntax", "no white space after the header");
	rd_skip(r, 1);
	return picture_check_size("pnm", h->width, h->height, e);
}

static unsigned components(const struct header *h)
{
	return h->kind == 3 || h->kind == 6 ? 3 : 1;
}

static unsigned bits(const struct header *h)
{
	return h->top == 1 && (h->kind == 1 || h->kind == 4) ? 1 : h->top > 255 ? 16 : 8;
}

/* Steps over a raw picture's samples. */
static struct bytes raw(struct rd *r, const struct header *h)
{
	uint64_t n = picture_row_bytes(h->width, components(h), bits(h)) * h->height;
	return rd_take(r, n > rd_left(r) ? rd_left(r) + 1 : (size_t)n);
}

/* The pictures' places; a plain file holds one. */
static enum status pnm_open(struct picture_file *f, struct err *e)
{
	struct rd r = RD_INIT(f->in.p, f->in.n);
	size_t *places = NULL;
	enum status st = ST_OK;
	do {
		if ((f->pages & (f->pages - 1)) == 0) {
			size_t *more = reallocarray(places, f->pages == 0 ? 1 : 2 * f->pages, sizeof *more);
			if (more == NULL) {
				st = picture_no_memory(e);
				break;
			}
			f->state = places = more;
		}
		struct header h;
		places[f->pages++] = r.at;
		st = read_header(&r, &h, e);
		if (st == ST_OK && h.kind <= 3)
			break;
		if (st == ST_OK)
			raw(&r, &h);
		if (st == ST_OK && r.failed)
			st = truncated(e, &r);
		if (st == ST_OK)
			skip_white(&r);
	} while (st == ST_OK && rd_left(&r) > 0 && f->pages < MAX_PICTURES);
	f->state = places;
	return st;
}

static void pnm_close(struct picture_file *f)
{
	free(f->state);
}

static void put(uint8_t *row, size_t i, unsigned width, uint32_t v)
{
	if (width == 1)
		row[i / 8] = (uint8_t)(row[i / 8] | v << (7 - i % 8));
	else if (width == 16)
		row[2 * i] = (uint8_t)(v >> 8), row[2 * i + 1] = (uint8_t)v;
	else
		row[i] = (uint8_t)v;
}

/* The next sample as the file has it; UINT32_MAX where there is none. */
static uint32_t next(struct rd *r, const struct header *h)
{
	if (h->kind == 6 || h->kind == 5)
		return h->top > 255 ? rd_u16be(r) : rd_u8(r);
	if (h->kind != 1)
		return number(r);
	/* Digits of plain bitmaps need nothing between them. */
	skip_white(r);
	uint8_t c = rd_u8(r);
	return c == '0' || c == '1' ? c - (uint32_t)'0' : UINT32_MAX;
}

static enum status take_samples(struct rd *r, const struct header *h, struct picture *to, struct err *e)
{
	size_t row = (size_t)picture_row_bytes(to->width, to->components, to->bits), across = (size_t)to->width * to->components;
	uint32_t full = to->bits == 1 ? 1 : to->bits == 8 ? 255 : 65535;
	if (row * to->height > PICTURE_MAX_BYTES)
		return picture_too_large(to->width, to->height, e);
	/* Each sample takes a byte at least: nothing large is made of nothing. */
	if (across > rd_left(r) / to->height)
		return truncated(e, r);
	uint8_t *rows = picture_alloc(to, row * to->height);
	if (rows == NULL)
		return picture_no_memory(e);
	memset(rows, 0, row * to->height);
	for (size_t y = 0; y < to->height; y++) {
		for (size_t i = 0; i < across; i++) {
			uint32_t v = next(r, h);
			if (r->failed || v > h->top)
				return truncated(e, r);
			put(rows + y * row, i, to->bits,
			    h->top == full ? v : (uint32_t)(((uint64_t)v * full + h->top / 2) / h->top));
		}
	}
	to->data = (struct bytes){rows, row * to->height};
	return ST_OK;
}

static enum status pnm_page(const struct picture_file *f, size_t i, struct picture *to, struct err *e)
{
	struct header h;
	struct rd r = {.in = f->in, .at = ((const size_t *)f->state)[i]};
	enum status st = read_header(&r, &h, e);
	if (st != ST_OK)
		return st;
	to->coding = PICTURE_SAMPLES;
	to->width = h.width;
	to->height = h.height;
	to->components = components(&h);
	to->bits = bits(&h);
	to->colour = to->components == 3 ? PICTURE_RGB : PICTURE_GREY;
	to->inverted = to->bits == 1; /* 1 is black */
	to->orientation = 1;
	bool straight = h.kind == 4 || (h.kind > 4 && (h.top == 255 || h.top == 65535));
	if (!straight)
		return take_samples(&r, &h, to, e);
	to->data = raw(&r, &h);
	return r.failed ? truncated(e, &r) : ST_OK;
}

const struct picture_kind picture_pnm = {"PNM", pnm_is, pnm_open, pnm_close, pnm_page};
