/*
 * What the folders of the checker share.
 *
 * A folder looks at its part of the document, fills small structs of facts (struct o_<token>) and shows them to the rules by
 * pdfa_show. Its rules are a table, rules.def, which rules.h makes a struct rule_table of. Facts are plain values, so that a rule
 * is one expression and nothing else.
 *
 * Memory is bounded: after each page the reader may drop the objects that it has parsed, so no pdfobj is kept from one page to the
 * next, nor from one hook below to the next; numbers of objects are.
 */
#ifndef ARKSEAL_PDFA_INTERNAL_H
#define ARKSEAL_PDFA_INTERNAL_H

#include "stages/pdf/doc.h"
#include "stages/pdfa/check.h"

/* Flavours as bits, for rules. */
#define IN_1A (1u << PDFA_1A)
#define IN_1B (1u << PDFA_1B)
#define IN_2A (1u << PDFA_2A)
#define IN_2B (1u << PDFA_2B)
#define IN_2U (1u << PDFA_2U)
#define IN_3A (1u << PDFA_3A)
#define IN_3B (1u << PDFA_3B)
#define IN_3U (1u << PDFA_3U)
#define IN_4 (1u << PDFA_4)
#define IN_1 (IN_1A | IN_1B)
#define IN_2 (IN_2A | IN_2B | IN_2U)
#define IN_3 (IN_3A | IN_3B | IN_3U)
#define IN_23 (IN_2 | IN_3)
#define IN_A (IN_1A | IN_2A | IN_3A) /* tagged: level A */

enum object {
#define OBJECT(token, words) O_##token,
#include "stages/pdfa/objects.def"
#undef OBJECT
	O_COUNT
};

struct check;

/* One rule: a row of a table. */
struct rule {
	const char *id1, *id23, *id4; /* clause-test in ISO 19005-1, in -2 and -3, in -4; NULL where it is no rule of that part */
	uint32_t flavours;
	enum object object;
	bool (*holds)(const struct check *c, const void *facts);
	const char *vi, *en; /* what is wrong and how to mend it */
};

struct rule_table {
	const struct rule *rules;
	size_t n;
};

struct check {
	const struct pdfdoc *doc;
	enum pdfa_flavour flavour;
	uint32_t page;              /* that is being looked at, from 1; 0: none */
	unsigned depth;             /* of a document within a document */
	const struct file_map *map; /* that the document lies in, or NULL */
	unsigned effort;            /* since the map's memory was given back */
	struct err err;             /* the first fault that ended the check: no memory, a limit; see pdfa_fail */
	struct err unread;          /* the first that did not; see pdfa_unread */
	/* What the folders know about the document; each its own, made by its open and freed by its close. */
	struct metadata *metadata;
	struct graphics *graphics;
	struct output *output;
	struct fonts *fonts;
	struct document *document;
	struct tally *tallies; /* check.c */
	size_t n_tallies;
	size_t first[O_COUNT + 1]; /* of an object's tallies */
};

/* 1 to 4: the part of ISO 19005. */
int pdfa_part(const struct check *c);
/* 'a', 'b', 'u'; ' ' in part 4. */
char pdfa_level(const struct check *c);

/* Shows an object's facts to all rules of the flavour that speak of it. `number`: the indirect object that it is or lies in, 0 for none;
 * `what`: which of several it is, as the document names it ("F3", "Helvetica", "xmp:CreateDate"), or NULL; may be any bytes. */
void pdfa_show(struct check *c, enum object object, const void *facts, uint32_t number, const char *what);
/* Ends the check with a fault that is no finding; the first counts. ST_ITEM: the document cannot be read on, and does not pass. Walks ask
 * pdfa_ended in their loops. */
void pdfa_fail(struct check *c, const struct err *e);
bool pdfa_ended(const struct check *c);
/* Notes that something cannot be read, which ends nothing: the document does not pass. The first counts. */
void pdfa_unread(struct check *c, const struct err *e);
/* Whether an embedded document conforms to one of the flavours. False also where it is no PDF, or documents are nested too deep. */
bool pdfa_embedded_passes(struct check *c, struct bytes in, const enum pdfa_flavour *allowed, size_t n_allowed);

/* A walk holds no pdfobj here: the reader may forget, and the file's memory be given back. `effort`: what was looked at since, in
 * objects of usual size. */
void pdfa_rest(struct check *c, unsigned effort);

/* A set of object numbers: what was looked at before. */
struct seen {
	uint8_t *bits;
	size_t n; /* bytes */
};
/* Whether it is new; then it is in the set. Number 0 is always new. False, and the check has failed, without memory. */
bool seen_add(struct check *c, struct seen *s, uint32_t number);
bool seen_has(const struct seen *s, uint32_t number);
void seen_free(struct seen *s);

