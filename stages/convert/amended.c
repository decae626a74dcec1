/* The second rung for a received PDF: the least change that makes it PDF/A. Where that is not enough, or pages would look different, those pages
 * become pictures with their text underneath; where that is not enough either, the document is drawn (received.c). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stages/convert/internal.h"
#include "stages/pdf/redraw/claim.h"

/* Pages are compared, and looked at, as they are drawn at this resolution: what a least change could do wrong shows there. */
enum { LOOK_DPI = 72 };

/* The pages that become pictures. */
struct drawn {
	bool *page; /* by number, from 0 */
	size_t n, marked;
	char why[400]; /* the first reason */
};
/* So often the checker may name other pages. */
enum { MARK_ROUNDS = 16 };

static bool mark(struct drawn *d, size_t page, const char *why)
{
	if (page >= d->n || d->page[page])
		return false;
	if (d->marked++ == 0)
		snprintf(d->why, sizeof d->why, "%s", why);
	d->page[page] = true;
	return true;
}

/* The pages on which rules are broken. False: there are none but those that are drawn already, or what is broken is on no page. */
static bool mark_broken(struct drawn *d, const struct pdfa_result *found, const char *why)
{
	bool more = false, elsewhere = found->fault.status != ST_OK;
	for (size_t i = 0; i < found->n_findings; i++) {
		if (found->findings[i].broken == 0)
			continue;
		elsewhere = elsewhere || found->findings[i].page == 0;
		more = (found->findings[i].page > 0 && mark(d, found->findings[i].page - 1, why)) || more;
	}
	return more && !elsewhere;
}

void source_close(struct source *s)
{
	attachments_free(&s->attached);
	pdfdoc_close(s->doc);
	file_map_close(&s->map);
	if (s->mended != NULL)
		unlink(s->mended);
	free(s->mended);
	*s = (struct source){0};
}

/* The document itself, where the strict reader can be used. Errors: ST_ITEM. */
static enum status source_open(const struct file_map *m, struct source *s, struct err *e)
{
	enum status st = pdfdoc_open_lenient(m->in, &s->doc, e);
	return st == ST_OK && pdfdoc_encrypted(s->doc) ? err_set(e, ST_ITEM, "pdf-encrypted", "it is encrypted") : st;
}

/* MuPDF's copy of it. Errors: ST_ITEM where it can only be drawn. */
static enum status source_open_mended(struct convert *c, struct item *it, struct source *s, struct err *e)
{
	struct redraw *r = NULL;
	enum status st = redraw_open(it->sources[0].path, received_limits, &r, e);
	if (st == ST_OK && (s->mended = stage_path(c->env, it, "convert", ".mended.pdf")) == NULL)
		st = err_set(e, ST_RETRY, "memory", "no memory for a path");
	if (st == ST_OK)
		st = redraw_save(r, s->mended, e);
	redraw_close(r);
	if (st == ST_OK)
		st = file_map_open(s->mended, &s->map, e);
	return st == ST_OK ? pdfdoc_open_lenient(s->map.in, &s->doc, e) : st;
}

/* What the checker says of a file. One that the strict reader does not understand does not pass. */
static enum status check_file(const char *path, enum pdfa_flavour flavour, struct pdfa_result *ret_result, struct err *e)
{
	struct file_map m;
	*ret_result = (struct pdfa_result){0};
	enum status st = file_map_open(path, &m, e);
	if (st != ST_OK)
		return st;
	struct pdf_claim claim;
	st = pdf_claim_read(m.in, &claim, e);
	if (st == ST_OK)
		st = pdfa_check_file(&m, flavour, ret_result, e);
	file_map_close(&m);
	return st;
}

/* Ends the new file and has it checked. */
static enum status end_and_check(struct job *j, struct pdfa_result *ret_result, struct err *e)
{
	*ret_result = (struct pdfa_result){0};
	enum status st = amend_finish(j->amend, &j->written, e);
	if (st == ST_OK && fflush(j->out.stream) != 0)
		st = err_errno(e, "write", j->out.path);
	return st == ST_OK ? check_file(j->out.temp, j->part_of_pdfa == 3 ? PDFA_3B : PDFA_2B, ret_result, e) : st;
}

/* Stands for the picture of a page while it is tried what the rest needs. */
static enum status put_blanks(struct job *j, const struct drawn *d, struct err *e)
{
	static const uint8_t white = 0xFF;
	static const struct picture blank = {.coding = PICTURE_SAMPLES,
	                                     .data = {&white, 1},
	                                     .width = 1,
	                                     .height = 1,
	                                     .bits = 8,
	                                     .components = 1,
	                                     .colour = PICTURE_GREY,
	                                     .dpi_x = 72,
	                                     .dpi_y = 72,
	                                     .orientation = 1};
	enum status st = ST_OK;
	for (size_t i = 0; st == ST_OK && i < d->n; i++)
		if (d->page[i])
			st = amend_picture(j->amend, i, &blank, NULL, e);
	return st;
}

