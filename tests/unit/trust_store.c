/* Anchors and paths: cross certificates, CAs of one name, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>

#include "stages/base/file.h"
#include "stages/trust/internal.h"
#include "tests/unit/trust_pki.h"

static int path_length(const struct trust_store *s, const struct party *leaf)
{
	STACK_OF(X509) *path = trust_store_path(s, leaf->cert);
	int n = path == NULL ? 0 : sk_X509_num(path);
	if (n > 0)
		assert_int_equal(X509_cmp(sk_X509_value(path, 0), leaf->cert), 0);
	sk_X509_pop_free(path, X509_free);
	return n;
}

static void write_pem(const char *path, const struct party *const *parties, size_t n)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(PEM_write_X509(f, parties[i]->cert), 1);
	fclose(f);
}

static void trust(struct trust_store *s, const struct party *p)
{
	char name[] = "/tmp/arkseal-anchor-XXXXXX";
	int fd = mkstemp(name);
	assert_true(fd >= 0);
	close(fd);
	write_pem(name, &p, 1);
	struct err e = {0};
	assert_int_equal(trust_store_add_anchors(s, name, &e), ST_OK);
	unlink(name);
}

static void plain_path(void **state)
{
	(void)state;
	struct party root = party_make((struct party_spec){.name = "Root", .ca = true});
	struct party ca = party_make((struct party_spec){.name = "CA", .issuer = &root, .ca = true});
	struct party leaf = party_make((struct party_spec){.name = "Leaf", .issuer = &ca});
	struct party sub = party_make((struct party_spec){.name = "Sub", .issuer = &leaf});
	struct trust_store *s = trust_store_new();
	trust(s, &root);
	assert_true(trust_store_is_anchor(s, root.cert));
	assert_false(trust_store_is_anchor(s, ca.cert));
	assert_int_equal(path_length(s, &leaf), 0);
	assert_true(trust_store_add_certificate(s, party_der(&ca)));
	assert_true(trust_store_add_certificate(s, party_der(&ca)));
	assert_int_equal(s->n_certs, 2);
	assert_int_equal(path_length(s, &leaf), 3);
	assert_int_equal(path_length(s, &root), 1);
	/* An end entity issues nothing. */
	assert_true(trust_store_add_certificate(s, party_der(&leaf)));
	assert_int_equal(path_length(s, &sub), 0);
	trust_store_free(s);
	party_free(&root), party_free(&ca), party_free(&leaf), party_free(&sub);
}

/* Two CAs of one name and other keys, one of them under another root, and a loop of cross certificates. */
static void same_names(void **state)
{
	(void)state;
	struct party root = party_make((struct party_spec){.name = "Root", .ca = true});
	struct party other = party_make((struct party_spec){.name = "Other", .ca = true});
	struct party ca1 = party_make((struct party_spec){.name = "CA", .issuer = &other, .ca = true});
	struct party ca2 = party_make((struct party_spec){.name = "CA", .issuer = &root, .ca = true});
	struct party cross = party_make((struct party_spec){.name = "Other", .issuer = &root, .ca = true, .key = other.key});
	struct party back = party_make((struct party_spec){.name = "Root", .issuer = &other, .ca = true, .key = root.key});
	struct party under1 = party_make((struct party_spec){.name = "A", .issuer = &ca1});
	struct party under2 = party_make((struct party_spec){.name = "B", .issuer = &ca2});
	struct trust_store *s = trust_store_new();
	trust(s, &root);
	trust_store_add_certificate(s, party_der(&back));
	trust_store_add_certificate(s, party_der(&other));
	trust_store_add_certificate(s, party_der(&ca1));
	trust_store_add_certificate(s, party_der(&ca2));
	assert_int_equal(path_length(s, &under2), 3);
	assert_int_equal(path_length(s, &under1), 0);
	trust_store_add_certificate(s, party_der(&cross));
	assert_int_equal(path_length(s, &under1), 4);
	trust_store_free(s);
	party_free(&root), party_free(&other), party_free(&ca1), party_free(&ca2), party_free(&cross), party_free(&back);
	party_free(&under1), party_free(&under2);
}

/* A forged issuer: right name, wrong key. */
static void forged(void **state)
{
	(void)state;
	struct party root = party_make((struct party_spec){.name = "Root", .ca = true});
	struct party false_root = party_make((struct party_spec){.name = "Root", .ca = true});
	struct party leaf = party_make((struct party_spec){.name = "Leaf", .issuer = &false_root});
	struct trust_store *s = trust_store_new();
	trust(s, &root);
	trust_store_add_certificate(s, party_der(&false_root));
	assert_int_equal(path_length(s, &leaf), 0);
	trust_store_free(s);
	party_free(&root), party_free(&false_root), party_free(&leaf);
}

