/*
 * Signature fields and their values, added by an incremental update (ISO 32000-1, 12.7.4.5, 12.8; ETSI EN 319 142-1).
 *
 * One update takes one signature: add the field, print the value with room for Contents, finish the update by
 * pdfupd_finish_signature, digest, and fill the hole.
 */
#ifndef ARKSEAL_PDF_FIELD_FIELD_H
#define ARKSEAL_PDF_FIELD_FIELD_H

#include "stages/pdf/update.h"

#define PDFFIELD_NAME 48

struct pdffield {
	uint32_t page;       /* object number of the page that the widget is on */
	double rect[4];      /* left, bottom, right, top in default user space; all zero: nothing to see */
	uint32_t appearance; /* the form XObject for AP/N, or 0: an empty one is made */
	const char *stem;    /* of the name: "Signature" gives "Signature1", or the next number that is free */
};

/* Adds a signature field merged with its widget (F 132: print, locked) to the page's Annots and to the AcroForm, which is made where
 * there is none and gets SigFlags 3. ret_value gets a new object number for the signature dictionary; ret_name the field's name.
 * Errors: ST_ITEM "pdf-form" (Annots, AcroForm or its Fields are no such objects). */
enum status pdffield_add(struct pdfupd *u, const struct pdfdoc *d, const struct pdffield *f, uint32_t *ret_value,
                         char ret_name[PDFFIELD_NAME], struct err *e);

/* Contents may have this many bytes at most, for a string of PDF/A-1 holds 65,535 bytes of file and one of PDF/A-2 32,767
 * (ISO 19005-2, 6.1.13). */
#define PDFFIELD_MAX_CONTENTS 32767u

/* A signature dictionary; strings are UTF-8, NULL where there is none. */
struct pdffield_value {
	const char *type;       /* "Sig" or "DocTimeStamp" */
	const char *sub_filter; /* "ETSI.CAdES.detached" or "ETSI.RFC3161" */
	const char *time;       /* M, a PDF date */
	const char *name, *reason, *location;
	size_t room; /* bytes for Contents */
};
void pdffield_set_value(struct pdfupd *u, uint32_t number, const struct pdffield_value *v);

/* Digest over the original bytes and the update but for the hole and its brackets, which is what ByteRange says. `name` is OpenSSL's;
 * ret_digest has room for 64. Errors: ST_BUG for a digest that is not known. */
enum status pdffield_digest(struct bytes original, const struct buf *update, struct pdfupd_hole hole, const char *name,
                            uint8_t *ret_digest, size_t *ret_n, struct err *e);
/* Writes Contents; false where it does not fit. */
bool pdffield_fill(struct buf *update, struct pdfupd_hole hole, struct bytes contents);

/* Number of the catalog. */
uint32_t pdffield_catalog(const struct pdfdoc *d);

#endif
