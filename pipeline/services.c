#include "pipeline/services.h"

#include <stdio.h>

#include "stages/trust/fetch.h"

/* Who needs the service but has no site file would have been told so before; this is for a site file without a key. */
static int refuse(int ready_fd, const char *code, const char *detail)
{
	dprintf(ready_fd, "%s\t%s\t\n", code, detail);
	return EXIT_RESUMABLE;
}

struct key_config service_key_config(const struct site *site)
{
	return (struct key_config){
	    .uri = site->key,
	    .certificates = (const char *const *)site->certificates,
	    .n_certificates = site->certificates_count,
	};
}

static int key_main(const struct profile *profile, const struct site *site, int control_fd, int ready_fd)
{
	if (site == NULL || site->key == NULL)
		return refuse(ready_fd, "site-needs", "key");
	struct key_config config = service_key_config(site);
	/* Before the one who asks is given up itself. */
	if (profile->limits.item_seconds < 2 * KEY_ANSWER_S)
		config.answer_s = (profile->limits.item_seconds + 1) / 2;
	return keyholder_main(&config, control_fd, ready_fd);
}

static int fetch_service_main(const struct profile *profile, const struct site *site, int control_fd, int ready_fd)
{
	(void)profile;
	struct fetch_config config = {.proxy = site != NULL ? site->proxy : NULL};
	return fetch_main(&config, control_fd, ready_fd);
}

const struct service key_service = {"key holder", STAGE_NEEDS_KEY, key_main};
const struct service fetch_service = {"network process", STAGE_NEEDS_NETWORK, fetch_service_main};
