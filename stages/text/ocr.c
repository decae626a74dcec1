#include "stages/text/ocr.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"
#include "stages/text/tesseract.h"

/* Tesseract refuses pictures of 32,767 pixels a side and more. */
enum { MAX_SIDE = 32000 };
/* Resolutions that Tesseract believes. */
enum { MIN_DPI = 70, MAX_DPI = 2400 };

/* libgomp's; declared here so that any compiler takes it (omp.h is the compiler's own). */
extern void omp_set_max_active_levels(int levels);

struct ocr {
	TessBaseAPI *api;
	TessBaseAPI *upright; /* tells orientation; NULL where there is no data for it */
};

static bool language_text(const char *s, size_t n)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	return n > 0 && strspn(s, allowed) >= n;
}

static bool loaded(const TessBaseAPI *api, const char *name, size_t n)
{
	bool found = false;
	char **all = tesseract.TessBaseAPIGetLoadedLanguagesAsVector(api);
	for (size_t i = 0; all != NULL && all[i] != NULL; i++)
		found = found || (strlen(all[i]) == n && strncmp(all[i], name, n) == 0);
	tesseract.TessDeleteTextArray(all);
	return found;
}

/* Tesseract goes on without a language that it cannot find; we do not. */
static enum status check_languages(const TessBaseAPI *api, const char *languages, bool only_syntax, struct err *e)
{
	for (const char *at = languages;; at++) {
		size_t n = strcspn(at, "+");
		if (!language_text(at, n) || (!only_syntax && !loaded(api, at, n))) {
			err_set(e, ST_RUN, "ocr-language", "no data for the language \"%.*s\" in \"%s\"", (int)n, at, languages);
			err_arg(e, "%.*s", (int)n, at);
			return ST_RUN;
		}
		at += n;
		if (*at == '\0')
			return ST_OK;
	}
}

enum status ocr_open(const char *languages, struct ocr **ret_ocr, struct err *e)
{
	*ret_ocr = NULL;
	if (check_languages(NULL, languages, true, e) != ST_OK)
		return e->status;
	if (tesseract_load(e) != ST_OK)
		return e->status;
	struct ocr *o = calloc(1, sizeof *o);
	if (o == NULL || (o->api = tesseract.TessBaseAPICreate()) == NULL) {
		free(o);
		return err_set(e, ST_RETRY, "memory", "no memory for Tesseract");
	}
	/* The environment's OMP_THREAD_LIMIT is read when the program is loaded, too early for us; and Tesseract asks for four threads
	 * by itself. With no active level allowed, each of its parallel regions runs on the thread that meets it. */
	omp_set_max_active_levels(0);
	tesseract.setMsgSeverity(L_SEVERITY_NONE);
	tesseract.TessBaseAPISetVariable(o->api, "debug_file", "/dev/null");
	if (tesseract.TessBaseAPIInit2(o->api, NULL, languages, OEM_LSTM_ONLY) != 0) {
		ocr_close(o);
		err_set(e, ST_RUN, "ocr-language", "Tesseract does not start with the languages \"%s\"", languages);
		err_arg(e, "%s", languages);
		return ST_RUN;
	}
	enum status st = check_languages(o->api, languages, false, e);
	if (st != ST_OK) {
		ocr_close(o);
		return st;
	}
	tesseract.TessBaseAPISetPageSegMode(o->api, PSM_AUTO);

	/* An empty page without resolution makes Tesseract complain, and so open its debug file, while files can still be opened. */
	uint8_t blank[32 * 32];
	memset(blank, 255, sizeof blank);
	struct ocr_page none;
	const struct ocr_pixels pixels = {blank, 32, 32, 0};
	st = ocr_read(o, &pixels, 0, &none, e);
	ocr_page_free(&none);
	if (st != ST_OK) {
		ocr_close(o);
		return err_set(e, ST_RUN, "ocr-start", "Tesseract does not read an empty page");
	}
	o->upright = tesseract.TessBaseAPICreate();
	if (o->upright != NULL)
		tesseract.TessBaseAPISetVariable(o->upright, "debug_file", "/dev/null");
	if (o->upright != NULL && tesseract.TessBaseAPIInit2(o->upright, NULL, "osd", OEM_TESSERACT_ONLY) != 0) {
		tesseract.TessBaseAPIDelete(o->upright);
		o->upright = NULL;
	}
	*ret_ocr = o;
	return ST_OK;
}

