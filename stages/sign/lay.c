#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"
#include "stages/pdf/redraw/claim.h"
#include "stages/sign/internal.h"

#define POINTS_PER_MM (72 / 25.4)

/* Number and sign of the document that this one belongs to. False: the description does not say. */
static bool put_reference(const struct profile_appearance *p, const struct item *it, struct buf *to)
{
	const char *number = it == NULL ? NULL : item_field(it->description, "codeNumber");
	const char *notation = it == NULL ? NULL : item_field(it->description, "codeNotation");
	if (*p->reference != '\0') {
		buf_str(to, p->reference);
		return true;
	}
	if (number == NULL || *number == '\0')
		return false;
	buf_format(to, "%s%s%s", number, notation != NULL && *notation != '\0' ? "/" : "", notation != NULL ? notation : "");
	return true;
}

/* What stands in one place of the template. False: it is not known. */
static bool put_place(const struct stage_env *env, const struct item *it, const char *time, const char *word, struct buf *to)
{
	if (strcmp(word, "organisation") == 0) {
		buf_str(to, env->site->organisation);
	} else if (strcmp(word, "time") == 0) {
		buf_str(to, time);
	} else if (strcmp(word, "reference") == 0) {
		return put_reference(&env->profile->sign.appearance, it, to);
	} else {
		const char *value = it == NULL ? NULL : item_field(it->description, word);
		buf_str(to, value == NULL ? "" : value);
		return value != NULL && *value != '\0';
	}
	return true;
}

enum status layout_text(const struct stage_env *env, const struct item *it, const char *time, char **ret_text, struct err *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct buf b = BUF_INIT(1u << 16);
	for (const char *p = env->profile->sign.appearance.text; *p != '\0';) {
		char word[32] = "";
		size_t n = *p == '{' ? strspn(p + 1, letters) : 0;
		bool place = n > 0 && n < sizeof word && p[1 + n] == '}';
		if (place)
			memcpy(word, p + 1, n);
		if (place && put_place(env, it, time, word, &b)) {
			p += n + 2;
			continue;
		}
		if (place && it != NULL) {
			buf_free(&b);
			err_set(e, ST_ITEM, "appearance-field", "the description has no %s", word);
			err_arg(e, "%s", word);
			return ST_ITEM;
		}
		buf_byte(&b, (uint8_t)*p++);
	}
	buf_str(&b, "");
	*ret_text = buf_take(&b);
	return *ret_text == NULL ? err_set(e, ST_RETRY, "memory", "appearance") : ST_OK;
}

enum status bad_profile(struct err *e, const char *key, const char *value, const char *allowed)
{
	err_set(e, ST_RUN, "profile-value", "%s: %s", key, value);
	err_arg(e, "%s", key);
	err_arg(e, "%s", value);
	err_arg(e, "%s", allowed);
	return ST_RUN;
}

/* PDF/A-1 permits no transparency (ISO 19005-1, 6.4); the other parts do where an output intent says what it is blended in (ISO 19005-2, 6.2.10). */
static bool soft_masks(const struct pdfdoc *d)
{
	struct pdf_claim claim;
	struct err ignored;
	if (pdf_claim_read(pdfdoc_bytes(d), &claim, &ignored) != ST_OK || claim.part == 1)
		return false;
	return claim.part == 0 || pdfobj_length(pdfobj_get(pdfdoc_catalog(d), "OutputIntents")) > 0;
}

static enum stamp_side side_of(const char *word)
{
	return strcmp(word, "above") == 0 ? STAMP_ABOVE : strcmp(word, "behind") == 0 ? STAMP_BEHIND : STAMP_LEFT;
}

/* Lays text and picture out and finds their place on the page; writes the form. */
static enum status place_text(const struct stage_env *env, const struct look *look, const struct pdfdoc *d, const struct item *it,
                              size_t page, const char *time, struct pdfupd *u, struct pdffield *f, struct err *e)
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
	char *text;
	st = layout_text(env, it, time, &text, e);
	if (st != ST_OK)
		return st;
	const struct appearance_request r = {.text = text,
	                                     .stamp = look->stamp,
	                                     .side = side_of(want->picture_side),
	                                     .size_pt = want->size_pt,
	                                     .max_width_pt = widest > 0 && widest < there ? widest : there,
	                                     .right = anchor == ANCHOR_TOP_RIGHT || anchor == ANCHOR_BOTTOM_RIGHT};
	struct appearance *a;
	st = appearance_new(look->face, &r, &a, e);
	free(text);
	if (st != ST_OK)
		return st;
	struct spot spot;
	double width = appearance_width(a), height = appearance_height(a);
	st = page_view_corner(&view, anchor, margin, width, height, &spot, e);
	if (st == ST_OK && strcmp(want->taken, "cover") != 0)
		st = room_find(it->artefact.path != NULL ? it->artefact.path : it->sources[0].path, page, &view, margin, width,
		               height, strcmp(want->taken, "move") == 0, &spot, e);
	if (st == ST_OK)
		st = appearance_write(a, view.rotate, look->stamp != NULL && soft_masks(d), u, &f->appearance, e);
	if (st == ST_OK) {
		struct rect rect = page_view_rect(&view, spot, width, height);
		f->rect[0] = rect.left;
		f->rect[1] = rect.bottom;
		f->rect[2] = rect.right;
		f->rect[3] = rect.top;
	}
	appearance_free(a);
	return st;
}

static enum status fill_update(const struct stage_env *env, const struct look *look, const struct pdfdoc *d,
                               const struct item *it, int64_t now_ms, size_t room, struct pdfupd *u, struct layout *lay,
                               struct err *e)
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
	if (st == ST_OK && look->face != NULL)
		st = place_text(env, look, d, it, last ? pages - 1 : 0, time, u, &f, e);
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

enum status layout_make(const struct stage_env *env, const struct look *look, const struct pdfdoc *d, const struct item *it,
                        int64_t now_ms, size_t room, struct layout *ret_layout, struct err *e)
{
	struct layout lay = {.update = BUF_INIT(256u << 20)};
	struct pdfupd *u;
	enum status st = pdfupd_new(d, &u, e);
	if (st != ST_OK)
		return st;
	st = fill_update(env, look, d, it, now_ms, room, u, &lay, e);
	pdfupd_free(u);
	if (st == ST_OK)
		st = pdfdoc_fault(d, e);
	if (st == ST_OK)
		*ret_layout = lay;
	else
		buf_free(&lay.update);
	return st;
}
