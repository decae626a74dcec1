/* The key holder with the test PKI's token. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stages/base/file.h"
#include "stages/trust/keyholder.h"
#include "stages/trust/keys/hsm.h"
#include "tests/unit/keys_make.h"
#include "tests/unit/keys_pki.h"

static char module[256];
static const char *certificates[1];

static int run(const void *config, int control_fd, int ready_fd)
{
	return keyholder_main(config, control_fd, ready_fd);
}

/* A configuration with the key `object` and the PIN's file `pin`; borrowed until the next call. */
static const struct key_config *config(const char *object, const char *pin)
{
	static char uri[1024], state[256], issuing[256];
	static struct key_config c;
	snprintf(uri, sizeof uri, "pkcs11:token=arkseal-test;object=%s?module-path=%s&pin-source=file:%s", object, module,
	         pki_path(pin));
	snprintf(state, sizeof state, "%s", pki_path("state"));
	snprintf(issuing, sizeof issuing, "%s", pki_path("issuing.pem"));
	certificates[0] = issuing;
	c = (struct key_config){.uri = uri, .certificates = certificates, .n_certificates = 1, .state_folder = state};
	return &c;
}

static struct keyholder *client(const struct pki_service *s)
{
	struct keyholder *k = NULL;
	struct err e = {0};
	int fd = service_connect(s);
	assert_true(fd >= 0);
	if (keyholder_open(fd, &k, &e) != ST_OK)
		fail_msg("%s: %s", e.code, e.detail);
	return k;
}

