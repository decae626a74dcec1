#include "stages/pdfa/program/cmap.h"

#include <mupdf/fitz.h>
#include <mupdf/pdf.h>
#include <stdlib.h>
#include <string.h>

#include "stages/pdfa/program/spans.h"

#define SPACES_MAX 100
#define TEXT_MAX ((size_t)1 << 22)
#define CODE_BYTES 4

struct space {
	uint32_t low, high;
	unsigned bytes; /* of a code: 1 to 4 */
};

struct cmap {
	struct spans cids, notdefs, unicodes;
	struct space spaces[SPACES_MAX];
	size_t n_spaces;
	struct buf text; /* what codes mean, one after the other */
	uint32_t max_cid;
	int wmode;
	struct cmap *base; /* UseCMap */
	/* A predefined one. */
	fz_context *context;
	pdf_cmap *predefined;
};

enum kind { END, NUMBER, STRING, NAME, WORD, OPEN, CLOSE };

struct token {
	enum kind kind;
	uint8_t string[128];
	size_t n; /* bytes of a string or a word; cut at the array's size */
	int64_t number;
};

static bool space(uint8_t c)
{
	return c == 0 || c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == ' ';
}

static bool delimiter(uint8_t c)
{
	return c != 0 && strchr("()<>[]{}/%", c) != NULL;
}

static void skip(struct rd *r)
{
	while (r->at < r->in.n) {
		if (r->in.p[r->at] == '%')
			while (r->at < r->in.n && r->in.p[r->at] != '\n' && r->in.p[r->at] != '\r')
				r->at++;
		else if (space(r->in.p[r->at]))
			r->at++;
		else
			return;
	}
}

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void hex_string(struct rd *r, struct token *t)
{
	size_t digits = 0;
	t->kind = STRING;
	for (r->at++; r->at < r->in.n && r->in.p[r->at] != '>'; r->at++) {
		int v = digit(r->in.p[r->at]);
		if (v < 0 || digits / 2 >= sizeof t->string)
			continue;
		if (digits % 2 == 0)
			t->string[digits / 2] = (uint8_t)(v << 4);
		else
			t->string[digits / 2] |= (uint8_t)v;
		digits++;
	}
	r->at += r->at < r->in.n;
	t->n = (digits + 1) / 2;
}

static void word(struct rd *r, struct token *t)
{
	bool number = true, negative = false;
	t->kind = WORD;
	for (; r->at < r->in.n && !space(r->in.p[r->at]) && !delimiter(r->in.p[r->at]); r->at++) {
		uint8_t c = r->in.p[r->at];
		if (t->n + 1 < sizeof t->string)
			t->string[t->n++] = c;
		if (c == '-' && t->n == 1)
			negative = true;
		else if (c < '0' || c > '9')
			number = false;
		else if (t->number < INT32_MAX)
			t->number = t->number * 10 + (c - '0');
	}
	if (number && t->n > 0)
		t->kind = NUMBER;
	if (negative)
		t->number = -t->number;
}

static struct token next(struct rd *r)
{
	struct token t = {.kind = END};
	skip(r);
	if (r->at >= r->in.n)
		return t;
	uint8_t c = r->in.p[r->at];
	if (c == '<' && !(r->at + 1 < r->in.n && r->in.p[r->at + 1] == '<')) {
		hex_string(r, &t);
	} else if (c == '(') {
		/* Only in CIDSystemInfo, which the dictionary says, too. */
		t.kind = STRING;
		while (r->at < r->in.n && r->in.p[r->at] != ')')
			r->at++;
		r->at += r->at < r->in.n;
	} else if (c == '[' || c == ']') {
		t.kind = c == '[' ? OPEN : CLOSE;
		r->at++;
	} else if (c == '/') {
		r->at++;
		word(r, &t);
		t.kind = NAME;
	} else if (delimiter(c)) {
		t.kind = WORD;
		r->at++;
	} else {
		word(r, &t);
	}
	t.string[t.n < sizeof t.string ? t.n : sizeof t.string - 1] = '\0';
	return t;
}

static bool is(const struct token *t, enum kind kind, const char *text)
{
	return t->kind == kind && t->n == strlen(text) && memcmp(t->string, text, t->n) == 0;
}

static uint32_t code_of(const struct token *t)
{
	uint32_t v = 0;
	for (size_t i = 0; i < t->n && i < 4; i++)
		v = v << 8 | t->string[i];
	return v;
}

