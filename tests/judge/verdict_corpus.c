/*
 * Our verdicts on the signed PDFs of the corpus beside those of the judges there (its README): three scenarios a file, each with its
 * anchors and its time.
 *
 *   verdict_corpus DIFFERENCES           the test: fails where a firm verdict differs and DIFFERENCES does not list it, or lists it in vain
 *   verdict_corpus --print               one line for each verdict: id, scenario, element, ours, theirs, firm or not
 *
 * Firm: the main indication where the judges agree on the cryptography, and HASH_FAILURE and SIG_CRYPTO_FAILURE anywhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stages/base/file.h"
#include "stages/base/text.h"
#include "stages/pdf/signatures.h"
#include "stages/trust/cades.h"
#include "stages/trust/verdict.h"

#define COLUMNS_MAX 32
#define ROWS_MAX 4096
#define FOUND_MAX 64

struct table {
	char *text;
	char *cell[ROWS_MAX][COLUMNS_MAX]; /* row 0: names */
	size_t rows, columns;
	bool used[ROWS_MAX];
};

static char nothing[1];

static struct table *table_read(const char *path)
{
	struct buf b = BUF_INIT(16 << 20);
	struct err e;
	struct table *t = calloc(1, sizeof *t);
	if (t == NULL || file_read(path, &b, &e) != ST_OK || (t->text = buf_take(&b)) == NULL) {
		fprintf(stderr, "cannot read %s\n", path);
		exit(2);
	}
	char *lines = t->text, *line;
	while ((line = strsep(&lines, "\n")) != NULL && t->rows < ROWS_MAX) {
		if (*line == 0 || *line == '#')
			continue;
		size_t n = 0;
		char *cell;
		while ((cell = strsep(&line, "\t")) != NULL && n < COLUMNS_MAX)
			t->cell[t->rows][n++] = cell;
		if (t->rows == 0)
			t->columns = n;
		while (n < COLUMNS_MAX)
			t->cell[t->rows][n++] = nothing;
		t->rows++;
	}
	return t;
}

static void table_free(struct table *t)
{
	free(t->text);
	free(t);
}

static const char *value(const struct table *t, size_t row, const char *column)
{
	for (size_t i = 0; i < t->columns; i++)
		if (strcmp(t->cell[0][i], column) == 0)
			return t->cell[row][i];
	fprintf(stderr, "no column %s\n", column);
	exit(2);
}

/* One signature or document timestamp as we see it. */
struct found {
	char name[256];
	bool timestamp;
	int64_t gen_ms;
	struct verdict v;
};

static void add_dss(void *arg, enum pdfdss_kind kind, struct bytes der)
{
	struct trust_store *s = arg;
	if (kind == PDFDSS_CERT)
		trust_store_add_certificate(s, der);
	else if (kind == PDFDSS_OCSP)
		trust_store_add_ocsp(s, der);
	else
		trust_store_add_crl(s, der);
}

static void refused(struct found *f, const char *subindication, const struct err *e)
{
	f->v.indication = TOTAL_FAILED;
	f->v.subindication = subindication;
	snprintf(f->v.reason, sizeof f->v.reason, "%.200s", e->detail);
}

static void judge(const struct pdfdoc *d, const struct pdfsig *s, struct verdict_policy *p, struct found *f)
{
	struct err e = {0};
	struct verdict_run *run = NULL;
	uint8_t digest[64];
	size_t n = 0;
	struct bytes der = {s->contents.data, s->contents.len};
	snprintf(f->name, sizeof f->name, "%s", s->field == NULL ? "" : s->field);
	f->timestamp = s->timestamp;
	if (!s->range_ok) {
		err_set(&e, ST_ITEM, "range", "the byte range is not right");
		refused(f, "FORMAT_FAILURE", &e);
		return;
	}
	if ((s->timestamp ? verdict_token_begin : verdict_begin)(der, &run, &e) != ST_OK) {
		refused(f, "FORMAT_FAILURE", &e);
		return;
	}
	if (pdfsig_digest(d, s, verdict_digest_name(run), digest, &n, &e) != ST_OK)
		n = 0;
	struct bytes content = {n == 0 ? NULL : digest, n};
	if (s->timestamp)
		verdict_token_end(run, p, content, &f->v, &f->gen_ms);
	else
		verdict_end(run, p, content, &f->v);
	/* What a valid document timestamp covers existed then. */
	if (s->timestamp && f->v.indication == TOTAL_PASSED && f->gen_ms < p->existed_ms)
		p->existed_ms = f->gen_ms;
}

