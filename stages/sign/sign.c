#include "stages/sign/sign.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/digest.h"
#include "stages/base/file.h"
#include "stages/base/text.h"
#include "stages/sign/internal.h"
#include "stages/sign/use.h"

/* What a signature with its timestamp takes besides the certificates of the signer's chain: attributes, signature values, the
 * token with the authority's chain. */
#define ROOM_BESIDES (12u * 1024u)

struct sign {
	struct session session;
	struct look look;
	size_t room;        /* bytes for Contents */
	int64_t checked_ms; /* when the certificate was last found good; 0: not yet */
	char subject[256], serial[80];
};

static bool stamped(const struct profile *p)
{
	return p->sign.level >= LEVEL_B_T;
}

/* Whether the certificate is good, asked again when the last answer has grown too old. */
static enum status check_certificate(struct sign *s, struct err *e)
{
	const struct profile_sign *want = &s->session.env->profile->sign;
	int64_t now = s->session.env->now_ms(), max_age_ms = (int64_t)want->revocation_max_age_s * 1000;
	if (s->checked_ms != 0 && now >= s->checked_ms && now - s->checked_ms < max_age_ms)
		return ST_OK;
	enum status st = revocation_check_signer(s->session.revocation, keyholder_certificate(s->session.key), max_age_ms,
	                                         want->min_rsa_bits, e);
	if (st == ST_OK)
		s->checked_ms = now;
	return st;
}

static enum status check_organisation(const struct sign *s, struct err *e)
{
	const struct stage_env *env = s->session.env;
	const char *rule = env->profile->sign.organisation_match;
	if (rule == NULL || strcmp(rule, "subject-o") != 0)
		return ST_OK;
	char *have = certificate_organisation(keyholder_certificate(s->session.key)), *want = utf8_nfc(env->site->organisation);
	bool same = have != NULL && want != NULL && strcmp(have, want) == 0;
	if (!same) {
		err_set(e, ST_RUN, "cert-organisation", "the certificate's O is \"%s\", the site file's organisation \"%s\"",
		        have != NULL ? have : "", env->site->organisation);
		err_arg(e, "%s", have != NULL ? have : "");
		err_arg(e, "%s", env->site->organisation);
	}
	free(have);
	free(want);
	return same ? ST_OK : ST_RUN;
}

/* The face, with the letters of the organisation and of any time in its subset. */
static enum status open_face(struct sign *s, struct err *e)
{
	const struct stage_env *env = s->session.env;
	if (!env->profile->sign.appearance.visible)
		return ST_OK;
	char *usual = NULL, *nfc = NULL;
	enum status st = layout_text(env, NULL, "0123456789-:+T", &usual, e);
	if (st == ST_OK) {
		for (char *p = usual; *p != '\0'; p++)
			*p = *p == '\n' ? ' ' : *p;
		nfc = utf8_nfc(usual);
		st = nfc == NULL ? err_set(e, ST_RUN, "font-glyph", "the appearance's text is not well-formed UTF-8")
		                 : typeface_open(env->profile->sign.appearance.font, nfc, &s->look.face, e);
	}
	free(usual);
	free(nfc);
	return st;
}

/* The site's picture that the profile wants. */
static enum status open_stamp(struct sign *s, struct err *e)
{
	const struct stage_env *env = s->session.env;
	const struct profile_appearance *want = &env->profile->sign.appearance;
	bool seal = strcmp(want->picture, "seal") == 0;
	const char *path = seal ? env->site->seal_picture : env->site->signature_picture;
	if (!want->visible || strcmp(want->picture, "none") == 0)
		return ST_OK;
	if (path != NULL)
		return stamp_read(path, &s->look.stamp, e);
	const char *key = seal ? "seal-picture" : "signature-picture";
	err_set(e, ST_RUN, "stamp-none", "the site file has no %s", key);
	err_arg(e, "%s", key);
	return ST_RUN;
}

static size_t chain_length(const struct keyholder *k)
{
	int n = i2d_X509(keyholder_certificate(k), NULL);
	STACK_OF(X509) *chain = keyholder_chain(k);
	for (int i = 0; i < sk_X509_num(chain); i++)
		n += i2d_X509(sk_X509_value(chain, i), NULL);
	return n > 0 ? (size_t)n : 0;
}

static void sign_close(void *state)
{
	struct sign *s = state;
	session_close(&s->session);
	typeface_free(s->look.face);
	stamp_free(s->look.stamp);
	free(s);
}

static enum status open_parts(struct sign *s, const struct stage_env *env, struct err *e)
{
	enum status st = session_open(env, true, stamped(env->profile), &s->session, e);
	if (st != ST_OK)
		return st;
	X509 *certificate = keyholder_certificate(s->session.key);
	certificate_subject(certificate, s->subject, sizeof s->subject);
	certificate_serial(certificate, s->serial, sizeof s->serial);
	s->room = 2 * chain_length(s->session.key) + ROOM_BESIDES;
	if (s->room > PDFFIELD_MAX_CONTENTS)
		s->room = PDFFIELD_MAX_CONTENTS;
	st = check_organisation(s, e);
	if (st == ST_OK)
		st = open_face(s, e);
	if (st == ST_OK)
		st = open_stamp(s, e);
	if (st != ST_OK)
		return st;
	st = check_certificate(s, e);
	/* A server that is silent now may answer when the first document comes: asked again there. */
	return st == ST_RETRY ? ST_OK : st;
}

