#include "stages/validate/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"
#include "stages/validate/report_private.h"

void report_init(struct report *r, enum report_kind kind, const char *path)
{
	*r = (struct report){.kind = kind, .path = strdup(path)};
}

void report_free(struct report *r)
{
	free(r->path);
	free(r->signatures);
	free(r->problems);
	pdfa_result_free(&r->pdfa.result);
	*r = (struct report){0};
}

/* Room for one more element. Without it the report would hide what was found, so nothing goes on. */
static void *grow(void *list, size_t n, size_t size)
{
	void *more = realloc(list, (n + 1) * size);
	if (more == NULL)
		abort();
	return more;
}

void report_worsen(struct report *r, enum report_verdict verdict)
{
	if (verdict > r->verdict)
		r->verdict = verdict;
}

void report_problem(struct report *r, enum report_verdict verdict, const char *code, const char *format, ...)
{
	r->problems = grow(r->problems, r->n_problems, sizeof *r->problems);
	struct report_problem *p = &r->problems[r->n_problems++];
	snprintf(p->code, sizeof p->code, "%s", code);
	va_list ap;
	va_start(ap, format);
	vsnprintf(p->message, sizeof p->message, format, ap);
	va_end(ap);
	p->verdict = verdict;
	report_worsen(r, verdict);
}

void report_signature(struct report *r, const struct report_signature *s)
{
	static const enum report_verdict of[] = {
	    [TOTAL_PASSED] = REPORT_VALID, [INDETERMINATE] = REPORT_INDETERMINATE, [TOTAL_FAILED] = REPORT_INVALID};
	r->signatures = grow(r->signatures, r->n_signatures, sizeof *r->signatures);
	r->signatures[r->n_signatures++] = *s;
	report_worsen(r, of[s->verdict.indication]);
	if (s->changes == CHANGES_FORBIDDEN)
		report_worsen(r, REPORT_INVALID);
}

const char *report_verdict_name(enum report_verdict v)
{
	static const char *const name[] = {"valid", "indeterminate", "invalid"};
	return name[v];
}

static const char *const kind_name[] = {"pdf", "package", "evidence-record", "file"};
static const char *const covers_name[] = {"whole-file", "earlier-revision"};
static const char *const changes_name[] = {"none", "allowed", "forbidden"};

static json_t *time_json(bool known, int64_t ms, int offset_min)
{
	char text[TIME_TEXT];
	if (!known)
		return json_null();
	time_iso8601(ms, offset_min, false, text);
	return json_string(text);
}

json_t *text_json(const char *text)
{
	json_t *value = json_string(text);
	return value == NULL ? json_string("?") : value;
}

static json_t *signature_json(const struct report_signature *s, int offset_min)
{
	const struct verdict *v = &s->verdict;
	json_t *o = json_object();
	json_object_set_new(o, "field", text_json(s->field));
	json_object_set_new(o, "type", json_string(s->timestamp ? "timestamp" : "signature"));
	json_object_set_new(o, "format", json_string(s->format));
	json_object_set_new(o, "indication", json_string(indication_name(v->indication)));
	json_object_set_new(o, "subindication", *v->subindication == '\0' ? json_null() : json_string(v->subindication));
	if (*v->reason != '\0')
		json_object_set_new(o, "reason", text_json(v->reason));
	json_object_set_new(o, "signer", text_json(v->signer));
	json_object_set_new(o, "issuer", text_json(v->issuer));
	json_object_set_new(o, "signing_time", time_json(s->has_time, s->time_ms, offset_min));
	json_object_set_new(o, "best_signature_time", time_json(v->best_time_ms != 0, v->best_time_ms, offset_min));
	json_object_set_new(o, "covers", json_string(covers_name[s->covers]));
	json_object_set_new(o, "changes", json_string(changes_name[s->changes]));
	return o;
}

