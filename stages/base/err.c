#include "stages/base/err.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Cuts a half UTF-8 character from the end of a string that vsnprintf shortened. */
static void trim_utf8(char *text)
{
	size_t n = strlen(text), back = 0;
	while (back < 3 && back < n && ((unsigned char)text[n - 1 - back] & 0xC0) == 0x80)
		back++;
	if (back >= n)
		return;
	unsigned char lead = (unsigned char)text[n - 1 - back];
	size_t want = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
	if (want > back)
		text[n - 1 - back] = '\0';
}

static void put(char *to, size_t room, const char *format, va_list ap)
{
	int n = vsnprintf(to, room, format, ap);
	if (n >= 0 && (size_t)n >= room)
		trim_utf8(to);
}

enum status err_set(struct err *e, enum status st, const char *code, const char *format, ...)
{
	if (e == NULL)
		return st;
	memset(e, 0, sizeof *e);
	e->status = st;
	snprintf(e->code, sizeof e->code, "%s", code);
	va_list ap;
	va_start(ap, format);
	put(e->detail, sizeof e->detail, format, ap);
	va_end(ap);
	return st;
}

void err_arg(struct err *e, const char *format, ...)
{
	if (e == NULL || e->n_args == ERR_ARGS)
		return;
	va_list ap;
	va_start(ap, format);
	put(e->arg[e->n_args++], sizeof e->arg[0], format, ap);
	va_end(ap);
}

enum status err_where(struct err *e, const char *format, ...)
{
	if (e == NULL)
		return ST_BUG;
	if (e->where[0] == '\0') {
		va_list ap;
		va_start(ap, format);
		put(e->where, sizeof e->where, format, ap);
		va_end(ap);
	}
	return e->status;
}

enum status err_errno(struct err *e, const char *verb, const char *path)
{
	int number = errno;
	enum status st = ST_ITEM;
	/* What is made lies in folders of ours. That they are not there, or not ours any more, is no document's fault. */
	bool made = strcmp(verb, "create") == 0 || strcmp(verb, "write") == 0 || strcmp(verb, "rename") == 0 ||
	            strcmp(verb, "remove") == 0;
	switch (number) {
	case ENOENT:
	case EACCES:
	case EPERM:
		st = made ? ST_RETRY : ST_ITEM;
		break;
	case ENOSPC:
	case EDQUOT:
	case EROFS:
	case EIO:
	case ESTALE:
	case EBUSY:
	case ENOLCK:
	case ENODEV:
	case ENXIO:
	case ETIMEDOUT: /* from here on: a share's server */
	case ENOTCONN:
	case ECONNREFUSED:
	case ECONNRESET:
	case ECONNABORTED:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENETDOWN:
	case ENETUNREACH:
	case ENOMEM:
	case EMFILE:
	case ENFILE:
	case EINTR:
	case EAGAIN:
		st = ST_RETRY;
		break;
	default:
		break;
	}
	char code[32];
	snprintf(code, sizeof code, "file-%s", number == EFBIG ? "limit" : verb);
	err_set(e, st, code, "%s", strerror(number));
	err_arg(e, "%s", strerror(number));
	err_where(e, "%s", path);
	errno = number;
	return st;
}

const char *status_name(enum status st)
{
	static const char *const name[] = {"ok", "retry", "item", "run", "bug"};
	return name[st];
}
