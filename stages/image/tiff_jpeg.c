/*
 * JPEG in TIFF (TIFF Technical Note 2). One strip or tile is placed as it lies there. Several are put together by their coefficients: nothing
 * is computed from them, so the picture is the same and its size as well.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "stages/image/tiff.h"

/* Coefficients take two bytes each; a picture with more is decoded instead. */
#define COEFFICIENTS_MAX (UINT64_C(512) << 20)

struct trouble {
	struct jpeg_error_mgr base;
	jmp_buf jump;
};

struct joining {
	struct jpeg_decompress_struct in;
	struct jpeg_compress_struct out;
	struct trouble trouble;
	const struct tiff_page *page;
	uint32_t across, down; /* pixels of a piece */
	uint32_t columns;      /* pieces in a row */
	jvirt_barray_ptr coefficients[MAX_COMPONENTS];
	unsigned char *made;
	unsigned long n;
};

static void on_error(j_common_ptr c)
{
	longjmp(((struct trouble *)c->err)->jump, 1);
}

/* A warning says that data is damaged: then the decoder may tell what is wrong. */
static void on_message(j_common_ptr c, int level)
{
	if (level < 0)
		on_error(c);
}

/* The tables that all pieces share, and a piece, as one JPEG stream; n 0 where they do not join. */
static struct bytes whole_stream(struct tiff *f, struct bytes piece, struct picture *to)
{
	uint32_t n = 0;
	uint8_t *tables = NULL;
	if (!TIFFGetField(f->t, TIFFTAG_JPEGTABLES, &n, &tables) || n <= 4)
		return piece;
	if (piece.n < 4 || memcmp(tables, "\xFF\xD8", 2) != 0 || memcmp(tables + n - 2, "\xFF\xD9", 2) != 0)
		return (struct bytes){0};
	uint8_t *whole = picture_alloc(to, n - 2 + piece.n - 2);
	if (whole == NULL)
		return (struct bytes){0};
	memcpy(whole, tables, n - 2);
	memcpy(whole + n - 2, piece.p + 2, piece.n - 2);
	return (struct bytes){whole, n - 2 + piece.n - 2};
}

static J_COLOR_SPACE colours_of(const struct tiff_page *page)
{
	switch (page->photometric) {
	case PHOTOMETRIC_YCBCR:
		return JCS_YCbCr;
	case PHOTOMETRIC_RGB:
		return JCS_RGB;
	case PHOTOMETRIC_SEPARATED:
		return JCS_CMYK;
	default:
		return JCS_GRAYSCALE;
	}
}

static JDIMENSION round_up(JDIMENSION n, int unit)
{
	return (n + (JDIMENSION)unit - 1) / (JDIMENSION)unit * (JDIMENSION)unit;
}

static uint32_t divide_up(uint32_t a, uint32_t b)
{
	return a / b + (a % b != 0);
}

/* Blocks of component k in a row, and rows of them, over so many pixels. */
static JDIMENSION blocks(uint32_t pixels, int factor, int most)
{
	return (JDIMENSION)(((uint64_t)pixels * (unsigned)factor + 8u * (unsigned)most - 1) / (8u * (unsigned)most));
}

/* What the first piece says holds for the whole picture. */
static bool begin_output(struct joining *j)
{
	const struct jpeg_decompress_struct *in = &j->in;
	uint64_t all = 0;
	jpeg_copy_critical_parameters(&j->in, &j->out);
	j->out.image_width = j->page->width;
	j->out.image_height = j->page->height;
	j->out.optimize_coding = TRUE;
	j->out.write_Adobe_marker = FALSE;
	j->out.write_JFIF_header = colours_of(j->page) == JCS_YCbCr;
	for (int k = 0; k < in->num_components; k++) {
		const jpeg_component_info *c = &in->comp_info[k];
		JDIMENSION wide = blocks(j->page->width, c->h_samp_factor, in->max_h_samp_factor),
		           high = blocks(j->page->height, c->v_samp_factor, in->max_v_samp_factor);
		all += (uint64_t)wide * high * sizeof(JBLOCK);
		if (all > COEFFICIENTS_MAX)
			return false;
		j->coefficients[k] =
		    j->out.mem->request_virt_barray((j_common_ptr)&j->out, JPOOL_IMAGE, TRUE, round_up(wide, c->h_samp_factor),
		                                    round_up(high, c->v_samp_factor), (JDIMENSION)c->v_samp_factor);
	}
	j->out.mem->realize_virt_arrays((j_common_ptr)&j->out);
	return true;
}

