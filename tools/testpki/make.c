#include "tools/testpki/testpki.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ORGANISATION "Trung tâm Lưu trữ lịch sử tỉnh Thử Nghiệm"

/* What a certificate is for; decides its extensions. */
enum use { USE_ROOT, USE_CA, USE_SIGN, USE_STAMP, USE_OCSP, USE_OCSP_NOCHECK };

struct row {
	const char *name;
	const char *issuer; /* a row above, or NULL: signed by itself */
	const char *organisation;
	const char *common_name;
	const char *key; /* a curve's name, "ED25519", or the bits of an RSA key */
	enum use use;
	int from_days, to_days; /* validity from now; both 0: 2020 to 2060 */
};

/* An issuer stands above those that it issues. */
static const struct row organisation_rows[] = {
    {"root", NULL, "Arkseal Test", "Arkseal Test Root CA", "3072", USE_ROOT, -30, 7300},
    {"issuing", "root", "Arkseal Test", "Arkseal Test Issuing CA", "2048", USE_CA, -30, 3650},
    {"seal-rsa", "issuing", ORGANISATION, ORGANISATION, "2048", USE_SIGN, -20, 1095},
    {"seal-ec", "issuing", ORGANISATION, ORGANISATION, "P-256", USE_SIGN, -20, 1095},
    {"seal-rsa4096", "issuing", ORGANISATION, ORGANISATION, "4096", USE_SIGN, -20, 1095},
    {"seal-p384", "issuing", ORGANISATION, ORGANISATION, "P-384", USE_SIGN, -20, 1095},
    {"seal-p521", "issuing", ORGANISATION, ORGANISATION, "P-521", USE_SIGN, -20, 1095},
    {"seal-ed25519", "issuing", ORGANISATION, ORGANISATION, "ED25519", USE_SIGN, -20, 1095},
    {"seal-asks", "issuing", ORGANISATION, ORGANISATION, "2048", USE_SIGN, -20, 1095},
    {"person", "issuing", ORGANISATION, "Trần Thị Thử", "P-256", USE_SIGN, -20, 1095},
    {"revoked", "issuing", ORGANISATION, ORGANISATION, "P-256", USE_SIGN, -20, 1095},
    {"expired", "issuing", ORGANISATION, ORGANISATION, "P-256", USE_SIGN, -20, -1},
    {"tsa", "issuing", "Arkseal Test", "Arkseal Test TSA 1", "2048", USE_STAMP, -20, 1825},
    {"tsa2", "issuing", "Arkseal Test", "Arkseal Test TSA 2", "P-256", USE_STAMP, -20, 1825},
    {"tsa-expired", "issuing", "Arkseal Test", "Arkseal Test TSA of yesterday", "P-256", USE_STAMP, -20, -1},
    /* No id-pkix-ocsp-nocheck: whoever uses its answers needs its own revocation state too. */
    {"ocsp", "issuing", "Arkseal Test", "Arkseal Test OCSP", "P-256", USE_OCSP, -20, 1825},
    /* Trusted by nobody: the wrong signers. */
    {"rogue", NULL, "Arkseal Rogue", "Arkseal Rogue CA", "P-256", USE_ROOT, -20, 3650},
    {"rogue-tsa", "rogue", "Arkseal Rogue", "Arkseal Test TSA 1", "P-256", USE_STAMP, -20, 3650},
    {"rogue-ocsp", "rogue", "Arkseal Rogue", "Arkseal Test OCSP", "P-256", USE_OCSP_NOCHECK, -20, 3650},
};

