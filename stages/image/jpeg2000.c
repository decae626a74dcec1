/*
 * JPEG 2000 (ISO/IEC 15444-1): the boxes by our own reader, the codestream by OpenJPEG.
 *
 * A picture of 1, 3 or 4 colour channels that all have the same depth is placed as it lies there, within what PDF/A-2 allows
 * (ISO 19005-2, 6.2.8.3); a codestream without boxes gets those that a JP2 file has. Palettes, opacity, signed or subsampled
 * channels and sYCC are decoded, and coded again without loss.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <openjpeg-2.5/openjpeg.h>

#include "stages/base/box.h"
#include "stages/image/internal.h"

/* Enumerated colour spaces (I.5.3.3). */
enum { SPACE_CMYK = 12, SPACE_SRGB = 16, SPACE_GREY = 17, SPACE_SYCC = 18 };
/* OpenJPEG holds 32 bits a sample; more than this are decoded in bands of rows. */
#define BAND_SAMPLES (UINT64_C(32) << 20)
/* What must be decoded whole. */
#define WHOLE_SAMPLES (UINT64_C(256) << 20)

struct jp2 {
	uint32_t width, height;
	unsigned components, bits;
	bool even;               /* unsigned channels of one depth, none of them subsampled */
	bool boxes;              /* a JP2 file; else a bare codestream */
	unsigned specifications; /* of colour */
	unsigned method;
	uint32_t space;
	struct bytes icc;
	bool palette, opacity;
	double dpi_x, dpi_y;
};

static bool jpeg2000_is(struct bytes in)
{
	return (in.n >= 12 && memcmp(in.p, "\0\0\0\x0CjP  \r\n\x87\n", 12) == 0) ||
	       (in.n >= 4 && memcmp(in.p, "\xFF\x4F\xFF\x51", 4) == 0);
}

static enum status syntax(struct err *e, const char *what)
{
	return err_set(e, ST_ITEM, "jp2-syntax", "%s", what);
}

/* A.5.1: image and tile size. */
static enum status read_siz(struct bytes codestream, struct jp2 *j, struct err *e)
{
	struct rd r = RD_INIT(codestream.p, codestream.n);
	if (rd_u32be(&r) != 0xFF4FFF51)
		return syntax(e, "the codestream does not begin with SOC and SIZ");
	rd_skip(&r, 4);
	uint32_t right = rd_u32be(&r), bottom = rd_u32be(&r), left = rd_u32be(&r), top = rd_u32be(&r);
	rd_skip(&r, 16);
	j->components = rd_u16be(&r);
	if (r.failed || left >= right || top >= bottom || j->components == 0)
		return syntax(e, "SIZ is short or senseless");
	j->width = right - left;
	j->height = bottom - top;
	j->even = true;
	for (unsigned i = 0; i < j->components; i++) {
		unsigned depth = rd_u8(&r), across = rd_u8(&r), down = rd_u8(&r);
		if (i == 0)
			j->bits = (depth & 0x7F) + 1;
		j->even = j->even && depth == j->bits - 1 && across == 1 && down == 1;
	}
	return r.failed ? syntax(e, "SIZ is short or senseless") : picture_check_size("jp2", j->width, j->height, e);
}

/* I.5.3.3. Of several specifications the first counts here. */
static void read_colr(struct bytes body, struct jp2 *j)
{
	struct rd r = RD_INIT(body.p, body.n);
	unsigned method = rd_u8(&r);
	rd_skip(&r, 2);
	if (r.failed || j->specifications++ > 0)
		return;
	j->method = method;
	if (method == 1)
		j->space = rd_u32be(&r);
	else
		j->icc = rd_take(&r, rd_left(&r));
}

/* I.5.3.7: samples per metre as a fraction and a power of ten. */
static double read_density(struct rd *r, size_t exponent_at)
{
	double over = rd_u16be(r), under = rd_u16be(r);
	double exponent = exponent_at < r->in.n ? (int8_t)r->in.p[exponent_at] : 0;
	return under <= 0 ? 0 : over / under * pow(10, exponent) * 0.0254;
}