/* Whether a piece can be a part of the picture that the first one has begun. */
static bool fits(const struct joining *j)
{
	const struct jpeg_decompress_struct *in = &j->in;
	if (in->num_components != j->out.num_components)
		return false;
	for (int k = 0; k < in->num_components; k++) {
		const jpeg_component_info *a = &in->comp_info[k], *b = &j->out.comp_info[k];
		const JQUANT_TBL *one = a->quant_table, *other = j->out.quant_tbl_ptrs[b->quant_tbl_no];
		if (a->h_samp_factor != b->h_samp_factor || a->v_samp_factor != b->v_samp_factor || one == NULL ||
		    other == NULL || memcmp(one->quantval, other->quantval, sizeof one->quantval) != 0)
			return false;
	}
	return true;
}

static void copy_blocks(struct joining *j, jvirt_barray_ptr *from, uint32_t x, uint32_t y)
{
	struct jpeg_decompress_struct *in = &j->in;
	for (int k = 0; k < in->num_components; k++) {
		const jpeg_component_info *c = &in->comp_info[k];
		JDIMENSION left = blocks(x, c->h_samp_factor, in->max_h_samp_factor),
		           top = blocks(y, c->v_samp_factor, in->max_v_samp_factor),
		           wide = blocks(j->page->width, c->h_samp_factor, in->max_h_samp_factor) - left,
		           high = blocks(j->page->height, c->v_samp_factor, in->max_v_samp_factor) - top;
		wide = wide < c->width_in_blocks ? wide : c->width_in_blocks;
		high = high < c->height_in_blocks ? high : c->height_in_blocks;
		for (JDIMENSION row = 0; row < high; row++) {
			JBLOCKARRAY a = in->mem->access_virt_barray((j_common_ptr)in, from[k], row, 1, FALSE);
			JBLOCKARRAY b =
			    j->out.mem->access_virt_barray((j_common_ptr)&j->out, j->coefficients[k], top + row, 1, TRUE);
			memcpy(b[0] + left, a[0], wide * sizeof(JBLOCK));
		}
	}
}

/* A piece must cover its place, and begin where blocks begin. */
static bool add_piece(struct joining *j, struct bytes stream, uint32_t number)
{
	uint32_t x = number % j->columns * j->across, y = number / j->columns * j->down;
	jpeg_mem_src(&j->in, stream.p, stream.n);
	jpeg_read_header(&j->in, TRUE);
	j->in.jpeg_color_space = colours_of(j->page);
	uint32_t wide = j->page->width - x < j->across ? j->page->width - x : j->across,
	         high = j->page->height - y < j->down ? j->page->height - y : j->down;
	jvirt_barray_ptr *from = jpeg_read_coefficients(&j->in);
	uint32_t unit_x = 8u * (unsigned)j->in.max_h_samp_factor, unit_y = 8u * (unsigned)j->in.max_v_samp_factor;
	bool right = j->in.image_width >= wide && j->in.image_height >= high && j->in.num_components == j->page->samples &&
	             x % unit_x == 0 && y % unit_y == 0 && (number > 0 || begin_output(j)) && fits(j);
	if (right)
		copy_blocks(j, from, x, y);
	jpeg_abort_decompress(&j->in);
	return right;
}

