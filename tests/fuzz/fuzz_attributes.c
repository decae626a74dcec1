/* The key holder's look at what it is asked to sign: whatever comes, it is refused or it is what it seems. */
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

#include "stages/trust/keys/attributes.h"
#include "stages/trust/keys/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static X509 *own;
	if (own == NULL) {
		FILE *f = fopen("fixtures/pki/person.pem", "re");
		own = f == NULL ? NULL : PEM_read_X509(f, NULL, NULL, NULL);
		if (f != NULL)
			fclose(f);
		if (own == NULL)
			abort();
	}
	if (attributes_check((struct bytes){data, size}, 32, own, NULL) == ST_OK) {
		/* OpenSSL reads the same bytes and nothing else. */
		const unsigned char *p = data;
		STACK_OF(X509_ATTRIBUTE) *all = NULL;
		struct rd head = RD_INIT(data, size);
		rd_skip(&head, data[1] < 0x80 ? 2 : 2 + (size_t)(data[1] & 0x7F));
		p += head.at;
		all = sk_X509_ATTRIBUTE_new_null();
		while (p < data + size) {
			X509_ATTRIBUTE *a = d2i_X509_ATTRIBUTE(NULL, &p, (long)(data + size - p));
			if (a == NULL || X509_ATTRIBUTE_count(a) != 1)
				abort();
			sk_X509_ATTRIBUTE_push(all, a);
		}
		if (sk_X509_ATTRIBUTE_num(all) < 3)
			abort();
		sk_X509_ATTRIBUTE_pop_free(all, X509_ATTRIBUTE_free);
	}
	/* The same bytes as a URI. */
	char *text = malloc(size + 1);
	struct key_uri uri;
	if (text == NULL)
		return 0;
	for (size_t i = 0; i < size; i++)
		text[i] = (char)data[i];
	text[size] = '\0';
	if (key_uri_parse(text, &uri, NULL) == ST_OK && uri.pin_source[0] != '\0' && uri.pin_source[0] != '/')
		abort();
	free(text);
	return 0;
}
