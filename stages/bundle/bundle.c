#include "stages/bundle/bundle.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/digest.h"
#include "stages/base/file.h"
#include "stages/bundle/internal.h"
#include "stages/sign/proof.h"

#define CMS_MAX ((size_t)1 << 20)

struct bundle {
	const struct stage_env *env;
	struct session session; /* used where the profile asks for the seal */
};

static enum status bundle_open(const struct stage_env *env, void **ret_state, struct err *e)
{
	struct bundle *b = calloc(1, sizeof *b);
	if (b == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for a stage");
	b->env = env;
	enum status st = env->profile->bundle.seal ? session_open(env, true, true, &b->session, e) : ST_OK;
	if (st != ST_OK) {
		free(b);
		return st;
	}
	*ret_state = b;
	return ST_OK;
}

static void bundle_close(void *state)
{
	struct bundle *b = state;
	if (b->env->profile->bundle.seal)
		session_close(&b->session);
	free(b);
}

/* A detached CAdES, B-T or B-LT as the level of the documents' signatures is, over METS.xml (ETSI EN 319 122-1): what changes in METS.xml is found by it, everything else by METS.xml. */
static enum status seal(struct bundle *b, const char *folder, const char *path, int64_t now_ms, struct err *e)
{
	BUF_AUTO struct buf plain = BUF_INIT(CMS_MAX), token = BUF_INIT(CMS_MAX), stamped = BUF_INIT(CMS_MAX),
	                    whole = BUF_INIT(16 * CMS_MAX);
	struct file_map in;
	uint8_t content[EVP_MAX_MD_SIZE], imprint[32];
	unsigned n = 0;
	char *mets = path_join(folder, "METS.xml");
	enum status st = mets == NULL ? err_set(e, ST_RETRY, "memory", "no memory for a seal") : file_map_open(mets, &in, e);
	free(mets);
	if (st != ST_OK)
		return st;
	bool hashed = EVP_Digest(in.in.p, in.in.n, content, &n, b->session.md, NULL) == 1;
	file_map_close(&in);
	if (!hashed)
		return err_set(e, ST_BUG, "digest", "OpenSSL did not hash");
	const struct cades_request request = {.key = b->session.key,
	                                      .algorithm = b->session.algorithm,
	                                      .digest = b->session.digest,
	                                      .content_digest = {content, n},
	                                      .signing_time_ms = now_ms};
	st = cades_sign(&request, &plain, e);
	if (st == ST_OK)
		st = cades_signature_digest((struct bytes){plain.data, plain.len}, imprint, e);
	if (st == ST_OK)
		st = tsa_stamp(&b->session.tsa, imprint, &token, NULL, NULL, e);
	if (st == ST_OK)
		st = cades_add_timestamp((struct bytes){plain.data, plain.len}, (struct bytes){token.data, token.len}, &stamped,
		                         e);
	bool values = b->env->profile->sign.level >= LEVEL_B_LT;
	if (st == ST_OK && values)
		st = proof_extend(&b->session, (struct bytes){stamped.data, stamped.len}, &whole, e);
	const struct buf *last = values ? &whole : &stamped;
	return st == ST_OK ? file_write(path, last->data, last->len, e) : st;
}

/* Package and seal in the work folder; what an earlier try has left is removed first. */
static enum status make(struct bundle *b, const struct package *p, struct item *out, struct err *e)
{
	const struct profile_bundle *rules = &b->env->profile->bundle;
	bool zip = strcmp(rules->form, "zip") == 0;
	char *name = package_folder_name(p->objid), *folder = NULL, *packed = NULL, *seal_path = NULL, digest[65];
	int64_t size;
	enum status st = ST_OK;
	if (name == NULL || asprintf(&folder, "%s/%s", b->env->work_folder, name) < 0 ||
	    asprintf(&packed, "%s.zip", folder) < 0 || asprintf(&seal_path, "%s.METS.p7s", folder) < 0)
		st = err_set(e, ST_RETRY, "memory", "no memory for a package");
	if (st == ST_OK)
		st = file_remove_tree(folder, e);
	if (st == ST_OK)
		st = package_write(p, folder, e);
	if (st == ST_OK && rules->seal)
		st = seal(b, folder, seal_path, p->now_ms, e);
	if (st == ST_OK && rules->seal && (st = file_sha256(seal_path, digest, &size, e)) == ST_OK)
		item_add_companion(out, seal_path, size, digest);
	if (st == ST_OK && zip) {
		st = package_zip(folder, packed, p->now_ms, e);
		if (st == ST_OK)
			st = file_remove_tree(folder, e);
		if (st == ST_OK && (st = file_sha256(packed, digest, &size, e)) == ST_OK)
			item_set_artefact(out, packed, size, digest, "x-fmt/263"); /* PRONOM: ZIP */
	} else if (st == ST_OK) {
		item_set_artefact(out, folder, 0, NULL, NULL);
	}
	free(name);
	free(folder);
	free(packed);
	free(seal_path);
	return st;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct bundled *)a)->name, ((const struct bundled *)b)->name);
}

