/* Whether a page has colours for printing. Debian's MuPDF knows no ICC profiles, so what it makes of inks on a screen is near, not right. */
#include "stages/pdf/redraw/internal.h"

struct colours {
	fz_device base;
	bool inks;
};

/* The space that colours of another one are made of. */
static fz_colorspace *below(fz_colorspace *space)
{
	for (int depth = 0; space != NULL && depth < 8; depth++) {
		if (space->type == FZ_COLORSPACE_INDEXED)
			space = space->u.indexed.base;
		else if (space->type == FZ_COLORSPACE_SEPARATION)
			space = space->u.separation.base;
		else
			break;
	}
	return space;
}

static bool is_ink(fz_colorspace *space)
{
	const fz_colorspace *last = below(space);
	return last != NULL && last->type == FZ_COLORSPACE_CMYK;
}

/* Grey of black ink alone is grey everywhere. */
static void note(fz_device *dev, fz_colorspace *space, const float *colour)
{
	bool plain = space != NULL && space->type == FZ_COLORSPACE_CMYK && colour != NULL && colour[0] <= 0 && colour[1] <= 0 &&
	             colour[2] <= 0;
	if (is_ink(space) && !plain)
		((struct colours *)dev)->inks = true;
}

static void on_fill_path(fz_context *ctx, fz_device *dev, const fz_path *path, int even_odd, fz_matrix ctm, fz_colorspace *space,
                         const float *colour, float alpha, fz_color_params params)
{
	(void)ctx, (void)path, (void)even_odd, (void)ctm, (void)alpha, (void)params;
	note(dev, space, colour);
}

static void on_stroke_path(fz_context *ctx, fz_device *dev, const fz_path *path, const fz_stroke_state *stroke, fz_matrix ctm,
                           fz_colorspace *space, const float *colour, float alpha, fz_color_params params)
{
	(void)ctx, (void)path, (void)stroke, (void)ctm, (void)alpha, (void)params;
	note(dev, space, colour);
}

static void on_fill_text(fz_context *ctx, fz_device *dev, const fz_text *text, fz_matrix ctm, fz_colorspace *space,
                         const float *colour, float alpha, fz_color_params params)
{
	(void)ctx, (void)text, (void)ctm, (void)alpha, (void)params;
	note(dev, space, colour);
}

static void on_stroke_text(fz_context *ctx, fz_device *dev, const fz_text *text, const fz_stroke_state *stroke, fz_matrix ctm,
                           fz_colorspace *space, const float *colour, float alpha, fz_color_params params)
{
	(void)ctx, (void)text, (void)stroke, (void)ctm, (void)alpha, (void)params;
	note(dev, space, colour);
}

static void on_fill_shade(fz_context *ctx, fz_device *dev, fz_shade *shade, fz_matrix ctm, float alpha, fz_color_params params)
{
	(void)ctx, (void)ctm, (void)alpha, (void)params;
	note(dev, shade->colorspace, NULL);
}

static void on_fill_image(fz_context *ctx, fz_device *dev, fz_image *image, fz_matrix ctm, float alpha, fz_color_params params)
{
	(void)ctx, (void)ctm, (void)alpha, (void)params;
	note(dev, image->colorspace, NULL);
}

static void on_fill_mask(fz_context *ctx, fz_device *dev, fz_image *image, fz_matrix ctm, fz_colorspace *space,
                         const float *colour, float alpha, fz_color_params params)
{
	(void)ctx, (void)image, (void)ctm, (void)alpha, (void)params;
	note(dev, space, colour);
}

fz_device *colours_device(fz_context *ctx)
{
	struct colours *c = fz_new_derived_device(ctx, struct colours);
	c->base.fill_path = on_fill_path;
	c->base.stroke_path = on_stroke_path;
	c->base.fill_text = on_fill_text;
	c->base.stroke_text = on_stroke_text;
	c->base.fill_shade = on_fill_shade;
	c->base.fill_image = on_fill_image;
	c->base.fill_image_mask = on_fill_mask;
	return &c->base;
}

bool colours_are_inks(const fz_device *dev)
{
	return ((const struct colours *)dev)->inks;
}