void ocr_close(struct ocr *o)
{
	if (o == NULL)
		return;
	tesseract.TessBaseAPIDelete(o->api);
	if (o->upright != NULL)
		tesseract.TessBaseAPIDelete(o->upright);
	free(o);
}

bool ocr_page_add(struct ocr_page *p, const struct ocr_word *word)
{
	/* Room doubles at powers of two, so the count itself says when. */
	if ((p->n & (p->n - 1)) == 0) {
		struct ocr_word *more = realloc(p->words, (p->n == 0 ? 1 : 2 * p->n) * sizeof *more);
		if (more == NULL) {
			free(word->text);
			return false;
		}
		p->words = more;
	}
	p->words[p->n++] = *word;
	return true;
}

void ocr_page_free(struct ocr_page *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->words[i].text);
	free(p->words);
	*p = (struct ocr_page){0};
}

/* Averages k × k pixels; what does not fill a square at the right and lower edge is left out. */
static uint8_t *shrink(const uint8_t *grey, uint32_t width, uint32_t height, uint32_t k)
{
	uint32_t w = width / k, h = height / k;
	uint8_t *to = malloc((size_t)w * h);
	if (to == NULL)
		return NULL;
	for (uint32_t y = 0; y < h; y++) {
		for (uint32_t x = 0; x < w; x++) {
			uint64_t sum = 0;
			for (uint32_t j = 0; j < k; j++) {
				const uint8_t *row = grey + ((size_t)y * k + j) * width + (size_t)x * k;
				for (uint32_t i = 0; i < k; i++)
					sum += row[i];
			}
			to[(size_t)y * w + x] = (uint8_t)(sum / ((uint64_t)k * k));
		}
	}
	return to;
}

static void set_image(TessBaseAPI *api, const struct ocr_pixels *p)
{
	tesseract.TessBaseAPISetImage(api, p->grey, (int)p->width, (int)p->height, 1, (int)p->width);
	if (p->dpi >= MIN_DPI && p->dpi <= MAX_DPI)
		tesseract.TessBaseAPISetSourceResolution(api, (int)lround(p->dpi));
}

static enum status recognise(struct ocr *o, const struct ocr_pixels *p, unsigned seconds, struct err *e)
{
	ETEXT_DESC *monitor = seconds == 0 ? NULL : tesseract.TessMonitorCreate();
	if (monitor != NULL)
		tesseract.TessMonitorSetDeadlineMSecs(monitor, seconds > INT_MAX / 1000 ? INT_MAX : (int)seconds * 1000);
	set_image(o->api, p);
	int got = tesseract.TessBaseAPIRecognize(o->api, monitor);
	if (monitor != NULL)
		tesseract.TessMonitorDelete(monitor);
	if (got != 0)
		return err_set(e, ST_ITEM, "ocr-failed", "Tesseract cannot read a page of %u x %u pixels, or not within %u s",
		               p->width, p->height, seconds);
	return ST_OK;
}

