#include "stages/pdf/standard_face.h"

#include <stdio.h>
#include <string.h>

/* The first prefix that fits counts. */
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

bool pdf_standard_face(const char *name, bool bold, bool italic, char ret_path[STANDARD_FACE_PATH])
{
	static const char *const styles[2][2] = {{"Regular", "Italic"}, {"Bold", "BoldItalic"}};
	char plain[128];
	plain_name(name, plain);
	bold = bold || strcasestr(plain, "bold") != NULL;
	italic = italic || strcasestr(plain, "italic") != NULL || strcasestr(plain, "oblique") != NULL;
	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		if (strncasecmp(plain, families[i].prefix, strlen(families[i].prefix)) != 0)
			continue;
		snprintf(ret_path, STANDARD_FACE_PATH, "%s/%s-%s.ttf", ARKSEAL_FACES, families[i].face, styles[bold][italic]);
		return true;
	}
	return false;
}