static bool verifies(X509 *c, enum key_algorithm algorithm, const EVP_MD *md, const struct buf *data, const struct buf *signature)
{
	EVP_MD_CTX *m = EVP_MD_CTX_new();
	EVP_PKEY_CTX *p = NULL;
	bool ok = EVP_DigestVerifyInit(m, &p, algorithm == KEY_EDDSA ? NULL : md, NULL, X509_get0_pubkey(c)) == 1;
	if (ok && (algorithm == KEY_RSA_PKCS1 || algorithm == KEY_RSA_PSS))
		ok = EVP_PKEY_CTX_set_rsa_padding(p, algorithm == KEY_RSA_PSS ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1;
	if (ok && algorithm == KEY_RSA_PSS)
		ok = EVP_PKEY_CTX_set_rsa_pss_saltlen(p, RSA_PSS_SALTLEN_DIGEST) == 1;
	ok = ok && EVP_DigestVerify(m, signature->data, signature->len, data->data, data->len) == 1;
	EVP_MD_CTX_free(m);
	return ok;
}

static void sign_all(const char *object, const char *pem, const enum key_algorithm *algorithms, size_t n_algorithms)
{
	static const struct {
		enum key_digest digest;
		size_t n;
	} digests[] = {{KEY_SHA512, 64},   {KEY_SHA256, 32},   {KEY_SHA384, 48},
	               {KEY_SHA3_256, 32}, {KEY_SHA3_384, 48}, {KEY_SHA3_512, 64}};
	static const char *const words[] = {
	    [KEY_RSA_PKCS1] = "rsa-pkcs1", [KEY_RSA_PSS] = "rsa-pss", [KEY_ECDSA] = "ecdsa", [KEY_EDDSA] = "ed25519"};
	struct pki_service s;
	struct err e = {0};
	assert_true(service_start(&s, run, config(object, "pin")));
	assert_string_equal(s.ready, "ok");
	struct keyholder *k = client(&s);

	FILE *f = fopen(pki_path(pem), "re");
	X509 *c = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	assert_int_equal(X509_cmp(c, keyholder_certificate(k)), 0);
	assert_int_equal(sk_X509_num(keyholder_chain(k)), 1);
	assert_int_equal(X509_check_issued(sk_X509_value(keyholder_chain(k), 0), c), X509_V_OK);
	enum key_algorithm chosen;
	for (size_t a = 0; a < n_algorithms; a++) {
		char *allowed[] = {(char *)(uintptr_t) "none", (char *)(uintptr_t)words[algorithms[a]]};
		assert_int_equal(keyholder_algorithm(k, allowed, 2, &chosen, &e), ST_OK);
		assert_int_equal(chosen, algorithms[a]);
		assert_int_equal(keyholder_algorithm(k, allowed, 1, &chosen, &e), ST_RUN);
		assert_string_equal(e.code, "key-algorithm-refused");
		/* SoftHSM has no PSS with SHA-3; Ed25519 goes with SHA-512. */
		for (size_t d = 0; d < (algorithms[a] == KEY_EDDSA     ? 1
		                        : algorithms[a] == KEY_RSA_PSS ? 3
		                                                       : sizeof digests / sizeof digests[0]);
		     d++) {
			BUF_AUTO struct buf data = BUF_INIT(65536), signature = BUF_INIT(4096);
			make_attributes(&data, c, digests[d].n);
			if (keyholder_sign(k, algorithms[a], digests[d].digest, data.data, data.len, &signature, &e) != ST_OK)
				fail_msg("%s: %s", e.code, e.detail);
			assert_true(verifies(c, algorithms[a], key_digest_md(digests[d].digest), &data, &signature));
		}
	}
	/* Not signed attributes; attributes for another key; an algorithm of another kind of key. */
	BUF_AUTO struct buf data = BUF_INIT(65536), foreign = BUF_INIT(65536), signature = BUF_INIT(4096);
	assert_int_equal(keyholder_sign(k, algorithms[0], KEY_SHA256, (const uint8_t *)"pay me", 6, &signature, &e), ST_BUG);
	assert_string_equal(e.code, "key-attributes");
	make_attributes(&foreign, sk_X509_value(keyholder_chain(k), 0), 32);
	assert_int_equal(keyholder_sign(k, algorithms[0], KEY_SHA256, foreign.data, foreign.len, &signature, &e), ST_BUG);
	make_attributes(&data, c, 32);
	if (algorithms[n_algorithms - 1] == KEY_RSA_PSS || algorithms[0] == KEY_EDDSA) {
		assert_int_equal(
		    keyholder_sign(k, algorithms[n_algorithms - 1], KEY_SHA3_256, data.data, data.len, &signature, &e), ST_RUN);
		assert_string_equal(e.code, "key-algorithm");
	}
	enum key_algorithm wrong = algorithms[0] == KEY_ECDSA ? KEY_RSA_PKCS1 : KEY_ECDSA;
	assert_int_equal(keyholder_sign(k, wrong, KEY_SHA256, data.data, data.len, &signature, &e), ST_RUN);
	assert_string_equal(e.code, "key-algorithm");
	assert_int_equal(signature.len, 0);
	X509_free(c);
	keyholder_close(k);
	assert_int_equal(service_stop(&s), 0);
}

static void algorithms(void **state)
{
	(void)state;
	static const enum key_algorithm rsa[] = {KEY_RSA_PKCS1, KEY_RSA_PSS}, ecdsa[] = {KEY_ECDSA}, eddsa[] = {KEY_EDDSA};
	sign_all("seal-rsa", "seal-rsa.pem", rsa, 2);
	sign_all("seal-rsa4096", "seal-rsa4096.pem", rsa, 2);
	sign_all("seal-ec", "seal-ec.pem", ecdsa, 1);
	sign_all("seal-p384", "seal-p384.pem", ecdsa, 1);
	sign_all("seal-p521", "seal-p521.pem", ecdsa, 1);
	sign_all("seal-ed25519", "seal-ed25519.pem", eddsa, 1);
	/* A key that wants its PIN for each use. */
	sign_all("seal-asks", "seal-asks.pem", rsa, 2);
}

static void *many(void *arg)
{
	struct keyholder *k = arg;
	BUF_AUTO struct buf data = BUF_INIT(65536);
	make_attributes(&data, keyholder_certificate(k), 32);
	for (int i = 0; i < 20; i++) {
		BUF_AUTO struct buf signature = BUF_INIT(4096);
		if (keyholder_sign(k, KEY_ECDSA, KEY_SHA256, data.data, data.len, &signature, NULL) != ST_OK ||
		    !verifies(keyholder_certificate(k), KEY_ECDSA, EVP_sha256(), &data, &signature))
			return NULL;
	}
	return arg;
}

static void side_by_side(void **state)
{
	(void)state;
	struct pki_service s;
	pthread_t threads[6];
	struct keyholder *clients[6];
	assert_true(service_start(&s, run, config("seal-ec", "pin")));
	for (size_t i = 0; i < 6; i++) {
		clients[i] = client(&s);
		assert_int_equal(pthread_create(&threads[i], NULL, many, clients[i]), 0);
	}
	/* One who asks for something else, and one whose message is too long, are sent away. */
	static const char *const bad[] = {"\0\0\0\1\x09", "\0\4\0\1\2"};
	for (size_t i = 0; i < 2; i++) {
		char byte;
		int fd = service_connect(&s);
		assert_int_equal(write(fd, bad[i], 5), 5);
		assert_int_equal(read(fd, &byte, 1), 0);
		close(fd);
	}
	for (size_t i = 0; i < 6; i++) {
		void *got = NULL;
		assert_int_equal(pthread_join(threads[i], &got), 0);
		assert_non_null(got);
		keyholder_close(clients[i]);
	}
	assert_int_equal(service_stop(&s), 0);
}

static void pin_write(const char *name, const char *text, mode_t mode)
{
	struct err e;
	assert_int_equal(file_write(pki_path(name), text, strlen(text), &e), ST_OK);
	assert_int_equal(chmod(pki_path(name), mode), 0);
}

static void starts_with_fault(const struct key_config *c, const char *code)
{
	struct pki_service s;
	assert_true(service_start(&s, run, c));
	size_t n = strlen(code);
	if (strncmp(s.ready, code, n) != 0 || s.ready[n] != '\t')
		fail_msg("%s, wanted %s", s.ready, code);
	assert_int_equal(service_stop(&s), 3);
}

static void bad_configurations(void **state)
{
	(void)state;
	pin_write("pin-open", "1234\n", 0640);
	pin_write("pin-empty", "\n", 0600);
	starts_with_fault(config("seal-rsa", "pin-open"), "key-pin-source");
	starts_with_fault(config("seal-rsa", "pin-empty"), "key-pin-source");
	starts_with_fault(config("seal-rsa", "pin-missing"), "key-pin-source");
	starts_with_fault(config("seal-dsa", "pin"), "key-none");
	struct key_config c = *config("seal-rsa", "pin");
	c.uri = "pkcs11:object=seal-rsa?module-path=/nowhere.so";
	starts_with_fault(&c, "key-module");
	c.uri = "pkcs11:object=seal-rsa?module-path=/nowhere.so&pin-value=1";
	starts_with_fault(&c, "key-uri");
	char uri[512];
	snprintf(uri, sizeof uri, "pkcs11:token=other;object=seal-rsa?module-path=%s", module);
	c.uri = uri;
	starts_with_fault(&c, "key-gone");
	snprintf(uri, sizeof uri, "pkcs11:token=arkseal-test;object=seal-rsa?module-path=%s", module);
	starts_with_fault(&c, "key-pin-source");
	c = *config("seal-rsa", "pin");
	c.state_folder = "/proc/nowhere";
	starts_with_fault(&c, "key-state");
}

/* The number of files in the state folder whose name ends so. */
static int notes(const char *extension)
{
	int n = 0;
	DIR *d = opendir(pki_path("state"));
	for (const struct dirent *entry; d != NULL && (entry = readdir(d)) != NULL;)
		n += strcmp(path_extension(entry->d_name), extension) == 0;
	if (d != NULL)
		closedir(d);
	return n;
}

/* The wrong PIN is tried once. That the second start tries nothing is seen from this: the file, changed in its content but not in
 * what the note holds, now has the right PIN, and it is refused all the same. Then a person's attempt succeeds. */
static void wrong_pin(void **state)
{
	(void)state;
	struct err e = {0};
	BUF_AUTO struct buf right = BUF_INIT(256);
	assert_int_equal(file_read(pki_path("pin"), &right, &e), ST_OK);
	BUF_AUTO struct buf wrong = BUF_INIT(256);
	buf_add(&wrong, right.data, right.len);
	wrong.data[0] = wrong.data[0] == '9' ? '8' : '9';

	pin_write("pin-wrong", (const char *)wrong.data, 0600);
	assert_int_equal(notes("pin-refused"), 0);
	starts_with_fault(config("seal-rsa", "pin-wrong"), "key-pin");
	assert_int_equal(notes("pin-refused"), 1);

	struct stat before;
	assert_int_equal(stat(pki_path("pin-wrong"), &before), 0);
	FILE *f = fopen(pki_path("pin-wrong"), "r+e");
	assert_int_equal(fwrite(right.data, 1, right.len, f), right.len);
	assert_int_equal(fclose(f), 0);
	struct timespec times[2] = {before.st_atim, before.st_mtim};
	assert_int_equal(utimensat(AT_FDCWD, pki_path("pin-wrong"), times, 0), 0);
	starts_with_fault(config("seal-rsa", "pin-wrong"), "key-pin");

	/* SoftHSM2 says now that few tries are left: even the right PIN waits for a person. */
	starts_with_fault(config("seal-rsa", "pin"), "key-pin-locked");
	assert_int_equal(notes("pin-refused"), 1);
	X509 *c = NULL;
	assert_int_equal(keyholder_check(config("seal-rsa", "pin"), false, &c, &e), ST_RUN);
	assert_string_equal(e.code, "key-pin-locked");
	if (keyholder_check(config("seal-rsa", "pin"), true, &c, &e) != ST_OK)
		fail_msg("%s: %s", e.code, e.detail);
	assert_non_null(c);
	X509_free(c);
	assert_int_equal(notes("pin-refused"), 0);
	struct pki_service s;
	assert_true(service_start(&s, run, config("seal-rsa", "pin")));
	assert_string_equal(s.ready, "ok");
	assert_int_equal(service_stop(&s), 0);
}

/* A token that goes away and comes back: the request fails for now, and a later one succeeds on the same connection. */
static void token_gone(void **state)
{
	(void)state;
	struct pki_service s;
	struct err e = {0};
	char tokens[256], hidden[256];
	snprintf(tokens, sizeof tokens, "%s", pki_path("tokens"));
	snprintf(hidden, sizeof hidden, "%s", pki_path("tokens-hidden"));
	assert_true(service_start(&s, run, config("seal-rsa", "pin")));
	assert_string_equal(s.ready, "ok");
	struct keyholder *k = client(&s);
	BUF_AUTO struct buf data = BUF_INIT(65536), signature = BUF_INIT(4096);
	make_attributes(&data, keyholder_certificate(k), 32);
	assert_int_equal(rename(tokens, hidden), 0);
	assert_int_equal(mkdir(tokens, 0700), 0);
	enum status st = keyholder_sign(k, KEY_RSA_PKCS1, KEY_SHA256, data.data, data.len, &signature, &e);
	assert_int_equal(rmdir(tokens), 0);
	assert_int_equal(rename(hidden, tokens), 0);
	assert_int_equal(st, ST_RETRY);
	assert_string_equal(e.code, "key-gone");
	assert_int_equal(signature.len, 0);
	if (keyholder_sign(k, KEY_RSA_PKCS1, KEY_SHA256, data.data, data.len, &signature, &e) != ST_OK)
		fail_msg("%s: %s", e.code, e.detail);
	assert_true(verifies(keyholder_certificate(k), KEY_RSA_PKCS1, EVP_sha256(), &data, &signature));
	keyholder_close(k);
	assert_int_equal(service_stop(&s), 0);
}

static int setup(void **state)
{
	(void)state;
	struct err e;
	BUF_AUTO struct buf b = BUF_INIT(sizeof module);
	if (pki_start() == NULL || file_read(pki_path("module"), &b, &e) != ST_OK)
		return -1;
	snprintf(module, sizeof module, "%.*s", (int)strcspn((const char *)b.data, "\n"), (const char *)b.data);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pki_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(algorithms), cmocka_unit_test(side_by_side), cmocka_unit_test(bad_configurations),
	    cmocka_unit_test(wrong_pin),  cmocka_unit_test(token_gone),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