/* Writes the document with the remedies, without text, and has it checked. */
static enum status try_remedies(struct job *j, const struct source *s, unsigned remedies, const struct drawn *d,
                                struct pdfa_result *ret_result, struct err *e)
{
	*ret_result = (struct pdfa_result){0};
	enum status st = job_open_amended(j, s, remedies, e);
	if (st == ST_OK)
		st = put_blanks(j, d, e);
	if (st == ST_OK)
		st = end_and_check(j, ret_result, e);
	job_close_amended(j);
	return st;
}

/* Looks for the remedies that do, and then, where pages may be drawn (d->n > 0), for the pages that must be; the checker decides after each try.
 * *ret_works false: none do, why says what is left. */
static enum status find_remedies(struct job *j, const struct source *s, struct drawn *d, unsigned *ret_remedies, bool *ret_works,
                                 char *why, size_t n, struct err *e)
{
	enum status st = ST_OK;
	unsigned rounds = 0;
	*ret_remedies = 0;
	*ret_works = false;
	for (bool more = true; st == ST_OK && more && !*ret_works;) {
		struct pdfa_result found;
		st = try_remedies(j, s, *ret_remedies, d, &found, e);
		unsigned remedies = st == ST_OK ? amend_remedies(&found) : 0;
		*ret_works = st == ST_OK && found.passes;
		more = st == ST_OK && !*ret_works && (remedies & ~*ret_remedies) != 0;
		*ret_remedies |= more ? remedies : 0;
		if (st == ST_OK && !*ret_works && !more) {
			list_broken(&found, why, n);
			more = rounds++ < MARK_ROUNDS && mark_broken(d, &found, why);
		}
		pdfa_result_free(&found);
	}
	return st;
}

static enum status add_page(struct job *j, struct redraw *r, size_t i, bool draws, struct err *e)
{
	const struct profile_convert *p = &j->c->env->profile->convert;
	struct redraw_page page;
	enum status st = redraw_page(r, i, LOOK_DPI, &page, e);
	if (st != ST_OK)
		return st;
	st = job_expect(j, &page.picture, e);
	const struct ocr_page *words = st == ST_OK ? received_words(j, &page) : NULL;
	if (st == ST_OK && (draws || (words == NULL && job_reads(j)) || p->sidecars_count > 0)) {
		redraw_page_free(r, &page);
		st = redraw_page(r, i, p->redraw_dpi, &page, e);
		words = words == NULL || st != ST_OK || page.words.n == 0 ? NULL : &page.words;
	}
	j->draws = draws;
	if (st == ST_OK)
		st = job_page(j, &page.picture, words, e);
	redraw_page_free(r, &page);
	return st;
}

static enum status add_pages(struct job *j, struct redraw *r, const struct drawn *d, struct err *e)
{
	enum status st = ST_OK;
	for (size_t i = 0; st == ST_OK && i < redraw_pages(r); i++) {
		st = add_page(j, r, i, i < d->n && d->page[i], e);
		if (st != ST_OK)
			place_fault(e, j->it->sources[0].path, i + 1);
	}
	return st;
}

static bool same_words(const struct ocr_page *a, const struct ocr_page *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; same && i < a->n; i++)
		same = strcmp(a->words[i].text, b->words[i].text) == 0;
	return same;
}

/* Where fonts were embedded, letters stand up to half a pixel off, for a reader that has not their program fits another into their widths: the
 * text is the same, and the mean brightness of no square is much another. */
static enum status alike(const struct redraw_page *a, const struct redraw_page *b, bool *ret_alike, struct err *e)
{
	enum { SQUARE = 8, MUCH = 26 };
	uint8_t *x = NULL, *y = NULL;
	uint32_t w[2], h[2];
	*ret_alike = false;
	enum status st = picture_pixels(&a->picture, 1, received_limits.pixels, &x, &w[0], &h[0], e);
	if (st == ST_OK)
		st = picture_pixels(&b->picture, 1, received_limits.pixels, &y, &w[1], &h[1], e);
	bool same = st == ST_OK && w[0] == w[1] && h[0] == h[1] && same_words(&a->words, &b->words);
	for (uint32_t top = 0; same && top < h[0]; top += SQUARE) {
		for (uint32_t left = 0; same && left < w[0]; left += SQUARE) {
			int sum = 0, n = 0;
			for (uint32_t i = top; i < top + SQUARE && i < h[0]; i++)
				for (uint32_t k = left; k < left + SQUARE && k < w[0]; k++, n++)
					sum += x[(size_t)i * w[0] + k] - y[(size_t)i * w[0] + k];
			same = abs(sum) <= MUCH * n;
		}
	}
	free(x);
	free(y);
	*ret_alike = same;
	return st;
}

