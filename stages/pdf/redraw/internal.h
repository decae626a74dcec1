/* Shared by the files of this folder only. MuPDF's headers do not compile under our warnings, so they come in here. */
#ifndef ARKSEAL_PDF_REDRAW_INTERNAL_H
#define ARKSEAL_PDF_REDRAW_INTERNAL_H

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#pragma GCC diagnostic ignored "-Wundef"
#include <mupdf/fitz.h>
#include <mupdf/pdf.h>
#pragma GCC diagnostic pop

#include "stages/pdf/redraw/redraw.h"

/* Appends the words of a page of text, whose coordinates are pixels of a picture of width × height. Words that lie outside are left out.
 * False: no memory. */
bool words_take(const fz_stext_page *text, uint32_t width, uint32_t height, struct redraw_page *page);

/* A device that draws nothing and notes whether a page has colours made of inks (CMYK); throws. After the page has been run: whether. */
fz_device *colours_device(fz_context *ctx);
bool colours_are_inks(const fz_device *dev);

/* Lets MuPDF find metric-compatible faces for the usual fonts that are not embedded. */
void faces_install(fz_context *ctx);

#endif
