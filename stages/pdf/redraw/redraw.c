#include "stages/pdf/redraw/redraw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/file.h"
#include "stages/pdf/redraw/internal.h"

/* MuPDF's cache of decoded things. */
enum { STORE = 64 << 20 };
/* The end of a file is looked for in its last bytes (ISO 32000-1, annex H.3, implementation note 18). */
enum { TAIL = 1024 };

/* Counts what MuPDF has. Before each block stands its size. */
struct budget {
	size_t used, most;
	bool exceeded;
};
enum { BEFORE = 16 };

static void *budget_realloc(void *user, void *old, size_t n)
{
	struct budget *b = user;
	uint8_t *block = old == NULL ? NULL : (uint8_t *)old - BEFORE;
	size_t had = 0;
	if (block != NULL)
		memcpy(&had, block, sizeof had);
	if (n > b->most - BEFORE || b->used - had > b->most - BEFORE - n) {
		b->exceeded = true;
		return NULL;
	}
	block = realloc(block, n + BEFORE);
	if (block == NULL)
		return NULL;
	n += BEFORE;
	b->used += n - had;
	memcpy(block, &n, sizeof n);
	return block + BEFORE;
}

static void *budget_malloc(void *user, size_t n)
{
	return budget_realloc(user, NULL, n);
}

static void budget_free(void *user, void *old)
{
	struct budget *b = user;
	if (old == NULL)
		return;
	uint8_t *block = (uint8_t *)old - BEFORE;
	size_t had;
	memcpy(&had, block, sizeof had);
	b->used -= had;
	free(block);
}

struct redraw {
	struct budget budget;
	fz_alloc_context memory;
	fz_context *ctx;
	pdf_document *doc;
	struct redraw_limits limits;
	size_t pages;
	char loss[256]; /* the first warning on the present page that tells of something left out */
};

/* Words in MuPDF's warnings after which it goes on with less than the file holds. */
static const char *const loss_words[] = {
    "premature end",   "zlib error",       "compression error", "ignored error",      "ignoring error",
    "truncat",         "missing data",     "cannot load",       "cannot find",        "cannot parse",
    "2d faxd",         "jpeg error",       "openjpeg error",    "jbig2dec error",     "ignoring broken",
    "ignoring object", "ignoring xobject", "corrupt",           "ft_load_glyph",      "rest of page",
    "rest of file",    "invalid page",     "non-page object",   "unknown colorspace", "read error",
};

static void note_warning(void *user, const char *message)
{
	struct redraw *r = user;
	for (size_t i = 0; r->loss[0] == '\0' && i < sizeof loss_words / sizeof *loss_words; i++)
		if (strcasestr(message, loss_words[i]) != NULL)
			snprintf(r->loss, sizeof r->loss, "%s", message);
}

/* Called for each exception, those that MuPDF deals with itself among them; what reaches us is in fz_caught_message. */
static void drop_error(void *user, const char *message)
{
	(void)user;
	(void)message;
}

/* In an fz_catch: what was caught, as a fault of ours. */
static enum status caught(const struct redraw *r, struct err *e)
{
	if (fz_caught(r->ctx) == FZ_ERROR_MEMORY && r->budget.exceeded)
		return err_set(e, ST_ITEM, "pdf-memory", "MuPDF: %s", fz_caught_message(r->ctx));
	if (fz_caught(r->ctx) == FZ_ERROR_MEMORY)
		return err_set(e, ST_RETRY, "memory", "MuPDF: %s", fz_caught_message(r->ctx));
	return err_set(e, ST_ITEM, "pdf-broken", "MuPDF: %s", fz_caught_message(r->ctx));
}

static enum status check_end(const char *path, struct err *e)
{
	struct file_map m;
	enum status st = file_map_open(path, &m, e);
	if (st != ST_OK)
		return st;
	size_t n = m.in.n < TAIL ? m.in.n : TAIL;
	if (memmem(m.in.p + m.in.n - n, n, "%%EOF", 5) == NULL)
		st = err_set(e, ST_ITEM, "pdf-broken", "the file is cut off: no %%%%EOF in its last %d bytes", TAIL);
	file_map_close(&m);
	return st;
}

