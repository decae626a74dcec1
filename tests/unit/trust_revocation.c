/* Asking for revocation data: every wrong answer is refused, the right ones are kept as long as they may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ocsp.h>

#include "stages/trust/internal.h"
#include "stages/trust/revocation.h"
#include "tests/unit/trust_pki.h"

static struct party root, ca, other_ca, person, crl_only, silent, expired, young, no_usage, small, lonely;
static struct party responder, plain_responder, foreign_responder, no_usage_responder, chatty;

/* What the servers do now. */
static struct {
	struct ocsp_spec ocsp;
	struct crl_spec crl;
	bool ocsp_down, crl_down, issuer_down;
	bool garbage;
	int ocsp_asked, crl_asked, issuer_asked;
	const struct party *subject_of_ocsp; /* NULL: the one asked about */
} net;

static int set_up(void **state)
{
	(void)state;
	root = party_make((struct party_spec){.name = "Root", .ca = true});
	ca = party_make((struct party_spec){.name = "CA",
	                                    .issuer = &root,
	                                    .ca = true,
	                                    .usage = "critical,keyCertSign,cRLSign",
	                                    .crl = "http://pki/root.crl",
	                                    .ca_issuers = "http://pki/root.cer"});
	other_ca = party_make((struct party_spec){.name = "Other", .issuer = &root, .ca = true});
	struct party_spec end = {.name = "Person",
	                         .issuer = &ca,
	                         .usage = "critical,digitalSignature",
	                         .ocsp = "http://pki/ocsp",
	                         .crl = "http://pki/ca.crl",
	                         .ca_issuers = "http://pki/ca.cer"};
	person = party_make(end);
	struct party_spec spec = end;
	spec.ocsp = NULL;
	crl_only = party_make(spec);
	spec.crl = NULL;
	spec.ca_issuers = NULL;
	silent = party_make(spec);
	spec = end;
	spec.from_ms = NOW - YEAR, spec.to_ms = NOW - DAY;
	expired = party_make(spec);
	spec.from_ms = NOW + DAY, spec.to_ms = NOW + YEAR;
	young = party_make(spec);
	spec = end;
	spec.usage = "critical,keyEncipherment";
	no_usage = party_make(spec);
	spec = end;
	spec.rsa_bits = 1024;
	small = party_make(spec);
	spec = end;
	spec.issuer = NULL;
	lonely = party_make(spec);
	struct party_spec answers = {.name = "Responder", .issuer = &ca, .extended = "OCSPSigning", .no_check = true};
	responder = party_make(answers);
	answers.no_check = false;
	answers.crl = "http://pki/ca.crl";
	plain_responder = party_make(answers);
	answers.crl = NULL;
	answers.ocsp = "http://pki/ocsp";
	chatty = party_make(answers);
	answers.issuer = &other_ca;
	foreign_responder = party_make(answers);
	no_usage_responder = party_make((struct party_spec){.name = "Responder", .issuer = &ca});
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	struct party *all[] = {&root,
	                       &ca,
	                       &other_ca,
	                       &person,
	                       &crl_only,
	                       &silent,
	                       &expired,
	                       &young,
	                       &no_usage,
	                       &small,
	                       &lonely,
	                       &responder,
	                       &plain_responder,
	                       &foreign_responder,
	                       &no_usage_responder,
	                       &chatty};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		party_free(all[i]);
	return 0;
}

static void reset(void)
{
	memset(&net, 0, sizeof net);
	pki_clock_ms = 0;
	net.ocsp = (struct ocsp_spec){
	    .responder = &responder, .issuer = &ca, .status = V_OCSP_CERTSTATUS_GOOD, .this_ms = NOW, .next_ms = NOW + HOUR};
	net.crl = (struct crl_spec){.this_ms = NOW - HOUR, .next_ms = NOW + DAY};
}

