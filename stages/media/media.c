#include "stages/media/media.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/library.h"

/* MediaInfo's functions for programs in C, in the order of struct mediainfo. */
static const char *const names[] = {
    "MediaInfoA_New",
    "MediaInfoA_Delete",
    "MediaInfoA_Open_Buffer_Init",
    "MediaInfoA_Open_Buffer_Continue",
    "MediaInfoA_Open_Buffer_Continue_GoTo_Get",
    "MediaInfoA_Open_Buffer_Finalize",
    "MediaInfoA_Get",
    "MediaInfoA_Count_Get",
};

/* Kinds of streams, and of what is asked, by MediaInfo's numbers. */
enum { STREAM_GENERAL = 0, STREAM_VIDEO = 1, STREAM_AUDIO = 2 };
enum { INFO_NAME = 0, INFO_TEXT = 1 };
enum { STATE_FINISHED = 8 };

static struct mediainfo {
	void *(*make)(void);
	void (*drop)(void *);
	size_t (*begin)(void *, uint64_t size, uint64_t offset);
	size_t (*feed)(void *, const uint8_t *, size_t);
	uint64_t (*wants)(void *); /* where to go on; all ones: where it is */
	size_t (*end)(void *);
	const char *(*get)(void *, int stream, size_t number, const char *parameter, int kind, int search);
	size_t (*count)(void *, int stream, size_t number);
} mediainfo;

void media_load(void)
{
	struct err ignored;
	if (mediainfo.make == NULL &&
	    library_load("libmediainfo.so.0", names, sizeof names / sizeof *names, &mediainfo, &ignored) != ST_OK)
		memset(&mediainfo, 0, sizeof mediainfo);
}

static bool has(struct bytes in, size_t at, const char *mark, size_t n)
{
	return in.n >= at + n && memcmp(in.p + at, mark, n) == 0;
}

#define HAS(at, mark) has(in, at, mark, sizeof(mark) - 1)

/* The header of a frame of MPEG audio, layer III (ISO/IEC 11172-3, 2.4.2.3). */
static bool is_layer_3(struct bytes in)
{
	return in.n >= 4 && in.p[0] == 0xFF && (in.p[1] & 0xE6) == 0xE2 && (in.p[1] & 0x18) != 0x08 && in.p[2] >> 4 != 15 &&
	       (in.p[2] & 0x0C) != 0x0C;
}

