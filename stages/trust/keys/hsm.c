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
#include "stages/trust/keys/operation.h"
#include "stages/trust/keys/pin.h"

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
	char module[URI_VALUE_MAX];
	struct operation *operation; /* with the key */
	const struct key_config *config;
	const struct key_uri *uri;
	bool attended;
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

/* answer: what the token gave as CKR_…; detail: more of it. */
static enum status login_failed(const struct pin_state *s, const struct pin *p, unsigned long answer, const char *detail,
                                struct err *e)
{
	switch (answer) {
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
		return err_set(e, ST_RETRY, "key-gone", "the login did not succeed: %s", detail);
	}
}

/* The token's own login. */
static unsigned long login_token(struct hsm *h, const char *pin, char detail[256])
{
	ERR_clear_error();
	if (PKCS11_login(h->slot, 0, pin) == 0)
		return 0;
	unsigned long reason = (unsigned long)ERR_GET_REASON(ERR_peek_last_error());
	last_error(detail);
	return reason == 0 ? ~0UL : reason;
}

/* The one before a use of a key that wants it each time. */
static unsigned long login_use(struct hsm *h, const char *pin, char detail[256])
{
	unsigned long answer = operation_login(h->operation, pin);
	snprintf(detail, 256, "C_Login: 0x%lx", answer);
	return answer;
}

typedef unsigned long login_call(struct hsm *h, const char *pin, char detail[256]);

/* Under the host's lock. */
static enum status login_once(struct hsm *h, login_call *call, const struct pin_state *s, const struct pin *p, struct err *e)
{
	const PKCS11_TOKEN *t = h->slot->token;
	char detail[256] = "";
	if (!h->attended && pin_refused(s, p))
		return err_set(e, ST_RUN, "key-pin", "the token has refused this PIN before, and its file has not changed since");
	if (t->userPinLocked)
		return err_set(e, ST_RUN, "key-pin-locked", "the token is locked");
	if (!h->attended && (t->userPinFinalTry || t->userPinCountLow))
		return err_set(e, ST_RUN, "key-pin-locked",
		               "the token has few tries left; the next is a person's: arkseal key check --login");
	unsigned long answer = call(h, p->text, detail);
	if (answer != 0)
		return login_failed(s, p, answer, detail, e);
	pin_accepted(s);
	return ST_OK;
}

/* The PIN is entered on the token's own pad (CKF_PROTECTED_AUTHENTICATION_PATH): once, by a person who is there when the run begins. */
static enum status login_pad(struct hsm *h, struct err *e)
{
	const PKCS11_TOKEN *t = h->slot->token;
	char detail[256] = "";
	if (t->userPinLocked)
		return err_set(e, ST_RUN, "key-pin-locked", "the token is locked");
	unsigned long answer = login_token(h, NULL, detail);
	if (answer == 0)
		return ST_OK;
	if (answer == CKR_PIN_INCORRECT)
		return err_set(e, ST_RUN, "key-pin", "the token has refused the PIN that was entered on its pad");
	return login_failed(NULL, NULL, answer, detail, e);
}

static enum status login_by(struct hsm *h, login_call *call, struct err *e)
{
	/* Static, so that the page can be locked; wiped in any case. libp11 keeps a copy of its own, which it wipes at the end. */
	static struct pin pin;
	struct pin_state state;
	const PKCS11_TOKEN *t = h->slot->token;
	if (h->uri->pin_source[0] == '\0')
		return err_set(e, ST_RUN, "key-pin-source", "the token wants a PIN, and the key's URI has no pin-source");
	mlock(&pin, sizeof pin);
	enum status st = pin_read(h->uri->pin_source, &pin, e);
	if (st == ST_OK)
		st = pin_state_open(h->config->state_folder, t->model, t->serialnr, &state, e);
	if (st == ST_OK) {
		st = pin_lock(&state, e);
		if (st == ST_OK)
			st = login_once(h, call, &state, &pin, e);
		pin_unlock(&state);
	}
	pin_wipe(&pin);
	return st;
}

static enum status login(struct hsm *h, struct err *e)
{
	const PKCS11_TOKEN *t = h->slot->token;
	if (!t->loginRequired)
		return ST_OK;
	return t->secureLogin && h->uri->pin_source[0] == '\0' ? login_pad(h, e) : login_by(h, login_token, e);
}

/* ---- key and certificate ---- */

