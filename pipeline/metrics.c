#include "pipeline/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "stages/base/file.h"
#include "stages/base/text.h"

#define LAST_SUCCESS "arkseal_last_success_timestamp_seconds"

static void head(struct buf *to, const char *name, const char *type, const char *help)
{
	buf_format(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and newline are escaped; what is not UTF-8 would make the whole file unreadable. */
static void label(struct buf *to, const char *name, const char *value)
{
	bool text = utf8_valid(value, strlen(value));
	buf_format(to, "%s=\"", name);
	for (const char *at = value; *at != '\0'; at++) {
		if (*at == '\\' || *at == '"')
			buf_byte(to, '\\');
		if (*at == '\n')
			buf_str(to, "\\n");
		else
			buf_byte(to, (unsigned char)*at < 0x80 || text ? (uint8_t)*at : '?');
	}
	buf_byte(to, '"');
}

static void begin(const struct metrics *m, struct buf *to, const char *name)
{
	buf_format(to, "%s{", name);
	label(to, "archive", m->archive);
	if (m->shard[0] != '\0') {
		buf_byte(to, ',');
		label(to, "shard", m->shard);
	}
}

static void more(struct buf *to, const char *name, const char *value)
{
	buf_byte(to, ',');
	label(to, name, value);
}

static void end(struct buf *to, double value)
{
	buf_format(to, "} %.15g\n", value);
}

static void one(const struct metrics *m, struct buf *to, const char *name, const char *type, const char *help, double value)
{
	head(to, name, type, help);
	begin(m, to, name);
	end(to, value);
}

static void documents(const struct metrics *m, struct buf *to)
{
	const struct {
		const char *state;
		uint64_t n;
	} row[] = {{"ok", m->ok}, {"done", m->finished}, {"quarantine", m->quarantine}, {"refused", m->refused}};
	head(to, "arkseal_documents", "gauge", "Documents of the archive by state; ok is under way.");
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		begin(m, to, "arkseal_documents");
		more(to, "state", row[i].state);
		end(to, (double)row[i].n);
	}
}

static void by_stage(const struct metrics *m, struct buf *to)
{
	head(to, "arkseal_stage_seconds_total", "counter", "Time that workers have spent on items, in this run.");
	for (size_t i = 0; i < m->n_stages; i++) {
		begin(m, to, "arkseal_stage_seconds_total");
		more(to, "stage", m->stages[i].name);
		end(to, m->stages[i].seconds);
	}
	head(to, "arkseal_stage_items_total", "counter", "Items that a stage has answered, in this run.");
	for (size_t i = 0; i < m->n_stages; i++) {
		for (int failed = 0; failed < 2; failed++) {
			begin(m, to, "arkseal_stage_items_total");
			more(to, "stage", m->stages[i].name);
			more(to, "outcome", failed ? "failed" : "ok");
			end(to, (double)(failed ? m->stages[i].failed : m->stages[i].done));
		}
	}
	static const struct {
		const char *name, *type, *help;
		size_t member;
	} row[] = {
	    {"arkseal_stage_pauses_total", "counter", "How often a stage had to wait for a fault to pass, in this run.",
	     offsetof(struct metrics_stage, pauses)},
	    {"arkseal_stage_waiting", "gauge", "Items that wait for a stage in the memory of the run.",
	     offsetof(struct metrics_stage, waiting)},
	    {"arkseal_stage_paused", "gauge", "Whether a stage waits for a fault to pass.",
	     offsetof(struct metrics_stage, paused)},
	};
	for (size_t k = 0; k < sizeof row / sizeof row[0]; k++) {
		head(to, row[k].name, row[k].type, row[k].help);
		for (size_t i = 0; i < m->n_stages; i++) {
			begin(m, to, row[k].name);
			more(to, "stage", m->stages[i].name);
			end(to, (double)*(const uint64_t *)(const void *)((const char *)&m->stages[i] + row[k].member));
		}
	}
}

void metrics_print(const struct metrics *m, struct buf *to)
{
	documents(m, to);
	one(m, to, "arkseal_pages_total", "counter", "Pages of documents that have passed all stages for documents, in this run.",
	    (double)m->pages);
	by_stage(m, to);
	one(m, to, "arkseal_workers_restarted_total", "counter", "Workers that died and had to be replaced, in this run.",
	    (double)m->workers_restarted);
	one(m, to, "arkseal_running", "gauge", "Whether the run is at work.", m->running);
	if (m->exit_code >= 0)
		one(m, to, "arkseal_exit_code", "gauge",
		    "Of the run that ended: 0 all done, 1 something set aside, 3 stopped, the same command goes on.",
		    m->exit_code);
	one(m, to, "arkseal_start_timestamp_seconds", "gauge", "When the run began.", (double)m->start_s);
	one(m, to, "arkseal_written_timestamp_seconds", "gauge", "When this was written.", (double)m->written_s);
	one(m, to, LAST_SUCCESS, "gauge", "When a run last ended with everything done; 0: never.", (double)m->last_success_s);
}

enum status metrics_write(const struct metrics *m, const char *path, struct err *e)
{
	BUF_AUTO struct buf text = BUF_INIT(1 << 20);
	struct outfile out;
	metrics_print(m, &text);
	if (text.failed)
		return err_set(e, ST_RETRY, "memory", "no memory for the metrics");
	enum status st = outfile_open(path, &out, e);
	if (st != ST_OK)
		return st;
	fwrite(text.data, 1, text.len, out.stream);
	if (fchmod(fileno(out.stream), 0644) != 0) { /* the collector is another user */
		st = err_errno(e, "write", path);
		outfile_discard(&out);
		return st;
	}
	return outfile_commit(&out, e);
}

int64_t metrics_last_success(const char *path)
{
	BUF_AUTO struct buf text = BUF_INIT(1 << 20);
	struct err e;
	if (file_read(path, &text, &e) != ST_OK || text.len == 0)
		return 0;
	const char *line = strstr((const char *)text.data, "\n" LAST_SUCCESS "{");
	const char *stop = line == NULL ? NULL : strchr(line + 1, '\n');
	if (stop == NULL)
		return 0;
	const char *space = memrchr(line, ' ', (size_t)(stop - line));
	char digits[24];
	int64_t value;
	if (space == NULL || (size_t)(stop - space) > sizeof digits)
		return 0;
	snprintf(digits, sizeof digits, "%.*s", (int)(stop - space - 1), space + 1);
	return number_parse(digits, 0, INT64_MAX, &value) ? value : 0;
}
