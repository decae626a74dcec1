#include "stages/trust/keys/hsm.h"

#include <libp11.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stages/trust/keys/certificates.h"
#include "stages/trust/keys/pin.h"
#include "stages/trust/keys/pss.h"

/* What C_Login answers (PKCS #11 3.0, annex). */
enum {
	CKR_PIN_INCORRECT = 0xA0,
	CKR_PIN_INVALID = 0xA1,
	CKR_PIN_LEN_RANGE = 0xA2,
	CKR_PIN_EXPIRED = 0xA3,
	CKR_PIN_LOCKED = 0xA4
};

struct hsm {
	PKCS11_CTX *context;
	bool loaded;
	PKCS11_SLOT *slots;
	unsigned n_slots;
	PKCS11_SLOT *slot; /* of the token */
	PKCS11_KEY *found; /* the key among the token's */
	char module[URI_VALUE_MAX];
	EVP_PKEY *key; /* whose operations happen on the token */
	X509 *certificate;
	STACK_OF(X509) * chain;
};

/* OpenSSL's last error as text; the queue is empty afterwards. */
static const char *last_error(char text[256])
{
	unsigned long code = ERR_peek_last_error();
	if (code == 0)
		return strcpy(text, "no more is known");
	ERR_error_string_n(code, text, 256);
	ERR_clear_error();
	return text;
}

/* ---- module and token ---- */

static const char *module_find(const struct key_uri *uri, char path[URI_VALUE_MAX])
{
	static const char *const folders[] = {"/usr/lib/x86_64-linux-gnu/pkcs11",
	                                      "/usr/lib/aarch64-linux-gnu/pkcs11",
	                                      "/usr/lib/pkcs11",
	                                      "/usr/lib/softhsm",
	                                      "/usr/lib",
	                                      "/usr/lib64/pkcs11",
	                                      "/usr/local/lib"};
	if (uri->module_path[0] != '\0')
		return strcpy(path, uri->module_path);
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		snprintf(path, URI_VALUE_MAX, "%s/lib%s.so", folders[i], uri->module_name);
		if (access(path, R_OK) == 0)
			return path;
		snprintf(path, URI_VALUE_MAX, "%s/%s.so", folders[i], uri->module_name);
		if (access(path, R_OK) == 0)
			return path;
	}
	return NULL;
}

static enum status module_open(struct hsm *h, const struct key_uri *uri, struct err *e)
{
	char text[256];
	const char *module = module_find(uri, h->module);
	if (module == NULL || access(module, R_OK) != 0) {
		err_set(e, ST_RUN, "key-module", "the PKCS#11 module is not there");
		return err_where(e, "%s", module == NULL ? uri->module_name : module);
	}
	h->context = PKCS11_CTX_new();
	h->loaded = h->context != NULL && PKCS11_CTX_load(h->context, module) == 0;
	if (!h->loaded) {
		err_set(e, ST_RETRY, "key-gone", "the PKCS#11 module does not start: %s", last_error(text));
		return err_where(e, "%s", module);
	}
	if (PKCS11_enumerate_slots(h->context, &h->slots, &h->n_slots) != 0)
		return err_set(e, ST_RETRY, "key-gone", "the module lists no slots: %s", last_error(text));
	return ST_OK;
}

static bool text_fits(const char *wanted, const char *got)
{
	return wanted[0] == '\0' || (got != NULL && strcmp(wanted, got) == 0);
}

static enum status token_find(struct hsm *h, const struct key_uri *uri, struct err *e)
{
	for (unsigned i = 0; i < h->n_slots; i++) {
		const PKCS11_TOKEN *t = h->slots[i].token;
		if (t == NULL || !t->initialized || !text_fits(uri->token, t->label) ||
		    !text_fits(uri->manufacturer, t->manufacturer) || !text_fits(uri->model, t->model) ||
		    !text_fits(uri->serial, t->serialnr))
			continue;
		if (h->slot != NULL)
			return err_set(e, ST_RUN, "key-none", "the key's URI fits more than one token; add serial=%s",
			               t->serialnr);
		h->slot = &h->slots[i];
	}
	if (h->slot == NULL)
		return err_set(e, ST_RETRY, "key-gone", "no token in any of %u slots is the one that the key's URI names",
		               h->n_slots);
	return ST_OK;
}

