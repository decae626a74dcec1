/* Interactive forms (ISO 32000-1, 12.7), signatures and permissions (12.8). */
#include <openssl/cms.h>
#include <openssl/err.h>
#include <string.h>

#include "stages/pdfa/document/facts.h"

static bool there(const struct pdfobj *dictionary, const char *key)
{
	return pdfobj_kind(pdfobj_get(dictionary, key)) != PDF_NULL;
}

/* The offset after the next %%EOF from `at`, and after its end-of-line. False: there is none. */
static bool next_end(struct bytes in, uint64_t at, uint64_t *ret_marker, uint64_t *ret_end)
{
	const uint8_t *p = at < in.n ? memmem(in.p + at, in.n - (size_t)at, "%%EOF", 5) : NULL;
	if (p == NULL)
		return false;
	size_t end = (size_t)(p - in.p) + 5;
	*ret_marker = end;
	if (end < in.n && in.p[end] == '\r')
		end++;
	if (end < in.n && in.p[end] == '\n')
		end++;
	*ret_end = end;
	return true;
}

/* 12.8.1: the whole of the revision, but for Contents. The end-of-line of its marker may be outside, unless the file ends with it. */
static bool covers(const struct check *c, const struct pdfobj *signature)
{
	const struct pdfobj *range = pdfobj_get(signature, "ByteRange"), *contents = pdfobj_get(signature, "Contents");
	struct bytes in = pdfdoc_bytes(c->doc);
	uint64_t at, length, marker, end;
	int64_t v[4];
	pdfobj_span(contents, &at, &length);
	for (size_t i = 0; i < 4; i++) {
		v[i] = pdfobj_integer(pdfobj_at(range, i));
		if (v[i] < 0)
			return false;
	}
	if (length == 0 || !next_end(in, at + length, &marker, &end))
		return false;
	uint64_t last = (uint64_t)v[2] + (uint64_t)v[3];
	if (end >= in.n)
		marker = in.n;
	return v[0] == 0 && (uint64_t)v[1] == at && (uint64_t)v[2] == at + length && last >= marker && last <= end;
}

static struct o_signature_data read_data(struct bytes der)
{
	struct o_signature_data o = {0};
	const unsigned char *p = der.p;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, der.n > INT32_MAX ? INT32_MAX : (long)der.n);
	if (cms != NULL) {
		STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
		STACK_OF(X509) *certificates = CMS_get1_certs(cms);
		o.signers = signers == NULL ? 0 : sk_CMS_SignerInfo_num(signers);
		o.certificate = certificates != NULL && sk_X509_num(certificates) > 0;
		sk_X509_pop_free(certificates, X509_free);
		CMS_ContentInfo_free(cms);
	}
	ERR_clear_error();
	return o;
}

static void show_signature(struct check *c, const struct pdfobj *signature)
{
	uint32_t number = pdfobj_number(signature);
	if (pdfobj_kind(signature) != PDF_DICT || !seen_add(c, &c->document->signatures, number))
		return;
	struct o_signature o = {covers(c, signature)};
	pdfa_show(c, O_signature, &o, number, NULL);
	if (pdfobj_kind(pdfobj_get(signature, "Contents")) == PDF_STRING) {
		struct o_signature_data data = read_data(pdfobj_string(pdfobj_get(signature, "Contents")));
		pdfa_show(c, O_signature_data, &data, number, NULL);
	}
	const struct pdfobj *references = pdfobj_get(signature, "Reference");
	bool doc_mdp = there(pdfobj_get(pdfdoc_catalog(c->doc), "Perms"), "DocMDP");
	for (size_t i = 0; pdfobj_kind(references) == PDF_ARRAY && i < pdfobj_length(references); i++) {
		const struct pdfobj *r = pdfobj_at(references, i);
		struct o_signature_reference s = {
		    there(r, "DigestLocation") || there(r, "DigestMethod") || there(r, "DigestValue"), doc_mdp};
		pdfa_show(c, O_signature_reference, &s, number, NULL);
	}
}

static void show_fields(struct check *c, const struct pdfobj *kids, const struct pdfobj *type, unsigned depth)
{
	for (size_t i = 0; pdfobj_kind(kids) == PDF_ARRAY && i < pdfobj_length(kids) && !pdfa_ended(c); i++) {
		const struct pdfobj *field = pdfobj_at(kids, i), *own = pdfobj_get(field, "FT");
		/* Below a field, what has no name of its own is only its widget. */
		if (pdfobj_kind(field) != PDF_DICT || depth >= TREE_DEPTH || (depth > 0 && !there(field, "T")) ||
		    !seen_add(c, &c->document->fields, pdfobj_reference(field)))
			continue;
		own = pdfobj_kind(own) == PDF_NULL ? type : own;
		struct o_form_field o = {there(field, "AA")};
		pdfa_show(c, O_form_field, &o, pdfobj_number(field), NULL);
		actions_show_additional(c, pdfobj_get(field, "AA"), ACTIONS_FORM);
		if (pdfobj_is_name(own, "Sig"))
			show_signature(c, pdfobj_get(field, "V"));
		show_fields(c, pdfobj_get(field, "Kids"), own, depth + 1);
	}
}

void forms_show(struct check *c)
{
	const struct pdfobj *form = pdfobj_get(pdfdoc_catalog(c->doc), "AcroForm");
	if (pdfobj_kind(form) != PDF_DICT)
		return;
	struct o_interactive_form o = {pdfobj_boolean(pdfobj_get(form, "NeedAppearances")), there(form, "XFA")};
	pdfa_show(c, O_interactive_form, &o, pdfobj_number(form), NULL);
	show_fields(c, pdfobj_get(form, "Fields"), pdfobj_get(form, "FT"), 0);
}

void permissions_show(struct check *c)
{
	const struct pdfobj *permissions = pdfobj_get(pdfdoc_catalog(c->doc), "Perms");
	struct o_permissions o = {true};
	if (pdfobj_kind(permissions) != PDF_DICT)
		return;
	for (size_t i = 0; i < pdfobj_length(permissions); i++)
		o.only_known = o.only_known && (strcmp(pdfobj_key(permissions, i), "UR3") == 0 ||
		                                strcmp(pdfobj_key(permissions, i), "DocMDP") == 0);
	pdfa_show(c, O_permissions, &o, pdfobj_number(permissions), NULL);
}
