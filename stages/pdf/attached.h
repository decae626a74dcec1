/*
 * Files that are embedded in a PDF (ISO 32000-1, 7.11.4): in the list of attachments, in annotations, in media, wherever a file specification
 * has the key EF; and sounds and 3D artworks, which lie in it as streams of their own (13.3, 13.6.3).
 */
#ifndef ARKSEAL_PDF_ATTACHED_H
#define ARKSEAL_PDF_ATTACHED_H

#include "stages/pdf/doc.h"

struct pdf_attached {
	uint32_t number; /* object of the embedded file's stream */
	uint32_t
	    specification; /* object of the (first) specification that names it; 0: it lies in another object, or there is none */
	char *name; /* UTF-8, as the specification has it; may be anything, or empty; of sounds and artworks: what they are */
};

struct pdf_attached_list {
	struct pdf_attached *files; /* by number; each once */
	size_t n;
};

/* Looks at every object of the document. The result is freed with pdf_attached_free, whatever is returned. Errors: ST_ITEM "pdf-…" of the reader;
 * ST_RETRY "memory". */
enum status pdf_attached_find(const struct pdfdoc *d, struct pdf_attached_list *ret_list, struct err *e);
void pdf_attached_free(struct pdf_attached_list *l);

#endif
