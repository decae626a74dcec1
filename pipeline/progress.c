#include "pipeline/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "stages/base/text.h"

void progress_begin(struct progress *p, int64_t now_ms)
{
	p->terminal = isatty(STDERR_FILENO) == 1;
	p->began_ms = now_ms;
	p->next_ms = now_ms + (p->terminal ? 200 : 60000);
}

static void erase(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}

/* "1:02:03", or "–" where it cannot be told yet. */
static void left(const struct progress *p, int64_t now_ms, char ret_text[SAY_NUMBER])
{
	int64_t took_ms = now_ms - p->began_ms;
	if (p->work_done == 0 || took_ms < 2000 || !p->all_known) {
		snprintf(ret_text, SAY_NUMBER, "–");
		return;
	}
	uint64_t rest = p->work > p->work_done ? p->work - p->work_done : 0;
	int64_t s = (int64_t)((double)took_ms / 1000 * (double)rest / (double)p->work_done);
	snprintf(ret_text, SAY_NUMBER, "%d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
}

/* Cuts text to a width in columns, counting a code point as one. */
static void cut(char *text, size_t columns)
{
	const char *at = text;
	for (size_t i = 0; i < columns && *at != '\0'; i++)
		utf8_next(&at);
	text[at - text] = '\0';
}

void progress_tick(struct progress *p, int64_t now_ms, const char *where)
{
	if (now_ms < p->next_ms)
		return;
	p->next_ms = now_ms + (p->terminal ? 200 : 60000);
	char done[SAY_NUMBER], documents[SAY_NUMBER + 4], pages[SAY_NUMBER], aside[SAY_NUMBER], rest[SAY_NUMBER], rate[64];
	char number[SAY_NUMBER], line[1024];
	double seconds = (double)(now_ms - p->began_ms) / 1000;
	snprintf(documents, sizeof documents, "%s%s", say_number((long long)p->documents, number), p->all_known ? "" : "+");
	snprintf(rate, sizeof rate, say(SAY_RATE), seconds > 0 ? (double)p->pages / seconds : 0.0);
	left(p, now_ms, rest);
	int n = snprintf(line, sizeof line, say(SAY_PROGRESS), say_number((long long)p->done, done), documents,
	                 say_number((long long)p->pages, pages), rate, rest, say_number((long long)p->quarantined, aside));
	if (n > 0 && (size_t)n < sizeof line)
		snprintf(line + n, sizeof line - (size_t)n, "  [%s]", where);
	if (!p->terminal) {
		fprintf(stderr, "%s\n", line);
		return;
	}
	struct winsize size;
	cut(line, ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1u : 79);
	erase(p);
	fputs(line, stderr);
	fflush(stderr);
	p->drawn = true;
}

void progress_say(struct progress *p, enum say_text text, ...)
{
	va_list ap;
	erase(p);
	va_start(ap, text);
	vfprintf(stderr, say(text), ap);
	va_end(ap);
	fputc('\n', stderr);
}

void progress_end(struct progress *p)
{
	erase(p);
}
