#include <libxml/hash.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"
#include "stages/package/check_private.h"

#define METS_NS BAD_CAST "http://www.loc.gov/METS/"
#define XLINK_NS BAD_CAST "http://www.w3.org/1999/xlink"
#define PREMIS_NS BAD_CAST "http://www.loc.gov/premis/v3"
#define DEPTH_MAX 64

/* An attribute, or "" where it is missing. The caller frees with xmlFree. */
static char *attribute(xmlNodePtr node, const xmlChar *ns, const char *name)
{
	xmlChar *value = ns == NULL ? xmlGetNoNsProp(node, BAD_CAST name) : xmlGetNsProp(node, BAD_CAST name, ns);
	return (char *)(value == NULL ? xmlStrdup(BAD_CAST "") : value);
}

static bool is_element(const xmlNode *node, const xmlChar *ns, const char *name)
{
	return node->type == XML_ELEMENT_NODE && node->ns != NULL && xmlStrEqual(node->ns->href, ns) &&
	       xmlStrEqual(node->name, BAD_CAST name);
}

static xmlNodePtr child(xmlNodePtr node, const xmlChar *ns, const char *name)
{
	for (xmlNodePtr at = node == NULL ? NULL : node->children; at != NULL; at = at->next) {
		if (is_element(at, ns, name))
			return at;
	}
	return NULL;
}

/* Elements in document order, to a depth no honest METS has. */
static void each_element(xmlNodePtr node, int depth, void (*visit)(void *arg, xmlNodePtr node), void *arg)
{
	for (xmlNodePtr at = node; at != NULL && depth < DEPTH_MAX; at = at->next) {
		if (at->type == XML_ELEMENT_NODE) {
			visit(arg, at);
			each_element(at->children, depth + 1, visit, arg);
		}
	}
}

struct mets {
	struct check *c;
	const struct seen *f;
	const char *folder;
	xmlHashTablePtr ids; /* of elements */
};

/* The file that a location names, or NULL with a finding. */
static struct seen *target(struct mets *m, xmlNodePtr location)
{
	char *href = attribute(location, XLINK_NS, "href"), *path = NULL;
	struct seen *found = NULL;
	if (href[0] == '\0' || href[0] == '/' || strstr(href, "..") != NULL || strstr(href, "://") != NULL)
		check_find(m->c, "package-reference", m->f->path, "\"%s\" is no path inside the package", href);
	else if (asprintf(&path, "%s%s", m->folder, strncmp(href, "./", 2) == 0 ? href + 2 : href) < 0)
		path = NULL;
	if (path != NULL) {
		found = check_file(m->c, path);
		if (found == NULL)
			check_find(m->c, "package-missing", path, "named in %s, but not there", m->f->path);
	}
	free(path);
	xmlFree(href);
	return found;
}

/* Size and checksum of a file or mdRef against what is there. */
static void compare(struct mets *m, xmlNodePtr described, xmlNodePtr location)
{
	struct seen *f = target(m, location);
	char *size = attribute(described, NULL, "SIZE"), *sum = attribute(described, NULL, "CHECKSUM");
	char *kind = attribute(described, NULL, "CHECKSUMTYPE");
	int64_t bytes;
	if (f != NULL) {
		f->named = true;
		if (!number_parse(size, 0, INT64_MAX, &bytes) || bytes != f->size)
			check_find(m->c, "package-size", f->path, "%lld bytes, but %s says %s", (long long)f->size, m->f->path,
			           size);
		if (strcmp(kind, "SHA-256") != 0)
			check_find(m->c, "package-fixity", f->path, "no SHA-256 in %s", m->f->path);
		else if (strcasecmp(sum, f->sha256) != 0)
			check_find(m->c, "package-fixity", f->path, "SHA-256 is %s, but %s says %.64s", f->sha256, m->f->path,
			           sum);
	}
	xmlFree(size);
	xmlFree(sum);
	xmlFree(kind);
}

static void visit(void *arg, xmlNodePtr node)
{
	struct mets *m = arg;
	if (is_element(node, METS_NS, "mdRef"))
		compare(m, node, node);
	else if (is_element(node, METS_NS, "file") && child(node, METS_NS, "FLocat") != NULL)
		compare(m, node, child(node, METS_NS, "FLocat"));
	else if (is_element(node, METS_NS, "mptr"))
		(void)target(m, node);
}

/* Identifiers are looked up for every document: a table keeps that linear. */
static void note_id(void *arg, xmlNodePtr node)
{
	struct mets *m = arg;
	char *id = attribute(node, NULL, "ID");
	if (*id != '\0' && xmlHashAddEntry(m->ids, BAD_CAST id, node) != 0)
		check_find(m->c, "package-reference", m->f->path, "ID=\"%s\" is there twice", id);
	xmlFree(id);
}

