/* Colour spaces on every use (ISO 32000-1, 8.6). */
#include <stdlib.h>
#include <string.h>

#include "stages/pdfa/graphics/facts.h"

#define SPACES_DEEP 16

/* A separation's first use: others of the same name shall be like it. */
struct separation {
	char *name;
	struct buf form; /* alternate space and tint transform, as syntax */
	bool consistent;
};

void separations_free(struct graphics *g)
{
	for (size_t i = 0; i < g->n_separations; i++) {
		free(g->separations[i].name);
		buf_free(&g->separations[i].form);
	}
	free(g->separations);
}

static void no_memory(struct check *c)
{
	struct err e;
	err_set(&e, ST_RETRY, "memory", "no memory for colours");
	pdfa_fail(c, &e);
}

/* An indirect object is what it is by its number, a direct one by its syntax; of a stream its coded data belongs to it. */
static void print_form(const struct pdfobj *o, struct buf *to)
{
	pdfobj_print(o, to);
	if (pdfobj_kind_direct(o) == PDF_REFERENCE && pdfobj_kind(o) == PDF_STREAM) {
		struct bytes raw = pdfobj_stream_raw(o);
		to->len = 0;
		buf_add(to, raw.p, raw.n < 4096 ? raw.n : 4096);
	}
}

static bool consistent(struct check *c, const char *name, const struct pdfobj *space)
{
	struct graphics *g = c->graphics;
	BUF_AUTO struct buf form = BUF_INIT(1 << 16), tint = BUF_INIT(1 << 16);
	print_form(pdfobj_at(space, 2), &form);
	print_form(pdfobj_at(space, 3), &tint);
	buf_add(&form, tint.data, tint.len);
	for (size_t i = 0; i < g->n_separations; i++) {
		struct separation *s = &g->separations[i];
		if (strcmp(s->name, name) != 0)
			continue;
		s->consistent = s->consistent && s->form.len == form.len &&
		                (form.len == 0 || memcmp(s->form.data, form.data, form.len) == 0);
		return s->consistent;
	}
	if (g->n_separations == 4096)
		return true;
	struct separation *more = realloc(g->separations, (g->n_separations + 1) * sizeof *more);
	char *copy = strdup(name);
	if (more != NULL)
		g->separations = more;
	if (more == NULL || copy == NULL) {
		free(copy);
		no_memory(c);
		return true;
	}
	more[g->n_separations++] = (struct separation){copy, form, true};
	form = BUF_INIT(1);
	return true;
}

static void show(struct check *c, const struct resources *r, const struct pdfobj *space, struct paint paint, unsigned depth);

static void show_separation(struct check *c, const struct resources *r, const struct pdfobj *space, struct paint paint,
                            unsigned depth)
{
	const char *name = pdfobj_name(pdfobj_at(space, 1));
	uint32_t number = pdfobj_number(space);
	struct o_separation o = {strcmp(name, "All") == 0 || strcmp(name, "None") == 0 || consistent(c, name, space)};
	pdfa_show(c, O_separation, &o, number, name);
	file_unicode_name(c, name, number);
	show(c, r, pdfobj_at(space, 2), paint, depth);
}

/* Whether a colorant of DeviceN is a spot colour: no process colour, by its usual name or by the Process dictionary (8.6.6.5). */
static bool spot(const char *name, const struct pdfobj *attributes)
{
	static const char *const process[] = {"None", "Cyan", "Magenta", "Yellow", "Black"};
	const struct pdfobj *components = pdfobj_get(pdfobj_get(attributes, "Process"), "Components");
	for (size_t i = 0; i < sizeof process / sizeof *process; i++)
		if (strcmp(name, process[i]) == 0)
			return false;
	for (size_t i = 0; pdfobj_kind(components) == PDF_ARRAY && i < pdfobj_length(components); i++)
		if (pdfobj_is_name(pdfobj_at(components, i), name))
			return false;
	return true;
}

static void show_device_n(struct check *c, const struct resources *r, const struct pdfobj *space, struct paint paint,
                          unsigned depth)
{
	const struct pdfobj *names = pdfobj_at(space, 1), *attributes = pdfobj_at(space, 4),
	                    *colorants = pdfobj_get(attributes, "Colorants");
	uint32_t number = pdfobj_number(space);
	struct o_device_n o = {.components = pdfobj_length(names), .colorants = true};
	for (size_t i = 0; i < o.components; i++) {
		const char *name = pdfobj_name(pdfobj_at(names, i));
		o.colorants = o.colorants && (!spot(name, attributes) || pdfobj_kind(pdfobj_get(colorants, name)) != PDF_NULL);
		file_unicode_name(c, name, number);
	}
	pdfa_show(c, O_device_n, &o, number, NULL);
	show(c, r, pdfobj_at(space, 2), paint, depth);
	for (size_t i = 0; pdfobj_kind(colorants) == PDF_DICT && i < pdfobj_length(colorants); i++)
		if (pdfobj_is_name(pdfobj_at(pdfobj_value(colorants, i), 0), "Separation"))
			show(c, r, pdfobj_value(colorants, i), paint, depth);
}

