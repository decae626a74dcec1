/* Finding out: a PDF, a package, a detached seal. Private to this folder. */
#ifndef ARKSEAL_VALIDATE_CHECK_H
#define ARKSEAL_VALIDATE_CHECK_H

#include "stages/trust/revocation.h"
#include "stages/validate/report.h"

struct check_policy {
	const struct trust_store *anchors;
	int64_t at_ms; /* validation time */
	unsigned min_rsa_bits;
	bool unknown_passes;       /* as in struct verdict_policy */
	bool seal_required;        /* a package without a seal is invalid; else indeterminate */
	bool pdfa;                 /* PDF/A is checked */
	bool pdfa_counts;          /* what breaks it is invalid; else it is told only */
	enum pdfa_flavour flavour; /* against this one; PDFA_NONE: what the file says it is */
	struct fetch *fetch;       /* online, or NULL */
	int64_t (*now_ms)(void);   /* the clock for what is fetched */
};

/* Called with each report, which is freed after it; may add problems of its own. */
typedef void check_sink(void *arg, struct report *r);

/* A PDF's signatures, newest timestamp first: what a valid one covers existed at its time (ETSI EN 319 102-1, 5.6). The validation
 * material that the document holds is added to `shared` as well, which may be NULL. */
enum status check_pdf(const struct check_policy *policy, const char *path, struct bytes content, struct trust_store *shared,
                      struct report *ret_report, struct err *e);
/* A store over the policy's anchors, for the material of one file. */
enum status check_store(const struct check_policy *policy, struct trust_store **ret_store, struct err *e);
/* Reads anchors from n files or folders. Errors: those of trust_store_add_anchors. */
enum status check_anchors(const char *const *paths, size_t n, struct trust_store **ret_anchors, struct err *e);

/* A detached CMS signature over content: adds it to the report under that name. What it carries besides is not added to the store; online what
 * it lacks is. */
enum status check_detached(const struct check_policy *policy, const char *field, struct bytes cms, struct bytes content,
                           struct trust_store *store, struct report *r, struct err *e);
/* A file that is no PDF, with the signature in "<path>.p7s" beside it. */
enum status check_signed_file(const struct check_policy *policy, const char *path, struct report *ret_report, struct err *e);

/* A package, folder or ZIP, and each document inside it. Reports go to the sink, the documents' first; *ret_verdict is the package's.
 * ret_first gets the first problem in words, for a notice. */
enum status check_package(const struct check_policy *policy, const char *path, check_sink *sink, void *arg,
                          enum report_verdict *ret_verdict, char *ret_first, size_t first_room, struct err *e);

/* Where the seal of a package lies: "<folder>.METS.p7s" beside it, of a ZIP without its extension. The caller frees. */
char *check_seal_path(const char *package);

/* What of a report a notice should tell. */
void check_first(const struct report *r, char *to, size_t room);

#endif
