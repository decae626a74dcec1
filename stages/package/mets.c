/* METS, both levels (METS 1.12; E-ARK CSIP 2.0.4; Circular 05/2025/TT-BNV, annex II). */
#include <stdio.h>
#include <stdlib.h>

#include "stages/package/write.h"

static enum status begin(struct xml *x, const struct package *p, const char *id, const char *profile, struct err *e)
{
	char now[TIME_TEXT];
	enum status st = xml_begin(x, e);
	if (st != ST_OK)
		return st;
	time_iso8601(p->now_ms, p->offset_min, true, now);
	xml_open(x, "mets");
	xml_attribute(x, "xmlns", "http://www.loc.gov/METS/");
	xml_attribute(x, "xmlns:csip", "https://DILCIS.eu/XML/METS/CSIPExtensionMETS");
	xml_attribute(x, "xmlns:xlink", "http://www.w3.org/1999/xlink");
	xml_attribute(x, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
	xml_attribute(x, "OBJID", id);
	xml_attribute(x, "LABEL", p->label);
	xml_attribute(x, "TYPE", "Mixed");
	xml_attribute(x, "PROFILE", profile);
	xml_attribute(x, "csip:CONTENTINFORMATIONTYPE", "MIXED");
	xml_open(x, "metsHdr");
	xml_attribute(x, "CREATEDATE", now);
	xml_attribute(x, "LASTMODDATE", now);
	xml_attribute(x, "RECORDSTATUS", "NEW");
	xml_attribute(x, "csip:OAISPACKAGETYPE", "AIP");
	xml_open(x, "agent");
	xml_attribute(x, "ROLE", "CREATOR");
	xml_attribute(x, "TYPE", "OTHER");
	xml_attribute(x, "OTHERTYPE", "SOFTWARE");
	xml_element(x, "name", "arkseal");
	xml_open(x, "note");
	xml_attribute(x, "csip:NOTETYPE", "SOFTWARE VERSION");
	xml_text(x, p->version);
	xml_close(x);
	xml_close(x);
	xml_open(x, "agent");
	xml_attribute(x, "ROLE", "ARCHIVIST");
	xml_attribute(x, "TYPE", "ORGANIZATION");
	xml_element(x, "name", p->organisation);
	xml_open(x, "note");
	xml_attribute(x, "csip:NOTETYPE", "IDENTIFICATIONCODE");
	xml_text(x, p->organisation_code);
	xml_close(x);
	xml_close(x);
	xml_close(x);
	return ST_OK;
}

/* The attributes that file and mdRef share. */
static void file_attributes(struct xml *x, const struct package *p, const struct package_file *f)
{
	char size[24], now[TIME_TEXT];
	snprintf(size, sizeof size, "%lld", (long long)f->size);
	time_iso8601(p->now_ms, p->offset_min, true, now);
	xml_attribute(x, "MIMETYPE", f->mime);
	xml_attribute(x, "SIZE", size);
	xml_attribute(x, "CREATED", now);
	xml_attribute(x, "CHECKSUM", f->sha256);
	xml_attribute(x, "CHECKSUMTYPE", "SHA-256");
}

static void location(struct xml *x, const char *path)
{
	xml_attribute(x, "LOCTYPE", "URL");
	xml_attribute(x, "xlink:type", "simple");
	xml_attribute(x, "xlink:href", path);
}

/* dmdSec or digiprovMD with its mdRef. */
static void metadata(struct xml *x, const struct package *p, const char *section, const struct package_file *f, const char *type)
{
	char now[TIME_TEXT];
	time_iso8601(p->now_ms, p->offset_min, true, now);
	xml_open(x, section);
	xml_attribute(x, "ID", f->id);
	xml_attribute(x, "CREATED", now);
	xml_attribute(x, "STATUS", "CURRENT");
	xml_open(x, "mdRef");
	location(x, f->path);
	xml_attribute(x, "MDTYPE", type);
	file_attributes(x, p, f);
	xml_close(x);
	xml_close(x);
}

static void file(struct xml *x, const struct package *p, const struct package_file *f)
{
	xml_open(x, "file");
	xml_attribute(x, "ID", f->id);
	file_attributes(x, p, f);
	xml_open(x, "FLocat");
	location(x, f->path);
	xml_close(x);
	xml_close(x);
}

static void group(struct xml *x, const struct package *p, const char *id, const char *use, const struct package_file *files,
                  size_t n)
{
	xml_open(x, "fileGrp");
	xml_attribute(x, "ID", id);
	xml_attribute(x, "USE", use);
	for (size_t i = 0; i < n; i++)
		file(x, p, &files[i]);
	xml_close(x);
}

/* Opens a div; its ID follows from the label. */
static void division(struct xml *x, const char *objid, const char *label)
{
	char name[1024], id[XML_ID];
	snprintf(name, sizeof name, "div %s", label);
	xml_id("uuid", objid, name, id);
	xml_open(x, "div");
	xml_attribute(x, "ID", id);
	xml_attribute(x, "LABEL", label);
}

static void pointer(struct xml *x, const char *id)
{
	xml_open(x, "fptr");
	xml_attribute(x, "FILEID", id);
	xml_close(x);
}

static void structure(struct xml *x, const struct package *p, const char *of)
{
	char name[64], id[XML_ID];
	snprintf(name, sizeof name, "structMap %s", of);
	xml_id("uuid", p->objid, name, id);
	xml_open(x, "structMap");
	xml_attribute(x, "ID", id);
	xml_attribute(x, "TYPE", "PHYSICAL");
	xml_attribute(x, "LABEL", "CSIP");
}

enum status mets_package_write(const struct package *p, const struct mets_parts *parts, struct buf *ret_text, struct err *e)
{
	struct xml x;
	char schemas[XML_ID], representation[XML_ID], documentation[XML_ID], section[XML_ID];
	enum status st = begin(&x, p, p->objid, p->mets_profile, e);
	if (st != ST_OK)
		return st;
	xml_id("uuid", p->objid, "fileGrp Schemas", schemas);
	xml_id("uuid", p->objid, "fileGrp Representations/rep1", representation);
	xml_id("uuid", p->objid, "fileGrp Documentation", documentation);
	xml_id("uuid", p->objid, "fileSec", section);
	metadata(&x, p, "dmdSec", parts->descriptive, "EAD");
	xml_open(&x, "amdSec");
	metadata(&x, p, "digiprovMD", parts->preservation, "PREMIS");
	xml_close(&x);
	xml_open(&x, "fileSec");
	xml_attribute(&x, "ID", section);
	group(&x, p, documentation, "Documentation", parts->documentation, 1);
	group(&x, p, schemas, "Schemas", parts->schemas, parts->n_schemas);
	group(&x, p, representation, "Representations/rep1", parts->representation, 1);
	xml_close(&x);
	structure(&x, p, "package");
	division(&x, p->objid, p->objid);
	division(&x, p->objid, "Metadata");
	xml_attribute(&x, "DMDID", parts->descriptive->id);
	xml_attribute(&x, "ADMID", parts->preservation->id);
	xml_close(&x);
	division(&x, p->objid, "Documentation");
	pointer(&x, documentation);
	xml_close(&x);
	division(&x, p->objid, "Schemas");
	pointer(&x, schemas);
	xml_close(&x);
	division(&x, p->objid, "Representations/rep1");
	xml_open(&x, "mptr");
	location(&x, parts->representation->path);
	xml_attribute(&x, "xlink:title", representation);
	xml_close(&x);
	xml_close(&x);
	xml_close(&x);
	xml_close(&x);
	xml_close(&x);
	return xml_end(&x, ret_text, e);
}

/* DMDID takes all documents' identifiers, parted by spaces. */
static char *all_ids(const struct package_file *files, size_t n)
{
	BUF_AUTO struct buf b = BUF_INIT(SIZE_MAX / 2);
	for (size_t i = 0; i < n; i++)
		buf_format(&b, i == 0 ? "%s" : " %s", files[i].id);
	return buf_take(&b);
}

/* A companion has its document's description. */
static void link_file(struct xml *x, const struct package *p, const struct mets_parts *parts, size_t document,
                      const struct package_file *f)
{
	char label[64], id[XML_ID];
	snprintf(label, sizeof label, "link %zu", (size_t)(f - parts->data));
	xml_id("uuid", p->objid, label, id);
	xml_open(x, "div");
	xml_attribute(x, "ID", id);
	xml_attribute(x, "LABEL", "MetadataLink/File");
	xml_attribute(x, "DMDID", parts->descriptive[document].id);
	xml_attribute(x, "ADMID", parts->preservation->id);
	pointer(x, f->id);
	xml_close(x);
}

enum status mets_representation_write(const struct package *p, const struct mets_parts *parts, struct buf *ret_text,
                                      struct err *e)
{
	struct xml x;
	static const char rep[] = "rep1";
	char data[XML_ID], section[XML_ID];
	char *ids = all_ids(parts->descriptive, p->n_documents);
	if (ids == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for METS");
	enum status st = begin(&x, p, rep, p->mets_profile_rep, e);
	if (st != ST_OK) {
		free(ids);
		return st;
	}
	xml_id("uuid", p->objid, "rep1 fileGrp Data", data);
	xml_id("uuid", p->objid, "rep1 fileSec", section);
	for (size_t i = 0; i < p->n_documents; i++)
		metadata(&x, p, "dmdSec", &parts->descriptive[i], "EAD");
	xml_open(&x, "amdSec");
	metadata(&x, p, "digiprovMD", parts->preservation, "PREMIS");
	xml_close(&x);
	xml_open(&x, "fileSec");
	xml_attribute(&x, "ID", section);
	group(&x, p, data, "Data", parts->data, parts->n_data);
	xml_close(&x);
	structure(&x, p, rep);
	division(&x, p->objid, rep);
	xml_attribute(&x, "TYPE", "NORMALIZED");
	division(&x, p->objid, "Metadata");
	xml_attribute(&x, "DMDID", ids);
	xml_attribute(&x, "ADMID", parts->preservation->id);
	xml_close(&x);
	division(&x, p->objid, "Data");
	pointer(&x, data);
	xml_close(&x);
	division(&x, p->objid, "MetadataLink");
	const struct package_file *data_file = parts->data;
	for (size_t i = 0; i < p->n_documents; i++)
		for (size_t k = 0; k <= p->documents[i].n_companions; k++, data_file++)
			link_file(&x, p, parts, i, data_file);
	xml_close(&x);
	xml_close(&x);
	xml_close(&x);
	xml_close(&x);
	free(ids);
	return xml_end(&x, ret_text, e);
}