/* Which of our certificates a request is about, by serial number. */
static const struct party *asked_about(struct bytes body)
{
	const unsigned char *at = body.p;
	OCSP_REQUEST *request = d2i_OCSP_REQUEST(NULL, &at, (long)body.n);
	assert_non_null(request);
	assert_int_equal(OCSP_request_onereq_count(request), 1);
	ASN1_INTEGER *serial = NULL;
	OCSP_id_get0_info(NULL, NULL, NULL, &serial, OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0)));
	const struct party *all[] = {&person, &crl_only, &small, &plain_responder, &chatty};
	const struct party *found = NULL;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(all[i]->cert)) == 0)
			found = all[i];
	OCSP_REQUEST_free(request);
	assert_non_null(found);
	return found;
}

static bool serve(void *arg, const struct fetch_request *r, struct buf *answer)
{
	(void)arg;
	if (net.garbage) {
		buf_str(answer, "<html>");
		return true;
	}
	if (strcmp(r->url, "http://pki/ocsp") == 0) {
		net.ocsp_asked++;
		if (net.ocsp_down)
			return false;
		assert_string_equal(r->content_type, "application/ocsp-request");
		struct ocsp_spec spec = net.ocsp;
		spec.request = r->body;
		spec.certificate = net.subject_of_ocsp != NULL ? net.subject_of_ocsp : asked_about(r->body);
		ocsp_make(&spec, answer);
		return true;
	}
	bool of_root = strcmp(r->url, "http://pki/root.crl") == 0;
	if (of_root || strcmp(r->url, "http://pki/ca.crl") == 0) {
		net.crl_asked++;
		struct crl_spec spec = net.crl;
		if (spec.issuer == NULL || of_root)
			spec.issuer = of_root ? &root : &ca;
		if (net.crl_down && !of_root)
			return false;
		crl_make(&spec, answer);
		return true;
	}
	if (strcmp(r->url, "http://pki/ca.cer") == 0) {
		net.issuer_asked++;
		if (net.issuer_down)
			return false;
		struct bytes der = party_der(&ca);
		buf_add(answer, der.p, der.n);
		return true;
	}
	return false;
}

static struct trust_store *store_with_root(void)
{
	struct trust_store *s = trust_store_new();
	trust_store_add_certificate(s, party_der(&root));
	s->certs[0].anchor = true;
	return s;
}

static void one(const char *name, const struct party *about, enum status wanted, const char *code)
{
	print_message("%s\n", name);
	struct trust_store *s = store_with_root();
	struct revocation *r = revocation_new(pki_fetch(serve, NULL), s, pki_now);
	struct revocation_answer a = {0};
	struct err e = {0};
	enum status st = revocation_ask(r, about->cert, ca.cert, 0, &a, &e);
	assert_string_equal(e.code, code);
	assert_int_equal(st, wanted);
	assert_int_equal(a.der.n > 0, st == ST_OK);
	revocation_free(r);
	trust_store_free(s);
}

