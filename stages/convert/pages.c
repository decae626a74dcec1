#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/digest.h"
#include "stages/convert/internal.h"

/* PRONOM: PDF/A-2b, 3b. */
static const char *const formats[] = {[2] = "fmt/477", [3] = "fmt/480"};

static enum status no_memory(struct err *e)
{
	return err_set(e, ST_RETRY, "memory", "no memory for a document");
}

void job_init(struct job *j, struct convert *c, struct item *it)
{
	*j = (struct job){.c = c, .it = it, .codings = BUF_INIT(1u << 20), .part_of_pdfa = 2};
}

static enum status open_output(struct job *j, struct pdfmake_meta *ret_meta, struct err *e)
{
	enum status st = describe(j->c, j->it, &j->storage, ret_meta, e);
	if (st != ST_OK)
		return st;
	char *path = stage_path(j->c->env, j->it, "convert", ".pdf");
	if (path == NULL)
		return no_memory(e);
	st = outfile_open(path, &j->out, e);
	free(path);
	return st;
}

enum status job_open(struct job *j, struct convert *c, struct item *it, struct err *e)
{
	struct pdfmake_meta meta;
	job_init(j, c, it);
	if (it->range.of > 0)
		return ranges_begin_part(j, e);
	enum status st = open_output(j, &meta, e);
	if (st == ST_OK)
		st = sidecars_open(j, e);
	return st == ST_OK ? pdfmake_open(j->out.stream, &meta, &j->make, e) : st;
}

enum status job_open_amended(struct job *j, const struct source *s, unsigned remedies, struct err *e)
{
	struct pdfmake_meta meta;
	enum status st = open_output(j, &meta, e);
	meta.part = j->part_of_pdfa = s->attached.specifications != NULL ? 3 : 2;
	if (st == ST_OK)
		st = amend_open(s->doc, j->out.stream, &meta, remedies, &j->amend, e);
	if (st == ST_OK && s->attached.specifications != NULL)
		amend_associate(j->amend, s->attached.specifications, s->attached.n_specifications);
	else if (st == ST_OK)
		amend_leave_out(j->amend, s->attached.out, s->attached.n_out,
		                s->attached.n_out > 0 && s->attached.n_out == s->attached.all.n);
	if (st == ST_OK)
		amend_replace(j->amend, s->attached.replaced, s->attached.n_replaced);
	return st;
}

void job_close_amended(struct job *j)
{
	amend_free(j->amend);
	j->amend = NULL;
	outfile_discard(&j->out);
}

void job_drop(struct job *j)
{
	pdfmake_free(j->make);
	job_close_amended(j);
	sidecars_discard(j);
	free(j->pages);
	for (size_t i = 0; i < NOTES; i++)
		page_list_free(&j->notes[i]);
	page_list_free(&j->same);
	checks_free(j);
	buf_free(&j->codings);
	buf_free(&j->part);
	file_map_close(&j->map);
	*j = (struct job){0};
}

static bool proves_coded(const struct job *j)
{
	return strcmp(j->c->env->profile->convert.proof, "coded") == 0;
}

/* Ends the run of pages that were coded alike. */
static void end_same(struct job *j)
{
	const char *pages = page_list_text(&j->same);
	if (*pages != '\0')
		buf_format(&j->codings, "%spage %s: %s", j->codings.len > 0 ? "; " : "", pages, j->coding);
	page_list_free(&j->same);
}

static void tell_coding(struct job *j, const struct picture *p)
{
	static const char *const names[] = {
	    [PICTURE_SAMPLES] = "samples coded again without loss",
	    [PICTURE_DCT] = "JPEG data as it was",
	    [PICTURE_CCITT] = "CCITT data as it was",
	    [PICTURE_FLATE] = "PNG data as it was",
	    [PICTURE_JPX] = "JPEG 2000 data as it was",
	    [PICTURE_JBIG2] = "JBIG2 data as it was",
	};
	const char *name = p->joined ? "JPEG data of several strips or tiles put together" : names[p->coding];
	char coding[sizeof j->coding];
	if (fabs(p->dpi_x - p->dpi_y) < 0.5)
		snprintf(coding, sizeof coding, "%s, %.0f dpi", name, p->dpi_x);
	else
		snprintf(coding, sizeof coding, "%s, %.0f x %.0f dpi", name, p->dpi_x, p->dpi_y);
	if (strcmp(coding, j->coding) != 0)
		end_same(j);
	memcpy(j->coding, coding, sizeof coding);
	page_list_add(&j->same, j->n + 1);
}