static enum status sign_open(const struct stage_env *env, void **ret_state, struct err *e)
{
	struct sign *s = calloc(1, sizeof *s);
	if (s == NULL)
		return err_set(e, ST_RETRY, "memory", "sign");
	enum status st = open_parts(s, env, e);
	if (st == ST_OK)
		*ret_state = s;
	else
		sign_close(s);
	return st;
}

/* The signature without its timestamp, over bytes of this digest: of the use that is held, or of a new one. */
static enum status use_key(struct sign *s, struct bytes digest, bool pades, int64_t time_ms, struct key_use *u, struct err *e)
{
	char hex[sizeof u->digest];
	hex_lower(digest.p, digest.n, hex);
	if (u->used_ms != 0 && strcmp(u->digest, hex) == 0)
		return ST_OK;
	use_discard(u, "the signed bytes cannot be made again");
	memcpy(u->digest, hex, sizeof hex);
	memcpy(u->serial, s->serial, sizeof u->serial);
	u->time_ms = time_ms;
	u->used_ms = s->session.env->now_ms();
	u->room = s->room;
	enum status st = use_save(u, e);
	if (st != ST_OK)
		return st;
	const struct cades_request r = {.key = s->session.key,
	                                .algorithm = s->session.algorithm,
	                                .digest = s->session.digest,
	                                .content_digest = digest,
	                                .pades = pades,
	                                .signing_time_ms = time_ms};
	st = cades_sign(&r, &u->cms, e);
	if (st == ST_OK)
		return use_save(u, e);
	if (keyholder_used(s->session.key))
		return st; /* the note tells that the result was lost */
	use_undo(u);
	struct err ignored;
	use_save(u, &ignored);
	return st;
}

/* The CMS over bytes of this digest, stamped where the level says so. */
static enum status make_signature(struct sign *s, struct bytes digest, bool pades, int64_t time_ms, struct key_use *u,
                                  struct buf *to, struct err *e)
{
	uint8_t imprint[32];
	BUF_AUTO struct buf token = BUF_INIT(1u << 20);
	enum status st = use_key(s, digest, pades, time_ms, u, e);
	if (st != ST_OK)
		return st;
	struct bytes cms = {u->cms.data, u->cms.len};
	if (!stamped(s->session.env->profile)) {
		buf_add(to, cms.p, cms.n);
		return ST_OK;
	}
	st = cades_signature_digest(cms, imprint, e);
	if (st == ST_OK)
		st = tsa_stamp(&s->session.tsa, imprint, &token, NULL, NULL, e);
	if (st == ST_OK)
		st = cades_add_timestamp(cms, (struct bytes){token.data, token.len}, to, e);
	return st;
}

/* Lays the update out and signs it; once more with more room where the signature turned out larger than thought. */
static enum status make_update(struct sign *s, const struct pdfdoc *d, const struct item *it, int64_t time_ms, struct key_use *u,
                               struct layout *ret_layout, struct err *e)
{
	for (int turn = 0;; turn++) {
		struct layout lay;
		enum status st =
		    layout_make(s->session.env, &s->look, d, it, time_ms, u->used_ms != 0 ? u->room : s->room, &lay, e);
		if (st != ST_OK)
			return st;
		BUF_AUTO struct buf cms = BUF_INIT(USE_CMS_MAX);
		uint8_t digest[64];
		size_t n;
		st = pdffield_digest(pdfdoc_bytes(d), &lay.update, lay.hole, EVP_MD_get0_name(s->session.md), digest, &n, e);
		if (st == ST_OK)
			st = make_signature(s, (struct bytes){digest, n}, true, time_ms, u, &cms, e);
		if (st == ST_OK && pdffield_fill(&lay.update, lay.hole, (struct bytes){cms.data, cms.len})) {
			*ret_layout = lay;
			return ST_OK;
		}
		buf_free(&lay.update);
		if (st != ST_OK)
			return st;
		if (turn > 0 || cms.len + 512 > PDFFIELD_MAX_CONTENTS)
			return err_set(e, ST_RUN, "signature-room", "a signature of %zu bytes does not fit into a PDF/A string",
			               cms.len);
		s->room = cms.len + 512;
		use_discard(u, "it needs more room in the file");
	}
}

