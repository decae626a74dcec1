/*
 * An incremental update (ISO 32000-1, 7.5.6): objects are added or replaced, the bytes before stay as they were.
 */
#ifndef ARKSEAL_PDF_UPDATE_H
#define ARKSEAL_PDF_UPDATE_H

#include "stages/pdf/doc.h"

struct pdfupd;

/* d must live as long. Refuses encrypted documents: ST_ITEM "pdf-encrypted". */
enum status pdfupd_new(const struct pdfdoc *d, struct pdfupd **ret_update, struct err *e);
void pdfupd_free(struct pdfupd *u);

/* A new object number. */
uint32_t pdfupd_allocate(struct pdfupd *u);
/* Sets the body of an object, new or existing: everything between "N G obj" and "endobj". */
void pdfupd_set(struct pdfupd *u, uint32_t number, const void *body, size_t n);
/* A stream: `dict` is the inside of the dictionary without /Length and the brackets; data as it is. */
void pdfupd_set_stream(struct pdfupd *u, uint32_t number, const char *dict, const void *data, size_t n);
/* As pdfdoc_object, but what this update has set comes first, parsed. References in old objects lead to old objects: look them
 * up by their numbers where the update may have set them. */
const struct pdfobj *pdfupd_object(struct pdfupd *u, uint32_t number);
/* The dictionary of an object (old or set) as text with some keys replaced: the inside of << >>, without the keys named in the
 * NULL-ended list; the caller adds its own entries. For a stream object use it on the dictionary only. */
void pdfupd_print_without(struct pdfupd *u, uint32_t number, const char *const *keys, struct buf *to);

/* Makes the bytes to append after the document's: an end-of-line where the document does not end with one, the objects, a
 * cross-reference section in the document's own style (table or stream; a table for a hybrid), trailer with /Prev, startxref. The
 * trailer keeps the old one's entries; the second element of /ID follows from what is written. The same calls give the same bytes.
 * Errors: ST_RETRY "memory", ST_ITEM "pdf-limit" (a table cannot hold the offset), ST_BUG "pdf-update" (a body is no PDF
 * object). */
enum status pdfupd_finish(struct pdfupd *u, struct buf *to, struct err *e);

/* As pdfupd_finish for an update that holds one signature dictionary, given as number of its object, whose body holds
 * "/ByteRange [0000000000 0000000000 0000000000 0000000000]" (or with as much room) and "/Contents <000…>". Fills in the
 * ByteRange (12.8.1) over the whole new file; ret_hole gets where in *to the hexadecimal digits of Contents lie (without < >). */
struct pdfupd_hole {
	size_t at;     /* offset in *to of the first digit */
	size_t digits; /* how many */
};
enum status pdfupd_finish_signature(struct pdfupd *u, uint32_t number, struct buf *to, struct pdfupd_hole *ret_hole,
                                    struct err *e);

#endif
