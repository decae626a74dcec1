#include "stages/augment/augment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/augment/internal.h"
#include "stages/base/digest.h"
#include "stages/base/file.h"
#include "stages/base/text.h"
#include "stages/pdf/field/field.h"
#include "stages/pdf/signatures.h"

/* How often the DSS is made anew for an authority that has taken over. */
#define MAX_TURNS 4

struct augment {
	struct session session;
	const char **order;  /* the authorities' URLs, the chosen one first */
	struct tsa tsa;      /* asks in that order */
	struct proof chosen; /* who the chosen authority is: from its last answer; signer NULL where there is none yet */
	size_t token_length; /* of that answer */
};

static bool wanted(const struct augment *a, enum profile_level level)
{
	return a->session.env->profile->sign.level >= level;
}

static void augment_close(void *state)
{
	struct augment *a = state;
	session_close(&a->session);
	proof_free(&a->chosen);
	free((void *)a->order);
	free(a);
}

static enum status augment_open(const struct stage_env *env, void **ret_state, struct err *e)
{
	struct augment *a = calloc(1, sizeof *a);
	if (a == NULL)
		return err_set(e, ST_RETRY, "memory", "augment");
	enum status st = session_open(env, false, env->profile->sign.level >= LEVEL_B_LTA, &a->session, e);
	if (st == ST_OK) {
		a->tsa = a->session.tsa;
		a->order = calloc(a->tsa.n + 1, sizeof *a->order);
		if (a->order == NULL)
			st = err_set(e, ST_RETRY, "memory", "augment");
	}
	if (st != ST_OK) {
		augment_close(a);
		return st;
	}
	for (size_t i = 0; i < a->tsa.n; i++)
		a->order[i] = a->tsa.urls[i];
	a->tsa.urls = a->order;
	*ret_state = a;
	return ST_OK;
}

static bool same_signer(const struct proof *x, const struct proof *y)
{
	return x->signer != NULL && y->signer != NULL && X509_cmp(sk_X509_value(x->signer, 0), sk_X509_value(y->signer, 0)) == 0;
}

/* Asks for a timestamp and learns who answered: the one that answers is asked first from then on. ret_same: it is the one that was
 * chosen before. */
static enum status stamp(struct augment *a, const uint8_t imprint[32], struct buf *ret_token, bool *ret_same, struct err *e)
{
	size_t which;
	struct proof p;
	enum status st = tsa_stamp(&a->tsa, imprint, ret_token, NULL, &which, e);
	if (st != ST_OK)
		return st;
	struct bytes token = {ret_token->data, ret_token->len};
	st = proof_read(token, true, &p, e);
	if (st != ST_OK) {
		/* An authority that leaves its certificate out, though it was asked for it, is of no use now; another may be. */
		e->status = ST_RETRY;
		return ST_RETRY;
	}
	*ret_same = same_signer(&a->chosen, &p);
	proof_free(&a->chosen);
	a->chosen = p;
	a->token_length = token.n;
	const char *url = a->order[which];
	memmove((void *)(a->order + 1), (const void *)a->order, which * sizeof *a->order);
	a->order[0] = url;

	STACK_OF(X509) *certificates = sk_X509_new_null();
	if (certificates != NULL && cades_certificates(token, certificates, NULL) == ST_OK)
		for (int i = 0; i < sk_X509_num(certificates); i++)
			session_learn(&a->session, sk_X509_value(certificates, i));
	sk_X509_pop_free(certificates, X509_free);
	return ST_OK;
}

/* The authority is chosen by a stamp that is thrown away, once in a process. */
static enum status choose_authority(struct augment *a, struct err *e)
{
	if (a->chosen.signer != NULL)
		return ST_OK;
	uint8_t imprint[32];
	bool same;
	BUF_AUTO struct buf token = BUF_INIT(1u << 20);
	sha256_bytes("arkseal", 7, imprint);
	return stamp(a, imprint, &token, &same, e);
}

