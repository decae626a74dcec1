#include <stdio.h>
#include <string.h>

#include "stages/convert/internal.h"

static void end_range(struct page_list *l)
{
	if (l->first == 0)
		return;
	if (l->text.data == NULL)
		l->text = BUF_INIT(1u << 16);
	buf_format(&l->text, l->text.len > 0 ? ", %zu" : "%zu", l->first);
	if (l->last > l->first)
		buf_format(&l->text, "-%zu", l->last);
	l->first = l->last = 0;
}

void page_list_add(struct page_list *l, size_t page)
{
	if (l->first != 0 && page == l->last + 1) {
		l->last = page;
		return;
	}
	end_range(l);
	l->first = l->last = page;
}

const char *page_list_text(struct page_list *l)
{
	end_range(l);
	return l->text.data == NULL ? "" : (const char *)l->text.data;
}

void page_list_free(struct page_list *l)
{
	buf_free(&l->text);
	*l = (struct page_list){0};
}

enum status place_fault(struct err *e, const char *path, size_t page)
{
	char inner[sizeof e->where], number[32] = "";
	memcpy(inner, e->where, sizeof inner);
	if (page > 0)
		snprintf(number, sizeof number, ", page %zu", page);
	e->where[0] = '\0';
	if (strstr(inner, path) != NULL)
		return err_where(e, "%s", inner);
	return err_where(e, "%s%s%s%s", path, number, inner[0] == '\0' ? "" : ", ", inner);
}
