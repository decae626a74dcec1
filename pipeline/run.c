#include "pipeline/run.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "pipeline/commands.h"
#include "pipeline/report.h"
#include "stages/base/file.h"
#include "stages/base/text.h"

#define STOP_MS 6000 /* items in hand may be finished; then there is time left to drop the rest within ten seconds */
#define PUBLISH_MS 500
#define INGEST_DEATHS_MOST 3
#define TROUBLE_FIRST_MS 1000
#define TROUBLE_LONGEST_MS 60000
#define PUBLISH_BATCH 32 /* one commit of the ledger for that many */

static void begin_stop(struct run *r)
{
	if (r->stopping)
		return;
	r->stopping = true;
	r->stop_due_ms = process_clock_ms() + STOP_MS;
	if (r->ingest.pid != 0)
		worker_kill(&r->ingest);
}

void run_give_up(struct run *r, const struct err *why)
{
	if (!r->stopping || !r->has_fault) {
		r->has_fault = true;
		r->fault = *why;
	}
	begin_stop(r);
}

void run_stop(struct run *r, const struct err *why)
{
	if (why->status != ST_RETRY) {
		run_give_up(r, why);
	} else if (!r->again) {
		r->again = true;
		r->fault = *why;
	}
}

/* Ingest */

static void ingest_ended(struct run *r, bool whole)
{
	worker_kill(&r->ingest);
	r->ingest_done = true;
	r->progress.all_known = true;
	if (!whole && !r->stopping) {
		struct err e;
		r->ingest_deaths++;
		err_set(&e, r->ingest_deaths < INGEST_DEATHS_MOST ? ST_RETRY : ST_RUN, "ingest-died",
		        "the ingest process ended before it was done");
		run_stop(r, &e);
	}
}

/* Takes records while there is room for them. */
static void ingest_read(struct run *r)
{
	struct bytes line;
	struct err e;
	while (r->ingest.pid != 0 && !lane_full(&r->lanes[0])) {
		enum wire_got got = wire_next(&r->ingest.wire, &line);
		if (got == WIRE_WAIT)
			return;
		if (got != WIRE_LINE) {
			ingest_ended(r, false);
			return;
		}
		if (line.n == 1 && line.p[0] == '.') {
			/* Where a fault hid a part of the backlog, nobody can say what has gone from it. */
			if (!r->held && known_withdraw(r, &e) != ST_OK)
				run_stop(r, &e);
			ingest_ended(r, true);
			return;
		}
		if (line.n > 1 && line.p[0] == '!') {
			struct item *it;
			if (item_parse((const char *)line.p + 1, line.n - 1, &it, &e) == ST_OK) {
				e = it->notice;
				item_free(it);
			}
			ingest_ended(r, true);
			run_stop(r, &e);
			return;
		}
		if (line.n > 0 && line.p[0] == '{' && records_intake(r, line, &e) != ST_OK) {
			run_stop(r, &e);
			return;
		}
	}
}

/* The loop */

static bool everything_loaded(const struct run *r)
{
	for (size_t i = 0; i < r->n_lanes; i++)
		if (!r->lanes[i].loaded)
			return false;
	return true;
}

static bool any_busy(const struct run *r)
{
	for (size_t i = 0; i < r->n_lanes; i++)
		if (r->lanes[i].busy > 0)
			return true;
	return false;
}

static bool finished(const struct run *r)
{
	if (r->again)
		return true;
	if (r->stopping)
		return !any_busy(r) || process_clock_ms() >= r->stop_due_ms;
	return r->ingest_done && everything_loaded(r) && lanes_idle(r) && r->left.n_refused == 0;
}

#define WATCHED_MOST (WORKERS_MOST * 16 + 4)

struct watch {
	struct pollfd fd[WATCHED_MOST];
	struct lane *lane[WATCHED_MOST];
	struct worker *worker[WATCHED_MOST];
	nfds_t n;
};

static void watch_add(struct watch *w, int fd, short events, struct lane *l, struct worker *worker)
{
	if (w->n == sizeof w->fd / sizeof w->fd[0])
		return;
	w->fd[w->n] = (struct pollfd){.fd = fd, .events = events};
	w->lane[w->n] = l;
	w->worker[w->n++] = worker;
}

