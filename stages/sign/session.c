#include "stages/sign/session.h"

#include <openssl/bn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/digest.h"
#include "stages/base/text.h"

void session_learn(const struct session *s, X509 *certificate)
{
	uint8_t *der = NULL;
	int n = i2d_X509(certificate, &der);
	if (n > 0)
		trust_store_add_certificate(s->store, (struct bytes){der, (size_t)n});
	OPENSSL_free(der);
}

static enum status choose_digest(struct session *s, struct err *e)
{
	static const struct {
		const char *word;
		enum key_digest digest;
		const EVP_MD *(*md)(void);
	} rows[] = {{"sha256", KEY_SHA256, EVP_sha256},       {"sha384", KEY_SHA384, EVP_sha384},
	            {"sha512", KEY_SHA512, EVP_sha512},       {"sha3-256", KEY_SHA3_256, EVP_sha3_256},
	            {"sha3-384", KEY_SHA3_384, EVP_sha3_384}, {"sha3-512", KEY_SHA3_512, EVP_sha3_512}};
	const char *want = s->env->profile->sign.digest;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (strcmp(rows[i].word, want) == 0) {
			s->digest = rows[i].digest;
			s->md = rows[i].md();
			return ST_OK;
		}
	}
	err_set(e, ST_RUN, "profile-value", "sign.digest: %s", want);
	err_arg(e, "sign.digest");
	err_arg(e, "%s", want);
	err_arg(e, "sha256, sha384, sha512, sha3-256, sha3-384, sha3-512");
	return ST_RUN;
}

/* How the key is used. */
static enum status choose_algorithm(struct session *s, struct err *e)
{
	static char *usual[] = {"rsa-pkcs1", "rsa-pss", "ecdsa"};
	const struct profile_sign *p = &s->env->profile->sign;
	bool said = p->algorithms_count > 0;
	enum status st =
	    keyholder_algorithm(s->key, said ? p->algorithms : usual, said ? p->algorithms_count : 3, &s->algorithm, e);
	/* RFC 8419, 3.1: Ed25519 with signed attributes goes with SHA-512. */
	if (st == ST_OK && s->algorithm == KEY_EDDSA) {
		s->digest = KEY_SHA512;
		s->md = EVP_sha512();
	}
	return st;
}

static enum status open_key(struct session *s, struct err *e)
{
	enum status st = keyholder_open(s->env->key_fd, &s->key, e);
	if (st == ST_OK)
		st = choose_algorithm(s, e);
	if (st != ST_OK)
		return st;
	session_learn(s, keyholder_certificate(s->key));
	STACK_OF(X509) *chain = keyholder_chain(s->key);
	for (int i = 0; i < sk_X509_num(chain); i++)
		session_learn(s, sk_X509_value(chain, i));
	return ST_OK;
}

static enum status open_tsa(struct session *s, struct err *e)
{
	const struct site *site = s->env->site;
	if (site->timestamp_authorities_count == 0)
		return err_set(e, ST_RUN, "tsa-none", "the site file names no timestamp authority");
	const char **urls = calloc(site->timestamp_authorities_count, sizeof *urls);
	if (urls == NULL)
		return err_set(e, ST_RETRY, "memory", "authorities");
	for (unsigned i = 0; i < site->timestamp_authorities_count; i++)
		urls[i] = site->timestamp_authorities[i].url;
	s->tsa = (struct tsa){.urls = urls,
	                      .n = site->timestamp_authorities_count,
	                      .fetch = s->fetch,
	                      .anchors = s->store,
	                      .issuers = s->revocation,
	                      .now_ms = s->env->now_ms,
	                      .tolerance_ms = (int64_t)s->env->profile->sign.clock_tolerance_s * 1000};
	return ST_OK;
}

