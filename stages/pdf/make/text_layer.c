#include "stages/pdf/make/text_layer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/base/text.h"

#define CODE_POINTS 0x110000u
#define MAX_CIDS 65535u

/* In thousandths of the font size. */
enum { ADVANCE = 500, ASCENT = 750, DESCENT = 200 };

void glyphless_free(struct glyphless *g)
{
	free(g->cid);
	free(g->character);
	*g = (struct glyphless){0};
}

static bool begin(struct glyphless *g)
{
	if (g->n != 0)
		return true;
	g->cid = calloc(CODE_POINTS, sizeof *g->cid);
	g->character = calloc(MAX_CIDS + 1, sizeof *g->character);
	g->n = 1;
	return g->cid != NULL && g->character != NULL;
}

static uint16_t cid_of(struct glyphless *g, uint32_t c)
{
	if (c >= CODE_POINTS || (g->cid[c] == 0 && g->n > MAX_CIDS))
		c = 0xFFFD;
	if (g->cid[c] == 0 && g->n <= MAX_CIDS) {
		g->cid[c] = (uint16_t)g->n;
		g->character[g->n++] = c;
	}
	return g->cid[c];
}

static int compare_ints(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	return (x > y) - (x < y);
}

/* One size for a line: readers take words of different sizes for different lines. The median height of its words, so that one that
 * grew into a stamp or a rule does not count. */
static double line_size(const struct ocr_word *w, size_t n, double scale)
{
	int *heights = calloc(n, sizeof *heights);
	if (heights == NULL)
		return 0;
	for (size_t i = 0; i < n; i++)
		heights[i] = w[i].bottom > w[i].top ? w[i].bottom - w[i].top : 1;
	qsort(heights, n, sizeof *heights, compare_ints);
	double size = heights[n / 2] * scale * 1000 / (ASCENT + DESCENT);
	free(heights);
	return size < 0.5 ? 0.5 : size;
}

/* A word's baseline in PDF units: from where, in which direction, how long. */
struct baseline {
	double x, y, cos, sin, length;
};

static struct baseline baseline_of(const struct ocr_word *w, double scale_x, double scale_y, double height)
{
	struct baseline b = {w->x0 * scale_x, height - w->y0 * scale_y, 1, 0, 0};
	double dx = (w->x1 - w->x0) * scale_x, dy = (w->y0 - w->y1) * scale_y;
	b.length = hypot(dx, dy);
	if (b.length < 0.01) {
		b = (struct baseline){w->left * scale_x, height - w->bottom * scale_y, 1, 0, (w->right - w->left) * scale_x};
		b.length = b.length < 0.01 ? 0.01 : b.length;
		return b;
	}
	b.cos = dx / b.length;
	b.sin = dy / b.length;
	return b;
}

/* A line as straight as it is: each word's own baseline is only known to the pixel, so words would dance and readers would take
 * them for several lines. From the first word's start to the last one's end; a rise below two points counts as none. */
static struct baseline line_of(const struct ocr_word *w, size_t n, double scale_x, double scale_y, double height)
{
	struct baseline first = baseline_of(w, scale_x, scale_y, height), last = baseline_of(w + n - 1, scale_x, scale_y, height);
	double dx = last.x + last.cos * last.length - first.x, dy = last.y + last.sin * last.length - first.y;
	struct baseline line = {first.x, first.y, 1, 0, 0};
	if (dx <= 0 || fabs(dy) > dx / 2)
		return line; /* runs down the page, or backwards: each word for itself */
	line.length = hypot(dx, dy);
	if (fabs(dy) < 2) {
		line.y += dy / 2;
	} else {
		line.cos = dx / line.length;
		line.sin = dy / line.length;
	}
	return line;
}

/* The word's stretch of its line. */
static struct baseline on_line(const struct baseline *line, const struct ocr_word *w, double scale_x, double scale_y,
                               double height)
{
	struct baseline b = baseline_of(w, scale_x, scale_y, height);
	if (line->length == 0)
		return b;
	b.length = fmax(b.length * b.cos / line->cos, 0.01);
	b.cos = line->cos;
	b.sin = line->sin;
	b.y = line->y + (b.x - line->x) * line->sin / line->cos;
	return b;
}

static void print_numbers(const double *v, size_t n, const char *operator, struct buf * to)
{
	for (size_t i = 0; i < n; i++) {
		print_number(v[i], to);
		buf_byte(to, ' ');
	}
	buf_str(to, operator);
	buf_byte(to, '\n');
}

