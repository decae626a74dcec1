#include "tests/unit/package_fixture.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stages/base/digest.h"
#include "stages/base/file.h"

struct pair {
	const char *name, *value;
};

static const struct pair dossier[] = {
    {"arcFileCode", "G09.01.001"},
    {"title", "Hồ sơ <thử> & \"mẫu\""},
    {"maintenance", "01"},
    {"mode", "01"},
    {"language", "01"},
    {"startDate", "05/01/2026"},
    {"endDate", "06/2026"},
    {"totalDoc", "2"},
    {"numberOfPaper", "3"},
    {"numberOfPage", "3"},
    {"riskRecovery", "0"},
    {NULL, NULL},
};
static const struct pair document[] = {
    {"arcFileCode", "G09.01.001"},
    {"mode", "01"},
    {"language", "01"},
    {"numberOfPage", "2"},
    {"docCode", "G09.01.001.0000001"},
    {"docOrdinal", "0000001"},
    {"typeName", "02"},
    {"issuedDate", "09/03/2026"},
    {"organName", "Ủy ban nhân dân"},
    {"subject", "Quyết định"},
    {NULL, NULL},
};
static const struct pair picture[] = {
    {"arcFileCode", "G09.01.001"},
    {"docCode", "G09.01.001.0000002"},
    {"docOrdinal", "0000002"},
    {"typePic", "02"},
    {"imageTitle", "Bến nước"},
    {"mode", "01"},
    {NULL, NULL},
};

static const char *value(const void *source, const char *name)
{
	for (const struct pair *at = source; at->name != NULL; at++) {
		if (strcmp(at->name, name) == 0)
			return at->value;
	}
	return NULL;
}

int set_up(void **state)
{
	static const struct package_event events[] = {{"transfer", 1760000000000, "success", "2 trang"}};
	static const uint8_t value_bytes[] = {1, 2, 3};
	static const struct package_signature signatures[] = {{"CN=Mẫu", "sha256WithRSAEncryption", {value_bytes, 3}}};
	struct setting *s = calloc(1, sizeof *s);
	strcpy(s->folder, "/tmp/arkseal-package-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->source, sizeof s->source, "%s/in.pdf", s->folder);
	snprintf(s->target, sizeof s->target, "%s/urn_G09_uuid_9C13E70E-08B2-4C54-8BAF-979B35D01B4D", s->folder);
	assert_int_equal(file_write(s->source, "%PDF-1.7\n", 9, NULL), ST_OK);
	sha256_hex("%PDF-1.7\n", 9, s->digest);
	for (size_t i = 0; i < 2; i++)
		s->documents[i] = (struct package_document){.kind = i == 0 ? PACKAGE_DOC : PACKAGE_PIC,
		                                            .name = i == 0 ? "G09.01.001.0000001.pdf" : "G09.01.001.0000002.pdf",
		                                            .source = s->source,
		                                            .size = 9,
		                                            .sha256 = s->digest,
		                                            .format = "fmt/477",
		                                            .format_name = "PDF/A-2b",
		                                            .mime = "application/pdf",
		                                            .fields = {value, i == 0 ? document : picture},
		                                            .events = events,
		                                            .n_events = 1,
		                                            .signatures = signatures,
		                                            .n_signatures = 1};
	s->companion = (struct package_companion){.name = "G09.01.001.0000001.txt",
	                                          .source = s->source,
	                                          .size = 9,
	                                          .sha256 = s->digest,
	                                          .format = "x-fmt/111",
	                                          .format_name = "plain text",
	                                          .mime = "text/plain"};
	s->documents[0].companions = &s->companion;
	s->documents[0].n_companions = 1;
	s->package = (struct package){.objid = "urn:G09:uuid:9C13E70E-08B2-4C54-8BAF-979B35D01B4D",
	                              .label = "Hồ sơ <thử> & \"mẫu\"",
	                              .mets_profile = "E-ARK-AIP",
	                              .mets_profile_rep = "E-ARK-CSIP",
	                              .organisation = "Trung tâm Lưu trữ",
	                              .organisation_code = "G09",
	                              .version = "1",
	                              .now_ms = 1760000000000,
	                              .offset_min = 420,
	                              .fields = {value, dossier},
	                              .documents = s->documents,
	                              .n_documents = 2};
	*state = s;
	return 0;
}

int tear_down(void **state)
{
	struct setting *s = *state;
	file_remove_tree(s->folder, NULL);
	free(s);
	return 0;
}
