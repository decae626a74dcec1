#include "stages/image/picture.h"

#include <stdlib.h>
#include <string.h>

#include <lcms2.h>

#include "stages/base/digest.h"
#include "stages/image/internal.h"

static const struct picture_kind *const kinds[] = {&picture_jpeg, &picture_png,  &picture_tiff, &picture_jpeg2000, &picture_jbig2,
                                                   &picture_bmp,  &picture_webp, &picture_pnm,  &picture_heif};

/* Formats that are known by their first bytes but not read. */
static const struct {
	const char *name;
	size_t at;
	const char *magic;
	size_t n;
} others[] = {
    {"HEIC", 4, "ftypheic", 8}, {"HEIC", 4, "ftypheix", 8}, {"HEIF", 4, "ftypmif1", 8}, {"AVIF", 4, "ftypavif", 8},
    {"GIF", 0, "GIF8", 4},      {"BMP", 0, "BM", 2},        {"PDF", 0, "%PDF-", 5},     {"ZIP", 0, "PK\x03\x04", 4},
};

void picture_load(void)
{
	picture_bmp_load();
	picture_heif_load();
}

enum status picture_no_memory(struct err *e)
{
	return err_set(e, ST_RETRY, "memory", "no memory left");
}

static enum status unknown(struct bytes in, struct err *e)
{
	const char *name = "?";
	for (size_t i = 0; i < sizeof others / sizeof others[0] && name[0] == '?'; i++) {
		if (in.n >= others[i].at + others[i].n && memcmp(in.p + others[i].at, others[i].magic, others[i].n) == 0)
			name = others[i].name;
	}
	enum status st = err_set(e, ST_ITEM, "picture-unknown", "no picture that can be read, by its first bytes (%s)", name);
	err_arg(e, "%s", name);
	return st;
}

/* Finds the kind of f->in and lets it look. */
static enum status begin(struct picture_file *f, struct err *e)
{
	if (f->in.n == 0)
		return err_set(e, ST_ITEM, "picture-empty", "the file has no bytes");
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (kinds[i]->is(f->in)) {
			f->kind = kinds[i];
			return f->kind->open(f, e);
		}
	}
	return unknown(f->in, e);
}

enum status picture_open_bytes(struct bytes in, struct picture_file **ret_file, struct err *e)
{
	struct picture_file *f = calloc(1, sizeof *f);
	if (f == NULL)
		return picture_no_memory(e);
	f->in = in;
	enum status st = begin(f, e);
	if (st != ST_OK) {
		picture_close(f);
		return st;
	}
	*ret_file = f;
	return ST_OK;
}

enum status picture_open(const char *path, struct picture_file **ret_file, struct err *e)
{
	struct file_map map;
	enum status st = file_map_open(path, &map, e);
	if (st != ST_OK)
		return st;
	st = picture_open_bytes(map.in, ret_file, e);
	if (st != ST_OK) {
		file_map_close(&map);
		err_where(e, "%s", path);
		return st;
	}
	(*ret_file)->map = map;
	return ST_OK;
}

void picture_close(struct picture_file *f)
{
	if (f == NULL)
		return;
	if (f->kind != NULL && f->kind->close != NULL)
		f->kind->close(f);
	if (f->map.in.p != NULL)
		file_map_close(&f->map);
	free(f);
}

const char *picture_format(const struct picture_file *f)
{
	return f->kind->name;
}

size_t picture_pages(const struct picture_file *f)
{
	return f->pages;
}

struct bytes picture_bytes(const struct picture_file *f)
{
	return f->in;
}

void picture_leave_coded(struct picture_file *f)
{
	f->leave_coded = true;
}

enum status picture_page(const struct picture_file *f, size_t i, struct picture *ret_picture, struct err *e)
{
	memset(ret_picture, 0, sizeof *ret_picture);
	if (i >= f->pages)
		return err_set(e, ST_BUG, "picture-page", "page %zu of %zu", i, f->pages);
	enum status st = f->kind->page(f, i, ret_picture, e);
	if (st != ST_OK)
		picture_drop(ret_picture);
	return st;
}

/* A block of memory in a picture's list; the bytes follow. */
struct block {
	struct block *next;
	max_align_t bytes[];
};

uint8_t *picture_alloc(struct picture *p, size_t n)
{
	struct block *b = n > PICTURE_MAX_BYTES ? NULL : malloc(sizeof *b + n + 1);
	if (b == NULL)
		return NULL;
	b->next = p->owned;
	p->owned = b;
	return (uint8_t *)b->bytes;
}

