/*
 * A strict reader of PDF (ISO 32000-1, 7): objects, cross-references and revisions by offset, over bytes that are mapped. It
 * repairs nothing: what does not follow the syntax is an error with its byte offset. Signatures and updates are read by this and by
 * nothing else. MuPDF draws, extracts text and mends received PDFs; never here.
 *
 * Strict means, where readers are known to differ: %PDF stands at byte 0 and nothing but white space follows the last %%EOF; a
 * cross-reference entry has 20 bytes; an object stands exactly where its entry says, with that number and generation; Length is
 * right; no dictionary has a key twice; no object in use lies beyond Size; /Prev leads back in the file, but for the two sections of
 * a linearized file; a section has one entry an object. A wrong reference (absent, free, another generation) is the null object.
 */
#ifndef ARKSEAL_PDF_DOC_H
#define ARKSEAL_PDF_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

enum pdfobj_kind {
	PDF_NULL,
	PDF_BOOLEAN,
	PDF_INTEGER,
	PDF_REAL,
	PDF_STRING,
	PDF_NAME,
	PDF_ARRAY,
	PDF_DICT,
	PDF_STREAM,
	PDF_REFERENCE,
};

/* An object. Belongs to its pdfdoc and lives as long. Never NULL: what is missing is the null object. */
struct pdfobj;
struct pdfdoc;

/* Opens over bytes that must live as long as the result. Reads the header, the last startxref and the whole chain of
 * cross-references (tables, streams, hybrids). Errors: ST_ITEM "pdf-…" with the offset in e->where. */
enum status pdfdoc_open(struct bytes in, struct pdfdoc **ret_doc, struct err *e);
/* The same for a checker of PDF/A, which has rules of its own for what is wrong here: bytes before the header (offsets count from the
 * header then) and after the last marker, a version that is none, the spacing of cross-reference tables, objects beyond Size, a
 * wrong Length, missing ends of lines and endobj, wrong digits in hexadecimal strings and names, keys that stand twice (the last counts).
 * Nothing that PDF itself calls for is guessed: without cross-references there is no document. */
enum status pdfdoc_open_lenient(struct bytes in, struct pdfdoc **ret_doc, struct err *e);
void pdfdoc_close(struct pdfdoc *d);
struct bytes pdfdoc_bytes(const struct pdfdoc *d); /* from the header on */
uint64_t pdfdoc_header(const struct pdfdoc *d);    /* offset of the header in what was opened; 0 unless lenient */

/* Revisions, oldest first. A revision ends after its %%EOF and end-of-line. */
struct pdfdoc_revision {
	uint64_t startxref; /* offset of its newest cross-reference section */
	uint64_t end;       /* offset of the first byte after it */
};
size_t pdfdoc_revisions(const struct pdfdoc *d);
struct pdfdoc_revision pdfdoc_revision(const struct pdfdoc *d, size_t i);
/* The document as it was at the end of revision i, over the same bytes; the caller closes it. */
enum status pdfdoc_open_revision(const struct pdfdoc *d, size_t i, struct pdfdoc **ret_doc, struct err *e);

/* Cross-reference sections, the newest first; the stream of a hybrid file after its table. */
struct pdfdoc_section {
	uint64_t offset;
	const struct pdfobj *trailer; /* or the cross-reference stream */
	bool is_stream;
};
size_t pdfdoc_sections(const struct pdfdoc *d);
struct pdfdoc_section pdfdoc_section(const struct pdfdoc *d, size_t i);

bool pdfdoc_encrypted(const struct pdfdoc *d);
bool pdfdoc_has_xref_stream(const struct pdfdoc *d); /* the newest section is a stream */
uint32_t pdfdoc_size(const struct pdfdoc *d);        /* /Size: one more than the highest object number */
int pdfdoc_version(const struct pdfdoc *d);          /* 17 for 1.7; the catalog's /Version counts */
const struct pdfobj *pdfdoc_trailer(const struct pdfdoc *d);
const struct pdfobj *pdfdoc_catalog(const struct pdfdoc *d);

/* An indirect object by number; the null object where it is free or absent. A syntax fault is noted in the document (the
 * first one counts) and gives the null object; ask pdfdoc_fault when done. */
const struct pdfobj *pdfdoc_object(const struct pdfdoc *d, uint32_t number);
enum status pdfdoc_fault(const struct pdfdoc *d, struct err *e);
/* The number of the next object in use after `number`, in order; 0: there is none. */
uint32_t pdfdoc_next(const struct pdfdoc *d, uint32_t number);
/* Drops parsed objects where they have come to take more than a few MiB: for a walk over a document of any size. Every pdfobj got
 * from this document before, but for the trailer, is invalid afterwards. */
