/*
 * Sound and video: which format a file has, how long it lasts, how many bits a second its sound or its pictures have. Read by MediaInfo, which
 * archives use for this; nothing is decoded, nothing changed.
 */
#ifndef ARKSEAL_MEDIA_MEDIA_H
#define ARKSEAL_MEDIA_MEDIA_H

#include <stdbool.h>

#include "stages/base/buf.h"
#include "stages/base/err.h"

struct media {
	const char *name;      /* as profiles call the format: "mp3", "wmv"; static */
	const char *extension; /* ".mp3"; static */
	const char *format;    /* PRONOM key, or NULL; static */
	bool video;            /* moving pictures; else sound alone */
	double seconds;        /* how long it lasts; 0: the file does not say */
	unsigned kbps;         /* 1,000 bits a second of the pictures, or of the sound where there are none; 0: not known */
	char codec[32];        /* of the same, as MediaInfo names it: "AVC" */
};

/* Loads MediaInfo, where it is installed, for as long as the process lives; to be called before the sandbox closes. */
void media_load(void);

/* Whether the first bytes are those of sound or video in one of the formats below. */
bool media_recognise(struct bytes in);

/* Reads a file. Errors: ST_ITEM "media-unknown" (none of the formats: mp3, wma, wav, flac, ogg, m4a; mp4, mov, avi, wmv, mkv, mpg),
 * "media-cut-off" (it ends before its end, or holds neither sound nor pictures), "media-library" (MediaInfo is not installed). */
enum status media_read(struct bytes in, struct media *ret_media, struct err *e);

#endif
