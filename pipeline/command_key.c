/* arkseal key check: whether the token, its PIN, the key and its certificate are as the site file says. */
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/commands.h"
#include "pipeline/options.h"
#include "pipeline/services.h"
#include "pipeline/site.h"

static void print_certificate(X509 *c)
{
	BIO *out = BIO_new_fp(stdout, BIO_NOCLOSE);
	if (out == NULL)
		return;
	X509_NAME_print_ex(out, X509_get_subject_name(c), 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	BIO_puts(out, "\n  ");
	X509_NAME_print_ex(out, X509_get_issuer_name(c), 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	BIO_puts(out, "\n  ");
	ASN1_TIME_print(out, X509_get0_notBefore(c));
	BIO_puts(out, " – ");
	ASN1_TIME_print(out, X509_get0_notAfter(c));
	BIO_puts(out, "\n");
	BIO_free(out);
}

static int check(const char *site_path, bool login)
{
	struct site *site = NULL;
	X509 *certificate = NULL;
	struct err e;
	enum status st = site_load(site_path, &site, &e);
	if (st == ST_OK && site->key == NULL)
		st = err_set(&e, ST_RUN, "key-uri", "the site file has no key");
	if (st == ST_OK) {
		struct key_config config = service_key_config(site);
		st = keyholder_check(&config, login, &certificate, &e);
	}
	if (st == ST_OK)
		print_certificate(certificate);
	X509_free(certificate);
	site_free(site);
	return st == ST_OK ? EXIT_DONE : command_fault(&e);
}

static int key_command_main(int argc, char **argv)
{
	const char *site = NULL;
	bool login = false;
	const struct option table[] = {
	    {"site", OPTION_TEXT, &site, "FILE", "the site file"},
	    {"login", OPTION_FLAG, &login, NULL,
	     "try the PIN once, even where the token has refused it before or has few tries left"},
	    {NULL, OPTION_FLAG, NULL, NULL, NULL},
	};
	struct option_list operands = {0};
	int code = EXIT_WRONG_USE;
	if (options_parse(table, "check", argc, argv, &operands, &code)) {
		if (operands.n == 1 && strcmp(operands.v[0], "check") == 0)
			code = check(site, login);
		else
			code = command_needs("check");
	}
	free(operands.v);
	return code;
}

const struct command key_command = {"key", "whether the token, its PIN, the key and its certificate can be used",
                                    key_command_main};
