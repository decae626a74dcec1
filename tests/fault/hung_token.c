/*
 * A PKCS #11 module that passes everything on to the one in HUNG_TOKEN_MODULE, but does not come back from C_Sign while the file in
 * HUNG_TOKEN is there; the file then tells that somebody waits.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <p11-kit/pkcs11.h>
#include <stdlib.h>
#include <unistd.h>

static CK_FUNCTION_LIST list;
static CK_C_Sign sign;

static CK_RV hang(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG n, CK_BYTE_PTR signature, CK_ULONG_PTR size)
{
	const char *name = getenv("HUNG_TOKEN");
	int fd = name != NULL ? open(name, O_WRONLY | O_CLOEXEC) : -1;
	if (fd >= 0 && write(fd, "x", 1) == 1)
		for (;;)
			pause();
	return sign(session, data, n, signature, size);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ret_list);

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ret_list)
{
	const char *name = getenv("HUNG_TOKEN_MODULE");
	void *real = name != NULL ? dlopen(name, RTLD_NOW | RTLD_LOCAL) : NULL;
	void *found = real != NULL ? dlsym(real, "C_GetFunctionList") : NULL;
	CK_FUNCTION_LIST_PTR theirs;
	if (found == NULL || (*(CK_C_GetFunctionList *)&found)(&theirs) != CKR_OK)
		return CKR_GENERAL_ERROR;
	list = *theirs;
	sign = list.C_Sign;
	list.C_Sign = hang;
	*ret_list = &list;
	return CKR_OK;
}
