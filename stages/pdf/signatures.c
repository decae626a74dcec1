#include "stages/pdf/signatures.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"
#include "stages/pdf/changes.h"
#include "stages/pdf/internal.h"

#define FIELDS_MAX 50000
#define SIGNATURES_MAX 256 /* each takes a look at the whole file */
#define DSS_STREAM_MAX ((size_t)64 << 20)

struct list {
	const struct pdfdoc *doc;
	struct pdfsig *sigs;
	size_t n, fields;
	struct err *e;
};

static bool read_range(const struct pdfobj *dict, uint64_t ret_range[4])
{
	const struct pdfobj *range = pdfobj_get(dict, "ByteRange");
	bool good = pdfobj_length(range) == 4 && pdfobj_kind(range) == PDF_ARRAY;
	for (size_t i = 0; i < 4; i++) {
		const struct pdfobj *o = pdfobj_at(range, i);
		good = good && pdfobj_kind(o) == PDF_INTEGER && pdfobj_integer(o) >= 0;
		ret_range[i] = good ? (uint64_t)pdfobj_integer(o) : 0;
	}
	return good;
}

/* The DER without what fills up the hole. The length in the DER tells its end; where it does not, zeros at the end are cut. */
static struct bytes cut_padding(struct bytes s)
{
	if (s.n >= 2 && s.p[1] == 0x80)
		return s; /* indefinite length: its own end is zeros */
	size_t head = 2, n = s.n >= 2 ? s.p[1] : 0, end = s.n;
	if (n > 0x80) {
		size_t more = n - 0x80;
		for (n = 0; more > 0 && more <= 4 && head < s.n; more--)
			n = n << 8 | s.p[head++];
	}
	size_t least = head + n <= s.n ? head + n : 0;
	while (end > least && s.p[end - 1] == 0)
		end--;
	return (struct bytes){s.p, end};
}

/* The signature dictionary in a revision: the object itself, or the value of the field that it is. */
static const struct pdfobj *dictionary_in(const struct pdfdoc *d, uint32_t number)
{
	const struct pdfobj *o = pdfdoc_object(d, number);
	return pdfobj_kind(pdfobj_get(o, "Contents")) == PDF_NULL ? pdf_resolve(pdfobj_get(o, "V")) : o;
}

/* Whether the range is what 12.8.1 means: the whole revision but for this dictionary's own Contents. */
static bool check_range(const struct pdfsig *s, const struct pdfdoc *revision)
{
	const struct pdfobj *dict = dictionary_in(revision, s->object), *contents = pdfobj_get(dict, "Contents");
	uint64_t range[4], at, length;
	if (!read_range(dict, range) || memcmp(range, s->range, sizeof range) != 0)
		return false;
	/* By reference the hole could be any object's; the standard wants it in the dictionary. */
	if (pdfobj_kind_direct(contents) != PDF_STRING)
		return false;
	pdfobj_span(contents, &at, &length);
	return length >= 2 && pdfdoc_bytes(revision).p[at] == '<' && s->range[0] == 0 && s->range[1] == at &&
	       s->range[2] == at + length;
}

static int doc_mdp(const struct pdfobj *dict)
{
	const struct pdfobj *references = pdfobj_get(dict, "Reference");
	for (size_t i = 0; i < pdfobj_length(references); i++) {
		const struct pdfobj *r = pdfobj_at(references, i), *p = pdfobj_get(pdfobj_get(r, "TransformParams"), "P");
		if (!pdfobj_is_name(pdfobj_get(r, "TransformMethod"), "DocMDP"))
			continue;
		int64_t level = pdfobj_kind(p) == PDF_INTEGER ? pdfobj_integer(p) : 2;
		return level >= 1 && level <= 3 ? (int)level : 1;
	}
	return 0;
}

/* Reads what the dictionary says; from the signed revision where that is known. */
static enum status describe(struct pdfsig *s, const struct pdfobj *dict, struct err *e)
{
	struct bytes contents = cut_padding(pdfobj_string(pdfobj_get(dict, "Contents")));
	struct bytes m = pdfobj_string(pdfobj_get(dict, "M"));
	free(s->sub_filter);
	s->sub_filter = strdup(pdfobj_name(pdfobj_get(dict, "SubFilter")));
	buf_free(&s->contents);
	s->contents = BUF_INIT(contents.n);
	buf_add(&s->contents, contents.p, contents.n);
	if (s->sub_filter == NULL || s->contents.failed)
		return pdf_no_memory(e);
	s->timestamp = strcmp(s->sub_filter, "ETSI.RFC3161") == 0 || pdfobj_is_name(pdfobj_get(dict, "Type"), "DocTimeStamp");
	s->has_time = time_parse_pdf((const char *)m.p, m.n, &s->time_ms);
	s->doc_mdp = doc_mdp(dict);
	return ST_OK;
}