enum status session_open(const struct stage_env *env, bool with_key, bool with_tsa, struct session *ret_session, struct err *e)
{
	struct session s = {.env = env, .store = trust_store_new()};
	enum status st = s.store == NULL ? err_set(e, ST_RETRY, "memory", "trust store") : ST_OK;
	if (st == ST_OK)
		st = choose_digest(&s, e);
	for (unsigned i = 0; st == ST_OK && i < env->site->trust_anchors_count; i++)
		st = trust_store_add_anchors(s.store, env->site->trust_anchors[i], e);
	if (st == ST_OK)
		st = fetch_open(env->fetch_fd, &s.fetch, e);
	if (st == ST_OK && (s.revocation = revocation_new(s.fetch, s.store, env->now_ms)) == NULL)
		st = err_set(e, ST_RETRY, "memory", "revocation");
	if (st == ST_OK && with_key)
		st = open_key(&s, e);
	if (st == ST_OK && with_tsa)
		st = open_tsa(&s, e);
	if (st != ST_OK)
		session_close(&s);
	else
		*ret_session = s;
	return st;
}

void session_close(struct session *s)
{
	free((void *)s->tsa.urls);
	if (s->key != NULL)
		keyholder_close(s->key);
	revocation_free(s->revocation);
	if (s->fetch != NULL)
		fetch_close(s->fetch);
	trust_store_free(s->store);
	*s = (struct session){0};
}

void certificate_subject(X509 *certificate, char *to, size_t room)
{
	*to = '\0';
	BIO *b = BIO_new(BIO_s_mem());
	if (b == NULL)
		return;
	X509_NAME_print_ex(b, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	char *text;
	long n = BIO_get_mem_data(b, &text);
	snprintf(to, room, "%.*s", n > 0 ? (int)n : 0, text);
	BIO_free(b);
}

void certificate_serial(X509 *certificate, char *to, size_t room)
{
	*to = '\0';
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
	char *digits = number != NULL ? BN_bn2hex(number) : NULL;
	if (digits != NULL)
		snprintf(to, room, "%s", digits);
	OPENSSL_free(digits);
	BN_free(number);
}

char *certificate_organisation(X509 *certificate)
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, NID_organizationName, -1);
	if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_organizationName, at) >= 0)
		return NULL;
	unsigned char *text = NULL;
	int n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	char *nfc = n >= 0 && strlen((char *)text) == (size_t)n ? utf8_nfc((char *)text) : NULL;
	OPENSSL_free(text);
	return nfc;
}

enum status session_input(const struct item *it, struct file_map *ret_map, char ret_sha256[65], struct err *e)
{
	const struct item_file *f = it->artefact.path != NULL ? &it->artefact : it->n_sources == 1 ? &it->sources[0] : NULL;
	if (f == NULL)
		return err_set(e, ST_ITEM, "sign-no-pdf", "the record names no PDF");
	enum status st = file_map_open(f->path, ret_map, e);
	if (st != ST_OK)
		return st;
	sha256_hex(ret_map->in.p, ret_map->in.n, ret_sha256);
	if (f->sha256[0] == '\0' || strcmp(f->sha256, ret_sha256) == 0)
		return ST_OK;
	file_map_close(ret_map);
	bool made = f == &it->artefact;
	err_set(e, ST_ITEM, made ? "artefact-changed" : "source-changed", "SHA-256 is %s, was %s", ret_sha256, f->sha256);
	err_arg(e, "%s", made ? it->id : f->path);
	return err_where(e, "%s", f->path);
}

enum status session_publish(struct item *it, const char *path, struct bytes original, const struct buf *update, struct err *e)
{
	struct outfile out;
	uint8_t digest[32];
	char hex[65];
	struct sha256 *h = sha256_new();
	if (h == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for a digest");
	sha256_add(h, original.p, original.n);
	sha256_add(h, update->data, update->len);
	sha256_end(h, digest);
	hex_lower(digest, sizeof digest, hex);
	enum status st = outfile_open(path, &out, e);
	if (st != ST_OK)
		return st;
	if (fwrite(original.p, 1, original.n, out.stream) != original.n ||
	    fwrite(update->data, 1, update->len, out.stream) != update->len) {
		st = err_errno(e, "write", path);
		outfile_discard(&out);
		return st;
	}
	st = outfile_commit(&out, e);
	if (st == ST_OK) {
		char *format = it->artefact.format != NULL ? strdup(it->artefact.format) : NULL;
		item_set_artefact(it, path, (int64_t)(original.n + update->len), hex, format);
		free(format);
	}
	return st;
}