bool media_recognise(struct bytes in)
{
	if (HAS(4, "ftyp")) /* the same container holds pictures (ISO/IEC 23008-12) */
		return !HAS(8, "heic") && !HAS(8, "heix") && !HAS(8, "mif1") && !HAS(8, "avif");
	return HAS(0, "ID3") || is_layer_3(in) || HAS(0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\x00\xAA\x00\x62\xCE\x6C") ||
	       (HAS(0, "RIFF") && (HAS(8, "AVI ") || HAS(8, "WAVE"))) || HAS(4, "moov") || HAS(4, "mdat") || HAS(0, "fLaC") ||
	       HAS(0, "OggS") || HAS(0, "\x1A\x45\xDF\xA3") || HAS(0, "\x00\x00\x01\xBA");
}

/* What MediaInfo calls a format, and what it is called here; the first row that fits. */
static const struct row {
	const char *format, *profile; /* profile NULL: any */
	bool video;
	const char *name, *extension, *pronom;
} rows[] = {
    {"MPEG Audio", NULL, false, "mp3", ".mp3", "fmt/134"},
    {"Windows Media", NULL, false, "wma", ".wma", "fmt/132"},
    {"Windows Media", NULL, true, "wmv", ".wmv", "fmt/133"},
    {"Wave", NULL, false, "wav", ".wav", "fmt/6"},
    {"FLAC", NULL, false, "flac", ".flac", "fmt/279"},
    {"Ogg", NULL, false, "ogg", ".ogg", NULL},
    {"MPEG-4", "QuickTime", true, "mov", ".mov", "x-fmt/384"},
    {"QuickTime", NULL, true, "mov", ".mov", "x-fmt/384"},
    {"MPEG-4", NULL, true, "mp4", ".mp4", "fmt/199"},
    {"MPEG-4", NULL, false, "m4a", ".m4a", "fmt/199"},
    {"AVI", NULL, true, "avi", ".avi", "fmt/5"},
    {"Matroska", NULL, true, "mkv", ".mkv", "fmt/569"},
    {"MPEG-PS", NULL, true, "mpg", ".mpg", NULL},
};

struct answer {
	char text[64];
};

/* Copied: MediaInfo keeps one answer at a time. */
static struct answer ask(void *m, int stream, const char *parameter)
{
	struct answer a = {""};
	const char *value = mediainfo.get(m, stream, 0, parameter, INFO_TEXT, INFO_NAME);
	if (value != NULL)
		snprintf(a.text, sizeof a.text, "%s", value);
	return a;
}

/* MediaInfo looks at the beginning and says where it wants to go on, most of all at the end. */
static void feed(void *m, struct bytes in)
{
	size_t at = 0;
	mediainfo.begin(m, in.n, 0);
	while (at < in.n) {
		size_t step = in.n - at < (1u << 16) ? in.n - at : 1u << 16;
		if ((mediainfo.feed(m, in.p + at, step) & STATE_FINISHED) != 0)
			break;
		at += step;
		uint64_t wants = mediainfo.wants(m);
		if (wants != UINT64_MAX) {
			if (wants >= in.n)
				break;
			at = (size_t)wants;
			mediainfo.begin(m, in.n, wants);
		}
	}
	mediainfo.end(m);
}

/* Whether a file of Windows Media is shorter than it says: MediaInfo does not look (ASF specification 01.20.03, 3.2: file ID, file size; and among
 * the flags the one of a broadcast, which knows no size). */
static bool is_short_asf(struct bytes in)
{
	static const uint8_t properties[] = {0xA1, 0xDC, 0xAB, 0x8C, 0x47, 0xA9, 0xCF, 0x11,
	                                     0x8E, 0xE4, 0x00, 0xC0, 0x0C, 0x20, 0x53, 0x65};
	const uint8_t *at = memmem(in.p, in.n < (1u << 16) ? in.n : 1u << 16, properties, sizeof properties);
	if (at == NULL)
		return false;
	struct rd r = RD_INIT(at, in.n - (size_t)(at - in.p));
	rd_skip(&r, 40);
	uint64_t size = rd_u32le(&r);
	size |= (uint64_t)rd_u32le(&r) << 32;
	rd_skip(&r, 40);
	bool broadcast = (rd_u32le(&r) & 1) != 0;
	return r.failed || (!broadcast && size > in.n);
}

/* "1500000", or "1500000 / 1500000" where two places of the file say it. */
static double number(struct answer a)
{
	double v = strtod(a.text, NULL);
	return v > 0 && v < 1e12 ? v : 0;
}

static enum status read_answers(void *m, struct bytes in, struct media *to, struct err *e)
{
	struct answer format = ask(m, STREAM_GENERAL, "Format"), profile = ask(m, STREAM_GENERAL, "Format_Profile");
	to->video = mediainfo.count(m, STREAM_VIDEO, SIZE_MAX) > 0;
	bool sound = mediainfo.count(m, STREAM_AUDIO, SIZE_MAX) > 0;
	const struct row *row = NULL;
	for (size_t i = 0; row == NULL && i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].format, format.text) == 0 && rows[i].video == to->video &&
		    (rows[i].profile == NULL || strcmp(rows[i].profile, profile.text) == 0))
			row = &rows[i];
	if (format.text[0] != '\0' && !to->video && !sound)
		return err_set(e, ST_ITEM, "media-cut-off", "%.60s without sound or pictures", format.text);
	if (row == NULL ||
	    (strcmp(row->name, "mp3") == 0 && strstr(ask(m, STREAM_AUDIO, "Format_Profile").text, "Layer 3") == NULL))
		return err_set(e, ST_ITEM, "media-unknown", "MediaInfo: \"%.60s\"", format.text);
	if (strcmp(ask(m, STREAM_GENERAL, "IsTruncated").text, "Yes") == 0)
		return err_set(e, ST_ITEM, "media-cut-off", "the file ends before its end");
	if (strcmp(format.text, "Windows Media") == 0 && is_short_asf(in))
		return err_set(e, ST_ITEM, "media-cut-off", "the file is shorter than it says");
	int stream = to->video ? STREAM_VIDEO : STREAM_AUDIO;
	double bits = number(ask(m, stream, "BitRate"));
	if (bits <= 0)
		bits = number(ask(m, STREAM_GENERAL, "OverallBitRate"));
	to->name = row->name;
	to->extension = row->extension;
	to->format = row->pronom;
	to->seconds = number(ask(m, STREAM_GENERAL, "Duration")) / 1000;
	snprintf(to->codec, sizeof to->codec, "%.31s", ask(m, stream, "Format").text);
	/* A file has no higher rate than its bytes allow: some name the rate that was aimed at. A constant one that does not fit tells of a
	 * missing end; a tenth of leeway, since rates are rounded. */
	double most = to->seconds > 0 ? (double)in.n * 8 / to->seconds : bits;
	if (strcmp(ask(m, stream, "BitRate_Mode").text, "CBR") == 0 && bits * 0.9 > most)
		return err_set(e, ST_ITEM, "media-cut-off", "%.1f s of %.0f kbps do not fit into %zu bytes", to->seconds,
		               bits / 1000, in.n);
	to->kbps = (unsigned)((bits < most ? bits : most) / 1000 + 0.5);
	return ST_OK;
}

enum status media_read(struct bytes in, struct media *ret_media, struct err *e)
{
	*ret_media = (struct media){0};
	if (!media_recognise(in))
		return err_set(e, ST_ITEM, "media-unknown", "neither sound nor video that is known");
	if (mediainfo.make == NULL)
		return err_set(e, ST_ITEM, "media-library", "libmediainfo.so.0 is not installed");
	void *m = mediainfo.make();
	if (m == NULL)
		return err_set(e, ST_RETRY, "memory", "no memory for MediaInfo");
	feed(m, in);
	enum status st = read_answers(m, in, ret_media, e);
	mediainfo.drop(m);
	return st;
}
