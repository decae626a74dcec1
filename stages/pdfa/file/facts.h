/* What the rules of the file's structure are told. */
#ifndef ARKSEAL_PDFA_FILE_FACTS_H
#define ARKSEAL_PDFA_FILE_FACTS_H

#include "stages/pdfa/internal.h"

struct o_file {
	/* The header (ISO 32000-1, 7.5.2). */
	uint64_t header_offset;
	bool header_any, header_1_7, header_2; /* "%PDF-n.m" begins it; it is "%PDF-1.0" to "1.7"; "%PDF-2.n" */
	bool binary_comment;
	bool nothing_follows; /* the last %%EOF, but for one end-of-line */
	/* File identifiers: of the first page's trailer in a linearized file, of the last trailer. */
	bool linearized, has_first_id, has_last_id, same_id, empty_id;
	uint64_t objects;
	/* The catalog. */
	bool marked, needs_rendering, requirements, optional_content, embedded_files, piece_info;
	bool info; /* the trailer has Info */
};

struct o_trailer {
	bool encrypted;
};

struct o_xref {
	bool eol_after_keyword, spaced_header;
};

struct o_indirect_object {
	bool spaced;
};

struct o_stream {
	bool right_length, keyword_eol, end_eol;
	bool external; /* F, FFilter or FDecodeParms */
};

struct o_filter {
	const char *name;
	bool identity; /* Crypt with the Name Identity */
};

struct o_string {
	size_t length; /* bytes, decoded */
	unsigned form; /* enum pdfobj_form */
};

struct o_name {
	size_t length; /* bytes, decoded */
};

struct o_unicode_name {
	bool utf8;
};

struct o_integer {
	bool fits; /* 32 bits */
};

struct o_real {
	double value;
};

struct o_array {
	size_t length;
};

struct o_dictionary {
	size_t length;
};

/* bytes.c: what only the bytes tell. */
struct o_indirect_object file_spacing(struct bytes in, uint64_t offset, uint64_t length);
struct o_xref file_xref(struct bytes in, uint64_t offset);
struct o_stream file_stream(struct bytes in, const struct pdfobj *stream);
/* objects.c */
void file_objects(struct check *c);

#endif
