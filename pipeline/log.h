/*
 * The events of a run for machines (--log json): one JSON object a line on standard error, each with "time" (ISO 8601, UTC) and
 * "event":
 *
 *   started      archive, backlog, profile, shard ("1/4"; absent: the whole), process
 *   stage        stage, id, seconds, pages, outcome ("ok", "quarantine", "refused"): a stage has answered for a document or package
 *   quarantined  id, stage, code, text
 *   refused      id, stage, code, text
 *   paused       stage, code, text, wait_s: a fault that passes
 *   resumed      stage
 *   message      text: what a person would be told
 *   progress     documents, known, done, quarantined, pages: once a minute
 *   fault        code, text, where, detail: a fault that no document bears
 *   stopping     asked to stop
 *   stopped      code, text (absent: asked to), exit: the same command goes on
 *   finished     documents, quarantined, pages, exit
 */
#ifndef ARKSEAL_PIPELINE_LOG_H
#define ARKSEAL_PIPELINE_LOG_H

#include <jansson.h>
#include <stdint.h>

#include "stages/base/buf.h"

/* Appends a line. `values`: the members after time and event, or NULL; the call takes it. */
void log_print(struct buf *to, int64_t now_ms, const char *event, json_t *values);
/* The same onto standard error. */
void log_event(const char *event, json_t *values);
/* A text as a JSON string; bytes that are no UTF-8 become '?'. */
json_t *log_text(const char *text);

#endif
