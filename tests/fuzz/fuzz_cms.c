/* A signature's CMS, whoever made it: opened, its certificates taken, judged. */
#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/trust/cades.h"
#include "stages/trust/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t digest[64];
	struct bytes cms = {data, size};
	struct verdict_run *run = NULL;
	struct verdict v;
	struct err e;
	struct trust_store *store = trust_store_new();
	struct verdict_policy policy = {.store = store, .now_ms = INT64_C(1790000000000), .min_rsa_bits = 2048};
	STACK_OF(X509) *certs = sk_X509_new_null();
	cades_certificates(cms, certs, &e);
	sk_X509_pop_free(certs, X509_free);
	if (verdict_begin(cms, &run, &e) == ST_OK)
		verdict_end(run, &policy, (struct bytes){digest, 32}, &v);
	uint8_t value[32];
	cades_signature_digest(cms, value, &e);
	trust_store_free(store);
	return 0;
}
