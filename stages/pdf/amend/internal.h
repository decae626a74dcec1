/* Shared by the files of this folder only. */
#ifndef ARKSEAL_PDF_AMEND_INTERNAL_H
#define ARKSEAL_PDF_AMEND_INTERNAL_H

#include "stages/pdf/amend/amend.h"
#include "stages/pdf/make/picture_object.h"
#include "stages/pdf/make/text_layer.h"
#include "stages/pdf/make/writer.h"
#include "stages/pdf/standard_face.h"

/* What an object is for, which its own entries need not tell. */
enum role {
	ANY,
	CATALOG,
	PAGE, /* or a node of the page tree */
	PAGES,
	RESOURCES,
	XOBJECT,
	XOBJECTS,
	STATE,
	STATES,
	SOFT_MASK,
	FONT,
	FONTS,
	DESCRIPTOR,
	PATTERN,
	PATTERNS,
	ANNOTATION, /* or a form field */
	ANNOTATIONS,
	ACTION,
	FORM,
	NAMES,
	OUTLINE,
	LAYERS,
	CONFIG,
	CONFIGS,
	FILES, /* a node of the tree of embedded files */
	FILES_NODES,
	FILES_PAIRS,
	FILE_STREAMS, /* EF of a specification */
	FILE_STREAM,
};

/* A page with a text layer, or one that became a picture. */
struct layer {
	uint32_t page;    /* object number in the document */
	uint32_t content; /* in the new file */
	char font[16];    /* its name in the page's resources */
	uint32_t picture; /* in the new file; 0: the page's own content stays */
};

/* A face that was embedded, for one set of characters. */
struct face {
	char path[STANDARD_FACE_PATH];
	uint32_t unicode[256]; /* by code; 0: none */
	double width[256];     /* in thousandths */
	uint32_t descriptor;   /* in the new file */
	char name[80];
};

enum phase {
	FIND_ROLES, /* which object is what */
	FIND_ORDER, /* which objects are still reached, in which order */
	WRITE,
};

struct amend {
	const struct pdfdoc *doc;
	struct pdfmake_meta meta;
	unsigned remedies;
	enum phase phase;
	struct writer w;
	struct profiles profiles;
	struct glyphless glyphless;
	uint32_t font, q; /* of text layers, in the new file; 0: none */
	struct layer *layers;
	size_t n_layers;
	struct face *faces;
	size_t n_faces;
	const uint32_t *left_out; /* streams of embedded files, sorted */
	size_t n_left_out;
	bool none_stays;
	const struct amend_file *replaced; /* embedded files */
	size_t n_replaced;
	const uint32_t *associated; /* file specifications, for AF of the catalog */
	size_t n_associated;
	uint32_t pictorial[2]; /* descriptors of symbols.c; 0: not written yet */
	uint32_t size;         /* one more than the highest number of an object */
	uint8_t *roles;        /* by number: enum role */
	uint8_t *seen;         /* FIND_ROLES: 1 met, 2 met in a role */
	uint32_t *numbers;     /* by number: in the new file; 0: not reached */
	uint32_t *queue;       /* objects that wait, then all in their order */
	size_t n_queue, cap_queue;
	uint32_t metadata, intent, inks, empty; /* objects of ours in the new file; 0: none */
	bool keeps_intents;
	uint64_t changed[AMEND_CHANGES];
	struct err fault; /* the first */
};

/* Counts a change, while writing. */
void amend_count(struct amend *a, enum amend_change c);
/* Prints an object as it is to be; nowhere (to NULL) in the phases before WRITE. */
void amend_put(struct amend *a, const struct pdfobj *o, enum role role, struct buf *to);
/* The entries of a dictionary or stream without the brackets; without the keys of `except`, a list that ends with NULL (or NULL). */
void amend_put_entries(struct amend *a, const struct pdfobj *o, enum role role, const char *const *except, struct buf *to);

/* rules.c: what becomes of an entry. */
struct entry_rule {
	enum role role; /* of the dictionary */
	const char *key;
	enum role value; /* of what it holds */
	/* Whether it is left out; NULL: never. */
	bool (*drops)(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value);
	int change; /* that this is; -1: none worth telling, or another takes its place */
};
const struct entry_rule *amend_rule(enum role role, const char *key);
/* What the elements of an array, or the values of a dictionary in this role are; ANY where it holds none of its own. */
enum role amend_element(enum role role);
/* Whether element i of an array in this role is left out; counted. */
bool amend_drops_element(struct amend *a, enum role role, const struct pdfobj *array, size_t i);
/* added.c: entries that take the place of others, or were missing. */
void amend_put_new(struct amend *a, const struct pdfobj *owner, enum role role, struct buf *to);

/* Table 165: what nobody sees on a screen. A popup is part of another annotation. */
enum { INVISIBLE = 1, HIDDEN = 2, PRINT = 4, NO_VIEW = 32, TOGGLE_NO_VIEW = 256 };

/* rules.c: what added.c asks, too. */
bool amend_is_widget(const struct pdfobj *annotation);
bool amend_is_button(const struct pdfobj *annotation);
/* A field's entry, its own or its parents' (table 220). */
const struct pdfobj *amend_inherited(const struct pdfobj *field, const char *key);
/* As struct entry_rule's drops. */
bool amend_lacks_states(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value);
bool amend_unnamed(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value);
bool amend_left_out(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value);
bool amend_odd_type(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value);
bool amend_has_layer(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value);
bool amend_is_picture(struct amend *a, const struct pdfobj *owner, const struct pdfobj *value);

/* layer.c */
void amend_sort_layers(struct amend *a); /* before amend_layer */
const struct layer *amend_layer(const struct amend *a, const struct pdfobj *page);
void amend_put_layer(struct amend *a, const struct pdfobj *page, const struct layer *l, struct buf *to);

/* A simple font's codes. */
enum { CODES = 256 };
/* fonts.c: puts the names that an encoding's Differences give to codes into a table. */
void amend_differences(const struct pdfobj *encoding, const char *names[CODES]);
/* Whether a font is embedded anew, and the entries that this gives it. */
bool amend_embeds(const struct amend *a, const struct pdfobj *font);
void amend_put_font(struct amend *a, const struct pdfobj *font, struct buf *to);

/* symbols.c: the same for Symbol and ZapfDingbats. */
bool amend_embeds_symbols(const struct amend *a, const struct pdfobj *font);
void amend_put_symbols(struct amend *a, const struct pdfobj *font, struct buf *to);

/* metadata.c: the packet of the new file. Errors: ST_RETRY "memory". */
enum status amend_metadata(struct amend *a, struct buf *to, struct err *e);

#endif