static enum status no_revocation(struct err *e)
{
	/* For a signature's certificate that is the document's fault; for an authority's it is the site's. */
	char detail[sizeof e->detail];
	snprintf(detail, sizeof detail, "%s", e->detail);
	return err_set(e, ST_RUN, "tsa-no-revocation", "the timestamp authority's certificates name no OCSP or CRL address: %s",
	               detail);
}

/* Everything that the DSS must hold for what is in the document and for the authority that will stamp it. */
static enum status collect_all(struct augment *a, const struct pdfsig *list, size_t n, struct material *m, struct err *e)
{
	enum status st = ST_OK;
	for (size_t i = 0; st == ST_OK && i < n; i++) {
		st = proof_of(&a->session, (struct bytes){list[i].contents.data, list[i].contents.len}, list[i].timestamp, m, e);
		if (st != ST_OK)
			err_where(e, "field %s", list[i].field);
	}
	if (st != ST_OK || !wanted(a, LEVEL_B_LTA))
		return st;
	st = proof_collect(&a->session, &a->chosen, true, m, e);
	return st == ST_ITEM && strcmp(e->code, "revocation-none") == 0 ? no_revocation(e) : st;
}

/* The update: DSS and, at level B-LTA, the field of the document timestamp with room for it. */
static enum status lay_out(struct augment *a, const struct pdfdoc *d, const struct material *m, struct buf *to,
                           struct pdfupd_hole *ret_hole, struct err *e)
{
	struct pdfupd *u;
	enum status st = pdfupd_new(d, &u, e);
	if (st != ST_OK)
		return st;
	st = dss_extend(u, d, m, e);
	if (st == ST_OK && !wanted(a, LEVEL_B_LTA)) {
		st = pdfupd_finish(u, to, e);
	} else if (st == ST_OK) {
		char name[PDFFIELD_NAME];
		struct pdffield f = {.stem = "Timestamp"};
		uint32_t value = 0;
		st = pdfdoc_page(d, 0, &f.page, e);
		if (st == ST_OK)
			st = pdffield_add(u, d, &f, &value, name, e);
		if (st == ST_OK) {
			/* Serial numbers and times vary by a few bytes. */
			const struct pdffield_value v = {
			    .type = "DocTimeStamp", .sub_filter = "ETSI.RFC3161", .room = a->token_length + 256};
			pdffield_set_value(u, value, &v);
			st = pdfupd_finish_signature(u, value, to, ret_hole, e);
		}
	}
	pdfupd_free(u);
	return st == ST_OK ? pdfdoc_fault(d, e) : st;
}

static enum status stamp_layout(struct augment *a, struct bytes original, struct buf *update, struct pdfupd_hole hole,
                                bool *ret_good, struct err *e)
{
	uint8_t digest[64];
	size_t n;
	bool same = false;
	BUF_AUTO struct buf token = BUF_INIT(1u << 20);
	enum status st = pdffield_digest(original, update, hole, "SHA256", digest, &n, e);
	if (st == ST_OK)
		st = stamp(a, digest, &token, &same, e);
	*ret_good = st == ST_OK && same && pdffield_fill(update, hole, (struct bytes){token.data, token.len});
	return st;
}

/* Again and again until the authority that stamped is the one whose data lie in the DSS. */
static enum status make_update(struct augment *a, const struct pdfdoc *d, const struct pdfsig *list, size_t n, struct buf *to,
                               struct err *e)
{
	for (int turn = 0; turn < MAX_TURNS; turn++) {
		enum status st = wanted(a, LEVEL_B_LTA) ? choose_authority(a, e) : ST_OK;
		struct material m = {0};
		struct pdfupd_hole hole = {0};
		bool good = true;
		buf_reset(to);
		if (st == ST_OK)
			st = collect_all(a, list, n, &m, e);
		if (st == ST_OK)
			st = lay_out(a, d, &m, to, &hole, e);
		material_free(&m);
		if (st == ST_OK && wanted(a, LEVEL_B_LTA))
			st = stamp_layout(a, pdfdoc_bytes(d), to, hole, &good, e);
		if (st != ST_OK || good)
			return st;
	}
	return err_set(e, ST_RETRY, "tsa-unsteady", "the timestamp authorities took turns %d times", MAX_TURNS);
}

