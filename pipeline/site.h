/*
 * The site file: what differs from office to office. YAML, loaded by pipeline/site.c.
 *
 *   organisation: Trung tâm Lưu trữ lịch sử tỉnh
 *   key: "pkcs11:token=arkseal;object=seal?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/arkseal/pin"
 *   certificates: [issuing.pem]            extra certificates to put in signatures, relative to the site file
 *   timestamp-authorities: [{url: "http://tsa.example/tsr"}]
 *   trust-anchors: [root.pem]              files or folders, relative to the site file
 *   proxy: http://127.0.0.1:3128
 *   jobs: 2
 *   seal-picture: seal.png                 PNG with a transparent background, in real size by its resolution; relative to the site file
 *   signature-picture: official.png        the same
 */
#ifndef ARKSEAL_PIPELINE_SITE_H
#define ARKSEAL_PIPELINE_SITE_H

#include <stddef.h>
#include <stdint.h>

#include "stages/base/err.h"

struct site_tsa {
	char *url; /* http or https */
};

struct site {
	char *organisation;  /* as it stands in the appearance */
	char *key;           /* RFC 7512 URI */
	char **certificates; /* paths, made absolute */
	unsigned certificates_count;
	struct site_tsa *timestamp_authorities; /* in order of preference */
	unsigned timestamp_authorities_count;
	char **trust_anchors; /* paths, made absolute */
	unsigned trust_anchors_count;
	char *proxy;                            /* URL, or NULL */
	unsigned jobs;                          /* 0: as many as there are cores */
	char *seal_picture, *signature_picture; /* paths, made absolute; or NULL */
};

/* Loads `path`, or where it is NULL the first that exists of $XDG_CONFIG_HOME/arkseal/site.yaml (~/.config) and
 * /etc/arkseal/site.yaml. Errors are ST_RUN with file, line and key: "site-missing", "site-syntax", "site-value",
 * "site-key" (an unknown one), "site-needs". */
enum status site_load(const char *path, struct site **ret_site, struct err *e);
void site_free(struct site *s);

#endif