static bool lies_in(struct bytes part, struct bytes whole, size_t *ret_at)
{
	uintptr_t at = (uintptr_t)part.p - (uintptr_t)whole.p;
	*ret_at = at;
	return whole.p != NULL && (uintptr_t)part.p >= (uintptr_t)whole.p && at <= whole.n && part.n <= whole.n - at;
}

/* digest: of the samples, where it is known already; or NULL. */
static enum status expect(struct job *j, const struct picture *p, const uint8_t *digest, struct err *e)
{
	if ((j->n & (j->n - 1)) == 0) {
		void *more = realloc(j->pages, (j->n == 0 ? 1 : 2 * j->n) * sizeof *j->pages);
		if (more == NULL)
			return no_memory(e);
		j->pages = more;
	}
	struct expected *x = &j->pages[j->n];
	*x = (struct expected){.width = p->width, .height = p->height, .n = p->data.n, .stored = p->coding != PICTURE_SAMPLES};
	if (x->stored && lies_in(p->data, j->source, &x->at))
		x->path = j->source_path;
	else if (!x->stored && digest != NULL)
		memcpy(x->digest, digest, sizeof x->digest);
	else if (!x->stored)
		return picture_digest(p, x->digest, e);
	else
		sha256_bytes(p->data.p, p->data.n, x->digest);
	return ST_OK;
}

enum status job_expect(struct job *j, const struct picture *p, struct err *e)
{
	return expect(j, p, NULL, e);
}

static bool too_large(const struct picture *p)
{
	return (uint64_t)p->width * p->height > MAX_OCR_PIXELS;
}

bool job_wants(struct job *j)
{
	const struct item_range *range = &j->it->range;
	bool wants = range->of == 0 || (j->n + 1 >= range->first && j->n + 1 <= range->last);
	j->n += !wants;
	return wants;
}

/* A page of a range: what is costly about it. */
static enum status part_of(struct job *j, const struct picture *p, const struct ocr_page *words, struct err *e)
{
	struct part_page page = {0};
	enum status st = read_page(j, p, words == NULL, &page, e);
	if (st == ST_OK && p->coding == PICTURE_SAMPLES && p->decode == NULL)
		st = pdfmake_code(p, &page.picture, e);
	page.coded = page.picture.data.p != NULL && page.picture.data.n <= PART_PICTURE_MAX;
	if (st == ST_OK && page.coded)
		st = picture_digest(p, page.digest, e);
	if (st == ST_OK)
		part_add(&j->part, &page);
	free((void *)(uintptr_t)page.picture.data.p);
	ocr_page_free(&page.words);
	j->n++;
	return st;
}

enum status job_page(struct job *j, const struct picture *p, const struct ocr_page *words, struct err *e)
{
	if (j->it->range.of > 0)
		return part_of(j, p, words, e);
	struct part_page page = {0};
	bool joining = j->it->n_parts > 0;
	enum status st = joining ? ranges_page(j, &page, e) : ST_OK;
	if (st == ST_OK && j->amend == NULL)
		st = expect(j, p, page.coded ? page.digest : NULL, e);
	if (st == ST_OK && !joining)
		st = read_page(j, p, words == NULL, &page, e);
	if (st == ST_OK && words == NULL) {
		for (size_t i = 0; i < page.words.n; i++)
			j->confidence += page.words.words[i].confidence;
		j->words += page.words.n;
		words = &page.words;
	}
	if (st == ST_OK)
		st = check_page(j, &page, words, e);
	if (st == ST_OK)
		st = sidecars_page(j, p, words, words == &page.words, e);
	if (st == ST_OK && j->amend == NULL)
		st = pdfmake_page(j->make, p, page.coded ? &page.picture : NULL, words, e);
	else if (st == ST_OK && j->draws)
		st = amend_picture(j->amend, j->n, p, words, e);
	else if (st == ST_OK && words == &page.words)
		st = amend_text(j->amend, j->n, words, p->width, p->height, e);
	ocr_page_free(&page.words);
	if (st != ST_OK)
		return st;
	if (j->amend == NULL)
		tell_coding(j, p);
	j->n++;
	return ST_OK;
}

