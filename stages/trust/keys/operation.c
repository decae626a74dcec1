#include "stages/trust/keys/operation.h"

#include <dlfcn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <p11-kit/pkcs11.h>
#include <stdlib.h>
#include <string.h>

/* PKCS #11 3.0, which older headers have not. */
#ifndef CKK_EC_EDWARDS
#define CKK_EC_EDWARDS 0x40UL
#endif
#ifndef CKM_EDDSA
#define CKM_EDDSA 0x1057UL
#endif

enum { ATTRIBUTE_MAX = 4096, SIGNATURE_MAX = 2048 };

struct operation {
	void *module;
	CK_FUNCTION_LIST *f;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
	CK_KEY_TYPE type;
	bool open, each_time;
	uint8_t id[128];
	size_t n_id;
};

/* What RSA signs with each hash: PSS parameters (RFC 4056), and the DigestInfo before the hash (RFC 8017, 9.2; RFC 9688 for SHA-3). */
static const struct hash {
	int nid;
	CK_MECHANISM_TYPE hash;
	CK_RSA_PKCS_MGF_TYPE mgf;
	uint8_t last;
} hashes[] = {
    {NID_sha256, CKM_SHA256, CKG_MGF1_SHA256, 1},
    {NID_sha384, CKM_SHA384, CKG_MGF1_SHA384, 2},
    {NID_sha512, CKM_SHA512, CKG_MGF1_SHA512, 3},
    /* PKCS #11 3.0, 6.1.8: numbers that its older versions have not. */
    {NID_sha3_256, 0x2B0, 0x07, 8},
    {NID_sha3_384, 0x2C0, 0x08, 9},
    {NID_sha3_512, 0x2D0, 0x09, 10},
};

static const struct hash *hash_of(const EVP_MD *md)
{
	for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++)
		if (hashes[i].nid == EVP_MD_get_type(md))
			return &hashes[i];
	return NULL;
}

static enum status fault(struct err *e, const char *call, CK_RV rv)
{
	if (rv == CKR_MECHANISM_INVALID || rv == CKR_MECHANISM_PARAM_INVALID || rv == CKR_ARGUMENTS_BAD ||
	    rv == CKR_KEY_TYPE_INCONSISTENT || rv == CKR_KEY_FUNCTION_NOT_PERMITTED || rv == CKR_KEY_SIZE_RANGE)
		return err_set(e, ST_RUN, "key-algorithm", "the token does not sign in this way with this key (%s: 0x%lx)", call,
		               rv);
	return err_set(e, ST_RETRY, "key-gone", "the token does not sign (%s: 0x%lx)", call, rv);
}

/* ---- the key ---- */

/* The first objects of a class with this label and identifier; *ret_n: how many there are, 2 for more. */
static CK_RV find(const struct operation *o, CK_OBJECT_CLASS class, const char *label, struct bytes id, CK_OBJECT_HANDLE ret[2],
                  CK_ULONG *ret_n)
{
	CK_ATTRIBUTE wanted[3] = {{CKA_CLASS, &class, sizeof class}};
	CK_ULONG n = 1;
	if (label[0] != '\0')
		wanted[n++] = (CK_ATTRIBUTE){CKA_LABEL, (void *)(uintptr_t)label, strlen(label)};
	if (id.n > 0)
		wanted[n++] = (CK_ATTRIBUTE){CKA_ID, (void *)(uintptr_t)id.p, id.n};
	CK_RV rv = o->f->C_FindObjectsInit(o->session, wanted, n);
	if (rv != CKR_OK)
		return rv;
	*ret_n = 0;
	rv = o->f->C_FindObjects(o->session, ret, 2, ret_n);
	o->f->C_FindObjectsFinal(o->session);
	return rv;
}

/* Into at most `room` bytes; the number of bytes, 0 where the token does not tell. */
static size_t attribute(const struct operation *o, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *to, size_t room)
{
	CK_ATTRIBUTE a = {type, to, room};
	CK_RV rv = o->f->C_GetAttributeValue(o->session, object, &a, 1);
	return rv == CKR_OK && a.ulValueLen <= room ? a.ulValueLen : 0;
}

static enum status find_key(struct operation *o, const struct operation_place *p, struct err *e)
{
	CK_OBJECT_HANDLE found[2] = {0};
	CK_ULONG n = 0;
	CK_BBOOL each_time = CK_FALSE;
	CK_RV rv = find(o, CKO_PRIVATE_KEY, p->label, p->id, found, &n);
	if (rv != CKR_OK)
		return fault(e, "C_FindObjects", rv);
	if (n == 0)
		return err_set(e, ST_RUN, "key-none", "none of the token's private keys is the one that the URI names");
	if (n > 1)
		return err_set(e, ST_RUN, "key-none", "the key's URI fits more than one private key; name both object and id");
	o->key = found[0];
	if (attribute(o, o->key, CKA_KEY_TYPE, &o->type, sizeof o->type) == 0)
		return err_set(e, ST_RETRY, "key-gone", "the token does not tell what kind its key is");
	attribute(o, o->key, CKA_ALWAYS_AUTHENTICATE, &each_time, sizeof each_time);
	o->each_time = each_time != CK_FALSE;
	o->n_id = attribute(o, o->key, CKA_ID, o->id, sizeof o->id);
	return ST_OK;
}

