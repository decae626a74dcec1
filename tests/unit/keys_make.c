#include "tests/unit/keys_make.h"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <string.h>

void make_element(struct buf *to, uint8_t tag, struct bytes content)
{
	buf_byte(to, tag);
	if (content.n < 0x80) {
		buf_byte(to, (uint8_t)content.n);
	} else {
		buf_byte(to, 0x82 - (content.n < 0x100));
		if (content.n >= 0x100)
			buf_byte(to, (uint8_t)(content.n >> 8));
		buf_byte(to, (uint8_t)content.n);
	}
	buf_add(to, content.p, content.n);
}

static void oid_put(struct buf *to, const char *oid)
{
	unsigned char der[64], *p = der;
	ASN1_OBJECT *o = OBJ_txt2obj(oid, 1);
	int n = i2d_ASN1_OBJECT(o, &p);
	ASN1_OBJECT_free(o);
	buf_add(to, der, (size_t)n);
}

void make_attribute(struct buf *to, const char *oid, struct bytes value)
{
	BUF_AUTO struct buf inside = BUF_INIT(65536);
	oid_put(&inside, oid);
	make_element(&inside, 0x31, value);
	make_element(to, 0x30, (struct bytes){inside.data, inside.len});
}

void make_content_type(struct buf *to, const char *oid)
{
	BUF_AUTO struct buf value = BUF_INIT(256);
	oid_put(&value, oid);
	make_attribute(to, "1.2.840.113549.1.9.3", (struct bytes){value.data, value.len});
}

void make_message_digest(struct buf *to, size_t n)
{
	static const uint8_t digest[64] = "a digest of something";
	BUF_AUTO struct buf value = BUF_INIT(256);
	make_element(&value, 0x04, (struct bytes){digest, n});
	make_attribute(to, "1.2.840.113549.1.9.4", (struct bytes){value.data, value.len});
}

void make_signing_certificate(struct buf *to, X509 *c, bool sha512)
{
	uint8_t hash[64];
	unsigned n = 0;
	X509_digest(c, sha512 ? EVP_sha512() : EVP_sha256(), hash, &n);
	BUF_AUTO struct buf id = BUF_INIT(4096), ids = BUF_INIT(4096), list = BUF_INIT(4096), value = BUF_INIT(4096);
	if (sha512) {
		BUF_AUTO struct buf oid = BUF_INIT(64);
		oid_put(&oid, "2.16.840.1.101.3.4.2.3");
		make_element(&id, 0x30, (struct bytes){oid.data, oid.len});
	}
	make_element(&id, 0x04, (struct bytes){hash, n});
	make_element(&ids, 0x30, (struct bytes){id.data, id.len});
	make_element(&list, 0x30, (struct bytes){ids.data, ids.len});
	make_element(&value, 0x30, (struct bytes){list.data, list.len});
	make_attribute(to, "1.2.840.113549.1.9.16.2.47", (struct bytes){value.data, value.len});
}

void make_signing_time(struct buf *to)
{
	static const char time[] = "260612044537Z";
	BUF_AUTO struct buf value = BUF_INIT(64);
	make_element(&value, 0x17, (struct bytes){(const uint8_t *)time, strlen(time)});
	make_attribute(to, "1.2.840.113549.1.9.5", (struct bytes){value.data, value.len});
}

void make_attributes(struct buf *to, X509 *c, size_t n)
{
	BUF_AUTO struct buf inside = BUF_INIT(65536);
	make_content_type(&inside, "1.2.840.113549.1.7.1");
	/* DER's order goes by the length here. */
	if (n > 32)
		make_signing_certificate(&inside, c, false);
	make_message_digest(&inside, n);
	if (n <= 32)
		make_signing_certificate(&inside, c, false);
	make_element(to, 0x31, (struct bytes){inside.data, inside.len});
}
