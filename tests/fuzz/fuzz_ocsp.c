/* Revocation data and timestamp tokens from servers: taken into a store, asked about a certificate, judged. */
#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/trust/status.h"
#include "stages/trust/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t digest[32];
	struct bytes der = {data, size};
	struct cert_status status;
	struct trust_store *store = trust_store_new();
	trust_store_add_certificate(store, der);
	trust_store_add_crl(store, der);
	trust_store_add_ocsp(store, der);
	/* A certificate of no meaning, whose issuer is made to fit so that the CRL is read to its end. */
	X509 *x = X509_new();
	if (store != NULL && x != NULL && store->n_crls > 0)
		X509_set_issuer_name(x, X509_CRL_get_issuer(store->crls[0].crl));
	for (size_t i = 0; x != NULL && i < store->n_crls; i++)
		crl_read(store, store->crls[i].crl, x, x, &status);
	for (size_t i = 0; x != NULL && i < store->n_ocsps; i++)
		ocsp_read(store, store->ocsps[i].basic, x, x, &status);
	X509_free(x);
	struct verdict_run *run = NULL;
	struct verdict v;
	struct err e;
	struct verdict_policy policy = {.store = store, .now_ms = INT64_C(1790000000000), .min_rsa_bits = 2048};
	if (verdict_token_begin(der, &run, &e) == ST_OK)
		verdict_token_end(run, &policy, (struct bytes){digest, sizeof digest}, &v, NULL);
	trust_store_free(store);
	return 0;
}
