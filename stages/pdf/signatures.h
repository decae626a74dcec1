/*
 * The signatures of a document, and what was changed after each (ISO 32000-1, 12.8; ETSI EN 319 142-1).
 */
#ifndef ARKSEAL_PDF_SIGNATURES_H
#define ARKSEAL_PDF_SIGNATURES_H

#include "stages/pdf/doc.h"

enum pdfsig_changes {
	PDFSIG_NONE,      /* nothing after the signed revision */
	PDFSIG_ALLOWED,   /* only DSS, document timestamps, further signatures, and what DocMDP and FieldMDP permit */
	PDFSIG_FORBIDDEN, /* anything else */
};

struct pdfsig {
	char *field;     /* full name of the field */
	uint32_t object; /* of the signature dictionary (or of the object that holds it) */
	bool timestamp;  /* /Type DocTimeStamp, SubFilter ETSI.RFC3161 */
	char *sub_filter;
	uint64_t range[4];   /* ByteRange: offset, length, offset, length */
	bool range_ok;       /* exactly two parts from 0, the hole is exactly Contents with its brackets, the end is the end of a
	                            * revision */
	size_t revision;     /* index of the revision whose end the range ends at */
	bool whole_file;     /* the range ends where the file ends */
	struct buf contents; /* the DER, with trailing zeros cut */
	bool has_time;
	int64_t time_ms; /* /M */
	enum pdfsig_changes changes;
	char change_reason[256]; /* what the forbidden change is, English; "" */
	int doc_mdp;             /* 1–3 where this is the certification signature, else 0 */
};

/* All signed signature fields, in the order in which they were made (by the end of the range). The caller frees the list with
 * pdfsig_free. Errors: ST_ITEM "pdf-…". */
enum status pdfsig_list(const struct pdfdoc *d, struct pdfsig **ret_list, size_t *ret_n, struct err *e);
void pdfsig_free(struct pdfsig *list, size_t n);

/* Digest over the byte range, streamed from the document's bytes; name is OpenSSL's ("SHA256"). ret_digest has room for 64. */
enum status pdfsig_digest(const struct pdfdoc *d, const struct pdfsig *s, const char *name, uint8_t *ret_digest, size_t *ret_n,
                          struct err *e);

/* The streams of the document's DSS (EN 319 142-1, 5.4): calls back once for each certificate, OCSP answer and CRL. */
enum pdfdss_kind { PDFDSS_CERT, PDFDSS_OCSP, PDFDSS_CRL };
enum status pdfdss_each(const struct pdfdoc *d, void (*each)(void *arg, enum pdfdss_kind kind, struct bytes der), void *arg,
                        struct err *e);

#endif
