#include "stages/trust/der.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

size_t der_begin(struct buf *b, uint8_t tag)
{
	buf_byte(b, tag);
	return b->len;
}

void der_end(struct buf *b, size_t begun)
{
	if (b->failed)
		return;
	size_t n = b->len - begun;
	uint8_t header[1 + sizeof n];
	size_t length = 0;
	if (n < 0x80) {
		header[length++] = (uint8_t)n;
	} else {
		size_t digits = 0;
		for (size_t left = n; left > 0; left >>= 8)
			digits++;
		header[length++] = (uint8_t)(0x80 | digits);
		while (digits > 0)
			header[length++] = (uint8_t)(n >> (8 * --digits));
	}
	if (buf_reserve(b, length) == NULL)
		return;
	memmove(b->data + begun + length, b->data + begun, n);
	memcpy(b->data + begun, header, length);
	b->len += length;
	b->data[b->len] = 0;
}

void der_put(struct buf *b, uint8_t tag, const void *p, size_t n)
{
	size_t begun = der_begin(b, tag);
	buf_add(b, p, n);
	der_end(b, begun);
}

void der_put_number(struct buf *b, uint32_t number)
{
	uint8_t big[5] = {0, (uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
	size_t from = 0;
	while (from < 4 && big[from] == 0 && (big[from + 1] & 0x80) == 0)
		from++;
	der_put(b, DER_INTEGER, big + from, sizeof big - from);
}

void der_put_nid(struct buf *b, int nid)
{
	const ASN1_OBJECT *oid = OBJ_nid2obj(nid);
	der_put(b, DER_OID, OBJ_get0_data(oid), OBJ_length(oid));
}

void der_put_algorithm(struct buf *b, int nid, bool null)
{
	size_t s = der_begin(b, DER_SEQUENCE);
	der_put_nid(b, nid);
	if (null)
		der_put(b, DER_NULL, NULL, 0);
	der_end(b, s);
}

static int compare_encodings(const void *left, const void *right)
{
	const struct bytes *l = left, *r = right;
	int order = memcmp(l->p, r->p, l->n < r->n ? l->n : r->n);
	return order != 0 ? order : l->n < r->n ? -1 : l->n > r->n;
}

void der_put_set(struct buf *b, uint8_t tag, struct bytes *elements, size_t n)
{
	if (n > 1)
		qsort(elements, n, sizeof *elements, compare_encodings);
	size_t s = der_begin(b, tag);
	for (size_t i = 0; i < n; i++)
		buf_add(b, elements[i].p, elements[i].n);
	der_end(b, s);
}

bool der_next(struct bytes *in, uint8_t *ret_tag, struct bytes *ret_content, struct bytes *ret_whole)
{
	const unsigned char *at = in->p;
	long n = 0;
	int tag = 0, class = 0;
	int got = in->n == 0 ? 0x80 : ASN1_get_object(&at, &n, &tag, &class, (long)in->n);
	ERR_clear_error();
	/* 0x80: malformed or longer than what is there; 1: indefinite length. */
	if ((got & 0x81) != 0 || tag > 30)
		return false;
	size_t whole = (size_t)(at - in->p) + (size_t)n;
	if (ret_tag != NULL)
		*ret_tag = (uint8_t)(class | (got & V_ASN1_CONSTRUCTED) | tag);
	if (ret_content != NULL)
		*ret_content = (struct bytes){at, (size_t)n};
	if (ret_whole != NULL)
		*ret_whole = (struct bytes){in->p, whole};
	in->p += whole;
	in->n -= whole;
	return true;
}