/* ---- Hooks, in the order that check.c calls them. `open` returns false after pdfa_fail; `close` takes a check that never opened. ---- */

/* file/: header, cross-references, trailer, every object of the file. Objects of content streams are shown by graphics/. */
void file_check(struct check *c);
/* The limits and forms of one object and all that it holds directly (strings, names, numbers, arrays, dictionaries). */
void file_object(struct check *c, const struct pdfobj *o);
/* A name that shall be UTF-8: of a font, a colorant, a structure type (19005-2, 6.1.8). Escapes are decoded already. */
void file_unicode_name(struct check *c, const char *name, uint32_t number);

/* metadata/: reads the catalog's XMP; the flavour that it claims, PDFA_NONE without. Called before the flavour is settled, so it
 * shows nothing. */
bool metadata_open(struct check *c, enum pdfa_flavour *ret_claimed);
void metadata_check(struct check *c);
bool metadata_typed(const struct pdfobj *stream); /* a stream of Type Metadata and Subtype XML */
/* Each dictionary of the file, as file_check meets it: the metadata stream of a part of the document. */
void metadata_dictionary(struct check *c, const struct pdfobj *dictionary);
void metadata_close(struct check *c);

/* output/: output intents and ICC profiles, image dictionaries and JPEG 2000. */
bool output_open(struct check *c);
/* The profile of an ICCBased colour space with its N. Shown once an object. */
void output_icc_input(struct check *c, const struct pdfobj *stream);
/* The output intents of a page (19005-4, 6.2.3), or NULL: those of the document. */
void output_page(struct check *c, const struct pdfobj *page);
enum icc_space { ICC_NONE, ICC_GRAY, ICC_RGB, ICC_CMYK, ICC_LAB, ICC_OTHER };
/* The colour space of the PDF/A output intent's profile that holds for what is looked at: the page's, else the document's. */
enum icc_space output_space(const struct check *c);
/* Whether a profile is the one of the output intent: the same object, or the same bytes by MD5. */
bool output_same_profile(const struct check *c, const struct pdfobj *stream);
/* An image XObject's own rules: Interpolate, Alternates, OPI, BitsPerComponent, JPEG 2000. Its colour space is graphics/'s. */
void output_image(struct check *c, const struct pdfobj *image, bool mask);
/* The same of an inline image, whose keys may be short. */
void output_inline_image(struct check *c, const struct pdfobj *image, bool mask);
void output_close(struct check *c);

/* fonts/ */
bool fonts_open(struct check *c);
/* The fonts of a page's resources, used or not: their names. */
void fonts_names(struct check *c, const struct pdfobj *resources);
/* Text is shown with a font: a string, or an array with strings (TJ). Mode: the text rendering mode (3: invisible). `actual_text`: the marked
 * content that holds it has ActualText. NULL for the font: none is set, and nothing is said. Whether a glyph of a Type 3 font paints something transparent. */
bool fonts_show(struct check *c, const struct pdfobj *font, const struct pdfobj *text, int mode, bool actual_text);
void fonts_page_end(struct check *c);
void fonts_end(struct check *c); /* what needs the whole document: CIDSet */
void fonts_close(struct check *c);

/* graphics/: content, resources, colours, states, transparency. */
bool graphics_open(struct check *c);
void graphics_page(struct check *c, const struct pdfobj *page);
/* An appearance stream of an annotation of the page that is looked at (called within document_page). */
void graphics_appearance(struct check *c, const struct pdfobj *form);
/* A glyph procedure of a Type 3 font; resources: the font's, or the null object. Whether it paints something transparent. */
bool graphics_glyph(struct check *c, const struct pdfobj *stream, const struct pdfobj *resources);
void graphics_page_end(struct check *c);
void graphics_close(struct check *c);

/* document/: catalog, annotations, actions, forms, optional content, files, structure, signatures. */
bool document_open(struct check *c); /* before file_check */
void document_begin(struct check *c);
/* Each dictionary of the file, as file_check meets it; the reader may forget afterwards. */
void document_dictionary(struct check *c, const struct pdfobj *dictionary);
void document_page(struct check *c, const struct pdfobj *page);
/* The property list of a marked-content operator: its Lang and ActualText. */
void document_properties(struct check *c, const struct pdfobj *properties);
/* What the structure's parent tree has for a StructParents: an array of elements by MCID; the null object without (ISO 32000-1, 14.7.4.4). */
const struct pdfobj *document_parents(const struct check *c, int64_t struct_parents);
void document_end(struct check *c);
void document_close(struct check *c);

extern const struct rule_table file_rules, metadata_rules, graphics_rules, output_rules, font_rules, document_rules;

#endif
