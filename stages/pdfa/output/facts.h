/* What the rules of output intents, profiles and images are told. */
#ifndef ARKSEAL_PDFA_OUTPUT_FACTS_H
#define ARKSEAL_PDFA_OUTPUT_FACTS_H

#include "stages/pdfa/internal.h"

/* The header of an ICC profile (ICC.1, 7.2), as far as rules ask. */
struct icc_header {
	char device_class[5], space[5]; /* signatures; empty where the profile is too short */
	unsigned major;                 /* of the version */
	bool whole;                     /* 128 bytes are there */
};

struct o_icc_profile {
	int64_t n; /* of the stream's dictionary; -1: none */
	const char *space;
};

struct o_icc_input_profile {
	const struct icc_header *h;
};

struct o_icc_output_profile {
	const struct icc_header *h;
};

struct o_output_intents {
	bool same_profile;
};

struct o_output_intent {
	bool pdfx;        /* S is GTS_PDFX */
	bool profile_ref; /* DestOutputProfileRef */
};

struct o_image {
	bool mask, interpolate, alternates, opi;
	int64_t bits; /* BitsPerComponent; 0: no such key; -1: it is 0 or no integer */
};

struct o_mask_image {
	int64_t bits;
};

struct o_jpeg2000 {
	bool has_space; /* the image's dictionary has a ColorSpace, which counts then */
	unsigned channels;
	unsigned specifications, best; /* colr boxes; those whose APPROX is 1 */
	unsigned method;               /* METH of the one that counts; 0: none */
	bool jab;                      /* its enumerated colour space is 19, CIEJab */
	bool bpcc;
	int bit_depth;
};

/* icc_profile.c */
struct icc_header icc_header_read(struct bytes in);
void icc_show(struct check *c, const struct pdfobj *stream, const struct icc_header *h);
/* The digest by which two profiles are the same: the profile ID, or the MD5 that it would be (ICC.1, 7.2.18). False: none can be told. */
bool icc_digest(const struct pdfobj *stream, uint8_t ret_md5[16]);
/* jpeg2000.c: the boxes of a JP2 file (ISO 15444-1, Annex I). What is malformed ends the reading; what was found counts. */
struct o_jpeg2000 jpeg2000_read(struct bytes in);

#endif
