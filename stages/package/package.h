/*
 * Writing an archival information package of a dossier: AIP_hoso of Circular 05/2025/TT-BNV (annexes I–V), which extends E-ARK CSIP 2.0.4.
 *
 *   <OBJID with ':' as '_'>/METS.xml
 *                          metadata/descriptive/EAD.xml           the dossier's fields
 *                          metadata/preservation/PREMIS.xml       what was done to the package
 *                          representations/rep1/METS.xml
 *                          representations/rep1/metadata/descriptive/EAD_doc_<name>.xml, EAD_pic_…, EAD_media_…
 *                          representations/rep1/metadata/preservation/PREMIS_rep1.xml
 *                          representations/rep1/data/<name>.pdf (.jpg, .mp4 …), and <name>.<what> for each companion
 *                          schemas/METS.xsd …
 *                          documentation/README.txt              what this is and how to check it
 *
 * Nothing here depends on the moment of the run but the times that the caller gives: identifiers follow from names.
 */
#ifndef ARKSEAL_PACKAGE_PACKAGE_H
#define ARKSEAL_PACKAGE_PACKAGE_H

#include <stdint.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

/* Tells the value of a description field by its EAD name, or NULL. */
struct package_fields {
	const char *(*value)(const void *source, const char *name);
	const void *source;
};

struct package_event {
	const char *type; /* PREMIS eventType */
	int64_t time_ms;
	const char *outcome; /* "success", "warning", "failure" */
	const char *detail;
};

/* PREMIS 3.0, 1.8 signatureInformation; strings borrowed. */
struct package_signature {
	const char *signer;
	const char *method; /* for example "sha256WithRSAEncryption" */
	struct bytes value; /* written in Base64 */
};

enum package_document_kind { PACKAGE_DOC, PACKAGE_PIC, PACKAGE_MEDIA };

/* A file that belongs to a document and lies beside it in data/: its text, what was attached to it, its signature. */
struct package_companion {
	const char *name;        /* file name with extension */
	const char *source;      /* where the file lies now */
	int64_t size;            /* bytes */
	const char *sha256;      /* lower-case hexadecimal; the copy is checked against it */
	const char *format;      /* PRONOM key; NULL: not known */
	const char *format_name; /* "plain text" */
	const char *mime;
};

struct package_document {
	enum package_document_kind kind;
	const char *name;        /* file name with extension */
	const char *source;      /* where the file lies now */
	int64_t size;            /* bytes */
	const char *sha256;      /* lower-case hexadecimal; the copy is checked against it */
	const char *format;      /* PRONOM key: "fmt/477" */
	const char *format_name; /* "PDF/A-2b" */
	const char *mime;        /* "application/pdf" */
	struct package_fields fields;
	const struct package_event *events;
	size_t n_events;
	const struct package_signature *signatures;
	size_t n_signatures;
	const struct package_companion *companions;
	size_t n_companions;
};

struct package {
	const char *objid;        /* "urn:{fonds}:uuid:{UUID}" */
	const char *label;        /* the dossier's title */
	const char *mets_profile; /* PROFILE of the package METS */
	const char *mets_profile_rep;
	const char *organisation; /* the archive: agent in METS and PREMIS */
	const char *organisation_code;
	const char *version;          /* of arkseal */
	int64_t now_ms;               /* CREATEDATE */
	int offset_min;               /* of all times that are written */
	struct package_fields fields; /* the dossier's */
	const struct package_document *documents;
	size_t n_documents;
};

/* Writes the tree below `folder`, which must not exist, and syncs it. ST_ITEM "artefact-changed" where a document's file is not what
 * its record says, "package-field" where a required field is missing; else ST_RETRY of the file calls. */
enum status package_write(const struct package *p, const char *folder, struct err *e);

/* The folder's name for an OBJID; the caller frees. NULL: no memory. */
char *package_folder_name(const char *objid);

/* Packs the tree at `folder` into a ZIP whose only top entry has the folder's name; entries sorted, times fixed to now_ms. */
enum status package_zip(const char *folder, const char *zip, int64_t now_ms, struct err *e);

#endif
