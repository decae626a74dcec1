/* What the files of the stage share. */
#ifndef ARKSEAL_SIGN_INTERNAL_H
#define ARKSEAL_SIGN_INTERNAL_H

#include "stages/appearance/appearance.h"
#include "stages/appearance/place.h"
#include "stages/pdf/field/field.h"
#include "stages/sign/session.h"

/* Verifies every signature of the document, with revocation data asked now, and notes an event for each.
 * Errors: ST_ITEM "docmdp-forbids", "earlier-signature-invalid", "earlier-signature-changes"; ST_RETRY where a server that may
 * decide does not answer. */
enum status earlier_check(const struct session *s, const struct pdfdoc *d, struct item *it, struct err *e);

/* An update that holds the field, its appearance and the signature dictionary, but for the signature. */
struct layout {
	struct buf update;
	struct pdfupd_hole hole;
	char field[PDFFIELD_NAME];
};
/* What a signature looks like in all documents. */
struct look {
	struct typeface *face; /* NULL: nothing is visible */
	struct stamp *stamp;   /* or NULL */
};
/* it: whose description the text may quote; or NULL. now_ms is the instant that M and the text show. room: bytes for Contents. Errors: ST_ITEM
 * "appearance-field" (the description does not say what the text quotes), "page-box", "pdf-…". */
enum status layout_make(const struct stage_env *env, const struct look *look, const struct pdfdoc *d, const struct item *it,
                        int64_t now_ms, size_t room, struct layout *ret_layout, struct err *e);

/* Looks at a page, from 0, as it is drawn: where the box at *spot covers something, *spot becomes the nearest place within the margins that is
 * free, as long as it moves. Errors: ST_ITEM "place-taken" (there is none, or it must not move), "place-unknown" (the page cannot be drawn); ST_RETRY. */
enum status room_find(const char *path, size_t page, const struct page_view *v, double margin, double width, double height,
                      bool moves, struct spot *spot, struct err *e);

/* The template with its places filled in; the caller frees. it NULL: what stands in descriptions stays as it is. Errors: as layout_make. */
enum status layout_text(const struct stage_env *env, const struct item *it, const char *time, char **ret_text, struct err *e);

/* ST_RUN "profile-value": the loader's check is not ours to rely on. */
enum status bad_profile(struct err *e, const char *key, const char *value, const char *allowed);

#endif
