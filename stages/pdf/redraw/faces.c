#include "stages/pdf/redraw/internal.h"
#include "stages/pdf/standard_face.h"

/* Those that are built into MuPDF lack Vietnamese letters. */
static fz_font *load_face(fz_context *ctx, const char *name, int bold, int italic, int needs_exact_metrics)
{
	(void)needs_exact_metrics;
	char path[STANDARD_FACE_PATH];
	return pdf_standard_face(name, bold != 0, italic != 0, path) ? fz_new_font_from_file(ctx, NULL, path, 0, 0) : NULL;
}

void faces_install(fz_context *ctx)
{
	fz_install_load_system_font_funcs(ctx, load_face, NULL, NULL);
}