static size_t judge_pdf(const char *path, const char *anchors, int64_t at_ms, struct found *found, struct err *e)
{
	struct file_map map = {.fd = -1};
	struct pdfdoc *d = NULL;
	struct pdfsig *list = NULL;
	size_t n = 0, kept = 0;
	struct trust_store *store = trust_store_new();
	if (store == NULL || file_map_open(path, &map, e) != ST_OK)
		goto out;
	if (pdfdoc_open(map.in, &d, e) != ST_OK || pdfsig_list(d, &list, &n, e) != ST_OK)
		goto out;
	if (anchors != NULL && trust_store_add_anchors(store, anchors, e) != ST_OK)
		goto out;
	struct err ignored;
	pdfdss_each(d, add_dss, store, &ignored);
	STACK_OF(X509) *certs = sk_X509_new_null();
	for (size_t i = 0; i < n; i++)
		cades_certificates((struct bytes){list[i].contents.data, list[i].contents.len}, certs, &ignored);
	for (int i = 0; i < sk_X509_num(certs); i++) {
		unsigned char *der = NULL;
		int length = i2d_X509(sk_X509_value(certs, i), &der);
		if (length > 0)
			trust_store_add_certificate(store, (struct bytes){der, (size_t)length});
		OPENSSL_free(der);
	}
	sk_X509_pop_free(certs, X509_free);
	struct verdict_policy p = {.store = store, .now_ms = at_ms, .existed_ms = at_ms, .min_rsa_bits = 1900};
	for (size_t i = n; i-- > 0 && kept < FOUND_MAX;) {
		found[kept] = (struct found){0};
		judge(d, &list[i], &p, &found[kept++]);
	}
out:
	pdfsig_free(list, n);
	pdfdoc_close(d);
	file_map_close(&map);
	trust_store_free(store);
	return kept;
}

static const struct found *match(const struct table *verdicts, size_t row, const struct found *found, size_t n)
{
	bool stamp = strcmp(value(verdicts, row, "name"), "DOCUMENT_TIMESTAMP") == 0;
	int64_t ms = 0;
	time_parse_iso8601(value(verdicts, row, "claimed_or_production_time"), &ms);
	for (size_t i = 0; i < n; i++) {
		if (stamp ? found[i].timestamp && found[i].gen_ms / 1000 == ms / 1000
		          : !found[i].timestamp && strcmp(found[i].name, value(verdicts, row, "name")) == 0)
			return &found[i];
	}
	return NULL;
}

/* DSS says PASSED and FAILED of timestamps, with TOTAL_ of signatures. */
static enum indication their(const char *word)
{
	return strstr(word, "PASSED") != NULL ? TOTAL_PASSED : strstr(word, "FAILED") != NULL ? TOTAL_FAILED : INDETERMINATE;
}

static bool listed(struct table *differences, const char *id, const char *scenario, const char *element, const char *ours)
{
	for (size_t i = 1; differences != NULL && i < differences->rows; i++) {
		if (strcmp(value(differences, i, "id"), id) == 0 && strcmp(value(differences, i, "element"), element) == 0 &&
		    strchr(value(differences, i, "scenarios"), *scenario) != NULL &&
		    strcmp(value(differences, i, "ours"), ours) == 0) {
			differences->used[i] = true;
			return true;
		}
	}
	return false;
}

struct run {
	struct table *verdicts, *manifest, *differences;
	const char *corpus;
	size_t compared, agreed, other_reason, known, bad;
};

static size_t manifest_row(const struct run *r, const char *id)
{
	for (size_t i = 1; i < r->manifest->rows; i++)
		if (strcmp(value(r->manifest, i, "id"), id) == 0)
			return i;
	return 0;
}