/* Horizontal scaling (Tz) that makes n characters as long as the given length. */
static void print_scaling(double length, size_t n, double size, struct buf *to)
{
	double percent = length / ((double)n * size * ADVANCE / 1000) * 100;
	print_numbers(&(double){percent < 0.01 ? 0.01 : percent}, 1, "Tz", to);
}

static void print_word(struct glyphless *g, const struct ocr_word *w, const struct baseline *b, double size, struct buf *to)
{
	print_numbers((double[]){b->cos, b->sin, -b->sin, b->cos, b->x, b->y}, 6, "Tm", to);
	print_scaling(b->length, utf8_length(w->text), size, to);
	buf_byte(to, '<');
	const char *at = w->text;
	for (uint32_t c; (c = utf8_next(&at)) != 0;)
		buf_format(to, "%04X", cid_of(g, c));
	buf_str(to, ">Tj\n");
}

bool text_layer(struct glyphless *g, const struct ocr_page *words, const char *font, double scale_x, double scale_y,
                double height, struct buf *to)
{
	if (!begin(g))
		return false;
	buf_str(to, "BT\n3 Tr\n");
	double size = 0, own;
	struct baseline line = {0};
	for (size_t i = 0, end = 0; i < words->n; i++) {
		const struct ocr_word *w = &words->words[i];
		if (i == end) {
			while (end < words->n && words->words[end].line == w->line)
				end++;
			own = line_size(w, end - i, scale_y);
			line = line_of(w, end - i, scale_x, scale_y, height);
			/* Lines of a block that differ little (by what descenders they have) are of one size. */
			if (i == 0 || w->block != w[-1].block || fabs(own - size) > 0.25 * size)
				size = own;
			buf_format(to, "/%s ", font);
			print_numbers(&size, 1, "Tf", to);
		}
		if (w->text == NULL || w->text[0] == '\0' || !utf8_valid(w->text, strlen(w->text)))
			continue;
		struct baseline b = on_line(&line, w, scale_x, scale_y, height);
		print_word(g, w, &b, size, to);
		if (i + 1 < end) {
			/* The space reaches to the next word. */
			struct baseline next = on_line(&line, w + 1, scale_x, scale_y, height);
			double gap = (next.x - b.x) * b.cos + (next.y - b.y) * b.sin - b.length;
			print_scaling(gap, 1, size, to);
			buf_format(to, "<%04X>Tj\n", cid_of(g, ' '));
		}
	}
	buf_str(to, "ET\n");
	return !to->failed;
}

static void u16(struct buf *b, unsigned v)
{
	buf_byte(b, (uint8_t)(v >> 8));
	buf_byte(b, (uint8_t)v);
}

static void u32(struct buf *b, uint32_t v)
{
	u16(b, v >> 16);
	u16(b, v & 0xFFFF);
}

static uint32_t checksum(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (uint32_t)p[i] << (24 - 8 * (i % 4));
	return sum;
}

/* A TrueType font of two glyphs without outlines (ISO/IEC 14496-22): .notdef and the blank. */
static void print_font(struct buf *to)
{
	static const uint16_t head[27] = {1, 0, 1,      0,      0, 0, 0x5F0F, 0x3CF5, 0x000B, 1000, 0, 0, 0xE3E2, 0x8E00,
	                                  0, 0, 0xE3E2, 0x8E00, 0, 0, 0,      0,      0,      8,    2, 0, 0};
	static const uint16_t hhea[18] = {1, 0, ASCENT, (uint16_t)-DESCENT, 0, ADVANCE, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2};
	static const uint16_t hmtx[4] = {ADVANCE, 0, ADVANCE, 0}, loca[3] = {0};
	static const uint16_t maxp[16] = {1, 0, 2, 0, 0, 0, 0, 1}, post[16] = {3};
	static const uint16_t cmap[] = {0, 1, 3, 1, 0, 12, 4, 24, 0, 2, 2, 0, 0, 0xFFFF, 0, 0xFFFF, 1, 0}, glyf[1] = {0};
	static const struct {
		char tag[5];
		const uint16_t *v;
		size_t n;
	} tables[] = {{"cmap", cmap, 18}, {"glyf", glyf, 1}, {"head", head, 27}, {"hhea", hhea, 18},
	              {"hmtx", hmtx, 4},  {"loca", loca, 3}, {"maxp", maxp, 16}, {"post", post, 16}};
	enum { TABLES = sizeof tables / sizeof tables[0] };
	BUF_AUTO struct buf body = BUF_INIT(4096);
	size_t from = to->len, head_at = 0;
	u32(to, 0x00010000);
	u16(to, TABLES);
	u16(to, 128);
	u16(to, 3);
	u16(to, TABLES * 16 - 128);
	for (size_t i = 0; i < TABLES; i++) {
		size_t at = body.len;
		if (strcmp(tables[i].tag, "head") == 0)
			head_at = 12 + 16 * TABLES + at;
		for (size_t k = 0; k < tables[i].n; k++)
			u16(&body, tables[i].v[k]);
		buf_str(to, tables[i].tag);
		u32(to, checksum(body.data + at, body.len - at));
		u32(to, (uint32_t)(12 + 16 * TABLES + at));
		u32(to, (uint32_t)(2 * tables[i].n));
		while (body.len % 4 != 0)
			buf_byte(&body, 0);
	}
	buf_add(to, body.data, body.len);
	if (to->failed)
		return;
	uint32_t adjust = 0xB1B0AFBA - checksum(to->data + from, to->len - from);
	for (size_t i = 0; i < 4; i++)
		to->data[from + head_at + 8 + i] = (uint8_t)(adjust >> (24 - 8 * i));
}