/* The word at the iterator, in pixels of the page given. False: no memory. A word of white space only gives text NULL. */
static bool take_word(const TessResultIterator *it, int scale, struct ocr_word *ret_word)
{
	const TessPageIterator *place = tesseract.TessResultIteratorGetPageIteratorConst(it);
	struct ocr_word w = {0};
	*ret_word = w;
	char *raw = tesseract.TessResultIteratorGetUTF8Text(it, RIL_WORD);
	if (raw == NULL)
		return true;
	char *text = utf8_valid(raw, strlen(raw)) ? utf8_nfc(raw) : strdup("");
	tesseract.TessDeleteText(raw);
	if (text == NULL)
		return false;
	size_t n = 0;
	for (size_t i = 0; text[i] != '\0'; i++)
		if ((unsigned char)text[i] > ' ')
			text[n++] = text[i];
	text[n] = '\0';
	if (n == 0 || !tesseract.TessPageIteratorBoundingBox(place, RIL_WORD, &w.left, &w.top, &w.right, &w.bottom)) {
		free(text);
		return true;
	}
	if (!tesseract.TessPageIteratorBaseline(place, RIL_WORD, &w.x0, &w.y0, &w.x1, &w.y1)) {
		w.x0 = w.left;
		w.x1 = w.right;
		w.y0 = w.y1 = w.bottom;
	}
	int *const ordinates[] = {&w.left, &w.top, &w.right, &w.bottom, &w.x0, &w.y0, &w.x1, &w.y1};
	for (size_t i = 0; i < sizeof ordinates / sizeof *ordinates; i++)
		*ordinates[i] *= scale;
	w.text = text;
	double confidence = (double)tesseract.TessResultIteratorConfidence(it, RIL_WORD);
	w.confidence = (int)lround(fmin(fmax(confidence, 0), 100));
	*ret_word = w;
	return true;
}

static enum status take_words(struct ocr *o, int scale, struct ocr_page *page, struct err *e)
{
	TessResultIterator *it = tesseract.TessBaseAPIGetIterator(o->api);
	if (it == NULL)
		return ST_OK; /* an empty page */
	const TessPageIterator *place = tesseract.TessResultIteratorGetPageIteratorConst(it);
	uint32_t line = 0, block = 0;
	double sum = 0;
	bool memory = true;
	do {
		line += tesseract.TessPageIteratorIsAtBeginningOf(place, RIL_TEXTLINE) != 0;
		block += tesseract.TessPageIteratorIsAtBeginningOf(place, RIL_BLOCK) != 0;
		struct ocr_word w;
		memory = take_word(it, scale, &w);
		if (w.text == NULL)
			continue;
		w.line = line;
		w.block = block;
		sum += w.confidence;
		memory = ocr_page_add(page, &w);
	} while (memory && tesseract.TessResultIteratorNext(it, RIL_WORD));
	tesseract.TessResultIteratorDelete(it);
	if (!memory)
		return err_set(e, ST_RETRY, "memory", "no memory for the words of a page");
	/* A word of white space may have been the one that ended its line. */
	for (size_t i = 0; i < page->n; i++)
		page->words[i].last_in_line = i + 1 == page->n || page->words[i + 1].line != page->words[i].line;
	page->mean_confidence = page->n == 0 ? 0 : sum / (double)page->n;
	return ST_OK;
}

