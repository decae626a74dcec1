/*
 * A long document, done in ranges of pages by several workers (stage.h). While ranges are to be handed out, the document waits in its
 * lane and goes back to the end of it each time, so that others pass; while the last ones are in hand, it is parked.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/run.h"

#define RANGES_MOST 100000

struct ranges {
	uint32_t size, of; /* pages of a range, of the document */
	uint32_t next;     /* first page that has not been handed out */
	size_t n, done, out;
	struct item_file *part;  /* n of them */
	struct item *bad;        /* of the first range that failed: its answer */
	struct item_range worst; /* and which that was */
};

void ranges_free(struct ranges *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->n && g->part != NULL; i++) {
		free(g->part[i].path);
		free(g->part[i].format);
	}
	free(g->part);
	item_free(g->bad);
	free(g);
}

enum status ranges_begin(struct run *r, struct lane *l, struct job *j, const struct item *it, struct err *e)
{
	struct item_range first = it->range;
	bool sane = j->line != NULL && !j->package && j->whole == NULL && j->n_parts == 0 && first.first == 1 &&
	            first.last >= 1 && first.last < first.of && (first.of - 1) / first.last < RANGES_MOST;
	struct item *whole = NULL;
	if (!sane) {
		struct err lie;
		err_set(&lie, ST_ITEM, "worker-answer", "stage %s asks for ranges that cannot be", l->name);
		err_arg(&lie, "%s", l->name);
		whole = records_failed(j, &lie);
		return whole != NULL ? records_answer(r, l, j, whole, e) : record_no_memory(e);
	}
	struct ranges *g = calloc(1, sizeof *g);
	if (g == NULL)
		return record_no_memory(e);
	*g = (struct ranges){.size = first.last, .of = first.of, .next = 1, .n = (first.of + first.last - 1) / first.last};
	g->part = calloc(g->n, sizeof *g->part);
	if (g->part == NULL) {
		free(g);
		return record_no_memory(e);
	}
	/* The pages are known only now. */
	if (first.of != j->pages) {
		show_expect(r, l, j->pages, -1);
		j->pages = first.of;
		show_expect(r, l, j->pages, 1);
	}
	j->ranges = g;
	lane_push(l, j);
	return ST_OK;
}

bool ranges_left(const struct job *j)
{
	return j->ranges != NULL && j->ranges->next <= j->ranges->of;
}

static bool print_line(const struct item *it, char **ret_line)
{
	BUF_AUTO struct buf line = BUF_INIT(WIRE_LINE_MAX);
	item_print(it, &line);
	char *text = line.failed ? NULL : strndup((const char *)line.data, line.len);
	if (text == NULL)
		return false;
	free(*ret_line);
	*ret_line = text;
	return true;
}

struct job *ranges_next(struct lane *l, struct job *whole)
{
	struct ranges *g = whole->ranges;
	struct item *it;
	struct err e;
	uint32_t last = g->of - g->next < g->size ? g->of : g->next + g->size - 1;
	struct job *j = job_new(whole->serial, whole->id, NULL, false, last - g->next + 1);
	bool made = false;
	if (j != NULL && item_parse(whole->line, strlen(whole->line), &it, &e) == ST_OK) {
		j->whole = whole;
		j->range = it->range = (struct item_range){g->next, last, g->of};
		made = print_line(it, &j->line);
		item_free(it);
	}
	if (!made) {
		job_free(j);
		lane_push_first(l, whole);
		return NULL;
	}
	g->next = last + 1;
	g->out++;
	if (g->next <= g->of && g->bad == NULL) {
		lane_push(l, whole);
	} else {
		whole->next = l->parked;
		l->parked = whole;
	}
	return j;
}

static void unpark(struct lane *l, struct job *whole)
{
	for (struct job **at = &l->parked; *at != NULL; at = &(*at)->next) {
		if (*at == whole) {
			*at = whole->next;
			whole->next = NULL;
			return;
		}
	}
	lane_remove(l, whole);
}

/* All parts are there: the document goes to a worker once more, with them. */
static enum status join(struct lane *l, struct job *whole, struct err *e)
{
	struct ranges *g = whole->ranges;
	struct item *it;
	enum status st = item_parse(whole->line, strlen(whole->line), &it, e);
	if (st != ST_OK)
		return st;
	it->parts = g->part; /* lent */
	it->n_parts = g->n;
	bool made = print_line(it, &whole->line);
	it->parts = NULL;
	it->n_parts = 0;
	item_free(it);
	if (!made)
		return record_no_memory(e);
	whole->parts = g->part;
	whole->n_parts = g->n;
	g->part = NULL;
	ranges_free(g);
	whole->ranges = NULL;
	lane_push_first(l, whole);
	return ST_OK;
}

static void take_part(const struct run *r, const struct lane *l, const struct job *range, struct item *it)
{
	struct ranges *g = range->whole->ranges;
	bool good = it->state == ITEM_OK && it->n_parts == 1 && it->range.first == range->range.first &&
	            it->range.last == range->range.last && archive_in_work(&r->archive, it->parts[0].path);
	if (good) {
		g->part[(range->range.first - 1) / g->size] = it->parts[0];
		it->n_parts = 0;
		g->done++;
		return;
	}
	if (it->state == ITEM_OK) {
		struct err lie;
		err_set(&lie, ST_ITEM, "worker-answer", "stage %s made no part", l->name);
		err_arg(&lie, "%s", l->name);
		item_fail(it, &lie);
	}
	/* Of several that fail the first page counts, whoever came first. */
	if (g->bad == NULL || range->range.first < g->worst.first) {
		struct item *before = g->bad;
		g->bad = it;
		g->worst = range->range;
		item_free(before);
	}
}

enum status ranges_answer(struct run *r, struct lane *l, struct job *range, struct item *it, struct err *e)
{
	struct job *whole = range->whole;
	struct ranges *g = whole->ranges;
	enum status st = ST_OK;
	g->out--;
	whole->seconds += range->began_ms > 0 ? (double)(process_clock_ms() - range->began_ms) / 1000 : 0;
	take_part(r, l, range, it);
	if (g->bad != it)
		item_free(it);
	job_free(range);
	if (g->bad != NULL && g->out == 0) {
		struct item *bad = g->bad;
		unpark(l, whole);
		g->bad = NULL;
		whole->parts = g->part;
		whole->n_parts = g->n;
		g->part = NULL;
		ranges_free(g);
		whole->ranges = NULL;
		st = records_answer(r, l, whole, bad, e);
	} else if (g->bad != NULL) {
		/* No more of it is handed out. */
		unpark(l, whole);
		whole->next = l->parked;
		l->parked = whole;
	} else if (g->done == g->n) {
		unpark(l, whole);
		st = join(l, whole, e);
	}
	return st;
}

void ranges_discard(const struct run *r, struct job *j)
{
	for (size_t i = 0; i < j->n_parts; i++)
		if (j->parts[i].path != NULL && archive_in_work(&r->archive, j->parts[i].path))
			unlink(j->parts[i].path);
}