static void watch_all(struct run *r, int signals, struct watch *w)
{
	w->n = 0;
	watch_add(w, signals, POLLIN, NULL, NULL);
	if (r->ingest.pid != 0 && !lane_full(&r->lanes[0]))
		watch_add(w, r->ingest.wire.fd, POLLIN, NULL, &r->ingest);
	if (r->ingest.pid != 0 && r->ingest.said_fd >= 0)
		watch_add(w, r->ingest.said_fd, POLLIN, NULL, &r->ingest);
	for (size_t i = 0; i < r->n_lanes; i++) {
		struct lane *l = &r->lanes[i];
		for (size_t k = 0; k < l->n_workers; k++) {
			struct worker *worker = &l->workers[k];
			if (worker->pid == 0)
				continue;
			watch_add(w, worker->wire.fd, (short)(POLLIN | (worker_flushed(worker) ? 0 : POLLOUT)), l, worker);
			if (worker->said_fd >= 0)
				watch_add(w, worker->said_fd, POLLIN, l, worker);
		}
	}
}

static void take_signals(struct run *r, int signals)
{
	struct signalfd_siginfo info;
	while (read(signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		if (r->stopping) {
			r->stop_due_ms = 0; /* asked twice */
			continue;
		}
		process_hurry();
		show_stopping(r);
		begin_stop(r);
	}
	serve_check(&r->serve);
}

/* One round; waits at most a tenth of a second. */
static enum status round_once(struct run *r, int signals, struct watch *w, struct err *e)
{
	struct lane *last = &r->lanes[r->n_lanes - 1];
	enum status st = r->stopping ? ST_OK : intake_refuse(r, e);
	if (st == ST_OK && !r->stopping)
		st = records_refill(r, e);
	if (st != ST_OK)
		return st;
	lanes_hand_out(r);
	int64_t now = process_clock_ms();
	/* Publishing commits the ledger, so it waits for company, for a while. */
	bool publish = last->n > 0 && now >= last->resume_ms &&
	               (last->n >= PUBLISH_BATCH || now - last->since_ms >= PUBLISH_MS || !any_busy(r));
	if (publish)
		st = records_publish(r, e);
	if (st != ST_OK || finished(r))
		return st;
	watch_all(r, signals, w);
	int n = poll(w->fd, w->n, publish ? 0 : 100);
	for (nfds_t i = 0; n > 0 && i < w->n; i++) {
		struct worker *worker = w->worker[i];
		if (w->fd[i].revents == 0)
			continue;
		if (worker == NULL)
			take_signals(r, signals);
		else if (worker->pid != 0 && w->fd[i].fd == worker->said_fd)
			worker_listen(worker);
		else if (worker == &r->ingest)
			ingest_read(r);
		else if (worker->pid != 0) {
			if (w->fd[i].revents & POLLOUT)
				worker_flush(worker); /* a worker that reads no more is noticed when it is read from */
			if (w->fd[i].revents & ~POLLOUT)
				lanes_read(r, w->lane[i], worker);
		}
	}
	lanes_check_time(r);
	show_tick(r);
	bool urgent = r->urgent;
	r->urgent = false;
	return urgent ? ledger_commit(r->ledger, e) : ledger_tick(r->ledger, process_clock_ms(), e);
}

static enum status loop(struct run *r, int signals, struct err *e)
{
	struct watch *w = calloc(1, sizeof *w);
	enum status st = w == NULL ? err_set(e, ST_RETRY, "memory", "no memory for the loop") : ST_OK;
	while (st == ST_OK && !finished(r))
		st = round_once(r, signals, w, e);
	free(w);
	lanes_drop_workers(r);
	struct err ending;
	archive_sweep(&r->archive, NULL, &ending); /* the next run would do so too */
	if (st == ST_OK && !r->again && !r->stopping)
		records_remove_strays(r, &ending);
	enum status end = ledger_commit(r->ledger, &ending);
	if (st != ST_OK || (end == ST_OK && !r->again))
		return st;
	*e = r->again ? r->fault : ending;
	return e->status;
}

/* Beginning again */

/* Waits for a fault of the supervisor's own to pass. False where the run ends instead. */
static bool wait_again(struct run *r, int signals, int64_t session_ms, const struct err *why)
{
	int64_t now = process_clock_ms();
	if (r->stopping)
		return false;
	if (r->trouble_since_ms == 0 || session_ms > r->trouble_wait_ms + TROUBLE_LONGEST_MS) {
		r->trouble_since_ms = now;
		r->trouble_wait_ms = 0;
	}
	if (now - r->trouble_since_ms >= (int64_t)r->profile->limits.pause_limit_s * 1000)
		return false;
	r->trouble_wait_ms = r->trouble_wait_ms == 0                       ? TROUBLE_FIRST_MS
	                     : r->trouble_wait_ms * 2 > TROUBLE_LONGEST_MS ? TROUBLE_LONGEST_MS
	                                                                   : r->trouble_wait_ms * 2;
	show_again(r, why);
	for (int64_t end = now + r->trouble_wait_ms; !r->stopping && process_clock_ms() < end;) {
		struct pollfd fd = {.fd = signals, .events = POLLIN};
		if (poll(&fd, 1, 100) > 0)
			take_signals(r, signals);
		show_tick(r);
	}
	return !r->stopping;
}

/* Forgets all that is not on disk. */
static void forget(struct run *r)
{
	lanes_drop_workers(r);
	lanes_clear(r);
	ledger_close(r->ledger);
	r->ledger = NULL;
	r->ingest_done = r->progress.all_known = false;
	r->again = r->urgent = r->held = false;
	intake_forget(r);
}

/* The command */

struct words {
	const char *profile, *out, *site, *report, *shard, *log, *metrics;
	int64_t jobs;
	struct option_list set, operands;
};

static enum status write_reports(const struct run *r, const char *folder, struct err *e)
{
	static const char *const name[] = {"report.txt", "report.csv"};
	const struct report report = {&r->ledger, 1, &r->archive};
	enum status st = file_make_folders(folder, e);
	for (int i = 0; i < 2 && st == ST_OK; i++) {
		char *path = path_join(folder, name[i]);
		struct outfile out;
		st = path == NULL ? err_set(e, ST_RETRY, "memory", "no memory for a path") : outfile_open(path, &out, e);
		if (st == ST_OK) {
			st = i == 0 ? report_text(&report, 0, true, out.stream, e) : report_csv(&report, out.stream, e);
			if (st == ST_OK)
				st = outfile_commit(&out, e);
			else
				outfile_discard(&out);
		}
		free(path);
	}
	return st;
}

static int conclude(struct run *r, const struct words *w, enum status st, struct err *e)
{
	bool sound = false;
	const struct report report = {&r->ledger, 1, &r->archive};
	if (st == ST_OK)
		*e = (struct err){0}; /* what was met and overcome on the way is no reason */
	progress_end(&r->progress);
	if (r->ledger != NULL && st == ST_OK && !r->progress.json)
		st = report_text(&report, 20, true, stderr, e);
	if (st == ST_OK)
		show_left(r);
	if (st == ST_OK && w->report != NULL)
		st = write_reports(r, w->report, e);
	if (st == ST_OK)
		st = report_sound(&report, r->left.documents + r->left.n_fonds > 0, &sound, e);
	if (st == ST_OK && !r->stopping && !r->held)
		return sound ? EXIT_DONE : EXIT_UNSOUND;
	if (st == ST_OK && (r->has_fault || r->held))
		*e = r->fault;
	if (e->code[0] != '\0')
		show_fault(r, e);
	if (!r->progress.json)
		fprintf(stderr, "%s\n", say(SAY_STOPPED));
	return EXIT_RESUMABLE;
}

/* The cores that this process may use. */
static unsigned jobs_of(const struct words *w, const struct site *site)
{
	cpu_set_t set;
	if (w->jobs > 0)
		return (unsigned)w->jobs;
	if (site != NULL && site->jobs > 0)
		return site->jobs;
	return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

static int catch_signals(void)
{
	sigset_t caught;
	sigemptyset(&caught);
	sigaddset(&caught, SIGINT);
	sigaddset(&caught, SIGTERM);
	sigaddset(&caught, SIGCHLD);
	sigprocmask(SIG_BLOCK, &caught, NULL);
	signal(SIGHUP, SIG_IGN); /* a closed terminal does not end a run */
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &caught, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* Opens everything; what is opened is closed by close_run whatever happens. */
static enum status open_run(struct run *r, const struct words *w, struct err *e)
{
	r->jobs = jobs_of(w, r->site);
	enum status st = lanes_open(r, r->jobs, e);
	if (st == ST_OK)
		st = archive_open_shard(w->out, r->shard, true, &r->archive, e);
	if (st == ST_OK)
		st = archive_lock(&r->archive, e);
	return st;
}

static enum status begin_work(struct run *r, struct err *e)
{
	/* SQLite opens what may not be written for reading, and fails later. */
	if (access(r->archive.work, W_OK) != 0)
		return err_errno(e, "write", r->archive.work);
	enum status st = archive_sweep(&r->archive, NULL, e);
	if (st == ST_OK)
		st = ledger_open(r->archive.ledger, true, &r->ledger, e);
	if (st != ST_OK)
		return st;
	r->common =
	    (struct worker_common){r->profile, r->site, r->archive.work, r->backlog, &r->serve, r->shard, r->archive.lock_fd};
	st = records_begin(r, e);
	if (st == ST_OK)
		st = worker_start(&r->ingest, &r->common, r->ingest_stage, e);
	return st;
}

static void close_run(struct run *r)
{
	lanes_drop_workers(r);
	ledger_close(r->ledger);
	serve_stop(&r->serve);
	lanes_close(r);
	intake_forget(r);
	archive_close(&r->archive);
}

static int run_with(struct run *r, const struct words *w)
{
	struct err e = {0};
	show_open(r, w->log != NULL && strcmp(w->log, "json") == 0, w->metrics);
	enum status st = open_run(r, w, &e);
	if (st != ST_OK) {
		int wrong = show_fault(r, &e);
		notify_close(&r->show.notify);
		close_run(r);
		return wrong;
	}
	int signals = catch_signals(), code;
	process_guard_stderr();
	serve_open(&r->serve, command_profile_needs(r->profile), r->profile, r->site);
	for (bool began = false;;) {
		int64_t since = process_clock_ms();
		st = begin_work(r, &e);
		if (st == ST_OK && !began)
			show_started(r);
		began |= st == ST_OK;
		if (st == ST_OK)
			st = loop(r, signals, &e);
		if (st != ST_RETRY || !wait_again(r, signals, process_clock_ms() - since, &e))
			break;
		forget(r);
	}
	code = conclude(r, w, st, &e);
	show_end(r, code, e.code[0] != '\0' ? &e : NULL);
	close_run(r);
	close(signals);
	return code;
}

static int run_main(int argc, char **argv)
{
	struct words w = {0};
	const struct option table[] = {
	    {"profile", OPTION_TEXT, &w.profile, "NAME|FILE", "the rules"},
	    {"out", OPTION_TEXT, &w.out, "ARCHIVE", "where the results go"},
	    {"site", OPTION_TEXT, &w.site, "FILE", "key, authorities, organisation"},
	    {"jobs", OPTION_NUMBER, &w.jobs, "N", "work on N documents at a time; default: the cores"},
	    {"report", OPTION_TEXT, &w.report, "DIR", "write report.txt and report.csv there at the end"},
	    {"set", OPTION_LIST, &w.set, "KEY=VALUE", "a profile value for this run"},
	    {"log", OPTION_TEXT, &w.log, "text|json", "what standard error gets; json: an object a line for each event"},
	    {"metrics", OPTION_TEXT, &w.metrics, "FILE", "keep a file for the textfile collector of Prometheus' node_exporter"},
	    {"shard", OPTION_TEXT, &w.shard, "I/N", "work on part I of N of the dossiers only"},
	    {NULL, OPTION_FLAG, NULL, NULL, NULL},
	};
	struct shard shard = {0, 0};
	struct profile *profile = NULL;
	struct site *site = NULL;
	struct err e;
	int code;
	if (options_parse(table, "BACKLOG --profile NAME|FILE --out ARCHIVE", argc, argv, &w.operands, &code)) {
		char *backlog = w.operands.n == 1 ? realpath(w.operands.v[0], NULL) : NULL;
		if (w.operands.n != 1)
			code = command_needs("BACKLOG");
		else if (w.profile == NULL)
			code = command_needs("--profile");
		else if (w.out == NULL)
			code = command_needs("--out");
		else if (w.shard != NULL && !shard_parse(w.shard, &shard))
			code = command_wrong("--shard");
		else if (w.log != NULL && strcmp(w.log, "text") != 0 && strcmp(w.log, "json") != 0)
			code = command_wrong("--log");
		else if (backlog == NULL) {
			err_set(&e, ST_RUN, "backlog-missing", "%s", strerror(errno));
			err_where(&e, "%s", w.operands.v[0]);
			code = command_fault(&e);
		} else if (command_load(w.profile, &w.set, w.site, NULL, &profile, &site, &e) != ST_OK) {
			code = command_fault(&e);
		} else {
			struct run r = {
			    .profile = profile, .site = site, .backlog = backlog, .shard = shard, .archive = {.lock_fd = -1}};
			code = run_with(&r, &w);
		}
		free(backlog);
	}
	profile_free(profile);
	site_free(site);
	free(w.set.v);
	free(w.operands.v);
	return code;
}

const struct command run_command = {"run", "the whole way from a backlog to an archive", run_main};