static void add_space(struct cmap *m, uint32_t low, uint32_t high, size_t bytes)
{
	if (m->n_spaces < SPACES_MAX && bytes > 0 && bytes <= CODE_BYTES)
		m->spaces[m->n_spaces++] = (struct space){low, high, (unsigned)bytes};
}

static void read_spaces(struct cmap *m, struct rd *r)
{
	for (;;) {
		struct token low = next(r), high = {0};
		if (low.kind != STRING || (high = next(r)).kind != STRING)
			return;
		add_space(m, code_of(&low), code_of(&high), low.n);
	}
}

static void read_cids(struct cmap *m, struct spans *to, struct rd *r, bool ranges)
{
	for (;;) {
		struct token low = next(r), high = low;
		if (low.kind != STRING || (ranges && (high = next(r)).kind != STRING))
			return;
		struct token cid = next(r);
		if (cid.kind != NUMBER || cid.number < 0)
			return;
		uint32_t a = code_of(&low), b = code_of(&high);
		uint64_t last = (uint64_t)cid.number + (b >= a && to == &m->cids ? b - a : 0);
		if (last > m->max_cid)
			m->max_cid = last > UINT32_MAX ? UINT32_MAX : (uint32_t)last;
		spans_add(to, a, b, (uint64_t)cid.number);
	}
}

/* A value: where the text begins, and its bytes. */
static void add_text(struct cmap *m, uint32_t low, uint32_t high, const struct token *t)
{
	spans_add(&m->unicodes, low, high, (uint64_t)m->text.len << 32 | t->n);
	buf_add(&m->text, t->string, t->n);
}

static void read_unicodes(struct cmap *m, struct rd *r, bool ranges)
{
	for (;;) {
		struct token low = next(r), high = low;
		if (low.kind != STRING || (ranges && (high = next(r)).kind != STRING))
			return;
		uint32_t a = code_of(&low), b = code_of(&high);
		struct token t = next(r);
		if (t.kind == STRING) {
			add_text(m, a, b, &t);
		} else if (t.kind == OPEN) {
			for (uint64_t code = a; (t = next(r)).kind == STRING; code++)
				if (code <= b)
					add_text(m, (uint32_t)code, (uint32_t)code, &t);
		} else {
			return;
		}
	}
}

static void read_tokens(struct cmap *m, struct rd *r)
{
	for (struct token t = next(r); t.kind != END; t = next(r)) {
		if (is(&t, WORD, "begincodespacerange"))
			read_spaces(m, r);
		else if (is(&t, WORD, "begincidrange") || is(&t, WORD, "begincidchar"))
			read_cids(m, &m->cids, r, is(&t, WORD, "begincidrange"));
		else if (is(&t, WORD, "beginnotdefrange") || is(&t, WORD, "beginnotdefchar"))
			read_cids(m, &m->notdefs, r, is(&t, WORD, "beginnotdefrange"));
		else if (is(&t, WORD, "beginbfrange") || is(&t, WORD, "beginbfchar"))
			read_unicodes(m, r, is(&t, WORD, "beginbfrange"));
		else if (is(&t, NAME, "WMode") && (t = next(r)).kind == NUMBER)
			m->wmode = (int)t.number;
	}
}

static enum status no_memory(struct err *e)
{
	return err_set(e, ST_RETRY, "memory", "no memory for a CMap");
}

enum status cmap_read(struct bytes in, struct cmap **ret_cmap, struct err *e)
{
	struct cmap *m = calloc(1, sizeof *m);
	struct rd r = RD_INIT(in.p, in.n);
	if (m == NULL)
		return no_memory(e);
	m->text = BUF_INIT(TEXT_MAX);
	read_tokens(m, &r);
	/* Not one after the other by &&: each is sealed. */
	bool cids = spans_seal(&m->cids), notdefs = spans_seal(&m->notdefs), unicodes = spans_seal(&m->unicodes);
	if (!cids || !notdefs || !unicodes) {
		cmap_free(m);
		return no_memory(e);
	}
	*ret_cmap = m;
	return ST_OK;
}

