/*
 * Signs and augments PDFs as the stages do in a run, for the judges:
 *
 *   sign_files SITE LEVEL DIGEST OUT FILE…      LEVEL: B T LT LTA; results are OUT/<name of the file>
 *
 * Prints a line for each file and what became of it. Exit status 1 where one could not be done.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stages/augment/augment.h"
#include "stages/base/file.h"
#include "stages/base/text.h"
#include "stages/sign/sign.h"
#include "stages/trust/fetch.h"
#include "stages/trust/keyholder.h"

static int run_key(const struct site *site, int control, int ready)
{
	const struct key_config c = {.uri = site->key,
	                             .certificates = (const char *const *)site->certificates,
	                             .n_certificates = site->certificates_count,
	                             .state_folder = getenv("ARKSEAL_KEY_STATE")};
	return keyholder_main(&c, control, ready);
}

static int run_fetch(const struct site *site, int control, int ready)
{
	const struct fetch_config c = {.proxy = site->proxy};
	return fetch_main(&c, control, ready);
}

/* Starts a service as the engine does; the control socket stays open as long as this process lives. */
static int start(int (*service)(const struct site *, int, int), const struct site *site)
{
	int control[2], ready[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0 || pipe(ready) != 0)
		exit(2);
	if (fork() == 0) {
		close(control[0]);
		close(ready[0]);
		_exit(service(site, control[1], ready[1]));
	}
	close(control[1]);
	close(ready[1]);
	char line[1024];
	ssize_t n = read(ready[0], line, sizeof line - 1);
	close(ready[0]);
	if (n < 2 || memcmp(line, "ok", 2) != 0) {
		fprintf(stderr, "sign_files: a service did not start: %.*s\n", n > 0 ? (int)n : 0, line);
		exit(2);
	}
	return control[0];
}

static int connect_to(int control)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		exit(2);
	char byte = 0;
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} u = {0};
	struct iovec part = {&byte, 1};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = u.room, .msg_controllen = sizeof u.room};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &pair[1], sizeof(int));
	if (sendmsg(control, &m, 0) != 1)
		exit(2);
	close(pair[1]);
	return pair[0];
}

static enum status publish(const struct item *it, const char *folder, const char *file, struct err *e)
{
	BUF_AUTO struct buf b = BUF_INIT(1u << 30);
	char *to = path_join(folder, path_name(file));
	enum status st = file_read(it->artefact.path, &b, e);
	if (st == ST_OK)
		st = file_write(to, b.data, b.len, e);
	free(to);
	return st;
}

static enum status do_file(void *sign, void *augment, const char *file, const char *folder)
{
	struct err e = {0};
	struct item *it = item_new();
	item_set(&it->id, file);
	item_set_artefact(it, file, 0, "", "fmt/477");
	const char *at = "sign";
	enum status st = sign_stage.work(sign, it, &e);
	if (st == ST_OK) {
		at = "augment";
		st = augment_stage.work(augment, it, &e);
	}
	if (st == ST_OK)
		st = publish(it, folder, file, &e);
	if (st == ST_OK)
		printf("done\t%s\n", file);
	else
		printf("%s\t%s\t%s\t%s\t%s\t%s\n", status_name(st), file, at, e.code, e.detail, e.where);
	item_free(it);
	return st;
}

int main(int argc, char **argv)
{
	static const char *const levels[] = {"B", "T", "LT", "LTA"};
	if (argc < 6) {
		fprintf(stderr, "usage: sign_files SITE LEVEL DIGEST OUT FILE...\n");
		return 2;
	}
	struct profile profile = {
	    .sign = {.digest = argv[3],
	             .appearance = {.visible = true,
	                            .page = "first",
	                            .anchor = "top-right",
	                            .margin_mm = 5,
	                            .max_width_mm = 70,
	                            .text = "{organisation}\n{time}",
	                            .font = "/usr/share/fonts/truetype/croscore/Tinos-Regular.ttf",
	                            .size_pt = 10,
	                            .time_offset_min = 420,
	                            .reference = "",
	                            .picture = "none",
	                            .picture_side = "left",
	                            .taken = "cover"},
	             .organisation_match = "subject-o",
	             .revocation_max_age_s = 3600,
	             .clock_tolerance_s = 60,
	             .min_rsa_bits = 2048},
	};
	for (int i = 0; i < 4; i++)
		if (strcmp(argv[2], levels[i]) == 0)
			profile.sign.level = (enum profile_level)i;

	struct err e = {0};
	struct site *site;
	void *sign = NULL, *augment = NULL;
	char work[] = "/tmp/sign_files-XXXXXX";
	if (mkdtemp(work) == NULL || site_load(argv[1], &site, &e) != ST_OK) {
		fprintf(stderr, "sign_files: %s %s %s\n", e.code, e.detail, e.where);
		return 2;
	}
	int key = start(run_key, site), fetch = start(run_fetch, site);
	struct stage_env env = {.profile = &profile, .site = site, .work_folder = work, .key_fd = -1, .now_ms = time_now_ms};
	env.key_fd = connect_to(key);
	env.fetch_fd = connect_to(fetch);
	struct stage_env second = env;
	second.key_fd = -1;
	second.fetch_fd = connect_to(fetch);
	int failed = 0;
	if (sign_stage.open(&env, &sign, &e) != ST_OK || augment_stage.open(&second, &augment, &e) != ST_OK) {
		fprintf(stderr, "sign_files: %s %s %s\n", e.code, e.detail, e.where);
		failed = 2;
		/* Nobody has taken this end over; the service waits for it. */
		if (sign == NULL)
			close(second.fetch_fd);
	}
	for (int i = 5; failed != 2 && i < argc; i++)
		if (do_file(sign, augment, argv[i], argv[4]) != ST_OK)
			failed = 1;
	if (sign != NULL)
		sign_stage.close(sign);
	if (augment != NULL)
		augment_stage.close(augment);
	site_free(site);
	close(key);
	close(fetch);
	while (wait(NULL) > 0)
		;
	file_remove_tree(work, &e);
	return failed;
}
