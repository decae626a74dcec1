#include "pipeline/report.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/item.h"
#include "pipeline/notice.h"
#include "pipeline/say.h"
#include "stages/base/buf.h"
#include "stages/base/text.h"

struct text {
	FILE *to;
	struct ledger *ledger;
	size_t shown, noted, most;
};

static enum status say_row(void *arg, const struct ledger_row *row, struct err *e)
{
	struct text *t = arg;
	struct item *it;
	if (t->most > 0 && t->shown == t->most)
		return ST_OK;
	enum status st = item_parse(row->record, strlen(row->record), &it, e);
	if (st != ST_OK)
		return st;
	BUF_AUTO struct buf why = BUF_INIT(8192);
	notice_sentence(&it->notice, say_english(), &why);
	fputs("  ", t->to);
	fprintf(t->to, say(row->state == LEDGER_REFUSED ? SAY_REFUSED : SAY_SET_ASIDE), row->id,
	        why.failed ? it->notice.code : (const char *)why.data);
	fputc('\n', t->to);
	t->shown++;
	item_free(it);
	return ST_OK;
}

static enum status say_dossier(void *arg, const char *key, struct err *e)
{
	struct text *t = arg;
	struct ledger_dossier d;
	char ready[SAY_NUMBER], size[SAY_NUMBER];
	enum status st = ledger_count_dossier(t->ledger, key, "", &d, e);
	if (st != ST_OK || (d.aside == 0 && d.entered >= d.size))
		return st;
	fputs("  ", t->to);
	fprintf(t->to, say(SAY_WAITING), key, say_number(d.entered - d.aside, ready), say_number(d.size, size));
	fputc('\n', t->to);
	return ST_OK;
}

/* A remark: its code names the sentence, as a notice's does, and its detail is the sentence's first value. */
static void note_sentence(const struct ledger_note *note, struct buf *to)
{
	struct err remark;
	err_set(&remark, ST_ITEM, note->code, "%s", note->detail);
	err_arg(&remark, "%s", note->detail);
	notice_sentence(&remark, say_english(), to);
}

static enum status say_note(void *arg, const struct ledger_note *note, struct err *e)
{
	struct text *t = arg;
	(void)e;
	if (t->most > 0 && t->noted++ >= t->most) {
		if (t->noted == t->most + 1)
			fputs("  …\n", t->to);
		return ST_OK;
	}
	BUF_AUTO struct buf sentence = BUF_INIT(8192);
	note_sentence(note, &sentence);
	fprintf(t->to, "  %s: %s\n", note->id, sentence.failed ? note->code : (const char *)sentence.data);
	return ST_OK;
}

enum status report_count(const struct report *r, struct ledger_counts *ret, struct err *e)
{
	struct ledger_counts all = {0}, c;
	enum status st = ST_OK;
	for (size_t i = 0; i < r->n && st == ST_OK; i++) {
		st = ledger_count(r->ledger[i], &c, NULL, NULL, e);
		for (size_t k = 0; k < LEDGER_STATES && st == ST_OK; k++) {
			all.documents[k] += c.documents[k];
			all.packages[k] += c.packages[k];
		}
	}
	if (st == ST_OK)
		*ret = all;
	return st;
}

static void say_line(FILE *to, enum say_text text, const char *value)
{
	fprintf(to, say(text), value);
	fputc('\n', to);
}

static enum status in_state(const struct report *r, enum ledger_state state, size_t most, ledger_reader *reader, void *arg,
                            struct err *e)
{
	enum status st = ST_OK;
	for (size_t i = 0; i < r->n && st == ST_OK; i++)
		st = ledger_in_state(r->ledger[i], state, 0, most, reader, arg, e);
	return st;
}

