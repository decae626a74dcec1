/*
 * HEIF (ISO/IEC 23008-12; HEIC of telephones, AVIF) by libheif, where it is installed. Pixels are decoded, turned as the file says, and coded
 * again without loss: PDF knows none of the codings.
 */
#include <stdlib.h>
#include <string.h>

#include <libheif/heif.h>

#include "stages/base/library.h"
#include "stages/image/internal.h"

/* clang-format off */
#define HEIF_FUNCTIONS(X) \
	X(heif_context_alloc) \
	X(heif_context_free) \
	X(heif_context_get_image_handle) \
	X(heif_context_get_list_of_top_level_image_IDs) \
	X(heif_context_get_number_of_top_level_images) \
	X(heif_context_read_from_memory_without_copy) \
	X(heif_context_set_max_decoding_threads) \
	X(heif_decode_image) \
	X(heif_decoding_options_alloc) \
	X(heif_decoding_options_free) \
	X(heif_image_get_height) \
	X(heif_image_get_plane_readonly) \
	X(heif_image_get_width) \
	X(heif_image_handle_get_height) \
	X(heif_image_handle_get_luma_bits_per_pixel) \
	X(heif_image_handle_get_raw_color_profile) \
	X(heif_image_handle_get_raw_color_profile_size) \
	X(heif_image_handle_get_width) \
	X(heif_image_handle_has_alpha_channel) \
	X(heif_image_handle_release) \
	X(heif_image_release)
/* clang-format on */

static struct {
#define MEMBER(name) __typeof__(&name) name;
	HEIF_FUNCTIONS(MEMBER)
#undef MEMBER
} heif;

void picture_heif_load(void)
{
#define NAME(name) #name,
	static const char *const names[] = {HEIF_FUNCTIONS(NAME)};
#undef NAME
	struct err ignored;
	if (heif.heif_context_alloc == NULL &&
	    library_load("libheif.so.1", names, sizeof names / sizeof *names, &heif, &ignored) != ST_OK)
		memset(&heif, 0, sizeof heif);
}

struct state {
	struct heif_context *context;
	heif_item_id *pictures;
};

static bool heif_is(struct bytes in)
{
	static const char brands[][5] = {"heic", "heix", "mif1", "avif"};
	bool is = false;
	for (size_t i = 0; i < sizeof brands / sizeof *brands && heif.heif_context_alloc != NULL && in.n >= 12; i++)
		is = is || (memcmp(in.p + 4, "ftyp", 4) == 0 && memcmp(in.p + 8, brands[i], 4) == 0);
	return is;
}

static enum status fault(struct heif_error told, struct err *e)
{
	if (told.code == heif_error_Memory_allocation_error && told.subcode != heif_suberror_Security_limit_exceeded)
		return picture_no_memory(e);
	return err_set(e, ST_ITEM, "heif-corrupt", "libheif: %s", told.message);
}

static void heif_end(struct picture_file *f)
{
	struct state *s = f->state;
	if (s == NULL)
		return;
	if (s->context != NULL)
		heif.heif_context_free(s->context);
	free(s->pictures);
	free(s);
}

static enum status heif_open(struct picture_file *f, struct err *e)
{
	struct state *s = f->state = calloc(1, sizeof *s);
	if (s == NULL || (s->context = heif.heif_context_alloc()) == NULL)
		return picture_no_memory(e);
	heif.heif_context_set_max_decoding_threads(s->context, 0);
	struct heif_error told = heif.heif_context_read_from_memory_without_copy(s->context, f->in.p, f->in.n, NULL);
	if (told.code != heif_error_Ok)
		return fault(told, e);
	int n = heif.heif_context_get_number_of_top_level_images(s->context);
	if (n <= 0)
		return err_set(e, ST_ITEM, "heif-corrupt", "no picture in it");
	if ((s->pictures = calloc((size_t)n, sizeof *s->pictures)) == NULL)
		return picture_no_memory(e);
	f->pages = (size_t)heif.heif_context_get_list_of_top_level_image_IDs(s->context, s->pictures, n);
	return ST_OK;
}

