/* Tesseract's C interface, loaded when it is wanted. Private to this folder. */
#ifndef ARKSEAL_TEXT_TESSERACT_H
#define ARKSEAL_TEXT_TESSERACT_H

#include <leptonica/allheaders.h>
#include <tesseract/capi.h>

#include "stages/base/err.h"

/* clang-format off */
#define TESSERACT_FUNCTIONS(X) \
	X(TessBaseAPIClear) \
	X(TessBaseAPICreate) \
	X(TessBaseAPIDelete) \
	X(TessBaseAPIDetectOrientationScript) \
	X(TessBaseAPIGetIterator) \
	X(TessBaseAPIGetLoadedLanguagesAsVector) \
	X(TessBaseAPIInit2) \
	X(TessBaseAPIRecognize) \
	X(TessBaseAPISetImage) \
	X(TessBaseAPISetPageSegMode) \
	X(TessBaseAPISetSourceResolution) \
	X(TessBaseAPISetVariable) \
	X(TessDeleteText) \
	X(TessDeleteTextArray) \
	X(TessMonitorCreate) \
	X(TessMonitorDelete) \
	X(TessMonitorSetDeadlineMSecs) \
	X(TessPageIteratorBaseline) \
	X(TessPageIteratorBoundingBox) \
	X(TessPageIteratorIsAtBeginningOf) \
	X(TessResultIteratorConfidence) \
	X(TessResultIteratorDelete) \
	X(TessResultIteratorGetPageIteratorConst) \
	X(TessResultIteratorGetUTF8Text) \
	X(TessResultIteratorNext) \
	X(setMsgSeverity)
/* clang-format on */

/* Called as the library's own: tesseract.TessBaseAPICreate(). */
struct tesseract {
#define MEMBER(name) __typeof__(&name) name;
	TESSERACT_FUNCTIONS(MEMBER)
#undef MEMBER
};
extern struct tesseract tesseract;

/* Fills in the table above; the first call loads. Errors: ST_RUN "library". */
enum status tesseract_load(struct err *e);

#endif