enum status cmap_predefined_open(const char *name, struct cmap **ret_cmap, struct err *e)
{
	const char *ordering;
	int supplement;
	*ret_cmap = NULL;
	if (!cmap_predefined(name, &ordering, &supplement))
		return ST_OK;
	struct cmap *m = calloc(1, sizeof *m);
	if (m != NULL)
		m->context = fz_new_context(NULL, NULL, FZ_STORE_UNLIMITED);
	if (m == NULL || m->context == NULL) {
		cmap_free(m);
		return no_memory(e);
	}
	fz_try(m->context)
	{
		m->predefined = pdf_load_system_cmap(m->context, name);
	}
	fz_catch(m->context)
	{
		m->predefined = NULL;
	}
	if (m->predefined == NULL) {
		cmap_free(m);
		return no_memory(e);
	}
	for (const pdf_cmap *p = m->predefined; p != NULL; p = p->usecmap)
		for (int i = 0; i < p->codespace_len; i++)
			add_space(m, p->codespace[i].low, p->codespace[i].high, (size_t)p->codespace[i].n);
	m->wmode = pdf_cmap_wmode(m->context, m->predefined);
	*ret_cmap = m;
	return ST_OK;
}

void cmap_free(struct cmap *m)
{
	if (m == NULL)
		return;
	cmap_free(m->base);
	spans_free(&m->cids);
	spans_free(&m->notdefs);
	spans_free(&m->unicodes);
	buf_free(&m->text);
	if (m->context != NULL) {
		pdf_drop_cmap(m->context, m->predefined);
		fz_drop_context(m->context);
	}
	free(m);
}

void cmap_use(struct cmap *m, struct cmap *base)
{
	cmap_free(m->base);
	m->base = base;
	for (size_t i = 0; base != NULL && i < base->n_spaces; i++)
		add_space(m, base->spaces[i].low, base->spaces[i].high, base->spaces[i].bytes);
}

/* Whether the first n bytes of a code lie between those of the range's ends, byte by byte. */
static bool in_space(const struct space *s, struct bytes in, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned shift = 8 * (s->bytes - 1 - (unsigned)i);
		if (in.p[i] < (uint8_t)(s->low >> shift) || in.p[i] > (uint8_t)(s->high >> shift))
			return false;
	}
	return true;
}

uint32_t cmap_next(const struct cmap *m, struct bytes in, size_t *ret_length)
{
	size_t shortest = CODE_BYTES;
	uint32_t code = 0;
	for (size_t i = 0; i < m->n_spaces; i++)
		shortest = m->spaces[i].bytes < shortest ? m->spaces[i].bytes : shortest;
	for (size_t n = 1; n <= CODE_BYTES && n <= in.n; n++) {
		size_t partial = SIZE_MAX;
		code = code << 8 | in.p[n - 1];
		for (size_t i = 0; i < m->n_spaces; i++) {
			size_t bytes = m->spaces[i].bytes;
			if (bytes < n || !in_space(&m->spaces[i], in, n))
				continue;
			if (bytes == n) {
				*ret_length = n;
				return code;
			}
			partial = bytes < partial ? bytes : partial;
		}
		if (partial == SIZE_MAX) {
			*ret_length = shortest < n ? n : shortest < in.n ? shortest : in.n;
			return 0;
		}
		shortest = partial;
	}
	*ret_length = in.n;
	return 0;
}

bool cmap_cid(const struct cmap *m, uint32_t code, uint32_t *ret_cid)
{
	const struct span *s = spans_find(&m->cids, code);
	*ret_cid = 0;
	if (m->predefined != NULL) {
		int cid = pdf_lookup_cmap(m->predefined, code);
		*ret_cid = cid < 0 ? 0 : (uint32_t)cid;
		return cid >= 0;
	}
	if (s != NULL)
		*ret_cid = (uint32_t)s->value + (code - s->origin);
	else if ((s = spans_find(&m->notdefs, code)) != NULL)
		*ret_cid = (uint32_t)s->value;
	else
		return m->base != NULL && cmap_cid(m->base, code, ret_cid);
	return true;
}

uint32_t cmap_max_cid(const struct cmap *m)
{
	return m->max_cid;
}

bool cmap_unicode(const struct cmap *m, uint32_t code, uint8_t *to, size_t size, size_t *ret_n)
{
	const struct span *s = spans_find(&m->unicodes, code);
	if (s == NULL)
		return m->base != NULL && cmap_unicode(m->base, code, to, size, ret_n);
	size_t at = (size_t)(s->value >> 32), n = (size_t)(s->value & UINT32_MAX);
	if (n > size || at + n > m->text.len)
		return false;
	if (n > 0)
		memcpy(to, m->text.data + at, n);
	/* The last unit counts on (9.10.3). */
	uint32_t more = code - s->origin;
	if (n >= 2) {
		uint32_t unit = ((uint32_t)to[n - 2] << 8 | to[n - 1]) + more;
		to[n - 2] = (uint8_t)(unit >> 8);
		to[n - 1] = (uint8_t)unit;
	} else if (n == 1) {
		to[0] = (uint8_t)(to[0] + more);
	}
	*ret_n = n;
	return true;
}

