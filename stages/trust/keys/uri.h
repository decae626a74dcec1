/* PKCS#11 URIs (RFC 7512), as far as they name a token and a key on it. */
#ifndef ARKSEAL_TRUST_KEYS_URI_H
#define ARKSEAL_TRUST_KEYS_URI_H

#include <stddef.h>
#include <stdint.h>

#include "stages/base/err.h"

#define URI_VALUE_MAX 1024

/* What the URI says; "" or a count of 0: nothing. Texts are decoded. */
struct key_uri {
	char token[64], manufacturer[64], serial[64], model[64]; /* of the token */
	char object[256];                                        /* label of the key */
	uint8_t id[128];                                         /* CKA_ID */
	size_t id_n;
	char type[16];                   /* "private", or nothing */
	char module_path[URI_VALUE_MAX]; /* absolute */
	char module_name[64];            /* "softhsm2": libsofthsm2.so in the usual folders */
	char pin_source[URI_VALUE_MAX];  /* absolute path, "file:" removed; "": none is needed */
};

/* ST_RUN "key-uri" where the URI is not well-formed, names an attribute twice or one that we do not know, carries the PIN itself, or
 * names neither a module nor a key; "key-pin-source" where the PIN's source is not a file. */
enum status key_uri_parse(const char *text, struct key_uri *ret_uri, struct err *e);

#endif