static enum status same_page(const struct job *j, size_t i, bool drawn, struct redraw *before, struct redraw *now, bool *ret_same,
                             struct err *e)
{
	struct redraw_page page, was;
	uint8_t digest[32];
	enum status st = redraw_page(now, i, LOOK_DPI, &page, e);
	if (st != ST_OK)
		return st;
	st = picture_digest(&page.picture, digest, e);
	*ret_same = page.picture.width == j->pages[i].width && page.picture.height == j->pages[i].height &&
	            memcmp(digest, j->pages[i].digest, sizeof digest) == 0;
	if (st == ST_OK && !*ret_same && (drawn || amend_changed(j->amend, AMEND_EMBEDDED) > 0)) {
		st = redraw_page(before, i, LOOK_DPI, &was, e);
		if (st == ST_OK) {
			st = alike(&was, &page, ret_same, e);
			redraw_page_free(before, &was);
		}
	}
	redraw_page_free(now, &page);
	return st;
}

/* Whether every page of the new file looks as it did; those that do not are marked. */
static enum status same_look(const struct job *j, struct drawn *d, struct redraw *before, bool *ret_same, char *why, size_t n,
                             struct err *e)
{
	struct redraw *now = NULL;
	*ret_same = false;
	enum status st = redraw_open(j->out.temp, received_limits, &now, e);
	if (st == ST_OK && redraw_pages(now) != j->n) {
		snprintf(why, n, "the number of pages would be another");
		redraw_close(now);
		return ST_OK;
	}
	bool all = st == ST_OK;
	for (size_t i = 0; st == ST_OK && i < j->n; i++) {
		bool same = false;
		st = same_page(j, i, i < d->n && d->page[i], before, now, &same, e);
		if (st == ST_OK && !same) {
			snprintf(why, n, "page %zu would look different", i + 1);
			mark(d, i, why);
		}
		all = all && same;
	}
	redraw_close(now);
	*ret_same = all && st == ST_OK;
	return st;
}

/* "…: scripts taken out (3), streams compressed anew by Flate (1)" */
static void tell_changes(const struct job *j, bool mended, struct buf *to)
{
	buf_str(to, "received PDF kept with the least change: metadata");
	if (mended)
		buf_str(to, ", cross-references, encryption or appearances");
	for (size_t i = 0; i < AMEND_CHANGES; i++) {
		uint64_t n = amend_changed(j->amend, (enum amend_change)i);
		if (n > 0)
			buf_format(to, ", %s (%llu)", amend_change_name((enum amend_change)i), (unsigned long long)n);
	}
}

static void tell_drawn(const struct job *j, const struct drawn *d)
{
	struct page_list pages = {0};
	for (size_t i = 0; i < d->n; i++)
		if (d->page[i])
			page_list_add(&pages, i + 1);
	if (d->marked > 0)
		item_add_event(j->it, j->c->env->now_ms(), "validation", "warning",
		               "with the least change alone %s; so it was drawn: page %s", d->why, page_list_text(&pages));
	page_list_free(&pages);
}

static enum status finish(struct job *j, struct source *s, struct drawn *d, struct redraw *before, bool *ret_done, char *why,
                          size_t n, struct err *e)
{
	struct pdfa_result found = {0};
	BUF_AUTO struct buf what = BUF_INIT(1u << 14);
	enum status st = check_document(j, e);
	if (st == ST_OK)
		st = end_and_check(j, &found, e);
	if (st == ST_OK && !found.passes)
		list_broken(&found, why, n);
	*ret_done = st == ST_OK && found.passes;
	pdfa_result_free(&found);
	if (*ret_done)
		st = same_look(j, d, before, ret_done, why, n, e);
	if (st != ST_OK || !*ret_done)
		return st;
	tell_changes(j, s->mended != NULL, &what);
	st = attachments_take_out(j, s->doc, &s->attached, false, e);
	if (st == ST_OK)
		st = job_commit(j, (const char *)what.data, "drawn before and after: the pages look the same", e);
	if (st == ST_OK)
		tell_drawn(j, d);
	return st;
}

