/*
 * What the files of the reader share: the shape of objects, the arena that they live in, the lexer, cross-reference entries.
 */
#ifndef ARKSEAL_PDF_INTERNAL_H
#define ARKSEAL_PDF_INTERNAL_H

#include "stages/pdf/doc.h"

#define PDF_NOWHERE UINT64_MAX           /* an offset of what does not lie in the file itself */
#define PDF_DEPTH 100                    /* nested arrays and dictionaries, levels of a tree */
#define PDF_ARENA_MAX ((size_t)1 << 29)  /* bytes of parsed objects in a document */
#define PDF_OBJSTM_MAX ((size_t)1 << 28) /* bytes of all decoded object streams of a document */
#define PDF_FORGET ((size_t)1 << 24)     /* bytes of parsed objects and object streams that pdfdoc_forget keeps */
#define PDF_DICT_SMALL 16                /* entries; a larger dictionary has a sorted copy of its pairs after them */
#define PDF_OBJECTS_MAX 8388608u         /* ISO 32000-1, Annex C: 8,388,607 indirect objects, and object 0 */

/* Memory that is only ever given up as a whole. */
struct pdf_arena {
	struct pdf_chunk *chunks;
	size_t used, total;
};
void *pdf_arena_take(struct pdf_arena *a, size_t n); /* NULL: no memory, or PDF_ARENA_MAX */
void pdf_arena_reset(struct pdf_arena *a);           /* all is given up, but some memory stays for what comes */
void pdf_arena_free(struct pdf_arena *a);

struct pdf_pair {
	const char *key;
	const struct pdfobj *value;
};

struct pdf_stream {
	struct pdf_pair *pairs;
	size_t n;
	struct bytes raw;
};

struct pdfobj {
	const struct pdfdoc *doc; /* where references are looked up */
	uint64_t at;              /* of the source in the file, or PDF_NOWHERE */
	uint32_t length;          /* of the source */
	uint32_t number;          /* of the indirect object that holds it; 0: trailer */
	union {
		bool boolean;
		int64_t integer;
		struct {
			double value;
			const uint8_t *source; /* `length` bytes, so that printing loses nothing */
		} real;
		struct bytes string;
		const char *name;
		struct {
			const struct pdfobj **items;
			size_t n;
		} array;
		struct {
			struct pdf_pair *pairs;
			size_t n;
		} dict;
		struct pdf_stream *stream;
		struct {
			uint32_t number;
			uint16_t generation;
		} reference;
	} u;
	enum pdfobj_kind kind;
	uint8_t form; /* enum pdfobj_form */
};

extern const struct pdfobj pdf_null;
/* What a reference leads to; other objects as they are. */
const struct pdfobj *pdf_resolve(const struct pdfobj *o);
/* The pairs of a dictionary or stream that is no reference. */
size_t pdf_pairs(const struct pdfobj *o, const struct pdf_pair **ret_pairs);

/* The lexer: a place in bytes, and what to make objects of. */
struct pdflex {
	struct bytes in;
	size_t at;
	uint64_t base;            /* offset in the file of in.p, or PDF_NOWHERE */
	const struct pdfdoc *doc; /* of the objects made */
	struct pdf_arena *arena;
	size_t unended;  /* from here on no '>' stands any more; 0: not known */
	uint32_t number; /* of the objects made */
	unsigned depth;
	const struct pdfobj **stack; /* entries of arrays and dictionaries that are still open */
	size_t n_stack, cap_stack;
	struct err *e;
};
void pdflex_free(struct pdflex *lx); /* the stack; not what was made */
enum status pdflex_fail(struct pdflex *lx, const char *code, const char *what);
bool pdf_is_space(uint8_t c);
bool pdf_is_delimiter(uint8_t c);
void pdflex_space(struct pdflex *lx); /* white space and comments */
/* Whether the keyword stands here, ending at a delimiter; then steps over it. */
bool pdflex_keyword(struct pdflex *lx, const char *word);
bool pdflex_unsigned(struct pdflex *lx, uint64_t max, uint64_t *ret_number);
enum status pdflex_object(struct pdflex *lx, const struct pdfobj **ret_object);
/* What stands between "N G obj" and "endobj": an object or a stream. */
enum status pdflex_body(struct pdflex *lx, const struct pdfobj **ret_object);
/* "N G obj …" up to and with "endobj" or, in a stream, "endstream" and "endobj". */
enum status pdflex_indirect(struct pdflex *lx, uint32_t *ret_number, uint32_t *ret_generation, const struct pdfobj **ret_object);