static void read_resolution(struct bytes body, struct jp2 *j)
{
	struct rd r = RD_INIT(body.p, body.n), inner;
	struct box b;
	while (box_next(&r, &b)) {
		bool capture = strcmp(b.type, "resc") == 0;
		if (b.body.n < 10 || (!capture && (strcmp(b.type, "resd") != 0 || j->dpi_x > 0)))
			continue;
		inner = RD_INIT(b.body.p, b.body.n);
		j->dpi_y = read_density(&inner, 8);
		j->dpi_x = read_density(&inner, 9);
	}
}

static void read_header(struct bytes body, struct jp2 *j)
{
	struct rd r = RD_INIT(body.p, body.n);
	struct box b;
	while (box_next(&r, &b)) {
		if (strcmp(b.type, "colr") == 0) {
			read_colr(b.body, j);
		} else if (strcmp(b.type, "pclr") == 0) {
			j->palette = true;
		} else if (strcmp(b.type, "res ") == 0) {
			read_resolution(b.body, j);
		} else if (strcmp(b.type, "cdef") == 0) {
			/* I.5.3.6: of each channel its number, type and association. */
			for (size_t i = 2; i + 6 <= b.body.n; i += 6)
				j->opacity = j->opacity || (b.body.p[i + 2] | b.body.p[i + 3]) != 0;
		}
	}
}

static enum status read_boxes(struct bytes in, struct jp2 *j, struct bytes *ret_codestream, struct err *e)
{
	struct rd r = RD_INIT(in.p, in.n);
	struct box b;
	bool header = false;
	*ret_codestream = in;
	if (in.p[0] == 0xFF)
		return ST_OK;
	j->boxes = true;
	while (box_next(&r, &b)) {
		if (strcmp(b.type, "jp2h") == 0 && !header) {
			header = true;
			read_header(b.body, j);
		} else if (strcmp(b.type, "jp2c") == 0) {
			*ret_codestream = b.body;
			return header ? ST_OK : syntax(e, "the codestream comes before its header");
		}
	}
	return err_set(e, ST_ITEM, "jp2-truncated", "no codestream that lies wholly within the file");
}

struct source {
	struct rd in;
	char text[160]; /* the first complaint */
};

static OPJ_SIZE_T on_read(void *to, OPJ_SIZE_T n, void *arg)
{
	struct source *s = arg;
	size_t left = rd_left(&s->in), take = n < left ? n : left;
	if (take == 0)
		return (OPJ_SIZE_T)-1;
	memcpy(to, rd_take(&s->in, take).p, take);
	return take;
}

static OPJ_OFF_T on_skip(OPJ_OFF_T n, void *arg)
{
	struct source *s = arg;
	if (n < 0 || (uint64_t)n > rd_left(&s->in))
		return -1;
	rd_skip(&s->in, (size_t)n);
	return n;
}

static OPJ_BOOL on_seek(OPJ_OFF_T at, void *arg)
{
	struct source *s = arg;
	if (at < 0 || (uint64_t)at > s->in.in.n)
		return OPJ_FALSE;
	s->in.at = (size_t)at;
	return OPJ_TRUE;
}

static void on_message(const char *text, void *arg)
{
	struct source *s = arg;
	if (s->text[0] == '\0')
		snprintf(s->text, sizeof s->text, "%.*s", (int)strcspn(text, "\n"), text);
}

/* What is odd about a box is no matter of the samples. */
static void on_warning(const char *text, void *arg)
{
	if (strcasestr(text, "box") == NULL && strcasestr(text, "colr") == NULL && strcasestr(text, "enumcs") == NULL)
		on_message(text, arg);
}

static opj_stream_t *open_stream(struct source *s)
{
	opj_stream_t *stream = opj_stream_create(1u << 16, OPJ_TRUE);
	if (stream == NULL)
		return NULL;
	opj_stream_set_read_function(stream, on_read);
	opj_stream_set_skip_function(stream, on_skip);
	opj_stream_set_seek_function(stream, on_seek);
	opj_stream_set_user_data(stream, s, NULL);
	opj_stream_set_user_data_length(stream, s->in.in.n);
	return stream;
}