static void ocsp_answers(void **state)
{
	(void)state;
	reset();
	one("good", &person, ST_OK, "");
	net.ocsp.flags = OCSP_NO_NONCE;
	one("no nonce in the answer", &person, ST_OK, "");
	net.ocsp.next_ms = 0;
	one("no nextUpdate", &person, ST_OK, "");
	/* From here the CRL may not help. */
#define CASE(name, code, ...)                                                                                                    \
	do {                                                                                                                     \
		reset();                                                                                                         \
		net.crl_down = true;                                                                                             \
		__VA_ARGS__;                                                                                                     \
		one(name, &person, ST_RETRY, code);                                                                              \
	} while (0)
	CASE("another nonce", "ocsp-nonce", net.ocsp.flags = OCSP_OTHER_NONCE);
	CASE("bad signature", "ocsp-signature", net.ocsp.flags = OCSP_BAD_VALUE);
	CASE("no certificate", "ocsp-signer", net.ocsp.flags = OCSP_NO_CERTIFICATE);
	CASE("try later", "ocsp-refused", net.ocsp.flags = OCSP_TRY_LATER);
	CASE("another CA's responder", "ocsp-signer", net.ocsp.responder = &foreign_responder);
	CASE("no OCSPSigning", "ocsp-signer", net.ocsp.responder = &no_usage_responder);
	CASE("of another certificate", "ocsp-other", net.subject_of_ocsp = &crl_only);
	CASE("by another CA", "ocsp-other", net.ocsp.issuer = &other_ca);
	CASE("old", "ocsp-times", (net.ocsp.this_ms = NOW - DAY, net.ocsp.next_ms = NOW - HOUR));
	CASE("old, without end", "ocsp-times", (net.ocsp.this_ms = NOW - 2 * DAY, net.ocsp.next_ms = 0));
	CASE("from the future", "ocsp-times", (net.ocsp.this_ms = NOW + HOUR, net.ocsp.next_ms = NOW + DAY));
	CASE("ends before it begins", "ocsp-times", net.ocsp.next_ms = NOW - 2 * HOUR);
	CASE("unknown", "ocsp-unknown", net.ocsp.status = V_OCSP_CERTSTATUS_UNKNOWN);
	CASE("down", "revocation-unreachable", net.ocsp_down = true);
	CASE("garbage", "ocsp-answer", net.garbage = true);
	reset();
	net.ocsp.status = V_OCSP_CERTSTATUS_REVOKED, net.ocsp.revoked_ms = NOW - HOUR;
	one("revoked", &person, ST_ITEM, "cert-revoked");
	reset();
	net.ocsp.responder = &ca;
	one("the CA itself", &person, ST_OK, "");
	one("no address", &silent, ST_ITEM, "revocation-none");
}

static void crl_answers(void **state)
{
	(void)state;
	reset();
	one("good", &crl_only, ST_OK, "");
	net.ocsp_down = true;
	one("instead of the responder", &person, ST_OK, "");
#define CRL_CASE(name, status, code, ...)                                                                                        \
	do {                                                                                                                     \
		reset();                                                                                                         \
		__VA_ARGS__;                                                                                                     \
		one(name, &crl_only, status, code);                                                                              \
	} while (0)
	CRL_CASE("revoked", ST_ITEM, "cert-revoked", (net.crl.revoked = &crl_only, net.crl.revoked_ms = NOW - HOUR));
	CRL_CASE("another revoked", ST_OK, "", (net.crl.revoked = &person, net.crl.revoked_ms = NOW - HOUR));
	CRL_CASE("bad signature", ST_RETRY, "crl-signature", net.crl.bad_value = true);
	CRL_CASE("another CA's", ST_RETRY, "crl-other", net.crl.issuer = &other_ca);
	CRL_CASE("old", ST_RETRY, "crl-times", (net.crl.this_ms = NOW - DAY, net.crl.next_ms = NOW - HOUR));
	CRL_CASE("from the future", ST_RETRY, "crl-times", net.crl.this_ms = NOW + HOUR);
	CRL_CASE("ends before it begins", ST_RETRY, "crl-times", net.crl.next_ms = NOW - DAY);
	CRL_CASE("down", ST_RETRY, "revocation-unreachable", net.crl_down = true);
	CRL_CASE("garbage", ST_RETRY, "crl-answer", net.garbage = true);
#define EXTENSION(oid, der) (net.crl.extension_oid = (oid), net.crl.extension_der = (der), net.crl.extension_n = sizeof(der) - 1)
	CRL_CASE("delta", ST_RETRY, "crl-extension", EXTENSION("2.5.29.27", "\x02\x01\x01"));
	CRL_CASE("unknown critical extension", ST_RETRY, "crl-extension", EXTENSION("1.2.3.4", "\x05\0"));
	CRL_CASE("indirect", ST_RETRY, "crl-scope", EXTENSION("2.5.29.28", "0\x03\x84\x01\xff"));
	CRL_CASE("some reasons", ST_RETRY, "crl-scope", EXTENSION("2.5.29.28", "0\x04\x83\x02\x06\x40"));
	CRL_CASE("only CAs", ST_RETRY, "crl-scope", EXTENSION("2.5.29.28", "0\x03\x82\x01\xff"));
	CRL_CASE("only users", ST_OK, "", EXTENSION("2.5.29.28", "0\x03\x81\x01\xff"));
	CRL_CASE("another point", ST_RETRY, "crl-scope", EXTENSION("2.5.29.28", "0\x0c\xa0\x0a\xa0\x08\x86\x06http:/"));
	CRL_CASE("its point", ST_OK, "", EXTENSION("2.5.29.28", "0\x17\xa0\x15\xa0\x13\x86\x11http://pki/ca.crl"));
	CRL_CASE("malformed point", ST_RETRY, "crl-scope", EXTENSION("2.5.29.28", "\x30\x05\x01"));
}