static void too_long(void **state)
{
	(void)state;
	struct party chain[TRUST_PATH_MAX + 1];
	struct trust_store *s = trust_store_new();
	for (int i = 0; i <= TRUST_PATH_MAX; i++) {
		char name[16];
		snprintf(name, sizeof name, "CA %d", i);
		chain[i] = party_make((struct party_spec){.name = name, .issuer = i == 0 ? NULL : &chain[i - 1], .ca = true});
		trust_store_add_certificate(s, party_der(&chain[i]));
	}
	trust(s, &chain[0]);
	assert_int_equal(path_length(s, &chain[TRUST_PATH_MAX - 1]), TRUST_PATH_MAX);
	assert_int_equal(path_length(s, &chain[TRUST_PATH_MAX]), 0);
	trust_store_free(s);
	for (int i = 0; i <= TRUST_PATH_MAX; i++)
		party_free(&chain[i]);
}

static bool take_allowed(void *arg, STACK_OF(X509) * path)
{
	return path_constraints(path, arg);
}

/* A path length limit of the upper CA forbids the lower one; the search goes by signatures, the constraints say no. */
static void constraints(void **state)
{
	(void)state;
	struct party root = party_make((struct party_spec){.name = "Root", .ca = true});
	struct party upper = party_make((struct party_spec){.name = "Upper", .issuer = &root, .ca = true, .path_length = 1});
	struct party lower = party_make((struct party_spec){.name = "Lower", .issuer = &upper, .ca = true});
	struct party near = party_make((struct party_spec){.name = "Near", .issuer = &upper});
	struct party far = party_make((struct party_spec){.name = "Far", .issuer = &lower});
	struct trust_store *s = trust_store_new();
	const char *why = NULL;
	trust(s, &root);
	trust_store_add_certificate(s, party_der(&upper));
	trust_store_add_certificate(s, party_der(&lower));
	assert_int_equal(path_length(s, &far), 4);
	assert_true(path_each(s, near.cert, take_allowed, &why));
	assert_false(path_each(s, far.cert, take_allowed, &why));
	assert_non_null(strstr(why, "path length"));
	trust_store_free(s);
	party_free(&root), party_free(&upper), party_free(&lower), party_free(&near), party_free(&far);
}

static void anchors_of_a_folder(void **state)
{
	(void)state;
	char folder[] = "/tmp/arkseal-anchors-XXXXXX";
	assert_non_null(mkdtemp(folder));
	struct err e = {0};
	struct trust_store *s = trust_store_new();
	assert_int_equal(trust_store_add_anchors(s, folder, &e), ST_RUN);
	assert_string_equal(e.code, "trust-file");
	struct party a = party_make((struct party_spec){.name = "A", .ca = true});
	struct party b = party_make((struct party_spec){.name = "B", .ca = true});
	char *two = path_join(folder, "two.pem");
	write_pem(two, (const struct party *[]){&a, &b}, 2);
	struct bytes der = party_der(&a);
	char *one = path_join(folder, "one.der");
	assert_int_equal(file_write(one, der.p, der.n, &e), ST_OK);
	assert_int_equal(trust_store_add_anchors(s, folder, &e), ST_OK);
	assert_int_equal(s->n_certs, 2);
	assert_int_equal(file_write(one, "nothing", 7, &e), ST_OK);
	assert_int_equal(trust_store_add_anchors(s, one, &e), ST_RUN);
	assert_string_equal(e.code, "trust-file");
	assert_int_equal(file_remove_tree(folder, &e), ST_OK);
	assert_int_equal(trust_store_add_anchors(s, two, &e), ST_RUN);
	free(one), free(two);
	trust_store_free(s);
	party_free(&a), party_free(&b);
}

static void bad_material(void **state)
{
	(void)state;
	struct trust_store *s = trust_store_new();
	static const struct bytes bad[] = {
	    {NULL, 0}, {(const uint8_t *)"", 0}, {(const uint8_t *)"0", 1}, {(const uint8_t *)"0\x80\0\0", 4}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_false(trust_store_add_certificate(s, bad[i]));
		assert_false(trust_store_add_crl(s, bad[i]));
		assert_false(trust_store_add_ocsp(s, bad[i]));
	}
	trust_store_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_path),   cmocka_unit_test(same_names),  cmocka_unit_test(forged),
	    cmocka_unit_test(too_long),     cmocka_unit_test(constraints), cmocka_unit_test(anchors_of_a_folder),
	    cmocka_unit_test(bad_material),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
