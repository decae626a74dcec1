#include "stages/text/tesseract.h"

#include "stages/base/library.h"

struct tesseract tesseract;

enum status tesseract_load(struct err *e)
{
#define NAME(name) #name,
	static const char *const names[] = {TESSERACT_FUNCTIONS(NAME)};
#undef NAME
	if (tesseract.TessBaseAPICreate != NULL)
		return ST_OK;
	return library_load("libtesseract.so.5", names, sizeof names / sizeof *names, &tesseract, e);
}
