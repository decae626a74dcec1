/* What the key holder and its clients agree on; messages as in talk.h, each at most KEY_MESSAGE_MAX bytes. */
#ifndef ARKSEAL_TRUST_KEYS_KEY_WIRE_H
#define ARKSEAL_TRUST_KEYS_KEY_WIRE_H

enum {
	/* No body. Answer: bytes certificate (DER), number n, n times bytes (the chain, issuer first). */
	KEY_ASK_CERTIFICATE = 1,
	/* Body: number algorithm, number digest, bytes attributes. Answer: bytes signature. */
	KEY_ASK_SIGNATURE = 2,
};

#endif
