/*
 * A page as it is displayed (ISO 32000-1, 7.7.3.3, 14.11.2): its visible box, its rotation, its unit; and places on it.
 */
#ifndef ARKSEAL_APPEARANCE_PLACE_H
#define ARKSEAL_APPEARANCE_PLACE_H

#include "stages/base/err.h"
#include "stages/pdf/doc.h"

struct page_view {
	double left, bottom, right, top; /* CropBox within MediaBox, in default user space */
	int rotate;                      /* 0, 90, 180, 270: clockwise */
	double unit;                     /* points in one unit of user space (UserUnit) */
};

/* Reads the page with this object number. Errors: ST_ITEM "page-box" (missing, empty, turned by an odd angle, UserUnit not positive). */
enum status page_view_read(const struct pdfdoc *d, uint32_t page, struct page_view *ret_view, struct err *e);

/* As displayed, in points. */
double page_view_width(const struct page_view *v);
double page_view_height(const struct page_view *v);

enum anchor { ANCHOR_TOP_RIGHT, ANCHOR_TOP_LEFT, ANCHOR_BOTTOM_RIGHT, ANCHOR_BOTTOM_LEFT };
/* "top-right" …; false for another word. */
bool anchor_parse(const char *word, enum anchor *ret_anchor);

struct rect {
	double left, bottom, right, top; /* default user space */
};
/* The lower left corner of a box as displayed, in points from that of the page. */
struct spot {
	double x, y;
};
/* Where a box of width × height points lies whose corner is `margin` points from both edges of the page's corner as displayed.
 * Errors: ST_ITEM "page-box" where it does not fit into the page. */
enum status page_view_corner(const struct page_view *v, enum anchor a, double margin, double width, double height,
                             struct spot *ret_spot, struct err *e);
/* The same box in user space. */
struct rect page_view_rect(const struct page_view *v, struct spot at, double width, double height);

#endif
