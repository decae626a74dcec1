#include "stages/pdf/amend/amend.h"

#include <stdlib.h>
#include <string.h>

#include "stages/base/digest.h"
#include "stages/pdf/amend/internal.h"
#include "stages/pdfa/icc.h"

#define BODY_MAX ((size_t)256 << 20)   /* an object without its stream */
#define STREAM_MAX ((size_t)512 << 20) /* a stream that is decoded */

static enum status no_memory(struct err *e)
{
	return err_set(e, ST_RETRY, "memory", "no memory for a PDF that is written anew");
}

enum status amend_open(const struct pdfdoc *d, FILE *to, const struct pdfmake_meta *meta, unsigned remedies,
                       struct amend **ret_amend, struct err *e)
{
	if (pdfdoc_encrypted(d))
		return err_set(e, ST_ITEM, "pdf-encrypted", "an encrypted document is not written anew as it is");
	struct amend *a = calloc(1, sizeof *a);
	if (a == NULL)
		return no_memory(e);
	a->doc = d;
	a->meta = *meta;
	a->remedies = remedies;
	for (uint32_t number = pdfdoc_next(d, 0); number != 0; number = pdfdoc_next(d, number))
		a->size = number + 1;
	a->roles = calloc(a->size + 1, 1);
	a->seen = calloc(a->size + 1, 1);
	a->numbers = calloc(a->size + 1, sizeof *a->numbers);
	enum status st = a->roles == NULL || a->seen == NULL || a->numbers == NULL ? no_memory(e) : writer_open(&a->w, to, e);
	if (st != ST_OK)
		amend_free(a);
	else
		*ret_amend = a;
	return st;
}

void amend_leave_out(struct amend *a, const uint32_t *streams, size_t n, bool none_stays)
{
	a->left_out = streams;
	a->n_left_out = n;
	a->none_stays = none_stays;
}

void amend_replace(struct amend *a, const struct amend_file *files, size_t n)
{
	a->replaced = files;
	a->n_replaced = n;
}

void amend_associate(struct amend *a, const uint32_t *specifications, size_t n)
{
	a->associated = specifications;
	a->n_associated = n;
}

bool amend_holds(const struct amend *a, uint32_t number)
{
	return number < a->size && a->numbers[number] != 0;
}

void amend_free(struct amend *a)
{
	if (a == NULL)
		return;
	writer_close(&a->w);
	profiles_free(&a->profiles);
	glyphless_free(&a->glyphless);
	free(a->layers);
	free(a->faces);
	free(a->roles);
	free(a->seen);
	free(a->numbers);
	free(a->queue);
	free(a);
}

void amend_count(struct amend *a, enum amend_change c)
{
	a->changed[c] += a->phase == WRITE;
}

uint64_t amend_changed(const struct amend *a, enum amend_change c)
{
	return a->changed[c];
}

static void push(struct amend *a, uint32_t number)
{
	if (a->n_queue == a->cap_queue) {
		size_t cap = a->cap_queue == 0 ? 256 : 2 * a->cap_queue;
		uint32_t *more = reallocarray(a->queue, cap, sizeof *more);
		if (more == NULL) {
			if (a->fault.status == ST_OK)
				no_memory(&a->fault);
			return;
		}
		a->queue = more;
		a->cap_queue = cap;
	}
	a->queue[a->n_queue++] = number;
}

/* An object met first without a role is looked at again when it is met in one: what hangs on it has roles of its own. */
static void meet(struct amend *a, uint32_t number, enum role role)
{
	if (a->phase == FIND_ORDER && a->numbers[number] == 0) {
		a->numbers[number] = writer_allocate(&a->w);
		push(a, number);
	} else if (a->phase == FIND_ROLES && a->seen[number] < (role == ANY ? 1 : 2)) {
		a->seen[number] = role == ANY ? 1 : 2;
		a->roles[number] = (uint8_t)role;
		push(a, number);
	}
}