/* Looks at a signature in the revision that it signed. */
static enum status examine(const struct pdfdoc *d, struct pdfsig *s, const struct pdfobj *dict, struct err *e)
{
	enum status st = describe(s, dict, e);
	if (st != ST_OK)
		return st;
	s->changes = PDFSIG_FORBIDDEN;
	strcpy(s->change_reason, "the byte range is not that of a revision");
	bool four = read_range(dict, s->range);
	uint64_t end = s->range[2] + s->range[3];
	long revision = four && end >= s->range[2] && end <= d->in.n ? pdfdoc_revision_at(d, end) : -1;
	if (revision < 0)
		return ST_OK;
	s->revision = (size_t)revision;
	struct pdfdoc *signed_doc;
	struct err fault;
	st = pdfdoc_open((struct bytes){d->in.p, (size_t)end}, &signed_doc, &fault);
	if (st == ST_RETRY)
		*e = fault;
	if (st != ST_OK) {
		strcpy(s->change_reason, "the signed revision cannot be read");
		return st == ST_RETRY ? st : ST_OK;
	}
	s->range_ok = check_range(s, signed_doc);
	strcpy(s->change_reason, "the hole of the byte range is not the signature's Contents");
	if (s->range_ok) {
		s->whole_file = end == d->in.n;
		st = describe(s, dictionary_in(signed_doc, s->object), e);
		if (st == ST_OK)
			st = pdfchanges_judge(signed_doc, d, s, e);
	}
	pdfdoc_close(signed_doc);
	return st;
}

static enum status add(struct list *l, const char *name, const struct pdfobj *value, uint32_t holder)
{
	const struct pdfobj *dict = pdf_resolve(value);
	uint32_t object = pdfobj_number(dict) != 0 ? pdfobj_number(dict) : holder;
	/* The value of two fields is one signature. */
	for (size_t i = 0; i < l->n; i++)
		if (l->sigs[i].object == object)
			return ST_OK;
	if (l->n == SIGNATURES_MAX)
		return err_set(l->e, ST_ITEM, "pdf-limit", "more than %d signatures", SIGNATURES_MAX);
	struct pdfsig *sigs = realloc(l->sigs, (l->n + 1) * sizeof *sigs);
	if (sigs == NULL)
		return pdf_no_memory(l->e);
	l->sigs = sigs;
	struct pdfsig *s = &sigs[l->n++];
	*s = (struct pdfsig){.field = strdup(name), .object = object};
	return s->field == NULL ? pdf_no_memory(l->e) : examine(l->doc, s, dict, l->e);
}

/* One field and those below it (12.7.3). FT is inherited; a kid without T is a widget of this field. */
static enum status walk(struct list *l, const struct pdfobj *field, const char *prefix, bool signature, unsigned depth)
{
	const struct pdfobj *o = pdf_resolve(field), *kids = pdfobj_get(o, "Kids"), *type = pdfobj_get(o, "FT");
	if (pdfobj_kind(o) != PDF_DICT)
		return ST_OK;
	if (depth > PDF_DEPTH || ++l->fields > FIELDS_MAX || strlen(prefix) > 1024)
		return err_set(l->e, ST_ITEM, "pdf-form", "the form's fields are too many, too deep or a loop");
	if (pdfobj_kind(type) != PDF_NULL)
		signature = pdfobj_is_name(type, "Sig");
	char *part = pdfobj_text(pdfobj_get(o, "T"));
	BUF_AUTO struct buf name = BUF_INIT(1 << 20);
	if (part == NULL)
		return pdf_no_memory(l->e);
	buf_format(&name, "%s%s%s", prefix, prefix[0] != '\0' && part[0] != '\0' ? "." : "", part);
	free(part);
	if (name.failed)
		return err_set(l->e, ST_ITEM, "pdf-form", "the name of a field is too long");
	enum status st = ST_OK;
	if (signature && pdfobj_kind(pdfobj_get(o, "V")) == PDF_DICT)
		st = add(l, (const char *)name.data, pdfobj_get(o, "V"), pdfobj_number(o));
	for (size_t i = 0; i < pdfobj_length(kids) && st == ST_OK; i++)
		if (pdfobj_kind(pdfobj_get(pdfobj_at(kids, i), "T")) != PDF_NULL)
			st = walk(l, pdfobj_at(kids, i), (const char *)name.data, signature, depth + 1);
	return st;
}

/* A certification signature that the catalog names but no field holds counts as well. */
static enum status add_certification(struct list *l)
{
	const struct pdfobj *o = pdfobj_get(pdfobj_get(pdfdoc_catalog(l->doc), "Perms"), "DocMDP");
	if (pdfobj_kind(o) != PDF_DICT)
		return ST_OK;
	for (size_t i = 0; i < l->n; i++)
		if (l->sigs[i].object == pdfobj_number(pdf_resolve(o)))
			return ST_OK;
	return add(l, "", o, pdfobj_number(pdfdoc_catalog(l->doc)));
}

static int by_end(const void *a, const void *b)
{
	const struct pdfsig *x = a, *y = b;
	uint64_t ex = x->range[2] + x->range[3], ey = y->range[2] + y->range[3];
	if (ex != ey)
		return ex < ey ? -1 : 1;
	return strcmp(x->field, y->field);
}

