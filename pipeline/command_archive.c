/* Commands over an archive that a run has begun: status, report, retry. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/commands.h"
#include "pipeline/options.h"
#include "pipeline/report.h"
#include "pipeline/say.h"
#include "stages/base/text.h"

static enum status open_both(const char *root, bool write, struct archive *a, struct ledger **l, struct err *e)
{
	enum status st = archive_open(root, false, a, e);
	if (st == ST_OK && write)
		st = archive_lock(a, e);
	if (st == ST_OK)
		st = ledger_open(a->ledger, false, l, e);
	return st;
}

static int end(struct archive *a, struct ledger *l, enum status st, const struct err *e)
{
	ledger_close(l);
	archive_close(a);
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

static void say_stage(void *arg, const char *next, uint64_t n)
{
	char number[SAY_NUMBER];
	(void)arg;
	printf("  %-10s %s\n", next, say_number((long long)n, number));
}

static int status_main(int argc, char **argv)
{
	static const struct option table[] = {{NULL, OPTION_FLAG, NULL, NULL, NULL}};
	int code;
	const char *root = only_operand(table, argc, argv, &code);
	if (root == NULL)
		return code;
	struct archive a = {.lock_fd = -1};
	struct ledger *l = NULL;
	struct ledger_counts c;
	struct err e;
	enum status st = open_both(root, false, &a, &l, &e);
	if (st == ST_OK) {
		long holder = archive_holder(&a);
		char text[SAY_NUMBER];
		snprintf(text, sizeof text, "%ld", holder);
		if (holder != 0) {
			printf(say(SAY_RUNNING), text);
			putchar('\n');
		}
		st = report_text(l, &a, 20, stdout, &e);
	}
	if (st == ST_OK)
		st = ledger_count(l, &c, say_stage, NULL, &e);
	return end(&a, l, st, &e);
}

static int report_main(int argc, char **argv)
{
	bool csv = false;
	const struct option table[] = {
	    {"csv", OPTION_FLAG, &csv, NULL, "a row a document and package (RFC 4180)"},
	    {NULL, OPTION_FLAG, NULL, NULL, NULL},
	};
	int code;
	const char *root = only_operand(table, argc, argv, &code);
	if (root == NULL)
		return code;
	struct archive a = {.lock_fd = -1};
	struct ledger *l = NULL;
	struct err e;
	enum status st = open_both(root, false, &a, &l, &e);
	if (st == ST_OK)
		st = csv ? report_csv(l, stdout, &e) : report_text(l, &a, 0, stdout, &e);
	return end(&a, l, st, &e);
}

/* Retry */

struct retry {
	const struct option_list *wanted; /* ids after the archive; none: all */
	struct chosen {
		int64_t serial;
		bool package;
		char *id, *dossier, *next;
	} * v;
	size_t n;
};

static enum status choose(void *arg, const struct ledger_row *row, struct err *e)
{
	struct retry *r = arg;
	bool wanted = r->wanted->n == 1;
	for (size_t i = 1; i < r->wanted->n && !wanted; i++)
		wanted = strcmp(r->wanted->v[i], row->id) == 0;
	if (!wanted)
		return ST_OK;
	struct chosen *more = realloc(r->v, (r->n + 1) * sizeof *more);
	if (more == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for a list");
	r->v = more;
	more[r->n++] = (struct chosen){row->serial, row->package, strdup(row->id), row->dossier ? strdup(row->dossier) : NULL,
	                               strdup(row->next)};
	return ST_OK;
}

/* The record before the stage that failed: the newest step. */
static enum status newest(void *arg, const struct ledger_row *row, struct err *e)
{
	char **record = arg;
	(void)e;
	if (*record == NULL)
		*record = strdup(row->record);
	return ST_OK;
}

static enum status put_back(struct ledger *l, const struct archive *a, const struct chosen *c, struct err *e)
{
	char *record = NULL;
	enum status st;
	if (c->package) {
		st = ledger_unpackage(l, c->serial, c->dossier, e);
	} else {
		st = ledger_steps(l, c->serial, newest, &record, e);
		if (st == ST_OK)
			st = ledger_settle(l, c->serial, LEDGER_OK, c->next, record, 0, time_now_ms(), e);
	}
	free(record);
	if (st == ST_OK)
		archive_put_back(a, c->id);
	return st;
}

static int retry_main(int argc, char **argv)
{
	static const struct option table[] = {{NULL, OPTION_FLAG, NULL, NULL, NULL}};
	struct option_list words = {0};
	int code;
	if (!options_parse(table, "ARCHIVE [DOCUMENT…]", argc, argv, &words, &code) || words.n == 0) {
		free(words.v);
		return words.n == 0 && code != EXIT_DONE ? command_needs("ARCHIVE") : code;
	}
	struct archive a = {.lock_fd = -1};
	struct ledger *l = NULL;
	struct retry r = {.wanted = &words};
	struct err e;
	enum status st = open_both(words.v[0], true, &a, &l, &e);
	if (st == ST_OK)
		st = ledger_in_state(l, LEDGER_QUARANTINE, choose, &r, &e);
	size_t n = 0;
	for (size_t i = 0; i < r.n; i++) {
		if (st == ST_OK)
			st = put_back(l, &a, &r.v[i], &e);
		n += st == ST_OK;
		free(r.v[i].id);
		free(r.v[i].dossier);
		free(r.v[i].next);
	}
	if (st == ST_OK)
		st = ledger_commit(l, &e);
	char number[SAY_NUMBER];
	if (st == ST_OK) {
		printf(say(SAY_RETRIED), say_number((long long)n, number));
		putchar('\n');
	}
	free(r.v);
	free(words.v);
	return end(&a, l, st, &e);
}

const struct command status_command = {"status", "how far the run over an archive is", status_main};
const struct command report_command = {"report", "what was made, what was not and why", report_main};
const struct command retry_command = {"retry", "put quarantined documents back after the cause is mended", retry_main};
