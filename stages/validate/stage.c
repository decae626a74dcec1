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