int cmap_wmode(const struct cmap *m)
{
	return m->wmode;
}

bool cmap_predefined(const char *name, const char **ret_ordering, int *ret_supplement)
{
	static const struct {
		const char *name, *ordering;
		int supplement;
	} rows[] = {{"Identity-H", NULL, 0},
	            {"Identity-V", NULL, 0},
	            {"GB-EUC-H", "GB1", 0},
	            {"GB-EUC-V", "GB1", 0},
	            {"GBpc-EUC-H", "GB1", 0},
	            {"GBpc-EUC-V", "GB1", 0},
	            {"GBK-EUC-H", "GB1", 2},
	            {"GBK-EUC-V", "GB1", 2},
	            {"GBKp-EUC-H", "GB1", 2},
	            {"GBKp-EUC-V", "GB1", 2},
	            {"GBK2K-H", "GB1", 4},
	            {"GBK2K-V", "GB1", 4},
	            {"UniGB-UCS2-H", "GB1", 4},
	            {"UniGB-UCS2-V", "GB1", 4},
	            {"UniGB-UTF16-H", "GB1", 4},
	            {"UniGB-UTF16-V", "GB1", 4},
	            {"B5pc-H", "CNS1", 0},
	            {"B5pc-V", "CNS1", 0},
	            {"HKscs-B5-H", "CNS1", 3},
	            {"HKscs-B5-V", "CNS1", 3},
	            {"ETen-B5-H", "CNS1", 0},
	            {"ETen-B5-V", "CNS1", 0},
	            {"ETenms-B5-H", "CNS1", 0},
	            {"ETenms-B5-V", "CNS1", 0},
	            {"CNS-EUC-H", "CNS1", 0},
	            {"CNS-EUC-V", "CNS1", 0},
	            {"UniCNS-UCS2-H", "CNS1", 3},
	            {"UniCNS-UCS2-V", "CNS1", 3},
	            {"UniCNS-UTF16-H", "CNS1", 4},
	            {"UniCNS-UTF16-V", "CNS1", 4},
	            {"83pv-RKSJ-H", "Japan1", 1},
	            {"90ms-RKSJ-H", "Japan1", 2},
	            {"90ms-RKSJ-V", "Japan1", 2},
	            {"90msp-RKSJ-H", "Japan1", 2},
	            {"90msp-RKSJ-V", "Japan1", 2},
	            {"90pv-RKSJ-H", "Japan1", 1},
	            {"Add-RKSJ-H", "Japan1", 1},
	            {"Add-RKSJ-V", "Japan1", 1},
	            {"EUC-H", "Japan1", 1},
	            {"EUC-V", "Japan1", 1},
	            {"Ext-RKSJ-H", "Japan1", 2},
	            {"Ext-RKSJ-V", "Japan1", 2},
	            {"H", "Japan1", 1},
	            {"V", "Japan1", 1},
	            {"UniJIS-UCS2-H", "Japan1", 4},
	            {"UniJIS-UCS2-V", "Japan1", 4},
	            {"UniJIS-UCS2-HW-H", "Japan1", 4},
	            {"UniJIS-UCS2-HW-V", "Japan1", 4},
	            {"UniJIS-UTF16-H", "Japan1", 5},
	            {"UniJIS-UTF16-V", "Japan1", 5},
	            {"KSC-EUC-H", "Korea1", 0},
	            {"KSC-EUC-V", "Korea1", 0},
	            {"KSCms-UHC-H", "Korea1", 1},
	            {"KSCms-UHC-V", "Korea1", 1},
	            {"KSCms-UHC-HW-H", "Korea1", 1},
	            {"KSCms-UHC-HW-V", "Korea1", 1},
	            {"KSCpc-EUC-H", "Korea1", 0},
	            {"UniKS-UCS2-H", "Korea1", 1},
	            {"UniKS-UCS2-V", "Korea1", 1},
	            {"UniKS-UTF16-H", "Korea1", 2},
	            {"UniKS-UTF16-V", "Korea1", 2}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(name, rows[i].name) == 0) {
			*ret_ordering = rows[i].ordering;
			*ret_supplement = rows[i].supplement;
			return true;
		}
	return false;
}
