/* The second rung for a received PDF: the least change that makes it PDF/A. Where that is not enough, or its pages would look different, it is
 * drawn (received.c). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stages/convert/internal.h"
#include "stages/pdf/redraw/claim.h"

/* Pages are compared, and looked at, as they are drawn at this resolution: what a least change could do wrong shows there. */
enum { LOOK_DPI = 72 };

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
	enum status st = amend_finish(j->amend, e);
	if (st == ST_OK && fflush(j->out.stream) != 0)
		st = err_errno(e, "write", j->out.path);
	return st == ST_OK ? check_file(j->out.temp, j->part_of_pdfa == 3 ? PDFA_3B : PDFA_2B, ret_result, e) : st;
}

/* Writes the document with the remedies, without text, and has it checked. */
static enum status try_remedies(struct job *j, const struct source *s, unsigned remedies, struct pdfa_result *ret_result,
                                struct err *e)
{
	*ret_result = (struct pdfa_result){0};
	enum status st = job_open_amended(j, s, remedies, e);
	if (st == ST_OK)
		st = end_and_check(j, ret_result, e);
	job_close_amended(j);
	return st;
}

/* Looks for the remedies that do; the checker decides after each try. *ret_works false: none do, why says what is left. */
static enum status find_remedies(struct job *j, const struct source *s, unsigned *ret_remedies, bool *ret_works, char *why,
                                 size_t n, struct err *e)
{
	enum status st = ST_OK;
	*ret_remedies = 0;
	*ret_works = false;
	for (bool more = true; st == ST_OK && more && !*ret_works;) {
		struct pdfa_result found;
		st = try_remedies(j, s, *ret_remedies, &found, e);
		unsigned remedies = st == ST_OK ? amend_remedies(&found) : 0;
		*ret_works = st == ST_OK && found.passes;
		more = st == ST_OK && !*ret_works && (remedies & ~*ret_remedies) != 0;
		*ret_remedies |= more ? remedies : 0;
		if (st == ST_OK && !*ret_works && !more)
			list_broken(&found, why, n);
		pdfa_result_free(&found);
	}
	return st;
}

static enum status add_page(struct job *j, struct redraw *r, size_t i, struct err *e)
{
	const struct profile_convert *p = &j->c->env->profile->convert;
	struct redraw_page page;
	enum status st = redraw_page(r, i, LOOK_DPI, &page, e);
	if (st != ST_OK)
		return st;
	st = job_expect(j, &page.picture, e);
	const struct ocr_page *words = st == ST_OK ? received_words(j, &page) : NULL;
	if (st == ST_OK && ((words == NULL && job_reads(j)) || p->sidecars_count > 0)) {
		redraw_page_free(r, &page);
		st = redraw_page(r, i, p->redraw_dpi, &page, e);
		words = words == NULL || st != ST_OK || page.words.n == 0 ? NULL : &page.words;
	}
	if (st == ST_OK)
		st = job_page(j, &page.picture, words, e);
	redraw_page_free(r, &page);
	return st;
}