enum status report_text(const struct report *r, size_t most, bool dossiers, FILE *to, struct err *e)
{
	struct ledger_counts c;
	struct text t = {.to = to, .most = most};
	char n[SAY_NUMBER], m[SAY_NUMBER];
	enum status st = report_count(r, &c, e);
	if (st != ST_OK)
		return st;
	uint64_t packages = 0;
	for (size_t i = 0; i < LEDGER_STATES; i++)
		packages += c.packages[i];
	say_number((long long)c.documents[LEDGER_DONE], n);
	if (packages > 0) {
		fprintf(to, say(SAY_DONE_PACKAGES), say_number((long long)c.packages[LEDGER_DONE], m), n);
		fputc('\n', to);
	} else {
		say_line(to, SAY_DONE_DOCUMENTS, n);
	}
	say_line(to, SAY_WHERE, r->archive->root);
	uint64_t aside = c.documents[LEDGER_QUARANTINE] + c.packages[LEDGER_QUARANTINE], refused = c.documents[LEDGER_REFUSED];
	if (aside + refused > 0) {
		fprintf(to, say(SAY_NOTICES), say_number((long long)aside, n), say_number((long long)refused, m),
		        r->archive->quarantine);
		fputc('\n', to);
		st = in_state(r, LEDGER_QUARANTINE, most, say_row, &t, e);
		if (st == ST_OK)
			st = in_state(r, LEDGER_REFUSED, most, say_row, &t, e);
		aside += refused + c.packages[LEDGER_REFUSED];
		if (aside > t.shown)
			say_line(to, SAY_MORE, say_number((long long)(aside - t.shown), n));
	}
	if (c.documents[LEDGER_OK] > 0)
		say_line(to, SAY_OPEN, say_number((long long)c.documents[LEDGER_OK], n));
	for (size_t i = 0; i < r->n && dossiers && st == ST_OK; i++) {
		t.ledger = r->ledger[i];
		st = ledger_open_dossiers(t.ledger, "", 0, say_dossier, &t, e);
		if (st == ST_OK)
			st = ledger_notes(t.ledger, 0, most > 0 ? most + 1 : 0, say_note, &t, e);
	}
	return st;
}

static void cell(FILE *to, const char *text, char end)
{
	fputc('"', to);
	for (; text != NULL && *text != '\0'; text++) {
		if (*text == '"')
			fputc('"', to);
		fputc(*text, to);
	}
	fputc('"', to);
	fputs(end == '\n' ? "\r\n" : ",", to);
}

static enum status add_note(void *arg, const struct ledger_note *note, struct err *e)
{
	struct buf *to = arg;
	(void)e;
	if (to->len > 0)
		buf_byte(to, ' ');
	note_sentence(note, to);
	return ST_OK;
}

struct csv {
	FILE *to;
	struct ledger *ledger;
};

static enum status csv_row(void *arg, const struct ledger_row *row, struct err *e)
{
	const struct csv *csv = arg;
	FILE *to = csv->to;
	struct item *it;
	enum status st = item_parse(row->record, strlen(row->record), &it, e);
	if (st != ST_OK)
		return st;
	static const enum say_text word[] = {SAY_STATE_OK, SAY_STATE_DONE, SAY_STATE_QUARANTINE, SAY_STATE_REFUSED};
	BUF_AUTO struct buf problem = BUF_INIT(1 << 16), remedy = BUF_INIT(1 << 16), remarks = BUF_INIT(1 << 16);
	if (it->state != ITEM_OK) {
		notice_sentence(&it->notice, say_english(), &problem);
		notice_remedy(&it->notice, say_english(), &remedy);
	}
	st = ledger_notes(csv->ledger, row->serial, 0, add_note, &remarks, e);
	cell(to, item_kind_name(it->kind), ',');
	cell(to, row->id, ',');
	cell(to, it->dossier, ',');
	cell(to, say(word[row->state]), ',');
	cell(to, row->next, ',');
	cell(to, row->state == LEDGER_DONE ? it->artefact.path : "", ',');
	cell(to, it->notice.code, ',');
	cell(to, it->notice.where, ',');
	cell(to, (const char *)problem.data, ',');
	cell(to, (const char *)remedy.data, ',');
	cell(to, (const char *)remarks.data, '\n');
	item_free(it);
	return st;
}

enum status report_csv(const struct report *r, FILE *to, struct err *e)
{
	enum status st = ST_OK;
	fputs("kind,id,dossier,state,stage,file,code,where,problem,remedy,remarks\r\n", to);
	for (unsigned i = 0; i < LEDGER_STATES && st == ST_OK; i++) {
		for (size_t k = 0; k < r->n && st == ST_OK; k++) {
			struct csv csv = {to, r->ledger[k]};
			st = ledger_in_state(csv.ledger, i, 0, 0, csv_row, &csv, e);
		}
	}
	return st;
}

/* Sums of several parts, added where all but the numbers is the same. */
struct sums {
	struct ledger_sum *v;
	size_t n;
};

static int compare_sums(const void *a, const void *b)
{
	const struct ledger_sum *x = a, *y = b;
	const char *const texts[][2] = {{x->fonds, y->fonds}, {x->dossier, y->dossier}, {x->month, y->month}, {x->next, y->next}};
	int order = 0;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0] && order == 0; i++)
		order = strcmp(texts[i][0], texts[i][1]);
	return order != 0 ? order : x->package != y->package ? x->package - y->package : (int)x->state - (int)y->state;
}