/* A copy of the page made smaller by a whole number where a side is too long; *ret_copy is freed by the caller. */
static enum status fit(const struct ocr_pixels *p, uint32_t *ret_k, struct ocr_pixels *ret_fit, uint8_t **ret_copy, struct err *e)
{
	uint32_t k = (p->width > p->height ? p->width : p->height) / MAX_SIDE + 1;
	*ret_k = k;
	*ret_fit = *p;
	*ret_copy = NULL;
	if (k == 1)
		return ST_OK;
	*ret_copy = shrink(p->grey, p->width, p->height, k);
	*ret_fit = (struct ocr_pixels){*ret_copy, p->width / k, p->height / k, p->dpi / k};
	if (*ret_copy == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for a page of %u x %u pixels", p->width, p->height);
	return ST_OK;
}

/* No letter fits on a smaller page; Leptonica calls such pictures a fault. */
static bool too_small(const struct ocr_pixels *p)
{
	return p->width < 8 || p->height < 8;
}

enum status ocr_read(struct ocr *o, const struct ocr_pixels *pixels, unsigned seconds, struct ocr_page *ret_page, struct err *e)
{
	*ret_page = (struct ocr_page){0};
	if (too_small(pixels))
		return ST_OK;
	uint32_t k;
	uint8_t *copy;
	struct ocr_pixels fitting;
	enum status st = fit(pixels, &k, &fitting, &copy, e);
	if (st == ST_OK)
		st = recognise(o, &fitting, seconds, e);
	if (st == ST_OK)
		st = take_words(o, (int)k, ret_page, e);
	tesseract.TessBaseAPIClear(o->api);
	free(copy);
	if (st != ST_OK)
		ocr_page_free(ret_page);
	return st;
}

unsigned ocr_orientation(struct ocr *o, const struct ocr_pixels *pixels)
{
	/* Below, Tesseract is about as often wrong as right. */
	static const float sure = 2;
	uint32_t k;
	uint8_t *copy;
	struct ocr_pixels fitting;
	struct err ignored;
	int degrees = 0;
	float confidence = 0, script_confidence = 0;
	const char *script = NULL;
	if (o->upright == NULL || too_small(pixels) || fit(pixels, &k, &fitting, &copy, &ignored) != ST_OK)
		return 0;
	set_image(o->upright, &fitting);
	bool told =
	    tesseract.TessBaseAPIDetectOrientationScript(o->upright, &degrees, &confidence, &script, &script_confidence) != 0;
	tesseract.TessBaseAPIClear(o->upright);
	free(copy);
	return told && confidence >= sure && (degrees == 90 || degrees == 180 || degrees == 270)
	           ? 360 - (unsigned)degrees
	           : 0; /* it lies turned clockwise */
}

/* The page turned clockwise; NULL without memory. */
static uint8_t *turn(const struct ocr_pixels *p, unsigned degrees)
{
	size_t w = p->width, h = p->height;
	uint8_t *to = malloc(w * h);
	for (size_t y = 0; to != NULL && y < h; y++) {
		const uint8_t *row = p->grey + y * w;
		for (size_t x = 0; x < w; x++)
			to[degrees == 180  ? (h - 1 - y) * w + w - 1 - x
			   : degrees == 90 ? x * h + h - 1 - y
			                   : (w - 1 - x) * h + y] = row[x];
	}
	return to;
}

/* A point of the turned page where it is on the page as it was. */
static void turn_back(const struct ocr_pixels *p, unsigned degrees, int *x, int *y)
{
	int w = (int)p->width, h = (int)p->height, u = *x, v = *y;
	*x = degrees == 180 ? w - u : degrees == 90 ? v : w - v;
	*y = degrees == 180 ? h - v : degrees == 90 ? h - u : u;
}

static void swap_rising(int *low, int *high)
{
	if (*low > *high) {
		int kept = *low;
		*low = *high;
		*high = kept;
	}
}

enum status ocr_read_turned(struct ocr *o, const struct ocr_pixels *pixels, unsigned degrees, unsigned seconds,
                            struct ocr_page *ret_page, struct err *e)
{
	uint8_t *turned = turn(pixels, degrees);
	bool side = degrees != 180;
	*ret_page = (struct ocr_page){0};
	if (turned == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for a page of %u x %u pixels", pixels->width, pixels->height);
	const struct ocr_pixels p = {turned, side ? pixels->height : pixels->width, side ? pixels->width : pixels->height,
	                             pixels->dpi};
	enum status st = ocr_read(o, &p, seconds, ret_page, e);
	free(turned);
	for (size_t i = 0; i < ret_page->n; i++) {
		struct ocr_word *w = &ret_page->words[i];
		turn_back(pixels, degrees, &w->left, &w->top);
		turn_back(pixels, degrees, &w->right, &w->bottom);
		turn_back(pixels, degrees, &w->x0, &w->y0);
		turn_back(pixels, degrees, &w->x1, &w->y1);
		swap_rising(&w->left, &w->right);
		swap_rising(&w->top, &w->bottom);
	}
	return st;
}