static enum status add_pages(struct job *j, struct redraw *r, struct err *e)
{
	enum status st = ST_OK;
	for (size_t i = 0; st == ST_OK && i < redraw_pages(r); i++) {
		st = add_page(j, r, i, e);
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

static enum status same_page(const struct job *j, size_t i, struct redraw *before, struct redraw *now, bool *ret_same,
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
	if (st == ST_OK && !*ret_same && amend_changed(j->amend, AMEND_EMBEDDED) > 0) {
		st = redraw_page(before, i, LOOK_DPI, &was, e);
		if (st == ST_OK) {
			st = alike(&was, &page, ret_same, e);
			redraw_page_free(before, &was);
		}
	}
	redraw_page_free(now, &page);
	return st;
}

/* Whether every page of the new file looks as it did. */
static enum status same_look(const struct job *j, struct redraw *before, bool *ret_same, char *why, size_t n, struct err *e)
{
	struct redraw *now = NULL;
	*ret_same = false;
	enum status st = redraw_open(j->out.temp, received_limits, &now, e);
	if (st == ST_OK && redraw_pages(now) != j->n) {
		snprintf(why, n, "the number of pages would be another");
		redraw_close(now);
		return ST_OK;
	}
	bool same = st == ST_OK;
	for (size_t i = 0; st == ST_OK && same && i < j->n; i++) {
		st = same_page(j, i, before, now, &same, e);
		if (!same)
			snprintf(why, n, "page %zu would look different", i + 1);
	}
	redraw_close(now);
	*ret_same = same;
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

static enum status finish(struct job *j, struct source *s, struct redraw *before, bool *ret_done, char *why, size_t n,
                          struct err *e)
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
		st = same_look(j, before, ret_done, why, n, e);
	if (st != ST_OK || !*ret_done)
		return st;
	tell_changes(j, s->mended != NULL, &what);
	st = attachments_take_out(j, s->doc, &s->attached, false, e);
	return st != ST_OK ? st : job_commit(j, (const char *)what.data, "drawn before and after: the pages look the same", e);
}

static enum status amend_pages(struct job *j, struct source *s, unsigned remedies, bool *ret_done, char *why, size_t n,
                               struct err *e)
{
	struct redraw *r = NULL;
	enum status st = redraw_open(j->it->sources[0].path, received_limits, &r, e);
	if (st == ST_OK)
		st = job_open_amended(j, s, remedies, e);
	if (st == ST_OK)
		st = sidecars_open(j, e);
	if (st == ST_OK)
		st = add_pages(j, r, e);
	if (st == ST_OK)
		st = finish(j, s, r, ret_done, why, n, e);
	redraw_close(r);
	return st;
}

static enum status use_source(struct job *j, struct source *s, unsigned *ret_remedies, bool *ret_works, char *why, size_t n,
                              struct err *e)
{
	enum status st = attachments_find(s->doc, &s->attached, e);
	if (st == ST_OK && s->attached.n_out > 0 && strcmp(j->c->env->profile->convert.attachments, "quarantine") == 0)
		st = err_set(e, ST_ITEM, "pdf-attachments", "%zu files are embedded that are no PDF/A", s->attached.n_out);
	bool may = st == ST_OK && s->attached.n_out > 0 && strcmp(j->c->env->profile->convert.attachments, "embed") == 0;
	if (may)
		st = attachments_embed(&s->attached, &may, e);
	if (st == ST_OK && may)
		st = find_remedies(j, s, ret_remedies, ret_works, why, n, e);
	if (st != ST_OK || (may && *ret_works))
		return st;
	/* Part 2, without the files that it does not permit. */
	free(s->attached.specifications);
	s->attached.specifications = NULL;
	return find_remedies(j, s, ret_remedies, ret_works, why, n, e);
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
	if (st == ST_ITEM || (st == ST_OK && !*ret_works && strstr(why, "6.3.3-") != NULL)) {
		source_close(s);
		st = source_open_mended(j->c, j->it, s, e);
		if (st == ST_OK)
			st = use_source(j, s, ret_remedies, ret_works, why, n, e);
	}
	if (st == ST_ITEM && strcmp(e->code, "pdf-attachments") != 0) {
		snprintf(why, n, "it cannot be read: %s %.300s", e->code, e->detail);
		return ST_OK;
	}
	return st;
}

enum status convert_amended(struct convert *c, struct item *it, const struct file_map *m, struct source *s, bool *ret_done,
                            char *why, size_t n, struct err *e)
{
	struct job j;
	unsigned remedies = 0;
	bool works;
	*ret_done = false;
	job_init(&j, c, it);
	enum status st = choose_source(&j, m, s, &remedies, &works, why, n, e);
	if (st == ST_OK && works)
		st = amend_pages(&j, s, remedies, ret_done, why, n, e);
	if (*ret_done)
		why[0] = '\0';
	job_drop(&j);
	return st;
}