/* The same dossier always has the same OBJID: "urn:{fonds}:uuid:{UUID}". The caller frees. */
static char *objid_of(const struct item *first)
{
	char *name, *objid, uuid[37];
	if (asprintf(&name, "AIP\n%s\n%s", first->fonds == NULL ? "" : first->fonds,
	             first->dossier == NULL ? first->id : first->dossier) < 0)
		return NULL;
	uuid_from_name(name, uuid);
	free(name);
	if (first->fonds == NULL)
		return asprintf(&objid, "urn:uuid:%s", uuid) < 0 ? NULL : objid;
	return asprintf(&objid, "urn:%s:uuid:%s", first->fonds, uuid) < 0 ? NULL : objid;
}

static enum status bundle_gather(void *state, struct item *const *items, size_t n, struct item **ret_package, struct err *e)
{
	struct bundle *b = state;
	const struct profile_bundle *rules = &b->env->profile->bundle;
	const struct item *first = items[0];
	struct bundled *documents = calloc(n, sizeof *documents);
	struct package_document *list = calloc(n, sizeof *list);
	json_t *dossier = bundle_dossier(first, rules->archive_code, n);
	struct item *out = item_new();
	char *objid = objid_of(first);
	enum status st = ST_OK;
	if (documents == NULL || list == NULL || dossier == NULL || out == NULL || objid == NULL)
		st = err_set(e, ST_RETRY, "memory", "no memory for a package");
	for (size_t i = 0; i < n && st == ST_OK; i++)
		st = bundled_fill(items[i], rules->archive_code, &documents[i], e);
	if (st == ST_OK) {
		qsort(documents, n, sizeof *documents, by_name);
		for (size_t i = 0; i < n; i++)
			list[i] = documents[i].document;
		const char *title = bundle_field(dossier, "title");
		const struct package p = {.objid = objid,
		                          .label = title == NULL ? objid : title,
		                          .mets_profile = rules->mets_profile,
		                          .mets_profile_rep = rules->mets_profile_rep,
		                          .organisation = b->env->site == NULL ? "" : b->env->site->organisation,
		                          .organisation_code = first->fonds == NULL ? "-" : first->fonds,
		                          .version = ARKSEAL_VERSION,
		                          .now_ms = b->env->now_ms(),
		                          .offset_min = rules->time_offset_min,
		                          .fields = {bundle_field, dossier},
		                          .documents = list,
		                          .n_documents = n};
		st = make(b, &p, out, e);
		out->kind = ITEM_PACKAGE;
		item_set(&out->id, objid);
		item_set(&out->dossier, first->dossier);
		item_set(&out->fonds, first->fonds);
		out->dossier_size = first->dossier_size;
		json_int_t pages = 0;
		for (size_t i = 0; i < n; i++) {
			json_array_append_new(out->members, json_string(items[i]->id));
			pages += json_integer_value(json_object_get(items[i]->other, "pages"));
		}
		json_object_set_new(out->other, "pages", json_integer(pages));
		if (st == ST_OK)
			item_add_event(out, p.now_ms, "information package creation", "success", "%zu documents", n);
	}
	for (size_t i = 0; documents != NULL && i < n; i++)
		bundled_free(&documents[i]);
	free(documents);
	free(list);
	free(objid);
	json_decref(dossier);
	if (st != ST_OK) {
		item_free(out);
		return st;
	}
	*ret_package = out;
	return ST_OK;
}

const struct stage bundle_stage = {
    .name = "bundle",
    .summary = "makes a package of the documents of a dossier, and its seal",
    .needs = STAGE_NEEDS_KEY | STAGE_NEEDS_NETWORK,
    .open = bundle_open,
    .close = bundle_close,
    .gather = bundle_gather,
};