static void print_cmap(const struct glyphless *g, struct buf *to)
{
	buf_str(to, "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
	            "/CIDSystemInfo <</Registry(Adobe)/Ordering(UCS)/Supplement 0>> def\n"
	            "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
	            "1 begincodespacerange\n<0000><FFFF>\nendcodespacerange\n");
	for (uint32_t i = 1; i < g->n; i++) {
		uint32_t c = g->character[i], left = g->n - i;
		if (i % 100 == 1)
			buf_format(to, "%u beginbfchar\n", left < 100 ? left : 100);
		if (c > 0xFFFF)
			buf_format(to, "<%04X><%04X%04X>\n", i, 0xD800 + ((c - 0x10000) >> 10), 0xDC00 + ((c - 0x10000) & 0x3FF));
		else
			buf_format(to, "<%04X><%04X>\n", i, c);
		if (i % 100 == 0 || left == 1)
			buf_str(to, "endbfchar\n");
	}
	buf_str(to, "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
}

static void write_part(struct writer *w, uint32_t number, struct buf *data, const char *dict)
{
	BUF_AUTO struct buf d = BUF_INIT(1024);
	buf_str(&d, dict);
	writer_stream_flate(w, number, &d, (struct bytes){data->data, data->len});
}

void glyphless_write(const struct glyphless *g, struct writer *w, uint32_t number)
{
	uint32_t descendant = writer_allocate(w), descriptor = writer_allocate(w), file = writer_allocate(w),
	         gids = writer_allocate(w), unicode = writer_allocate(w);
	BUF_AUTO struct buf b = BUF_INIT(8u << 20);
	char dict[32];
	buf_format(
	    &b, "<</Type/Font/Subtype/Type0/BaseFont/ArksealBlank/Encoding/Identity-H/DescendantFonts[%u 0 R]/ToUnicode %u 0 R>>",
	    descendant, unicode);
	writer_object(w, number, &b);
	buf_reset(&b);
	buf_format(&b,
	           "<</Type/Font/Subtype/CIDFontType2/BaseFont/ArksealBlank/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)"
	           "/Supplement 0>>/FontDescriptor %u 0 R/DW %d/CIDToGIDMap %u 0 R>>",
	           descriptor, ADVANCE, gids);
	writer_object(w, descendant, &b);
	buf_reset(&b);
	buf_format(&b,
	           "<</Type/FontDescriptor/FontName/ArksealBlank/Flags 4/FontBBox[0 -%d %d %d]/ItalicAngle 0/Ascent %d"
	           "/Descent -%d/CapHeight %d/StemV 80/FontFile2 %u 0 R>>",
	           DESCENT, ADVANCE, ASCENT, ASCENT, DESCENT, ASCENT, file);
	writer_object(w, descriptor, &b);
	buf_reset(&b);
	print_font(&b);
	snprintf(dict, sizeof dict, "/Length1 %zu", b.len);
	write_part(w, file, &b, dict);
	buf_reset(&b);
	for (uint32_t i = 0; i < g->n; i++)
		u16(&b, i == 0 ? 0 : 1);
	write_part(w, gids, &b, "");
	buf_reset(&b);
	print_cmap(g, &b);
	write_part(w, unicode, &b, "");
}
