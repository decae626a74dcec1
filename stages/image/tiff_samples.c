/* Decoding TIFF pictures by libtiff into packed samples. */
#include <stdlib.h>
#include <string.h>

#include "stages/image/tiff.h"

/* Where decoded samples go before they are PDF's: rows of `samples` samples of `bits` bits, 16 bit in the machine's order. */
struct raw {
	uint8_t *p;
	size_t row;
	unsigned samples;
};

static bool read_strips(struct tiff *f, const struct tiff_page *page, uint16_t plane, const struct raw *to)
{
	uint32_t rows = 0;
	TIFFGetFieldDefaulted(f->t, TIFFTAG_ROWSPERSTRIP, &rows);
	if (rows == 0 || rows > page->height)
		rows = page->height;
	for (uint32_t y = 0; y < page->height; y += rows) {
		uint32_t left = page->height - y, take = left < rows ? left : rows;
		tmsize_t n = (tmsize_t)(take * to->row);
		if (TIFFReadEncodedStrip(f->t, TIFFComputeStrip(f->t, y, plane), to->p + y * to->row, n) != n || f->failed)
			return false;
	}
	return true;
}

static bool read_tiles(struct tiff *f, const struct tiff_page *page, uint16_t plane, const struct raw *to)
{
	uint32_t tw = 0, th = 0;
	tmsize_t size = TIFFTileSize(f->t), row = TIFFTileRowSize(f->t);
	TIFFGetField(f->t, TIFFTAG_TILEWIDTH, &tw);
	TIFFGetField(f->t, TIFFTAG_TILELENGTH, &th);
	if (tw == 0 || th == 0 || size <= 0 || row <= 0 || (uint64_t)size > PICTURE_MAX_BYTES ||
	    (uint64_t)row * th > (uint64_t)size || (uint64_t)tw * to->samples * page->bits % 8 != 0)
		return false;
	uint8_t *tile = malloc((size_t)size);
	bool ok = tile != NULL;
	for (uint32_t y = 0; ok && y < page->height; y += th) {
		for (uint32_t x = 0; ok && x < page->width; x += tw) {
			ok = TIFFReadEncodedTile(f->t, TIFFComputeTile(f->t, x, y, 0, plane), tile, size) == size && !f->failed;
			size_t at = (size_t)x * to->samples * page->bits / 8, n = to->row - at;
			if (n > (size_t)row)
				n = (size_t)row;
			for (uint32_t k = 0; ok && k < th && y + k < page->height; k++)
				memcpy(to->p + (y + k) * to->row + at, tile + k * (size_t)row, n);
			if (th > page->height - y && x + tw >= page->width)
				break;
		}
		if (y > UINT32_MAX - th)
			break;
	}
	free(tile);
	return ok;
}

static bool read_plane(struct tiff *f, const struct tiff_page *page, uint16_t plane, const struct raw *to)
{
	return TIFFIsTiled(f->t) ? read_tiles(f, page, plane, to) : read_strips(f, page, plane, to);
}

static unsigned get(const uint8_t *row, size_t i, unsigned bits)
{
	if (bits == 8)
		return row[i];
	if (bits == 16) {
		uint16_t v;
		memcpy(&v, row + 2 * i, 2);
		return v;
	}
	unsigned v = 0;
	for (size_t at = i * bits; at < (i + 1) * bits; at++)
		v = v << 1 | (row[at / 8] >> (7 - at % 8) & 1);
	return v;
}

static void put(uint8_t *row, size_t i, unsigned bits, unsigned v)
{
	if (bits == 8) {
		row[i] = (uint8_t)v;
	} else if (bits == 16) {
		row[2 * i] = (uint8_t)(v >> 8);
		row[2 * i + 1] = (uint8_t)v;
	} else {
		size_t at = i * bits;
		row[at / 8] = (uint8_t)(row[at / 8] | v << (8 - bits - at % 8));
	}
}

/* PDF knows 1, 2, 4, 8 and 16 bits. */
static unsigned bits_for(const struct tiff_page *page, bool keep)
{
	if (page->bits > 8)
		return 16;
	return keep && (page->bits == 1 || page->bits == 2 || page->bits == 4) ? page->bits : 8;
}

/* One pixel's samples (as wide as they come) to PDF's; true where it was not opaque. */
static bool mix(const struct tiff_page *page, const unsigned *in, unsigned out_bits, unsigned *out)
{
	unsigned full = (1u << page->bits) - 1, top = (1u << out_bits) - 1, alpha = page->alpha ? in[page->colours] : full;
	bool dark = page->photometric == PHOTOMETRIC_SEPARATED || page->photometric == PHOTOMETRIC_MINISWHITE;
	unsigned paper = dark ? 0 : full;
	for (unsigned k = 0; k < page->colours; k++) {
		unsigned v = in[k];
		if (alpha != full) {
			uint64_t over = (uint64_t)paper * (full - alpha),
			         own = page->associated ? (uint64_t)v * full : (uint64_t)v * alpha;
			uint64_t mixed = (own + over + full / 2) / full;
			v = mixed > full ? full : (unsigned)mixed;
		}
		if (page->photometric != PHOTOMETRIC_PALETTE && full != top)
			v = (unsigned)(((uint64_t)v * top + full / 2) / full);
		/* a* and b* have a sign in TIFF; PDF counts from the lowest (ISO 32000-1, 8.6.5.4). */
		if (page->photometric == PHOTOMETRIC_CIELAB && k > 0)
			v ^= 1u << (out_bits - 1);
		out[k] = v;
	}
	return alpha != full;
}