enum pdf_entry_type { PDF_FREE, PDF_PLAIN, PDF_PACKED };

struct pdf_entry {
	uint64_t at;     /* PLAIN: offset; PACKED: object stream << 32 | index */
	uint32_t number; /* of the object */
	uint32_t order;  /* which section it came from; 0 is the newest */
	uint16_t generation;
	uint8_t type; /* enum pdf_entry_type */
};

struct pdf_slot {
	const struct pdfobj *object; /* NULL: not read yet */
	uint64_t end;                /* offset after "endobj" */
	bool busy;                   /* being read: a second call is a loop */
	bool page_seen;              /* met in the page tree */
};

struct pdf_objstm {
	uint32_t number, n;
	uint32_t *numbers; /* n object numbers, then n offsets */
	struct buf data;
	size_t first;
	struct pdf_objstm *next;
};

/* What reading adds to an open document. */
struct pdf_state {
	struct pdf_arena arena;   /* of cross-references and trailers */
	struct pdf_arena objects; /* of what slots hold */
	struct pdf_slot *slots;   /* one an entry */
	struct pdf_objstm *objstms;
	size_t objstm_bytes;
	/* A lenient reader's last search: from here the next endstream stands there; UINT64_MAX: there is none. */
	uint64_t endstream_from, endstream_to;
	struct err fault; /* the first */
	uint32_t *pages;
	size_t n_pages;
	bool pages_known;
	unsigned chain; /* objects that are being read, one for the other */
	struct err pages_fault;
};

struct pdf_revision {
	struct pdfdoc_revision r;
	uint64_t marker_end; /* offset after %%EOF */
};

struct pdfdoc {
	struct bytes in;
	struct pdf_entry *entries; /* by number */
	size_t n_entries, cap_entries;
	struct pdf_revision *revisions;
	size_t n_revisions;
	const struct pdfobj *trailer;
	bool xref_stream, hybrid;
	bool lenient;
	uint64_t header; /* bytes before in.p */
	struct pdfdoc_section *sections;
	size_t n_sections;
	uint32_t size;
	int header_version;
	struct pdf_state *state;
	/* Where set: asked before the entries, for objects that an update has set. */
	const struct pdfobj *(*overlay)(void *arg, uint32_t number);
	void *overlay_arg;
	const struct pdfdoc *below; /* of an overlay */
};

/* Cross-references: fills entries, revisions, trailer, size, xref_stream. */
enum status pdfxref_read(struct pdfdoc *d, struct err *e);
const struct pdf_entry *pdfdoc_entry(const struct pdfdoc *d, uint32_t number); /* NULL: none */
/* The object only where the generation is that of the entry. */
const struct pdfobj *pdfdoc_object_generation(const struct pdfdoc *d, uint32_t number, uint16_t generation);
enum status pdf_no_memory(struct err *e);
bool pdfdoc_hybrid(const struct pdfdoc *d);
uint16_t pdfdoc_generation(const struct pdfdoc *d, uint32_t number);
/* The revision whose end is `end`: after its marker, and only white space after that. -1: none. */
long pdfdoc_revision_at(const struct pdfdoc *d, uint64_t end);

/* Decodes a stream's raw data by its dictionary. */
enum status pdffilter_decode(const struct pdfobj *o, struct bytes raw, struct buf *to, struct err *e);

#endif
