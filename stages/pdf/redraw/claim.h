/*
 * What a PDF says of itself, by the strict reader: whether it claims to be PDF/A, and whether it has been signed.
 */
#ifndef ARKSEAL_PDF_CLAIM_H
#define ARKSEAL_PDF_CLAIM_H

#include <stdbool.h>
#include <stddef.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

struct pdf_claim {
	int part;         /* pdfaid:part, 0 where the XMP does not claim PDF/A */
	char conformance; /* pdfaid:conformance as an upper-case letter, 0 where there is none */
	bool signatures;  /* a signature field with a value, a document timestamp among them */
	size_t pages;
	int version; /* 17 for 1.7 */
	bool encrypted;
	bool attachments;  /* files are embedded in the document (ISO 32000-1, 7.11.4) */
	bool dynamic_form; /* an XFA form that is laid out by the reader; its pages say nothing (NeedsRendering) */
};

/* Errors: ST_ITEM "pdf-…" of the strict reader: then nothing is known. */
enum status pdf_claim_read(struct bytes in, struct pdf_claim *ret_claim, struct err *e);

/* Whether the bytes may be signed: for a file that the strict reader refuses. A signature's ByteRange stands in plain bytes
 * (ISO 32000-1, 12.8.1: it lies outside of object streams), so false is certain, true is not. */
bool pdf_claim_traces(struct bytes in);

/* The part of XMP that pdf_claim_read looks at: part and conformance; zeros where it is not XMP or claims nothing. */
void pdf_claim_xmp(struct bytes xmp, struct pdf_claim *claim);

#endif
