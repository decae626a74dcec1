/*
 * Libraries that only some processes need, loaded by them: what a program is linked with costs each of its starts, and Tesseract and
 * libcurl with all that they bring cost ten times what it takes to check a document.
 */
#ifndef ARKSEAL_BASE_LIBRARY_H
#define ARKSEAL_BASE_LIBRARY_H

#include <stddef.h>

#include "stages/base/err.h"

/* Loads a library by its soname, and stays with it until the process ends; puts the addresses of n functions into `to`, a struct of as many
 * pointers in the order of the names. To be called before the sandbox closes. Errors: ST_RUN "library". */
enum status library_load(const char *soname, const char *const *names, size_t n, void *to, struct err *e);

#endif
