/* JPEG (ITU-T T.81, JFIF, Exif): the markers by our own reader, the entropy-coded data by libjpeg. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

#include "stages/image/internal.h"

enum { SOF0 = 0xC0, SOF2 = 0xC2, DHT = 0xC4, JPG = 0xC8, DAC = 0xCC, SOF15 = 0xCF, RST0 = 0xD0, RST7 = 0xD7, SOI = 0xD8 };
enum { EOI = 0xD9, SOS = 0xDA, DNL = 0xDC, APP0 = 0xE0, APP1 = 0xE1, APP2 = 0xE2, APP14 = 0xEE, TEM = 0x01 };

/* More scans than any encoder writes; each costs a pass over all coefficients. */
#define MAX_SCANS 200
#define MAX_ICC_PARTS 255

struct jpeg {
	size_t end; /* after EOI */
	uint8_t sof;
	unsigned precision;
	uint32_t width, height;
	unsigned components;
	uint8_t ids[4];
	bool jfif;
	unsigned jfif_unit, jfif_x, jfif_y;
	bool adobe;
	unsigned adobe_transform;
	struct exif exif;
	unsigned icc_count; /* parts that the profile has */
	bool icc_bad;
	struct bytes icc_part[MAX_ICC_PARTS + 1];
	unsigned scans;
};

static bool starts(struct bytes b, const char *text, size_t n)
{
	return b.n >= n && memcmp(b.p, text, n) == 0;
}

static void read_app(struct jpeg *j, unsigned marker, struct bytes b)
{
	if (marker == APP0 && starts(b, "JFIF\0", 5) && b.n >= 12) {
		j->jfif = true;
		j->jfif_unit = b.p[7];
		j->jfif_x = (unsigned)(b.p[8] << 8 | b.p[9]);
		j->jfif_y = (unsigned)(b.p[10] << 8 | b.p[11]);
	} else if (marker == APP14 && starts(b, "Adobe", 5) && b.n >= 12) {
		j->adobe = true;
		j->adobe_transform = b.p[11];
	} else if (marker == APP1 && starts(b, "Exif\0", 5) && b.n > 6) {
		exif_read((struct bytes){b.p + 6, b.n - 6}, &j->exif);
	} else if (marker == APP2 && starts(b, "ICC_PROFILE\0", 12) && b.n > 14) {
		unsigned at = b.p[12], of = b.p[13];
		if (at == 0 || at > of || (j->icc_count != 0 && j->icc_count != of) || j->icc_part[at].n != 0) {
			j->icc_bad = true;
			return;
		}
		j->icc_count = of;
		j->icc_part[at] = (struct bytes){b.p + 14, b.n - 14};
	}
}

static enum status read_frame(struct jpeg *j, unsigned marker, struct bytes b, struct err *e)
{
	static const struct {
		uint8_t sof;
		const char *name;
	} others[] = {{0xC3, "lossless"},     {0xC5, "hierarchical"}, {0xC6, "hierarchical"}, {0xC7, "hierarchical"},
	              {0xC9, "arithmetic"},   {0xCA, "arithmetic"},   {0xCB, "lossless"},     {0xCD, "hierarchical"},
	              {0xCE, "hierarchical"}, {0xCF, "hierarchical"}};
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		if (others[i].sof == marker) {
			enum status st = err_set(e, ST_ITEM, "jpeg-coding", "SOF%u: %s coding", marker - SOF0, others[i].name);
			err_arg(e, "%s", others[i].name);
			return st;
		}
	}
	struct rd r = RD_INIT(b.p, b.n);
	unsigned precision = rd_u8(&r);
	uint32_t height = rd_u16be(&r), width = rd_u16be(&r);
	unsigned components = rd_u8(&r);
	if (r.failed || j->sof != 0)
		return err_set(e, ST_ITEM, "jpeg-syntax", "%s", r.failed ? "short frame header" : "two frame headers");
	if (precision != 8 || (components != 1 && components != 3 && components != 4)) {
		enum status st = err_set(e, ST_ITEM, "jpeg-coding", "%u bit, %u components", precision, components);
		err_arg(e, "%u bit, %u components", precision, components);
		return st;
	}
	j->sof = (uint8_t)marker;
	j->precision = precision;
	j->width = width;
	j->height = height;
	j->components = components;
	for (unsigned i = 0; i < components; i++) {
		j->ids[i] = rd_u8(&r);
		rd_skip(&r, 2);
	}
	if (r.failed)
		return err_set(e, ST_ITEM, "jpeg-syntax", "short frame header");
	return picture_check_size("jpeg", width, height, e);
}

