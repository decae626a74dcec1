/* Exif 2.32: orientation and resolution of the primary picture, from IFD 0. Anything wrong is as if it were not there. */
#include "stages/image/internal.h"

struct reader {
	struct bytes in;
	bool big;
};

static uint16_t u16(const struct reader *r, size_t at)
{
	struct rd d = {.in = r->in, .at = at > r->in.n ? r->in.n : at};
	return r->big ? rd_u16be(&d) : rd_u16le(&d);
}

static uint32_t u32(const struct reader *r, size_t at)
{
	struct rd d = {.in = r->in, .at = at > r->in.n ? r->in.n : at};
	return r->big ? rd_u32be(&d) : rd_u32le(&d);
}

static double rational(const struct reader *r, size_t entry)
{
	if (u16(r, entry + 2) != 5 || u32(r, entry + 4) != 1)
		return 0;
	size_t at = u32(r, entry + 8);
	uint32_t over = u32(r, at), under = u32(r, at + 4);
	return under == 0 ? 0 : (double)over / under;
}

void exif_read(struct bytes in, struct exif *to)
{
	struct reader r = {.in = in};
	if (in.n < 8 || in.p[0] != in.p[1] || (in.p[0] != 'M' && in.p[0] != 'I'))
		return;
	r.big = in.p[0] == 'M';
	size_t at = u32(&r, 4);
	unsigned count = u16(&r, at), unit = 2;
	double x = 0, y = 0;
	for (unsigned i = 0; i < count; i++) {
		size_t entry = at + 2 + 12u * (size_t)i;
		if (entry + 12 > in.n)
			break;
		switch (u16(&r, entry)) {
		case 0x0112:
			if (u16(&r, entry + 2) == 3 && u16(&r, entry + 8) >= 1 && u16(&r, entry + 8) <= 8)
				to->orientation = u16(&r, entry + 8);
			break;
		case 0x011A:
			x = rational(&r, entry);
			break;
		case 0x011B:
			y = rational(&r, entry);
			break;
		case 0x0128:
			unit = u16(&r, entry + 8);
			break;
		default:
			break;
		}
	}
	double factor = unit == 2 ? 1.0 : unit == 3 ? 2.54 : 0;
	if (x > 0 && y > 0 && factor > 0) {
		to->dpi_x = x * factor;
		to->dpi_y = y * factor;
	}
}