void picture_drop(struct picture *p)
{
	for (struct block *b = p->owned, *next; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	memset(p, 0, sizeof *p);
}

enum status picture_check_size(const char *format, uint64_t width, uint64_t height, struct err *e)
{
	if (width == 0 || height == 0) {
		char code[40];
		snprintf(code, sizeof code, "%s-syntax", format);
		return err_set(e, ST_ITEM, code, "%llu x %llu pixels", (unsigned long long)width, (unsigned long long)height);
	}
	if (width > UINT32_MAX || height > UINT32_MAX || width * height > PICTURE_MAX_PIXELS) {
		return picture_too_large(width, height, e);
	}
	return ST_OK;
}

enum status picture_too_large(uint64_t width, uint64_t height, struct err *e)
{
	enum status st =
	    err_set(e, ST_ITEM, "picture-too-large", "%llu x %llu pixels", (unsigned long long)width, (unsigned long long)height);
	err_arg(e, "%llu x %llu", (unsigned long long)width, (unsigned long long)height);
	return st;
}

enum status picture_open_one(struct picture_file *f, struct err *e)
{
	(void)e;
	f->pages = 1;
	return ST_OK;
}

uint64_t picture_row_bytes(uint32_t width, unsigned components, unsigned bits)
{
	return ((uint64_t)width * components * bits + 7) / 8;
}

void picture_set_dpi(struct picture *p, double x, double y)
{
	bool sane = x >= 10 && x <= 20000 && y >= 10 && y <= 20000;
	p->dpi_x = sane ? x : 0;
	p->dpi_y = sane ? y : 0;
}

void picture_set_icc(struct picture *p, struct bytes icc)
{
	static const cmsColorSpaceSignature spaces[] = {
	    [PICTURE_GREY] = cmsSigGrayData,   [PICTURE_RGB] = cmsSigRgbData, [PICTURE_CMYK] = cmsSigCmykData,
	    [PICTURE_INDEXED] = cmsSigRgbData, [PICTURE_LAB] = cmsSigLabData,
	};
	p->icc = (struct bytes){0};
	p->icc_ignored = true;
	if (icc.n < 128 || icc.n > (16u << 20))
		return;
	cmsHPROFILE h = cmsOpenProfileFromMem(icc.p, (cmsUInt32Number)icc.n);
	if (h == NULL)
		return;
	cmsProfileClassSignature class = cmsGetDeviceClass(h);
	bool fits = (class == cmsSigInputClass || class == cmsSigDisplayClass || class == cmsSigOutputClass ||
	             class == cmsSigColorSpaceClass) &&
	            cmsGetColorSpace(h) == spaces[p->colour] && p->colour != PICTURE_LAB && icc.p[8] >= 2 && icc.p[8] <= 4;
	/* The profile must really turn into colours, or readers will each do as they like. */
	if (fits)
		fits = cmsIsMatrixShaper(h) || cmsIsTag(h, cmsSigAToB0Tag) || cmsIsTag(h, cmsSigGrayTRCTag);
	cmsCloseProfile(h);
	if (fits) {
		p->icc = icc;
		p->icc_ignored = false;
	}
}

struct digesting {
	struct sha256 *h;
	size_t n;     /* bytes of a row */
	uint8_t mask; /* of the samples' bits in the last one */
};

static enum status digest_row(void *arg, uint32_t y, const uint8_t *row, struct err *e)
{
	struct digesting *d = arg;
	uint8_t last = row[d->n - 1] & d->mask;
	(void)y;
	(void)e;
	sha256_add(d->h, row, d->n - 1);
	sha256_add(d->h, &last, 1);
	return ST_OK;
}

enum status picture_digest(const struct picture *p, uint8_t ret_digest[32], struct err *e)
{
	struct digesting d = {.h = sha256_new(), .n = (size_t)picture_row_bytes(p->width, p->components, p->bits)};
	unsigned used = (unsigned)((uint64_t)p->width * p->components * p->bits % 8);
	d.mask = (uint8_t)(used == 0 ? 0xFF : 0xFF << (8 - used));
	if (d.h == NULL)
		return picture_no_memory(e);
	enum status st = picture_rows(p, digest_row, &d, e);
	sha256_end(d.h, ret_digest);
	return st;
}
