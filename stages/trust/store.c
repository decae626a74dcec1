#include "stages/trust/store.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "stages/base/digest.h"
#include "stages/base/file.h"
#include "stages/trust/internal.h"

#define ANCHOR_FILE_MAX (64u << 20)

void trust_drain(void)
{
	ERR_clear_error();
}

const char *trust_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());
	ERR_clear_error();
	return reason != NULL ? reason : "malformed";
}

struct trust_store *trust_store_over(const struct trust_store *below)
{
	struct trust_store *s = calloc(1, sizeof *s);
	if (s != NULL)
		s->below = below;
	return s;
}

struct trust_store *trust_store_new(void)
{
	return trust_store_over(NULL);
}

void trust_store_free(struct trust_store *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_certs; i++)
		X509_free(s->certs[i].x509);
	for (size_t i = 0; i < s->n_crls; i++)
		X509_CRL_free(s->crls[i].crl);
	for (size_t i = 0; i < s->n_ocsps; i++)
		OCSP_BASICRESP_free(s->ocsps[i].basic);
	free(s->certs);
	free(s->crls);
	free(s->ocsps);
	free(s);
}

/* Makes room for one more element; false: no memory. */
static bool grow(void **list, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return true;
	size_t more = *cap == 0 ? 8 : *cap * 2;
	void *moved = reallocarray(*list, more, size);
	if (moved == NULL)
		return false;
	*list = moved;
	*cap = more;
	return true;
}

static bool add_x509(struct trust_store *s, X509 *x, bool anchor)
{
	uint8_t id[32];
	cert_sha256(x, id);
	for (size_t i = 0; i < s->n_certs; i++) {
		if (memcmp(s->certs[i].id, id, sizeof id) == 0) {
			s->certs[i].anchor |= anchor;
			X509_free(x);
			return true;
		}
	}
	if (!grow((void **)&s->certs, s->n_certs, &s->cap_certs, sizeof *s->certs)) {
		X509_free(x);
		return false;
	}
	struct trust_cert *c = &s->certs[s->n_certs++];
	*c = (struct trust_cert){.x509 = x, .anchor = anchor};
	memcpy(c->id, id, sizeof id);
	return true;
}

static X509 *parse_x509(struct bytes der)
{
	if (der.n == 0 || der.n > TRUST_CERT_MAX)
		return NULL;
	const unsigned char *at = der.p;
	X509 *x = d2i_X509(NULL, &at, (long)der.n);
	trust_drain();
	return x;
}

bool trust_store_add_certificate(struct trust_store *s, struct bytes der)
{
	X509 *x = parse_x509(der);
	return x != NULL && add_x509(s, x, false);
}

bool trust_store_add_crl(struct trust_store *s, struct bytes der)
{
	if (der.n == 0 || der.n > TRUST_CRL_MAX)
		return false;
	/* Before parsing, as a CRL may have a hundred thousand entries and comes with every document of a certificate. */
	uint8_t id[32];
	sha256_bytes(der.p, der.n, id);
	for (const struct trust_store *t = s; t != NULL; t = t->below)
		for (size_t i = 0; i < t->n_crls; i++)
			if (memcmp(t->crls[i].id, id, sizeof id) == 0)
				return true;
	const unsigned char *at = der.p;
	X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.n);
	trust_drain();
	if (crl == NULL)
		return false;
	if (!grow((void **)&s->crls, s->n_crls, &s->cap_crls, sizeof *s->crls)) {
		X509_CRL_free(crl);
		return false;
	}
	struct trust_crl *c = &s->crls[s->n_crls++];
	c->crl = crl;
	memcpy(c->id, id, sizeof id);
	return true;
}

/* The BasicOCSPResponse in either form; NULL where it is neither, or the response carries none. */
static OCSP_BASICRESP *parse_ocsp(struct bytes der)
{
	if (der.n == 0 || der.n > TRUST_OCSP_MAX)
		return NULL;
	const unsigned char *at = der.p;
	OCSP_BASICRESP *basic = NULL;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)der.n);
	if (response != NULL) {
		basic = OCSP_response_get1_basic(response);
		OCSP_RESPONSE_free(response);
	} else {
		at = der.p;
		basic = d2i_OCSP_BASICRESP(NULL, &at, (long)der.n);
	}
	trust_drain();
	return basic;
}

/* The identity of an answer, wrapped or not. */
static bool ocsp_id(OCSP_BASICRESP *basic, uint8_t ret_id[32])
{
	unsigned char *inner = NULL;
	int n = i2d_OCSP_BASICRESP(basic, &inner);
	if (n > 0)
		sha256_bytes(inner, (size_t)n, ret_id);
	OPENSSL_free(inner);
	trust_drain();
	return n > 0;
}

bool trust_store_add_ocsp(struct trust_store *s, struct bytes der)
{
	OCSP_BASICRESP *basic = parse_ocsp(der);
	if (basic == NULL)
		return false;
	uint8_t id[32];
	bool known = ocsp_id(basic, id);
	for (const struct trust_store *t = s; t != NULL; t = t->below) {
		for (size_t i = 0; i < t->n_ocsps; i++) {
			if (memcmp(t->ocsps[i].id, id, sizeof id) == 0) {
				OCSP_BASICRESP_free(basic);
				return true;
			}
		}
	}
	if (!known || !grow((void **)&s->ocsps, s->n_ocsps, &s->cap_ocsps, sizeof *s->ocsps)) {
		OCSP_BASICRESP_free(basic);
		return false;
	}
	struct trust_ocsp *o = &s->ocsps[s->n_ocsps++];
	o->basic = basic;
	memcpy(o->id, id, sizeof id);
	return true;
}

