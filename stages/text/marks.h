/*
 * Words that stand on a page by themselves, as stamps do: "TUYỆT MẬT". Within a sentence or a title the same words mean nothing.
 */
#ifndef ARKSEAL_TEXT_MARKS_H
#define ARKSEAL_TEXT_MARKS_H

#include "stages/text/ocr.h"

/* Whether one of n marks (words parted by spaces, in the case that they have on paper) stands alone on the page: no word in capitals lies
 * beside it, nearer than a letter is high. A letter that was read without one of its accents counts as well ("TUYÊT MÂT"); one with another
 * accent does not ("MẤT"). *ret_memory: there was not enough. */
bool marks_found(const struct ocr_page *page, char *const *marks, size_t n, bool *ret_memory);

#endif
