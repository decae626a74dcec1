/* TIFF 6.0 and BigTIFF by libtiff: directories and what is placed as it lies there. */
#include "stages/image/tiff.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIRECTORIES 65535u

struct state {
	uint64_t *offsets; /* of the directories that are pages */
};

static int on_message(struct tiff *f, const char *module, const char *format, va_list ap)
{
	if (!f->failed) {
		int n = snprintf(f->text, sizeof f->text, "%s: ", module == NULL ? "libtiff" : module);
		if (n > 0 && (size_t)n < sizeof f->text)
			vsnprintf(f->text + n, sizeof f->text - (size_t)n, format, ap);
	}
	f->failed = true;
	return 1;
}

static int on_error(TIFF *t, void *arg, const char *module, const char *format, va_list ap)
{
	(void)t;
	return on_message(arg, module, format, ap);
}

static int on_warning(TIFF *t, void *arg, const char *module, const char *format, va_list ap)
{
	struct tiff *f = arg;
	(void)t;
	/* Old JPEG's own warnings are about its outdated tags; what libjpeg says of the data comes under another name. */
	bool data = f->decoding && (module == NULL || strncmp(module, "OJPEG", 5) != 0);
	return data ? on_message(f, module, format, ap) : 1;
}

static tmsize_t on_read(thandle_t h, void *to, tmsize_t n)
{
	struct tiff *f = h;
	size_t left = f->at < f->in.n ? f->in.n - f->at : 0, take = (size_t)n < left ? (size_t)n : left;
	if (take > 0)
		memcpy(to, f->in.p + f->at, take);
	f->at += take;
	return (tmsize_t)take;
}

static tmsize_t on_write(thandle_t h, void *from, tmsize_t n)
{
	(void)h, (void)from, (void)n;
	return -1;
}

static toff_t on_seek(thandle_t h, toff_t offset, int whence)
{
	struct tiff *f = h;
	f->at = (whence == SEEK_SET ? 0 : whence == SEEK_CUR ? f->at : f->in.n) + (size_t)offset;
	return f->at;
}

static int on_close(thandle_t h)
{
	(void)h;
	return 0;
}

static toff_t on_size(thandle_t h)
{
	return ((struct tiff *)h)->in.n;
}

static int on_map(thandle_t h, void **ret_base, toff_t *ret_size)
{
	struct tiff *f = h;
	*ret_base = (void *)(uintptr_t)f->in.p;
	*ret_size = f->in.n;
	return 1;
}

static void on_unmap(thandle_t h, void *base, toff_t size)
{
	(void)h, (void)base, (void)size;
}

enum status tiff_begin(struct tiff *f, struct bytes in, struct err *e)
{
	*f = (struct tiff){.in = in};
	TIFFOpenOptions *o = TIFFOpenOptionsAlloc();
	if (o == NULL)
		return picture_no_memory(e);
	TIFFOpenOptionsSetMaxSingleMemAlloc(o, (tmsize_t)PICTURE_MAX_BYTES);
	TIFFOpenOptionsSetErrorHandlerExtR(o, on_error, f);
	TIFFOpenOptionsSetWarningHandlerExtR(o, on_warning, f);
	f->t = TIFFClientOpenExt("picture", "r", f, on_read, on_write, on_seek, on_close, on_size, on_map, on_unmap, o);
	TIFFOpenOptionsFree(o);
	if (f->t == NULL)
		return err_set(e, ST_ITEM, "tiff-syntax", "%s", f->text);
	return ST_OK;
}

void tiff_close(struct tiff *f)
{
	if (f->t != NULL)
		TIFFClose(f->t);
	f->t = NULL;
}

enum status tiff_corrupt(const struct tiff *f, const char *what, struct err *e)
{
	return err_set(e, ST_ITEM, "tiff-corrupt", "%s%s%s", what, f->text[0] == '\0' ? "" : ": ", f->text);
}

enum status tiff_unfit(struct err *e, const char *format, ...)
{
	char text[120];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	enum status st = err_set(e, ST_ITEM, "tiff-samples", "%s", text);
	err_arg(e, "%s", text);
	return st;
}

static bool tiff_is(struct bytes in)
{
	static const char magics[4][5] = {"II*\0", "MM\0*", "II+\0", "MM\0+"};
	bool is = false;
	for (size_t i = 0; i < 4 && in.n >= 8; i++)
		is = is || memcmp(in.p, magics[i], 4) == 0;
	return is;
}

/* Thumbnails and masks are no pages. */
static bool is_page(TIFF *t)
{
	uint32_t type = 0;
	uint16_t old = 0;
	if (TIFFGetField(t, TIFFTAG_SUBFILETYPE, &type))
		return (type & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) == 0;
	return !TIFFGetField(t, TIFFTAG_OSUBFILETYPE, &old) || old != OFILETYPE_REDUCEDIMAGE;
}