static enum status keep_sum(void *arg, const struct ledger_sum *sum, struct err *e)
{
	struct sums *s = arg;
	struct ledger_sum kept = *sum, *more = realloc(s->v, (s->n + 1) * sizeof *more);
	if (more != NULL)
		s->v = more;
	kept.fonds = strdup(sum->fonds);
	kept.dossier = strdup(sum->dossier);
	kept.next = strdup(sum->next);
	kept.month = strdup(sum->month);
	if (more != NULL)
		s->v[s->n++] = kept;
	return more != NULL && kept.fonds && kept.dossier && kept.next && kept.month
	           ? ST_OK
	           : err_set(e, ST_RETRY, "memory", "no memory for sums");
}

static enum status sums(const struct report *r, bool by_dossier,
                        enum status (*each)(void *arg, const struct ledger_sum *sum, struct err *e), void *arg, struct err *e)
{
	struct sums s = {0};
	enum status st = ST_OK;
	if (r->n == 1)
		return ledger_sums(r->ledger[0], by_dossier, each, arg, e);
	for (size_t i = 0; i < r->n && st == ST_OK; i++)
		st = ledger_sums(r->ledger[i], by_dossier, keep_sum, &s, e);
	if (s.n > 1)
		qsort(s.v, s.n, sizeof *s.v, compare_sums);
	for (size_t i = 0; i < s.n && st == ST_OK; i++) {
		if (i + 1 < s.n && compare_sums(&s.v[i], &s.v[i + 1]) == 0) {
			s.v[i + 1].items += s.v[i].items;
			s.v[i + 1].pages += s.v[i].pages;
		} else {
			st = each(arg, &s.v[i], e);
		}
	}
	for (size_t i = 0; i < s.n; i++) {
		free((char *)(uintptr_t)s.v[i].fonds);
		free((char *)(uintptr_t)s.v[i].dossier);
		free((char *)(uintptr_t)s.v[i].next);
		free((char *)(uintptr_t)s.v[i].month);
	}
	free(s.v);
	return st;
}

static enum status statistics_row(void *arg, const struct ledger_sum *sum, struct err *e)
{
	FILE *to = arg;
	(void)e;
	cell(to, sum->fonds, ',');
	cell(to, sum->dossier, ',');
	cell(to, sum->month, ',');
	cell(to, sum->package ? "package" : "document", ',');
	cell(to, ledger_state_name(sum->state), ',');
	cell(to, sum->next, ',');
	fprintf(to, "%llu,%llu\r\n", (unsigned long long)sum->items, (unsigned long long)sum->pages);
	return ST_OK;
}

enum status report_statistics(const struct report *r, FILE *to, struct err *e)
{
	fputs("fonds,dossier,month,kind,state,stage,items,pages\r\n", to);
	return sums(r, true, statistics_row, to, e);
}

/* HTML */

