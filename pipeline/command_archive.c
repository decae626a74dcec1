/* Commands over an archive that a run has begun: status, report, retry. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/commands.h"
#include "pipeline/log.h"
#include "pipeline/options.h"
#include "pipeline/report.h"
#include "pipeline/say.h"
#include "pipeline/wire.h"
#include "stages/base/text.h"

/* All parts of an archive. */
struct parts {
	struct shard *shard;
	struct archive *archive;
	struct ledger **ledger;
	size_t n;
};

static void parts_close(struct parts *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->ledger != NULL)
			ledger_close(p->ledger[i]);
		if (p->archive != NULL)
			archive_close(&p->archive[i]);
	}
	free(p->shard);
	free(p->archive);
	free(p->ledger);
}

static enum status open_one(const char *root, bool write, struct shard shard, struct archive *a, struct ledger **l, struct err *e)
{
	enum status st = archive_open_shard(root, shard, false, a, e);
	if (st == ST_OK && access(a->ledger, F_OK) != 0) {
		st = err_set(e, ST_RUN, "ledger-missing", "%s", strerror(errno));
		err_where(e, "%s", a->ledger);
	}
	if (st == ST_OK && write)
		st = archive_lock(a, e);
	return st == ST_OK ? ledger_open(a->ledger, write, l, e) : st;
}

