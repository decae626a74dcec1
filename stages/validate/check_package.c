#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stages/base/file.h"
#include "stages/package/check.h"
#include "stages/validate/check.h"

#define SEAL_MAX ((size_t)1 << 24)
#define NAMES_MAX ((size_t)1 << 28)

struct inside {
	const struct check_policy *policy;
	const char *package;
	check_sink *sink;
	void *arg;
	struct report *report;     /* the package's */
	struct trust_store *store; /* gathers the documents' material: the seal's makers are theirs */
	char *first;
	size_t first_room;
	struct buf documents; /* "<path without .pdf>\n" of each */
	struct buf others;    /* "<path>\n" of each file that is no PDF */
};

void check_first(const struct report *r, char *to, size_t room)
{
	if (*to != '\0')
		return;
	for (size_t i = 0; i < r->n_problems; i++) {
		if (r->problems[i].verdict == REPORT_VALID)
			continue; /* told, not counted */
		snprintf(to, room, "%s: %s: %s", r->path, r->problems[i].code, r->problems[i].message);
		return;
	}
	for (size_t i = 0; i < r->n_signatures; i++) {
		const struct report_signature *s = &r->signatures[i];
		if (s->verdict.indication != TOTAL_PASSED) {
			snprintf(to, room, "%s: %s: %s %s: %s", r->path, s->field, indication_name(s->verdict.indication),
			         s->verdict.subindication, s->verdict.reason);
			return;
		}
	}
}

static bool is_pdf(const char *path)
{
	return strcasecmp(path_extension(path), "pdf") == 0;
}

