/* Value types: the simple ones by their form, the structures and schemas by schemas.def. */
#include "stages/pdfa/metadata/types.h"
#include "stages/pdfa/metadata/date.h"

#include <libxml/xpath.h>
#include <string.h>

#define NS_EXIF "http://ns.adobe.com/exif/1.0/"
#define NS_DM "http://ns.adobe.com/xmp/1.0/DynamicMedia/"

/* A row with a namespace begins a schema or a structure (then with its type); the rows after it are in it. */
struct row {
	unsigned parts;
	const char *ns, *name, *type;
};

static const struct row schemas[] = {
#define SCHEMA(ns) {0, ns, NULL, NULL},
#define PROPERTY(parts, name, type) {parts, NULL, name, type},
#define STRUCTURE(parts, type, ns)
#define FIELD(name, type)
#include "stages/pdfa/metadata/schemas.def"
#undef SCHEMA
#undef PROPERTY
#undef STRUCTURE
#undef FIELD
};

static const struct row structures[] = {
#define SCHEMA(ns)
#define PROPERTY(parts, name, type)
#define STRUCTURE(parts, type, ns) {parts, ns, NULL, type},
#define FIELD(name, type) {0, NULL, name, type},
#include "stages/pdfa/metadata/schemas.def"
#undef SCHEMA
#undef PROPERTY
#undef STRUCTURE
#undef FIELD
};

static unsigned part_bit(int part)
{
	return part == 1 ? 1 : 2;
}

const char *xmp_predefined(int part, const struct xmp_node *n)
{
	bool in = false;
	for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
		const struct row *r = &schemas[i];
		if (r->ns != NULL)
			in = strcmp(r->ns, n->ns) == 0;
		else if (in && (r->parts & part_bit(part)) != 0 && strcmp(r->name, n->name) == 0)
			return r->type;
	}
	return NULL;
}

/* ---- Names of types ---- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool ends(const char *text, const char *with)
{
	size_t n = strlen(text), k = strlen(with);
	return n >= k && strcmp(text + n - k, with) == 0;
}

/* How long "[open |closed ]choice [of ]" is here; 0: there is none. */
static size_t choice_at(const char *at)
{
	size_t n = starts(at, "open ") ? 5 : starts(at, "closed ") ? 7 : 0;
	if (!starts(at + n, "choice"))
		return 0;
	n += 6;
	if (at[n] == ' ')
		n++;
	else if (at[n] != '\0')
		return 0;
	return starts(at + n, "of ") ? n + 3 : n;
}

bool xmp_type_plain(const char *type, char ret_plain[TYPE_TEXT])
{
	char text[TYPE_TEXT - 8];
	size_t n = strnlen(type, sizeof text), k = 0;
	if (n == sizeof text)
		return false;
	for (size_t i = 0; i <= n; i++)
		text[i] = lower(type[i]);
	for (size_t i = 0; i < n;) {
		size_t skip = choice_at(text + i);
		if (skip == 0 && (k > 0 || (unsigned char)text[i] > ' '))
			ret_plain[k++] = text[i];
		i += skip == 0 ? 1 : skip;
	}
	while (k > 0 && (unsigned char)ret_plain[k - 1] <= ' ')
		k--;
	ret_plain[k] = '\0';
	if (k == 0)
		strcpy(ret_plain, "text");
	else if (!ends(ret_plain, "lang alt") && (ends(ret_plain, "bag") || ends(ret_plain, "seq") || ends(ret_plain, "alt")))
		strcat(ret_plain, " text");
	return true;
}

/* ---- Forms of simple values ---- */

static size_t digits(const char *p)
{
	return strspn(p, "0123456789");
}

static bool is_integer(const char *p)
{
	p += *p == '+' || *p == '-';
	size_t n = digits(p);
	return n > 0 && p[n] == '\0';
}

static bool is_real(const char *p)
{
	p += *p == '+' || *p == '-';
	size_t before = digits(p), after = 0;
	p += before;
	if (*p == '.')
		p += 1 + (after = digits(p + 1));
	return before + after > 0 && *p == '\0';
}

static bool is_boolean(const char *p)
{
	return strcmp(p, "True") == 0 || strcmp(p, "False") == 0;
}

static bool is_mimetype(const char *p)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.";
	size_t n = strspn(p, word);
	if (n == 0 || p[n] != '/')
		return false;
	p += n + 1;
	n = strspn(p, word);
	return n > 0 && p[n] == '\0';
}

/* Degrees, minutes and seconds or a fraction of minutes, and the direction. */
static bool is_coordinate(const char *p, int part)
{
	size_t degrees = digits(p);
	if (degrees == 0 || degrees > 3 || (part == 1 && degrees != 2) || p[degrees] != ',')
		return false;
	p += degrees + 1;
	size_t minutes = digits(p);
	if (minutes == 0 || minutes > 2 || (part == 1 && minutes != 2) || (p[minutes] != ',' && p[minutes] != '.'))
		return false;
	bool fraction = p[minutes] == '.';
	p += minutes + 1;
	size_t rest = digits(p);
	if (rest == 0 || (part == 1 && rest != 2) || (!fraction && rest > 2))
		return false;
	return p[rest] != '\0' && strchr("NSEW", p[rest]) != NULL && p[rest + 1] == '\0';
}

static void quiet(void *context, xmlError *error)
{
	(void)context, (void)error;
}

