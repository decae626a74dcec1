/* libcurl, loaded by the one process that speaks to the network. Private to this folder. */
#ifndef ARKSEAL_KEYS_CURL_H
#define ARKSEAL_KEYS_CURL_H

#define CURL_DISABLE_TYPECHECK /* its macros know no table of functions */
#include <curl/curl.h>

#include "stages/base/err.h"

/* clang-format off */
#define CURL_FUNCTIONS(X) \
	X(curl_easy_cleanup) \
	X(curl_easy_getinfo) \
	X(curl_easy_init) \
	X(curl_easy_setopt) \
	X(curl_easy_strerror) \
	X(curl_global_cleanup) \
	X(curl_global_init) \
	X(curl_multi_add_handle) \
	X(curl_multi_cleanup) \
	X(curl_multi_info_read) \
	X(curl_multi_init) \
	X(curl_multi_perform) \
	X(curl_multi_poll) \
	X(curl_multi_remove_handle) \
	X(curl_slist_append) \
	X(curl_slist_free_all)
/* clang-format on */

/* Called as the library's own: curl.curl_easy_init(). */
struct curl {
#define MEMBER(name) __typeof__(&name) name;
	CURL_FUNCTIONS(MEMBER)
#undef MEMBER
};
extern struct curl curl;

/* Fills in the table above. Errors: ST_RUN "library". */
enum status curl_load(struct err *e);

#endif