/* With `write` the archive is locked against runs; otherwise nothing is held that a run would wait for. */
static enum status parts_open(const char *root, bool write, struct parts *p, struct err *e)
{
	size_t n, open = 0;
	enum status st = archive_shards(root, &p->shard, &n, e);
	if (st == ST_OK && n == 0) { /* to be told in the words of a missing archive or ledger */
		p->shard = calloc(1, sizeof *p->shard);
		n = 1;
	}
	if (st != ST_OK)
		return st;
	p->archive = calloc(n, sizeof *p->archive);
	p->ledger = calloc(n, sizeof(struct ledger *));
	if (p->shard == NULL || p->archive == NULL || p->ledger == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for the parts of an archive");
	for (size_t i = 0; i < n && st == ST_OK; i++) {
		struct archive a = {.lock_fd = -1};
		struct ledger *l = NULL;
		st = open_one(root, write, p->shard[i], &a, &l, e);
		bool fresh = st == ST_RUN && n > 1 && strcmp(e->code, "ledger-missing") == 0;
		if (st != ST_OK) {
			archive_close(&a);
			if (fresh && (i + 1 < n || open > 0))
				st = ST_OK; /* a part whose run has just begun */
			continue;
		}
		p->shard[open] = p->shard[i];
		p->archive[open] = a;
		p->ledger[open++] = l;
		p->n = open;
	}
	return st;
}

static struct report report_of(const struct parts *p)
{
	return (struct report){p->ledger, p->n, p->archive};
}

static int end(struct parts *p, enum status st, const struct err *e)
{
	parts_close(p);
	return st == ST_OK ? EXIT_DONE : command_fault(e);
}

/* The one operand of a command; NULL and *ret_exit where the words are wrong. */
static const char *only_operand(const struct option *table, int argc, char **argv, int *ret_exit)
{
	struct option_list operands = {0};
	const char *one = NULL;
	if (options_parse(table, "ARCHIVE", argc, argv, &operands, ret_exit)) {
		if (operands.n == 1)
			one = operands.v[0];
		else
			*ret_exit = command_needs("ARCHIVE");
	}
	free(operands.v);
	return one;
}

/* Status */

struct waiting {
	json_t *stages; /* name → items, over all parts */
};

static void add_stage(void *arg, const char *next, uint64_t n)
{
	struct waiting *w = arg;
	json_int_t before = json_integer_value(json_object_get(w->stages, next));
	json_object_set_new(w->stages, next, json_integer(before + (json_int_t)n));
}

static json_t *states(const uint64_t count[LEDGER_STATES])
{
	json_t *all = json_object();
	for (unsigned i = 0; i < LEDGER_STATES; i++)
		json_object_set_new(all, ledger_state_name(i), json_integer((json_int_t)count[i]));
	return all;
}

/* {"archive","running":[{"process","shard"}],"documents":{state: n},"packages":{state: n},"stages":{stage to come: n}} */
static enum status status_json(const struct parts *p, const struct ledger_counts *c, struct waiting *w, struct err *e)
{
	json_t *running = json_array();
	for (size_t i = 0; i < p->n; i++) {
		long holder = archive_holder(&p->archive[i]);
		if (holder == 0)
			continue;
		json_t *one = json_pack("{s:I}", "process", (json_int_t)holder);
		if (p->shard[i].of > 0)
			json_object_set_new(one, "shard", json_sprintf("%u/%u", p->shard[i].number, p->shard[i].of));
		json_array_append_new(running, one);
	}
	json_t *all = json_pack("{s:o,s:o,s:o,s:o,s:O}", "archive", log_text(p->archive[0].root), "running", running, "documents",
	                        states(c->documents), "packages", states(c->packages), "stages", w->stages);
	char *text = all == NULL ? NULL : json_dumps(all, JSON_COMPACT);
	json_decref(all);
	if (text == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for the status");
	puts(text);
	free(text);
	return ST_OK;
}

static enum status status_text(const struct parts *p, const struct waiting *w, struct err *e)
{
	char text[64], number[SAY_NUMBER];
	const char *name;
	json_t *n;
	for (size_t i = 0; i < p->n; i++) {
		long holder = archive_holder(&p->archive[i]);
		if (holder == 0)
			continue;
		if (p->shard[i].of > 0)
			snprintf(text, sizeof text, "%ld (%u/%u)", holder, p->shard[i].number, p->shard[i].of);
		else
			snprintf(text, sizeof text, "%ld", holder);
		printf(say(SAY_RUNNING), text);
		putchar('\n');
	}
	/* No list where that would take time; the report has it. */
	const struct report r = report_of(p);
	enum status st = report_text(&r, 20, false, stdout, e);
	json_object_foreach (w->stages, name, n)
		printf("  %-10s %s\n", name, say_number((long long)json_integer_value(n), number));
	return st;
}

static int status_main(int argc, char **argv)
{
	bool json = false;
	const struct option table[] = {
	    {"json", OPTION_FLAG, &json, NULL, "as one JSON object"},
	    {NULL, OPTION_FLAG, NULL, NULL, NULL},
	};
	int code;
	const char *root = only_operand(table, argc, argv, &code);
	if (root == NULL)
		return code;
	struct parts p = {0};
	struct ledger_counts all = {0}, c;
	struct waiting w = {json_object()};
	struct err e;
	enum status st = parts_open(root, false, &p, &e);
	for (size_t i = 0; i < p.n && st == ST_OK; i++) {
		st = ledger_count(p.ledger[i], &c, add_stage, &w, &e);
		for (size_t k = 0; k < LEDGER_STATES && st == ST_OK; k++) {
			all.documents[k] += c.documents[k];
			all.packages[k] += c.packages[k];
		}
	}
	if (st == ST_OK)
		st = json ? status_json(&p, &all, &w, &e) : status_text(&p, &w, &e);
	json_decref(w.stages);
	return end(&p, st, &e);
}

/* Report */

static int report_main(int argc, char **argv)
{
	bool csv = false, statistics = false, html = false;
	const struct option table[] = {
	    {"csv", OPTION_FLAG, &csv, NULL, "a row a document and package (RFC 4180)"},
	    {"statistics", OPTION_FLAG, &statistics, NULL, "sums by fonds, dossier, month, state and stage (RFC 4180)"},
	    {"html", OPTION_FLAG, &html, NULL, "one page for a browser"},
	    {NULL, OPTION_FLAG, NULL, NULL, NULL},
	};
	int code;
	const char *root = only_operand(table, argc, argv, &code);
	if (root == NULL)
		return code;
	if (csv + statistics + html > 1)
		return command_wrong(csv ? "--csv" : "--statistics");
	struct parts p = {0};
	struct err e;
	enum status st = parts_open(root, false, &p, &e);
	if (st == ST_OK) {
		const struct report r = report_of(&p);
		st = csv          ? report_csv(&r, stdout, &e)
		     : statistics ? report_statistics(&r, stdout, &e)
		     : html       ? report_html(&r, stdout, &e)
		                  : report_text(&r, 0, true, stdout, &e);
	}
	return end(&p, st, &e);
}

/* Retry */

struct retry {
	const struct option_list *wanted; /* ids after the archive; none: all */
	bool *met;                        /* which of them were found */
	struct chosen {
		int64_t serial;
		bool package;
		char *id, *dossier, *next;
		char *held; /* the code under which it is held, where that is to be accepted */
	} * v;
	size_t n;
	int64_t seen;
	bool more;
	bool accept; /* what was held for a person is accepted */
};

#define RETRY_BATCH 1000 /* rows that are looked at before the wanted ones are put back */

/* The code of the record's notice where it ends in "-held": so stages say that a person may accept what they found. */
static char *held_code(const char *record)
{
	struct item *it = NULL;
	struct err ignored;
	char *code = NULL;
	if (record != NULL && item_parse(record, strlen(record), &it, &ignored) == ST_OK) {
		size_t n = strlen(it->notice.code);
		if (n > 5 && strcmp(it->notice.code + n - 5, "-held") == 0)
			code = strdup(it->notice.code);
	}
	item_free(it);
	return code;
}

static enum status choose(void *arg, const struct ledger_row *row, struct err *e)
{
	struct retry *r = arg;
	bool wanted = r->wanted->n == 1;
	r->seen = row->serial;
	r->more = true;
	for (size_t i = 1; i < r->wanted->n; i++) {
		if (strcmp(r->wanted->v[i], row->id) == 0)
			wanted = r->met[i] = true;
	}
	if (!wanted)
		return ST_OK;
	struct chosen *more = realloc(r->v, (r->n + 1) * sizeof *more);
	if (more == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for a list");
	r->v = more;
	more[r->n++] = (struct chosen){row->serial,       row->package,
	                               strdup(row->id),   row->dossier ? strdup(row->dossier) : NULL,
	                               strdup(row->next), r->accept ? held_code(row->record) : NULL};
	return ST_OK;
}

/* The record before the stage that failed: the newest step. */
struct step {
	char *stage, *record, *sources;
};

static enum status newest(void *arg, const struct ledger_row *row, struct err *e)
{
	struct step *s = arg;
	(void)e;
	if (s->record == NULL) {
		item_set(&s->stage, row->next);
		item_set(&s->record, row->record);
		item_set(&s->sources, row->sources);
	}
	return ST_OK;
}

/* Notes in a record that a person has accepted what a code stands for; the stage that is asked again goes on then. */
static enum status accept(char **record, const char *code, struct err *e)
{
	struct item *it = NULL;
	BUF_AUTO struct buf line = BUF_INIT(WIRE_LINE_MAX);
	enum status st = item_parse(*record, strlen(*record), &it, e);
	if (st != ST_OK)
		return st;
	json_t *codes = json_object_get(it->other, "accepted");
	if (!json_is_array(codes)) {
		codes = json_array();
		json_object_set_new(it->other, "accepted", codes);
	}
	json_array_append_new(codes, json_string(code));
	item_add_event(it, time_now_ms(), "validation", "warning", "held for a person (%s), and accepted by one", code);
	const char *text = item_text(it, &line);
	if (text == NULL)
		st = err_set(e, ST_RETRY, "memory", "no memory for a record");
	else
		item_set(record, text);
	item_free(it);
	return st;
}

static enum status put_back(struct ledger *l, const struct archive *a, const struct chosen *c, struct err *e)
{
	struct step s = {0};
	enum status st;
	bool at_intake = false;
	if (c->package) {
		st = ledger_unpackage(l, c->serial, c->dossier, e);
	} else {
		st = ledger_steps(l, c->serial, newest, &s, e);
		at_intake = s.stage != NULL && strcmp(s.stage, c->next) == 0;
		if (st == ST_OK && at_intake) {
			/* Ingest itself set it aside: the next run looks at it as if it had never seen it. Its notice stays until then. */
			int64_t serial;
			const struct ledger_row row = {.state = LEDGER_QUARANTINE,
			                               .id = c->id,
			                               .dossier = c->dossier,
			                               .next = c->next,
			                               .intake = "",
			                               .sources = s.sources,
			                               .record = s.record};
			st = ledger_enter(l, &row, s.stage, time_now_ms(), &serial, e);
		} else if (st == ST_OK) {
			if (c->held != NULL)
				st = accept(&s.record, c->held, e);
			if (st == ST_OK)
				st = ledger_settle(l, c->serial, LEDGER_OK, c->next, s.record, 0, time_now_ms(), e);
		}
	}
	free(s.stage);
	free(s.record);
	free(s.sources);
	if (st == ST_OK && !at_intake)
		archive_put_back(a, c->id);
	return st;
}

/* Puts back what is wanted of one part. */
static enum status retry_part(struct ledger *l, const struct archive *a, struct retry *r, size_t *n, struct err *e)
{
	enum status st = ST_OK;
	r->seen = 0;
	do {
		r->v = NULL;
		r->n = 0;
		r->more = false;
		st = ledger_in_state(l, LEDGER_QUARANTINE, r->seen, RETRY_BATCH, choose, r, e);
		for (size_t i = 0; i < r->n; i++) {
			if (st == ST_OK)
				st = put_back(l, a, &r->v[i], e);
			*n += st == ST_OK;
			free(r->v[i].id);
			free(r->v[i].dossier);
			free(r->v[i].next);
			free(r->v[i].held);
		}
		free(r->v);
		if (st == ST_OK)
			st = ledger_commit(l, e);
	} while (st == ST_OK && r->more);
	return st;
}

static int retry_main(int argc, char **argv)
{
	bool accept_held = false;
	const struct option table[] = {
	    {"accept", OPTION_FLAG, &accept_held, NULL, "what was held for a person has been looked at and is right as it is"},
	    {NULL, OPTION_FLAG, NULL, NULL, NULL},
	};
	struct option_list words = {0};
	int code;
	if (!options_parse(table, "ARCHIVE [DOCUMENT…]", argc, argv, &words, &code) || words.n == 0) {
		bool said = words.n > 0 || code == EXIT_DONE;
		free(words.v);
		return said ? code : command_needs("ARCHIVE");
	}
	struct parts p = {0};
	struct retry r = {.wanted = &words, .met = calloc(words.n, sizeof(bool)), .accept = accept_held};
	struct err e;
	size_t n = 0;
	bool unknown = false;
	enum status st = r.met == NULL ? err_set(&e, ST_RETRY, "memory", "no memory for a list")
	                               : parts_open(words.v[0], true, &p, &e);
	for (size_t i = 0; i < p.n && st == ST_OK; i++)
		st = retry_part(p.ledger[i], &p.archive[i], &r, &n, &e);
	for (size_t i = 1; i < words.n && st == ST_OK; i++) {
		if (r.met[i])
			continue;
		unknown = true;
		fprintf(stderr, say(SAY_RETRY_UNKNOWN), words.v[i]);
		fputc('\n', stderr);
	}
	char number[SAY_NUMBER];
	if (st == ST_OK) {
		printf(say(SAY_RETRIED), say_number((long long)n, number));
		putchar('\n');
	}
	free(r.met);
	free(words.v);
	code = end(&p, st, &e);
	return code == EXIT_DONE && unknown ? EXIT_UNSOUND : code;
}

const struct command status_command = {"status", "how far the run over an archive is", status_main};
const struct command report_command = {"report", "what was made, what was not and why", report_main};
const struct command retry_command = {"retry", "put quarantined documents back after the cause is mended", retry_main};
