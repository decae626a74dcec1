/* PREMIS 3.0: what the files are and what was done to them. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/digest.h"
#include "stages/package/write.h"

static void identifier(struct xml *x, const char *what, const char *type, const char *value)
{
	char element[64];
	snprintf(element, sizeof element, "%sIdentifier", what);
	xml_open(x, element);
	snprintf(element, sizeof element, "%sIdentifierType", what);
	xml_element(x, element, type);
	snprintf(element, sizeof element, "%sIdentifierValue", what);
	xml_element(x, element, value);
	xml_close(x);
}

/* A reference from an event; role from the vocabulary of PREMIS (agent and object roles). */
static void linking(struct xml *x, const char *what, const char *type, const char *value, const char *role)
{
	char element[64];
	snprintf(element, sizeof element, "linking%sIdentifier", what);
	xml_open(x, element);
	snprintf(element, sizeof element, "linking%sIdentifierType", what);
	xml_element(x, element, type);
	snprintf(element, sizeof element, "linking%sIdentifierValue", what);
	xml_element(x, element, value);
	snprintf(element, sizeof element, "linking%sRole", what);
	xml_element(x, element, role);
	xml_close(x);
}

static enum status begin(struct xml *x, struct err *e)
{
	enum status st = xml_begin(x, e);
	if (st != ST_OK)
		return st;
	xml_open(x, "premis");
	xml_attribute(x, "xmlns", "http://www.loc.gov/premis/v3");
	xml_attribute(x, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
	xml_attribute(x, "version", "3.0");
	return ST_OK;
}

static void agents(struct xml *x, const struct package *p)
{
	xml_open(x, "agent");
	identifier(x, "agent", "software", "arkseal");
	xml_element(x, "agentName", "arkseal");
	xml_element(x, "agentType", "software");
	xml_element(x, "agentVersion", p->version);
	xml_close(x);
	xml_open(x, "agent");
	identifier(x, "agent", "organisation", p->organisation_code);
	xml_element(x, "agentName", p->organisation);
	xml_element(x, "agentType", "organization");
	xml_close(x);
}

static void event(struct xml *x, const struct package *p, const struct package_event *v, size_t number, const char *object_type,
                  const char *object)
{
	char name[512], id[XML_ID], time[TIME_TEXT];
	snprintf(name, sizeof name, "event %zu of %s", number, object);
	xml_id("uuid", p->objid, name, id);
	time_iso8601(v->time_ms, p->offset_min, true, time);
	xml_open(x, "event");
	identifier(x, "event", "UUID", id);
	xml_element(x, "eventType", v->type);
	xml_element(x, "eventDateTime", time);
	if (v->detail != NULL && *v->detail != '\0') {
		xml_open(x, "eventDetailInformation");
		xml_element(x, "eventDetail", v->detail);
		xml_close(x);
	}
	xml_open(x, "eventOutcomeInformation");
	xml_element(x, "eventOutcome", v->outcome);
	xml_close(x);
	linking(x, "Agent", "software", "arkseal", "executing program");
	linking(x, "Agent", "organisation", p->organisation_code, "implementer");
	linking(x, "Object", object_type, object, "outcome");
	xml_close(x);
}

static void signature(struct xml *x, const struct package_signature *s)
{
	unsigned char *text = malloc(s->value.n * 4 / 3 + 8);
	if (text == NULL)
		abort(); /* a few hundred bytes */
	EVP_EncodeBlock(text, s->value.p, (int)s->value.n);
	xml_open(x, "signatureInformation");
	xml_open(x, "signature");
	xml_element(x, "signatureEncoding", "Base64");
	xml_element(x, "signer", s->signer);
	xml_element(x, "signatureMethod", s->method);
	xml_element(x, "signatureValue", (const char *)text);
	xml_element(x, "signatureValidationRules", "ETSI EN 319 102-1");
	xml_close(x);
	xml_close(x);
	free(text);
}

/* An object that is left open for what follows originalName. */
static void begin_file(struct xml *x, const char *kind, const struct package_companion *f)
{
	char size[24], upper[65];
	size_t i;
	snprintf(size, sizeof size, "%lld", (long long)f->size);
	for (i = 0; i < 64 && f->sha256[i] != '\0'; i++)
		upper[i] = f->sha256[i] >= 'a' ? (char)(f->sha256[i] - 'a' + 'A') : f->sha256[i];
	upper[i] = '\0';
	xml_open(x, "object");
	xml_attribute(x, "xsi:type", "file");
	identifier(x, "object", kind, f->name);
	xml_open(x, "objectCharacteristics");
	xml_element(x, "compositionLevel", "0");
	xml_open(x, "fixity");
	xml_element(x, "messageDigestAlgorithm", "SHA-256");
	xml_element(x, "messageDigest", upper);
	xml_close(x);
	xml_element(x, "size", size);
	xml_open(x, "format");
	xml_open(x, "formatDesignation");
	xml_element(x, "formatName", f->format_name);
	xml_close(x);
	if (f->format != NULL) {
		xml_open(x, "formatRegistry");
		xml_element(x, "formatRegistryName", "PRONOM");
		xml_element(x, "formatRegistryKey", f->format);
		xml_element(x, "formatRegistryRole", "specification");
		xml_close(x);
	}
	xml_close(x);
	xml_close(x);
	xml_element(x, "originalName", f->name);
}

static const char *kind_name(const struct package_document *d)
{
	static const char *const names[] = {[PACKAGE_DOC] = "Doc", [PACKAGE_PIC] = "Pic", [PACKAGE_MEDIA] = "Media"};
	return names[d->kind];
}

static void document(struct xml *x, const struct package_document *d)
{
	const char *kind = kind_name(d);
	const struct package_companion own = {
	    .name = d->name, .size = d->size, .sha256 = d->sha256, .format = d->format, .format_name = d->format_name};
	begin_file(x, kind, &own);
	for (size_t i = 0; i < d->n_signatures; i++)
		signature(x, &d->signatures[i]);
	xml_close(x);
	for (size_t i = 0; i < d->n_companions; i++) {
		begin_file(x, kind, &d->companions[i]);
		xml_close(x);
	}
}

enum status premis_representation_write(const struct package *p, struct buf *ret_text, struct err *e)
{
	struct xml x;
	enum status st = begin(&x, e);
	if (st != ST_OK)
		return st;
	for (size_t i = 0; i < p->n_documents; i++)
		document(&x, &p->documents[i]);
	for (size_t i = 0; i < p->n_documents; i++) {
		const struct package_document *d = &p->documents[i];
		for (size_t k = 0; k < d->n_events; k++)
			event(&x, p, &d->events[k], k, kind_name(d), d->name);
	}
	agents(&x, p);
	xml_close(&x);
	return xml_end(&x, ret_text, e);
}

enum status premis_package_write(const struct package *p, struct buf *ret_text, struct err *e)
{
	struct xml x;
	enum status st = begin(&x, e);
	if (st != ST_OK)
		return st;
	const struct package_event made = {"information package creation", p->now_ms, "success", "AIP_hoso"};
	xml_open(&x, "object");
	xml_attribute(&x, "xsi:type", "intellectualEntity");
	identifier(&x, "object", "File", p->objid);
	xml_element(&x, "originalName", p->label);
	xml_close(&x);
	event(&x, p, &made, 0, "File", p->objid);
	agents(&x, p);
	xml_close(&x);
	return xml_end(&x, ret_text, e);
}
