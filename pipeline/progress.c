#include "pipeline/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "pipeline/log.h"
#include "stages/base/text.h"

#define DRAW_MS 250
#define LINE_MS 60000

void progress_begin(struct progress *p, bool json, int64_t now_ms)
{
	const char *kind = getenv("TERM");
	p->json = json;
	p->terminal = !json && isatty(STDERR_FILENO) == 1 && kind != NULL && strcmp(kind, "dumb") != 0;
	p->began_ms = now_ms;
	p->next_ms = now_ms + (p->terminal ? DRAW_MS : LINE_MS);
}

bool progress_due(const struct progress *p, int64_t now_ms)
{
	return now_ms >= p->next_ms;
}

/* Back to the first drawn line; all below it is cleared. */
static void erase(struct progress *p)
{
	if (p->drawn > 0)
		fprintf(stderr, "\r\033[%zuA\033[J", p->drawn);
	p->drawn = 0;
}

/* Columns that a code point takes: marks that stand over another letter take none, East Asian letters two. */
static size_t columns_of(uint32_t c)
{
	if ((c >= 0x300 && c <= 0x36F) || c == 0x200B || c == 0x200D)
		return 0;
	bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xAC00 && c <= 0xD7A3) ||
	            (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
	            (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
	return wide ? 2 : 1;
}

/* Adds text without anything that a terminal would obey (names of files may hold it), cut to a width; 0: not cut. */
static void add_clean(struct buf *to, const char *text, size_t columns)
{
	size_t used = 0;
	bool valid = utf8_valid(text, strlen(text));
	while (*text != '\0') {
		const char *from = text;
		uint32_t c = valid ? utf8_next(&text) : (uint32_t)(unsigned char)*text++;
		bool plain = c >= 0x20 && c != 0x7F && !(c >= 0x80 && c < 0xA0) && !(c >= 0x202A && c <= 0x202E) &&
		             !(c >= 0x2066 && c <= 0x2069) && (valid || c < 0x80);
		size_t width = plain ? columns_of(c) : 1;
		if (columns > 0 && used + width > columns)
			return;
		used += width;
		if (plain)
			buf_add(to, from, (size_t)(text - from));
		else
			buf_byte(to, '?');
	}
}

static void add_line(struct buf *to, const char *text, size_t columns)
{
	add_clean(to, text, columns);
	buf_byte(to, '\n');
}

/* "1:02:03", "≥ 1:02:03", or "–" where it cannot be told yet. */
static void left(const struct progress_view *view, char ret_text[SAY_NUMBER + 8])
{
	double most = 100.0 * 24 * 3600 * 365;
	if (view->left_s < 0) {
		snprintf(ret_text, SAY_NUMBER + 8, "–");
		return;
	}
	int64_t s = (int64_t)(view->left_s > most ? most : view->left_s);
	snprintf(ret_text, SAY_NUMBER + 8, "%s%lld:%02d:%02d", view->at_least ? "≥ " : "", (long long)(s / 3600),
	         (int)(s / 60 % 60), (int)(s % 60));
}

size_t progress_print(const struct progress *p, int64_t now_ms, const struct progress_view *view, size_t columns, size_t rows,
                      struct buf *to)
{
	char done[SAY_NUMBER], documents[SAY_NUMBER + 4], pages[SAY_NUMBER], aside[SAY_NUMBER], rest[SAY_NUMBER + 8], rate[64];
	char number[SAY_NUMBER], line[1024];
	double seconds = (double)(now_ms - p->began_ms) / 1000;
	snprintf(documents, sizeof documents, "%s%s", say_number((long long)p->documents, number), p->all_known ? "" : "+");
	snprintf(rate, sizeof rate, say(SAY_RATE), seconds > 0 ? (double)p->pages / seconds : 0.0);
	left(view, rest);
	int n = snprintf(line, sizeof line, say(SAY_PROGRESS), say_number((long long)p->done, done), documents,
	                 say_number((long long)p->pages, pages), rate, rest, say_number((long long)p->quarantined, aside));
	if (columns == 0) {
		if (n > 0 && (size_t)n < sizeof line)
			snprintf(line + n, sizeof line - (size_t)n, "  [%s]", view->queues);
		add_line(to, line, 0);
		return 1;
	}
	size_t lines = 1;
	add_line(to, line, columns);
	if (rows > 2 && view->queues[0] != '\0') {
		snprintf(line, sizeof line, say(SAY_QUEUES), view->queues);
		add_line(to, line, columns);
		lines++;
	}
	for (size_t i = 0; i < view->n_hands && lines + 1 < rows; i++) {
		const struct progress_hand *h = &view->hands[i];
		char count[SAY_NUMBER + 32];
		snprintf(count, sizeof count, say(SAY_PAGES), say_number(h->pages, number));
		snprintf(line, sizeof line, "  %-9s %3d:%02d  %9s  %s", h->stage, (int)(h->took_ms / 60000),
		         (int)(h->took_ms / 1000 % 60), h->pages > 0 ? count : "", h->id);
		if (!utf8_valid(line, strlen(line))) { /* cut in the middle of a letter */
			size_t end = strlen(line);
			while (end > 0 && (unsigned char)line[end - 1] >= 0x80 && !utf8_valid(line, end))
				end--;
			line[end] = '\0';
		}
		add_line(to, line, columns);
		lines++;
	}
	return lines;
}

void progress_draw(struct progress *p, int64_t now_ms, const struct progress_view *view)
{
	p->next_ms = now_ms + (p->terminal ? DRAW_MS : LINE_MS);
	BUF_AUTO struct buf text = BUF_INIT(1 << 18);
	struct winsize size = {0};
	size_t columns = 0, rows = 0;
	if (p->json) {
		log_event("progress", json_pack("{s:I,s:b,s:I,s:I,s:I}", "documents", (json_int_t)p->documents, "known",
		                                p->all_known, "done", (json_int_t)p->done, "quarantined",
		                                (json_int_t)p->quarantined, "pages", (json_int_t)p->pages));
		return;
	}
	if (p->terminal) {
		bool told = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0;
		columns = told && size.ws_col > 1 ? size.ws_col - 1u : 79;
		rows = told && size.ws_row > 1 ? size.ws_row : 24;
	}
	size_t lines = progress_print(p, now_ms, view, columns, rows, &text);
	if (text.failed)
		return;
	erase(p);
	fwrite(text.data, 1, text.len, stderr);
	fflush(stderr);
	p->drawn = p->terminal ? lines : 0;
}

void progress_say(struct progress *p, enum say_text text, ...)
{
	char *line = NULL;
	va_list ap;
	va_start(ap, text);
	int n = vasprintf(&line, say(text), ap);
	va_end(ap);
	if (n < 0)
		return;
	BUF_AUTO struct buf clean = BUF_INIT(1 << 16);
	add_clean(&clean, line, 0);
	if (p->json) {
		log_event("message", json_pack("{s:o}", "text", log_text(line)));
	} else if (!clean.failed && clean.len > 0) {
		erase(p);
		fwrite(clean.data, 1, clean.len, stderr);
		fputc('\n', stderr);
	}
	free(line);
}

void progress_end(struct progress *p)
{
	erase(p);
}