/* Moves to the marker that ends entropy-coded data; false at the end of the bytes. */
static bool skip_scan(struct rd *r)
{
	while (rd_left(r) >= 2) {
		const uint8_t *from = r->in.p + r->at, *ff = memchr(from, 0xFF, rd_left(r) - 1);
		if (ff == NULL)
			return false;
		r->at += (size_t)(ff - from);
		uint8_t next = ff[1];
		if (next == 0xFF) {
			r->at++;
			continue;
		}
		if (next != 0 && !(next >= RST0 && next <= RST7))
			return true;
		r->at += 2;
	}
	return false;
}

static enum status truncated(struct err *e, size_t at)
{
	enum status st = err_set(e, ST_ITEM, "jpeg-truncated", "no EOI marker: the data ends early");
	err_where(e, "byte %zu", at);
	return st;
}

static enum status read_markers(struct bytes in, struct jpeg *j, struct err *e)
{
	struct rd r = RD_INIT(in.p, in.n);
	rd_skip(&r, 2);
	for (;;) {
		size_t at = r.at;
		uint8_t c = rd_u8(&r);
		if (r.failed)
			return truncated(e, at);
		if (c != 0xFF) {
			enum status st = err_set(e, ST_ITEM, "jpeg-syntax", "a marker was expected, not 0x%02X", c);
			err_where(e, "byte %zu", at);
			return st;
		}
		while (c == 0xFF && !r.failed)
			c = rd_u8(&r);
		if (c == EOI && !r.failed)
			break;
		if (c == TEM || (c >= RST0 && c <= SOI))
			continue;
		uint16_t length = rd_u16be(&r);
		struct bytes segment = rd_take(&r, length < 2 ? 0 : length - 2u);
		if (r.failed)
			return truncated(e, at);
		if (length < 2)
			return err_set(e, ST_ITEM, "jpeg-syntax", "segment of length %u at byte %zu", length, at);
		if (c >= SOF0 && c <= SOF15 && c != DHT && c != JPG && c != DAC) {
			enum status st = read_frame(j, c, segment, e);
			if (st != ST_OK)
				return st;
		} else if (c == SOS) {
			if (++j->scans > MAX_SCANS || j->sof == 0)
				return err_set(e, ST_ITEM, "jpeg-syntax", "%s",
				               j->sof == 0 ? "a scan before the frame header" : "too many scans");
			if (!skip_scan(&r))
				return truncated(e, r.at);
		} else if (c >= APP0 && c <= 0xEF) {
			read_app(j, c, segment);
		}
	}
	j->end = r.at;
	if (j->scans == 0)
		return err_set(e, ST_ITEM, "jpeg-syntax", "no picture in it");
	return ST_OK;
}

static void set_icc(struct picture *p, const struct jpeg *j)
{
	size_t n = 0;
	bool bad = j->icc_bad;
	for (unsigned i = 1; i <= j->icc_count; i++) {
		bad = bad || j->icc_part[i].n == 0;
		n += j->icc_part[i].n;
	}
	if (n == 0 || bad) {
		p->icc_ignored = bad;
		return;
	}
	if (j->icc_count == 1) {
		picture_set_icc(p, j->icc_part[1]);
		return;
	}
	uint8_t *whole = picture_alloc(p, n), *at = whole;
	if (whole == NULL) {
		p->icc_ignored = true;
		return;
	}
	for (unsigned i = 1; i <= j->icc_count; i++) {
		memcpy(at, j->icc_part[i].p, j->icc_part[i].n);
		at += j->icc_part[i].n;
	}
	picture_set_icc(p, (struct bytes){whole, n});
}