void pdfdoc_forget(const struct pdfdoc *d);
/* Where an object lies: offset and length of "N G obj … endobj", or the number of its object stream in *ret_stream. */
bool pdfdoc_locate(const struct pdfdoc *d, uint32_t number, uint64_t *ret_offset, uint64_t *ret_length, uint32_t *ret_stream);

/* Pages by index from 0, through /Pages, with limits on depth and loops. The object number of the page. */
enum status pdfdoc_pages(const struct pdfdoc *d, size_t *ret_count, struct err *e);
enum status pdfdoc_page(const struct pdfdoc *d, size_t index, uint32_t *ret_number, struct err *e);
/* The pages one after the other, for a walk that does not want them all: nothing is listed, and the reader may forget between two pages. One
 * walk at a time. The number is 0 after the last page. */
struct pdfpages;
enum status pdfpages_new(const struct pdfdoc *d, struct pdfpages **ret_pages, struct err *e);
enum status pdfpages_next(struct pdfpages *w, uint32_t *ret_number, struct err *e);
void pdfpages_free(struct pdfpages *w); /* NULL: nothing */
/* A page's attribute, inherited where the standard says so (Resources, MediaBox, CropBox, Rotate). */
const struct pdfobj *pdfdoc_page_attribute(const struct pdfdoc *d, uint32_t page, const char *key);

/* Values. References are followed by all but pdfobj_kind_direct and pdfobj_reference. A wrong kind gives 0, false, "" or the
 * null object. */
enum pdfobj_kind pdfobj_kind(const struct pdfobj *o);
enum pdfobj_kind pdfobj_kind_direct(const struct pdfobj *o);
uint32_t pdfobj_reference(const struct pdfobj *o); /* object number, 0 where it is no reference */
uint32_t pdfobj_number(const struct pdfobj *o);    /* of the indirect object that holds it directly or is it; 0: trailer */
bool pdfobj_boolean(const struct pdfobj *o);
int64_t pdfobj_integer(const struct pdfobj *o);
double pdfobj_real(const struct pdfobj *o);
struct bytes pdfobj_string(const struct pdfobj *o); /* decoded */
const char *pdfobj_name(const struct pdfobj *o);    /* without '/', #xx decoded */
bool pdfobj_is_name(const struct pdfobj *o, const char *name);
size_t pdfobj_length(const struct pdfobj *o); /* entries of an array or a dictionary (a stream's too) */
const struct pdfobj *pdfobj_at(const struct pdfobj *o, size_t i);
const struct pdfobj *pdfobj_get(const struct pdfobj *o, const char *key);
const char *pdfobj_key(const struct pdfobj *o, size_t i);
const struct pdfobj *pdfobj_value(const struct pdfobj *o, size_t i);
/* How a string or a number is written. */
enum pdfobj_form {
	PDF_FORM_HEX = 1,     /* a hexadecimal string */
	PDF_FORM_ODD = 2,     /* with an odd number of characters that are no white space */
	PDF_FORM_NO_HEX = 4,  /* with a character that is no digit (met by a lenient reader only) */
	PDF_FORM_INTEGER = 8, /* an integer; where its kind is PDF_REAL: one beyond 64 bits */
};
unsigned pdfobj_form(const struct pdfobj *o);
/* Where the source of a direct object lies: for a signature's /Contents, with its '<' and '>'. */
void pdfobj_span(const struct pdfobj *o, uint64_t *ret_offset, uint64_t *ret_length);
/* A stream's data as it lies in the file, and decoded (Flate with predictors, ASCIIHex, ASCII85, LZW, RunLength; other filters are ST_ITEM
 * "pdf-filter"), at most to->max bytes. */
struct bytes pdfobj_stream_raw(const struct pdfobj *o);
enum status pdfobj_stream(const struct pdfobj *o, struct buf *to, struct err *e);

/* Writes an object as PDF syntax (direct; streams give their dictionary). */
void pdfobj_print(const struct pdfobj *o, struct buf *to);
/* A name (7.3.5) with its '/'. */
void pdf_print_name(const char *name, struct buf *to);
/* Text string (7.9.2.2: PDFDocEncoding, UTF-16BE, UTF-8 with mark) to UTF-8; the caller frees. */
char *pdfobj_text(const struct pdfobj *o);
/* The reverse, as a PDF string object with its brackets: plain where ASCII, else UTF-16BE. */
void pdf_print_text(const char *utf8, struct buf *to);

#endif
