#include "stages/trust/keyholder.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stages/trust/keys/key_wire.h"
#include "stages/trust/keys/talk.h"

/* A slow token with many clients in front of us. */
#define TIMEOUT_MS 120000

struct keyholder {
	int fd;
	bool broken; /* an answer may still be under way: nothing more is asked here */
	bool used;
	X509 *certificate;
	STACK_OF(X509) * chain;
};

static X509 *read_certificate(struct rd *r)
{
	struct bytes der = talk_read_bytes(r);
	const unsigned char *p = der.p;
	X509 *c = der.n == 0 ? NULL : d2i_X509(NULL, &p, (long)der.n);
	ERR_clear_error();
	return c;
}

/* Asks, and takes a fault out of the answer. */
static enum status ask(struct keyholder *k, const struct buf *out, struct buf *in, struct rd *ret_answer, struct err *e)
{
	struct talk_message m;
	if (k->broken)
		return err_set(e, ST_RETRY, "key-gone", "the connection to the key holder is broken");
	enum status st = talk_call(k->fd, out, in, TIMEOUT_MS, "key-gone", &m, e);
	k->broken = st != ST_OK;
	if (st != ST_OK)
		return st;
	if (m.kind != TALK_DONE)
		return talk_read_fault(m.body, e);
	*ret_answer = RD_INIT(m.body.p, m.body.n);
	return ST_OK;
}

static enum status ask_certificate(struct keyholder *k, struct err *e)
{
	BUF_AUTO struct buf out = BUF_INIT(64), in = BUF_INIT(KEY_MESSAGE_MAX);
	struct rd r;
	talk_end(&out, talk_begin(&out, KEY_ASK_CERTIFICATE));
	enum status st = ask(k, &out, &in, &r, e);
	if (st != ST_OK)
		return st;
	k->certificate = read_certificate(&r);
	k->chain = sk_X509_new_null();
	uint32_t n = rd_u32be(&r);
	bool ok = k->certificate != NULL && k->chain != NULL;
	for (uint32_t i = 0; ok && i < n; i++) {
		X509 *c = read_certificate(&r);
		ok = c != NULL && sk_X509_push(k->chain, c) > 0;
		if (!ok)
			X509_free(c);
	}
	if (!ok || r.failed || rd_left(&r) != 0)
		return err_set(e, ST_RUN, "key-none", "the key holder's certificates cannot be read");
	return ST_OK;
}

enum status keyholder_open(int fd, struct keyholder **ret_key, struct err *e)
{
	struct keyholder *k = calloc(1, sizeof *k);
	if (k == NULL) {
		close(fd);
		return err_set(e, ST_RETRY, "memory", "no memory");
	}
	k->fd = fd;
	enum status st = ask_certificate(k, e);
	if (st != ST_OK) {
		keyholder_close(k);
		return st;
	}
	*ret_key = k;
	return ST_OK;
}

void keyholder_close(struct keyholder *k)
{
	if (k == NULL)
		return;
	close(k->fd);
	X509_free(k->certificate);
	sk_X509_pop_free(k->chain, X509_free);
	free(k);
}

X509 *keyholder_certificate(const struct keyholder *k)
{
	return k->certificate;
}

STACK_OF(X509) * keyholder_chain(const struct keyholder *k)
{
	return k->chain;
}

enum status keyholder_algorithm(const struct keyholder *k, char *const *words, size_t n, enum key_algorithm *ret_algorithm,
                                struct err *e)
{
	static const struct {
		const char *word;
		int kind;
		enum key_algorithm algorithm;
	} rows[] = {{"rsa-pkcs1", EVP_PKEY_RSA, KEY_RSA_PKCS1},
	            {"rsa-pss", EVP_PKEY_RSA, KEY_RSA_PSS},
	            {"ecdsa", EVP_PKEY_EC, KEY_ECDSA},
	            {"ed25519", EVP_PKEY_ED25519, KEY_EDDSA}};
	EVP_PKEY *key = X509_get0_pubkey(k->certificate);
	int kind = key == NULL ? EVP_PKEY_NONE : EVP_PKEY_get_base_id(key);
	if (kind == EVP_PKEY_EC && EVP_PKEY_get_bits(key) < 256)
		return err_set(e, ST_RUN, "key-algorithm-refused", "an elliptic curve of %d bits", EVP_PKEY_get_bits(key));
	for (size_t i = 0; i < n; i++) {
		for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
			if (rows[r].kind == kind && strcmp(rows[r].word, words[i]) == 0) {
				*ret_algorithm = rows[r].algorithm;
				return ST_OK;
			}
		}
	}
	const char *name = kind == EVP_PKEY_NONE ? "?" : OBJ_nid2sn(kind);
	err_set(e, ST_RUN, "key-algorithm-refused", "the key is one of %s", name);
	err_arg(e, "%s", name);
	return ST_RUN;
}

bool keyholder_used(const struct keyholder *k)
{
	return k->used;
}

enum status keyholder_sign(struct keyholder *k, enum key_algorithm algorithm, enum key_digest digest, const uint8_t *attributes,
                           size_t n, struct buf *ret_signature, struct err *e)
{
	BUF_AUTO struct buf out = BUF_INIT(KEY_MESSAGE_MAX), in = BUF_INIT(KEY_MESSAGE_MAX);
	struct rd r;
	size_t place = talk_begin(&out, KEY_ASK_SIGNATURE);
	talk_number(&out, algorithm);
	talk_number(&out, digest);
	talk_bytes(&out, (struct bytes){attributes, n});
	talk_end(&out, place);
	if (out.failed)
		return err_set(e, ST_BUG, "key-attributes", "%zu bytes of attributes are too many", n);
	k->used = !k->broken;
	enum status st = ask(k, &out, &in, &r, e);
	if (st != ST_OK) {
		k->used &= k->broken; /* a fault is an answer too: there is no signature */
		return st;
	}
	struct bytes signature = talk_read_bytes(&r);
	if (r.failed || rd_left(&r) != 0 || signature.n == 0)
		return err_set(e, ST_BUG, "key-attributes", "the key holder's answer is not a signature");
	buf_add(ret_signature, signature.p, signature.n);
	return ret_signature->failed ? err_set(e, ST_BUG, "memory", "no room for the signature") : ST_OK;
}