enum status operation_open(const struct operation_place *p, struct operation **ret_operation, struct err *e)
{
	struct operation *o = calloc(1, sizeof *o);
	if (o == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory");
	/* The same one that libp11 holds. */
	o->module = dlopen(p->module, RTLD_NOW | RTLD_NOLOAD);
	CK_C_GetFunctionList list = NULL;
	if (o->module != NULL)
		*(void **)&list = dlsym(o->module, "C_GetFunctionList");
	enum status st = ST_OK;
	if (list == NULL || list(&o->f) != CKR_OK)
		st = err_set(e, ST_RETRY, "key-gone", "the module is not there any more");
	CK_RV rv = st == ST_OK ? o->f->C_OpenSession(p->slot, CKF_SERIAL_SESSION, NULL, NULL, &o->session) : CKR_OK;
	if (rv != CKR_OK)
		st = fault(e, "C_OpenSession", rv);
	o->open = st == ST_OK;
	if (st == ST_OK)
		st = find_key(o, p, e);
	if (st != ST_OK) {
		operation_close(o);
		return st;
	}
	*ret_operation = o;
	return ST_OK;
}

void operation_close(struct operation *o)
{
	if (o == NULL)
		return;
	if (o->open)
		o->f->C_CloseSession(o->session);
	if (o->module != NULL)
		dlclose(o->module);
	free(o);
}

struct bytes operation_id(const struct operation *o)
{
	return (struct bytes){o->id, o->n_id};
}

bool operation_wants_login(const struct operation *o)
{
	return o->each_time;
}

/* ---- its public half ---- */

static EVP_PKEY *from_parameters(const char *kind, OSSL_PARAM_BLD *b)
{
	EVP_PKEY *key = NULL;
	OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(b);
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	if (parameters == NULL || c == NULL || EVP_PKEY_fromdata_init(c) != 1 ||
	    EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(c);
	OSSL_PARAM_free(parameters);
	return key;
}

/* The private key's own object has both numbers (PKCS #11 3.0, 6.1.3). */
static EVP_PKEY *rsa_public(const struct operation *o)
{
	uint8_t n[ATTRIBUTE_MAX], exponent[64];
	size_t n_n = attribute(o, o->key, CKA_MODULUS, n, sizeof n);
	size_t n_exponent = attribute(o, o->key, CKA_PUBLIC_EXPONENT, exponent, sizeof exponent);
	if (n_n == 0 || n_exponent == 0)
		return NULL;
	BIGNUM *modulus = BN_bin2bn(n, (int)n_n, NULL), *power = BN_bin2bn(exponent, (int)n_exponent, NULL);
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;
	if (modulus != NULL && power != NULL && b != NULL && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, power) == 1)
		key = from_parameters("RSA", b);
	OSSL_PARAM_BLD_free(b);
	BN_free(modulus);
	BN_free(power);
	return key;
}

/* CKA_EC_POINT is an OCTET STRING; some tokens give what is in it (PKCS #11 3.0, 6.3.3). */
static struct bytes point_of(const uint8_t *p, size_t n)
{
	if (n > 2 && n < 130 && p[0] == 0x04 && p[1] == n - 2)
		return (struct bytes){p + 2, n - 2};
	if (n > 3 && p[0] == 0x04 && p[1] == 0x81 && p[2] == n - 3)
		return (struct bytes){p + 3, n - 3};
	return (struct bytes){p, n};
}

static EVP_PKEY *ec_public(const uint8_t *parameters, size_t n, struct bytes point)
{
	ASN1_OBJECT *curve = d2i_ASN1_OBJECT(NULL, &parameters, (long)n);
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;
	if (curve != NULL && b != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, OBJ_nid2sn(OBJ_obj2nid(curve)), 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point.p, point.n) == 1)
		key = from_parameters("EC", b);
	OSSL_PARAM_BLD_free(b);
	ASN1_OBJECT_free(curve);
	return key;
}