static enum status list_pages(struct tiff *f, struct picture_file *file, struct state *s, struct err *e)
{
	size_t room = 0, seen = 0;
	do {
		if (++seen > MAX_DIRECTORIES)
			return err_set(e, ST_ITEM, "tiff-syntax", "more than %u directories", MAX_DIRECTORIES);
		if (!is_page(f->t))
			continue;
		if (file->pages == room) {
			room = room == 0 ? 8 : 2 * room;
			uint64_t *more = reallocarray(s->offsets, room, sizeof *more);
			if (more == NULL)
				return picture_no_memory(e);
			s->offsets = more;
		}
		s->offsets[file->pages++] = TIFFCurrentDirOffset(f->t);
	} while (TIFFReadDirectory(f->t));
	/* A directory that cannot be read is a page that would be lost. */
	if (f->failed || file->pages == 0)
		return err_set(e, ST_ITEM, "tiff-syntax", "directory %zu: %s", seen, f->failed ? f->text : "no page in it");
	return ST_OK;
}

static enum status tiff_open(struct picture_file *file, struct err *e)
{
	struct state *s = calloc(1, sizeof *s);
	struct tiff f = {0};
	if (s == NULL)
		return picture_no_memory(e);
	file->state = s;
	enum status st = tiff_begin(&f, file->in, e);
	if (st == ST_OK)
		st = list_pages(&f, file, s, e);
	tiff_close(&f);
	return st;
}

static void tiff_end(struct picture_file *file)
{
	struct state *s = file->state;
	if (s != NULL)
		free(s->offsets);
	free(s);
}

static enum status read_page(struct tiff *f, struct tiff_page *page, struct err *e)
{
	static const struct {
		uint16_t photometric, colours;
	} known[] = {{PHOTOMETRIC_MINISWHITE, 1}, {PHOTOMETRIC_MINISBLACK, 1}, {PHOTOMETRIC_RGB, 3},    {PHOTOMETRIC_PALETTE, 1},
	             {PHOTOMETRIC_SEPARATED, 4},  {PHOTOMETRIC_YCBCR, 3},      {PHOTOMETRIC_CIELAB, 3}, {PHOTOMETRIC_ICCLAB, 3}};
	static const uint16_t codecs[] = {
	    COMPRESSION_NONE,          COMPRESSION_CCITTRLE, COMPRESSION_CCITTFAX3, COMPRESSION_CCITTFAX4, COMPRESSION_LZW,
	    COMPRESSION_OJPEG,         COMPRESSION_JPEG,     COMPRESSION_DEFLATE,   COMPRESSION_WEBP,      COMPRESSION_ZSTD,
	    COMPRESSION_ADOBE_DEFLATE, COMPRESSION_LZMA,     COMPRESSION_PACKBITS};
	TIFF *t = f->t;
	uint16_t inks = INKSET_CMYK, extras = 0, *types = NULL;
	if (!TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &page->width) || !TIFFGetField(t, TIFFTAG_IMAGELENGTH, &page->height))
		return err_set(e, ST_ITEM, "tiff-syntax", "the directory has no size of the picture");
	enum status st = picture_check_size("tiff", page->width, page->height, e);
	if (st != ST_OK)
		return st;
	TIFFGetFieldDefaulted(t, TIFFTAG_BITSPERSAMPLE, &page->bits);
	TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLESPERPIXEL, &page->samples);
	TIFFGetFieldDefaulted(t, TIFFTAG_PLANARCONFIG, &page->planar);
	TIFFGetFieldDefaulted(t, TIFFTAG_COMPRESSION, &page->compression);
	TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLEFORMAT, &page->format);
	TIFFGetFieldDefaulted(t, TIFFTAG_INKSET, &inks);
	if (!TIFFGetField(t, TIFFTAG_PHOTOMETRIC, &page->photometric))
		return tiff_unfit(e, "PhotometricInterpretation missing");
	bool codec = false;
	for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++)
		codec = codec || codecs[i] == page->compression;
	if (!codec || !TIFFIsCODECConfigured(page->compression))
		return tiff_unfit(e, "compression %u", page->compression);
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (known[i].photometric == page->photometric)
			page->colours = known[i].colours;
	}
	if (page->colours == 0 || (page->photometric == PHOTOMETRIC_SEPARATED && inks != INKSET_CMYK))
		return tiff_unfit(e, "colours of kind %u", page->photometric);
	if (page->samples < page->colours || page->samples > 8)
		return tiff_unfit(e, "%u samples a pixel", page->samples);
	if (page->bits == 0 || page->bits > 16 || (page->format != SAMPLEFORMAT_UINT && page->format != SAMPLEFORMAT_VOID))
		return tiff_unfit(e, "%u-bit samples of format %u", page->bits, page->format);
	if (TIFFGetField(t, TIFFTAG_EXTRASAMPLES, &extras, &types) && extras > 0 && page->samples > page->colours) {
		page->associated = types[0] == EXTRASAMPLE_ASSOCALPHA;
		page->alpha = page->associated || types[0] == EXTRASAMPLE_UNASSALPHA;
	}
	return ST_OK;
}