/* Decodes the rows from `top` to before `bottom`. A warning means samples of OpenJPEG's own invention, so it is an error. */
static enum status decode_band(struct bytes in, uint32_t top, uint32_t bottom, opj_image_t **ret_image, struct err *e)
{
	struct source s = {.in = RD_INIT(in.p, in.n)};
	opj_dparameters_t parameters;
	opj_image_t *image = NULL;
	opj_stream_t *stream = open_stream(&s);
	opj_codec_t *codec = opj_create_decompress(in.p[0] == 0xFF ? OPJ_CODEC_J2K : OPJ_CODEC_JP2);
	bool ok = stream != NULL && codec != NULL;
	opj_set_default_decoder_parameters(&parameters);
	if (ok) {
		opj_set_error_handler(codec, on_message, &s);
		opj_set_warning_handler(codec, on_warning, &s);
		ok = opj_setup_decoder(codec, &parameters) && opj_decoder_set_strict_mode(codec, OPJ_TRUE) &&
		     opj_read_header(stream, codec, &image);
	}
	if (ok) {
		OPJ_INT32 left = (OPJ_INT32)image->x0, right = (OPJ_INT32)image->x1, first = (OPJ_INT32)image->y0;
		ok = (bottom - top == image->y1 - image->y0 ||
		      opj_set_decode_area(codec, image, left, first + (OPJ_INT32)top, right, first + (OPJ_INT32)bottom)) &&
		     opj_decode(codec, stream, image) && s.text[0] == '\0';
	}
	opj_destroy_codec(codec);
	opj_stream_destroy(stream);
	if (ok) {
		*ret_image = image;
		return ST_OK;
	}
	opj_image_destroy(image);
	return err_set(e, ST_ITEM, "jp2-corrupt", "OpenJPEG: %s", s.text[0] == '\0' ? "the picture cannot be decoded" : s.text);
}

/* A sample as it counts from 0, of a channel that may be signed or subsampled. */
static uint32_t sample(const opj_image_t *image, unsigned k, uint32_t x, uint32_t y)
{
	const opj_image_comp_t *c = &image->comps[k];
	uint32_t column = x / c->dx, row = y / c->dy;
	column = column < c->w ? column : c->w - 1;
	row = row < c->h ? row : c->h - 1;
	int64_t v = c->data[(size_t)row * c->w + column], top = (INT64_C(1) << c->prec) - 1;
	if (c->sgnd)
		v += INT64_C(1) << (c->prec - 1);
	return (uint32_t)(v < 0 ? 0 : v > top ? top : v);
}

static bool has_data(const opj_image_t *image)
{
	for (unsigned k = 0; k < image->numcomps; k++) {
		const opj_image_comp_t *c = &image->comps[k];
		if (c->data == NULL || c->w == 0 || c->h == 0 || c->dx == 0 || c->dy == 0 || c->prec == 0 || c->prec > 31)
			return false;
	}
	return image->numcomps > 0;
}

static void put(uint8_t *row, size_t i, unsigned bits, uint32_t v)
{
	if (bits == 16)
		row[2 * i] = (uint8_t)(v >> 8), row[2 * i + 1] = (uint8_t)v;
	else
		row[i] = (uint8_t)v;
}

/* From the depth that the file has to the 8 or 16 bits that we hand out. */
static uint32_t scale(uint32_t v, unsigned from, unsigned to)
{
	uint64_t top = (UINT64_C(1) << from) - 1, wanted = (UINT64_C(1) << to) - 1;
	return top == wanted ? v : (uint32_t)((v * wanted + top / 2) / top);
}

enum status jpeg2000_rows(const struct picture *p, picture_row *each, void *arg, struct err *e)
{
	size_t n = (size_t)picture_row_bytes(p->width, p->components, p->bits);
	uint64_t samples = (uint64_t)p->width * p->components;
	uint32_t rows = samples > BAND_SAMPLES ? 1 : (uint32_t)(BAND_SAMPLES / samples);
	uint8_t *row = NULL;
	enum status st = ST_OK;
	for (uint32_t top = 0; st == ST_OK && top < p->height; top += rows) {
		uint32_t bottom = p->height - top < rows ? p->height : top + rows;
		opj_image_t *image = NULL;
		rows = bottom - top;
		st = decode_band(p->data, top, bottom, &image, e);
		if (st == ST_OK && (!has_data(image) || image->numcomps < p->components || image->comps[0].w != p->width ||
		                    image->comps[0].h != rows))
			st = err_set(e, ST_ITEM, "jp2-corrupt", "the picture that was decoded is not the one announced");
		/* Only now: a header alone may say anything. */
		if (st == ST_OK && row == NULL && (row = malloc(n)) == NULL)
			st = picture_no_memory(e);
		for (uint32_t y = 0; st == ST_OK && y < rows; y++) {
			for (uint32_t x = 0; x < p->width; x++)
				for (unsigned k = 0; k < p->components; k++)
					put(row, (size_t)x * p->components + k, p->bits,
					    scale(sample(image, k, x, y), image->comps[k].prec, p->bits));
			st = each(arg, top + y, row, e);
		}
		opj_image_destroy(image);
	}
	free(row);
	return st;
}

