/* ALTO and plain text of words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libxml/parser.h>

#include "stages/text/alto.h"

static void fill(struct ocr_page *page)
{
	static const struct {
		const char *text;
		int left;
		uint32_t line, block;
	} words[] = {{"Ủy", 10, 1, 1}, {"ban", 40, 1, 1}, {"<&\"\x01>", 10, 2, 1}, {"cuối", 10, 3, 2}};
	*page = (struct ocr_page){0};
	for (size_t i = 0; i < 4; i++) {
		struct ocr_word w = {.text = strdup(words[i].text),
		                     .left = words[i].left,
		                     .right = words[i].left + 20,
		                     .top = 10 * (int)words[i].line,
		                     .bottom = 10 * (int)words[i].line + 8,
		                     .confidence = i == 0 ? 100 : 7,
		                     .line = words[i].line,
		                     .block = words[i].block};
		assert_true(ocr_page_add(page, &w));
	}
}

static void test_alto(void **state)
{
	(void)state;
	static const char expected[] =
	    "<Page ID=\"p1\" PHYSICAL_IMG_NR=\"1\" WIDTH=\"100\" HEIGHT=\"200\"><PrintSpace HPOS=\"0\" VPOS=\"0\" WIDTH=\"100\" "
	    "HEIGHT=\"200\">\n"
	    "<TextBlock ID=\"p1b1\" HPOS=\"10\" VPOS=\"10\" WIDTH=\"50\" HEIGHT=\"18\">\n"
	    "<TextLine ID=\"p1l1\" HPOS=\"10\" VPOS=\"10\" WIDTH=\"50\" HEIGHT=\"8\">"
	    "<String CONTENT=\"Ủy\" HPOS=\"10\" VPOS=\"10\" WIDTH=\"20\" HEIGHT=\"8\" WC=\"1.00\"/><SP/>"
	    "<String CONTENT=\"ban\" HPOS=\"40\" VPOS=\"10\" WIDTH=\"20\" HEIGHT=\"8\" WC=\"0.07\"/></TextLine>\n"
	    "<TextLine ID=\"p1l2\" HPOS=\"10\" VPOS=\"20\" WIDTH=\"20\" HEIGHT=\"8\">"
	    "<String CONTENT=\"&lt;&amp;&quot;\uFFFD&gt;\" HPOS=\"10\" VPOS=\"20\" WIDTH=\"20\" HEIGHT=\"8\" "
	    "WC=\"0.07\"/></TextLine>\n"
	    "</TextBlock>\n"
	    "<TextBlock ID=\"p1b2\" HPOS=\"10\" VPOS=\"30\" WIDTH=\"20\" HEIGHT=\"8\">\n"
	    "<TextLine ID=\"p1l3\" HPOS=\"10\" VPOS=\"30\" WIDTH=\"20\" HEIGHT=\"8\">"
	    "<String CONTENT=\"cuối\" HPOS=\"10\" VPOS=\"30\" WIDTH=\"20\" HEIGHT=\"8\" WC=\"0.07\"/></TextLine>\n"
	    "</TextBlock>\n"
	    "</PrintSpace></Page>\n";
	BUF_AUTO struct buf b = BUF_INIT(1u << 16);
	struct ocr_page page;
	fill(&page);
	alto_begin("a<b", "vie+eng", &b);
	size_t from = b.len;
	alto_add(&(struct alto_page){1, 100, 200, &page, true}, &b);
	assert_string_equal((const char *)b.data + from, expected);
	alto_add(&(struct alto_page){2, 100, 200, NULL, false}, &b);
	alto_end(&b);
	xmlDoc *doc = xmlReadMemory((const char *)b.data, (int)b.len, NULL, NULL, XML_PARSE_NONET);
	assert_non_null(doc);
	xmlFreeDoc(doc);
	xmlCleanupParser();
	ocr_page_free(&page);
}

static void test_plain(void **state)
{
	(void)state;
	BUF_AUTO struct buf b = BUF_INIT(1u << 16);
	struct ocr_page page;
	fill(&page);
	plain_add(&page, &b);
	plain_add(NULL, &b);
	assert_string_equal(b.data, "Ủy ban\n<&\"\x01>\n\ncuối\n\f\f");
	ocr_page_free(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_alto),
	    cmocka_unit_test(test_plain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
