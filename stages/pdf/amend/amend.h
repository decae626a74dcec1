/*
 * The least change that makes a PDF/A-2b, or 3b, of a PDF (ISO 19005-2, -3): its objects are written anew one by one, as they are, but for what the
 * standard forbids and a reader does not show (scripts, alternates, flags of printing, …), with metadata and an output intent. Content streams
 * and pictures stay byte for byte; a filter that is not permitted is replaced. What else a file needs is done only where the checker asks for
 * it (amend_remedies). Whether the outcome is PDF/A the checker decides, and whether its pages look as before a drawing of both.
 *
 * Numbers of objects and their order follow from the document alone: the same input gives the same bytes.
 */
#ifndef ARKSEAL_PDF_AMEND_H
#define ARKSEAL_PDF_AMEND_H

#include <stdio.h>

#include "stages/base/digest.h"
#include "stages/base/err.h"
#include "stages/pdf/doc.h"
#include "stages/pdf/make/make.h"
#include "stages/pdfa/check.h"
#include "stages/text/ocr.h"

/* What is done on request only, as bits. */
enum amend_remedy {
	AMEND_XMP_ANEW =
	    1, /* XMP from description and Info instead of the file's own with a claim put in; none on parts of it (6.6) */
	AMEND_OWN_INTENT = 2,   /* the file's output intents replaced by sRGB (6.2.3) */
	AMEND_DEFAULT_CMYK = 4, /* DefaultCMYK wherever resources are named (6.2.4.3, ISO 32000-1, 8.6.5.6) */
	AMEND_NO_SUBSETS = 8,   /* CharSet and CIDSet taken out (6.2.11.4.2) */
	AMEND_EMBED =
	    16, /* simple fonts that every reader was expected to have: embedded, by faces of the same widths (6.2.11.4.1) */
	AMEND_NO_ENCODING = 32, /* Encoding of symbolic TrueType fonts taken out (6.2.11.6) */
};

/* What was changed, to be told. */
enum amend_change {
	AMEND_SCRIPTS,      /* JavaScript */
	AMEND_ACTIONS,      /* other actions that are not permitted (6.5) */
	AMEND_FORMS,        /* XFA, NeedAppearances, actions of form fields (6.4) */
	AMEND_ANNOTATIONS,  /* flags, appearances but the normal one (6.3) */
	AMEND_HIDDEN,       /* annotations that nobody sees taken off their page */
	AMEND_LAYERS,       /* configurations of optional content (6.9) */
	AMEND_PICTURES,     /* Interpolate, Alternates, OPI (6.2.8) */
	AMEND_STATES,       /* transfer functions, halftones, rendering intents (6.2.5, 6.2.6) */
	AMEND_FILTERS,      /* streams decoded and compressed by Flate (6.1.7.2) */
	AMEND_FONTS,        /* entries of font dictionaries (6.2.11) */
	AMEND_EMBEDDED,     /* fonts embedded */
	AMEND_PRESENTATION, /* PresSteps, AlternatePresentations, Requirements, Perms (6.10 to 6.12) */
	AMEND_INKS,         /* resources that got DefaultCMYK */
	AMEND_INTENTS,      /* output intents replaced */
	AMEND_METADATA,     /* XMP replaced */
	AMEND_ATTACHED,     /* embedded files taken out (6.8) */
	AMEND_DRAWN,        /* pages that became pictures */
	AMEND_CHANGES,
};
/* "scripts", … for a sentence in English. */
const char *amend_change_name(enum amend_change c);

/* The remedies for what the checker found; 0 where nothing here helps. */
unsigned amend_remedies(const struct pdfa_result *found);

struct amend;

/* d and the stream must live as long; meta is read while this runs. d may be a lenient reader's. Errors: ST_ITEM "pdf-encrypted",
 * "pdf-…" of the reader; ST_RETRY. */
enum status amend_open(const struct pdfdoc *d, FILE *to, const struct pdfmake_meta *meta, unsigned remedies,
                       struct amend **ret_amend, struct err *e);
void amend_free(struct amend *a);

/* Embedded files that do not stay, by the numbers of their streams (sorted; they must live as long as the document is written). none_stays: these
 * are all that there are. */
void amend_leave_out(struct amend *a, const uint32_t *streams, size_t n, bool none_stays);

/* Embedded files that others take the place of, all PDF; by the numbers of their streams, rising. They must live as long as the document is written. */
struct amend_file {
	uint32_t number;
	struct bytes content;
};
void amend_replace(struct amend *a, const struct amend_file *files, size_t n);

/* For part 3 (ISO 19005-3, 6.8), which meta asks for: file specifications that are associated with the document (AF of the catalog), by their
 * numbers; they must live as long as the document is written. Every embedded file gets what it lacks: a relationship (Unspecified), a media type. */
void amend_associate(struct amend *a, const uint32_t *specifications, size_t n);
/* Whether an object of the received document is in the new file; after amend_finish. */
bool amend_holds(const struct amend *a, uint32_t number);

/* Puts invisible text on a page, from 0. words lie on the upright visible page drawn as width x height pixels. Each page at most once.
 * Errors: as amend_open. */
enum status amend_text(struct amend *a, size_t page, const struct ocr_page *words, uint32_t width, uint32_t height,
                       struct err *e);

/* A page, from 0, becomes this picture of it, upright: its content, resources and annotations go, words (or NULL) lie under it. No amend_text for such a
 * page. Errors: as amend_open, pdfmake_code. */
enum status amend_picture(struct amend *a, size_t page, const struct picture *p, const struct ocr_page *words, struct err *e);

/* Writes everything. ret_written may be NULL. Errors: faults of the reader, of writing. */
enum status amend_finish(struct amend *a, struct written *ret_written, struct err *e);
/* How often something was changed; after amend_finish. */
uint64_t amend_changed(const struct amend *a, enum amend_change c);

#endif
