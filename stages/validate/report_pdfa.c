/* What a report says of PDF/A: the problem, the JSON member, paragraphs for a person. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "stages/validate/report_private.h"

static bool passes(const struct report_pdfa *p)
{
	return p->state == PDFA_CHECKED && p->result.passes;
}

static int by_clause(const void *a, const void *b)
{
	const struct pdfa_finding *const *x = a, *const *y = b;
	return strverscmp((*x)->rule, (*y)->rule);
}

/* Findings in the order of the standard's clauses: the broken ones, or all. Those of one rule, which may look at several kinds of
 * object, stand side by side. The caller frees. */
static const struct pdfa_finding **sorted(const struct pdfa_result *r, bool all, size_t *ret_n)
{
	const struct pdfa_finding **list = malloc((r->n_findings + 1) * sizeof(const struct pdfa_finding *));
	size_t n = 0;
	if (list == NULL)
		abort(); /* as in report.c */
	for (size_t i = 0; i < r->n_findings; i++)
		if (all || r->findings[i].broken > 0)
			list[n++] = &r->findings[i];
	qsort(list, n, sizeof(const struct pdfa_finding *), by_clause);
	*ret_n = n;
	return list;
}

/* The problem names the first rule by clause, and how many more there are. */
static void add_problem(struct report *r, const struct err *fault, enum report_verdict verdict)
{
	const char *flavour = pdfa_flavour_name(r->pdfa.flavour);
	size_t n, more = 0;
	const struct pdfa_finding **list = sorted(&r->pdfa.result, false, &n);
	for (size_t i = 1; i < n; i++)
		more += strcmp(list[i]->rule, list[i - 1]->rule) != 0;
	if (n == 0)
		report_problem(r, verdict, "pdfa-broken", "PDF/A-%s: the file cannot be read: %s: %s%s%s", flavour, fault->code,
		               fault->where, *fault->where == '\0' ? "" : " ", fault->detail);
	else if (more == 0)
		report_problem(r, verdict, "pdfa-broken", "PDF/A-%s: rule %s is broken: %s", flavour, list[0]->rule, list[0]->en);
	else
		report_problem(r, verdict, "pdfa-broken", "PDF/A-%s: %zu rules are broken, first %s: %s", flavour, more + 1,
		               list[0]->rule, list[0]->en);
	free(list);
}

void report_pdfa(struct report *r, enum pdfa_flavour asked, struct pdfa_result *result, const struct err *fault,
                 enum report_verdict broken)
{
	struct report_pdfa *p = &r->pdfa;
	if (fault != NULL) {
		/* What cannot be opened claims nothing; why not is told by the one who asked for its signatures. */
		*p = (struct report_pdfa){.state = asked == PDFA_NONE ? PDFA_NO_CLAIM : PDFA_UNREADABLE, .flavour = asked};
		if (asked != PDFA_NONE)
			add_problem(r, fault, broken);
		return;
	}
	*p = (struct report_pdfa){
	    .state = result->flavour == PDFA_NONE ? PDFA_NO_CLAIM : PDFA_CHECKED, .flavour = result->flavour, .result = *result};
	*result = (struct pdfa_result){0};
	if (p->state == PDFA_CHECKED && !p->result.passes)
		add_problem(r, &p->result.fault, broken);
}

/* A rule once, even where it stands for several kinds of object. */
static json_t *tried_json(const struct pdfa_result *r)
{
	size_t n;
	const struct pdfa_finding **list = sorted(r, true, &n);
	json_t *all = json_array();
	for (size_t i = 0; i < n;) {
		const char *rule = list[i]->rule;
		json_int_t tried = 0, broken = 0;
		for (; i < n && strcmp(list[i]->rule, rule) == 0; i++) {
			tried += (json_int_t)list[i]->tried;
			broken += (json_int_t)list[i]->broken;
		}
		json_array_append_new(all, json_pack("{s:s, s:I, s:I}", "rule", rule, "tried", tried, "broken", broken));
	}
	free(list);
	return all;
}

json_t *report_pdfa_json(const struct report_pdfa *p, bool all)
{
	if (p->state == PDFA_NOT_ASKED || p->state == PDFA_NO_CLAIM)
		return json_null();
	size_t n;
	const struct pdfa_finding **list = sorted(&p->result, false, &n);
	json_t *rules = json_array();
	for (size_t i = 0; i < n; i++)
		if (i == 0 || strcmp(list[i]->rule, list[i - 1]->rule) != 0)
			json_array_append_new(rules, json_string(list[i]->rule));
	free(list);
	json_t *o = json_pack("{s:s, s:s, s:o}", "flavour", pdfa_flavour_name(p->flavour), "verdict", passes(p) ? "pass" : "fail",
	                      "rules", rules);
	if (all && o != NULL)
		json_object_set_new(o, "tried", tried_json(&p->result));
	return o;
}