static enum status take_icc(const struct heif_image_handle *handle, struct picture *to, struct err *e)
{
	size_t n = heif.heif_image_handle_get_raw_color_profile_size(handle);
	if (n == 0)
		return ST_OK;
	uint8_t *icc = picture_alloc(to, n);
	if (icc == NULL)
		return picture_no_memory(e);
	if (heif.heif_image_handle_get_raw_color_profile(handle, icc).code == heif_error_Ok)
		picture_set_icc(to, (struct bytes){icc, n});
	return ST_OK;
}

/* Samples of 10 or 12 bit fill 16. */
static void widen(uint8_t *p, size_t n, unsigned bits)
{
	uint32_t top = (1u << bits) - 1;
	for (size_t i = 0; i + 1 < n; i += 2) {
		uint32_t v = ((uint32_t)p[i] << 8 | p[i + 1]) * 65535u / top;
		p[i] = (uint8_t)(v >> 8);
		p[i + 1] = (uint8_t)v;
	}
}

/* libheif turns the picture as the file says, so its size is known only now. */
static enum status take_pixels(const struct heif_image *image, unsigned channels, unsigned bits, struct picture *to,
                               struct err *e)
{
	int width = heif.heif_image_get_width(image, heif_channel_interleaved),
	    height = heif.heif_image_get_height(image, heif_channel_interleaved), stride = 0;
	const uint8_t *from = heif.heif_image_get_plane_readonly(image, heif_channel_interleaved, &stride);
	if (from == NULL || width <= 0 || height <= 0)
		return err_set(e, ST_ITEM, "heif-corrupt", "the picture has no pixels");
	to->width = (uint32_t)width;
	to->height = (uint32_t)height;
	size_t area = (size_t)to->width * to->height, row = (size_t)to->width * channels * to->bits / 8;
	uint8_t *rows = picture_alloc(to, row * to->height);
	if (rows == NULL)
		return picture_no_memory(e);
	for (size_t y = 0; y < to->height; y++)
		memcpy(rows + y * row, from + (ptrdiff_t)y * stride, row);
	if (to->bits == 16 && bits < 16)
		widen(rows, row * to->height, bits);
	to->flattened = channels == 4 && picture_over_white(rows, area, 3, to->bits);
	to->data = (struct bytes){rows, area * 3 * to->bits / 8};
	return ST_OK;
}

static enum status decode(const struct heif_image_handle *handle, struct picture *to, struct err *e)
{
	int bits = heif.heif_image_handle_get_luma_bits_per_pixel(handle);
	bool alpha = heif.heif_image_handle_has_alpha_channel(handle) != 0;
	struct heif_decoding_options *options = heif.heif_decoding_options_alloc();
	struct heif_image *image = NULL;
	if (options == NULL)
		return picture_no_memory(e);
	options->strict_decoding = 1;
	to->bits = bits > 8 ? 16 : 8;
	enum heif_chroma chroma = bits > 8 ? (alpha ? heif_chroma_interleaved_RRGGBBAA_BE : heif_chroma_interleaved_RRGGBB_BE)
	                                   : (alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB);
	struct heif_error told = heif.heif_decode_image(handle, &image, heif_colorspace_RGB, chroma, options);
	heif.heif_decoding_options_free(options);
	if (told.code != heif_error_Ok)
		return fault(told, e);
	enum status st = take_pixels(image, alpha ? 4 : 3, (unsigned)bits, to, e);
	heif.heif_image_release(image);
	return st;
}

static enum status heif_page(const struct picture_file *f, size_t i, struct picture *to, struct err *e)
{
	const struct state *s = f->state;
	struct heif_image_handle *handle = NULL;
	struct heif_error told = heif.heif_context_get_image_handle(s->context, s->pictures[i], &handle);
	if (told.code != heif_error_Ok)
		return fault(told, e);
	to->coding = PICTURE_SAMPLES;
	to->components = 3;
	to->colour = PICTURE_RGB;
	to->orientation = 1;
	enum status st = picture_check_size("heif", (uint64_t)heif.heif_image_handle_get_width(handle),
	                                    (uint64_t)heif.heif_image_handle_get_height(handle), e);
	if (st == ST_OK)
		st = decode(handle, to, e);
	if (st == ST_OK)
		st = take_icc(handle, to, e);
	heif.heif_image_handle_release(handle);
	return st;
}

const struct picture_kind picture_heif = {"HEIF", heif_is, heif_open, heif_end, heif_page};
