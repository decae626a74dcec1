/* A package of two documents in a temporary folder, for the tests of stages/package. */
#ifndef ARKSEAL_TESTS_PACKAGE_FIXTURE_H
#define ARKSEAL_TESTS_PACKAGE_FIXTURE_H

#include "stages/package/package.h"

struct setting {
	char folder[64];              /* temporary */
	char source[96], target[160]; /* the documents' file; where the package is to be written */
	char digest[65];
	struct package_document documents[2];
	struct package_companion companion; /* of the first */
	struct package package;
};

int set_up(void **state);
int tear_down(void **state);

#endif
