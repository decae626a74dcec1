/* Spacing that the parsed object no longer shows. */
#include <string.h>

#include "stages/pdfa/file/facts.h"

static int at(struct bytes in, size_t i)
{
	return i < in.n ? in.p[i] : -1;
}

static bool space(int c)
{
	return c == 0 || c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == ' ';
}

static bool eol(int c)
{
	return c == '\r' || c == '\n';
}

static bool digit(int c)
{
	return c >= '0' && c <= '9';
}

static size_t skip_digits(struct bytes in, size_t i)
{
	while (digit(at(in, i)))
		i++;
	return i;
}

static size_t skip_space(struct bytes in, size_t i)
{
	while (space(at(in, i)))
		i++;
	return i;
}

/* Exactly one white-space character. */
static bool one_space(struct bytes in, size_t i)
{
	return space(at(in, i)) && !space(at(in, i + 1));
}

struct o_indirect_object file_spacing(struct bytes in, uint64_t offset, uint64_t length)
{
	size_t from = skip_space(in, (size_t)offset), number = skip_digits(in, from);
	size_t generation = skip_digits(in, skip_space(in, number)), word = skip_space(in, generation);
	bool head = from > 0 && eol(in.p[from - 1]) && one_space(in, number) && one_space(in, generation) &&
	            eol(at(in, word + 3));
	size_t end = (size_t)(offset + length);
	bool tail = length > 7 && memcmp(in.p + end - 6, "endobj", 6) == 0 && eol(in.p[end - 7]) && eol(at(in, end));
	return (struct o_indirect_object){head && tail};
}

/* One subsection's entries are stepped over by their tokens: three each. */
static size_t skip_entries(struct bytes in, size_t i, uint64_t count)
{
	for (uint64_t k = 0; k < count * 3 && i < in.n; k++) {
		i = skip_space(in, i);
		while (i < in.n && !space(in.p[i]))
			i++;
	}
	return skip_space(in, i);
}

struct o_xref file_xref(struct bytes in, uint64_t offset)
{
	struct o_xref o = {true, true};
	size_t i = skip_space(in, (size_t)offset) + 4;
	if (at(in, i) == '\r')
		i += at(in, i + 1) == '\n' ? 2 : 1;
	else
		i += at(in, i) == '\n';
	o.eol_after_keyword = eol(at(in, i - 1)) && digit(at(in, i));
	for (i = skip_space(in, i); digit(at(in, i));) {
		size_t second = skip_digits(in, i);
		o.spaced_header = o.spaced_header && at(in, second) == ' ' && digit(at(in, second + 1));
		second = skip_space(in, second);
		uint64_t count = 0;
		for (; digit(at(in, second)) && count < in.n; second++)
			count = count * 10 + (uint64_t)(in.p[second] - '0');
		i = skip_entries(in, second, count);
	}
	return o;
}

/* 7.3.8.1: Length counts from after the end-of-line of `stream` to before that of `endstream`. */
struct o_stream file_stream(struct bytes in, const struct pdfobj *stream)
{
	struct bytes raw = pdfobj_stream_raw(stream);
	size_t from = (size_t)(raw.p - in.p), end = skip_space(in, from + raw.n);
	const struct pdfobj *length = pdfobj_get(stream, "Length");
	struct o_stream o = {.external = pdfobj_kind(pdfobj_get(stream, "F")) != PDF_NULL ||
	                                 pdfobj_kind(pdfobj_get(stream, "FFilter")) != PDF_NULL ||
	                                 pdfobj_kind(pdfobj_get(stream, "FDecodeParms")) != PDF_NULL};
	bool line_feed = at(in, from - 1) == '\n';
	o.keyword_eol = line_feed && (at(in, from - 2) == 'm' || (at(in, from - 2) == '\r' && at(in, from - 3) == 'm'));
	size_t taken = end - from;
	int last = at(in, end - 1);
	o.end_eol = eol(last);
	if (pdfobj_kind(length) != PDF_INTEGER || pdfobj_integer(length) < 0)
		return o;
	uint64_t says = (uint64_t)pdfobj_integer(length);
	/* CR LF is one end-of-line, unless the CR is the last byte of the data. */
	if (last == '\n' && at(in, end - 2) == '\r')
		taken -= taken > says + 1 ? 2 : 1;
	else if (o.end_eol)
		taken -= 1;
	o.right_length = says == taken;
	return o;
}
