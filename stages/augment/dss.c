#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/augment/internal.h"
#include "stages/base/digest.h"
#include "stages/pdf/field/field.h"
#include "stages/pdf/signatures.h"

/* SHA-256 of what the document's DSS holds already. */
struct held {
	uint8_t (*digests)[32];
	size_t n, cap;
	bool failed;
};

static void note_held(void *arg, enum pdfdss_kind kind, struct bytes der)
{
	(void)kind;
	struct held *h = arg;
	if (h->n == h->cap) {
		size_t cap = h->cap * 2 + 16;
		void *more = realloc(h->digests, cap * sizeof *h->digests);
		if (more == NULL) {
			h->failed = true;
			return;
		}
		h->digests = more;
		h->cap = cap;
	}
	sha256_bytes(der.p, der.n, h->digests[h->n++]);
}

static bool is_held(const struct held *h, struct bytes der)
{
	uint8_t digest[32];
	sha256_bytes(der.p, der.n, digest);
	for (size_t i = 0; i < h->n; i++)
		if (memcmp(h->digests[i], digest, sizeof digest) == 0)
			return true;
	return false;
}

static uint32_t write_blob(struct pdfupd *u, struct libdeflate_compressor *c, struct bytes der)
{
	uint32_t number = pdfupd_allocate(u);
	size_t bound = libdeflate_zlib_compress_bound(c, der.n);
	BUF_AUTO struct buf b = BUF_INIT(bound);
	uint8_t *room = buf_reserve(&b, bound);
	if (room != NULL)
		b.len = libdeflate_zlib_compress(c, der.p, der.n, room, bound);
	if (b.len > 0 && b.len < der.n)
		pdfupd_set_stream(u, number, "/Filter /FlateDecode", b.data, b.len);
	else
		pdfupd_set_stream(u, number, "", der.p, der.n);
	return number;
}

static void print_anchors(struct pdfupd *u, struct libdeflate_compressor *c, STACK_OF(X509) * anchors, const struct held *held,
                          struct buf *to)
{
	for (int i = 0; i < sk_X509_num(anchors); i++) {
		uint8_t *der = NULL;
		int n = i2d_X509(sk_X509_value(anchors, i), &der);
		struct bytes blob = {der, n > 0 ? (size_t)n : 0};
		if (n > 0 && !is_held(held, blob))
			buf_format(to, "%u 0 R ", write_blob(u, c, blob));
		OPENSSL_free(der);
	}
}

/* One array of the DSS: the references that are there, then the new ones. */
static void print_array(struct pdfupd *u, struct libdeflate_compressor *c, const struct pdfobj *old, const char *key,
                        const struct bytes *blobs, size_t n, STACK_OF(X509) * anchors, const struct held *held, struct buf *to)
{
	const struct pdfobj *array = pdfobj_get(old, key);
	if (pdfobj_length(array) == 0 && n == 0)
		return;
	buf_format(to, " /%s [", key);
	for (size_t i = 0; i < pdfobj_length(array); i++) {
		pdfobj_print(pdfobj_at(array, i), to);
		buf_byte(to, ' ');
	}
	for (size_t i = 0; i < n; i++)
		if (!is_held(held, blobs[i]))
			buf_format(to, "%u 0 R ", write_blob(u, c, blobs[i]));
	print_anchors(u, c, anchors, held, to);
	buf_byte(to, ']');
}

/* Extensions with ESIC (EN 319 142-1, 5.4.1): others are kept. */
static void print_extensions(const struct pdfobj *catalog, struct buf *to)
{
	const struct pdfobj *old = pdfobj_get(catalog, "Extensions");
	buf_str(to, " /Extensions <<");
	for (size_t i = 0; i < pdfobj_length(old); i++) {
		const char *key = pdfobj_key(old, i);
		/* A developer's prefix is four letters (ISO 32000-1, annex E): nothing to escape. */
		if (strcmp(key, "ESIC") == 0 ||
		    strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") != strlen(key))
			continue;
		buf_format(to, " /%s ", key);
		pdfobj_print(pdfobj_value(old, i), to);
	}
	buf_str(to, " /ESIC << /BaseVersion /1.7 /ExtensionLevel 5 >> >>");
}

static enum status write_dss(struct pdfupd *u, const struct pdfdoc *d, struct libdeflate_compressor *c, const struct material *m,
                             const struct held *held, struct err *e)
{
	uint32_t root = pdffield_catalog(d);
	const struct pdfobj *catalog = pdfupd_object(u, root), *old = pdfobj_get(catalog, "DSS");
	bool absent = pdfobj_kind(old) == PDF_NULL;
	uint32_t own = absent || pdfobj_reference(old) == 0 ? pdfupd_allocate(u) : pdfobj_reference(old);

	BUF_AUTO struct buf b = BUF_INIT(16u << 20);
	buf_str(&b, "<< /Type /DSS");
	print_array(u, c, old, "Certs", m->set.certificates, m->set.n_certificates, m->anchors, held, &b);
	print_array(u, c, old, "OCSPs", m->set.ocsps, m->set.n_ocsps, NULL, held, &b);
	print_array(u, c, old, "CRLs", m->set.crls, m->set.n_crls, NULL, held, &b);
	const struct pdfobj *vri = pdfobj_get(old, "VRI");
	if (pdfobj_kind(vri) != PDF_NULL) {
		buf_str(&b, " /VRI ");
		pdfobj_print(vri, &b);
	}
	buf_str(&b, " >>");
	pdfupd_set(u, own, b.data, b.len);
	if (b.failed)
		return err_set(e, ST_RETRY, "memory", "DSS");

	const char *const keys[] = {"DSS", "Extensions", NULL};
	buf_reset(&b);
	buf_str(&b, "<< ");
	pdfupd_print_without(u, root, keys, &b);
	buf_format(&b, " /DSS %u 0 R", own);
	print_extensions(catalog, &b);
	buf_str(&b, " >>");
	pdfupd_set(u, root, b.data, b.len);
	return b.failed ? err_set(e, ST_RETRY, "memory", "catalog") : ST_OK;
}

enum status dss_extend(struct pdfupd *u, const struct pdfdoc *d, const struct material *m, struct err *e)
{
	struct held held = {0};
	enum status st = pdfdss_each(d, note_held, &held, e);
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(9);
	if (st == ST_OK && (c == NULL || held.failed))
		st = err_set(e, ST_RETRY, "memory", "DSS");
	if (st == ST_OK)
		st = write_dss(u, d, c, m, &held, e);
	if (c != NULL)
		libdeflate_free_compressor(c);
	free(held.digests);
	return st;
}
