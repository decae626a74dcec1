/* What the files of the stage share. */
#ifndef ARKSEAL_SIGN_INTERNAL_H
#define ARKSEAL_SIGN_INTERNAL_H

#include "stages/appearance/appearance.h"
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
/* face is NULL where the profile wants nothing visible; now_ms is the instant that M and the text show. room: bytes for Contents. */
enum status layout_make(const struct stage_env *env, struct typeface *face, const struct pdfdoc *d, int64_t now_ms, size_t room,
                        struct layout *ret_layout, struct err *e);

/* The template with its places filled in; the caller frees. NULL: no memory. */
char *layout_text(const struct stage_env *env, const char *time);

/* ST_RUN "profile-value": the loader's check is not ours to rely on. */
enum status bad_profile(struct err *e, const char *key, const char *value, const char *allowed);

#endif