void job_tell_notes(struct job *j, int64_t now)
{
	const struct profile_convert *p = &j->c->env->profile->convert;
	static const char *const texts[] = {
	    [NOTE_NO_DPI] = "the file does not say its resolution; taken as %u dpi",
	    [NOTE_LOW_DPI] = "resolution below %u dpi",
	    [NOTE_COLOUR] = "less than %u bit of colour",
	    [NOTE_FLATTENED] = "pixels that were not opaque laid over white",
	    [NOTE_ICC] = "a colour profile that does not fit its picture left out",
	    [NOTE_NO_OCR] = "more than %u million pixels, text not recognised",
	    [NOTE_INKS] = "colours for printing (CMYK) drawn near to what they are",
	    [NOTE_UNREAD] = "text could not be recognised, or not within %u s",
	    [NOTE_BLANK] = "nothing on it",
	    [NOTE_DOUBLE] = "like a page before it",
	    [NOTE_SIZE] = "the size that follows from the resolution is that of no usual sheet of paper: not at 100 %%, or a "
	                  "wrong resolution",
	    [NOTE_TURNED] = "upside down or on its side; its text was read so",
	    [NOTE_UNMAPPED] = "text of the received file without meaning; text recognised from the picture at %u dpi",
	};
	const unsigned numbers[NOTES] = {
	    [NOTE_NO_DPI] = p->default_dpi,
	    [NOTE_LOW_DPI] = j->it->kind == ITEM_MAP ? p->min_dpi_map : p->min_dpi,
	    [NOTE_COLOUR] = 24,
	    [NOTE_NO_OCR] = (unsigned)(MAX_OCR_PIXELS / 1000000),
	    [NOTE_UNMAPPED] = p->redraw_dpi,
	    [NOTE_UNREAD] = p->ocr_page_seconds,
	};
	for (size_t i = 0; i < NOTES; i++) {
		const char *pages = page_list_text(&j->notes[i]);
		if (*pages == '\0')
			continue;
		char text[128];
		snprintf(text, sizeof text, texts[i], numbers[i]);
		item_add_event(j->it, now, "validation", "warning", "%s: page %s", text, pages);
	}
}

static void tell_job(struct job *j, const char *what, const char *proof, int64_t now)
{
	end_same(j);
	char ocr[192] = "";
	if (j->words > 0)
		snprintf(ocr, sizeof ocr, "; text by Tesseract (%.40s), %zu words, mean confidence %.1f",
		         j->c->env->profile->convert.ocr, j->words, j->confidence / (double)j->words);
	item_add_event(j->it, now, "migration", "success", "%s, PDF/A-%ub, %zu page(s)%s%s%s", what, j->part_of_pdfa, j->n,
	               j->codings.len == 0 ? "" : ": ", j->codings.len == 0 ? "" : (const char *)j->codings.data, ocr);
	job_tell_notes(j, now);
	item_add_event(j->it, now, "validation", "success", "%s", proof);
}

enum status job_finish(struct job *j, const char *what, struct err *e)
{
	if (j->it->range.of > 0)
		return ranges_end_part(j, e);
	enum status st = check_document(j, e);
	if (st == ST_OK)
		st = pdfmake_finish(j->make, &j->written, e);
	if (st == ST_OK && fflush(j->out.stream) != 0)
		st = err_errno(e, "write", j->out.path);
	if (st == ST_OK)
		st = prove(j->out.temp, j->pages, j->n, e);
	char proof[128];
	snprintf(proof, sizeof proof, "read back: the pictures of %zu page(s) are those of the source%s", j->n,
	         proves_coded(j) ? ", by their coded data" : "");
	return st == ST_OK ? job_commit(j, what, proof, e) : st;
}

enum status job_commit(struct job *j, const char *what, const char *proof, struct err *e)
{
	char sha256[65], *path = strdup(j->out.path);
	enum status st = path == NULL ? no_memory(e) : ST_OK;
	hex_lower(j->written.sha256, sizeof j->written.sha256, sha256);
	if (st == ST_OK)
		st = sidecars_finish(j, e);
	if (st == ST_OK)
		st = outfile_commit(&j->out, e);
	if (st == ST_OK) {
		item_set_artefact(j->it, path, (int64_t)j->written.size, sha256, formats[j->part_of_pdfa]);
		json_object_set_new(j->it->other, "pages", json_integer((json_int_t)j->n));
		tell_job(j, what, proof, j->c->env->now_ms());
	}
	free(path);
	return st;
}

