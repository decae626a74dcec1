/* ICC profiles: the header, and which two are the same. */
#include <openssl/evp.h>
#include <string.h>

#include "stages/pdfa/output/facts.h"

#define HEADER 128
#define PROFILE_MAX ((size_t)1 << 26)

static void signature(struct bytes in, size_t at, char to[5])
{
	memset(to, 0, 5);
	if (at + 4 <= in.n)
		memcpy(to, in.p + at, 4);
}

struct icc_header icc_header_read(struct bytes in)
{
	struct icc_header h = {.major = in.n > 8 ? in.p[8] : 0, .whole = in.n >= HEADER};
	signature(in, 12, h.device_class);
	signature(in, 16, h.space);
	return h;
}

void icc_show(struct check *c, const struct pdfobj *stream, const struct icc_header *h)
{
	const struct pdfobj *n = pdfobj_get(stream, "N");
	struct o_icc_profile o = {.n = pdfobj_kind(n) == PDF_INTEGER ? pdfobj_integer(n) : -1, .space = h->space};
	pdfa_show(c, O_icc_profile, &o, pdfobj_number(stream), h->space);
}

static bool zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

bool icc_digest(const struct pdfobj *stream, uint8_t ret_md5[16])
{
	BUF_AUTO struct buf b = BUF_INIT(PROFILE_MAX);
	struct err e;
	if (pdfobj_stream(stream, &b, &e) != ST_OK || b.len < HEADER)
		return false;
	if (!zero(b.data + 84, 16)) {
		memcpy(ret_md5, b.data + 84, 16);
		return true;
	}
	struct rd r = RD_INIT(b.data, b.len);
	uint32_t size = rd_u32be(&r);
	if (size < HEADER || size > b.len)
		return false;
	/* The flags and the rendering intent do not count. */
	memset(b.data + 44, 0, 4);
	memset(b.data + 64, 0, 4);
	unsigned n = 0;
	return EVP_Digest(b.data, size, ret_md5, &n, EVP_md5(), NULL) == 1 && n == 16;
}