/* sYCC (IEC 61966-2-1, annex F) to sRGB, at any depth. */
static void from_sycc(uint32_t v[3], unsigned bits)
{
	double top = (double)((UINT64_C(1) << bits) - 1), middle = (double)(UINT64_C(1) << (bits - 1));
	double y = v[0], cb = v[1] - middle, cr = v[2] - middle;
	const double rgb[3] = {y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb};
	for (unsigned k = 0; k < 3; k++)
		v[k] = (uint32_t)lround(fmin(fmax(rgb[k], 0), top));
}

/* Which of the decoded channels are colours, and which is opacity (-1: none). One channel more than the colour space has is opacity, though no
 * channel definition says so: so it was written, and is read, by everybody. */
static unsigned sort_channels(const opj_image_t *image, const struct jp2 *j, int *ret_opacity)
{
	unsigned colours = 0, own = j->method != 1 ? 0 : j->space == SPACE_GREY ? 1 : j->space == SPACE_CMYK ? 4 : 3;
	*ret_opacity = -1;
	for (unsigned k = 0; k < image->numcomps; k++) {
		if (image->comps[k].alpha == 0 && (own == 0 || colours < own))
			colours++;
		else if (*ret_opacity < 0)
			*ret_opacity = (int)k;
	}
	return colours;
}

static void flatten_row(const opj_image_t *image, const struct jp2 *j, int opacity, uint32_t y, struct picture *to, uint8_t *row)
{
	uint64_t full = (UINT64_C(1) << to->bits) - 1;
	for (uint32_t x = 0; x < to->width; x++) {
		uint32_t v[4] = {0};
		for (unsigned k = 0; k < to->components; k++)
			v[k] = scale(sample(image, k, x, y), image->comps[k].prec, to->bits);
		if (j->space == SPACE_SYCC && to->components == 3)
			from_sycc(v, to->bits);
		uint64_t a = opacity < 0 ? full
		                         : scale(sample(image, (unsigned)opacity, x, y), image->comps[opacity].prec, to->bits);
		to->flattened = to->flattened || a != full;
		for (unsigned k = 0; k < to->components; k++) {
			bool multiplied = opacity >= 0 && image->comps[opacity].alpha == 2;
			uint64_t own = multiplied ? v[k] * full : v[k] * a,
			         paper = to->colour == PICTURE_CMYK ? 0 : full * (full - a);
			uint64_t mixed = (own + paper + full / 2) / full;
			put(row, (size_t)x * to->components + k, to->bits, (uint32_t)(mixed > full ? full : mixed));
		}
	}
}

/* What cannot be placed as it is. */
static enum status take_samples(struct bytes in, const struct jp2 *j, struct picture *to, struct err *e)
{
	opj_image_t *image = NULL;
	if ((uint64_t)j->width * j->height * j->components > WHOLE_SAMPLES)
		return picture_too_large(j->width, j->height, e);
	enum status st = decode_band(in, 0, j->height, &image, e);
	if (st != ST_OK)
		return st;
	int opacity = -1;
	unsigned colours = has_data(image) ? sort_channels(image, j, &opacity) : 0, deepest = 0;
	for (unsigned k = 0; k < image->numcomps; k++)
		deepest = image->comps[k].prec > deepest ? image->comps[k].prec : deepest;
	/* The colours come first: a file that has it otherwise is refused, not guessed at. */
	if (colours == 2 || colours == 0 || colours > 4 || deepest > 16 || (opacity >= 0 && (unsigned)opacity < colours)) {
		opj_image_destroy(image);
		st = err_set(e, ST_ITEM, "jp2-samples", "%u colour channels, %u bit", colours, deepest);
		err_arg(e, "%u x %u bit", colours, deepest);
		return st;
	}
	to->coding = PICTURE_SAMPLES;
	to->components = colours;
	to->bits = deepest > 8 ? 16 : 8;
	to->colour = colours == 1 ? PICTURE_GREY : colours == 3 ? PICTURE_RGB : PICTURE_CMYK;
	size_t row = (size_t)picture_row_bytes(j->width, colours, to->bits);
	uint8_t *rows = picture_alloc(to, row * j->height);
	for (uint32_t y = 0; rows != NULL && y < j->height; y++)
		flatten_row(image, j, opacity, y, to, rows + y * row);
	to->data = (struct bytes){rows, row * j->height};
	opj_image_destroy(image);
	return rows == NULL ? picture_no_memory(e) : ST_OK;
}