static void set_resolution(struct picture *p, const struct jpeg *j)
{
	double unit = j->jfif_unit == 1 ? 1.0 : j->jfif_unit == 2 ? 2.54 : 0;
	picture_set_dpi(p, j->jfif_x * unit, j->jfif_y * unit);
	if (p->dpi_x <= 0)
		picture_set_dpi(p, j->exif.dpi_x, j->exif.dpi_y);
}

/* How libjpeg understands three components (jdapimin.c, default_decompress_parms). */
static bool is_rgb(const struct jpeg *j)
{
	if (j->jfif)
		return false;
	if (j->adobe)
		return j->adobe_transform == 0;
	return j->ids[0] == 'R' && j->ids[1] == 'G' && j->ids[2] == 'B';
}

/* Whether a PDF reader, who believes the Adobe marker first (ISO 32000-1, table 13), sees other colours than everybody else. */
static bool is_ambiguous(const struct jpeg *j)
{
	if (j->components == 3)
		return j->jfif && j->adobe && j->adobe_transform == 0;
	return j->components == 4 && j->adobe && j->adobe_transform == 1;
}

enum status jpeg_picture(struct bytes in, struct picture *to, struct jpeg_marks *ret_marks, struct err *e)
{
	struct jpeg *j = calloc(1, sizeof *j);
	if (j == NULL)
		return picture_no_memory(e);
	enum status st = read_markers(in, j, e);
	if (st == ST_OK && is_ambiguous(j))
		st = err_set(e, ST_ITEM, "jpeg-syntax", "JFIF and Adobe markers contradict each other about the colours");
	if (st == ST_OK) {
		*to = (struct picture){.coding = PICTURE_DCT, .data = {in.p, j->end}, .width = j->width, .height = j->height};
		to->bits = 8;
		to->components = j->components;
		to->colour = j->components == 1 ? PICTURE_GREY : j->components == 3 ? PICTURE_RGB : PICTURE_CMYK;
		to->inverted = j->components == 4 && j->adobe;
		to->dct_rgb = j->components == 3 && !j->adobe && is_rgb(j);
		to->orientation = j->exif.orientation == 0 ? 1 : j->exif.orientation;
		set_resolution(to, j);
		set_icc(to, j);
		if (ret_marks != NULL)
			*ret_marks = (struct jpeg_marks){j->jfif, j->adobe};
	}
	free(j);
	return st;
}

struct trouble {
	struct jpeg_error_mgr base;
	jmp_buf jump;
	struct err *e;
	enum status st; /* ST_OK: no trouble yet */
};

static void note(struct trouble *t, const char *code)
{
	char text[JMSG_LENGTH_MAX];
	struct jpeg_common_struct shown = {.err = &t->base};
	t->base.format_message((j_common_ptr)&shown, text);
	t->st = err_set(t->e, ST_ITEM, code, "libjpeg: %s", text);
}

static void on_error(j_common_ptr c)
{
	struct trouble *t = (struct trouble *)c->err;
	if (t->base.msg_code == JERR_OUT_OF_MEMORY)
		t->st = picture_no_memory(t->e);
	else
		note(t, "jpeg-corrupt");
	longjmp(t->jump, 1);
}