static const struct row people_rows[] = {
    {"people-root", NULL, "Arkseal Test People", "Arkseal Test People Root CA", "3072", USE_ROOT, 0, 0},
    {"people-ca", "people-root", "Arkseal Test People", "Arkseal Test People CA", "2048", USE_CA, 0, 0},
    {"person", "people-ca", "Ủy ban nhân dân tỉnh Thử Nghiệm", "Nguyễn Văn Mẫu", "2048", USE_SIGN, 0, 0},
    {"people-tsa", "people-ca", "Arkseal Test People", "Arkseal Test People TSA", "2048", USE_STAMP, 0, 0},
    {"people-ocsp", "people-ca", "Arkseal Test People", "Arkseal Test People OCSP", "P-256", USE_OCSP_NOCHECK, 0, 0},
};

/* CAs with an OCSP service. */
static const char *ocsp_path(const char *ca)
{
	return strcmp(ca, "issuing") == 0 ? "ocsp" : strcmp(ca, "people-ca") == 0 ? "people-ocsp" : NULL;
}

static bool extend(X509 *c, X509 *issuer, const char *name, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, c, NULL, NULL, 0);
	X509_EXTENSION *x = X509V3_EXT_nconf(NULL, &context, name, value);
	bool ok = x != NULL && X509_add_ext(c, x, -1) == 1;
	X509_EXTENSION_free(x);
	return ok;
}

static bool extend_all(X509 *c, X509 *issuer, const struct row *r)
{
	static const struct {
		const char *basic, *usage, *extended;
	} uses[] = {
	    [USE_ROOT] = {"critical,CA:TRUE", "critical,keyCertSign,cRLSign", NULL},
	    [USE_CA] = {"critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign", NULL},
	    [USE_SIGN] = {"critical,CA:FALSE", "critical,digitalSignature,nonRepudiation", NULL},
	    [USE_STAMP] = {"critical,CA:FALSE", "critical,digitalSignature", "critical,timeStamping"},
	    [USE_OCSP] = {"critical,CA:FALSE", "critical,digitalSignature", "OCSPSigning"},
	    [USE_OCSP_NOCHECK] = {"critical,CA:FALSE", "critical,digitalSignature", "OCSPSigning"},
	};
	bool ok = extend(c, issuer, "basicConstraints", uses[r->use].basic) &&
	          extend(c, issuer, "keyUsage", uses[r->use].usage) && extend(c, issuer, "subjectKeyIdentifier", "hash");
	if (ok && uses[r->use].extended != NULL)
		ok = extend(c, issuer, "extendedKeyUsage", uses[r->use].extended);
	if (ok && r->use == USE_OCSP_NOCHECK)
		ok = extend(c, issuer, "noCheck", "ignored");
	if (!ok || r->issuer == NULL)
		return ok;
	char crl[256], aia[512];
	snprintf(crl, sizeof crl, "URI:" PKI_HOST "%s.crl", r->issuer);
	int n = snprintf(aia, sizeof aia, "caIssuers;URI:" PKI_HOST "%s.cer", r->issuer);
	/* A responder's own state comes from the CRL, never from itself. */
	bool responder = r->use == USE_OCSP || r->use == USE_OCSP_NOCHECK;
	if (!responder && ocsp_path(r->issuer) != NULL)
		snprintf(aia + n, sizeof aia - (size_t)n, ",OCSP;URI:" PKI_HOST "%s", ocsp_path(r->issuer));
	ok = extend(c, issuer, "authorityKeyIdentifier", "keyid:always") && extend(c, issuer, "authorityInfoAccess", aia);
	return ok && (r->use == USE_OCSP_NOCHECK || extend(c, issuer, "crlDistributionPoints", crl));
}

static bool name_add(X509_NAME *name, const char *type, const char *text)
{
	return X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0) == 1;
}

