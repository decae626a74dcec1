#include "tests/unit/ingest_made.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "stages/base/file.h"
#include "stages/ingest/ingest.h"

char folder[] = "/tmp/arkseal_ingest_XXXXXX";
struct item *got[MADE_RECORDS];
size_t n_got;

void put(const char *name, const void *p, size_t n)
{
	char *path = path_join(folder, name), *parent = strdup(path);
	struct err e = {0};
	parent[path_name(parent) - parent - 1] = 0;
	assert_int_equal(file_make_folders(parent, &e), ST_OK);
	assert_int_equal(file_write(path, p, n, &e), ST_OK);
	free(path);
	free(parent);
}

void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

int64_t fixed_clock(void)
{
	return 1700000000000;
}

const char *settle = "ingest.settle-seconds=0";
int64_t (*clock_used)(void) = fixed_clock;
struct shard shard_used;

enum status take(void *sink, struct item *it, struct err *e)
{
	(void)sink, (void)e;
	if (n_got == MADE_RECORDS)
		return ST_BUG;
	got[n_got++] = it;
	return ST_OK;
}

void run(const char *profile)
{
	struct profile *p = NULL;
	struct err e = {0};
	void *state;
	const char *const set[] = {"stages=[ingest]", settle};
	if (profile_load(profile, set, 2, &p, &e) != ST_OK)
		fail_msg("%s: %s: %s", profile, e.code, e.detail);
	struct stage_env env = {.profile = p, .now_ms = clock_used, .shard = shard_used};
	assert_int_equal(ingest_stage.open(&env, &state, &e), ST_OK);
	if (ingest_stage.produce(state, folder, take, NULL, &e) != ST_OK)
		fail_msg("%s: %s", e.code, e.detail);
	ingest_stage.close(state);
	profile_free(p);
	for (size_t i = 0; i < n_got; i++) { /* each record can be written and read */
		BUF_AUTO struct buf line = BUF_INIT(1 << 20);
		struct item *back = NULL;
		item_print(got[i], &line);
		assert_false(line.failed);
		assert_int_equal(item_parse((char *)line.data, line.len, &back, &e), ST_OK);
		item_free(back);
	}
}

int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/arkseal_ingest_XXXXXX");
	return mkdtemp(folder) == NULL;
}

void forget(void)
{
	while (n_got > 0)
		item_free(got[--n_got]);
}

int tear_down(void **state)
{
	struct err e;
	(void)state;
	forget();
	return file_remove_tree(folder, &e) != ST_OK;
}

struct item *find(const char *id)
{
	for (size_t i = 0; i < n_got; i++) {
		if (strcmp(got[i]->id, id) == 0)
			return got[i];
	}
	for (size_t i = 0; i < n_got; i++)
		print_message("%s: %s %s\n", got[i]->id, item_state_name(got[i]->state), got[i]->notice.code);
	fail_msg("no record %s", id);
	return NULL;
}

/* code NULL: the item must be ok */
struct item *expect(const char *id, enum item_state want, const char *code)
{
	struct item *it = find(id);
	if (it->state != want || (code != NULL && strcmp(it->notice.code, code) != 0))
		fail_msg("%s: %s %s: %s (%s)", id, item_state_name(it->state), it->notice.code, it->notice.detail,
		         it->notice.where);
	for (size_t i = 0; i < it->n_sources && want != ITEM_OK; i++)
		assert_string_equal(it->sources[i].sha256, ""); /* what is not done is not read */
	return it;
}

void put_aged(const char *name, const char *text, long age_s)
{
	put_text(name, text);
	char *path = path_join(folder, name);
	struct timespec now, times[2];
	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec -= age_s;
	times[0] = times[1] = now;
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	free(path);
}
