#include "stages/trust/keys/attributes.h"

#include <openssl/evp.h>
#include <string.h>

#define B(text)                                                                                                                  \
	{                                                                                                                        \
		(const uint8_t *)(text), sizeof(text) - 1                                                                        \
	}

static const struct bytes id_data = B("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01");

static const struct {
	struct bytes oid; /* contents of the OBJECT IDENTIFIER */
	const EVP_MD *(*md)(void);
} hashes[] = {
    {B("\x60\x86\x48\x01\x65\x03\x04\x02\x01"), EVP_sha256},
    {B("\x60\x86\x48\x01\x65\x03\x04\x02\x02"), EVP_sha384},
    {B("\x60\x86\x48\x01\x65\x03\x04\x02\x03"), EVP_sha512},
};

enum { OCTETS = 0x04, OID = 0x06, UTC_TIME = 0x17, TIME = 0x18, SEQUENCE = 0x30, SET = 0x31 };

/* One DER element (X.690, 10.1: shortest definite length) of a tag. The contents, or {NULL, 0} and failed. */
static struct bytes element(struct rd *r, uint8_t tag)
{
	uint8_t got = rd_u8(r);
	size_t n = rd_u8(r);
	if (n >= 0x80) {
		size_t digits = n & 0x7F, value = 0;
		if (digits < 1 || digits > 3)
			r->failed = true;
		for (size_t i = 0; !r->failed && i < digits; i++)
			value = value << 8 | rd_u8(r);
		if (value < 0x80 || (digits > 1 && value >> (8 * (digits - 1)) == 0))
			r->failed = true;
		n = value;
	}
	if (got != tag)
		r->failed = true;
	return r->failed ? (struct bytes){NULL, 0} : rd_take(r, n);
}

static bool ended(const struct rd *r)
{
	return !r->failed && rd_left(r) == 0;
}

struct wanted {
	size_t digest_n;
	const X509 *own;
};

static bool content_type(struct rd *r, const struct wanted *w)
{
	(void)w;
	struct bytes type = element(r, OID);
	return ended(r) && bytes_equal(type, id_data);
}

static bool message_digest(struct rd *r, const struct wanted *w)
{
	struct bytes digest = element(r, OCTETS);
	return ended(r) && digest.n == w->digest_n;
}

static bool signing_time(struct rd *r, const struct wanted *w)
{
	(void)w;
	uint8_t tag = rd_left(r) > 0 ? r->in.p[r->at] : 0;
	struct bytes time = element(r, tag == TIME ? TIME : UTC_TIME);
	return ended(r) && time.n == (tag == TIME ? 15u : 13u) && time.p[time.n - 1] == 'Z';
}

static bool algorithm_protection(struct rd *r, const struct wanted *w)
{
	(void)w;
	element(r, SEQUENCE);
	return ended(r);
}

/* RFC 5035, 3: SigningCertificateV2 ::= SEQUENCE { certs SEQUENCE OF ESSCertIDv2, policies OPTIONAL }. */
static bool signing_certificate(struct rd *r, const struct wanted *w)
{
	struct bytes all = element(r, SEQUENCE);
	if (!ended(r))
		return false;
	struct rd inside = RD_INIT(all.p, all.n);
	struct bytes ids = element(&inside, SEQUENCE);
	struct rd first_in = RD_INIT(ids.p, ids.n);
	struct bytes first = element(&first_in, SEQUENCE);
	if (inside.failed || first_in.failed)
		return false;
	struct rd id = RD_INIT(first.p, first.n);
	const EVP_MD *md = EVP_sha256(); /* DEFAULT */
	if (rd_left(&id) > 0 && id.in.p[0] == SEQUENCE) {
		struct bytes algorithm = element(&id, SEQUENCE);
		struct rd parts = RD_INIT(algorithm.p, algorithm.n);
		struct bytes oid = element(&parts, OID);
		md = NULL;
		for (size_t i = 0; !parts.failed && i < sizeof hashes / sizeof hashes[0]; i++)
			if (bytes_equal(oid, hashes[i].oid))
				md = hashes[i].md();
	}
	struct bytes hash = element(&id, OCTETS);
	uint8_t own[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	return !id.failed && md != NULL && X509_digest(w->own, md, own, &n) == 1 && hash.n == n && memcmp(hash.p, own, n) == 0;
}

static const struct {
	const char *name;
	struct bytes oid;
	bool required;
	bool (*check)(struct rd *value, const struct wanted *w);
} known[] = {
    {"content-type", B("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03"), true, content_type},
    {"message-digest", B("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04"), true, message_digest},
    {"signing-certificate-v2", B("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f"), true, signing_certificate},
    {"signing-time", B("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05"), false, signing_time},
    {"cms-algorithm-protection", B("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x34"), false, algorithm_protection},
};
#define N_KNOWN (sizeof known / sizeof known[0])

static enum status refuse(struct err *e, const char *why, const char *name)
{
	return err_set(e, ST_BUG, "key-attributes", "what was to be signed is not signed attributes of ours: %s%s", why, name);
}

/* X.690, 11.6: the elements of a SET OF ascend. */
static bool ascends(struct bytes before, struct bytes now)
{
	int order = before.n == 0 ? -1 : memcmp(before.p, now.p, before.n < now.n ? before.n : now.n);
	return order < 0 || (order == 0 && before.n < now.n);
}

enum status attributes_check(struct bytes der, size_t digest_n, const X509 *own, struct err *e)
{
	const struct wanted wanted = {digest_n, own};
	struct rd outer = RD_INIT(der.p, der.n);
	struct bytes set = element(&outer, SET), before = {NULL, 0};
	unsigned seen = 0;
	if (!ended(&outer))
		return refuse(e, "not one SET in DER", "");
	struct rd r = RD_INIT(set.p, set.n);
	while (rd_left(&r) > 0) {
		size_t begin = r.at;
		struct bytes attribute = element(&r, SEQUENCE);
		if (r.failed)
			return refuse(e, "an element is no SEQUENCE in DER", "");
		struct bytes whole = {set.p + begin, r.at - begin};
		if (!ascends(before, whole))
			return refuse(e, "the attributes are not in the order of DER", "");
		before = whole;
		struct rd parts = RD_INIT(attribute.p, attribute.n);
		struct bytes oid = element(&parts, OID), values = element(&parts, SET);
		if (!ended(&parts))
			return refuse(e, "an attribute is not made as one", "");
		size_t i = 0;
		while (i < N_KNOWN && !bytes_equal(oid, known[i].oid))
			i++;
		if (i == N_KNOWN)
			return refuse(e, "an attribute that is not allowed", "");
		struct rd value = RD_INIT(values.p, values.n);
		if ((seen & 1u << i) != 0 || !known[i].check(&value, &wanted))
			return refuse(e, "wrong or repeated: ", known[i].name);
		seen |= 1u << i;
	}
	for (size_t i = 0; i < N_KNOWN; i++)
		if (known[i].required && (seen & 1u << i) == 0)
			return refuse(e, "missing: ", known[i].name);
	return ST_OK;
}