/* Whether the signature of an earlier try is gone on with; where not, it is discarded. */
static bool hold(const struct sign *s, struct key_use *u, const char *input)
{
	int64_t within_ms = (int64_t)s->session.env->profile->sign.timestamp_within_s * 1000,
	        age_ms = s->session.env->now_ms() - u->used_ms;
	if (u->used_ms == 0)
		return false;
	const char *reason = u->cms.len == 0                     ? "its result was lost"
	                     : strcmp(u->input, input) != 0      ? "the document is another now"
	                     : strcmp(u->serial, s->serial) != 0 ? "the certificate is another now"
	                     : age_ms < 0 || age_ms >= within_ms ? "its timestamp did not come in time"
	                                                         : NULL;
	if (reason != NULL)
		use_discard(u, reason);
	return reason == NULL;
}

static void tell_signature(const struct sign *s, struct item *it, const char *what, int64_t time_ms, const struct key_use *u)
{
	const struct stage_env *env = s->session.env;
	char time[TIME_TEXT];
	time_iso8601(time_ms, env->profile->sign.appearance.time_offset_min, false, time);
	use_tell(u, it, env->now_ms());
	item_add_event(it, time_ms, "digital signature generation", "success", "%s-BASELINE-%s, time %s, signer %s, serial %s",
	               what, stamped(env->profile) ? "T" : "B", time, s->subject, s->serial);
}

static enum status sign_document(struct sign *s, struct bytes original, const char *input, struct item *it, const char *path,
                                 struct key_use *u, struct err *e)
{
	const struct stage_env *env = s->session.env;
	struct pdfdoc *d;
	enum status st = pdfdoc_open(original, &d, e);
	if (st != ST_OK)
		return st;
	st = earlier_check(&s->session, d, it, e);
	struct layout lay = {0};
	int64_t now_ms = hold(s, u, input) ? u->time_ms : env->now_ms();
	memcpy(u->input, input, sizeof u->input);
	if (st == ST_OK)
		st = make_update(s, d, it, now_ms, u, &lay, e);
	pdfdoc_close(d);
	if (st == ST_OK)
		st = session_publish(it, path, original, &lay.update, e);
	if (st == ST_OK) {
		char what[sizeof lay.field + 16];
		snprintf(what, sizeof what, "field %s, PAdES", lay.field);
		tell_signature(s, it, what, now_ms, u);
	}
	buf_free(&lay.update);
	return st;
}

/* What is no PDF is signed by a file beside it (ETSI EN 319 122-1): "<file>.p7s". */
static enum status sign_beside(struct sign *s, struct bytes content, const char *input, struct item *it, const char *path,
                               struct key_use *u, struct err *e)
{
	const struct stage_env *env = s->session.env;
	BUF_AUTO struct buf cms = BUF_INIT(USE_CMS_MAX);
	uint8_t digest[EVP_MAX_MD_SIZE];
	char sha256[65];
	unsigned n = 0;
	if (EVP_Digest(content.p, content.n, digest, &n, s->session.md, NULL) != 1)
		return err_set(e, ST_BUG, "digest", "OpenSSL did not hash");
	int64_t now_ms = hold(s, u, input) ? u->time_ms : env->now_ms();
	memcpy(u->input, input, sizeof u->input);
	enum status st = make_signature(s, (struct bytes){digest, n}, false, now_ms, u, &cms, e);
	if (st == ST_OK)
		st = file_write(path, cms.data, cms.len, e);
	if (st == ST_OK) {
		sha256_hex(cms.data, cms.len, sha256);
		item_add_companion(it, path, (int64_t)cms.len, sha256);
		tell_signature(s, it, "detached, CAdES", now_ms, u);
	}
	return st;
}

static enum status sign_work(void *state, struct item *it, struct err *e)
{
	struct sign *s = state;
	char input[65];
	enum status st = check_certificate(s, e);
	if (st != ST_OK)
		return st;
	struct file_map map;
	st = session_input(it, &map, input, e);
	if (st != ST_OK)
		return st;
	/* A document is a PDF, unless convert has let it be what it was. */
	bool beside = it->artefact.path != NULL && !item_is_pdf(it);
	char result[64], note[64], *path;
	snprintf(result, sizeof result, "%s%s", beside ? item_file_tail(it->artefact.path) : ".pdf", beside ? ".p7s" : "");
	snprintf(note, sizeof note, "%s%s", beside ? item_file_tail(it->artefact.path) : "", STAGE_NOTE);
	struct key_use use;
	st = use_open(stage_path(s->session.env, it, "sign", note), &use, e);
	if (st == ST_OK) {
		path = stage_path(s->session.env, it, "sign", result);
		st = path == NULL ? err_set(e, ST_RETRY, "memory", "path")
		     : beside     ? sign_beside(s, map.in, input, it, path, &use, e)
		                  : sign_document(s, map.in, input, it, path, &use, e);
		free(path);
		use_free(&use);
	}
	file_map_close(&map);
	return st;
}

const struct stage sign_stage = {
    .name = "sign",
    .summary = "put the organisation's signature on documents",
    .needs = STAGE_NEEDS_KEY | STAGE_NEEDS_NETWORK,
    .open = sign_open,
    .close = sign_close,
    .work = sign_work,
};
