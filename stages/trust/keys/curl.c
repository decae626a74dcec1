#include "stages/trust/keys/curl.h"

#include "stages/base/library.h"

struct curl curl;

enum status curl_load(struct err *e)
{
#define NAME(name) #name,
	static const char *const names[] = {CURL_FUNCTIONS(NAME)};
#undef NAME
	return library_load("libcurl.so.4", names, sizeof names / sizeof *names, &curl, e);
}