static enum status open_document(struct redraw *r, const char *path, struct err *e)
{
	enum status st = ST_OK;
	int pages = 0;
	fz_var(pages);
	fz_var(st);
	fz_try(r->ctx)
	{
		r->doc = pdf_open_document(r->ctx, path);
		if (pdf_needs_password(r->ctx, r->doc))
			st = err_set(e, ST_ITEM, "pdf-password", "the document does not open without a password");
		else
			pages = pdf_count_pages(r->ctx, r->doc);
	}
	fz_catch(r->ctx) st = caught(r, e);
	if (st != ST_OK)
		return st;
	if (pages <= 0)
		return err_set(e, ST_ITEM, "pdf-broken", "no page can be found");
	r->pages = (size_t)pages;
	if (r->pages > r->limits.pages) {
		err_set(e, ST_ITEM, "pdf-too-many-pages", "%zu pages, %zu are allowed", r->pages, r->limits.pages);
		err_arg(e, "%zu", r->pages);
		err_arg(e, "%zu", r->limits.pages);
		return ST_ITEM;
	}
	return ST_OK;
}

enum status redraw_open(const char *path, struct redraw_limits limits, struct redraw **ret_redraw, struct err *e)
{
	*ret_redraw = NULL;
	enum status st = check_end(path, e);
	if (st != ST_OK)
		return st;
	struct redraw *r = calloc(1, sizeof *r);
	if (r == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for MuPDF");
	r->budget.most = limits.memory;
	r->memory = (fz_alloc_context){&r->budget, budget_malloc, budget_realloc, budget_free};
	r->ctx = fz_new_context(&r->memory, NULL, STORE);
	if (r->ctx == NULL) {
		free(r);
		return err_set(e, ST_RETRY, "memory", "no memory for MuPDF");
	}
	r->limits = limits;
	fz_set_warning_callback(r->ctx, note_warning, r);
	fz_set_error_callback(r->ctx, drop_error, r);
	faces_install(r->ctx);
	st = open_document(r, path, e);
	if (st != ST_OK)
		redraw_close(r);
	else
		*ret_redraw = r;
	return st;
}

void redraw_close(struct redraw *r)
{
	if (r == NULL)
		return;
	pdf_drop_document(r->ctx, r->doc);
	fz_drop_context(r->ctx);
	free(r);
}

size_t redraw_pages(const struct redraw *r)
{
	return r->pages;
}

bool redraw_was_mended(const struct redraw *r)
{
	return pdf_was_repaired(r->ctx, r->doc) != 0;
}

/* Runs the page on a device and ends the device; throws. Returns the number of faults in the page's content. */
static int run(fz_context *ctx, pdf_page *page, fz_device *dev, fz_matrix ctm)
{
	fz_cookie cookie = {0};
	pdf_run_page(ctx, page, dev, ctm, &cookie);
	fz_close_device(ctx, dev);
	return cookie.errors;
}

/* One page as pixels and as text, both in pixels of the picture; throws. */
struct drawing {
	fz_pixmap *pixels;
	fz_stext_page *text;
	bool inks;
	int faults;
};

/* text_only: no pixels are drawn. */
static void draw(struct redraw *r, pdf_page *page, fz_matrix ctm, fz_irect area, bool text_only, struct drawing *d)
{
	fz_context *ctx = r->ctx;
	fz_device *dev = NULL;
	fz_var(dev);
	fz_try(ctx)
	{
		if (!text_only) {
			d->pixels = fz_new_pixmap_with_bbox(ctx, fz_device_rgb(ctx), area, NULL, 0);
			fz_clear_pixmap_with_value(ctx, d->pixels, 255);
			dev = fz_new_draw_device(ctx, fz_identity, d->pixels);
			d->faults += run(ctx, page, dev, ctm);
			fz_drop_device(ctx, dev);
			dev = NULL;
			dev = colours_device(ctx);
			d->faults += run(ctx, page, dev, ctm);
			d->inks = colours_are_inks(dev);
			fz_drop_device(ctx, dev);
			dev = NULL;
		}
		d->text = fz_new_stext_page(ctx, fz_rect_from_irect(area));
		dev = fz_new_stext_device(ctx, d->text, NULL);
		d->faults += run(ctx, page, dev, ctm);
	}
	fz_always(ctx) fz_drop_device(ctx, dev);
	fz_catch(ctx) fz_rethrow(ctx);
}

/* Leaves one byte a pixel where no pixel has colour. Returns the number of components. */
static unsigned make_grey(uint8_t *pixels, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (pixels[3 * i] != pixels[3 * i + 1] || pixels[3 * i] != pixels[3 * i + 2])
			return 3;
	for (size_t i = 0; i < n; i++)
		pixels[i] = pixels[3 * i];
	return 1;
}

static void fill_picture(struct picture *p, fz_pixmap *pixels, fz_rect bounds)
{
	uint32_t w = (uint32_t)pixels->w, h = (uint32_t)pixels->h;
	unsigned components = make_grey(pixels->samples, (size_t)w * h);
	*p = (struct picture){
	    .coding = PICTURE_SAMPLES,
	    .data = {pixels->samples, (size_t)w * h * components},
	    .width = w,
	    .height = h,
	    .bits = 8,
	    .components = components,
	    .colour = components == 1 ? PICTURE_GREY : PICTURE_RGB,
	    .dpi_x = w * 72.0 / (double)(bounds.x1 - bounds.x0),
	    .dpi_y = h * 72.0 / (double)(bounds.y1 - bounds.y0),
	    .orientation = 1,
	};
}

/* How the page comes to lie on the picture. */
static enum status place(const struct redraw *r, fz_rect bounds, double dpi, fz_matrix *ret_ctm, fz_irect *ret_area,
                         struct err *e)
{
	double points_x = (double)(bounds.x1 - bounds.x0), points_y = (double)(bounds.y1 - bounds.y0);
	double w = fmax(1, round(points_x * dpi / 72)), h = fmax(1, round(points_y * dpi / 72));
	if (!(w * h <= (double)r->limits.pixels) || w > 1e6 || h > 1e6) {
		err_set(e, ST_ITEM, "pdf-page-too-large", "a page of %.0f x %.0f pt has too many pixels at %.0f dpi", points_x,
		        points_y, dpi);
		err_arg(e, "%.0f", points_x * 25.4 / 72);
		err_arg(e, "%.0f", points_y * 25.4 / 72);
		err_arg(e, "%.0f", dpi);
		return ST_ITEM;
	}
	*ret_ctm = fz_concat(fz_translate(-bounds.x0, -bounds.y0), fz_scale((float)(w / points_x), (float)(h / points_y)));
	*ret_area = (fz_irect){0, 0, (int)w, (int)h};
	return ST_OK;
}

static bool shows_nothing(fz_context *ctx, pdf_obj *appearance)
{
	return !pdf_is_stream(ctx, appearance) || pdf_dict_get_int(ctx, appearance, PDF_NAME(Length)) == 0;
}

/* MuPDF invites to sign where a field is empty: what it would draw there is not in the document. Throws. */
static void hide_empty_signatures(fz_context *ctx, pdf_document *doc, int page, bool hide)
{
	pdf_obj *annots = pdf_dict_get(ctx, pdf_lookup_page_obj(ctx, doc, page), PDF_NAME(Annots));
	enum { HIDDEN = 2 };
	for (int i = 0; i < pdf_array_len(ctx, annots); i++) {
		pdf_obj *a = pdf_array_get(ctx, annots, i);
		if (pdf_name_eq(ctx, pdf_dict_get_inheritable(ctx, a, PDF_NAME(FT)), PDF_NAME(Sig)) &&
		    pdf_dict_get_inheritable(ctx, a, PDF_NAME(V)) == NULL && shows_nothing(ctx, pdf_dict_getp(ctx, a, "AP/N")))
			pdf_dict_put_int(ctx, a, PDF_NAME(F),
			                 (pdf_dict_get_int(ctx, a, PDF_NAME(F)) & ~HIDDEN) | (hide ? HIDDEN : 0));
	}
}

/* Loads a page and draws it. */
static enum status draw_page(struct redraw *r, size_t i, double dpi, bool text_only, fz_rect *ret_bounds, fz_irect *ret_area,
                             struct drawing *d, struct err *e)
{
	r->loss[0] = '\0';
	r->budget.exceeded = false;
	fz_context *ctx = r->ctx;
	pdf_page *page = NULL;
	enum status st = ST_OK;
	fz_var(page);
	fz_var(st);
	fz_try(ctx)
	{
		hide_empty_signatures(ctx, r->doc, (int)i, true);
		page = pdf_load_page(ctx, r->doc, (int)i);
		*ret_bounds = pdf_bound_page(ctx, page);
		fz_matrix ctm;
		st = place(r, *ret_bounds, dpi, &ctm, ret_area, e);
		if (st == ST_OK)
			draw(r, page, ctm, *ret_area, text_only, d);
	}
	fz_always(ctx) fz_drop_page(ctx, (fz_page *)page);
	fz_catch(ctx) st = caught(r, e);
	fz_flush_warnings(ctx);
	if (st == ST_OK && d->faults > 0 && r->budget.exceeded)
		st = err_set(e, ST_ITEM, "pdf-memory", "MuPDF: more than %zu MiB", r->budget.most >> 20);
	else if (st == ST_OK && (d->faults > 0 || r->loss[0] != '\0'))
		st =
		    err_set(e, ST_ITEM, "pdf-broken", "MuPDF: %s", r->loss[0] != '\0' ? r->loss : "faults in the page's content");
	return st;
}

/* MuPDF keeps what it makes for drawing to itself: that is given up, and made again as a change of the document. Throws. */
static void make_appearance(fz_context *ctx, pdf_annot *annotation)
{
	pdf_obj *o = pdf_annot_obj(ctx, annotation);
	enum { HIDDEN = 2 };
	if (pdf_is_dict(ctx, pdf_dict_getp(ctx, o, "AP/N")) || (pdf_dict_get_int(ctx, o, PDF_NAME(F)) & HIDDEN) != 0)
		return;
	pdf_annot_pop_and_discard_local_xref(ctx, annotation);
	pdf_dirty_annot(ctx, annotation);
	pdf_update_annot(ctx, annotation);
}

/* Throws. */
static void make_appearances(fz_context *ctx, pdf_document *doc, int i)
{
	pdf_page *page = NULL;
	fz_var(page);
	hide_empty_signatures(ctx, doc, i, true);
	fz_try(ctx)
	{
		page = pdf_load_page(ctx, doc, i);
		for (pdf_annot *a = pdf_first_annot(ctx, page); a != NULL; a = pdf_next_annot(ctx, a))
			make_appearance(ctx, a);
		for (pdf_annot *w = pdf_first_widget(ctx, page); w != NULL; w = pdf_next_widget(ctx, w))
			make_appearance(ctx, w);
	}
	fz_always(ctx) fz_drop_page(ctx, (fz_page *)page);
	fz_catch(ctx) fz_rethrow(ctx);
	hide_empty_signatures(ctx, doc, i, false);
}

enum status redraw_save(struct redraw *r, const char *path, struct err *e)
{
	pdf_write_options options = pdf_default_write_options;
	options.do_encrypt = PDF_ENCRYPT_NONE;
	enum status st = ST_OK;
	fz_var(st);
	fz_try(r->ctx)
	{
		for (size_t i = 0; i < r->pages; i++)
			make_appearances(r->ctx, r->doc, (int)i);
		pdf_save_document(r->ctx, r->doc, path, &options);
	}
	fz_catch(r->ctx) st = caught(r, e);
	fz_flush_warnings(r->ctx);
	return st;
}

enum status redraw_page(struct redraw *r, size_t i, double dpi, struct redraw_page *ret_page, struct err *e)
{
	*ret_page = (struct redraw_page){0};
	struct drawing d = {0};
	fz_rect bounds = fz_empty_rect;
	fz_irect area = fz_empty_irect;
	enum status st = draw_page(r, i, dpi, false, &bounds, &area, &d, e);
	if (st == ST_OK) {
		fill_picture(&ret_page->picture, d.pixels, bounds);
		ret_page->owned = d.pixels;
		ret_page->inks = d.inks;
		d.pixels = NULL;
		if (!words_take(d.text, ret_page->picture.width, ret_page->picture.height, ret_page))
			st = err_set(e, ST_RETRY, "memory", "no memory for the words of a page");
	}
	fz_drop_stext_page(r->ctx, d.text);
	fz_drop_pixmap(r->ctx, d.pixels);
	if (st != ST_OK)
		redraw_page_free(r, ret_page);
	return st;
}

enum status redraw_words(struct redraw *r, size_t i, struct ocr_page *ret_words, struct err *e)
{
	struct redraw_page page = {0};
	struct drawing d = {0};
	fz_rect bounds = fz_empty_rect;
	fz_irect area = fz_empty_irect;
	enum status st = draw_page(r, i, 72, true, &bounds, &area, &d, e);
	if (st == ST_OK && !words_take(d.text, (uint32_t)(area.x1 - area.x0), (uint32_t)(area.y1 - area.y0), &page))
		st = err_set(e, ST_RETRY, "memory", "no memory for the words of a page");
	fz_drop_stext_page(r->ctx, d.text);
	if (st == ST_OK)
		*ret_words = page.words;
	else
		ocr_page_free(&page.words);
	return st;
}

void redraw_page_free(struct redraw *r, struct redraw_page *page)
{
	ocr_page_free(&page->words);
	fz_drop_pixmap(r->ctx, page->owned);
	*page = (struct redraw_page){0};
}
