#include "pipeline/report.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/item.h"
#include "pipeline/notice.h"
#include "pipeline/say.h"
#include "stages/base/buf.h"

struct text {
	FILE *to;
	struct ledger *ledger;
	size_t shown, most;
	uint64_t more;
};

static enum status say_row(void *arg, const struct ledger_row *row, struct err *e)
{
	struct text *t = arg;
	struct item *it;
	if (t->most > 0 && t->shown == t->most) {
		t->more++;
		return ST_OK;
	}
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

enum status report_text(struct ledger *l, const struct archive *a, size_t most, FILE *to, struct err *e)
{
	struct ledger_counts c;
	struct text t = {.to = to, .ledger = l, .most = most};
	char n[SAY_NUMBER], m[SAY_NUMBER];
	enum status st = ledger_count(l, &c, NULL, NULL, e);
	if (st != ST_OK)
		return st;
	uint64_t packages = 0;
	for (size_t i = 0; i < LEDGER_STATES; i++)
		packages += c.packages[i];
	say_number((long long)c.documents[LEDGER_DONE], n);
	if (packages > 0)
		fprintf(to, say(SAY_DONE_PACKAGES), say_number((long long)c.packages[LEDGER_DONE], m), n);
	else
		fprintf(to, say(SAY_DONE_DOCUMENTS), n);
	fputc('\n', to);
	fprintf(to, say(SAY_WHERE), a->root);
	fputc('\n', to);
	uint64_t aside = c.documents[LEDGER_QUARANTINE] + c.packages[LEDGER_QUARANTINE], refused = c.documents[LEDGER_REFUSED];
	if (aside + refused > 0) {
		fprintf(to, say(SAY_NOTICES), say_number((long long)aside, n), say_number((long long)refused, m), a->quarantine);
		fputc('\n', to);
		st = ledger_in_state(l, LEDGER_QUARANTINE, say_row, &t, e);
		if (st == ST_OK)
			st = ledger_in_state(l, LEDGER_REFUSED, say_row, &t, e);
		if (t.more > 0) {
			fprintf(to, say(SAY_MORE), say_number((long long)t.more, n));
			fputc('\n', to);
		}
	}
	if (c.documents[LEDGER_OK] > 0) {
		fprintf(to, say(SAY_OPEN), say_number((long long)c.documents[LEDGER_OK], n));
		fputc('\n', to);
	}
	return st == ST_OK ? ledger_open_dossiers(l, say_dossier, &t, e) : st;
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

static enum status csv_row(void *arg, const struct ledger_row *row, struct err *e)
{
	FILE *to = arg;
	struct item *it;
	enum status st = item_parse(row->record, strlen(row->record), &it, e);
	if (st != ST_OK)
		return st;
	static const enum say_text word[] = {SAY_STATE_OK, SAY_STATE_DONE, SAY_STATE_QUARANTINE, SAY_STATE_REFUSED};
	BUF_AUTO struct buf problem = BUF_INIT(1 << 16), remedy = BUF_INIT(1 << 16);
	if (it->state != ITEM_OK) {
		notice_sentence(&it->notice, say_english(), &problem);
		notice_remedy(&it->notice, say_english(), &remedy);
	}
	cell(to, item_kind_name(it->kind), ',');
	cell(to, row->id, ',');
	cell(to, it->dossier, ',');
	cell(to, say(word[row->state]), ',');
	cell(to, row->next, ',');
	cell(to, row->state == LEDGER_DONE ? it->artefact.path : "", ',');
	cell(to, it->notice.code, ',');
	cell(to, it->notice.where, ',');
	cell(to, (const char *)problem.data, ',');
	cell(to, (const char *)remedy.data, '\n');
	item_free(it);
	return ST_OK;
}

enum status report_csv(struct ledger *l, FILE *to, struct err *e)
{
	enum status st = ST_OK;
	fputs("kind,id,dossier,state,stage,file,code,where,problem,remedy\r\n", to);
	for (unsigned i = 0; i < LEDGER_STATES && st == ST_OK; i++)
		st = ledger_in_state(l, i, csv_row, to, e);
	return st;
}

enum status report_sound(struct ledger *l, bool *ret_sound, struct err *e)
{
	struct ledger_counts c;
	enum status st = ledger_count(l, &c, NULL, NULL, e);
	if (st == ST_OK)
		*ret_sound = c.documents[LEDGER_OK] + c.documents[LEDGER_QUARANTINE] + c.documents[LEDGER_REFUSED] +
		                 c.packages[LEDGER_OK] + c.packages[LEDGER_QUARANTINE] + c.packages[LEDGER_REFUSED] ==
		             0;
	return st;
}
