#include <openssl/evp.h>
#include <string.h>

#include "stages/pdf/field/field.h"

static void print_entry(const char *key, const char *text, struct buf *to)
{
	if (text == NULL || *text == '\0')
		return;
	buf_format(to, " /%s ", key);
	pdf_print_text(text, to);
}

void pdffield_set_value(struct pdfupd *u, uint32_t number, const struct pdffield_value *v)
{
	BUF_AUTO struct buf b = BUF_INIT(1u << 20);
	buf_format(&b, "<< /Type /%s /Filter /Adobe.PPKLite /SubFilter /%s", v->type, v->sub_filter);
	print_entry("M", v->time, &b);
	print_entry("Name", v->name, &b);
	print_entry("Reason", v->reason, &b);
	print_entry("Location", v->location, &b);
	buf_str(&b, " /ByteRange [0000000000 0000000000 0000000000 0000000000] /Contents <");
	uint8_t *digits = buf_reserve(&b, 2 * v->room);
	if (digits != NULL) {
		memset(digits, '0', 2 * v->room);
		b.len += 2 * v->room;
	}
	buf_str(&b, "> >>");
	pdfupd_set(u, number, b.data, b.len);
}

enum status pdffield_digest(struct bytes original, const struct buf *update, struct pdfupd_hole hole, const char *name,
                            uint8_t *ret_digest, size_t *ret_n, struct err *e)
{
	const EVP_MD *md = EVP_get_digestbyname(name);
	if (md == NULL || EVP_MD_get_size(md) > 64)
		return err_set(e, ST_BUG, "digest", "unknown digest %s", name);
	size_t after = hole.at + hole.digits + 1;
	unsigned n = 0;
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool ok = c != NULL && EVP_DigestInit_ex(c, md, NULL) && EVP_DigestUpdate(c, original.p, original.n) &&
	          EVP_DigestUpdate(c, update->data, hole.at - 1) &&
	          EVP_DigestUpdate(c, update->data + after, update->len - after) && EVP_DigestFinal_ex(c, ret_digest, &n);
	EVP_MD_CTX_free(c);
	*ret_n = n;
	return ok ? ST_OK : err_set(e, ST_RETRY, "memory", "digest %s", name);
}

bool pdffield_fill(struct buf *update, struct pdfupd_hole hole, struct bytes contents)
{
	if (2 * contents.n > hole.digits)
		return false;
	static const char digit[] = "0123456789ABCDEF";
	for (size_t i = 0; i < contents.n; i++) {
		update->data[hole.at + 2 * i] = (uint8_t)digit[contents.p[i] >> 4];
		update->data[hole.at + 2 * i + 1] = (uint8_t)digit[contents.p[i] & 15];
	}
	return true;
}
