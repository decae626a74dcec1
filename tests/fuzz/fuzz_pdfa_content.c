/* Content streams in a document that has a resource of each kind: the page's, a form's and a glyph's, divided by zero bytes. */
#include <string.h>

#include "stages/pdfa/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STREAMS 3
#define RESOURCES                                                                                                                \
	"/Font<</F0<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>/F1 9 0 "                             \
	"R/F2<</Type/Font/Subtype/Type0"                                                                                         \
	"/BaseFont/X/Encoding/UniGB-UTF16-H/DescendantFonts[<</Type/Font/Subtype/CIDFontType2/BaseFont/X/W[1[2 3]4 5 6]>>]>>>>"  \
	"/ColorSpace<</C0[/Separation/S/DeviceCMYK 8 0 R]/C1[/DeviceN[/A/B]/DeviceRGB 8 0 R]/C2[/Pattern/DeviceRGB]"             \
	"/C3[/Indexed/DeviceRGB 1<000000ffffff>]/C4[/CalGray<</WhitePoint[1 1 1]>>]>>"                                           \
	"/Pattern<</P0 6 0 R/P1<</PatternType 2/Shading<</ShadingType 2/ColorSpace/DeviceGray>>>>>>"                             \
	"/ExtGState<</G0<</BM/Multiply/ca .5/OPM 1/op true>>/G1<</SMask<</S/Alpha/G 5 0 R>>/Font[9 0 R 1]>>>>"                   \
	"/XObject<</X0 5 0 R/I0 7 0 R>>/Shading<</S0<</ShadingType 2/ColorSpace/DeviceCMYK>>>>/Properties<</M0<</MCID 0>>>>"

static const char *const heads[] = {
    "1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n",
    "2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n",
    "3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources 10 0 R>>\nendobj\n",
    "4 0 obj\n<<",
    "5 0 obj\n<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources 10 0 R/Group<</S/Transparency/CS/DeviceRGB>>",
    "6 0 obj\n<</PatternType 1/PaintType 1/TilingType 1/BBox[0 0 9 9]/XStep 9/YStep 9/Resources 10 0 R",
    "7 0 obj\n<</Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray/Length "
    "1>>stream\n0\nendstream\nendobj\n",
    "8 0 obj\n<</FunctionType 2/Domain[0 1]/N 1>>\nendobj\n",
    "9 0 obj\n<</Type/Font/Subtype/Type3/FontMatrix[1 0 0 1 0 0]/FontBBox[0 0 9 9]/FirstChar 97/LastChar 97/Widths[9]"
    "/Encoding<</Differences[97/a]>>/CharProcs<</a 6 0 R>>/Resources 10 0 R>>\nendobj\n",
    "10 0 obj\n<<" RESOURCES ">>\nendobj\n",
};
#define OBJECTS (sizeof heads / sizeof *heads)

static void put_stream(struct buf *to, struct bytes in)
{
	buf_format(to, "/Length %zu>>\nstream\n", in.n);
	buf_add(to, in.p, in.n);
	buf_str(to, "\nendstream\nendobj\n");
}

static void build(struct buf *b, const struct bytes parts[STREAMS])
{
	size_t at[OBJECTS], stream = 0;
	buf_str(b, "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n");
	for (size_t i = 0; i < OBJECTS; i++) {
		at[i] = b->len;
		buf_str(b, heads[i]);
		if (strstr(heads[i], "endobj") == NULL)
			put_stream(b, parts[stream++]);
	}
	size_t xref = b->len;
	buf_format(b, "xref\n0 %zu\n0000000000 65535 f \n", OBJECTS + 1);
	for (size_t i = 0; i < OBJECTS; i++)
		buf_format(b, "%010zu 00000 n \n", at[i]);
	buf_format(b, "trailer\n<</Size %zu/Root 1 0 R/ID[<aa><bb>]>>\nstartxref\n%zu\n%%%%EOF\n", OBJECTS + 1, xref);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes parts[STREAMS] = {{0}};
	BUF_AUTO struct buf b = BUF_INIT((size_t)1 << 20);
	struct pdfa_result r = {0};
	struct err e;
	size_t begin = 0;
	if (size > 65536)
		return 0;
	for (size_t i = 0; i < STREAMS; i++) {
		const uint8_t *zero = i + 1 < STREAMS && size > begin ? memchr(data + begin, 0, size - begin) : NULL;
		size_t end = zero == NULL ? size : (size_t)(zero - data);
		parts[i] = (struct bytes){data + begin, end - begin};
		begin = zero == NULL ? size : end + 1;
	}
	build(&b, parts);
	(void)pdfa_check((struct bytes){b.data, b.len}, PDFA_2A, &r, &e);
	pdfa_result_free(&r);
	return 0;
}