/* ---- login ---- */

static enum status login_failed(const struct pin_state *s, const struct pin *p, struct err *e)
{
	unsigned long reason = (unsigned long)ERR_GET_REASON(ERR_peek_last_error());
	char text[256];
	last_error(text);
	switch (reason) {
	case CKR_PIN_INCORRECT:
	case CKR_PIN_INVALID:
	case CKR_PIN_LEN_RANGE:
		if (pin_refuse(s, p, e) != ST_OK)
			return e == NULL ? ST_RUN : e->status;
		return err_set(e, ST_RUN, "key-pin",
		               "the token has refused the PIN; it is not tried again until its file changes");
	case CKR_PIN_LOCKED:
		return err_set(e, ST_RUN, "key-pin-locked", "the token is locked");
	case CKR_PIN_EXPIRED:
		return err_set(e, ST_RUN, "key-pin", "the PIN has expired and must be changed on the token");
	default:
		return err_set(e, ST_RETRY, "key-gone", "the login did not succeed: %s", text);
	}
}

/* Under the host's lock. */
static enum status login_once(struct hsm *h, const struct pin_state *s, const struct pin *p, bool attended, struct err *e)
{
	const PKCS11_TOKEN *t = h->slot->token;
	if (!attended && pin_refused(s, p))
		return err_set(e, ST_RUN, "key-pin", "the token has refused this PIN before, and its file has not changed since");
	if (t->userPinLocked)
		return err_set(e, ST_RUN, "key-pin-locked", "the token is locked");
	if (!attended && (t->userPinFinalTry || t->userPinCountLow))
		return err_set(e, ST_RUN, "key-pin-locked",
		               "the token has few tries left; the next is a person's: arkseal key check --login");
	ERR_clear_error();
	if (PKCS11_login(h->slot, 0, p->text) != 0)
		return login_failed(s, p, e);
	pin_accepted(s);
	return ST_OK;
}

static enum status login(struct hsm *h, const struct key_config *config, const struct key_uri *uri, bool attended, struct err *e)
{
	/* Static, so that the page can be locked; wiped in any case. libp11 keeps a copy of its own, which it wipes at the end. */
	static struct pin pin;
	struct pin_state state;
	const PKCS11_TOKEN *t = h->slot->token;
	if (!t->loginRequired)
		return ST_OK;
	if (uri->pin_source[0] == '\0')
		return err_set(e, ST_RUN, "key-pin-source", "the token wants a PIN, and the key's URI has no pin-source");
	mlock(&pin, sizeof pin);
	enum status st = pin_read(uri->pin_source, &pin, e);
	if (st == ST_OK)
		st = pin_state_open(config->state_folder, t->model, t->serialnr, &state, e);
	if (st == ST_OK) {
		st = pin_lock(&state, e);
		if (st == ST_OK)
			st = login_once(h, &state, &pin, attended, e);
		pin_unlock(&state);
	}
	pin_wipe(&pin);
	return st;
}

/* ---- key and certificate ---- */