/* The palette's 16-bit values as bytes; some writers put 8-bit values there. */
static enum status read_palette(struct tiff *f, const struct tiff_page *page, struct picture *to, struct err *e)
{
	uint16_t *c[3];
	if (page->bits > 8 || !TIFFGetField(f->t, TIFFTAG_COLORMAP, &c[0], &c[1], &c[2]))
		return tiff_unfit(e, "%u-bit palette", page->bits);
	size_t n = (size_t)1 << page->bits;
	uint8_t *palette = picture_alloc(to, 3 * n);
	if (palette == NULL)
		return picture_no_memory(e);
	unsigned highest = 0;
	for (size_t i = 0; i < 3 * n; i++)
		highest |= c[i % 3][i / 3];
	for (size_t i = 0; i < 3 * n; i++)
		palette[i] = (uint8_t)(highest < 256 ? c[i % 3][i / 3] : c[i % 3][i / 3] >> 8);
	to->palette = (struct bytes){palette, 3 * n};
	return ST_OK;
}

static void read_metadata(struct tiff *f, struct picture *to)
{
	uint16_t orientation = 1, unit = RESUNIT_INCH;
	float x = 0, y = 0;
	uint32_t n = 0;
	void *icc = NULL;
	TIFFGetFieldDefaulted(f->t, TIFFTAG_ORIENTATION, &orientation);
	to->orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
	TIFFGetFieldDefaulted(f->t, TIFFTAG_RESOLUTIONUNIT, &unit);
	if (TIFFGetField(f->t, TIFFTAG_XRESOLUTION, &x) && TIFFGetField(f->t, TIFFTAG_YRESOLUTION, &y)) {
		double factor = unit == RESUNIT_INCH ? 1 : unit == RESUNIT_CENTIMETER ? 2.54 : 0;
		picture_set_dpi(to, (double)x * factor, (double)y * factor);
	}
	if (TIFFGetField(f->t, TIFFTAG_ICCPROFILE, &n, &icc) && n > 0) {
		uint8_t *copy = picture_alloc(to, n);
		to->icc_ignored = copy == NULL;
		if (copy != NULL) {
			memcpy(copy, icc, n);
			picture_set_icc(to, (struct bytes){copy, n});
		}
	}
}

/* The picture's coded data where it is one strip or one tile of its size; else n 0. */
static struct bytes only_strip(struct tiff *f, const struct tiff_page *page)
{
	struct bytes none = {0};
	if (page->planar != PLANARCONFIG_CONTIG && page->samples > 1)
		return none;
	if (TIFFIsTiled(f->t)) {
		uint32_t w = 0, h = 0;
		TIFFGetField(f->t, TIFFTAG_TILEWIDTH, &w);
		TIFFGetField(f->t, TIFFTAG_TILELENGTH, &h);
		if (TIFFNumberOfTiles(f->t) != 1 || w != page->width || h != page->height)
			return none;
	} else if (TIFFNumberOfStrips(f->t) != 1) {
		return none;
	}
	uint64_t at = TIFFGetStrileOffset(f->t, 0), n = TIFFGetStrileByteCount(f->t, 0);
	if (n == 0 || at >= f->in.n || n > f->in.n - at)
		return none;
	return (struct bytes){f->in.p + at, (size_t)n};
}

/* The strip with its bits in the order that PDF wants. */
static struct bytes in_order(struct tiff *f, struct bytes strip, struct picture *to)
{
	uint16_t order = FILLORDER_MSB2LSB;
	TIFFGetFieldDefaulted(f->t, TIFFTAG_FILLORDER, &order);
	if (order != FILLORDER_LSB2MSB)
		return strip;
	uint8_t *turned = picture_alloc(to, strip.n);
	if (turned == NULL)
		return (struct bytes){0};
	memcpy(turned, strip.p, strip.n);
	TIFFReverseBits(turned, (tmsize_t)strip.n);
	return (struct bytes){turned, strip.n};
}

