/* What the key holder agrees to sign. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "stages/trust/keys/attributes.h"
#include "tests/unit/keys_make.h"

static X509 *own, *other;

static X509 *load(const char *path)
{
	FILE *f = fopen(path, "re");
	X509 *c = f == NULL ? NULL : PEM_read_X509(f, NULL, NULL, NULL);
	if (f != NULL)
		fclose(f);
	return c;
}

enum piece { TYPE, TYPE_OTHER, DIGEST, DIGEST_SHORT, CERT, CERT_512, CERT_OTHER, TIME, UNKNOWN, TWO_VALUES, NOT_DER };

static void put(struct buf *b, enum piece p)
{
	switch (p) {
	case TYPE:
		make_content_type(b, "1.2.840.113549.1.7.1");
		break;
	case TYPE_OTHER: /* id-smime-ct-TSTInfo */
		make_content_type(b, "1.2.840.113549.1.9.16.1.4");
		break;
	case DIGEST:
		make_message_digest(b, 32);
		break;
	case DIGEST_SHORT:
		make_message_digest(b, 20);
		break;
	case CERT:
		make_signing_certificate(b, own, false);
		break;
	case CERT_512:
		make_signing_certificate(b, own, true);
		break;
	case CERT_OTHER:
		make_signing_certificate(b, other, false);
		break;
	case TIME:
		make_signing_time(b);
		break;
	case UNKNOWN:
		make_attribute(b, "1.2.3", (struct bytes){(const uint8_t *)"\x05\x00", 2});
		break;
	case TWO_VALUES:
		make_attribute(b, "1.2.840.113549.1.9.3",
		               (struct bytes){(const uint8_t *)"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
		                                               "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01",
		                              22});
		break;
	case NOT_DER: /* the length of content-type's attribute in two bytes where one does */
		buf_add(b,
		        "\x30\x81\x18\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03\x31\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"
		        "\x01",
		        27);
		break;
	}
}

static void judges(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		enum piece pieces[6];
		size_t n;
		bool good;
	} cases[] = {
	    {"PAdES", {TYPE, DIGEST, CERT}, 3, true},
	    {"hash by another algorithm", {TYPE, DIGEST, CERT_512}, 3, true},
	    {"CAdES with a signing-time", {TYPE, TIME, DIGEST, CERT}, 4, true},
	    {"nothing", {TYPE}, 0, false},
	    {"no certificate", {TYPE, DIGEST}, 2, false},
	    {"no digest", {TYPE, CERT}, 2, false},
	    {"no type", {DIGEST, CERT}, 2, false},
	    {"another type", {TYPE_OTHER, DIGEST, CERT}, 3, false},
	    {"another certificate", {TYPE, DIGEST, CERT_OTHER}, 3, false},
	    {"a digest of another length", {TYPE, DIGEST_SHORT, CERT}, 3, false},
	    {"an unknown attribute", {UNKNOWN, TYPE, DIGEST, CERT}, 4, false},
	    {"one twice", {TYPE, DIGEST, DIGEST, CERT}, 4, false},
	    {"another order", {DIGEST, TYPE, CERT}, 3, false},
	    {"two values", {DIGEST, TWO_VALUES, CERT}, 3, false},
	    {"a length that is not the shortest", {NOT_DER, DIGEST, CERT}, 3, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = {0};
		BUF_AUTO struct buf inside = BUF_INIT(65536), set = BUF_INIT(65536);
		for (size_t k = 0; k < cases[i].n; k++)
			put(&inside, cases[i].pieces[k]);
		make_element(&set, 0x31, (struct bytes){inside.data, inside.len});
		enum status st = attributes_check((struct bytes){set.data, set.len}, 32, own, &e);
		if (cases[i].good ? st != ST_OK : st != ST_BUG || strcmp(e.code, "key-attributes") != 0)
			fail_msg("%s: %s %s %s", cases[i].what, status_name(st), e.code, e.detail);
	}
}

/* No cut and no flipped bit outside the digest's value is signed. */
static void damage(void **state)
{
	(void)state;
	BUF_AUTO struct buf set = BUF_INIT(65536);
	make_attributes(&set, own, 32);
	struct bytes all = {set.data, set.len};
	assert_int_equal(attributes_check(all, 32, own, NULL), ST_OK);
	for (size_t n = 0; n < all.n; n++)
		assert_int_equal(attributes_check((struct bytes){all.p, n}, 32, own, NULL), ST_BUG);
	const uint8_t *digest = memmem(all.p, all.n, "a digest of", 11);
	size_t from = (size_t)(digest - all.p), to = from + 32;
	for (size_t bit = 0; bit < all.n * 8; bit++) {
		set.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		enum status st = attributes_check(all, 32, own, NULL);
		if ((st == ST_OK) != (bit / 8 >= from && bit / 8 < to))
			fail_msg("bit %zu: %s", bit, status_name(st));
		set.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static int setup(void **state)
{
	(void)state;
	own = load("fixtures/pki/person.pem");
	other = load("fixtures/pki/people-ca.pem");
	return own == NULL || other == NULL;
}

static int teardown(void **state)
{
	(void)state;
	X509_free(own);
	X509_free(other);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(judges), cmocka_unit_test(damage)};
	return cmocka_run_group_tests(tests, setup, teardown);
}