static const char *const words[][2] = {
    {"PDF/A: chưa kiểm tra", "PDF/A: not checked"},
    {"PDF/A: tệp không tự khai là PDF/A; nêu --pdfa 2b để kiểm tra theo một phần nhất định",
     "PDF/A: the file does not say that it is PDF/A; --pdfa 2b checks it against a flavour"},
    {"đạt", "passes"},
    {"không đạt", "does not pass"},
    {"ISO 19005-%c, điều %.*s, phép thử %s", "ISO 19005-%c, clause %.*s, test %s"},
    {"sai %" PRIu64 " trong %" PRIu64 " lần kiểm tra", "broken %" PRIu64 " of %" PRIu64 " times"},
    {"gặp lần đầu:", "first:"},
    {"đối tượng %" PRIu32, "object %" PRIu32},
    {"trang %" PRIu32, "page %" PRIu32},
    {"không đọc được:", "cannot be read:"},
    {"Mọi quy tắc đã thử (đạt +, không đạt -, không gặp đối tượng .):",
     "Every rule tried (kept +, broken -, nothing to look at .):"},
};
enum word { W_NOT_CHECKED, W_NO_CLAIM, W_PASS, W_FAIL, W_STANDARD, W_COUNTS, W_FIRST, W_OBJECT, W_PAGE, W_UNREADABLE, W_TRIED };

static void print_place(const struct pdfa_finding *f, bool english, FILE *to)
{
	const char *between = " ";
	if (f->number == 0 && f->page == 0 && *f->what == '\0')
		return;
	fprintf(to, "         %s", words[W_FIRST][english]);
	if (f->number != 0) {
		fputs(between, to);
		fprintf(to, words[W_OBJECT][english], f->number);
		between = ", ";
	}
	if (f->page != 0) {
		fputs(between, to);
		fprintf(to, words[W_PAGE][english], f->page);
		between = ", ";
	}
	if (*f->what != '\0')
		fprintf(to, english ? "%s\"%s\"" : "%s“%s”", between, f->what);
	fputc('\n', to);
}

static void print_broken(const struct pdfa_finding *f, char part, bool english, FILE *to)
{
	const char *hyphen = strrchr(f->rule, '-');
	int clause = hyphen == NULL ? (int)strlen(f->rule) : (int)(hyphen - f->rule);
	fprintf(to, "      %s  ", f->rule);
	fprintf(to, words[W_STANDARD][english], part, clause, f->rule, hyphen == NULL ? "" : hyphen + 1);
	fputs("; ", to);
	fprintf(to, words[W_COUNTS][english], f->broken, f->tried);
	fputc('\n', to);
	print_place(f, english, to);
	fprintf(to, "         %s\n", english ? f->en : f->vi);
}

static void print_tried(const struct pdfa_result *r, bool english, FILE *to)
{
	size_t n;
	const struct pdfa_finding **list = sorted(r, true, &n);
	fprintf(to, "      %s\n", words[W_TRIED][english]);
	for (size_t i = 0; i < n; i++)
		fprintf(to, "      %c %-14s %10" PRIu64 " %10" PRIu64 "  %s\n",
		        list[i]->broken > 0  ? '-'
		        : list[i]->tried > 0 ? '+'
		                             : '.',
		        list[i]->rule, list[i]->tried, list[i]->broken, list[i]->object);
	free(list);
}

void report_pdfa_print(const struct report_pdfa *p, const struct report_style *style, FILE *to)
{
	if (p->state == PDFA_NOT_ASKED || p->state == PDFA_NO_CLAIM) {
		fprintf(to, "   %s\n", words[p->state == PDFA_NO_CLAIM ? W_NO_CLAIM : W_NOT_CHECKED][style->english]);
		return;
	}
	const char *flavour = pdfa_flavour_name(p->flavour);
	size_t n;
	fprintf(to, "   PDF/A-%s: %s\n", flavour, words[passes(p) ? W_PASS : W_FAIL][style->english]);
	const struct pdfa_finding **list = sorted(&p->result, false, &n);
	for (size_t i = 0; i < n; i++)
		print_broken(list[i], flavour[0], style->english, to);
	free(list);
	const struct err *fault = &p->result.fault;
	if (p->state == PDFA_CHECKED && fault->status != ST_OK)
		fprintf(to, "      %s %s: %s%s%s\n", words[W_UNREADABLE][style->english], fault->code, fault->where,
		        *fault->where == '\0' ? "" : " ", fault->detail);
	if (style->pdfa_rules && p->state == PDFA_CHECKED)
		print_tried(&p->result, style->english, to);
}
