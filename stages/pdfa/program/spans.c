#include "stages/pdfa/program/spans.h"

#include <stdlib.h>

#define SPANS_MAX 200000

void spans_add(struct spans *to, uint32_t low, uint32_t high, uint64_t value)
{
	if (to->failed || to->n >= SPANS_MAX || high < low)
		return;
	if (to->n == to->cap) {
		size_t cap = to->cap == 0 ? 64 : 2 * to->cap;
		struct span *s = realloc(to->s, cap * sizeof *s);
		if (s == NULL) {
			to->failed = true;
			return;
		}
		to->s = s;
		to->cap = cap;
	}
	to->s[to->n] = (struct span){low, high, low, (uint32_t)to->n, value};
	to->n++;
}

static int by_begin(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	return x->low != y->low ? (x->low > y->low) - (x->low < y->low) : (x->order > y->order) - (x->order < y->order);
}

static bool overlap(const struct spans *s)
{
	for (size_t i = 1; i < s->n; i++)
		if (s->s[i].low <= s->s[i - 1].high)
			return true;
	return false;
}

struct sweep {
	struct span *out;
	size_t n;
	uint64_t at; /* where what is emitted next begins */
};

static void emit(struct sweep *w, const struct span *s, uint64_t end)
{
	if (w->at <= end) {
		w->out[w->n] = *s;
		w->out[w->n].low = (uint32_t)w->at;
		w->out[w->n++].high = (uint32_t)end;
		w->at = end + 1;
	}
}

/* Cuts what overlaps, so that a look-up meets one span at most. Those that are open lie on a stack, the one that counts on top. */
static bool flatten(struct spans *s)
{
	struct sweep w = {.out = malloc(2 * s->n * sizeof *w.out)};
	size_t *open = malloc(s->n * sizeof *open), n_open = 0;
	if (w.out == NULL || open == NULL) {
		free(w.out);
		free(open);
		return false;
	}
	for (size_t i = 0; i < s->n; i++) {
		for (; n_open > 0 && s->s[open[n_open - 1]].high < s->s[i].low; n_open--)
			emit(&w, &s->s[open[n_open - 1]], s->s[open[n_open - 1]].high);
		if (n_open > 0 && s->s[i].low > 0)
			emit(&w, &s->s[open[n_open - 1]], s->s[i].low - 1);
		w.at = s->s[i].low;
		open[n_open++] = i;
	}
	for (; n_open > 0; n_open--)
		emit(&w, &s->s[open[n_open - 1]], s->s[open[n_open - 1]].high);
	free(open);
	free(s->s);
	s->s = w.out;
	s->n = w.n;
	return true;
}

bool spans_seal(struct spans *s)
{
	if (s->n > 0)
		qsort(s->s, s->n, sizeof *s->s, by_begin);
	if (!s->failed && overlap(s))
		s->failed = !flatten(s);
	return !s->failed;
}

const struct span *spans_find(const struct spans *s, uint32_t code)
{
	size_t low = 0, high = s->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (s->s[middle].low <= code)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && s->s[low - 1].high >= code ? &s->s[low - 1] : NULL;
}

void spans_free(struct spans *s)
{
	free(s->s);
	*s = (struct spans){0};
}