static struct trust_ocsp *find_ocsp(const struct trust_store *s, struct bytes der)
{
	uint8_t id[32];
	OCSP_BASICRESP *basic = parse_ocsp(der);
	bool known = basic != NULL && ocsp_id(basic, id);
	OCSP_BASICRESP_free(basic);
	for (size_t i = 0; known && i < s->n_ocsps; i++)
		if (memcmp(s->ocsps[i].id, id, sizeof id) == 0)
			return &s->ocsps[i];
	return NULL;
}

static struct trust_crl *find_crl(const struct trust_store *s, struct bytes der)
{
	uint8_t id[32];
	sha256_bytes(der.p, der.n, id);
	for (size_t i = 0; i < s->n_crls; i++)
		if (memcmp(s->crls[i].id, id, sizeof id) == 0)
			return &s->crls[i];
	return NULL;
}

OCSP_BASICRESP *trust_store_find_ocsp(const struct trust_store *s, struct bytes der)
{
	struct trust_ocsp *o = find_ocsp(s, der);
	return o == NULL ? NULL : o->basic;
}

X509_CRL *trust_store_find_crl(const struct trust_store *s, struct bytes der)
{
	struct trust_crl *c = find_crl(s, der);
	return c == NULL ? NULL : c->crl;
}

void trust_store_drop_ocsp(struct trust_store *s, struct bytes der)
{
	struct trust_ocsp *o = find_ocsp(s, der);
	if (o == NULL)
		return;
	OCSP_BASICRESP_free(o->basic);
	*o = s->ocsps[--s->n_ocsps];
}

void trust_store_drop_crl(struct trust_store *s, struct bytes der)
{
	struct trust_crl *c = find_crl(s, der);
	if (c == NULL)
		return;
	X509_CRL_free(c->crl);
	*c = s->crls[--s->n_crls];
}

bool trust_store_is_anchor(const struct trust_store *s, X509 *certificate)
{
	uint8_t id[32];
	cert_sha256(certificate, id);
	for (; s != NULL; s = s->below)
		for (size_t i = 0; i < s->n_certs; i++)
			if (s->certs[i].anchor && memcmp(s->certs[i].id, id, sizeof id) == 0)
				return true;
	return false;
}

/* PEM certificates of any kind, any number, or one DER. Returns how many. */
static size_t add_anchor_bytes(struct trust_store *s, struct bytes in)
{
	size_t n = 0;
	X509 *x = in.n > 0 && in.p[0] == 0x30 ? parse_x509(in) : NULL;
	if (x != NULL)
		return add_x509(s, x, true) ? 1 : 0;
	BIO *bio = BIO_new_mem_buf(in.p, (int)in.n);
	while (bio != NULL && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		n += add_x509(s, x, true) ? 1 : 0;
	BIO_free(bio);
	trust_drain();
	return n;
}

static enum status add_anchor_file(struct trust_store *s, const char *path, size_t *ret_n, struct err *e)
{
	BUF_AUTO struct buf b = BUF_INIT(ANCHOR_FILE_MAX);
	struct err why = {0};
	if (file_read(path, &b, &why) != ST_OK) {
		err_set(e, ST_RUN, "trust-file", "%s: %s", path, why.detail);
		err_arg(e, "%s", path);
		return err_where(e, "%s", path);
	}
	*ret_n = b.len == 0 ? 0 : add_anchor_bytes(s, (struct bytes){b.data, b.len});
	return ST_OK;
}

static enum status no_anchor(const char *path, struct err *e)
{
	err_set(e, ST_RUN, "trust-file", "%s: no certificate in it", path);
	err_arg(e, "%s", path);
	return err_where(e, "%s", path);
}

static enum status add_anchor_folder(struct trust_store *s, const char *path, struct err *e)
{
	DIR *folder = opendir(path);
	if (folder == NULL) {
		err_set(e, ST_RUN, "trust-file", "%s: %s", path, strerror(errno));
		err_arg(e, "%s", path);
		return err_where(e, "%s", path);
	}
	size_t total = 0;
	enum status st = ST_OK;
	struct dirent *entry;
	while (st == ST_OK && (entry = readdir(folder)) != NULL) {
		char *file = path_join(path, entry->d_name);
		struct stat about;
		size_t n = 0;
		/* Other files (a note, a checksum list) may lie beside the certificates; an empty folder is the mistake. */
		if (file != NULL && stat(file, &about) == 0 && S_ISREG(about.st_mode))
			st = add_anchor_file(s, file, &n, e);
		total += n;
		free(file);
	}
	closedir(folder);
	return st != ST_OK ? st : total == 0 ? no_anchor(path, e) : ST_OK;
}

enum status trust_store_add_anchors(struct trust_store *s, const char *path, struct err *e)
{
	struct stat about;
	if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
		return add_anchor_folder(s, path, e);
	size_t n = 0;
	enum status st = add_anchor_file(s, path, &n, e);
	return st == ST_OK && n == 0 ? no_anchor(path, e) : st;
}
