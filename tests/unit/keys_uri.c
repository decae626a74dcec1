/* PKCS#11 URIs (RFC 7512): what is taken, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "stages/trust/keys/uri.h"

#define MODULE "module-path=/m.so"

static void taken(void **state)
{
	(void)state;
	struct err e = {0};
	struct key_uri u;
	const char *text =
	    "pkcs11:token=L%C6%B0u%20tr%E1%BB%AF;manufacturer=M;serial=0a;model=v2;object=a%3Bb&c;id=%00%fF1;type=private"
	    "?module-path=/usr/lib/m.so&pin-source=file:/etc/pin%20x";
	assert_int_equal(key_uri_parse(text, &u, &e), ST_OK);
	assert_string_equal(u.token, "Lưu trữ");
	assert_string_equal(u.manufacturer, "M");
	assert_string_equal(u.serial, "0a");
	assert_string_equal(u.model, "v2");
	assert_string_equal(u.object, "a;b&c");
	assert_int_equal(u.id_n, 3);
	assert_memory_equal(u.id,
	                    "\0\xff"
	                    "1",
	                    3);
	assert_string_equal(u.module_path, "/usr/lib/m.so");
	assert_string_equal(u.pin_source, "/etc/pin x");
}

static void sources(void **state)
{
	(void)state;
	static const struct {
		const char *source, *path; /* NULL: refused */
	} cases[] = {
	    {"file:/etc/pin", "/etc/pin"},
	    {"file:///etc/pin", "/etc/pin"},
	    {"file://localhost/etc/pin", "/etc/pin"},
	    {"/etc/pin", "/etc/pin"},
	    {"file://server/etc/pin", NULL},
	    {"file:etc/pin", NULL},
	    {"etc/pin", NULL},
	    {"|/usr/bin/pin", NULL},
	    {"%7c/usr/bin/pin", NULL},
	    {"https://server/pin", NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = {0};
		struct key_uri u = {0};
		char text[256];
		snprintf(text, sizeof text, "pkcs11:object=a?" MODULE "&pin-source=%s", cases[i].source);
		enum status st = key_uri_parse(text, &u, &e);
		if (cases[i].path != NULL ? st != ST_OK || strcmp(u.pin_source, cases[i].path) != 0
		                          : st != ST_RUN || strcmp(e.code, "key-pin-source") != 0)
			fail_msg("%s: %s %s %s", cases[i].source, status_name(st), e.code, u.pin_source);
	}
}

static void refused(void **state)
{
	(void)state;
	static const struct {
		const char *what, *text;
	} cases[] = {
	    {"nothing", ""},
	    {"another scheme", "file:/key.pem"},
	    {"upper case", "PKCS11:object=a?" MODULE},
	    {"no module", "pkcs11:object=a"},
	    {"two modules", "pkcs11:object=a?" MODULE "&module-name=m"},
	    {"a module's path that is relative", "pkcs11:object=a?module-path=m.so"},
	    {"a module's name that is a path", "pkcs11:object=a?module-name=../m"},
	    {"no key", "pkcs11:token=a?" MODULE},
	    {"no path at all", "pkcs11:?" MODULE},
	    {"the PIN itself", "pkcs11:object=a?" MODULE "&pin-value=1234"},
	    {"the PIN in the path", "pkcs11:object=a;pin-value=1234?" MODULE},
	    {"an attribute twice", "pkcs11:object=a;object=b?" MODULE},
	    {"an unknown attribute", "pkcs11:object=a;slot-id=1?" MODULE},
	    {"a vendor's attribute", "pkcs11:object=a;x-vendor=1?" MODULE},
	    {"a query attribute in the path", "pkcs11:object=a;module-path=/m.so"},
	    {"a path attribute in the query", "pkcs11:object=a?" MODULE "&token=a"},
	    {"a certificate", "pkcs11:object=a;type=cert?" MODULE},
	    {"no equals sign", "pkcs11:object?" MODULE},
	    {"an empty value", "pkcs11:object=?" MODULE},
	    {"an empty attribute", "pkcs11:object=a;;id=1?" MODULE},
	    {"a separator at the end", "pkcs11:object=a;?" MODULE},
	    {"a percent sign alone", "pkcs11:object=a%?" MODULE},
	    {"half a percent sign", "pkcs11:object=a%4?" MODULE},
	    {"letters that are no digits", "pkcs11:object=a%zz?" MODULE},
	    {"a zero byte in a text", "pkcs11:object=a%00b?" MODULE},
	    {"a space", "pkcs11:object=a b?" MODULE},
	    {"a slash in the path", "pkcs11:object=a/b?" MODULE},
	    {"a number sign", "pkcs11:object=a#b?" MODULE},
	    {"an open letter", "pkcs11:object=ư?" MODULE},
	    {"a label that is too long",
	     "pkcs11:object=a;token=0123456789012345678901234567890123456789012345678901234567890123?" MODULE},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = {0};
		struct key_uri u;
		enum status st = key_uri_parse(cases[i].text, &u, &e);
		if (st != ST_RUN || strcmp(e.code, "key-uri") != 0)
			fail_msg("%s: %s %s %s", cases[i].what, status_name(st), e.code, e.detail);
		assert_null(strstr(e.detail, "1234"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(taken), cmocka_unit_test(sources), cmocka_unit_test(refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
