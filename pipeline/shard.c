#include "pipeline/shard.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "stages/base/buf.h"
#include "stages/base/digest.h"
#include "stages/base/text.h"

/* Digits without a leading zero, so that a shard has one name only. */
static bool read_count(const char *text, size_t n, unsigned *ret)
{
	char digits[8];
	int64_t value;
	if (n == 0 || n >= sizeof digits || text[0] == '0')
		return false;
	memcpy(digits, text, n);
	digits[n] = '\0';
	if (!number_parse(digits, 1, SHARDS_MOST, &value))
		return false;
	*ret = (unsigned)value;
	return true;
}

static bool read_pair(const char *text, const char *between, struct shard *ret_shard)
{
	const char *second = strstr(text, between);
	struct shard s;
	if (second == NULL || !read_count(text, (size_t)(second - text), &s.number))
		return false;
	second += strlen(between);
	if (!read_count(second, strlen(second), &s.of) || s.number > s.of)
		return false;
	*ret_shard = s;
	return true;
}

bool shard_parse(const char *text, struct shard *ret_shard)
{
	return read_pair(text, "/", ret_shard);
}

bool shard_parse_name(const char *name, struct shard *ret_shard)
{
	return strncmp(name, "shard-", 6) == 0 && read_pair(name + 6, "-of-", ret_shard);
}

void shard_name(struct shard s, char ret_name[SHARD_NAME])
{
	snprintf(ret_name, SHARD_NAME, "shard-%u-of-%u", s.number, s.of);
}

bool shard_has(struct shard s, const char *fonds, const char *dossier, const char *id)
{
	if (s.of <= 1)
		return true;
	/* The first eight digits of the SHA-256 of "<fonds>/<dossier>", or of the id. */
	BUF_AUTO struct buf key = BUF_INIT(1 << 20);
	if (dossier != NULL)
		buf_format(&key, "%s/%s", fonds != NULL ? fonds : "", dossier);
	else
		buf_str(&key, id);
	char hex[65];
	sha256_hex(key.data != NULL ? (const void *)key.data : "", key.len, hex);
	uint64_t value = 0;
	for (int i = 0; i < 8; i++)
		value = value * 16 + (uint64_t)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
	return value % s.of + 1 == s.number;
}
