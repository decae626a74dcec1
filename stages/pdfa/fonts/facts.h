/* What the rules of fonts are told, and what the files of this folder share. */
#ifndef ARKSEAL_PDFA_FONTS_FACTS_H
#define ARKSEAL_PDFA_FONTS_FACTS_H

#include "stages/pdfa/internal.h"
#include "stages/pdfa/program/cmap.h"
#include "stages/pdfa/program/program.h"
#include "stages/pdfa/program/spans.h"

#define SIMPLE_CODES 256

/* A font or CIDFont dictionary. */
struct o_font {
	bool type_font;      /* Type is Font */
	const char *subtype; /* "" without */
	bool named;          /* BaseFont is a name */
	bool embedded;
	bool invisible;           /* used in rendering mode 3 */
	const char *file_subtype; /* of FontFile3; NULL: there is none */
};

struct o_simple_font {
	bool standard; /* one of the 14, not embedded */
	bool has_first, has_last, has_widths;
	int64_t first, last;
	size_t widths;
};

struct o_truetype_font {
	bool symbolic, has_encoding;
	const char *encoding; /* by name, or the BaseEncoding; "" without */
	bool differences, compliant;
};

/* CharSet of a Type 1 font. */
struct o_type1_font {
	bool embedded, subset, charset, lists_all;
};

struct o_type0_font {
	bool identity;           /* the CMap is Identity-H or -V */
	bool registry, ordering; /* are there in the CIDFont, and the same in the CMap */
	bool supplement;         /* both have CIDSystemInfo, the CIDFont's is not above the CMap's */
};

struct o_cid_font {
	bool type2, map, embedded, invisible; /* map: CIDToGIDMap is a stream or Identity */
};

/* The CIDSet of a CIDFont. */
struct o_cid_set {
	bool embedded, subset, present, lists_all;
};

struct o_cmap {
	const char *name;
	bool embedded;
};

struct o_referenced_cmap {
	const char *name;
};

struct o_cmap_file {
	int64_t wmode, dictionary_wmode;
	uint32_t max_cid;
};

struct o_truetype_program {
	bool symbolic;
	size_t cmaps;
	bool cmap30, cmap31, cmap10;
};

/* A code that is shown. */
struct o_glyph {
	bool invisible;
	bool known, present; /* known: the font's program can be read */
	bool measured;       /* both widths are there, in thousandths of the em (of a Type 3 font: its own units) */
	double program_width, dictionary_width;
	bool notdef; /* it is .notdef */
	bool has_unicode, bad_unicode, private_use;
	bool actual_text;
};

enum font_kind { FONT_TYPE1, FONT_TRUETYPE, FONT_TYPE3, FONT_TYPE0, FONT_OTHER };

/* What simple fonts have. */
struct simple {
	const char *names[SIMPLE_CODES]; /* by Encoding; NULL: the program's own encoding holds */
	char *own_names[SIMPLE_CODES];   /* of Differences, that `names` points to */
	bool encoding;                   /* there is an Encoding */
	bool has_widths;                 /* Widths, FirstChar and LastChar are there */
	int64_t first, last;
	double widths[SIMPLE_CODES]; /* by code */
	double missing;
	struct buf charset; /* CharSet */
	struct o_type1_font subset;
};

/* What composite fonts have, with their CIDFont. */
struct composite {
	struct cmap *cmap; /* NULL: none that can be read */
	struct spans widths;
	double default_width;
	bool type2;
	bool has_gids; /* CIDToGIDMap is a stream */
	struct buf gids;
	struct buf cid_set;
	struct o_cid_set set;
	bool listed;     /* every CID that was used and is in the program is in CIDSet */
	bool collection; /* its CIDs have a meaning in Unicode: one of Adobe's collections */
};

struct font {
	struct font *next;
	uint32_t number;             /* of its object, or 0 */
	const struct pdfobj *direct; /* that one otherwise; on this page only */
	enum font_kind kind;
	char name[96]; /* BaseFont; of Type 3 Name */
	bool symbolic, embedded;
	bool ruled[2];           /* its own rules were shown: visible, invisible */
	struct program *program; /* NULL: none, or not readable; the cache's */
	struct simple *simple;
	struct composite *composite;
	struct cmap *to_unicode;
	bool unicode_identity; /* ToUnicode is Identity-… */
	uint32_t first_page;
	uint8_t *shown; /* by code: what is remembered */
	size_t n_shown;
	size_t bytes; /* of memory, about */
};

/* A program, by its stream. */
struct known_program {
	struct known_program *next;
	uint32_t number;
	enum program_kind kind;
	struct program *program; /* NULL: cannot be read */
};

struct fonts {
	struct program_library *library;
	struct font *first;
	struct known_program *programs;
	size_t bytes;
	unsigned depth;    /* of Type 3 glyphs that show text */
	struct seen names; /* objects whose resource names were looked at */
};

/* The decoded stream; what cannot be decoded is empty. */
void font_stream(struct check *c, const struct pdfobj *stream, struct buf *to);
bool font_subset(const char *name); /* its name begins with a tag (ISO 32000-1, 9.6.4) */
void font_no_memory(struct check *c);

/* simple.c */
bool simple_read(struct check *c, struct font *f, const struct pdfobj *dictionary);
void simple_free(struct simple *s);
void simple_rules(struct check *c, const struct font *f, const struct pdfobj *dictionary);
void simple_glyph(const struct font *f, uint8_t code, struct o_glyph *g);
/* The name that a code has by the Encoding, or by the program's own; NULL: none. `buffer` may hold it. */
const char *simple_name(const struct font *f, uint8_t code, char *buffer, size_t size);
/* Of a Type 3 font: whether there is a procedure for the code, and its width by d0 or d1. Whether it paints something transparent. */
bool type3_glyph(struct check *c, const struct font *f, const struct pdfobj *dictionary, uint8_t code, struct o_glyph *g);
/* Walks all procedures, shown or not: their content is the document's. */
void type3_walk(struct check *c, const struct pdfobj *dictionary);

/* composite.c */
bool composite_read(struct check *c, struct font *f, const struct pdfobj *dictionary);
void composite_free(struct composite *t);
void composite_rules(struct check *c, struct font *f, const struct pdfobj *dictionary);
void composite_glyph(struct font *f, uint32_t code, struct o_glyph *g);
/* A CMap by the value of Encoding or ToUnicode: a name or a stream. NULL: none, or the check has failed. */
struct cmap *cmap_of(struct check *c, const struct pdfobj *o, unsigned depth);

/* subset.c */
/* Whether CharSet and the program tell of the same glyphs. */
bool charset_lists_all(const struct font *f);
bool charset_lists(const struct font *f, const char *name);
/* Whether CIDSet and the program tell of the same CIDs. */
bool cid_set_lists_all(const struct font *f);
bool cid_in_set(const struct composite *t, uint32_t cid);
bool cid_in_program(const struct font *f, uint32_t cid);

/* unicode.c */
void unicode_read(struct check *c, struct font *f, const struct pdfobj *to_unicode);
void unicode_of(const struct check *c, const struct font *f, uint32_t code, struct o_glyph *g);

#endif