static void print_u32(struct buf *b, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_byte(b, (uint8_t)(v >> shift));
}

/* A JP2 file around a bare codestream (Annex I): signature, file type, image header, colour, codestream. */
static enum status wrap(struct bytes codestream, const struct jp2 *j, struct picture *to, struct err *e)
{
	BUF_AUTO struct buf b = BUF_INIT(codestream.n + 128);
	buf_add(&b,
	        "\0\0\0\x0CjP  \r\n\x87\n\0\0\0\x14"
	        "ftypjp2 \0\0\0\0jp2 ",
	        32);
	buf_add(&b, "\0\0\0\x2Djp2h\0\0\0\x16ihdr", 16);
	print_u32(&b, j->height);
	print_u32(&b, j->width);
	buf_byte(&b, 0);
	buf_byte(&b, (uint8_t)j->components);
	buf_byte(&b, (uint8_t)(j->bits - 1));
	buf_add(&b,
	        "\x07\0\0\0\0\0\x0F"
	        "colr\x01\0\0\0\0\0",
	        17);
	buf_byte(&b, j->components == 1 ? SPACE_GREY : SPACE_SRGB);
	print_u32(&b, 0);
	buf_str(&b, "jp2c");
	buf_add(&b, codestream.p, codestream.n);
	uint8_t *whole = b.failed ? NULL : picture_alloc(to, b.len);
	if (whole == NULL)
		return picture_no_memory(e);
	memcpy(whole, b.data, b.len);
	to->data = (struct bytes){whole, b.len};
	return ST_OK;
}

/* Whether a reader of PDF sees the same in it as everybody else, and PDF/A-2 allows it (ISO 19005-2, 6.2.8.3). */
static bool placeable(const struct jp2 *j)
{
	bool channels = j->components == 1 || j->components == 3 || (j->components == 4 && j->boxes);
	if (!j->even || j->bits > 16 || j->palette || j->opacity || !channels)
		return false;
	if (!j->boxes)
		return true;
	if (j->specifications != 1 || j->method == 0 || j->method > 3)
		return false;
	uint32_t own = j->components == 1 ? SPACE_GREY : j->components == 3 ? SPACE_SRGB : SPACE_CMYK;
	return j->method != 1 || j->space == own;
}

static enum status check(void *arg, uint32_t y, const uint8_t *row, struct err *e)
{
	(void)arg, (void)y, (void)row, (void)e;
	return ST_OK;
}

static enum status jpeg2000_page(const struct picture_file *f, size_t i, struct picture *to, struct err *e)
{
	struct jp2 j = {0};
	struct bytes codestream;
	(void)i;
	enum status st = read_boxes(f->in, &j, &codestream, e);
	if (st == ST_OK)
		st = read_siz(codestream, &j, e);
	if (st != ST_OK)
		return st;
	to->width = j.width;
	to->height = j.height;
	to->orientation = 1;
	picture_set_dpi(to, j.dpi_x, j.dpi_y);
	if (placeable(&j)) {
		to->coding = PICTURE_JPX;
		to->components = j.components;
		to->bits = j.bits > 8 ? 16 : 8;
		to->colour = j.components == 1 ? PICTURE_GREY : j.components == 3 ? PICTURE_RGB : PICTURE_CMYK;
		to->data = f->in;
		st = j.boxes ? ST_OK : wrap(codestream, &j, to, e);
		if (st == ST_OK && !f->leave_coded)
			st = jpeg2000_rows(to, check, NULL, e);
	} else {
		st = take_samples(f->in, &j, to, e);
	}
	if (st == ST_OK && j.icc.n > 0)
		picture_set_icc(to, j.icc);
	return st;
}

const struct picture_kind picture_jpeg2000 = {"JPEG 2000", jpeg2000_is, picture_open_one, NULL, jpeg2000_page};
