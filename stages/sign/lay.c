#include <stdlib.h>
#include <string.h>

#include "stages/appearance/place.h"
#include "stages/base/text.h"
#include "stages/sign/internal.h"

#define POINTS_PER_MM (72 / 25.4)

char *layout_text(const struct stage_env *env, const char *time)
{
	const struct {
		const char *word, *value;
	} places[] = {{"{organisation}", env->site->organisation}, {"{time}", time}};
	struct buf b = BUF_INIT(1u << 16);
	for (const char *p = env->profile->sign.appearance.text; *p != '\0';) {
		size_t step = 1;
		for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
			size_t n = strlen(places[i].word);
			if (strncmp(p, places[i].word, n) != 0)
				continue;
			buf_str(&b, places[i].value);
			step = n;
			break;
		}
		if (step == 1)
			buf_byte(&b, (uint8_t)*p);
		p += step;
	}
	buf_str(&b, "");
	return buf_take(&b);
}

enum status bad_profile(struct err *e, const char *key, const char *value, const char *allowed)
{
	err_set(e, ST_RUN, "profile-value", "%s: %s", key, value);
	err_arg(e, "%s", key);
	err_arg(e, "%s", value);
	err_arg(e, "%s", allowed);
	return ST_RUN;
}

/* Lays the text out and finds its place on the page; writes the form. */
static enum status place_text(const struct stage_env *env, struct typeface *face, const struct pdfdoc *d, const char *time,
                              struct pdfupd *u, struct pdffield *f, struct err *e)
{
	const struct profile_appearance *want = &env->profile->sign.appearance;
	struct page_view view;
	enum status st = page_view_read(d, f->page, &view, e);
	if (st != ST_OK)
		return st;
	enum anchor anchor;
	if (!anchor_parse(want->anchor, &anchor))
		return bad_profile(e, "sign.appearance.anchor", want->anchor, "top-right, top-left, bottom-right, bottom-left");
	double margin = want->margin_mm * POINTS_PER_MM, widest = want->max_width_mm * POINTS_PER_MM;
	double there = page_view_width(&view) - 2 * margin;
	char *text = layout_text(env, time);
	if (text == NULL)
		return err_set(e, ST_RETRY, "memory", "appearance");
	const struct appearance_request r = {.text = text,
	                                     .size_pt = want->size_pt,
	                                     .max_width_pt = widest > 0 && widest < there ? widest : there,
	                                     .right = anchor == ANCHOR_TOP_RIGHT || anchor == ANCHOR_BOTTOM_RIGHT};
	struct appearance *a;
	st = appearance_new(face, &r, &a, e);
	free(text);
	if (st != ST_OK)
		return st;
	struct rect rect;
	st = page_view_place(&view, anchor, margin, appearance_width(a), appearance_height(a), &rect, e);
	if (st == ST_OK) {
		f->appearance = appearance_write(a, view.rotate, u);
		f->rect[0] = rect.left;
		f->rect[1] = rect.bottom;
		f->rect[2] = rect.right;
		f->rect[3] = rect.top;
	}
	appearance_free(a);
	return st;
}

static enum status fill_update(const struct stage_env *env, struct typeface *face, const struct pdfdoc *d, int64_t now_ms,
                               size_t room, struct pdfupd *u, struct layout *lay, struct err *e)
{
	const struct profile_sign *profile = &env->profile->sign;
	size_t pages;
	struct pdffield f = {.stem = "Signature"};
	enum status st = pdfdoc_pages(d, &pages, e);
	if (st != ST_OK)
		return st;
	if (pages == 0)
		return err_set(e, ST_ITEM, "page-box", "the document has no page");
	bool last = profile->appearance.page != NULL && strcmp(profile->appearance.page, "last") == 0;
	st = pdfdoc_page(d, last ? pages - 1 : 0, &f.page, e);

	char time[TIME_TEXT], date[TIME_TEXT];
	time_iso8601(now_ms, profile->appearance.time_offset_min, false, time);
	time_pdf(now_ms, profile->appearance.time_offset_min, date);
	if (st == ST_OK && face != NULL)
		st = place_text(env, face, d, time, u, &f, e);
	uint32_t value = 0;
	if (st == ST_OK)
		st = pdffield_add(u, d, &f, &value, lay->field, e);
	if (st != ST_OK)
		return st;
	const struct pdffield_value v = {.type = "Sig",
	                                 .sub_filter = "ETSI.CAdES.detached",
	                                 .time = date,
	                                 .name = env->site->organisation,
	                                 .reason = profile->reason,
	                                 .location = profile->location,
	                                 .room = room};
	pdffield_set_value(u, value, &v);
	return pdfupd_finish_signature(u, value, &lay->update, &lay->hole, e);
}

enum status layout_make(const struct stage_env *env, struct typeface *face, const struct pdfdoc *d, int64_t now_ms, size_t room,
                        struct layout *ret_layout, struct err *e)
{
	struct layout lay = {.update = BUF_INIT(256u << 20)};
	struct pdfupd *u;
	enum status st = pdfupd_new(d, &u, e);
	if (st != ST_OK)
		return st;
	st = fill_update(env, face, d, now_ms, room, u, &lay, e);
	pdfupd_free(u);
	if (st == ST_OK)
		st = pdfdoc_fault(d, e);
	if (st == ST_OK)
		*ret_layout = lay;
	else
		buf_free(&lay.update);
	return st;
}