static enum status key_find(struct hsm *h, const struct key_uri *uri, PKCS11_KEY **ret_key, struct err *e)
{
	PKCS11_KEY *keys, *found = NULL;
	unsigned n = 0;
	char text[256];
	if (PKCS11_enumerate_keys(h->slot->token, &keys, &n) != 0)
		return err_set(e, ST_RETRY, "key-gone", "the token lists no keys: %s", last_error(text));
	for (unsigned i = 0; i < n; i++) {
		if (!text_fits(uri->object, keys[i].label) ||
		    (uri->id_n > 0 && (keys[i].id_len != uri->id_n || memcmp(keys[i].id, uri->id, uri->id_n) != 0)))
			continue;
		if (found != NULL)
			return err_set(e, ST_RUN, "key-none",
			               "the key's URI fits more than one private key; name both object and id");
		found = &keys[i];
	}
	if (found == NULL)
		return err_set(e, ST_RUN, "key-none", "none of the token's %u private keys is the one that the URI names", n);
	*ret_key = found;
	return ST_OK;
}

/* The certificate is the one with the key's public half; where the token does not tell that, the one with the key's identifier. */
static enum status certificate_find(struct hsm *h, PKCS11_KEY *key, const struct key_config *config, struct err *e)
{
	PKCS11_CERT *certs = NULL;
	unsigned n = 0;
	STACK_OF(X509) *known = sk_X509_new_null();
	enum status st = certificates_read(config->certificates, config->n_certificates, known, e);
	if (st == ST_OK && PKCS11_enumerate_certs(h->slot->token, &certs, &n) == 0) {
		for (unsigned i = 0; i < n; i++)
			if (certs[i].x509 != NULL && sk_X509_push(known, certs[i].x509) > 0)
				X509_up_ref(certs[i].x509);
	}
	ERR_clear_error();
	if (st == ST_OK) {
		X509 *own = certificates_find(known, h->key);
		for (unsigned i = 0; own == NULL && i < n; i++)
			if (key->id_len > 0 && certs[i].id_len == key->id_len && memcmp(certs[i].id, key->id, key->id_len) == 0)
				own = certs[i].x509;
		if (own != NULL && X509_up_ref(own) == 1)
			h->certificate = own;
		h->chain = own == NULL ? NULL : certificates_chain(known, own);
		if (h->chain == NULL)
			st = err_set(e, ST_RUN, "key-none",
			             "neither the token nor the site file's certificates hold the key's certificate");
	}
	sk_X509_pop_free(known, X509_free);
	return st;
}

static enum status open_all(struct hsm *h, const struct key_config *config, const struct key_uri *uri, bool attended,
                            struct err *e)
{
	PKCS11_KEY *key = NULL;
	char text[256];
	enum status st = module_open(h, uri, e);
	if (st == ST_OK)
		st = token_find(h, uri, e);
	if (st == ST_OK)
		st = login(h, config, uri, attended, e);
	if (st == ST_OK)
		st = key_find(h, uri, &key, e);
	if (st != ST_OK)
		return st;
	h->found = key;
	h->key = PKCS11_get_private_key(key);
	if (h->key == NULL)
		return err_set(e, ST_RUN, "key-algorithm", "the key's kind is not one that can be used: %s", last_error(text));
	return certificate_find(h, key, config, e);
}

