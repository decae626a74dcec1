/* What a hostile worker tries: rows of a table, each with what came of it. */
#ifndef ARKSEAL_TESTS_FAULT_HOSTILE_H
#define ARKSEAL_TESTS_FAULT_HOSTILE_H

#include <stdbool.h>

#include "stages/base/buf.h"

/* Takes what the attempts go for from lines "name=path", and keeps pointers into text. False where one is missing. */
bool attempts_aim(char *text);
/* Tries the row of this name, or all for NULL, with `folder` as the work folder. Adds for each "name<TAB>kind<TAB>errno", 0 where it worked.
 * Of kind "prevented": must not work in the sandbox; "enabled": must work; "refused": a call with arguments that no kernel takes, which must
 * be refused before it sees them. */
void attempts_make(const char *folder, const char *name, struct buf *to);
/* Adds the names of all rows, a line each. */
void attempts_tell(struct buf *to);

#endif
