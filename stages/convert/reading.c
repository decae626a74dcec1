/* What is read of a page: its text, and how it looks. */
#include <stdlib.h>
#include <string.h>

#include "stages/convert/internal.h"

/* A page that was read worse than this, or on which next to nothing was found, may lie the wrong way. */
enum { DOUBTFUL_WORDS = 5, DOUBTFUL_CONFIDENCE = 65 };

bool check_wanted(const char *action)
{
	return strcmp(action, "off") != 0;
}

bool job_reads(const struct job *j)
{
	return j->c->ocr != NULL && j->it->kind != ITEM_PHOTO;
}

bool job_looks(const struct job *j)
{
	const struct profile_checks *checks = &j->c->env->profile->convert.checks;
	return j->it->kind != ITEM_PHOTO && (check_wanted(checks->blank_page) || check_wanted(checks->double_page));
}

static bool doubtful(const struct ocr_page *words)
{
	return words->n < DOUBTFUL_WORDS || words->mean_confidence < DOUBTFUL_CONFIDENCE;
}

/* Reads the page again the way that it should lie; the better reading stays. */
static enum status read_turned(struct job *j, const struct ocr_pixels *pixels, struct part_page *page, struct err *e)
{
	unsigned degrees = ocr_orientation(j->c->ocr, pixels);
	struct ocr_page again;
	if (degrees == 0)
		return ST_OK;
	enum status st = ocr_read_turned(j->c->ocr, pixels, degrees, j->c->env->profile->convert.ocr_page_seconds, &again, e);
	if (st == ST_ITEM)
		return ST_OK;
	if (st == ST_OK && again.n > 0 && again.mean_confidence > page->words.mean_confidence && again.n >= page->words.n / 2) {
		struct ocr_page worse = page->words;
		page->words = again;
		page->turned = (uint8_t)(degrees / 90);
		again = worse;
	}
	ocr_page_free(&again);
	return st;
}

/* Text is a help, the picture is the record: a page that cannot be read keeps its picture. */
static enum status read_text(struct job *j, const struct ocr_pixels *pixels, struct part_page *page, struct err *e)
{
	const struct profile_convert *p = &j->c->env->profile->convert;
	enum status st = ocr_read(j->c->ocr, pixels, p->ocr_page_seconds, &page->words, e);
	if (st == ST_ITEM) {
		page->unread = true;
		return ST_OK;
	}
	bool blank = page->looked && page->look.blank;
	if (st == ST_OK && check_wanted(p->checks.turned_page) && !blank && doubtful(&page->words))
		st = read_turned(j, pixels, page, e);
	return st;
}

enum status read_page(struct job *j, const struct picture *p, bool text, struct part_page *page, struct err *e)
{
	bool reads = text && job_reads(j), looks = job_looks(j);
	if ((!reads && !looks) || (uint64_t)p->width * p->height > MAX_OCR_PIXELS)
		return ST_OK;
	uint8_t *grey;
	struct ocr_pixels pixels = {.dpi = p->orientation >= 5 ? p->dpi_x : p->dpi_y};
	enum status st = picture_pixels(p, 1, MAX_OCR_PIXELS, &grey, &pixels.width, &pixels.height, e);
	if (st != ST_OK)
		return st;
	pixels.grey = grey;
	if (looks) {
		picture_look(grey, pixels.width, pixels.height, &page->look);
		page->looked = true;
	}
	if (reads)
		st = read_text(j, &pixels, page, e);
	free(grey);
	return st;
}