/* What PDF calls TIFF's coding (ISO 32000-1, table 11). */
static bool set_ccitt(struct tiff *f, const struct tiff_page *page, struct picture *to)
{
	uint32_t options = 0;
	TIFFGetFieldDefaulted(f->t, TIFFTAG_GROUP3OPTIONS, &options);
	to->coding = PICTURE_CCITT;
	to->bits = 1;
	to->components = 1;
	to->inverted = false;
	/* White runs are 0 in TIFF. Where 0 is white, PDF's default says the same with swapped bits. */
	to->ccitt_black_is_1 = page->photometric == PHOTOMETRIC_MINISBLACK;
	to->ccitt_k = page->compression == COMPRESSION_CCITTFAX4 ? -1 : 0;
	to->ccitt_byte_align = page->compression == COMPRESSION_CCITTRLE;
	if (page->compression != COMPRESSION_CCITTFAX3)
		return true;
	to->ccitt_k = (options & GROUP3OPT_2DENCODING) != 0;
	return (options & GROUP3OPT_UNCOMPRESSED) == 0;
}

/* One strip of CCITT coding stays as it is, where it is decoded as PDF has it to what libtiff makes of it. Else it stays what libtiff made. */
static enum status take_ccitt(struct tiff *f, const struct tiff_page *page, struct bytes strip, struct picture *to, struct err *e)
{
	uint8_t wanted[32], found[32];
	struct picture placed = *to;
	enum status st = tiff_samples(f, page, to, e);
	if (st == ST_OK)
		st = picture_digest(to, wanted, e);
	if (st != ST_OK)
		return st;
	placed.owned = to->owned;
	bool right = set_ccitt(f, page, &placed);
	placed.data = in_order(f, strip, &placed);
	to->owned = placed.owned;
	struct picture seen = placed;
	/* Samples of libtiff are as stored: 0 is white where the picture is inverted. */
	seen.ccitt_black_is_1 = true;
	if (right && placed.data.p != NULL && picture_digest(&seen, found, NULL) == ST_OK &&
	    memcmp(wanted, found, sizeof found) == 0)
		*to = placed;
	return ST_OK;
}

static enum status take(struct tiff *f, const struct tiff_page *page, struct picture *to, struct err *e)
{
	static const enum picture_colour colours[] = {
	    [PHOTOMETRIC_MINISWHITE] = PICTURE_GREY, [PHOTOMETRIC_MINISBLACK] = PICTURE_GREY, [PHOTOMETRIC_RGB] = PICTURE_RGB,
	    [PHOTOMETRIC_PALETTE] = PICTURE_INDEXED, [PHOTOMETRIC_SEPARATED] = PICTURE_CMYK,  [PHOTOMETRIC_YCBCR] = PICTURE_RGB,
	    [PHOTOMETRIC_CIELAB] = PICTURE_LAB,      [PHOTOMETRIC_ICCLAB] = PICTURE_LAB,
	};
	to->width = page->width;
	to->height = page->height;
	to->colour = colours[page->photometric];
	to->inverted = page->photometric == PHOTOMETRIC_MINISWHITE;
	if (to->colour == PICTURE_INDEXED) {
		enum status st = read_palette(f, page, to, e);
		if (st != ST_OK)
			return st;
	}
	read_metadata(f, to);
	struct bytes strip = only_strip(f, page);
	bool ccitt = page->compression == COMPRESSION_CCITTFAX4 || page->compression == COMPRESSION_CCITTFAX3 ||
	             page->compression == COMPRESSION_CCITTRLE;
	if (ccitt && strip.n > 0 && to->colour == PICTURE_GREY && page->bits == 1 && page->samples == 1)
		return take_ccitt(f, page, strip, to, e);
	if (page->compression == COMPRESSION_JPEG && tiff_jpeg(f, page, strip, to))
		return ST_OK;
	return tiff_samples(f, page, to, e);
}

static enum status tiff_page(const struct picture_file *file, size_t i, struct picture *to, struct err *e)
{
	const struct state *s = file->state;
	struct tiff f;
	struct tiff_page page = {0};
	enum status st = tiff_begin(&f, file->in, e);
	if (st == ST_OK && (!TIFFSetSubDirectory(f.t, s->offsets[i]) || f.failed))
		st = err_set(e, ST_ITEM, "tiff-syntax", "%s", f.text);
	if (st == ST_OK)
		st = read_page(&f, &page, e);
	if (st == ST_OK)
		st = take(&f, &page, to, e);
	tiff_close(&f);
	if (st != ST_OK)
		err_where(e, "page %zu", i + 1);
	return st;
}

const struct picture_kind picture_tiff = {"TIFF", tiff_is, tiff_open, tiff_end, tiff_page};
