#include "pipeline/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"

json_t *log_text(const char *text)
{
	if (utf8_valid(text, strlen(text)))
		return json_string(text);
	BUF_AUTO struct buf plain = BUF_INIT(1 << 16);
	for (; *text != '\0'; text++)
		buf_byte(&plain, (unsigned char)*text < 0x80 ? (uint8_t)*text : '?');
	return plain.failed ? NULL : json_stringn((const char *)plain.data, plain.len);
}

void log_print(struct buf *to, int64_t now_ms, const char *event, json_t *values)
{
	char when[TIME_TEXT];
	time_iso8601(now_ms, 0, true, when);
	json_t *all = json_pack("{s:s,s:s}", "time", when, "event", event);
	if (all != NULL && values != NULL)
		json_object_update(all, values);
	char *line = all == NULL ? NULL : json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(6));
	if (line != NULL) {
		buf_str(to, line);
		buf_byte(to, '\n');
	}
	free(line);
	json_decref(all);
	json_decref(values);
}

void log_event(const char *event, json_t *values)
{
	BUF_AUTO struct buf line = BUF_INIT(1 << 20);
	log_print(&line, time_now_ms(), event, values);
	if (!line.failed && line.len > 0)
		fwrite(line.data, 1, line.len, stderr);
	fflush(stderr);
}
