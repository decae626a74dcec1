#include <stdlib.h>
#include <string.h>

#include "stages/convert/internal.h"
#include "stages/pdf/redraw/claim.h"
#include "stages/pdf/redraw/redraw.h"
#include "stages/pdfa/check.h"

/* A page of A0 at 300 dpi fits; so many pages does no record of an archive have. */
const struct redraw_limits received_limits = {.pages = 20000, .pixels = UINT64_C(160) << 20, .memory = (size_t)3 << 30};

/* PRONOM keys of PDF by itself. */
static const char *plain_format(int version)
{
	static const char *const formats[] = {"fmt/14", "fmt/15", "fmt/16", "fmt/17", "fmt/18", "fmt/19", "fmt/20", "fmt/276"};
	return version >= 20 ? "fmt/1129" : version >= 10 && version <= 17 ? formats[version - 10] : "fmt/276";
}

/* PRONOM keys of the flavours; a part without a row is told as its PDF version. */
static const char *claimed_format(const struct pdf_claim *claim)
{
	static const struct {
		int part;
		char conformance;
		const char *format;
	} rows[] = {
	    {1, 'A', "fmt/95"},  {1, 'B', "fmt/354"}, {2, 'A', "fmt/476"}, {2, 'B', "fmt/477"},
	    {2, 'U', "fmt/478"}, {3, 'A', "fmt/479"}, {3, 'B', "fmt/480"}, {3, 'U', "fmt/481"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].part == claim->part && rows[i].conformance == claim->conformance)
			return rows[i].format;
	return plain_format(claim->version);
}

/* What the checker of PDF/A says of what a file claims. */
enum truth { UNCHECKED, TRUE_CLAIM, FALSE_CLAIM };
struct checked {
	char name[8]; /* "2b" */
	enum truth truth;
	char broken[400]; /* rules, or the fault of reading */
};

void list_broken(const struct pdfa_result *r, char *to, size_t n)
{
	size_t at = 0;
	for (size_t i = 0; i < r->n_findings && at < n - 32; i++)
		if (r->findings[i].broken > 0)
			at += (size_t)snprintf(to + at, n - at, "%s%s", at == 0 ? "it breaks " : ", ", r->findings[i].rule);
	if (at == 0)
		snprintf(to, n, "it cannot be read: %s %.300s", r->fault.code, r->fault.detail);
}

/* Errors: no memory. A part or level that the checker does not know stays unchecked. */
static enum status check_claim(const struct file_map *m, const struct pdf_claim *claim, struct checked *to, struct err *e)
{
	struct pdfa_result r;
	*to = (struct checked){.truth = UNCHECKED};
	int level = claim->conformance == '\0' ? 0 : claim->conformance - 'A' + 'a';
	snprintf(to->name, sizeof to->name, "%d%.1s", claim->part % 1000, (char[]){(char)level, '\0'});
	enum pdfa_flavour flavour = pdfa_flavour_of(to->name);
	if (flavour == PDFA_NONE || flavour == PDFA_FLAVOURS)
		return ST_OK;
	enum status st = pdfa_check(m->in, flavour, &r, e);
	if (st != ST_OK && st != ST_ITEM)
		return st;
	to->truth = st == ST_OK && r.passes ? TRUE_CLAIM : FALSE_CLAIM;
	if (st == ST_ITEM)
		snprintf(to->broken, sizeof to->broken, "it cannot be read: %s %.300s", e->code, e->detail);
	else
		list_broken(&r, to->broken, sizeof to->broken);
	pdfa_result_free(&r);
	return ST_OK;
}

static void tell_kept(struct item *it, int64_t now, const struct pdf_claim *claim, const struct checked *checked)
{
	const char *is_signed = claim->signatures ? " and is signed" : "";
	if (checked->truth == TRUE_CLAIM)
		item_add_event(it, now, "validation", "success", "the file is PDF/A-%s, as it says%s; kept byte for byte",
		               checked->name, is_signed);
	else if (checked->truth == FALSE_CLAIM)
		item_add_event(it, now, "validation", "warning",
		               "false claim: the file says that it is PDF/A-%s%s, but %s; kept byte for byte", checked->name,
		               is_signed, checked->broken);
	else if (claim->part == 0)
		item_add_event(it, now, "validation", "warning", "signed, and no PDF/A; kept byte for byte");
	else
		item_add_event(it, now, "validation", "warning",
		               "claim unchecked: the file says that it is PDF/A-%s%s; kept byte for byte", checked->name,
		               is_signed);
}

