/* EAD, EAD_doc, EAD_pic and EAD_media: flat descriptions with the root simpledc (Circular 05/2025/TT-BNV, annexes I–III). */
#include <string.h>

#include "stages/package/write.h"

struct ead_field {
	const char *name;
	bool required;
};

/* EAD.xml of AIP_hoso: 18 fields. */
static const struct ead_field dossier_fields[] = {
    {"arcFileCode", true},    {"title", true},
    {"maintenance", true},    {"mode", true},
    {"language", true},       {"startDate", true},
    {"endDate", true},        {"keyword", false},
    {"totalDoc", true},       {"numberOfPaper", true},
    {"numberOfPage", true},   {"format", false},
    {"inforSign", false},     {"confidenceLevel", false},
    {"paperFileCode", false}, {"description", false},
    {"riskRecovery", true},   {"riskRecoveryStatus", false},
};

/* EAD_doc in an AIP: 19 fields. */
static const struct ead_field document_fields[] = {
    {"arcFileCode", true}, {"mode", true},       {"language", true},         {"keyword", false},      {"numberOfPage", true},
    {"format", false},     {"inforSign", false}, {"confidenceLevel", false}, {"description", false},  {"docCode", true},
    {"docOrdinal", true},  {"typeName", true},   {"codeNumber", false},      {"codeNotation", false}, {"issuedDate", true},
    {"organName", true},   {"subject", true},    {"autograph", false},       {"process", false},
};

/* EAD_pic in AIP_hoso. */
static const struct ead_field picture_fields[] = {
    {"docCode", true},    {"arcFileCode", true},  {"docOrdinal", true}, {"typePic", true},       {"archivesNumber", false},
    {"inforSign", false}, {"eventName", false},   {"imageTitle", true}, {"photographer", false}, {"photoPlace", false},
    {"photoTime", false}, {"colour", false},      {"filmSize", false},  {"docAttached", false},  {"mode", true},
    {"format", false},    {"description", false},
};

/* EAD_media in AIP_hoso: sound and video. */
static const struct ead_field media_fields[] = {
    {"docCode", true},      {"arcFileCode", true}, {"docOrdinal", true}, {"archivesNumber", false},
    {"inforSign", false},   {"eventName", false},  {"movieTitle", true}, {"recorder", false},
    {"recordPlace", false}, {"recordDate", false}, {"language", false},  {"playTime", false},
    {"docAttached", false}, {"mode", true},        {"quality", false},   {"format", false},
    {"description", false},
};

static enum status write_fields(const struct ead_field *table, size_t n, const struct package_fields *fields, const char *of,
                                struct buf *ret_text, struct err *e)
{
	struct xml x;
	for (size_t i = 0; i < n; i++) {
		const char *value = fields->value(fields->source, table[i].name);
		if (table[i].required && (value == NULL || *value == '\0')) {
			err_set(e, ST_ITEM, "package-field", "%s has no %s", of, table[i].name);
			err_arg(e, "%s", of);
			err_arg(e, "%s", table[i].name);
			return ST_ITEM;
		}
	}
	enum status st = xml_begin(&x, e);
	if (st != ST_OK)
		return st;
	xml_open(&x, "simpledc");
	for (size_t i = 0; i < n; i++) {
		const char *value = fields->value(fields->source, table[i].name);
		if (value != NULL && *value != '\0')
			xml_element(&x, table[i].name, value);
	}
	xml_close(&x);
	return xml_end(&x, ret_text, e);
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum status ead_write(const struct package *p, struct buf *ret_text, struct err *e)
{
	return write_fields(dossier_fields, COUNT(dossier_fields), &p->fields, p->label, ret_text, e);
}

enum status ead_document_write(const struct package_document *d, struct buf *ret_text, struct err *e)
{
	if (d->kind == PACKAGE_PIC)
		return write_fields(picture_fields, COUNT(picture_fields), &d->fields, d->name, ret_text, e);
	if (d->kind == PACKAGE_MEDIA)
		return write_fields(media_fields, COUNT(media_fields), &d->fields, d->name, ret_text, e);
	return write_fields(document_fields, COUNT(document_fields), &d->fields, d->name, ret_text, e);
}
