/* A picture as an image XObject (ISO 32000-1, 8.9). Not for others than stages/pdf. */
#ifndef ARKSEAL_PDF_MAKE_PICTURE_OBJECT_H
#define ARKSEAL_PDF_MAKE_PICTURE_OBJECT_H

#include "stages/image/picture.h"
#include "stages/pdf/make/make.h"
#include "stages/pdf/make/writer.h"

/* The ICC profiles of a document, each written once. */
struct profiles {
	struct {
		uint8_t digest[32];
		uint32_t object;
	} * list;
	size_t n;
	uint32_t own[3]; /* by enum icc_kind; 0: not written yet */
};

void profiles_free(struct profiles *f);
/* The object of a profile of our own (kind: enum icc_kind). */
enum status profiles_own(struct profiles *f, struct writer *w, unsigned kind, uint32_t *ret_object, struct err *e);

/* Writes the picture; faults of the stream are noted in w. */
enum status picture_object(struct profiles *f, struct writer *w, const struct picture *p, const struct pdfmake_coded *coded,
                           uint32_t *ret_object, struct err *e);

#endif