static void put_reference(struct amend *a, const struct pdfobj *o, enum role role, struct buf *to)
{
	uint32_t number = pdfobj_reference(o);
	/* One that leads nowhere is null (ISO 32000-1, 7.3.10). */
	if (number >= a->size || pdfobj_kind(o) == PDF_NULL) {
		if (to != NULL)
			buf_str(to, "null");
		return;
	}
	meet(a, number, role);
	if (to != NULL)
		buf_format(to, "%u 0 R", a->numbers[number]);
}

static void put_array(struct amend *a, const struct pdfobj *o, enum role role, struct buf *to)
{
	if (to != NULL)
		buf_byte(to, '[');
	for (size_t i = 0; i < pdfobj_length(o); i++) {
		if (amend_drops_element(a, role, o, i))
			continue;
		amend_put(a, pdfobj_at(o, i), amend_element(role), to);
		if (to != NULL)
			buf_byte(to, (i + 1) % 32 == 0 ? '\n' : ' ');
	}
	if (to != NULL)
		buf_byte(to, ']');
}

static bool listed(const char *const *keys, const char *key)
{
	for (; keys != NULL && *keys != NULL; keys++)
		if (strcmp(*keys, key) == 0)
			return true;
	return false;
}

void amend_put_entries(struct amend *a, const struct pdfobj *o, enum role role, const char *const *except, struct buf *to)
{
	enum role element = amend_element(role);
	for (size_t i = 0; i < pdfobj_length(o); i++) {
		const char *key = pdfobj_key(o, i);
		const struct pdfobj *value = pdfobj_value(o, i);
		const struct entry_rule *rule = amend_rule(role, key);
		if (listed(except, key))
			continue;
		if (rule != NULL && rule->drops != NULL && rule->drops(a, o, value)) {
			if (rule->change >= 0)
				amend_count(a, (enum amend_change)rule->change);
			continue;
		}
		if (to != NULL) {
			pdf_print_name(key, to);
			buf_byte(to, ' ');
		}
		amend_put(a, value, rule != NULL ? rule->value : element, to);
		if (to != NULL)
			buf_byte(to, '\n');
	}
	amend_put_new(a, o, role, to);
}

void amend_put(struct amend *a, const struct pdfobj *o, enum role role, struct buf *to)
{
	switch (pdfobj_kind_direct(o)) {
	case PDF_REFERENCE:
		put_reference(a, o, role, to);
		break;
	case PDF_ARRAY:
		put_array(a, o, role, to);
		break;
	case PDF_DICT:
	case PDF_STREAM:
		if (to != NULL)
			buf_str(to, "<<");
		amend_put_entries(a, o, role, NULL, to);
		if (to != NULL)
			buf_str(to, ">>");
		break;
	default:
		if (to != NULL)
			pdfobj_print(o, to);
	}
}