/* Warnings at which libjpeg goes on with pixels of its own invention end the decoding. */
static void on_message(j_common_ptr c, int level)
{
	struct trouble *t = (struct trouble *)c->err;
	if (level >= 0)
		return;
	switch (t->base.msg_code) {
	case JWRN_HIT_MARKER:
	case JWRN_JPEG_EOF:
		note(t, "jpeg-truncated");
		longjmp(t->jump, 1);
	case JWRN_EXTRANEOUS_DATA: /* filling between the scan and the next marker, where that is EOI */
		if (t->base.msg_parm.i[1] == EOI)
			return;
		/* fall through */
	case JWRN_HUFF_BAD_CODE:
	case JWRN_MUST_RESYNC:
	case JWRN_NOT_SEQUENTIAL:
		note(t, "jpeg-corrupt");
		longjmp(t->jump, 1);
	default:
		return;
	}
}

static void set_output(struct jpeg_decompress_struct *d, const struct picture *p, enum jpeg_rows as)
{
	if (p->dct_rgb)
		d->jpeg_color_space = JCS_RGB;
	if (as == JPEG_ROWS_GREY)
		d->out_color_space = JCS_GRAYSCALE;
	else if (as == JPEG_ROWS)
		d->out_color_space = p->components == 1 ? JCS_GRAYSCALE : p->components == 3 ? JCS_RGB : JCS_CMYK;
	if (as == JPEG_ROWS_NONE) {
		/* All of the entropy-coded data is read, but next to nothing computed. */
		d->out_color_space = d->jpeg_color_space;
		d->scale_num = 1;
		d->scale_denom = 8;
		d->do_fancy_upsampling = FALSE;
	}
}

/* setjmp's own frame: nothing that changes lives here. */
static void decode(struct jpeg_decompress_struct *d, struct trouble *t, const struct picture *p, enum jpeg_rows as,
                   picture_row *each, void *arg)
{
	if (setjmp(t->jump) != 0)
		return;
	jpeg_create_decompress(d);
	jpeg_mem_src(d, p->data.p, p->data.n);
	jpeg_read_header(d, TRUE);
	if (d->image_width != p->width || d->image_height != p->height || d->num_components != (int)p->components) {
		t->st = err_set(t->e, ST_ITEM, "jpeg-corrupt", "the frame header does not say what the page says");
		return;
	}
	if (d->progressive_mode && (uint64_t)p->width * p->height * p->components * 2 > PICTURE_MAX_BYTES) {
		t->st = err_set(t->e, ST_ITEM, "picture-too-large", "progressive JPEG of %u x %u", p->width, p->height);
		return;
	}
	set_output(d, p, as);
	jpeg_start_decompress(d);
	JSAMPARRAY row =
	    d->mem->alloc_sarray((j_common_ptr)d, JPOOL_IMAGE, d->output_width * (JDIMENSION)d->output_components, 1);
	while (d->output_scanline < d->output_height) {
		uint32_t y = d->output_scanline;
		jpeg_read_scanlines(d, row, 1);
		if (as != JPEG_ROWS_NONE && (t->st = each(arg, y, row[0], t->e)) != ST_OK)
			return;
	}
	jpeg_finish_decompress(d);
}

enum status jpeg_rows(const struct picture *p, enum jpeg_rows as, picture_row *each, void *arg, struct err *e)
{
	struct jpeg_decompress_struct d = {0};
	struct trouble t = {.e = e};
	d.err = jpeg_std_error(&t.base);
	t.base.error_exit = on_error;
	t.base.emit_message = on_message;
	decode(&d, &t, p, as, each, arg);
	jpeg_destroy_decompress(&d);
	return t.st;
}

static bool jpeg_is(struct bytes in)
{
	return in.n >= 3 && in.p[0] == 0xFF && in.p[1] == SOI && in.p[2] == 0xFF;
}

static enum status jpeg_page(const struct picture_file *f, size_t i, struct picture *to, struct err *e)
{
	(void)i;
	enum status st = jpeg_picture(f->in, to, NULL, e);
	return st != ST_OK || f->leave_coded ? st : jpeg_rows(to, JPEG_ROWS_NONE, NULL, NULL, e);
}

const struct picture_kind picture_jpeg = {"JPEG", jpeg_is, picture_open_one, NULL, jpeg_page};