struct conversion {
	const struct tiff_page *page;
	const uint8_t *planes[8]; /* rows of a plane, or only the first one where samples lie together */
	size_t row;               /* bytes of a row of a plane */
	bool separate;
};

static void convert(const struct conversion *c, unsigned bits, uint8_t *out, size_t out_row, bool *ret_flattened)
{
	const struct tiff_page *page = c->page;
	unsigned in[8] = {0}, mixed[8] = {0};
	memset(out, 0, out_row * page->height);
	for (size_t y = 0; y < page->height; y++) {
		for (size_t x = 0; x < page->width; x++) {
			for (unsigned k = 0; k < page->samples; k++)
				in[k] = c->separate ? get(c->planes[k] + y * c->row, x, page->bits)
				                    : get(c->planes[0] + y * c->row, x * page->samples + k, page->bits);
			if (mix(page, in, bits, mixed))
				*ret_flattened = true;
			for (unsigned k = 0; k < page->colours; k++)
				put(out + y * out_row, x * page->colours + k, bits, mixed[k]);
		}
	}
}

/* YCbCr that is not JPEG's, and old JPEG: libtiff's own way to RGB. */
static enum status read_rgba(struct tiff *f, const struct tiff_page *page, struct picture *to, struct err *e)
{
	size_t area = (size_t)page->width * page->height;
	uint16_t orientation = ORIENTATION_TOPLEFT;
	TIFFGetFieldDefaulted(f->t, TIFFTAG_ORIENTATION, &orientation);
	if (area * 4 > PICTURE_MAX_BYTES)
		return err_set(e, ST_ITEM, "picture-too-large", "%u x %u pixels", page->width, page->height);
	uint32_t *raster = malloc(area * sizeof *raster);
	uint8_t *rgb = picture_alloc(to, area * 3);
	if (raster == NULL || rgb == NULL) {
		free(raster);
		return picture_no_memory(e);
	}
	/* Asked for the orientation that it has, libtiff turns nothing. */
	bool ok = TIFFReadRGBAImageOriented(f->t, page->width, page->height, raster, orientation, 1) && !f->failed;
	for (size_t i = 0; ok && i < area; i++) {
		rgb[3 * i] = (uint8_t)TIFFGetR(raster[i]);
		rgb[3 * i + 1] = (uint8_t)TIFFGetG(raster[i]);
		rgb[3 * i + 2] = (uint8_t)TIFFGetB(raster[i]);
	}
	free(raster);
	to->bits = 8;
	to->components = 3;
	to->data = (struct bytes){rgb, area * 3};
	return ok ? ST_OK : tiff_corrupt(f, "the picture cannot be decoded", e);
}

/* Rows that are PDF's already but for the order of bytes. */
static void swap_bytes(uint8_t *p, size_t n)
{
	for (size_t i = 0; i + 1 < n; i += 2) {
		uint16_t v;
		memcpy(&v, p + i, 2);
		p[i] = (uint8_t)(v >> 8);
		p[i + 1] = (uint8_t)v;
	}
}

/* What decodes a picture's rows again: the file, and the place of its directory. */
struct strips {
	struct bytes in;
	uint64_t directory;
};

static enum status strip_rows(const struct picture *p, picture_row *each, void *arg, struct err *e)
{
	const struct strips *s = p->decoded_from;
	size_t n = (size_t)picture_row_bytes(p->width, p->components, p->bits);
	uint8_t *row = malloc(n);
	struct tiff f;
	enum status st = tiff_begin(&f, s->in, e);
	if (st == ST_OK && row == NULL)
		st = picture_no_memory(e);
	if (st == ST_OK && (!TIFFSetSubDirectory(f.t, s->directory) || TIFFScanlineSize(f.t) != (tmsize_t)n))
		st = tiff_corrupt(&f, "rows of unexpected length", e);
	f.decoding = true;
	for (uint32_t y = 0; st == ST_OK && y < p->height; y++) {
		if (TIFFReadScanline(f.t, row, y, 0) != 1 || f.failed) {
			st = tiff_corrupt(&f, "the picture's data is broken or ends early", e);
			break;
		}
		if (p->bits == 16)
			swap_bytes(row, n);
		st = each(arg, y, row, e);
	}
	tiff_close(&f);
	free(row);
	return st;
}

static enum status read_later(struct tiff *f, const struct tiff_page *page, struct picture *to, struct err *e)
{
	struct strips *s = (struct strips *)(void *)picture_alloc(to, sizeof *s);
	if (s == NULL)
		return picture_no_memory(e);
	*s = (struct strips){f->in, TIFFCurrentDirOffset(f->t)};
	to->bits = page->bits;
	to->decode = strip_rows;
	to->decoded_from = s;
	return ST_OK;
}

