/* CCITT G3 and G4 (ITU-T T.4, T.6) as PDF has it, decoded by libtiff: the data is given to it as a TIFF file of one strip. */
#include "stages/image/tiff.h"

static void u16(struct buf *b, unsigned v)
{
	buf_byte(b, (uint8_t)v);
	buf_byte(b, (uint8_t)(v >> 8));
}

static void u32(struct buf *b, uint32_t v)
{
	u16(b, v & 0xFFFF);
	u16(b, v >> 16);
}

static void print_tiff(const struct picture *p, struct buf *b)
{
	uint32_t compression = p->ccitt_k < 0        ? COMPRESSION_CCITTFAX4
	                       : p->ccitt_byte_align ? COMPRESSION_CCITTRLE
	                                             : COMPRESSION_CCITTFAX3;
	const struct {
		unsigned tag;
		uint32_t value;
	} entries[] = {{TIFFTAG_IMAGEWIDTH, p->width},
	               {TIFFTAG_IMAGELENGTH, p->height},
	               {TIFFTAG_BITSPERSAMPLE, 1},
	               {TIFFTAG_COMPRESSION, compression},
	               {TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE},
	               {TIFFTAG_STRIPOFFSETS, 8 + 2 + 10 * 12 + 4},
	               {TIFFTAG_SAMPLESPERPIXEL, 1},
	               {TIFFTAG_ROWSPERSTRIP, p->height},
	               {TIFFTAG_STRIPBYTECOUNTS, (uint32_t)p->data.n},
	               {TIFFTAG_GROUP3OPTIONS, p->ccitt_k > 0 ? GROUP3OPT_2DENCODING : 0}};
	buf_add(b, "II*\0\x08\0\0\0", 8);
	u16(b, 10);
	for (size_t i = 0; i < 10; i++) {
		u16(b, entries[i].tag);
		u16(b, TIFF_LONG);
		u32(b, 1);
		u32(b, entries[i].value);
	}
	u32(b, 0);
	buf_add(b, p->data.p, p->data.n);
}

enum status ccitt_decode(const struct picture *p, uint8_t *to, struct err *e)
{
	if (p->data.n > UINT32_MAX / 2)
		return err_set(e, ST_ITEM, "picture-too-large", "%zu bytes of CCITT data", p->data.n);
	BUF_AUTO struct buf b = BUF_INIT(p->data.n + 256);
	print_tiff(p, &b);
	if (b.failed)
		return picture_no_memory(e);
	struct tiff f;
	enum status st = tiff_begin(&f, (struct bytes){b.data, b.len}, e);
	size_t n = ((size_t)p->width + 7) / 8 * p->height;
	if (st == ST_OK) {
		f.decoding = true;
		if (TIFFReadEncodedStrip(f.t, 0, to, (tmsize_t)n) != (tmsize_t)n || f.failed)
			st = tiff_corrupt(&f, "the CCITT data is broken", e);
	}
	tiff_close(&f);
	for (size_t i = 0; st == ST_OK && !p->ccitt_black_is_1 && i < n; i++)
		to[i] = (uint8_t)~to[i];
	return st;
}
