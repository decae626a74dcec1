/* CAdES for long keeping: the certificates and revocation data inside the SignedData (ETSI EN 319 122-1, 6.3, level B-LT). */
#include <openssl/objects.h>
#include <string.h>

#include "stages/trust/cades.h"
#include "stages/trust/der.h"
#include "stages/trust/internal.h"

#define ELEMENTS_MAX 512
#define ENCODED_MAX ((size_t)16 << 20)

/* The elements of a SET OF, each once, those that were there first. */
struct set {
	struct bytes v[ELEMENTS_MAX];
	size_t n;
	bool full;
};

static void set_add(struct set *s, struct bytes one)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].n == one.n && memcmp(s->v[i].p, one.p, one.n) == 0)
			return;
	s->full = s->full || s->n == ELEMENTS_MAX;
	if (!s->full)
		s->v[s->n++] = one;
}

static bool set_add_all(struct set *s, struct bytes content)
{
	struct bytes one;
	while (content.n > 0) {
		if (!der_next(&content, NULL, NULL, &one))
			return false;
		set_add(s, one);
	}
	return true;
}

/* An OCSPResponse as RevocationInfoChoice: [1] { id-ri-ocsp-response, OCSPResponse } (RFC 5652, 10.2.1; RFC 5940, 2). */
static void put_ocsp(struct buf *b, struct bytes response)
{
	static const uint8_t id_ri_ocsp_response[] = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x10, 0x02};
	size_t other = der_begin(b, DER_CONTEXT + 1);
	der_put(b, DER_OID, id_ri_ocsp_response, sizeof id_ri_ocsp_response);
	buf_add(b, response.p, response.n);
	der_end(b, other);
}

/* The parts of a SignedData (RFC 5652, 5.1), each a whole TLV; those that may be missing have n 0. */
struct parts {
	struct bytes type, digests, content, certificates, crls, signers;
};

static bool split(struct bytes der, struct parts *to)
{
	struct bytes info, explicit, data, one;
	uint8_t tag;
	*to = (struct parts){0};
	if (!der_next(&der, &tag, &info, NULL) || tag != DER_SEQUENCE || !der_next(&info, &tag, NULL, &to->type) ||
	    tag != DER_OID || !der_next(&info, &tag, &explicit, NULL) || tag != DER_CONTEXT + 0 ||
	    !der_next(&explicit, &tag, &data, NULL) || tag != DER_SEQUENCE || !der_next(&data, &tag, NULL, NULL) ||
	    tag != DER_INTEGER || !der_next(&data, &tag, NULL, &to->digests) || tag != DER_SET ||
	    !der_next(&data, &tag, NULL, &to->content) || tag != DER_SEQUENCE)
		return false;
	while (der_next(&data, &tag, NULL, &one)) {
		if (tag == DER_CONTEXT + 0)
			to->certificates = one;
		else if (tag == DER_CONTEXT + 1)
			to->crls = one;
		else if (tag == DER_SET)
			to->signers = one;
	}
	return to->signers.n > 0;
}

static struct bytes inside(struct bytes whole)
{
	struct bytes content = {0};
	return whole.n > 0 && der_next(&whole, NULL, &content, NULL) ? content : (struct bytes){0};
}

static void put_parts(struct buf *b, const struct parts *p, struct set *certificates, struct set *crls)
{
	size_t info = der_begin(b, DER_SEQUENCE);
	buf_add(b, p->type.p, p->type.n);
	size_t explicit = der_begin(b, DER_CONTEXT + 0);
	size_t data = der_begin(b, DER_SEQUENCE);
	bool other = false;
	for (size_t i = 0; i < crls->n; i++)
		other = other || crls->v[i].p[0] == DER_CONTEXT + 1;
	der_put_number(b, other ? 5 : 1);
	buf_add(b, p->digests.p, p->digests.n);
	buf_add(b, p->content.p, p->content.n);
	if (certificates->n > 0)
		der_put_set(b, DER_CONTEXT + 0, certificates->v, certificates->n);
	if (crls->n > 0)
		der_put_set(b, DER_CONTEXT + 1, crls->v, crls->n);
	buf_add(b, p->signers.p, p->signers.n);
	der_end(b, data);
	der_end(b, explicit);
	der_end(b, info);
}

enum status cades_add_values(struct bytes cms, const struct cades_values *v, struct buf *ret_cms, struct err *e)
{
	struct parts p;
	struct set certificates = {.n = 0}, crls = {.n = 0};
	BUF_AUTO struct buf ocsps = BUF_INIT(ENCODED_MAX);
	size_t before = ret_cms->len;
	if (!split(cms, &p) || !set_add_all(&certificates, inside(p.certificates)) || !set_add_all(&crls, inside(p.crls)))
		return err_set(e, ST_ITEM, "cms-syntax", "no SignedData in DER");
	for (size_t i = 0; i < v->n_ocsps; i++)
		put_ocsp(&ocsps, v->ocsps[i]);
	for (size_t i = 0; i < v->n_certificates; i++)
		set_add(&certificates, v->certificates[i]);
	for (size_t i = 0; i < v->n_crls; i++)
		set_add(&crls, v->crls[i]);
	bool ok = !ocsps.failed && set_add_all(&crls, (struct bytes){ocsps.data, ocsps.len}) && !certificates.full && !crls.full;
	if (ok)
		put_parts(ret_cms, &p, &certificates, &crls);
	if (!ok || ret_cms->failed) {
		ret_cms->len = before;
		return err_set(e, ST_RETRY, "memory", "no room for the values of a signature");
	}
	return ST_OK;
}