EVP_PKEY *operation_public(const struct operation *o)
{
	uint8_t parameters[ATTRIBUTE_MAX], point[ATTRIBUTE_MAX];
	CK_OBJECT_HANDLE found[2];
	CK_ULONG n = 0;
	EVP_PKEY *key = NULL;
	if (o->type == CKK_RSA) {
		key = rsa_public(o);
	} else if (o->n_id > 0 && find(o, CKO_PUBLIC_KEY, "", operation_id(o), found, &n) == CKR_OK && n == 1) {
		size_t n_parameters = attribute(o, found[0], CKA_EC_PARAMS, parameters, sizeof parameters);
		struct bytes p = point_of(point, attribute(o, found[0], CKA_EC_POINT, point, sizeof point));
		if (o->type == CKK_EC)
			key = ec_public(parameters, n_parameters, p);
		else if (o->type == CKK_EC_EDWARDS)
			key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, p.p, p.n);
	}
	ERR_clear_error();
	return key;
}

/* ---- signing ---- */

enum status operation_begin(struct operation *o, enum key_algorithm algorithm, const EVP_MD *md, struct err *e)
{
	static const struct {
		CK_MECHANISM_TYPE mechanism;
		CK_KEY_TYPE key;
	} kinds[] = {
	    [KEY_RSA_PKCS1] = {CKM_RSA_PKCS, CKK_RSA},
	    [KEY_RSA_PSS] = {CKM_RSA_PKCS_PSS, CKK_RSA},
	    [KEY_ECDSA] = {CKM_ECDSA, CKK_EC},
	    [KEY_EDDSA] = {CKM_EDDSA, CKK_EC_EDWARDS},
	};
	const struct hash *h = hash_of(md);
	if (h == NULL || o->type != kinds[algorithm].key)
		return err_set(e, ST_RUN, "key-algorithm", "the algorithm does not fit the key");
	CK_RSA_PKCS_PSS_PARAMS pss = {h->hash, h->mgf, (CK_ULONG)EVP_MD_get_size(md)};
	CK_MECHANISM mechanism = {kinds[algorithm].mechanism, NULL, 0};
	if (algorithm == KEY_RSA_PSS)
		mechanism = (CK_MECHANISM){CKM_RSA_PKCS_PSS, &pss, sizeof pss};
	CK_RV rv = o->f->C_SignInit(o->session, &mechanism, o->key);
	return rv == CKR_OK ? ST_OK : fault(e, "C_SignInit", rv);
}

unsigned long operation_login(struct operation *o, const char *pin)
{
	return o->f->C_Login(o->session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)(uintptr_t)pin, pin == NULL ? 0 : strlen(pin));
}

/* DigestInfo (RFC 8017, A.2.4): SEQUENCE { SEQUENCE { OID 2.16.840.1.101.3.4.2.x, NULL }, OCTET STRING }. */
static void put_digest_info(const struct hash *h, struct bytes hashed, struct buf *to)
{
	static const uint8_t algorithm[] = {0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02};
	buf_byte(to, 0x30);
	buf_byte(to, (uint8_t)(17 + hashed.n));
	buf_add(to, algorithm, sizeof algorithm);
	buf_byte(to, h->last);
	buf_byte(to, 0x05);
	buf_byte(to, 0x00);
	buf_byte(to, 0x04);
	buf_byte(to, (uint8_t)hashed.n);
	buf_add(to, hashed.p, hashed.n);
}

/* Ecdsa-Sig-Value of r and s, which lie one behind the other. */
static bool put_ecdsa(const uint8_t *rs, size_t n, struct buf *to)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(rs, (int)(n / 2), NULL), *s = BN_bin2bn(rs + n / 2, (int)(n / 2), NULL);
	unsigned char *der = NULL;
	int n_der = -1;
	if (sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1)
		n_der = i2d_ECDSA_SIG(sig, &der);
	else {
		BN_free(r);
		BN_free(s);
	}
	if (n_der > 0)
		buf_add(to, der, (size_t)n_der);
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	return n_der > 0;
}

enum status operation_end(struct operation *o, enum key_algorithm algorithm, const EVP_MD *md, struct bytes message,
                          struct bytes hashed, struct buf *ret_signature, struct err *e)
{
	BUF_AUTO struct buf info = BUF_INIT(256);
	struct bytes in = algorithm == KEY_EDDSA ? message : hashed;
	if (algorithm == KEY_RSA_PKCS1) {
		put_digest_info(hash_of(md), hashed, &info);
		in = (struct bytes){info.data, info.len};
	}
	uint8_t signature[SIGNATURE_MAX];
	CK_ULONG n = sizeof signature;
	CK_RV rv = o->f->C_Sign(o->session, (CK_BYTE_PTR)(uintptr_t)in.p, in.n, signature, &n);
	if (rv != CKR_OK)
		return fault(e, "C_Sign", rv);
	if (algorithm != KEY_ECDSA)
		buf_add(ret_signature, signature, n);
	else if (n == 0 || n % 2 != 0 || !put_ecdsa(signature, n, ret_signature))
		return err_set(e, ST_RUN, "key-signature", "the token's signature is none of ECDSA");
	return ST_OK;
}
