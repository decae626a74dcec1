/*
 * What a page looks like from afar: whether anything is on it, and whether it is like another one.
 */
#ifndef ARKSEAL_IMAGE_LOOK_H
#define ARKSEAL_IMAGE_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#define LOOK_CELLS 24 /* across and down */

struct picture_look {
	bool blank;                             /* next to nothing is darker than the paper, the edges of the page apart */
	uint8_t cells[LOOK_CELLS * LOOK_CELLS]; /* mean brightness */
};

/* Looks at 8-bit grey pixels without gaps, of at least one pixel. */
void picture_look(const uint8_t *grey, uint32_t width, uint32_t height, struct picture_look *ret_look);
/* How alike two pages are: the correlation of their cells, 1 for the same; 0 where one of them is of one shade. */
double picture_likeness(const struct picture_look *a, const struct picture_look *b);

#endif
