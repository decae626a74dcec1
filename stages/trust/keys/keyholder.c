#include "stages/trust/keyholder.h"

#include <openssl/evp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "stages/trust/keys/attributes.h"
#include "stages/trust/keys/hsm.h"
#include "stages/trust/keys/key_wire.h"
#include "stages/trust/keys/talk.h"
#include "stages/trust/keys/uri.h"

#define CLIENTS_MAX 256
#define OPEN_TRIES 5
#define OPEN_PAUSE_US 200000

struct client {
	int fd;
	struct buf in, out;
};

struct service {
	const struct key_config *config;
	struct key_uri uri;
	struct hsm *hsm; /* NULL: lost; the next request opens it again */
	struct client clients[CLIENTS_MAX];
	size_t n_clients;
	int control_fd; /* -1: closed */
};

/* Opening fails now and then where several processes do it at once (SoftHSM2: "no token"); so that is tried again. */
static enum status open_hsm(struct service *s, struct err *e)
{
	enum status st = ST_OK;
	for (int i = 0; s->hsm == NULL && i < OPEN_TRIES; i++) {
		if (i > 0)
			usleep(OPEN_PAUSE_US);
		st = hsm_open(s->config, &s->uri, false, &s->hsm, e);
		if (st != ST_RETRY)
			break;
	}
	return st;
}

static enum status put_certificate(X509 *c, struct buf *to)
{
	unsigned char *der = NULL;
	int n = i2d_X509(c, &der);
	talk_bytes(to, (struct bytes){der, n < 0 ? 0 : (size_t)n});
	OPENSSL_free(der);
	return n > 0 ? ST_OK : ST_BUG;
}

static enum status give_certificate(struct service *s, struct rd *request, struct buf *answer, struct err *e)
{
	(void)request;
	STACK_OF(X509) *chain = hsm_chain(s->hsm);
	int n = sk_X509_num(chain);
	enum status st = put_certificate(hsm_certificate(s->hsm), answer);
	talk_number(answer, (uint32_t)n);
	for (int i = 0; st == ST_OK && i < n; i++)
		st = put_certificate(sk_X509_value(chain, i), answer);
	return st == ST_OK ? ST_OK : err_set(e, ST_BUG, "key-none", "a certificate cannot be encoded");
}

static enum status give_signature(struct service *s, struct rd *request, struct buf *answer, struct err *e)
{
	uint32_t algorithm = rd_u32be(request), digest = rd_u32be(request);
	struct bytes attributes = talk_read_bytes(request);
	if (request->failed || rd_left(request) != 0 || algorithm > KEY_EDDSA || digest > KEY_SHA3_512)
		return err_set(e, ST_BUG, "key-attributes", "the request for a signature is not made as one");
	const EVP_MD *md = key_digest_md((enum key_digest)digest);
	enum status st = attributes_check(attributes, (size_t)EVP_MD_get_size(md), hsm_certificate(s->hsm), e);
	if (st != ST_OK)
		return st;
	BUF_AUTO struct buf signature = BUF_INIT(4096);
	st = hsm_sign(s->hsm, (enum key_algorithm)algorithm, (enum key_digest)digest, attributes, &signature, e);
	if (st == ST_RETRY) {
		/* Token or session are lost; the next request starts from the beginning. */
		hsm_close(s->hsm);
		s->hsm = NULL;
	}
	talk_bytes(answer, (struct bytes){signature.data, signature.len});
	return st;
}

/* All that can be asked for. */
static const struct {
	uint8_t kind;
	enum status (*give)(struct service *s, struct rd *request, struct buf *answer, struct err *e);
} requests[] = {
    {KEY_ASK_CERTIFICATE, give_certificate},
    {KEY_ASK_SIGNATURE, give_signature},
};

/* false: the client asked for something else, and is sent away. */
static bool answer(struct service *s, struct client *c, const struct talk_message *m)
{
	struct err e = {0};
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		if (requests[i].kind != m->kind)
			continue;
		size_t place = talk_begin(&c->out, TALK_DONE);
		struct rd request = RD_INIT(m->body.p, m->body.n);
		alarm(s->config->answer_s > 0 ? s->config->answer_s : KEY_ANSWER_S);
		enum status st = open_hsm(s, &e);
		if (st == ST_OK)
			st = requests[i].give(s, &request, &c->out, &e);
		alarm(0);
		if (st != ST_OK && !c->out.failed) {
			c->out.len = place;
			talk_fault(&c->out, &e);
		} else {
			talk_end(&c->out, place);
		}
		return !c->out.failed;
	}
	return false;
}