void report_print_json(const struct report *r, const struct report_style *style, FILE *to)
{
	json_t *o = json_object(), *signatures = json_array(), *problems = json_array();
	for (size_t i = 0; i < r->n_signatures; i++)
		json_array_append_new(signatures, signature_json(&r->signatures[i], style->offset_min));
	for (size_t i = 0; i < r->n_problems; i++)
		json_array_append_new(
		    problems, json_pack("{s:s, s:o}", "code", r->problems[i].code, "message", text_json(r->problems[i].message)));
	json_object_set_new(o, "path", text_json(r->path));
	json_object_set_new(o, "kind", json_string(kind_name[r->kind]));
	json_object_set_new(o, "verdict", json_string(report_verdict_name(r->verdict)));
	json_object_set_new(o, "pdfa", report_pdfa_json(&r->pdfa, style->pdfa_rules));
	json_object_set_new(o, "signatures", signatures);
	json_object_set_new(o, "problems", problems);
	json_dumpf(o, to, JSON_COMPACT);
	fputc('\n', to);
	json_decref(o);
}

/* The lines that a verification must show (the 2025 circular on signing and verification software), each in two languages. */
static const char *const words[][2] = {
    {"HỢP LỆ", "VALID"},
    {"CHƯA XÁC ĐỊNH", "INDETERMINATE"},
    {"KHÔNG HỢP LỆ", "INVALID"},
    {"chữ ký", "signature"},
    {"dấu thời gian", "timestamp"},
    {"người ký", "signer"},
    {"cơ quan cấp chứng thư", "issuer"},
    {"thời gian ký", "signing time"},
    {"chứng minh tồn tại từ", "proven to exist since"},
    {"nội dung sau khi ký", "content after signing"},
    {"nguyên vẹn", "intact"},
    {"có bổ sung được phép", "allowed additions"},
    {"bị thay đổi trái phép", "changed in a forbidden way"},
    {"vấn đề", "problem"},
};
enum word {
	W_VALID,
	W_INDETERMINATE,
	W_INVALID,
	W_SIGNATURE,
	W_TIMESTAMP,
	W_SIGNER,
	W_ISSUER,
	W_TIME,
	W_PROVEN,
	W_CONTENT,
	W_NONE,
	W_ALLOWED,
	W_FORBIDDEN,
	W_PROBLEM,
};

static void print_time(FILE *to, const char *what, bool known, int64_t ms, int offset_min)
{
	char text[TIME_TEXT];
	if (!known)
		return;
	time_iso8601(ms, offset_min, false, text);
	fprintf(to, "      %s: %s\n", what, text);
}

void report_print_text(const struct report *r, const struct report_style *style, FILE *to)
{
#define WORD(w) words[w][style->english]
	fprintf(to, "%s  %s\n", WORD(W_VALID + (enum word)r->verdict), r->path);
	for (size_t i = 0; i < r->n_signatures; i++) {
		const struct report_signature *s = &r->signatures[i];
		fprintf(to, "   %s %s: %s, %s%s%s\n", WORD(s->timestamp ? W_TIMESTAMP : W_SIGNATURE), s->field, s->format,
		        indication_name(s->verdict.indication), *s->verdict.subindication == '\0' ? "" : " ",
		        s->verdict.subindication);
		if (*s->verdict.reason != '\0')
			fprintf(to, "      %s\n", s->verdict.reason);
		fprintf(to, "      %s: %s\n      %s: %s\n", WORD(W_SIGNER), s->verdict.signer, WORD(W_ISSUER), s->verdict.issuer);
		print_time(to, WORD(W_TIME), s->has_time, s->time_ms, style->offset_min);
		print_time(to, WORD(W_PROVEN), s->verdict.best_time_ms != 0, s->verdict.best_time_ms, style->offset_min);
		fprintf(to, "      %s: %s\n", WORD(W_CONTENT), WORD(W_NONE + (enum word)s->changes));
	}
	for (size_t i = 0; i < r->n_problems; i++)
		fprintf(to, "   %s: %s: %s\n", WORD(W_PROBLEM), r->problems[i].code, r->problems[i].message);
	if (r->kind == REPORT_PDF)
		report_pdfa_print(&r->pdfa, style, to);
#undef WORD
}
