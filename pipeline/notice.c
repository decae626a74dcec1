#include "pipeline/notice.h"

#include <string.h>

#define NOTICE(code, vi, en, vi_remedy, en_remedy) {code, {vi, en}, {vi_remedy, en_remedy}},
static const struct notice table[] = {
#include "notices.inc" /* made by CMake: all of pipeline/notices/ */
};
#undef NOTICE

const struct notice *notice_table(size_t *ret_n)
{
	*ret_n = sizeof table / sizeof table[0];
	return table;
}

const struct notice *notice_find(const char *code)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (strcmp(table[i].code, code) == 0)
			return &table[i];
	return NULL;
}

static void put(const char *text, const struct err *e, struct buf *to)
{
	for (const char *at = text; *at != '\0';) {
		if (at[0] == '{' && at[1] >= '0' && at[1] < '0' + ERR_ARGS && at[2] == '}') {
			buf_str(to, e->arg[at[1] - '0']);
			at += 3;
		} else if (strncmp(at, "{where}", 7) == 0) {
			buf_str(to, e->where);
			at += 7;
		} else {
			buf_byte(to, (uint8_t)*at++);
		}
	}
}

void notice_sentence(const struct err *e, bool english, struct buf *to)
{
	const struct notice *n = notice_find(e->code);
	if (n != NULL)
		put(n->text[english], e, to);
	else
		buf_format(to, "%s: %s", e->code, e->detail);
}

void notice_remedy(const struct err *e, bool english, struct buf *to)
{
	const struct notice *n = notice_find(e->code);
	if (n != NULL)
		put(n->remedy[english], e, to);
}

static void half(const struct item *it, bool english, struct buf *to)
{
	static const char *const word[][2] = {
	    {"TÀI LIỆU BỊ TỪ CHỐI", "DOCUMENT REFUSED"},
	    {"TÀI LIỆU BỊ ĐỂ RIÊNG (CÁCH LY)", "DOCUMENT SET ASIDE (QUARANTINE)"},
	    {"Tài liệu", "Document"},
	    {"Hồ sơ", "Dossier"},
	    {"Tệp", "File"},
	    {"Vị trí", "Place"},
	    {"Vấn đề", "What is wrong"},
	    {"Cách xử lý", "What to do"},
	    {"Chi tiết kỹ thuật", "Technical detail"},
	};
	buf_format(to, "%s\n\n", word[it->state == ITEM_REFUSED ? 0 : 1][english]);
	buf_format(to, "%s: %s\n", word[2][english], it->id);
	if (it->dossier != NULL)
		buf_format(to, "%s: %s\n", word[3][english], it->dossier);
	for (size_t i = 0; i < it->n_sources; i++)
		buf_format(to, "%s: %s\n", word[4][english], it->sources[i].path);
	if (it->notice.where[0] != '\0')
		buf_format(to, "%s: %s\n", word[5][english], it->notice.where);
	buf_format(to, "\n%s: ", word[6][english]);
	notice_sentence(&it->notice, english, to);
	if (notice_find(it->notice.code) != NULL) {
		buf_format(to, "\n%s: ", word[7][english]);
		notice_remedy(&it->notice, english, to);
	}
	buf_format(to, "\n%s: [%s] %s\n", word[8][english], it->notice.code, it->notice.detail);
}

void notice_print(const struct item *it, struct buf *to)
{
	half(it, false, to);
	buf_str(to, "\n----------------------------------------\n\n");
	half(it, true, to);
}
