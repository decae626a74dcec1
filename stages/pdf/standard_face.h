/* Faces on this machine that have the widths of the fonts that every reader was once expected to have (ISO 32000-1, 9.6.2.2). */
#ifndef ARKSEAL_PDF_STANDARD_FACE_H
#define ARKSEAL_PDF_STANDARD_FACE_H

#include <stdbool.h>

enum { STANDARD_FACE_PATH = 512 };

/* The file of the face that stands in for a font of this name (BaseFont; a subset tag, spaces and styles in it are understood). False: none
 * has its widths. */
bool pdf_standard_face(const char *name, bool bold, bool italic, char ret_path[STANDARD_FACE_PATH]);

#endif