/* The text of a file that is kept. What cannot be read of it is no matter here: it stays as it is. */
static enum status look_into(struct convert *c, struct item *it, struct err *e)
{
	struct redraw *r = NULL;
	struct err ignored;
	enum status st = ST_OK;
	if (c->env->profile->convert.secret_marks_count == 0 ||
	    redraw_open(it->sources[0].path, received_limits, &r, &ignored) != ST_OK)
		return ST_OK;
	for (size_t i = 0; st == ST_OK && i < redraw_pages(r); i++) {
		struct ocr_page words;
		if (redraw_words(r, i, &words, &ignored) == ST_OK) {
			st = check_secrecy(c, it, &words, e);
			ocr_page_free(&words);
		}
	}
	redraw_close(r);
	return st;
}

static enum status keep(struct convert *c, struct item *it, const struct file_map *m, const struct pdf_claim *claim,
                        const struct checked *checked, struct err *e)
{
	enum status st = keep_bytes(c, it, m->in, ".pdf", claimed_format(claim), e);
	if (st == ST_OK) {
		json_object_set_new(it->other, "pages", json_integer((json_int_t)claim->pages));
		tell_kept(it, c->env->now_ms(), claim, checked);
	}
	return st;
}

const struct ocr_page *received_words(struct job *j, const struct redraw_page *page)
{
	size_t letters = 0;
	for (size_t i = 0; i < page->words.n; i++)
		letters += utf8_length(page->words.words[i].text);
	if (page->unmapped > letters) {
		page_list_add(&j->notes[NOTE_UNMAPPED], j->n + 1);
		return NULL;
	}
	return page->words.n == 0 ? NULL : &page->words;
}

static enum status draw_pages(struct job *j, struct redraw *r, struct err *e)
{
	enum status st = ST_OK;
	for (size_t i = 0; st == ST_OK && i < redraw_pages(r); i++) {
		struct redraw_page page;
		if (!job_wants(j))
			continue;
		st = redraw_page(r, i, j->c->env->profile->convert.redraw_dpi, &page, e);
		if (st == ST_OK) {
			if (page.inks)
				page_list_add(&j->notes[NOTE_INKS], j->n + 1);
			st = job_page(j, &page.picture, received_words(j, &page), e);
			redraw_page_free(r, &page);
		}
		if (st != ST_OK)
			place_fault(e, j->it->sources[0].path, i + 1);
	}
	return st;
}

/* Whether the first page's text must be read, which stands for the others: only then ranges pay. */
static bool lacks_words(struct convert *c, struct redraw *r)
{
	struct redraw_page page;
	struct job nothing = {0};
	struct err ignored;
	if (redraw_page(r, 0, c->env->profile->convert.redraw_dpi, &page, &ignored) != ST_OK)
		return false;
	bool lacks = received_words(&nothing, &page) == NULL;
	redraw_page_free(r, &page);
	page_list_free(&nothing.notes[NOTE_UNMAPPED]);
	return lacks;
}

/* Nothing that is embedded stays in a drawing. */
static enum status draw_document(struct convert *c, struct item *it, struct redraw *r, const struct source *s, struct err *e)
{
	struct job j;
	enum status st = job_open(&j, c, it, e);
	if (st == ST_OK)
		st = draw_pages(&j, r, e);
	if (st == ST_OK && s->doc != NULL)
		st = attachments_take_out(&j, s->doc, &s->attached, true, e);
	if (st == ST_OK)
		st = job_finish(&j, "received PDF drawn as pictures with its text kept underneath", e);
	job_drop(&j);
	return st;
}

/* why: the least change was not enough; or "". */
static void tell_received(struct item *it, int64_t now, const struct redraw *r, const struct pdf_claim *claim,
                          const struct checked *checked, const char *why)
{
	if (*why != '\0')
		item_add_event(it, now, "validation", "warning", "with the least change alone %s; so it was drawn", why);
	if (redraw_was_mended(r))
		item_add_event(it, now, "validation", "warning",
		               "the received file's cross-references were wrong and were made anew");
	if (claim->part != 0)
		item_add_event(it, now, "validation", "warning", "the received file says that it is PDF/A-%s; %s", checked->name,
		               checked->truth == FALSE_CLAIM ? checked->broken : "the claim is not trusted");
	if (claim->encrypted)
		item_add_event(it, now, "validation", "warning", "the received file was encrypted and opened without a password");
}