static void keeping(void **state)
{
	(void)state;
	reset();
	struct trust_store *s = store_with_root();
	struct revocation *r = revocation_new(pki_fetch(serve, NULL), s, pki_now);
	struct revocation_answer a, b;
	struct err e = {0};
	static const struct {
		const char *name;
		int64_t clock_ms, not_before_ms;
		int asked;
	} steps[] = {
	    {"first", 0, NOW - HOUR, 1},
	    {"kept", 60000, NOW - HOUR, 1},
	    {"kept: got at that moment", 60000, NOW, 1},
	    {"newer wanted", 120000, NOW + 60000, 2},
	    {"kept: the newest that the server had", 120000, NOW + 60000, 2},
	    {"past its end", 2 * HOUR, NOW - HOUR, 3},
	};
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		print_message("%s\n", steps[i].name);
		pki_clock_ms = steps[i].clock_ms;
		if (pki_clock_ms >= HOUR)
			net.ocsp.this_ms = pki_now(), net.ocsp.next_ms = pki_now() + HOUR;
		assert_int_equal(revocation_ask(r, person.cert, ca.cert, steps[i].not_before_ms, &a, &e), ST_OK);
		assert_int_equal(net.ocsp_asked, steps[i].asked);
	}
	/* In the store lies the newest only. */
	assert_int_equal(s->n_ocsps, 1);
	/* A CRL serves by its thisUpdate. */
	pki_clock_ms = 0;
	assert_int_equal(revocation_ask(r, crl_only.cert, ca.cert, NOW - 2 * HOUR, &a, &e), ST_OK);
	pki_clock_ms = 60000;
	assert_int_equal(revocation_ask(r, crl_only.cert, ca.cert, NOW - HOUR, &b, &e), ST_OK);
	assert_ptr_equal(a.der.p, b.der.p);
	assert_int_equal(net.crl_asked, 1);
	assert_int_equal(b.this_update_ms, NOW - HOUR);
	assert_int_equal(revocation_ask(r, crl_only.cert, ca.cert, NOW + 1, &b, &e), ST_OK);
	assert_int_equal(net.crl_asked, 2);
	revocation_free(r);
	trust_store_free(s);
}

