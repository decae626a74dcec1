#include "stages/image/look.h"

#include <math.h>
#include <string.h>

/* The edges of a page show its shadow, the scanner's lid, holes of a file: a twenty-fifth of a side is not looked at. */
#define EDGE 25
/* Ink is so much darker than the paper, of which a speck may be so much. */
enum { INK = 40, SPECKS = 4, OF = 10000 };

/* The paper: what nine tenths of the pixels are not brighter than, so that a spot of glare does not count. */
static unsigned paper_of(const uint64_t *histogram, uint64_t all)
{
	uint64_t brighter = 0;
	unsigned v = 255;
	while (v > 0 && (brighter += histogram[v]) * 10 < all)
		v--;
	return v;
}

void picture_look(const uint8_t *grey, uint32_t width, uint32_t height, struct picture_look *ret_look)
{
	uint64_t sums[LOOK_CELLS * LOOK_CELLS] = {0}, counts[LOOK_CELLS * LOOK_CELLS] = {0}, histogram[256] = {0}, all = 0,
	                           dark = 0;
	uint32_t left = width / EDGE, top = height / EDGE;
	for (uint32_t y = 0; y < height; y++) {
		const uint8_t *row = grey + (size_t)y * width;
		size_t cells = (size_t)((uint64_t)y * LOOK_CELLS / height) * LOOK_CELLS;
		bool inside = y >= top && y < height - top;
		for (uint32_t x = 0, cell = 0; x < width; cell++) {
			uint32_t from = x, end = (uint32_t)(((uint64_t)cell + 1) * width / LOOK_CELLS);
			uint64_t sum = 0;
			for (; x < end; x++)
				sum += row[x];
			sums[cells + cell] += sum;
			counts[cells + cell] += end - from;
		}
		for (uint32_t x = left; inside && x < width - left; x++)
			histogram[row[x]]++;
	}
	for (size_t i = 0; i < 256; i++)
		all += histogram[i];
	unsigned paper = paper_of(histogram, all);
	for (unsigned v = 0; v + INK < paper; v++)
		dark += histogram[v];
	ret_look->blank = dark * OF <= all * SPECKS;
	for (size_t i = 0; i < LOOK_CELLS * LOOK_CELLS; i++)
		ret_look->cells[i] = (uint8_t)(counts[i] == 0 ? 255 : sums[i] / counts[i]);
}

double picture_likeness(const struct picture_look *a, const struct picture_look *b)
{
	enum { N = LOOK_CELLS * LOOK_CELLS };
	double mean_a = 0, mean_b = 0, ab = 0, aa = 0, bb = 0;
	for (size_t i = 0; i < N; i++) {
		mean_a += a->cells[i];
		mean_b += b->cells[i];
	}
	mean_a /= N;
	mean_b /= N;
	for (size_t i = 0; i < N; i++) {
		double u = a->cells[i] - mean_a, v = b->cells[i] - mean_b;
		ab += u * v;
		aa += u * u;
		bb += v * v;
	}
	return aa < 1 || bb < 1 ? 0 : ab / sqrt(aa * bb);
}
