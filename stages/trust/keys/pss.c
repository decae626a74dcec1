#include "stages/trust/keys/pss.h"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <string.h>

static const struct {
	int nid;
	CK_MECHANISM_TYPE hash;
	CK_RSA_PKCS_MGF_TYPE mgf;
} hashes[] = {
    {NID_sha256, CKM_SHA256, CKG_MGF1_SHA256},
    {NID_sha384, CKM_SHA384, CKG_MGF1_SHA384},
    {NID_sha512, CKM_SHA512, CKG_MGF1_SHA512},
};

static enum status fault(struct err *e, const char *call, CK_RV rv)
{
	if (rv == CKR_MECHANISM_INVALID || rv == CKR_MECHANISM_PARAM_INVALID)
		return err_set(e, ST_RUN, "key-algorithm", "the token has no RSASSA-PSS with this hash (%s: 0x%lx)", call, rv);
	return err_set(e, ST_RETRY, "key-gone", "the token does not sign (%s: 0x%lx)", call, rv);
}

static CK_RV key_find(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, const struct pss_key *key, CK_OBJECT_HANDLE *ret_object)
{
	CK_OBJECT_CLASS private = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE wanted[3] = {{CKA_CLASS, &private, sizeof private}};
	CK_ULONG n = 1, found = 0;
	if (key->label != NULL && key->label[0] != '\0')
		wanted[n++] = (CK_ATTRIBUTE){CKA_LABEL, (void *)(uintptr_t)key->label, strlen(key->label)};
	if (key->id.n > 0)
		wanted[n++] = (CK_ATTRIBUTE){CKA_ID, (void *)(uintptr_t)key->id.p, key->id.n};
	CK_RV rv = f->C_FindObjectsInit(session, wanted, n);
	if (rv != CKR_OK)
		return rv;
	rv = f->C_FindObjects(session, ret_object, 1, &found);
	f->C_FindObjectsFinal(session);
	return rv == CKR_OK && found != 1 ? CKR_KEY_HANDLE_INVALID : rv;
}

static enum status session_sign(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, const struct pss_key *key, const EVP_MD *md,
                                struct bytes hashed, struct buf *ret_signature, struct err *e)
{
	CK_RSA_PKCS_PSS_PARAMS parameters = {.s_len = hashed.n};
	CK_MECHANISM mechanism = {CKM_RSA_PKCS_PSS, &parameters, sizeof parameters};
	CK_OBJECT_HANDLE object = 0;
	for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
		if (hashes[i].nid == EVP_MD_get_type(md)) {
			parameters.hash_alg = hashes[i].hash;
			parameters.mgf = hashes[i].mgf;
		}
	}
	CK_RV rv = key_find(f, session, key, &object);
	if (rv != CKR_OK)
		return fault(e, "C_FindObjects", rv);
	rv = f->C_SignInit(session, &mechanism, object);
	if (rv != CKR_OK)
		return fault(e, "C_SignInit", rv);
	uint8_t signature[1024];
	CK_ULONG n = sizeof signature;
	rv = f->C_Sign(session, (CK_BYTE_PTR)(uintptr_t)hashed.p, hashed.n, signature, &n);
	if (rv != CKR_OK)
		return fault(e, "C_Sign", rv);
	buf_add(ret_signature, signature, n);
	return ST_OK;
}

enum status pss_sign(const struct pss_key *key, const EVP_MD *md, struct bytes hashed, struct buf *ret_signature, struct err *e)
{
	/* libp11 holds the module; this is the same one, initialised and logged in. */
	void *module = dlopen(key->module, RTLD_NOW | RTLD_NOLOAD);
	CK_C_GetFunctionList list = NULL;
	CK_FUNCTION_LIST *f = NULL;
	CK_SESSION_HANDLE session;
	if (module != NULL)
		*(void **)&list = dlsym(module, "C_GetFunctionList");
	if (list == NULL || list(&f) != CKR_OK) {
		if (module != NULL)
			dlclose(module);
		return err_set(e, ST_RETRY, "key-gone", "the module is not there any more");
	}
	enum status st;
	CK_RV rv = f->C_OpenSession(key->slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
	if (rv != CKR_OK) {
		st = fault(e, "C_OpenSession", rv);
	} else {
		st = session_sign(f, session, key, md, hashed, ret_signature, e);
		f->C_CloseSession(session);
	}
	dlclose(module);
	return st;
}