static void signer(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const struct party *who;
		bool revoked, ca_revoked, down;
		enum status status;
		const char *code;
	} cases[] = {
	    {"good", &person, false, false, false, ST_OK, ""},
	    {"expired", &expired, false, false, false, ST_RUN, "cert-expired"},
	    {"not yet", &young, false, false, false, ST_RUN, "cert-not-yet"},
	    {"usage", &no_usage, false, false, false, ST_RUN, "cert-usage"},
	    {"1024 bits", &small, false, false, false, ST_RUN, "cert-weak"},
	    {"no path", &lonely, false, false, false, ST_RUN, "cert-path"},
	    {"revoked", &person, true, false, false, ST_RUN, "cert-revoked"},
	    {"CA revoked", &person, false, true, false, ST_RUN, "cert-revoked"},
	    {"no address", &silent, false, false, false, ST_RUN, "cert-path"},
	    {"down", &person, false, false, true, ST_RETRY, "revocation-unreachable"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_message("%s\n", cases[i].name);
		reset();
		if (cases[i].revoked)
			net.ocsp.status = V_OCSP_CERTSTATUS_REVOKED, net.ocsp.revoked_ms = NOW - HOUR;
		if (cases[i].ca_revoked)
			net.crl.revoked = &ca, net.crl.revoked_ms = NOW - HOUR;
		net.ocsp_down = net.crl_down = cases[i].down;
		struct trust_store *s = store_with_root();
		struct revocation *r = revocation_new(pki_fetch(serve, NULL), s, pki_now);
		struct err e = {0};
		assert_int_equal(revocation_check_signer(r, cases[i].who->cert, HOUR, 2048, &e), cases[i].status);
		assert_string_equal(e.code, cases[i].code);
		if (cases[i].status != ST_OK)
			assert_int_equal(e.status, cases[i].status);
		revocation_free(r);
		trust_store_free(s);
	}
	/* The issuing CA is not to be had for a moment; then it is. */
	reset();
	net.issuer_down = true;
	struct trust_store *s = store_with_root();
	struct revocation *r = revocation_new(pki_fetch(serve, NULL), s, pki_now);
	struct err e = {0};
	assert_int_equal(revocation_check_signer(r, person.cert, HOUR, 2048, &e), ST_RETRY);
	assert_string_equal(e.code, "revocation-unreachable");
	net.issuer_down = false;
	assert_int_equal(revocation_check_signer(r, person.cert, HOUR, 2048, &e), ST_OK);
	assert_int_equal(revocation_check_signer(r, person.cert, HOUR, 2048, &e), ST_OK);
	assert_int_equal(net.issuer_asked, 2);
	revocation_free(r);
	trust_store_free(s);
}

static bool has(const struct bytes *list, size_t n, const struct party *p)
{
	struct bytes der = party_der(p);
	for (size_t i = 0; i < n; i++)
		if (bytes_equal(list[i], der))
			return true;
	return false;
}

static void closure(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const struct party *responder;
		size_t certificates, ocsps, crls;
		bool with_responder;
	} cases[] = {
	    {"nocheck", &responder, 3, 1, 1, true},                /* person, CA, responder; the root's CRL for the CA */
	    {"responder by CRL", &plain_responder, 3, 1, 2, true}, /* and the CA's CRL for the responder */
	    {"the CA answers", &ca, 2, 1, 1, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		print_message("%s\n", cases[i].name);
		reset();
		net.ocsp.responder = cases[i].responder;
		struct trust_store *s = store_with_root();
		struct revocation *r = revocation_new(pki_fetch(serve, NULL), s, pki_now);
		struct revocation_set set = {0};
		struct err e = {0};
		for (int again = 0; again < 2; again++) {
			assert_int_equal(revocation_collect(r, person.cert, NOW - HOUR, &set, &e), ST_OK);
			assert_int_equal(set.n_certificates, cases[i].certificates);
			assert_int_equal(set.n_ocsps, cases[i].ocsps);
			assert_int_equal(set.n_crls, cases[i].crls);
		}
		assert_true(has(set.certificates, set.n_certificates, &person));
		assert_true(has(set.certificates, set.n_certificates, &ca));
		assert_false(has(set.certificates, set.n_certificates, &root));
		if (cases[i].with_responder)
			assert_true(has(set.certificates, set.n_certificates, cases[i].responder));
		revocation_set_free(&set);
		revocation_free(r);
		trust_store_free(s);
	}
	/* A responder that only itself answers for. */
	reset();
	net.ocsp.responder = &chatty;
	struct trust_store *s = store_with_root();
	struct revocation *r = revocation_new(pki_fetch(serve, NULL), s, pki_now);
	struct revocation_set set = {0};
	struct err e = {0};
	assert_int_equal(revocation_collect(r, person.cert, NOW - HOUR, &set, &e), ST_RETRY);
	assert_string_equal(e.code, "ocsp-self");
	revocation_set_free(&set);
	revocation_free(r);
	trust_store_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ocsp_answers), cmocka_unit_test(crl_answers), cmocka_unit_test(keeping),
	    cmocka_unit_test(signer),       cmocka_unit_test(closure),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
