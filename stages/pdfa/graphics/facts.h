/* What the rules of content are told, and what the files of this folder share. */
#ifndef ARKSEAL_PDFA_GRAPHICS_FACTS_H
#define ARKSEAL_PDFA_GRAPHICS_FACTS_H

#include "stages/pdf/content.h"
#include "stages/pdfa/internal.h"

#define FORMS_DEEP 28 /* forms, patterns and glyphs within each other */

struct o_page {
	bool additional_actions, steps;
	bool transparent, group_space, intent;
};

struct o_page_boundary {
	double width, height;
};

struct o_content_stream {
	bool inherited, undefined; /* names a resource that stands elsewhere, or nowhere */
};

struct o_undefined_operator {
	const char *name;
};

struct o_save_state {
	size_t level;
};

struct o_inline_filter {
	const char *name;
};

/* A device colour space: what the output intent and the blending space are. */
struct o_device_grey {
	enum icc_space intent;
};

struct o_device_rgb {
	enum icc_space intent, blending;
};

struct o_device_cmyk {
	enum icc_space intent, blending;
};

struct o_icc_based_cmyk {
	bool overprint;
	int64_t mode;   /* OPM */
	bool of_intent; /* the profile is that of the output intent */
};

struct o_separation {
	bool consistent;
};

struct o_device_n {
	size_t components;
	bool colorants;
};

struct o_graphics_state {
	bool transfer;   /* TR */
	bool transfer_2; /* TR2, and not Default */
	bool soft_mask;  /* SMask, and not None */
	bool blend;      /* BM, and neither Normal nor Compatible */
	bool stroke_opaque, fill_opaque;
	bool phase, origin; /* HTP, HTO */
};

struct o_blend_mode {
	const char *name;
};

struct o_halftone {
	int64_t type;
	bool named, transfer, needs_transfer, free;
};

struct o_rendering_intent {
	const char *name;
};

struct o_transparency_group {
	bool transparency;
};

struct o_xobject {
	bool postscript, opi, soft_mask;
};

struct o_form_xobject {
	bool postscript, opi, reference;
};

/* The graphics state, as far as rules need it. Objects of the page that is looked at. */
struct state {
	const struct pdfobj *fill, *stroke; /* colour spaces of the resources; NULL: a device's */
	enum device { GREY, RGB, CMYK, PATTERN } fill_device, stroke_device;
	const struct pdfobj *fill_pattern, *stroke_pattern; /* where the space is Pattern */
	const struct pdfobj *font;
	int64_t mode; /* OPM */
	bool overprint_fill, overprint_stroke;
	bool soft_mask, blend, fill_clear, stroke_clear;
	int64_t rendering;
};

/* Where names are looked up: the stream's own resources, then the page's. */
struct resources {
	const struct pdfobj *own, *page;
	bool page_inherited; /* the page's stand in a node above it */
};

/* A content stream that is being walked. */
struct walk {
	struct check *c;
	struct walk *above;
	struct resources resources;
	struct state state;
	struct state *saved;
	size_t n_saved, cap_saved;
	bool *marked; /* a marked content sequence that is open: whether ActualText holds there */
	size_t n_marked, cap_marked;
	int64_t struct_parents;        /* of the page or the form; -1: none */
	const struct pdfobj *elements; /* the structure elements of its marked contents, once asked for */
	bool no_colour;                /* after d1 */
	bool transparent;
	struct o_content_stream names;
	char name[64]; /* the first that stands elsewhere */
	uint32_t number;
};

struct known_form; /* graphics.c */
struct separation;

struct graphics {
	struct walk *walk; /* the innermost */
	struct resources page;
	struct o_page facts; /* of the page */
	uint32_t page_number;
	unsigned depth;
	uint64_t bytes; /* decoded on the page */
	enum icc_space blending;
	struct seen spaces, states, patterns;
	struct known_form *forms;
	size_t n_forms;
	struct separation *separations;
	size_t n_separations;
};

/* graphics.c: walks one stream or an array of them with a state; whether something transparent is painted. */
bool graphics_walk(struct check *c, const struct pdfobj *stream, struct resources resources, const struct state *state);
/* A form with all its rules. */
bool graphics_form(struct check *c, const struct pdfobj *form, const struct state *state);
/* A resource by category and name. The null object: there is none. */
const struct pdfobj *graphics_resource(struct walk *w, const char *category, const struct pdfobj *name);
/* operators.c */
void graphics_operator(struct walk *w, const struct pdfcontent_operator *o);
/* colour.c */
struct paint {
	int64_t mode;
	bool overprint;
};
void colour_show(struct check *c, const struct resources *r, const struct pdfobj *space, struct paint paint);
void colour_show_device(struct check *c, const struct resources *r, enum device device);
/* DeviceGray, DeviceRGB or DeviceCMYK by its name, short in an inline image; PATTERN for Pattern. False: none of these. */
bool colour_device(const struct pdfobj *name, enum device *ret_device);
enum icc_space colour_blending(const struct pdfobj *space);
void separations_free(struct graphics *g);
/* state.c */
void state_apply(struct walk *w, const struct pdfobj *dictionary);
void intent_show(struct check *c, const struct pdfobj *name, uint32_t number);

#endif
