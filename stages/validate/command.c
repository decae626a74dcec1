#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/options.h"
#include "pipeline/say.h"
#include "pipeline/serve.h"
#include "stages/base/file.h"
#include "stages/base/text.h"
#include "stages/package/check.h"
#include "stages/validate/check.h"
#include "stages/validate/validate.h"

#define OFFSET_MIN 420 /* times are shown in Vietnam's zone; they carry their offset */

struct run {
	struct check_policy policy;
	struct report_style style;
	bool json;
	bool all_valid;
	size_t n;
};

static void print(void *arg, struct report *r)
{
	struct run *run = arg;
	if (run->json)
		report_print_json(r, &run->style, stdout);
	else
		report_print_text(r, &run->style, stdout);
	run->all_valid = run->all_valid && r->verdict == REPORT_VALID;
	run->n++;
}

/* What could not even be read is reported like the rest: nothing passes by being skipped. */
static void unreadable(struct run *run, const char *path, const struct err *e)
{
	struct report r;
	report_init(&r, REPORT_PDF, path);
	report_problem(&r, REPORT_INDETERMINATE, e->code, "%s %s", e->where, e->detail);
	print(run, &r);
	report_free(&r);
}

/* A photograph, sound, video with its signature beside it. false: it has none. */
static bool validate_signed(struct run *run, const char *path)
{
	struct report r;
	struct err e;
	char *beside;
	bool pdf = strcasecmp(path_extension(path), "pdf") == 0;
	if (pdf || asprintf(&beside, "%s.p7s", path) < 0)
		return false;
	bool there = access(beside, F_OK) == 0;
	free(beside);
	if (there && check_signed_file(&run->policy, path, &r, &e) != ST_OK) {
		unreadable(run, path, &e);
	} else if (there) {
		print(run, &r);
		report_free(&r);
	}
	return there;
}

static void validate_file(struct run *run, const char *path)
{
	struct file_map in;
	struct report r;
	struct err e;
	enum status st;
	if (validate_signed(run, path))
		return;
	if (strcasecmp(path_extension(path), "ers") == 0) {
		report_init(&r, REPORT_EVIDENCE_RECORD, path);
		report_problem(&r, REPORT_INDETERMINATE, "not-checked", "evidence records are not checked yet");
		print(run, &r);
		report_free(&r);
		return;
	}
	st = file_map_open(path, &in, &e);
	if (st != ST_OK) {
		unreadable(run, path, &e);
		return;
	}
	st = check_pdf(&run->policy, path, in.in, NULL, &r, &e);
	file_map_close(&in);
	if (st != ST_OK) {
		unreadable(run, path, &e);
		return;
	}
	print(run, &r);
	report_free(&r);
}

