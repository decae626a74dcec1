/* What the key holder signs: signed attributes of CMS (RFC 5652, 11; RFC 5035), and nothing else. */
#ifndef ARKSEAL_TRUST_KEYS_ATTRIBUTES_H
#define ARKSEAL_TRUST_KEYS_ATTRIBUTES_H

#include <openssl/x509.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

/* Whether `der` is the DER of a SET OF Attribute with content-type id-data, a message-digest of digest_n bytes and a
 * signing-certificate-v2 whose first hash is that of `own`; besides these at most signing-time and CMSAlgorithmProtection, each once
 * and with one value. Else ST_BUG "key-attributes". */
enum status attributes_check(struct bytes der, size_t digest_n, const X509 *own, struct err *e);

#endif