/* Whether it has the size of a sheet: ISO A and B, Letter, Legal, F4; with what a scanner leaves over or cuts off. */
static bool is_paper(const struct picture *p)
{
	static const struct {
		double width, height; /* mm */
	} sheets[] = {{841, 1189}, {594, 841}, {420, 594}, {297, 420}, {210, 297}, {148, 210}, {105, 148},
	              {353, 500},  {250, 353}, {176, 250}, {216, 279}, {216, 356}, {279, 432}, {210, 330}};
	double x = p->width / p->dpi_x * 25.4, y = p->height / p->dpi_y * 25.4, shorter = fmin(x, y), longer = fmax(x, y);
	bool is = false;
	for (size_t i = 0; i < sizeof sheets / sizeof *sheets; i++)
		is = is || (fabs(shorter - sheets[i].width) <= 4 + 0.02 * sheets[i].width &&
		            fabs(longer - sheets[i].height) <= 4 + 0.02 * sheets[i].height);
	return is;
}

void job_look_at(struct job *j, struct picture *p)
{
	const struct profile_convert *rules = &j->c->env->profile->convert;
	bool map = j->it->kind == ITEM_MAP;
	unsigned least = map ? rules->min_dpi_map : rules->min_dpi;
	if (p->dpi_x <= 0 && p->dpi_y <= 0) {
		p->dpi_x = p->dpi_y = rules->default_dpi;
		if (check_wanted(rules->checks.no_dpi))
			page_list_add(&j->notes[NOTE_NO_DPI], j->n + 1);
	} else if (p->dpi_x <= 0 || p->dpi_y <= 0) {
		p->dpi_x = p->dpi_y = fmax(p->dpi_x, p->dpi_y);
	}
	/* Files round: 199.9 stands for 200. */
	if (fmin(p->dpi_x, p->dpi_y) < least - 0.5 && check_wanted(rules->checks.low_dpi))
		page_list_add(&j->notes[NOTE_LOW_DPI], j->n + 1);
	if ((p->colour == PICTURE_GREY || p->colour == PICTURE_INDEXED || p->bits * p->components < 24) &&
	    check_wanted(rules->checks.low_colour))
		page_list_add(&j->notes[NOTE_COLOUR], j->n + 1);
	if (j->it->kind == ITEM_PAPER && check_wanted(rules->checks.paper_size) && !is_paper(p))
		page_list_add(&j->notes[NOTE_SIZE], j->n + 1);
	if (p->flattened)
		page_list_add(&j->notes[NOTE_FLATTENED], j->n + 1);
	if (p->icc_ignored)
		page_list_add(&j->notes[NOTE_ICC], j->n + 1);
	if (job_reads(j) && too_large(p))
		page_list_add(&j->notes[NOTE_NO_OCR], j->n + 1);
}

/* Faults of the files are met again, and told with their place, when the pages are read. */
static size_t count_pages(const struct item *it)
{
	size_t n = 0;
	for (size_t i = 0; i < it->n_sources; i++) {
		struct picture_file *f;
		struct err ignored;
		if (picture_open(it->sources[i].path, &f, &ignored) != ST_OK)
			return 0;
		n += picture_pages(f);
		picture_close(f);
	}
	return n;
}

static enum status add_file(struct job *j, const char *path, struct err *e)
{
	struct picture_file *f = NULL;
	enum status st = picture_open(path, &f, e);
	size_t pages = st == ST_OK ? picture_pages(f) : 0;
	if (st == ST_OK) {
		j->source_path = path;
		j->source = picture_bytes(f);
		if (proves_coded(j))
			picture_leave_coded(f);
	}
	for (size_t i = 0; st == ST_OK && i < pages; i++) {
		struct picture p;
		if (!job_wants(j))
			continue;
		st = picture_page(f, i, &p, e);
		if (st == ST_OK) {
			job_look_at(j, &p);
			st = job_page(j, &p, NULL, e);
			picture_drop(&p);
		}
		if (st != ST_OK)
			place_fault(e, path, i + 1);
	}
	if (st != ST_OK)
		place_fault(e, path, 0);
	j->source_path = NULL;
	j->source = (struct bytes){0};
	picture_close(f);
	return st;
}

enum status convert_pictures(struct convert *c, struct item *it, struct err *e)
{
	struct job j;
	bool kept = false;
	enum status st = convert_kept(c, it, &kept, e);
	if (st != ST_OK || kept)
		return st;
	if (ranges_may(c, it) && ranges_ask(c, it, count_pages(it)))
		return ST_OK;
	st = job_open(&j, c, it, e);
	for (size_t i = 0; st == ST_OK && i < it->n_sources; i++)
		st = add_file(&j, it->sources[i].path, e);
	if (st == ST_OK)
		st = job_finish(&j, it->kind == ITEM_PHOTO ? "picture placed" : "scanned pages placed", e);
	job_drop(&j);
	return st;
}
