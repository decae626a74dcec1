/* Output intents: which colours a document's device colours mean; and the images' dictionaries. */
#include <stdlib.h>
#include <string.h>

#include "stages/pdfa/output/facts.h"

/* What the rules ask of a profile's header. */
static bool profile_class(const struct icc_header *h, bool input)
{
	static const char *const classes[] = {"prtr", "mntr", "scnr", "spac"};
	for (size_t i = 0; i < (input ? 4 : 2); i++)
		if (strcmp(h->device_class, classes[i]) == 0)
			return true;
	return false;
}

static bool profile_space(const struct icc_header *h, bool input)
{
	return strcmp(h->space, "RGB ") == 0 || strcmp(h->space, "CMYK") == 0 || strcmp(h->space, "GRAY") == 0 ||
	       (input && strcmp(h->space, "Lab ") == 0);
}

static bool components_fit(const struct o_icc_profile *o)
{
	return (o->n == 1 && strcmp(o->space, "GRAY") == 0) ||
	       (o->n == 3 && (strcmp(o->space, "RGB ") == 0 || strcmp(o->space, "Lab ") == 0)) ||
	       (o->n == 4 && strcmp(o->space, "CMYK") == 0);
}

static bool bits_of_pdf_1_4(int64_t bits)
{
	return bits == 1 || bits == 2 || bits == 4 || bits == 8;
}

#define RULES_FILE "stages/pdfa/output/rules.def"
#define RULES_TABLE output_rules
#include "stages/pdfa/rules.h"

/* The PDF/A output intent that holds. */
struct intent {
	uint32_t profile; /* object number; 0: none, or a direct one */
	enum icc_space space;
	bool digested;
	uint8_t md5[16];
};

struct output {
	struct intent document, page;
	bool has_page; /* the page has output intents of its own (19005-4) */
	struct seen profiles, images;
};

static enum icc_space space_of(const char *signature)
{
	static const struct {
		const char *signature;
		enum icc_space space;
	} rows[] = {{"GRAY", ICC_GRAY}, {"RGB ", ICC_RGB}, {"CMYK", ICC_CMYK}, {"Lab ", ICC_LAB}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(signature, rows[i].signature) == 0)
			return rows[i].space;
	return ICC_OTHER;
}

/* The decoded begin of a profile. What cannot be decoded is an empty profile, which no rule likes. */
static struct icc_header header_of(const struct pdfobj *stream)
{
	BUF_AUTO struct buf b = BUF_INIT((size_t)1 << 26);
	struct err e;
	if (pdfobj_stream(stream, &b, &e) != ST_OK)
		buf_reset(&b);
	return icc_header_read((struct bytes){b.data, b.len});
}

static void show_intent(struct check *c, const struct pdfobj *dictionary, struct intent *found)
{
	const struct pdfobj *reference = pdfobj_get(dictionary, "DestOutputProfile");
	struct o_output_intent o = {.pdfx = pdfobj_is_name(pdfobj_get(dictionary, "S"), "GTS_PDFX"),
	                            .profile_ref = pdfobj_kind_direct(pdfobj_get(dictionary, "DestOutputProfileRef")) !=
	                                           PDF_NULL};
	pdfa_show(c, O_output_intent, &o, pdfobj_number(dictionary), pdfobj_name(pdfobj_get(dictionary, "S")));
	if (pdfobj_kind(reference) != PDF_STREAM)
		return;
	struct icc_header h = header_of(reference);
	struct o_icc_output_profile profile = {&h};
	uint32_t number = pdfobj_reference(reference);
	pdfa_show(c, O_icc_output_profile, &profile, number, h.space);
	icc_show(c, reference, &h);
	if (!pdfobj_is_name(pdfobj_get(dictionary, "S"), "GTS_PDFA1"))
		return;
	*found = (struct intent){.profile = number, .space = space_of(h.space)};
	found->digested = icc_digest(reference, found->md5);
}

static void show_intents(struct check *c, const struct pdfobj *intents, struct intent *found)
{
	struct o_output_intents o = {true};
	uint32_t first = 0;
	*found = (struct intent){0};
	if (pdfobj_kind(intents) != PDF_ARRAY)
		return;
	for (size_t i = 0; i < pdfobj_length(intents) && !pdfa_ended(c); i++) {
		const struct pdfobj *dictionary = pdfobj_at(intents, i);
		uint32_t number = pdfobj_reference(pdfobj_get(dictionary, "DestOutputProfile"));
		if (pdfobj_kind(dictionary) != PDF_DICT)
			continue;
		o.same_profile = o.same_profile && (number == 0 || first == 0 || number == first);
		first = first == 0 ? number : first;
		show_intent(c, dictionary, found);
	}
	pdfa_show(c, O_output_intents, &o, pdfobj_number(intents), NULL);
}