static enum status amend_pages(struct job *j, struct source *s, unsigned remedies, struct drawn *d, bool *ret_done, char *why,
                               size_t n, struct err *e)
{
	struct redraw *r = NULL;
	enum status st = redraw_open(j->it->sources[0].path, received_limits, &r, e);
	if (st == ST_OK)
		st = job_open_amended(j, s, remedies, e);
	if (st == ST_OK)
		st = sidecars_open(j, e);
	if (st == ST_OK)
		st = add_pages(j, r, d, e);
	if (st == ST_OK)
		st = finish(j, s, d, r, ret_done, why, n, e);
	redraw_close(r);
	return st;
}

static enum status use_source(struct job *j, struct source *s, unsigned *ret_remedies, bool *ret_works, char *why, size_t n,
                              struct err *e)
{
	struct drawn none = {0};
	enum status st = attachments_find(j->c, j->it, s->doc, &s->attached, e);
	if (st == ST_OK && s->attached.n_out > 0 && strcmp(j->c->env->profile->convert.attachments, "quarantine") == 0)
		st = err_set(e, ST_ITEM, "pdf-attachments", "%zu files are embedded that are no PDF/A", s->attached.n_out);
	bool may = st == ST_OK && s->attached.n_out > 0 && strcmp(j->c->env->profile->convert.attachments, "embed") == 0;
	if (may)
		st = attachments_embed(&s->attached, &may, e);
	if (st == ST_OK && may)
		st = find_remedies(j, s, &none, ret_remedies, ret_works, why, n, e);
	if (st != ST_OK || (may && *ret_works))
		return st;
	/* Part 2, without the files that it does not permit. */
	free(s->attached.specifications);
	s->attached.specifications = NULL;
	return find_remedies(j, s, &none, ret_remedies, ret_works, why, n, e);
}

/* Tries the document itself, then MuPDF's copy where the reader fails or appearances are missing. What cannot be read can still be
 * drawn: then nothing works, and why says so. */
static enum status choose_source(struct job *j, const struct file_map *m, struct source *s, unsigned *ret_remedies,
                                 bool *ret_works, char *why, size_t n, struct err *e)
{
	enum status st = source_open(m, s, e);
	*ret_works = false;
	if (st == ST_OK)
		st = use_source(j, s, ret_remedies, ret_works, why, n, e);
	if ((st == ST_ITEM && strncmp(e->code, "secret-mark", 11) != 0) ||
	    (st == ST_OK && !*ret_works && strstr(why, "6.3.3-") != NULL)) {
		source_close(s);
		st = source_open_mended(j->c, j->it, s, e);
		if (st == ST_OK)
			st = use_source(j, s, ret_remedies, ret_works, why, n, e);
	}
	if (st == ST_ITEM && strcmp(e->code, "pdf-attachments") != 0 && strncmp(e->code, "secret-mark", 11) != 0) {
		snprintf(why, n, "it cannot be read: %s %.300s", e->code, e->detail);
		return ST_OK;
	}
	return st;
}

/* Again and again with the pages drawn that look different, until all look the same or nothing helps. */
static enum status amend_until_same(struct job *j, struct source *s, unsigned remedies, struct drawn *d, bool *ret_done,
                                    char *why, size_t n, struct err *e)
{
	struct convert *c = j->c;
	struct item *it = j->it;
	enum status st = ST_OK;
	for (size_t marked = d->n; st == ST_OK && !*ret_done && d->marked != marked && d->marked < d->n;) {
		marked = d->marked;
		job_drop(j);
		job_init(j, c, it);
		st = amend_pages(j, s, remedies, d, ret_done, why, n, e);
	}
	return st;
}

enum status convert_amended(struct convert *c, struct item *it, const struct file_map *m, struct source *s, bool *ret_done,
                            char *why, size_t n, struct err *e)
{
	struct job j;
	struct drawn d = {0};
	unsigned remedies = 0;
	bool works;
	*ret_done = false;
	job_init(&j, c, it);
	enum status st = choose_source(&j, m, s, &remedies, &works, why, n, e);
	if (st == ST_OK && s->doc != NULL && pdfdoc_pages(s->doc, &d.n, e) == ST_OK) {
		d.page = calloc(d.n + 1, sizeof *d.page);
		st = d.page == NULL ? err_set(e, ST_RETRY, "memory", "no memory for pages") : ST_OK;
	}
	if (st == ST_OK && !works && d.n > 1)
		st = find_remedies(&j, s, &d, &remedies, &works, why, n, e);
	/* One page, or all of them: the whole is drawn, which needs nothing of the received file. */
	if (st == ST_OK && works)
		st = amend_until_same(&j, s, remedies, &d, ret_done, why, n, e);
	if (*ret_done)
		why[0] = '\0';
	job_drop(&j);
	free(d.page);
	return st;
}
