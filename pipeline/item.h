/*
 * The item record: what the stages hand to each other, one line of JSON for a document or, after bundle, for a package.
 *
 *   {"kind":"paper","id":"G09.01.0000001","dossier":"G09.01","dossier_size":3,"fonds":"G09","name":"G09.01.0000001",
 *    "path":"G09/hop-01/ho-so-01/0000001","sources":[{"path":"…","size":1,"sha256":"…"}],
 *    "description":{"title":"…"},"dossier_description":{…},
 *    "artefact":{"path":"…","size":1,"sha256":"…","format":"fmt/477"},"companions":[…],"members":[…],
 *    "events":[{"type":"…","time":"…","outcome":"success","detail":"…","agent":"…"}],
 *    "range":[1,16,200],"parts":[…],
 *    "state":"ok","notice":{"code":"…","detail":"…","where":"…","args":["…"]}}
 *
 * Absent members are empty. Unknown members are kept. A stage changes only what it has done: the artefact, events, state.
 */
#ifndef ARKSEAL_PIPELINE_ITEM_H
#define ARKSEAL_PIPELINE_ITEM_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

/* What the document was before it came to us; it decides which rules bind. */
enum item_kind {
	ITEM_PAPER,    /* scanned pages */
	ITEM_MAP,      /* scanned map or drawing */
	ITEM_PHOTO,    /* photograph, negative */
	ITEM_RECEIVED, /* a PDF that came as such */
	ITEM_MEDIA,    /* sound or video */
	ITEM_PACKAGE,  /* a bundled dossier: made by bundle, read by validate */
};

enum item_state {
	ITEM_OK,         /* goes on to the next stage */
	ITEM_RETRY,      /* a fault that passes stopped the stage (ST_RETRY); nothing is wrong with the document */
	ITEM_QUARANTINE, /* the document cannot be done (ST_ITEM) */
	ITEM_REFUSED,    /* the rules forbid to process it (secret, no description …); no stage reads its pages */
	ITEM_STOP,       /* the stage says that the run must stop (ST_RUN) */
	ITEM_PARTS,      /* an answer: the document is long, the stage asks for it in ranges (stage.h) */
};

/* Pages of a document, from 1; of 0: not a range. */
struct item_range {
	uint32_t first, last, of;
};

struct item_file {
	char *path;      /* absolute, or relative to the working directory of the command */
	int64_t size;    /* bytes */
	char sha256[65]; /* lower-case hexadecimal, or "" where it is not known yet */
	char *format;    /* PRONOM key such as "fmt/477", or NULL */
};

struct item {
	enum item_kind kind;
	char *id;      /* identity in the archive: the document code, or its path below the backlog; of a package: the OBJID */
	char *dossier; /* the dossier's code; NULL where the profile has no dossiers */
	uint32_t dossier_size;     /* how many documents the dossier has, the refused and quarantined ones among them */
	char *fonds;               /* the fonds' code, or NULL */
	char *name;                /* file name of the result, without extension */
	char *path;                /* path below the backlog, without extension: where pdfa-only puts the result */
	struct item_file *sources; /* in page order */
	size_t n_sources;
	json_t *description;          /* object: the document's fields by EAD_doc/EAD_pic names, values are strings */
	json_t *dossier_description;  /* object: the dossier's fields by EAD names, values are strings */
	struct item_file artefact;    /* of the last stage; path NULL where there is none yet */
	struct item_file *companions; /* files that go beside the artefact when it is published (seal, evidence record) */
	size_t n_companions;
	json_t *members;         /* array of the ids in a package; else empty */
	json_t *events;          /* array of objects: type, time (ISO 8601), outcome (success, warning, failure), detail, agent */
	struct item_range range; /* between engine and stage only (stage.h) */
	struct item_file *parts; /* likewise */
	size_t n_parts;
	enum item_state state;
	struct err notice; /* why it is not ITEM_OK */
	json_t *other;     /* members that this version does not know */
};

/* All empty and ITEM_OK; NULL when memory runs out. */
struct item *item_new(void);
void item_free(struct item *it);

/* From a line of JSON (n bytes, with or without the newline). Errors: ST_RUN "record-syntax", "record-member". */
enum status item_parse(const char *line, size_t n, struct item **ret_item, struct err *e);
/* Appends one line with its newline. Members always stand in the same order. */
void item_print(const struct item *it, struct buf *to);
/* The same into an empty buffer; the text that is there then, or NULL without memory. */
const char *item_text(const struct item *it, struct buf *to);

/* Sets a string member, copying; frees what was there. */
void item_set(char **member, const char *value);
void item_add_source(struct item *it, const char *path, int64_t size, const char *sha256);
/* What follows the stage's name in the name of a file that a stage made (stage_path): ".alto.xml"; of another file its extension. Inside path. */
const char *item_file_tail(const char *path);
void item_add_companion(struct item *it, const char *path, int64_t size, const char *sha256);
/* The companion that is the signature of an artefact which is no PDF ("<artefact>.p7s"), or NULL. */
struct item_file *item_signature(const struct item *it);
/* Whether the artefact is a PDF, which holds its signatures itself. */
bool item_is_pdf(const struct item *it);
void item_clear_companions(struct item *it);
void item_set_artefact(struct item *it, const char *path, int64_t size, const char *sha256, const char *format);
void item_add_part(struct item *it, const char *path, int64_t size, const char *sha256);
/* Takes range and parts away. */
void item_clear_parts(struct item *it);
/* Notes what was done. type is a PREMIS event type ("transfer", "validation", "digital signature validation" …) or one of our
 * own words where PREMIS has none; outcome "success", "warning" or "failure". */
void item_add_event(struct item *it, int64_t now_ms, const char *type, const char *outcome, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Sets state (from e->status: ST_RETRY, ST_ITEM, ST_RUN/ST_BUG) and notice. */
void item_fail(struct item *it, const struct err *e);
/* Sets ITEM_REFUSED and the notice. */
void item_refuse(struct item *it, const struct err *e);
/* A field of description or dossier_description, or NULL. */
const char *item_field(const json_t *fields, const char *name);

const char *item_kind_name(enum item_kind kind);
const char *item_state_name(enum item_state state);

#endif
