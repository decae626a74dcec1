/*
 * Writing DER (X.690) into a buffer, and walking over DER headers by OpenSSL's ASN1_get_object.
 */
#ifndef ARKSEAL_TRUST_DER_H
#define ARKSEAL_TRUST_DER_H

#include <stdbool.h>
#include <stdint.h>

#include "stages/base/buf.h"

enum {
	DER_INTEGER = 0x02,
	DER_OCTETS = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_UTC_TIME = 0x17,
	DER_GENERAL_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT = 0xa0, /* constructed, + number */
};

/* der_begin writes a tag; der_end(where it returned) puts the length between it and what was written since. They nest. */
size_t der_begin(struct buf *b, uint8_t tag);
void der_end(struct buf *b, size_t begun);

void der_put(struct buf *b, uint8_t tag, const void *p, size_t n);
/* A non-negative number. */
void der_put_number(struct buf *b, uint32_t number);
/* The object identifier of one of OpenSSL's numbers. */
void der_put_nid(struct buf *b, int nid);
/* AlgorithmIdentifier, without parameters or with NULL. */
void der_put_algorithm(struct buf *b, int nid, bool null);
/* SET OF (X.690, 11.6): n elements, each a whole TLV, in the order of their encodings. The list is sorted in place. */
void der_put_set(struct buf *b, uint8_t tag, struct bytes *elements, size_t n);

/* Takes the first element off *in. ret_tag is class and constructed bit | number (numbers below 31 only). false: malformed,
 * or indefinite length. Either result may be NULL. */
bool der_next(struct bytes *in, uint8_t *ret_tag, struct bytes *ret_content, struct bytes *ret_whole);

#endif