static X509 *certificate_make(const struct row *r, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
	X509 *c = X509_new();
	uint8_t serial[16];
	if (c == NULL || RAND_bytes(serial, sizeof serial) != 1)
		return c;
	serial[0] = (serial[0] & 0x3F) | 0x40; /* positive, full length */
	BIGNUM *bn = BN_bin2bn(serial, sizeof serial, NULL);
	X509_NAME *name = X509_get_subject_name(c);
	bool ok = X509_set_version(c, X509_VERSION_3) == 1 && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(c)) != NULL &&
	          name_add(name, "C", "VN") && name_add(name, "O", r->organisation) && name_add(name, "CN", r->common_name) &&
	          X509_set_pubkey(c, key) == 1;
	BN_free(bn);
	if (r->from_days == 0 && r->to_days == 0) {
		ok = ok && ASN1_TIME_set_string_X509(X509_getm_notBefore(c), "20200101000000Z") == 1 &&
		     ASN1_TIME_set_string_X509(X509_getm_notAfter(c), "20600101000000Z") == 1;
	} else {
		ok = ok && X509_time_adj_ex(X509_getm_notBefore(c), r->from_days, 0, NULL) != NULL &&
		     X509_time_adj_ex(X509_getm_notAfter(c), r->to_days, 0, NULL) != NULL;
	}
	ok = ok && X509_set_issuer_name(c, X509_get_subject_name(issuer == NULL ? c : issuer)) == 1 &&
	     extend_all(c, issuer == NULL ? c : issuer, r) && X509_sign(c, issuer == NULL ? key : issuer_key, EVP_sha256()) > 0;
	if (!ok) {
		X509_free(c);
		return NULL;
	}
	return c;
}

/* "<folder>/<name>.<extension>" opened for writing, readable by its owner only. */
static FILE *pem_create(const char *folder, const char *name, const char *extension)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s.%s", folder, name, extension);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, strcmp(extension, "key") == 0 ? 0600 : 0644);
	return fd < 0 ? NULL : fdopen(fd, "w");
}

static bool row_make(const char *folder, const struct row *rows, size_t i, X509 **certificates, EVP_PKEY **keys)
{
	const struct row *r = &rows[i];
	size_t up = i;
	for (size_t k = 0; r->issuer != NULL && k < i; k++)
		if (strcmp(rows[k].name, r->issuer) == 0)
			up = k;
	keys[i] = strcmp(r->key, "ED25519") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
	          : r->key[0] == 'P'             ? EVP_EC_gen(r->key)
	                                         : EVP_RSA_gen((unsigned)strtoul(r->key, NULL, 10));
	if (keys[i] == NULL)
		return false;
	certificates[i] = certificate_make(r, keys[i], up == i ? NULL : certificates[up], keys[up]);
	if (certificates[i] == NULL)
		return false;
	FILE *f = pem_create(folder, r->name, "key");
	bool ok = f != NULL && PEM_write_PKCS8PrivateKey(f, keys[i], NULL, NULL, 0, NULL, NULL) == 1;
	if (f != NULL && fclose(f) != 0)
		ok = false;
	f = ok ? pem_create(folder, r->name, "pem") : NULL;
	ok = f != NULL && PEM_write_X509(f, certificates[i]) == 1;
	if (f != NULL && fclose(f) != 0)
		ok = false;
	return ok;
}

#define ROWS_MAX 32

static bool rows_make(const char *folder, const struct row *rows, size_t n)
{
	X509 *certificates[ROWS_MAX] = {0};
	EVP_PKEY *keys[ROWS_MAX] = {0};
	bool ok = n <= ROWS_MAX;
	for (size_t i = 0; ok && i < n; i++) {
		ok = row_make(folder, rows, i, certificates, keys);
		if (!ok) {
			fprintf(stderr, "testpki: %s/%s: cannot be made\n", folder, rows[i].name);
			ERR_print_errors_fp(stderr);
		}
	}
	for (size_t i = 0; i < ROWS_MAX; i++) {
		X509_free(certificates[i]);
		EVP_PKEY_free(keys[i]);
	}
	return ok;
}

bool pki_make(const char *folder)
{
	return rows_make(folder, organisation_rows, sizeof organisation_rows / sizeof organisation_rows[0]);
}

bool pki_make_people(const char *folder)
{
	return rows_make(folder, people_rows, sizeof people_rows / sizeof people_rows[0]);
}