static bool is_xpath(const char *p)
{
	xmlXPathContext *context = strlen(p) > 4096 ? NULL : xmlXPathNewContext(NULL);
	if (context == NULL)
		return false;
	context->error = quiet;
	xmlXPathCompExpr *x = xmlXPathCtxtCompile(context, (const xmlChar *)p);
	xmlXPathFreeCompExpr(x);
	xmlXPathFreeContext(context);
	return x != NULL;
}

enum simple { NO_SIMPLE, ANY_TEXT, BOOLEAN, INTEGER, REAL, MIMETYPE, DATE, COORDINATE, XPATH };

static enum simple simple_of(const char *type)
{
	static const struct {
		const char *name;
		enum simple simple;
	} names[] = {{"text", ANY_TEXT},   {"propername", ANY_TEXT}, {"agentname", ANY_TEXT},      {"rational", ANY_TEXT},
	             {"uri", ANY_TEXT},    {"url", ANY_TEXT},        {"renditionclass", ANY_TEXT}, {"boolean", BOOLEAN},
	             {"integer", INTEGER}, {"real", REAL},           {"mimetype", MIMETYPE},       {"date", DATE},
	             {"locale", ANY_TEXT}, {"xpath", XPATH},         {"gpscoordinate", COORDINATE}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(type, names[i].name) == 0)
			return names[i].simple;
	return NO_SIMPLE;
}

static bool simple_holds(enum simple s, const char *value, int part)
{
	struct xmp_date date;
	switch (s) {
	case BOOLEAN:
		return is_boolean(value);
	case INTEGER:
		return is_integer(value);
	case REAL:
		return is_real(value);
	case MIMETYPE:
		return is_mimetype(value);
	case DATE:
		return xmp_date_read(value, &date);
	case COORDINATE:
		return is_coordinate(value, part);
	case XPATH:
		return is_xpath(value);
	default:
		return true;
	}
}

/* ---- Structures ---- */

static const struct row *predefined_structure(int part, const char *type)
{
	for (size_t i = 0; i < sizeof structures / sizeof *structures; i++)
		if (structures[i].ns != NULL && (structures[i].parts & part_bit(part)) != 0 &&
		    strcmp(structures[i].type, type) == 0)
			return &structures[i];
	return NULL;
}

static bool own_holds(const struct xmp_types *t, const struct xmp_node *structure, const char *plain, const struct xmp_node *n)
{
	const struct xmp_node *ns = xmp_child(structure, NS_PDFA_TYPE, "namespaceURI");
	for (const struct xmp_node *field = n->first; field != NULL; field = field->next) {
		const char *type = xmp_extension_field(t->extension, t->ns, plain, field->name);
		if (type == NULL || strcmp(ns->value, field->ns) != 0 || !xmp_type_holds(t, field, type))
			return false;
	}
	return n->form == XMP_STRUCT;
}

static const char *row_field(const struct row *r, const char *name)
{
	const struct row *end = structures + sizeof structures / sizeof *structures;
	for (r++; r < end && r->ns == NULL; r++)
		if (strcmp(r->name, name) == 0)
			return r->type;
	return NULL;
}

static bool row_holds(const struct xmp_types *t, const struct row *r, const struct xmp_node *n)
{
	for (const struct xmp_node *field = n->first; field != NULL; field = field->next) {
		const char *type = row_field(r, field->name);
		if (type == NULL || strcmp(r->ns, field->ns) != 0 || !xmp_type_holds(t, field, type))
			return false;
	}
	return n->form == XMP_STRUCT;
}

static bool lang_alt(const struct xmp_node *n)
{
	bool lang = n->first == NULL;
	for (const struct xmp_node *i = n->first; i != NULL && !lang; i = i->next)
		lang = i->lang != NULL;
	return n->form == XMP_ALT && lang;
}

/* The form of an array type, and the type of its items after it. */
static enum xmp_form array_type(const char *type)
{
	return starts(type, "bag ") ? XMP_BAG : starts(type, "seq ") ? XMP_SEQ : starts(type, "alt ") ? XMP_ALT : XMP_SIMPLE;
}

static bool plain_holds(const struct xmp_types *t, const struct xmp_node *n, const char *type)
{
	if (strcmp(type, "any") == 0)
		return true;
	enum xmp_form array = array_type(type);
	if (array != XMP_SIMPLE) {
		bool holds = n->form == array;
		for (const struct xmp_node *i = n->first; i != NULL && holds; i = i->next)
			holds = xmp_type_holds(t, i, type + 4);
		return holds;
	}
	const struct xmp_node *own = xmp_extension_type(t->extension, t->ns, type);
	if (own != NULL)
		return own_holds(t, own, type, n);
	if (strcmp(type, "lang alt") == 0)
		return lang_alt(n);
	enum simple simple = simple_of(type);
	if (simple != NO_SIMPLE)
		return n->form == XMP_SIMPLE && simple_holds(simple, n->value, t->part);
	const struct row *structure = predefined_structure(t->part, type);
	return structure != NULL && row_holds(t, structure, n);
}

bool xmp_type_holds(const struct xmp_types *t, const struct xmp_node *n, const char *type)
{
	char plain[TYPE_TEXT];
	return xmp_type_plain(type, plain) && plain_holds(t, n, plain);
}

bool xmp_type_known(const struct xmp_types *t, const char *type)
{
	char plain[TYPE_TEXT];
	const char *at = plain;
	if (!xmp_type_plain(type, plain))
		return false;
	while (array_type(at) != XMP_SIMPLE)
		at += 4;
	return strcmp(at, "lang alt") == 0 || simple_of(at) != NO_SIMPLE || xmp_extension_type(t->extension, t->ns, at) != NULL ||
	       predefined_structure(t->part, at) != NULL;
}