/* By the least change, else by drawing. */
static enum status rewrite_document(struct convert *c, struct item *it, const struct file_map *m, const struct pdf_claim *claim,
                                    const struct checked *checked, struct err *e)
{
	struct redraw *r = NULL;
	struct source s = {0};
	char why[400] = "";
	bool done = false;
	enum status st = redraw_open(it->sources[0].path, received_limits, &r, e);
	if (st != ST_OK)
		return st;
	if (ranges_may(c, it) && redraw_pages(r) > c->env->profile->convert.range_pages && lacks_words(c, r) &&
	    ranges_ask(c, it, redraw_pages(r))) {
		redraw_close(r);
		return ST_OK;
	}
	if (it->range.of == 0)
		st = convert_amended(c, it, m, &s, &done, why, sizeof why, e);
	if (st == ST_OK && !done && s.doc == NULL && claim->attachments)
		st = err_set(e, ST_ITEM, "pdf-attachments", "files are embedded, and %s", why);
	if (st == ST_OK && !done)
		st = draw_document(c, it, r, &s, e);
	source_close(&s);
	if (st == ST_OK && it->range.of == 0)
		tell_received(it, c->env->now_ms(), r, claim, checked, why);
	redraw_close(r);
	return st;
}

/* What the strict reader cannot read may hold a signature that nobody would see; then it is not touched. */
static enum status read_claim(const struct file_map *m, struct pdf_claim *ret_claim, struct err *e)
{
	enum status st = pdf_claim_read(m->in, ret_claim, e);
	if (st != ST_ITEM)
		return st;
	*ret_claim = (struct pdf_claim){0};
	if (!pdf_claim_traces(m->in))
		return ST_OK;
	char why[sizeof e->detail];
	memcpy(why, e->detail, sizeof why);
	return err_set(e, ST_ITEM, "pdf-signed-broken", "traces of a signature, and %.400s", why);
}

/* What becomes of a document of which this is known. A signed one is never rewritten. */
static enum status decide(struct convert *c, struct item *it, const struct file_map *m, const struct pdf_claim *claim,
                          const struct checked *checked, struct err *e)
{
	const struct profile_convert *p = &c->env->profile->convert;
	bool proven = claim->part != 0 && checked->truth != FALSE_CLAIM;
	bool kept = claim->signatures ? proven || strcmp(p->signed_not_pdfa, "keep") == 0
	                              : checked->truth == TRUE_CLAIM && p->trust_claims;
	if (kept) {
		enum status st = look_into(c, it, e);
		return st == ST_OK ? keep(c, it, m, claim, checked, e) : st;
	}
	if (claim->signatures && claim->part != 0) {
		err_set(e, ST_ITEM, "pdf-signed-false-claim", "signed; its XMP says PDF/A-%s, but %s", checked->name,
		        checked->broken);
		err_arg(e, "%s", checked->name);
		err_arg(e, "%s", checked->broken);
		return ST_ITEM;
	}
	if (claim->signatures)
		return err_set(e, ST_ITEM, "pdf-signed-not-pdfa", "signed, and its XMP does not say that it is PDF/A");
	if (claim->dynamic_form)
		return err_set(e, ST_ITEM, "pdf-dynamic-form", "a dynamic XFA form: what its pages show is not its content");
	return rewrite_document(c, it, m, claim, checked, e);
}

enum status convert_received(struct convert *c, struct item *it, struct err *e)
{
	const char *path = it->sources[0].path;
	if (it->n_sources != 1)
		return err_set(e, ST_ITEM, "received-sources", "a received document has one file, this one has %zu",
		               it->n_sources);
	struct file_map m;
	struct pdf_claim claim = {0};
	enum status st = file_map_open(path, &m, e);
	if (st != ST_OK)
		return st;
	if (m.in.n == 0)
		st = err_set(e, ST_ITEM, "picture-empty", "the file is empty");
	else
		st = read_claim(&m, &claim, e);
	struct checked checked = {.truth = UNCHECKED};
	if (st == ST_OK && claim.part != 0)
		st = check_claim(&m, &claim, &checked, e);
	if (st == ST_OK)
		st = decide(c, it, &m, &claim, &checked, e);
	if (st != ST_OK)
		place_fault(e, path, 0);
	file_map_close(&m);
	return st;
}