/* setjmp's own frame: what changes lives in *j. */
static bool join(struct joining *j, struct tiff *f, struct picture *to, uint32_t pieces)
{
	if (setjmp(j->trouble.jump) != 0)
		return false;
	jpeg_create_decompress(&j->in);
	jpeg_create_compress(&j->out);
	for (uint32_t i = 0; i < pieces; i++) {
		uint64_t at = TIFFGetStrileOffset(f->t, i), n = TIFFGetStrileByteCount(f->t, i);
		if (n < 4 || at >= f->in.n || n > f->in.n - at ||
		    !add_piece(j, whole_stream(f, (struct bytes){f->in.p + at, (size_t)n}, to), i))
			return false;
	}
	jpeg_mem_dest(&j->out, &j->made, &j->n);
	jpeg_write_coefficients(&j->out, j->coefficients);
	jpeg_finish_compress(&j->out);
	return true;
}

/* The strips or tiles as one stream; n 0 where they are none. */
static struct bytes join_pieces(struct tiff *f, const struct tiff_page *page, struct picture *to)
{
	struct joining *j = calloc(1, sizeof *j);
	struct bytes whole = {0};
	bool tiled = TIFFIsTiled(f->t) != 0;
	if (j == NULL)
		return whole;
	j->page = page;
	j->across = page->width;
	TIFFGetFieldDefaulted(f->t, tiled ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP, &j->down);
	if (tiled)
		TIFFGetField(f->t, TIFFTAG_TILEWIDTH, &j->across);
	j->in.err = j->out.err = jpeg_std_error(&j->trouble.base);
	j->trouble.base.error_exit = on_error;
	j->trouble.base.emit_message = on_message;
	if (j->across > 0 && j->down > 0) {
		j->columns = divide_up(page->width, j->across);
		uint64_t pieces = (uint64_t)j->columns * divide_up(page->height, j->down);
		uint32_t said = tiled ? TIFFNumberOfTiles(f->t) : TIFFNumberOfStrips(f->t);
		if (pieces == said && join(j, f, to, said)) {
			uint8_t *copy = picture_alloc(to, j->n);
			if (copy != NULL) {
				memcpy(copy, j->made, j->n);
				whole = (struct bytes){copy, j->n};
			}
		}
	}
	jpeg_destroy_decompress(&j->in);
	jpeg_destroy_compress(&j->out);
	free(j->made);
	free(j);
	return whole;
}

/* Takes a stream over where a PDF reader sees in it what TIFF says it is. */
static bool take(struct bytes whole, const struct tiff_page *page, struct picture *to)
{
	struct picture jpeg = {0};
	struct jpeg_marks marks;
	if (whole.n < 4 || page->samples != page->colours || jpeg_picture(whole, &jpeg, &marks, NULL) != ST_OK)
		return false;
	bool ok = jpeg_rows(&jpeg, JPEG_ROWS_NONE, NULL, NULL, NULL) == ST_OK;
	ok = ok && jpeg.width == page->width && jpeg.height == page->height && jpeg.components == page->samples && !marks.adobe;
	if (page->photometric == PHOTOMETRIC_RGB)
		ok = ok && !marks.jfif;
	else if (page->photometric == PHOTOMETRIC_YCBCR)
		ok = ok && !jpeg.dct_rgb;
	else if (page->photometric != PHOTOMETRIC_MINISBLACK && page->photometric != PHOTOMETRIC_MINISWHITE)
		ok = ok && page->photometric == PHOTOMETRIC_SEPARATED;
	if (ok) {
		to->coding = PICTURE_DCT;
		to->data = jpeg.data;
		to->bits = 8;
		to->components = jpeg.components;
		to->dct_rgb = page->photometric == PHOTOMETRIC_RGB;
	}
	picture_drop(&jpeg);
	return ok;
}

bool tiff_jpeg(struct tiff *f, const struct tiff_page *page, struct bytes strip, struct picture *to)
{
	if (strip.n > 0)
		return take(whole_stream(f, strip, to), page, to);
	if (page->samples != page->colours || (page->planar != PLANARCONFIG_CONTIG && page->samples > 1))
		return false;
	to->joined = take(join_pieces(f, page, to), page, to);
	return to->joined;
}
