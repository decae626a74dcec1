#include <stdlib.h>
#include <string.h>

#include "stages/base/file.h"
#include "stages/validate/check.h"
#include "stages/validate/validate.h"

struct state {
	struct check_policy policy;
	struct trust_store *anchors; /* read before the sandbox closes */
};

static enum status validate_open(const struct stage_env *env, void **ret_state, struct err *e)
{
	struct state *s = calloc(1, sizeof *s);
	if (s == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for a stage");
	enum status st = check_anchors(env->site == NULL ? NULL : (const char *const *)env->site->trust_anchors,
	                               env->site == NULL ? 0 : env->site->trust_anchors_count, &s->anchors, e);
	if (st != ST_OK) {
		free(s);
		return st;
	}
	s->policy = (struct check_policy){.anchors = s->anchors,
	                                  .min_rsa_bits = env->profile->sign.min_rsa_bits,
	                                  .unknown_passes = env->profile->sign.level < LEVEL_B_LT,
	                                  .seal_required = env->profile->bundle.seal,
	                                  .pdfa = true,
	                                  .now_ms = env->now_ms};
	*ret_state = s;
	return ST_OK;
}

static void validate_close(void *state)
{
	struct state *s = state;
	trust_store_free(s->anchors);
	free(s);
}

/* The documents that say they are PDF/A, and how many are not: told, not counted, since a signed one is kept as it came. */
struct claims {
	size_t all, broken;
	char first[256]; /* that is not */
};

static void count_claim(void *arg, struct report *r)
{
	struct claims *c = arg;
	if (r->pdfa.state != PDFA_CHECKED)
		return;
	c->all++;
	if (!r->pdfa.result.passes && c->broken++ == 0)
		snprintf(c->first, sizeof c->first, "%.*s", (int)sizeof c->first - 1, path_name(r->path));
}

static void tell(struct item *it, int64_t now, const struct claims *c)
{
	static const char done[] = "read back from disk: fixity, structure, signatures";
	if (c->broken > 0)
		item_add_event(it, now, "validation", "warning",
		               "%s; PDF/A: %zu of %zu documents are not what they claim, first %s", done, c->broken, c->all,
		               c->first);
	else
		item_add_event(it, now, "validation", "success", "%s; PDF/A: %zu documents are what they claim", done, c->all);
}

static enum status invalid(const struct item *it, const char *first, struct err *e)
{
	err_set(e, ST_ITEM, "validate-invalid", "%s", first);
	err_arg(e, "%s", it->id);
	err_arg(e, "%s", first);
	return err_where(e, "%s", it->artefact.path);
}

/* A file that is no PDF, with the signature among its companions. */
static enum status validate_beside(const struct check_policy *policy, const struct item *it, enum report_verdict *ret_verdict,
                                   char *first, size_t room, struct err *e)
{
	struct report r;
	struct trust_store *store = NULL;
	struct file_map in;
	enum status st = file_map_open(it->artefact.path, &in, e);
	if (st != ST_OK)
		return st;
	report_init(&r, REPORT_FILE, it->artefact.path);
	st = check_store(policy, &store, e);
	const struct item_file *f = item_signature(it);
	BUF_AUTO struct buf cms = BUF_INIT((size_t)1 << 24);
	if (st == ST_OK && f != NULL)
		st = file_read(f->path, &cms, e);
	if (st == ST_OK && f != NULL)
		st = check_detached(policy, item_file_tail(f->path), (struct bytes){cms.data, cms.len}, in.in, store, &r, e);
	if (st == ST_OK) {
		if (r.n_signatures == 0)
			report_problem(&r, REPORT_INDETERMINATE, "not-signed", "no signature lies beside it");
		*ret_verdict = r.verdict;
		check_first(&r, first, room);
	}
	trust_store_free(store);
	report_free(&r);
	file_map_close(&in);
	return st;
}

static enum status validate_work(void *state, struct item *it, struct err *e)
{
	struct check_policy policy = ((const struct state *)state)->policy;
	enum report_verdict verdict;
	char first[1024] = "";
	struct claims claims = {0};
	enum status st;
	policy.at_ms = policy.now_ms();
	if (it->artefact.path == NULL)
		return invalid(it, "there is no file", e);
	if (it->kind == ITEM_PACKAGE) {
		st = check_package(&policy, it->artefact.path, count_claim, &claims, &verdict, first, sizeof first, e);
	} else if (!item_is_pdf(it)) {
		st = validate_beside(&policy, it, &verdict, first, sizeof first, e);
	} else {
		struct file_map in;
		struct report r;
		st = file_map_open(it->artefact.path, &in, e);
		if (st != ST_OK)
			return st;
		st = check_pdf(&policy, it->artefact.path, in.in, NULL, &r, e);
		file_map_close(&in);
		if (st == ST_OK) {
			verdict = r.verdict;
			check_first(&r, first, sizeof first);
			count_claim(&claims, &r);
			report_free(&r);
		}
	}
	if (st != ST_OK)
		return st;
	if (verdict != REPORT_VALID)
		return invalid(it, first, e);
	tell(it, policy.at_ms, &claims);
	return ST_OK;
}

const struct stage validate_stage = {
    .name = "validate",
    .summary = "reads back from disk what was made, and judges it",
    .open = validate_open,
    .close = validate_close,
    .work = validate_work,
};
