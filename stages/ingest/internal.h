/* What the files of this folder share. */
#ifndef ARKSEAL_INGEST_INTERNAL_H
#define ARKSEAL_INGEST_INTERNAL_H

#include <sys/stat.h>

#include "pipeline/stage.h"
#include "stages/sheet/sheet.h"

/* Ends the process where memory has run out: an ingest holds nothing that starting again does not give back. */
void *must(void *p);
char *text_join(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A set of texts, 16 bytes each. */
struct keyset {
	uint8_t (*v)[16]; /* open addressing; all zero: free */
	size_t n, cap;
};
/* Whether the text was in the set; adds it. */
bool keyset_add(struct keyset *s, const char *text);
bool keyset_has(const struct keyset *s, const char *text);
void keyset_free(struct keyset *s);

/* tree.c */
struct name {
	char *name;
	mode_t mode; /* as lstat says */
	int64_t size;
	int64_t changed_ns; /* time of the last change of its content */
	bool unfinished;    /* by its name, or a lock file lies beside it */
};
struct names {
	struct name *v;
	size_t n;
};
/* What a folder holds, in natural order ("2" before "10"), without hidden files and what programs leave behind. A file that is still
 * being written is among them, under the name that it will have. */
enum status names_read(const char *folder, const struct profile_ingest *p, struct names *ret_names, struct err *e);
void names_free(struct names *n);
bool is_spreadsheet(const struct profile_ingest *p, const char *name);
int natural_compare(const char *a, const char *b);

struct page {
	char *path;
	int64_t size;
	int64_t changed_ns;
};
/* A document on disk. */
struct document {
	char *
	    rel; /* path below the fonds (plain: below the backlog), as name_shown gives it; with its extension where it is one file */
	char *stem; /* rel without extension; rel itself of a folder */
	bool folder;
	bool unfinished; /* one of its files is still being written */
	struct page *pages;
	size_t n_pages;
	struct err fault;   /* code "" where there is none */
	size_t row, n_rows; /* of the spreadsheet: the first one, and how many name it */
};
struct documents {
	const struct profile_ingest *profile;
	struct document *v;
	size_t n;
};
/* A name or path as it can stand in a record, on a screen and in a file name: NFC; bytes that are no UTF-8, and characters that control
 * a terminal or the order of writing, as %XX. *ret_code (may be NULL) gets the fault of such a name, or NULL. */
char *name_shown(const char *text, const char **ret_code);
/* Fills in a document that is the file or folder at `path`. Only a fault that passes is returned; others stand in the document. */
enum status document_add(struct documents *to, const char *path, const char *rel, const struct name *name, struct err *e);
/* Unless it has a fault already. */
void document_fault(struct document *d, const char *code, const char *name);
/* What a document is by its name, where nobody says more. */
enum item_kind document_kind(const struct document *d);
enum item_kind kind_by_name(const char *name);
void documents_free(struct documents *d);
/* All documents of a fonds. named(arg, rel) tells that a row names this folder as a document, though it lies higher up. */
enum status documents_scan(const char *fonds, const struct profile_ingest *p, bool (*named)(void *arg, const char *rel),
                           void *arg, struct documents *to, struct err *e);

/* check.c */
/* Without case, NFC, runs of space as one, none at the ends; the caller frees. */
char *text_fold(const char *text);
/* NFC, without space at the ends; the caller frees. */
char *text_trim(const char *text);
bool text_same(const char *a, const char *b); /* folded */
/* Checks a trimmed value that is not empty. Returns NULL and the value in its standard form, or the code of the fault with what is
 * allowed. */
const char *check_value(const struct profile_column *c, const char *value, char **ret_value, struct buf *allowed);

/* table.c */
struct row {
	uint32_t sheet, number; /* index of the table, row from 0 */
	char *path;             /* below the fonds, or NULL */
	char *dossier;          /* code, or NULL */
	char *code;             /* <dossier>.<ordinal>, or NULL */
	uint32_t ordinal;
	const struct document *document; /* NULL: none is found */
	bool unclear;                    /* more than one could be it */
};
struct table {
	const struct sheet *sheet;
	uint32_t header;
	uint32_t *column; /* of each profile column, UINT32_MAX where the sheet has none */
};
struct tables {
	const struct profile_ingest *profile;
	struct book *book;
	struct table *v;
	size_t n;
	struct row *rows;
	size_t n_rows;
	char *file; /* "<fonds>/<name of the spreadsheet>" */
};
enum status tables_load(const char *fonds, const struct profile_ingest *p, struct tables *ret_tables, struct err *e);
void tables_free(struct tables *t);

/* A row's cells in their standard form, one for each profile column; NULL where empty. */
struct values {
	char **v;
	bool *wrong; /* the cell has a fault; v is then what it says */
	size_t n;
};
/* All cells; faults (code "sheet-…") go to *fault, the first one with the others in its detail. `usual` is the kind where no rule of
 * kinds holds. */
void row_values(const struct tables *t, const struct row *r, enum item_kind usual, struct values *ret_values,
                enum item_kind *ret_kind, struct err *fault);
void values_free(struct values *v);
/* The fault of one cell: code, where, and {0} cell, {1} column, {2} value, {3} allowed. */
void cell_fault(const struct tables *t, const struct row *r, size_t column, const char *code, const char *value,
                const char *allowed, struct err *fault);

/* ingest.c */
struct ingest {
	const struct stage_env *env;
	const char *backlog; /* absolute */
	item_sink *sink;
	void *sink_arg;
	struct keyset seen;
	int64_t began_ms;

	/* What is too young is put off, so that nothing waits for it, and looked at again at the end, when it has had its time. */
	bool late;              /* now */
	struct keyset deferred; /* what was put off, by the layout's own keys */
	struct later {
		char *path, *rel; /* folder in which something was put off */
	} * later;
	size_t n_later;
};
/* Notes that something in this folder was put off; once for each folder in a row. */
void ingest_defer(struct ingest *in, const char *path, const char *rel, const char *key);

/* settle.c */
/* Whether one of its files changed less than the profile's settle-seconds ago. */
bool document_young(const struct ingest *in, const struct document *d);
bool young(const struct ingest *in, int64_t changed_ns);
/* Sleeps until settle-seconds after the start, so that a backlog that has just been copied is not left to the next run as a whole. */
void settle_wait(const struct ingest *in);
/* Whether the file is as it was when its folder was listed, old enough, and locked by no writer. */
bool settled(const struct ingest *in, const char *path, int64_t size, int64_t changed_ns);
/* The fault of what is still being written: ST_RETRY "not-settled". */
enum status not_settled(const char *path, struct err *e);

/* Whether this text was given before; remembers it. */
bool ingest_seen(struct ingest *in, const char *kind, const char *text);
/* Whether the profile refuses this path below the backlog. */
bool refused_path(const struct profile_ingest *p, const char *path, struct err *e);
/* Whether the profile refuses these values. */
bool refused_values(const struct profile_ingest *p, const struct values *v, struct err *e);
/* Puts the pages in, gives the item its state (refused, quarantined, or ok: then the pages are read and digested), and hands it on.
 * Nothing is read of what belongs to another shard. */
enum status ingest_emit(struct ingest *in, struct item *it, const struct document *d, bool refused, const struct err *fault,
                        struct err *e);

/* Each goes over the backlog twice: the second time (in->late) over what was put off. */
enum status dossiers_produce(struct ingest *in, struct err *e);
enum status plain_produce(struct ingest *in, struct err *e);

#endif