enum status hsm_open(const struct key_config *config, const struct key_uri *uri, bool attended, struct hsm **ret_hsm,
                     struct err *e)
{
	struct hsm *h = calloc(1, sizeof *h);
	if (h == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory");
	enum status st = open_all(h, config, uri, attended, e);
	ERR_clear_error();
	if (st != ST_OK) {
		hsm_close(h);
		return st;
	}
	*ret_hsm = h;
	return ST_OK;
}

void hsm_close(struct hsm *h)
{
	if (h == NULL)
		return;
	sk_X509_pop_free(h->chain, X509_free);
	X509_free(h->certificate);
	EVP_PKEY_free(h->key);
	if (h->slots != NULL)
		PKCS11_release_all_slots(h->context, h->slots, h->n_slots);
	if (h->loaded)
		PKCS11_CTX_unload(h->context);
	if (h->context != NULL)
		PKCS11_CTX_free(h->context);
	ERR_clear_error();
	free(h);
}

X509 *hsm_certificate(const struct hsm *h)
{
	return h->certificate;
}

STACK_OF(X509) * hsm_chain(const struct hsm *h)
{
	return h->chain;
}

/* ---- signing ---- */

const EVP_MD *key_digest_md(enum key_digest digest)
{
	switch (digest) {
	case KEY_SHA256:
		return EVP_sha256();
	case KEY_SHA384:
		return EVP_sha384();
	case KEY_SHA512:
		return EVP_sha512();
	}
	return NULL;
}

static EVP_PKEY_CTX *operation(EVP_PKEY *key, bool sign, enum key_algorithm algorithm, const EVP_MD *md)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
	bool ok = c != NULL && (sign ? EVP_PKEY_sign_init(c) : EVP_PKEY_verify_init(c)) == 1;
	if (ok && algorithm != KEY_ECDSA)
		ok = EVP_PKEY_CTX_set_rsa_padding(c, algorithm == KEY_RSA_PSS ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1;
	if (ok && algorithm == KEY_RSA_PSS)
		ok = EVP_PKEY_CTX_set_rsa_pss_saltlen(c, RSA_PSS_SALTLEN_DIGEST) == 1;
	ok = ok && EVP_PKEY_CTX_set_signature_md(c, md) == 1;
	if (!ok) {
		EVP_PKEY_CTX_free(c);
		return NULL;
	}
	return c;
}

static bool signature_right(const struct hsm *h, enum key_algorithm algorithm, const EVP_MD *md, struct bytes hashed,
                            const uint8_t *signature, size_t n)
{
	EVP_PKEY_CTX *c = operation(X509_get0_pubkey(h->certificate), false, algorithm, md);
	bool ok = c != NULL && EVP_PKEY_verify(c, signature, n, hashed.p, hashed.n) == 1;
	EVP_PKEY_CTX_free(c);
	ERR_clear_error();
	return ok;
}

static enum status sign_libp11(struct hsm *h, enum key_algorithm algorithm, const EVP_MD *md, struct bytes hashed,
                               struct buf *ret_signature, struct err *e)
{
	uint8_t signature[1024];
	char text[256];
	size_t n = sizeof signature;
	ERR_clear_error();
	EVP_PKEY_CTX *c = operation(h->key, true, algorithm, md);
	bool ok = c != NULL && EVP_PKEY_sign(c, signature, &n, hashed.p, hashed.n) == 1;
	EVP_PKEY_CTX_free(c);
	if (!ok)
		return err_set(e, ST_RETRY, "key-gone", "the token does not sign: %s", last_error(text));
	buf_add(ret_signature, signature, n);
	return ST_OK;
}

enum status hsm_sign(struct hsm *h, enum key_algorithm algorithm, enum key_digest digest, struct bytes hashed,
                     struct buf *ret_signature, struct err *e)
{
	const EVP_MD *md = key_digest_md(digest);
	if (md == NULL || EVP_PKEY_get_base_id(h->key) != (algorithm == KEY_ECDSA ? EVP_PKEY_EC : EVP_PKEY_RSA))
		return err_set(e, ST_RUN, "key-algorithm", "the algorithm does not fit the key");
	const struct pss_key pss = {.module = h->module,
	                            .slot = PKCS11_get_slotid_from_slot(h->slot),
	                            .label = h->found->label,
	                            .id = {h->found->id, h->found->id_len}};
	BUF_AUTO struct buf signature = BUF_INIT(1024);
	enum status st = algorithm == KEY_RSA_PSS ? pss_sign(&pss, md, hashed, &signature, e)
	                                          : sign_libp11(h, algorithm, md, hashed, &signature, e);
	if (st != ST_OK)
		return st;
	if (!signature_right(h, algorithm, md, hashed, signature.data, signature.len))
		return err_set(e, ST_RUN, "key-signature", "the token's signature does not fit the certificate");
	buf_add(ret_signature, signature.data, signature.len);
	return ST_OK;
}
