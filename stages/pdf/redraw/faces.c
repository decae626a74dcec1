#include <stdio.h>
#include <string.h>

#include "stages/pdf/redraw/internal.h"

/* Faces with the same widths; the built-in ones of MuPDF lack Vietnamese letters. The first prefix that fits counts. */
static const struct {
	const char *prefix, *face;
} families[] = {
    {"TimesNewRoman", "Tinos"}, {"Times", "Tinos"},        {"Arial", "Arimo"},
    {"Helvetica", "Arimo"},     {"CourierNew", "Cousine"}, {"Courier", "Cousine"},
};

/* The name without its subset tag and spaces. */
static void plain_name(const char *name, char to[128])
{
	const char *plus = strchr(name, '+');
	if (plus != NULL && plus - name == 6)
		name = plus + 1;
	size_t n = 0;
	for (; *name != '\0' && n < 127; name++)
		if (*name != ' ')
			to[n++] = *name;
	to[n] = '\0';
}

static fz_font *load_face(fz_context *ctx, const char *name, int bold, int italic, int needs_exact_metrics)
{
	(void)needs_exact_metrics;
	char plain[128];
	plain_name(name, plain);
	bold = bold || strcasestr(plain, "bold") != NULL;
	italic = italic || strcasestr(plain, "italic") != NULL || strcasestr(plain, "oblique") != NULL;
	static const char *const styles[2][2] = {{"Regular", "Italic"}, {"Bold", "BoldItalic"}};
	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		if (strncasecmp(plain, families[i].prefix, strlen(families[i].prefix)) != 0)
			continue;
		char path[512];
		snprintf(path, sizeof path, "%s/%s-%s.ttf", ARKSEAL_FACES, families[i].face, styles[bold != 0][italic != 0]);
		return fz_new_font_from_file(ctx, NULL, path, 0, 0);
	}
	return NULL;
}

void faces_install(fz_context *ctx)
{
	fz_install_load_system_font_funcs(ctx, load_face, NULL, NULL);
}