static void compare(struct run *r, size_t row, const struct found *found, size_t n, const struct err *e)
{
	const char *element = value(r->verdicts, row, "element"), *id = value(r->verdicts, row, "id");
	const char *scenario = value(r->verdicts, row, "scenario"), *indication = value(r->verdicts, row, "indication");
	const char *sub = value(r->verdicts, row, "subindication");
	bool signature = strncmp(element, "SIG", 3) == 0;
	if (!signature && strcmp(value(r->verdicts, row, "name"), "DOCUMENT_TIMESTAMP") != 0)
		return;
	const struct found *f = match(r->verdicts, row, found, n);
	char ours[400], theirs[200];
	if (f != NULL)
		snprintf(ours, sizeof ours, "%s%s%s", indication_name(f->v.indication), f->v.subindication[0] != 0 ? "/" : "",
		         f->v.subindication);
	else
		snprintf(ours, sizeof ours, "none%s%s", e->code[0] != 0 ? "/" : "", e->code);
	snprintf(theirs, sizeof theirs, "%s/%s", indication, sub);
	bool agree = strcmp(value(r->manifest, manifest_row(r, id), "judges_agree_on_crypto"), "yes") == 0;
	bool crypto = strcmp(sub, "HASH_FAILURE") == 0 || strcmp(sub, "SIG_CRYPTO_FAILURE") == 0;
	bool same = f != NULL && f->v.indication == their(indication);
	bool same_reason = same && (strcmp(sub, f->v.subindication) == 0 || (*sub == '-' && f->v.subindication[0] == 0));
	bool firm = agree || crypto;
	bool good = same && (!crypto || same_reason);
	r->compared += firm;
	r->agreed += firm && good;
	r->other_reason += firm && good && !same_reason;
	bool excused = firm && !good && listed(r->differences, id, scenario, element, ours);
	r->known += excused;
	if (r->differences == NULL)
		printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
		       good   ? same_reason ? "same" : "reason"
		       : firm ? "DIFFERS"
		              : "soft",
		       id, scenario, element, ours, theirs, f == NULL ? e->detail : f->v.reason,
		       value(r->verdicts, row, "messages"));
	else if (firm && !good && !excused) {
		printf("not listed: %s %s %s: ours %s (%s), theirs %s\n", id, scenario, element, ours,
		       f == NULL ? e->detail : f->v.reason, theirs);
		r->bad++;
	}
}

static void all_files(struct run *r)
{
	static struct found found[FOUND_MAX];
	size_t n = 0;
	char last[64] = "";
	struct err e = {0};
	for (size_t row = 1; row < r->verdicts->rows; row++) {
		const char *id = value(r->verdicts, row, "id"), *scenario = value(r->verdicts, row, "scenario");
		char key[64];
		snprintf(key, sizeof key, "%.40s %.8s", id, scenario);
		if (strchr("ABC", *scenario) == NULL)
			continue;
		if (strcmp(key, last) != 0) {
			char path[1024], anchors[512];
			int64_t at_ms = 0;
			size_t m = manifest_row(r, id);
			snprintf(path, sizeof path, "%s/signatures/%s", r->corpus, value(r->manifest, m, "file"));
			snprintf(anchors, sizeof anchors, "%s/signatures/anchors/%s.pem", r->corpus, id);
			if (m == 0 || !time_parse_iso8601(value(r->verdicts, row, "time"), &at_ms)) {
				fprintf(stderr, "%s: no row in the manifest, or no time\n", id);
				exit(2);
			}
			e = (struct err){0};
			n = judge_pdf(path, *scenario != 'A' && access(anchors, R_OK) == 0 ? anchors : NULL, at_ms, found, &e);
			snprintf(last, sizeof last, "%s", key);
		}
		compare(r, row, found, n, &e);
	}
}

int main(int argc, char **argv)
{
	const char *corpus = getenv("ARKSEAL_CORPUS") != NULL ? getenv("ARKSEAL_CORPUS") : "../shared/corpus";
	char path[1024];
	if (argc != 2)
		return 2;
	snprintf(path, sizeof path, "%s/signatures/verdicts.tsv", corpus);
	if (access(path, R_OK) != 0) {
		printf("*** DID NOT RUN: there is no corpus at %s (set ARKSEAL_CORPUS) ***\n", corpus);
		return 0;
	}
	struct run r = {.corpus = corpus, .verdicts = table_read(path)};
	snprintf(path, sizeof path, "%s/signatures/manifest.tsv", corpus);
	r.manifest = table_read(path);
	if (strcmp(argv[1], "--print") != 0)
		r.differences = table_read(argv[1]);
	all_files(&r);
	for (size_t i = 1; r.differences != NULL && i < r.differences->rows; i++) {
		if (!r.differences->used[i]) {
			printf("listed in vain: %s %s\n", value(r.differences, i, "id"), value(r.differences, i, "element"));
			r.bad++;
		}
	}
	printf("%zu firm verdicts, %zu the same (%zu of them for another reason), %zu listed differences, %zu faults\n",
	       r.compared, r.agreed, r.other_reason, r.known, r.bad);
	bool bad = r.bad > 0 || r.compared == 0;
	table_free(r.verdicts);
	table_free(r.manifest);
	if (r.differences != NULL)
		table_free(r.differences);
	return bad ? 1 : 0;
}
