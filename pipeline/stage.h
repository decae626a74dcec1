/*
 * The contract between the engine and a stage.
 *
 * A stage is a constant record of functions. To add one: a folder in stages/, a header that declares the record, a row in
 * pipeline/stages.c, a test, a line in docs/architecture.md.
 *
 * A stage runs in a process of its own, single-threaded, as a filter: it reads item records, works on one at a time, and writes
 * them. It changes no file that it did not make and opens its inputs read-only. Everything that it makes lies in
 * env->work_folder, under a name that stage_path gives, written by outfile_* so that it appears whole.
 */
#ifndef ARKSEAL_PIPELINE_STAGE_H
#define ARKSEAL_PIPELINE_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/item.h"
#include "pipeline/profile.h"
#include "pipeline/shard.h"
#include "pipeline/site.h"
#include "stages/base/err.h"

/* What a stage is given besides its records. Everything is borrowed and lives as long as the process. */
struct stage_env {
	const struct profile *profile;
	const struct site *site; /* NULL for a stage that needs neither key nor network */
	const char *work_folder; /* absolute; exists */
	int key_fd;              /* socket to the key holder (stages/trust/keyholder.h), or -1 */
	int fetch_fd;            /* socket to the network process (stages/trust/fetch.h), or -1 */
	int64_t (*now_ms)(void); /* the clock; tests give a fixed one */
	bool parts;              /* long documents may be done in ranges */
	struct shard shard;      /* a producing stage may leave out what is not in it; the engine drops it otherwise */
};

enum stage_needs {
	STAGE_NEEDS_KEY = 1,     /* env->key_fd */
	STAGE_NEEDS_NETWORK = 2, /* env->fetch_fd */
};

/* Takes an item over and frees it. A status other than ST_OK ends the producing stage with it. */
typedef enum status item_sink(void *sink, struct item *it, struct err *e);

struct stage {
	const char *name;    /* as in the profile's list of stages and on the command line */
	const char *summary; /* one line for the help */
	unsigned needs;      /* enum stage_needs */

	/* Called once after the process has started and before the sandbox closes: opens what lives as long as the process (fonts,
	 * language data, connections). *ret_state belongs to the stage. NULL: nothing to open. */
	enum status (*open)(const struct stage_env *env, void **ret_state, struct err *e);
	void (*close)(void *state); /* NULL where open is NULL */

	/* Exactly one of the three is set. */

	/* Works on one document; changes *it (artefact, events). On any status but ST_OK the engine calls item_fail, and what the
	 * call has made so far must not be referred to by *it. A stage may itself call item_refuse and return ST_OK.
	 *
	 * A long document may be done in ranges of pages, so that several workers share it. Where env->parts is set, work may answer the whole
	 * document with ITEM_PARTS and in it->range the first range and all pages ({1, 16, 200}); nothing else of *it changes. The engine
	 * then hands the document out once for each range ({1, 16, 200}, {17, 32, 200} …), to any worker in any order, and work answers each
	 * with ITEM_OK and one file in it->parts; at last once more, with range {0, 0, 0} and all files in it->parts in the order of pages, and work makes
	 * the artefact of them, clears it->parts and answers as for any document. The artefact is the same, byte for byte, as
	 * without ranges. Part files have names by which a later try finds and takes them if they were made of the same. The engine removes them
	 * when the document has passed the stage. */
	enum status (*work)(void *state, struct item *it, struct err *e);
	/* Works on all documents of a dossier (n ≥ 1) and makes one item of kind ITEM_PACKAGE, which the caller frees. */
	enum status (*gather)(void *state, struct item *const *items, size_t n, struct item **ret_package, struct err *e);
	/* Reads a backlog and makes items. */
	enum status (*produce)(void *state, const char *backlog, item_sink *sink, void *sink_arg, struct err *e);
};

/* The table of all stages, in the order that data flows, ended by NULL (pipeline/stages.c). */
extern const struct stage *const stages[];
const struct stage *stage_find(const char *name); /* NULL where there is none */

/* A process that lives beside the stages and serves them over sockets: key holder, network process (pipeline/stages.c lists
 * them). control_fd is a SOCK_SEQPACKET socket; each message on it is one byte and one descriptor (SCM_RIGHTS), a stream socket
 * to a new client. The service ends when control_fd is closed at the other end and no client is left. Returns the process's exit
 * status. ready_fd: one line "ok\n", or a fault as "code\tdetail\twhere\tstatus\n", is written when the service
 * has started, then it is closed. */
struct service {
	const char *name;
	unsigned serves; /* enum stage_needs: exactly one */
	int (*main)(const struct profile *profile, const struct site *site, int control_fd, int ready_fd);
};
extern const struct service *const services[];

/* The path of what `stage` makes of an item: "<work folder>/<first 32 hex digits of SHA-256 of the id>.<stage><extension>",
 * extension with its dot. Stable, so that a second try overwrites the first. The caller frees; NULL: no memory. */
char *stage_path(const struct stage_env *env, const struct item *it, const char *stage, const char *extension);
/* What stands in place of the extension in the name of what a stage keeps in the work folder for its own next try; the engine removes it with
 * the artefact or companion that the stage made. */
#define STAGE_NOTE ".note"
/* What the names of all that stages make of an item begin with. */
#define STAGE_PREFIX 33
void stage_prefix(const char *id, char ret_prefix[STAGE_PREFIX + 1]);

#endif
