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
	struct buf documents; /* "<path without .pdf>\n" of each, and of other files that are signed */
	struct buf others;    /* "<path>\n" of each file that is no PDF */
	struct beside *signatures;
	size_t n_signatures;
};

/* "<file>.p7s" */
struct beside {
	char *path;
	struct buf cms;
	bool used; /* the file that it signs is there */
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

static bool is_signature(const char *path)
{
	return strcasecmp(path_extension(path), "p7s") == 0;
}

static enum status keep_signature(struct inside *in, const char *path, struct bytes content, struct err *e)
{
	struct beside *more = realloc(in->signatures, (in->n_signatures + 1) * sizeof *more);
	if (more == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for %s", path);
	in->signatures = more;
	struct beside *s = &more[in->n_signatures++];
	*s = (struct beside){.path = strdup(path), .cms = BUF_INIT(SEAL_MAX)};
	buf_add(&s->cms, content.p, content.n);
	return s->path == NULL ? err_set(e, ST_RETRY, "memory", "no memory for %s", path) : ST_OK;
}

static struct beside *signature_of(const struct inside *in, const char *path)
{
	size_t n = strlen(path);
	for (size_t i = 0; i < in->n_signatures; i++)
		if (strncmp(in->signatures[i].path, path, n) == 0 && strcasecmp(in->signatures[i].path + n, ".p7s") == 0)
			return &in->signatures[i];
	return NULL;
}

/* A file's report counts for the package. */
static void hand_on(struct inside *in, const char *path, struct report *r)
{
	if (r->verdict != REPORT_VALID) {
		check_first(r, in->first, in->first_room);
		report_problem(in->report, r->verdict, "document", "%s: %s", path, report_verdict_name(r->verdict));
	}
	in->sink(in->arg, r);
	report_free(r);
}

/* The second time over the files: those that have a signature beside them. */
static enum status visit_signed(void *arg, const char *path, struct bytes content, struct err *e)
{
	struct inside *in = arg;
	struct beside *s = signature_of(in, path);
	struct report r;
	if (s == NULL)
		return ST_OK;
	s->used = true;
	buf_format(&in->documents, "%.*s\n", (int)(path_extension(path) - path - 1), path);
	char *full = path_join(in->package, path);
	if (full == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for %s", path);
	report_init(&r, REPORT_FILE, full);
	free(full);
	enum status st =
	    check_detached(in->policy, path_name(s->path), (struct bytes){s->cms.data, s->cms.len}, content, in->store, &r, e);
	if (st == ST_OK)
		hand_on(in, path, &r);
	else
		report_free(&r);
	return st;
}

static enum status visit(void *arg, const char *path, struct bytes content, struct err *e)
{
	struct inside *in = arg;
	struct report r;
	if (!is_pdf(path)) {
		buf_format(&in->others, "%s\n", path);
		return is_signature(path) ? keep_signature(in, path, content, e) : ST_OK;
	}
	buf_format(&in->documents, "%.*s\n", (int)(strlen(path) - 4), path);
	char *full = path_join(in->package, path);
	if (full == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for %s", path);
	enum status st = check_pdf(in->policy, full, content, in->store, &r, e);
	free(full);
	if (st == ST_OK)
		hand_on(in, path, &r);
	return st;
}

/* Whether "<document>.<what>" is the name of a file that belongs to a document of the package. */
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

/* A file that is neither a PDF nor signed is what METS says it is, byte for byte; nothing else is known of it. As a document that is too little;
 * beside one, it is told. */
static void judge_others(struct inside *in)
{
	char *rest = (char *)in->others.data;
	for (char *path; rest != NULL && *rest != '\0' && (path = strsep(&rest, "\n")) != NULL;) {
		const struct beside *own = signature_of(in, path);
		bool judged = own != NULL && own->used;
		for (size_t i = 0; i < in->n_signatures && !judged; i++)
			judged = in->signatures[i].used && strcmp(in->signatures[i].path, path) == 0;
		if (judged)
			continue;
		if (belongs(in, path))
			report_problem(in->report, REPORT_VALID, "not-checked",
			               "%s: belongs to a document; its bytes are as METS says", path);
		else
			report_problem(in->report, REPORT_INDETERMINATE, "not-checked", "%s: this kind of file is not checked",
			               path);
	}
}

enum status check_signed_file(const struct check_policy *policy, const char *path, struct report *ret_report, struct err *e)
{
	BUF_AUTO struct buf cms = BUF_INIT(SEAL_MAX);
	struct trust_store *store = NULL;
	struct file_map in;
	char *beside;
	if (asprintf(&beside, "%s.p7s", path) < 0)
		return err_set(e, ST_RETRY, "memory", "no memory for %s", path);
	enum status st = file_read(beside, &cms, e);
	if (st == ST_OK)
		st = file_map_open(path, &in, e);
	if (st == ST_OK) {
		st = check_store(policy, &store, e);
		report_init(ret_report, REPORT_FILE, path);
		if (st == ST_OK)
			st = check_detached(policy, path_name(beside), (struct bytes){cms.data, cms.len}, in.in, store,
			                    ret_report, e);
		if (st != ST_OK)
			report_free(ret_report);
		trust_store_free(store);
		file_map_close(&in);
	}
	free(beside);
	return st;
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

/* The detached signature over METS.xml. */
static enum status check_seal(const struct check_policy *policy, const char *path, const struct buf *mets,
                              struct trust_store *store, struct report *r, struct err *e)
{
	BUF_AUTO struct buf cms = BUF_INIT(SEAL_MAX);
	if (access(path, F_OK) != 0) {
		report_problem(r, policy->seal_required ? REPORT_INVALID : REPORT_INDETERMINATE, "seal-missing",
		               "%s: there is no seal, so a change of METS.xml cannot be found", path);
		return ST_OK;
	}
	enum status st = file_read(path, &cms, e);
	if (st != ST_OK)
		return st;
	return check_detached(policy, "METS.xml", (struct bytes){cms.data, cms.len}, (struct bytes){mets->data, mets->len}, store,
	                      r, e);
}

enum status check_package(const struct check_policy *policy, const char *path, check_sink *sink, void *arg,
                          enum report_verdict *ret_verdict, char *ret_first, size_t first_room, struct err *e)
{
	struct report r;
	struct package_report found;
	struct inside in = {.policy = policy,
	                    .package = path,
	                    .sink = sink,
	                    .arg = arg,
	                    .report = &r,
	                    .first = ret_first,
	                    .first_room = first_room,
	                    .documents = BUF_INIT(NAMES_MAX),
	                    .others = BUF_INIT(NAMES_MAX)};
	buf_byte(&in.documents, '\n');
	ret_first[0] = '\0';
	enum status st = check_store(policy, &in.store, e);
	if (st != ST_OK)
		return st;
	report_init(&r, REPORT_PACKAGE, path);
	st = package_check(path, visit, &in, &found, e);
	if (st == ST_OK && in.n_signatures > 0) {
		st = package_each(path, visit_signed, &in, e);
		if (st != ST_OK)
			package_report_free(&found);
	}
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
	for (size_t i = 0; i < in.n_signatures; i++) {
		free(in.signatures[i].path);
		buf_free(&in.signatures[i].cms);
	}
	free(in.signatures);
	trust_store_free(in.store);
	return st;
}