static enum status visit(void *arg, const char *path, struct bytes content, struct err *e)
{
	struct inside *in = arg;
	struct report r;
	if (!is_pdf(path)) {
		buf_format(&in->others, "%s\n", path);
		return ST_OK;
	}
	buf_format(&in->documents, "%.*s\n", (int)(strlen(path) - 4), path);
	char *full = path_join(in->package, path);
	if (full == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for %s", path);
	enum status st = check_pdf(in->policy, full, content, in->store, &r, e);
	free(full);
	if (st != ST_OK)
		return st;
	if (r.verdict != REPORT_VALID) {
		check_first(&r, in->first, in->first_room);
		report_problem(in->report, r.verdict, "document", "%s: %s", path, report_verdict_name(r.verdict));
	}
	in->sink(in->arg, &r);
	report_free(&r);
	return ST_OK;
}

/* Whether "<document>.<what>" is the name of a file that belongs to a PDF of the package. */
static bool belongs(struct inside *in, const char *path)
{
	char line[4096];
	size_t n = strlen(path);
	for (size_t i = 1; i < n && i < sizeof line - 2; i++) {
		if (path[i] != '.')
			continue;
		snprintf(line, sizeof line, "\n%.*s\n", (int)i, path);
		if (in->documents.data != NULL && strstr((const char *)in->documents.data, line) != NULL)
			return true;
	}
	return false;
}

/* A file that is no PDF is what METS says it is, byte for byte; nothing else is known of it. As a document that is too little; beside one, it is
 * told. */
static void judge_others(struct inside *in)
{
	char *rest = (char *)in->others.data;
	for (char *path; rest != NULL && *rest != '\0' && (path = strsep(&rest, "\n")) != NULL;) {
		if (belongs(in, path))
			report_problem(in->report, REPORT_VALID, "not-checked",
			               "%s: belongs to a document; its bytes are as METS says", path);
		else
			report_problem(in->report, REPORT_INDETERMINATE, "not-checked", "%s: this kind of file is not checked",
			               path);
	}
}

char *check_seal_path(const char *package)
{
	size_t n = strlen(package);
	char *path;
	while (n > 1 && package[n - 1] == '/')
		n--;
	if (n > 4 && strncasecmp(package + n - 4, ".zip", 4) == 0 && access(package, F_OK) == 0)
		n -= 4;
	return asprintf(&path, "%.*s.METS.p7s", (int)n, package) < 0 ? NULL : path;
}

static const char *seal_format(const struct verdict *v)
{
	if (!v->has_signing_certificate || !v->has_signing_time)
		return "CAdES";
	return v->timestamps_there > 0 ? "CAdES-BASELINE-T" : "CAdES-BASELINE-B";
}

/* The detached signature over METS.xml. */
static enum status check_seal(const struct check_policy *policy, const char *path, const struct buf *mets,
                              const struct trust_store *store, struct report *r, struct err *e)
{
	BUF_AUTO struct buf cms = BUF_INIT(SEAL_MAX);
	struct report_signature out = {.field = "METS.xml", .verdict = {.subindication = ""}};
	struct verdict_run *run;
	struct err fault;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	if (access(path, F_OK) != 0) {
		report_problem(r, policy->seal_required ? REPORT_INVALID : REPORT_INDETERMINATE, "seal-missing",
		               "%s: there is no seal, so a change of METS.xml cannot be found", path);
		return ST_OK;
	}
	enum status st = file_read(path, &cms, e);
	if (st != ST_OK)
		return st;
	st = verdict_begin((struct bytes){cms.data, cms.len}, &run, &fault);
	if (st == ST_ITEM) {
		report_problem(r, REPORT_INVALID, "seal-syntax", "%s: %s", path, fault.detail);
		return ST_OK;
	}
	if (st != ST_OK) {
		*e = fault;
		return st;
	}
	const struct verdict_policy rules = {
	    .store = store, .now_ms = policy->at_ms, .existed_ms = policy->at_ms, .min_rsa_bits = policy->min_rsa_bits};
	const EVP_MD *md = EVP_get_digestbyname(verdict_digest_name(run));
	if (md == NULL || EVP_Digest(mets->data, mets->len, digest, &n, md, NULL) != 1)
		n = 0; /* fails the comparison */
	verdict_end(run, &rules, (struct bytes){digest, n}, &out.verdict);
	out.has_time = out.verdict.claimed_time;
	out.time_ms = out.verdict.claimed_time_ms;
	out.format = seal_format(&out.verdict);
	report_signature(r, &out);
	return ST_OK;
}

enum status check_package(const struct check_policy *policy, const char *path, check_sink *sink, void *arg,
                          enum report_verdict *ret_verdict, char *ret_first, size_t first_room, struct err *e)
{
	struct report r;
	struct package_report found;
	struct inside in = {policy, path, sink, arg, &r, NULL, ret_first, first_room, BUF_INIT(NAMES_MAX), BUF_INIT(NAMES_MAX)};
	buf_byte(&in.documents, '\n');
	ret_first[0] = '\0';
	enum status st = check_store(policy, &in.store, e);
	if (st != ST_OK)
		return st;
	report_init(&r, REPORT_PACKAGE, path);
	st = package_check(path, visit, &in, &found, e);
	judge_others(&in);
	if (st == ST_OK && (in.documents.failed || in.others.failed)) {
		package_report_free(&found);
		st = err_set(e, ST_RETRY, "memory", "no memory for the names in %s", path);
	}
	if (st == ST_ITEM) {
		report_problem(&r, REPORT_INVALID, e->code, "%s %s", e->where, e->detail);
		st = ST_OK;
	} else if (st == ST_OK) {
		for (size_t i = 0; i < found.n_findings; i++)
			report_problem(&r, REPORT_INVALID, found.findings[i].code, "%s: %s", found.findings[i].where,
			               found.findings[i].message);
		char *seal = check_seal_path(path);
		st = seal == NULL ? err_set(e, ST_RETRY, "memory", "no memory for %s", path)
		                  : check_seal(policy, seal, &found.mets, in.store, &r, e);
		free(seal);
		package_report_free(&found);
	}
	if (st == ST_OK) {
		check_first(&r, ret_first, first_room);
		*ret_verdict = r.verdict;
		sink(arg, &r);
	}
	report_free(&r);
	buf_free(&in.documents);
	buf_free(&in.others);
	trust_store_free(in.store);
	return st;
}
