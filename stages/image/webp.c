/* WebP (RFC 9649): the chunks by our own reader, the pixels by libwebp. */
#include <stdlib.h>
#include <string.h>

#include <webp/decode.h>

#include "stages/image/internal.h"

static bool webp_is(struct bytes in)
{
	return in.n >= 12 && memcmp(in.p, "RIFF", 4) == 0 && memcmp(in.p + 8, "WEBP", 4) == 0;
}

struct chunks {
	struct bytes icc;
	struct exif exif;
	size_t end; /* of the container */
};

/* RFC 9649, 2.4: a chunk's data is filled to an even number of bytes. */
static enum status read_chunks(struct bytes in, struct chunks *c, struct err *e)
{
	struct rd r = RD_INIT(in.p, in.n);
	rd_skip(&r, 4);
	uint64_t size = rd_u32le(&r);
	if (size + 8 > in.n)
		return err_set(e, ST_ITEM, "webp-truncated", "%zu bytes of %llu", in.n, (unsigned long long)size + 8);
	r.in.n = c->end = (size_t)size + 8;
	rd_skip(&r, 4);
	while (rd_left(&r) >= 8) {
		struct bytes name = rd_take(&r, 4);
		uint32_t n = rd_u32le(&r);
		struct bytes body = rd_take(&r, n);
		if (r.failed)
			return err_set(e, ST_ITEM, "webp-truncated", "a chunk reaches beyond the file");
		if (memcmp(name.p, "ICCP", 4) == 0)
			c->icc = body;
		else if (memcmp(name.p, "EXIF", 4) == 0)
			exif_read(body.n > 6 && memcmp(body.p, "Exif\0", 6) == 0 ? (struct bytes){body.p + 6, body.n - 6} : body,
			          &c->exif);
		if (n % 2 == 1 && rd_left(&r) > 0)
			rd_skip(&r, 1);
	}
	return ST_OK;
}

static enum status corrupt(struct err *e, const char *what)
{
	return err_set(e, ST_ITEM, "webp-corrupt", "%s", what);
}

static enum status webp_page(const struct picture_file *f, size_t i, struct picture *to, struct err *e)
{
	struct chunks c = {0};
	WebPBitstreamFeatures features;
	(void)i;
	enum status st = read_chunks(f->in, &c, e);
	if (st != ST_OK)
		return st;
	if (WebPGetFeatures(f->in.p, c.end, &features) != VP8_STATUS_OK)
		return corrupt(e, "the picture's header cannot be read");
	if (features.has_animation) {
		err_set(e, ST_ITEM, "webp-animation", "a film, not a picture");
		return ST_ITEM;
	}
	st = picture_check_size("webp", (uint64_t)features.width, (uint64_t)features.height, e);
	if (st != ST_OK)
		return st;
	to->width = (uint32_t)features.width;
	to->height = (uint32_t)features.height;
	unsigned channels = features.has_alpha ? 4 : 3;
	size_t area = (size_t)to->width * to->height, row = (size_t)to->width * channels;
	if (area * channels > PICTURE_MAX_BYTES)
		return picture_too_large(to->width, to->height, e);
	uint8_t *rows = picture_alloc(to, area * channels);
	if (rows == NULL)
		return picture_no_memory(e);
	const uint8_t *done = features.has_alpha ? WebPDecodeRGBAInto(f->in.p, c.end, rows, area * channels, (int)row)
	                                         : WebPDecodeRGBInto(f->in.p, c.end, rows, area * channels, (int)row);
	if (done == NULL)
		return corrupt(e, "the picture's data is broken or ends early");
	to->flattened = features.has_alpha && picture_over_white(rows, area, 3, 8);
	to->coding = PICTURE_SAMPLES;
	to->bits = 8;
	to->components = 3;
	to->colour = PICTURE_RGB;
	to->data = (struct bytes){rows, area * 3};
	to->orientation = c.exif.orientation == 0 ? 1 : c.exif.orientation;
	picture_set_dpi(to, c.exif.dpi_x, c.exif.dpi_y);
	if (c.icc.n > 0)
		picture_set_icc(to, c.icc);
	return ST_OK;
}

const struct picture_kind picture_webp = {"WebP", webp_is, picture_open_one, NULL, webp_page};