/* One request a turn, so that no client waits for another's queue. */
static bool client_turn(struct service *s, struct client *c, short events)
{
	struct talk_message m;
	if ((events & (POLLIN | POLLHUP | POLLERR)) != 0 && !talk_receive(c->fd, &c->in))
		return false;
	if (c->out.len == 0) {
		enum talk_found found = talk_find((struct bytes){c->in.data, c->in.len}, KEY_MESSAGE_MAX, &m);
		if (found == TALK_BAD || (found == TALK_MESSAGE && !answer(s, c, &m)))
			return false;
		if (found == TALK_MESSAGE)
			talk_drop(&c->in, m.size);
	}
	return talk_send(c->fd, &c->out);
}

static bool request_waits(const struct client *c)
{
	struct talk_message m;
	return c->out.len == 0 && talk_find((struct bytes){c->in.data, c->in.len}, KEY_MESSAGE_MAX, &m) != TALK_MORE;
}

static void accept_client(struct service *s)
{
	int fd = talk_accept(s->control_fd);
	if (fd == -2) {
		close(s->control_fd);
		s->control_fd = -1;
	} else if (fd >= 0 && s->n_clients == CLIENTS_MAX) {
		close(fd);
	} else if (fd >= 0) {
		s->clients[s->n_clients++] =
		    (struct client){.fd = fd, .in = BUF_INIT(KEY_MESSAGE_MAX + 16384), .out = BUF_INIT(KEY_MESSAGE_MAX)};
	}
}

static void client_end(struct client *c)
{
	close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
}

static void turn(struct service *s)
{
	struct pollfd fds[CLIENTS_MAX + 1];
	int timeout = -1;
	for (size_t i = 0; i < s->n_clients; i++) {
		const struct client *c = &s->clients[i];
		/* A client with a full box is not listened to; its next request waits in the socket. */
		short want = c->out.len > 0 ? POLLOUT : c->in.len < KEY_MESSAGE_MAX ? POLLIN : 0;
		fds[i] = (struct pollfd){.fd = c->fd, .events = want};
		if (request_waits(c))
			timeout = 0;
	}
	fds[s->n_clients] = (struct pollfd){.fd = s->control_fd, .events = POLLIN};
	if (poll(fds, s->n_clients + 1, timeout) < 0)
		return;
	size_t kept = 0, n = s->n_clients;
	for (size_t i = 0; i < n; i++) {
		struct client c = s->clients[i];
		if (client_turn(s, &c, fds[i].revents))
			s->clients[kept++] = c;
		else
			client_end(&c);
	}
	s->n_clients = kept;
	if (fds[n].revents != 0)
		accept_client(s);
}

/* What the process's memory holds goes to no file and to no other process. */
static void hide(void)
{
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* Only what is there: locking what comes later would make every allocation fail once the limit is reached. */
	(void)mlockall(MCL_CURRENT);
}

static enum status start(struct service *s, struct err *e)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, SIG_DFL);
	hide();
	enum status st = key_uri_parse(s->config->uri, &s->uri, e);
	if (st == ST_OK)
		st = open_hsm(s, e);
	(void)mlockall(MCL_CURRENT);
	return st;
}

int keyholder_main(const struct key_config *config, int control_fd, int ready_fd)
{
	struct err e = {0};
	struct service *s = calloc(1, sizeof *s);
	if (s == NULL)
		return 3;
	s->config = config;
	s->control_fd = control_fd;
	enum status st = start(s, &e);
	talk_ready(ready_fd, st == ST_OK ? NULL : &e);
	while (st == ST_OK && (s->control_fd >= 0 || s->n_clients > 0))
		turn(s);
	if (s->control_fd >= 0)
		close(s->control_fd);
	hsm_close(s->hsm);
	free(s);
	return st == ST_OK ? 0 : 3;
}

enum status keyholder_check(const struct key_config *config, bool attended, X509 **ret_certificate, struct err *e)
{
	struct key_uri uri;
	struct hsm *h = NULL;
	hide();
	enum status st = key_uri_parse(config->uri, &uri, e);
	if (st == ST_OK)
		st = hsm_open(config, &uri, attended, &h, e);
	if (st == ST_OK) {
		*ret_certificate = hsm_certificate(h);
		X509_up_ref(*ret_certificate);
	}
	hsm_close(h);
	return st;
}