enum status pdfsig_list(const struct pdfdoc *d, struct pdfsig **ret_list, size_t *ret_n, struct err *e)
{
	struct list l = {.doc = d, .e = e};
	*ret_list = NULL;
	*ret_n = 0;
	if (pdfdoc_encrypted(d))
		return err_set(e, ST_ITEM, "pdf-encrypted", "signatures in encrypted documents are not read");
	const struct pdfobj *fields = pdfobj_get(pdfobj_get(pdfdoc_catalog(d), "AcroForm"), "Fields");
	enum status st = ST_OK;
	for (size_t i = 0; i < pdfobj_length(fields) && st == ST_OK; i++)
		st = walk(&l, pdfobj_at(fields, i), "", false, 0);
	if (st == ST_OK)
		st = add_certification(&l);
	/* What could not be read may hold a signature. */
	if (st == ST_OK)
		st = pdfdoc_fault(d, e);
	if (st != ST_OK) {
		pdfsig_free(l.sigs, l.n);
		return st;
	}
	if (l.n > 0)
		qsort(l.sigs, l.n, sizeof *l.sigs, by_end);
	*ret_list = l.sigs;
	*ret_n = l.n;
	return ST_OK;
}

void pdfsig_free(struct pdfsig *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(list[i].field);
		free(list[i].sub_filter);
		buf_free(&list[i].contents);
	}
	free(list);
}

enum status pdfsig_digest(const struct pdfdoc *d, const struct pdfsig *s, const char *name, uint8_t *ret_digest, size_t *ret_n,
                          struct err *e)
{
	for (int i = 0; i < 4; i += 2)
		if (s->range[i] > d->in.n || s->range[i + 1] > d->in.n - s->range[i])
			return err_set(e, ST_ITEM, "pdf-signature", "the byte range of %s passes the end of the file", s->field);
	const EVP_MD *md = EVP_get_digestbyname(name);
	if (md == NULL || EVP_MD_get_size(md) > 64)
		return err_set(e, ST_ITEM, "pdf-signature", "no digest %s", name);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	unsigned n = 0;
	bool good = c != NULL && EVP_DigestInit_ex(c, md, NULL) == 1 &&
	            EVP_DigestUpdate(c, d->in.p + s->range[0], (size_t)s->range[1]) == 1 &&
	            EVP_DigestUpdate(c, d->in.p + s->range[2], (size_t)s->range[3]) == 1 &&
	            EVP_DigestFinal_ex(c, ret_digest, &n) == 1;
	EVP_MD_CTX_free(c);
	*ret_n = n;
	return good ? ST_OK : err_set(e, ST_RETRY, "memory", "OpenSSL's digest %s fails", name);
}

struct dss {
	const struct pdfdoc *doc;
	uint8_t *seen; /* a bit an object number */
	void (*each)(void *arg, enum pdfdss_kind kind, struct bytes der);
	void *arg;
	struct err *e;
};

static enum status dss_array(struct dss *w, const struct pdfobj *array, enum pdfdss_kind kind)
{
	for (size_t i = 0; i < pdfobj_length(array); i++) {
		const struct pdfobj *o = pdf_resolve(pdfobj_at(array, i));
		uint32_t number = pdfobj_number(o);
		if (pdfobj_kind(o) != PDF_STREAM || number >= w->doc->size || (w->seen[number / 8] >> number % 8 & 1) != 0)
			continue;
		w->seen[number / 8] |= (uint8_t)(1u << number % 8);
		BUF_AUTO struct buf der = BUF_INIT(DSS_STREAM_MAX);
		enum status st = pdfobj_stream(o, &der, w->e);
		if (st != ST_OK)
			return st;
		w->each(w->arg, kind, (struct bytes){der.data, der.len});
	}
	return ST_OK;
}

enum status pdfdss_each(const struct pdfdoc *d, void (*each)(void *arg, enum pdfdss_kind kind, struct bytes der), void *arg,
                        struct err *e)
{
	static const char *const keys[2][3] = {{"Certs", "OCSPs", "CRLs"}, {"Cert", "OCSP", "CRL"}};
	const struct pdfobj *dss = pdfobj_get(pdfdoc_catalog(d), "DSS"), *vri = pdfobj_get(dss, "VRI");
	struct dss w = {d, calloc(d->size / 8 + 1, 1), each, arg, e};
	enum status st = w.seen == NULL ? pdf_no_memory(e) : ST_OK;
	for (int k = 0; k < 3 && st == ST_OK; k++)
		st = dss_array(&w, pdfobj_get(dss, keys[0][k]), (enum pdfdss_kind)k);
	for (size_t i = 0; i < pdfobj_length(vri) && pdfobj_kind(vri) == PDF_DICT && st == ST_OK; i++)
		for (int k = 0; k < 3 && st == ST_OK; k++)
			st = dss_array(&w, pdfobj_get(pdfobj_value(vri, i), keys[1][k]), (enum pdfdss_kind)k);
	free(w.seen);
	return st;
}