static xmlNodePtr by_id(const struct mets *m, const char *id, const char *element)
{
	xmlNodePtr found = xmlHashLookup(m->ids, BAD_CAST id);
	return found != NULL && (element == NULL || is_element(found, METS_NS, element)) ? found : NULL;
}

/* References by identifier: the words of an attribute must each lead to such an element. */
static void follow(struct mets *m, xmlNodePtr node, const char *name, const char *element)
{
	char *ids = attribute(node, NULL, name), *rest = ids;
	for (char *id; (id = strsep(&rest, " \t\n")) != NULL;) {
		if (*id != '\0' && by_id(m, id, element) == NULL)
			check_find(m->c, "package-reference", m->f->path, "%s=\"%s\" leads nowhere", name, id);
	}
	xmlFree(ids);
}

/* A division that ties a document to its description: marks the document as described. */
static void tie(struct mets *m, xmlNodePtr division)
{
	xmlNodePtr pointer = child(division, METS_NS, "fptr");
	char *label = attribute(division, NULL, "LABEL"), *dmd = attribute(division, NULL, "DMDID");
	char *id = pointer == NULL ? (char *)xmlStrdup(BAD_CAST "") : attribute(pointer, NULL, "FILEID");
	if (strcmp(label, "MetadataLink/File") == 0) {
		xmlNodePtr file = by_id(m, id, "file");
		xmlNodePtr location = file == NULL ? NULL : child(file, METS_NS, "FLocat");
		struct seen *f = location == NULL ? NULL : target(m, location);
		if (f != NULL && by_id(m, dmd, "dmdSec") != NULL)
			f->described = true;
	}
	xmlFree(label);
	xmlFree(dmd);
	xmlFree(id);
}

static void visit_references(void *arg, xmlNodePtr node)
{
	struct mets *m = arg;
	if (is_element(node, METS_NS, "fptr"))
		follow(m, node, "FILEID", NULL);
	if (is_element(node, METS_NS, "div")) {
		follow(m, node, "DMDID", "dmdSec");
		follow(m, node, "ADMID", "digiprovMD");
		tie(m, node);
	}
}

void check_mets(struct check *c, const struct seen *f, const char *folder)
{
	xmlDocPtr doc = check_xml(c, f);
	if (doc == NULL)
		return;
	xmlNodePtr root = xmlDocGetRootElement(doc);
	struct mets m = {c, f, folder, xmlHashCreate(1024)};
	if (m.ids == NULL)
		abort(); /* an unchecked reference would make a broken package look whole */
	check_schema(c, f, doc, "METS.xsd");
	each_element(root, 0, note_id, &m);
	each_element(root, 0, visit, &m);
	each_element(root, 0, visit_references, &m);
	if (*folder == '\0') {
		char *objid = attribute(root, NULL, "OBJID");
		c->report->objid = strdup(objid);
		xmlFree(objid);
	}
	xmlHashFree(m.ids, NULL);
	xmlFreeDoc(doc);
}

static char *text_of(xmlNodePtr node)
{
	xmlChar *value = node == NULL ? NULL : xmlNodeGetContent(node);
	return (char *)(value == NULL ? xmlStrdup(BAD_CAST "") : value);
}

struct premis {
	struct check *c;
	const struct seen *f;
	const char *data_folder;
};

static void visit_object(void *arg, xmlNodePtr node)
{
	struct premis *p = arg;
	xmlNodePtr characteristics = is_element(node, PREMIS_NS, "object") ? child(node, PREMIS_NS, "objectCharacteristics")
	                                                                   : NULL;
	if (characteristics == NULL)
		return;
	xmlNodePtr identifier = child(node, PREMIS_NS, "objectIdentifier");
	char *name = text_of(child(identifier, PREMIS_NS, "objectIdentifierValue"));
	char *digest = text_of(child(child(characteristics, PREMIS_NS, "fixity"), PREMIS_NS, "messageDigest"));
	char *path = NULL;
	if (asprintf(&path, "%s%s", p->data_folder, name) >= 0) {
		const struct seen *f = check_file(p->c, path);
		if (f == NULL)
			check_find(p->c, "package-missing", path, "an object of %s, but not there", p->f->path);
		else if (strcasecmp(digest, f->sha256) != 0)
			check_find(p->c, "package-fixity", path, "SHA-256 differs from %s", p->f->path);
		free(path);
	}
	xmlFree(name);
	xmlFree(digest);
}

void check_premis(struct check *c, const struct seen *f, const char *data_folder)
{
	xmlDocPtr doc = check_xml(c, f);
	if (doc == NULL)
		return;
	struct premis p = {c, f, data_folder};
	check_schema(c, f, doc, "PREMIS.xsd");
	each_element(xmlDocGetRootElement(doc), 0, visit_object, &p);
	xmlFreeDoc(doc);
}
