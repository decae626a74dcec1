/*
 * A signature's appearance: text, a picture, or both. The text is lines of real text in an embedded subset font, black in CalGray (which obeys PDF/A whatever
 * the output intent is), no transparency, as a form XObject whose box is just as large as the text.
 */
#ifndef ARKSEAL_APPEARANCE_APPEARANCE_H
#define ARKSEAL_APPEARANCE_APPEARANCE_H

#include <stdbool.h>

#include "stages/appearance/stamp.h"
#include "stages/appearance/typeface.h"
#include "stages/base/err.h"
#include "stages/pdf/update.h"

struct appearance;

enum stamp_side { STAMP_LEFT, STAMP_ABOVE, STAMP_BEHIND }; /* of the text */

struct appearance_request {
	const char *text;          /* UTF-8; lines parted by '\n'; may be empty beside a picture */
	const struct stamp *stamp; /* or NULL; must live as long as the appearance */
	enum stamp_side side;
	double size_pt;      /* of the letters */
	double max_width_pt; /* longer lines are broken between words; a word that is longer has a line of its own */
	bool right;          /* lines end at the right edge */
};

/* Lays text and picture out. face is borrowed and must live as long. Errors: ST_RUN "font-…", ST_ITEM "appearance-empty". */
enum status appearance_new(struct typeface *face, const struct appearance_request *r, struct appearance **ret_appearance,
                           struct err *e);
void appearance_free(struct appearance *a);

/* Size of the box as read, in points. */
double appearance_width(const struct appearance *a);
double appearance_height(const struct appearance *a);

/* Adds the form XObject, its font and its picture for a page that is displayed turned clockwise by `rotate`, so that the text stands upright as
 * seen. soft: soft masks are permitted. Errors: ST_RETRY. */
enum status appearance_write(const struct appearance *a, int rotate, bool soft, struct pdfupd *u, uint32_t *ret_form,
                             struct err *e);

#endif
