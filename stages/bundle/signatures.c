#include <openssl/cms.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/file.h"
#include "stages/bundle/internal.h"
#include "stages/pdf/signatures.h"

/* The subject of the certificate that made the signature; the caller frees. */
static char *signer_name(CMS_ContentInfo *cms, CMS_SignerInfo *signer)
{
	STACK_OF(X509) *certificates = CMS_get1_certs(cms);
	char *name = NULL;
	for (int i = 0; name == NULL && i < sk_X509_num(certificates); i++) {
		X509 *x = sk_X509_value(certificates, i);
		BIO *text = CMS_SignerInfo_cert_cmp(signer, x) == 0 ? BIO_new(BIO_s_mem()) : NULL;
		if (text != NULL &&
		    X509_NAME_print_ex(text, X509_get_subject_name(x), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
			char *at;
			long n = BIO_get_mem_data(text, &at);
			name = n > 0 ? strndup(at, (size_t)n) : NULL;
		}
		BIO_free(text);
	}
	sk_X509_pop_free(certificates, X509_free);
	return name;
}

static char *algorithm_name(CMS_SignerInfo *signer)
{
	X509_ALGOR *digest, *algorithm;
	const ASN1_OBJECT *object;
	char name[80], full[160];
	CMS_SignerInfo_get0_algs(signer, NULL, NULL, &digest, &algorithm);
	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	OBJ_obj2txt(name, sizeof name, object, 0);
	if (OBJ_obj2nid(object) != NID_rsaEncryption)
		return strdup(name);
	/* rsaEncryption names the key only: the digest stands apart. */
	X509_ALGOR_get0(&object, NULL, NULL, digest);
	OBJ_obj2txt(full, 80, object, 0);
	strncat(full, "WithRSAEncryption", 40);
	return strdup(full);
}

static void add(struct bundled *b, size_t i, struct bytes der)
{
	const unsigned char *at = der.p;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.n);
	STACK_OF(CMS_SignerInfo) *signers = cms == NULL ? NULL : CMS_get0_SignerInfos(cms);
	if (sk_CMS_SignerInfo_num(signers) == 1) {
		CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(signers, 0);
		const ASN1_OCTET_STRING *value = CMS_SignerInfo_get0_signature(signer);
		char *name = signer_name(cms, signer);
		b->texts[2 * i] = name == NULL ? strdup("") : name;
		b->texts[2 * i + 1] = algorithm_name(signer);
		b->values[i] = BUF_INIT(1 << 16);
		buf_add(&b->values[i], ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
		b->signatures[i] =
		    (struct package_signature){b->texts[2 * i], b->texts[2 * i + 1], {b->values[i].data, b->values[i].len}};
		b->n_signatures = i + 1;
	}
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
}

static enum status make_room(struct bundled *b, size_t n, struct err *e)
{
	b->signatures = calloc(n + 1, sizeof *b->signatures);
	b->texts = calloc(2 * n + 1, sizeof *b->texts);
	b->values = calloc(n + 1, sizeof *b->values);
	if (b->signatures == NULL || b->texts == NULL || b->values == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for signatures");
	return ST_OK;
}

/* The signature beside a file that is no PDF. */
static enum status add_detached(struct bundled *b, const struct item *it, struct err *e)
{
	const struct item_file *f = item_signature(it);
	BUF_AUTO struct buf cms = BUF_INIT(1u << 24);
	enum status st = make_room(b, 1, e);
	if (st == ST_OK && f != NULL)
		st = file_read(f->path, &cms, e);
	if (st == ST_OK && f != NULL)
		add(b, 0, (struct bytes){cms.data, cms.len});
	return st;
}

enum status bundled_signatures(struct bundled *b, const struct item *it, struct err *e)
{
	struct file_map in;
	struct pdfdoc *doc;
	struct pdfsig *list = NULL;
	size_t n = 0;
	if (!item_is_pdf(it))
		return add_detached(b, it, e);
	enum status st = file_map_open(it->artefact.path, &in, e);
	if (st != ST_OK)
		return st;
	st = pdfdoc_open(in.in, &doc, e);
	if (st == ST_OK) {
		st = pdfsig_list(doc, &list, &n, e);
		if (st == ST_OK)
			st = make_room(b, n, e);
		for (size_t i = 0; st == ST_OK && i < n; i++) {
			if (!list[i].timestamp) /* PREMIS tells who signed; the time-stamps are inside the file */
				add(b, b->n_signatures, (struct bytes){list[i].contents.data, list[i].contents.len});
		}
		pdfsig_free(list, n);
		pdfdoc_close(doc);
	}
	file_map_close(&in);
	return st;
}
