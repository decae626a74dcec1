#include "stages/pdf/make/g4.h"

#include <stdlib.h>
#include <string.h>

#include <tiffio.h>

/* A TIFF file in memory. */
struct memory {
	struct buf b;
	size_t at;
};

static tmsize_t on_read(thandle_t h, void *to, tmsize_t n)
{
	struct memory *m = h;
	size_t left = m->at < m->b.len ? m->b.len - m->at : 0, take = (size_t)n < left ? (size_t)n : left;
	if (take > 0)
		memcpy(to, m->b.data + m->at, take);
	m->at += take;
	return (tmsize_t)take;
}

static tmsize_t on_write(thandle_t h, void *from, tmsize_t n)
{
	struct memory *m = h;
	size_t end = m->at + (size_t)n;
	if (end > m->b.len) {
		uint8_t *room = buf_reserve(&m->b, end - m->b.len);
		if (room == NULL)
			return 0;
		memset(room, 0, end - m->b.len);
		m->b.len = end;
	}
	memcpy(m->b.data + m->at, from, (size_t)n);
	m->at = end;
	return n;
}

static toff_t on_seek(thandle_t h, toff_t offset, int whence)
{
	struct memory *m = h;
	size_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? m->at : m->b.len;
	m->at = base + (size_t)offset;
	return m->at;
}

static int on_close(thandle_t h)
{
	(void)h;
	return 0;
}

static toff_t on_size(thandle_t h)
{
	return ((struct memory *)h)->b.len;
}

static int on_message(TIFF *t, void *arg, const char *module, const char *format, va_list ap)
{
	(void)t, (void)arg, (void)module, (void)format, (void)ap;
	return 1;
}

static TIFF *open_memory(struct memory *m)
{
	TIFFOpenOptions *o = TIFFOpenOptionsAlloc();
	if (o == NULL)
		return NULL;
	TIFFOpenOptionsSetErrorHandlerExtR(o, on_message, NULL);
	TIFFOpenOptionsSetWarningHandlerExtR(o, on_message, NULL);
	TIFF *t = TIFFClientOpenExt("g4", "w", m, on_read, on_write, on_seek, on_close, on_size, NULL, NULL, o);
	TIFFOpenOptionsFree(o);
	return t;
}

/* libtiff encodes 1 as black. */
static uint8_t *black_is_1(const struct picture *p, size_t n)
{
	uint8_t *rows = malloc(n);
	for (size_t i = 0; rows != NULL && i < n; i++)
		rows[i] = p->inverted ? p->data.p[i] : (uint8_t)~p->data.p[i];
	return rows;
}

struct bytes g4_encode(const struct picture *p)
{
	size_t n = ((size_t)p->width + 7) / 8 * p->height;
	struct memory m = {.b = BUF_INIT(2 * n + (1u << 20))};
	struct bytes result = {0};
	uint8_t *rows = black_is_1(p, n);
	TIFF *t = rows == NULL ? NULL : open_memory(&m);
	if (t != NULL) {
		TIFFSetField(t, TIFFTAG_IMAGEWIDTH, p->width);
		TIFFSetField(t, TIFFTAG_IMAGELENGTH, p->height);
		TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, 1);
		TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, 1);
		TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, p->height);
		TIFFSetField(t, TIFFTAG_COMPRESSION, COMPRESSION_CCITTFAX4);
		TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
		uint64_t *offsets = NULL, *counts = NULL;
		if (TIFFWriteEncodedStrip(t, 0, rows, (tmsize_t)n) == (tmsize_t)n && TIFFFlushData(t) &&
		    TIFFGetField(t, TIFFTAG_STRIPOFFSETS, &offsets) && TIFFGetField(t, TIFFTAG_STRIPBYTECOUNTS, &counts) &&
		    !m.b.failed && counts[0] > 0 && offsets[0] + counts[0] <= m.b.len) {
			uint8_t *copy = malloc(counts[0]);
			if (copy != NULL) {
				memcpy(copy, m.b.data + offsets[0], counts[0]);
				result = (struct bytes){copy, counts[0]};
			}
		}
		TIFFClose(t);
	}
	free(rows);
	buf_free(&m.b);
	return result;
}
