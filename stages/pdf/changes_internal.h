/* What the two halves of the judging of changes share. Private to this folder. */
#ifndef ARKSEAL_PDF_CHANGES_INTERNAL_H
#define ARKSEAL_PDF_CHANGES_INTERNAL_H

#include "stages/pdf/changes.h"
#include "stages/pdf/internal.h"

/* By which ways the signed revision reaches an object. */
enum role {
	ROLE_FIXED = 1,   /* content: must stay */
	ROLE_DSS = 2,     /* below DSS or Extensions: may be anything */
	ROLE_INFO = 4,    /* the Info dictionary */
	ROLE_FILL = 8,    /* value or appearance of a field that may be filled in, or of a free annotation */
	ROLE_ANNOTS = 16, /* the Annots array of a page */
	ROLE_FIELDS = 32, /* the Fields array of the form */
	ROLE_DR = 64,     /* default resources of the form */
	ROLE_FONTS = 128, /* their dictionary of fonts: may grow */
	ROLE_META = 256,  /* the XMP packet of the document */
};

/* What an object is by its place in the structure; such a one is judged by its keys, however it is reached. */
enum class {
	CLASS_NONE,
	CLASS_CATALOG,
	CLASS_FORM,
	CLASS_PAGE,
	CLASS_FIELD_FIXED, /* signed, or locked, or no filling in is allowed */
	CLASS_FIELD_FILL,
	CLASS_FIELD_SIGN, /* a signature field without a signature */
	CLASS_ANNOTATION, /* free with P = 3 */
};

struct work {
	uint32_t number;
	uint16_t role;
};

struct judge {
	const struct pdfdoc *before, *after;
	struct pdfsig *sig;
	struct err *e;
	enum status st;
	int level;       /* P of DocMDP */
	uint16_t *roles; /* by object number */
	uint8_t *classes;
	uint32_t n;
	struct work *work;
	size_t n_work, cap_work;
	/* FieldMDP and Lock of the signature that is judged, at most two. */
	const struct pdfobj *locks[2];
	size_t n_locks;
	size_t looked_at; /* entries of fields and kids, in search of a widget's field */
	bool forbidden;
};

/* The first reason counts. */
void changes_forbid(struct judge *j, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Whether the key is in the list, which NULL ends. */
bool changes_listed(const char *key, const char *const *keys);

/* Classes of catalog, form, fields, pages and annotations of the signed revision, then the roles of everything that it reaches. */
void changes_class_all(struct judge *j);
void changes_spread_roles(struct judge *j);

/* Whether FieldMDP or Lock name this field. */
bool changes_locked(const struct judge *j, const char *field);
/* How many streams the trailer entry of a LibreOffice hybrid leads to. */
size_t changes_additional_streams(const struct pdfdoc *d);

#endif
