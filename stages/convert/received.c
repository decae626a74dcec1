#include <stdlib.h>
#include <string.h>

#include "stages/convert/internal.h"
#include "stages/pdf/redraw/claim.h"
#include "stages/pdf/redraw/redraw.h"

/* A page of A0 at 300 dpi fits; so many pages does no record of an archive have. */
static const struct redraw_limits limits = {.pages = 20000, .pixels = UINT64_C(160) << 20};

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
	return claim->part >= 4 ? "fmt/1129" : "fmt/276";
}

/* Byte for byte into the work folder. */
static enum status keep(struct convert *c, struct item *it, const struct file_map *m, const struct pdf_claim *claim,
                        struct err *e)
{
	char *path = stage_path(c->env, it, "convert", ".pdf"), sha256[65];
	if (path == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for a path");
	int64_t size = 0;
	enum status st = file_write(path, m->in.p, m->in.n, e);
	if (st == ST_OK)
		st = file_sha256(path, sha256, &size, e);
	if (st == ST_OK) {
		item_set_artefact(it, path, size, sha256, claimed_format(claim));
		json_object_set_new(it->other, "pages", json_integer((json_int_t)claim->pages));
		item_add_event(it, c->env->now_ms(), "validation", "warning",
		               "claim unchecked: the file says that it is PDF/A-%d%c%s; kept byte for byte", claim->part,
		               claim->conformance == '\0' ? ' ' : claim->conformance - 'A' + 'a',
		               claim->signatures ? " and is signed" : "");
	}
	free(path);
	return st;
}

/* The words that are put under a drawn page: its own, where they have a meaning; else NULL, and the picture is read. */
static const struct ocr_page *words_of(struct job *j, const struct redraw_page *page)
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
			st = job_page(j, &page.picture, words_of(j, &page), e);
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
	bool lacks = words_of(&nothing, &page) == NULL;
	redraw_page_free(r, &page);
	page_list_free(&nothing.notes[NOTE_UNMAPPED]);
	return lacks;
}

static enum status redraw_document(struct convert *c, struct item *it, const struct pdf_claim *claim, struct err *e)
{
	struct redraw *r = NULL;
	struct job j;
	enum status st = redraw_open(it->sources[0].path, limits, &r, e);
	if (st != ST_OK)
		return st;
	if (ranges_may(c, it) && redraw_pages(r) > c->env->profile->convert.range_pages && lacks_words(c, r) &&
	    ranges_ask(c, it, redraw_pages(r))) {
		redraw_close(r);
		return ST_OK;
	}
	st = job_open(&j, c, it, e);
	if (st == ST_OK)
		st = draw_pages(&j, r, e);
	if (st == ST_OK)
		st = job_finish(&j, "received PDF drawn as pictures with its text kept underneath", e);
	job_drop(&j);
	int64_t now = c->env->now_ms();
	if (it->range.of > 0) {
		redraw_close(r);
		return st;
	}
	if (st == ST_OK && redraw_was_mended(r))
		item_add_event(it, now, "validation", "warning",
		               "the received file's cross-references were wrong and were made anew for drawing");
	if (st == ST_OK && claim->part != 0)
		item_add_event(it, now, "validation", "warning",
		               "the received file says that it is PDF/A-%d%c; the claim is not trusted", claim->part,
		               claim->conformance == '\0' ? ' ' : claim->conformance - 'A' + 'a');
	if (st == ST_OK && claim->encrypted)
		item_add_event(it, now, "validation", "warning", "the received file was encrypted and opened without a password");
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
	bool claims = claim.part != 0;
	if (st == ST_OK && claims && (claim.signatures || c->env->profile->convert.trust_claims))
		st = keep(c, it, &m, &claim, e);
	else if (st == ST_OK && claim.signatures)
		st = err_set(e, ST_ITEM, "pdf-signed-not-pdfa", "signed, and its XMP does not say that it is PDF/A");
	else if (st == ST_OK && claim.attachments)
		st = err_set(e, ST_ITEM, "pdf-attachments", "files are embedded; a drawing of the pages would lose them");
	else if (st == ST_OK && claim.dynamic_form)
		st = err_set(e, ST_ITEM, "pdf-dynamic-form", "a dynamic XFA form: what its pages show is not its content");
	else if (st == ST_OK)
		st = redraw_document(c, it, &claim, e);
	if (st != ST_OK)
		place_fault(e, path, 0);
	file_map_close(&m);
	return st;
}
