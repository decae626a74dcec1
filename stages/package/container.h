/* The files of a package, be it a folder or a ZIP. Private to this folder. */
#ifndef ARKSEAL_PACKAGE_CONTAINER_H
#define ARKSEAL_PACKAGE_CONTAINER_H

#include "stages/base/buf.h"
#include "stages/base/err.h"

/* content.p is NULL for what is no regular file. path is relative to the package's top. */
typedef enum status container_each(void *arg, const char *path, struct bytes content, struct err *e);

/* Calls back for each file, in an order that follows from the container. *ret_name gets the name of the package's folder (in a ZIP:
 * of its top entry); the caller frees. */
enum status container_walk(const char *path, container_each *each, void *arg, char **ret_name, struct err *e);

#endif