/* ISO 19005-2, 6.1.7.2: not LZW, nor Crypt but for Identity. Names are not abbreviated outside of inline images. */
static bool filter_permitted(const char *name)
{
	static const char *const names[] = {"ASCIIHexDecode", "ASCII85Decode", "RunLengthDecode", "FlateDecode",
	                                    "CCITTFaxDecode", "JBIG2Decode",   "DCTDecode",       "JPXDecode"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool filters_permitted(const struct pdfobj *filter)
{
	if (pdfobj_kind(filter) == PDF_NAME)
		return filter_permitted(pdfobj_name(filter));
	for (size_t i = 0; pdfobj_kind(filter) == PDF_ARRAY && i < pdfobj_length(filter); i++)
		if (!filter_permitted(pdfobj_name(pdfobj_at(filter, i))))
			return false;
	return true;
}

/* Data that lies in another file is not ours to put in (6.1.7.1): such a stream stays, and the checker finds it. */
static bool decode(const struct pdfobj *o, struct buf *to)
{
	struct err ignored;
	return !filters_permitted(pdfobj_get(o, "Filter")) && pdfobj_kind(pdfobj_get(o, "F")) == PDF_NULL &&
	       pdfobj_stream(o, to, &ignored) == ST_OK;
}

static const struct amend_file *replacement(const struct amend *a, uint32_t number)
{
	for (size_t i = 0; i < a->n_replaced; i++)
		if (a->replaced[i].number == number)
			return &a->replaced[i];
	return NULL;
}

/* ISO 32000-1, 7.11.4: an embedded PDF. */
static void write_file(struct amend *a, uint32_t number, struct bytes content)
{
	BUF_AUTO struct buf dict = BUF_INIT(256);
	buf_format(&dict, "/Type/EmbeddedFile/Subtype/application#2Fpdf/Params<</Size %zu>>", content.n);
	writer_stream_flate(&a->w, number, &dict, content);
}

static void write_stream(struct amend *a, uint32_t number, const struct pdfobj *o, enum role role)
{
	static const char *const of_data[] = {"Length", NULL};
	static const char *const of_coding[] = {"Length", "Filter", "DecodeParms", "FFilter", "FDecodeParms", "DL", NULL};
	BUF_AUTO struct buf dict = BUF_INIT(BODY_MAX), data = BUF_INIT(STREAM_MAX);
	if (!decode(o, &data)) {
		amend_put_entries(a, o, role, of_data, &dict);
		writer_stream(&a->w, number, &dict, pdfobj_stream_raw(o));
		return;
	}
	amend_count(a, AMEND_FILTERS);
	amend_put_entries(a, o, role, of_coding, &dict);
	writer_stream_flate(&a->w, number, &dict, (struct bytes){data.data, data.len});
}

static void write_object(struct amend *a, uint32_t number)
{
	const struct pdfobj *o = pdfdoc_object(a->doc, number);
	enum role role = (enum role)a->roles[number];
	const struct amend_file *other = replacement(a, number);
	if (other != NULL) {
		write_file(a, a->numbers[number], other->content);
		return;
	}
	if (pdfobj_kind(o) == PDF_STREAM) {
		write_stream(a, a->numbers[number], o, role);
		return;
	}
	BUF_AUTO struct buf body = BUF_INIT(BODY_MAX);
	amend_put(a, o, role, &body);
	writer_object(&a->w, a->numbers[number], &body);
}

/* Meets everything that can be reached, beginning with the catalog and Info. */
static void walk(struct amend *a, enum phase phase)
{
	uint32_t root = pdfobj_reference(pdfobj_get(pdfdoc_trailer(a->doc), "Root"));
	uint32_t info = pdfobj_reference(pdfobj_get(pdfdoc_trailer(a->doc), "Info"));
	a->phase = phase;
	a->n_queue = 0;
	meet(a, root, CATALOG);
	if (info != 0 && info < a->size && pdfobj_kind(pdfdoc_object(a->doc, info)) == PDF_DICT)
		meet(a, info, ANY);
	for (size_t i = 0; i < a->n_queue && a->fault.status == ST_OK; i++) {
		uint32_t number = a->queue[i];
		amend_put(a, pdfdoc_object(a->doc, number), (enum role)a->roles[number], NULL);
		pdfdoc_forget(a->doc);
	}
}

static bool has_pdfa_intent(const struct pdfobj *intents)
{
	for (size_t i = 0; pdfobj_kind(intents) == PDF_ARRAY && i < pdfobj_length(intents); i++) {
		const struct pdfobj *o = pdfobj_at(intents, i);
		if (pdfobj_is_name(pdfobj_get(o, "S"), "GTS_PDFA1") &&
		    pdfobj_kind(pdfobj_get(o, "DestOutputProfile")) == PDF_STREAM)
			return true;
	}
	return false;
}

/* The objects that the catalog and the resources will name. */
static enum status write_own(struct amend *a, struct err *e)
{
	BUF_AUTO struct buf dict = BUF_INIT(256), packet = BUF_INIT(16u << 20);
	enum status st = ST_OK;
	a->keeps_intents = (a->remedies & AMEND_OWN_INTENT) == 0 &&
	                   has_pdfa_intent(pdfobj_get(pdfdoc_catalog(a->doc), "OutputIntents"));
	if (!a->keeps_intents)
		st = profiles_own(&a->profiles, &a->w, ICC_SRGB, &a->intent, e);
	if (st == ST_OK && (a->remedies & AMEND_DEFAULT_CMYK) != 0)
		st = profiles_own(&a->profiles, &a->w, ICC_CMYK, &a->inks, e);
	if (st == ST_OK)
		st = amend_metadata(a, &packet, e);
	if (st != ST_OK)
		return st;
	a->metadata = writer_allocate(&a->w);
	buf_str(&dict, "/Type/Metadata/Subtype/XML");
	writer_stream(&a->w, a->metadata, &dict, (struct bytes){packet.data, packet.len});
	/* What a field shows that shows nothing. */
	a->empty = writer_allocate(&a->w);
	buf_reset(&dict);
	buf_str(&dict, "/Type/XObject/Subtype/Form/BBox[0 0 1 1]");
	writer_stream(&a->w, a->empty, &dict, (struct bytes){(const uint8_t *)"", 0});
	if (a->font != 0)
		glyphless_write(&a->glyphless, &a->w, a->font);
	return ST_OK;
}

static void write_trailer(struct amend *a)
{
	const struct pdfobj *trailer = pdfdoc_trailer(a->doc);
	uint32_t root = pdfobj_reference(pdfobj_get(trailer, "Root")), info = pdfobj_reference(pdfobj_get(trailer, "Info"));
	struct bytes id = pdfobj_string(pdfobj_at(pdfobj_get(trailer, "ID"), 0));
	uint8_t digest[32];
	BUF_AUTO struct buf b = BUF_INIT(1u << 20);
	sha256_so_far(a->w.hash, digest);
	if (id.n == 0 || id.n > 1024)
		id = (struct bytes){digest, 16};
	buf_format(&b, "/Root %u 0 R", a->numbers[root]);
	if (info != 0 && info < a->size && a->numbers[info] != 0)
		buf_format(&b, "/Info %u 0 R", a->numbers[info]);
	buf_str(&b, "/ID[<");
	for (size_t i = 0; i < id.n; i++)
		buf_format(&b, "%02X", id.p[i]);
	buf_str(&b, "><");
	for (size_t i = 0; i < 16; i++)
		buf_format(&b, "%02X", digest[i]);
	buf_str(&b, ">]");
	writer_end(&a->w, &b);
}

enum status amend_finish(struct amend *a, struct written *ret_written, struct err *e)
{
	uint32_t root = pdfobj_reference(pdfobj_get(pdfdoc_trailer(a->doc), "Root"));
	if (root == 0 || root >= a->size || pdfobj_kind(pdfdoc_catalog(a->doc)) != PDF_DICT)
		return err_set(e, ST_ITEM, "pdf-broken", "the document has no catalog");
	amend_sort_layers(a);
	walk(a, FIND_ROLES);
	enum status st = a->fault.status != ST_OK ? ST_RETRY : write_own(a, e);
	if (st == ST_OK)
		walk(a, FIND_ORDER);
	a->phase = WRITE;
	for (size_t i = 0; st == ST_OK && a->fault.status == ST_OK && a->w.error == 0 && i < a->n_queue; i++) {
		write_object(a, a->queue[i]);
		pdfdoc_forget(a->doc);
	}
	if (a->fault.status != ST_OK) {
		*e = a->fault;
		return e->status;
	}
	if (st == ST_OK)
		st = pdfdoc_fault(a->doc, e);
	if (st == ST_OK)
		write_trailer(a);
	if (ret_written != NULL)
		*ret_written = writer_written(&a->w);
	return st == ST_OK ? writer_fault(&a->w, e) : st;
}