static enum status key_find(struct hsm *h, struct err *e)
{
	const struct operation_place place = {.module = h->module,
	                                      .slot = PKCS11_get_slotid_from_slot(h->slot),
	                                      .label = h->uri->object,
	                                      .id = {h->uri->id, h->uri->id_n}};
	enum status st = operation_open(&place, &h->operation, e);
	/* Nobody stands at the pad at each document. */
	if (st == ST_OK && operation_wants_login(h->operation) && h->uri->pin_source[0] == '\0')
		st = err_set(e, ST_RUN, "key-each-time", "the key wants its PIN for each use, and the URI has no pin-source");
	return st;
}

/* The certificate is the one with the key's public half; where the token does not tell that, the one with the key's identifier. */
static enum status certificate_find(struct hsm *h, const struct key_config *config, struct err *e)
{
	PKCS11_CERT *certs = NULL;
	struct bytes id = operation_id(h->operation);
	EVP_PKEY *public = operation_public(h->operation);
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
		X509 *own = public == NULL ? NULL : certificates_find(known, public);
		for (unsigned i = 0; own == NULL && public == NULL && i < n; i++)
			if (id.n > 0 && certs[i].id_len == id.n && memcmp(certs[i].id, id.p, id.n) == 0)
				own = certs[i].x509;
		if (own != NULL && X509_up_ref(own) == 1)
			h->certificate = own;
		h->chain = own == NULL ? NULL : certificates_chain(known, own);
		if (h->chain == NULL)
			st = err_set(e, ST_RUN, "key-none",
			             "neither the token nor the site file's certificates hold the key's certificate");
	}
	sk_X509_pop_free(known, X509_free);
	EVP_PKEY_free(public);
	return st;
}

static enum status open_all(struct hsm *h, struct err *e)
{
	enum status st = module_open(h, h->uri, e);
	if (st == ST_OK)
		st = token_find(h, h->uri, e);
	if (st == ST_OK)
		st = login(h, e);
	if (st == ST_OK)
		st = key_find(h, e);
	return st == ST_OK ? certificate_find(h, h->config, e) : st;
}

enum status hsm_open(const struct key_config *config, const struct key_uri *uri, bool attended, struct hsm **ret_hsm,
                     struct err *e)
{
	struct hsm *h = calloc(1, sizeof *h);
	if (h == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory");
	h->config = config;
	h->uri = uri;
	h->attended = attended;
	enum status st = open_all(h, e);
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
	operation_close(h->operation);
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
	case KEY_SHA3_256:
		return EVP_sha3_256();
	case KEY_SHA3_384:
		return EVP_sha3_384();
	case KEY_SHA3_512:
		return EVP_sha3_512();
	}
	return NULL;
}

static bool signature_right(const struct hsm *h, enum key_algorithm algorithm, const EVP_MD *md, struct bytes message,
                            const struct buf *signature)
{
	EVP_PKEY *key = X509_get0_pubkey(h->certificate);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *p = NULL;
	bool ok = c != NULL && EVP_DigestVerifyInit(c, &p, algorithm == KEY_EDDSA ? NULL : md, NULL, key) == 1;
	if (ok && algorithm == KEY_RSA_PSS)
		ok = EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) == 1 &&
		     EVP_PKEY_CTX_set_rsa_pss_saltlen(p, RSA_PSS_SALTLEN_DIGEST) == 1;
	ok = ok && EVP_DigestVerify(c, signature->data, signature->len, message.p, message.n) == 1;
	EVP_MD_CTX_free(c);
	ERR_clear_error();
	return ok;
}

enum status hsm_sign(struct hsm *h, enum key_algorithm algorithm, enum key_digest digest, struct bytes message,
                     struct buf *ret_signature, struct err *e)
{
	const EVP_MD *md = key_digest_md(digest);
	uint8_t hashed[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	if (md == NULL || (algorithm == KEY_EDDSA && digest != KEY_SHA512))
		return err_set(e, ST_RUN, "key-algorithm", "Ed25519 goes with SHA-512 alone");
	if (EVP_Digest(message.p, message.n, hashed, &n, md, NULL) != 1)
		return err_set(e, ST_RETRY, "memory", "no digest");
	BUF_AUTO struct buf signature = BUF_INIT(4096);
	enum status st = operation_begin(h->operation, algorithm, md, e);
	if (st == ST_OK && operation_wants_login(h->operation))
		st = login_by(h, login_use, e);
	if (st == ST_OK)
		st = operation_end(h->operation, algorithm, md, message, (struct bytes){hashed, n}, &signature, e);
	if (st != ST_OK)
		return st;
	if (!signature_right(h, algorithm, md, message, &signature))
		return err_set(e, ST_RUN, "key-signature", "the token's signature does not fit the certificate");
	buf_add(ret_signature, signature.data, signature.len);
	return ST_OK;
}