static void validate_package(struct run *run, const char *path)
{
	enum report_verdict verdict;
	char first[1024];
	struct err e;
	if (check_package(&run->policy, path, print, run, &verdict, first, sizeof first, &e) != ST_OK)
		unreadable(run, path, &e);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Files of a folder that are ours to judge: PDFs, ZIP packages, evidence records, whatever has a signature beside it. Seals are judged with their
 * packages. */
static void visit_file(struct run *run, const char *path)
{
	const char *extension = path_extension(path);
	if (strcasecmp(extension, "pdf") == 0 || strcasecmp(extension, "ers") == 0)
		validate_file(run, path);
	else if (strcasecmp(extension, "zip") == 0 && package_recognise(path))
		validate_package(run, path);
	else
		validate_signed(run, path);
}

/* Packages below a folder are judged whole; an archive's own folders (.arkseal, quarantine) hold nothing that is archived. */
static void validate_folder(struct run *run, const char *path)
{
	char *copy = strdup(path), *own = path_join(path, ".arkseal");
	char *const roots[] = {copy, NULL};
	bool archive = own != NULL && access(own, F_OK) == 0;
	FTS *walk = copy == NULL || own == NULL ? NULL : fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	struct err e;
	if (walk == NULL) {
		err_errno(&e, "open", path);
		unreadable(run, path, &e);
	}
	for (FTSENT *at; walk != NULL && (at = fts_read(walk)) != NULL;) {
		if (at->fts_info == FTS_D) {
			bool ours = archive && at->fts_level == 1 &&
			            (strcmp(at->fts_name, ".arkseal") == 0 || strcmp(at->fts_name, "quarantine") == 0);
			bool package = !ours && package_recognise(at->fts_path);
			if (package)
				validate_package(run, at->fts_path);
			if (ours || package)
				fts_set(walk, at, FTS_SKIP);
		} else if (at->fts_info == FTS_F) {
			visit_file(run, at->fts_path);
		} else if (at->fts_info == FTS_ERR || at->fts_info == FTS_DNR || at->fts_info == FTS_NS) {
			errno = at->fts_errno;
			err_errno(&e, "read", at->fts_path);
			unreadable(run, at->fts_path, &e);
		}
	}
	if (walk != NULL)
		fts_close(walk);
	free(copy);
	free(own);
}

static void validate_path(struct run *run, const char *path)
{
	struct stat info;
	bool folder = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
	if (folder)
		validate_folder(run, path);
	else if (package_recognise(path))
		validate_package(run, path);
	else
		validate_file(run, path);
	fflush(stdout);
}

/* Paths from a file or from standard input, one a line. */
static bool validate_listed(struct run *run, const char *name)
{
	FILE *from = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
	char *line = NULL;
	size_t room = 0;
	if (from == NULL) {
		struct err e;
		err_errno(&e, "open", name);
		command_fault(&e);
		return false;
	}
	for (ssize_t n; (n = getline(&line, &room, from)) > 0;) {
		line[strcspn(line, "\n")] = '\0';
		if (*line != '\0')
			validate_path(run, line);
	}
	free(line);
	if (from != stdin)
		fclose(from);
	return true;
}

struct words {
	struct option_list paths, trust;
	const char *files_from, *site, *at, *format, *pdfa;
	bool online, offline, pdfa_rules;
};

/* Without the option the file's own claim is checked and told, but does not count: a signed file that is no PDF/A may have been kept as
 * it was on purpose, and a re-check looks for what has changed. */
static bool read_flavour(const char *text, struct check_policy *policy)
{
	policy->flavour = strcmp(text, "auto") == 0 ? PDFA_NONE : pdfa_flavour_of(text);
	policy->pdfa = strcmp(text, "none") != 0;
	policy->pdfa_counts = true;
	return policy->flavour != PDFA_FLAVOURS;
}

static bool read_words(struct words *w, struct check_policy *policy, int argc, char **argv, int *ret_exit)
{
	const struct option table[] = {
	    {"files-from", OPTION_TEXT, &w->files_from, "FILE|-", "validate the paths listed there, one a line"},
	    {"trust", OPTION_LIST, &w->trust, "FILE|DIR", "trust anchors; without it those of the site file"},
	    {"site", OPTION_TEXT, &w->site, "FILE", "site file"},
	    {"at", OPTION_TEXT, &w->at, "TIME", "judge as of that moment: 2026-06-12T11:45:37+07:00"},
	    {"online", OPTION_FLAG, &w->online, NULL, "ask for revocation data that the files lack"},
	    {"offline", OPTION_FLAG, &w->offline, NULL, "use what the files hold (the default)"},
	    {"pdfa", OPTION_TEXT, &w->pdfa, "FLAVOUR",
	     "auto (what the file says it is), none, 1a, 1b, 2a, 2b, 2u, 3a, 3b, 3u, 4"},
	    {"pdfa-rules", OPTION_FLAG, &w->pdfa_rules, NULL, "list every rule of PDF/A that was tried"},
	    {"format", OPTION_TEXT, &w->format, "text|json", "how to report"},
	    {0}};
	if (!options_parse(table, "PATH…", argc, argv, &w->paths, ret_exit))
		return false;
	const char *wrong = w->format != NULL && strcmp(w->format, "text") != 0 && strcmp(w->format, "json") != 0 ? "--format"
	                    : w->pdfa != NULL && !read_flavour(w->pdfa, policy)                                   ? "--pdfa"
	                    : w->online && w->offline                                                             ? "--offline"
	                                                                                                          : NULL;
	if (wrong != NULL) {
		fprintf(stderr, say(SAY_OPTION_WRONG), wrong);
		fputc('\n', stderr);
		*ret_exit = EXIT_WRONG_USE;
		return false;
	}
	if (w->paths.n == 0 && w->files_from == NULL) {
		fprintf(stderr, say(SAY_NEEDS), "PATH");
		fputc('\n', stderr);
		*ret_exit = EXIT_WRONG_USE;
		return false;
	}
	return true;
}

static int validate_main(int argc, char **argv)
{
	struct words w = {0};
	struct run run = {.all_valid = true, .policy = {.min_rsa_bits = 2048, .pdfa = true, .now_ms = time_now_ms}};
	struct site *site = NULL;
	struct serve serve = {0};
	struct err e;
	int result = EXIT_DONE, fd;
	if (!read_words(&w, &run.policy, argc, argv, &result)) {
		free(w.paths.v);
		free(w.trust.v);
		return result;
	}
	run.style = (struct report_style){OFFSET_MIN, say_english(), w.pdfa_rules};
	run.json = w.format != NULL && strcmp(w.format, "json") == 0;
	run.policy.at_ms = time_now_ms();
	enum status st = ST_OK;
	if (w.at != NULL && !time_parse_iso8601(w.at, &run.policy.at_ms)) {
		st = err_set(&e, ST_RUN, "validate-time", "%s", w.at);
		err_arg(&e, "%s", w.at);
	}
	/* The site file is needed where it is named, or gives the anchors or the proxy; a bare machine may have none. */
	if (st == ST_OK && (w.site != NULL || w.trust.n == 0 || w.online)) {
		st = site_load(w.site, &site, &e);
		if (st != ST_OK && w.site == NULL && strcmp(e.code, "site-missing") == 0)
			st = ST_OK;
	}
	struct trust_store *anchors = NULL;
	if (st == ST_OK && w.trust.n > 0)
		st = check_anchors(w.trust.v, w.trust.n, &anchors, &e);
	else if (st == ST_OK)
		st = check_anchors(site == NULL ? NULL : (const char *const *)site->trust_anchors,
		                   site == NULL ? 0 : site->trust_anchors_count, &anchors, &e);
	run.policy.anchors = anchors;
	if (st == ST_OK && w.online) {
		serve_open(&serve, STAGE_NEEDS_NETWORK, NULL, site);
		st = serve_wait(&serve, STAGE_NEEDS_NETWORK, &e);
		if (st == ST_OK)
			st = serve_connect(&serve, STAGE_NEEDS_NETWORK, &fd, &e);
		if (st == ST_OK)
			st = fetch_open(fd, &run.policy.fetch, &e);
	}
	if (st != ST_OK) {
		result = command_fault(&e);
	} else {
		for (size_t i = 0; i < w.paths.n; i++)
			validate_path(&run, w.paths.v[i]);
		if (w.files_from != NULL && !validate_listed(&run, w.files_from))
			result = EXIT_WRONG_USE;
		else
			result = run.all_valid && run.n > 0 ? EXIT_DONE : EXIT_UNSOUND;
	}
	fetch_close(run.policy.fetch);
	serve_stop(&serve);
	trust_store_free(anchors);
	site_free(site);
	free(w.paths.v);
	free(w.trust.v);
	return result;
}

const struct command validate_command = {"validate", "re-checks PDFs and packages", validate_main};