static enum status augment_document(struct augment *a, struct bytes original, struct item *it, const char *path, struct err *e)
{
	struct pdfdoc *d;
	struct pdfsig *list = NULL;
	size_t n = 0;
	BUF_AUTO struct buf update = BUF_INIT(256u << 20);
	enum status st = pdfdoc_open(original, &d, e);
	if (st != ST_OK)
		return st;
	st = pdfsig_list(d, &list, &n, e);
	if (st == ST_OK)
		st = make_update(a, d, list, n, &update, e);
	pdfsig_free(list, n);
	pdfdoc_close(d);
	if (st == ST_OK)
		st = session_publish(it, path, original, &update, e);
	if (st != ST_OK)
		return st;
	char authority[256];
	int64_t now_ms = a->session.env->now_ms();
	if (wanted(a, LEVEL_B_LTA)) {
		certificate_subject(sk_X509_value(a->chosen.signer, 0), authority, sizeof authority);
		item_add_event(it, now_ms, "digital signature augmentation", "success",
		               "PAdES-BASELINE-LTA, document timestamp by %s", authority);
	} else {
		item_add_event(it, now_ms, "digital signature augmentation", "success", "PAdES-BASELINE-LT");
	}
	return ST_OK;
}

/* Detached CAdES to level B-LT: a new file in place of the one that sign has made. */
static enum status augment_beside(struct augment *a, struct item *it, struct err *e)
{
	struct item_file *f = item_signature(it);
	BUF_AUTO struct buf plain = BUF_INIT(16u << 20), whole = BUF_INIT(16u << 20);
	char sha256[65];
	if (f == NULL)
		return ST_OK;
	enum status st = file_read(f->path, &plain, e);
	if (st == ST_OK)
		st = proof_extend(&a->session, (struct bytes){plain.data, plain.len}, &whole, e);
	char *path = st == ST_OK ? stage_path(a->session.env, it, "augment", item_file_tail(f->path)) : NULL;
	if (st == ST_OK)
		st = path == NULL ? err_set(e, ST_RETRY, "memory", "path") : file_write(path, whole.data, whole.len, e);
	if (st == ST_OK) {
		sha256_hex(whole.data, whole.len, sha256);
		item_set(&f->path, path);
		f->size = (int64_t)whole.len;
		memcpy(f->sha256, sha256, sizeof f->sha256);
		item_add_event(it, a->session.env->now_ms(), "digital signature augmentation", "success", "CAdES-BASELINE-LT");
	}
	free(path);
	return st;
}

static enum status augment_work(void *state, struct item *it, struct err *e)
{
	struct augment *a = state;
	if (!wanted(a, LEVEL_B_LT))
		return ST_OK;
	if (it->artefact.path != NULL && !item_is_pdf(it))
		return augment_beside(a, it, e);
	struct file_map map;
	char input[65];
	enum status st = session_input(it, &map, input, e);
	if (st != ST_OK)
		return st;
	char *path = stage_path(a->session.env, it, "augment", ".pdf");
	st = path == NULL ? err_set(e, ST_RETRY, "memory", "path") : augment_document(a, map.in, it, path, e);
	free(path);
	file_map_close(&map);
	return st;
}

const struct stage augment_stage = {
    .name = "augment",
    .summary = "add what keeps signatures verifiable: certificates, revocation data, a document timestamp",
    .needs = STAGE_NEEDS_NETWORK,
    .open = augment_open,
    .close = augment_close,
    .work = augment_work,
};