static void show_icc_based(struct check *c, const struct pdfobj *space, struct paint paint)
{
	const struct pdfobj *stream = pdfobj_at(space, 1);
	if (pdfobj_kind(stream) != PDF_STREAM)
		return;
	output_icc_input(c, stream);
	if (pdfobj_integer(pdfobj_get(stream, "N")) != 4)
		return;
	struct o_icc_based_cmyk o = {paint.overprint, paint.mode, pdfa_part(c) == 4 && output_same_profile(c, stream)};
	pdfa_show(c, O_icc_based_cmyk, &o, pdfobj_reference(stream), NULL);
}

bool colour_device(const struct pdfobj *name, enum device *ret_device)
{
	static const struct {
		const char *name;
		enum device device;
	} rows[] = {{"DeviceGray", GREY}, {"DeviceRGB", RGB}, {"DeviceCMYK", CMYK}, {"Pattern", PATTERN},
	            {"G", GREY},          {"RGB", RGB},       {"CMYK", CMYK}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (pdfobj_is_name(name, rows[i].name)) {
			*ret_device = rows[i].device;
			return true;
		}
	return false;
}

/* An array that begins with the name of a family which may stand for a device space. */
static bool is_space(const struct pdfobj *o)
{
	static const char *const families[] = {"CalGray", "CalRGB", "Lab", "ICCBased", "Indexed", "Separation", "DeviceN"};
	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		if (pdfobj_is_name(pdfobj_at(o, 0), families[i]))
			return true;
	return false;
}

/* A device space, or what the resources put in its place (8.6.5.6). */
static void show_device(struct check *c, const struct resources *r, enum device device, struct paint paint, unsigned depth)
{
	static const char *const keys[] = {"DefaultGray", "DefaultRGB", "DefaultCMYK"};
	if (device == PATTERN)
		return;
	const struct pdfobj *resources = r == NULL ? NULL : pdfobj_kind(r->own) == PDF_DICT ? r->own : r->page;
	const struct pdfobj *other = resources == NULL ? NULL : pdfobj_get(pdfobj_get(resources, "ColorSpace"), keys[device]);
	if (other != NULL && is_space(other)) {
		show(c, NULL, other, paint, depth);
		return;
	}
	enum icc_space intent = output_space(c), blending = c->graphics->blending;
	uint32_t number = c->graphics->walk == NULL ? 0 : c->graphics->walk->number;
	if (device == GREY) {
		struct o_device_grey o = {intent};
		pdfa_show(c, O_device_grey, &o, number, NULL);
	} else if (device == RGB) {
		struct o_device_rgb o = {intent, blending};
		pdfa_show(c, O_device_rgb, &o, number, NULL);
	} else {
		struct o_device_cmyk o = {intent, blending};
		pdfa_show(c, O_device_cmyk, &o, number, NULL);
	}
}

static void show(struct check *c, const struct resources *r, const struct pdfobj *space, struct paint paint, unsigned depth)
{
	if (depth >= SPACES_DEEP || pdfa_ended(c))
		return;
	enum device device;
	if (pdfobj_kind(space) == PDF_NAME) {
		if (colour_device(space, &device))
			show_device(c, r, device, paint, depth + 1);
		return;
	}
	const char *family = pdfobj_name(pdfobj_at(space, 0));
	if (colour_device(pdfobj_at(space, 0), &device) && device != PATTERN)
		show_device(c, r, device, paint, depth + 1);
	else if (strcmp(family, "ICCBased") == 0)
		show_icc_based(c, space, paint);
	else if (strcmp(family, "Indexed") == 0 || strcmp(family, "I") == 0 || strcmp(family, "Pattern") == 0)
		show(c, r, pdfobj_at(space, 1), paint, depth + 1);
	else if (strcmp(family, "Separation") == 0)
		show_separation(c, r, space, paint, depth + 1);
	else if (strcmp(family, "DeviceN") == 0)
		show_device_n(c, r, space, paint, depth + 1);
	else if (pdfobj_kind(space) == PDF_ARRAY && strncmp(family, "Cal", 3) != 0 && strcmp(family, "Lab") != 0)
		show_device(c, r, GREY, paint, depth + 1); /* what is no space leaves the first one (8.6.3) */
}

void colour_show(struct check *c, const struct resources *r, const struct pdfobj *space, struct paint paint)
{
	show(c, r, space, paint, 0);
}

void colour_show_device(struct check *c, const struct resources *r, enum device device)
{
	show_device(c, r, device, (struct paint){0}, 0);
}

/* 19005-4, 6.2.4.3: a blending space that stands for a device. */
enum icc_space colour_blending(const struct pdfobj *space)
{
	const char *family = pdfobj_name(pdfobj_at(space, 0));
	int64_t n = pdfobj_integer(pdfobj_get(pdfobj_at(space, 1), "N"));
	if (strcmp(family, "CalRGB") == 0)
		return ICC_RGB;
	if (strcmp(family, "CalGray") == 0)
		return ICC_GRAY;
	if (strcmp(family, "ICCBased") != 0)
		return ICC_NONE;
	return n == 1 ? ICC_GRAY : n == 3 ? ICC_RGB : n == 4 ? ICC_CMYK : ICC_NONE;
}