bool output_open(struct check *c)
{
	c->output = calloc(1, sizeof *c->output);
	if (c->output == NULL) {
		struct err e;
		err_set(&e, ST_RETRY, "memory", "no memory for output intents");
		pdfa_fail(c, &e);
		return false;
	}
	show_intents(c, pdfobj_get(pdfdoc_catalog(c->doc), "OutputIntents"), &c->output->document);
	return !pdfa_ended(c);
}

void output_close(struct check *c)
{
	if (c->output == NULL)
		return;
	seen_free(&c->output->profiles);
	seen_free(&c->output->images);
	free(c->output);
	c->output = NULL;
}

void output_page(struct check *c, const struct pdfobj *page)
{
	const struct pdfobj *intents = pdfobj_get(page, "OutputIntents");
	c->output->has_page = pdfa_part(c) == 4 && pdfobj_kind(intents) == PDF_ARRAY;
	if (c->output->has_page)
		show_intents(c, intents, &c->output->page);
}

static const struct intent *holds_here(const struct check *c)
{
	const struct output *o = c->output;
	return o->has_page && o->page.space != ICC_NONE ? &o->page : &o->document;
}

enum icc_space output_space(const struct check *c)
{
	return holds_here(c)->space;
}

bool output_same_profile(const struct check *c, const struct pdfobj *stream)
{
	const struct intent *i = holds_here(c);
	uint8_t md5[16];
	if (i->profile != 0 && i->profile == pdfobj_number(stream))
		return true;
	return i->digested && icc_digest(stream, md5) && memcmp(md5, i->md5, sizeof md5) == 0;
}

void output_icc_input(struct check *c, const struct pdfobj *stream)
{
	if (!seen_add(c, &c->output->profiles, pdfobj_reference(stream)))
		return;
	struct icc_header h = header_of(stream);
	struct o_icc_input_profile o = {&h};
	pdfa_show(c, O_icc_input_profile, &o, pdfobj_reference(stream), h.space);
	icc_show(c, stream, &h);
}

static void show_image(struct check *c, struct o_image o, const struct pdfobj *bits, uint32_t number)
{
	o.bits = pdfobj_kind(bits) == PDF_NULL ? 0 : pdfobj_integer(bits) == 0 ? -1 : pdfobj_integer(bits);
	pdfa_show(c, O_image, &o, number, NULL);
	if (o.mask) {
		struct o_mask_image m = {o.bits};
		pdfa_show(c, O_mask_image, &m, number, NULL);
	}
}

void output_inline_image(struct check *c, const struct pdfobj *image, bool mask)
{
	const struct pdfobj *bits = pdfobj_get(image, "BPC");
	struct o_image o = {.mask = mask,
	                    .interpolate = pdfobj_boolean(pdfobj_get(image, "I")) ||
	                                   pdfobj_boolean(pdfobj_get(image, "Interpolate"))};
	show_image(c, o, pdfobj_kind(bits) == PDF_NULL ? pdfobj_get(image, "BitsPerComponent") : bits, 0);
}

/* The only filter, or the only entry of an array of filters. */
static const struct pdfobj *only_filter(const struct pdfobj *image)
{
	const struct pdfobj *filter = pdfobj_get(image, "Filter");
	return pdfobj_kind(filter) == PDF_ARRAY && pdfobj_length(filter) == 1 ? pdfobj_at(filter, 0) : filter;
}

void output_image(struct check *c, const struct pdfobj *image, bool mask)
{
	uint32_t number = pdfobj_reference(image);
	if (!seen_add(c, &c->output->images, number))
		return;
	struct o_image o = {.mask = mask,
	                    .interpolate = pdfobj_boolean(pdfobj_get(image, "Interpolate")),
	                    .alternates = pdfobj_kind_direct(pdfobj_get(image, "Alternates")) != PDF_NULL,
	                    .opi = pdfobj_kind_direct(pdfobj_get(image, "OPI")) != PDF_NULL};
	show_image(c, o, pdfobj_get(image, "BitsPerComponent"), number);
	if (!pdfobj_is_name(only_filter(image), "JPXDecode"))
		return;
	struct o_jpeg2000 jpx = jpeg2000_read(pdfobj_stream_raw(image));
	jpx.has_space = pdfobj_kind(pdfobj_get(image, "ColorSpace")) != PDF_NULL;
	pdfa_show(c, O_jpeg2000, &jpx, number, NULL);
}