static void escaped(FILE *to, const char *text)
{
	static const char special[] = "&<>\"'";
	static const char *const entity[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
	for (; text != NULL && *text != '\0'; text++) {
		const char *at = strchr(special, *text);
		unsigned char c = (unsigned char)*text;
		if (at != NULL)
			fputs(entity[at - special], to);
		else
			fputc(c < 0x20 && c != '\n' && c != '\t' ? '?' : c, to);
	}
}

static void column(FILE *to, const char *tag, const char *text)
{
	fprintf(to, "<%s>", tag);
	escaped(to, text);
	fprintf(to, "</%s>", tag);
}

static void heads(FILE *to, enum say_text title, const enum say_text *text, size_t n)
{
	column(to, "h2", say(title));
	fputs("\n<table><tr>", to);
	for (size_t i = 0; i < n; i++)
		column(to, "th", say(text[i]));
	fputs("</tr>\n", to);
}

static const enum say_text state_word[] = {SAY_STATE_OK, SAY_STATE_DONE, SAY_STATE_QUARANTINE, SAY_STATE_REFUSED};

static void count_column(FILE *to, uint64_t n)
{
	char text[SAY_NUMBER];
	fprintf(to, "<td class=n>%s</td>", say_number((long long)n, text));
}

static enum status html_sum(void *arg, const struct ledger_sum *sum, struct err *e)
{
	FILE *to = arg;
	(void)e;
	fputs("<tr>", to);
	column(to, "td", sum->fonds);
	column(to, "td", sum->month);
	column(to, "td", say(sum->package ? SAY_PACKAGES : SAY_DOCUMENTS));
	column(to, "td", say(state_word[sum->state]));
	column(to, "td", sum->next);
	count_column(to, sum->items);
	count_column(to, sum->pages);
	fputs("</tr>\n", to);
	return ST_OK;
}

static enum status html_aside(void *arg, const struct ledger_row *row, struct err *e)
{
	FILE *to = arg;
	struct item *it;
	enum status st = item_parse(row->record, strlen(row->record), &it, e);
	if (st != ST_OK)
		return st;
	BUF_AUTO struct buf problem = BUF_INIT(1 << 16), remedy = BUF_INIT(1 << 16);
	notice_sentence(&it->notice, say_english(), &problem);
	notice_remedy(&it->notice, say_english(), &remedy);
	fputs("<tr>", to);
	column(to, "td", row->id);
	column(to, "td", say(state_word[row->state]));
	column(to, "td", it->notice.code);
	column(to, "td", (const char *)problem.data);
	column(to, "td", (const char *)remedy.data);
	fputs("</tr>\n", to);
	item_free(it);
	return ST_OK;
}

static enum status html_note(void *arg, const struct ledger_note *note, struct err *e)
{
	FILE *to = arg;
	BUF_AUTO struct buf sentence = BUF_INIT(1 << 16);
	(void)e;
	note_sentence(note, &sentence);
	fputs("<tr>", to);
	column(to, "td", note->id);
	column(to, "td", sentence.failed ? note->code : (const char *)sentence.data);
	fputs("</tr>\n", to);
	return ST_OK;
}

enum status report_html(const struct report *r, FILE *to, struct err *e)
{
	static const enum say_text totals[] = {SAY_STATE, SAY_DOCUMENTS, SAY_PACKAGES};
	static const enum say_text by_fonds[] = {SAY_FONDS, SAY_MONTH,     SAY_KIND,    SAY_STATE,
	                                         SAY_STAGE, SAY_NUMBER_OF, SAY_PAGES_OF};
	static const enum say_text remarks[] = {SAY_DOCUMENT, SAY_REMARKS};
	static const enum say_text aside[] = {SAY_DOCUMENT, SAY_STATE, SAY_CODE, SAY_PROBLEM, SAY_REMEDY};
	struct ledger_counts c;
	char now[TIME_TEXT];
	enum status st = report_count(r, &c, e);
	if (st != ST_OK)
		return st;
	time_iso8601(time_now_ms(), 420, false, now);
	fprintf(to, "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">\n", say_english() ? "en" : "vi");
	/* Nothing is fetched and nothing runs, whatever a document is called. */
	fputs(
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	    "<style>body{font:15px sans-serif;margin:2em}table{border-collapse:collapse}td,th{border:1px solid #999;padding:3px "
	    "8px;text-align:left;vertical-align:top}.n{text-align:right}</style>\n",
	    to);
	column(to, "title", say(SAY_REPORT));
	fputs("</head><body>\n", to);
	column(to, "h1", say(SAY_REPORT));
	column(to, "p", r->archive->root);
	column(to, "p", now);
	heads(to, SAY_TOTALS, totals, 3);
	for (unsigned i = 0; i < LEDGER_STATES; i++) {
		fputs("<tr>", to);
		column(to, "td", say(state_word[i]));
		count_column(to, c.documents[i]);
		count_column(to, c.packages[i]);
		fputs("</tr>\n", to);
	}
	fputs("</table>\n", to);
	heads(to, SAY_BY_FONDS, by_fonds, 7);
	st = sums(r, false, html_sum, to, e);
	fputs("</table>\n", to);
	heads(to, SAY_NOT_DONE, aside, 5);
	if (st == ST_OK)
		st = in_state(r, LEDGER_QUARANTINE, 0, html_aside, to, e);
	if (st == ST_OK)
		st = in_state(r, LEDGER_REFUSED, 0, html_aside, to, e);
	fputs("</table>\n", to);
	heads(to, SAY_REMARKS, remarks, 2);
	for (size_t i = 0; i < r->n && st == ST_OK; i++)
		st = ledger_notes(r->ledger[i], 0, 0, html_note, to, e);
	fputs("</table>\n</body></html>\n", to);
	return st;
}

enum status report_sound(const struct report *r, bool waits, bool *ret_sound, struct err *e)
{
	struct ledger_counts c;
	enum status st = report_count(r, &c, e);
	if (st == ST_OK)
		*ret_sound = (waits ? 0 : c.documents[LEDGER_OK]) + c.documents[LEDGER_QUARANTINE] + c.documents[LEDGER_REFUSED] +
		                 c.packages[LEDGER_OK] + c.packages[LEDGER_QUARANTINE] + c.packages[LEDGER_REFUSED] ==
		             0;
	return st;
}