/* Samples that lie together and are as PDF wants them are read into their place. */
static enum status read_straight(struct tiff *f, const struct tiff_page *page, struct picture *to, struct err *e)
{
	struct raw raw = {NULL, (size_t)picture_row_bytes(page->width, page->samples, page->bits), page->samples};
	if (raw.row * page->height > PICTURE_STREAMED && !TIFFIsTiled(f->t) && page->compression != COMPRESSION_JPEG)
		return read_later(f, page, to, e);
	raw.p = picture_alloc(to, raw.row * page->height);
	if (raw.p == NULL)
		return picture_no_memory(e);
	if (!read_plane(f, page, 0, &raw))
		return tiff_corrupt(f, "the picture's data is broken or ends early", e);
	if (page->bits == 16)
		swap_bytes(raw.p, raw.row * page->height);
	to->bits = page->bits;
	to->data = (struct bytes){raw.p, raw.row * page->height};
	return ST_OK;
}

static enum status read_converted(struct tiff *f, const struct tiff_page *page, struct picture *to, struct err *e)
{
	bool separate = page->planar == PLANARCONFIG_SEPARATE && page->samples > 1;
	unsigned planes = separate ? page->samples : 1, samples = separate ? 1 : page->samples;
	struct conversion c = {
	    .page = page, .row = (size_t)picture_row_bytes(page->width, samples, page->bits), .separate = separate};
	to->bits = bits_for(page, page->samples == page->colours);
	size_t out_row = (size_t)picture_row_bytes(page->width, page->colours, to->bits), size = c.row * page->height;
	if (size * planes > PICTURE_MAX_BYTES || out_row * page->height > PICTURE_MAX_BYTES)
		return err_set(e, ST_ITEM, "picture-too-large", "%zu bytes of samples", size * planes);
	uint8_t *in = malloc(size * planes), *out = picture_alloc(to, out_row * page->height);
	bool ok = in != NULL && out != NULL;
	enum status st = ok ? ST_OK : picture_no_memory(e);
	for (unsigned k = 0; ok && k < planes; k++) {
		struct raw raw = {in + k * size, c.row, samples};
		c.planes[k] = raw.p;
		ok = read_plane(f, page, (uint16_t)k, &raw);
		if (!ok)
			st = tiff_corrupt(f, "the picture's data is broken or ends early", e);
	}
	if (ok)
		convert(&c, to->bits, out, out_row, &to->flattened);
	free(in);
	if (page->samples > page->colours && !page->alpha)
		to->flattened = true; /* samples without a meaning were left out */
	to->data = (struct bytes){out, out_row * page->height};
	return st;
}

enum status tiff_samples(struct tiff *f, const struct tiff_page *page, struct picture *to, struct err *e)
{
	bool jpeg = page->compression == COMPRESSION_JPEG, ycc = page->photometric == PHOTOMETRIC_YCBCR;
	bool standard = page->bits == 1 || page->bits == 2 || page->bits == 4 || page->bits == 8 || page->bits == 16;
	bool lab = page->photometric == PHOTOMETRIC_CIELAB || page->photometric == PHOTOMETRIC_ICCLAB;
	if ((lab || ycc) && page->bits != 8 && !(lab && page->bits == 16))
		return tiff_unfit(e, "%u-bit colours of kind %u", page->bits, page->photometric);
	if (lab && page->samples != 3)
		return tiff_unfit(e, "L*a*b* with %u samples", page->samples);
	to->coding = PICTURE_SAMPLES;
	to->components = page->colours;
	f->decoding = true;
	if ((ycc && !jpeg) || page->compression == COMPRESSION_OJPEG)
		return read_rgba(f, page, to, e);
	if (ycc && page->samples != 3)
		return tiff_unfit(e, "YCbCr with %u samples", page->samples);
	if (ycc && page->planar == PLANARCONFIG_CONTIG)
		TIFFSetField(f->t, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
	else if (ycc)
		return tiff_unfit(e, "YCbCr in separate planes");
	uint64_t bytes = picture_row_bytes(page->width, page->samples, page->bits) * page->height;
	if (bytes > PICTURE_MAX_BYTES)
		return err_set(e, ST_ITEM, "picture-too-large", "%llu bytes of samples", (unsigned long long)bytes);
	/* What libtiff hands out must be as wide as the directory makes us think. */
	tmsize_t line = TIFFIsTiled(f->t) ? 0 : TIFFScanlineSize(f->t);
	bool separate = page->planar == PLANARCONFIG_SEPARATE && page->samples > 1;
	if (line != 0 && (uint64_t)line != picture_row_bytes(page->width, separate ? 1 : page->samples, page->bits))
		return tiff_corrupt(f, "rows of unexpected length", e);
	if (standard && !separate && page->samples == page->colours && page->photometric != PHOTOMETRIC_CIELAB)
		return read_straight(f, page, to, e);
	return read_converted(f, page, to, e);
}
