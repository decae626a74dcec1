#include "stages/text/alto.h"

#include <string.h>

#include "stages/base/text.h"

/* Text of an attribute; what XML 1.0 has no place for becomes the replacement character. */
static void print_escaped(const char *text, struct buf *to)
{
	for (uint32_t c; (c = utf8_next(&text)) != 0;) {
		char bytes[5] = "";
		switch (c) {
		case '&':
			buf_str(to, "&amp;");
			continue;
		case '<':
			buf_str(to, "&lt;");
			continue;
		case '>':
			buf_str(to, "&gt;");
			continue;
		case '"':
			buf_str(to, "&quot;");
			continue;
		default:
			if (c < ' ' || c == 0xFFFE || c == 0xFFFF)
				c = 0xFFFD;
			utf8_put(c, bytes);
			buf_str(to, bytes);
		}
	}
}

void alto_begin(const char *file, const char *languages, struct buf *to)
{
	buf_str(
	    to,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<alto xmlns=\"http://www.loc.gov/standards/alto/ns-v4#\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
	    "xsi:schemaLocation=\"http://www.loc.gov/standards/alto/ns-v4# "
	    "http://www.loc.gov/standards/alto/v4/alto-4-4.xsd\" SCHEMAVERSION=\"4.4\">\n"
	    "<Description><MeasurementUnit>pixel</MeasurementUnit><sourceImageInformation><fileName>");
	print_escaped(file, to);
	buf_str(to, "</fileName></sourceImageInformation>");
	if (languages != NULL) {
		buf_str(to, "<Processing ID=\"ocr\"><processingStepSettings>");
		print_escaped(languages, to);
		buf_str(to, "</processingStepSettings><processingSoftware><softwareName>Tesseract</softwareName></"
		            "processingSoftware></Processing>");
	}
	buf_str(to, "</Description>\n<Layout>\n");
}

static void print_box(int left, int top, int right, int bottom, struct buf *to)
{
	buf_format(to, " HPOS=\"%d\" VPOS=\"%d\" WIDTH=\"%d\" HEIGHT=\"%d\"", left, top, right > left ? right - left : 0,
	           bottom > top ? bottom - top : 0);
}

/* The box around words from..end. */
static void print_boxes(const struct ocr_word *w, size_t from, size_t end, struct buf *to)
{
	int left = w[from].left, top = w[from].top, right = w[from].right, bottom = w[from].bottom;
	for (size_t i = from + 1; i < end; i++) {
		left = w[i].left < left ? w[i].left : left;
		top = w[i].top < top ? w[i].top : top;
		right = w[i].right > right ? w[i].right : right;
		bottom = w[i].bottom > bottom ? w[i].bottom : bottom;
	}
	print_box(left, top, right, bottom, to);
}

static void print_line(const struct alto_page *page, size_t from, size_t end, struct buf *to)
{
	const struct ocr_word *w = page->words->words;
	buf_format(to, "<TextLine ID=\"p%zul%u\"", page->number, w[from].line);
	print_boxes(w, from, end, to);
	buf_str(to, ">");
	for (size_t i = from; i < end; i++) {
		if (i > from)
			buf_str(to, "<SP/>");
		buf_str(to, "<String CONTENT=\"");
		print_escaped(w[i].text, to);
		buf_byte(to, '"');
		print_box(w[i].left, w[i].top, w[i].right, w[i].bottom, to);
		if (page->recognised)
			buf_format(to, " WC=\"%d.%02d\"", w[i].confidence / 100, w[i].confidence % 100);
		buf_str(to, "/>");
	}
	buf_str(to, "</TextLine>\n");
}

/* The end of the words from `from` on that share a line, or a block. */
static size_t end_of(const struct ocr_page *p, size_t from, bool line)
{
	size_t end = from + 1;
	while (end < p->n && (line ? p->words[end].line == p->words[from].line : p->words[end].block == p->words[from].block))
		end++;
	return end;
}

void alto_add(const struct alto_page *page, struct buf *to)
{
	const struct ocr_page *words = page->words;
	buf_format(to,
	           "<Page ID=\"p%zu\" PHYSICAL_IMG_NR=\"%zu\" WIDTH=\"%u\" HEIGHT=\"%u\"><PrintSpace HPOS=\"0\" VPOS=\"0\" "
	           "WIDTH=\"%u\" HEIGHT=\"%u\">\n",
	           page->number, page->number, page->width, page->height, page->width, page->height);
	for (size_t block = 0, number = 1; words != NULL && block < words->n; number++) {
		size_t end = end_of(words, block, false);
		buf_format(to, "<TextBlock ID=\"p%zub%zu\"", page->number, number);
		print_boxes(words->words, block, end, to);
		buf_str(to, ">\n");
		for (size_t line = block; line < end;) {
			size_t line_end = end_of(words, line, true);
			line_end = line_end < end ? line_end : end;
			print_line(page, line, line_end, to);
			line = line_end;
		}
		buf_str(to, "</TextBlock>\n");
		block = end;
	}
	buf_str(to, "</PrintSpace></Page>\n");
}

void alto_end(struct buf *to)
{
	buf_str(to, "</Layout>\n</alto>\n");
}

void plain_add(const struct ocr_page *words, struct buf *to)
{
	for (size_t i = 0; words != NULL && i < words->n; i++) {
		const struct ocr_word *w = &words->words[i], *next = i + 1 < words->n ? w + 1 : NULL;
		buf_str(to, w->text);
		if (next == NULL)
			buf_byte(to, '\n');
		else if (next->block != w->block)
			buf_str(to, "\n\n");
		else
			buf_byte(to, next->line != w->line ? '\n' : ' ');
	}
	buf_byte(to, '\f');
}
