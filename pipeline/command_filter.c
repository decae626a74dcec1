/* A stage as a filter in a shell pipeline: records on standard input and output. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/commands.h"
#include "pipeline/filter.h"
#include "pipeline/sandbox.h"
#include "pipeline/serve.h"
#include "stages/base/file.h"
#include "stages/base/text.h"

struct words {
	const char *profile, *site, *work;
	bool records;
	struct option_list set, operands;
};

/* The services are started before anything else is opened. */
static enum status connect_all(struct serve *serve, const struct stage *stage, struct stage_env *env, struct err *e)
{
	serve_open(serve, stage->needs, env->profile, env->site);
	enum status st = serve_wait(serve, stage->needs, e);
	if (st == ST_OK && (stage->needs & STAGE_NEEDS_KEY))
		st = serve_connect(serve, STAGE_NEEDS_KEY, &env->key_fd, e);
	if (st == ST_OK && (stage->needs & STAGE_NEEDS_NETWORK))
		st = serve_connect(serve, STAGE_NEEDS_NETWORK, &env->fetch_fd, e);
	return st;
}

static int run(const struct stage *stage, const struct words *w, const struct profile *profile, const struct site *site)
{
	struct err e = {0};
	struct serve serve = {0};
	struct stage_env env = {.profile = profile, .site = site, .key_fd = -1, .fetch_fd = -1, .now_ms = time_now_ms};
	struct filter f = {.stage = stage, .env = &env, .in = STDIN_FILENO, .out = STDOUT_FILENO};
	unsigned lacks;
	enum status st = file_make_folders(w->work, &e);
	char *work = st == ST_OK ? realpath(w->work, NULL) : NULL;
	char *backlog = w->operands.n > 0 ? realpath(w->operands.v[0], NULL) : NULL;
	if (st == ST_OK && (work == NULL || (w->operands.n > 0 && backlog == NULL)))
		st = err_errno(&e, "open", work == NULL ? w->work : w->operands.v[0]);
	env.work_folder = work;
	f.backlog = backlog;
	signal(SIGPIPE, SIG_IGN);
	bool opened = false;
	if (st == ST_OK)
		st = connect_all(&serve, stage, &env, &e);
	if (st == ST_OK && stage->open != NULL) {
		st = stage->open(&env, &f.state, &e);
		opened = st == ST_OK;
	}
	/* Records may name files anywhere, so there is no rule for files here; under ASan the leak check at the end needs what the
	 * sandbox forbids. */
#if !defined(__SANITIZE_ADDRESS__)
	struct sandbox box = {.memory_bytes = (uint64_t)profile->limits.item_memory_mib << 20,
	                      .file_bytes = (uint64_t)profile->limits.file_mib << 20};
	if (st == ST_OK)
		st = sandbox_close(&box, &lacks, &e);
#else
	(void)lacks;
#endif
	if (st == ST_OK)
		st = filter_run(&f, &e);
	if (opened && stage->close != NULL)
		stage->close(f.state);
	else if (env.key_fd >= 0 && !opened)
		close(env.key_fd);
	serve_stop(&serve);
	free(work);
	free(backlog);
	if (st != ST_OK)
		return command_fault(&e);
	return f.n_stopped > 0 ? EXIT_RESUMABLE : f.n_failed > 0 ? EXIT_UNSOUND : EXIT_DONE;
}

int filter_main(const struct stage *stage, int argc, char **argv)
{
	struct words w = {0};
	const struct option table[] = {
	    {"profile", OPTION_TEXT, &w.profile, "NAME|FILE", "the rules"},
	    {"site", OPTION_TEXT, &w.site, "FILE", "key, authorities, organisation"},
	    {"work", OPTION_TEXT, &w.work, "DIR", "where results are made"},
	    {"set", OPTION_LIST, &w.set, "KEY=VALUE", "a profile value for this time"},
	    {NULL, OPTION_FLAG, NULL, NULL, NULL},
	};
	const char *usage = stage->produce != NULL ? "BACKLOG --profile NAME|FILE --work DIR > records"
	                                           : "--profile NAME|FILE --work DIR < records > records";
	size_t operands = stage->produce != NULL ? 1 : 0;
	struct profile *profile = NULL;
	struct site *site = NULL;
	struct err e;
	int code;
	if (options_parse(table, usage, argc, argv, &w.operands, &code)) {
		if (w.operands.n != operands)
			code = command_needs(operands == 1 ? "BACKLOG" : usage);
		else if (w.profile == NULL)
			code = command_needs("--profile");
		else if (w.work == NULL)
			code = command_needs("--work");
		else if (command_load(w.profile, &w.set, w.site, stage, &profile, &site, &e) != ST_OK)
			code = command_fault(&e);
		else
			code = run(stage, &w, profile, site);
	}
	profile_free(profile);
	site_free(site);
	free(w.set.v);
	free(w.operands.v);
	return code;
}
