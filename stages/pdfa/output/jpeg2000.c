/* JPEG 2000 in PDF: the header boxes (ISO 15444-1, Annex I; ISO 32000-1, 7.4.9). */
#include <string.h>

#include "stages/base/box.h"
#include "stages/pdfa/output/facts.h"

/* I.5.3.3: METH, PREC, APPROX, then the enumerated colour space or a profile. */
static void read_colr(struct bytes body, struct o_jpeg2000 *o, bool *chosen)
{
	struct rd r = RD_INIT(body.p, body.n);
	unsigned method = rd_u8(&r);
	rd_skip(&r, 1);
	unsigned approx = rd_u8(&r);
	if (r.failed)
		return;
	uint32_t space = method == 1 ? rd_u32be(&r) : 0;
	o->specifications++;
	o->best += approx == 1;
	/* The best one counts, or the only one. */
	if (approx == 1 ? !*chosen : o->specifications == 1) {
		o->method = method;
		o->jab = !r.failed && space == 19;
	} else if (!*chosen && approx != 1) {
		o->method = 0;
		o->jab = false;
	}
	*chosen = *chosen || approx == 1;
}

static void read_header(struct bytes body, struct o_jpeg2000 *o)
{
	struct rd r = RD_INIT(body.p, body.n);
	struct box b;
	bool chosen = false;
	while (box_next(&r, &b)) {
		if (strcmp(b.type, "ihdr") == 0 && b.body.n == 14) {
			o->channels = (unsigned)b.body.p[8] << 8 | b.body.p[9];
			o->bit_depth = (int8_t)b.body.p[10] + 1;
		} else if (strcmp(b.type, "bpcc") == 0) {
			o->bpcc = true;
		} else if (strcmp(b.type, "colr") == 0) {
			read_colr(b.body, o, &chosen);
		}
	}
}

struct o_jpeg2000 jpeg2000_read(struct bytes in)
{
	static const uint8_t signature[12] = {0, 0, 0, 12, 'j', 'P', ' ', ' ', '\r', '\n', 0x87, '\n'};
	struct o_jpeg2000 o = {0};
	struct rd r = RD_INIT(in.p, in.n);
	struct box b;
	if (in.n < sizeof signature || memcmp(in.p, signature, sizeof signature) != 0)
		return o;
	rd_skip(&r, sizeof signature);
	while (box_next(&r, &b))
		if (strcmp(b.type, "jp2h") == 0) {
			read_header(b.body, &o);
			break;
		}
	return o;
}
