#include "stages/pdfa/xmp.h"

#include <string.h>

#include "stages/base/text.h"

/* Character data (XML 1.0, 2.2 and 2.4). */
static void print_text(const char *text, struct buf *to)
{
	if (!utf8_valid(text, strlen(text)))
		return;
	const char *at = text, *from = at;
	for (uint32_t c; (c = utf8_next(&at)) != 0; from = at) {
		if (c == '&')
			buf_str(to, "&amp;");
		else if (c == '<')
			buf_str(to, "&lt;");
		else if (c == '>')
			buf_str(to, "&gt;");
		else if ((c >= 0x20 || c == '\t' || c == '\n') && c != 0xFFFE && c != 0xFFFF)
			buf_add(to, from, (size_t)(at - from));
	}
}

static void property(const char *name, const char *before, const char *value, const char *after, struct buf *to)
{
	if (value == NULL || value[0] == '\0')
		return;
	buf_format(to, "   <%s>%s", name, before);
	print_text(value, to);
	buf_format(to, "%s</%s>\n", after, name);
}

static void plain(const char *name, const char *value, struct buf *to)
{
	property(name, "", value, "", to);
}

void xmp_print(const struct xmp *x, struct buf *to)
{
	buf_str(to, "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
	            "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
	            " <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
	            "  <rdf:Description rdf:about=\"\"\n"
	            "    xmlns:dc=\"http://purl.org/dc/elements/1.1/\"\n"
	            "    xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\"\n"
	            "    xmlns:xmpMM=\"http://ns.adobe.com/xap/1.0/mm/\"\n"
	            "    xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\"\n"
	            "    xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\">\n");
	plain("dc:format", "application/pdf", to);
	property("dc:title", "<rdf:Alt><rdf:li xml:lang=\"x-default\">", x->title, "</rdf:li></rdf:Alt>", to);
	property("dc:creator", "<rdf:Seq><rdf:li>", x->creator, "</rdf:li></rdf:Seq>", to);
	property("dc:description", "<rdf:Alt><rdf:li xml:lang=\"x-default\">", x->description, "</rdf:li></rdf:Alt>", to);
	property("dc:language", "<rdf:Bag><rdf:li>", x->language, "</rdf:li></rdf:Bag>", to);
	plain("dc:identifier", x->identifier, to);
	plain("pdf:Keywords", x->keywords, to);
	plain("pdf:Producer", x->producer, to);
	plain("xmp:CreatorTool", x->creator_tool, to);
	plain("xmp:CreateDate", x->created, to);
	plain("xmp:ModifyDate", x->modified, to);
	plain("xmp:MetadataDate", x->modified, to);
	plain("xmpMM:DocumentID", x->document_id, to);
	plain("xmpMM:InstanceID", x->instance_id, to);
	if (x->part != 0)
		buf_format(to, "   <pdfaid:part>%u</pdfaid:part>\n", x->part);
	if (x->conformance != 0)
		buf_format(to, "   <pdfaid:conformance>%c</pdfaid:conformance>\n", x->conformance);
	buf_str(to, "  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"w\"?>\n");
}
